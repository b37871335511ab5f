"""What is attached to a manifest, and how it is found."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

import dxf
from dxf import referrers
from dxf.exceptions import (
    DXFInvalidManifestError,
    DXFInvalidNameError,
    DXFNotARegistryError,
    DXFUnsupportedSchemaType,
)

from .support.artifacts import KINDS, OCI_MANIFEST, artifact, client, keeper, layer
from .support.client import OCI_INDEX, index
from .support.fakeserver import Answer
from .support.layouts import LayoutPlain
from .support.plain import PlainClient, descriptor, sha256

D = sha256(b'')
OTHER = sha256(b'other')


@pytest.fixture(scope='module', params=KINDS)
def flavour(request, tmp_path_factory):
    with keeper(request, request.param, tmp_path_factory) as made:
        yield made


@pytest.fixture
def files(flavour):
    with client(flavour, flavour.new_repo('referrers')) as made:
        yield made


@pytest.fixture
def plain(flavour, files):
    kind = LayoutPlain if flavour.name == 'layout' else PlainClient
    with kind(flavour, files._repo) as made:
        yield made


@pytest.fixture
def subject(files, tmp_path):
    """An alias's manifest's digest."""
    (tmp_path / 'subject').write_bytes(b'subject')
    return files.push('subject', {'subject': tmp_path / 'subject'})


@pytest.fixture
def signature(tmp_path):
    path = tmp_path / 'signature'
    path.write_bytes(b'signature')
    return {'signature': path}


def has_endpoint(flavour):
    return flavour.name in ('ocimem', 'layout')


# Real registries


def test_attached_and_found(flavour, files, plain, subject, signature):
    assert files.list_referrers('subject') == []
    digest = files.attach('subject', signature, 'text/x-signature', {'a': 'b'})
    (found,) = files.list_referrers('subject')
    stored = plain.get_manifest(digest)
    assert (found.digest, found.size) == (digest, len(stored.content))
    assert (found.media_type, found.artifact_type) == (OCI_MANIFEST, 'text/x-signature')
    assert found.annotations == stored.json()['annotations']
    assert found.annotations['a'] == 'b'
    assert 'org.opencontainers.image.created' in found.annotations
    assert stored.json()['subject'] == descriptor(
        plain.get_manifest('subject').content, OCI_MANIFEST
    )
    # By whatever it is asked for.
    assert files.list_referrers(subject) == [found]
    # A tag is there only if it is needed.
    listed = plain.get_manifest(subject.replace(':', '-'))
    assert (listed.status_code == 404) == has_endpoint(flavour)


def test_what_is_attached_can_be_pulled(files, subject, signature, tmp_path):
    digest = files.attach(subject, signature, 'text/x-signature')
    assert files.pull(digest, tmp_path / 'there') == [str(tmp_path / 'there' / 'signature')]


def test_several(files, subject, signature):
    wanted = {}
    for number in range(4):
        notes = {'n': str(number)}
        wanted[files.attach('subject', signature, f'text/x-{number}', notes)] = number
    found = files.list_referrers('subject')
    assert {one.digest: one.annotations['n'] for one in found} == {
        digest: str(n) for digest, n in wanted.items()
    }
    (one,) = files.list_referrers('subject', 'text/x-2')
    assert wanted[one.digest] == 2
    assert files.list_referrers('subject', 'text/x-9') == []


def test_the_same_again_is_listed_once(files, subject, signature, monkeypatch):
    monkeypatch.setenv('SOURCE_DATE_EPOCH', '1')
    assert files.attach(subject, signature, 'a/b') == files.attach(subject, signature, 'a/b')
    assert len(files.list_referrers(subject)) == 1


def test_what_is_attached_to_what_is_attached(files, subject, signature):
    first = files.attach('subject', signature, 'a/b')
    second = files.attach(first, [], 'c/d')
    assert [one.digest for one in files.list_referrers('subject')] == [first]
    assert [one.digest for one in files.list_referrers(first)] == [second]


def test_an_alias_of_blobs_and_an_index_have_referrers_too(files, plain, signature):
    files.set_alias('blobs', files.push_blob(data=b'content'))
    digest = files.attach('blobs', signature, 'a/b')
    assert [one.digest for one in files.list_referrers('blobs')] == [digest]
    plain.push_manifest('index', index(), OCI_INDEX)
    digest = files.attach('index', signature, 'a/b')
    assert [one.digest for one in files.list_referrers('index')] == [digest]
    assert plain.get_manifest(digest).json()['subject']['mediaType'] == OCI_INDEX


def test_what_others_attached(flavour, files, plain, subject):
    """With what they listed themselves, where they must, and all that they wrote there."""
    plain.push_blob(b'content')
    text = artifact(
        layer(b'content'),
        subject=descriptor(plain.get_manifest(subject).content, OCI_MANIFEST),
        artifactType='text/x-others',
    )
    theirs = plain.push_manifest(sha256(text.encode()), text, OCI_MANIFEST)
    tag = subject.replace(':', '-')
    if not has_endpoint(flavour):
        entry = dict(
            descriptor(text.encode(), OCI_MANIFEST), artifactType='text/x-others', strange=[1]
        )
        plain.push_manifest(tag, index(entry, annotations={'more': 'too'}), OCI_INDEX)
    ours = files.attach(subject, [], 'text/x-ours')
    found = {one.digest: one.artifact_type for one in files.list_referrers(subject)}
    assert found == {theirs: 'text/x-others', ours: 'text/x-ours'}
    if not has_endpoint(flavour):
        stored = plain.get_manifest(tag).json()
        assert stored['manifests'][0] == entry
        assert stored['annotations'] == {'more': 'too'}


def test_what_is_not_there(files, signature):
    for call in (
        lambda: files.attach('missing', signature, 'a/b'),
        lambda: files.list_referrers('missing'),
    ):
        with pytest.raises(requests.exceptions.HTTPError, match='404'):
            call()
    assert files.list_referrers(D) == []


def test_a_tag_that_is_no_list(flavour, files, plain, subject, signature):
    if has_endpoint(flavour):
        pytest.skip('its tags are not read')
    files.push(subject.replace(':', '-'), [])
    with pytest.raises(DXFInvalidManifestError, match='not that of an index'):
        files.attach(subject, signature, 'a/b')
    with pytest.raises(DXFInvalidManifestError, match='not that of an index'):
        files.list_referrers(subject)


def test_what_is_deleted_is_listed_no_more(files, plain, subject, signature):
    first, second = (files.attach(subject, signature, kind) for kind in ('a/b', 'c/d'))
    files.del_alias(first)
    assert [one.digest for one in files.list_referrers(subject)] == [second]
    # Registries refuse a list that has what is not there.
    third = files.attach(subject, signature, 'e/f')
    assert {one.digest for one in files.list_referrers(subject)} == {second, third}
    for digest in (second, third):
        files.del_alias(digest)
    assert files.list_referrers(subject) == []


def test_what_others_have_deleted_is_in_nobody_s_way(flavour, files, plain, subject, signature):
    first, second = (files.attach(subject, signature, kind) for kind in ('a/b', 'c/d'))
    plain.delete(f'manifests/{first}')
    third = files.attach(subject, signature, 'e/f')
    assert {one.digest for one in files.list_referrers(subject)} == {second, third}
    for digest in (second, third):
        plain.delete(f'manifests/{digest}')
    fourth = files.attach(subject, signature, 'g/h')
    assert [one.digest for one in files.list_referrers(subject)] == [fourth]


def test_threads_attach_to_the_same(flavour, subject, signature, files):
    """A tag's list is read and written again, which only one may do at a time."""

    def attach(kind):
        with client(flavour, files._repo) as made:
            return made.attach(subject, signature, kind)

    # Debian's registry gets into trouble with one new blob that comes several times at once.
    attached = [attach('a/first')]
    with ThreadPoolExecutor(8) as threads:
        attached += threads.map(attach, [f'a/{number}' for number in range(8)])
    assert {one.digest for one in files.list_referrers(subject)} == set(attached)


