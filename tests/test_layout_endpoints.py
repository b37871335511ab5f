"""The registry that a folder of layouts is, request by request, through requests alone."""

import gc
import hashlib
import io
import json
import os
import time
import warnings

import pytest
import requests

from dxf.layout import BASE_URL, LayoutAdapter, subjects
from dxf.layout.storage import Storage

from .support.client import LIST, OCI_INDEX, OCI_MANIFEST, entry, index, oci_manifest
from .support.layouts import LayoutFlavour, listed, read_index, write_blob, write_layout
from .support.plain import SCHEMA2, schema2, sha256

EMPTY = b'{}'
EMPTY_TYPE = 'application/vnd.oci.empty.v1+json'


class Session(requests.Session):
    """Sends to a repository of the folder; paths are relative to it, or start with a slash."""

    def __init__(self, folder):
        super().__init__()
        self.repo = 'a/b'
        LayoutFlavour(folder).session(self)

    def request(self, method, path, *args, **kwargs):
        if '://' not in path:
            path = BASE_URL + (path[1:] if path.startswith('/') else f'v2/{self.repo}/{path}')
        return super().request(method, path, *args, **kwargs)

    def push(self, content, algorithm='sha256'):
        digest = f'{algorithm}:{hashlib.new(algorithm, content).hexdigest()}'
        answer = self.put(self.open(), params={'digest': digest}, data=content)
        assert answer.status_code == 201, answer.text
        return digest

    def open(self):
        answer = self.post('blobs/uploads/')
        assert answer.status_code == 202, answer.text
        return answer.headers['Location']

    def put_manifest(self, reference, text, media_type=OCI_MANIFEST):
        return self.put(f'manifests/{reference}', data=text, headers={'Content-Type': media_type})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'layouts'


@pytest.fixture
def http(folder):
    with Session(folder) as made:
        yield made


def code(answer):
    """An error's code, if the answer is as errors are."""
    assert answer.headers['Content-Type'] == 'application/json'
    errors = answer.json()['errors']
    assert errors
    for error in errors:
        assert set(error) == {'code', 'message', 'detail'}
        assert isinstance(error['message'], str)
        assert error['message']
    return errors[0]['code']


def refused(answer, status, expected):
    assert answer.status_code == status, answer.text
    if answer.request.method != 'HEAD':
        assert code(answer) == expected
    else:
        assert answer.content == b''
        assert int(answer.headers['Content-Length']) > 0


def image(http, name='latest', **fields):
    """An image that is stored: its text."""
    http.push(b'config')
    http.push(b'layer')
    text = oci_manifest(b'config', b'layer', **fields)
    assert http.put_manifest(name, text).status_code == 201
    return text


# Answers


def test_an_answer_is_as_others_are(http):
    digest = http.push(b'x' * 100_000)
    answer = http.get(f'blobs/{digest}', stream=True)
    assert isinstance(answer, requests.Response)
    assert answer.ok
    # A member of an enumeration is printed otherwise.
    assert type(answer.status_code) is type(answer.raw.status) is int
    assert answer.reason == 'OK'
    assert answer.url == f'{BASE_URL}v2/a/b/blobs/{digest}'
    assert answer.request.method == 'GET'
    assert answer.request.url == answer.url
    assert answer.headers['docker-content-digest'] == digest
    assert answer.headers['content-length'] == '100000'
    assert answer.history == []
    assert answer.is_redirect is False
    assert not list(answer.cookies)
    assert answer.raw.status == 200
    assert answer.raw.headers['Content-Length'] == '100000'
    assert [len(piece) for piece in answer.iter_content(40_000)] == [40_000, 40_000, 20_000]
    assert http.get(f'blobs/{digest}').content == b'x' * 100_000
    with http.get(f'blobs/{digest}', stream=True) as answer:
        assert answer.raw.read(10) == b'x' * 10
        assert b''.join(answer.raw.stream(1000)) == b'x' * 99_990


def test_what_is_not_read_is_closed(http):
    digest = http.push(b'content')
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter('always')
        http.head(f'blobs/{digest}')
        http.get(f'blobs/{digest}', stream=True).close()
        http.get(f'blobs/{digest}')
        http.get(f'blobs/{digest}', headers={'Range': 'bytes=99-'}, stream=True).close()
        http.get(f'blobs/{digest}', headers={'Range': 'bytes=1-2'}, stream=True).close()
        gc.collect()
    # A file that nobody has closed says so when it goes.
    assert not [one.message for one in complaints if one.category is ResourceWarning]


def test_a_blob_that_gets_shorter_while_it_is_read(http, folder):
    digest = http.push(b'x' * 100_000)
    answer = http.get(f'blobs/{digest}', stream=True)
    os.truncate(folder / 'a' / 'b' / 'blobs' / 'sha256' / digest[7:], 50)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        answer.content  # noqa: B018


def test_settings_of_requests_change_nothing(folder):
    adapter = LayoutAdapter(folder)
    request = requests.Request('GET', BASE_URL + 'v2/').prepare()
    answer = adapter.send(
        request,
        stream=True,
        timeout=(1, 2),
        verify='/nowhere',
        cert='/nowhere',
        proxies={'https': 'http://nowhere.invalid'},
    )
    assert answer.status_code == 200
    adapter.close()
    assert adapter.send(request).status_code == 200


@pytest.mark.parametrize('path', ['/v2/', '/v2'])
def test_support(http, path):
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.json() == {}
    assert answer.headers['Docker-Distribution-Api-Version'] == 'registry/2.0'
    assert http.head(path).status_code == 200


@pytest.mark.parametrize(
    'path', ['/', '/v1/', '/v2/a', '/v2/a/b/tags', '/v2/a/b/other/x', '/v2/_x']
)
def test_what_is_no_endpoint(http, path):
    refused(http.get(path), 404, 'PAGE_UNKNOWN')


