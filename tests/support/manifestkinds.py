"""Every kind of manifest that registries hold, stored by dxf and read by it.

A kind is a generator over a client and another that is not dxf's: it stores, yields, and
reads. What it yields is added to the cell.
"""

import hashlib
import json

import pytest
from jwcrypto.jwk import JWK

from dxf import exceptions

from .artifacts import artifact
from .client import LIST, OCI_INDEX, OCI_MANIFEST, Image, entry, index, oci_manifest
from .plain import descriptor, schema2, sha256
from .schema1 import DIGESTS, LAYERS, sign, signed_part

#: name -> generator function
KINDS = {}

LARGEST = 4 * 1024 * 1024


def kind(function):
    KINDS[function.__name__.replace('_', ' ')] = function
    return function


def _store(client, *images):
    """Images, each by its digest."""
    for image in images:
        for content in (image.config, *image.layers):
            client.push_blob(data=content)
        client.set_manifest(image.digest, image.text)


def _has(plain, reference, text):
    """Fail unless the registry holds it byte for byte."""
    answer = plain.get_manifest(reference)
    assert (answer.status_code, answer.text) == (200, text)


def _reads(client, plain, text, images):
    """Fail unless an index is read right; `images`: platform -> Image."""
    _has(plain, 'latest', text)
    assert client.get_manifest_and_response('latest')[0] == text
    assert client.list_platforms('latest') == list(images)
    assert client.get_manifest('latest') == {p: i.text for p, i in images.items()}
    assert client.get_alias('latest', sizes=True) == {p: i.layer_sizes for p, i in images.items()}
    assert client.get_digest('latest') == {p: i.config_digest for p, i in images.items()}
    for platform, image in images.items():
        assert client.get_alias('latest', platform=platform) == image.layer_digests
        for digest, content in zip(image.layer_digests, image.layers):
            assert b''.join(client.pull_blob(digest)) == content


def _one(client, plain, make):
    image = Image('linux/amd64', make=make)
    _store(client, image)
    client.set_manifest('latest', image.text)
    yield
    _has(plain, 'latest', image.text)
    assert client.get_manifest('latest') == client.get_manifest(image.digest) == image.text
    assert client.get_alias('latest', sizes=True) == image.layer_sizes
    assert client.get_digest('latest') == image.config_digest
    assert client.head_manifest_and_response('latest')[0] == image.digest
    assert client.list_platforms('latest') == []


def _some(client, plain, media_type, make=None):
    images = [Image(name, make=make) for name in ('linux/amd64', 'linux/arm/v7')]
    _store(client, *images)
    text = index(*(image.entry() for image in images), media_type=media_type)
    client.set_manifest('latest', text)
    yield
    _reads(client, plain, text, {image.platform: image for image in images})


@kind
def a_Docker_schema_2_manifest(client, plain):
    return _one(client, plain, schema2)


@kind
def an_OCI_manifest(client, plain):
    return _one(client, plain, oci_manifest)


@kind
def a_manifest_without_mediaType(client, plain):
    return _one(client, plain, lambda *parts: oci_manifest(*parts, media_type=None))


@kind
def a_Docker_manifest_list(client, plain):
    return _some(client, plain, LIST, schema2)


@kind
def an_OCI_index(client, plain):
    return _some(client, plain, OCI_INDEX)


@kind
def an_index_without_mediaType(client, plain):
    return _some(client, plain, None)


@kind
def an_index_with_attestations(client, plain):
    image, attestation = Image('linux/arm64'), Image('unknown/unknown', layers=1)
    _store(client, image, attestation)
    listed = attestation.entry(
        annotations={
            'vnd.docker.reference.digest': image.digest,
            'vnd.docker.reference.type': 'attestation-manifest',
        }
    )
    text = index(image.entry(), listed)
    client.set_manifest('latest', text)
    yield
    _reads(client, plain, text, {'linux/arm64': image})
    assert client.get_alias('latest', platform='linux/arm64/v8') == image.layer_digests
    found = client.list_manifests('latest')
    assert [one.digest for one in found] == [image.digest, attestation.digest]
    assert found[1].platform is None
    assert found[1].annotations == listed['annotations']
    assert client.get_alias(attestation.digest) == attestation.layer_digests


@kind
def an_index_of_artifacts_without_platforms(client, plain):
    images = [Image(None, layers=layers) for layers in (1, 2)]
    _store(client, *images)
    text = index(*(image.entry(artifactType='text/x-test') for image in images))
    client.set_manifest('latest', text)
    yield
    _reads(client, plain, text, {image.digest: image for image in images})
    assert [one.artifact_type for one in client.list_manifests('latest')] == ['text/x-test'] * 2


@kind
def Windows_twins(client, plain):
    images = [Image('windows/amd64', layers=layers) for layers in (1, 2)]
    _store(client, *images)
    entries = [image.entry() for image in images]
    entries[0]['platform']['os.version'] = '10.0.17763.6659'
    entries[1]['platform']['os.version'] = '10.0.20348.2700'
    text = index(*entries)
    client.set_manifest('latest', text)
    yield
    names = ['windows(10.0.17763.6659)/amd64', 'windows(10.0.20348.2700)/amd64']
    _reads(client, plain, text, dict(zip(names, images)))
    assert client.get_alias('latest', platform='windows/amd64') == images[0].layer_digests


