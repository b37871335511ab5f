"""Test doubles that stand in for `_request`, and for requests' adapter."""

import json

import pytest
import requests

import dxf

from .support.client import Image, Script, index, made_response, not_found
from .support.plain import schema2, sha256

DIGEST = sha256(b'content')
UPLOAD = 'https://registry.example/v2/a/blobs/uploads/1'


@pytest.fixture
def client():
    """One of a registry that is not there."""
    return dxf.DXF('registry.example', 'some/repo')


def scripted(client, answers):
    client._request = Script(answers)
    return client._request


# Every method through a double on the instance: nothing may go past it.


def test_push_blob(client):
    script = scripted(
        client,
        {
            ('head', f'blobs/{DIGEST}'): not_found(),
            ('post', 'blobs/uploads/'): made_response(202, Location=UPLOAD),
            ('put', UPLOAD): made_response(201),
        },
    )
    assert client.push_blob(data=b'content') == DIGEST
    assert [method for method, _ in script.calls] == ['head', 'post', 'put']
    assert script.calls[2][1].startswith(UPLOAD + '?digest=sha256')


def test_push_blob_that_is_there(client):
    script = scripted(client, {('head', f'blobs/{DIGEST}'): made_response(200)})
    assert client.push_blob(data=b'content') == DIGEST
    assert script.calls == [('head', f'blobs/{DIGEST}')]


def test_push_of_a_file(client, tmp_path):
    path = tmp_path / 'content'
    path.write_bytes(b'content')
    script = scripted(
        client,
        {
            ('post', 'blobs/uploads/'): made_response(202, Location=UPLOAD + '?_state=x'),
            ('put', UPLOAD): made_response(201),
        },
    )
    assert client.push_blob(str(path), check_exists=False) == DIGEST
    assert script.calls[1][1].startswith(UPLOAD + '?_state=x&digest=sha256')


def test_an_upload_at_a_relative_place(client):
    """A made response has no `url`: the place is the registry's all the same."""
    script = scripted(
        client,
        {
            ('post', 'blobs/uploads/'): made_response(202, Location='/v2/a/blobs/uploads/1'),
            ('put', UPLOAD): made_response(201),
        },
    )
    assert client.push_blob(data=b'content', check_exists=False) == DIGEST
    assert script.calls[1][1].startswith(UPLOAD)


def test_pull_blob(client):
    script = scripted(
        client, {('get', f'blobs/{DIGEST}'): made_response(200, b'content', Content_Length='7')}
    )
    chunks = client.pull_blob(DIGEST, chunk_size=3)
    assert script.calls == [('get', f'blobs/{DIGEST}')]
    assert list(chunks) == [b'con', b'ten', b't']
    chunks, size = client.pull_blob(DIGEST, size=True)
    assert (b''.join(chunks), size) == (b'content', 7)


def test_blob_size(client):
    script = scripted(
        client, {('head', f'blobs/{DIGEST}'): made_response(200, Content_Length='12345')}
    )
    assert client.blob_size(DIGEST) == 12345
    assert script.calls == [('head', f'blobs/{DIGEST}')]


def test_mount_blob(client):
    script = scripted(client, {('post', 'blobs/uploads/'): made_response(201)})
    assert client.mount_blob('another', DIGEST) == DIGEST
    assert script.calls == [('post', 'blobs/uploads/')]


@pytest.mark.parametrize('result', [None, made_response(202), object()])
def test_what_a_delete_returns_is_not_looked_at(client, result):
    text = schema2(b'one', b'one', b'two')
    digest = sha256(text.encode())
    script = scripted(
        client,
        {
            ('delete', f'blobs/{DIGEST}'): result,
            ('get', 'manifests/latest'): made_response(200, text, Docker_Content_Digest=digest),
            ('delete', f'manifests/{digest}'): result,
            ('post', 'blobs/uploads/'): made_response(202, Location=UPLOAD),
            ('delete', UPLOAD): result,
        },
    )
    assert client.del_blob(DIGEST) is None
    assert client.del_alias('latest') == [sha256(b'one'), sha256(b'two')]
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        client.mount_blob('another', DIGEST)
    assert [call for call in script.calls if call[0] == 'delete'] == [
        ('delete', f'blobs/{DIGEST}'),
        ('delete', f'manifests/{digest}'),
        ('delete', UPLOAD),
    ]


