"""Tokens: kept by what they are for, shared by whom they may serve, renewed before they end."""

import base64
import io

import pytest
import requests

import dxf
from dxf import exceptions
from dxf.tokens import DEFAULT_LIFETIME, Grant, Tokens

from .support import secrets
from .support.clock import Clock
from .support.fakeserver import Answer
from .support.granting import GrantingRegistry
from .support.plain import sha256

USER, PASSWORD = 'fred', secrets.PASSWORD

LONG = 2 * 1024 * 1024


@pytest.fixture
def registry(certificates):
    with GrantingRegistry(certificates) as server:
        yield server


@pytest.fixture
def time(monkeypatch):
    """Time that passes when it is told to, for tokens alone."""
    clock = Clock()
    monkeypatch.setattr('dxf.tokens.time', clock)
    return clock


def auth(client, response):
    client.authenticate(USER, PASSWORD, response=response)


@pytest.fixture
def base(registry, certificates):
    with dxf.DXFBase(registry.host, auth, tlsverify=certificates.ca) as made:
        yield made


@pytest.fixture
def client(base):
    return dxf.DXF.from_base(base, 'a')


# What is kept


def grant(scope='a'):
    return Grant(f'https://t/token?scope={scope}', None, (), 'agent')


def test_a_token_is_kept_for_what_it_was_granted_for(time):
    tokens = Tokens()
    tokens.keep(grant(), 'abc', 100)
    assert tokens.get(grant(), ()) == 'abc'
    for other in (
        grant('b'),
        grant()._replace(authorization='Basic x'),
        grant()._replace(form=(('a', 'b'),)),
        grant()._replace(user_agent='b'),
    ):
        assert tokens.get(other, ()) is None


@pytest.mark.parametrize('how', ['url', 'form'])
def test_scopes_are_the_same_in_any_order(time, how):
    """Registries have named them in one and in the other, to the same request."""
    scopes = [
        'repository:a:pull,push repository:b:pull',
        'repository:b:pull repository:a:push,pull',
    ]
    if how == 'form':
        one, other = (
            grant()._replace(form=(('scope', scope), ('service', 's'))) for scope in scopes
        )
    else:
        one, other = (grant('&scope='.join(scope.split()) + '&service=s') for scope in scopes)
    tokens = Tokens()
    tokens.keep(one, 'abc', 100)
    assert tokens.get(other, ()) == 'abc'
    time.now += 100
    # It is asked for as it was.
    assert tokens.ended('abc') is one
    assert tokens.get(grant('repository:a:pull'), ()) is None


def test_the_one_that_was_refused_is_not_given_again(time):
    tokens = Tokens()
    tokens.keep(grant(), 'abc', 100)
    assert tokens.get(grant(), ('abc',)) is None
    assert tokens.get(grant(), ('def', 'abc')) is None
    assert tokens.get(grant(), ('def', None)) == 'abc'


@pytest.mark.parametrize(('passed', 'kept'), [(0, True), (89, True), (90, False), (100, False)])
def test_a_token_counts_as_ended_a_little_before(time, passed, kept):
    tokens = Tokens()
    tokens.keep(grant(), 'abc', 100)
    time.now += passed
    assert (tokens.get(grant(), ()) == 'abc') == kept
    assert (tokens.ended('abc', early=True) is None) == kept
    assert (tokens.ended('abc') is None) == (passed < 100)
    for early in (True, False):
        assert tokens.ended('def', early) is None
        assert tokens.ended(None, early) is None


def test_the_oldest_go(time, monkeypatch):
    monkeypatch.setattr('dxf.tokens._MOST', 3)
    tokens = Tokens()
    for name in 'abcad':
        tokens.keep(grant(name), name.upper(), 100)
    assert [tokens.get(grant(name), ()) for name in 'abcd'] == ['A', None, 'C', 'D']
    time.now += 100
    assert [tokens.ended(name) is not None for name in 'ABCD'] == [True, False, True, True]


def test_nothing_secret_is_in_a_grant_s_words(time):
    asked = Grant(
        'https://t/token?x=hunter2', 'Basic hunter2', (('refresh_token', 'hunter2'),), ''
    )
    tokens = Tokens()
    tokens.keep(asked, 'hunter2', 100)
    assert 'hunter2' not in repr(asked) + str(asked) + repr(tokens) + repr(tokens._held)


# How many are asked for


