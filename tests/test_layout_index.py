"""What others write as a layout, by hand: index.json in all its forms, and in none."""

import itertools
import json

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dxf.exceptions import DXFInvalidManifestError
from dxf.layout import BASE_URL
from dxf.layout.index import LayoutIndex

from .support.client import OCI_INDEX, OCI_MANIFEST, Image, entry, index, oci_manifest
from .support.layouts import (
    REF_NAME,
    LayoutFlavour,
    check_layout,
    files,
    listed,
    names,
    read_index,
    write_blob,
    write_layout,
)
from .support.plain import sha256

IMAGE_NAME = 'io.containerd.image.name'
DIGESTS = [sha256(bytes([i])) for i in range(4)]


def made(*entries, **fields):
    document = {'schemaVersion': 2, 'manifests': list(entries), **fields}
    return LayoutIndex.parse(json.dumps(document).encode(), 'index.json')


def descriptor(digest=DIGESTS[0], name=None, **annotations):
    found = {'mediaType': OCI_MANIFEST, 'digest': digest, 'size': 1}
    if name is not None:
        annotations[REF_NAME] = name
    if annotations:
        found['annotations'] = annotations
    return found


def tags(index):
    return {tag: entry['digest'] for tag, entry in index.tags().items()}


def document(index):
    return json.loads(index.text())


# Names


@pytest.mark.parametrize(
    ('name', 'tag'),
    [
        ('v1', 'v1'),
        ('latest', 'latest'),
        ('docker.io/library/alpine:3.20', '3.20'),
        ('localhost:5000/a/b:v1', 'v1'),
        ('alpine:edge', 'edge'),
        ('localhost:5000/a/b', None),
        ('docker.io/library/alpine', None),
        ('a@sha256:' + '0' * 64, None),
        ('a:v1@sha256:' + '0' * 64, None),
        ('-x', None),
        ('', None),
        ('a:', None),
        ('x' * 129, None),
        (5, None),
        (None, None),
        (['v1'], None),
    ],
)
def test_names(name, tag):
    found = descriptor()
    found['annotations'] = {REF_NAME: name}
    assert tags(made(found)) == ({tag: DIGESTS[0]} if tag else {})


def test_a_name_as_it_is_wins_over_one_that_is_derived():
    every = [
        descriptor(DIGESTS[0], 'docker.io/library/a:v1'),
        descriptor(DIGESTS[1], 'v1'),
        descriptor(DIGESTS[2], 'v1'),
        descriptor(DIGESTS[3], 'docker.io/library/b:v1'),
    ]
    assert tags(made(*every)) == {'v1': DIGESTS[1]}
    assert tags(made(every[3], every[0])) == {'v1': DIGESTS[3]}


def test_what_is_not_ours_is_kept():
    others = {
        'mediaType': OCI_INDEX,
        'annotations': {'org.example': 'index'},
        'x-unknown': [1, {'a': None}],
    }
    first = dict(
        descriptor(DIGESTS[0], 'v1', created='today'), platform={'os': 'linux'}, urls=['x']
    )
    second = {'digest': DIGESTS[1], 'mediaType': 'application/xml', 'size': 7}
    index = made(first, second, **others)
    index.tag('v2', descriptor(DIGESTS[2]))
    index.tag('v3', descriptor(DIGESTS[1]))
    index.untag('v1')
    assert document(index) == {
        'schemaVersion': 2,
        'manifests': [
            {**first, 'annotations': {'created': 'today'}},
            {**second, 'annotations': {REF_NAME: 'v3'}},
            descriptor(DIGESTS[2], 'v2'),
        ],
        **others,
    }


def test_a_tag_that_moves_from_a_whole_reference():
    name = 'docker.io/library/a:v1'
    index = made(descriptor(DIGESTS[0], name, **{IMAGE_NAME: name, 'other': 'kept'}))
    index.tag('v1', descriptor(DIGESTS[1]))
    assert document(index)['manifests'] == [
        descriptor(DIGESTS[0], other='kept'),
        descriptor(DIGESTS[1], 'v1'),
    ]


def test_a_tag_that_is_where_it_should_be_stays_as_it_is():
    name = 'docker.io/library/a:v1'
    index = made(descriptor(DIGESTS[0], name, **{IMAGE_NAME: name}))
    before = index.text()
    index.tag('v1', descriptor(DIGESTS[0]))
    assert index.text() == before


def test_tags_of_one_manifest():
    index = made(descriptor(DIGESTS[0], 'a'), descriptor(DIGESTS[0], 'b'))
    assert index.untag('a')
    assert document(index)['manifests'] == [descriptor(DIGESTS[0], 'b')]
    assert index.untag('b')
    assert document(index)['manifests'] == [descriptor(DIGESTS[0])]
    assert not index.untag('b')
    index.tag('c', descriptor(DIGESTS[0]))
    assert document(index)['manifests'] == [descriptor(DIGESTS[0], 'c')]


