"""`dxf pull-blob -o FILE` as a process: killed, interrupted, without room, and beside another."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from .support.commandline import COMMAND_SECONDS, environment, run_cli
from .support.complaints import complaint, said
from .support.delayproxy import DelayProxy
from .support.fakeserver import Answer
from .support.faultproxy import FaultProxy
from .support.faults import Schedule
from .support.plain import PlainClient, sha256
from .support.shell import Result
from .support.waiting import wait_until

MIB = 1024 * 1024
SIZE = 24 * MIB

# What dxf has read and not written yet is less than this.
UNWRITTEN = 5 * MIB

BEFORE = b'what was there before'


def content(seed, size=SIZE):
    """None of it is like any other of it."""
    return random.Random(seed).getrandbits(8 * size).to_bytes(size, 'big')


A, B = content(1), content(2)
SMALL = content(3, 1000)


@pytest.fixture(scope='session')
def stored(registry_http):
    """The name of a repository that has these blobs."""
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as client:
        for blob in (A, B, SMALL, b''):
            client.push_blob(blob)
        client.push_alias('latest', A, SMALL)
    return repo


@pytest.fixture
def proxy(registry_http):
    with FaultProxy(registry_http.host) as made:
        yield made
        assert made.errors == []


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / 'folder'
    made.mkdir()
    return made


def arguments(path, repo, *wanted):
    """Of a command for contents, or aliases."""
    digests = [one if isinstance(one, str) else sha256(one) for one in wanted]
    return ['pull-blob', '-o', str(path), repo, *digests]


def at(host, **environ):
    return {'DXF_HOST': host, 'DXF_INSECURE': '1', 'DXF_PROGRESS': '0', **environ}


def pull(host, *args, environ=(), **kwargs):
    done = run_cli(*arguments(*args), environ=at(host, **dict(environ)), **kwargs)
    return Result(done.returncode, done.stdout, done.stderr)


@contextmanager
def pulling(host, *args, **kwargs):
    """The command, at work; it is killed in the end."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'dxf', *arguments(*args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(at(host)),
        **kwargs,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def result(process):
    out, err = process.communicate(timeout=COMMAND_SECONDS)
    return Result(process.returncode, out, err)


def parts(folder):
    return sorted(path for path in folder.iterdir() if '.part' in path.name)


def saved(folder):
    """How much has come, in bytes."""
    return sum(path.stat().st_size for path in parts(folder))


def wait_for(folder, size):
    wait_until(lambda: saved(folder) >= size, f'{size} bytes in {folder}', COMMAND_SECONDS)


def asked(proxy):
    """For which blobs, and for which ranges of them."""
    return [
        (one.request.rpartition('/')[2], one.range)
        for one in proxy.log
        if one.request.startswith('GET')
    ]


def get(blob, first=None):
    return (sha256(blob), first and f'bytes={first}-')


def test_a_dash_is_standard_output(registry_http, stored, folder):
    done = pull(registry_http.host, '-', stored, SMALL, '@latest', cwd=folder)
    assert done == (0, SMALL + A + SMALL, b'')
    assert list(folder.iterdir()) == []


def stop(proxy, folder, schedule, size, *args, number=signal.SIGKILL):
    """Have nothing move any more at some point, and end the command when it is there."""
    proxy.play(Schedule.parse(schedule))
    with pulling(proxy.host, *args) as process:
        wait_until(lambda: proxy.schedule.played, schedule, COMMAND_SECONDS)
        wait_for(folder, size)
        process.send_signal(number)
        ended = result(process)
    proxy.play()
    return ended


OK = Result(0, b'', b'')


# Killed


@pytest.mark.parametrize('before', [None, BEFORE])
@pytest.mark.parametrize('fraction', [0.25, 0.5, 0.98])
def test_killed(proxy, stored, folder, fraction, before):
    path = folder / 'file'
    if before:
        path.write_bytes(before)
    least = int(SIZE * fraction) - UNWRITTEN
    ended = stop(proxy, folder, f'stall down body={fraction}', least, path, stored, A)
    assert ended == Result(-signal.SIGKILL, b'', b'')
    assert (path.read_bytes() if before else path.exists()) == (before or False)
    there = saved(folder)
    assert there <= SIZE * fraction
    assert pull(proxy.host, path, stored, A) == OK
    assert asked(proxy) == [get(A, there)]
    assert path.read_bytes() == A
    assert os.listdir(folder) == ['file']


