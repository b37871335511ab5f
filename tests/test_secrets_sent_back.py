"""What a server says back of what it was sent is not shown: not in errors, nor in other words."""

import pytest

import dxf
from dxf.redaction import without_sent

from .support import secrets
from .support.eyes import (
    HIDDEN,
    IDENTITY,
    PASSWORD,
    SIGNATURE,
    TOKEN,
    USERNAME,
    by_password,
    grants_a_token,
    with_a_token,
)
from .support.fakeserver import Answer
from .support.logins import auth
from .support.shell import run_process


@pytest.fixture
def server(fake_tls_server):
    return grants_a_token(fake_tls_server)


@pytest.fixture
def client(server, certificates):
    with dxf.DXF(server.host, 'a', by_password, tlsverify=certificates.ca, retries=0) as made:
        yield made


def error(status, words):
    return Answer(status, {'errors': [{'code': 'DENIED', 'message': f'no: {words}, please'}]})


ECHOES = {
    'a header': lambda sent: error(403, f'you sent {sent}'),
    'a token': lambda sent: error(403, sent.partition(' ')[2]),
    'quoted': lambda sent: error(400, f'"{sent}"'),
    'an address': lambda sent: error(403, f'https://x.example/y?sig={SIGNATURE}'),
    'a user in one': lambda sent: error(403, f'(https://fred:{SIGNATURE}@x.example/y)'),
    'the reason': lambda sent: Answer(
        raw=f'HTTP/1.1 499 {sent}\r\nContent-Length: 0\r\n\r\n'.encode()
    ),
    'a type': lambda sent: Answer(200, 'x', {'Content-Type': sent}),
}


@pytest.mark.parametrize('path', ['/v2/a/tags/list', '/v2/a/manifests/b', '/token'])
@pytest.mark.parametrize('echo', ECHOES)
def test_what_is_said_back(eyes, server, client, path, echo):
    client.api_version_check()

    def answer(request):
        return ECHOES[echo](request.headers.get('Authorization', 'Basic none'))

    server.on(None, path, answer if path == '/token' else lambda request: (
        answer(request) if request.headers.get('Authorization') == f'Bearer {TOKEN}'
        else with_a_token(server, Answer())(request)))  # fmt: skip
    with pytest.raises(Exception) as e:
        if path == '/token':
            client.authenticate(USERNAME, PASSWORD)
        elif path.endswith('list'):
            client.list_aliases()
        else:
            client.get_alias('b')
    text = eyes.check(e.value)
    if 'DENIED' in text:
        assert 'DENIED: no: ' in text
        assert 'please' in text


@pytest.mark.parametrize('given', [
    {'username': USERNAME, 'password': PASSWORD},
    {'authorization': 'Basic ' + auth(USERNAME, PASSWORD)},
    {'identity_token': IDENTITY},
])  # fmt: skip
def test_what_a_token_service_says_back(eyes, server, client, given):
    """A password that was in the header, and what was in the form."""
    said = f'{PASSWORD} {USERNAME}:{PASSWORD} {auth(USERNAME, PASSWORD)} {IDENTITY}'
    server.on('GET', '/token', lambda request: error(403, said.rpartition(' ')[0]))
    server.on('POST', '/token', lambda request: error(403, IDENTITY))
    with pytest.raises(Exception) as e:
        client.authenticate(**given)
    assert 'DENIED: no: ***' in eyes.check(e.value)


def test_in_the_shell(server, certificates):
    server.on(None, '/v2/a/.*', with_a_token(server, error(403, f'token {TOKEN}')))
    environ = {
        'DXF_HOST': server.host, 'DXF_TLSVERIFY': certificates.ca, 'DXF_DEBUG': '1',
        'DXF_USERNAME': USERNAME, 'DXF_PASSWORD': PASSWORD,
    }  # fmt: skip
    result = run_process('list-aliases', 'a', environ=environ)
    assert result.code == 1
    assert b'DENIED: no: token ***, please' in result.err
    assert not secrets.found(result.err.decode(), HIDDEN)


def test_a_short_password_is_looked_for_as_a_word(server, client):
    """It may be a part of any, which would show it by its absence."""
    server.on('GET', '/token', lambda request: error(403, 'not so: o'))
    with pytest.raises(Exception, match=r'DENIED: no: not so: \*\*\*, please$'):
        client.authenticate(USERNAME, 'o')


@pytest.mark.parametrize('text', ['why? because', 'a?b', 'http is not spoken here', 'a@b', ''])
def test_other_words_stay(server, client, text):
    client.list_aliases()
    assert without_sent(text, client.api_version_check()[1]) == text
