"""What a token is asked for with: the address, the service, the scopes."""

import pytest

import dxf

from .support.mocked import REALM, SCOPE, asked, bearer, challenged


@pytest.fixture
def client():
    return dxf.DXF('registry.example', 'some/repo')


# The token's URL


@pytest.mark.parametrize(
    ('realm', 'url'),
    [
        (REALM, REALM),
        ('http://tokens.example/token', REALM),
        ('http://tokens.example:8080/token', 'https://tokens.example:8080/token'),
        ('https://tokens.example:5001/a/b/c', 'https://tokens.example:5001/a/b/c'),
        ('https://tokens.example', 'https://tokens.example'),
    ],
)
def test_it_is_always_https(mock, client, realm, url):
    mock.get(url, json={'token': 'abc'})
    assert client.authenticate(response=challenged(bearer(realm))) == 'abc'
    assert asked(mock)[0].rstrip('/') == url.rstrip('/')


@pytest.mark.parametrize(
    ('challenge', 'query'),
    [
        (bearer(), []),
        (bearer(service='reg'), [('service', 'reg')]),
        (bearer(scope=SCOPE), [('scope', SCOPE)]),
        (bearer(service='a b&c=d', scope=SCOPE), [('service', 'a b&c=d'), ('scope', SCOPE)]),
        (
            bearer(scope=f'{SCOPE} repository:other:pull'),
            [('scope', SCOPE), ('scope', 'repository:other:pull')],
        ),
        (bearer(REALM + '?a=1&b=%26x'), [('a', '1'), ('b', '&x')]),
        (
            bearer(REALM + '?a=1', service='reg', scope=SCOPE),
            [('a', '1'), ('service', 'reg'), ('scope', SCOPE)],
        ),
        (bearer(error='invalid_token', scope=SCOPE), [('scope', SCOPE)]),
    ],
)
def test_the_query(mock, client, challenge, query):
    mock.get(REALM, json={'token': 'abc'})
    client.authenticate('u', 'p', response=challenged(challenge))
    assert asked(mock) == (REALM, query)
    assert mock.calls[0].request.method == 'GET'


@pytest.mark.parametrize(
    ('auth_host', 'realm', 'url'),
    [
        ('auth.example', REALM, 'https://auth.example/token'),
        ('auth.example:444', 'http://tokens.example:80/a/b', 'https://auth.example:444/a/b'),
    ],
)
def test_auth_host(mock, auth_host, realm, url):
    client = dxf.DXF('registry.example', 'some/repo', auth_host=auth_host)
    mock.get(url, json={'token': 'abc'})
    challenge = bearer(realm + '?own=1', service='reg')
    assert client.authenticate('u', 'p', response=challenged(challenge)) == 'abc'
    assert asked(mock) == (url, [('own', '1'), ('service', 'reg')])


# Scopes


@pytest.mark.parametrize(
    ('actions', 'scope'),
    [
        (['pull'], 'repository:some/repo:pull'),
        (['pull', 'push'], 'repository:some/repo:pull,push'),
        (('push', 'pull'), 'repository:some/repo:push,pull'),
        (['*'], 'repository:some/repo:*'),
        ('pull', 'repository:some/repo:pull'),
        ('*', 'repository:some/repo:*'),
    ],
)
@pytest.mark.parametrize('offered', [{}, {'scope': 'repository:some/repo:delete'}])
def test_actions(mock, client, actions, scope, offered):
    mock.get(REALM, json={'token': 'abc'})
    client.authenticate(actions=actions, response=challenged(bearer(**offered)))
    assert asked(mock)[1] == [('scope', scope)]


@pytest.mark.parametrize('actions', [None, [], (), '', False, 0])
def test_no_actions(mock, client, actions):
    mock.get(REALM, json={'token': 'abc'})
    client.authenticate(actions=actions, response=challenged(bearer(scope=SCOPE)))
    client.authenticate(actions=actions, response=challenged(bearer()))
    assert [asked(mock, n)[1] for n in range(2)] == [[('scope', SCOPE)], []]


@pytest.mark.parametrize('actions', [None, ['pull'], '*'])
@pytest.mark.parametrize('make', ['base', 'empty', 'none', 'empty on Docker Hub'])
def test_scopes_without_a_repository(mock, actions, make):
    made = {
        'base': lambda: dxf.DXFBase('registry.example'),
        'empty': lambda: dxf.DXF('registry.example', ''),
        'none': lambda: dxf.DXF('registry.example', None),
        'empty on Docker Hub': lambda: dxf.DXF('registry-1.docker.io', ''),
    }[make]()
    mock.get(REALM, json={'token': 'abc'})
    made.authenticate(actions=actions, response=challenged(bearer(scope='other:x:y')))
    made.authenticate(actions=actions, response=challenged(bearer()))
    assert [asked(mock, n)[1] for n in range(2)] == [
        [('scope', 'other:x:y')],
        [('scope', 'registry:catalog:*')],
    ]


@pytest.mark.parametrize('host', ['docker.io', 'registry-1.docker.io'])
def test_scopes_on_docker_hub(mock, host):
    mock.get(REALM, json={'token': 'abc'})
    client = dxf.DXF(host, 'busybox')
    client.authenticate(actions='pull', response=challenged(bearer()))
    assert asked(mock)[1] == [('scope', 'repository:library/busybox:pull')]
