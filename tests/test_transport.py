"""Requests: who sees credentials, where redirects lead, what is sent again, what errors say."""

import io
import itertools

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.exceptions import ConnectionError, TooManyRedirects

from dxf import __version__
from dxf.exceptions import (
    DXFCannotRewindError,
    DXFNotARegistryError,
)
from dxf.retries import Retries
from dxf.transport import Credentials, Origin, Transport

from .support.fakeserver import Answer, FakeServer
from .support.waiting import free_port

SECRET = {'Authorization': 'Bearer secret', 'X-Registry-Key': 'secret too'}
REDIRECTS = (301, 302, 303, 307, 308)


@pytest.fixture
def other_server():
    with FakeServer() as server:
        yield server


@pytest.fixture
def send(transport, fake_server, certificates):
    """`send(method, path, **kwargs)` to the fake server, whose the credentials are."""

    def send(method, path='/', headers=SECRET, retries=0, **kwargs):
        url = path if '://' in path else fake_server.url + path
        kwargs.setdefault('timeout', 30)
        kwargs.setdefault('verify', certificates.ca)
        credentials = Credentials(headers, Origin.of(fake_server.url))
        return transport.send(method, url, credentials, Retries(retries), **kwargs)

    return send


def secrets_of(request):
    return {name: request.headers[name] for name in SECRET if name in request.headers}


# Origins


@pytest.mark.parametrize(
    ('url', 'expected'),
    [
        ('https://a', ('https', 'a', 443)),
        ('https://a/', ('https', 'a', 443)),
        ('https://a:443/b?c#d', ('https', 'a', 443)),
        ('http://a', ('http', 'a', 80)),
        ('http://A:80/', ('http', 'a', 80)),
        ('HTTP://a:8080/', ('http', 'a', 8080)),
        ('https://user:password@a:5000/', ('https', 'a', 5000)),
        ('https://[::1]:5000/', ('https', '[::1]', 5000)),
        ('https://a:/', ('https', 'a', 443)),
        ('ftp://a/', ('ftp', 'a', None)),
    ],
)
def test_origins(url, expected):
    assert Origin.of(url) == expected


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ('https://a/', 'http://a/'),
        ('https://a/', 'https://b/'),
        ('https://a/', 'https://a:444/'),
        ('http://a:443/', 'https://a:443/'),
        ('https://a/', 'https://a.b/'),
        ('https://a/', 'https://xa/'),
        ('https://a@b/', 'https://a/'),
        ('https://a', 'https://a:a@b'),
        ('https://a\\@b/', 'https://b/'),
        ('https://localhost/', 'https://127.0.0.1/'),
        ('https://a/', '/'),
        ('https://a/', ''),
    ],
)
def test_origins_that_differ(one, other):
    assert Origin.of(one) != Origin.of(other)


@pytest.mark.parametrize(
    'url', ['http://[', 'http://[::1', 'https://a:b/', 'https://a:99999/', 'https://[x]:y/']
)
def test_what_is_no_address_is_nobody_s(url):
    assert Origin.of(url) not in (Origin.of('https://a/'), Origin.of('http://a/'))
    assert Credentials(SECRET, Origin.of('https://a/')).headers_for(url) == {}


def test_an_origin_is_whom_requests_connects_to(transport, fake_server, other_server):
    """Parsers disagree on this one; credentials must go by the one that counts."""
    fake_server.on('GET', '.*', Answer())
    other_server.on('GET', '.*', Answer())
    url = f'{other_server.url}\\@{fake_server.host}/'
    transport.send('get', url, Credentials(SECRET, Origin.of(fake_server.url)), Retries(0))
    assert [secrets_of(request) for request in other_server.requests] == [{}]
    assert fake_server.requests == []


@given(st.text())
def test_any_text_has_an_origin(text):
    assert isinstance(Origin.of(text), Origin)
    assert isinstance(Origin.of('https://' + text), Origin)


def test_credentials_are_for_their_origin_alone():
    credentials = Credentials(SECRET, Origin.of('https://a:5000/v2/'))
    for url in ('https://a:5000/', 'https://A:5000/x?y', 'https://u:p@a:5000/'):
        assert credentials.headers_for(url) == SECRET
    for url in ('http://a:5000/', 'https://a/', 'https://b:5000/', 'https://a:5001/', 'a:5000'):
        assert credentials.headers_for(url) == {}


