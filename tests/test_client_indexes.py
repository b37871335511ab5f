"""Indexes as they are pushed: nested, with attestations, of artifacts; on the registry."""

import json

import pytest

from dxf import exceptions

from .support.client import (
    OCI_INDEX,
    OCI_MANIFEST,
    Image,
    client_for,
    entry,
    index,
    methods,
    record_sent,
)
from .support.plain import schema2, sha256


@pytest.fixture
def registry(registry_http):
    """The one whose `repo` and `plain` these are."""
    return registry_http


@pytest.fixture
def client(registry_http, repo):
    with client_for(registry_http, repo) as made:
        yield made


def pushed_index(plain, *entries, tag=None, **fields):
    """The index's text."""
    text = index(*entries, **fields)
    plain.push_manifest(tag or sha256(text.encode()), text, OCI_INDEX)
    return text


def pushed(plain, *platforms):
    images = [Image(platform) for platform in platforms]
    for image in images:
        image.push(plain)
    return images


def attestation_of(plain, image):
    made = Image('unknown/unknown', layers=1)
    made.push(plain)
    return made.entry(
        annotations={
            'vnd.docker.reference.digest': image.digest,
            'vnd.docker.reference.type': 'attestation-manifest',
        }
    )


def nested_entry(text, platform=None, media_type=OCI_INDEX):
    return entry(text, platform, media_type)


@pytest.fixture
def nested(plain):
    """Images for three platforms, two of them in an index in an index in the alias's."""
    images = pushed(plain, 'linux/amd64', 'linux/arm64', 'linux/s390x')
    inmost = pushed_index(plain, images[1].entry())
    inner = pushed_index(plain, nested_entry(inmost), images[2].entry())
    pushed_index(plain, images[0].entry(), nested_entry(inner, 'plan9/mips'), tag='latest')
    return images


def test_nested_indexes_are_read(client, nested):
    assert client.list_platforms('latest') == ['linux/amd64', 'linux/arm64', 'linux/s390x']
    assert client.get_alias('latest') == {i.platform: i.layer_digests for i in nested}
    assert client.get_alias('latest', sizes=True) == {i.platform: i.layer_sizes for i in nested}
    assert client.get_digest('latest') == {i.platform: i.config_digest for i in nested}
    assert client.get_manifest('latest') == {i.platform: i.text for i in nested}
    for image in nested:
        assert client.get_alias('latest', platform=image.platform) == image.layer_digests
        assert client.get_digest('latest', platform=image.platform) == image.config_digest
        assert client.get_manifest('latest', platform=image.platform) == image.text
    with pytest.raises(exceptions.DXFPlatformDataNotFound):
        client.get_alias('latest', platform='plan9/mips')


def test_deleting_a_nested_alias_leaves_what_it_lists(client, plain, nested):
    assert client.del_alias('latest') == {i.platform: i.digest for i in nested}
    assert plain.get_manifest('latest').status_code == 404
    for image in nested:
        assert plain.get_manifest(image.digest).status_code == 200


def test_an_inner_index_that_knows_no_platform_has_that_of_its_entry(client, plain):
    images = pushed(plain, 'linux/amd64', 'linux/arm64')
    inner = [
        pushed_index(plain, entry(image.text), attestation_of(plain, image)) for image in images
    ]
    entries = [nested_entry(text, image.platform) for text, image in zip(inner, images)]
    pushed_index(plain, *entries, tag='latest')
    assert client.get_alias('latest') == {i.platform: i.layer_digests for i in images}


def test_platforms_of_several_indexes_are_told_apart(client, plain):
    images = [Image('linux/amd64', layers=n) for n in (1, 2)]
    for image in images:
        image.push(plain)
    inner = pushed_index(plain, images[0].entry())
    pushed_index(plain, nested_entry(inner), images[1].entry(), tag='latest')
    names = [f'linux/amd64@{image.digest}' for image in images]
    assert client.list_platforms('latest') == names
    for name, image in zip(names, images):
        assert client.get_alias('latest', platform=name) == image.layer_digests
    assert client.get_alias('latest', platform='linux/amd64') == images[0].layer_digests


def test_an_index_that_is_listed_as_something_else(client, plain):
    first, second = pushed(plain, 'linux/amd64', 'linux/arm64')
    inner = pushed_index(plain, second.entry())
    listed = nested_entry(inner, 'linux/riscv64', OCI_MANIFEST)
    pushed_index(plain, first.entry(), listed, tag='latest')
    images = [first, second]
    assert client.get_alias('latest') == {i.platform: i.layer_digests for i in images}
    with pytest.raises(exceptions.DXFPlatformDataNotFound):
        client.get_alias('latest', platform='linux/riscv64')


def test_an_image_that_is_listed_as_an_index(client, plain):
    (image,) = pushed(plain, 'linux/amd64')
    pushed_index(plain, image.entry(media_type=OCI_INDEX), tag='latest')
    assert client.get_alias('latest') == {image.platform: image.layer_digests}
    assert client.list_platforms('latest') == [image.platform]


def test_an_index_that_is_listed_twice_counts_once(client, plain):
    (image,) = pushed(plain, 'linux/amd64')
    inner = nested_entry(pushed_index(plain, image.entry()))
    outer = nested_entry(pushed_index(plain, inner, inner))
    pushed_index(plain, inner, outer, outer, tag='latest')
    assert client.get_alias('latest') == {image.platform: image.layer_digests}


