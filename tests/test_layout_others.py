"""Layouts as programs write them that are not at hand here, made by hand as they make them."""

import json

import pytest
import requests

from .support.client import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Image, entry, index
from .support.layouts import REF_NAME, LayoutFlavour, files, names, write_blob, write_layout
from .support.plain import descriptor, sha256

NO_CONFIG = b'{"architecture": "unknown", "os": "unknown"}'
CREATED = 'org.opencontainers.image.created'
CONTAINERD_NAME = 'io.containerd.image.name'


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'layouts'


@pytest.fixture
def client(folder):
    with LayoutFlavour(folder).client('app') as made:
        yield made


def written(layout, image):
    for content in (image.config, *image.layers, image.text.encode()):
        write_blob(layout, content)
    return image


def attestation(layout, of):
    """What BuildKit attests of an image: in-toto statements as layers."""
    layer = json.dumps({'_type': 'https://in-toto.io/Statement/v0.1'}).encode()
    made = {
        'schemaVersion': 2,
        'mediaType': OCI_MANIFEST,
        'config': descriptor(NO_CONFIG, OCI_CONFIG),
        'layers': [
            {
                **descriptor(layer, 'application/vnd.in-toto+json'),
                'annotations': {'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2'},
            }
        ],
    }
    text = json.dumps(made, indent=2)
    for content in (NO_CONFIG, layer, text.encode()):
        write_blob(layout, content)
    annotations = {
        'vnd.docker.reference.digest': of.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
    }
    return entry(text, 'unknown/unknown', annotations=annotations)


def built(layout, *platforms):
    """What `docker buildx build --output type=oci` puts into a layout: an index of its own."""
    images = [written(layout, Image(platform)) for platform in platforms]
    entries = [image.entry() for image in images]
    text = index(*entries, *(attestation(layout, image) for image in images))
    write_blob(layout, text.encode())
    # containerd's store has this folder beside its blobs.
    (layout / 'ingest').mkdir(exist_ok=True)
    return text, images


def listed(text, **annotations):
    annotations = {CREATED: '2024-05-01T10:00:00Z', **annotations}
    return {**descriptor(text.encode(), OCI_INDEX), 'annotations': annotations}


@pytest.mark.parametrize(
    ('name', 'tag'),
    [
        ({CONTAINERD_NAME: 'docker.io/library/app:1.0', REF_NAME: '1.0'}, '1.0'),
        ({CONTAINERD_NAME: 'ghcr.io/a/app:v2', REF_NAME: 'v2'}, 'v2'),
        ({REF_NAME: 'ghcr.io:443/a/app:v2'}, 'v2'),
        ({}, 'latest'),
    ],
)
def test_buildx(folder, client, name, tag):
    layout = folder / 'app'
    text, images = built(layout, 'linux/amd64', 'linux/arm64')
    write_layout(layout, listed(text, **name))
    before = files(folder)
    assert client.list_repos() == ['app']
    assert client.list_aliases() == [tag]
    assert client.list_platforms(tag) == ['linux/amd64', 'linux/arm64']
    assert client.get_alias(tag, sizes=True) == {i.platform: i.layer_sizes for i in images}
    assert client.get_manifest_and_response(tag)[0] == text
    found = client.list_manifests(tag)
    assert [one.platform for one in found] == ['linux/amd64', 'linux/arm64', None, None]
    for one in found:
        for digest in client.get_alias(one.digest):
            assert sha256(b''.join(client.pull_blob(digest))) == digest
    assert files(folder) == before
    # And it can be written to.
    client.set_alias('mine', client.push_blob(data=b'mine'))
    assert client.list_aliases() == sorted(['mine', tag])
    assert client.get_manifest_and_response(tag)[0] == text
    (kept,) = [
        e
        for e in json.loads((layout / 'index.json').read_text())['manifests']
        if e['digest'] == sha256(text.encode())
    ]
    assert name.items() <= kept['annotations'].items()


def test_docker_save(folder, client):
    """Two images of one tag, beside what older programs read. The first of them has the tag."""
    layout = folder / 'app'
    texts = [built(layout, platform)[0] for platform in ('linux/amd64', 'linux/arm64')]
    write_layout(
        layout,
        *(
            listed(
                text, **{CONTAINERD_NAME: f'docker.io/library/{name}:latest', REF_NAME: 'latest'}
            )
            for text, name in zip(texts, ('one', 'two'))
        ),
    )
    (layout / 'manifest.json').write_text('[{"Config": "blobs/sha256/0", "Layers": []}]')
    (layout / 'repositories').write_text('{}')
    assert client.list_aliases() == ['latest']
    assert client.list_platforms('latest') == ['linux/amd64']
    assert client.list_platforms(sha256(texts[1].encode())) == ['linux/arm64']
    client.set_manifest('two', client.get_manifest_and_response(sha256(texts[1].encode()))[0])
    assert client.list_aliases() == ['latest', 'two']
    assert client.list_platforms('two') == ['linux/arm64']


def test_an_index_of_which_a_part_is_kept(folder, client):
    """As regctl copies the platforms that it is told to."""
    layout = folder / 'app'
    images = [Image('linux/amd64'), Image('linux/arm64')]
    written(layout, images[0])
    text = index(*(image.entry() for image in images))
    write_layout(layout, {**entry(text), 'annotations': {REF_NAME: 'v1'}})
    digest = write_blob(layout, text.encode())
    assert client.tag('v1', 'v2') == digest
    client.untag('v1')
    assert client.list_aliases() == ['v2']
    assert client.resolve('v2') == digest
    assert client.get_alias('v2', platform='linux/amd64') == [
        sha256(content) for content in images[0].layers
    ]
    # Nobody else may begin with such a thing.
    with LayoutFlavour(folder).client('other') as other, pytest.raises(requests.HTTPError):
        other.set_manifest('v1', text)


def test_no_oci_layout_file(folder, client):
    """The specification demands it. What was there is kept when something is pushed."""
    text, _ = built(folder / 'app', 'linux/amd64')
    write_layout(folder / 'app', listed(text, **{REF_NAME: 'v1'}))
    (folder / 'app' / 'oci-layout').unlink()
    with pytest.raises(requests.exceptions.HTTPError, match=r'an index.json, but no oci-layout'):
        client.list_aliases()
    assert client.list_repos() == []
    client.push_blob(data=b'content')
    assert client.list_aliases() == ['v1']
    assert names(folder / 'app') == {'v1': sha256(text.encode())}


def test_a_layout_as_a_tar_has_it(folder, client):
    """Nobody may write to any of it, and there are no folders that nothing is in."""
    layout = folder / 'app'
    text, (image,) = built(layout, 'linux/amd64')
    write_layout(layout, listed(text, **{REF_NAME: 'v1'}))
    (layout / 'ingest').rmdir()
    for path in [*layout.rglob('*'), layout]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert client.get_alias('v1') == {image.platform: image.layer_digests}
        assert client.list_manifests('v1')
        for digest in image.layer_digests:
            assert sha256(b''.join(client.pull_blob(digest))) == digest
        assert not (layout / '.dxf').exists()
    finally:
        for path in [layout, *layout.rglob('*')]:
            path.chmod(0o755)
