"""`docker_auth`: a Python program logs in as its user has with docker or podman."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

import dxf
from dxf import exceptions

from .support import secrets
from .support.client import client_for
from .support.fakeserver import Answer
from .support.granting import GrantingRegistry
from .support.logins import Person, auth, entry

PASSWORD = secrets.PASSWORD
BASIC = 'Basic ' + auth('fred', PASSWORD)
IDENTITY = 'identity-token-of-fred'
REGISTRY_TOKEN = 'registry-token-of-fred'
secrets.keep(IDENTITY, REGISTRY_TOKEN)


@pytest.fixture
def person(tmp_path, monkeypatch):
    """The user who runs the program."""
    made = Person(tmp_path)
    for name in ('DOCKER_AUTH_CONFIG', 'XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME'):
        monkeypatch.delenv(name, raising=False)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def registry(certificates):
    with GrantingRegistry(certificates) as server:
        yield server


@pytest.fixture
def client(registry, certificates):
    with dxf.DXF(registry.host, 'a', dxf.docker_auth, tlsverify=certificates.ca) as made:
        yield made


def sent(server, path):
    return [request.headers.get('Authorization') for request in server.seen(None, path)]


def test_a_password(person, registry, client):
    person.docker({'auths': {registry.host: entry('fred', PASSWORD)}})
    assert client.list_aliases() == ['a']
    assert sent(registry, '/token') == [BASIC]
    assert sent(registry, '/v2/.*') == [None, 'Bearer granted-token-0']


def test_a_password_where_that_is_what_the_registry_wants(person, fake_tls_server, certificates):
    person.podman({'auths': {fake_tls_server.host: entry('fred', PASSWORD)}})

    def answer(request):
        if request.headers.get('Authorization') == BASIC:
            return Answer(200, {'tags': ['there']})
        return Answer(401, headers={'WWW-Authenticate': 'Basic realm="r"'})

    fake_tls_server.on(None, '.*', answer)
    with dxf.DXF(fake_tls_server.host, 'a', dxf.docker_auth, tlsverify=certificates.ca) as made:
        assert made.list_aliases() == ['there']


def test_a_helper(person, registry, client):
    person.docker({'credsStore': 'keeper'})
    person.helper('keeper', [registry.host], 'fred', PASSWORD)
    assert client.list_aliases() == ['a']
    assert sent(registry, '/token') == [BASIC]
    assert person.asked('keeper') == [f'get {registry.host}']


@pytest.mark.parametrize('place', ['file', 'helper'])
def test_an_identity_token(person, registry, client, place):
    if place == 'file':
        person.docker({'auths': {registry.host: {'identitytoken': IDENTITY}}})
    else:
        person.docker({'credHelpers': {registry.host: 'keeper'}})
        person.helper('keeper', [registry.host], '<token>', IDENTITY)
    assert client.list_aliases() == ['a']
    (asked,) = registry.seen(None, '/token')
    assert asked.method == 'POST'
    assert 'Authorization' not in asked.headers
    assert {name: values[0] for name, values in asked.form.items()} == {
        'grant_type': 'refresh_token',
        'refresh_token': IDENTITY,
        'client_id': 'python-dxf',
        'service': 's',
        'scope': 'repository:a:pull',
    }


def test_a_registry_token(person, registry, client):
    """It is for the registry itself, and nobody else is asked."""
    person.docker({'auths': {registry.host: {'registrytoken': REGISTRY_TOKEN}}})
    registry.valid[REGISTRY_TOKEN] = ['repository:a:pull']
    assert client.list_aliases() == ['a']
    assert registry.asked == []
    with pytest.raises(exceptions.DXFUnauthorizedError):
        client.push_blob(data=b'x', check_exists=False)


@pytest.mark.parametrize('config', [None, {}, {'auths': {'other.example': entry('u', 'p')}}])
def test_nothing(person, registry, client, config):
    if config is not None:
        person.docker(config)
    assert client.list_aliases() == ['a']
    assert sent(registry, '/token') == [None]


def test_a_helper_that_fails(person, registry, client):
    person.docker({'credsStore': 'gone'})
    with pytest.raises(exceptions.DXFCredentialsError, match='docker-credential-gone'):
        client.list_aliases()
    assert registry.asked == []


def test_nobody_is_asked_before_the_registry_asks(person, fake_tls_server, certificates):
    """Who may read without a password is not asked to unlock his keys for it."""
    fake_tls_server.on(None, '.*', lambda request: Answer(200, {'tags': ['free']}))
    person.docker({'credsStore': 'keeper'})
    person.helper('keeper', [fake_tls_server.host], 'fred', PASSWORD)
    with dxf.DXF(fake_tls_server.host, 'a', dxf.docker_auth, tlsverify=certificates.ca) as made:
        assert made.list_aliases() == ['free']
    assert sent(fake_tls_server, '.*') == [None]
    assert person.asked('keeper') == []


def test_what_is_kept_for_a_repository_alone(person, registry, certificates):
    """Podman's way; repositories of one base log in each as they should."""
    person.podman({'auths': {
        f'{registry.host}/a': entry('fred', PASSWORD),
        registry.host: entry('wilma', PASSWORD),
    }})  # fmt: skip
    with dxf.DXFBase(registry.host, dxf.docker_auth, tlsverify=certificates.ca) as base:
        for name in ('a', 'b', 'a', 'b'):
            dxf.DXF.from_base(base, name).list_aliases()
    assert sent(registry, '/token') == [BASIC, 'Basic ' + auth('wilma', PASSWORD)]


