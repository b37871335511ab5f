"""Pushing blobs: every kind of content, what progress is told, what is sent at all."""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor as side_by_side

import pytest
import requests

from dxf import exceptions

from .support.client import client_for, methods, record_sent
from .support.plain import PlainClient, sha256

MIB = 1024 * 1024


class Unseekable:
    """A file as a pipe or a socket is one."""

    def __init__(self, content):
        self._file = io.BytesIO(content)

    def read(self, count=-1):
        return self._file.read(count)


class Buffered(io.BufferedReader):
    """An io object that says itself that it can't be sought."""

    def seekable(self):
        return False

    def seek(self, *args):
        raise io.UnsupportedOperation('seek')

    def tell(self):
        raise io.UnsupportedOperation('tell')


def real_file(content):
    file = tempfile.TemporaryFile()  # noqa: SIM115  (it goes with the test)
    file.write(content)
    file.seek(0)
    return file


def behind_a_header(content):
    file = real_file(b'header' + content)
    file.seek(6)
    return file


def pieces(content, size=100_003):
    return [content[i : i + size] for i in range(0, len(content), size)]


KINDS = {
    'bytes': lambda content: content,
    'bytearray': bytearray,
    'memoryview': memoryview,
    'str': lambda content: content.decode('utf-8'),
    'list': pieces,
    'tuple': lambda content: tuple(pieces(content)),
    'generator': lambda content: (piece for piece in pieces(content)),
    'iterator': lambda content: iter(pieces(content, 7 * MIB)),
    'with-empty-pieces': lambda content: iter([b'', *pieces(content), b'', b'']),
    'bytearrays': lambda content: (bytearray(piece) for piece in pieces(content)),
    'BytesIO': io.BytesIO,
    'file': real_file,
    'file-from-where-it-stands': behind_a_header,
    'unseekable': Unseekable,
    'says-it-is-unseekable': lambda content: Buffered(io.BytesIO(content)),
}

# One that has all there is of UTF-8 in it, so that it may be a str too.
UNIT = 'aé€😀\n'.encode()

