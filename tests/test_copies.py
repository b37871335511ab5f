"""Copying what an alias stands for: within a registry, between two, and to and from layouts."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading

import pytest
import requests
from jwcrypto.jwk import JWK

import dxf
from dxf.exceptions import (
    DXFDigestMismatchError,
    DXFError,
    DXFInvalidManifestError,
    DXFInvalidNameError,
    DXFMountFailed,
    DXFSchema1RefusedError,
    DXFSizeMismatchError,
    DXFUnauthorizedError,
)
from dxf.layout import LayoutAdapter

from .support import doors
from .support.artifacts import KINDS, artifact, keeper, layer
from .support.client import (
    LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    SIGNED_SCHEMA1,
    Image,
    entry,
    index,
    oci_manifest,
)
from .support.fakeserver import Answer
from .support.flavours import Flavour
from .support.layouts import LayoutFlavour, LayoutPlain, check_layout
from .support.plain import SCHEMA2, PlainClient, descriptor, schema2, sha256
from .support.schema1 import sign
from .support.uploading import Cut, UploadServer

ATTESTATION = {'vnd.docker.reference.type': 'attestation-manifest'}


@pytest.fixture(scope='module')
def places(request, tmp_path_factory):
    """`places(name)` is a registry of a kind; each name's is another one."""
    made = {}
    with contextlib.ExitStack() as stack:

        def place(name):
            if name not in made:
                kind = name.partition(' ')[0]
                if name == 'http second':
                    registry = request.getfixturevalue('make_registry')()
                    made[name] = Flavour(name, registry, insecure=True)
                else:
                    made[name] = stack.enter_context(keeper(request, kind, tmp_path_factory))
            return made[name]

        yield place


def plain_for(flavour, repo=None):
    kind = LayoutPlain if isinstance(flavour, LayoutFlavour) else PlainClient
    return kind(flavour, repo or flavour.new_repo('copies'))


def client_for(plain, **settings):
    return dxf.DXF(plain.flavour.host, plain.repo, **{**plain.flavour.settings(), **settings})


@pytest.fixture
def source(places):
    with plain_for(places('http')) as made:
        yield made


@pytest.fixture
def target(places):
    with plain_for(places('http second')) as made:
        yield made


class Sent:
    """The requests that go out, to registries and to layouts: pairs of method and path."""

    def __init__(self, monkeypatch):
        self.requests = []
        for adapter in (requests.adapters.HTTPAdapter, LayoutAdapter):
            self._watch(monkeypatch, adapter)

    def _watch(self, monkeypatch, adapter):
        send = adapter.send

        def watched(self_, request, **kwargs):
            self.requests.append((request.method, request.path_url.partition('?')[0]))
            return send(self_, request, **kwargs)

        monkeypatch.setattr(adapter, 'send', watched)

    def uploads(self):
        """Those that send a blob."""
        return [one for one in self.requests if one[0] != 'GET' and '/blobs/uploads/' in one[1]]

    def put_manifests(self):
        return [path.rpartition('/')[2] for method, path in self.requests
                if method == 'PUT' and '/manifests/' in path]  # fmt: skip


@pytest.fixture
def sent(monkeypatch):
    return Sent(monkeypatch)


def push(plain, text, media_type=OCI_MANIFEST, reference=None):
    plain.push_manifest(reference or sha256(text.encode()), text, media_type)
    return text


def all_kinds(plain):
    """An index of everything that is put into one. It has lines of its own."""
    amd64, arm64, windows, other = (
        Image('linux/amd64'), Image('linux/arm64/v8', layers=3, make=schema2),
        Image('windows/amd64'), Image('windows/amd64', layers=1),
    )  # fmt: skip
    for image in (amd64, arm64, windows, other):
        image.push(plain)
    for content in (b'{}', b'attestation', b'artifact'):
        plain.push_blob(content)
    attestation = push(plain, oci_manifest(b'attestation'))
    untyped = push(plain, oci_manifest(b'{}', b'artifact', media_type=None))
    made = push(plain, artifact(layer(b'artifact', 'a name')))
    inner = push(plain, index(amd64.entry(), media_type=None), OCI_INDEX)
    listed = push(plain, index(entry(inner, media_type=OCI_INDEX), arm64.entry()), OCI_INDEX)
    return index(
        amd64.entry(),
        entry(attestation, 'unknown/unknown', annotations=ATTESTATION),
        entry(untyped, media_type=OCI_MANIFEST),
        entry(made, artifactType='text/x-test'),
        entry(listed),
        windows.entry(),
        other.entry(),
    ).replace('{', '{\n', 1)


