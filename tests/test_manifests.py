"""Manifests and indexes: picked apart, told apart, and made."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dxf import manifests
from dxf.exceptions import (
    DXFError,
    DXFInvalidManifestError,
    DXFPlatformDataNotFound,
    DXFUnsupportedSchemaType,
)

SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json'
SIGNED = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
SCHEMA2 = 'application/vnd.docker.distribution.manifest.v2+json'
LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
OCI = 'application/vnd.oci.image.manifest.v1+json'
INDEX = 'application/vnd.oci.image.index.v1+json'


def digest(letter):
    return 'sha256:' + letter * 64


def descriptor(letter='a', size=1, **others):
    return {
        'mediaType': 'application/octet-stream',
        'digest': digest(letter),
        'size': size,
        **others,
    }


def image(**others):
    return {
        'schemaVersion': 2,
        'config': descriptor('c', 7),
        'layers': [descriptor('a', 1), descriptor('b', 2), descriptor('a', 1)],
        **others,
    }


def index(*entries, **others):
    return {'schemaVersion': 2, 'manifests': list(entries), **others}


def entry(letter, platform=None, **others):
    """An index's entry; `platform` is spelt os/architecture[/variant]."""
    made = descriptor(letter, 3, **others)
    if platform is not None:
        names = ('os', 'architecture', 'variant')
        made['platform'] = dict(zip(names, platform.split('/')))
    return made


def windows(letter, version):
    made = entry(letter, 'windows/amd64')
    made['platform']['os.version'] = version
    return made


def attestation(letter):
    return entry(
        letter,
        'unknown/unknown',
        annotations={
            'vnd.docker.reference.type': 'attestation-manifest',
            'vnd.docker.reference.digest': digest('a'),
        },
    )


def parse(document, content_type=None, name=None):
    return manifests.parse(json.dumps(document), content_type, name)


def platforms(*entries):
    """Platform -> the letter of its manifest's digest."""
    found = parse(index(*entries)).platforms
    return {name: descriptor.digest[-1] for name, descriptor in found.items()}


# Which type it is


@pytest.mark.parametrize('own', [SCHEMA2, OCI])
@pytest.mark.parametrize('header', [None, SCHEMA2, LIST, INDEX, SIGNED, 'text/html', ''])
def test_a_manifest_s_own_type_decides(own, header):
    parsed = parse(image(mediaType=own), header)
    assert isinstance(parsed, manifests.ImageManifest)
    assert parsed.media_type == own


@pytest.mark.parametrize('own', [LIST, INDEX])
@pytest.mark.parametrize('header', [None, SCHEMA2, OCI, 'application/json'])
def test_an_index_s_own_type_decides(own, header):
    parsed = parse(index(mediaType=own), header)
    assert isinstance(parsed, manifests.Index)
    assert parsed.media_type == own


@pytest.mark.parametrize('own', ['application/json', 'text/html', '', 'x'])
def test_an_own_type_that_is_unknown_is_not_guessed_at(own):
    with pytest.raises(DXFUnsupportedSchemaType) as e:
        parse(image(mediaType=own), SCHEMA2)
    assert e.value.media_type == own


@pytest.mark.parametrize('own', [5, True, [], {}, [SCHEMA2]])
def test_an_own_type_that_is_no_string(own):
    with pytest.raises(DXFInvalidManifestError) as e:
        parse(image(mediaType=own), SCHEMA2, 'v1')
    assert str(e.value) == 'manifest v1 is invalid: mediaType is not a string'


@pytest.mark.parametrize(
    ('header', 'expected'),
    [
        (SCHEMA2, SCHEMA2),
        (OCI, OCI),
        (OCI + '; charset=utf-8', OCI),
        (OCI.upper(), OCI),
        ('  ' + SCHEMA2 + ' ;x=y', SCHEMA2),
    ],
)
@pytest.mark.parametrize('own', [{}, {'mediaType': None}])
def test_without_a_type_of_its_own_the_header_decides(header, expected, own):
    assert parse(image(**own), header).media_type == expected


def test_a_header_decides_over_the_shape():
    both = {**image(), **index()}
    assert parse(both, OCI).media_type == OCI
    assert parse(both, LIST).media_type == LIST
    assert parse(both).media_type == INDEX


