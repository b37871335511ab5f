"""Uploads as odd registries take them: where they are, how they are answered."""

import os

import pytest
import requests

import dxf
from dxf import exceptions

from .support.fakeserver import Answer, FakeServer
from .support.plain import sha256

DIGEST = sha256(b'content')
START = '/v2/a/blobs/uploads/'


@pytest.fixture
def client(fake_server, clock):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        yield made


@pytest.fixture
def tls_client(fake_tls_server, certificates, clock):
    with dxf.DXF(fake_tls_server.host, 'a', tlsverify=certificates.ca) as made:
        yield made


def takes(server, location, path=START + '1'):
    server.on('POST', START, lambda request: Answer(202, headers={'Location': location}))
    server.on('PUT', path, lambda request: Answer(201))


@pytest.mark.parametrize(
    ('location', 'query'),
    [
        ('{url}/v2/a/blobs/uploads/1', {}),
        ('/v2/a/blobs/uploads/1', {}),
        ('1', {}),
        ('./1', {}),
        ('//{host}/v2/a/blobs/uploads/1', {}),
        ('{url}/v2/a/blobs/uploads/1?_state=a%2Bb%2F&x=', {'_state': ['a+b/'], 'x': ['']}),
        ('/v2/a/blobs/uploads/1?_state=a%26b', {'_state': ['a&b']}),
        ('/v2/a/blobs/uploads/1?', {}),
    ],
)
def test_where_an_upload_is(fake_server, client, location, query):
    takes(fake_server, location.format(url=fake_server.url, host=fake_server.host))
    assert client.push_blob(data=b'content', check_exists=False) == DIGEST
    (put,) = fake_server.seen('PUT')
    assert put.path == START + '1'
    assert put.query == {**query, 'digest': [DIGEST]}
    assert put.body == b'content'
    assert fake_server.unexpected == []


def test_a_place_elsewhere_on_the_server(fake_server, client):
    takes(fake_server, '/storage/sessions/1?k=v', '/storage/sessions/1')
    client.push_blob(data=b'content', check_exists=False)
    assert fake_server.seen('PUT')[0].query == {'k': ['v'], 'digest': [DIGEST]}


def test_a_place_that_names_http_behind_tls(fake_tls_server, tls_client):
    takes(fake_tls_server, f'http://{fake_tls_server.host}/v2/a/blobs/uploads/1?_state=x')
    tls_client.token = 'abc'
    tls_client.push_blob(data=b'content', check_exists=False)
    (put,) = fake_tls_server.seen('PUT')
    assert put.headers['Authorization'] == 'Bearer abc'
    assert put.query == {'_state': ['x'], 'digest': [DIGEST]}


def test_a_place_of_somebody_else_gets_no_credentials(fake_server, client):
    with FakeServer() as other:
        takes(fake_server, f'{other.url}/store/1?sig=x')
        other.on('PUT', '/store/1', Answer(201))
        client.token = 'abc'
        client._headers['X-Api-Key'] = 'secret'
        client.push_blob(data=b'content', check_exists=False)
        (put,) = other.requests
    assert fake_server.requests[0].headers['Authorization'] == 'Bearer abc'
    assert 'Authorization' not in put.headers
    assert 'X-Api-Key' not in put.headers
    assert put.query == {'sig': ['x'], 'digest': [DIGEST]}
    assert put.body == b'content'


def test_each_answer_says_where_to_go_on(fake_server, client):
    """It changes with every chunk."""
    content = os.urandom(10_000_000)
    count = [0]

    def go_on(request):
        count[0] += 1
        end = sum(r.length for r in fake_server.seen('PATCH')) - 1
        headers = {'Location': f'{START}{count[0]}?_state={count[0]}', 'Range': f'0-{max(0, end)}'}
        return Answer(202, headers=headers)

    fake_server.on('POST', START, go_on)
    fake_server.on('PATCH', START + r'\d+', go_on)
    fake_server.on('PUT', START + r'\d+', Answer(201))
    assert client.push_blob(data=iter([content])) == sha256(content)
    patches = fake_server.seen('PATCH')
    assert [p.path for p in patches] == [f'{START}{n + 1}' for n in range(len(patches))]
    assert b''.join(r.body for r in fake_server.requests) == content
    (put,) = fake_server.seen('PUT')
    assert put.query['_state'] == [str(len(patches) + 1)]
    first = 0
    for patch in patches:
        last = first + patch.length - 1
        assert patch.headers['Content-Range'] == f'{first}-{last}'
        first = last + 1


PAGE = Answer(200, '<html>Please log in</html>', {'Content-Type': 'text/html'})


