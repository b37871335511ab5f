"""Signatures in addresses are in no message, log, traceback or repr, whatever fails."""

import http.client
import logging
import traceback

import pytest
from requests.exceptions import RequestException

import dxf
from dxf.exceptions import DXFError

from .support import secrets
from .support.client import OCI_MANIFEST, oci_manifest
from .support.eyes import (
    HIDDEN,
    IDENTITY,
    PASSWORD,
    SIGNATURE,
    TOKEN,
    by_password,
    grants_a_token,
    inside,
    with_a_token,
)
from .support.fakeserver import Answer, FakeServer
from .support.logins import auth
from .support.plain import sha256
from .support.waiting import free_port

CONTENT = b'content'
BLOB = f'/v2/a/blobs/{sha256(CONTENT)}'

# Queries of signed addresses, as they are and as somebody may come to write them.
QUERIES = {
    'plain': 'X-Amz-Expires=60&X-Amz-Signature=f00dbabe',
    'brackets': 'file=(1)<2>&sig=f00dbabe',
    'quotes': 'file=it\'s"it"&sig=f00dbabe',
    'spaces': 'file=attachment; filename=a b&sig=f00dbabe',
    'an address': 'for=fred@example.org&back=https://a.example/?b=c&sig=f00dbabe',
    'encoded': 'file=%28%22%3F%29%0A&sig=f00dbabe',
}


@pytest.fixture
def server(fake_tls_server):
    """A registry that wants a token, and grants it."""
    return grants_a_token(fake_tls_server)


@pytest.fixture
def client(server, certificates, clock):
    with dxf.DXF(server.host, 'a', by_password, tlsverify=certificates.ca, retries=2) as made:
        yield made


def test_the_eyes_see(eyes):
    """Or else none of these tests could fail."""
    for show in (
        lambda: print(PASSWORD),
        lambda: logging.getLogger('urllib3.anything').log(1, '%s', TOKEN),
        lambda: logging.getLogger('any').warning('Basic %s', auth('fred', PASSWORD)),
    ):
        show()
        with pytest.raises(AssertionError):
            eyes.check()
        eyes.log.truncate(0)
    with pytest.raises(AssertionError):
        eyes.check(ValueError(f'?sig={SIGNATURE}'))


def test_what_succeeds(eyes, server, client):
    client.list_aliases()
    text = eyes.check(objects=inside(client))
    assert f'GET {server.url}/v2/a/tags/list: 200' in text
    assert f'GET {server.url}/token: 200' in text


def test_what_http_client_prints(eyes, server, client, monkeypatch):
    monkeypatch.setattr(http.client.HTTPConnection, 'debuglevel', 1)
    client.list_aliases()
    eyes.check()


def log_in(client, response):
    """With texts like any other: the tests' own are not shown by themselves."""
    client.authenticate('fred', str(PASSWORD), response=response)


def exchange(client, response):
    client.authenticate(identity_token=str(IDENTITY), response=response)


@pytest.mark.parametrize('auth', [log_in, exchange])
@pytest.mark.parametrize('place', ['the token service', 'the registry', 'a refusal'])
def test_what_functions_were_given(server, certificates, clock, auth, place):
    """Some show it with a traceback: pytest, and services that collect failures."""
    lost = Answer(hang_up=True)
    if place == 'a refusal':
        server.on(None, '/token', lambda request: Answer(401))
    elif place == 'the registry':
        server.on(None, '/v2/.*', with_a_token(server, lost))
    else:
        server.on(None, '/token', lambda request: lost)
    with dxf.DXF(server.host, 'a', auth, tlsverify=certificates.ca, retries=1) as client:
        with pytest.raises((RequestException, DXFError)) as e:
            client.list_aliases()
        shown = traceback.TracebackException.from_exception(e.value, capture_locals=True)
        text = ''.join(shown.format()) + repr(client._headers)
    assert 'self = ' in text
    assert not secrets.found(text, HIDDEN - {SIGNATURE})


# Where signed addresses lead

FAR = {
    '403': Answer(403, '<Error><Code>AccessDenied</Code></Error>'),
    '404': Answer(404),
    '410': Answer(410, '{"errors": [{"code": "GONE"}]}'),
    '429': Answer(429, headers={'Retry-After': '1'}),
    '500': Answer(500),
    '503': Answer(503, headers={'Retry-After': 'Thu, 01 Jan 1970 00:00:00 GMT'}),
    'a web page': Answer(200, '<html>', {'Content-Type': 'text/html'}),
    'other content': Answer(200, b'other'),
    'no content': Answer(200, CONTENT, {'Content-Encoding': 'gzip'}),
    'cut': Answer(200, CONTENT * 100, cut_after=3),
    'hung up': Answer(hang_up=True),
    'no answer': Answer(raw=b'what?\r\n\r\n'),
    'half a head': Answer(raw=b'HTTP/1.1 200 OK\r\nContent-Le'),
    'a circle': None,
}
MALFORMED = (b'HTTP/1.1 307 See\r\nContent-Length: 0\r\nno header\r\n'
             b'Location: https://a.example/?sig=f00dbabe\r\n\r\n')  # fmt: skip