@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('POST', '/v2/'), ('DELETE', '/v2/_catalog'), ('PUT', 'tags/list'),
        ('PATCH', 'manifests/latest'), ('PUT', 'blobs/sha256:ab'), ('GET', 'blobs/uploads/'),
        ('POST', 'blobs/uploads/abc'), ('PUT', 'referrers/sha256:ab'), ('OPTIONS', '/v2/'),
    ],
)  # fmt: skip
def test_methods_that_are_not_there(http, method, path):
    refused(http.request(method, path), 405, 'UNSUPPORTED')


# Lists


def test_the_catalogue(http):
    assert http.get('/v2/_catalog').json() == {'repositories': []}
    for http.repo in ('b', 'a/x', 'a', 'c-d'):
        http.push(b'')
    assert http.get('/v2/_catalog').json() == {'repositories': ['a', 'a/x', 'b', 'c-d']}


def pages(http, path, key):
    found = []
    while path:
        answer = http.get(path)
        assert answer.status_code == 200
        found.append(answer.json()[key])
        path = answer.links.get('next', {}).get('url')
    return found


def test_pages(http):
    text = image(http, 'b')
    for tag in ('a', 'C', '_', 'd.1-2'):
        http.put_manifest(tag, text)
    every = sorted(['a', 'b', 'C', '_', 'd.1-2'])
    assert http.get('tags/list').json() == {'name': 'a/b', 'tags': every}
    assert pages(http, 'tags/list?n=2', 'tags') == [every[:2], every[2:4], every[4:]]
    assert pages(http, 'tags/list?n=5', 'tags') == [every]
    assert pages(http, 'tags/list?n=1', 'tags') == [[name] for name in every]
    assert pages(http, f'tags/list?last={every[2]}', 'tags') == [every[3:]]
    assert pages(http, f'tags/list?n=1&last={every[2]}', 'tags') == [[every[3]], [every[4]]]
    assert pages(http, 'tags/list?last=zzz', 'tags') == [[]]
    assert pages(http, 'tags/list?n=0', 'tags') == [[]]
    assert http.get('tags/list', params={'n': 2}).links['next']['rel'] == 'next'
    for http.repo in ('x/y', 'z'):
        http.push(b'')
    assert pages(http, '/v2/_catalog?n=2', 'repositories') == [['a/b', 'x/y'], ['z']]


@pytest.mark.parametrize('n', ['-1', 'x', '1.5', '9' * 30, '²'])
def test_a_page_of_no_number(http, n):
    http.push(b'')
    for path in ('tags/list', '/v2/_catalog'):
        refused(http.get(path, params={'n': n}), 400, 'PAGINATION_NUMBER_INVALID')


def test_an_unknown_repository(http):
    for method, path in (
        ('GET', 'tags/list'), ('GET', 'manifests/latest'), ('HEAD', 'manifests/latest'),
        ('DELETE', 'manifests/latest'), ('DELETE', f'manifests/{sha256(b"")}'),
        ('GET', f'blobs/{sha256(b"")}'), ('HEAD', f'blobs/{sha256(b"")}'),
        ('DELETE', f'blobs/{sha256(b"")}'), ('GET', f'referrers/{sha256(b"")}'),
    ):  # fmt: skip
        refused(http.request(method, path), 404, 'NAME_UNKNOWN')


# Manifests


@pytest.mark.parametrize('media_type', [SCHEMA2, LIST, OCI_MANIFEST, OCI_INDEX])
@pytest.mark.parametrize('says_so', [True, False])
def test_manifests_of_every_type(http, media_type, says_so):
    image_type = SCHEMA2 if media_type in (SCHEMA2, LIST) else OCI_MANIFEST
    make = schema2 if image_type == SCHEMA2 else oci_manifest
    http.push(b'config')
    http.push(b'layer')
    text = make(b'config', b'layer')
    if media_type != image_type:
        http.put_manifest(sha256(text.encode()), text, image_type)
        text = index(entry(text), media_type=media_type)
    if not says_so:
        document = json.loads(text)
        del document['mediaType']
        text = json.dumps(document)
    digest = sha256(text.encode())
    answer = http.put_manifest('latest', text, media_type)
    assert answer.status_code == 201
    assert answer.headers['Docker-Content-Digest'] == digest
    assert answer.headers['Location'] == f'/v2/a/b/manifests/{digest}'
    assert 'OCI-Subject' not in answer.headers
    for reference in ('latest', digest, digest.replace(':', '%3A')):
        for answer in (http.get(f'manifests/{reference}'), http.head(f'manifests/{reference}')):
            assert answer.status_code == 200
            assert answer.headers['Content-Type'] == media_type
            assert answer.headers['Content-Length'] == str(len(text))
            assert answer.headers['Docker-Content-Digest'] == digest
        assert answer.content == b''
        assert http.get(f'manifests/{reference}').text == text


def test_accept_hides_nothing(http):
    text = image(http)
    for accept in ('', '*/*', 'application/json', SCHEMA2):
        assert http.get('manifests/latest', headers={'Accept': accept}).text == text


def test_a_manifest_by_sha512(http):
    http.push(b'config')
    content = oci_manifest(b'config').encode()
    digest = 'sha512:' + hashlib.sha512(content).hexdigest()
    assert http.put_manifest(digest, content).headers['Docker-Content-Digest'] == digest
    assert http.get(f'manifests/{digest}').content == content
    assert http.get(f'manifests/{sha256(content)}').status_code == 404
    assert http.delete(f'manifests/{digest}').status_code == 202
    assert http.get(f'manifests/{digest}').status_code == 404