def test_a_list_that_is_refused(fake_server):
    """For something else than what is in it."""
    listed = entry(5)
    fake_server.on('HEAD', '.*/manifests/.*', Answer(headers={'Docker-Content-Digest': D}))
    fake_server.on('HEAD', '.*/blobs/.*', Answer(headers={'Content-Length': '2'}))
    fake_server.on('GET', '.*/manifests/latest', Answer(body=artifact()))
    fake_server.on('GET', '.*/manifests/sha256-.*', Answer(body=index(listed)))
    fake_server.on('PUT', '.*/manifests/sha256:.*', Answer(201))
    fake_server.on('PUT', '.*/manifests/sha256-.*', Answer(400))
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(requests.exceptions.HTTPError, match='400'):
            made.attach('latest', [], 'a/b')
    assert [one.method for one in fake_server.requests].count('PUT') == 2


@pytest.mark.parametrize('listed', [artifact(), index({'digest': 5}, {'digest': OTHER})])
@pytest.mark.parametrize('subject', [None, 5, {}, {'digest': 'x'}, {'digest': D}])
def test_deleting_what_is_listed_nowhere(fake_server, subject, listed):
    """Whatever it says that it is about, and whatever the tag stands for."""
    text = artifact(subject=subject)
    fake_server.on('GET', '.*/manifests/latest', Answer(body=text))
    fake_server.on('GET', '.*/manifests/sha256-.*', Answer(body=listed))
    fake_server.on('DELETE', '.*', Answer(202))
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        assert made.del_alias('latest') == []
    asked = [one.method for one in fake_server.requests]
    assert asked == ['GET', 'DELETE', 'GET'][: 3 if subject == {'digest': D} else 2]


