"""Progress bars: tqdm's, on stderr, only where they are wanted."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

import pytest
import tqdm

from dxf.main import doit

from .support.commandline import environment
from .support.plain import sha256
from .support.shell import run_doit

CONTENT = bytes(range(256)) * 400
SIZE = len(CONTENT)
DIGEST = sha256(CONTENT)
NAME = DIGEST[:8]


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(CONTENT)
    return path


def frames(err):
    """What a terminal would have shown, one after another."""
    return [frame for frame in re.split(r'[\r\n]+', err.decode()) if frame.strip()]


def assert_bar(frames, name, size):
    """One bar from nothing to all."""
    assert all(frame.startswith(name) for frame in frames), frames
    percentages = [int(re.match(r'.*?(\d+)%', frame).group(1)) for frame in frames]
    assert percentages[-1] == 100
    assert f' {size}/{size} ' in frames[-1]
    if size:
        assert percentages[0] == 0
        assert f' 0/{size} ' in frames[0]
    assert percentages == sorted(percentages)
    assert all('100%' in frame or f' {size}/{size} ' not in frame for frame in frames)


def test_push(run, registry, file):
    repo = registry.new_repo()
    environ = registry.environ(DXF_PROGRESS='1')
    code, out, err = run('push-blob', repo, file, environ=environ)
    assert (code, out) == (0, DIGEST.encode() + b'\n')
    assert_bar(frames(err), NAME, SIZE)
    # What is there is not sent, and nothing gets on.
    assert run('push-blob', repo, file, environ=environ) == (0, out, b'')


def test_pull(run, registry, repo, plain):
    plain.push_alias('both', CONTENT, b'two')
    environ = registry.environ(DXF_PROGRESS='1')
    code, out, err = run('pull-blob', repo, '@both', environ=environ)
    assert (code, out) == (0, CONTENT + b'two')
    shown = frames(err)
    first = [frame for frame in shown if frame.startswith(NAME)]
    second = [frame for frame in shown if frame.startswith(sha256(b'two')[:8])]
    assert shown == first + second
    assert_bar(first, NAME, SIZE)
    assert_bar(second, sha256(b'two')[:8], 3)


def test_the_same_blob_twice_is_two_bars(registry, repo, plain):
    plain.push_blob(CONTENT)
    environ = registry.environ(DXF_PROGRESS='1')
    code, out, err = run_doit('pull-blob', repo, DIGEST, DIGEST, environ=environ)
    assert (code, out) == (0, CONTENT * 2)
    shown = frames(err)
    starts = [n for n, frame in enumerate(shown) if ' 0%' in frame]
    assert len(starts) == 2, shown
    assert_bar(shown[: starts[1]], NAME, SIZE)
    assert_bar(shown[starts[1] :], NAME, SIZE)


def test_two_blobs_whose_names_begin_alike_are_two_bars(registry, repo, plain):
    """There are sixteen names only."""
    contents = [b'%d' % n for n in range(1000) if sha256(b'%d' % n)[7] == 'f'][:2]
    plain.push_alias('both', *contents)
    environ = registry.environ(DXF_PROGRESS='1')
    code, out, err = run_doit('pull-blob', repo, '@both', environ=environ)
    assert (code, out) == (0, b''.join(contents))
    assert all(frame.startswith('sha256:f') for frame in frames(err))
    assert len([frame for frame in frames(err) if '100%' in frame]) == 2


def test_an_empty_file(run, registry, tmp_path):
    repo = registry.new_repo()
    (tmp_path / 'empty').write_bytes(b'')
    environ = registry.environ(DXF_PROGRESS='1')
    for command, argument in (('push-blob', tmp_path / 'empty'), ('pull-blob', sha256(b''))):
        code, _, err = run(command, repo, argument, environ=environ)
        assert code == 0
        assert_bar(frames(err), 'sha256:e', 0)


@pytest.mark.parametrize('environ', [{}, {'DXF_PROGRESS': ''}, {'DXF_PROGRESS': '0'}])
def test_none_where_there_is_no_terminal(run, registry, file, environ):
    repo = registry.new_repo()
    environ = registry.environ(**environ)
    assert run('push-blob', repo, file, environ=environ) == (0, DIGEST.encode() + b'\n', b'')
    assert run('pull-blob', repo, DIGEST, environ=environ) == (0, CONTENT, b'')


@pytest.mark.parametrize('command', ['blob-size', 'get-alias', 'list-aliases', 'del-blob'])
def test_other_commands_have_none(registry, repo, plain, command):
    plain.push_alias('latest', CONTENT)
    arguments = {'list-aliases': [], 'get-alias': ['latest']}.get(command, ['@latest'])
    environ = registry.environ(DXF_PROGRESS='1')
    code, _, err = run_doit(command, repo, *arguments, environ=environ)
    assert (code, err) == (0, b'')


def on_a_terminal(*args, environ, columns=80):
    """Run with stderr on a terminal; `(code, stdout, stderr)`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(
        theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24 if columns else 0, columns, 0, 0)
    )
    pieces = []

    def read():
        # At the other end's closing, Linux says EIO.
        try:
            while True:
                pieces.append(os.read(ours, 65536))
                if not pieces[-1]:
                    return
        except OSError:
            pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        done = subprocess.run(
            [sys.executable, '-m', 'dxf', *map(str, args)],
            env=environment(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            timeout=120,
        )
    finally:
        os.close(theirs)
        reader.join(30)
        os.close(ours)
    return done.returncode, done.stdout, b''.join(pieces)


@pytest.mark.parametrize('columns', [80, 200, 0])
def test_shown_on_a_terminal(registry, file, columns):
    """Some terminals, those of containers among them, do not say how wide they are."""
    repo = registry.new_repo()
    for command, argument, output in (
        ('push-blob', file, DIGEST.encode() + b'\n'),
        ('pull-blob', DIGEST, CONTENT),
    ):
        code, out, err = on_a_terminal(
            command, repo, argument, environ=registry.environ(), columns=columns
        )
        assert (code, out) == (0, output)
        assert_bar(frames(err), NAME, SIZE)


def test_several_blobs_on_a_terminal(registry, repo, plain):
    """Each has a bar, and then a line says what they came to."""
    plain.push_alias('both', CONTENT, b'two')
    code, out, err = on_a_terminal('pull-blob', repo, '@both', environ=registry.environ())
    assert (code, out) == (0, CONTENT + b'two')
    *shown, summary = frames(err)
    assert_bar([frame for frame in shown if frame.startswith(NAME)], NAME, SIZE)
    assert summary.startswith(f'2 blobs: {SIZE + 3} bytes [')


@pytest.mark.parametrize('option', ['-q', '--quiet'])
def test_quiet(registry, file, option):
    repo = registry.new_repo()
    environ = registry.environ(DXF_PROGRESS='1')
    for command, args, output in (
        ('push-blob', [file], DIGEST.encode() + b'\n'),
        ('pull-blob', [DIGEST, DIGEST], CONTENT * 2),
    ):
        for words in ([option, repo, *args], [repo, *args, option]):
            assert on_a_terminal(command, *words, environ=environ) == (0, output, b'')


def test_an_alias_after_an_option(registry, repo, plain, file):
    code, _, err = run_doit('push-blob', repo, file, '-q', '@new', environ=registry.environ())
    assert (code, err) == (0, b'')
    assert plain.get_manifest('new')


def test_quiet_files_of_an_artifact(registry, repo, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environ = registry.environ(DXF_PROGRESS='1')
    for args in (
        ('push', repo, '@files', 'file', '-q'),
        ('attach', '-q', '--type', 'a/b', repo, '@files', 'file'),
        ('pull', '-q', '-o', 'out', repo, '@files'),
    ):
        code, out, err = run_doit(*args, environ=environ)
        assert (code, err) == (0, b'')
        assert out


def test_not_shown_on_a_terminal_that_wants_none(registry, file):
    environ = registry.environ(DXF_PROGRESS='0')
    result = on_a_terminal('push-blob', registry.new_repo(), file, environ=environ)
    assert result == (0, DIGEST.encode() + b'\n', b'')


class Bar:
    """All of tqdm that dxf may use."""

    def __init__(self, *args, **kwargs):
        self.kwargs = kwargs
        self.total = kwargs['total']
        self.n = 0
        self.closed = 0
        self.updates = []

    def update(self, n):
        assert not self.closed
        self.updates.append(n)
        self.n += n

    def close(self):
        self.closed += 1


@pytest.mark.parametrize('content', [CONTENT, b''])
@pytest.mark.parametrize('command', ['push-blob', 'pull-blob'])
def test_another_tqdm(registry, repo, plain, tmp_path, monkeypatch, command, content):
    """It is looked up when it is used, and little of it."""
    made = []

    def make(*args, **kwargs):
        made.append(Bar(*args, **kwargs))
        return made[-1]

    digest = sha256(content)
    (tmp_path / 'file').write_bytes(content)
    if command == 'pull-blob':
        plain.push_blob(content)
    monkeypatch.setattr(tqdm, 'tqdm', make)
    argument = tmp_path / 'file' if command == 'push-blob' else digest
    environ = registry.environ(DXF_PROGRESS='1')
    code, _, err = run_doit(command, repo, argument, environ=environ)
    assert (code, err) == (0, b'')
    (bar,) = made
    assert bar.kwargs['desc'] == digest[:8]
    assert bar.n == bar.total == len(content)
    assert bar.closed == 1
    assert 0 not in bar.updates


def test_another_stderr(registry, file, monkeypatch):
    """It is looked up when it is used; one that can't say whether it is a terminal is none."""
    written = []

    class Err:
        def write(self, text):
            written.append(text)

        def flush(self):
            pass

    repo = registry.new_repo()
    monkeypatch.setattr('sys.stderr', Err())
    assert doit(['push-blob', repo, str(file)], registry.environ()) == 0
    assert written == []
    assert doit(['pull-blob', repo, DIGEST], registry.environ(DXF_PROGRESS='1')) == 0
    assert_bar(frames(''.join(written).encode()), NAME, SIZE)


@pytest.mark.parametrize('args', [['--help'], ['pull-blob', '--help'], ['nonsense'], []])
@pytest.mark.parametrize(
    'environ', [{'NO_COLOR': '1'}, {'NO_COLOR': '1', 'TERM': 'xterm-256color'}]
)
def test_no_colour_where_none_is_wanted(args, environ):
    """What a later argparse colours, it colours on a terminal alone, and not with NO_COLOR."""
    _, out, err = on_a_terminal(*args, environ=environ)
    assert out + err
    assert b'\x1b[' not in out + err


def test_no_colour_in_what_dxf_says_itself(registry, repo, plain):
    plain.push_alias('both', CONTENT, b'two')
    for args in (
        ('pull-blob', repo, '@both'),
        ('list-aliases', repo),
        ('get-alias', repo, 'none'),
    ):
        _, out, err = on_a_terminal(*args, environ=registry.environ(TERM='xterm-256color'))
        assert not re.search(rb'\x1b\[[0-9;]*m', out.replace(CONTENT, b'') + err)