CONTENTS = {
    'empty': b'',
    'small': UNIT,
    # More than goes out in one request of a stream.
    'large': UNIT * (5 * MIB // len(UNIT)),
}


@pytest.mark.parametrize('with_digest', [True, False], ids=['digest', 'no-digest'])
@pytest.mark.parametrize('size', CONTENTS)
@pytest.mark.parametrize('kind', KINDS)
def test_kinds_of_data(registry, repo, plain, kind, size, with_digest):
    content = CONTENTS[size]
    digest = sha256(content)
    with client_for(registry, repo) as client:
        got = client.push_blob(data=KINDS[kind](content), digest=digest if with_digest else None)
    assert got == digest
    stored = plain.get_blob(digest)
    assert stored.status_code == 200
    assert hashlib.sha256(stored.content).digest() == hashlib.sha256(content).digest()


@pytest.fixture
def client(registry_http):
    with client_for(registry_http, registry_http.new_repo()) as made:
        yield made


@pytest.fixture
def beside(registry_http, client):
    """A client for the same repository that is not dxf."""
    with PlainClient(registry_http, client._repo) as made:
        yield made


@pytest.mark.parametrize('extra', [-1, 0, 1])
@pytest.mark.parametrize('chunks', [1, 2])
def test_streams_around_the_size_of_a_chunk(client, beside, chunks, extra):
    content = os.urandom(chunks * 4 * MIB + extra)
    digest = client.push_blob(data=iter([content]))
    assert digest == sha256(content)
    assert beside.get_blob(digest).content == content


def test_a_generator_is_read_as_it_is_sent(client):
    """Content that does not fit into memory can be pushed."""
    seen = []

    def generate():
        for _ in range(12):
            yield b'x' * MIB
            seen.append(len(sent))

    with pytest.MonkeyPatch.context() as patch:
        sent = record_sent(patch)
        client.push_blob(data=generate())
    # By the time it ended, requests had gone out.
    assert seen[-1] > seen[0]


PUSHING = """
import sys
import requests

def peak():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM:'))

before = peak()
import dxf
host, repo = sys.argv[1:]
with dxf.DXF(host, repo, insecure=True) as client:
    client.push_blob(data=(bytes([i]) * 100_000 for i in range(256)))
    client.push_blob(data=(bytes([i]) * 100_000 for i in reversed(range(256))))
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='nobody says how much it is')
def test_a_generator_takes_little_memory(registry_http):
    """A chunk on its way, and the next one: no copies of them."""
    done = subprocess.run(
        [sys.executable, '-c', PUSHING, registry_http.host, registry_http.new_repo()],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(done.stdout) < 16 << 10  # in KiB, more than requests takes


@pytest.mark.parametrize('bad', [5, object(), [1, 2], [b'a', None]])
def test_what_is_no_content_is_refused(client, beside, bad):
    with pytest.raises((TypeError, exceptions.DXFError)):
        client.push_blob(data=bad)
    assert beside.repo_request('GET', 'tags/list').status_code == 404


def test_neither_file_nor_data(client):
    with pytest.raises((TypeError, ValueError, exceptions.DXFError)):
        client.push_blob()


@pytest.mark.parametrize('spelling', [str, lambda path: path, lambda path: str(path).encode()])
def test_files_by_name(client, beside, tmp_path, spelling):
    path = tmp_path / 'content'
    path.write_bytes(b'in a file')
    assert client.push_blob(spelling(path)) == sha256(b'in a file')
    assert beside.get_blob(sha256(b'in a file')).content == b'in a file'


@pytest.mark.parametrize('size', CONTENTS)
@pytest.mark.parametrize('flavour', ['http', 'htpasswd', 'token'])
def test_a_file_and_its_progress(request, tmp_path, flavour, size):
    flavour = request.getfixturevalue(f'registry_{flavour}')
    path = tmp_path / 'content'
    path.write_bytes(CONTENTS[size])
    digest = sha256(CONTENTS[size])
    calls = []
    repo = flavour.new_repo()
    with client_for(flavour, repo) as client, PlainClient(flavour, repo) as beside:
        got = client.push_blob(str(path), lambda *args: calls.append(args))
        assert got == digest
        assert beside.get_blob(digest).content == CONTENTS[size]
    assert calls[0] == (digest, b'', len(CONTENTS[size]))
    assert {(args[0], args[2]) for args in calls} == {(digest, len(CONTENTS[size]))}
    assert b''.join(args[1] for args in calls) == CONTENTS[size]


@pytest.mark.parametrize('size', CONTENTS)
@pytest.mark.parametrize('kind', KINDS)
def test_progress_of_data(client, kind, size):
    content = CONTENTS[size]
    calls = []
    client.push_blob(
        data=KINDS[kind](content),
        digest=sha256(content),
        progress=lambda *args: calls.append(args),
    )
    assert all(len(args) == 2 for args in calls)
    assert {args[0] for args in calls} <= {sha256(content)}
    assert b''.join(args[1] for args in calls) == content


def test_progress_knows_the_digest_of_bytes(client):
    calls = []
    client.push_blob(data=b'abc', progress=lambda *args: calls.append(args))
    assert b''.join(args[1] for args in calls) == b'abc'
    assert {args[0] for args in calls} == {sha256(b'abc')}


def test_progress_knows_the_digest_of_short_streams(client):
    calls = []
    client.push_blob(data=iter([b'a', b'bc']), progress=lambda *args: calls.append(args))
    assert calls == [(sha256(b'abc'), b'abc')]


def test_what_is_there_is_not_sent(client, beside, tmp_path, monkeypatch):
    digest = beside.push_blob(b'there')
    path = tmp_path / 'content'
    path.write_bytes(b'there')
    sent = record_sent(monkeypatch)
    calls = []

    def progress(*args):
        calls.append(args)

    assert client.push_blob(str(path), progress) == digest
    assert client.push_blob(data=b'there', progress=progress) == digest
    assert client.push_blob(data='there', progress=progress) == digest
    assert client.push_blob(data=io.BytesIO(b'there'), progress=progress) == digest
    assert methods(sent) == ['HEAD'] * 4
    assert calls == []


@pytest.mark.parametrize('kind', [list, tuple])
def test_pieces_that_are_there_are_not_sent(client, beside, monkeypatch, kind):
    digest = beside.push_blob(b'there')
    sent = record_sent(monkeypatch)
    calls = []
    got = client.push_blob(data=kind([b'the', b're']), progress=lambda *args: calls.append(args))
    assert got == digest
    assert methods(sent) == ['HEAD']
    assert calls == []


def test_a_generator_whose_blob_is_there_is_not_read(client, beside, monkeypatch):
    digest = beside.push_blob(b'there')
    sent = record_sent(monkeypatch)
    data = iter([b'the', b're'])
    assert client.push_blob(data=data, digest=digest) == digest
    assert methods(sent) == ['HEAD']
    assert next(data) == b'the'


@pytest.mark.parametrize('source', ['file', 'bytes', 'generator'])
def test_without_check_exists_it_is_sent(client, beside, tmp_path, monkeypatch, source):
    digest = beside.push_blob(b'there')
    path = tmp_path / 'content'
    path.write_bytes(b'there')
    sent = record_sent(monkeypatch)
    calls = []
    given = {
        'file': {'filename': str(path)},
        'bytes': {'data': b'there'},
        'generator': {'data': iter([b'there']), 'digest': digest},
    }[source]
    got = client.push_blob(check_exists=False, progress=lambda *args: calls.append(args), **given)
    assert got == digest
    assert methods(sent) == ['POST', 'PUT']
    assert b''.join(args[1] for args in calls) == b'there'


def test_by_position(client, tmp_path):
    path = tmp_path / 'content'
    path.write_bytes(b'positional')
    calls = []
    digest = sha256(b'positional')
    got = client.push_blob(str(path), lambda *args: calls.append(args), None, digest, False)
    assert got == digest
    assert calls


def test_a_digest_that_is_given_is_believed(client, monkeypatch):
    """A file is not hashed for its digest if that is given, and the registry checks it."""
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.push_blob(data=b'one thing', digest=sha256(b'another'))
    assert e.value.response.status_code == 400
    assert isinstance(e.value, exceptions.DXFError)


@pytest.mark.parametrize('wrong', ['file', 'data', 'generator', 'large'])
def test_nothing_is_stored_under_a_wrong_digest(client, beside, tmp_path, wrong):
    path = tmp_path / 'content'
    path.write_bytes(b'one thing')
    given = {
        'file': {'filename': str(path)},
        'data': {'data': b'one thing'},
        'generator': {'data': iter([b'one thing'])},
        'large': {'data': iter([b'one', b'x' * 5 * MIB])},
    }[wrong]
    with pytest.raises(requests.exceptions.HTTPError):
        client.push_blob(digest=sha256(b'another'), **given)
    assert not beside.has_blob(sha256(b'another'))


def test_a_missing_file(client, monkeypatch):
    sent = record_sent(monkeypatch)
    with pytest.raises(FileNotFoundError):
        client.push_blob('/no/such/file')
    assert sent == []


def test_a_folder(client, tmp_path, monkeypatch):
    sent = record_sent(monkeypatch)
    with pytest.raises(OSError):
        client.push_blob(str(tmp_path))
    assert sent == []


@pytest.mark.parametrize('size, is_known', [(1_000_000, True), (5_000_000, False)])
def test_progress_of_a_pipe(client, tmp_path, size, is_known):
    """Its size is known at the end only, and so is its digest, unless it is short."""
    path = tmp_path / 'pipe'
    os.mkfifo(str(path))
    content = b'p' * size
    calls = []
    with side_by_side() as threads:
        writing = threads.submit(path.write_bytes, content)
        got = client.push_blob(str(path), lambda *args: calls.append(args))
        writing.result()
    assert got == sha256(content)
    assert calls[0][1] == b''
    assert {args[::2] for args in calls} == {(sha256(content) if is_known else None, None)}
    assert b''.join(piece for _, piece, _ in calls) == content


@pytest.mark.skipif(not os.path.exists('/proc/version'), reason='there is no such file here')
def test_a_file_that_says_it_is_empty_and_is_not(client, beside):
    with open('/proc/version', 'rb') as file:
        content = file.read()
    assert client.push_blob('/proc/version') == sha256(content)
    assert beside.has_blob(sha256(content))