@pytest.mark.parametrize(
    'content_type', [None, OCI_MANIFEST + '; charset=utf-8', OCI_MANIFEST.upper()]
)
def test_content_types_that_will_do(http, content_type):
    http.push(b'config')
    answer = http.put_manifest('latest', oci_manifest(b'config'), content_type)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ('content', 'media_type'),
    [
        (b'', OCI_MANIFEST),
        (b'{', OCI_MANIFEST),
        (b'[]', OCI_MANIFEST),
        (b'\xff\xfe', OCI_MANIFEST),
        (b'[' * 100_000, OCI_MANIFEST),
        (b'{"schemaVersion": 2}', OCI_MANIFEST),
        (b'{"schemaVersion": 2}', 'application/json'),
        (b'{"mediaType": 1}', OCI_MANIFEST),
        (b'{"mediaType": "text/plain"}', 'text/plain'),
        (b'{"schemaVersion": 2, "layers": []}', OCI_MANIFEST),
        (b'{"config": {}, "layers": []}', OCI_MANIFEST),
        (b'{"config": {"digest": "x", "size": 1}, "layers": []}', OCI_MANIFEST),
        (b'{"manifests": [{}]}', OCI_INDEX),
        (b'{"manifests": [5]}', OCI_INDEX),
        (b'{"manifests": [{"digest": "../x"}]}', OCI_INDEX),
        (oci_manifest(b'config').encode(), SCHEMA2),
        (oci_manifest(b'config').encode(), 'application/octet-stream'),
        (index().encode(), OCI_MANIFEST),
    ],
)
def test_what_is_no_manifest(http, folder, content, media_type):
    refused(http.put_manifest('latest', content, media_type), 400, 'MANIFEST_INVALID')
    assert not folder.exists()


def test_a_manifest_of_another_digest(http, folder):
    http.push(b'config')
    text = oci_manifest(b'config')
    for digest in (sha256(b'other'), 'sha512:' + '0' * 128, 'md5:' + '0' * 32, 'sha256:00'):
        refused(http.put_manifest(digest, text), 400, 'DIGEST_INVALID')
    assert read_index(folder / 'a' / 'b')['manifests'] == []


@pytest.mark.parametrize('tag', ['-x', '.x', 'x' * 129, 'a b', 'ü'])
def test_a_tag_that_is_none(http, tag):
    http.push(b'config')
    refused(http.put_manifest(tag, oci_manifest(b'config')), 400, 'TAG_INVALID')
    refused(http.get(f'manifests/{tag}'), 404, 'MANIFEST_UNKNOWN')
    refused(http.delete(f'manifests/{tag}'), 404, 'MANIFEST_UNKNOWN')


def test_a_manifest_of_what_is_not_there(http, folder):
    text = oci_manifest(b'config', b'one', b'two', b'one')
    answer = http.put_manifest('latest', text)
    refused(answer, 400, 'MANIFEST_BLOB_UNKNOWN')
    missing = [sha256(b'config'), sha256(b'one'), sha256(b'two')]
    assert [error['detail']['digest'] for error in answer.json()['errors']] == missing
    assert not folder.exists()
    http.push(b'config')
    http.push(b'one')
    answer = http.put_manifest('latest', text)
    assert [error['detail']['digest'] for error in answer.json()['errors']] == [sha256(b'two')]
    child = oci_manifest(b'config')
    refused(
        http.put_manifest('latest', index(entry(child)), OCI_INDEX), 400, 'MANIFEST_BLOB_UNKNOWN'
    )
    # What is in another repository is not in this one.
    http.repo = 'other'
    refused(http.put_manifest('latest', oci_manifest(b'config')), 400, 'MANIFEST_BLOB_UNKNOWN')


def test_layers_that_are_elsewhere(http):
    http.push(b'config')
    document = json.loads(oci_manifest(b'config', b'windows'))
    document['layers'][0]['urls'] = ['https://example.com/windows']
    assert http.put_manifest('latest', json.dumps(document)).status_code == 201


@pytest.mark.parametrize(
    'entries', [None, [], [{}], [{'platform': {'os': 'linux'}}, {'size': 'x'}]]
)
def test_indexes_of_every_sort(http, entries):
    """What is only handed on is not looked at more closely than need be."""
    http.push(b'thing')
    listed = entries and [{'digest': sha256(b'thing'), **fields} for fields in entries]
    text = json.dumps({'schemaVersion': 2, 'mediaType': OCI_INDEX, 'manifests': listed})
    assert http.put_manifest('latest', text, OCI_INDEX).status_code == 201
    assert http.get('manifests/latest').text == text
    assert http.delete(f'manifests/{sha256(text.encode())}').status_code == 202


def test_a_manifest_without_layers(http):
    http.push(EMPTY)
    assert http.put_manifest('latest', oci_manifest(EMPTY)).status_code == 201
    assert http.put_manifest('index', index(), OCI_INDEX).status_code == 201


def test_a_manifest_that_is_too_large(http):
    http.push(b'config')
    padding = 4 * 1024 * 1024 - len(oci_manifest(b'config', annotations={'x': ''}))
    text = oci_manifest(b'config', annotations={'x': 'y' * padding})
    assert http.put_manifest('latest', text).status_code == 201
    assert http.get('manifests/latest').text == text
    text = oci_manifest(b'config', annotations={'x': 'y' * (padding + 1)})
    refused(http.put_manifest('latest', text), 413, 'SIZE_INVALID')


def test_deleting_a_tag_leaves_the_rest(http):
    text = image(http, 'one')
    http.put_manifest('two', text)
    answer = http.delete('manifests/one')
    assert answer.status_code == 202
    assert answer.content == b''
    refused(http.get('manifests/one'), 404, 'MANIFEST_UNKNOWN')
    refused(http.delete('manifests/one'), 404, 'MANIFEST_UNKNOWN')
    assert http.get('tags/list').json()['tags'] == ['two']
    assert http.get(f'manifests/{sha256(text.encode())}').text == text