@pytest.mark.parametrize('method', ['GET', 'PUT'])
@pytest.mark.parametrize('status', [400, 401, 403, 405])
def test_deleting_where_the_list_is_closed(fake_server, method, status):
    """What was to be deleted is, and its blobs' digests are given back."""
    text = artifact(layer(b'a'), subject={'digest': D})
    listed = index({'digest': sha256(text.encode()), 'size': len(text)})
    fake_server.on('GET', '.*/manifests/latest', Answer(body=text))
    fake_server.on('GET', '.*/manifests/sha256-.*', Answer(body=listed))
    fake_server.on('HEAD', '.*', Answer(404))
    fake_server.on('PUT', '.*', Answer(201))
    fake_server.on('DELETE', '.*', Answer(202))
    fake_server.on(method, '.*/manifests/sha256-.*', Answer(status))
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        assert made.del_alias('latest') == [sha256(b'a')]
    assert len(fake_server.seen('DELETE')) == 1


def test_the_type_must_be_one(fake_server):
    fake_server.on('HEAD', '.*', Answer(headers={'Docker-Content-Digest': D}))
    fake_server.on('GET', '.*', Answer(body=artifact(), headers={'Content-Type': OCI_MANIFEST}))
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(DXFInvalidNameError):
            made.attach('latest', [], 'nonsense')
    assert fake_server.seen('PUT') == fake_server.seen('POST') == []


# Answers


def listed(*entries, **fields):
    return Answer(
        body=json.dumps({'schemaVersion': 2, 'mediaType': OCI_INDEX, 'manifests': entries}),
        headers={'Content-Type': OCI_INDEX, **fields},
    )


def entry(number, kind='a/b', **fields):
    return {**descriptor(b'%d' % number, OCI_MANIFEST), 'artifactType': kind, **fields}


@pytest.fixture
def asked(fake_server):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        yield made


PATH = f'/v2/a/referrers/{D}'


def test_the_request(fake_server, asked):
    fake_server.on('GET', PATH, listed(entry(1)))
    assert [one.digest for one in asked.list_referrers(D)] == [sha256(b'1')]
    (request,) = fake_server.requests
    assert request.headers['Accept'] == OCI_INDEX
    assert request.query == {}


def test_a_filter_that_the_registry_applied(fake_server, asked):
    # It need not say of each what all are.
    bare = entry(2)
    del bare['artifactType']
    headers = {'OCI-Filters-Applied': 'annotation, artifactType'}
    fake_server.on('GET', PATH, listed(entry(1, 'c/d'), bare, **headers))
    found = asked.list_referrers(D, 'c/d')
    assert [(one.digest, one.artifact_type) for one in found] == [
        (sha256(b'1'), 'c/d'),
        (sha256(b'2'), 'c/d'),
    ]
    assert fake_server.requests[0].query == {'artifactType': ['c/d']}


def test_a_filter_that_it_did_not_apply(fake_server, asked):
    bare = entry(2)
    del bare['artifactType']
    fake_server.on('GET', PATH, listed(entry(1, 'c/d'), bare, entry(3)))
    assert [one.digest for one in asked.list_referrers(D, 'c/d')] == [sha256(b'1')]


def test_pages(fake_server, asked):
    def answer(request):
        page = int(request.query.get('page', ['0'])[0])
        headers = {'Link': f'<{PATH}?page={page + 1}>; rel="next"'} if page < 2 else {}
        return listed(entry(page), **headers)

    fake_server.on('GET', PATH, answer)
    assert [one.digest for one in asked.list_referrers(D)] == [sha256(b'%d' % n) for n in range(3)]


@pytest.mark.parametrize('first', [[], [1]])
def test_a_page_that_is_missing_is_no_missing_endpoint(fake_server, asked, first):
    """What was listed before it must not vanish."""
    headers = {'Link': f'<{PATH}?page=2>; rel="next"'}
    fake_server.on('GET', PATH, listed(*map(entry, first), **headers))
    fake_server.on('GET', PATH + r'\?page=2', Answer(404))
    with pytest.raises(requests.exceptions.HTTPError, match='404'):
        asked.list_referrers(D)
    assert fake_server.seen(path='.*/manifests/.*') == []


