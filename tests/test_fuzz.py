"""Whatever a registry answers, reading it gives something right or a documented error, soon.

A registry's documents are any bytes, any JSON, and real ones with something changed in them.
`DXF_FUZZ_EXAMPLES=1000` tries so many of each (`make soak`). What token services answer is in
`test_auth_generated`.
"""

import copy
import json
import os
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from requests.exceptions import HTTPError

import dxf
from dxf import manifests, nesting, schema1
from dxf.exceptions import DXFError

from .support import schema1 as signed
from .support.client import ALL_TYPES, OCI_INDEX, OCI_MANIFEST, Image, entry, index
from .support.fakeserver import Answer, FakeServer
from .support.plain import schema2, sha256

EXAMPLES = int(os.environ.get('DXF_FUZZ_EXAMPLES') or 40)

# After so long an answer has not merely been slow to be read, in seconds.
SOON = 20

generated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _windows(image, version):
    made = image.entry()
    made['platform']['os.version'] = version
    return made


def _signed():
    payload = json.dumps(
        {
            'schemaVersion': 1,
            'name': 'a',
            'tag': 'latest',
            'fsLayers': [{'blobSum': digest} for digest in signed.DIGESTS],
            'history': [{'v1Compatibility': '{}'}] * 2,
        },
        indent=3,
    ).encode()
    return signed.sign(payload, JWK.generate(kty='EC', crv='P-256'))


AMD, ARM = Image('linux/amd64'), Image('linux/arm/v7')
INNER = index(ARM.entry())
ATTESTATION = entry(
    ARM.text,
    'unknown/unknown',
    annotations={'vnd.docker.reference.type': 'attestation-manifest'},
)
DOCUMENTS = {
    'schema 2': schema2(b'config', b'layer', b'other'),
    'OCI': AMD.text,
    'index': index(AMD.entry(), ARM.entry(), ATTESTATION),
    'nested': index(AMD.entry(), entry(INNER, media_type=OCI_INDEX)),
    'windows': index(_windows(AMD, '10.0.1'), _windows(ARM, '10.0.1'), _windows(ARM, '10.0.2')),
    'artifacts': index(entry(AMD.text), entry(ARM.text, artifactType='text/x-test')),
    'schema 1': _signed(),
    'error': json.dumps({'errors': [{'code': 'DENIED', 'message': 'no', 'detail': {'a': [1]}}]}),
    'tags': json.dumps({'name': 'a', 'tags': ['one', 'two']}),
    'referrers': index(
        entry(AMD.text, artifactType='text/x-test', annotations={'a': 'b'}), entry(ARM.text)
    ),
    'catalogue': json.dumps({'repositories': ['a', 'b']}),
}
THERE = {sha256(text.encode()): text for text in (AMD.text, ARM.text, INNER)}

KEYS = st.sampled_from(
    [
        *('schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests'),
        *('digest', 'size', 'platform', 'os', 'architecture', 'variant', 'os.version'),
        *('annotations', 'fsLayers', 'blobSum', 'signatures', 'header', 'protected', 'jwk'),
        *('signature', 'errors', 'code', 'message', 'detail', 'tags', 'repositories', 'name'),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -1, 10**30, 1e400, -0.0])
    | st.floats()
    | st.text(max_size=20)
    | st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), max_size=2)
    | st.sampled_from([*ALL_TYPES, *THERE, 'sha512:' + 'a' * 128, 'md5:0', 'linux', 'ES256'])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=25,
)


