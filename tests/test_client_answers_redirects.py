"""Being sent elsewhere: redirects, cookies, and who may see credentials."""

import pytest
import requests

import dxf
from dxf import exceptions

from .support.client import OCI_MANIFEST, oci_manifest
from .support.fakeserver import Answer, FakeServer
from .support.plain import sha256

CONTENT = b'content'
DIGEST = sha256(CONTENT)
BLOB = f'/v2/a/blobs/{DIGEST}'


@pytest.fixture
def store():
    """Object storage on another port."""
    with FakeServer() as server:
        server.on('GET', '/store/.*', lambda request: Answer(200, CONTENT))
        server.on('HEAD', '/store/.*', lambda request: Answer(200, CONTENT))
        yield server


@pytest.fixture
def client(fake_server, clock):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        made.token = 'abc'
        made._headers['X-Api-Key'] = 'secret'
        yield made


def redirect(server, path, target, status=307):
    for method in ('GET', 'HEAD'):
        server.on(method, path, lambda request: Answer(status, headers={'Location': target}))


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_blobs_are_elsewhere(fake_server, store, client, status):
    redirect(fake_server, BLOB, store.url + '/store/1?X-Signature=s%2Fs', status)
    assert b''.join(client.pull_blob(DIGEST)) == CONTENT
    assert client.blob_size(DIGEST) == len(CONTENT)
    assert [r.method for r in store.requests] == ['GET', 'HEAD']
    for request in store.requests:
        assert request.target == '/store/1?X-Signature=s%2Fs'
        assert 'Authorization' not in request.headers
        assert 'X-Api-Key' not in request.headers
    for request in fake_server.requests:
        assert request.headers['Authorization'] == 'Bearer abc'
        assert request.headers['X-Api-Key'] == 'secret'


@pytest.mark.parametrize('target', ['{url}/v2/b', '/v2/b', '../b', '//{host}/v2/b'])
def test_elsewhere_on_the_registry(fake_server, client, target):
    """Credentials go along."""
    redirect(fake_server, '/v2/a/x', target.format(url=fake_server.url, host=fake_server.host))
    fake_server.on(None, '/v2/b', lambda request: Answer(200, CONTENT))
    for method in ('get', 'head'):
        response = client._request(method, 'x')
        assert response.status_code == 200
        assert [r.status_code for r in response.history] == [307]
        assert response.url == fake_server.url + '/v2/b'
    assert {r.headers['Authorization'] for r in fake_server.requests} == {'Bearer abc'}
    assert [r.method for r in fake_server.requests] == ['GET', 'GET', 'HEAD', 'HEAD']


def test_there_and_back(fake_server, store, client):
    """What was left out on the way is there again at the registry."""
    redirect(fake_server, '/v2/a/x', store.url + '/store/back')
    redirect(store, '/store/back', fake_server.url + '/v2/a/y')
    fake_server.on('GET', '/v2/a/y', lambda request: Answer(200, CONTENT))
    assert client._request('get', 'x').content == CONTENT
    assert 'Authorization' not in store.requests[0].headers


def test_what_a_caller_gives_with_a_request(fake_server, store, client):
    redirect(fake_server, '/v2/a/x', store.url + '/store/1')
    client._request('get', 'x', headers={'Authorization': 'Basic mine', 'Accept': 'a/b'})
    assert fake_server.requests[0].headers['Authorization'] == 'Basic mine'
    assert 'Authorization' not in store.requests[0].headers
    assert store.requests[0].headers['Accept'] == 'a/b'


def test_an_absolute_url_of_somebody_else(fake_server, store, client):
    client._request('get', store.url + '/store/1')
    assert 'Authorization' not in store.requests[0].headers
    assert 'X-Api-Key' not in store.requests[0].headers


def test_a_next_link_of_somebody_else(fake_server, store, client):
    link = {'Link': f'<{store.url}/list>; rel="next"'}
    fake_server.on('GET', '/v2/a/tags/list', lambda r: Answer(200, {'tags': ['a']}, link))
    store.on('GET', '/list', lambda request: Answer(200, {'tags': ['b']}))
    assert client.list_aliases() == ['a', 'b']
    assert 'Authorization' not in store.requests[0].headers