@pytest.mark.parametrize(
    'header', [None, '', ';', 'application/json', 'text/plain; charset=utf-8', SIGNED, SCHEMA1]
)
@pytest.mark.parametrize(
    ('document', 'expected'),
    [
        (image(), OCI),
        ({'layers': []}, OCI),
        ({'config': {}}, OCI),
        (index(), INDEX),
        ({'fsLayers': []}, SCHEMA1),
        ({'fsLayers': [], 'signatures': []}, SIGNED),
        ({'schemaVersion': 1}, SCHEMA1),
        ({'schemaVersion': 1, 'signatures': [], 'layers': []}, SIGNED),
    ],
)
def test_without_either_the_shape_decides(document, expected, header):
    assert manifests.media_type(document, header) == expected
    assert parse(document, header).media_type == expected


def test_schema_1_is_known_whatever_the_header_says():
    document = {'schemaVersion': 1, 'fsLayers': [{'blobSum': digest('a')}]}
    assert parse(document, SCHEMA2).media_type == SCHEMA1


@pytest.mark.parametrize('header', [None, 'text/html', 'application/json; charset=utf-8'])
def test_what_has_no_shape_is_refused_by_the_header_s_name(header):
    with pytest.raises(DXFUnsupportedSchemaType) as e:
        parse({'schemaVersion': 2}, header)
    assert e.value.media_type == (header and header.partition(';')[0])


def test_all_types_are_accepted_in_one_header():
    assert manifests.ACCEPT.split(', ') == [SCHEMA2, OCI, LIST, INDEX, SIGNED, SCHEMA1]


def test_the_names_that_look_private():
    assert manifests._schema2_mimetype == SCHEMA2
    assert manifests._schema2_list_mimetype == LIST


# What is no manifest


@pytest.mark.parametrize(
    'text',
    ['', ' ', '{', 'nonsense', '<html>', b'\xff\xfe', b'{"a": "\xff"}', '[' * 100_000, '{"a":}'],
)
def test_what_is_not_json(text):
    with pytest.raises(DXFInvalidManifestError, match=r'manifest v1 is invalid: .*is not JSON'):
        manifests.parse(text, SCHEMA2, 'v1')


@pytest.mark.parametrize('text', ['[]', 'null', '"text"', '3', 'true', '[{"layers": []}]'])
def test_what_is_no_object(text):
    with pytest.raises(DXFInvalidManifestError, match='is not a JSON object'):
        manifests.parse(text, SCHEMA2)


def test_bytes_are_taken_as_text_is():
    text = json.dumps(image(annotations={'name': 'ä'}), ensure_ascii=False)
    assert manifests.parse(text.encode()).layers == manifests.parse(text).layers


# Images


def test_an_image_s_parts():
    parsed = parse(image(), name='latest')
    assert [(layer.digest, layer.size) for layer in parsed.layers] == [
        (digest('a'), 1),
        (digest('b'), 2),
        (digest('a'), 1),
    ]
    assert (parsed.config.digest, parsed.config.size) == (digest('c'), 7)
    assert parsed.config.media_type == 'application/octet-stream'
    assert parsed.config.annotations == {}


def test_annotations_are_kept():
    title = {'org.opencontainers.image.title': 'a file'}
    parsed = parse(image(layers=[descriptor(annotations=title), descriptor(annotations=None)]))
    assert [layer.annotations for layer in parsed.layers] == [title, {}]


def test_a_descriptor_says_what_of_and_for_which_platform():
    entries = [
        entry('a', 'linux/arm/v7', artifactType='text/x-test'),
        attestation('b'),
        entry('c', 'linux/amd64'),
        entry('d', 'linux/amd64'),
    ]
    parsed = parse(index(*entries))
    assert [one.artifact_type for one in parsed.manifests] == ['text/x-test', None, None, None]
    names = [one.platform for one in parsed.manifests]
    assert names == [
        'linux/arm/v7',
        None,
        'linux/amd64@' + digest('c'),
        'linux/amd64@' + digest('d'),
    ]
    assert parsed.platforms == {one.platform: one for one in parsed.manifests if one.platform}
    assert parse(image()).layers[0].platform is None


def test_what_is_not_asked_for_is_not_checked():
    assert parse(image(config=None)).layers
    assert parse(image(layers='rubbish')).config.size == 7


def without(document, *path):
    """A copy without what is at this path."""
    made = copy.deepcopy(document)
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return made


def changed(document, path, value):
    """A copy with this value at this path."""
    made = copy.deepcopy(document)
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return made


