"""Which requests leave for each method, how many, and what is in them.

`responses` fails every request that it was not told of, and every one it was told of
that does not come.
"""

import io
import json
import sys

import pytest
import requests
import responses

import dxf
from dxf.main import doit

from .support.client import ALL_TYPES, Image, index
from .support.mocked import BASE, REPO, headers_of, sent
from .support.plain import SCHEMA2, schema2, sha256

DIGEST = sha256(b'content')
BLOB = f'{REPO}blobs/{DIGEST}'
UPLOAD = REPO + 'blobs/uploads/1'


@pytest.fixture
def client():
    return dxf.DXF('registry.example', 'some/repo')


def accepted(headers):
    return sorted(kind.partition(';')[0].strip() for kind in headers['Accept'].split(','))


def test_push_blob(mock, client):
    mock.head(BLOB, status=404)
    mock.post(REPO + 'blobs/uploads/', status=202, headers={'Location': UPLOAD + '?_state=a%2Fb'})
    mock.put(UPLOAD, status=201)
    assert client.push_blob(data=b'content') == DIGEST
    assert [method for method, _ in sent(mock)] == ['HEAD', 'POST', 'PUT']
    put = mock.calls[2].request
    assert put.params == {'_state': 'a/b', 'digest': DIGEST}
    assert put.headers['Content-Length'] == '7'
    assert mock.calls[1].request.headers['Content-Length'] == '0'


@pytest.mark.parametrize('length', [None, '0', '7', '12345'])
def test_what_is_there_is_not_sent(mock, client, length):
    """A HEAD's success says it, whatever the length that servers put on an answer to one."""
    mock.head(BLOB, headers={} if length is None else {'Content-Length': length})
    assert client.push_blob(data=b'content') == DIGEST
    assert sent(mock) == [('HEAD', BLOB)]


def test_push_blob_sends_the_content(client):
    bodies = []

    def put(request):
        body = request.body
        bodies.append(body if isinstance(body, bytes) else b''.join(body))
        return 201, {}, b''

    for data in (b'content', 'content', [b'con', b'tent'], iter([b'con', b'tent'])):
        with responses.RequestsMock() as mock:
            mock.post(REPO + 'blobs/uploads/', status=202, headers={'Location': UPLOAD})
            mock.add_callback('PUT', UPLOAD, put)
            assert client.push_blob(data=data, check_exists=False) == DIGEST
    assert bodies == [b'content'] * 4


def test_pull_blob(mock, client):
    mock.get(BLOB, body=b'content')
    chunks = client.pull_blob(DIGEST)
    assert sent(mock) == [('GET', BLOB)]
    assert b''.join(chunks) == b'content'


def test_pull_blob_with_size(mock, client):
    mock.get(BLOB, body=b'content', headers={'Content-Length': '7'})
    chunks, size = client.pull_blob(DIGEST, size=True)
    assert size == 7
    assert b''.join(chunks) == b'content'


@pytest.mark.parametrize('contents', [[b'content'], [b'content', b'another']])
def test_pull_blobs_whose_size_is_not_said(mock, client, contents):
    for content in contents:
        mock.get(f'{REPO}blobs/{sha256(content)}', body=content)
    pulled = client.pull_blobs(map(sha256, contents))
    assert [b''.join(chunks) for _, chunks in pulled] == contents


@pytest.mark.parametrize('stdout', ['a file', 'text', 'bytes'])
@pytest.mark.parametrize('contents', [[b'content'], [b'content', b'another']])
@pytest.mark.parametrize('chunk_size', ['', '3'])
def test_the_command_asks_for_no_size(mock, monkeypatch, tmp_path, contents, stdout, chunk_size):
    """Who shows none needs none."""
    for content in contents:
        mock.get(f'{REPO}blobs/{sha256(content)}', body=content)
    with open(tmp_path / 'out', 'w+', encoding='utf-8') as file:
        out = {'a file': file, 'text': io.StringIO(), 'bytes': io.BytesIO()}[stdout]
        monkeypatch.setattr(sys, 'stdout', out)
        environ = {'DXF_HOST': 'registry.example', 'DXF_CHUNK_SIZE': chunk_size}
        assert doit(['pull-blob', 'some/repo', *map(sha256, contents)], environ) == 0
        monkeypatch.undo()
        out.seek(0)
        written = out.read()
    if isinstance(written, str):
        written = written.encode()
    assert written == b''.join(contents)


@pytest.mark.parametrize('variable', ['DXF_BLOB_INFO', 'DXF_PROGRESS'])
def test_the_command_asks_for_a_size_that_it_shows(mock, capsysbinary, variable):
    mock.get(BLOB, body=b'content')
    mock.head(BLOB, headers={'Content-Length': '7'})
    assert (
        doit(['pull-blob', 'some/repo', DIGEST], {'DXF_HOST': 'registry.example', variable: '1'})
        == 0
    )
    out, err = capsysbinary.readouterr()
    assert out == (f'{DIGEST} 7\n'.encode() if variable == 'DXF_BLOB_INFO' else b'') + b'content'
    assert (b'7/7' in err) == (variable == 'DXF_PROGRESS')