# What goes along


def test_headers(send, fake_server):
    fake_server.on('GET', '/', Answer())
    send('get')
    [request] = fake_server.requests
    sent = {name: value for name, value in request.headers.items() if name != 'Host'}
    assert sent == {
        'User-Agent': 'python-dxf/' + __version__,
        'Accept': '*/*',
        'Accept-Encoding': 'identity',
        'Connection': 'keep-alive',
        **SECRET,
    }


def test_a_caller_s_headers_win(transport, fake_server):
    fake_server.on('GET', '/', Answer())
    transport.send(
        'get',
        fake_server.url + '/',
        Credentials(SECRET, Origin.of(fake_server.url)),
        Retries(0),
        headers={'accept': 'text/plain', 'AUTHORIZATION': 'mine', 'User-Agent': None},
    )
    [request] = fake_server.requests
    assert request.headers.get_all('Accept') == ['text/plain']
    assert request.headers.get_all('Authorization') == ['mine']
    assert 'dxf' not in request.headers.get('User-Agent', '')


def test_credentials_do_not_go_elsewhere(send, other_server):
    other_server.on('GET', '/', Answer())
    send('get', other_server.url + '/')
    assert [secrets_of(request) for request in other_server.requests] == [{}]


def test_no_cookies_are_kept(send, fake_server):
    fake_server.on('GET', '/', Answer(headers={'Set-Cookie': 'a=b; Path=/'}))
    for _ in range(2):
        send('get')
    assert [request.headers.get('Cookie') for request in fake_server.requests] == [None, None]


def test_netrc_is_not_asked(send, fake_server, tmp_path, monkeypatch):
    """requests on its own would send what it finds there, to whomever."""
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine localhost login fred password secret\n')
    monkeypatch.setenv('NETRC', str(netrc))
    fake_server.on('GET', '/', Answer())
    send('get', headers={})
    assert 'Authorization' not in fake_server.requests[0].headers


@pytest.mark.parametrize(
    ('kwargs', 'query', 'body'),
    [
        ({'params': {'n': 5, 'last': 'a b'}}, {'n': ['5'], 'last': ['a b']}, b''),
        ({'data': b'abc'}, {}, b'abc'),
        ({'data': iter([b'ab', b'c'])}, {}, b'abc'),
        ({'data': io.BytesIO(b'abc')}, {}, b'abc'),
        ({'data': None}, {}, b''),
        ({'data': b''}, {}, b''),
        ({'json': {'a': 1}}, {}, b'{"a": 1}'),
    ],
)
def test_what_is_sent(send, fake_server, kwargs, query, body):
    fake_server.on('POST', '/', Answer())
    send('post', **kwargs)
    [request] = fake_server.requests
    assert (request.query, request.body) == (query, body)


def test_the_answer_is_read_unless_it_is_a_stream(send, fake_server):
    fake_server.on('GET', '/', Answer(body=b'content'))
    assert send('get')._content == b'content'
    response = send('get', stream=True)
    assert response._content is False
    assert response.content == b'content'


def test_the_answer_says_how_long_it_took(send, fake_server):
    fake_server.on('GET', '/', Answer())
    assert send('get').elapsed.total_seconds() > 0


def test_hooks_are_called(send, fake_server):
    fake_server.on('GET', '/', Answer())
    seen = []
    send('get', hooks={'response': lambda response, **kwargs: seen.append(response.status_code)})
    assert seen == [200]


def test_connections_are_kept(send, fake_server):
    fake_server.on(None, '.*', lambda request: Answer(404 if request.path == '/b' else 200, b'x'))
    for path in ('/a', '/b', '/c'):
        send('get', path)
    assert len({request.connection for request in fake_server.requests}) == 1


def test_connections_can_be_used_after_they_were_closed(transport, send, fake_server):
    fake_server.on('GET', '/', Answer())
    send('get')
    transport.close()
    assert send('get').status_code == 200
    assert len({request.connection for request in fake_server.requests}) == 2


# Redirects


