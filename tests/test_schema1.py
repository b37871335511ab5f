"""Signed schema 1 manifests, signed here with jwcrypto as Docker's registry signs them."""

import base64
import hashlib
import json

import pytest
from jwcrypto import jwk, jws

from dxf import schema1
from dxf.exceptions import (
    DXFDisallowedSignatureAlgorithmError,
    DXFError,
    DXFInvalidManifestError,
    DXFInvalidSignatureError,
    DXFSignatureChainNotImplementedError,
    DXFUnexpectedKeyTypeError,
)

from .support.plain import PlainClient, image_config, schema2

DOCUMENT = {
    'schemaVersion': 1,
    'name': 'library/test',
    'tag': 'latest',
    'architecture': 'amd64',
    'fsLayers': [{'blobSum': 'sha256:' + 'a' * 64}],
    'history': [{'v1Compatibility': '{"id": "ä"}'}],
}


def encode(content):
    return base64.urlsafe_b64encode(content).rstrip(b'=').decode()


def pretty(document):
    return json.dumps(document, indent=3, ensure_ascii=False).encode()


@pytest.fixture(scope='module')
def key():
    return jwk.JWK.generate(kty='EC', crv='P-256')


@pytest.fixture(scope='module')
def other_key():
    return jwk.JWK.generate(kty='EC', crv='P-256')


def sign(payload, key, alg='ES256', **protected):
    """A signature block of a payload, as libtrust writes them."""
    end = payload.rindex(b'\n}')
    protected = json.dumps(
        {
            'formatLength': end,
            'formatTail': encode(payload[end:]),
            'time': '2020-01-01T00:00:00Z',
            **protected,
        }
    )
    token = jws.JWS(payload)
    token.add_signature(key, alg, protected, json.dumps({'alg': alg}))
    return {
        'header': {'jwk': json.loads(key.export_public()), 'alg': alg},
        'signature': json.loads(token.serialize())['signature'],
        'protected': encode(protected.encode()),
    }


def with_signatures(payload, *signatures):
    """The manifest's text: the payload, and before its last line the signatures."""
    end = payload.rindex(b'\n}')
    blocks = json.dumps(list(signatures), indent=3).encode()
    return payload[:end] + b',\n   "signatures": ' + blocks + payload[end:]


def signed(key, document=DOCUMENT, **kwargs):
    payload = pretty(document)
    return with_signatures(payload, sign(payload, key, **kwargs))


def verify(content):
    schema1.verify(content, json.loads(content))


def payload_of(content):
    return schema1.payload(content, json.loads(content))


def amended(content, amend):
    """The manifest with its first signature changed in place."""
    document = json.loads(content)
    amend(document['signatures'][0])
    payload = pretty({k: v for k, v in document.items() if k != 'signatures'})
    return with_signatures(payload, *document['signatures'])


def test_a_signature_verifies(key):
    content = signed(key)
    verify(content)
    assert payload_of(content) == pretty(DOCUMENT)


def test_a_registry_s_own_verifies(registry_schema1):
    """Debian's registry converts to schema 1, and signs."""
    layer = b'a layer'
    config = image_config(layer)
    with PlainClient(registry_schema1, registry_schema1.new_repo()) as plain:
        plain.push_blob(config)
        plain.push_blob(layer)
        plain.push_manifest('latest', schema2(config, layer))
        response = plain.repo_request('GET', 'manifests/latest')
    verify(response.content)
    digest = 'sha256:' + hashlib.sha256(payload_of(response.content)).hexdigest()
    assert digest == response.headers['Docker-Content-Digest']


def test_two_signatures_verify(key, other_key):
    payload = pretty(DOCUMENT)
    content = with_signatures(payload, sign(payload, key), sign(payload, other_key))
    verify(content)
    assert payload_of(content) == payload


def test_each_of_two_signatures_must_verify(key, other_key):
    payload = pretty(DOCUMENT)
    good, bad = sign(payload, key), sign(payload, key)
    bad['header']['jwk'] = json.loads(other_key.export_public())
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(DXFInvalidSignatureError):
            verify(with_signatures(payload, *pair))


def test_two_signatures_must_sign_the_same(key):
    payload = pretty(DOCUMENT)
    # The same JSON, laid out otherwise.
    other = json.dumps(DOCUMENT, indent=1).encode()
    content = with_signatures(payload, sign(payload, key), sign(other, key))
    with pytest.raises(DXFInvalidManifestError):
        payload_of(content)
    with pytest.raises(DXFInvalidManifestError):
        verify(content)


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        (b'sha256:a', b'sha256:b'),
        (b'"latest"', b'"latesT"'),
        (b'   "name"', b'  "name" '),
        (b'amd64', b'arm64'),
        ('ä'.encode(), 'ö'.encode()),
    ],
)
def test_a_tampered_payload(key, old, new):
    content = signed(key)
    assert content.count(old) == 1
    content = content.replace(old, new)
    with pytest.raises(DXFInvalidSignatureError, match='signature does not verify'):
        verify(content)
    # Its digest is another one then, which whoever knows it sees.
    assert (
        hashlib.sha256(payload_of(content)).digest() != hashlib.sha256(pretty(DOCUMENT)).digest()
    )