def test_each_scope_is_asked_for_once(registry, client):
    for i in range(10):
        client.list_aliases()
        client.push_blob(data=b'x', check_exists=bool(i % 2))
    assert registry.asked == ['repository:a:pull', 'repository:a:pull,push']


def test_objects_made_anew_at_every_turn_share_what_was_granted(registry, base):
    for _ in range(5):
        for name in ('a', 'b'):
            dxf.DXF.from_base(base, name).list_aliases()
    assert sorted(registry.asked) == ['repository:a:pull', 'repository:b:pull']


def test_a_base_shows_no_token_of_its_children(registry, base):
    child = dxf.DXF.from_base(base, 'a')
    child.list_aliases()
    assert child.token == 'granted-token-0'
    assert base.token is None
    assert dxf.DXF.from_base(base, 'a').token is None


def test_objects_with_connections_of_their_own_share_nothing(registry, certificates):
    for _ in range(3):
        with dxf.DXF(registry.host, 'a', auth, tlsverify=certificates.ca) as client:
            client.list_aliases()
    assert registry.asked == ['repository:a:pull'] * 3


def test_one_is_not_given_to_somebody_else(registry, certificates):
    """What was granted to one user is not what another one is answered with."""
    users = ['fred', 'wilma', None]

    def as_user(client, response):
        client.authenticate(client.user, PASSWORD, response=response)

    with dxf.DXFBase(registry.host, as_user, tlsverify=certificates.ca) as base:
        for user in users * 2:
            client = dxf.DXF.from_base(base, 'a')
            client.user = user
            client.list_aliases()
    sent = [r.headers.get('Authorization') for r in registry.seen('GET', '/token')]
    assert sent == [
        'Basic ' + base64.b64encode(f'{user}:{PASSWORD}'.encode()).decode() if user else None
        for user in users
    ]


def test_asking_beforehand_asks_anew(registry, client):
    """Whoever calls `authenticate` himself without an answer wants a token, not one of before."""
    registry.on(
        'GET',
        '/v2/',
        lambda r: Answer(
            401, headers={'WWW-Authenticate': f'Bearer realm="{registry.url}/token"'}
        ),
    )
    tokens = [client.authenticate(USER, PASSWORD, 'pull') for _ in range(2)]
    assert tokens == ['granted-token-0', 'granted-token-1']


# When they end


@pytest.mark.parametrize('expires_in', [1, 60, 300, None, 'soon'])
def test_one_is_renewed_before_a_long_request(registry, client, time, expires_in):
    """The body is sent once, and no token of before goes with it."""
    registry.expires_in = expires_in
    client.push_blob(data=b'x', check_exists=False)
    assert registry.refused
    del registry.refused[:]
    client.push_blob(data=bytes(LONG), check_exists=False)
    assert registry.asked == ['repository:a:pull,push']
    time.now += expires_in if isinstance(expires_in, int) else DEFAULT_LIFETIME
    client.push_blob(data=bytes(LONG), check_exists=False)
    assert registry.asked == ['repository:a:pull,push'] * 2
    assert registry.refused == []
    puts = registry.seen('PUT')
    assert [put.length for put in puts] == [1, LONG, LONG]
    assert [put.headers['Authorization'] for put in puts] == [
        'Bearer granted-token-0',
        'Bearer granted-token-0',
        'Bearer granted-token-1',
    ]


def test_one_is_renewed_before_a_short_request_too(registry, client, time):
    """But not early: it may go out up to the end."""
    client.list_aliases()
    for turn in range(1, 4):
        time.now += 299
        client.list_aliases()
        assert registry.asked == ['repository:a:pull'] * turn
        time.now += 1
        client.list_aliases()
        assert registry.asked == ['repository:a:pull'] * (turn + 1)
    assert len(registry.refused) == 1


def test_objects_that_were_granted_the_same_renew_it_once(registry, base, time):
    used = [dxf.DXF.from_base(base, 'a') for _ in range(3)]
    for turn in (1, 2):
        for client in used:
            client.list_aliases()
        assert registry.asked == ['repository:a:pull'] * turn
        assert len({client.token for client in used}) == 1
        time.now += 300
    assert len(registry.refused) == len(used)