def check_same(one, other, reference, digest=None):
    """Fail unless a manifest and all that it refers to is the same in both; their digests."""
    text = one.get_manifest(reference).content
    copied = other.get_manifest(digest or reference)
    assert (copied.status_code, copied.content) == (200, text)
    document = json.loads(text)
    found = {sha256(text)}
    for listed in document.get('manifests', []):
        found |= check_same(one, other, listed['digest'])
    for blob in [*document.get('layers', []), document.get('config')]:
        if blob is not None:
            content = other.get_blob(blob['digest'])
            assert (content.status_code, sha256(content.content)) == (200, blob['digest'])
            found.add(blob['digest'])
    return found


def attach(plain, text, name, kind=OCI_MANIFEST):
    """Something that refers to a manifest, and is listed where the registry does not do so."""
    subject = text.encode()
    content = f'about {name}'.encode()
    for blob in (b'{}', content):
        plain.push_blob(blob)
    made = push(plain, artifact(layer(content, name), subject=descriptor(subject, kind)))
    if plain.repo_request('GET', 'referrers/' + sha256(subject)).status_code == 404:
        tag = sha256(subject).replace(':', '-')
        there = plain.get_manifest(tag)
        listed = there.json()['manifests'] if there.status_code == 200 else []
        listed.append(entry(made, artifactType='text/x-test'))
        plain.push_manifest(tag, index(*listed), OCI_INDEX)
    return made


# Between registries of all kinds


@pytest.mark.parametrize('to', [*KINDS, 'http second', 'layout second'])
@pytest.mark.parametrize('origin', [*KINDS])
def test_every_kind_of_manifest(places, origin, to):
    with plain_for(places(origin)) as one, plain_for(places(to)) as other:
        text = all_kinds(one)
        one.push_manifest('v1', text, OCI_INDEX)
        with client_for(one) as client, client_for(other) as target:
            assert client.copy('v1', target) == sha256(text.encode())
            check_same(one, other, 'v1')
            assert target.list_aliases() == ['v1']
        if isinstance(places(to), LayoutFlavour):
            check_layout(places(to).folder / other.repo)


@pytest.mark.parametrize('media_type', [SCHEMA2, OCI_MANIFEST])
def test_one_image(source, target, sent, media_type):
    make = schema2 if media_type == SCHEMA2 else oci_manifest
    image = Image('linux/amd64', make=make)
    image.push(source)
    source.push_manifest('v1', image.text, media_type)
    del sent.requests[:]
    with client_for(source) as client, client_for(target) as elsewhere:
        assert client.copy('v1', elsewhere, 'v2') == image.digest
        assert elsewhere.list_aliases() == ['v2']
    # Blobs come before what names them, and nothing is read or sent twice.
    assert sent.put_manifests() == ['v2']
    assert sent.requests[0] == ('GET', f'/v2/{source.repo}/manifests/v1')
    assert len([method for method, _ in sent.requests if method == 'GET']) == 1 + 3 + 1
    check_same(source, target, image.digest)


def test_by_digest_without_an_alias(source, target):
    image = Image('linux/amd64')
    image.push(source)
    with client_for(source) as client, client_for(target) as elsewhere:
        assert client.copy(image.digest, elsewhere) == image.digest
        check_same(source, target, image.digest)
        assert client.copy(image.digest, elsewhere, 'v1') == image.digest
        assert elsewhere.list_aliases() == ['v1']


def test_a_name_that_can_be_no_tag(source, sent, target):
    image = Image('linux/amd64')
    image.push(source)
    del sent.requests[:]
    with client_for(source) as client, client_for(target) as elsewhere:
        for repository in (elsewhere, client):
            with pytest.raises(DXFInvalidNameError):
                client.copy(image.digest, repository, 'a/b')
    assert sent.requests == []


def test_a_manifest_list_of_docker(source, target):
    images = [Image(name, make=schema2) for name in ('linux/amd64', 'linux/arm64')]
    for image in images:
        image.push(source)
    text = index(*(image.entry() for image in images), media_type=LIST)
    source.push_manifest('v1', text, LIST)
    with client_for(source) as client, client_for(target) as elsewhere:
        client.copy('v1', elsewhere)
        assert elsewhere.get_manifest('v1') == client.get_manifest('v1')
    assert target.get_manifest('v1').headers['Content-Type'] == LIST


# The whole way