@pytest.mark.parametrize(
    'signature',
    ['', 'A' * 86, 'AAAA', 'not base64!', 'ä', '=', None, 5, [], {}, 'A' * 10_000],
)
def test_a_tampered_signature(key, signature):
    content = amended(signed(key), lambda block: block.update(signature=signature))
    with pytest.raises(DXFInvalidSignatureError):
        verify(content)


def test_a_missing_signature(key):
    content = amended(signed(key), lambda block: block.pop('signature'))
    with pytest.raises(DXFInvalidSignatureError):
        verify(content)


def test_another_s_signature(key, other_key):
    """Of the same payload, but by another key than the one that comes along."""
    block = sign(pretty(DOCUMENT), other_key)
    block['header']['jwk'] = json.loads(key.export_public())
    with pytest.raises(DXFInvalidSignatureError):
        verify(with_signatures(pretty(DOCUMENT), block))


def test_a_tampered_protected_header(key):
    def amend(block):
        protected = json.loads(schema1._decode(block['protected'], 'protected'))
        protected['time'] = '2030-01-01T00:00:00Z'
        block['protected'] = encode(json.dumps(protected).encode())

    with pytest.raises(DXFInvalidSignatureError):
        verify(amended(signed(key), amend))


@pytest.mark.parametrize('alg', ['none', 'None', 'HS256', 'RS256', 'ES384', 'es256', '', None, 1])
def test_other_algorithms_are_not_allowed(key, alg):
    content = amended(signed(key), lambda block: block['header'].update(alg=alg))
    with pytest.raises(DXFDisallowedSignatureAlgorithmError) as e:
        verify(content)
    assert e.value.alg == alg


def test_no_algorithm_is_not_allowed(key):
    content = amended(signed(key), lambda block: block['header'].pop('alg'))
    with pytest.raises(DXFDisallowedSignatureAlgorithmError) as e:
        verify(content)
    assert e.value.alg is None


def test_docker_hub_s_old_images_are_not_signed(key):
    """Its signature block has `alg: none`, an empty signature and no key."""
    payload = pretty(DOCUMENT)
    block = sign(payload, key)
    block.update(header={'alg': 'none'}, signature='')
    content = with_signatures(payload, block)
    with pytest.raises(DXFDisallowedSignatureAlgorithmError) as e:
        verify(content)
    assert e.value.alg == 'none'
    assert payload_of(content) == payload


def test_a_header_s_algorithm_does_not_come_from_the_protected_one(key):
    content = signed(key)
    verify(content)
    content = signed(key, time='x', alg='ES256')
    verify(content)
    with pytest.raises(DXFError):
        # As JWS would have it, the same header must not stand in both.
        verify(amended(content, lambda block: block['header'].update(alg='HS256')))


@pytest.mark.parametrize('name', ['x5c', 'chain'])
def test_a_certificate_chain_is_not_implemented(key, name):
    content = amended(signed(key), lambda block: block['header'].update({name: ['MIIB']}))
    with pytest.raises(DXFSignatureChainNotImplementedError):
        verify(content)


def test_an_rsa_key(key):
    rsa = jwk.JWK.generate(kty='RSA', size=2048)
    content = amended(
        signed(key), lambda block: block['header'].update(jwk=json.loads(rsa.export_public()))
    )
    with pytest.raises(DXFUnexpectedKeyTypeError) as e:
        verify(content)
    assert (e.value.got, e.value.expected) == ('RSA', 'EC')


def test_a_symmetric_key(key):
    """Whoever knows the public key must not be able to sign with it."""
    shared = jwk.JWK.generate(kty='oct', size=256)
    content = amended(
        signed(key), lambda block: block['header'].update(jwk=json.loads(shared.export()))
    )
    with pytest.raises(DXFUnexpectedKeyTypeError) as e:
        verify(content)
    assert (e.value.got, e.value.expected) == ('oct', 'EC')


@pytest.mark.parametrize('curve', ['P-384', 'P-521', 'secp256k1'])
def test_another_curve(key, curve):
    other = jwk.JWK.generate(kty='EC', crv=curve)
    content = amended(
        signed(key), lambda block: block['header'].update(jwk=json.loads(other.export_public()))
    )
    with pytest.raises(DXFUnexpectedKeyTypeError) as e:
        verify(content)
    assert (e.value.got, e.value.expected) == (curve, 'P-256')


@pytest.mark.parametrize('missing', ['kty', 'crv'])
def test_a_key_that_does_not_say_what_it_is(key, missing):
    content = amended(signed(key), lambda block: block['header']['jwk'].pop(missing))
    with pytest.raises(DXFUnexpectedKeyTypeError) as e:
        verify(content)
    assert e.value.got is None