def test_blob_size(mock, client):
    mock.head(BLOB, headers={'Content-Length': '12345'})
    assert client.blob_size(DIGEST) == 12345


def test_mount_blob(mock, client):
    mock.post(REPO + 'blobs/uploads/', status=201)
    assert client.mount_blob('other/repo', DIGEST) == DIGEST
    assert mock.calls[0].request.params == {'mount': DIGEST, 'from': 'other/repo'}


def test_a_mount_that_is_refused(mock, client):
    mock.post(REPO + 'blobs/uploads/', status=202, headers={'Location': UPLOAD + '?_state=x'})
    mock.delete(UPLOAD + '?_state=x', status=204)
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        client.mount_blob('other/repo', DIGEST)


@pytest.mark.parametrize('status', [200, 202, 204])
def test_another_success_is_no_mount(mock, client, status):
    mock.post(REPO + 'blobs/uploads/', status=status)
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        client.mount_blob('other/repo', DIGEST)


@pytest.mark.parametrize('place', ['', 'http://[', 'ftp://elsewhere.example/x', 'http://'])
def test_an_upload_that_is_nowhere_is_no_mount(mock, client, place):
    mock.post(REPO + 'blobs/uploads/', status=202, headers={'Location': place})
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        client.mount_blob('other/repo', DIGEST)
    assert len(mock.calls) == 1


def test_an_upload_that_cannot_be_cancelled(mock, client):
    """What counts is that the mount was refused."""
    mock.post(REPO + 'blobs/uploads/', status=202, headers={'Location': UPLOAD})
    mock.delete(UPLOAD, status=404)
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        client.mount_blob('other/repo', DIGEST)


@pytest.mark.parametrize('status', [400, 403, 404, 405])
def test_a_mount_that_fails(mock, client, status):
    mock.post(REPO + 'blobs/uploads/', status=status)
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.mount_blob('other/repo', DIGEST)
    assert e.value.response.status_code == status


def test_deletions(mock, client):
    text = schema2(b'config', b'one')
    mock.delete(BLOB, status=202)
    mock.get(REPO + 'manifests/latest', body=text)
    mock.delete(REPO + 'manifests/' + sha256(text.encode()), status=202)
    client.del_blob(DIGEST)
    assert client.del_alias('latest') == [sha256(b'one')]


def test_set_alias(mock, client):
    mock.head(BLOB, headers={'Content-Length': '7'})
    mock.put(REPO + 'manifests/latest', status=201)
    text = client.set_alias('latest', DIGEST, DIGEST)
    assert [method for method, _ in sent(mock)] == ['HEAD', 'PUT']
    put = mock.calls[1].request
    assert put.body in (text, text.encode())
    assert put.headers['Content-Type'] == SCHEMA2
    assert [layer['size'] for layer in json.loads(text)['layers']] == [7, 7]


def test_manifests_are_asked_for_in_every_type(mock, client):
    text = schema2(b'config', b'one')
    mock.get(REPO + 'manifests/latest', body=text, content_type=SCHEMA2)
    mock.head(REPO + 'manifests/latest', headers={'Docker-Content-Digest': 'sha256:x'})
    mock.delete(REPO + 'manifests/' + sha256(text.encode()), status=202)
    client.get_manifest('latest')
    client.get_manifest_and_response('latest')
    client.get_alias('latest')
    client.get_digest('latest')
    client.head_manifest_and_response('latest')
    client.del_alias('latest')
    asked = [call.request for call in mock.calls if call.request.method != 'DELETE']
    assert [request.method for request in asked] == ['GET'] * 4 + ['HEAD', 'GET']
    for request in asked:
        assert accepted(request.headers) == sorted(ALL_TYPES)


@pytest.mark.parametrize('read', ['get_alias', 'get_digest', 'get_manifest'])
def test_platforms(mock, client, read):
    images = [Image('linux/amd64'), Image('linux/arm/v7')]
    mock.get(REPO + 'manifests/latest', body=index(*[i.entry() for i in images]))
    mock.get(f'{REPO}manifests/{images[1].digest}', body=images[1].text)
    getattr(client, read)('latest', platform='linux/arm/v7')
    assert len(mock.calls) == 2
    for headers in headers_of(mock):
        assert accepted(headers) == sorted(ALL_TYPES)


def test_lists(mock, client):
    mock.get(REPO + 'tags/list', json={'tags': ['a']})
    mock.get(BASE + '_catalog', json={'repositories': ['b']})
    assert client.list_aliases() == ['a']
    assert client.list_repos() == ['b']
    assert sent(mock) == [('GET', REPO + 'tags/list'), ('GET', BASE + '_catalog')]


@pytest.mark.parametrize('size', [0, 1, 500])
def test_batch_sizes(mock, client, size):
    n = [responses.matchers.query_param_matcher({'n': size})]
    mock.get(f'{REPO}tags/list', json={'tags': []}, match=n)
    mock.get(f'{BASE}_catalog', json={'repositories': []}, match=n)
    assert client.list_aliases(size) == []
    assert client.list_repos(size) == []


def test_api_version_check(mock, client):
    mock.get(BASE, body='{"a": 1}')
    text, response = client.api_version_check()
    assert text == '{"a": 1}' == response.text
    assert isinstance(response, requests.Response)
