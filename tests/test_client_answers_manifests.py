"""Manifests as odd registries give them: headers missing or wrong, and what is none at all."""

import hashlib
import json

import pytest
import requests

import dxf
from dxf import exceptions

from .support.client import OCI_MANIFEST, Image, index, oci_manifest
from .support.fakeserver import Answer
from .support.plain import SCHEMA2, schema2, sha256

TEXT = schema2(b'config', b'one', b'two')
DIGEST = sha256(TEXT.encode())
LAYERS = [sha256(b'one'), sha256(b'two')]
LATEST = '/v2/a/manifests/latest'
ANY = '/v2/a/manifests/.*'

READS = {
    'get_manifest': lambda client, ref: client.get_manifest(ref),
    'get_alias': lambda client, ref: client.get_alias(ref),
    'get_alias-sizes': lambda client, ref: client.get_alias(ref, sizes=True),
    'get_digest': lambda client, ref: client.get_digest(ref),
    'del_alias': lambda client, ref: client.del_alias(ref),
}


@pytest.fixture
def client(fake_server, clock):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        yield made


def serve(server, text=TEXT, **headers):
    headers = {name.replace('_', '-'): value for name, value in headers.items()}
    server.on('GET', ANY, lambda request: Answer(200, text, headers))
    server.on('HEAD', ANY, lambda request: Answer(200, text, headers))
    server.on('DELETE', ANY, lambda request: Answer(202))


@pytest.fixture(params=READS)
def read(request, client):
    return lambda reference: READS[request.param](client, reference)


# Docker-Content-Digest


def test_without_a_digest(fake_server, client):
    serve(fake_server)
    assert client.get_manifest('latest') == TEXT
    assert client.get_alias('latest') == LAYERS
    digest, response = client.head_manifest_and_response('latest')
    assert digest == DIGEST
    assert response.status_code == 200
    assert client.del_alias('latest') == LAYERS
    (deleted,) = fake_server.seen('DELETE')
    assert deleted.path == '/v2/a/manifests/' + DIGEST


def test_head_of_a_digest_without_a_digest(fake_server, client):
    serve(fake_server)
    assert client.head_manifest_and_response(DIGEST)[0] == DIGEST


def test_with_the_right_digest(fake_server, read):
    serve(fake_server, Docker_Content_Digest=DIGEST)
    read('latest')
    read(DIGEST)


def test_a_digest_of_another_algorithm(fake_server, client):
    digest = 'sha512:' + hashlib.sha512(TEXT.encode()).hexdigest()
    serve(fake_server, Docker_Content_Digest=digest)
    assert client.get_manifest('latest') == TEXT
    wrong = 'sha512:' + hashlib.sha512(b'x').hexdigest()
    serve(fake_server, Docker_Content_Digest=wrong)
    with pytest.raises(exceptions.DXFDigestMismatchError):
        client.get_manifest('latest')


WRONG = [sha256(b'something else'), 'sha256:abc', 'nonsense', 'md5:900150983cd24fb0', ':', 'x:y']


@pytest.mark.parametrize('wrong', WRONG)
def test_a_wrong_digest(fake_server, read, wrong):
    serve(fake_server, Docker_Content_Digest=wrong)
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        read('latest')
    assert e.value.expected == wrong
    assert fake_server.seen('DELETE') == []


def test_what_was_asked_for_by_digest(fake_server, read):
    """Whatever the headers say, it must hash to that."""
    other = schema2(b'config', b'not this')
    for headers in ({}, {'Docker_Content_Digest': sha256(other.encode())}):
        serve(fake_server, other, **headers)
        with pytest.raises(exceptions.DXFDigestMismatchError) as e:
            read(DIGEST)
        assert e.value.got == sha256(other.encode())
        assert e.value.expected == DIGEST
    assert fake_server.seen('DELETE') == []


@pytest.mark.parametrize('platform', [None, 'linux/amd64'])
def test_a_child_with_the_wrong_content(fake_server, client, platform):
    image = Image('linux/amd64')
    serve(fake_server, oci_manifest(b'config', b'not this'))
    fake_server.on('GET', LATEST, lambda request: Answer(200, index(image.entry())))
    for name in ('get_alias', 'get_digest', 'get_manifest'):
        with pytest.raises(exceptions.DXFDigestMismatchError):
            getattr(client, name)('latest', platform=platform)


# Content-Type and mediaType


@pytest.mark.parametrize(
    'content_type',
    [
        '',
        '/',
        'text/plain',
        'text/html; charset=utf-8',
        'application/json',
        'application/octet-stream',
        'a/b; charset=utf-8',
        OCI_MANIFEST,
    ],
)
@pytest.mark.parametrize('make', [schema2, oci_manifest])
def test_an_odd_content_type_is_no_reason(fake_server, client, content_type, make):
    text = make(b'config', b'one')
    serve(fake_server, text, Content_Type=content_type)
    assert client.get_manifest('latest') == text
    assert client.get_alias('latest') == [sha256(b'one')]
    assert client.get_digest('latest') == sha256(b'config')
    assert client.del_alias('latest') == [sha256(b'one')]


