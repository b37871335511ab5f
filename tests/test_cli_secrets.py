"""On the command line nothing shows a secret: not with DXF_DEBUG=1, nor beside a progress bar."""

import pytest

from dxf.credentials import Login
from dxf.settings import Settings

from .support import secrets
from .support.complaints import run_main
from .support.eyes import (
    HIDDEN,
    PASSWORD,
    SIGNATURE,
    TOKEN,
    USERNAME,
    grants_a_token,
    with_a_token,
)
from .support.fakeserver import Answer
from .support.logins import Person, auth, entry
from .support.plain import sha256
from .support.shell import run_process
from .support.waiting import free_port

CONTENT = b'content' * 1000
DIGEST = sha256(CONTENT)
BLOB = f'/v2/a/blobs/{DIGEST}'


@pytest.fixture
def server(fake_tls_server):
    server = grants_a_token(fake_tls_server)
    moved = Answer(307, headers={'Location': f'{server.url}/store/1?sig={SIGNATURE}'})
    server.on('GET', BLOB, with_a_token(server, moved))
    server.on('GET', '/store/.*', lambda request: Answer(200, CONTENT))
    return server


@pytest.fixture
def environ(server, certificates):
    return {
        'DXF_HOST': server.host,
        'DXF_TLSVERIFY': certificates.ca,
        'DXF_USERNAME': USERNAME,
        'DXF_PASSWORD': PASSWORD,
        'DXF_DEBUG': '1',
        'DXF_PROGRESS': '1',
        'DXF_RETRIES': '0',
    }


def said(result, but=()):
    """What a command says, in which is no secret."""
    text = (result.out + result.err).decode()
    assert not secrets.found(text, HIDDEN - set(but)), text
    return text


def test_what_succeeds(environ, server):
    """A request a line, and a progress bar."""
    result = run_process('pull-blob', 'a', DIGEST, environ=environ)
    assert (result.code, result.out) == (0, CONTENT)
    text = said(result)
    for path in (BLOB, '/token', '/store/1'):
        assert f'GET {server.url}{path}: ' in text
    assert '100%' in text


def test_a_token_is_printed_where_it_is_asked_for(environ):
    result = run_process('auth', 'a', 'pull', environ=environ)
    assert result.out == TOKEN.encode() + b'\n'
    assert TOKEN not in result.err.decode()
    said(result, but=secrets.forms(TOKEN))


def moved(place):
    return Answer(307, headers={'Location': f'{place}?sig={SIGNATURE}'})


FAILURES = {
    '403 there': ('/store/1', Answer(403)),
    'cut there': ('/store/1', Answer(200, CONTENT, cut_after=10)),
    'hung up there': ('/store/1', Answer(hang_up=True)),
    'other content there': ('/store/1', Answer(200, b'other')),
    'a circle': ('/store/1', moved('/store/1')),
    'no address': ('/store/1', moved('ftp://a/')),
    'nobody there': ('/store/1', moved(f'https://localhost:{free_port()}/')),
    'no token': ('/token', Answer(200, f'{{"token": "{TOKEN}')),
    '401 by the service': ('/token', Answer(401)),
    '500 by the service': ('/token', Answer(500)),
    '503 by the registry': ('/v2/.*', Answer(503)),
    'a malformed challenge': (
        '/v2/.*',
        Answer(401, headers={'WWW-Authenticate': 'Bearer realm="'}),
    ),
}


@pytest.mark.parametrize('failure', FAILURES)
def test_what_fails(environ, server, failure):
    """`main` lets the error through where DXF_DEBUG is set: its traceback is shown."""
    path, answer = FAILURES[failure]
    server.on('GET', path, lambda request: answer)
    result = run_process('pull-blob', 'a', DIGEST, environ=environ)
    assert result.code not in (0, 2)
    text = said(result)
    assert f'GET {server.url}/v2' in text


def test_a_failure_in_one_line(environ, server):
    server.on('GET', '/store/1', lambda request: Answer(500))
    del environ['DXF_DEBUG']
    result = run_main('pull-blob', 'a', DIGEST, environ=environ)
    assert '500' in said(result)
    assert 'Traceback' not in said(result)


@pytest.mark.parametrize('name', ['DXF_TOKEN', 'DXF_AUTHORIZATION', 'DXF_PASSWORD'])
def test_what_can_not_be_sent(environ, name):
    for other in ('DXF_USERNAME', 'DXF_PASSWORD'):
        if name == 'DXF_AUTHORIZATION':
            del environ[other]
    environ[name] = f'{PASSWORD}\udcff'
    said(run_process('list-aliases', 'a', environ=environ))


@pytest.mark.parametrize('host', ['https://fred:{}@localhost', 'fred:{}@localhost:5000'])
def test_a_password_in_the_host(environ, host):
    environ['DXF_HOST'] = host.format(PASSWORD)
    said(run_main('list-aliases', 'a', environ={**environ, 'DXF_DEBUG': ''}))


def test_a_helper_that_fails(environ, server, tmp_path):
    person = Person(tmp_path)
    person.docker({'credsStore': 'keeper', 'auths': {server.host: entry(USERNAME, PASSWORD)}})
    person.program('docker-credential-keeper', f'print("{PASSWORD}")')
    environ = {**environ, **person.environ, 'DXF_USERNAME': '', 'DXF_PASSWORD': ''}
    assert 'docker-credential-keeper' in said(run_process('list-aliases', 'a', environ=environ))


def test_the_settings_words(environ):
    environ.update({
        'DXF_TOKEN': TOKEN,
        'DXF_AUTHORIZATION': 'Basic ' + auth(USERNAME, PASSWORD),
    })  # fmt: skip
    settings = Settings.of(environ)
    text = repr(settings) + str(settings) + f'{settings}' + repr(settings.authenticate)
    assert not secrets.found(text, HIDDEN)
    assert not secrets.found(repr(Login(USERNAME, PASSWORD, TOKEN, TOKEN)), HIDDEN)
