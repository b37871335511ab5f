"""The whole of what people do, on each registry, in each way of getting at it."""

import contextlib
import itertools
import warnings

import pytest
import requests

import dxf
from dxf import exceptions

from .support.plain import PlainClient, sha256

# How a client comes to trust the registry's certificate, or not to care.
TRUST = ('argument', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'unverified')

COMBINATIONS = [
    ('http', 'password', 'argument'),
    *itertools.product(('htpasswd', 'token'), ('password', 'authorization'), TRUST),
]


def trusting(monkeypatch, flavour, trust, settings):
    """Settings changed so that the certificate is trusted in this way."""
    if flavour.ca and trust == 'unverified':
        settings['tlsverify'] = False
    elif flavour.ca and trust != 'argument':
        settings['tlsverify'] = True
        monkeypatch.setenv(trust, flavour.ca)
    return settings


@contextlib.contextmanager
def made_as(how, host, repo, settings):
    if how == 'direct':
        yield dxf.DXF(host, repo, **settings)
    else:
        with dxf.DXFBase(host, **settings) as base:
            yield dxf.DXF.from_base(base, repo)


def use(client, plain):
    """One of everything."""
    digest = client.push_blob(data=b'some content')
    assert digest == sha256(b'some content')
    assert plain.get_blob(digest).content == b'some content'
    assert b''.join(client.pull_blob(digest)) == b'some content'
    assert client.blob_size(digest) == 12
    text = client.set_alias('latest', digest)
    assert plain.get_manifest('latest').text == text
    assert client.get_manifest('latest') == text
    assert client.get_alias('latest', sizes=True) == [(digest, 12)]
    assert client.get_digest('latest') == digest
    assert client.head_manifest_and_response('latest')[0] == sha256(text.encode())
    assert client.list_aliases() == ['latest']
    assert plain.repo in client.list_repos()
    assert client.api_version_check()[1].status_code == 200
    other = dxf.DXF.from_base(client, plain.repo + '/other')
    assert other.mount_blob(plain.repo, digest) == digest
    assert other.blob_size(digest) == 12
    assert client.del_alias('latest') == [digest]
    assert client.list_aliases() == []
    assert client.del_blob(digest) is None
    assert not plain.has_blob(digest)


@pytest.mark.parametrize('inside', [True, False], ids=['inside', 'outside'])
@pytest.mark.parametrize('how', ['direct', 'from_base'])
@pytest.mark.parametrize(('name', 'by', 'trust'), COMBINATIONS)
def test_all_of_it(request, monkeypatch, name, by, trust, how, inside):
    flavour = request.getfixturevalue(f'registry_{name}')
    settings = trusting(monkeypatch, flavour, trust, flavour.settings(by=by))
    repo = flavour.new_repo()
    with warnings.catch_warnings(), PlainClient(flavour, repo) as plain:
        warnings.simplefilter('error')
        with made_as(how, flavour.host, repo, settings) as client:
            with client if inside else contextlib.nullcontext():
                use(client, plain)


def test_objects_of_one_base_work_beside_each_other(registry):
    """A registry browser's way: one base, many repositories."""
    names = [registry.new_repo() for _ in range(3)]
    with dxf.DXFBase(registry.host, **registry.settings()) as base:
        clients = [dxf.DXF.from_base(base, name) for name in names]
        for client, name in zip(clients, names):
            client.set_alias('a', client.push_blob(data=name))
        assert set(names) <= set(base.list_repos())
        for client, name in zip(clients, names):
            (digest,) = client.get_alias('a')
            assert b''.join(client.pull_blob(digest)).decode() == name


@pytest.mark.parametrize('by', ['password', 'authorization'])
def test_authenticating_beforehand(registry, repo, by):
    """Without an `auth`: the credentials that authenticate leaves are used."""
    settings = registry.settings()
    del settings['auth']
    given = (
        {'username': registry.username, 'password': registry.password}
        if by == 'password'
        else {'authorization': registry.authorization}
    )
    with dxf.DXFBase(registry.host, **settings) as base:
        client = dxf.DXF.from_base(base, repo)
        token = client.authenticate(actions=['pull', 'push'], **given)
        assert client.token == token
        assert bool(token) == (registry.name == 'token')
        # A copy each: the base has no part in the child's token.
        assert base.token is None
        digest = client.push_blob(data=b'by hand')
        assert b''.join(client.pull_blob(digest)) == b'by hand'


