"""Credentials on the command line: which go before which, and what docker and podman keep."""

import base64
import errno
import json

import pytest

import dxf.credentials

from .support import secrets
from .support.complaints import complaint, run_main
from .support.granting import GrantingRegistry
from .support.logins import Person, auth, entry
from .support.shell import run_doit, run_process

PASSWORD = secrets.PASSWORD


@pytest.fixture
def person(tmp_path):
    return Person(tmp_path)


@pytest.fixture
def registry(certificates):
    with GrantingRegistry(certificates) as server:
        yield server


@pytest.fixture
def environ(registry, certificates, person):
    """Where the registry is, and who the user is."""
    return {'DXF_HOST': registry.host, 'DXF_TLSVERIFY': certificates.ca, **person.environ}


def basic(username):
    return 'Basic ' + auth(username, PASSWORD)


def shown(registry):
    """What credentials the token service was shown, or else the registry."""
    asked = registry.seen(None, '/token')
    if not asked:
        return registry.requests[0].headers.get('Authorization')
    return asked[0].headers.get('Authorization')


# From first to last: name -> the variables, and what is shown where they count.
WAYS = {
    'token': ({'DXF_TOKEN': 'mine'}, 'Bearer mine'),
    'password': (
        {'DXF_USERNAME': 'by-password', 'DXF_PASSWORD': PASSWORD},
        basic('by-password'),
    ),
    'authorization': ({'DXF_AUTHORIZATION': basic('by-header')}, basic('by-header')),
    'docker': (
        {
            'DOCKER_AUTH_CONFIG': '{"auths": {"{host}": {"auth": "'
            + auth('by-docker', PASSWORD)
            + '"}}}'
        },
        basic('by-docker'),
    ),
    'nothing': ({}, None),
}
NAMES = list(WAYS)


@pytest.mark.parametrize('first', NAMES)
def test_the_order(run, registry, environ, first):
    """Of those that are set the first counts."""
    registry.valid['mine'] = ['repository:a:pull']
    for name in NAMES[NAMES.index(first) :]:
        environ.update(
            {
                variable: value.replace('{host}', registry.host)
                for variable, value in WAYS[name][0].items()
            }
        )
    assert run('list-aliases', 'a', environ=environ) == (0, b'a\n', b'')
    assert shown(registry) == WAYS[first][1]


