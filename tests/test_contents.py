"""Contents: read again as often as need be, and shown once."""

import array
import io
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dxf.contents import Content, Memory, Stream, as_bytes, has_size, is_seekable, pieces
from dxf.digests import READ_SIZE
from dxf.exceptions import DXFError, DXFFileChangedError

from .support.plain import sha256


def whole(body):
    return body if isinstance(body, bytes) else b''.join(body)


def test_a_content_s_size_and_digest():
    content = Content(io.BytesIO(b'12345'))
    assert content.size == 5
    for _ in range(2):
        assert content.digest() == sha256(b'12345')
        assert whole(content.body()) == b'12345'


def test_a_content_begins_where_its_file_stands():
    file = io.BytesIO(b'12345')
    file.seek(2)
    content = Content(file)
    assert content.size == 3
    assert content.digest() == sha256(b'345')
    assert whole(content.body()) == b'345'
    assert whole(content.body(1)) == b'45'
    assert whole(content.body(1, 2)) == b'4'


@pytest.mark.parametrize('position', [5, 9])
def test_a_content_whose_file_stands_at_its_end_is_empty(position):
    file = io.BytesIO(b'12345')
    file.seek(position)
    content = Content(file)
    assert content.size in (0, 5 - position)
    assert whole(content.body()) == b''
    assert content.digest() == sha256(b'')


@pytest.mark.parametrize('size', [0, 1, READ_SIZE, READ_SIZE + 1, 3 * READ_SIZE + 7])
def test_a_file(tmp_path, size):
    path = tmp_path / 'file'
    path.write_bytes(os.urandom(size))
    with open(str(path), 'rb', buffering=0) as file:
        content = Content(file)
        assert content.size == size
        assert content.digest() == sha256(path.read_bytes())
        assert whole(content.body()) == path.read_bytes()


def test_an_empty_body_is_bytes():
    """A stream of unknown length would go out in chunks."""
    assert Content(io.BytesIO()).body() == b''
    assert Content(io.BytesIO(b'123')).body(3) == b''
    assert Content(io.BytesIO(b'123')).body(1, 1) == b''


def test_a_body_knows_its_length():
    content = Content(io.BytesIO(b'12345'))
    assert len(content.body()) == 5
    assert len(content.body(2)) == 3
    assert len(content.body(2, 4)) == 2


def test_a_body_is_read_as_a_file_is():
    body = Content(io.BytesIO(b'0123456789')).body(1, 9)
    assert body.read(3) == b'123'
    assert body.tell() == 3
    assert body.read(0) == b''
    assert body.read(100) == b'45678'
    assert body.read(1) == b''
    assert body.read() == b''
    body.seek(5)
    assert body.read() == b'678'
    body.seek(0)
    assert body.read() == b'12345678'


def test_a_body_is_iterated_over():
    body = Content(io.BytesIO(b'x' * (2 * READ_SIZE + 1))).body()
    assert [len(piece) for piece in body] == [READ_SIZE, READ_SIZE, 1]
    assert list(body) == []
    body.seek(0)
    assert len(b''.join(body)) == 2 * READ_SIZE + 1


def test_two_bodies_of_one_content_do_not_disturb_each_other():
    content = Content(io.BytesIO(b'123456'))
    first, second = content.body(0, 3), content.body(3)
    assert (first.read(1), second.read(1), first.read(1), second.read(1)) == (
        b'1',
        b'4',
        b'2',
        b'5',
    )


def test_what_was_added_meanwhile_is_not_part_of_it():
    file = io.BytesIO(b'123')
    content = Content(file)
    file.seek(0, os.SEEK_END)
    file.write(b'456')
    assert whole(content.body()) == b'123'
    assert content.digest() == sha256(b'123')


@pytest.mark.parametrize('left', [0, 1, 4])
def test_a_file_that_gets_shorter(left):
    file = io.BytesIO(b'12345')
    content = Content(file)
    file.truncate(left)
    with pytest.raises(DXFFileChangedError, match=f'had 5 bytes and has {left} now') as e:
        whole(content.body())
    assert isinstance(e.value, DXFError)


