"""Challenges and token replies that are missing, odd or malformed: documented errors, always."""

import pytest
import requests

import dxf
from dxf import exceptions

from .support.client import made_response
from .support.fakeserver import Answer, FakeServer
from .support.plain import sha256


@pytest.fixture
def client(fake_tls_server, certificates, clock):
    def auth(dxf_obj, response):
        dxf_obj.authenticate('u', 'very-secret', response=response)

    with dxf.DXF(fake_tls_server.host, 'a', auth, tlsverify=certificates.ca) as made:
        yield made


def challenge(server, header):
    """Have the server ask for a token until it is given 'abc'."""

    def answer(request):
        if request.headers.get('Authorization') == 'Bearer abc':
            return Answer(200, {'tags': ['there']})
        return Answer(401, headers={} if header is None else {'WWW-Authenticate': header})

    server.on('GET', '/v2/.*', answer)


# None of these can be answered.
HOPELESS = [
    None,
    '',
    ' ',
    ',',
    '=',
    '"',
    'Bearer',
    'bearer ',
    'Bearer realm',
    'Bearer realm=',
    'Bearer realm=""',
    'Bearer realm="',
    'Bearer realm="unfinished',
    'Bearer service="s",scope="x"',
    'Bearer ,,,',
    'Bearer realm="http://["',
    'Bearer realm="https://x:port/"',
    'Bearer realm="ftp://x/"',
    'Bearer realm="mailto:x"',
    'Bearer realm="javascript:x"',
    'Bearer abcdef==',
    'Digest realm="d", nonce="n"',
    'Negotiate',
    'NTLM',
    'Bearer=realm',
    '<html>',
    'ünïcode'.encode().decode('latin-1'),
    'x' * 10_000,
    'Bearer ' + 'a="b",' * 1000,
    'Bearer realm="\\',
    '\t',
    'Basic2 realm="x"',
]


@pytest.mark.parametrize('header', HOPELESS)
def test_challenges_that_cannot_be_answered(fake_tls_server, client, header):
    challenge(fake_tls_server, header)
    with pytest.raises(exceptions.DXFError) as e:
        client.list_aliases()
    assert str(e.value)
    assert '\n' not in str(e.value)
    assert 'very-secret' not in str(e.value)


@pytest.mark.parametrize('header', HOPELESS)
def test_the_same_from_authenticate(header):
    headers = {} if header is None else {'WWW_Authenticate': header}
    response = made_response(401, **headers)
    response.url = 'https://registry.example/v2/'
    for made in (dxf.DXFBase('registry.example'), dxf.DXF('registry.example', 'a')):
        with pytest.raises(exceptions.DXFError):
            made.authenticate('u', 'p', response=response)


@pytest.mark.parametrize(
    'form',
    [
        'Bearer realm="{}"',
        'bearer realm="{}"',
        'BEARER REALM="{}"',
        'Bearer realm="{}",service="",scope=""',
        'Bearer realm="{}",service="s"',
        'Bearer realm="{}" , service="s" , scope="x"',
        'Bearer realm="{}",scope="  "',
        'Bearer scope="repository:a:pull",realm="{}"',
        'Bearer realm="{}",error="invalid_token"',
        'Basic realm="x", Bearer realm="{}"',
        'Bearer realm="{}", Basic realm="x, y"',
        'Negotiate, Bearer realm="{}"',
        'Bearer realm="{}",scope="repository:a:pull,push repository:b:pull"',
        'Bearer realm="{}",',
        'Bearer  realm="{}"',
    ],
)
def test_challenges_that_can(fake_tls_server, client, form):
    challenge(fake_tls_server, form.format(fake_tls_server.url + '/token'))
    fake_tls_server.on('GET', '/token', lambda request: Answer(200, {'token': 'abc'}))
    assert client.list_aliases() == ['there']
    (asked,) = fake_tls_server.seen('GET', '/token')
    assert 'Authorization' in asked.headers
    assert set(asked.query) <= {'service', 'scope'}
    assert all(value.strip() for values in asked.query.values() for value in values)


def test_a_realm_on_the_registry_itself(fake_tls_server, client):
    """Relative, as a registry that serves its tokens itself might say."""
    challenge(fake_tls_server, 'Bearer realm="/token"')
    fake_tls_server.on('GET', '/token', lambda request: Answer(200, {'token': 'abc'}))
    assert client.list_aliases() == ['there']