def test_several_entries_of_one_name():
    index = made(descriptor(DIGESTS[0], 'a'), descriptor(DIGESTS[1], 'a'))
    assert index.untag('a')
    assert tags(index) == {}
    assert document(index)['manifests'] == [descriptor(DIGESTS[0]), descriptor(DIGESTS[1])]


def test_what_is_equal_is_told_apart():
    index = made(descriptor(DIGESTS[0], 'a'), descriptor(DIGESTS[0], 'a'))
    assert index.untag('a')
    assert document(index)['manifests'] == [descriptor(DIGESTS[0])]


def test_what_is_left_out():
    index = made(
        descriptor(DIGESTS[0]),
        dict(descriptor(DIGESTS[1]), artifactType='x'),
        descriptor(DIGESTS[2], 'named'),
        dict(descriptor(DIGESTS[3]), platform={}),
    )
    index.leave_out(set(DIGESTS))
    assert [e['digest'] for e in document(index)['manifests']] == DIGESTS[2:]


@pytest.mark.parametrize(
    ('content', 'field'),
    [
        ('', 'the text'),
        ('{', 'the text'),
        ('[]', 'the text'),
        ('null', 'the text'),
        ('[' * 100_000, 'the text'),
        ('{"schemaVersion": 1}', 'schemaVersion'),
        ('{"schemaVersion": "2"}', 'schemaVersion'),
        ('{"manifests": {}}', 'manifests'),
        ('{"manifests": 0}', 'manifests'),
        ('{"manifests": [5]}', 'manifests[0]'),
        ('{"manifests": [{}]}', 'manifests[0].digest'),
        ('{"manifests": [{"digest": 5}]}', 'manifests[0].digest'),
        ('{"manifests": [{"digest": "../../x"}]}', 'manifests[0].digest'),
        (
            '{"manifests": [{"digest": "sha256:a", "annotations": [1]}]}',
            'manifests[0].annotations',
        ),
        (
            '{"manifests": [{"digest": "sha256:a", "annotations": "x"}]}',
            'manifests[0].annotations',
        ),
    ],
)
def test_what_is_no_index(tmp_path, content, field):
    with pytest.raises(DXFInvalidManifestError) as e:
        LayoutIndex.parse(content.encode(), 'index.json')
    assert e.value.field == field
    write_layout(tmp_path / 'a')
    (tmp_path / 'a' / 'index.json').write_text(content)
    before = files(tmp_path)
    http = LayoutFlavour(tmp_path).session(requests.Session())
    answer = http.get(BASE_URL + 'v2/a/tags/list')
    assert answer.status_code == 422
    found = answer.json()['errors'][0]
    assert found['code'] == 'LAYOUT_INVALID'
    assert str(tmp_path / 'a' / 'index.json') in found['message']
    # It is not written over either.
    answer = http.put(BASE_URL + 'v2/a/manifests/latest', data=index())
    assert answer.status_code == 422
    after = files(tmp_path)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    'content',
    [
        '{"manifests": null}',
        '{}',
        '{"schemaVersion": 2}',
        '\ufeff{"schemaVersion": 2, "manifests": []}',
    ],
)
def test_what_lists_nothing(tmp_path, content):
    write_layout(tmp_path / 'a')
    (tmp_path / 'a' / 'index.json').write_text(content, encoding='utf-8')
    client = LayoutFlavour(tmp_path).client('a')
    assert client.list_aliases() == []
    client.set_alias('v1', client.push_blob(data=b'x'))
    assert client.list_aliases() == ['v1']
    check = read_index(tmp_path / 'a')
    assert check['manifests'][0]['annotations'] == {REF_NAME: 'v1'}


def test_a_layout_without_an_index(tmp_path):
    write_layout(tmp_path / 'a')
    (tmp_path / 'a' / 'index.json').unlink()
    client = LayoutFlavour(tmp_path).client('a')
    assert client.list_aliases() == []
    client.set_alias('v1', client.push_blob(data=b'x'))
    check_layout(tmp_path / 'a')


# Layouts


@pytest.fixture
def layout(tmp_path):
    return tmp_path / 'a'


@pytest.fixture
def client(tmp_path):
    return LayoutFlavour(tmp_path).client('a')


@pytest.fixture
def plain(tmp_path):
    with LayoutFlavour(tmp_path).plain('a') as made:
        yield made


def write_image(layout, *more):
    write_blob(layout, b'config')
    write_blob(layout, b'layer')
    return oci_manifest(b'config', b'layer', annotations={'of': ''.join(more)})


