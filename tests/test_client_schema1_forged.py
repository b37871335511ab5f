"""Schema 1 manifests whose signatures are wrong, or of kinds that dxf does not verify."""

import json

import pytest
from jwcrypto import jwk

import dxf
from dxf import exceptions

from .support.client import SIGNED_SCHEMA1
from .support.fakeserver import Answer
from .support.plain import sha256
from .support.schema1 import (
    DIGESTS,
    assemble,
    change_header,
    decode,
    registry_manifest,
    served,
    sign,
    signed_part,
    tamper_payload,
    tamper_signature,
    unpadded,
)


@pytest.fixture(scope='module')
def real(registry_schema1):
    return registry_manifest(registry_schema1)


def test_one_that_the_tests_sign(fake_server, real):
    """So that what follows is refused for its one fault."""
    text = sign(signed_part(real), jwk.JWK.generate(kty='EC', crv='P-256'))
    assert signed_part(text) == signed_part(real)
    assert served(fake_server, text).get_alias('latest') == DIGESTS


def test_a_tampered_signature(fake_server, real):
    client = served(fake_server, tamper_signature(real))
    with pytest.raises(exceptions.DXFError) as e:
        client.get_alias('latest')
    assert 'signature' in str(e.value)
    assert client.get_alias('latest', verify=False) == DIGESTS


def test_a_tampered_payload(fake_server, real):
    client = served(fake_server, tamper_payload(real))
    with pytest.raises(exceptions.DXFError):
        client.get_alias('latest')


@pytest.mark.parametrize('verify', [True, False])
def test_a_tampered_payload_is_told_by_its_digest(fake_server, real, verify):
    digest = sha256(signed_part(real))
    client = served(fake_server, tamper_payload(real))
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        client.get_alias(digest, verify=verify)
    assert e.value.expected == digest
    assert e.value.got == sha256(signed_part(tamper_payload(real)))


@pytest.mark.parametrize('verify', [True, False])
def test_what_is_read_is_what_was_signed(fake_server, real, verify):
    """Signed content cut short by its own header, with layers that nobody signed."""
    document = json.loads(real)
    document['fsLayers'] = [{'blobSum': sha256(b'not signed')}]
    protected = json.loads(decode(document['signatures'][0]['protected']))
    protected['formatLength'] = 0
    protected['formatTail'] = unpadded(signed_part(real))
    document['signatures'][0]['protected'] = unpadded(json.dumps(protected).encode())
    client = served(fake_server, json.dumps(document))
    with pytest.raises(exceptions.DXFError):
        client.get_alias('latest', verify=verify)


@pytest.mark.parametrize('alg', ['none', 'RS256', 'HS256', 'ES384'])
def test_other_algorithms(fake_server, real, alg):
    client = served(fake_server, change_header(real, alg=alg))
    with pytest.raises(exceptions.DXFDisallowedSignatureAlgorithmError) as e:
        client.get_alias('latest')
    assert e.value.alg == alg
    assert client.get_alias('latest', verify=False) == DIGESTS


def test_as_docker_hub_serves_it_to_this_day(fake_server, real):
    """`alg: none`, an empty signature and no key."""
    document = json.loads(real)
    protected = document['signatures'][0]['protected']
    text = assemble(
        signed_part(real),
        [{'header': {'alg': 'none'}, 'signature': '', 'protected': protected}],
    )
    client = served(fake_server, text)
    with pytest.raises(exceptions.DXFDisallowedSignatureAlgorithmError) as e:
        client.get_alias('latest')
    assert e.value.alg == 'none'
    assert client.get_alias('latest', verify=False) == DIGESTS
    assert client.get_manifest('latest') == text


def test_a_registry_that_knows_no_schema_1(fake_server, real):
    """Its digest is that of all of it, as of other manifests."""
    whole = sha256(real.encode())
    headers = {'Content-Type': SIGNED_SCHEMA1, 'Docker-Content-Digest': whole}
    fake_server.on('GET', '/v2/a/manifests/.*', Answer(200, real, headers))
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    for reference in ('latest', whole, sha256(signed_part(real))):
        assert client.get_alias(reference) == DIGESTS
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        client.get_alias(sha256(b'other'))
    assert e.value.got == sha256(signed_part(real))


def test_a_certificate_chain(fake_server, real):
    client = served(fake_server, change_header(real, x5c=['MIIB'], jwk=None))
    with pytest.raises(exceptions.DXFSignatureChainNotImplementedError):
        client.get_alias('latest')
    assert client.get_alias('latest', verify=False) == DIGESTS


def test_another_type_of_key(fake_server, real):
    key = json.loads(jwk.JWK.generate(kty='RSA', size=2048).export_public())
    client = served(fake_server, change_header(real, jwk=key))
    with pytest.raises(exceptions.DXFUnexpectedKeyTypeError) as e:
        client.get_alias('latest')
    assert e.value.got == 'RSA'
    assert e.value.expected == 'EC'
    assert client.get_alias('latest', verify=False) == DIGESTS


@pytest.mark.parametrize('curve', ['P-384', 'P-521', 'secp256k1'])
def test_another_curve(fake_server, real, curve):
    key = json.loads(jwk.JWK.generate(kty='EC', crv=curve).export_public())
    client = served(fake_server, change_header(real, jwk=key))
    with pytest.raises(exceptions.DXFError):
        client.get_alias('latest')


def test_somebody_elses_key(fake_server, real):
    key = json.loads(jwk.JWK.generate(kty='EC', crv='P-256').export_public())
    client = served(fake_server, change_header(real, jwk=key))
    with pytest.raises(exceptions.DXFError) as e:
        client.get_alias('latest')
    assert 'signature' in str(e.value)


def test_every_signature_counts(fake_server, real):
    """One that is good does not make up for one that is not."""
    good = json.loads(real)['signatures'][0]
    bad = json.loads(tamper_signature(real))['signatures'][0]
    for signatures in ([good, bad], [bad, good]):
        client = served(fake_server, assemble(signed_part(real), signatures))
        with pytest.raises(exceptions.DXFError):
            client.get_alias('latest')
    client = served(fake_server, assemble(signed_part(real), [good, good]))
    assert client.get_alias('latest') == DIGESTS


@pytest.mark.parametrize('signatures', [[], {}, None, 'x', [1], [{}], [{'header': 5}]])
def test_malformed_signatures(fake_server, real, signatures):
    client = served(fake_server, assemble(signed_part(real), signatures))
    with pytest.raises(exceptions.DXFError):
        client.get_alias('latest')


@pytest.mark.parametrize('field', ['protected', 'signature', 'header'])
@pytest.mark.parametrize('value', [None, '', '!!!', 5, 'AAAA'])
def test_malformed_fields_of_a_signature(fake_server, real, field, value):
    signature = dict(json.loads(real)['signatures'][0], **{field: value})
    client = served(fake_server, assemble(signed_part(real), [signature]))
    with pytest.raises(exceptions.DXFError):
        client.get_alias('latest')


def test_an_unsigned_one_does_not_verify(fake_server, real):
    document = json.loads(real)
    del document['signatures']
    client = served(fake_server, json.dumps(document))
    with pytest.raises(exceptions.DXFError):
        client.get_alias('latest')
    assert client.get_alias('latest', verify=False) == DIGESTS
