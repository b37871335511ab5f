"""Manifests on the registry: byte for byte what was put there."""

import json

import pytest
import requests

from dxf import exceptions

from .support.client import (
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA2,
    client_for,
    index,
    oci_manifest,
    record_sent,
)
from .support.plain import schema2, sha256


@pytest.fixture
def client(registry, repo):
    with client_for(registry, repo) as made:
        yield made


def odd_text(text):
    """The same manifest with other white space: no longer what dxf would write."""
    return json.dumps(json.loads(text), indent=3) + '\n'


@pytest.mark.parametrize('form', [str, str.encode], ids=['str', 'bytes'])
def test_set_manifest_byte_for_byte(client, plain, form):
    plain.push_blob(b'one')
    text = odd_text(schema2(b'one', b'one'))
    assert client.set_manifest('latest', form(text)) is None
    assert plain.get_manifest('latest').content == text.encode()
    assert client.get_manifest('latest') == text
    assert client.get_manifest_and_response('latest')[0] == text


@pytest.mark.parametrize(
    ('media_type', 'make'),
    [(SCHEMA2, schema2), (OCI_MANIFEST, oci_manifest)],
    ids=['schema2', 'oci'],
)
def test_set_manifest_by_its_own_type(client, plain, media_type, make):
    for content in (b'config', b'one', 'ünïcode'.encode()):
        plain.push_blob(content)
    text = make(b'config', b'one', 'ünïcode'.encode())
    client.set_manifest('latest', text)
    stored = plain.get_manifest('latest')
    assert stored.headers['Content-Type'] == media_type
    assert stored.content == text.encode()
    assert client.get_alias('latest') == [sha256(b'one'), sha256('ünïcode'.encode())]
    assert client.get_digest('latest') == sha256(b'config')


def test_set_manifest_of_an_index(client, plain):
    text = index()
    client.set_manifest('latest', text)
    stored = plain.get_manifest('latest')
    assert stored.headers['Content-Type'] == OCI_INDEX
    assert stored.content == text.encode()


def test_manifests_without_a_type_of_their_own(client, plain):
    for content in (b'config', b'one'):
        plain.push_blob(content)
    text = oci_manifest(b'config', b'one', media_type=None)
    client.set_manifest('by-shape', text)
    assert plain.get_manifest('by-shape').content == text.encode()
    assert client.get_manifest('by-shape') == text
    assert client.get_alias('by-shape', sizes=True) == [(sha256(b'one'), 3)]
    assert client.get_digest('by-shape') == sha256(b'config')
    assert client.get_alias(manifest=text) == [sha256(b'one')]
    assert client.del_alias('by-shape') == [sha256(b'one')]


def test_set_manifest_by_digest(client, plain):
    plain.push_blob(b'one')
    text = schema2(b'one', b'one')
    client.set_manifest(sha256(text.encode()), text)
    assert plain.get_manifest(sha256(text.encode())).text == text


@pytest.mark.parametrize('text', ['', 'no JSON', '[]', '5', 'null', '{"a"'])
def test_set_manifest_of_what_is_none(http_client, monkeypatch, text):
    sent = record_sent(monkeypatch)
    with pytest.raises(exceptions.DXFError):
        http_client.set_manifest('latest', text)
    assert sent == []


def test_a_refused_manifest(client, plain):
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.set_manifest('latest', schema2(b'not there', b'not there'))
    assert e.value.response.status_code == 400
    assert 'MANIFEST_BLOB_UNKNOWN' in str(e.value)


def test_the_response_is_read_to_its_end(client, plain):
    text = plain.push_alias('latest', b'one')
    got, response = client.get_manifest_and_response('latest')
    assert isinstance(response, requests.Response)
    assert got == text == response.text
    assert response.content == text.encode()
    assert response.json() == json.loads(text)
    assert response.headers['Docker-Content-Digest'] == sha256(text.encode())
    # It no longer hangs on its connection.
    client.list_aliases()
    assert response.content == text.encode()


def test_head(client, plain):
    text = plain.push_alias('latest', b'one')
    digest, response = client.head_manifest_and_response('latest')
    assert digest == sha256(text.encode())
    assert isinstance(response, requests.Response)
    assert response.request.method == 'HEAD'
    assert response.headers['Content-Length'] == str(len(text))
    assert client.head_manifest_and_response(digest)[0] == digest


def test_get_manifest_by_digest(client, plain):
    text = plain.push_alias('latest', b'one')
    assert client.get_manifest(sha256(text.encode())) == text


@pytest.mark.parametrize('platform', ['linux/amd64', 'nonsense', ''])
def test_platform_has_no_effect_without_platforms(client, plain, platform):
    text = plain.push_alias('latest', b'one')
    assert client.get_manifest('latest', platform) == text
    assert client.get_manifest('latest', platform=platform) == text
    assert client.get_alias('latest', platform=platform) == [sha256(b'one')]
    assert client.get_alias(manifest=text, platform=platform) == [sha256(b'one')]
    assert client.get_digest('latest', platform=platform) == sha256(b'one')


def test_an_alias_of_nothing(client, plain):
    """A manifest may have no layers at all; its config is none of them."""
    plain.push_blob(b'config')
    text = schema2(b'config')
    plain.push_manifest('latest', text)
    assert client.get_alias('latest') == []
    assert client.get_alias('latest', sizes=True) == []
    assert client.get_digest('latest') == sha256(b'config')
    assert client.del_alias('latest') == []


@pytest.mark.parametrize('reference', ['missing', sha256(b'missing')])
def test_what_is_missing(client, plain, reference):
    plain.push_alias('latest', b'one')
    for call in (
        client.get_manifest,
        client.get_manifest_and_response,
        client.head_manifest_and_response,
        client.get_alias,
        client.get_digest,
        client.del_alias,
    ):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            call(reference)
        assert e.value.response.status_code == 404


def test_neither_alias_nor_manifest(http_client, monkeypatch):
    sent = record_sent(monkeypatch)
    for call in (http_client.get_alias, http_client.get_digest):
        with pytest.raises((TypeError, ValueError, exceptions.DXFError)):
            call()
    assert sent == []