def test_an_image_there_and_back(places, source, target, sent):
    """50 layers on two platforms and a referrer, by two registries and a layout: digests stay."""
    images = [Image('linux/amd64', layers=50), Image('linux/arm64', layers=50)]
    for image in images:
        image.push(source)
    text = index(*(image.entry() for image in images))
    source.push_manifest('v1', text, OCI_INDEX)
    about = attach(source, text, 'signature', OCI_INDEX)
    with contextlib.ExitStack() as stack:
        layout, back = (
            stack.enter_context(plain_for(places(name))) for name in ('layout', 'http')
        )
        stops = [source, target, layout, back]
        clients = [stack.enter_context(client_for(stop)) for stop in stops]
        for (here, client), (there, elsewhere) in zip(
            zip(stops, clients), zip(stops[1:], clients[1:])
        ):
            del sent.requests[:]
            assert client.copy('v1', elsewhere, referrers=True) == sha256(text.encode())
            assert sent.uploads()
            digests = check_same(here, there, 'v1') | check_same(
                here, there, sha256(about.encode())
            )
            # Two images of 51 blobs and a manifest, the index, the referrer, its blob and {}.
            assert len(digests) == 2 * 52 + 1 + 3
            (listed,) = elsewhere.list_referrers('v1')
            assert (listed.digest, listed.artifact_type) == (sha256(about.encode()), 'text/x-test')
            del sent.requests[:]
            assert client.copy('v1', elsewhere, referrers=True) == sha256(text.encode())
            assert sent.uploads() == []
            assert not [path for method, path in sent.requests
                        if method == 'GET' and '/blobs/' in path]  # fmt: skip


# Within a registry


@pytest.mark.parametrize('kind', KINDS)
def test_mounted(places, sent, kind):
    flavour = places(kind)
    with plain_for(flavour) as one, plain_for(flavour) as other:
        text = all_kinds(one)
        one.push_manifest('v1', text, OCI_INDEX)
        with client_for(one) as client:
            del sent.requests[:]
            client.copy('v1', dxf.DXF.from_base(client, other.repo))
            assert {method for method, path in sent.requests if '/blobs/' in path} == {'POST'}
        check_same(one, other, 'v1')


@pytest.mark.parametrize('name', ['htpasswd', 'token'])
@pytest.mark.parametrize('actions', [None, ['pull', 'push']])
def test_mounted_with_credentials(request, sent, name, actions):
    """A token for one repository does not do; then blobs are sent."""
    flavour = request.getfixturevalue(f'registry_{name}')
    with plain_for(flavour) as one, plain_for(flavour) as other:
        text = one.push_alias('v1', b'one', b'two')
        settings = flavour.settings(actions=actions)
        client, target = (dxf.DXF(flavour.host, p.repo, **settings) for p in (one, other))
        del sent.requests[:]
        assert client.copy('v1', target) == sha256(text.encode())
        sends = [method for method, _ in sent.uploads() if method == 'PUT']
        assert len(sends) == (2 if actions and name == 'token' else 0)
        check_same(one, other, 'v1')


def test_to_the_same_repository(source, sent):
    text = all_kinds(source)
    source.push_manifest('v1', text, OCI_INDEX)
    with client_for(source) as client:
        del sent.requests[:]
        assert client.copy('v1', client, 'v2') == sha256(text.encode())
        assert [method for method, _ in sent.requests] == ['GET', 'PUT']
        assert client.copy(sha256(text.encode()), client) == sha256(text.encode())
        assert source.get_manifest('v2').text == text


def test_to_the_same_repository_by_another_user(source):
    """Who may read it need not be who may write to it."""
    text = source.push_alias('v1', b'one')

    class ReadOnly(dxf.DXF):
        def _request(self, method, path, **kwargs):
            assert method in ('get', 'head')
            return super()._request(method, path, **kwargs)

    with ReadOnly(source.flavour.host, source.repo, insecure=True) as reader:
        with client_for(source) as writer:
            assert reader.copy('v1', writer, 'v2') == sha256(text.encode())
    assert source.get_manifest('v2').text == text


@pytest.mark.parametrize(
    'error', [requests.exceptions.HTTPError('no'), DXFMountFailed()], ids=['refused', 'an upload']
)
def test_a_registry_that_does_not_mount(source, error):
    """Some answer with an error, and some begin an upload. Then blobs go the long way."""
    text = source.push_alias('v1', *(b'%d' % number for number in range(20)))
    with client_for(source) as client, plain_for(source.flavour) as other:
        asked = []

        class Unwilling(dxf.DXF):
            def mount_blob(self, repo, digest):
                asked.append(digest)
                raise error

        with Unwilling(source.flavour.host, other.repo, insecure=True) as target:
            client.copy('v1', target)
        assert len(asked) == 1
        assert other.get_manifest('v1').text == text


def test_what_was_mounted_elsewhere_is_gone(source):
    """The blob is in another repository's name only."""
    text = source.push_alias('v1', b'one')
    with client_for(source) as client, plain_for(source.flavour) as other:
        other.push_blob(b'one')
        client.del_blob(sha256(b'one'))
        assert client.copy('v1', client_for(other)) == sha256(text.encode())
        assert other.get_manifest('v1').text == text


# Referrers