@pytest.mark.parametrize(
    'change',
    [{'x': ''}, {'x': 'AAAA'}, {'x': None}, {'x': []}, {'x': 'ä'}, {'x': 'A' * 43}, {'y': 5}],
)
def test_a_key_that_is_none(key, change):
    content = amended(signed(key), lambda block: block['header']['jwk'].update(change))
    with pytest.raises(DXFInvalidSignatureError):
        verify(content)


@pytest.mark.parametrize(
    'change',
    [
        {'use': []},
        {'key_ops': 'x'},
        {'alg': []},
        {'alg': 'none'},
        {'kid': {}},
        {'': ''},
        {'self': 1},
        {'generate': 'EC'},
        {'generate': []},
        {'size': 'x'},
        {'k': 'AA'},
        {'d': 5},
    ],
)
def test_what_else_is_said_of_a_key_does_not_matter(key, change):
    verify(amended(signed(key), lambda block: block['header']['jwk'].update(change)))


@pytest.mark.parametrize('missing', ['x', 'y'])
def test_half_a_key(key, missing):
    content = amended(signed(key), lambda block: block['header']['jwk'].pop(missing))
    with pytest.raises(DXFInvalidSignatureError):
        verify(content)


def test_a_key_is_not_made_where_none_is_given(key):
    """jwcrypto would make one, if the manifest told it to."""
    content = amended(
        signed(key),
        lambda block: block['header'].update(jwk={'kty': 'EC', 'crv': 'P-256', 'generate': 'EC'}),
    )
    with pytest.raises(DXFInvalidSignatureError):
        verify(content)


@pytest.mark.parametrize('value', [None, 'x', [], 5])
def test_no_key(key, value):
    content = amended(signed(key), lambda block: block['header'].update(jwk=value))
    with pytest.raises(DXFInvalidSignatureError, match='it has no key'):
        verify(content)


@pytest.mark.parametrize('value', [None, 'x', [], 5])
def test_no_header(key, value):
    content = amended(signed(key), lambda block: block.update(header=value))
    with pytest.raises(DXFInvalidManifestError, match='header is not an object'):
        verify(content)


@pytest.mark.parametrize('length', [-1, 10**6, 10**30, None, '5', 5.0, True, [], {}])
def test_a_format_length_that_is_none(key, length):
    content = signed(key, formatLength=length)
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match=r'formatLength is not a length'):
            check(content)


@pytest.mark.parametrize('length', [0, 1, 10])
def test_a_format_length_that_is_another_s(key, length):
    content = signed(key, formatLength=length)
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match=r'sign (what is not JSON|another)'):
            check(content)


@pytest.mark.parametrize('tail', ['not base64!', 'A', 'Cn0=Cn0', 'ä', None, 5, []])
def test_a_format_tail_that_is_rubbish(key, tail):
    content = signed(key, formatTail=tail)
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match='formatTail is not base64url'):
            check(content)


@pytest.mark.parametrize('tail', ['', encode(b'}}'), encode(b'\xff'), encode(b'x')])
def test_a_format_tail_that_makes_no_json(key, tail):
    content = signed(key, formatTail=tail)
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match='sign what is not JSON'):
            check(content)


def test_a_format_tail_that_adds_something(key):
    """What is signed is then not what is read."""
    payload = pretty(DOCUMENT)
    tail = encode(b',\n   "more": 1' + payload[payload.rindex(b'\n}') :])
    content = signed(key, formatTail=tail)
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match='sign another content'):
            check(content)


def test_a_payload_that_differs_from_the_document(key):
    """Signatures in the middle would let what follows them go unsigned."""
    payload = pretty(DOCUMENT)
    content = with_signatures(payload, sign(payload, key))
    evil = content[:-2] + b',\n   "fsLayers": []\n}'
    assert json.loads(evil)['fsLayers'] == []
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match='sign another content'):
            check(evil)


@pytest.mark.parametrize(
    'protected', [None, 5, '', 'x', encode(b'{'), encode(b'[]'), encode(b'5')]
)
def test_a_protected_header_that_is_rubbish(key, protected):
    content = amended(signed(key), lambda block: block.update(protected=protected))
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError) as e:
            check(content)
        assert e.value.field.startswith('signatures')


def test_no_signatures():
    content = pretty(DOCUMENT)
    with pytest.raises(DXFInvalidSignatureError, match='it has no signature'):
        verify(content)
    assert payload_of(content) == content


@pytest.mark.parametrize('signatures', [[], {}, None, 'x', 5])
def test_signatures_that_are_no_list(signatures):
    content = pretty({**DOCUMENT, 'signatures': signatures})
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match='is not a list of signatures'):
            check(content)


@pytest.mark.parametrize('signature', [None, 'x', 5, []])
def test_a_signature_that_is_no_object(key, signature):
    content = with_signatures(pretty(DOCUMENT), sign(pretty(DOCUMENT), key), signature)
    for check in (verify, payload_of):
        with pytest.raises(DXFInvalidManifestError, match=r'signatures\[1\] is not an object'):
            check(content)
