"""Blobs as odd registries give them: no length, the wrong bytes, cut, refused for a while."""

import os

import pytest
import requests

import dxf
from dxf import exceptions

from .support.fakeserver import Answer
from .support.plain import sha256

CONTENT = os.urandom(3_000_000)
DIGEST = sha256(CONTENT)
PATH = f'/v2/a/blobs/{DIGEST}'


@pytest.fixture
def client(fake_server, clock):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        yield made


def ranged(request):
    """As a registry answers that can do ranges."""
    wanted = request.headers.get('Range')
    if wanted is None:
        return Answer(200, CONTENT)
    first, _, last = wanted[len('bytes=') :].partition('-')
    end = int(last) + 1 if last else len(CONTENT)
    headers = {'Content-Range': f'bytes {first}-{end - 1}/{len(CONTENT)}'}
    return Answer(206, CONTENT[int(first) : end], headers)


def chunked(request):
    """Without a Content-Length."""
    return Answer(200, iter([CONTENT[:1000], CONTENT[1000:]]))


def head_without_length(server, path=PATH):
    raw = b'HTTP/1.1 200 OK\r\nDocker-Content-Digest: x\r\nConnection: close\r\n\r\n'
    server.on('HEAD', path, lambda request: Answer(raw=raw))


@pytest.mark.parametrize('get', [ranged, chunked, lambda request: Answer(200, CONTENT)],
                         ids=['ranges', 'chunked', 'no-ranges'])  # fmt: skip
def test_a_head_without_a_length(fake_server, client, get):
    head_without_length(fake_server)
    fake_server.on('GET', PATH, get)
    assert client.blob_size(DIGEST) == len(CONTENT)


@pytest.mark.parametrize('refusal', [True, False])
def test_the_size_of_an_empty_blob_without_a_length(fake_server, client, refusal):
    """There is no first byte to ask for."""
    path = '/v2/a/blobs/' + sha256(b'')
    head_without_length(fake_server, path)

    def answer(request):
        if 'Range' in request.headers and refusal:
            return Answer(416, headers={'Content-Range': 'bytes */0'})
        return Answer(200, iter([]))

    fake_server.on('GET', path, answer)
    assert client.blob_size(sha256(b'')) == 0


@pytest.mark.parametrize('length', ['', 'x', '-5', '1.5', '0x10'])
def test_a_length_that_is_no_number(fake_server, client, length):
    raw = f'HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n'
    fake_server.on('HEAD', PATH, lambda request: Answer(raw=raw.encode()))
    fake_server.on('GET', PATH, ranged)
    assert client.blob_size(DIGEST) == len(CONTENT)


def test_a_get_without_a_length(fake_server, client):
    fake_server.on('GET', PATH, chunked)
    assert b''.join(client.pull_blob(DIGEST)) == CONTENT
    fake_server.on('HEAD', PATH, Answer(200, CONTENT))
    chunks, size = client.pull_blob(DIGEST, size=True)
    assert (b''.join(chunks), size) == (CONTENT, len(CONTENT))


@pytest.mark.parametrize(
    'wrong',
    [b'', b'x', CONTENT[:-1], CONTENT + b'x', CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])],
    ids=['empty', 'another', 'shorter', 'longer', 'changed'],
)
@pytest.mark.parametrize('chunk_size', [None, 1000, 10_000_000])
def test_wrong_content(fake_server, client, wrong, chunk_size):
    fake_server.on('GET', PATH, Answer(200, wrong))
    chunks = client.pull_blob(DIGEST, chunk_size=chunk_size)
    got = []
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        got.extend(chunks)
    assert (e.value.got, e.value.expected) == (sha256(wrong), DIGEST)
    assert DIGEST in str(e.value)
    assert sha256(wrong) in str(e.value)
    # At the end: whoever reads as it comes has had it all by then.
    assert len(fake_server.requests) == 1


def test_a_web_page_for_a_blob(fake_server, client):
    fake_server.on('GET', PATH, Answer(200, '<html>', {'Content-Type': 'text/html'}))
    with pytest.raises(exceptions.DXFError):
        b''.join(client.pull_blob(DIGEST))


@pytest.mark.parametrize('kind', ['text/html', 'application/json', 'nonsense', ''])
def test_the_type_of_a_blob_means_nothing(fake_server, client, kind):
    """A page is content like any other, and what it hashes to tells whether it is the blob."""
    page = b'<html>kept in a registry</html>'
    path = '/v2/a/blobs/' + sha256(page)
    fake_server.on('GET', path, lambda request: Answer(200, page, {'Content-Type': kind}))
    assert b''.join(client.pull_blob(sha256(page))) == page
    chunks, size = client.pull_blob(sha256(page), size=True)
    assert (b''.join(chunks), size) == (page, len(page))


def test_a_download_that_was_cut(fake_server, client):
    fake_server.on('GET', PATH, ranged)
    fake_server.on('GET', PATH, [Answer(200, CONTENT, cut_after=1_000_000)])
    assert b''.join(client.pull_blob(DIGEST, chunk_size=7777)) == CONTENT
    ranges = [request.headers.get('Range') for request in fake_server.requests]
    assert ranges[0] is None
    assert ranges[1].startswith('bytes=')
    assert 0 < int(ranges[1][len('bytes=') : -1]) <= 1_000_000
    assert len(ranges) == 2