def referring(plain):
    """An index's text, and what refers to it, to what it lists, and to these."""
    images = [Image('linux/amd64'), Image('linux/arm64')]
    for image in images:
        image.push(plain)
    text = index(*(image.entry() for image in images))
    plain.push_manifest('v1', text, OCI_INDEX)
    first = attach(plain, text, 'first', OCI_INDEX)
    return text, {
        sha256(first.encode()): text,
        sha256(attach(plain, text, 'second', OCI_INDEX).encode()): text,
        sha256(attach(plain, images[1].text, 'of a platform').encode()): images[1].text,
        sha256(attach(plain, first, 'of a referrer').encode()): first,
    }


@pytest.mark.parametrize('to', [*KINDS])
@pytest.mark.parametrize('origin', ['http', 'ocimem', 'layout'])
def test_referrers(places, origin, to):
    with plain_for(places(origin)) as one, plain_for(places(to)) as other:
        text, referrers = referring(one)
        with client_for(one) as client, client_for(other) as target:
            client.copy('v1', target)
            assert target.list_referrers('v1') == []
            for _ in range(2):
                client.copy('v1', target, referrers=True)
                for digest, subject in referrers.items():
                    check_same(one, other, digest)
                    found = target.list_referrers(sha256(subject.encode()))
                    assert len(found) == (2 if subject == text else 1)
                    assert (digest, 'text/x-test') in [(r.digest, r.artifact_type) for r in found]


def test_a_list_of_referrers_that_is_wrong(source, target):
    """It is kept by a tag, which anybody may write."""
    text = source.push_alias('v1', b'one')
    other = source.push_alias('other', b'other')
    about = attach(source, text, 'signature', SCHEMA2)
    gone = attach(source, text, 'gone', SCHEMA2)
    itself = entry(text)
    source.push_manifest(
        sha256(text.encode()).replace(':', '-'),
        index(itself, entry(other), entry(about), entry(gone)), OCI_INDEX,
    )  # fmt: skip
    source.delete('manifests/' + sha256(gone.encode()))
    with client_for(source) as client, client_for(target) as elsewhere:
        client.copy('v1', elsewhere, referrers=True)
        assert [one.digest for one in elsewhere.list_referrers('v1')] == [sha256(about.encode())]
    assert target.get_manifest(sha256(other.encode())).status_code == 404


def test_the_list_of_referrers_cannot_be_had(target, fake_server):
    text = schema2(b'', b'')
    headers = {'Content-Type': SCHEMA2}
    fake_server.on('GET', '/v2/a/manifests/v1', Answer(200, text, headers))
    fake_server.on('HEAD', '/v2/a/blobs/.*', Answer(200, headers={'Content-Length': '0'}))
    fake_server.on('GET', '/v2/a/blobs/.*', Answer(200))
    about = {**json.loads(text), 'subject': descriptor(text.encode())}
    listed = index(entry(json.dumps(about)))
    fake_server.on('GET', '/v2/a/referrers/.*', Answer(200, listed, {'Content-Type': OCI_INDEX}))
    fake_server.on('GET', '/v2/a/manifests/sha256:.*', Answer(403))
    client = dxf.DXF(fake_server.host, 'a', insecure=True, retries=0)
    with client_for(target) as elsewhere:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.copy('v1', elsewhere, referrers=True)
        assert e.value.response.status_code == 403
        # An alias without its signatures would be half of it.
        assert target.get_manifest('v1').status_code == 404


def test_what_has_a_subject_is_listed(source, target):
    """Without being asked for: whoever pushes such a manifest has to see to that."""
    text = source.push_alias('v1', b'one')
    about = attach(source, text, 'signature', SCHEMA2)
    source.push_manifest('signature', about, OCI_MANIFEST)
    with client_for(source) as client, client_for(target) as elsewhere:
        client.copy('signature', elsewhere)
        (found,) = elsewhere.list_referrers(sha256(text.encode()))
        assert found.digest == sha256(about.encode())


# What is in the way


def blob_path(registry, digest):
    encoded = digest.partition(':')[2]
    return registry.root / 'docker/registry/v2/blobs/sha256' / encoded[:2] / encoded / 'data'


@pytest.mark.parametrize('size', [10, 3_000_000])
@pytest.mark.parametrize('kind', ['http second', 'layout'])
def test_a_blob_that_is_not_right(places, source, size, kind):
    """It is noticed before the end of it is sent, and there is no alias."""
    content = os.urandom(size)
    source.push_alias('v1', content)
    path = blob_path(source.flavour.registry, sha256(content))
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with client_for(source) as client, plain_for(places(kind)) as other:
        with pytest.raises(DXFDigestMismatchError) as e:
            client.copy('v1', client_for(other))
        assert e.value.expected == sha256(content)
        assert not other.has_blob(sha256(content))
        assert other.get_manifest('v1').status_code == 404