def test_an_only_image_without_a_name(layout, client, plain):
    text = write_image(layout)
    write_layout(layout, listed(layout, text))
    before = files(layout)
    assert client.list_aliases() == ['latest']
    assert client.get_manifest('latest') == text
    assert client.get_manifest(sha256(text.encode())) == text
    assert files(layout) == before
    # When something else is written it is given that name.
    other = write_image(layout, 'other')
    client.set_manifest('v1', other)
    assert names(layout) == {'latest': sha256(text.encode()), 'v1': sha256(other.encode())}
    assert client.list_aliases() == ['latest', 'v1']


def test_an_only_image_that_loses_its_name(layout, client, plain):
    text = write_image(layout)
    write_layout(layout, listed(layout, text))
    plain.delete('manifests/latest')
    assert client.list_aliases() == []
    assert plain.get_manifest('latest').status_code == 404
    assert client.get_manifest(sha256(text.encode())) == text


def test_an_only_image_that_dxf_did_not_name(client):
    text = oci_manifest(b'config')
    client.push_blob(data=b'config')
    client.set_manifest(sha256(text.encode()), text)
    assert client.list_aliases() == []


def test_pushing_a_blob_changes_no_names(layout, client):
    text = write_image(layout)
    write_layout(layout, listed(layout, text))
    client.push_blob(data=b'another')
    assert client.list_aliases() == ['latest']


def test_some_images_without_names(layout, client):
    one, two = write_image(layout), write_image(layout, 'two')
    write_layout(layout, listed(layout, one), listed(layout, two))
    assert client.list_aliases() == []
    assert client.get_manifest(sha256(two.encode())) == two


def test_an_index_without_media_types(layout, client):
    """As the specification allows: neither index.json has one, nor its entry, nor the manifest."""
    text = write_image(layout)
    document = json.loads(text)
    del document['mediaType']
    text = json.dumps(document)
    found = listed(layout, text, 'v1')
    del found['mediaType']
    write_layout(layout, found)
    (layout / 'index.json').write_text(json.dumps({'schemaVersion': 2, 'manifests': [found]}))
    assert client.get_manifest('v1') == text
    assert client.get_manifest_and_response('v1')[1].headers['Content-Type'] == OCI_MANIFEST
    assert client.get_alias('v1') == [sha256(b'layer')]


@pytest.mark.parametrize('media_type', [5, '', 'x', 'a/b\r\nX-Other: yes', 'ü/ü', None])
def test_an_entry_whose_media_type_is_none(layout, client, media_type):
    text = write_image(layout)
    write_layout(layout, listed(layout, text, 'v1', media_type))
    answer = client.get_manifest_and_response('v1')[1]
    assert answer.text == text
    assert answer.headers['Content-Type'] == OCI_MANIFEST


def test_what_is_listed_and_no_manifest(layout, client):
    """The specification's own example lists an XML file."""
    write_layout(layout, listed(layout, '<a/>', 'v1', 'application/xml'))
    answer = client._request('get', 'manifests/v1')
    assert answer.text == '<a/>'
    assert answer.headers['Content-Type'] == 'application/xml'


def test_nested_indexes(layout, client, plain):
    images = [Image('linux/amd64'), Image('linux/arm64')]
    for image in images:
        for content in (image.config, *image.layers, image.text.encode()):
            write_blob(layout, content)
    inner = index(*(image.entry() for image in images))
    outer = index(entry(inner))
    write_blob(layout, inner.encode())
    write_layout(layout, listed(layout, outer, 'nested', OCI_INDEX))
    assert client.get_manifest_and_response('nested')[0] == outer
    assert client.get_manifest(sha256(inner.encode())) == {i.platform: i.text for i in images}
    assert client.get_manifest(images[0].digest) == images[0].text
    answer = client.get_manifest_and_response(images[0].digest)[1]
    assert answer.headers['Content-Type'] == OCI_MANIFEST
    assert client.list_aliases() == ['nested']
    # A referrer may be anywhere below.
    about = oci_manifest(b'', subject={'digest': images[0].digest, 'size': 1})
    plain.push_blob(b'')
    plain.push_manifest(sha256(about.encode()), about, OCI_MANIFEST)
    other = index(entry(about))
    plain.push_manifest('sha256-' + images[0].digest[7:], other, OCI_INDEX)
    assert len(read_index(layout)['manifests']) == 2
    found = plain.repo_request('GET', f'referrers/{images[0].digest}').json()['manifests']
    assert [e['digest'] for e in found] == [sha256(about.encode())]


def test_an_index_that_lists_what_is_not_there(layout, client, plain):
    image = Image('linux/amd64')
    text = index(image.entry(), entry('{}', digest='sha256:zz'))
    write_layout(layout, listed(layout, text, 'sparse', OCI_INDEX))
    assert client.get_manifest_and_response('sparse')[0] == text
    assert plain.get_manifest(image.digest).status_code == 404
    answer = plain.repo_request('GET', f'referrers/{image.digest}')
    assert answer.json()['manifests'] == []
    assert client.del_alias('sparse') == {'linux/amd64': image.digest}


