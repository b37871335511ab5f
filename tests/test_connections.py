"""Connections: answers that come before a body was sent, verification, and being kept."""

import contextlib
import http.client
import io
import ssl
import subprocess
import sys
import threading
import warnings

import pytest
import requests
import urllib3

from dxf.connections import session
from dxf.contents import Content
from dxf.retries import Retries
from dxf.transport import Credentials, Origin, Transport

from .support.commandline import environment
from .support.fakeserver import Answer
from .support.flavours import PASSWORD, USERNAME, Flavour
from .support.registry import htpasswd_auth

# More than the kernel takes off a sender's hands, in bytes.
SIZE = 32 * 1024 * 1024
PIECE = b'x' * 1024 * 1024


@pytest.fixture(scope='module')
def registry_http_htpasswd(make_registry, tmp_path_factory):
    """Plain http, user and password."""
    auth = htpasswd_auth(tmp_path_factory.mktemp('htpasswd'), {USERNAME: PASSWORD})
    return Flavour(
        'http-htpasswd',
        make_registry(auth=auth),
        insecure=True,
        username=USERNAME,
        password=PASSWORD,
    )


@pytest.fixture(scope='module')
def big_file(tmp_path_factory):
    path = tmp_path_factory.mktemp('big') / 'file'
    with open(str(path), 'wb') as file:
        file.truncate(SIZE)
    return str(path)