def test_the_same_host_by_another_scheme(fake_tls_server, certificates, fake_server):
    """From https to http: whoever listens on the way must learn nothing."""
    redirect(fake_tls_server, '/v2/a/x', fake_server.url + '/v2/a/x')
    fake_server.on('GET', '/v2/a/x', lambda request: Answer(200, CONTENT))
    with dxf.DXF(fake_tls_server.host, 'a', tlsverify=certificates.ca) as client:
        client.token = 'abc'
        client._request('get', 'x')
    assert 'Authorization' not in fake_server.requests[0].headers


def test_accept_goes_along(fake_server, client):
    text = oci_manifest(b'config', b'one')
    redirect(fake_server, '/v2/a/manifests/latest', '/v2/a/manifests/moved')
    fake_server.on('GET', '/v2/a/manifests/moved', lambda request: Answer(200, text))
    assert client.get_manifest('latest') == text
    first, second = fake_server.requests
    assert OCI_MANIFEST in first.headers['Accept']
    assert second.headers['Accept'] == first.headers['Accept']


@pytest.mark.parametrize('target', ['/v2/a/x', '/v2/a/x?{n}'])
def test_redirects_without_end(fake_server, client, target):
    def answer(request):
        n = len(fake_server.requests)
        return Answer(307, headers={'Location': target.format(n=n)})

    fake_server.on('GET', '/v2/a/x', answer)
    with pytest.raises(requests.exceptions.TooManyRedirects):
        client._request('get', 'x')
    assert len(fake_server.requests) < 50


@pytest.mark.parametrize('target', ['http://[', 'http://x:y/', 'ftp://x/', 'http://', 'mailto:x'])
def test_redirects_to_nowhere(fake_server, client, target):
    redirect(fake_server, '/v2/a/x', target)
    with pytest.raises((requests.exceptions.RequestException, exceptions.DXFError)):
        client._request('get', 'x')


def test_a_redirect_without_a_place(fake_server, client):
    fake_server.on('GET', '/v2/a/x', lambda request: Answer(307))
    assert client._request('get', 'x').status_code == 307


def test_a_post_that_is_moved(fake_server, client):
    """307 and 308 keep method and body; others make a GET of it."""
    moved = {'Location': '/v2/a/y'}
    fake_server.on('POST', '/v2/a/x', [Answer(308, headers=moved), Answer(303, headers=moved)])
    fake_server.on(None, '/v2/a/y', lambda request: Answer(200))
    client._request('post', 'x', data=b'body')
    client._request('post', 'x', data=b'body')
    kept, changed = fake_server.seen(None, '/v2/a/y')
    assert (kept.method, kept.body) == ('POST', b'body')
    assert (changed.method, changed.body) == ('GET', b'')


# Cookies


def test_cookies_are_not_kept(fake_server, client):
    """Some registries ask whoever returns theirs for CSRF tokens too."""
    cookies = {'Set-Cookie': ['sid=1; Path=/', 'csrf=2; Path=/; HttpOnly']}
    fake_server.on(
        'GET',
        '/v2/a/x',
        lambda request: Answer(307, headers={'Location': '/v2/a/tags/list', **cookies}),
    )
    fake_server.on('GET', '/v2/a/tags/list', lambda request: Answer(200, {'tags': []}, cookies))
    client.list_aliases()
    client.list_aliases()
    client._request('get', 'x')
    assert len(fake_server.requests) == 4
    assert all('Cookie' not in request.headers for request in fake_server.requests)


def test_cookies_of_the_callers_own(fake_server, client):
    fake_server.on('GET', '/v2/a/x', lambda request: Answer(200))
    client._request('get', 'x', cookies={'mine': '1'})
    assert fake_server.requests[0].headers['Cookie'] == 'mine=1'