def test_killed_again_and_again(registry_http, stored, folder):
    """While several connections are at it, too."""
    path = folder / 'file'
    with DelayProxy(('127.0.0.1', registry_http.registry.port), 0.01, 4 * MIB) as slow:
        for size in (3 * MIB, 8 * MIB, 14 * MIB):
            with pulling(f'localhost:{slow.port}', path, stored, A) as process:
                wait_for(folder, size)
                process.kill()
                ended = result(process)
            assert ended == Result(-signal.SIGKILL, b'', b'')
            assert not path.exists()
            (part,) = parts(folder)
            assert A.startswith(part.read_bytes())
    assert pull(registry_http.host, path, stored, A) == OK
    assert path.read_bytes() == A
    assert os.listdir(folder) == ['file']


def test_killed_in_the_second_blob(proxy, stored, folder):
    path = folder / 'file'
    least = SIZE + SIZE // 2 - UNWRITTEN
    stop(proxy, folder, 'stall down body=0.5 skip=1', least, path, stored, A, B)
    there = saved(folder)
    assert pull(proxy.host, path, stored, A, B) == OK
    assert asked(proxy) == [get(B, there - SIZE)]
    assert path.read_bytes() == A + B
    assert os.listdir(folder) == ['file']


def test_an_alias_is_gone_on_with(proxy, stored, folder):
    """What counts is what it is for."""
    path = folder / 'file'
    # Its manifest is asked for first.
    stop(
        proxy, folder, 'stall down body=0.5 skip=1', SIZE // 2 - UNWRITTEN, path, stored, '@latest'
    )
    there = saved(folder)
    assert pull(proxy.host, path, stored, A, SMALL) == OK
    assert asked(proxy) == [get(A, there), get(SMALL)]
    assert path.read_bytes() == A + SMALL


