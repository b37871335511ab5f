"""Standard output, whatever that is."""

import errno
import io
import os
import sys

import pytest

from dxf import output


class Plain:
    """What a program may put in standard output's place: it has `write` and `flush` alone."""

    def __init__(self):
        self.written = []
        self.flushed = 0

    def write(self, content):
        self.written.append(content)
        return 'means nothing'

    def flush(self):
        self.flushed += 1


@pytest.fixture
def replace(monkeypatch):
    """`replace(stream)` puts it in standard output's place; only a test itself can do so."""

    def replace(stream):
        monkeypatch.setattr(sys, 'stdout', stream)
        return stream

    return replace


def write_bytes(content):
    with output.binary() as write:
        write(content)


def test_text_and_bytes_to_a_plain_object(replace):
    plain = replace(Plain())
    output.write('a')
    write_bytes(b'\xff')
    output.write_line('b')
    assert plain.written == ['a', b'\xff', 'b\n']
    assert plain.flushed == 1
    output.flush()
    assert plain.flushed == 2


def test_bytes_go_past_the_encoding(replace):
    out = replace(io.TextIOWrapper(io.BytesIO(), 'utf-8', newline='\r\n'))
    write_bytes(b'\xff\r\n\x00')
    assert out.buffer.getvalue() == b'\xff\r\n\x00'


def test_text_and_bytes_stay_in_order(replace):
    out = replace(io.TextIOWrapper(io.BytesIO(), 'utf-8', newline='\n'))
    output.write('a\n')
    output.flush()
    write_bytes(b'b\n')
    output.flush()
    output.write_line('c')
    assert out.buffer.getvalue() == b'a\nb\nc\n'


def test_a_text_stream_without_a_buffer(replace):
    out = replace(io.StringIO())
    output.write('a')
    write_bytes('ä'.encode())
    write_bytes(b'\xff')
    assert out.getvalue().encode('utf-8', 'surrogateescape') == 'aä'.encode() + b'\xff'


def test_a_binary_stream(replace):
    out = replace(io.BytesIO())
    output.write('ä')
    write_bytes(b'\xff')
    output.write_line('!')
    assert out.getvalue() == 'ä'.encode() + b'\xff!\n'


class Slow(io.RawIOBase):
    """Takes three bytes at a time, and now and then none."""

    def __init__(self):
        self.written = b''
        self._calls = 0

    def writable(self):
        return True

    def write(self, content):
        self._calls += 1
        if self._calls % 2:
            return None
        taken = bytes(content[:3])
        self.written += taken
        return len(taken)


def test_a_stream_without_a_buffer_takes_parts(replace):
    out = replace(Slow())
    write_bytes(b'0123456789')
    output.write('abcd')
    assert out.written == b'0123456789abcd'


def test_python_unbuffered(replace):
    """`python -u` has a text stream over a raw one."""
    raw = Slow()
    text = replace(io.TextIOWrapper(raw, 'utf-8', write_through=True))
    assert text.buffer is raw
    write_bytes(b'0123456789')
    assert raw.written == b'0123456789'


def test_a_pipe(replace):
    reading, writing = os.pipe()
    with open(reading, 'rb') as end, open(writing, 'w', encoding='utf-8') as out:
        replace(out)
        output.write_line('ä')
        assert end.readline() == 'ä\n'.encode()
        write_bytes(b'\xff\n')
        output.flush()
        assert end.readline() == b'\xff\n'


class Full(Plain):
    """A stream without room."""

    def _fail(self, *_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    write = flush = _fail


@pytest.mark.parametrize(
    'act',
    [
        lambda: output.write('a'),
        lambda: output.write_line('a'),
        lambda: write_bytes(b'a'),
        output.flush,
    ],
)
def test_an_error_says_where(replace, act):
    replace(Full())
    with pytest.raises(OSError) as e:
        act()
    assert e.value.filename == 'standard output'
    assert e.value.errno == errno.ENOSPC


def test_an_error_that_says_where_keeps_it(replace):
    class Named(Plain):
        def write(self, content):
            raise OSError(errno.ENOSPC, 'No space left on device', 'a file')

    replace(Named())
    with pytest.raises(OSError) as e:
        output.write('a')
    assert e.value.filename == 'a file'


def test_a_closed_pipe_stays_what_it_is(replace):
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, 'wb', buffering=0) as out:
        replace(out)
        with pytest.raises(BrokenPipeError):
            write_bytes(b'a')


def test_output_is_looked_up_at_each_call(replace):
    first = replace(Plain())
    output.write('a')
    second = replace(Plain())
    output.write('b')
    assert (first.written, second.written) == (['a'], ['b'])
