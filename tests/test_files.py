"""Blobs into a file: whole and right, or not there; and gone on with after an interruption."""

import os
import re
import stat
import sys
import threading
from types import SimpleNamespace

import pytest
from requests.exceptions import HTTPError, RequestException

import dxf
import dxf.parts as parts_module
from dxf.exceptions import DXFDigestMismatchError

from .support.fakeserver import Answer
from .support.plain import sha256

A = bytes(range(256)) * 4096  # 1 MiB
B = bytes(reversed(range(256))) * 2048
SMALL = b'not a block'


class Blobs:
    """Answers for blobs. What it is to do badly, it is told in a list, request by request.

    :param ranges: whether it knows ranges
    """

    def __init__(self, server, *contents, ranges=True):
        self.contents = {sha256(content): content for content in contents}
        self.ranges = ranges
        self.script = []
        self.asked = []  # for what, and for which range of it
        server.on('GET', '/v2/a/blobs/.*', self.answer)
        server.on('HEAD', '/v2/a/blobs/.*', self.head)

    def head(self, request):
        return Answer(body=self.contents[request.path.rpartition('/')[2]])

    def answer(self, request):
        digest = request.path.rpartition('/')[2]
        wanted = request.headers.get('Range')
        content = self.contents[digest]
        self.asked.append((content, wanted))
        act = self.script.pop(0) if self.script else None
        if isinstance(act, Answer):
            return act
        made = Answer(body=content)
        if wanted and self.ranges:
            first = int(re.fullmatch(r'bytes=(\d+)-', wanted).group(1))
            made = Answer(
                206,
                content[first:],
                {'Content-Range': f'bytes {first}-{len(content) - 1}/{len(content)}'},
            )
        return act(made) if act else made


def cut(after):
    def act(answer):
        answer.cut_after = after
        return answer

    return act


def spoilt(answer):
    answer.body = bytes([answer.body[0] ^ 1]) + answer.body[1:]
    return answer


def unsized(answer):
    """The same without a length: in chunks."""
    answer.body = iter([answer.body[:1000], answer.body[1000:]])
    return answer


@pytest.fixture
def blobs(fake_server):
    return Blobs(fake_server, A, B, SMALL, b'')


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'file'


@pytest.fixture
def save(fake_server):
    """Saves contents by their digests; a connection that is cut is not mended."""

    def save(path, *contents, progress=None):
        client = dxf.DXF(fake_server.host, 'a', insecure=True, retries=0)
        client.save_blobs(str(path), [sha256(content) for content in contents], progress)

    return save


def parts(folder):
    """What is beside the files of a folder, by name."""
    return {p.name: p for p in folder.iterdir() if re.search(r'\.part(\.\d+)?$', p.name)}


def part(folder):
    (found,) = parts(folder).values()
    return found


def leave(save, blobs, path, *contents, after=500_000):
    """Have a part of the first blob left beside a file."""
    blobs.script.append(cut(after))
    with pytest.raises(RequestException):
        save(path, *contents)
    del blobs.asked[:]


# Where nothing goes wrong


@pytest.mark.parametrize(
    'contents',
    [[A], [SMALL], [b''], [A, B], [A, b'', SMALL], [b'', b''], [A, A], []],
    ids=['large', 'small', 'empty', 'two', 'three', 'twice nothing', 'twice', 'none'],
)
def test_what_is_saved(blobs, save, path, contents):
    save(path, *contents)
    assert path.read_bytes() == b''.join(contents)
    assert os.listdir(path.parent) == ['file']
    assert blobs.asked == [(content, None) for content in contents]


def test_an_iterable_of_digests(fake_server, blobs, path):
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    client.save_blobs(str(path), iter([sha256(A), sha256(B)]))
    assert path.read_bytes() == A + B


def test_a_shorter_file_takes_the_place_of_a_longer_one(blobs, save, path):
    path.write_bytes(A * 2)
    save(path, SMALL)
    assert path.read_bytes() == SMALL