@pytest.mark.parametrize('half', ['DXF_USERNAME', 'DXF_PASSWORD'])
@pytest.mark.parametrize('then', ['authorization', 'docker'])
def test_half_a_login_is_none(registry, environ, half, then):
    variables, expected = WAYS[then]
    environ.update({k: v.replace('{host}', registry.host) for k, v in variables.items()})
    environ[half] = 'x'
    assert run_doit('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) == expected


def test_a_token_that_is_refused_gives_way_to_the_next(registry, environ):
    environ.update(WAYS['token'][0])
    environ.update(WAYS['password'][0])
    assert run_doit('list-aliases', 'a', environ=environ).code == 0
    assert registry.requests[0].headers['Authorization'] == 'Bearer mine'
    assert shown(registry) == basic('by-password')


# A password in a file


@pytest.mark.parametrize('end', ['', '\n', '\r\n'])
def test_a_password_in_a_file(run, registry, environ, person, end):
    path = person.write('secret', ('p:ässwörd ' + end).encode())
    environ.update({'DXF_USERNAME': 'fred', 'DXF_PASSWORD_FILE': path})
    assert run('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) == 'Basic ' + auth('fred', 'p:ässwörd ')


def test_a_mark_of_the_file_s_encoding_is_no_part_of_it(registry, environ, person):
    path = person.write('secret', 'pässwörd\n'.encode('utf-8-sig'))
    environ.update({'DXF_USERNAME': 'fred', 'DXF_PASSWORD_FILE': path})
    assert run_doit('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) == 'Basic ' + auth('fred', 'pässwörd')


def test_a_password_wins_over_a_file(registry, environ, person):
    environ.update(WAYS['password'][0])
    environ['DXF_PASSWORD_FILE'] = person.write('secret', b'another')
    assert run_doit('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) == basic('by-password')


def test_an_empty_file_is_no_password(registry, environ, person):
    environ.update({'DXF_USERNAME': 'u', 'DXF_PASSWORD_FILE': person.write('secret', b'\n')})
    assert run_doit('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) is None


@pytest.mark.parametrize('content', [None, b'caf\xe9-secret'])
def test_a_file_that_can_not_be_read(registry, environ, person, content):
    path = str(person.folder / 'secret')
    if content is not None:
        person.write('secret', content)
    environ.update({'DXF_USERNAME': 'fred', 'DXF_PASSWORD_FILE': path})
    said = complaint(run_main('list-aliases', 'a', environ=environ))
    assert path in said
    assert 'caf' not in said
    assert '0xe9' not in said
    assert registry.requests == []


@pytest.mark.parametrize(
    'name', ['DXF_TOKEN', 'DXF_AUTHORIZATION', 'DXF_USERNAME', 'DXF_PASSWORD']
)
@pytest.mark.parametrize('character', ['\n', '\r', '\0', '€', '\udcff'])
def test_what_can_not_be_sent_is_not_cited(environ, name, character):
    environ.update({'DXF_USERNAME': 'u', 'DXF_PASSWORD': 'p', name: 'hunter2' + character})
    result = run_main('list-aliases', 'a', environ=environ)
    if name in ('DXF_USERNAME', 'DXF_PASSWORD') and character != '\udcff':
        # Any text may be in a password.
        assert result.code == 0
        return
    said = complaint(result)
    assert name in said
    assert 'hunter2' not in said


# Docker's and podman's


@pytest.mark.parametrize('place', ['docker', 'podman'])
def test_files_at_home(run, registry, environ, person, place):
    getattr(person, place)({'auths': {registry.host: entry('fred', PASSWORD)}})
    assert run('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) == basic('fred')


@pytest.mark.parametrize('variable', ['DOCKER_CONFIG', 'REGISTRY_AUTH_FILE', 'XDG_RUNTIME_DIR'])
def test_files_elsewhere(run, registry, environ, person, variable):
    path = person.write(
        {
            'DOCKER_CONFIG': 'there/config.json',
            'REGISTRY_AUTH_FILE': 'there/any.json',
            'XDG_RUNTIME_DIR': 'there/containers/auth.json',
        }[variable],
        {'auths': {registry.host: entry('fred', PASSWORD)}},
    )
    environ[variable] = path if variable == 'REGISTRY_AUTH_FILE' else str(person.folder / 'there')
    assert run('list-aliases', 'a', environ=environ).code == 0
    assert shown(registry) == basic('fred')


def test_identity_tokens(run, registry, environ, person):
    person.docker(
        {
            'auths': {
                registry.host: {
                    'auth': base64.b64encode(b'fred:').decode(),
                    'identitytoken': 'identity-of-fred',
                }
            }
        }
    )
    assert run('push-blob', 'a', person.write('x', b'content'), environ=environ).code == 0
    (asked,) = registry.seen(None, '/token')
    assert (asked.method, asked.form['refresh_token']) == ('POST', ['identity-of-fred'])


def test_a_file_that_is_none(run, registry, environ, person):
    path = person.docker(b'{"auths": {"x": {"auth": "hunter2"')
    result = run_main('list-aliases', 'a', environ=environ)
    said = complaint(result)
    assert path in said
    assert 'hunter2' not in said


# Helpers


def test_one_that_works(run, registry, environ, person):
    person.docker({'credsStore': 'keeper'})
    person.helper('keeper', [registry.host], 'fred', PASSWORD)
    assert run('list-aliases', 'a', environ=environ) == (0, b'a\n', b'')
    assert shown(registry) == basic('fred')
    assert person.asked('keeper') == [f'get {registry.host}']


def test_one_that_knows_nothing_of_this_server(run, registry, environ, person):
    person.docker({'credsStore': 'keeper'})
    person.helper('keeper', ['other.example'], 'fred', PASSWORD)
    assert run('list-aliases', 'a', environ=environ) == (0, b'a\n', b'')
    assert shown(registry) is None
    assert person.asked('keeper') == [f'get {registry.host}']


RUBBISH = {
    'missing': (None, 'there is no such program'),
    'rubbish': (f'print("{PASSWORD}")', 'is not JSON'),
    'another kind of JSON': (f'print(\'["{PASSWORD}"]\')', 'is not JSON with'),
    'failing': (f'print("{PASSWORD}"); import sys; sys.exit("no key ring")', 'no key ring'),
    'hanging': ('import time; time.sleep(1000)', 'did not answer within'),
}


@pytest.mark.parametrize('kind', RUBBISH)
def test_one_that_does_not_work(monkeypatch, registry, environ, person, kind):
    code, words = RUBBISH[kind]
    # It may be found in the table, and no longer on the machine.
    person.docker({'credHelpers': {registry.host: 'keeper'}})
    if code is not None:
        person.program('docker-credential-keeper', code)
    if kind == 'hanging':
        monkeypatch.setattr(dxf.credentials.find, '__defaults__', (None, 0.5))
    said = complaint(run_main('list-aliases', 'a', environ=environ))
    assert 'docker-credential-keeper' in said
    assert words in said
    assert not secrets.found(said)
    assert registry.asked == []


def test_one_that_does_not_work_in_a_shell(registry, environ, person):
    person.docker({'credsStore': 'keeper'})
    said = complaint(run_process('list-aliases', 'a', environ=environ))
    assert 'docker-credential-keeper' in said


def test_it_is_not_asked_where_there_is_no_need(run, registry, environ, person):
    """What the variables say goes first."""
    person.docker({'credsStore': 'keeper'})
    environ.update(WAYS['password'][0])
    assert run('list-aliases', 'a', environ=environ).code == 0


# On real registries


@pytest.mark.parametrize('kind', ['htpasswd', 'token'])
@pytest.mark.parametrize('place', ['docker', 'helper'])
def test_a_real_registry(request, run, person, kind, place):
    flavour = request.getfixturevalue(f'registry_{kind}')
    if place == 'docker':
        person.docker({'auths': {flavour.host: entry(flavour.username, flavour.password)}})
    else:
        person.docker({'credsStore': 'keeper'})
        person.helper('keeper', [flavour.host], flavour.username, flavour.password)
    environ = {**flavour.environ(by='nothing'), **person.environ}
    repo = flavour.new_repo()
    path = person.write('content', b'from the command line')
    assert run('push-blob', repo, path, '@latest', environ=environ).code == 0
    assert run('pull-blob', repo, '@latest', environ=environ).out == b'from the command line'
    wrong = {
        **environ,
        'DOCKER_AUTH_CONFIG': json.dumps(
            {'auths': {flavour.host: entry(flavour.username, 'wrong')}}
        ),
    }
    result = run('pull-blob', repo, '@latest', environ=wrong)
    assert (result.code, result.out) == (errno.EACCES, b'')
