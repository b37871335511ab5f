"""Aliases for several platforms: manifest lists and OCI indexes, on the registry."""

import itertools
import json

import pytest
import requests

from dxf import exceptions

from .support.client import (
    LIST,
    OCI_INDEX,
    Image,
    client_for,
    index,
    methods,
    oci_manifest,
    record_sent,
)
from .support.plain import schema2, sha256

PLATFORMS = ('linux/amd64', 'linux/arm/v7', 'windows/amd64')


class Pushed:
    """An alias for some platforms, as another client pushed it."""

    def __init__(self, plain, images, alias='latest', media_type=OCI_INDEX, **fields):
        self.images = images
        for image in images:
            image.push(plain)
        self.text = index(*[i.entry() for i in images], media_type=media_type, **fields)
        plain.push_manifest(alias, self.text, media_type or OCI_INDEX)


@pytest.fixture
def client(registry, repo):
    with client_for(registry, repo) as made:
        yield made


@pytest.fixture(params=['list', 'index', 'untyped', 'of-schema2'])
def pushed(request, plain):
    """The kinds of alias there are: their types, and those of what is in them."""
    if request.param == 'list':
        images = [Image(platform, make=schema2) for platform in PLATFORMS]
        return Pushed(plain, images, media_type=LIST)
    if request.param == 'of-schema2':
        images = [Image(platform, make=schema2) for platform in PLATFORMS]
        return Pushed(plain, images)
    images = [Image(platform) for platform in PLATFORMS]
    return Pushed(plain, images, media_type=OCI_INDEX if request.param == 'index' else None)


def test_all_platforms(client, pushed):
    images = pushed.images
    assert client.get_alias('latest') == {i.platform: i.layer_digests for i in images}
    assert client.get_alias('latest', sizes=True) == {i.platform: i.layer_sizes for i in images}
    assert client.get_alias(manifest=pushed.text) == {i.platform: i.layer_digests for i in images}
    assert client.get_digest('latest') == {i.platform: i.config_digest for i in images}
    assert client.get_digest(manifest=pushed.text) == {i.platform: i.config_digest for i in images}
    assert client.get_manifest('latest') == {i.platform: i.text for i in images}


def test_platforms_come_in_the_order_of_the_index(client, pushed):
    for read in (client.get_alias, client.get_digest, client.get_manifest):
        assert list(read('latest')) == list(PLATFORMS)


def test_one_platform(client, pushed):
    for i in pushed.images:
        assert client.get_alias('latest', platform=i.platform) == i.layer_digests
        assert client.get_alias('latest', None, True, True, i.platform) == i.layer_sizes
        assert client.get_alias(manifest=pushed.text, platform=i.platform) == i.layer_digests
        assert client.get_digest('latest', platform=i.platform) == i.config_digest
        assert client.get_digest(None, pushed.text, i.platform) == i.config_digest
        assert client.get_manifest('latest', i.platform) == i.text


def test_the_index_itself(client, pushed):
    text, response = client.get_manifest_and_response('latest')
    assert text == response.text == pushed.text
    digest, _ = client.head_manifest_and_response('latest')
    assert digest == sha256(pushed.text.encode())


MISSING = (
    'linux/s390x', 'linux/arm/v6', 'linux', '', '/', '//', 'nonsense', 'linux/amd64/v3', 'amd64',
    # No text at all is a form too.
    b'linux/amd64', ('linux', 'amd64'), ['linux', 'amd64'], {'os': 'linux'}, 0, False,
)  # fmt: skip


def test_a_platform_that_is_not_there(client, pushed):
    reads = (
        lambda missing: client.get_alias('latest', platform=missing),
        lambda missing: client.get_alias('latest', sizes=True, platform=missing),
        lambda missing: client.get_alias(manifest=pushed.text, platform=missing),
        lambda missing: client.get_digest('latest', platform=missing),
        lambda missing: client.get_digest(manifest=pushed.text, platform=missing),
        lambda missing: client.get_manifest('latest', platform=missing),
    )
    for missing, read in itertools.product(MISSING, reads):
        with pytest.raises(exceptions.DXFPlatformDataNotFound) as e:
            read(missing)
        assert e.value.platform == missing


# From here on what matters is the index, not how the registry is reached.


def test_requests(http_client, http_plain, monkeypatch):
    images = [Image(platform) for platform in PLATFORMS]
    Pushed(http_plain, images)
    sent = record_sent(monkeypatch)
    for read in (
        lambda: http_client.get_alias('latest', platform='linux/amd64', sizes=True),
        lambda: http_client.get_digest('latest', platform='linux/amd64'),
        lambda: http_client.get_manifest('latest', platform='linux/amd64'),
    ):
        read()
        assert methods(sent) == ['GET', 'GET']
        assert sent[1].url.endswith('/manifests/' + images[0].digest)
        del sent[:]
    http_client.get_alias('latest', sizes=True)
    assert methods(sent) == ['GET'] * 4


@pytest.mark.parametrize(
    ('spelt', 'asked'),
    [
        ('linux/arm64', 'linux/arm64/v8'),
        ('linux/arm64/v8', 'linux/arm64'),
        ('linux/arm', 'linux/arm/v7'),
        ('linux/arm/v7', 'linux/arm'),
        ('linux/amd64', 'linux/x86_64'),
        ('linux/arm64', 'linux/aarch64'),
        ('linux/386', 'linux/i386'),
    ],
)
def test_the_same_machine_by_another_name(http_client, http_plain, spelt, asked):
    images = [Image('plan9/mips'), Image(spelt)]
    Pushed(http_plain, images)
    assert http_client.get_alias('latest', platform=asked) == images[1].layer_digests
    assert list(http_client.get_alias('latest')) == ['plan9/mips', spelt]
    with pytest.raises(exceptions.DXFPlatformDataNotFound):
        http_client.get_alias('latest', platform='linux/mips')


