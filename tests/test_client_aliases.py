"""Aliases on the registry: making, reading and moving them."""

import json

import pytest
import requests

from dxf import exceptions

from .support.client import (
    SCHEMA2,
    client_for,
    methods,
    record_sent,
)
from .support.plain import sha256


@pytest.fixture
def client(registry, repo):
    with client_for(registry, repo) as made:
        yield made


def expected(*layers):
    """The bytes that the contract describes, put together by hand."""
    listed = ', '.join(
        f'{{"digest": "{sha256(layer)}", "mediaType": "application/octet-stream", '
        f'"size": {len(layer)}}}'
        for layer in layers
    )
    return (
        f'{{"config": {{"digest": "{sha256(layers[0])}", '
        '"mediaType": "application/vnd.docker.container.image.v1+json", '
        f'"size": {len(layers[0])}}}, '
        f'"layers": [{listed}], '
        '"mediaType": "application/vnd.docker.distribution.manifest.v2+json", '
        '"schemaVersion": 2}'
    )


CONTENTS = {
    'one': [b'one'],
    'several': [b'one', b'two', b'three' * 1000],
    'empty': [b''],
    'duplicates': [b'one', b'two', b'one', b'one'],
    'empty-among-others': [b'one', b'', b'two'],
}


@pytest.mark.parametrize('contents', CONTENTS.values(), ids=CONTENTS)
def test_make_manifest(http_client, http_plain, contents):
    text = http_client.make_manifest(*[http_plain.push_blob(content) for content in contents])
    assert text == expected(*contents)
    # Nothing was stored.
    assert http_plain.get_manifest(sha256(text.encode())).status_code == 404


@pytest.mark.parametrize('contents', CONTENTS.values(), ids=CONTENTS)
def test_set_alias(client, plain, contents):
    text = client.set_alias('latest', *[plain.push_blob(content) for content in contents])
    assert type(text) is str
    assert text == expected(*contents)
    stored = plain.get_manifest('latest')
    assert stored.content == text.encode()
    assert stored.headers['Content-Type'] == SCHEMA2
    assert stored.headers['Docker-Content-Digest'] == sha256(text.encode())


@pytest.mark.parametrize('contents', CONTENTS.values(), ids=CONTENTS)
def test_get_alias(client, plain, contents):
    text = plain.push_alias('latest', *contents)
    digests = [sha256(content) for content in contents]
    pairs = [(sha256(content), len(content)) for content in contents]
    assert client.get_alias('latest') == digests
    assert client.get_alias('latest', sizes=True) == pairs
    assert client.get_alias(sha256(text.encode())) == digests
    assert client.get_alias(manifest=text) == digests
    assert client.get_alias(manifest=text, sizes=True) == pairs
    assert client.get_alias('latest', None, False, True, None) == pairs
    assert client.get_alias('latest', verify=False) == digests
    assert client.get_digest('latest') == digests[0]
    assert client.get_digest(manifest=text) == digests[0]


def test_sizes_come_from_the_registry(http_client, http_plain):
    """But for those of blobs that this very object has just sent or found there."""
    digest = http_plain.push_blob(b'pushed and deleted')
    assert json.loads(http_client.make_manifest(digest))['layers'][0]['size'] == 18
    http_plain.delete(f'blobs/{digest}')
    with pytest.raises(requests.exceptions.HTTPError) as e:
        http_client.make_manifest(digest)
    assert e.value.response.status_code == 404


def test_a_manifest_of_missing_blobs(client, plain):
    plain.push_alias('old', b'there')
    for make in (
        lambda: client.make_manifest(sha256(b'there'), sha256(b'missing')),
        lambda: client.set_alias('new', sha256(b'there'), sha256(b'missing')),
    ):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            make()
        assert e.value.response.status_code == 404
    assert client.list_aliases() == ['old']


def test_a_manifest_of_nothing(http_client, monkeypatch):
    sent = record_sent(monkeypatch)
    for make in (http_client.make_manifest, lambda: http_client.set_alias('latest')):
        with pytest.raises(exceptions.DXFError):
            make()
    assert sent == []


def test_an_alias_is_moved(client, plain):
    client.set_alias('latest', plain.push_blob(b'first'))
    client.set_alias('latest', plain.push_blob(b'second'))
    assert client.get_alias('latest') == [sha256(b'second')]
    assert client.list_aliases() == ['latest']


def test_requests_of_reading_and_writing(http_client, http_plain, monkeypatch):
    one, two = http_plain.push_blob(b'one'), http_plain.push_blob(b'two')
    sent = record_sent(monkeypatch)

    def requests_of(call):
        del sent[:]
        call()
        return methods(sent)

    assert requests_of(lambda: http_client.make_manifest(one, two, one)) == ['HEAD', 'HEAD']
    assert requests_of(lambda: http_client.set_alias('latest', one)) in (['HEAD', 'PUT'], ['PUT'])
    for read in (
        lambda: http_client.get_alias('latest'),
        lambda: http_client.get_alias('latest', sizes=True),
        lambda: http_client.get_digest('latest'),
        lambda: http_client.get_manifest('latest'),
        lambda: http_client.get_manifest_and_response('latest'),
        http_client.list_aliases,
        http_client.api_version_check,
    ):
        assert requests_of(read) == ['GET']
    assert requests_of(lambda: http_client.head_manifest_and_response('latest')) == ['HEAD']
    text = http_client.get_manifest('latest')
    for without in (
        lambda: http_client.get_alias(manifest=text, sizes=True),
        lambda: http_client.get_digest(manifest=text),
    ):
        assert requests_of(without) == []
    assert requests_of(lambda: http_client.set_manifest('second', text)) == ['PUT']
    assert requests_of(lambda: http_client.del_alias('latest')) == ['GET', 'DELETE']
    assert requests_of(lambda: http_client.del_blob(one)) == ['DELETE']