@kind
def nested_indexes(client, plain):
    images = [Image(f'linux/{machine}') for machine in ('amd64', 'arm64', 's390x')]
    _store(client, *images)
    inmost = index(images[1].entry())
    inner = index(entry(inmost, media_type=OCI_INDEX), images[2].entry())
    for text in (inmost, inner):
        client.set_manifest(sha256(text.encode()), text)
    text = index(images[0].entry(), entry(inner, media_type=OCI_INDEX))
    client.set_manifest('latest', text)
    yield
    _reads(client, plain, text, {image.platform: image for image in images})


@kind
def an_index_that_lists_what_is_not_there(client, plain):
    there, elsewhere = Image('linux/amd64'), Image('linux/arm64')
    _store(client, there)
    text = index(there.entry(), elsewhere.entry())
    client.set_manifest('latest', text)
    yield
    _has(plain, 'latest', text)
    assert client.list_platforms('latest') == ['linux/amd64', 'linux/arm64']
    assert client.get_alias('latest', platform='linux/amd64') == there.layer_digests


@kind
def an_artifact_with_a_subject(client, plain):
    image = Image('linux/amd64')
    _store(client, image)
    client.push_blob(data=b'{}')
    client.push_blob(data=b'signature')
    text = artifact(
        descriptor(b'signature'),
        annotations={'note': 'ü'},
        subject=descriptor(image.text.encode(), OCI_MANIFEST),
    )
    digest = sha256(text.encode())
    client.set_manifest(digest, text)
    yield
    _has(plain, digest, text)
    assert client.get_manifest(digest) == text
    assert client.get_alias(digest) == [sha256(b'signature')]


@kind
def what_refers_to_a_manifest(client, plain, folder):
    image = Image('linux/amd64')
    _store(client, image)
    (folder / 'signature').write_bytes(b'signature')
    attached = client.attach(image.digest, {'signature': str(folder / 'signature')}, 'text/x-test')
    has_endpoint = plain.repo_request('GET', 'referrers/' + image.digest).status_code == 200
    yield 'by the endpoint' if has_endpoint else 'by a tag'
    (found,) = client.list_referrers(image.digest)
    assert (found.digest, found.artifact_type) == (attached, 'text/x-test')
    assert client.list_referrers(image.digest, 'text/x-other') == []
    tag = plain.get_manifest(image.digest.replace(':', '-'))
    assert tag.status_code == (404 if has_endpoint else 200)


@kind
def a_signed_schema_1_manifest(client, plain):
    for content in LAYERS:
        client.push_blob(data=content)
    payload = json.dumps(
        {
            'schemaVersion': 1,
            'name': client._repo,
            'tag': 'latest',
            'architecture': 'amd64',
            'fsLayers': [{'blobSum': digest} for digest in DIGESTS],
            'history': [{'v1Compatibility': '{}'} for _ in DIGESTS],
        },
        indent=3,
    ).encode()
    text = sign(payload, JWK.generate(kty='EC', crv='P-256'))
    client.set_manifest('latest', text)
    yield
    assert signed_part(client.get_manifest('latest')) == payload
    assert client.get_alias('latest') == DIGESTS
    assert client.get_alias('latest', sizes=True) == [
        (sha256(layer), len(layer)) for layer in reversed(LAYERS)
    ]
    # Who knows nothing of schema 1 makes the digest from all of it.
    digest = client.head_manifest_and_response('latest')[0]
    assert digest in (sha256(payload), sha256(text.encode()))
    assert signed_part(client.get_manifest(digest)) == payload
    with pytest.raises(exceptions.DXFDigestNotAvailableForSchema1):
        client.get_digest('latest')


@kind
def an_empty_blob(client, plain):
    client.set_alias('latest', client.push_blob(data=b''))
    yield
    assert client.get_alias('latest', sizes=True) == [(sha256(b''), 0)]
    assert b''.join(client.pull_blob(sha256(b''))) == b''
    assert client.blob_size(sha256(b'')) == 0


@kind
def a_manifest_of_4_MiB(client, plain):
    client.push_blob(data=b'content')
    text = schema2(b'content', b'content')
    text += ' ' * (LARGEST - len(text))
    client.set_manifest('latest', text)
    yield
    _has(plain, 'latest', text)
    assert client.get_manifest('latest') == text
    assert client.get_alias('latest') == [sha256(b'content')]


def _sha512(content):
    return 'sha512:' + hashlib.sha512(content).hexdigest()


@kind
def a_blob_by_its_sha512(client, plain):
    digest = _sha512(b'content')
    assert client.push_blob(data=b'content', digest=digest) == digest
    client.set_alias('latest', digest)
    yield
    assert client.get_alias('latest', sizes=True) == [(digest, 7)]
    assert b''.join(client.pull_blob(digest)) == b'content'


@kind
def a_manifest_by_its_sha512(client, plain):
    client.push_blob(data=b'content')
    text = schema2(b'content', b'content')
    client.set_manifest(_sha512(text.encode()), text)
    yield
    assert client.get_manifest(_sha512(text.encode())) == text
    assert client.head_manifest_and_response(_sha512(text.encode()))[0] in (
        _sha512(text.encode()),
        sha256(text.encode()),
    )