# Over http

LOGINS = {
    'password': lambda host: {'auths': {host: entry('fred', PASSWORD)}},
    'identity token': lambda host: {'auths': {host: {'identitytoken': IDENTITY}}},
    'registry token': lambda host: {'auths': {host: {'registrytoken': REGISTRY_TOKEN}}},
    'helper': lambda host: {'credsStore': 'keeper'},
}


@pytest.mark.parametrize('challenge', ['Basic realm="r"', 'Bearer realm="http://{host}/token"'])
@pytest.mark.parametrize('login', LOGINS)
def test_nothing_goes_over_http(person, fake_server, login, challenge):
    challenge = challenge.format(host=fake_server.host)
    fake_server.on(None, '.*', lambda r: Answer(401, headers={'WWW-Authenticate': challenge}))
    person.docker(LOGINS[login](fake_server.host))
    person.helper('keeper', [fake_server.host], 'fred', PASSWORD)
    client = dxf.DXF(fake_server.host, 'a', dxf.docker_auth, insecure=True)
    with pytest.raises(exceptions.DXFAuthInsecureError):
        client.list_aliases()
    assert sent(fake_server, '.*') == [None]
    assert client.token is None


@pytest.mark.parametrize('login', LOGINS)
def test_unless_it_is_told_to_on_the_loopback(person, fake_server, login):
    fake_server.on(None, '/v2/.*', lambda request: (
        Answer(200, {'tags': ['there']}) if request.headers.get('Authorization') in (
            'Bearer granted', f'Bearer {REGISTRY_TOKEN}')
        else Answer(401, headers={
            'WWW-Authenticate': f'Bearer realm="{fake_server.url}/token"'})))  # fmt: skip
    fake_server.on(None, '/token', lambda request: Answer(200, {'token': 'granted'}))
    person.docker(LOGINS[login](fake_server.host))
    person.helper('keeper', [fake_server.host], 'fred', PASSWORD)
    with dxf.DXF(fake_server.host, 'a', dxf.docker_auth, True, insecure_auth=True) as client:
        assert client.list_aliases() == ['there']


# Docker Hub


HUB = 'https://registry-1.docker.io/v2/'
HUB_TOKENS = 'https://auth.docker.io/token'


@pytest.fixture
def hub():
    """It, as far as logging in goes; `calls` lists what it was asked."""
    scope = 'repository:library/busybox:pull'
    header = f'Bearer realm="{HUB_TOKENS}",service="registry.docker.io",scope="{scope}"'
    with responses.RequestsMock() as mock:
        mock.get(HUB, status=401, headers={'WWW-Authenticate': header})
        mock.get(HUB_TOKENS, json={'token': 'granted'})
        yield mock


def assert_logged_in(hub):
    asked = hub.calls[-1].request
    assert asked.url.startswith(HUB_TOKENS)
    assert parse_qs(urlsplit(asked.url).query) == {
        'service': ['registry.docker.io'],
        'scope': ['repository:library/busybox:pull'],
    }
    assert asked.headers['Authorization'] == BASIC


def test_what_another_library_has_found(hub):
    """How programs have logged in to Docker Hub with what docker had stored."""
    client = dxf.DXF('index.docker.io', 'busybox')
    assert client.authenticate(authorization=BASIC, actions=['pull']) == 'granted'
    assert_logged_in(hub)


@pytest.mark.parametrize(
    'host', ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'Docker.IO']
)
def test_what_docker_has_stored_for_docker_hub(person, hub, host):
    person.docker({'auths': {'https://index.docker.io/v1/': entry('fred', PASSWORD)}})
    client = dxf.DXF(host, 'busybox')
    dxf.docker_auth(client, client._send('get', HUB, {}, HUB))
    assert client.token == 'granted'
    assert_logged_in(hub)


# On real registries


@pytest.mark.parametrize('kind', ['htpasswd', 'token'])
@pytest.mark.parametrize('place', ['docker', 'podman', 'variable', 'helper'])
def test_a_real_registry(request, monkeypatch, person, kind, place):
    flavour = request.getfixturevalue(f'registry_{kind}')
    config = {'auths': {flavour.host: entry(flavour.username, flavour.password)}}
    if place == 'variable':
        monkeypatch.setenv('DOCKER_AUTH_CONFIG', json.dumps(config))
    elif place == 'helper':
        person.docker({'credHelpers': {flavour.host: 'keeper'}})
        person.helper('keeper', [flavour.host], flavour.username, flavour.password)
    else:
        getattr(person, place)(config)
    with client_for(flavour, flavour.new_repo(), auth=dxf.docker_auth) as client:
        digest = client.push_blob(data=b'as docker is logged in')
        assert b''.join(client.pull_blob(digest)) == b'as docker is logged in'