@pytest.mark.parametrize('status', [401, 400, 403])
def test_credentials_that_are_good_no_more(registry, base, time, status):
    """Who is asked when the registry refuses may know others."""
    passwords = iter(['old', 'new'])
    client = dxf.DXF.from_base(base, 'a')
    client._auth = lambda made, response: made.authenticate(
        USER, next(passwords), response=response
    )
    client.list_aliases()
    old = registry.requests[1].headers['Authorization']
    registry.on('GET', '/token', lambda request: (
        Answer(status) if request.headers['Authorization'] == old else registry.grant(request)
    ))  # fmt: skip
    registry.valid.clear()
    time.now += 300
    assert client.list_aliases() == ['a']
    assert len(registry.asked) == 3
    assert len(registry.refused) == 2


def test_a_token_service_that_is_down_is_not_asked_twice(registry, base, time):
    client = dxf.DXF.from_base(base, 'a')
    client._retries = client._retries._replace(total=0)
    client.list_aliases()
    registry.on('GET', '/token', lambda request: Answer(503))
    time.now += 300
    registry.clear()
    with pytest.raises(requests.exceptions.HTTPError, match='503'):
        client.list_aliases()
    assert [request.path for request in registry.requests] == ['/token']


def test_a_login_that_a_service_replaces(registry, base, time):
    """Some are good for once: the service gives another one with each token."""
    good = ['identity-0']

    def exchange(request):
        if request.form['refresh_token'] != good[-1:]:
            return Answer(400, {'error': 'invalid_grant'})
        answer = registry.grant(request)
        good.append(f'identity-{len(good)}')
        answer.body['refresh_token'] = good[-1]
        return answer

    def by_identity(client, response):
        client.authenticate(identity_token='identity-0', response=response)

    registry.on('POST', '/token', exchange)
    one, other = (dxf.DXF.from_base(base, name) for name in 'ab')
    one._auth = other._auth = by_identity
    for _ in range(3):
        for client in (one, other):
            client.list_aliases()
        time.now += 300
    assert len(good) == 7
    assert len(registry.refused) == 2


def test_a_caller_s_own_token_is_not_renewed_unasked(registry, client, time):
    registry.valid['mine'] = ['repository:a:pull,push']
    client.token = 'mine'
    time.now += 10**9
    client.push_blob(data=bytes(LONG))
    assert registry.asked == []


def test_a_body_is_read_again_from_its_start(registry, client):
    """The clock of the registry is another one: it refuses what should be good for long."""
    content = bytes(range(256)) * (LONG // 256)

    def forget(request):
        registry.valid.clear()
        return registry.serve(request)

    registry.on('PUT', '/v2/.*', [forget])
    assert client.push_blob(data=io.BytesIO(content), check_exists=False) == sha256(content)
    assert [put.body == content for put in registry.seen('PUT')] == [True] * 2
    assert [r.method for r in registry.refused] == ['POST', 'PUT']
    assert registry.asked == ['repository:a:pull,push'] * 2


# Several challenges, and none that was not asked


@pytest.mark.parametrize(
    'challenges',
    [
        'Basic realm="r", Bearer realm="{url}/token",scope="{scope}"',
        'Bearer realm="{url}/token",scope="{scope}", Basic realm="r"',
        'Negotiate, Digest realm="r", Basic realm="r", Bearer realm="{url}/token",scope="{scope}"',
    ],
)
def test_the_strongest_challenge_is_met(registry, client, challenges):
    """The registry itself sees no password."""
    registry.challenge = challenges
    assert client.list_aliases() == ['a']
    assert {r.headers.get('Authorization') for r in registry.seen('GET', '/v2/.*')} == {
        None,
        'Bearer granted-token-0',
    }


def test_basic_where_a_bearer_can_not_be_met(registry, client):
    registry.challenge = 'Bearer, Basic realm="r"'
    with pytest.raises(exceptions.DXFUnauthorizedError):
        client.list_aliases()
    assert registry.requests[-1].headers['Authorization'].startswith('Basic ')


@pytest.mark.parametrize('given', [{'auth': auth}, {}])
def test_who_is_not_asked_gives_no_password(fake_tls_server, certificates, given):
    fake_tls_server.on(None, '/v2/.*', lambda request: Answer(200, {'tags': ['a']}))
    with dxf.DXF(fake_tls_server.host, 'a', tlsverify=certificates.ca, **given) as client:
        client.list_aliases()
        client.blob_size(sha256(b'x'))
        client.api_version_check()
        assert client.authenticate(USER, PASSWORD) is None
    assert all('Authorization' not in r.headers for r in fake_tls_server.requests)
