"""Content that goes by its SHA-512 digest, where a registry serves it."""

import hashlib
import json

import pytest

import dxf
from dxf import exceptions

from .support.client import OCI_MANIFEST
from .support.fakeserver import Answer, FakeServer


def sha512(content):
    return 'sha512:' + hashlib.sha512(content).hexdigest()


class Sha512Registry:
    """Blobs and manifests of one repository, by whatever digest they are given."""

    def __init__(self, server):
        self.server = server
        self.blobs, self.manifests, self.upload = {}, {}, b''
        server.on('POST', '/v2/a/blobs/uploads/', self._begin)
        server.on('PATCH', '/v2/a/upload', self._append)
        server.on('PUT', '/v2/a/upload', self._end)
        server.on(None, '/v2/a/blobs/sha.*', lambda request: self._give(self.blobs, request))
        server.on(None, '/v2/a/manifests/.*', lambda request: self._give(self.manifests, request))

    def _begin(self, request):
        self.upload = b''
        return Answer(202, headers={'Location': '/v2/a/upload'})

    def _append(self, request):
        self.upload += request.body
        last = len(self.upload) - 1
        return Answer(202, headers={'Location': '/v2/a/upload', 'Range': f'0-{last}'})

    def _end(self, request):
        (digest,) = request.query['digest']
        content = self.upload + (request.body or b'')
        if digest not in (sha512(content), 'sha256:' + hashlib.sha256(content).hexdigest()):
            return Answer(400, {'errors': [{'code': 'DIGEST_INVALID', 'message': 'no'}]})
        self.blobs[digest] = content
        return Answer(201)

    def _give(self, kept, request):
        name = request.path.rpartition('/')[2]
        return Answer(body=kept[name]) if name in kept else Answer(404)


@pytest.fixture
def registry():
    with FakeServer() as server:
        yield Sha512Registry(server)


@pytest.fixture
def client(registry):
    with dxf.DXF(registry.server.host, 'a', insecure=True, retries=0) as made:
        yield made


CONTENTS = [b'', b'content', b'x' * 5_000_000]


@pytest.mark.parametrize('content', CONTENTS, ids=len)
@pytest.mark.parametrize('check', [True, False])
def test_blobs_pushed_and_pulled(client, registry, tmp_path, content, check):
    digest = sha512(content)
    path = tmp_path / 'file'
    path.write_bytes(content)
    for source in (
        {'data': content},
        {'data': iter([content])},
        {'filename': str(path)},
        {'filename': str(path), 'progress': lambda *args: None},
    ):
        registry.blobs.clear()
        assert client.push_blob(**source, digest=digest, check_exists=check) == digest
        assert registry.blobs == {digest: content}
    chunks, size = client.pull_blob(digest, size=True)
    assert (b''.join(chunks), size) == (content, len(content))
    assert client.blob_size(digest) == len(content)
    client.save_blobs(str(path), [digest, digest])
    assert path.read_bytes() == content * 2


@pytest.mark.parametrize('content', CONTENTS[1:], ids=len)
@pytest.mark.parametrize('how', [lambda content: content, lambda content: iter([content])])
def test_content_that_has_another_digest(client, registry, content, how):
    with pytest.raises(exceptions.DXFContentChangedError) as e:
        client.push_blob(data=how(content), digest=sha512(b'another'))
    assert (e.value.got, e.value.expected) == (sha512(content), sha512(b'another'))
    registry.blobs[sha512(b'another')] = content
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        list(client.pull_blob(sha512(b'another')))
    assert e.value.got == sha512(content)


@pytest.mark.parametrize('how', [lambda content: content, lambda content: iter([content])])
def test_an_algorithm_that_dxf_does_not_know_is_the_registry_s_to_refuse(client, how):
    import requests

    for content in CONTENTS[1:]:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.push_blob(data=how(content), digest='md5:' + '0' * 32)
        assert not isinstance(e.value, exceptions.DXFError)


def test_manifests(client, registry):
    layer = {'mediaType': 'text/plain', 'digest': sha512(b'content'), 'size': 7}
    text = json.dumps(
        {'schemaVersion': 2, 'mediaType': OCI_MANIFEST, 'config': layer, 'layers': [layer]}
    )
    digest = sha512(text.encode())
    registry.manifests.update({digest: text, 'latest': text, sha512(b''): text})
    for name in (digest, 'latest'):
        assert client.get_alias(name, sizes=True) == [(sha512(b'content'), 7)]
        assert client.get_digest(name) == sha512(b'content')
        assert client.get_manifest(name) == text
    with pytest.raises(exceptions.DXFDigestMismatchError) as e:
        client.get_manifest(sha512(b''))
    assert (e.value.got, e.value.expected) == (digest, sha512(b''))
    assert client.head_manifest_and_response(digest)[0] == digest
    client.del_alias(digest)
    assert registry.server.requests[-1].path.endswith(digest)


def test_an_image_layout(tmp_path):
    with dxf.DXF(f'oci:{tmp_path}', 'a') as client:
        for content in CONTENTS:
            digest = sha512(content)
            assert client.push_blob(data=content, digest=digest) == digest
            assert b''.join(client.pull_blob(digest)) == content


def test_a_real_registry(registry_http):
    client = dxf.DXF(registry_http.host, registry_http.new_repo(), **registry_http.settings())
    for content in CONTENTS:
        digest = sha512(content)
        for data in (content, iter([content])):
            assert client.push_blob(data=data, digest=digest, check_exists=False) == digest
        assert b''.join(client.pull_blob(digest)) == content
        client.set_alias('latest', digest)
        assert client.get_alias('latest', sizes=True) == [(digest, len(content))]