def spelt(path):
    """As errors spell a path."""
    return ''.join(f'[{name}]' if isinstance(name, int) else f'.{name}' for name in path)[1:]


# What each kind of field can't be.
NO_OBJECT = [None, [], 'x', 1, True]
NO_LIST = [None, {}, 'x', 1, True]
NO_STRING = [None, [], {}, 1, True]
NO_DIGEST = [*NO_STRING, '', 'latest', 'sha256', 'sha256:', ':' + 'a' * 64, 'a b:c']
NO_SIZE = [None, [], {}, '1', True, False, -1, 1.0, 1.5, 2**63]


def everything_of(parsed):
    return [getattr(parsed, name) for name in ('config', 'layers') if hasattr(parsed, name)]


IMAGE_FIELDS = [
    (('config',), NO_OBJECT),
    (('config', 'digest'), NO_DIGEST),
    (('config', 'size'), NO_SIZE),
    (('layers',), NO_LIST),
    (('layers', 1), NO_OBJECT),
    (('layers', 1, 'digest'), NO_DIGEST),
    (('layers', 1, 'size'), NO_SIZE),
]
INDEX_FIELDS = [
    (('manifests',), NO_LIST),
    (('manifests', 0), NO_OBJECT),
    (('manifests', 0, 'digest'), NO_DIGEST),
    (('manifests', 0, 'size'), NO_SIZE),
    (('manifests', 0, 'platform', 'os'), NO_STRING),
    (('manifests', 0, 'platform', 'architecture'), NO_STRING),
]
SCHEMA1_FIELDS = [
    (('fsLayers',), NO_LIST),
    (('fsLayers', 0), NO_OBJECT),
    (('fsLayers', 0, 'blobSum'), NO_DIGEST),
]
SCHEMA1_DOCUMENT = {'schemaVersion': 1, 'fsLayers': [{'blobSum': digest('a')}]}
DOCUMENTS = [
    (image(mediaType=SCHEMA2), IMAGE_FIELDS),
    (image(mediaType=OCI), IMAGE_FIELDS),
    (index(entry('a', 'linux/amd64'), mediaType=INDEX), INDEX_FIELDS),
    (index(entry('a', 'linux/amd64'), mediaType=LIST), INDEX_FIELDS),
    (SCHEMA1_DOCUMENT, SCHEMA1_FIELDS),
]
OPTIONAL = [
    (image(mediaType=OCI), ('config', 'mediaType'), [[], {}, 1, True]),
    (image(mediaType=OCI), ('layers', 0, 'mediaType'), [[], {}, 1, True]),
    (image(mediaType=OCI), ('layers', 0, 'annotations'), [[], 'x', 1, True]),
    (image(mediaType=OCI), ('layers', 0, 'artifactType'), [[], {}, 1, True]),
    (index(entry('a', 'linux/arm/v7'), mediaType=INDEX), ('manifests', 0, 'mediaType'), [[], 1]),
    (
        index(entry('a', 'linux/arm/v7'), mediaType=INDEX),
        ('manifests', 0, 'artifactType'),
        [[], 1],
    ),
    (index(entry('a', 'linux/arm/v7'), mediaType=INDEX), ('manifests', 0, 'annotations'), [[], 1]),
    (index(entry('a', 'linux/arm/v7'), mediaType=INDEX), ('manifests', 0, 'platform'), [[], 1]),
    (
        index(entry('a', 'linux/arm/v7'), mediaType=INDEX),
        ('manifests', 0, 'platform', 'variant'),
        [[], {}, 1],
    ),
    (index(windows('a', '10.0')), ('manifests', 0, 'platform', 'os.version'), [[], {}, 1]),
]


@pytest.mark.parametrize(
    ('document', 'path'),
    [
        pytest.param(document, path, id=f'{document.get("mediaType")}-{spelt(path)}')
        for document, fields in DOCUMENTS
        for path, _ in fields
        if not isinstance(path[-1], int)
    ],
)
def test_a_missing_field_is_named(document, path):
    with pytest.raises(DXFInvalidManifestError) as e:
        everything_of(parse(without(document, *path), name='v1'))
    assert e.value.field == spelt(path)
    assert str(e.value) == f'manifest v1 is invalid: {spelt(path)} is missing'
    assert e.value.manifest == 'v1'


