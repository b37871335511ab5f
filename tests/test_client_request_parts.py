"""What is in each request: address, headers, what a caller may give with it."""

import json

import pytest
import requests

import dxf

from .support.mocked import BASE, REPO, headers_of, sent
from .support.plain import sha256

DIGEST = sha256(b'content')
BLOB = f'{REPO}blobs/{DIGEST}'
UPLOAD = REPO + 'blobs/uploads/1'


@pytest.fixture
def client():
    return dxf.DXF('registry.example', 'some/repo')


def test_nothing_is_added_to_accept(mock, client):
    mock.get(BASE + 'x', body='')
    client._base_request('get', 'x')
    client._base_request('get', 'x', headers={'Accept': 'text/plain'})
    client._request  # noqa: B018  (it is there)
    assert [headers['Accept'] for headers in headers_of(mock)] == ['*/*', 'text/plain']


def test_blobs_are_asked_for_as_they_were_stored(mock, client):
    mock.get(BLOB, body=b'content')
    client.pull_blob(DIGEST)
    assert headers_of(mock)[0]['Accept-Encoding'] == 'identity'


@pytest.mark.parametrize(
    ('method', 'path', 'url'),
    [
        ('get', '', BASE),
        ('GET', 'x/y', BASE + 'x/y'),
        ('head', 'x', BASE + 'x'),
        ('post', 'x?y=z', BASE + 'x?y=z'),
        ('put', 'https://elsewhere.example/v2/x?y', 'https://elsewhere.example/v2/x?y'),
        ('delete', 'http://elsewhere.example:5000/x', 'http://elsewhere.example:5000/x'),
        ('patch', 'x', BASE + 'x'),
    ],
)
def test_paths(mock, client, method, path, url):
    mock.add(method.upper(), url)
    response = client._base_request(method, path)
    assert isinstance(response, requests.Response)
    assert sent(mock) == [(method.upper(), url)]


@pytest.mark.parametrize(
    ('path', 'url'),
    [
        ('manifests/latest', REPO + 'manifests/latest'),
        ('https://elsewhere.example/x', 'https://elsewhere.example/x'),
    ],
)
def test_paths_in_a_repository(mock, client, path, url):
    mock.get(url)
    client._request('get', path)
    assert sent(mock) == [('GET', url)]


@pytest.mark.parametrize('repo', ['', None])
def test_no_repository(mock, repo):
    mock.get(BASE + 'manifests/latest')
    dxf.DXF('registry.example', repo)._request('get', 'manifests/latest')
    assert sent(mock) == [('GET', BASE + 'manifests/latest')]


def test_keyword_arguments_win(mock):
    client = dxf.DXF('registry.example', 'a', timeout=7, tlsverify='/some/bundle')
    client._headers = {'Authorization': 'Bearer x', 'X-Ours': '1'}
    mock.get(BASE + 'x')
    client._base_request('get', 'x')
    client._base_request('get', 'x', timeout=(1, 2), verify=False, stream=True)
    client._base_request('get', 'x', headers={'authorization': 'Basic y', 'X-Theirs': '2'})
    settings = [call.request.req_kwargs for call in mock.calls]
    assert [each['timeout'] for each in settings] == [7, (1, 2), 7]
    assert [each['verify'] for each in settings] == ['/some/bundle', False, '/some/bundle']
    assert [bool(each['stream']) for each in settings] == [False, True, False]
    assert headers_of(mock)[0]['Authorization'] == 'Bearer x'
    assert headers_of(mock)[2]['Authorization'] == 'Basic y'
    assert headers_of(mock)[2]['X-Ours'] == '1'
    assert headers_of(mock)[2]['X-Theirs'] == '2'