@pytest.mark.parametrize('order', [1, -1])
def test_the_exact_name_wins(http_client, http_plain, order):
    images = [Image('linux/arm64'), Image('linux/arm64/v8')][::order]
    Pushed(http_plain, images)
    for image in images:
        assert http_client.get_digest('latest', platform=image.platform) == image.config_digest
    assert sorted(http_client.get_digest('latest')) == ['linux/arm64', 'linux/arm64/v8']


def test_an_image_and_its_attestations(http_client, http_plain):
    """As BuildKit pushes them: attestations are no platform of the alias."""
    image = Image('linux/amd64')
    image.push(http_plain)
    attestation = Image('unknown/unknown')
    attestation.push(http_plain)
    entry = attestation.entry(
        annotations={
            'vnd.docker.reference.digest': image.digest,
            'vnd.docker.reference.type': 'attestation-manifest',
        }
    )
    text = index(image.entry(), entry)
    http_plain.push_manifest('latest', text, OCI_INDEX)
    assert http_client.get_alias('latest') == {'linux/amd64': image.layer_digests}
    assert http_client.get_digest('latest') == {'linux/amd64': image.config_digest}
    assert http_client.get_manifest('latest') == {'linux/amd64': image.text}
    for missing in ('unknown/unknown', ''):
        with pytest.raises(exceptions.DXFPlatformDataNotFound):
            http_client.get_alias('latest', platform=missing)
    assert http_client.del_alias('latest') == {'linux/amd64': image.digest}


def test_entries_without_a_platform(http_client, http_plain):
    image, artifact = Image('linux/amd64'), Image(None)
    for each in (image, artifact):
        each.push(http_plain)
    text = index(artifact.entry(), image.entry())
    http_plain.push_manifest('latest', text, OCI_INDEX)
    assert http_client.get_alias('latest', platform='linux/amd64') == image.layer_digests
    assert http_client.get_alias('latest')['linux/amd64'] == image.layer_digests


def test_platforms_that_are_shared(http_client, http_plain):
    """Windows images differ by os.version alone: none may vanish."""
    images = [Image('windows/amd64', layers=n) for n in (1, 2)]
    entries = []
    for image, version in zip(images, ('10.0.20348.2700', '10.0.17763.1')):
        image.push(http_plain)
        described = image.entry()
        described['platform']['os.version'] = version
        entries.append(described)
    http_plain.push_manifest('latest', index(*entries), OCI_INDEX)
    found = http_client.get_alias('latest')
    assert list(found.values()) == [image.layer_digests for image in images]
    assert list(found) == ['windows(10.0.20348.2700)/amd64', 'windows(10.0.17763.1)/amd64']
    for name, image in zip(found, images):
        assert http_client.get_alias('latest', platform=name) == image.layer_digests
    assert http_client.get_alias('latest', platform='windows/amd64') in found.values()


def test_an_empty_index(http_client, http_plain):
    http_plain.push_manifest('latest', index(), OCI_INDEX)
    assert http_client.get_alias('latest') == {}
    assert http_client.get_digest('latest') == {}
    assert http_client.get_manifest('latest') == {}
    with pytest.raises(exceptions.DXFPlatformDataNotFound):
        http_client.get_manifest('latest', platform='linux/amd64')
    assert http_client.del_alias('latest') == {}
    assert http_client.list_aliases() == []


def test_children_without_a_type(http_client, http_plain):
    def make(*contents):
        return oci_manifest(*contents, media_type=None)

    images = [Image(platform, make=make) for platform in PLATFORMS]
    Pushed(http_plain, images)
    assert http_client.get_alias('latest', sizes=True) == {
        i.platform: i.layer_sizes for i in images
    }
    assert http_client.get_manifest('latest') == {i.platform: i.text for i in images}


def test_many_platforms(http_client, http_plain):
    """More than are asked for side by side; each under its own name."""
    images = [Image(f'linux/machine{n}', layers=1) for n in range(25)]
    Pushed(http_plain, images)
    assert http_client.get_manifest('latest') == {i.platform: i.text for i in images}
    assert list(http_client.get_alias('latest')) == [i.platform for i in images]


def test_a_child_that_is_gone(http_client, http_plain):
    images = [Image(platform) for platform in PLATFORMS]
    Pushed(http_plain, images)
    http_plain.delete('manifests/' + images[1].digest)
    with pytest.raises(requests.exceptions.HTTPError) as e:
        http_client.get_alias('latest')
    assert e.value.response.status_code == 404
    assert http_client.get_alias('latest', platform=PLATFORMS[0]) == images[0].layer_digests


@pytest.mark.parametrize('media_type', [LIST, OCI_INDEX])
def test_set_manifest_copies_an_index(http_client, http_plain, media_type):
    make = schema2 if media_type == LIST else oci_manifest
    pushed = Pushed(http_plain, [Image('linux/amd64', make=make)], media_type=media_type)
    text, _ = http_client.get_manifest_and_response('latest')
    http_client.set_manifest('copy', text)
    assert http_plain.get_manifest('copy').text == pushed.text
    assert json.loads(pushed.text)['mediaType'] == media_type
    assert http_plain.get_manifest('copy').headers['Content-Type'] == media_type