@pytest.mark.parametrize('wrong', [3, 5])
def test_a_blob_of_another_size(source, target, wrong):
    source.push_blob(b'four')
    text = schema2(b'four').replace('"size": 4', f'"size": {wrong}')
    source.push_manifest('v1', text)
    with client_for(source) as client, client_for(target) as elsewhere:
        with pytest.raises(DXFSizeMismatchError) as e:
            client.copy('v1', elsewhere)
        assert (e.value.got, e.value.expected) == (4, wrong)
    assert target.get_manifest('v1').status_code == 404


@pytest.mark.parametrize('length', [None, '4'])
@pytest.mark.parametrize('body', [b'fou', b'four and more'])
def test_a_blob_that_ends_elsewhere(target, fake_server, body, length):
    """What comes counts, whatever was announced."""
    text = schema2(b'four')
    fake_server.on('GET', '/v2/a/manifests/v1', Answer(200, text, {'Content-Type': SCHEMA2}))
    fake_server.on('HEAD', '/v2/a/blobs/.*', Answer(200, headers={'Content-Length': '4'}))
    answer = Answer(200, iter([body])) if length is None else Answer(200, body)
    fake_server.on('GET', '/v2/a/blobs/.*', answer)
    client = dxf.DXF(fake_server.host, 'a', insecure=True, retries=0)
    with client_for(target) as elsewhere, pytest.raises(DXFError):
        client.copy('v1', elsewhere)
    assert target.get_manifest('v1').status_code == 404
    assert not target.has_blob(sha256(b'four'))


def test_the_source_fails_midway(target, fake_server):
    """That is said as it is, and not as if the target had failed."""
    content = os.urandom(1_000_000)
    text = schema2(content)
    fake_server.on('GET', '/v2/a/manifests/v1', Answer(200, text, {'Content-Type': SCHEMA2}))
    fake_server.on('GET', '/v2/a/blobs/.*', [Answer(200, content, cut_after=600_000), Answer(403)])
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    with client_for(target) as elsewhere:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.copy('v1', elsewhere)
        assert e.value.response.status_code == 403
    assert not target.has_blob(sha256(content))


def test_a_source_that_is_cut_is_gone_on_with(target, fake_server):
    content = os.urandom(1_000_000)
    text = schema2(content)

    def rest(request):
        first = int(request.headers['Range'][6:-1])
        found = f'bytes {first}-{len(content) - 1}/{len(content)}'
        return Answer(206, content[first:], {'Content-Range': found})

    cut = [Answer(200, content, cut_after=600_000)]
    fake_server.on('GET', '/v2/a/manifests/v1', Answer(200, text, {'Content-Type': SCHEMA2}))
    fake_server.on('GET', '/v2/a/blobs/.*', lambda request: cut.pop() if cut else rest(request))
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    with client_for(target) as elsewhere:
        client.copy('v1', elsewhere)
    assert target.get_blob(sha256(content)).content == content


class PlainHash:
    """As programs replace it in their tests."""

    def __init__(self, content=b''):
        self._hash = SHA256(content)
        self.update = self._hash.update
        self.hexdigest = self._hash.hexdigest


SHA256 = hashlib.sha256
MIB = 1 << 20


def blob_of(fake_server, content, corrupt=False):
    """An image of one blob, and what ranges of that were asked for; these may be wrong."""
    text, asked = schema2(content), []

    def answer(request):
        asked.append(request.headers.get('Range'))
        if asked[-1] is None:
            return Answer(200, content)
        first = int(asked[-1][6:-1])
        found = f'bytes {first}-{len(content) - 1}/{len(content)}'
        rest = content[first:]
        return Answer(206, rest[::-1] if corrupt else rest, {'Content-Range': found})

    fake_server.on('GET', '/v2/a/manifests/v1', Answer(200, text, {'Content-Type': SCHEMA2}))
    fake_server.on('GET', '/v2/a/blobs/.*', answer)
    return dxf.DXF(fake_server.host, 'a', insecure=True), asked


@pytest.mark.parametrize('chunk_size', [None, 6 * MIB])
def test_a_target_that_is_cut_is_gone_on_with(fake_server, chunk_size):
    """What it has is not fetched again, but for a little."""
    content = os.urandom(MIB) * 12
    client, asked = blob_of(fake_server, content)
    with UploadServer() as server:
        server.script('PUT' if chunk_size is None else 'PATCH', Cut(5 * MIB + 1))
        with dxf.DXF(server.host, 'b', insecure=True, upload_chunk_size=chunk_size) as target:
            client.copy('v1', target)
        assert server.blobs == {sha256(content): content}
    whole, *ranges = asked
    assert whole is None
    assert ranges
    assert 3 * MIB < int(ranges[0][6:-1]) <= 5 * MIB + 1