@pytest.mark.parametrize(('depth', 'is_read'), [(4, True), (5, False)])
def test_nesting_has_an_end(client, plain, depth, is_read):
    (image,) = pushed(plain, 'linux/amd64')
    inner = image.entry()
    for _ in range(depth):
        inner = nested_entry(pushed_index(plain, inner))
    pushed_index(plain, inner, tag='latest')
    if is_read:
        assert client.list_platforms('latest') == ['linux/amd64']
        return
    for read in (client.list_platforms, client.get_alias, client.get_digest, client.get_manifest):
        with pytest.raises(exceptions.DXFInvalidManifestError, match='nested too deep') as e:
            read('latest')
        assert e.value.manifest == 'latest'


def test_indexes_in_an_index_are_counted_before_they_are_read(client, plain, monkeypatch):
    inner = [pushed_index(plain, annotations={'n': str(n)}) for n in range(65)]
    pushed_index(plain, *map(nested_entry, inner), tag='latest')
    sent = record_sent(monkeypatch)
    with pytest.raises(exceptions.DXFInvalidManifestError, match='too many indexes') as e:
        client.get_alias('latest')
    assert e.value.manifest == 'latest'
    assert methods(sent) == ['GET']


def test_what_it_costs(client, plain, nested, monkeypatch):
    pushed_index(plain, *[image.entry() for image in nested], tag='flat')
    sent = record_sent(monkeypatch)
    client.list_platforms('flat')
    client.list_manifests('flat')
    client.list_manifests('latest')
    assert methods(sent) == ['GET'] * 3
    del sent[:]
    client.get_alias('flat', platform='linux/amd64')
    assert methods(sent) == ['GET'] * 2
    del sent[:]
    # What comes before the inner index does not wait for it.
    client.get_alias('latest', platform='linux/amd64')
    assert methods(sent) == ['GET'] * 2
    del sent[:]
    client.list_platforms('latest')
    assert methods(sent) == ['GET'] * 3


def test_attestations_can_be_had(client, plain):
    (image,) = pushed(plain, 'linux/arm/v7')
    described = attestation_of(plain, image)
    pushed_index(plain, image.entry(), described, tag='latest')
    assert client.list_platforms('latest') == ['linux/arm/v7']
    first, second = client.list_manifests('latest')
    assert first[:3] == (image.digest, len(image.text), OCI_MANIFEST)
    assert (first.platform, first.artifact_type) == ('linux/arm/v7', None)
    assert (second.digest, second.platform) == (described['digest'], None)
    assert second.annotations == described['annotations']
    assert sha256(client.get_manifest(second.digest).encode()) == second.digest


def test_an_index_of_artifacts(client, plain):
    images = [Image(None, layers=n) for n in (1, 2)]
    for image in images:
        image.push(plain)
    entries = [image.entry(artifactType='text/x-test') for image in images]
    pushed_index(plain, *entries, tag='latest')
    assert client.list_platforms('latest') == [image.digest for image in images]
    assert client.get_alias('latest') == {i.digest: i.layer_digests for i in images}
    assert [one.artifact_type for one in client.list_manifests('latest')] == ['text/x-test'] * 2
    assert [one.platform for one in client.list_manifests('latest')] == [None] * 2


def test_windows_twins_have_the_names_that_are_read(client, plain):
    images = [Image('windows/amd64', layers=n) for n in (1, 2)]
    entries = []
    for image, version in zip(images, ('10.0.1', '10.0.2')):
        image.push(plain)
        entries.append(image.entry())
        entries[-1]['platform']['os.version'] = version
    pushed_index(plain, *entries, tag='latest')
    names = ['windows(10.0.1)/amd64', 'windows(10.0.2)/amd64']
    assert client.list_platforms('latest') == list(client.get_alias('latest')) == names
    assert [one.platform for one in client.list_manifests('latest')] == names


def test_what_is_not_multi_arch_lists_nothing(client, plain):
    content = b'content'
    plain.push_blob(content)
    plain.push_manifest('latest', schema2(content, content))
    assert client.list_platforms('latest') == []
    assert client.list_manifests('latest') == []


@pytest.mark.parametrize('difference', [-1, 1, 1 << 40])
def test_a_child_is_as_long_as_the_index_says(client, plain, difference):
    (image,) = pushed(plain, 'linux/amd64')
    size = len(image.text) + difference
    pushed_index(plain, image.entry(size=size), tag='latest')
    assert client.list_platforms('latest') == ['linux/amd64']
    for read in (client.get_alias, client.get_digest, client.get_manifest):
        with pytest.raises(exceptions.DXFSizeMismatchError) as e:
            read('latest')
        assert (e.value.got, e.value.expected) == (len(image.text), size)
        assert e.value.digest == image.digest
        for part in (image.digest, str(len(image.text)), str(size)):
            assert part in str(e.value)


def test_a_descriptor_s_fields():
    import dxf

    assert dxf.Descriptor('sha256:0', 1)[2:] == (None, {}, None, None)


def test_an_index_at_hand(client, plain, nested):
    text = client.get_manifest_and_response('latest')[0]
    assert client.get_alias(manifest=text) == {i.platform: i.layer_digests for i in nested}
    assert json.loads(text)['manifests'][1]['mediaType'] == OCI_INDEX
