"""Ctrl-C in the middle of something: quiet, at once, and nothing is left half done."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from .support.commandline import COMMAND_SECONDS, environment, run_cli
from .support.fakeserver import Answer
from .support.multiarch import INDEX, OCI_MANIFEST, entry, index, oci_manifest
from .support.plain import sha256
from .support.shell import Result

# More than sockets hold.
LARGE = os.urandom(64) * 65536
DIGEST = sha256(LARGE)


class Stalling:
    """Answers that go on for ever, so that a command is in the middle of it."""

    def __init__(self):
        self.reached = threading.Event()
        self.over = threading.Event()

    def drip(self):
        while not self.over.is_set():
            yield b' '
            self.reached.set()
            self.over.wait(0.05)

    def answer(self, request):
        return Answer(body=self.drip())

    def swallow(self, request):
        self.reached.set()
        self.over.wait(COMMAND_SECONDS)
        return Answer(201)


@pytest.fixture
def stalling():
    made = Stalling()
    yield made
    made.over.set()


def heed():
    """Heed interrupts, which the tests' own parent may have chosen to ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted(stalling, server, *args, **environ):
    """Run a command, and press Ctrl-C when it is in the middle of it."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'dxf', *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({'DXF_HOST': server.host, 'DXF_INSECURE': '1', **environ}),
        preexec_fn=heed,
    )
    try:
        assert stalling.reached.wait(COMMAND_SECONDS)
        process.send_signal(signal.SIGINT)
        # The server goes on for longer than that.
        out, err = process.communicate(timeout=COMMAND_SECONDS / 2)
    finally:
        process.kill()
        process.wait()
    return Result(process.returncode, out, err)


def assert_quiet(result):
    assert (result.code, result.err) == (130, b'')


def test_ctrl_c_while_pulling(fake_server, stalling):
    fake_server.on('GET', '/v2/a/b/blobs/.*', stalling.answer)
    fake_server.on('HEAD', '/v2/a/b/blobs/.*', Answer(headers={'Content-Length': '100000'}))
    assert_quiet(interrupted(stalling, fake_server, 'pull-blob', 'a/b', DIGEST))


def test_ctrl_c_while_pushing(fake_server, stalling, tmp_path):
    (tmp_path / 'file').write_bytes(LARGE)
    fake_server.on('POST', '/v2/a/b/blobs/uploads/', Answer(202, headers={'Location': '/u'}))
    fake_server.on('PUT', '/u', stalling.swallow, read_body=False)
    result = interrupted(stalling, fake_server, 'push-blob', 'a/b', tmp_path / 'file', '@latest')
    assert_quiet(result)
    assert result.out == b''
    # No alias of what is not there.
    assert fake_server.seen('PUT', '/v2/a/b/manifests/.*') == []


def test_ctrl_c_while_listing(fake_server, stalling):
    first = Answer(body={'tags': ['one']}, headers={'Link': '</more>; rel="next"'})
    fake_server.on('GET', '/v2/a/b/tags/list', first)
    fake_server.on('GET', '/more', stalling.answer)
    result = interrupted(stalling, fake_server, 'list-aliases', 'a/b')
    assert_quiet(result)
    assert result.out == b'one\n'


def test_ctrl_c_while_requests_go_side_by_side(fake_server, stalling):
    """Nobody waits for what the other threads are at."""
    platforms = ('linux/amd64', 'linux/arm64', 'linux/s390x')
    text = index(
        INDEX, *(entry(oci_manifest(b'{}', p.encode()), OCI_MANIFEST, p) for p in platforms)
    )
    fake_server.on('GET', '/v2/a/b/manifests/.*', stalling.answer)
    fake_server.on(
        'GET', '/v2/a/b/manifests/latest', Answer(body=text, headers={'Content-Type': INDEX})
    )
    assert_quiet(interrupted(stalling, fake_server, 'get-alias', 'a/b', 'latest'))


def test_ctrl_c_while_waiting_to_try_again(fake_server, stalling):
    def busy(request):
        stalling.reached.set()
        return Answer(503, headers={'Retry-After': '100'})

    fake_server.on('GET', '/v2/_catalog', busy)
    assert_quiet(interrupted(stalling, fake_server, 'list-repos'))


def test_ctrl_c_with_debug_shows_no_traceback(fake_server, stalling):
    """It asked for requests and for tracebacks of errors, and this is none."""
    fake_server.on('GET', '/v2/_catalog', stalling.answer)
    result = interrupted(stalling, fake_server, 'list-repos', DXF_DEBUG='1')
    assert result.code == 130
    assert all(line.startswith(b'GET ') for line in result.err.splitlines())


BETWEEN_LOCKS = """
import sys
import dxf.commands
import dxf.main

def run(typed, environ):
    try:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError('release unlocked lock')
    finally:
        [][0]

dxf.commands.run = run
sys.argv = ['dxf', 'list-aliases', 'a/b']
dxf.main.main()
"""


def test_ctrl_c_in_the_midst_of_a_lock():
    """The standard library fails at that with another error."""
    done = subprocess.run([sys.executable, '-c', BETWEEN_LOCKS], capture_output=True)
    assert_quiet(Result(done.returncode, done.stdout, done.stderr))


# Loaded by Python before anything else; it presses Ctrl-C when a module is about to be.
LOADING = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ['INTERRUPTED']:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
"""


@pytest.mark.parametrize(
    'module', ['dxf.main', 'dxf.parser', 'argparse', 'dxf.settings', 'dxf.words', 'dxf.layout']
)
def test_ctrl_c_while_a_module_is_loaded(module, tmp_path):
    """At the very beginning, and when an error is about to be said."""
    (tmp_path / 'sitecustomize.py').write_text(LOADING)
    done = run_cli(
        'list-repos', environ={'INTERRUPTED': module, 'PYTHONPATH': str(tmp_path)}, preexec_fn=heed
    )
    assert_quiet(Result(done.returncode, done.stdout, done.stderr))


LEFT_UNREAD = """
import sys
import dxf.commands
import dxf.main

class Slow:
    def flush(self):
        raise KeyboardInterrupt

def run(typed, environ):
    sys.stdout = Slow()
    raise OSError(5, 'Input/output error')

dxf.commands.run = run
sys.argv = ['dxf', 'list-aliases', 'a/b']
dxf.main.main()
"""


def test_ctrl_c_while_nobody_reads_what_is_left_after_an_error():
    done = subprocess.run([sys.executable, '-c', LEFT_UNREAD], capture_output=True)
    assert done.returncode == 130
    assert done.stderr == b'dxf: Input/output error\n'