def test_other_blobs_do_not_go_on_from_it(proxy, stored, folder):
    path = folder / 'file'
    stop(proxy, folder, 'stall down body=0.5', SIZE // 2 - UNWRITTEN, path, stored, A)
    there = saved(folder)
    assert pull(proxy.host, path, stored, B) == OK
    assert asked(proxy) == [get(B)]
    assert path.read_bytes() == B
    proxy.play()
    assert pull(proxy.host, path, stored, A) == OK
    assert asked(proxy) == [get(A, there)]
    assert path.read_bytes() == A
    assert os.listdir(folder) == ['file']


def test_what_was_spoilt_meanwhile_is_asked_for_anew(proxy, stored, folder):
    path = folder / 'file'
    stop(proxy, folder, 'stall down body=0.5', SIZE // 2 - UNWRITTEN, path, stored, A)
    with open(parts(folder)[0], 'r+b') as file:
        file.write(SMALL)
    assert pull(proxy.host, path, stored, A) == OK
    assert path.read_bytes() == A
    assert os.listdir(folder) == ['file']


def test_progress_of_what_is_gone_on_with(proxy, stored, folder):
    path = folder / 'file'
    stop(proxy, folder, 'stall down body=0.5', SIZE // 2 - UNWRITTEN, path, stored, A)
    ended = pull(proxy.host, path, stored, A, environ={'DXF_PROGRESS': '1'})
    assert (ended.code, ended.out) == (0, b'')
    assert b'100%' in ended.err
    assert f'{SIZE}/{SIZE}'.encode() in ended.err


def test_terminated(proxy, stored, folder):
    path = folder / 'file'
    ended = stop(
        *(proxy, folder, 'stall down body=0.5', SIZE // 2 - UNWRITTEN, path, stored, A),
        number=signal.SIGTERM,
    )
    assert ended == Result(-signal.SIGTERM, b'', b'')
    there = saved(folder)
    assert pull(proxy.host, path, stored, A) == OK
    assert asked(proxy) == [get(A, there)]


@pytest.mark.parametrize('before', [None, BEFORE])
def test_ctrl_c(proxy, stored, folder, before):
    path = folder / 'file'
    if before:
        path.write_bytes(before)
    ended = stop(
        *(proxy, folder, 'stall down body=0.5', SIZE // 2 - UNWRITTEN, path, stored, A),
        number=signal.SIGINT,
    )
    assert ended == Result(130, b'', b'')
    assert (path.read_bytes() if before else path.exists()) == (before or False)
    there = saved(folder)
    assert pull(proxy.host, path, stored, A) == OK
    assert asked(proxy) == [get(A, there)]
    assert path.read_bytes() == A


def test_a_connection_that_is_cut(proxy, stored, folder):
    """It is mended at once."""
    path = folder / 'file'
    proxy.play(Schedule.parse('cut down rst body=0.5'))
    assert pull(proxy.host, path, stored, A) == OK
    assert len(proxy.log) == 2
    assert path.read_bytes() == A


def test_a_connection_that_is_not_mended(proxy, stored, folder):
    path = folder / 'file'
    proxy.play(Schedule.parse('cut down fin body=0.5'))
    complaint(pull(proxy.host, path, stored, A, environ={'DXF_RETRIES': '0'}))
    assert not path.exists()
    there = saved(folder)
    assert there
    proxy.play()
    assert pull(proxy.host, path, stored, A) == OK
    assert asked(proxy) == [get(A, there)]
    assert path.read_bytes() == A


# Wrong


@pytest.mark.parametrize('before', [None, BEFORE])
@pytest.mark.parametrize('wanted', [[A], [B, A]], ids=['the first', 'the second'])
def test_a_wrong_digest(proxy, stored, folder, before, wanted):
    path = folder / 'file'
    if before:
        path.write_bytes(before)
    proxy.play(Schedule.parse(f'flip down body=0.5 bit=3 skip={len(wanted) - 1}'))
    ended = pull(proxy.host, path, stored, *wanted)
    assert ended.code == 1
    assert sha256(A) in complaint(ended)
    assert os.listdir(folder) == (['file'] if before else [])
    assert not before or path.read_bytes() == before


# No room


def assert_no_room(ended, path, words):
    assert ended.code == 1
    assert said(ended) == f'{path}: {words}'


@pytest.mark.parametrize('before', [None, BEFORE])
@pytest.mark.parametrize('room', [0, 100, 5 * MIB + 1])
def test_a_file_that_may_not_be_so_large(registry_http, stored, folder, before, room):
    path = folder / 'file'
    if before:
        path.write_bytes(before)
    ended = pull(
        *(registry_http.host, path, stored, A),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert_no_room(ended, path, 'File too large')
    assert (path.read_bytes() if before else path.exists()) == (before or False)
    assert saved(folder) <= room
    # It goes on when there is room.
    assert pull(registry_http.host, path, stored, A) == OK
    assert path.read_bytes() == A


@pytest.fixture
def small_disk(tmp_path):
    made = tmp_path / 'disk'
    made.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', str(made)]
    try:
        subprocess.run(mount, check=True, stderr=subprocess.PIPE)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('nothing can be mounted here')
    yield made
    subprocess.run(['umount', str(made)], check=True)


def test_a_disk_that_is_full(proxy, stored, small_disk):
    path = small_disk / 'file'
    path.write_bytes(BEFORE)
    assert_no_room(pull(proxy.host, path, stored, A), path, 'No space left on device')
    assert path.read_bytes() == BEFORE
    there = saved(small_disk)
    assert there
    subprocess.run(['mount', '-o', 'remount,size=64m', str(small_disk)], check=True)
    proxy.play()
    assert pull(proxy.host, path, stored, A) == OK
    assert asked(proxy) == [get(A, there)]
    assert path.read_bytes() == A


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no full disk here')
@pytest.mark.parametrize('blob', [A, SMALL], ids=['large', 'small'])
def test_a_device_that_is_full(registry_http, stored, blob):
    ended = pull(registry_http.host, '/dev/full', stored, blob)
    assert_no_room(ended, '/dev/full', 'No space left on device')


# What FILE is


@pytest.mark.parametrize('wanted', [[A], [b''], [b'', SMALL]], ids=['large', 'empty', 'two'])
def test_a_file(registry_http, stored, folder, wanted):
    path = folder / 'file'
    path.write_bytes(BEFORE)
    path.chmod(0o640)
    assert pull(registry_http.host, path, stored, *wanted) == OK
    assert path.read_bytes() == b''.join(wanted)
    assert path.stat().st_mode & 0o7777 == 0o640
    assert os.listdir(folder) == ['file']


def test_a_link(registry_http, stored, folder):
    (folder / 'target').write_bytes(BEFORE)
    (folder / 'link').symlink_to('target')
    assert pull(registry_http.host, folder / 'link', stored, SMALL) == OK
    assert os.readlink(folder / 'link') == 'target'
    assert (folder / 'target').read_bytes() == SMALL
    assert sorted(os.listdir(folder)) == ['link', 'target']


@pytest.mark.skipif(not os.path.exists('/dev/stdout'), reason='there are no such names here')
def test_standard_output(registry_http, stored):
    assert pull(registry_http.host, '/dev/stdout', stored, SMALL, A) == Result(0, SMALL + A, b'')


def test_a_pipe(registry_http, stored, folder):
    path = folder / 'pipe'
    os.mkfifo(path)
    with pulling(registry_http.host, path, stored, A) as process:
        with open(path, 'rb') as file:
            assert file.read() == A
        assert result(process) == OK
    assert os.listdir(folder) == ['pipe']


def test_a_pipe_that_nobody_reads_any_more(registry_http, stored, folder):
    path = folder / 'pipe'
    os.mkfifo(path)
    with pulling(registry_http.host, path, stored, A) as process:
        with open(path, 'rb') as file:
            file.read(1)
        assert result(process) == Result(141, b'', b'')


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('missing/file', 'No such file or directory'),
        ('there/file', 'Not a directory'),
        ('.', 'Is a directory'),
        ('missing/', 'Is a directory'),
        ('', 'No such file or directory'),
        ('x' * 256, 'File name too long'),
        ('/proc/file', 'No such file or directory'),
    ],
)
def test_a_file_that_can_not_be(registry_http, stored, folder, name, words):
    (folder / 'there').write_bytes(BEFORE)
    ended = pull(
        *(registry_http.host, name, stored, A),
        cwd=folder,
        environ={'PYTHONPATH': os.getcwd()},
    )
    assert ended.code == 1
    assert said(ended) == (f'{name}: {words}' if name else words)
    assert os.listdir(folder) == ['there']


# Two at once


class Gate:
    """Answers for a blob that wait until the gate is opened."""

    def __init__(self, server, blob):
        self.opened = threading.Event()
        self.blob = blob
        server.on('GET', '/v2/a/blobs/.*', self.answer)
        server.on('HEAD', '/v2/a/blobs/.*', Answer(body=blob))

    def answer(self, request):
        self.opened.wait(COMMAND_SECONDS)
        return Answer(body=self.blob)


@pytest.fixture
def gate(fake_server):
    made = Gate(fake_server, A)
    yield made
    made.opened.set()


def wait_for_both(folder, server):
    wait_until(lambda: len(parts(folder)) == len(server.seen('GET')) == 2, 'both', COMMAND_SECONDS)


def test_two_at_once(fake_server, gate, folder):
    path = folder / 'file'
    args = (fake_server.host, path, 'a', A)
    with pulling(*args) as first, pulling(*args) as second:
        wait_for_both(folder, fake_server)
        gate.opened.set()
        assert [result(first), result(second)] == [OK, OK]
    assert path.read_bytes() == A
    assert os.listdir(folder) == ['file']


def test_two_at_once_are_killed(fake_server, gate, folder):
    """What they leave does not stay for ever."""
    path = folder / 'file'
    args = (fake_server.host, path, 'a', A)
    with pulling(*args), pulling(*args):
        wait_for_both(folder, fake_server)
    assert len(parts(folder)) == 2
    gate.opened.set()
    assert pull(*args) == OK
    assert path.read_bytes() == A
    assert os.listdir(folder) == ['file']
