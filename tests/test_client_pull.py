"""Reading blobs, their sizes, and having those of another repository."""

import os
import subprocess
import sys

import pytest
import requests

from dxf import exceptions

from .support.client import client_for, methods, record_sent
from .support.plain import PlainClient, sha256

MIB = 1024 * 1024


@pytest.fixture
def client(registry, repo):
    with client_for(registry, repo) as made:
        yield made


@pytest.mark.parametrize('size', [0, 1, 8191, 8192, 8193, 100_000])
@pytest.mark.parametrize('chunk_size', [None, 1, 1000, 8192, 99_999, 100_000, 10 * MIB])
def test_chunks_are_exact(registry_http, size, chunk_size):
    content = os.urandom(size)
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as plain, client_for(registry_http, repo) as client:
        digest = plain.push_blob(content)
        if chunk_size == 1:
            content, digest = content[:50], plain.push_blob(content[:50])
        chunks = list(client.pull_blob(digest, chunk_size=chunk_size))
    wanted = chunk_size or 8192
    assert all(isinstance(chunk, bytes) for chunk in chunks)
    assert all(len(chunk) == wanted for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= wanted for chunk in chunks[-1:])
    assert b''.join(chunks) == content


def test_large_blobs(client):
    content = os.urandom(9 * MIB + 5)
    digest = client.push_blob(data=content)
    assert digest == sha256(content)
    chunks, size = client.pull_blob(digest, True, 3 * MIB)
    lengths, got = [], b''
    for chunk in chunks:
        lengths.append(len(chunk))
        got += chunk
    assert size == len(content)
    assert lengths == [3 * MIB, 3 * MIB, 3 * MIB, 5]
    assert got == content


@pytest.mark.parametrize('content', [b'', b'some content'])
def test_with_size(client, plain, content):
    digest = plain.push_blob(content)
    chunks, size = client.pull_blob(digest, size=True)
    assert size == len(content)
    assert b''.join(chunks) == content


def test_a_missing_blob_raises_at_the_call(client, plain):
    plain.push_blob(b'so that the repository is there')
    for options in ({}, {'size': True}):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.pull_blob(sha256(b'missing'), **options)
        assert e.value.response.status_code == 404
        assert 'BLOB_UNKNOWN' in str(e.value)


def test_sizes(client, plain):
    for content in (b'', b'x', b'x' * 100_000):
        size = client.blob_size(plain.push_blob(content))
        assert size == len(content)
        assert type(size) is int


def test_the_size_of_a_missing_blob(client):
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.blob_size(sha256(b'missing'))
    assert e.value.response.status_code == 404


def test_requests_of_reading(registry_http, monkeypatch):
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as plain, client_for(registry_http, repo) as client:
        digest = plain.push_blob(b'content')
        sent = record_sent(monkeypatch)
        chunks = client.pull_blob(digest)
        assert methods(sent) == ['GET']
        assert b''.join(chunks) == b'content'
        assert methods(sent) == ['GET']
        client.blob_size(digest)
        assert methods(sent) == ['GET', 'HEAD']
        b''.join(client.pull_blob(digest, size=True)[0])
        assert methods(sent) == ['GET', 'HEAD', 'GET']


def test_an_unfinished_pull_does_no_harm(client, plain):
    digest = plain.push_blob(b'x' * MIB)
    first = client.pull_blob(digest)
    assert len(next(iter(first))) == 8192
    second = client.pull_blob(digest)
    assert sum(map(len, second)) == MIB
    del first
    assert client.blob_size(digest) == MIB


def test_pulls_may_be_read_in_turn(client, plain):
    contents = [os.urandom(50_000) for _ in range(3)]
    pulls = [client.pull_blob(plain.push_blob(content)) for content in contents]
    got = [b''] * 3
    for chunks in zip(*pulls):
        got = [before + chunk for before, chunk in zip(got, chunks)]
    assert got == contents


def test_a_blob_of_another_algorithm(client, plain):
    """A content that can't be checked is not handed out."""
    with pytest.raises(exceptions.DXFUnexpectedDigestMethodError) as e:
        client.pull_blob('md5:d41d8cd98f00b204e9800998ecf8427e')
    assert e.value.got == 'md5'


def test_mount(registry, repo, client, plain):
    digest = plain.push_blob(b'theirs')
    ours = registry.new_repo()
    with client_for(registry, ours) as other, PlainClient(registry, ours) as beside:
        assert not beside.has_blob(digest)
        assert other.mount_blob(repo, digest) == digest
        assert beside.get_blob(digest).content == b'theirs'


@pytest.mark.parametrize('why', ['no such blob', 'no such repository'])
def test_a_mount_that_is_refused(registry_http, monkeypatch, why):
    theirs, ours = registry_http.new_repo(), registry_http.new_repo()
    digest = sha256(b'missing')
    with PlainClient(registry_http, theirs) as plain, client_for(registry_http, ours) as client:
        if why == 'no such blob':
            plain.push_blob(b'another')
        sent = record_sent(monkeypatch)
        with pytest.raises(exceptions.DXFMountFailed):
            client.mount_blob(theirs, digest)
    # The upload that the registry opened instead is gone: nothing is left to append to.
    assert methods(sent) == ['POST', 'DELETE']
    uploads = registry_http.registry.root / f'docker/registry/v2/repositories/{ours}/_uploads'
    assert list(uploads.rglob('data')) == []


def test_a_mount_from_where_one_may_not_read(registry_token):
    """A failure stays what it is, and is no refusal to mount."""
    theirs, ours = registry_token.new_repo(), registry_token.new_repo()
    access = [{'type': 'repository', 'name': ours, 'actions': ['pull', 'push']}]
    with PlainClient(registry_token, theirs) as plain:
        digest = plain.push_blob(b'theirs')
    with client_for(registry_token, ours) as client:
        client._auth = None
        client.token = registry_token.token_service.sign(access)
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.mount_blob(theirs, digest)


@pytest.mark.parametrize('chunk_size', [0, -1])
def test_chunks_of_nothing(registry_http, chunk_size):
    with client_for(registry_http, registry_http.new_repo('pull')) as client:
        digest = client.push_blob(data=b'x')
        with pytest.raises(ValueError, match='chunk_size'):
            client.pull_blob(digest, chunk_size=chunk_size)


PULLING = """
import sys
import threading
import requests

def peak():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM:'))

before = peak()
import dxf
host, repo, *wanted = sys.argv[1:]
with dxf.DXF(host, repo, insecure=True) as client:
    for number, (_, chunks) in enumerate(client.pull_blobs(wanted)):
        for chunk in chunks:
            if not number:
                threading.Event().wait(1)  # until as much has come as may wait
                break
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='nobody says how much it is')
def test_many_large_blobs_in_little_memory(registry_http):
    """Whoever is slow to take them has few of their bytes wait; the command has its own beside."""
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as plain:
        names = [plain.push_blob(bytes([i]) * (4 << 20)) for i in range(16)]
    done = subprocess.run(
        [sys.executable, '-c', PULLING, registry_http.host, repo, *names],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(done.stdout) < 15 << 10  # in KiB, more than requests takes