def test_a_target_that_is_cut_and_a_source_that_goes_on_with_something_else(fake_server):
    content = os.urandom(MIB) * 12
    client, asked = blob_of(fake_server, content, corrupt=True)
    with UploadServer() as server:
        server.script('PUT', Cut(5 * MIB))
        with dxf.DXF(server.host, 'b', insecure=True) as target:
            with pytest.raises(DXFDigestMismatchError):
                client.copy('v1', target)
        assert server.blobs == {}
    assert len(asked) == 2


def test_a_target_that_is_cut_where_something_stands_in_for_hashlib(fake_server, monkeypatch):
    """It can't be hashed on from the middle, and is fetched anew."""
    content = os.urandom(MIB) * 12
    client, asked = blob_of(fake_server, content)
    monkeypatch.setattr('hashlib.sha256', PlainHash)
    with UploadServer() as server:
        server.script('PUT', Cut(5 * MIB))
        with dxf.DXF(server.host, 'b', insecure=True) as target:
            client.copy('v1', target)
        assert list(server.blobs) == [sha256(content)]
    assert asked == [None, None]


def uploads_to(fake_server, puts):
    """A registry that takes what is sent as the answers to PUTs say."""
    count = iter(range(100))
    fake_server.on('HEAD', '/v2/b/blobs/.*', Answer(404))
    fake_server.on(
        'POST', '/v2/b/blobs/uploads/',
        lambda _: Answer(202, headers={'Location': f'/v2/b/blobs/uploads/{next(count)}'}),
    )  # fmt: skip
    fake_server.on('(GET|DELETE)', '/v2/b/blobs/uploads/.*', Answer(404))
    fake_server.on('PUT', '/v2/b/blobs/uploads/.*', puts)
    fake_server.on('PUT', '/v2/b/manifests/.*', Answer(201))
    return dxf.DXF(fake_server.host, 'b', insecure=True)


def test_a_target_that_fails_is_sent_it_again(source, fake_server, clock):
    content = os.urandom(700_000)
    source.push_alias('v1', content)
    target = uploads_to(fake_server, [Answer(500), Answer(201)])
    seen = []
    with client_for(source) as client:
        client.copy('v1', target, progress=lambda digest, piece, size: seen.append((piece, size)))
    bodies = [request.body for request in fake_server.requests
              if request.method == 'PUT' and 'uploads' in request.path]  # fmt: skip
    assert bodies == [content, content]
    # What is sent again is no progress.
    assert b''.join(piece for piece, _ in seen) == content
    assert seen[0] == (b'', len(content))
    assert {size for _, size in seen} == {len(content)}


def test_a_target_that_takes_small_bodies_only(source, fake_server):
    content = os.urandom(900_000)
    source.push_alias('v1', content)
    location = {'Location': '/v2/b/blobs/uploads/next'}
    target = uploads_to(fake_server, lambda r: Answer(413 if r.length else 201))
    fake_server.on(
        'PATCH', '/v2/b/blobs/uploads/.*',
        lambda r: Answer(413) if r.length > 500_000 else Answer(202, headers=location),
    )  # fmt: skip
    with client_for(source) as client:
        client.copy('v1', target)
    parts = [r.body for r in fake_server.requests if r.method == 'PATCH' and r.length <= 500_000]
    assert b''.join(parts) == content


def test_the_registry_has_another_opinion_of_the_digest(source, fake_server):
    source.push_alias('v1', b'content')
    target = uploads_to(fake_server, Answer(400, {'errors': [{'code': 'DIGEST_INVALID'}]}))
    with client_for(source) as client, pytest.raises(requests.exceptions.HTTPError) as e:
        client.copy('v1', target)
    assert 'DIGEST_INVALID' in str(e.value)
    assert not isinstance(e.value, DXFError)


@pytest.mark.parametrize(
    ('failing', 'which'),
    [
        ('PUT manifests/v1', 1),
        ('PUT manifests/sha256:', 3),
        ('PUT manifests/sha256-', 1),
        ('POST', 4),
    ],
)
def test_a_copy_that_is_cut(source, target, monkeypatch, failing, which):
    """The alias comes last, so that there is none of half of it; and then the rest is copied."""
    text = all_kinds(source)
    source.push_manifest('v1', text, OCI_INDEX)
    attach(source, text, 'signature', OCI_INDEX)
    with client_for(source) as client, client_for(target) as elsewhere:
        request, calls = elsewhere._request, []

        def cut(method, path, **kwargs):
            calls.append(f'{method.upper()} {path}')
            if len([call for call in calls if re.match(failing, call)]) == which:
                raise requests.exceptions.ConnectionError('cut')
            return request(method, path, **kwargs)

        monkeypatch.setattr(elsewhere, '_request', cut)
        with pytest.raises(requests.exceptions.ConnectionError):
            client.copy('v1', elsewhere, referrers=True)
        assert target.get_manifest('v1').status_code == 404
        monkeypatch.undo()
        client.copy('v1', elsewhere, referrers=True)
    check_same(source, target, 'v1')