def test_deleting_a_manifest_takes_its_tags(http):
    text = image(http, 'one')
    http.put_manifest('two', text)
    digest = sha256(text.encode())
    assert http.delete(f'manifests/{digest}').status_code == 202
    for reference in ('one', 'two', digest):
        refused(http.get(f'manifests/{reference}'), 404, 'MANIFEST_UNKNOWN')
        refused(http.head(f'manifests/{reference}'), 404, 'MANIFEST_UNKNOWN')
    refused(http.delete(f'manifests/{digest}'), 404, 'MANIFEST_UNKNOWN')
    assert http.get('tags/list').json()['tags'] == []
    assert http.head(f'blobs/{digest}').status_code == 404
    assert http.head(f'blobs/{sha256(b"layer")}').status_code == 200


# Blobs


@pytest.mark.parametrize('algorithm', ['sha256', 'sha512'])
@pytest.mark.parametrize('content', [b'', b'x', b'content' * 100_000])
def test_blobs(http, content, algorithm):
    digest = http.push(content, algorithm)
    for answer in (http.head(f'blobs/{digest}'), http.get(f'blobs/{digest}')):
        assert answer.status_code == 200
        assert answer.headers['Content-Length'] == str(len(content))
        assert answer.headers['Content-Type'] == 'application/octet-stream'
        assert answer.headers['Docker-Content-Digest'] == digest
        assert answer.headers['Accept-Ranges'] == 'bytes'
    assert answer.content == content
    assert http.head(f'blobs/{digest}').content == b''
    answer = http.delete(f'blobs/{digest}')
    assert answer.status_code == 202
    for method in ('GET', 'HEAD', 'DELETE'):
        refused(http.request(method, f'blobs/{digest}'), 404, 'BLOB_UNKNOWN')


@pytest.mark.parametrize('digest', ['x', 'sha256', 'sha256:', 'sha256:00', 'sha256:' + 'G' * 64])
def test_digests_that_are_none(http, digest):
    http.push(b'')
    for method in ('GET', 'HEAD', 'DELETE'):
        refused(http.request(method, f'blobs/{digest}'), 400, 'DIGEST_INVALID')
    refused(http.get(f'referrers/{digest}'), 400, 'DIGEST_INVALID')


@pytest.mark.parametrize(
    ('wanted', 'first', 'last'),
    [
        ('bytes=0-', 0, 99), ('bytes=0-0', 0, 0), ('bytes=10-19', 10, 19), ('bytes=99-', 99, 99),
        ('bytes=90-500', 90, 99), ('bytes=-5', 95, 99), ('bytes=-500', 0, 99),
        ('bytes=0-99', 0, 99),
    ],
)  # fmt: skip
def test_ranges(http, wanted, first, last):
    content = bytes(range(100))
    digest = http.push(content)
    answer = http.get(f'blobs/{digest}', headers={'Range': wanted})
    assert answer.status_code == 206
    assert answer.reason == 'Partial Content'
    assert answer.content == content[first : last + 1]
    assert answer.headers['Content-Range'] == f'bytes {first}-{last}/100'
    assert answer.headers['Content-Length'] == str(last - first + 1)
    answer = http.head(f'blobs/{digest}', headers={'Range': wanted})
    assert (answer.status_code, answer.headers['Content-Length']) == (200, '100')


@pytest.mark.parametrize('wanted', ['bytes=100-', 'bytes=100-200', 'bytes=-0'])
def test_ranges_past_the_end(http, wanted):
    digest = http.push(bytes(100))
    answer = http.get(f'blobs/{digest}', headers={'Range': wanted})
    refused(answer, 416, 'RANGE_INVALID')
    assert answer.headers['Content-Range'] == 'bytes */100'


@pytest.mark.parametrize('wanted', ['bytes=0-', 'bytes=-1'])
def test_ranges_of_nothing(http, wanted):
    answer = http.get(f'blobs/{http.push(b"")}', headers={'Range': wanted})
    refused(answer, 416, 'RANGE_INVALID')
    assert answer.headers['Content-Range'] == 'bytes */0'


@pytest.mark.parametrize(
    'wanted', ['bytes=5-2', 'bytes=-', 'items=0-5', 'bytes=a-b', 'bytes=0-1,4-5', 'x']
)
def test_ranges_to_be_ignored(http, wanted):
    answer = http.get(f'blobs/{http.push(bytes(100))}', headers={'Range': wanted})
    assert answer.status_code == 200
    assert answer.content == bytes(100)


# Uploads


def test_an_upload_in_one_go(http, folder):
    answer = http.post('blobs/uploads/')
    assert answer.status_code == 202
    assert answer.headers['Range'] == '0-0'
    assert answer.headers['Content-Length'] == '0'
    location = answer.headers['Location']
    assert location == '/v2/a/b/blobs/uploads/' + answer.headers['Docker-Upload-UUID']
    # Nothing is in the repository yet.
    assert http.get('/v2/_catalog').json() == {'repositories': []}
    answer = http.put(location, params={'digest': sha256(b'content')}, data=b'content')
    assert answer.status_code == 201
    assert answer.headers['Location'] == f'/v2/a/b/blobs/{sha256(b"content")}'
    assert answer.headers['Docker-Content-Digest'] == sha256(b'content')
    refused(http.get(location), 404, 'BLOB_UPLOAD_UNKNOWN')
    refused(http.put(location, params={'digest': sha256(b'')}), 404, 'BLOB_UPLOAD_UNKNOWN')
    assert http.get(f'blobs/{sha256(b"content")}').content == b'content'


@pytest.mark.parametrize('path', ['blobs/uploads', 'blobs/uploads/'])
def test_opening_an_upload(http, path):
    assert http.post(path).status_code == 202
    assert http.post(path + '?digest=' + sha256(b'content'), data=b'content').status_code == 202


class Unseekable(io.RawIOBase):
    """A file of which only reading is known."""

    def __init__(self, content):
        super().__init__()
        self._content = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._content.readinto(buffer)