def test_manifests(client):
    text = schema2(b'config', b'one')
    script = scripted(
        client,
        {
            ('get', 'manifests/latest'): made_response(200, text),
            ('put', 'manifests/latest'): made_response(201),
            ('head', 'manifests/latest'): made_response(
                200, Docker_Content_Digest=sha256(text.encode())
            ),
        },
    )
    assert client.get_manifest('latest') == text
    got, response = client.get_manifest_and_response('latest')
    assert got == text == response.text
    assert response.json() == json.loads(text)
    assert client.get_alias('latest', sizes=True) == [(sha256(b'one'), 3)]
    assert client.get_digest('latest') == sha256(b'config')
    assert client.head_manifest_and_response('latest')[0] == sha256(text.encode())
    client.set_manifest('latest', text)
    assert set(script.calls) == {
        ('get', 'manifests/latest'),
        ('head', 'manifests/latest'),
        ('put', 'manifests/latest'),
    }
    assert script.kwargs[-1]['data'] in (text, text.encode())


def test_set_alias(client):
    script = scripted(
        client,
        {
            ('head', f'blobs/{DIGEST}'): made_response(200, Content_Length='7'),
            ('put', 'manifests/latest'): made_response(201),
        },
    )
    text = client.set_alias('latest', DIGEST)
    assert json.loads(text)['layers'][0]['size'] == 7
    assert script.calls == [('head', f'blobs/{DIGEST}'), ('put', 'manifests/latest')]


def test_platforms(client):
    images = [Image('linux/amd64'), Image('linux/arm/v7')]
    answers = {
        ('get', f'manifests/{image.digest}'): made_response(200, image.text) for image in images
    }
    answers['get', 'manifests/latest'] = made_response(200, index(*[i.entry() for i in images]))
    script = scripted(client, answers)
    assert client.get_alias('latest') == {i.platform: i.layer_digests for i in images}
    assert script.calls == [
        ('get', 'manifests/latest'),
        *[('get', f'manifests/{image.digest}') for image in images],
    ]


def test_list_aliases(client):
    link = '<https://registry.example/v2/some/repo/tags/list?last=b>; rel="next"'
    script = scripted(
        client,
        {
            ('get', 'tags/list'): made_response(200, '{"tags": ["a", "b"]}', Link=link),
            ('get', 'https://registry.example/v2/some/repo/tags/list'): made_response(
                200, '{"tags": ["c"]}'
            ),
        },
    )
    assert client.list_aliases() == ['a', 'b', 'c']
    assert script.calls[1][1].endswith('?last=b')


def test_an_adapter_that_answers_by_itself(client, monkeypatch):
    """Programs patch HTTPAdapter.send and give back what they made: no url, no raw."""
    sent = []

    def send(self, request, **kwargs):
        sent.append((request.method, request.url))
        return made_response(200, '{"tags": ["a"]}')

    monkeypatch.setattr(requests.adapters.HTTPAdapter, 'send', send)
    assert client.list_aliases() == ['a']
    assert sent == [('GET', 'https://registry.example/v2/some/repo/tags/list')]


@pytest.mark.parametrize('with_content', [True, False])
def test_an_adapter_that_answers_with_an_error(client, monkeypatch, with_content):
    def send(self, request, **kwargs):
        response = made_response(404)
        if not with_content:
            response._content = False
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, 'send', send)
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.blob_size(DIGEST)
    assert e.value.response.status_code == 404


def test_an_adapter_that_asks_for_credentials(monkeypatch):
    """A 401 that does not say what it answers is the registry's."""
    calls = []

    def auth(client, response):
        calls.append(response.status_code)
        client.token = 'abc'

    def send(self, request, **kwargs):
        if request.headers.get('Authorization') == 'Bearer abc':
            return made_response(200, Content_Length='7')
        return made_response(401)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, 'send', send)
    assert dxf.DXF('registry.example', 'a', auth).blob_size(DIGEST) == 7
    assert calls == [401]