def test_many_pages_without_what_is_wanted(fake_server, asked):
    def answer(request):
        page = int(request.query.get('page', ['0'])[0])
        if page == 150:
            return listed(entry(page, 'c/d'))
        return listed(entry(page), Link=f'<{PATH}?page={page + 1}>; rel="next"')

    fake_server.on('GET', PATH, answer)
    assert len(asked.list_referrers(D, 'c/d')) == 1


@pytest.mark.parametrize('status', [400, 403, 500])
def test_other_errors_are_errors(fake_server, asked, clock, status):
    fake_server.on('GET', PATH, lambda request: Answer(status))
    with pytest.raises(requests.exceptions.HTTPError):
        asked.list_referrers(D)
    assert fake_server.seen(path='.*/manifests/.*') == []


def test_a_web_page(fake_server, asked):
    fake_server.on('GET', PATH, Answer(body='<html>', headers={'Content-Type': 'text/html'}))
    with pytest.raises(DXFNotARegistryError):
        asked.list_referrers(D)


@pytest.mark.parametrize('body', ['{', '{}', '{"manifests": {}}', '{"manifests": [1]}'])
def test_no_index(fake_server, asked, body):
    fake_server.on('GET', PATH, Answer(body=body))
    with pytest.raises((DXFInvalidManifestError, DXFUnsupportedSchemaType)):
        asked.list_referrers(D)


def test_an_empty_list_of_a_go_program(fake_server, asked):
    fake_server.on('GET', PATH, Answer(body='{"schemaVersion": 2, "manifests": null}'))
    assert asked.list_referrers(D) == []


@pytest.mark.parametrize(
    'headers',
    [
        {'Content-Type': 'a/b', 'Content-Length': '9'},
        {'Content-Type': OCI_MANIFEST},
        {'Content-Type': OCI_MANIFEST, 'Content-Length': '0'},
    ],
)
def test_a_subject_that_a_head_says_too_little_of(fake_server, asked, headers):
    text = artifact()
    fake_server.on('GET', '/v2/a/manifests/latest', Answer(body=text))
    headers['Docker-Content-Digest'] = sha256(text.encode())
    fake_server.on('HEAD', '/v2/a/manifests/latest', Answer(headers=headers))
    fake_server.on('HEAD', '/v2/a/blobs/.*', Answer(headers={'Content-Length': '2'}))
    fake_server.on('PUT', '.*', Answer(201, headers={'OCI-Subject': D}))
    asked.attach('latest', [], 'a/b')
    (put,) = fake_server.seen('PUT')
    assert json.loads(put.body)['subject'] == descriptor(text.encode(), OCI_MANIFEST)


# Values


@pytest.mark.parametrize(
    ('digest', 'tag'),
    [
        (D, 'sha256-' + D.partition(':')[2]),
        ('sha512:' + 'a' * 128, 'sha512-' + 'a' * 64),
        ('a' * 40 + ':' + 'b' * 70, 'a' * 32 + '-' + 'b' * 64),
        ('a+b:c=d', 'a-b-c-d'),
    ],
)
def test_tags(digest, tag):
    assert referrers.tag(digest) == tag


@pytest.mark.parametrize(
    ('fields', 'path'),
    [
        ({'digest': 'nonsense'}, 'digest'),
        ({'digest': 5}, 'digest'),
        ({'size': '5'}, 'size'),
        ({'mediaType': 5}, 'mediaType'),
        ({'artifactType': []}, 'artifactType'),
        ({'annotations': []}, 'annotations'),
    ],
)
def test_entries_that_are_none(fields, path):
    text = index(entry(1), entry(2, **fields))
    with pytest.raises(DXFInvalidManifestError) as caught:
        referrers.parse(text, 'name')
    assert caught.value.field == f'manifests[1].{path}'


def test_what_is_missing_from_an_entry():
    (found,) = referrers.parse(index({'digest': D, 'size': 5}), 'name')
    assert found == (D, 5, None, {}, None, None)


@given(
    st.lists(st.sampled_from([sha256(b'%d' % n) for n in range(5)]), unique=True),
    st.sampled_from([sha256(b'%d' % n) for n in range(5)]),
)
def test_adding(there, new):
    text = index(*({'digest': digest, 'size': 1, 'x': digest} for digest in there))
    added = referrers.add(text, {'digest': new, 'size': 2}, 'name')
    assert (added is None) == (new in there)
    if added is not None:
        assert json.loads(added)['manifests'][:-1] == json.loads(text)['manifests']
        assert [one.digest for one in referrers.parse(added, 'name')] == [*there, new]


def test_adding_to_what_is_no_index():
    with pytest.raises(DXFInvalidManifestError):
        referrers.add(artifact(), entry(1), 'name')
    with pytest.raises(DXFInvalidManifestError):
        referrers.add('{"manifests": 5}', entry(1), 'name')
