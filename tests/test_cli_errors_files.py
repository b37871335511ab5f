"""Files that can't be read, a full disk, a closed pipe."""

import contextlib
import os
import subprocess
import sys

import pytest

from .support.commandline import COMMAND_SECONDS, environment
from .support.complaints import complaint, run_main, said
from .support.plain import sha256
from .support.shell import Result, run_process

# More than a pipe holds.
LARGE = bytes(range(64)) * 65536
DIGEST = sha256(LARGE)


@pytest.fixture
def registry(registry_http):
    return registry_http


def fake(server):
    return {'DXF_HOST': server.host, 'DXF_INSECURE': '1'}


READ_FILES = [
    ['push-blob', 'a/b', '{}'],
    ['push-blob', 'a/b', '{}', '@latest'],
    ['set-alias', 'a/b', 'latest', '{}'],
]


@pytest.mark.parametrize('args', READ_FILES)
def test_a_file_that_is_missing(fake_server, tmp_path, args):
    path = str(tmp_path / 'missing')
    text = complaint(run_process(*(a.format(path) for a in args), environ=fake(fake_server)))
    assert path in text
    assert 'No such file or directory' in text
    assert fake_server.requests == []


@pytest.mark.parametrize('args', READ_FILES)
def test_a_folder(fake_server, tmp_path, args):
    path = str(tmp_path)
    text = complaint(run_process(*(a.format(path) for a in args), environ=fake(fake_server)))
    assert path in text
    assert 'Is a directory' in text
    assert fake_server.requests == []


@contextlib.contextmanager
def an_ordinary_user():
    """Root reads everything; nobody else does."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize('args', READ_FILES)
def test_a_file_that_is_unreadable(fake_server, tmp_path, args):
    path = tmp_path / 'secret'
    path.write_bytes(b'secret')
    path.chmod(0)
    # Modules are loaded when they are first needed, and root's may be out of reach then.
    run_main('list-repos', environ=fake(fake_server))
    fake_server.clear()
    with an_ordinary_user():
        result = run_main(*(a.format(path) for a in args), environ=fake(fake_server))
    text = complaint(result)
    assert str(path) in text
    assert 'Permission denied' in text
    assert fake_server.requests == []


def test_a_bundle_that_is_unreadable(fake_tls_server, tmp_path):
    path = tmp_path / 'bundle.pem'
    path.touch(0)
    environ = {'DXF_HOST': fake_tls_server.host, 'DXF_TLSVERIFY': str(path)}
    run_main('list-repos', environ=environ)
    with an_ordinary_user():
        result = run_main('list-repos', environ=environ)
    assert str(path) in complaint(result)
    assert fake_tls_server.requests == []


@pytest.mark.skipif(not os.path.exists('/proc/self/mem'), reason='there is no such file here')
@pytest.mark.parametrize('args', READ_FILES)
def test_a_file_that_fails_while_it_is_read(fake_server, args):
    """Its first page is never there."""
    args = [arg.format('/proc/self/mem') for arg in args]
    text = complaint(run_process(*args, environ=fake(fake_server)))
    assert '/proc/self/mem' in text
    assert fake_server.seen('PUT') == fake_server.seen('POST') == []


def test_nothing_is_pushed_where_the_alias_can_not_be(registry, repo, plain, tmp_path):
    (tmp_path / 'file').write_bytes(b'x')
    result = run_process('push-blob', repo, tmp_path / 'file', '@-', environ=registry.environ())
    complaint(result)
    assert not plain.has_blob(sha256(b'x'))


def test_no_alias_for_blobs_that_are_not_there(registry, repo, plain):
    plain.push_blob(b'x')
    result = run_process(
        'set-alias', repo, 'latest', sha256(b'x'), DIGEST, environ=registry.environ()
    )
    assert result.code == 2
    assert 'Not Found' in said(result)
    assert plain.get_manifest('latest').status_code == 404


# stdout.

FULL = '/dev/full'


@pytest.fixture
def stored(plain):
    plain.push_alias('latest', LARGE)
    return plain


@pytest.mark.skipif(not os.path.exists(FULL), reason='there is no full disk here')
@pytest.mark.parametrize('unbuffered', [{}, {'PYTHONUNBUFFERED': '1'}], ids=['', 'unbuffered'])
@pytest.mark.parametrize(
    'args',
    [
        ['pull-blob', '{repo}', DIGEST],
        ['blob-size', '{repo}', DIGEST],
        ['get-alias', '{repo}', 'latest'],
        ['get-manifest', '{repo}', 'latest'],
        ['set-alias', '{repo}', 'other', DIGEST],
        ['list-aliases', '{repo}'],
        ['list-repos'],
    ],
    ids=' '.join,
)
def test_a_full_disk(registry, repo, stored, args, unbuffered):
    args = [arg.format(repo=repo) for arg in args]
    with open(FULL, 'wb') as full:
        done = subprocess.run(
            [sys.executable, '-m', 'dxf', *args],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(registry.environ(**unbuffered)),
            timeout=COMMAND_SECONDS,
        )
    text = complaint(Result(done.returncode, b'', done.stderr))
    assert 'No space left on device' in text
    assert 'standard output' in text


@pytest.mark.skipif(not os.path.exists(FULL), reason='there is no full disk here')
@pytest.mark.parametrize('args', [['--help'], ['push-blob', '--help'], ['--version']])
def test_help_on_a_full_disk(args):
    with open(FULL, 'wb') as full:
        done = subprocess.run(
            [sys.executable, '-m', 'dxf', *args],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment({}),
            timeout=COMMAND_SECONDS,
        )
    assert 'No space left on device' in complaint(Result(done.returncode, b'', done.stderr))


@pytest.mark.parametrize(
    'args',
    [
        ['pull-blob', '{repo}', DIGEST],
        ['get-manifest', '{repo}', 'latest'],
        ['list-aliases', '{repo}'],
        ['get-alias', '{repo}', 'latest'],
        ['blob-size', '{repo}', DIGEST],
        ['--help'],
    ],
    ids=' '.join,
)
def test_a_pipe_that_nobody_reads(registry, repo, stored, args):
    """Quietly, as `yes | head` ends."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, '-m', 'dxf', *(arg.format(repo=repo) for arg in args)],
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment(registry.environ()),
            timeout=COMMAND_SECONDS,
        )
    finally:
        os.close(writing)
    assert done.stderr == b''
    assert done.returncode != 0


def test_a_pipe_that_is_closed_after_a_while(registry, repo, stored):
    for environ in ({}, {'DXF_PROGRESS': '0', 'PYTHONUNBUFFERED': '1'}):
        process = subprocess.Popen(
            [sys.executable, '-m', 'dxf', 'pull-blob', repo, DIGEST],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(registry.environ(**environ)),
        )
        with process:
            assert process.stdout.read(100) == LARGE[:100]
            process.stdout.close()
            assert process.stderr.read() == b''
            assert process.wait(COMMAND_SECONDS) != 0