@pytest.mark.parametrize('status', REDIRECTS)
@pytest.mark.parametrize('method', ['get', 'head'])
def test_redirects_are_followed(send, fake_server, status, method):
    fake_server.on(None, '/a', Answer(status, headers={'Location': '/b'}))
    fake_server.on(None, '/b', Answer(status, headers={'Location': fake_server.url + '/c?d=e'}))
    fake_server.on(None, '/c', Answer(body=b'there'))
    response = send(method, '/a')
    assert response.status_code == 200
    assert response.url == fake_server.url + '/c?d=e'
    assert [old.status_code for old in response.history] == [status, status]
    assert [request.method for request in fake_server.requests] == [method.upper()] * 3
    assert [secrets_of(request) for request in fake_server.requests] == [SECRET] * 3
    assert len({request.connection for request in fake_server.requests}) == 1


def test_redirects_are_not_followed_where_they_are_not_wanted(send, fake_server):
    fake_server.on('GET', '/', Answer(307, headers={'Location': '/b'}))
    assert send('get', allow_redirects=False).status_code == 307
    assert len(fake_server.requests) == 1


@pytest.mark.parametrize('status', [300, 304, 305, 306])
def test_what_is_no_redirect(send, fake_server, status):
    fake_server.on('GET', '/', Answer(status, headers={'Location': '/b'}))
    assert send('get').status_code == status
    assert len(fake_server.requests) == 1


def test_a_redirect_to_nowhere(send, fake_server):
    fake_server.on('GET', '/', Answer(307))
    assert send('get').status_code == 307


@pytest.mark.parametrize(
    'target', ['http://[/', 'http://localhost:99999/', 'https://', 'ftp://a/']
)
def test_a_redirect_to_what_is_no_address(send, fake_server, target):
    fake_server.on('GET', '/', Answer(307, headers={'Location': target}))
    with pytest.raises((DXFNotARegistryError, requests.exceptions.InvalidSchema)):
        send('get')


@pytest.fixture
def elsewhere(fake_server, other_server, fake_tls_server):
    """Servers that are not the one whose the credentials are, by what makes them others."""
    return {
        'port': (other_server, other_server.url),
        'scheme': (fake_tls_server, fake_tls_server.url),
        'host': (fake_server, f'http://127.0.0.1:{fake_server.port}'),
    }


@pytest.mark.parametrize('status', REDIRECTS)
@pytest.mark.parametrize('kind', ['port', 'scheme', 'host'])
@pytest.mark.parametrize('method', ['get', 'head', 'post', 'put', 'patch', 'delete'])
def test_credentials_do_not_follow_a_redirect_elsewhere(
    send, fake_server, elsewhere, status, kind, method
):
    server, url = elsewhere[kind]
    fake_server.on(None, '/a', Answer(status, headers={'Location': url + '/b'}))
    server.on(None, '/b', Answer())
    assert send(method, '/a').status_code == 200
    [first] = fake_server.seen(path='/a')
    [second] = server.seen(path='/b')
    assert secrets_of(first) == SECRET
    assert secrets_of(second) == {}
    assert 'Authorization' not in second.headers
    assert second.headers['User-Agent'] == first.headers['User-Agent']


@pytest.mark.parametrize('status', REDIRECTS)
@pytest.mark.parametrize('kind', ['port', 'scheme', 'host'])
def test_credentials_are_there_again_where_a_redirect_comes_back(
    send, fake_server, elsewhere, status, kind
):
    server, url = elsewhere[kind]
    fake_server.on('GET', '/a', Answer(status, headers={'Location': url + '/b'}))
    server.on('GET', '/b', Answer(status, headers={'Location': fake_server.url + '/c'}))
    fake_server.on('GET', '/c', Answer())
    assert send('get', '/a').status_code == 200
    assert secrets_of(server.seen(path='/b')[0]) == {}
    assert secrets_of(fake_server.seen(path='/c')[0]) == SECRET