BODIES = {
    'bytes': lambda content: content,
    'text': lambda content: content.decode(),
    'bytearray': bytearray,
    'file': io.BytesIO,
    'pipe': Unseekable,
    'generator': lambda content: (content[i : i + 7] for i in range(0, len(content), 7)),
    'iterator': lambda content: iter([content[:3], b'', content[3:]]),
}


@pytest.mark.parametrize('kind', BODIES)
@pytest.mark.parametrize('content', [b'', b'content of some length'])
def test_bodies_of_every_kind(http, kind, content):
    digest = sha256(content)
    answer = http.put(http.open(), params={'digest': digest}, data=BODIES[kind](content))
    assert answer.status_code == 201
    assert http.get(f'blobs/{digest}').content == content
    http.delete(f'blobs/{digest}')
    location = http.open()
    assert http.patch(location, data=BODIES[kind](content)).status_code == 202
    assert http.put(location, params={'digest': digest}).status_code == 201
    assert http.get(f'blobs/{digest}').content == content
    http.push(b'config')
    text = oci_manifest(b'config')
    assert http.put_manifest('latest', BODIES[kind](text.encode())).status_code == 201


@pytest.mark.parametrize('ranges', [True, False])
@pytest.mark.parametrize('last', [b'', b'the end'])
def test_an_upload_in_pieces(http, ranges, last):
    location, sent = http.open(), b''
    for piece in (b'some', b'more', b'x' * 1000):
        span = f'{len(sent)}-{len(sent) + len(piece) - 1}'
        answer = http.patch(
            location, data=piece, headers={'Content-Range': span} if ranges else {}
        )
        sent += piece
        assert answer.status_code == 202
        assert answer.headers['Range'] == f'0-{len(sent) - 1}'
        location = answer.headers['Location']
        answer = http.get(location)
        assert answer.status_code == 204
        assert answer.content == b''
        assert answer.headers['Range'] == f'0-{len(sent) - 1}'
        assert answer.headers['Location'] == location
        assert http.head(location).status_code == 204
    headers = {}
    if ranges and last:
        headers['Content-Range'] = f'{len(sent)}-{len(sent + last) - 1}'
    digest = sha256(sent + last)
    answer = http.put(location, params={'digest': digest}, data=last, headers=headers)
    assert answer.status_code == 201
    assert http.get(f'blobs/{digest}').content == sent + last


