"""Deleting, and what the registry's own garbage collection then throws away."""

import pytest
import requests

from .support.client import (
    LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    Image,
    client_for,
    index,
    oci_manifest,
)
from .support.flavours import Flavour
from .support.plain import SCHEMA2, PlainClient, schema2, sha256


@pytest.fixture
def client(registry, repo):
    with client_for(registry, repo) as made:
        yield made


def test_del_blob(client, plain):
    digest = plain.push_blob(b'to be deleted')
    plain.push_blob(b'to stay')
    assert client.del_blob(digest) is None
    assert not plain.has_blob(digest)
    assert plain.has_blob(sha256(b'to stay'))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.del_blob(digest)
    assert e.value.response.status_code == 404


def test_a_deleted_blob_is_pushed_again(client, plain):
    digest = client.push_blob(data=b'again')
    client.del_blob(digest)
    assert client.push_blob(data=b'again') == digest
    assert plain.get_blob(digest).content == b'again'


def test_del_alias(client, plain):
    text = plain.push_alias('latest', b'one', b'two', b'one')
    plain.push_alias('other', b'other')
    assert client.del_alias('latest') == [sha256(b'one'), sha256(b'two'), sha256(b'one')]
    assert plain.get_manifest('latest').status_code == 404
    assert plain.get_manifest(sha256(text.encode())).status_code == 404
    assert client.list_aliases() == ['other']
    # The blobs are somebody else's business.
    assert plain.has_blob(sha256(b'one'))
    assert plain.has_blob(sha256(b'two'))


def test_del_alias_takes_every_alias_of_the_manifest(client, plain):
    text = plain.push_alias('first', b'one')
    plain.push_manifest('second', text)
    assert client.del_alias('first') == [sha256(b'one')]
    assert client.list_aliases() == []


def test_del_alias_by_digest(client, plain):
    text = plain.push_alias('latest', b'one')
    assert client.del_alias(sha256(text.encode())) == [sha256(b'one')]
    assert client.list_aliases() == []


def test_deleting_twice(client, plain):
    plain.push_alias('latest', b'one')
    client.del_alias('latest')
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.del_alias('latest')
    assert e.value.response.status_code == 404


@pytest.mark.parametrize(
    ('media_type', 'make'),
    [(SCHEMA2, schema2), (OCI_MANIFEST, oci_manifest)],
    ids=['schema2', 'oci'],
)
def test_del_alias_of_each_type(client, plain, media_type, make):
    for content in (b'config', b'one'):
        plain.push_blob(content)
    plain.push_manifest('latest', make(b'config', b'one'), media_type)
    assert client.del_alias('latest') == [sha256(b'one')]
    assert client.list_aliases() == []


@pytest.mark.parametrize('media_type', [LIST, OCI_INDEX])
def test_del_alias_of_an_index(client, plain, media_type):
    make = schema2 if media_type == LIST else oci_manifest
    images = [Image('linux/amd64', make=make), Image('linux/arm/v7', make=make)]
    for image in images:
        image.push(plain)
    text = index(*[image.entry() for image in images], media_type=media_type)
    plain.push_manifest('latest', text, media_type)
    assert client.del_alias('latest') == {image.platform: image.digest for image in images}
    # The index went, and not the manifest that a registry gives who does not know indexes.
    assert plain.get_manifest(sha256(text.encode())).status_code == 404
    assert client.list_aliases() == []
    for image in images:
        assert plain.get_manifest(image.digest).text == image.text


def test_garbage_collection(registry, make_registry, repo, plain, client):
    """What is deleted through dxf is no longer held by anything, and so thrown away."""
    kept = client.push_blob(data=f'kept {repo}')
    gone = client.push_blob(data=f'gone {repo}')
    loose = client.push_blob(data=f'loose {repo}')
    client.set_alias('kept', kept)
    text = client.set_alias('gone', gone, kept)
    manifest = sha256(text.encode())
    stored = registry.registry.stored
    assert all(map(stored, (kept, gone, loose, manifest)))
    assert client.del_alias('gone') == [gone, kept]
    client.del_blob(loose)
    registry.registry.garbage_collect()
    assert not any(map(stored, (gone, loose, manifest)))
    assert stored(kept)
    assert b''.join(client.pull_blob(kept)).decode() == f'kept {repo}'


def test_a_registry_that_does_not_delete(registry_program, make_registry):
    flavour = Flavour(
        'undeleting',
        make_registry(storage={'delete': {'enabled': False}}),
        insecure=True,
    )
    repo = flavour.new_repo()
    with PlainClient(flavour, repo) as plain, client_for(flavour, repo) as client:
        plain.push_alias('latest', b'one')
        for delete in (
            lambda: client.del_blob(sha256(b'one')),
            lambda: client.del_alias('latest'),
        ):
            with pytest.raises(requests.exceptions.HTTPError) as e:
                delete()
            assert e.value.response.status_code == 405
            assert 'UNSUPPORTED' in str(e.value)
        assert client.get_alias('latest') == [sha256(b'one')]