@pytest.mark.parametrize('query', QUERIES)
@pytest.mark.parametrize('failure', FAR)
def test_failures_where_a_signed_address_leads(eyes, server, client, query, failure):
    place = f'{server.url}/store/1?{QUERIES[query]}'
    moved = Answer(307, headers={'Location': place})
    server.on('GET', BLOB, lambda request: moved)
    server.on('GET', '/store/.*', lambda request: FAR[failure] or moved)
    with pytest.raises(Exception) as e:
        list(client.pull_blob(sha256(CONTENT)))
    eyes.check(e.value, objects=[*inside(client), e.value.__cause__])
    assert server.seen('GET', '/store/.*')


@pytest.mark.parametrize('query', QUERIES)
@pytest.mark.parametrize(
    'place',
    [
        'http://localhost:{closed}/',
        'https://localhost:{closed}/',
        'https://{other}/',
    ],
)
def test_signed_addresses_that_lead_nowhere(
    eyes, server, client, other_certificates, query, place
):
    with FakeServer(other_certificates) as other:
        place = place.format(closed=free_port(), other=other.host)
        moved = Answer(307, headers={'Location': f'{place}store?{QUERIES[query]}'})
        server.on('GET', BLOB, lambda request: moved)
        with pytest.raises(Exception) as e:
            client.pull_blob(sha256(CONTENT))
    eyes.check(e.value, objects=inside(client))


NO_ADDRESS = [
    'http:///?',
    'https:///?',
    'https://?',
    'https://[?',
    'https://a:99999/?',
    'https://a:b/?',
    'https://*.a/?',
    'https://a b/?',
    'ftp://a/?',
    'mailto:a?',
    'https://localhost:1\xff/?',
    'x://fred:f00dbabe@a/?',
    'https://fred:f00dbabe@a:b/?',
]


def leads_to_no_address(server, kind, place):
    """What is refused when it is used: a redirect, a place to upload to or a next page."""
    if kind == 'redirect':
        server.on('GET', '/v2/a/tags/list', lambda r: Answer(307, headers={'Location': place}))
    elif kind == 'next':
        server.on('GET', '/v2/a/tags/list', lambda r: Answer(
            200, {'tags': ['a']}, {'Link': f'<{place}>; rel="next"'}))  # fmt: skip
    else:
        server.on('POST', '/v2/a/.*', lambda r: Answer(202, headers={'Location': place}))


@pytest.mark.parametrize('kind', ['redirect', 'next', 'upload'])
@pytest.mark.parametrize('place', NO_ADDRESS)
@pytest.mark.parametrize('query', ['plain', 'brackets'])
def test_what_is_no_address(eyes, server, client, kind, place, query):
    leads_to_no_address(server, kind, place + QUERIES[query])
    error = None
    try:
        if kind == 'upload':
            client.push_blob(data=CONTENT, check_exists=False)
        else:
            client.list_aliases()
    except (DXFError, RequestException) as raised:
        error = raised
    eyes.check(*[error] if error else [], objects=inside(client))


def test_an_answer_that_can_not_be_parsed(eyes, server, client):
    """Of such urllib3 shows what it did not understand."""
    server.on('GET', BLOB + '.*', lambda request: Answer(307, headers={
        'Location': f'{server.url}/store/1?sig={SIGNATURE}'}))  # fmt: skip
    server.on('GET', '/store/.*', lambda request: Answer(raw=MALFORMED))
    with pytest.raises(Exception) as e:
        list(client.pull_blob(sha256(CONTENT)))
    eyes.check(e.value)


def test_what_is_fetched_again_while_it_is_sent(eyes, server, client, fake_server):
    """One request is made in the midst of another, which has its own to keep."""
    text = oci_manifest(CONTENT)
    digest = sha256(text.encode())
    manifest = with_a_token(server, Answer(200, text, {'Content-Type': OCI_MANIFEST}))
    server.on('GET', f'/v2/a/manifests/{digest}', manifest)
    blobs = [Answer(200, CONTENT, cut_after=3), Answer(200, CONTENT)]
    server.on('GET', BLOB, lambda request: with_a_token(server, blobs.pop(0))(request))
    place = f'/v2/b/blobs/uploads/1?{QUERIES["plain"]}'
    fake_server.on('HEAD', '/v2/b/.*', lambda request: Answer(404))
    fake_server.on('POST', '/v2/b/.*', lambda request: Answer(202, headers={'Location': place}))
    fake_server.on('PUT', '/v2/b/.*', lambda request: Answer(201))
    with dxf.DXF(fake_server.host, 'b', insecure=True) as target:
        client.copy(digest, target)
    assert not blobs
    # Some versions of urllib3 write HTTP/11.
    assert 'PUT /v2/b/blobs/uploads/1?... HTTP/1' in eyes.check(objects=inside(client))
