"""Passwords and tokens are in no message, log, traceback or repr, whatever fails."""

import pytest

import dxf

from .support.eyes import (
    IDENTITY,
    PASSWORD,
    SIGNATURE,
    TOKEN,
    by_password,
    grants_a_token,
    inside,
)
from .support.fakeserver import Answer
from .support.logins import Person, auth, entry
from .support.waiting import free_port


@pytest.fixture
def server(fake_tls_server):
    """A registry that wants a token, and grants it."""
    return grants_a_token(fake_tls_server)


@pytest.fixture
def client(server, certificates, clock):
    with dxf.DXF(server.host, 'a', by_password, tlsverify=certificates.ca, retries=2) as made:
        yield made


# The registry and its token service

NEAR = {
    '400': Answer(400, {'errors': [{'code': 'UNSUPPORTED'}]}),
    '401': Answer(401),
    'a malformed challenge': Answer(401, headers={'WWW-Authenticate': 'Bearer realm="'}),
    '403': Answer(403, {'errors': [{'code': 'DENIED', 'message': 'no'}]}),
    '500': Answer(500),
    '502': Answer(502, '<html>bad gateway</html>', {'Content-Type': 'text/html'}),
    'no JSON': Answer(200, f'{{"token": "{TOKEN}'),
    'no object': Answer(200, f'["{TOKEN}"]'),
    'no token': Answer(200, {'tokens': TOKEN, 'tags': 5}),
    'a broken token': Answer(200, {'token': f'{TOKEN}\n', 'tags': 5}),
    'not UTF-8': Answer(200, f'{{"token": "{TOKEN}"}}'.encode() + b'\xff'),
    'cut': Answer(200, f'{{"token": "{TOKEN}"}}' * 100, cut_after=30),
    'hung up': Answer(hang_up=True),
    'no address': Answer(307, headers={'Location': f'https://[?sig={SIGNATURE}'}),
}


@pytest.mark.parametrize('how', ['password', 'identity token'])
@pytest.mark.parametrize('path', ['/token', '/v2/a/tags/list'])
@pytest.mark.parametrize('failure', NEAR)
def test_failures_of_registry_and_token_service(eyes, server, client, failure, path, how):
    if how == 'identity token':
        client._auth = lambda made, response: made.authenticate(
            identity_token=IDENTITY, response=response
        )
    client.api_version_check()
    client.token = None if path == '/token' else client.token
    server.on(None, path, lambda request: NEAR[failure])
    with pytest.raises(Exception) as e:
        client.authenticate('fred', PASSWORD) if path == '/token' else client.list_aliases()
    eyes.check(e.value, objects=inside(client))


@pytest.mark.parametrize('given', [
    {'username': 'fred', 'password': PASSWORD},
    {'authorization': 'Basic ' + auth('fred', PASSWORD)},
    {'identity_token': IDENTITY},
])  # fmt: skip
@pytest.mark.parametrize('realm', ['https://localhost:{}/token', 'https://fred:f00dbabe@x:y/',
                                   'https://a b/?f00dbabe', 'https://[?f00dbabe'])  # fmt: skip
def test_a_token_service_that_is_not_there(eyes, server, client, given, realm):
    header = f'Bearer realm="{realm.format(free_port())}"'
    server.on('GET', '/v2/', lambda r: Answer(401, headers={'WWW-Authenticate': header}))
    with pytest.raises(Exception) as e:
        client.authenticate(**given)
    eyes.check(e.value, objects=inside(client))


# What can't be sent


@pytest.mark.parametrize(
    'value',
    [
        f'{TOKEN}\n',
        f'{TOKEN}\r\nX: y',
        f'{TOKEN}€',
    ],
)
def test_a_token_that_can_not_be_sent(eyes, server, client, value):
    client.token = value
    with pytest.raises(Exception) as e:
        client.list_aliases()
    eyes.check(e.value, objects=inside(client))


@pytest.mark.parametrize(
    'value', [f' Basic {TOKEN}', f'Basic {TOKEN}\n', TOKEN.encode() + b'\n', [TOKEN]]
)
def test_a_header_that_can_not_be_sent(eyes, server, client, value):
    client._headers = {'Authorization': value}
    with pytest.raises(Exception) as e:
        client.list_aliases()
    eyes.check(e.value)


@pytest.mark.parametrize('proxy', ['http://fred:{}@localhost:{}', 'http://fred:{}@[', 'http://fred:{}@',
                                   'fred:{}@localhost:{}', 'ftp://fred:{}@localhost'])  # fmt: skip
def test_a_proxy_s_password(eyes, server, client, monkeypatch, proxy):
    monkeypatch.setenv('https_proxy', proxy.format(PASSWORD, free_port()))
    with pytest.raises(Exception) as e:
        client.list_aliases()
    eyes.check(e.value)


# What a user has logged in with

CONFIGURATIONS = {
    'cut': f'{{"auths": {{"x": {{"auth": "{auth("fred", PASSWORD)}"',
    'no object': f'["{PASSWORD}"]',
    'no auths': f'{{"auths": ["{PASSWORD}"]}}',
    'no entry': f'{{"auths": {{"{{host}}": "{PASSWORD}"}}}}',
    'no base64': f'{{"auths": {{"{{host}}": {{"auth": "{PASSWORD}!"}}}}}}',
    'no colon': f'{{"auths": {{"{{host}}": {{"auth": "{auth(PASSWORD, "")[:-4]}"}}}}}}',
    'no text': f'{{"auths": {{"{{host}}": {{"password": ["{PASSWORD}"]}}}}}}',
    'a broken token': f'{{"auths": {{"{{host}}": {{"registrytoken": "{TOKEN}\\n"}}}}}}',
    'no helper': '{"credsStore": "x/../../f00dbabe?f00dbabe"}',
}


@pytest.mark.parametrize('configuration', CONFIGURATIONS)
def test_malformed_configurations(eyes, server, client, monkeypatch, configuration):
    text = CONFIGURATIONS[configuration].replace('{host}', server.host)
    monkeypatch.setenv('DOCKER_AUTH_CONFIG', text)
    client._auth = dxf.docker_auth
    with pytest.raises(dxf.exceptions.DXFError) as e:
        client.list_aliases()
    eyes.check(e.value)


HELPERS = {
    'rubbish': f'print("{PASSWORD}")',
    'no secret': f'print(\'{{"Username": "{PASSWORD}"}}\')',
    'an answer and a failure': f'print(\'{{"Secret": "{PASSWORD}"}}\'); exit(3)',
    'cut': f'print(\'{{"Username": "fred", "Secret": "{PASSWORD}\')',
    'lists': f'print(\'{{"Username": "fred", "Secret": ["{PASSWORD}"]}}\')',
}


@pytest.mark.parametrize('helper', HELPERS)
def test_failures_of_helpers(eyes, server, client, monkeypatch, tmp_path, helper):
    person = Person(tmp_path)
    for name, value in person.environ.items():
        monkeypatch.setenv(name, value)
    person.docker({'credsStore': 'keeper', 'auths': {server.host: entry('fred', PASSWORD)}})
    person.program('docker-credential-keeper', HELPERS[helper])
    client._auth = dxf.docker_auth
    with pytest.raises(dxf.exceptions.DXFCredentialsError) as e:
        client.list_aliases()
    eyes.check(e.value)