@pytest.mark.parametrize(
    ('document', 'path', 'value'),
    [
        pytest.param(document, path, value, id=f'{spelt(path)}={value!r}')
        for document, path, values in (
            [(document, *field) for document, fields in DOCUMENTS for field in fields] + OPTIONAL
        )
        for value in values
    ],
)
def test_a_field_of_the_wrong_type_is_named(document, path, value):
    with pytest.raises(DXFInvalidManifestError) as e:
        everything_of(parse(changed(document, path, value), name='v1'))
    assert e.value.field == spelt(path)
    assert str(e.value).startswith(f'manifest v1 is invalid: {spelt(path)} is not a')


@pytest.mark.parametrize('document, path', [(document, path) for document, path, _ in OPTIONAL])
def test_an_optional_field_may_be_null(document, path):
    everything_of(parse(changed(document, path, None)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    'mediaType',
                    'layers',
                    'config',
                    'manifests',
                    'digest',
                    'size',
                    'platform',
                    'os',
                    'architecture',
                    'fsLayers',
                    'blobSum',
                    'schemaVersion',
                    'annotations',
                    'signatures',
                ]
            ),
            children,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, SCHEMA2, OCI, LIST, INDEX, SIGNED, 'text/html']))
def test_no_json_raises_another_error(document, content_type):
    try:
        everything_of(parse(document, content_type))
    except DXFError as error:
        assert '\n' not in str(error)


@given(st.text() | st.binary())
def test_no_text_raises_another_error(text):
    try:
        manifests.parse(text)
    except DXFError:
        pass
    else:
        pytest.fail('it is no manifest')


# Schema 1


def test_schema_1_has_layers_and_no_config():
    layers = [{'blobSum': digest(letter)} for letter in 'aba']
    parsed = parse({'schemaVersion': 1, 'fsLayers': layers, 'history': []})
    assert isinstance(parsed, manifests.Schema1Manifest)
    assert parsed.layers == [digest('a'), digest('b'), digest('a')]
    assert parsed.document['history'] == []


# Platforms


def test_platforms_are_spelt_as_the_index_spells_them():
    assert platforms(
        entry('a', 'linux/amd64'), entry('b', 'linux/arm64/v8'), entry('c', 'linux/arm/v7')
    ) == {'linux/amd64': 'a', 'linux/arm64/v8': 'b', 'linux/arm/v7': 'c'}


def test_platforms_keep_the_index_s_order():
    names = ['z/z', 'linux/arm64', 'a/a', 'linux/amd64']
    found = platforms(*(entry(letter, name) for letter, name in zip('abcd', names)))
    assert list(found) == names


@pytest.mark.parametrize('variant', ['', None])
def test_an_empty_variant_is_none(variant):
    made = entry('a', 'linux/amd64')
    made['platform']['variant'] = variant
    assert platforms(made) == {'linux/amd64': 'a'}


def test_attestations_are_no_platform():
    entries = [
        entry('a', 'linux/amd64'),
        attestation('b'),
        entry('c', 'linux/arm64'),
        attestation('d'),
    ]
    assert platforms(*entries) == {'linux/amd64': 'a', 'linux/arm64': 'c'}
    listed = parse(index(*entries)).manifests
    assert [descriptor.digest[-1] for descriptor in listed] == list('abcd')
    assert [manifests.is_attestation(descriptor) for descriptor in listed] == [
        False,
        True,
        False,
        True,
    ]


def test_an_unknown_platform_without_annotations_is_none_either():
    assert platforms(entry('a', 'linux/amd64'), entry('b', 'unknown/unknown')) == {
        'linux/amd64': 'a'
    }


def test_half_unknown_is_a_platform():
    assert platforms(entry('a', 'unknown/amd64'), entry('b', 'linux/unknown')) == {
        'unknown/amd64': 'a',
        'linux/unknown': 'b',
    }


def test_an_attestation_is_no_platform_whatever_it_says_it_is_for():
    for said in ({'os': 'linux', 'architecture': 'amd64'}, {'os': 'unknown'}):
        attested = {**attestation('b'), 'platform': said}
        assert platforms(entry('a', 'linux/amd64'), attested) == {'linux/amd64': 'a'}
        assert parse(index(attested)).platforms == {}