def test_what_is_not_there(source, target):
    with client_for(source) as client, client_for(target) as elsewhere:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.copy('none', elsewhere)
        assert e.value.response.status_code == 404
        text = source.push_alias('v1', b'one', b'two')
        client.del_blob(sha256(b'two'))
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.copy('v1', elsewhere)
        assert e.value.response.status_code == 404
    assert text
    assert target.get_manifest('v1').status_code == 404


def test_who_may_not(request, source):
    flavour = request.getfixturevalue('registry_htpasswd')
    source.push_alias('v1', b'one')
    target = dxf.DXF(flavour.host, 'no/where', tlsverify=flavour.ca)
    with client_for(source) as client, pytest.raises(DXFUnauthorizedError):
        client.copy('v1', target)


def test_credentials_stay_where_they_belong(registry_http, certificates, tmp_path):
    """Neither registry sees the other's."""
    pair = doors.Pair(registry_http.registry, certificates, tmp_path)
    try:
        repo = registry_http.new_repo()
        with PlainClient(registry_http, repo) as plain:
            plain.push_alias('v1', b'one', b'two')

        def auth(client, response):
            client.authenticate(doors.USERNAME, doors.PASSWORD, response=response)

        with dxf.DXF(
            pair.right.host, repo, auth, tlsverify=pair.ca, tlscert=pair.cert
        ) as knows, dxf.DXF(pair.wrong.host, repo + '/b', tlsverify=pair.ca) as does_not:
            knows._headers['X-Api-Key'] = doors.API_KEY
            knows.copy('v1', does_not)
            does_not.copy('v1', knows, 'back')
        assert pair.wrong.visits
        assert [visit.shown() for visit in pair.wrong.visits if visit.shown()] == []
        with PlainClient(registry_http, repo) as plain:
            assert plain.get_manifest('back').text == plain.get_manifest('v1').text
    finally:
        pair.stop()


# Other manifests


def test_an_index_that_lists_blobs(source, places):
    """As caches of BuildKit's do. Who does not take it says so."""
    source.push_blob(b'cache')
    source.push_blob(b'config')
    text = index(
        descriptor(b'cache', 'application/vnd.oci.image.layer.v1.tar+gzip'),
        descriptor(b'config', 'application/vnd.buildkit.cacheconfig.v0'),
    )
    source.push_manifest('v1', text, OCI_INDEX)
    for kind in ('http second', 'layout'):
        with client_for(source) as client, plain_for(places(kind)) as other:
            client.copy('v1', client_for(other))
            assert other.get_manifest('v1').text == text
            for content in (b'cache', b'config'):
                assert other.get_blob(sha256(content)).content == content


FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
NOT_DISTRIBUTABLE = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'


@pytest.mark.parametrize('kind', [FOREIGN, NOT_DISTRIBUTABLE])
def test_what_is_not_to_be_distributed(places, kind):
    """It is not sent to another registry, and mounted in the same one."""
    with plain_for(places('layout')) as one, plain_for(places('layout second')) as other:
        for content in (b'config', b'base', b'own'):
            one.push_blob(content)
        foreign = {**descriptor(b'base', kind), 'urls': ['https://example.com/base']}
        own = descriptor(b'own', LAYER_TYPE)
        text = oci_manifest(b'config', layers=[foreign, own])
        one.push_manifest('v1', text, OCI_MANIFEST)
        with client_for(one) as client, client_for(other) as target:
            client.copy('v1', target)
            assert other.get_manifest('v1').text == text
            assert not other.has_blob(sha256(b'base'))
            assert other.has_blob(sha256(b'own'))
            beside = dxf.DXF.from_base(client, one.repo + '/other')
            client.copy('v1', beside)
            assert beside.blob_size(sha256(b'base')) == 4


LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar'


@pytest.mark.parametrize('there', [True, False])
def test_a_layer_that_can_be_had_by_its_url(places, there):
    with plain_for(places('layout')) as one, plain_for(places('layout second')) as other:
        one.push_blob(b'config')
        if there:
            one.push_blob(b'base')
        base = {**descriptor(b'base', LAYER_TYPE), 'urls': ['https://example.com/base']}
        text = oci_manifest(b'config', layers=[base])
        one.push_manifest('v1', text, OCI_MANIFEST)
        with client_for(one) as client:
            client.copy('v1', client_for(other))
        assert other.get_manifest('v1').text == text
        assert other.has_blob(sha256(b'base')) is there


def test_a_manifest_without_layers(source, target):
    source.push_blob(b'config')
    document = json.loads(oci_manifest(b'config'))
    del document['layers']
    text = json.dumps(document)
    source.push_manifest('v1', text, OCI_MANIFEST)
    with client_for(source) as client, client_for(target) as elsewhere:
        client.copy('v1', elsewhere)
    assert target.get_manifest('v1').text == text


