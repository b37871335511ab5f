"""Manifests whose fields are missing or wrong: errors that name the field."""

import json

import pytest

import dxf
from dxf import exceptions

from .support.client import index
from .support.plain import schema2, sha256

TEXT = schema2(b'config', b'one', b'two')
DIGEST = sha256(TEXT.encode())
LAYERS = [sha256(b'one'), sha256(b'two')]


@pytest.fixture
def client():
    """One that has no need of a registry."""
    return dxf.DXF('registry.example', 'a')


def changed(**fields):
    document = {**json.loads(TEXT), **fields}
    return json.dumps({name: value for name, value in document.items() if value is not ...})


GOOD = json.loads(TEXT)['layers'][0]


@pytest.mark.parametrize(
    ('fields', 'named'),
    [
        ({'layers': ...}, 'layers'),
        ({'layers': None}, 'layers'),
        ({'layers': 5}, 'layers'),
        ({'layers': {}}, 'layers'),
        ({'layers': [5]}, 'layers[0]'),
        ({'layers': [None]}, 'layers[0]'),
        ({'layers': [GOOD, {}]}, 'layers[1].digest'),
        ({'layers': [dict(GOOD, digest=5)]}, 'layers[0].digest'),
        ({'layers': [dict(GOOD, digest=None)]}, 'layers[0].digest'),
        ({'layers': [dict(GOOD, digest='x')]}, 'layers[0].digest'),
        ({'layers': [dict(GOOD, digest='../../x:y')]}, 'layers[0].digest'),
        ({'layers': [dict(GOOD, size='5')]}, 'layers[0].size'),
        ({'layers': [dict(GOOD, size=-5)]}, 'layers[0].size'),
        ({'layers': [dict(GOOD, size=1.5)]}, 'layers[0].size'),
        ({'layers': [dict(GOOD, size=True)]}, 'layers[0].size'),
        ({'layers': [{'digest': GOOD['digest']}]}, 'layers[0].size'),
    ],
)
def test_malformed_layers(client, fields, named):
    with pytest.raises(exceptions.DXFError) as e:
        client.get_alias(manifest=changed(**fields), sizes=True)
    assert named in str(e.value)


@pytest.mark.parametrize(
    ('fields', 'named'),
    [
        ({'config': ...}, 'config'),
        ({'config': None}, 'config'),
        ({'config': []}, 'config'),
        ({'config': {}}, 'config.digest'),
        ({'config': {'digest': 5}}, 'config.digest'),
        ({'config': {'digest': ''}}, 'config.digest'),
    ],
)
def test_malformed_configs(client, fields, named):
    with pytest.raises(exceptions.DXFError) as e:
        client.get_digest(manifest=changed(**fields))
    assert named in str(e.value)
    # Nothing that a caller needs for the blobs.
    assert client.get_alias(manifest=changed(**fields)) == LAYERS


@pytest.mark.parametrize(
    'entry',
    [
        5,
        None,
        {},
        {'digest': 5, 'size': 5},
        {'digest': DIGEST, 'size': 5, 'platform': 5},
        {'digest': DIGEST, 'size': 5, 'platform': {'os': 5, 'architecture': 'amd64'}},
        {'digest': DIGEST, 'size': 5, 'annotations': 5},
    ],
)
def test_malformed_entries(client, entry):
    text = json.dumps({**json.loads(index()), 'manifests': [entry]})
    for call in (client.get_alias, client.get_digest):
        with pytest.raises(exceptions.DXFError):
            call(manifest=text)


@pytest.mark.parametrize('text', ['', 'x', '[]', '5', 'null', '"x"', '{}', '[' * 100_000])
def test_text_that_is_no_manifest(client, text):
    for call in (client.get_alias, client.get_digest):
        with pytest.raises(exceptions.DXFError):
            call(manifest=text)
