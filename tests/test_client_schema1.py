"""Signed schema 1 manifests, as the registry makes them and keeps them."""

import json

import pytest

from dxf import exceptions

from .support.client import SIGNED_SCHEMA1, client_for, record_sent
from .support.plain import PlainClient, sha256
from .support.schema1 import DIGESTS, LAYERS, registry_manifest, signed_part, tamper_signature


@pytest.fixture(scope='module')
def real(registry_schema1):
    return registry_manifest(registry_schema1)


@pytest.fixture
def kept(registry_schema1, real):
    """A repository in which the registry keeps that manifest, as schema 1, under `old`."""
    repo = json.loads(real)['name']
    with PlainClient(registry_schema1, repo) as plain:
        plain.push_manifest('old', real, SIGNED_SCHEMA1)
        yield repo


@pytest.fixture
def client(registry_schema1, kept):
    with client_for(registry_schema1, kept) as made:
        yield made


def layers_of(real):
    return [layer['blobSum'] for layer in json.loads(real)['fsLayers']]


@pytest.mark.parametrize('verify', [True, False])
def test_get_alias(client, real, verify):
    assert layers_of(real) == DIGESTS
    assert client.get_alias('old', verify=verify) == DIGESTS
    assert client.get_alias(manifest=real, verify=verify) == DIGESTS


def test_get_alias_verifies_unless_told_otherwise(client, real):
    tampered = tamper_signature(real)
    with pytest.raises(exceptions.DXFError):
        client.get_alias(manifest=tampered)
    assert client.get_alias(manifest=tampered, verify=False) == DIGESTS


def test_sizes(client):
    """Schema 1 has none in it: they come from the registry."""
    assert client.get_alias('old', sizes=True) == [
        (sha256(layer), len(layer)) for layer in reversed(LAYERS)
    ]


def test_the_manifest_itself(client, real, monkeypatch):
    sent = record_sent(monkeypatch)
    text, response = client.get_manifest_and_response('old')
    assert text == response.text
    # The registry signs it anew each time it gives it.
    assert signed_part(text) == signed_part(real)
    assert signed_part(client.get_manifest('old')) == signed_part(real)
    digest, _ = client.head_manifest_and_response('old')
    # Of the payload without the signatures.
    assert digest == sha256(signed_part(real)) != sha256(real.encode())
    assert signed_part(client.get_manifest(digest)) == signed_part(real)
    assert len(sent) == 4


def test_there_is_no_config(client, real):
    with pytest.raises(exceptions.DXFDigestNotAvailableForSchema1):
        client.get_digest('old')
    with pytest.raises(exceptions.DXFDigestNotAvailableForSchema1):
        client.get_digest(manifest=real)


@pytest.mark.parametrize('platform', ['linux/amd64', 'nonsense'])
def test_platform_has_no_effect(client, real, platform):
    assert client.get_alias('old', platform=platform) == DIGESTS
    text = client.get_manifest('old', platform=platform)
    assert signed_part(text) == signed_part(real)
    with pytest.raises(exceptions.DXFDigestNotAvailableForSchema1):
        client.get_digest('old', platform=platform)


def test_pulling_the_layers(client):
    pulled = [b''.join(client.pull_blob(digest)) for digest in client.get_alias('old')]
    assert pulled == list(reversed(LAYERS))


def test_set_manifest_puts_it_back(registry_schema1, client, kept, real):
    client.set_manifest('again', real)
    with PlainClient(registry_schema1, kept) as plain:
        stored = plain.repo_request('GET', 'manifests/again')
    assert stored.headers['Content-Type'] == SIGNED_SCHEMA1
    assert signed_part(stored.text) == signed_part(real)


def test_del_alias(registry_schema1, real, client, kept):
    assert client.del_alias('old') == DIGESTS
    with PlainClient(registry_schema1, kept) as plain:
        assert plain.repo_request('GET', 'manifests/old').status_code == 404