def signed_by(plain):
    layer = plain.push_blob(b'layer')
    payload = json.dumps(
        {
            'schemaVersion': 1, 'name': 'some/name', 'tag': 'v1', 'architecture': 'amd64',
            'fsLayers': [{'blobSum': layer}], 'history': [{'v1Compatibility': '{}'}],
        },
        indent=3,
    ).encode()  # fmt: skip
    text = sign(payload, JWK.generate(kty='EC', crv='P-256'))
    plain.push_manifest('v1', text, SIGNED_SCHEMA1)
    return sha256(payload)


@pytest.mark.parametrize('to', ['schema1', 'layout', 'ocimem'])
def test_schema1(places, registry_schema1, to):
    flavour = registry_schema1 if to == 'schema1' else places(to)
    with plain_for(registry_schema1) as one, plain_for(flavour) as other:
        digest = signed_by(one)
        with client_for(one) as client, client_for(other) as target:
            assert client.copy('v1', target, 'v2') == digest
            assert target.get_alias('v2') == [sha256(b'layer')]
            assert other.get_blob(sha256(b'layer')).content == b'layer'


def test_schema1_where_it_is_refused(registry_schema1, target, clock):
    with plain_for(registry_schema1) as one:
        signed_by(one)
        with client_for(one) as client, client_for(target) as elsewhere:
            with pytest.raises(DXFSchema1RefusedError) as e:
                client.copy('v1', elsewhere)
            assert e.value.response.status_code == 500
            assert str(e.value).startswith(
                'the registry takes no manifests of schema 1, or not this one: 500 Server Error'
            )
        assert target.get_manifest('v1').status_code == 404


def test_indexes_nested_too_deep(source, target):
    text = push(source, index(), OCI_INDEX)
    for _ in range(6):
        text = push(source, index(entry(text)), OCI_INDEX)
    source.push_manifest('v1', text, OCI_INDEX)
    with client_for(source) as client, client_for(target) as elsewhere:
        with pytest.raises(DXFInvalidManifestError, match='nested too deep'):
            client.copy('v1', elsewhere)
    assert target.get_manifest('v1').status_code == 404


def test_a_child_of_another_size(source, target):
    image = Image('linux/amd64')
    image.push(source)
    source.push_manifest('v1', index(image.entry(size=5)), OCI_INDEX)
    with client_for(source) as client, client_for(target) as elsewhere:
        with pytest.raises(DXFSizeMismatchError):
            client.copy('v1', elsewhere)


# How it is done


COPYING = """
import sys
import requests

def peak():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM:'))

before = peak()
import dxf
source, target = (dxf.DXF(f'oci:{path}', 'a') for path in sys.argv[1:])
source.copy('v1', target)
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='nobody says how much it is')
def test_large_blobs_in_little_memory(tmp_path):
    """Several at once, and none is kept. A layout takes more of it than a registry."""
    source, target = (dxf.DXF(f'oci:{tmp_path}/{name}', 'a') for name in ('one', 'other'))
    source.set_alias('v1', *[source.push_blob(data=bytes([n]) * (24 << 20)) for n in range(10)])
    done = subprocess.run(
        [sys.executable, '-c', COPYING, str(tmp_path / 'one'), str(tmp_path / 'other')],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(done.stdout) < 16 << 10  # in KiB, more than requests takes
    assert target.get_alias('v1', sizes=True) == source.get_alias('v1', sizes=True)


@pytest.mark.parametrize('which', [0, 1])
def test_doubles_are_used_by_one_thread(source, target, which):
    text = all_kinds(source)
    source.push_manifest('v1', text, OCI_INDEX)
    threads = set()
    with client_for(source) as client, client_for(target) as elsewhere:
        double = (client, elsewhere)[which]
        request = double._request

        def counted(*args, **kwargs):
            threads.add(threading.current_thread())
            return request(*args, **kwargs)

        double._request = counted
        client.copy('v1', elsewhere)
    assert threads == {threading.current_thread()}
    check_same(source, target, 'v1')


def test_folders_that_are_one(tmp_path, sent):
    (tmp_path / 'link').symlink_to(tmp_path / 'store')
    one = dxf.DXF(f'oci:{tmp_path}/store', 'a')
    one.set_alias('v1', one.push_blob(data=b'content'))
    del sent.requests[:]
    one.copy('v1', dxf.DXF(f'oci:{tmp_path}/link', 'b'))
    assert [method for method, path in sent.requests if '/blobs/' in path] == ['POST']
    one.copy('v1', dxf.DXF(f'oci:{tmp_path}/other', 'b'))
    assert 'PUT' in [method for method, path in sent.requests if '/blobs/' in path]