def test_params_json_and_data_are_requests_own(mock, client):
    mock.post(BASE + 'x')
    client._base_request('post', 'x', params={'a': ['1', '2']}, json={'b': 3})
    client._base_request('post', 'x', data={'c': 'd'})
    first, second = (call.request for call in mock.calls)
    assert first.url == BASE + 'x?a=1&a=2'
    assert json.loads(first.body) == {'b': 3}
    assert second.body == 'c=d'


def test_the_others_are_requests_own_too(mock, client):
    client.token = 'ours'
    mock.post(BASE + 'x')
    seen = []
    for given in (
        {'auth': ('u', 'p')},
        {'cookies': {'a': 'b'}},
        {'files': {'name': b'content'}},
        {'hooks': {'response': lambda response, **kwargs: seen.append(response.status_code)}},
        {'proxies': {'https': 'http://proxy.example:1'}},
        {'headers': {'Authorization': None}},
    ):
        client._base_request('post', 'x', **given)
    auth, cookies, files, _, proxies, headers = (call.request for call in mock.calls)
    assert auth.headers['Authorization'] == 'Basic dTpw'
    assert (cookies.headers['Cookie'], cookies.headers['Authorization']) == ('a=b', 'Bearer ours')
    assert b'content' in files.body
    assert seen == [200]
    assert proxies.req_kwargs['proxies']['https'] == 'http://proxy.example:1'
    assert 'Authorization' not in headers.headers


def test_redirects_are_followed_unless_they_are_not_wanted(mock, client):
    for method in ('GET', 'HEAD'):
        mock.add(method, BASE + 'x', status=307, headers={'Location': BASE + 'y'})
        mock.add(method, BASE + 'y')
        assert client._base_request(method.lower(), 'x').status_code == 200
        response = client._base_request(method.lower(), 'x', allow_redirects=False)
        assert response.status_code == 307


@pytest.mark.parametrize('timeout', [3, 0.5, (3, 20)])
def test_timeouts(mock, timeout):
    mock.get(BASE)
    dxf.DXF('registry.example', 'a', timeout=timeout).api_version_check()
    assert mock.calls[0].request.req_kwargs['timeout'] == timeout


# Hosts


@pytest.mark.parametrize('host', ['docker.io', 'index.docker.io', 'registry-1.docker.io'])
@pytest.mark.parametrize(
    ('repo', 'full'),
    [('busybox', 'library/busybox'), ('library/busybox', 'library/busybox'), ('a/b', 'a/b')],
)
def test_docker_hub(mock, host, repo, full):
    base = 'https://registry-1.docker.io/v2/'
    mock.get(f'{base}{full}/tags/list', json={'tags': []})
    mock.get(base + '_catalog', json={'repositories': []})
    client = dxf.DXF(host, repo)
    assert client.list_aliases() == client.list_repos() == []


def test_a_port_of_docker_hub(mock):
    mock.get('https://registry-1.docker.io:5000/v2/library/busybox/tags/list', json={'tags': []})
    assert dxf.DXF('registry-1.docker.io:5000', 'busybox').list_aliases() == []


def test_mounting_on_docker_hub(mock):
    """The other repository gets `library/` by the same rule."""
    mock.post('https://registry-1.docker.io/v2/us/r/blobs/uploads/', status=201)
    client = dxf.DXF('docker.io', 'us/r')
    client.mount_blob('busybox', DIGEST)
    client.mount_blob('them/r', DIGEST)
    assert [call.request.params['from'] for call in mock.calls] == ['library/busybox', 'them/r']


@pytest.mark.parametrize('host', ['registry.example', 'localhost:5000', 'docker.io.example'])
def test_other_hosts_have_no_library(mock, host):
    mock.get(f'https://{host}/v2/busybox/tags/list', json={'tags': []})
    assert dxf.DXF(host, 'busybox').list_aliases() == []


def test_insecure_is_http(mock):
    mock.get('http://localhost:5000/v2/a/tags/list', json={'tags': []})
    assert dxf.DXF('localhost:5000', 'a', insecure=True).list_aliases() == []