@pytest.mark.parametrize('empty', [{}, {'os': '', 'architecture': ''}])
def test_an_empty_platform_is_none(empty):
    """As Go programs write one that was never set."""
    artifact = {**entry('b'), 'platform': empty}
    assert platforms(entry('a', 'linux/amd64'), artifact) == {'linux/amd64': 'a'}
    assert platforms(artifact) == {digest('b'): 'b'}


def test_entries_without_a_platform_do_not_break_the_others():
    assert platforms(entry('a'), entry('b', 'linux/amd64'), entry('c')) == {'linux/amd64': 'b'}
    null = {**entry('a'), 'platform': None}
    assert platforms(null, entry('b', 'linux/amd64')) == {'linux/amd64': 'b'}


def test_an_index_of_artifacts_goes_by_digests():
    found = parse(index(entry('a'), entry('b'), attestation('d'))).platforms
    assert {name: descriptor.digest for name, descriptor in found.items()} == {
        digest('a'): digest('a'),
        digest('b'): digest('b'),
    }


def test_an_empty_index():
    parsed = parse(index())
    assert (parsed.manifests, parsed.platforms) == ([], {})


def test_windows_twins_are_told_apart_by_their_versions():
    assert platforms(
        windows('a', '10.0.20348.2700'), windows('b', '10.0.17763.6293'), entry('c', 'linux/amd64')
    ) == {
        'windows(10.0.20348.2700)/amd64': 'a',
        'windows(10.0.17763.6293)/amd64': 'b',
        'linux/amd64': 'c',
    }


def test_a_version_that_tells_nothing_apart_is_left_out():
    assert platforms(windows('a', '10.0.20348.2700')) == {'windows/amd64': 'a'}


def test_one_that_is_listed_twice_is_no_twin_of_its_own():
    assert platforms(
        entry('a', 'linux/amd64'), entry('a', 'linux/amd64'), entry('b', 'linux/arm64')
    ) == {'linux/amd64': 'a', 'linux/arm64': 'b'}
    assert platforms(windows('a', '10.0.1'), windows('b', '10.0.2'), windows('a', '10.0.1')) == {
        'windows(10.0.1)/amd64': 'a',
        'windows(10.0.2)/amd64': 'b',
    }
    assert platforms(windows('a', '10.0.1'), windows('a', '10.0.2')) == {
        'windows(10.0.1)/amd64': 'a',
        'windows(10.0.2)/amd64': 'a',
    }


def test_a_twin_without_a_version():
    assert platforms(windows('a', '10.0.1'), entry('b', 'windows/amd64')) == {
        'windows(10.0.1)/amd64': 'a',
        'windows/amd64': 'b',
    }


def test_exact_twins_are_told_apart_by_their_digests():
    assert platforms(
        entry('a', 'linux/amd64'), entry('b', 'linux/amd64'), entry('c', 'linux/arm64')
    ) == {
        'linux/amd64@' + digest('a'): 'a',
        'linux/amd64@' + digest('b'): 'b',
        'linux/arm64': 'c',
    }
    assert platforms(windows('a', '10.0.1'), windows('b', '10.0.1'), windows('c', '10.0.2')) == {
        'windows(10.0.1)/amd64@' + digest('a'): 'a',
        'windows(10.0.1)/amd64@' + digest('b'): 'b',
        'windows(10.0.2)/amd64': 'c',
    }


entries = st.lists(
    st.builds(
        lambda letter, platform, version: (
            windows(letter, version) if version else entry(letter, platform)
        ),
        st.sampled_from('abcdef'),
        st.sampled_from([None, 'linux/amd64', 'linux/arm/v7', 'unknown/unknown']),
        st.sampled_from([None, '10.0.1', '10.0.2']),
    )
)


@given(entries)
def test_no_platform_s_manifest_vanishes(listed):
    parsed = parse(index(*listed))
    with_platform = {
        made['digest']
        for made in listed
        if made.get('platform', {}).get('os') in ('linux', 'windows')
    }
    found = {descriptor.digest for descriptor in parsed.platforms.values()}
    assert found == with_platform or not with_platform
    assert [descriptor.digest for descriptor in parsed.manifests] == [
        made['digest'] for made in listed
    ]
    for name, descriptor in parsed.platforms.items():
        assert parsed.choose(name) == descriptor


# Choosing one


def choose(platform, *names):
    entries = [entry(letter, name) for letter, name in zip('abcdef', names)]
    chosen = parse(index(*entries)).choose(platform)
    return names['abcdef'.index(chosen.digest[-1])]