# What is shown


def test_what_is_sent_is_shown_as_it_goes():
    shown = []
    body = Content(io.BytesIO(b'12345'), shown.append).body()
    body.read(2)
    assert shown == [b'12']
    body.read()
    assert shown == [b'12', b'345']


def test_hashing_shows_nothing():
    shown = []
    content = Content(io.BytesIO(b'12345'), shown.append)
    content.digest()
    assert shown == []
    assert not content.was_seen


def test_what_is_sent_again_is_not_shown_again():
    shown = []
    content = Content(io.BytesIO(b'0123456789'), shown.append)
    content.body().read(4)
    content.body().read(6)
    assert not content.was_seen
    content.body(3).read()
    whole(content.body())
    assert b''.join(shown) == b'0123456789'
    assert content.was_seen


def test_all_who_watch_are_shown():
    one, other = [], []
    content = Content(io.BytesIO(b'123'), one.append)
    content.watch(other.append)
    content.body().read()
    assert one == other == [b'123']


def test_an_empty_content_was_seen_from_the_start():
    assert Content(io.BytesIO()).was_seen


def test_a_content_in_memory_is_the_same():
    shown = []
    file = io.BytesIO(b'x12345')
    file.seek(1)
    content = Content(file, shown.append)
    kept = content.in_memory()
    file.truncate(0)
    assert (kept.size, kept.digest(), whole(kept.body())) == (5, sha256(b'12345'), b'12345')
    assert b''.join(shown) == b'12345'
    assert kept.was_seen


@given(
    st.binary(min_size=1, max_size=50), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)))
)
def test_each_byte_is_shown_once_and_in_order(data, sends):
    """However often it is sent, from wherever that a registry had got to."""
    shown = []
    content = Content(io.BytesIO(data), shown.append)
    for first, count in sends:
        so_far = len(b''.join(shown))
        first = min(first, so_far)
        body = content.body(first, min(first + count, len(data)) if count else first)
        whole(body)
        assert data.startswith(b''.join(shown))
    whole(content.body())
    assert b''.join(shown) == data


# What can be pushed


@pytest.mark.parametrize(
    ('data', 'expected'),
    [
        (b'abc', b'abc'),
        (b'', b''),
        ('ä€', 'ä€'.encode()),
        (bytearray(b'abc'), b'abc'),
        (memoryview(b'abc'), b'abc'),
        (memoryview(array.array('H', [1, 2])), bytes(array.array('H', [1, 2]))),
        ([b'abc'], None),
        ((b'abc',), None),
        (io.BytesIO(b'abc'), None),
        (iter([b'abc']), None),
        (None, None),
        (5, None),
    ],
)
def test_what_is_at_hand_whole(data, expected):
    found = as_bytes(data)
    assert found == expected
    assert expected is None or type(found) is bytes


def test_what_can_be_read_again(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'x')
    with open(str(path), 'rb') as file:
        assert is_seekable(file)
    assert is_seekable(io.BytesIO())


def test_what_can_not_be_read_again():
    reading, writing = os.pipe()
    with open(reading, 'rb') as pipe, open(writing, 'wb'):
        assert not is_seekable(pipe)
    for data in (iter([b'x']), [b'x'], (b'x' for _ in range(1)), object(), b'x', None):
        assert not is_seekable(data)


