"""What a user reads when something goes wrong: one line, and nothing is left half done."""

import errno
import socket

import pytest

from .support.certificates import Certificates
from .support.commandline import run_cli
from .support.complaints import complaint, run_main, said
from .support.fakeserver import Answer, FakeServer
from .support.flavours import Flavour
from .support.plain import sha256
from .support.shell import run_process
from .support.waiting import free_port

CONTENT = b'some content'
DIGEST = sha256(CONTENT)


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(CONTENT)
    return path


def fake(server):
    return {'DXF_HOST': server.host, 'DXF_INSECURE': '1'}


# The host.


@pytest.mark.parametrize('environ', [{}, {'DXF_HOST': ''}])
def test_no_host(environ):
    text = complaint(run_process('list-repos', environ=environ))
    assert 'DXF_HOST' in text
    assert 'localhost:5000' in text


@pytest.mark.parametrize(
    'host',
    [
        *('http://localhost:5000', 'https://localhost', 'localhost:5000/', 'localhost/v2'),
        *('fred@localhost', 'fred:secret@localhost:5000', 'local host', ' localhost'),
        *('localhost\n', 'localhost:', 'localhost:http', 'localhost:99999', ':5000', '?', 'a..b'),
        *('[::1', '[::1]x', '.', 'ho$t', 'höst', 'a' * 64 + '.example'),
    ],
)
def test_a_host_that_is_none(host):
    text = complaint(run_main('list-repos', environ={'DXF_HOST': host}))
    assert 'host' in text
    if '://' in host:
        assert 'URL' in text


@pytest.mark.parametrize('host', ['LOCALHOST:{}', '127.0.0.1:{}'])
def test_hosts_that_are_some(fake_server, host):
    fake_server.on('GET', '/v2/_catalog', Answer(body={'repositories': ['a']}))
    environ = {'DXF_HOST': host.format(fake_server.port), 'DXF_INSECURE': '1'}
    assert run_main('list-repos', environ=environ) == (0, b'a\n', b'')


def test_a_host_that_is_unknown(monkeypatch):
    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', getaddrinfo)
    text = complaint(run_main('list-repos', environ={'DXF_HOST': 'no-such.example:5000'}))
    assert 'no-such.example:5000' in text
    assert 'unknown host' in text


def test_a_host_on_which_nobody_listens():
    host = f'127.0.0.1:{free_port()}'
    for variables in ({}, {'DXF_INSECURE': '1'}):
        text = complaint(run_process('list-repos', environ={'DXF_HOST': host, **variables}))
        assert host in text
        assert 'refused' in text