def test_a_relative_name(blobs, save, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    save('file', A)
    assert path.read_bytes() == A


def test_a_blob_whose_size_is_not_said(blobs, save, path):
    blobs.script.append(unsized)
    save(path, A)
    assert path.read_bytes() == A


def test_a_blob_that_is_not_there(fake_server, blobs, save, path):
    blobs.script.append(Answer(404))
    with pytest.raises(HTTPError):
        save(path, A)
    assert os.listdir(path.parent) == []


# Going on


@pytest.mark.parametrize('after', [1, 8191, 8192, 500_000, len(A) - 1])
@pytest.mark.parametrize('before', [None, b'what was there before'])
def test_what_is_missing_is_asked_for(blobs, save, path, after, before):
    if before:
        path.write_bytes(before)
    leave(save, blobs, path, A, after=after)
    assert (path.read_bytes() if before else path.exists()) == (before or False)
    assert part(path.parent).stat().st_size == after
    save(path, A)
    assert blobs.asked == [(A, f'bytes={after}-')]
    assert path.read_bytes() == A
    assert os.listdir(path.parent) == ['file']


def test_nothing_that_came_leaves_nothing(blobs, save, path):
    leave(save, blobs, path, A, after=0)
    assert os.listdir(path.parent) == []


def test_a_cut_in_the_second_blob(blobs, save, path):
    blobs.script.extend([None, cut(1000)])
    with pytest.raises(RequestException):
        save(path, A, B, SMALL)
    assert part(path.parent).read_bytes() == A + B[:1000]
    del blobs.asked[:]
    save(path, A, B, SMALL)
    assert blobs.asked == [(B, 'bytes=1000-'), (SMALL, None)]
    assert path.read_bytes() == A + B + SMALL


def test_one_cut_after_another(blobs, save, path):
    leave(save, blobs, path, A, after=1000)
    leave(save, blobs, path, A, after=2000)
    save(path, A)
    assert blobs.asked == [(A, 'bytes=3000-')]
    assert path.read_bytes() == A


def test_all_of_it_is_there(blobs, save, path, monkeypatch):
    """It ended just before the file was to be moved into place."""
    with monkeypatch.context() as patch:
        patch.setattr(os, 'replace', stop)
        with pytest.raises(KeyboardInterrupt):
            save(path, A, B)
    assert not path.exists()
    del blobs.asked[:]
    save(path, A, B)
    assert blobs.asked == []
    assert path.read_bytes() == A + B


def stop(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize('others', [[B], [A, B], [B, A], [A, A]])
def test_other_blobs_have_a_part_of_their_own(blobs, save, path, others):
    leave(save, blobs, path, A)
    save(path, *others)
    assert blobs.asked == [(content, None) for content in others]
    assert path.read_bytes() == b''.join(others)
    # It is still good for what it is of.
    assert part(path.parent).read_bytes() == A[:500_000]


def test_another_file_has_a_part_of_its_own(blobs, save, path):
    leave(save, blobs, path, A)
    save(path.parent / 'other', A)
    assert blobs.asked == [(A, None)]
    assert not path.exists()


@pytest.mark.parametrize('size', [500_000, len(A), len(A) + 1000])
def test_a_part_that_is_something_else(blobs, save, path, size):
    leave(save, blobs, path, A)
    part(path.parent).write_bytes((SMALL * 200_000)[:size])
    save(path, A)
    assert path.read_bytes() == A
    assert blobs.asked[-1] == (A, None)


def test_a_part_that_is_too_long(blobs, save, path):
    leave(save, blobs, path, A)
    part(path.parent).write_bytes(A + SMALL)
    save(path, A)
    assert path.read_bytes() == A


def test_a_registry_without_ranges(fake_server, save, path):
    blobs = Blobs(fake_server, A, ranges=False)
    leave(save, blobs, path, A)
    save(path, A)
    assert blobs.asked == [(A, 'bytes=500000-')]
    assert path.read_bytes() == A


# What is wrong


@pytest.mark.parametrize('before', [None, b'what was there before'])
@pytest.mark.parametrize('good', [[], [B]], ids=['the first', 'the second'])
def test_a_wrong_digest(blobs, save, path, before, good):
    if before:
        path.write_bytes(before)
    blobs.script.extend([*(None for _ in good), spoilt])
    with pytest.raises(DXFDigestMismatchError):
        save(path, *good, A)
    assert os.listdir(path.parent) == (['file'] if before else [])
    if before:
        assert path.read_bytes() == before


def test_a_wrong_digest_where_it_was_gone_on_with(blobs, save, path):
    leave(save, blobs, path, A)
    blobs.script.extend([spoilt, spoilt])
    with pytest.raises(DXFDigestMismatchError):
        save(path, A)
    assert blobs.asked == [(A, 'bytes=500000-'), (A, None)]
    assert os.listdir(path.parent) == []


def test_a_wrong_rest_is_asked_for_once_more(blobs, save, path):
    leave(save, blobs, path, A)
    blobs.script.append(spoilt)
    save(path, A)
    assert path.read_bytes() == A


# Progress


class Progress:
    """Looks at the calls: a blob begins with an empty piece, and its pieces are all of it."""

    def __init__(self):
        self.calls = []

    def __call__(self, digest, piece, size):
        assert type(piece) is bytes
        self.calls.append((digest, piece, size))

    def check(self, *contents):
        rest = self.calls
        for content in contents:
            assert rest.pop(0) == (sha256(content), b'', len(content))
            seen = b''
            while len(seen) < len(content):
                digest, piece, size = rest.pop(0)
                assert (digest, size) == (sha256(content), len(content))
                assert piece
                seen += piece
            assert seen == content
        assert rest == []


@pytest.mark.parametrize('contents', [[A], [A, B], [b''], [A, b'', SMALL]])
def test_progress(blobs, save, path, contents):
    progress = Progress()
    save(path, *contents, progress=progress)
    progress.check(*contents)


def test_progress_of_what_is_gone_on_with(blobs, save, path):
    blobs.script.extend([None, cut(1000)])
    with pytest.raises(RequestException):
        save(path, A, B, SMALL)
    progress = Progress()
    save(path, A, B, SMALL, progress=progress)
    progress.check(A, B, SMALL)


def test_progress_of_a_part_that_is_something_else(blobs, save, path):
    leave(save, blobs, path, A)
    part(path.parent).write_bytes(SMALL * 200_000)
    progress = Progress()
    save(path, A, progress=progress)
    progress.check(A)


def test_progress_begins_anew_where_the_part_was_wrong(blobs, save, path):
    leave(save, blobs, path, A)
    part(path.parent).write_bytes(SMALL)
    progress = Progress()
    save(path, A, progress=progress)
    begins = [n for n, call in enumerate(progress.calls) if not call[1]]
    assert begins[0] == 0
    progress.calls = progress.calls[begins[1] :]
    progress.check(A)


def test_progress_that_fails(blobs, save, path):
    def fail(digest, piece, size):
        if piece:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(path, A, progress=fail)
    assert not path.exists()
    save(path, A)
    assert path.read_bytes() == A


# What the file is


@pytest.mark.parametrize('there', [True, False], ids=['', 'dangling'])
@pytest.mark.parametrize('relative', [True, False])
def test_a_link_stays_one(blobs, save, path, tmp_path, there, relative):
    (tmp_path / 'elsewhere').mkdir()
    target = tmp_path / 'elsewhere' / 'target'
    if there:
        target.write_bytes(b'what was there before')
    path.symlink_to('elsewhere/target' if relative else target)
    save(path, A)
    assert path.is_symlink()
    assert target.read_bytes() == A
    assert os.listdir(tmp_path / 'elsewhere') == ['target']


def test_a_link_to_itself(blobs, save, path):
    path.symlink_to(path)
    with pytest.raises(OSError) as e:
        save(path, A)
    assert e.value.filename == str(path)
    assert path.is_symlink()
    assert blobs.asked == []


def test_a_pipe(blobs, save, path):
    """It is written to as it comes, however little that is."""
    seen = threading.Event()
    waited = []

    def when_the_first_was_seen(answer):
        waited.append(seen.wait(30))
        return answer

    blobs.script.extend([None, when_the_first_was_seen])
    os.mkfifo(path)
    thread = threading.Thread(target=save, args=(path, SMALL, A))
    thread.start()
    try:
        with open(path, 'rb') as file:
            assert file.read(len(SMALL)) == SMALL
            seen.set()
            assert file.read() == A
    finally:
        seen.set()
        thread.join()
    assert waited == [True]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert os.listdir(path.parent) == ['file']


@pytest.mark.skipif(not os.path.exists('/dev/fd'), reason='there are no such names here')
def test_a_pipe_that_has_no_name(blobs, save):
    read, write = os.pipe()
    with open(read, 'rb') as file:
        with open(write, 'wb'):
            save(f'/dev/fd/{write}', SMALL, SMALL)
        assert file.read() == SMALL * 2


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no full disk here')
def test_a_device_that_is_full(blobs, save):
    with pytest.raises(OSError, match='No space left on device') as e:
        save('/dev/full', A)
    assert e.value.filename == '/dev/full'
    assert stat.S_ISCHR(os.stat('/dev/full').st_mode)


@pytest.mark.parametrize(
    ('name', 'error'),
    [
        ('.', IsADirectoryError),
        ('missing/file', FileNotFoundError),
        ('missing/', IsADirectoryError),
        ('there/file', NotADirectoryError),
        ('', FileNotFoundError),
        ('x' * 256, OSError),
    ],
)
def test_a_file_that_can_not_be(blobs, save, tmp_path, monkeypatch, name, error):
    """It is named as it was given, and the registry is not asked for anything."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'there').write_bytes(b'a file')
    with pytest.raises(error) as e:
        save(name, A)
    assert (e.value.filename, e.value.filename2) == (name, None)
    assert blobs.asked == []
    assert os.listdir(tmp_path) == ['there']


def test_a_file_that_becomes_a_folder_meanwhile(blobs, save, path):
    def act(answer):
        path.mkdir()
        return answer

    blobs.script.append(act)
    with pytest.raises(OSError) as e:
        save(path, A)
    assert (e.value.filename, e.value.filename2) == (str(path), None)


def test_where_the_file_is_named_by_a_path(fake_server, blobs, path):
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    client.save_blobs(path, [sha256(A)])
    assert path.read_bytes() == A


# The mode


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize('wanted', [0o600, 0o640, 0o666, 0o755, 0o444])
@pytest.mark.parametrize('again', [False, True], ids=['', 'gone on with'])
def test_the_mode_is_kept(umask, blobs, save, path, wanted, again):
    path.write_bytes(b'')
    path.chmod(wanted)
    if again:
        leave(save, blobs, path, A)
    save(path, A)
    assert mode(path) == wanted


def test_a_new_file_is_as_others_are(umask, blobs, save, path):
    save(path, A)
    assert mode(path) == 0o644


def test_what_was_to_run_as_its_owner_does_not_any_more(umask, blobs, save, path):
    """As when somebody else writes to such a file."""
    path.write_bytes(b'')
    path.chmod(0o4755)
    save(path, A)
    assert mode(path) == 0o755


@pytest.mark.parametrize(('wanted', 'beside'), [(0o600, 0o600), (0o444, 0o644)])
def test_the_part_of_a_private_file_is_private(umask, blobs, save, path, wanted, beside):
    path.write_bytes(b'')
    path.chmod(wanted)
    leave(save, blobs, path, A)
    # Whoever began it may go on with it.
    assert mode(part(path.parent)) == beside


def test_where_there_are_no_modes(blobs, save, path, monkeypatch):
    monkeypatch.delattr(os, 'fchmod')
    path.write_bytes(b'')
    save(path, A)
    assert path.read_bytes() == A


# Long names

LONG = [
    'x' * 255,
    'ä' * 127 + 'x',
    'x' + 'ä' * 127,
    '€' * 85,
    b'\xff'.decode(sys.getfilesystemencoding(), 'surrogateescape') * 255,
]


@pytest.mark.parametrize('name', LONG, ids=['ascii', 'ä', 'xä', '€', 'no utf-8'])
def test_a_long_name(blobs, save, tmp_path, name):
    path = tmp_path / name
    leave(save, blobs, path, A)
    save(path, A)
    assert blobs.asked == [(A, 'bytes=500000-')]
    assert path.read_bytes() == A
    assert os.listdir(tmp_path) == [name]


def test_long_names_that_begin_alike(blobs, save, tmp_path):
    leave(save, blobs, tmp_path / ('x' * 254 + '1'), A)
    save(tmp_path / ('x' * 254 + '2'), A)
    assert blobs.asked == [(A, None)]


def test_names_and_blobs_are_not_mixed_up(blobs, save, tmp_path):
    """Not even those that nobody gives to files."""
    leave(save, blobs, tmp_path / f'file\n{sha256(B)}', A)
    save(tmp_path / 'file', B, A)
    assert blobs.asked == [(B, None), (A, None)]


# What others put where the part should be


def link(planted, tmp_path):
    (tmp_path / 'victim').write_bytes(b'of somebody')
    planted.symlink_to(tmp_path / 'victim')


def dangling_link(planted, tmp_path):
    planted.symlink_to(tmp_path / 'victim')


def hard_link(planted, tmp_path):
    (tmp_path / 'victim').write_bytes(b'of somebody')
    os.link(tmp_path / 'victim', planted)


def pipe(planted, tmp_path):
    os.mkfifo(planted)


def folder(planted, tmp_path):
    planted.mkdir()


@pytest.mark.parametrize('plant', [link, dangling_link, hard_link, pipe, folder])
@pytest.mark.parametrize('known', [A, SMALL], ids=['large', 'small'])
def test_a_trap_is_stepped_over(blobs, save, path, tmp_path, plant, known):
    (tmp_path / 'in').mkdir()
    path = tmp_path / 'in' / 'file'
    planted = name_of_part(blobs, save, path, known)
    plant(planted, tmp_path)
    save(path, known)
    assert path.read_bytes() == known
    assert not path.is_symlink()
    assert sorted(os.listdir(path.parent)) == sorted(['file', planted.name])
    if (tmp_path / 'victim').exists():
        assert (tmp_path / 'victim').read_bytes() == b'of somebody'
    assert plant in (link, hard_link) or not (tmp_path / 'victim').exists()


def name_of_part(blobs, save, path, *contents):
    leave(save, blobs, path, *contents, after=1)
    found = part(path.parent)
    found.unlink()
    return found


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() != 0, reason='takes root')
def test_what_is_of_somebody_else_is_left_alone(blobs, save, path):
    """Who still has it open could change it when it has been checked."""
    leave(save, blobs, path, A)
    planted = part(path.parent)
    os.chown(planted, 65534, 65534)
    save(path, A)
    assert blobs.asked == [(A, None)]
    assert path.stat().st_uid == 0
    assert planted.read_bytes() == A[:500_000]


def test_where_files_are_of_somebody_else_from_the_start(blobs, save, path, monkeypatch):
    """As on what other machines share: what nobody will take up is not left."""
    monkeypatch.setattr(os, 'geteuid', lambda: 12345, raising=False)
    leave(save, blobs, path, A)
    assert os.listdir(path.parent) == []
    save(path, A)
    assert path.read_bytes() == A
    assert os.listdir(path.parent) == ['file']


# Another process at work


class AtWork:
    """As another process would, it has begun to save, and waits in the middle of it."""

    def __init__(self, save, path, *contents):
        self._reached = threading.Event()
        self._go_on = threading.Event()
        self.error = None
        self._thread = threading.Thread(target=self._run, args=(save, path, contents))
        self._thread.start()
        assert self._reached.wait(30)

    def _run(self, save, path, contents):
        def wait(digest, piece, size):
            if piece:
                self._reached.set()
                assert self._go_on.wait(30)

        try:
            save(path, *contents, progress=wait)
        except BaseException as error:
            self.error = error

    def end(self):
        self._go_on.set()
        self._thread.join()


@pytest.fixture
def at_work(save, path):
    made = []

    def begin(*contents):
        made.append(AtWork(save, path, *contents))
        return made[-1]

    yield begin
    for one in made:
        one.end()


@pytest.mark.parametrize('first', [0, 1])
def test_two_at_once(blobs, at_work, path, first):
    both = [at_work(A, B), at_work(A, B)]
    ending = sorted(parts(path.parent))
    assert len(ending) == 2
    assert ending[1] == ending[0] + '.1'
    both[first].end()
    assert path.read_bytes() == A + B
    both[1 - first].end()
    assert path.read_bytes() == A + B
    assert [one.error for one in both] == [None, None]
    assert os.listdir(path.parent) == ['file']


def test_three_at_once(blobs, at_work, path):
    several = [at_work(A) for _ in range(3)]
    assert sorted(name.rpartition('.')[2] for name in parts(path.parent)) == ['1', '2', 'part']
    for one in several:
        one.end()
    assert os.listdir(path.parent) == ['file']
    assert path.read_bytes() == A


def test_what_the_second_leaves_is_used_again(blobs, save, at_work, path):
    first = at_work(A)
    leave(save, blobs, path, A)
    assert len(parts(path.parent)) == 2
    save(path, A)
    assert blobs.asked == [(A, 'bytes=500000-')]
    assert path.read_bytes() == A
    assert len(parts(path.parent)) == 1
    first.end()
    assert first.error is None
    assert os.listdir(path.parent) == ['file']


def test_what_others_left_goes_when_all_is_there(blobs, save, at_work, path):
    first = at_work(A)
    leave(save, blobs, path, A)
    first.end()
    assert os.listdir(path.parent) == ['file']


def test_what_others_have_open_stays(blobs, save, at_work, path):
    first, second = at_work(A), at_work(A)
    first.end()
    (left,) = parts(path.parent)
    assert left.endswith('.part.1')
    second.end()
    assert second.error is None
    assert os.listdir(path.parent) == ['file']


def test_a_name_that_comes_free_meanwhile(blobs, save, path, monkeypatch):
    """Somebody else moved into place what was opened, before it was locked."""
    fcntl = pytest.importorskip('fcntl')
    lock = fcntl.flock
    leave(save, blobs, path, A)
    found = part(path.parent)

    def late(*args):
        monkeypatch.setattr(fcntl, 'flock', lock)
        found.rename(path)
        lock(*args)

    monkeypatch.setattr(fcntl, 'flock', late)
    save(path, A)
    assert blobs.asked == [(A, None)]
    assert path.read_bytes() == A
    assert os.listdir(path.parent) == ['file']


def test_where_nothing_can_be_locked(blobs, save, path, monkeypatch):
    """Then nobody can tell whether a part is another's: each makes one of its own."""
    fcntl = pytest.importorskip('fcntl')

    def refuse(*_):
        raise OSError(95, 'Operation not supported')

    leave(save, blobs, path, A)
    left = part(path.parent)
    monkeypatch.setattr(fcntl, 'flock', refuse)
    leave(save, blobs, path, A)
    # What nobody will take up is not left.
    assert part(path.parent) == left
    save(path, A)
    assert blobs.asked == [(A, None)]
    assert path.read_bytes() == A
    assert left.read_bytes() == A[:500_000]


def test_where_nothing_that_is_open_can_be_moved(blobs, save, path, monkeypatch):
    """As on Windows, where modes and locks are others, too."""
    opened = []
    made = parts_module.Part.__init__

    def record(self, file, *args):
        opened.append(file)
        made(self, file, *args)

    replace = os.replace

    def refuse_open(source, target):
        assert opened[-1].closed
        replace(source, target)

    windows = SimpleNamespace(platform='win32', getfilesystemencoding=sys.getfilesystemencoding)
    monkeypatch.setattr(parts_module, 'sys', windows)
    monkeypatch.setattr(parts_module.Part, '__init__', record)
    monkeypatch.setattr(os, 'replace', refuse_open)
    leave(save, blobs, path, A)
    save(path, A)
    assert blobs.asked == [(A, 'bytes=500000-')]
    assert path.read_bytes() == A
    assert os.listdir(path.parent) == ['file']


# A power cut


def test_the_content_is_on_the_disk_before_the_name(blobs, save, path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(number):
        done.append(('fsync', os.fstat(number).st_size))
        fsync(number)

    def record_replace(source, target):
        done.append(('replace', os.stat(source).st_size))
        replace(source, target)

    monkeypatch.setattr(os, 'fsync', record_fsync)
    monkeypatch.setattr(os, 'replace', record_replace)
    save(path, A, SMALL)
    size = len(A + SMALL)
    assert done == [('fsync', size), ('replace', size)]


def test_a_disk_that_fails_at_last(blobs, save, path, monkeypatch):
    """As those of other machines do, which say so when they are asked whether they have it."""

    def fail(number):
        raise OSError(28, 'No space left on device')

    path.write_bytes(b'what was there before')
    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='No space left') as e:
        save(path, A)
    assert e.value.filename == str(path)
    assert path.read_bytes() == b'what was there before'