@pytest.mark.parametrize('actions', [['pull'], 'pull'])
def test_a_token_is_for_the_actions_it_was_asked_for(registry_token, actions):
    repo = registry_token.new_repo()
    with PlainClient(registry_token, repo) as plain:
        digest = plain.push_blob(b'there')
    registry_token.token_service.clear()
    settings = {**registry_token.settings(), 'auth': None}
    with dxf.DXF(registry_token.host, repo, **settings) as client:
        client.authenticate(registry_token.username, registry_token.password, actions)
        assert client.blob_size(digest) == 5
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.push_blob(data=b'not allowed')
    assert registry_token.token_service.granted == [
        [{'type': 'repository', 'name': repo, 'actions': ['pull']}]
    ]


def test_a_token_given_by_hand(registry_token):
    repo = registry_token.new_repo()
    access = [{'type': 'repository', 'name': repo, 'actions': ['pull', 'push']}]
    with dxf.DXF(registry_token.host, repo, tlsverify=registry_token.ca) as client:
        client.token = registry_token.token_service.sign(access)
        client.push_blob(data=b'hello')
    assert registry_token.token_service.requests == []


def test_one_token_serves_many_requests(registry_token):
    """Each scope is asked for once, not with each request."""
    with dxf.DXF(registry_token.host, registry_token.new_repo(),
                 **registry_token.settings(actions=['pull', 'push'])) as client:  # fmt: skip
        for i in range(5):
            client.push_blob(data=f'blob {i}')
    assert len(registry_token.token_service.requests) == 1


def test_expired_tokens_are_renewed(registry_token):
    repo = registry_token.new_repo()
    with dxf.DXF(registry_token.host, repo, **registry_token.settings()) as client:
        client.token = registry_token.token_service.sign(lifetime=-3600)
        digest = client.push_blob(data=b'renewed')
        assert client.blob_size(digest) == 7


def test_without_auth_nothing_is_looked_for(request):
    for name in ('htpasswd', 'token'):
        flavour = request.getfixturevalue(f'registry_{name}')
        with dxf.DXF(flavour.host, flavour.new_repo(), tlsverify=flavour.ca) as client:
            for use_it in (
                lambda: client.push_blob(data=b'x'),
                lambda: client.pull_blob(sha256(b'x')),
                lambda: client.blob_size(sha256(b'x')),
                lambda: client.get_alias('latest'),
                client.list_aliases,
                client.list_repos,
                client.api_version_check,
            ):
                with pytest.raises(exceptions.DXFUnauthorizedError):
                    use_it()


@pytest.mark.parametrize('name', ['htpasswd', 'token'])
def test_a_wrong_password(request, name):
    flavour = request.getfixturevalue(f'registry_{name}')

    def auth(client, response):
        client.authenticate(flavour.username, 'wrong', response=response)

    settings = {**flavour.settings(), 'auth': auth}
    with dxf.DXF(flavour.host, flavour.new_repo(), **settings) as client:
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.push_blob(data=b'x')


def test_strangers_pull_where_they_may(registry_token):
    repo = registry_token.new_repo()
    with PlainClient(registry_token, repo) as plain:
        digest = plain.push_blob(b'public')

    def auth(client, response):
        client.authenticate(response=response)

    registry_token.token_service.clear()
    registry_token.token_service.anonymous_actions = {'pull'}
    settings = {**registry_token.settings(), 'auth': auth}
    with dxf.DXF(registry_token.host, repo, **settings) as client:
        assert b''.join(client.pull_blob(digest)) == b'public'
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.push_blob(data=b'not public')
    asked = registry_token.token_service.requests
    assert asked
    assert not any('Authorization' in request.headers for request in asked)


def test_failures_are_requests_own_errors_with_the_registrys_words(registry, repo):
    with dxf.DXF(registry.host, repo, **registry.settings()) as client:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.get_manifest('latest')
    assert e.value.response.status_code == 404
    assert 'MANIFEST_UNKNOWN' in str(e.value)
    assert 'manifest unknown' in str(e.value)
    assert 'Not Found' in str(e.value)
    assert '\n' not in str(e.value)