def test_a_host_that_is_silent():
    """It takes the connection and never says a word."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(5)
        host = f'127.0.0.1:{listener.getsockname()[1]}'
        for variables in ({}, {'DXF_INSECURE': '1'}):
            environ = {'DXF_HOST': host, 'DXF_TIMEOUT': '0.1', **variables}
            text = complaint(run_process('list-repos', environ=environ))
            assert host in text
            assert 'no answer' in text


# Not a registry.

PAGE = Answer(
    body="<!DOCTYPE html>\n<html><body>Log in to the airport's network</body></html>\n",
    headers={'Content-Type': 'text/html; charset=utf-8'},
)

EVERYTHING = [
    ['push-blob', 'a/b', '{file}', '@latest'],
    ['pull-blob', 'a/b', DIGEST],
    ['pull-blob', 'a/b', '@latest'],
    ['blob-size', 'a/b', DIGEST],
    ['blob-size', 'a/b', '@latest'],
    ['mount-blob', 'a/b', 'c/d', DIGEST],
    ['del-blob', 'a/b', DIGEST],
    ['del-blob', 'a/b', '@latest'],
    ['set-alias', 'a/b', 'latest', DIGEST],
    ['get-alias', 'a/b', 'latest'],
    ['del-alias', 'a/b', 'latest'],
    ['get-digest', 'a/b', 'latest'],
    ['get-manifest', 'a/b', 'latest'],
    ['list-aliases', 'a/b'],
    ['list-repos'],
]


def ids(args):
    return ' '.join(word.partition(':')[0] for word in args)


@pytest.mark.parametrize('args', EVERYTHING, ids=ids)
def test_a_web_page(fake_server, file, args):
    """It answers everything with success, as a captive portal does."""
    fake_server.on(None, '.*', PAGE)
    args = [arg.format(file=file) for arg in args]
    text = complaint(run_main(*args, environ=fake(fake_server)))
    assert 'does not look like a registry' in text
    assert fake_server.host in text


@pytest.mark.parametrize('args', EVERYTHING, ids=ids)
def test_a_redirect_to_a_web_page(fake_server, file, args):
    fake_server.on(None, '.*', Answer(302, headers={'Location': '/login'}))
    fake_server.on(None, '/login', PAGE)
    args = [arg.format(file=file) for arg in args]
    text = complaint(run_main(*args, environ=fake(fake_server)))
    assert 'does not look like a registry' in text


def test_what_speaks_no_http(fake_server, monkeypatch):
    fake_server.on(None, '.*', Answer(raw=b'SSH-2.0-OpenSSH_9.2p1\r\n'))
    monkeypatch.setattr('time.sleep', lambda seconds: None)
    text = complaint(run_main('list-repos', environ=fake(fake_server)))
    assert fake_server.host in text


def test_https_where_http_is_spoken(registry_http, fake_server):
    for host in (registry_http.host, fake_server.host):
        text = complaint(run_process('list-repos', environ={'DXF_HOST': host}))
        assert host in text
        assert 'DXF_INSECURE=1' in text


def test_http_where_https_is_spoken(registry_htpasswd):
    environ = {'DXF_HOST': registry_htpasswd.host, 'DXF_INSECURE': '1'}
    text = complaint(run_process('list-repos', environ=environ))
    assert registry_htpasswd.host in text
    assert 'DXF_INSECURE' in text


def test_http_where_https_is_spoken_by_one_that_says_nothing_then(fake_tls_server, monkeypatch):
    monkeypatch.setattr('time.sleep', lambda seconds: None)
    text = complaint(run_main('list-repos', environ=fake(fake_tls_server)))
    assert fake_tls_server.host in text


# Certificates.


def test_a_certificate_that_does_not_verify(registry_htpasswd, other_certificates):
    for variables in ({}, {'DXF_TLSVERIFY': other_certificates.ca}):
        environ = {'DXF_HOST': registry_htpasswd.host, **variables}
        text = complaint(run_process('list-repos', environ=environ))
        assert registry_htpasswd.host in text
        assert 'certificate' in text
        assert 'DXF_TLSVERIFY' in text


def test_a_certificate_of_another_host(certificates, tmp_path):
    stranger = Certificates.__new__(Certificates)
    made = certificates.authority.issue_cert('elsewhere.example')
    stranger.cert, stranger.key = str(tmp_path / 'cert'), str(tmp_path / 'key')
    made.private_key_pem.write_to_path(stranger.key)
    made.cert_chain_pems[0].write_to_path(stranger.cert)
    with FakeServer(stranger) as server:
        environ = {'DXF_HOST': server.host, 'DXF_TLSVERIFY': certificates.ca}
        text = complaint(run_process('list-repos', environ=environ))
        assert server.host in text
        assert 'certificate' in text
        assert server.requests == []


def test_a_bundle_that_can_not_be_used(registry_htpasswd, tmp_path):
    (tmp_path / 'rubbish').write_bytes(b'no certificate')
    (tmp_path / 'nothing').write_bytes(b'')
    for name in ('missing', 'rubbish', 'nothing'):
        environ = {'DXF_HOST': registry_htpasswd.host, 'DXF_TLSVERIFY': str(tmp_path / name)}
        text = complaint(run_process('list-repos', environ=environ))
        assert str(tmp_path / name) in text


# Being refused.


@pytest.mark.parametrize('kind', ['htpasswd', 'token'])
def test_a_wrong_password(request, file, kind):
    registry = request.getfixturevalue(f'registry_{kind}')
    environ = registry.environ(DXF_PASSWORD='wr0ng')
    text = complaint(run_process('push-blob', 'a/b', file, environ=environ))
    assert 'DXF_PASSWORD' in text
    assert 'wr0ng' not in text


def test_forbidden(fake_server, file):
    error = {'code': 'DENIED', 'message': 'requested access to the resource is denied'}
    fake_server.on(None, '.*', Answer(403, {'errors': [error]}))
    for args in EVERYTHING:
        args = [arg.format(file=file) for arg in args]
        text = complaint(run_main(*args, environ=fake(fake_server)))
        assert '403' in text
        # A HEAD's answer has no body to quote.
        if args[0] not in ('push-blob', 'set-alias', 'blob-size'):
            assert 'DENIED: requested access to the resource is denied' in text


def test_not_found_is_said(registry):
    repo = registry.new_repo()
    result = run_process('get-alias', repo, 'latest', environ=registry.environ())
    assert result.code == 2
    text = said(result)
    assert 'Not Found' in text
    assert repo in text


def test_a_registry_that_does_not_delete(make_registry, file):
    flavour = Flavour(
        'keeps', make_registry(storage={'delete': {'enabled': False}}), insecure=True
    )
    environ = flavour.environ()
    assert run_process('push-blob', 'a/b', file, '@latest', environ=environ).code == 0
    for args in (['del-blob', 'a/b', DIGEST], ['del-alias', 'a/b', 'latest']):
        text = complaint(run_process(*args, environ=environ))
        assert '405' in text
        assert 'UNSUPPORTED' in text


# DXF_DEBUG.


def test_a_traceback_when_it_is_asked_for():
    done = run_cli('list-repos', environ={'DXF_DEBUG': '1'})
    assert done.returncode != 0
    assert b'Traceback' in done.stderr
    assert b'DXF_HOST' in done.stderr


def test_a_traceback_of_what_has_a_code_of_its_own(registry, registry_htpasswd):
    """The line and the code stay what they are."""
    for flavour, code, word in (
        (registry, errno.ENOENT, 'HTTPError'),
        (registry_htpasswd, errno.EACCES, 'DXFUnauthorizedError'),
    ):
        environ = flavour.environ(DXF_DEBUG='1', DXF_PASSWORD='wrong', DXF_AUTHORIZATION='')
        result = run_process('get-alias', 'a/b', 'nowhere', environ=environ)
        assert (result.code, result.out) == (code, b'')
        lines = result.err.decode().splitlines()
        assert 'Traceback (most recent call last):' in lines
        assert any(word in line for line in lines)
        assert lines[-1].startswith('dxf: ')
        said(run_process('get-alias', 'a/b', 'nowhere', environ={**environ, 'DXF_DEBUG': ''}))


@pytest.mark.parametrize('value', ['', '0', 'no'])
def test_no_traceback_when_it_is_not(value):
    complaint(run_process('list-repos', environ={'DXF_DEBUG': value}))


def test_debug_changes_no_output(registry, file):
    environ = registry.environ(DXF_DEBUG='1')
    code, out, err = run_process('push-blob', registry.new_repo(), file, environ=environ)
    assert (code, out) == (0, DIGEST.encode() + b'\n')
    assert b'Traceback' not in err


def test_debug_shows_no_secret(registry_token, file):
    environ = registry_token.environ(DXF_DEBUG='1', DXF_TOKEN='opaque-secret')
    code, _, err = run_process('push-blob', registry_token.new_repo(), file, environ=environ)
    assert code == 0
    token = registry_token.authorization.partition(' ')[2]
    for secret in (registry_token.password, token, 'opaque-secret'):
        assert secret.encode() not in err