def test_a_download_that_is_cut_again_and_again(fake_server, client):
    def answer(request):
        full = ranged(request)
        full.cut_after = 700_000
        return full

    fake_server.on('GET', PATH, answer)
    got = b''.join(client.pull_blob(DIGEST))
    assert got == CONTENT


@pytest.mark.parametrize(
    'second',
    [
        Answer(200, CONTENT),
        Answer(206, CONTENT, {'Content-Range': f'bytes 0-2999999/{len(CONTENT)}'}),
        Answer(206, CONTENT[5:], {'Content-Range': f'bytes 5-2999999/{len(CONTENT)}'}),
        Answer(206, CONTENT[1_000_000:], {}),
        Answer(206, CONTENT[1_000_000:], {'Content-Range': 'nonsense'}),
        Answer(416, b''),
    ],
    ids=['whole', 'from-the-start', 'from-elsewhere', 'no-range', 'odd-range', 'refused'],
)
def test_a_registry_that_does_not_continue_where_asked(fake_server, client, second):
    fake_server.on('GET', PATH, Answer(200, CONTENT))
    fake_server.on('GET', PATH, [Answer(200, CONTENT, cut_after=1_000_000), second])
    assert b''.join(client.pull_blob(DIGEST)) == CONTENT


def test_a_download_that_never_ends_well(fake_server, client, clock):
    """Requests' own errors, after a bounded number of attempts."""
    fake_server.on('GET', PATH, lambda request: Answer(200, CONTENT, cut_after=10))
    with pytest.raises(requests.exceptions.RequestException) as e:
        b''.join(client.pull_blob(DIGEST))
    assert not isinstance(e.value, requests.exceptions.HTTPError)
    assert 1 < len(fake_server.requests) < 20
    assert clock.slept


def test_a_blob_that_goes_while_it_is_read(fake_server, client):
    fake_server.on('GET', PATH, [Answer(200, CONTENT, cut_after=1_000_000), Answer(404)])
    with pytest.raises(requests.exceptions.HTTPError) as e:
        b''.join(client.pull_blob(DIGEST))
    assert e.value.response.status_code == 404


# For a moment


@pytest.mark.parametrize('status', [500, 502, 503, 504, 429])
def test_a_bad_moment(fake_server, client, clock, status):
    fake_server.on('GET', PATH, [Answer(status), Answer(status), Answer(200, CONTENT)])
    assert b''.join(client.pull_blob(DIGEST)) == CONTENT
    assert len(clock.slept) == 2


@pytest.mark.parametrize('status', [429, 503])
def test_retry_after(fake_server, client, clock, status):
    fake_server.on(
        'HEAD', PATH, [Answer(status, headers={'Retry-After': '17'}), Answer(200, CONTENT)]
    )
    assert client.blob_size(DIGEST) == len(CONTENT)
    assert sum(clock.slept) >= 17


def test_a_nonsensical_retry_after(fake_server, client):
    fake_server.on(
        'HEAD', PATH, [Answer(503, headers={'Retry-After': 'soon'}), Answer(200, CONTENT)]
    )
    assert client.blob_size(DIGEST) == len(CONTENT)


@pytest.mark.parametrize('status', [500, 503])
def test_a_moment_that_does_not_end(fake_server, client, clock, status):
    error = {'errors': [{'code': 'UNKNOWN', 'message': 'down for good'}]}
    fake_server.on('HEAD', PATH, lambda request: Answer(status, error))
    fake_server.on('GET', PATH, lambda request: Answer(status, error))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.pull_blob(DIGEST)
    assert e.value.response.status_code == status
    assert 'down for good' in str(e.value)
    assert 1 < len(fake_server.requests) < 20
    with pytest.raises(requests.exceptions.HTTPError):
        client.blob_size(DIGEST)


def test_a_connection_that_is_hung_up(fake_server, client):
    fake_server.on('HEAD', PATH, [Answer(hang_up=True), Answer(200, CONTENT)])
    assert client.blob_size(DIGEST) == len(CONTENT)


def test_hung_up_for_good(fake_server, client):
    fake_server.on('HEAD', PATH, lambda request: Answer(hang_up=True))
    with pytest.raises(requests.exceptions.ConnectionError):
        client.blob_size(DIGEST)
    assert len(fake_server.requests) < 20


def test_what_speaks_no_http(fake_server, client):
    fake_server.on('HEAD', PATH, lambda request: Answer(raw=b'SSH-2.0-OpenSSH\r\n'))
    with pytest.raises(requests.exceptions.ConnectionError):
        client.blob_size(DIGEST)


def test_nobody_there():
    with pytest.raises(requests.exceptions.ConnectionError):
        dxf.DXF('localhost:1', 'a', insecure=True).blob_size(DIGEST)


def test_silence(fake_server):
    fake_server.on('HEAD', PATH, lambda request: Answer(delay=5))
    client = dxf.DXF(fake_server.host, 'a', insecure=True, timeout=0.05)
    with pytest.raises(requests.exceptions.Timeout):
        client.blob_size(DIGEST)