class Reader:
    """A file of which nothing is known but that it can be read."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.counts = []

    def read(self, count):
        self.counts.append(count)
        # Whoever goes on after the end would do so for ever.
        return self._answers.pop(0) if self._answers else pytest.fail('read after its end')


@pytest.mark.parametrize(
    ('data', 'expected'),
    [
        ([], []),
        ([b'a', b'b'], [b'a', b'b']),
        ((b'a', bytearray(b'b'), memoryview(b'c'), 'ä'), [b'a', b'b', b'c', 'ä'.encode()]),
        (iter([b'a', b'', b'b']), [b'a', b'', b'b']),
        ((piece for piece in [b'a']), [b'a']),
        ({b'a': 1}, [b'a']),
        (Reader(b'ab', b'c', b''), [b'ab', b'c']),
        (Reader(b''), []),
    ],
)
def test_pieces(data, expected):
    found = list(pieces(data))
    assert found == expected
    assert all(type(piece) is bytes for piece in found)


def test_a_text_stream_comes_to_its_end():
    """As standard input does, which is one."""
    assert b''.join(pieces(Reader('ä', 'b', ''))) == 'äb'.encode()


def test_a_pipe_is_read_in_pieces_to_its_end():
    reading, writing = os.pipe()
    with open(reading, 'rb') as pipe:
        with open(writing, 'wb') as out:
            out.write(b'x' * 1000)
        assert b''.join(pieces(pipe)) == b'x' * 1000


def test_pieces_come_as_they_are_asked_for():
    def endless():
        while True:
            yield b'x'

    found = pieces(endless())
    assert [next(found) for _ in range(3)] == [b'x'] * 3


@pytest.mark.parametrize('piece', [5, None, [b'a'], object(), 1.5])
@pytest.mark.parametrize('wrap', [lambda piece: [b'a', piece], lambda piece: Reader(b'a', piece)])
def test_what_is_no_piece(piece, wrap):
    found = pieces(wrap(piece))
    assert next(found) == b'a'
    with pytest.raises(TypeError, match=f'not of {type(piece).__name__}'):
        next(found)


@pytest.mark.parametrize('data', [5, None, object(), 1.5, sys])
def test_what_has_no_pieces(data):
    with pytest.raises(TypeError):
        list(pieces(data))


def test_an_error_of_the_source_comes_through():
    def broken():
        yield b'a'
        raise RuntimeError('broken')

    found = pieces(broken())
    assert next(found) == b'a'
    with pytest.raises(RuntimeError, match='broken'):
        next(found)


def test_which_files_say_how_large_they_are(tmp_path):
    (tmp_path / 'empty').touch()
    (tmp_path / 'file').write_bytes(b'x')
    for name in ('empty', 'file'):
        with open(tmp_path / name, 'rb', buffering=0) as file:
            assert has_size(file)
            assert file.tell() == 0
    reading, writing = os.pipe()
    with open(reading, 'rb', buffering=0) as pipe, open(writing, 'wb'):
        assert not has_size(pipe)


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='there is no such file here')
def test_a_file_that_the_system_makes_up_says_nothing():
    with open('/proc/self/status', 'rb', buffering=0) as file:
        assert not has_size(file)
        assert file.tell() == 0


# Streams


@pytest.mark.parametrize('piece', [1, 3, 10, 100])
@pytest.mark.parametrize('ahead', [None, 5, 10, 1000])
def test_a_stream_in_other_sizes(piece, ahead):
    """What was taken last but one has been let go of when its memory is used again."""
    content = bytes(range(100))
    stream = Stream(content[i : i + piece] for i in range(0, 100, piece))
    if ahead is not None:
        assert stream.is_short(ahead) is (ahead >= 100)
    taken, before = [], b''
    for part in iter(lambda: stream.take(max(ahead or 0, 7)), b''):
        assert taken[-1:] == [before] or not taken
        taken.append(bytes(part))
        before = part
    assert b''.join(taken) == content
    assert {len(part) for part in taken[:-1]} <= {max(ahead or 0, 7)}


def test_an_empty_stream():
    stream = Stream(iter([b'', b'']))
    assert stream.is_short(10)
    assert stream.take(10) == b''


def test_memory_as_a_file():
    content = Content(Memory(memoryview(b'0123456789')))
    assert content.size == 10
    assert content.read(3, 4) == b'3456'
    assert b''.join(content.body(8)) == b'89'
    assert content.digest() == sha256(b'0123456789')