@pytest.mark.parametrize('content_type', ['', 'application/json', OCI_MANIFEST + '; charset=x'])
def test_without_a_type_the_shape_tells(fake_server, client, content_type):
    text = oci_manifest(b'config', b'one', media_type=None)
    serve(fake_server, text, Content_Type=content_type)
    assert client.get_alias('latest') == [sha256(b'one')]
    text = index(media_type=None)
    serve(fake_server, text, Content_Type=content_type.replace(OCI_MANIFEST, ''))
    assert client.get_alias('latest') == {}


@pytest.mark.parametrize('read_it', ['get_manifest', 'get_alias', 'get_digest', 'del_alias'])
def test_an_unknown_type(fake_server, client, read_it):
    """The manifest's own type decides, whatever the header says."""
    kind = 'application/vnd.example.thing+json'
    text = json.dumps({**json.loads(TEXT), 'mediaType': kind})
    serve(fake_server, text, Content_Type=SCHEMA2)
    with pytest.raises(exceptions.DXFUnsupportedSchemaType) as e:
        getattr(client, read_it)('latest')
    assert kind in str(e.value)
    assert fake_server.seen('DELETE') == []


def test_an_unknown_type_held_already(client):
    text = json.dumps({**json.loads(TEXT), 'mediaType': 'application/x'})
    for call in (client.get_alias, client.get_digest):
        with pytest.raises(exceptions.DXFUnsupportedSchemaType):
            call(manifest=text)


def test_an_index_in_an_index(fake_server, client):
    """It has nothing in it, and so has what lists it."""
    inner = index()
    outer = index(
        {
            'mediaType': 'application/vnd.oci.image.index.v1+json',
            'digest': sha256(inner.encode()),
            'size': len(inner),
            'platform': {'os': 'linux', 'architecture': 'amd64'},
        }
    )
    serve(fake_server, inner)
    fake_server.on('GET', LATEST, lambda request: Answer(200, outer))
    for name in ('get_alias', 'get_digest', 'get_manifest'):
        assert getattr(client, name)('latest') == {}


# What is no registry


@pytest.mark.parametrize(
    ('body', 'content_type'),
    [('', 'text/plain'), (b'\xff\xfe', 'application/octet-stream'), ('[]', 'application/json')],
)
def test_an_answer_that_is_no_manifest(fake_server, read, body, content_type):
    serve(fake_server, body, Content_Type=content_type)
    with pytest.raises(exceptions.DXFError) as e:
        read('latest')
    assert 'latest' in str(e.value)
    assert fake_server.seen('DELETE') == []


@pytest.mark.parametrize('content_type', ['text/html', 'text/html; charset=utf-8', 'Text/HTML'])
def test_a_page_for_a_manifest(fake_server, read, content_type):
    serve(fake_server, '<html>Please log in</html>', Content_Type=content_type)
    with pytest.raises(exceptions.DXFNotARegistryError) as e:
        read('latest')
    assert fake_server.url + LATEST in str(e.value)
    assert '\n' not in str(e.value)
    assert fake_server.seen('DELETE') == []


def test_a_page_for_the_digest_of_a_manifest(fake_server, client):
    serve(fake_server, '<html>', Content_Type='text/html')
    with pytest.raises(exceptions.DXFNotARegistryError):
        client.head_manifest_and_response('latest')


def test_a_page_where_a_manifest_was_put(fake_server, client):
    """Nothing was stored: that must not seem to have worked."""
    page = Answer(200, '<html>', {'Content-Type': 'text/html'})
    fake_server.on('PUT', ANY, lambda request: page)
    with pytest.raises(exceptions.DXFNotARegistryError) as e:
        client.set_manifest('latest', TEXT)
    assert fake_server.url + LATEST in str(e.value)


def test_an_endless_manifest(fake_server, client):
    """It is not read into memory until there is none left."""
    sent = []

    def endless():
        while True:
            sent.append(1)
            yield b' ' * 1_000_000

    fake_server.on('GET', LATEST, lambda request: Answer(200, endless()))
    with pytest.raises(exceptions.DXFError):
        client.get_manifest('latest')
    assert len(sent) < 1000


def test_a_manifest_that_was_cut(fake_server, client):
    serve(fake_server)
    fake_server.on('GET', LATEST, [Answer(200, TEXT, cut_after=20)])
    assert client.get_manifest('latest') == TEXT


def test_a_manifest_that_is_always_cut(fake_server, client):
    fake_server.on('GET', LATEST, lambda request: Answer(200, TEXT, cut_after=20))
    with pytest.raises(requests.exceptions.RequestException):
        client.get_manifest('latest')
    assert len(fake_server.requests) < 20