def paths(value, path=()):
    """Where something is in a document."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from paths(value[name], (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths(item, (*path, number))


@st.composite
def mutated(draw, name):
    """A real document with some values exchanged, taken away or given twice; or some bytes."""
    text = DOCUMENTS[name]
    if draw(st.booleans()):
        content = bytearray(text.encode())
        for _ in range(draw(st.integers(1, 4))):
            start = draw(st.integers(0, len(content)))
            end = start + draw(st.integers(0, 8))
            content[start:end] = draw(st.binary(max_size=8))
        return bytes(content)
    document = json.loads(text)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([path for path in paths(document) if path] or [(None,)]))
        if last is None:
            break
        inside = document
        for step in way:
            inside = inside[step]
        how = draw(st.sampled_from(['change', 'take away', 'repeat']))
        if how == 'change':
            inside[last] = draw(VALUES)
        elif how == 'take away':
            del inside[last]
        else:
            inside[last] = [copy.deepcopy(inside[last])] * draw(st.integers(0, 300))
    return json.dumps(document).encode()


ANY_JSON = VALUES.map(lambda value: json.dumps(value).encode())
ANY = st.binary(max_size=200) | ANY_JSON | st.text(max_size=100).map(str.encode)
ANY_DOCUMENT = ANY | st.one_of([mutated(name) for name in DOCUMENTS])
TYPES = st.sampled_from([None, *ALL_TYPES, 'text/html', 'application/json', ''])
DEEP = [
    b'[' * 100_000,
    b'{"layers":' * 100_000,
    b'{"schemaVersion":1,"fsLayers":[],"signatures":' + b'[' * 900 + b']' * 900 + b'}',
    b'{"a":' + b'[' * 950 + b']' * 950 + b'}',
    b'{"schemaVersion":2,"size":' + b'9' * 5000 + b'}',
]


def deep(test):
    for content in DEEP:
        test = example(content, None)(test)
    return test


def either(read):
    """What reading gives, or the documented error that it raises; neither takes long."""
    began = time.monotonic()
    try:
        return read()
    except (DXFError, HTTPError) as error:
        assert str(error)
        assert len(str(error)) < 100_000
        return error
    finally:
        assert time.monotonic() - began < SOON


# The rooms


def read_all_of(content, content_type):
    parsed = manifests.parse(content, content_type, 'latest')
    if isinstance(parsed, manifests.Index):
        assert len(parsed.platforms) <= len(parsed.manifests)
        inner = nesting.Nesting(parsed, lambda wanted: [parsed for _ in wanted]).index
        for name, descriptor in inner.platforms.items():
            assert inner.choose(name) == descriptor
            assert isinstance(descriptor.size, int)
        return
    if isinstance(parsed, manifests.Schema1Manifest):
        assert all(isinstance(digest, str) for digest in parsed.layers)
        schema1.verify(content, parsed.document)
        return
    assert all(isinstance(layer.size, int) for layer in [parsed.config, *parsed.layers])


@deep
@generated
@given(ANY_DOCUMENT, TYPES)
def test_any_document(content, content_type):
    either(lambda: read_all_of(content, content_type))


@pytest.mark.parametrize('name', DOCUMENTS)
@generated
@given(st.data(), TYPES)
def test_real_documents_with_a_mistake(name, data, content_type):
    content = data.draw(mutated(name))
    either(lambda: read_all_of(content, content_type))


def test_real_documents_without_one():
    for name in ('schema 2', 'OCI', 'index', 'windows', 'artifacts', 'schema 1'):
        read_all_of(DOCUMENTS[name].encode(), None)


# The client


@pytest.fixture(scope='module')
def server():
    with FakeServer() as made:
        yield made


@pytest.fixture
def client(server):
    """A client; beside what a test answers, there are some manifests and no blobs."""

    def there(request):
        text = THERE.get(request.path.rpartition('/')[2])
        return Answer(404) if text is None else Answer(body=text)

    server.on('GET', '/v2/a/manifests/sha.*', there)
    with dxf.DXF(server.host, 'a', insecure=True, retries=0, timeout=10) as made:
        yield made


def check_digests(found):
    if isinstance(found, dict):
        for blobs in found.values():
            check_digests(blobs)
    elif not isinstance(found, Exception):
        assert all(isinstance(digest, str) and ':' in digest for digest in found)


@deep
@generated
@given(ANY_DOCUMENT, TYPES)
def test_any_manifest(server, client, content, content_type):
    headers = {'Content-Type': content_type} if content_type else {}
    server.on('GET', '/v2/a/manifests/latest', Answer(body=content, headers=headers))
    check_digests(either(lambda: client.get_alias('latest')))
    check_digests(either(lambda: client.get_alias('latest', platform='linux/amd64')))
    names = either(lambda: client.list_platforms('latest'))
    assert isinstance(names, Exception) or all(isinstance(name, str) for name in names)
    listed = either(lambda: client.list_manifests('latest'))
    assert isinstance(listed, Exception) or all(isinstance(one.size, int) for one in listed)
    either(lambda: client.get_digest('latest'))
    found = either(lambda: client.get_manifest('latest'))
    if isinstance(found, str):
        assert found.encode() == content
    elif isinstance(found, dict):
        assert set(found.values()) <= set(THERE.values())


@generated
@given(ANY_DOCUMENT, ANY_DOCUMENT, TYPES)
def test_any_manifest_in_an_index(server, client, child, other, content_type):
    """Its digest and its size are right: what lists it was made for it."""

    def listed(content, platform):
        return {
            'mediaType': content_type or OCI_MANIFEST,
            'digest': sha256(content),
            'size': len(content),
            'platform': {'os': 'linux', 'architecture': platform},
        }

    for content in (child, other):
        server.on('GET', '/v2/a/manifests/' + sha256(content), Answer(body=content))
    text = index(listed(child, 'amd64'), listed(other, 's390x'))
    server.on('GET', '/v2/a/manifests/latest', Answer(body=text))
    for read in (client.get_alias, client.get_digest, client.get_manifest):
        for platform in (None, 'linux/amd64'):
            either(lambda read=read, platform=platform: read('latest', platform=platform))
    either(lambda: client.list_platforms('latest'))


@deep
@generated
@given(ANY_DOCUMENT, TYPES)
def test_any_error(server, client, content, content_type):
    headers = {'Content-Type': content_type} if content_type else {}
    for status in (400, 403, 404, 500):
        answer = Answer(status, content, headers)
        server.on(None, '/v2/a/(manifests/latest|tags/list|blobs/.*)', answer)
        for read in (
            lambda: client.get_alias('latest'),
            lambda: client.list_aliases(),
            lambda: client.push_blob(data=b'content'),
            lambda: list(client.pull_blob(sha256(b'content'))),
        ):
            assert isinstance(either(read), Exception)


@deep
@generated
@given(ANY_DOCUMENT, TYPES)
def test_any_list(server, client, content, content_type):
    headers = {'Content-Type': content_type} if content_type else {}
    server.on('GET', '/v2/(a/tags/list|_catalog)', Answer(body=content, headers=headers))
    for read in (client.list_aliases, client.list_repos):
        found = either(read)
        if not isinstance(found, Exception):
            assert all(isinstance(name, str) for name in found)


@pytest.mark.parametrize('how', ['endpoint', 'tag'])
@deep
@generated
@given(ANY_DOCUMENT, TYPES)
def test_any_referrers(server, client, how, content, content_type):
    subject = sha256(AMD.text.encode())
    answer = Answer(body=content, headers={'Content-Type': content_type} if content_type else {})
    server.on('GET', '/v2/a/referrers/.*', answer if how == 'endpoint' else Answer(404))
    server.on('GET', '/v2/a/manifests/' + subject.replace(':', '-'), answer)
    for wanted in (None, 'text/x-test'):
        found = either(lambda wanted=wanted: client.list_referrers(subject, wanted))
        if not isinstance(found, Exception):
            assert all(isinstance(one.size, int) for one in found)
            assert all(wanted in (None, one.artifact_type) for one in found)
