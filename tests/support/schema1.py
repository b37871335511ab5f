"""Schema 1 manifests: the registry's, and how to spoil them."""

import base64
import json

from jwcrypto import jws

import dxf

from .client import SIGNED_SCHEMA1
from .fakeserver import Answer
from .plain import PlainClient, image_config, schema2, sha256

LAYERS = (b'first layer', b'second layer')

# Schema 1 lists the newest layer first.
DIGESTS = [sha256(layer) for layer in reversed(LAYERS)]


def registry_manifest(flavour):
    """A manifest that the registry made and signed, as its text."""
    config = image_config(*LAYERS)
    with PlainClient(flavour, flavour.new_repo()) as plain:
        for content in (config, *LAYERS):
            plain.push_blob(content)
        plain.push_manifest('latest', schema2(config, *LAYERS))
        response = plain.repo_request('GET', 'manifests/latest')
    assert response.headers['Content-Type'] == SIGNED_SCHEMA1
    assert sha256(signed_part(response.text)) == response.headers['Docker-Content-Digest']
    return response.text


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def decode(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def signed_part(text):
    """What a signed manifest's digest is made from, worked out without dxf."""
    protected = json.loads(decode(json.loads(text)['signatures'][0]['protected']))
    return text.encode()[: protected['formatLength']] + decode(protected['formatTail'])


def tamper_signature(text):
    """The same content, with a signature that somebody else might have made."""
    document = json.loads(text)
    found = document['signatures'][0]['signature']
    other = ('B' if found[5] != 'B' else 'C').join((found[:5], found[6:]))
    return text.replace(found, other)


def tamper_payload(text):
    """Another layer under the old signature, of the same length."""
    return text.replace(DIGESTS[0], sha256(b'something else'))


def change_header(text, **changes):
    """The signature's unprotected header changed; None takes a field out."""
    document = json.loads(text)
    payload = signed_part(text)
    header = document['signatures'][0]['header']
    header.update(changes)
    for name in [name for name, value in header.items() if value is None]:
        del header[name]
    return assemble(payload, document['signatures'])


def assemble(payload, signatures):
    """A payload with signatures in it, as libtrust formats them."""
    listed = json.dumps(signatures)
    body = payload.rstrip()
    assert body.endswith(b'}')
    return body[:-1].rstrip().decode() + ',\n   "signatures": ' + listed + '\n}'


def sign(payload, key, alg='ES256', header=None):
    """A manifest signed with this key, as Docker does it."""
    body = payload.rstrip()[:-1].rstrip()
    protected = json.dumps(
        {
            'formatLength': len(body),
            'formatTail': unpadded(payload[len(body) :]),
            'time': '2020-01-01T00:00:00Z',
        }
    )
    token = jws.JWS(payload)
    token.allowed_algs = [alg]
    public = json.loads(key.export_public())
    token.add_signature(key, alg, protected, json.dumps({'alg': alg, 'jwk': public}))
    made = json.loads(token.serialize())
    unprotected = {'jwk': public, 'alg': alg, **(header or {})}
    return assemble(
        payload,
        [
            {
                'header': unprotected,
                'signature': made['signature'],
                'protected': made['protected'],
            }
        ],
    )


def served(fake_server, text):
    """A client of a server that gives this manifest for every reference."""
    headers = {'Content-Type': SIGNED_SCHEMA1}
    fake_server.on('GET', '/v2/a/manifests/.*', Answer(200, text, headers))
    return dxf.DXF(fake_server.host, 'a', insecure=True)