@pytest.mark.parametrize(
    'answer',
    [PAGE, Answer(202), Answer(201), Answer(200), Answer(204)],
    ids=['page', '202', '201', '200', '204'],
)
@pytest.mark.parametrize('data', [b'content', [b'content']])
def test_an_upload_that_is_nowhere(fake_server, client, answer, data):
    fake_server.on('POST', START, lambda request: answer)
    with pytest.raises(exceptions.DXFNotARegistryError) as e:
        client.push_blob(data=data, check_exists=False)
    assert fake_server.url + START in str(e.value)
    assert fake_server.seen('PUT') == fake_server.seen('PATCH') == []


def test_a_page_where_the_content_was_sent(fake_server, client):
    """Nothing was stored: the push must not seem to have worked."""
    takes(fake_server, START + '1')
    fake_server.on('PUT', START + '1', lambda request: PAGE)
    with pytest.raises(exceptions.DXFNotARegistryError) as e:
        client.push_blob(data=b'content', check_exists=False)
    assert START + '1' in str(e.value)


def test_a_page_for_everything(fake_server, client):
    """A captive portal knows no blob, even if it answers every HEAD with success."""
    fake_server.on(None, '.*', lambda request: PAGE)
    with pytest.raises(exceptions.DXFNotARegistryError):
        client.push_blob(data=b'content')


def test_a_login_form_that_the_content_is_redirected_to(fake_server, client):
    takes(fake_server, START + '1')
    for status, method in ((303, 'GET'), (302, 'PUT')):
        fake_server.on('PUT', START + '1', Answer(status, headers={'Location': '/login'}))
        fake_server.on(method, '/login', PAGE)
        with pytest.raises(exceptions.DXFError):
            client.push_blob(data=b'content', check_exists=False)


@pytest.mark.parametrize('location', ['http://[', 'http://x:y/', '', 'ftp://x/', 'mailto:x'])
def test_a_place_that_is_none(fake_server, client, location):
    fake_server.on('POST', START, lambda request: Answer(202, headers={'Location': location}))
    with pytest.raises((exceptions.DXFError, requests.exceptions.RequestException)):
        client.push_blob(data=b'content', check_exists=False)


@pytest.mark.parametrize('status', [400, 403, 404, 405, 409])
@pytest.mark.parametrize('method', ['POST', 'PUT', 'HEAD'])
def test_refusals(fake_server, client, status, method):
    error = {'errors': [{'code': 'DENIED', 'message': 'not you'}]}
    fake_server.on('HEAD', '/v2/a/blobs/.*', lambda request: Answer(404))
    takes(fake_server, START + '1')
    fake_server.on(method, '.*', lambda request: Answer(status, error))
    if (method, status) == ('HEAD', 404):
        assert client.push_blob(data=b'content') == DIGEST
        return
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.push_blob(data=b'content')
    assert e.value.response.status_code == status
    if method != 'HEAD':
        assert 'DENIED: not you' in str(e.value)


def test_a_refusal_before_the_body_is_read(fake_server, client):
    content = b'x' * 20_000_000
    takes(fake_server, START + '1')
    for method in ('PUT', 'PATCH'):
        fake_server.on(method, START + '1', lambda request: Answer(403), read_body=False)
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.push_blob(data=content, check_exists=False)
    assert e.value.response.status_code == 403


def test_an_upload_that_is_cut_is_started_over(fake_server, client):
    """Where the registry can't go on with it, as 2.8.2 can't."""
    content = os.urandom(1_000_000)
    takes(fake_server, START + '1')
    fake_server.on('GET', START + '1', Answer(404))
    fake_server.on('HEAD', '/v2/a/blobs/.*', lambda request: Answer(404))
    fake_server.on('PUT', START + '1', [Answer(hang_up=True)])
    assert client.push_blob(data=content) == sha256(content)
    assert fake_server.seen('PUT')[-1].body == content
    assert len(fake_server.seen('POST')) == 2


def test_a_cut_upload_may_have_arrived(fake_server, client):
    """The answer was lost, and the blob is there: nothing is sent twice."""
    takes(fake_server, START + '1')
    fake_server.on('GET', START + '1', Answer(404))
    fake_server.on('HEAD', '/v2/a/blobs/.*', [Answer(404), Answer(200, b'content')])
    fake_server.on('PUT', START + '1', [Answer(hang_up=True)])
    assert client.push_blob(data=b'content') == DIGEST
    assert len(fake_server.seen('PUT')) == 1


def test_progress_of_what_is_sent_twice(fake_server, client):
    """It is told of each byte once."""
    content = os.urandom(1_000_000)
    takes(fake_server, START + '1')
    fake_server.on('GET', START + '1', Answer(404))
    fake_server.on('HEAD', '/v2/a/blobs/.*', lambda request: Answer(404))
    fake_server.on('PUT', START + '1', [Answer(500)])
    chunks = []
    client.push_blob(data=content, progress=lambda digest, chunk: chunks.append(chunk))
    assert len(fake_server.seen('PUT')) == 2
    assert b''.join(chunks) == content