def test_an_entry_whose_blob_is_gone(layout, client, plain):
    text = write_image(layout)
    write_layout(layout, listed(layout, text, 'v1'))
    (layout / 'blobs' / 'sha256' / sha256(text.encode())[7:]).unlink()
    assert client.list_aliases() == ['v1']
    assert plain.get_manifest('v1').status_code == 404
    assert plain.repo_request('DELETE', 'manifests/v1').status_code == 202
    assert client.list_aliases() == []


def test_a_blob_that_is_a_folder(layout, client, plain):
    write_layout(layout)
    (layout / 'blobs' / 'sha256' / sha256(b'')[7:]).mkdir(parents=True)
    assert not plain.has_blob(sha256(b''))
    assert plain.get_manifest(sha256(b'')).status_code == 404


def test_an_entry_is_not_what_it_is_called(layout, client):
    text = write_image(layout)
    write_layout(layout, listed(layout, text, 'v1'))
    path = layout / 'blobs' / 'sha256' / sha256(text.encode())[7:]
    path.write_text(text.replace('layers', 'Layers'))
    with pytest.raises(Exception, match='unexpected digest'):
        client.get_manifest('v1')


# Anything at all

NAMES = st.sampled_from(['v1', 'latest', 'a/b:v1', 'x', '', '-'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | NAMES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
CONTENTS = [b'config', b'layer', oci_manifest(b'config', b'layer').encode()]
CONTENTS += [index(entry(CONTENTS[2].decode())).encode(), b'']
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        'mediaType': st.sampled_from([OCI_MANIFEST, OCI_INDEX, 'a/b', '\ud800']) | VALUES,
        'digest': st.sampled_from([sha256(c) for c in CONTENTS]) | VALUES,
        'size': st.integers(0, 100) | VALUES,
        'annotations': st.fixed_dictionaries({}, optional={REF_NAME: NAMES, 'x': VALUES}) | VALUES,
        'platform': VALUES,
    },
)
INDEXES = st.fixed_dictionaries(
    {},
    optional={
        'schemaVersion': st.just(2) | VALUES,
        'mediaType': VALUES,
        'manifests': st.lists(ENTRIES | VALUES, max_size=4) | VALUES,
        'annotations': VALUES,
    },
)
JSON = (INDEXES | VALUES).map(lambda value: json.dumps(value).encode())
READ = [
    ('GET', 'tags/list'),
    ('GET', 'manifests/v1'),
    ('HEAD', 'manifests/latest'),
    ('GET', '/v2/_catalog'),
]
READ += [
    ('GET', f'{kind}/{sha256(content)}')
    for content in CONTENTS
    for kind in ('manifests', 'blobs', 'referrers')
]
WRITTEN = [('PUT', 'manifests/v1'), ('DELETE', 'manifests/latest'), ('PUT', 'manifests/latest')]
WRITTEN += [
    ('DELETE', f'{kind}/{sha256(content)}')
    for content in CONTENTS
    for kind in ('manifests', 'blobs')
]

_numbers = itertools.count()


@settings(suppress_health_check=list(HealthCheck), max_examples=100)
@given(content=JSON | st.binary(max_size=200), todo=st.permutations(WRITTEN))
def test_any_index_is_answered(tmp_path_factory, content, todo):
    folder = tmp_path_factory.getbasetemp() / 'any' / str(next(_numbers))
    layout = folder / 'a'
    write_layout(layout)
    for blob in CONTENTS:
        write_blob(layout, blob)
    (layout / 'index.json').write_bytes(content)
    http = LayoutFlavour(folder).session(requests.Session())
    before = files(folder)
    for method, path in READ:
        url = path[1:] if path.startswith('/') else 'v2/a/' + path
        answered(http.request(method, BASE_URL + url))
    assert files(folder) == before
    for method, path in todo[:4]:
        answered(http.request(method, f'{BASE_URL}v2/a/{path}', data=CONTENTS[2]))
    if http.get(BASE_URL + 'v2/a/tags/list').ok:
        LayoutIndex.parse((layout / 'index.json').read_bytes(), 'index.json')
    else:
        assert (layout / 'index.json').read_bytes() == content


def answered(answer):
    if answer.request.method != 'HEAD' and not answer.ok:
        assert answer.status_code in (400, 404, 405, 422)
        assert answer.json()['errors'][0]['code']
    if '/manifests/sha256:' in answer.url and answer.request.method == 'GET' and answer.ok:
        assert sha256(answer.content) in answer.url
    if answer.url.endswith('/tags/list') and answer.ok:
        assert all(isinstance(tag, str) for tag in answer.json()['tags'])