class Sized:
    """An iterable that knows its length."""

    def __len__(self):
        return SIZE

    def __iter__(self):
        return iter([PIECE] * (SIZE // len(PIECE)))


@pytest.fixture(params=['bytes', 'file', 'generator', 'sized', 'content'])
def body(request, big_file):
    """A large body, in each form that it may have."""
    if request.param == 'bytes':
        yield b'x' * SIZE
    elif request.param == 'generator':
        yield (PIECE for _ in range(SIZE // len(PIECE)))
    elif request.param == 'sized':
        yield Sized()
    else:
        with open(big_file, 'rb', buffering=0) as file:
            yield file if request.param == 'file' else Content(file).body()


def send(transport, method, url, verify=True, headers=(), **kwargs):
    kwargs.setdefault('timeout', 30)
    return transport.send(
        method,
        url,
        Credentials({}, Origin.of('')),
        Retries(0),
        verify=verify,
        headers=dict(headers),
        **kwargs,
    )


# Answers before their time

# Where each of these statuses is to be had, over plain http and over TLS.
EARLY = [
    (401, 'registry_http_htpasswd', False),
    (401, 'registry_htpasswd', False),
    (401, 'registry_token', False),
    (404, 'registry_http', False),
    (404, 'registry_htpasswd', True),
]


@pytest.mark.parametrize(
    ('status', 'flavour', 'with_password'),
    EARLY,
    ids=[f'{status}-{flavour}' for status, flavour, _ in EARLY],
)
def test_a_registry_s_early_answer_is_read(
    transport, request, status, flavour, with_password, body
):
    flavour = request.getfixturevalue(flavour)
    headers = {'Authorization': flavour.authorization} if with_password else {}
    response = send(
        transport,
        'put',
        f'{flavour.url}/v2/a/blobs/uploads/nonsense?digest=x',
        verify=flavour.tlsverify,
        headers=headers,
        data=body,
    )
    assert response.status_code == status
    assert response.json()['errors']
    # What comes next is not disturbed.
    assert send(
        transport,
        'get',
        flavour.url + '/v2/',
        verify=flavour.tlsverify,
        headers={'Authorization': flavour.authorization or ''},
    ).status_code in (200, 401)


@pytest.mark.parametrize('status', [401, 413, 503])
@pytest.mark.parametrize('kind', ['fake_server', 'fake_tls_server'])
def test_a_server_s_early_answer_is_read(transport, request, certificates, status, kind, body):
    server = request.getfixturevalue(kind)
    server.on('PUT', '/', Answer(status, b'enough'), read_body=False)
    response = send(transport, 'put', server.url + '/', verify=certificates.ca, data=body)
    assert (response.status_code, response.content) == (status, b'enough')


@pytest.mark.parametrize('kind', ['fake_server', 'fake_tls_server'])
def test_a_large_body_arrives(transport, request, certificates, kind, body):
    server = request.getfixturevalue(kind)
    server.on('PUT', '/', lambda request: Answer(201, str(request.length)))
    response = send(transport, 'put', server.url + '/', verify=certificates.ca, data=body)
    assert (response.status_code, response.text) == (201, str(SIZE))


@pytest.mark.parametrize('kind', ['fake_server', 'fake_tls_server'])
def test_a_connection_that_is_cut_without_an_answer_is_an_error(
    transport, request, certificates, kind
):
    server = request.getfixturevalue(kind)
    server.on('PUT', '/', Answer(hang_up=True), read_body=False)
    with pytest.raises(requests.exceptions.ConnectionError):
        send(transport, 'put', server.url + '/', verify=certificates.ca, data=b'x' * SIZE)


def test_an_early_answer_on_a_kept_connection(transport, fake_tls_server, certificates):
    server = fake_tls_server
    server.on('GET', '/', Answer())
    server.on('PUT', '/', Answer(401), read_body=False)
    for _ in range(3):
        assert send(transport, 'get', server.url + '/', verify=certificates.ca).status_code == 200
        response = send(
            transport, 'put', server.url + '/', verify=certificates.ca, data=b'x' * SIZE
        )
        assert response.status_code == 401


@pytest.mark.parametrize('scheme', ['http', 'https'])
@pytest.mark.parametrize(
    'error',
    [
        ssl.SSLEOFError(8, 'EOF occurred in violation of protocol'),
        ConnectionResetError(104, 'Connection reset by peer'),
        BrokenPipeError(32, 'Broken pipe'),
    ],
)
def test_a_write_that_fails_is_a_broken_pipe(monkeypatch, scheme, error):
    """After one urllib3 reads the answer; what OpenSSL says differs from version to version."""

    def fail(self, data):
        raise error

    monkeypatch.setattr(http.client.HTTPConnection, 'send', fail)
    with session() as made:
        pool = made.get_adapter(f'{scheme}://').poolmanager.connection_from_host(
            'localhost', 1, scheme
        )
    connection = pool.ConnectionCls('localhost', 1)
    connection.sock = object()
    with pytest.raises(BrokenPipeError):
        connection.send(b'x')
    # What fails while the connection is opened is no answer.
    connection.sock = None
    with pytest.raises(type(error)):
        connection.send(b'x')


# Answers that are cut


@pytest.mark.parametrize(
    'raw',
    [
        b'',
        b'HTTP/1.1',
        b'HTTP/1.1 200 OK',
        b'HTTP/1.1 200 OK\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDocker-Content-Dig',
        b'HTTP/1.1 204 No Content\r\nX: y\r\n',
        b'HTTP/1.1 100 Continue\r\n\r\n',
        b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab',
    ],
    ids=lambda raw: repr(raw[-20:]),
)
def test_an_answer_that_is_cut_is_not_taken_for_whole(transport, fake_server, raw):
    fake_server.on('GET', '/', Answer(raw=raw))
    with pytest.raises(requests.exceptions.ConnectionError):
        send(transport, 'get', fake_server.url + '/')


@pytest.mark.parametrize(
    ('raw', 'content'),
    [
        (b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', b'abc'),
        (b'HTTP/1.1 200 OK\nContent-Length: 3\n\nabc', b'abc'),
        (b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', b'abc'),
        (b'HTTP/1.1 200 OK\r\n\r\nto the end', b'to the end'),
        (b'HTTP/1.0 200 OK\r\n\r\nto the end', b'to the end'),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n', b'abc'),
    ],
)
def test_an_answer_that_is_whole(transport, fake_server, raw, content):
    fake_server.on('GET', '/', Answer(raw=raw))
    response = send(transport, 'get', fake_server.url + '/')
    assert (response.status_code, response.content) == (200, content)


# Verification


def test_connections_are_not_shared_by_other_verification(
    transport, fake_tls_server, certificates, other_certificates
):
    fake_tls_server.on('GET', '/', Answer())
    url = fake_tls_server.url + '/'

    def get(verify):
        return send(transport, 'get', url, verify=verify).status_code

    refused = pytest.raises(requests.exceptions.SSLError)
    for _ in range(2):
        assert get(False) == 200
        for distrusted in (True, other_certificates.ca):
            with refused:
                get(distrusted)
        assert get(certificates.ca) == 200
        with refused:
            get(True)
    # Each of the two settings that succeed has a connection of its own, and keeps it.
    assert len({request.connection for request in fake_tls_server.requests}) == 2


@pytest.mark.parametrize('name', ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'])
def test_bundles_of_the_environment_are_read_afresh(
    transport, fake_tls_server, certificates, other_certificates, monkeypatch, name
):
    fake_tls_server.on('GET', '/', Answer())
    url = fake_tls_server.url + '/'
    with pytest.raises(requests.exceptions.SSLError):
        send(transport, 'get', url)
    monkeypatch.setenv(name, certificates.ca)
    assert send(transport, 'get', url).status_code == 200
    # What a caller gives wins.
    with pytest.raises(requests.exceptions.SSLError):
        send(transport, 'get', url, verify=other_certificates.ca)
    monkeypatch.setenv(name, other_certificates.ca)
    with pytest.raises(requests.exceptions.SSLError):
        send(transport, 'get', url)
    assert send(transport, 'get', url, verify=False).status_code == 200
    monkeypatch.delenv(name)
    with pytest.raises(requests.exceptions.SSLError):
        send(transport, 'get', url)


def test_nobody_is_warned_of_what_was_chosen(transport, fake_tls_server):
    fake_tls_server.on('GET', '/', Answer())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        before = list(warnings.filters)
        for _ in range(2):
            send(transport, 'get', fake_tls_server.url + '/', verify=False)
        assert warnings.filters == before
    assert [
        warning
        for warning in caught
        if issubclass(warning.category, urllib3.exceptions.HTTPWarning)
    ] == []


def test_others_are_warned_as_before(transport, fake_tls_server):
    """A program that uses requests itself keeps its warnings."""
    fake_tls_server.on('GET', '/', Answer())
    send(transport, 'get', fake_tls_server.url + '/', verify=False)
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        requests.get(fake_tls_server.url + '/', verify=False)


def test_the_process_s_warning_filters_stay_as_they_are(fake_tls_server):
    fake_tls_server.on('GET', '/v2/', Answer())
    code = (
        'import sys, warnings\n'
        # These add filters of their own.
        'import requests, urllib3\n'
        'before = list(warnings.filters)\n'
        'import dxf\n'
        'dxf.DXF(sys.argv[1], "a", tlsverify=False).api_version_check()\n'
        'assert warnings.filters == before\n'
    )
    done = subprocess.run(
        [sys.executable, '-W', 'always', '-c', code, fake_tls_server.host],
        env=environment({}),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert b'InsecureRequestWarning' not in done.stderr


# Being kept


def test_a_connection_is_kept_and_closed(fake_server):
    fake_server.on('GET', '/', Answer(body=b'x'))
    with contextlib.closing(Transport()) as transport:
        for _ in range(3):
            send(transport, 'get', fake_server.url + '/')
        assert len({request.connection for request in fake_server.requests}) == 1
    with contextlib.closing(Transport()) as another:
        send(another, 'get', fake_server.url + '/')
    assert len({request.connection for request in fake_server.requests}) == 2


def test_a_kept_connection_that_the_server_has_closed(transport, fake_server, clock):
    fake_server.on('GET', '/', Answer(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
    for _ in range(3):
        response = transport.send(
            'get', fake_server.url + '/', Credentials({}, Origin.of('')), Retries(3)
        )
        assert response.status_code == 200
    assert sum(clock.slept) == 0


def test_proxies_have_the_same_connections(fake_server):
    made = session()
    for prefix in ('http://', 'https://'):
        adapter = made.get_adapter(prefix + 'localhost/')
        manager = adapter.proxy_manager_for('http://localhost:1')
        direct = adapter.poolmanager
        for scheme in ('http', 'https'):
            pool = manager.pool_classes_by_scheme[scheme]
            assert pool is direct.pool_classes_by_scheme[scheme]
            assert pool.ConnectionCls.__module__ == 'dxf.connections'
    made.close()


def test_urllib3_s_own_connections_are_left_alone():
    session()
    manager = urllib3.PoolManager()
    for pool in manager.pool_classes_by_scheme.values():
        assert not pool.ConnectionCls.__module__.startswith('dxf')


def test_bodies_leave_in_large_pieces(transport, fake_server):
    """How large matters to whoever reads files: each piece costs a call."""

    class Counted(io.BytesIO):
        reads = 0

        def read(self, count=-1):
            self.reads += 1
            return super().read(count)

    fake_server.on('PUT', '/', Answer(201))
    body = Counted(b'x' * 4 * 1024 * 1024)
    send(transport, 'put', fake_server.url + '/', data=body)
    assert body.reads <= 20


# Reading what has come


@pytest.mark.parametrize('unsized', [False, True])
def test_what_has_come_is_read_without_waiting_for_more(fake_server, unsized):
    """A part of an answer is there to be had, however large the memory is that it may fill."""
    first, rest = b'x' * 1000, threading.Event()

    def pieces():
        yield first
        rest.wait(30)
        yield b'y' * 1000

    headers = {} if unsized else {'Content-Length': '2000'}
    fake_server.on('GET', '/', lambda request: Answer(body=pieces(), headers=headers))
    with session() as made:
        response = made.get(fake_server.url + '/', stream=True)
        answer = response.raw._fp
        memory = bytearray(len(first)) if answer.chunked else bytearray(1 << 20)
        count = answer.read_some_into(memoryview(memory))
        assert memory[:count] == first[:count]
        assert count
        rest.set()
        got = bytes(memory[:count])
        while count:
            count = answer.read_some_into(memoryview(memory))
            got += memory[:count]
        assert got == first + b'y' * 1000
        assert answer.isclosed()


def test_an_answer_to_head_has_nothing_to_be_read(fake_server):
    fake_server.on('HEAD', '/', Answer(headers={'Content-Length': '5'}))
    with session() as made:
        response = made.head(fake_server.url + '/', stream=True)
        assert response.raw._fp.read_some_into(memoryview(bytearray(10))) == 0