def test_an_exact_match_comes_first():
    both = ('linux/arm64', 'linux/arm64/v8')
    for order in (both, both[::-1]):
        for name in both:
            assert choose(name, *order) == name
    both = ('linux/arm', 'linux/arm/v7')
    for order in (both, both[::-1]):
        for name in both:
            assert choose(name, *order) == name


@pytest.mark.parametrize(
    ('wanted', 'there'),
    [
        ('linux/arm64', 'linux/arm64/v8'),
        ('linux/arm64/v8', 'linux/arm64'),
        ('linux/arm', 'linux/arm/v7'),
        ('linux/arm/v7', 'linux/arm'),
        ('linux/x86_64', 'linux/amd64'),
        ('linux/amd64', 'linux/x86_64'),
        ('linux/aarch64', 'linux/arm64/v8'),
    ],
)
def test_another_spelling_comes_second(wanted, there):
    assert choose(wanted, 'linux/s390x', there, 'linux/arm/v6') == there


def test_a_version_may_be_asked_for_where_it_tells_nothing_apart():
    parsed = parse(index(entry('a', 'linux/amd64'), windows('b', '10.0.1')))
    assert list(parsed.platforms) == ['linux/amd64', 'windows/amd64']
    assert parsed.choose('windows(10.0.1)/amd64').digest == digest('b')
    assert parsed.choose('windows(10.0.1)/x86_64').digest == digest('b')
    for wanted in ('windows(10.0.2)/amd64', 'windows(10.0.1)/arm64', 'linux(10.0.1)/amd64'):
        with pytest.raises(DXFPlatformDataNotFound):
            parsed.choose(wanted)


@pytest.mark.parametrize('wanted', ['linux/arm64', 'linux', '', 'linux/amd64/v3', 'nonsense'])
def test_one_that_is_not_there(wanted):
    with pytest.raises(DXFPlatformDataNotFound) as e:
        choose(wanted, 'linux/amd64', 'linux/arm/v6')
    assert e.value.platform == wanted


def test_an_index_of_artifacts_has_no_platform():
    parsed = parse(index(entry('a'), attestation('b')))
    for wanted in ('linux/amd64', 'unknown/unknown'):
        with pytest.raises(DXFPlatformDataNotFound):
            parsed.choose(wanted)
    assert parsed.choose(digest('a')).digest == digest('a')


def test_twins_are_chosen_by_their_full_names_and_the_first_without():
    parsed = parse(index(windows('a', '10.0.1'), windows('b', '10.0.2')))
    assert parsed.choose('windows(10.0.2)/amd64').digest == digest('b')
    assert parsed.choose('windows/amd64').digest == digest('a')
    with pytest.raises(DXFPlatformDataNotFound):
        parsed.choose('windows(10.0.3)/amd64')
    parsed = parse(index(entry('a', 'linux/amd64'), entry('b', 'linux/amd64')))
    assert parsed.choose('linux/amd64@' + digest('b')).digest == digest('b')
    assert parsed.choose('linux/amd64').digest == digest('a')


# Making one


def test_a_manifest_that_is_made_is_exactly_this():
    made = manifests.make([(digest('b'), 20), (digest('a'), 0), (digest('b'), 20)])
    a, b = digest('a'), digest('b')
    assert made == (
        '{"config": {"digest": "' + b + '", '
        '"mediaType": "application/vnd.docker.container.image.v1+json", "size": 20}, '
        '"layers": ['
        '{"digest": "' + b + '", "mediaType": "application/octet-stream", "size": 20}, '
        '{"digest": "' + a + '", "mediaType": "application/octet-stream", "size": 0}, '
        '{"digest": "' + b + '", "mediaType": "application/octet-stream", "size": 20}], '
        '"mediaType": "application/vnd.docker.distribution.manifest.v2+json", '
        '"schemaVersion": 2}'
    )


sized_blobs = st.tuples(st.sampled_from('abc').map(digest), st.integers(0, 2**63 - 1))


@given(st.lists(sized_blobs, min_size=1))
def test_a_manifest_that_is_made_can_be_picked_apart(layers):
    parsed = manifests.parse(manifests.make(layers))
    assert parsed.media_type == SCHEMA2
    assert [(layer.digest, layer.size) for layer in parsed.layers] == layers
    assert (parsed.config.digest, parsed.config.size) == layers[0]