@pytest.mark.parametrize('status', REDIRECTS)
def test_a_caller_s_own_credentials_do_not_follow_either(send, fake_server, other_server, status):
    own = {'Authorization': 'mine', 'Cookie': 'a=b', 'Proxy-Authorization': 'mine', 'X-Other': 'c'}
    fake_server.on('GET', '/a', Answer(status, headers={'Location': other_server.url + '/b'}))
    other_server.on('GET', '/b', Answer())
    transport = Transport()
    transport.send(
        'get', fake_server.url + '/a', Credentials({}, Origin.of('')), Retries(0), headers=own
    )
    transport.close()
    assert fake_server.requests[0].headers['Authorization'] == 'mine'
    sent = other_server.requests[0].headers
    assert [sent.get(name) for name in own] == [None, None, None, 'c']


def test_a_password_in_an_address_does_not_follow(fake_server, other_server, transport):
    fake_server.on('GET', '/a', Answer(307, headers={'Location': other_server.url + '/b'}))
    other_server.on('GET', '/b', Answer())
    transport.send(
        'get',
        f'http://fred:secret@{fake_server.host}/a',
        Credentials({}, Origin.of('')),
        Retries(0),
    )
    assert 'Authorization' in fake_server.requests[0].headers
    assert 'Authorization' not in other_server.requests[0].headers


@pytest.mark.parametrize('status', REDIRECTS)
def test_redirects_in_a_circle(send, fake_server, status):
    fake_server.on(
        'GET',
        '/.*',
        lambda request: Answer(
            status,
            headers={'Location': '/b?sig=secret' if request.path == '/a' else '/a?sig=secret'},
        ),
    )
    with pytest.raises(TooManyRedirects) as e:
        send('get', '/a?sig=secret')
    assert len(fake_server.requests) == 11
    assert 'secret' not in str(e.value)
    assert fake_server.url + '/a' in str(e.value)
    assert e.value.response.status_code == status


def test_redirects_that_go_on_for_ever(send, fake_server):
    fake_server.on(
        'GET', '/.*', lambda request: Answer(307, headers={'Location': request.path + 'x'})
    )
    with pytest.raises(TooManyRedirects):
        send('get', '/')


def test_a_redirect_with_an_endless_body(send, fake_server):
    fake_server.on(
        'GET',
        '/a',
        lambda request: Answer(307, itertools.repeat(b'x' * 10_000), {'Location': '/b'}),
    )
    fake_server.on('GET', '/b', Answer(body=b'there'))
    assert send('get', '/a').content == b'there'


@pytest.mark.parametrize(
    ('status', 'method', 'then', 'body'),
    [
        (301, 'POST', 'GET', b''),
        (302, 'POST', 'GET', b''),
        (303, 'POST', 'GET', b''),
        (307, 'POST', 'POST', b'content'),
        (308, 'POST', 'POST', b'content'),
        (303, 'PUT', 'GET', b''),
        (307, 'PUT', 'PUT', b'content'),
        (308, 'PUT', 'PUT', b'content'),
        (307, 'PATCH', 'PATCH', b'content'),
        (308, 'PATCH', 'PATCH', b'content'),
        # Only a POST may be made into a GET (RFC 9110, section 15.4.2).
        (301, 'PUT', 'PUT', b'content'),
        (301, 'PATCH', 'PATCH', b'content'),
    ],
)
def test_what_becomes_of_a_body(send, fake_server, status, method, then, body):
    fake_server.on(None, '/a', Answer(status, headers={'Location': '/b'}))
    fake_server.on(None, '/b', Answer(201))
    response = send(method, '/a', data=b'content')
    assert response.status_code == 201
    [_, second] = fake_server.requests
    assert (second.method, second.body) == (then, body)
    if not body:
        assert second.headers.get('Content-Length', '0') == '0'
        assert 'Content-Type' not in second.headers


@pytest.mark.parametrize('status', [307, 308])
def test_a_file_is_sent_again_from_where_it_stood(send, fake_server, status, tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'12345')
    fake_server.on('PUT', '/a', Answer(status, headers={'Location': '/b'}))
    fake_server.on('PUT', '/b', Answer(status, headers={'Location': '/c'}))
    fake_server.on('PUT', '/c', Answer(201))
    with open(str(path), 'rb') as file:
        file.seek(2)
        assert send('put', '/a', data=file).status_code == 201
    assert [request.body for request in fake_server.requests] == [b'345'] * 3