def test_several_header_lines(fake_tls_server, client):
    def answer(request):
        if request.headers.get('Authorization') == 'Bearer abc':
            return Answer(200, {'tags': ['there']})
        lines = ['Basic realm="r"', f'Bearer realm="{fake_tls_server.url}/token"']
        return Answer(401, headers={'WWW-Authenticate': lines})

    fake_tls_server.on('GET', '/v2/.*', answer)
    fake_tls_server.on('GET', '/token', lambda request: Answer(200, {'token': 'abc'}))
    assert client.list_aliases() == ['there']


# Replies


@pytest.mark.parametrize(
    'reply',
    [
        '',
        'x',
        '<html>Please log in</html>',
        'null',
        '[]',
        '["token"]',
        '5',
        '"abc"',
        'true',
        '{}',
        '{"token": ""}',
        '{"token": null}',
        '{"token": 5}',
        '{"token": true}',
        '{"token": ["abc"]}',
        '{"token": {"a": 1}}',
        '{"access_token": 5, "token": "abc"}',
        '{"token": "line\\nbreak"}',
        '{"token": "ünï"}',
        '{"token": " "}',
        '[' * 100_000,
        b'\xff\xfe\xfd',
    ],
)
def test_replies_without_a_token(fake_tls_server, client, reply):
    challenge(fake_tls_server, f'Bearer realm="{fake_tls_server.url}/token"')
    fake_tls_server.on('GET', '/token', lambda request: Answer(200, reply))
    with pytest.raises(exceptions.DXFError) as e:
        client.list_aliases()
    assert fake_tls_server.url + '/token' in str(e.value)
    assert 'very-secret' not in str(e.value)
    assert client.token is None


def test_a_reply_without_end(fake_tls_server, client):
    sent = []

    def endless():
        while True:
            sent.append(1)
            yield b' ' * 1_000_000

    challenge(fake_tls_server, f'Bearer realm="{fake_tls_server.url}/token"')
    fake_tls_server.on('GET', '/token', lambda request: Answer(200, endless()))
    with pytest.raises(exceptions.DXFError):
        client.list_aliases()
    assert len(sent) < 1000


@pytest.mark.parametrize('status', [400, 403, 404, 405])
def test_refusals_of_the_token_service(fake_tls_server, client, status):
    error = {'errors': [{'code': 'DENIED', 'message': 'too many tokens'}]}
    challenge(fake_tls_server, f'Bearer realm="{fake_tls_server.url}/token"')
    fake_tls_server.on('GET', '/token', lambda request: Answer(status, error))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.list_aliases()
    assert e.value.response.status_code == status
    assert 'DENIED: too many tokens' in str(e.value)


def test_a_token_service_that_is_not_there(fake_tls_server, client):
    challenge(fake_tls_server, 'Bearer realm="https://localhost:1/token"')
    with pytest.raises(requests.exceptions.ConnectionError):
        client.list_aliases()


def test_a_token_service_that_has_a_bad_moment(fake_tls_server, client):
    challenge(fake_tls_server, f'Bearer realm="{fake_tls_server.url}/token"')
    fake_tls_server.on('GET', '/token', [Answer(503), Answer(200, {'token': 'abc'})])
    assert client.list_aliases() == ['there']


def test_credentials_do_not_follow_a_token_service_elsewhere(
    fake_tls_server, certificates, client
):
    """They are for the realm that was named, and not for where it sends us."""
    with FakeServer(certificates) as other:
        challenge(fake_tls_server, f'Bearer realm="{fake_tls_server.url}/token"')
        there = {'Location': other.url + '/token'}
        fake_tls_server.on('GET', '/token', lambda request: Answer(307, headers=there))
        other.on('GET', '/token', lambda request: Answer(200, {'token': 'abc'}))
        assert client.list_aliases() == ['there']
        (asked,) = other.requests
    assert 'Authorization' not in asked.headers
    (first,) = fake_tls_server.seen('GET', '/token')
    assert 'Authorization' in first.headers


def test_a_401_without_end(fake_tls_server, client):
    """Each token is refused: it comes to an end."""
    realm = f'Bearer realm="{fake_tls_server.url}/token"'
    fake_tls_server.on(
        'GET', '/v2/.*', lambda request: Answer(401, headers={'WWW-Authenticate': realm})
    )
    fake_tls_server.on('GET', '/token', lambda request: Answer(200, {'token': 'other'}))
    with pytest.raises(exceptions.DXFUnauthorizedError):
        client.pull_blob(sha256(b'x'))
    assert len(fake_tls_server.requests) < 10