@pytest.mark.parametrize('method', ['PATCH', 'PUT'])
@pytest.mark.parametrize('span', ['5-8', '3-6', '0-3', '4-6', '4-8', '10-13', 'bytes 5-8'])
def test_a_piece_that_is_out_of_step(http, method, span):
    location = http.open()
    assert http.patch(location, data=b'some').status_code == 202
    digest = sha256(b'somemore')
    answer = http.request(
        method, location, params={'digest': digest}, data=b'more', headers={'Content-Range': span}
    )
    refused(answer, 416, 'RANGE_INVALID')
    assert http.get(location).headers['Range'] == '0-3'
    answer = http.put(
        location, params={'digest': digest}, data=b'more', headers={'Content-Range': 'bytes 4-7/8'}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize('span', ['x', '-', '4', '4-', '-7', 'bytes */8'])
def test_a_range_that_is_none(http, span):
    location = http.open()
    answer = http.patch(location, data=b'more', headers={'Content-Range': span})
    refused(answer, 400, 'BLOB_UPLOAD_INVALID')
    assert http.get(location).status_code == 204


@pytest.mark.parametrize(
    'digest', ['', 'x', 'sha256:00', 'md5:' + '0' * 32, sha256(b'other'), 'sha512:' + '0' * 128]
)
def test_a_wrong_digest_leaves_the_upload(http, digest):
    location = http.open()
    http.patch(location, data=b'some')
    for _ in range(2):
        refused(http.put(location, params={'digest': digest}, data=b'more'), 400, 'DIGEST_INVALID')
    assert http.get(location).headers['Range'] == '0-3'
    answer = http.put(location, params={'digest': sha256(b'somemore')}, data=b'more')
    assert answer.status_code == 201


def test_an_upload_without_a_digest(http):
    location = http.open()
    refused(http.put(location, data=b'content'), 400, 'DIGEST_INVALID')
    assert http.get(location).status_code == 204


def test_an_upload_whose_content_fails(http):
    def cut():
        yield b'some'
        raise ConnectionError('cut')

    location = http.open()
    with pytest.raises(ConnectionError, match='cut'):
        http.patch(location, data=cut())
    # What came is there, as at a registry.
    assert http.get(location).headers['Range'] == '0-3'
    assert http.patch(location, data=b'more', headers={'Content-Range': '4-7'}).status_code == 202
    with pytest.raises(ConnectionError, match='cut'):
        http.put(location, params={'digest': sha256(b'')}, data=cut())
    digest = sha256(b'somemoresome')
    assert http.put(location, params={'digest': digest}).status_code == 201


def test_cancelling_an_upload(http, folder):
    location = http.open()
    http.patch(location, data=b'some')
    assert http.delete(location).status_code == 204
    for method in ('GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'):
        refused(
            http.request(method, location, params={'digest': sha256(b'')}),
            404,
            'BLOB_UPLOAD_UNKNOWN',
        )
    assert list((folder / 'a' / 'b' / '.dxf' / 'uploads').iterdir()) == []


@pytest.mark.parametrize('name', ['x', '%2e%2e', '..%2f..%2findex.json', '0' * 36, '..%2flock'])
def test_uploads_that_are_none(http, name):
    http.push(b'')
    for method in ('GET', 'PATCH', 'PUT', 'DELETE'):
        answer = http.request(method, f'blobs/uploads/{name}', params={'digest': sha256(b'')})
        assert answer.status_code in (400, 404), answer.text
    assert http.get('tags/list').status_code == 200


def test_an_upload_is_its_repository_s(http):
    location = http.open()
    refused(http.get(location.replace('/a/b/', '/other/')), 404, 'BLOB_UPLOAD_UNKNOWN')


def test_an_upload_outlives_who_opened_it(http, folder):
    location = http.open()
    http.patch(location, data=b'some')
    with Session(folder) as other:
        assert other.get(location).headers['Range'] == '0-3'
        assert other.put(location, params={'digest': sha256(b'some')}).status_code == 201


def test_uploads_that_nobody_goes_on_with(http, folder):
    old, young = http.open(), http.open()
    for location, hours in ((old, 25), (young, 23)):
        path = folder / 'a' / 'b' / '.dxf' / 'uploads' / location.rpartition('/')[2]
        long_ago = time.time() - hours * 60 * 60
        os.utime(path, (long_ago, long_ago))
    http.open()
    assert http.get(young).status_code == 204
    assert http.get(old).status_code == 404


def test_what_is_not_dxf_s_own_is_left(http, folder):
    http.open()
    other = folder / 'a' / 'b' / '.dxf' / 'uploads' / 'somebody-s'
    other.write_bytes(b'')
    os.utime(other, (0, 0))
    http.open()
    assert other.exists()


def test_pushing_what_is_there(http, folder):
    digest = http.push(b'content')
    assert http.push(b'content') == digest
    assert http.get(f'blobs/{digest}').content == b'content'


# Mounting


def test_mounting(http):
    digest = http.push(b'content')
    http.repo = 'other'
    answer = http.post('blobs/uploads/', params={'mount': digest, 'from': 'a/b'})
    assert answer.status_code == 201
    assert answer.headers['Location'] == f'/v2/other/blobs/{digest}'
    assert answer.headers['Docker-Content-Digest'] == digest
    assert http.get(f'blobs/{digest}').content == b'content'
    # Again, and from itself.
    for source in ('a/b', 'other'):
        answer = http.post('blobs/uploads/', params={'mount': digest, 'from': source})
        assert answer.status_code == 201


def test_mounting_a_link(http, folder):
    digest = http.push(b'content')
    path = folder / 'a' / 'b' / 'blobs' / 'sha256' / digest[7:]
    path.rename(folder / 'elsewhere')
    path.symlink_to('../../../../elsewhere')
    assert http.get(f'blobs/{digest}').content == b'content'
    http.repo = 'some/where/else'
    answer = http.post('blobs/uploads/', params={'mount': digest, 'from': 'a/b'})
    assert answer.status_code == 201
    assert http.get(f'blobs/{digest}').content == b'content'
    assert not (folder / 'some/where/else/blobs/sha256' / digest[7:]).is_symlink()


@pytest.mark.parametrize('is_link', [True, False])
def test_mounting_a_link_to_something_else(http, folder, monkeypatch, is_link):
    """What is copied must have the digest; else it might be any file of the user's."""
    digest = http.push(b'content')
    path = folder / 'a' / 'b' / 'blobs' / 'sha256' / digest[7:]
    path.rename(folder / 'secret')
    (folder / 'secret').write_bytes(b'secret!')
    if is_link:
        path.symlink_to(folder / 'secret')
    else:
        (folder / 'secret').rename(path)
        monkeypatch.setattr(os, 'link', refuse_links)
    http.repo = 'c'
    answer = http.post('blobs/uploads/', params={'mount': digest, 'from': 'a/b'})
    assert answer.status_code == 202
    assert http.get(f'blobs/{digest}').status_code == 404
    assert len(list(folder.glob('c/.dxf/uploads/*'))) == 1


def refuse_links(*_):
    raise OSError(18, 'another device')


@pytest.mark.parametrize('name', ['.dxf', '.dxf/uploads', '.dxf/lock', '.dxf/wrote-index'])
def test_links_in_the_place_of_what_is_dxf_s(http, folder, tmp_path, name):
    """Nothing is written or tidied up where they lead."""
    layout = folder / 'a' / 'b'
    write_layout(layout)
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    old = elsewhere / '00000000-0000-0000-0000-000000000000'
    old.write_bytes(b'old')
    os.utime(old, (0, 0))
    (layout / name).parent.mkdir(exist_ok=True)
    is_file = name.endswith(('lock', 'index'))
    (layout / name).symlink_to(elsewhere / 'new' if is_file else elsewhere)
    content = oci_manifest(b'config')
    write_blob(layout, b'config')
    answers = [http.post('blobs/uploads/')] if not is_file else []
    answers.append(http.put_manifest('v1', content))
    for answer in answers:
        refused(answer, 422, 'LAYOUT_INVALID')
    assert list(elsewhere.iterdir()) == [old]
    # Reading needs none of it.
    assert http.get('tags/list').status_code == 200


@pytest.mark.parametrize(
    ('mount', 'source'),
    [
        (sha256(b'other'), 'a/b'), (sha256(b'content'), 'none'), (sha256(b'content'), ''),
        (sha256(b'content'), '../a/b'), ('x', 'a/b'), ('', 'a/b'), (sha256(b'content'), 'blobs'),
    ],
)  # fmt: skip
def test_what_can_not_be_mounted(http, mount, source):
    http.push(b'content')
    http.repo = 'other'
    answer = http.post('blobs/uploads/', params={'mount': mount, 'from': source})
    assert answer.status_code == 202
    assert http.get(answer.headers['Location']).status_code == 204
    assert http.head(f'blobs/{sha256(b"content")}').status_code == 404


# Referrers


def artifact(kind, subject=None, **fields):
    document = {
        'schemaVersion': 2,
        'mediaType': OCI_MANIFEST,
        'config': {'mediaType': EMPTY_TYPE, 'digest': sha256(EMPTY), 'size': 2},
        'layers': [],
        **fields,
    }
    if kind is not None:
        document['artifactType'] = kind
    if subject is not None:
        document['subject'] = {
            'mediaType': OCI_MANIFEST,
            'digest': sha256(subject.encode()),
            'size': len(subject),
        }
    return json.dumps(document)


def test_referrers(http, folder):
    subject = image(http)
    digest = sha256(subject.encode())
    http.push(EMPTY)
    answer = http.get(f'referrers/{digest}')
    assert answer.status_code == 200
    assert answer.headers['Content-Type'] == OCI_INDEX
    assert answer.json() == {'schemaVersion': 2, 'mediaType': OCI_INDEX, 'manifests': []}
    sbom = artifact('application/x-sbom', subject, annotations={'org.example': 'yes'})
    signature = artifact(None, subject)
    other = artifact('application/x-sbom', sbom)
    for text in (sbom, signature, other):
        answer = http.put_manifest(sha256(text.encode()), text)
        assert answer.headers['OCI-Subject'] == json.loads(text)['subject']['digest']
    http.put_manifest('named', sbom)
    found = http.get(f'referrers/{digest}')
    assert 'OCI-Filters-Applied' not in found.headers
    assert found.json()['manifests'] == [
        {
            'mediaType': OCI_MANIFEST, 'digest': sha256(sbom.encode()), 'size': len(sbom),
            'artifactType': 'application/x-sbom', 'annotations': {'org.example': 'yes'},
        },
        {
            'mediaType': OCI_MANIFEST, 'digest': sha256(signature.encode()),
            'size': len(signature), 'artifactType': EMPTY_TYPE,
        },
    ]  # fmt: skip
    found = http.get(f'referrers/{digest}', params={'artifactType': 'application/x-sbom'})
    assert found.headers['OCI-Filters-Applied'] == 'artifactType'
    assert [e['digest'] for e in found.json()['manifests']] == [sha256(sbom.encode())]
    found = http.get(f'referrers/{digest}', params={'artifactType': 'none'})
    assert found.json()['manifests'] == []
    # The subject need not be there.
    http.delete(f'manifests/{digest}')
    assert len(http.get(f'referrers/{digest}').json()['manifests']) == 2
    http.delete(f'manifests/{sha256(sbom.encode())}')
    assert len(http.get(f'referrers/{digest}').json()['manifests']) == 1
    assert http.get('tags/list').json()['tags'] == []


def test_an_index_that_refers(http):
    subject = image(http)
    text = index(
        subject={'digest': sha256(subject.encode()), 'size': 1, 'mediaType': OCI_MANIFEST}
    )
    answer = http.put_manifest('about', text, OCI_INDEX)
    assert answer.headers['OCI-Subject'] == sha256(subject.encode())
    found = http.get(f'referrers/{sha256(subject.encode())}').json()['manifests']
    assert [(e['digest'], e['mediaType'], 'artifactType' in e) for e in found] == [
        (sha256(text.encode()), OCI_INDEX, False)
    ]


@pytest.mark.parametrize('subject', [None, 5, [], {}, {'digest': 5}, 'text'])
def test_subjects_that_are_none(http, subject):
    http.push(EMPTY)
    answer = http.put_manifest('x', oci_manifest(EMPTY, subject=subject))
    assert answer.status_code == 201
    assert 'OCI-Subject' not in answer.headers
    assert http.get(f'referrers/{sha256(b"")}').json()['manifests'] == []


@pytest.fixture
def opened(monkeypatch):
    """The digests of the blobs that are opened."""
    digests, open_blob = [], Storage.open_blob

    def opening(storage, digest):
        digests.append(digest)
        return open_blob(storage, digest)

    monkeypatch.setattr(Storage, 'open_blob', opening)
    return digests


def make_old(layout):
    """Have a layout be as if it was last changed long ago."""
    for folder in (layout / 'blobs').iterdir():
        os.utime(folder, (1_000_000_000, 1_000_000_000))


def test_manifests_are_read_once_for_all_that_is_asked_of_their_subjects(http, folder, opened):
    images = [image(http, f'v{number}', annotations={'n': str(number)}) for number in range(20)]
    http.push(EMPTY)
    about = artifact('application/x-sbom', images[0])
    http.put_manifest('about', about)
    make_old(folder / 'a/b')
    opened.clear()
    for _ in range(2):
        for text in images:
            found = http.get(f'referrers/{sha256(text.encode())}').json()['manifests']
            assert [one['digest'] for one in found] == [
                sha256(about.encode()) for _ in range(text is images[0])
            ]
    # All the manifests once, and each time those that refer to what is asked about.
    assert len(opened) == len(images) + 1 + 2


@pytest.mark.parametrize('is_old', [True, False])
def test_referrers_that_come_and_go_by_other_hands(http, folder, is_old):
    layout = folder / 'a/b'
    subject = image(http)
    path = f'referrers/{sha256(subject.encode())}'
    http.push(EMPTY)
    about = artifact('application/x-sbom', subject)
    other = index(entry(about))
    with Session(folder) as others:
        others.put_manifest(sha256(about.encode()), about)
        others.put_manifest('other', other, OCI_INDEX)
    missing = layout / 'blobs/sha256' / sha256(about.encode())[len('sha256:') :]
    for has_it in (True, False, True, False):
        if not has_it:
            missing.unlink()
        elif not missing.exists():
            write_blob(layout, about.encode())
        # What a list says then must not be what one of a moment ago said.
        if is_old:
            os.utime(missing.parent, (1_000_000_000 + has_it, 1_000_000_000 + has_it))
        assert len(http.get(path).json()['manifests']) == has_it


def test_referrers_in_several_layouts(http, folder):
    subject = image(http)
    path = f'referrers/{sha256(subject.encode())}'
    http.push(EMPTY)
    http.put_manifest('about', artifact('application/x-sbom', subject))
    http.repo = 'other'
    image(http)
    for repository, number in (('a/b', 1), ('other', 0), ('a/b', 1)):
        make_old(folder / repository)
        http.repo = repository
        assert len(http.get(path).json()['manifests']) == number


def test_referrers_where_no_blobs_are(http, folder):
    write_layout(folder / 'a/b')
    assert http.get(f'referrers/{sha256(b"")}').json()['manifests'] == []


def test_only_so_many_referrers_are_remembered(http, folder, opened, monkeypatch):
    monkeypatch.setattr(subjects, '_MAX_NUMBER', 1)
    subject = image(http)
    http.push(EMPTY)
    for kind in ('application/x-sbom', 'application/x-signature'):
        http.put_manifest(kind[-4:], artifact(kind, subject))
    make_old(folder / 'a/b')
    for _ in range(2):
        opened.clear()
        found = http.get(f'referrers/{sha256(subject.encode())}').json()['manifests']
        assert len(found) == 2
        assert len(opened) == 3 + 2


# What is wrong with the folder


def test_a_folder_that_is_none(http, folder):
    folder.write_text('a file')
    refused(http.get('/v2/_catalog'), 422, 'LAYOUT_INVALID')
    refused(http.get('tags/list'), 404, 'NAME_UNKNOWN')
    refused(http.post('blobs/uploads/'), 422, 'LAYOUT_INVALID')


def test_a_folder_that_is_a_link_to_nothing(http, folder):
    folder.symlink_to('nothing')
    assert http.get('/v2/_catalog').json() == {'repositories': []}
    refused(http.get('tags/list'), 404, 'NAME_UNKNOWN')
    # Not as what may pass, and is tried again.
    refused(http.post('blobs/uploads/'), 422, 'LAYOUT_INVALID')


def test_a_head_says_what_is_wrong(http, folder):
    http.repo = 'a/blobs'
    answer = http.head('manifests/latest')
    assert answer.status_code == 400
    assert answer.reason.startswith("Bad Request: NAME_INVALID: no part of a repository's name")
    with pytest.raises(requests.HTTPError, match='that is what a layout has for itself'):
        answer.raise_for_status()
    http.repo = 'a'
    assert str(folder) in http.head('manifests/latest').reason
    assert http.get('manifests/latest').reason == 'Not Found'
    image(http)
    assert http.head('manifests/latest').reason == 'OK'


def test_a_repository_in_a_file(http, folder):
    folder.mkdir()
    (folder / 'a').write_text('a file')
    refused(http.get('tags/list'), 404, 'NAME_UNKNOWN')
    refused(http.post('blobs/uploads/'), 422, 'LAYOUT_INVALID')


@pytest.mark.parametrize(
    'content',
    [
        '',
        '{',
        '[]',
        '{}',
        '{"imageLayoutVersion": "2.0.0"}',
        '{"imageLayoutVersion": 1}',
        'x' * 1000,
    ],
)
def test_a_layout_of_another_version(http, folder, content):
    layout = folder / 'a' / 'b'
    write_layout(layout, listed(layout, oci_manifest(b'config'), 'latest'))
    (layout / 'oci-layout').write_text(content)
    for answer in (
        http.get('tags/list'),
        http.get('manifests/latest'),
        http.put_manifest('latest', index(), OCI_INDEX),
        http.post('blobs/uploads/'),
        http.get(f'blobs/{sha256(b"")}'),
    ):
        refused(answer, 422, 'LAYOUT_INVALID')
        assert str(layout) in answer.text
    assert not (layout / '.dxf').exists()


def test_no_room(http, monkeypatch):
    location = http.open()

    def fsync(_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fsync)
    refused(http.put(location, params={'digest': sha256(b'')}), 507, 'UNKNOWN')
    monkeypatch.undo()
    assert http.put(location, params={'digest': sha256(b'')}).status_code == 201


@pytest.mark.parametrize(
    ('number', 'status', 'expected'),
    [(13, 403, 'DENIED'), (30, 403, 'DENIED'), (5, 500, 'UNKNOWN'), (40, 422, 'LAYOUT_INVALID')],
)
def test_what_a_file_system_says(http, monkeypatch, number, status, expected):
    http.push(b'')

    def replace(*_):
        raise OSError(number, os.strerror(number))

    location = http.open()
    monkeypatch.setattr(os, 'replace', replace)
    answer = http.put(location, params={'digest': sha256(b'')})
    refused(answer, status, expected)
    assert os.strerror(number) in answer.text


def test_what_can_not_be_written_leaves_nothing(http, folder, monkeypatch):
    http.push(b'config')
    before = read_index(folder / 'a' / 'b')
    original = os.replace

    def replace(source, target):
        if str(target).endswith('index.json'):
            raise OSError(28, 'No space left on device')
        original(source, target)

    monkeypatch.setattr(os, 'replace', replace)
    refused(http.put_manifest('latest', oci_manifest(b'config')), 507, 'UNKNOWN')
    assert read_index(folder / 'a' / 'b') == before
    assert list((folder / 'a' / 'b' / '.dxf' / 'uploads').iterdir()) == []
    refused(http.get('manifests/latest'), 404, 'MANIFEST_UNKNOWN')


def test_an_index_that_is_too_large(http, monkeypatch):
    http.push(b'')
    monkeypatch.setattr('dxf.layout.storage._MAX_FILE_SIZE', 50)
    refused(http.get('tags/list'), 422, 'LAYOUT_INVALID')


def test_a_file_that_grows_while_it_is_uploaded_is_whole(http):
    """A body is read to its end, whatever length was announced."""
    content = io.BytesIO(b'some')
    request = requests.Request('PUT', BASE_URL, data=content).prepare()
    assert request.headers['Content-Length'] == '4'
    content.seek(0, os.SEEK_END)
    content.write(b'more')
    content.seek(0)
    request.url = f'{BASE_URL[:-1]}{http.open()}?digest={sha256(b"somemore")}'
    assert http.send(request).status_code == 201


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='root may do it all')
def test_a_folder_that_may_not_be_written(http, folder):
    folder.mkdir()
    folder.chmod(0o500)
    refused(http.post('blobs/uploads/'), 403, 'DENIED')