@pytest.mark.parametrize('status', [307, 308])
def test_what_can_not_be_read_again_is_not_sent_empty(send, fake_server, status):
    fake_server.on('PUT', '/a', Answer(status, headers={'Location': '/b'}))
    with pytest.raises(DXFCannotRewindError):
        send('put', '/a', data=iter([b'12', b'345']))
    assert [request.path for request in fake_server.requests] == ['/a']


@pytest.mark.parametrize('status', [302, 303])
def test_what_is_not_sent_again_need_not_be_read_again(send, fake_server, status):
    fake_server.on('POST', '/a', Answer(status, headers={'Location': '/b'}))
    fake_server.on('GET', '/b', Answer())
    assert send('post', '/a', data=iter([b'12', b'345'])).status_code == 200
    assert fake_server.requests[-1].body == b''


# Trying again


@pytest.mark.parametrize('status', [429, 500, 502, 503, 504])
@pytest.mark.parametrize('method', ['get', 'head', 'post', 'put', 'delete', 'patch'])
def test_what_failed_for_the_moment_is_sent_again(send, fake_server, clock, status, method):
    fake_server.on(None, '/', [Answer(status), Answer(status), Answer(200)])
    assert send(method, retries=3, data=b'content').status_code == 200
    assert [request.body for request in fake_server.requests] == [b'content'] * 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize('status', [400, 401, 403, 404, 405, 413, 416, 501])
def test_what_failed_for_good_is_not(send, fake_server, clock, status):
    fake_server.on('GET', '/', Answer(status))
    assert send('get', retries=3).status_code == status
    assert len(fake_server.requests) == 1
    assert clock.slept == []


def test_the_last_answer_is_given(send, fake_server, clock):
    fake_server.on('GET', '/', Answer(503, b'why'))
    response = send('get', retries=3)
    assert (response.status_code, response.content) == (503, b'why')
    assert len(fake_server.requests) == 4


def test_retry_after_is_heeded(send, fake_server, clock):
    fake_server.on('GET', '/', [Answer(429, headers={'Retry-After': '17'}), Answer(200)])
    assert send('get', retries=3).status_code == 200
    assert clock.slept == [17]


def test_a_connection_that_was_cut(send, fake_server, clock):
    fake_server.on(
        'GET',
        '/',
        [
            Answer(hang_up=True),
            Answer(body=b'x' * 100, cut_after=10),
            Answer(raw=b'rubbish\r\n'),
            Answer(body=b'whole'),
        ],
    )
    assert send('get', retries=3).content == b'whole'
    assert len(fake_server.requests) == 4


def test_the_last_failure_is_given(send, fake_server, clock):
    fake_server.on('GET', '/', Answer(hang_up=True))
    with pytest.raises(ConnectionError):
        send('get', retries=3)
    assert len(fake_server.requests) == 4


def test_a_port_that_was_never_open_is_not_tried_again(send, clock):
    with pytest.raises(ConnectionError):
        send('get', f'http://localhost:{free_port()}/', retries=3)
    assert clock.slept == []


def test_a_port_that_was_open_is_tried_again(transport, clock):
    with FakeServer() as server:
        server.on('GET', '/', Answer(headers={'Connection': 'close'}))
        url = server.url + '/'
        nobody = Credentials({}, Origin.of(''))
        transport.send('get', url, nobody, Retries(0))
    with pytest.raises(ConnectionError):
        transport.send('get', url, nobody, Retries(3))
    assert len(clock.slept) == 3


def test_a_stream_is_sent_once(send, fake_server, clock):
    fake_server.on('PUT', '/', Answer(503))
    assert send('put', data=io.BytesIO(b'content'), retries=3).status_code == 503
    fake_server.on('PUT', '/', Answer(hang_up=True))
    with pytest.raises(ConnectionError):
        send('put', data=iter([b'content']), retries=3)
    assert len(fake_server.requests) == 2
    assert clock.slept == []


def test_what_was_deleted_by_an_attempt_whose_answer_was_lost(send, fake_server, clock):
    fake_server.on('DELETE', '/', [Answer(hang_up=True), Answer(404)])
    assert send('delete', retries=3).status_code == 202


def test_what_was_not_there_to_be_deleted(send, fake_server, clock):
    fake_server.on('DELETE', '/', Answer(404))
    assert send('delete', retries=3).status_code == 404
