"""Credentials: every place and form that docker and podman keep them in, and in which order."""

import base64
import json
import os
import pickle
import subprocess
import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dxf.credentials import Login, find
from dxf.exceptions import DXFCredentialsError

from .support.logins import Person, auth, entry

HOST = 'registry.example'
OTHER = 'other.example'
HUB = 'https://index.docker.io/v1/'
HUB_NAMES = ['docker.io', 'index.docker.io', 'registry-1.docker.io']

# It can't be part of a helper's name, which may be shown.
SECRET = 'hunter2!§:geheim'

NOBODY = {'PATH': '/nowhere'}


@pytest.fixture
def person(tmp_path):
    return Person(tmp_path)


def user(name):
    """The login that `entry(name, SECRET)` makes."""
    return Login(name, SECRET, None)


def of(name, host=HOST):
    """A configuration with one entry."""
    return {'auths': {host: entry(name, SECRET)}}


def found_in(content, host=HOST, repository=None):
    """What is found in a configuration that stands in the variable."""
    return find(host, {**NOBODY, 'DOCKER_AUTH_CONFIG': json.dumps(content)}, repository)


def assert_silent(error):
    """Nothing that shows an error shows the secret, or what holds it."""
    encoded = base64.b64encode(SECRET.encode()).decode()
    shown = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
    for text in (str(error), repr(error), shown, repr(vars(error))):
        assert SECRET not in text
        assert encoded[:12] not in text
        assert auth('fred', SECRET)[:12] not in text
    assert error.__cause__ is None
    assert error.__context__ is None


def failure(*args, **kwargs):
    """What `find` says that fails."""
    with pytest.raises(DXFCredentialsError) as e:
        find(*args, **kwargs)
    assert_silent(e.value)
    text = str(e.value)
    assert text.startswith(f'no credentials from {e.value.source}: ')
    assert '\n' not in text
    return text


# --- Places -----------------------------------------------------------------------------

PLACES = [
    ('variable', None),
    ('DOCKER_CONFIG', 'docker/config.json'),
    ('HOME', 'home/.docker/config.json'),
    ('XDG_RUNTIME_DIR', 'runtime/containers/auth.json'),
    ('XDG_CONFIG_HOME', 'config/containers/auth.json'),
]
ORDER = [name for name, _ in PLACES]


def furnish(person, places):
    """A login in each of these places, by a user who is called like it."""
    for name, path in PLACES:
        if name not in places:
            continue
        if path is None:
            person.environ['DOCKER_AUTH_CONFIG'] = json.dumps(of(name))
        else:
            person.write(path, of(name))
            person.environ[name] = str(person.folder / path.split('/')[0])


@pytest.mark.parametrize('place', ORDER)
def test_each_place(person, place):
    furnish(person, [place])
    assert find(HOST, person.environ) == user(place)


@pytest.mark.parametrize('first', ORDER)
def test_the_order_of_the_places(person, first):
    # A home's own file is not docker's where DOCKER_CONFIG names another.
    furnish(person, ORDER[ORDER.index(first) :])
    assert find(HOST, person.environ) == user(first)


@pytest.mark.parametrize('place', ORDER)
def test_a_place_that_knows_other_registries_is_passed_over(person, place):
    furnish(person, ORDER)
    if place == 'HOME':
        # Where it is set, a home's own file is not docker's.
        person.environ.pop('DOCKER_CONFIG')
    for name, path in PLACES[: ORDER.index(place)]:
        if path is None:
            person.environ['DOCKER_AUTH_CONFIG'] = json.dumps(of(name, OTHER))
        else:
            person.write(path, of(name, OTHER))
    assert find(HOST, person.environ) == user(place)


def test_the_named_file_goes_before_all_other_files(person):
    furnish(person, ORDER[1:])
    person.environ['REGISTRY_AUTH_FILE'] = person.write('named.json', of('named'))
    assert find(HOST, person.environ) == user('named')


def test_the_variable_goes_before_the_named_file(person):
    furnish(person, ['variable'])
    person.environ['REGISTRY_AUTH_FILE'] = person.write('named.json', of('named'))
    assert find(HOST, person.environ) == user('variable')
    person.environ['DOCKER_AUTH_CONFIG'] = json.dumps(of('variable', OTHER))
    assert find(HOST, person.environ) == user('named')


@pytest.mark.parametrize('content', [{}, of('named', OTHER), None])
def test_where_a_file_is_named_no_other_is_read(person, content):
    furnish(person, ORDER[1:])
    person.environ['REGISTRY_AUTH_FILE'] = (
        str(person.folder / 'absent.json') if content is None
        else person.write('named.json', content)
    )  # fmt: skip
    assert find(HOST, person.environ) is None


def test_podman_s_file_in_a_home(person):
    person.podman(of('podman'))
    assert find(HOST, person.environ) == user('podman')
    person.docker(of('docker', OTHER))
    assert find(HOST, person.environ) == user('podman')
    person.environ['XDG_CONFIG_HOME'] = str(person.folder / 'elsewhere')
    assert find(HOST, person.environ) is None


def test_docker_s_own_file_goes_before_podman_s(person):
    person.podman(of('podman'))
    person.environ['XDG_RUNTIME_DIR'] = str(person.folder)
    person.write('containers/auth.json', of('runtime'))
    person.docker(of('docker'))
    assert find(HOST, person.environ) == user('docker')
    person.docker({})
    assert find(HOST, person.environ) == user('runtime')


def test_docker_config_stands_in_for_the_home_s(person):
    person.docker(of('docker'))
    person.environ['DOCKER_CONFIG'] = str(person.folder / 'absent')
    assert find(HOST, person.environ) is None


def test_a_file_is_not_read_before_its_turn(person):
    person.docker(of('docker'))
    person.podman(b'{')
    assert find(HOST, person.environ) == user('docker')


@pytest.mark.parametrize('empty', ['', None])
def test_an_empty_variable_counts_as_unset(person, empty):
    person.docker(of('docker'))
    for name in {'DOCKER_AUTH_CONFIG', 'REGISTRY_AUTH_FILE', *ORDER[1:]} - {'HOME'}:
        person.environ[name] = empty
    assert find(HOST, person.environ) == user('docker')
    person.environ['HOME'] = empty
    assert find(HOST, person.environ) is None


def test_nothing_is_read_but_where_the_mapping_says(person, monkeypatch):
    furnish(person, ORDER)
    for name, value in person.environ.items():
        monkeypatch.setenv(name.replace('variable', 'DOCKER_AUTH_CONFIG'), value)
    monkeypatch.chdir(person.home)
    assert find(HOST, os.environ) is not None
    assert find(HOST, {}) is None


def test_other_variables_may_be_anything(person):
    person.docker({'credsStore': 'works'})
    person.helper('works', [HOST], 'fred', SECRET)
    person.environ.update({
        'NUMBER': 1, 'NOTHING': None, 'BYTES': b'x', 'NUL': 'a\0b', '': 'x', 'a=b': 'x',
        'HALF': '\ud800', 'OBJECT': object(), 3: 'x', '\ud800': 'x',
    })  # fmt: skip
    assert find(HOST, person.environ) == user('fred')


# --- Files that are none ----------------------------------------------------------------


def test_nothing_at_all(person):
    assert find(HOST, person.environ) is None


@pytest.mark.parametrize('home', ['/dev/null', '/nonexistent'])
def test_a_home_that_is_none(home):
    assert find(HOST, {**NOBODY, 'HOME': home}) is None


@pytest.mark.parametrize('content', [b'', b'\n', b'{}', b'{"auths": {}}', b'{"auths": null}'])
def test_a_file_that_says_nothing(person, content):
    person.docker(content)
    person.podman(of('podman'))
    assert find(HOST, person.environ) == user('podman')


def test_dev_null_is_a_file_that_says_nothing(person):
    person.docker(of('docker'))
    person.environ['REGISTRY_AUTH_FILE'] = os.devnull
    assert find(HOST, person.environ) is None


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0, reason='root reads all')
def test_a_file_that_may_not_be_read(person):
    path = person.docker(of('docker'))
    os.chmod(path, 0)
    assert "config.json: it can't be read (Permission denied)" in failure(HOST, person.environ)


def test_reading_that_is_refused(person, monkeypatch):
    """As above, for root too."""
    path = person.environ['REGISTRY_AUTH_FILE'] = person.docker(of('docker'))

    def refuse(*args, **kwargs):
        raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr('builtins.open', refuse)
    with pytest.raises(DXFCredentialsError) as e:
        find(HOST, person.environ)
    assert str(e.value) == f"no credentials from {path}: it can't be read (Permission denied)"


def test_a_folder_in_a_file_s_place(person):
    person.environ['REGISTRY_AUTH_FILE'] = str(person.folder)
    assert str(person.folder) in failure(HOST, person.environ)


def test_a_path_that_is_none(person):
    person.environ['REGISTRY_AUTH_FILE'] = 'a\0b'
    with pytest.raises(DXFCredentialsError) as e:
        find(HOST, person.environ)
    assert str(e.value) == r"no credentials from 'a\x00b': it can't be read (that is no path)"


@pytest.mark.parametrize(
    ('content', 'problem'),
    [
        ('{', 'it is not JSON (line 1)'),
        ('{"auths":\n{"registry.example": "' + SECRET + '",}}', 'it is not JSON (line 2)'),
        (SECRET, 'it is not JSON (line 1)'),
        ('{"x": "' + SECRET + '"} x', 'it is not JSON (line 1)'),
        (b'{"x": "\xff' + SECRET.encode() + b'"}', 'it is not JSON'),
        ('[' * 200000, 'it is not JSON'),
        (json.dumps(SECRET), 'it is not a JSON object'),
        (json.dumps([SECRET]), 'it is not a JSON object'),
        ('null', 'it is not a JSON object'),
        (json.dumps({'auths': SECRET}), 'its auths is not an object'),
        (json.dumps({'auths': [SECRET]}), 'its auths is not an object'),
        (json.dumps({'credHelpers': SECRET}), 'its credHelpers is not an object'),
    ],
    ids=range(12),
)
@pytest.mark.parametrize('place', ['file', 'variable'])
def test_a_malformed_configuration(person, place, content, problem):
    if place == 'file':
        path = person.docker(content if isinstance(content, bytes) else content.encode())
        assert failure(HOST, person.environ) == f'no credentials from {path}: {problem}'
    elif isinstance(content, str):
        environ = {**NOBODY, 'DOCKER_AUTH_CONFIG': content}
        expected = f'no credentials from DOCKER_AUTH_CONFIG: {problem}'
        assert failure(HOST, environ) == expected


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16'])
def test_a_file_s_encoding(person, encoding):
    """Some shells write another."""
    login = {'auths': {HOST: {'username': 'fred', 'password': SECRET}}}
    person.docker(json.dumps(login, ensure_ascii=False).encode(encoding))
    assert find(HOST, person.environ) == user('fred')


def test_the_variable_s_encoding():
    text = '\ufeff' + json.dumps(of('fred'))
    assert find(HOST, {**NOBODY, 'DOCKER_AUTH_CONFIG': text}) == user('fred')


# --- Entries ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('fields', 'login'),
    [
        ({'auth': auth('fred', 'pass')}, Login('fred', 'pass', None)),
        ({'auth': auth('fred', 'p:a:ss:')}, Login('fred', 'p:a:ss:', None)),
        ({'auth': auth('jürgen', 'пароль€')}, Login('jürgen', 'пароль€', None)),
        ({'auth': auth('fred', '')}, Login('fred', '', None)),
        ({'auth': auth('fred', 'pass\0\0')}, Login('fred', 'pass', None)),
        ({'auth': auth('fred', 'pass word')}, Login('fred', 'pass word', None)),
        ({'auth': auth('f', 'p' * 90)[:76] + '\n' + auth('f', 'p' * 90)[76:]},
         Login('f', 'p' * 90, None)),
        ({'username': 'fred', 'password': 'p:w'}, Login('fred', 'p:w', None)),
        ({'auth': auth('fred', 'pass'), 'username': 'x', 'password': 'y'},
         Login('fred', 'pass', None)),
        ({'auth': '', 'username': 'fred', 'password': 'pw'}, Login('fred', 'pw', None)),
        ({'auth': auth('fred', 'pass'), 'email': 'fred@example'}, Login('fred', 'pass', None)),
        ({'identitytoken': 'id'}, Login(None, None, 'id')),
        ({'auth': auth('fred', ''), 'identitytoken': 'id'}, Login('fred', None, 'id')),
        ({'auth': auth('fred', 'pass'), 'identitytoken': 'id'}, Login('fred', 'pass', 'id')),
        ({'registrytoken': 'bearer'}, Login(None, None, None, 'bearer')),
        ({'registrytoken': 'bearer', 'identitytoken': 'id'}, Login(None, None, 'id', 'bearer')),
        ({}, None),
        ({'auth': ''}, None),
        ({'auth': None, 'identitytoken': None}, None),
        ({'email': 'fred@example'}, None),
        ({'username': 'fred'}, None),
        ({'password': 'pass'}, None),
    ],
    ids=range(22),
)  # fmt: skip
def test_an_entry(fields, login):
    assert found_in({'auths': {HOST: fields}}) == login


@pytest.mark.parametrize(
    ('fields', 'problem'),
    [
        (SECRET, 'it is not an object'),
        ([SECRET], 'it is not an object'),
        ({'auth': [SECRET]}, 'auth is not text'),
        ({'auth': 5}, 'auth is not text'),
        ({'username': {SECRET: 1}}, 'username is not text'),
        ({'username': 'fred', 'password': SECRET + '\ud800'}, 'password is not text'),
        ({'identitytoken': [SECRET]}, 'identitytoken is not text'),
        ({'registrytoken': SECRET + '\r\nX: y'}, 'registrytoken is not a token'),
        ({'auth': SECRET}, 'auth is not the base64 of user:password'),
        ({'auth': 'geheim'}, 'auth is not the base64 of user:password'),
        ({'auth': auth('fred', SECRET).rstrip('=') + 'A'},
         'auth is not the base64 of user:password'),
        ({'auth': base64.b64encode(b'nocolon').decode()},
         'auth is not the base64 of user:password'),
        ({'auth': auth('', SECRET)}, 'auth is not the base64 of user:password'),
        ({'auth': base64.b64encode(b'fred:\xff').decode()},
         'auth is not the base64 of user:password'),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_malformed_entry(fields, problem):
    environ = {**NOBODY, 'DOCKER_AUTH_CONFIG': json.dumps({'auths': {HOST: fields}})}
    assert failure(HOST, environ) == (
        f'no credentials from DOCKER_AUTH_CONFIG: its entry for {HOST} is malformed: {problem}'
    )


def test_a_malformed_entry_for_another_registry_is_not_looked_at():
    content = of('fred')
    content['auths'][OTHER] = {'auth': 'nonsense'}
    assert found_in(content) == user('fred')


# --- Keys -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('host', 'key'),
    [
        (HOST, HOST),
        (HOST, 'https://registry.example'),
        (HOST, 'http://registry.example'),
        (HOST, 'HTTPS://registry.example'),
        (HOST, 'https://registry.example/'),
        (HOST, 'https://registry.example/v1/'),
        (HOST, 'https://registry.example/v2/'),
        (HOST, 'https://registry.example/some/path'),
        (HOST, 'registry.example/'),
        (HOST, 'registry.example/v1/'),
        (HOST, 'registry.example/v1'),
        (HOST, 'registry.example/v2'),
        (HOST, 'registry.example/v2/'),
        (HOST, 'Registry.Example'),
        ('Registry.Example', HOST),
        ('registry.example:5000', 'registry.example:5000'),
        ('registry.example:5000', 'https://registry.example:5000/v1/'),
        ('[::1]:5000', '[::1]:5000'),
        ('localhost', 'localhost'),
        *((host, key) for host in HUB_NAMES for key in (HUB, 'index.docker.io/v1/', *HUB_NAMES)),
        *((host, f'https://{name}') for host in HUB_NAMES for name in HUB_NAMES),
        ('Docker.IO', HUB),
    ],
)
def test_keys_of_a_host(host, key):
    content = {'auths': {OTHER: entry('other', 'x'), key: entry('fred', SECRET)}}
    assert found_in(content, host) == user('fred')
    assert found_in(content, host, 'library/alpine') == user('fred')


@pytest.mark.parametrize(
    ('host', 'key'),
    [
        (HOST, 'registry.example:5000'),
        ('registry.example:5000', HOST),
        ('registry.example:5000', 'registry.example:443'),
        (HOST, 'registry.example.evil'),
        (HOST, 'evil.registry.example'),
        (HOST, 'https://registry.example:5000/v1/'),
        (HOST, 'https://evil/registry.example'),
        (HOST, 'https://registry.example@evil'),
        (HOST, 'https://evil@registry.example'),
        (HOST, 'registry.example/ns'),
        (HOST, 'registry.example/ns/'),
        (HOST, 'ftp://registry.example'),
        (HOST, ''),
        (HOST, '/'),
        (HOST, 'https://'),
        ('docker.io.evil', HUB),
        ('evil-docker.io', 'docker.io'),
        ('docker.io:5000', HUB),
        ('registry-2.docker.io', HUB),
        ('localhost:5000', 'localhost'),
    ],
)
def test_keys_of_another_host(host, key):
    assert found_in({'auths': {key: entry('fred', SECRET)}}, host) is None
    assert found_in({'auths': {key: entry('fred', SECRET)}}, host, 'other/repo') is None


@pytest.mark.parametrize('backwards', [False, True])
@pytest.mark.parametrize(
    ('host', 'keys'),
    [
        (HOST, [HOST, 'https://registry.example', 'https://registry.example/v1/']),
        ('docker.io', ['docker.io', 'index.docker.io', f'{HUB}access-token']),
        ('docker.io', [HUB, 'https://docker.io', f'{HUB}access-token', f'{HUB}refresh-token']),
        ('registry-1.docker.io', ['docker.io', f'{HUB}refresh-token']),
    ],
)
def test_of_several_keys_the_usual_one_counts(host, keys, backwards):
    """`docker login` leaves Docker Hub's tokens beside the password."""
    entries = [(key, entry(f'user{n}', SECRET)) for n, key in enumerate(keys)]
    content = {'auths': dict(reversed(entries) if backwards else entries)}
    assert found_in(content, host) == user('user0')


@pytest.mark.parametrize('empty', [{}, None, {'auth': ''}, {'email': 'fred@example'}])
def test_an_empty_entry_for_the_host_itself(empty):
    assert found_in({'auths': {HOST: empty}}) is None
    assert found_in({'auths': {HOST: empty, f'https://{HOST}': entry('fred', SECRET)}}) == user(
        'fred'
    )


def test_an_empty_entry_does_not_hide_another_key():
    content = {'auths': {HOST: {}, 'https://registry.example': entry('fred', SECRET)}}
    assert found_in(content) == user('fred')


NAMESPACES = {
    'auths': {
        HOST: entry('host', SECRET),
        f'{HOST}/ns': entry('ns', SECRET),
        f'{HOST}/ns/repo': entry('repo', SECRET),
        f'{HOST}/ns/repo/deep': entry('deep', SECRET),
        f'{HOST}:5000/ns': entry('port', SECRET),
        'docker.io/library': entry('library', SECRET),
    }
}


@pytest.mark.parametrize(
    ('host', 'repository', 'name'),
    [
        (HOST, 'ns/repo', 'repo'),
        (HOST, 'ns/repo/deep', 'deep'),
        (HOST, 'ns/repo/deeper', 'repo'),
        (HOST, 'ns/other', 'ns'),
        (HOST, 'ns', 'ns'),
        (HOST, 'nsx/repo', 'host'),
        (HOST, 'other', 'host'),
        (HOST, 'other/ns', 'host'),
        (HOST, None, 'host'),
        (HOST, '', 'host'),
        (f'{HOST}:5000', 'ns/repo', 'port'),
        (f'{HOST}:5000', 'other', None),
        *((host, 'library/alpine', 'library') for host in HUB_NAMES),
        ('docker.io', 'fred/alpine', None),
    ],
)
def test_the_longest_namespace_counts(person, host, repository, name):
    person.podman(NAMESPACES)
    assert find(host, person.environ, repository) == (user(name) if name else None)


def test_a_namespace_in_a_file_that_is_named(person):
    person.environ['REGISTRY_AUTH_FILE'] = person.write('named.json', NAMESPACES)
    assert find(HOST, person.environ, 'ns/repo') == user('repo')


def test_an_empty_namespace_does_not_hide_the_host(person):
    person.podman({'auths': {HOST: entry('host', SECRET), f'{HOST}/ns': {}}})
    assert find(HOST, person.environ, 'ns/repo') == user('host')


# --- Helpers, as configurations name them; what they do is in test_credential_helpers ---


@pytest.fixture
def helpers(person):
    """A person with two helpers that know HOST and Docker Hub."""
    for name in ('all', 'own'):
        person.helper(name, [HOST, HUB], name, SECRET)
    person.helper('ignorant')
    return person


def test_the_helper_for_all(helpers):
    helpers.docker({'credsStore': 'all'})
    assert find(HOST, helpers.environ) == user('all')
    assert helpers.asked('all') == [f'get {HOST}']


@pytest.mark.parametrize('key', [HOST, 'https://registry.example', 'https://registry.example/v1/'])
def test_a_host_s_own_helper(helpers, key):
    helpers.docker({'credsStore': 'all', 'credHelpers': {OTHER: 'ignorant', key: 'own'}})
    assert find(HOST, helpers.environ) == user('own')
    assert helpers.asked('all') == helpers.asked('ignorant') == []


@pytest.mark.parametrize('helper', [{'credsStore': 'own'}, {'credHelpers': {HOST: 'own'}}])
def test_a_helper_goes_before_what_is_written_down(helpers, helper):
    helpers.docker({**of('written'), **helper})
    assert find(HOST, helpers.environ) == user('own')


def test_a_helper_for_another_host_is_not_asked(helpers):
    helpers.docker({**of('written'), 'credHelpers': {OTHER: 'own', f'{HOST}:5000': 'own'}})
    assert find(HOST, helpers.environ) == user('written')
    assert helpers.asked('own') == []


@pytest.mark.parametrize('none', ['', None])
def test_a_host_without_a_helper_by_its_own_will(helpers, none):
    """As docker has it."""
    helpers.docker({**of('written'), 'credsStore': 'all', 'credHelpers': {HOST: none}})
    assert find(HOST, helpers.environ) == user('written')
    assert helpers.asked('all') == []


@pytest.mark.parametrize('store', ['', None])
def test_a_store_without_a_name(helpers, store):
    helpers.docker({**of('written'), 'credsStore': store, 'credHelpers': None})
    assert find(HOST, helpers.environ) == user('written')


def test_a_helper_that_knows_nothing_leaves_it_to_what_is_written_down(helpers):
    helpers.docker({**of('written'), 'credsStore': 'ignorant'})
    assert find(HOST, helpers.environ) == user('written')
    assert helpers.asked('ignorant') == [f'get {HOST}']


def test_a_helper_that_knows_nothing_leaves_it_to_the_next_file(helpers):
    helpers.docker({'credHelpers': {HOST: 'ignorant'}, 'auths': {HOST: {}}})
    helpers.podman({'credHelpers': {HOST: 'own'}, 'auths': {HOST: {}}})
    assert find(HOST, helpers.environ) == user('own')


def test_helpers_that_know_nothing(helpers):
    helpers.docker({'credsStore': 'ignorant'})
    assert find(HOST, helpers.environ) is None


def test_a_helper_is_not_asked_before_its_turn(helpers):
    helpers.docker({'credsStore': 'all'})
    helpers.environ['DOCKER_AUTH_CONFIG'] = json.dumps(of('variable'))
    assert find(HOST, helpers.environ) == user('variable')
    assert helpers.asked('all') == []


def test_a_helper_that_the_variable_names(helpers):
    helpers.environ['DOCKER_AUTH_CONFIG'] = json.dumps({'credHelpers': {HOST: 'own'}})
    assert find(HOST, helpers.environ) == user('own')


@pytest.mark.parametrize('host', HUB_NAMES)
@pytest.mark.parametrize('key', [HUB, 'docker.io'])
def test_docker_hub_s_helper_is_asked_by_the_name_it_is_filed_under(helpers, host, key):
    helpers.docker({'credHelpers': {key: 'own'}})
    assert find(host, helpers.environ) == user('own')
    assert helpers.asked('own') == [f'get {HUB}']


def test_docker_hub_as_podman_files_it(helpers):
    helpers.helper('podman', ['docker.io'], 'fred', SECRET)
    helpers.podman({'credHelpers': {'docker.io': 'podman'}})
    assert find('docker.io', helpers.environ) == user('fred')
    assert helpers.asked('podman') == [f'get {HUB}', 'get docker.io']


def test_an_identity_token(helpers):
    helpers.helper('tokens', [HOST], '<token>', SECRET)
    helpers.docker({'credsStore': 'tokens'})
    assert find(HOST, helpers.environ) == Login(None, None, SECRET)


@pytest.mark.parametrize(
    'name',
    ['../own', 'a/b', 'a b', 'a;b', '$(x)', 'ü', 'a\n', '\0', 5, ['own'], {'own': 1}, SECRET],
)
@pytest.mark.parametrize('kind', ['credsStore', 'credHelpers'])
def test_a_name_that_no_helper_has(helpers, kind, name):
    path = helpers.docker({kind: name if kind == 'credsStore' else {HOST: name}})
    assert failure(HOST, helpers.environ) == (
        f'no credentials from {path}: it names a helper by other than letters, digits and . _ -'
    )


def test_a_helper_s_failure_is_one(helpers):
    """It is not passed over, whatever is written down further on."""
    helpers.docker({'credHelpers': {HOST: 'missing'}, **of('docker')})
    helpers.podman(of('podman'))
    assert failure(HOST, helpers.environ) == (
        'no credentials from docker-credential-missing: there is no such program on the PATH'
    )
    assert find(OTHER, helpers.environ) is None


def test_the_time_limit_is_handed_on(helpers):
    helpers.program('docker-credential-hanging', 'import time; time.sleep(60)')
    helpers.docker({'credsStore': 'hanging'})
    assert failure(HOST, helpers.environ, helper_seconds=0.2) == (
        'no credentials from docker-credential-hanging: it did not answer within 0.2 s'
    )


# --- As others find them ----------------------------------------------------------------


@pytest.mark.parametrize(
    ('host', 'podman', 'docker'),
    [
        (HOST, of('podman'), {}),
        (HOST, of('podman'), of('docker', OTHER)),
        (HOST, of('podman', OTHER), of('docker')),
        (HOST, {'auths': {HOST: {}}}, of('docker')),
        (HOST, {}, of('docker', f'https://{HOST}/v1/')),
        (HOST, {}, of('docker', f'http://{HOST}')),
        (HOST, {}, of('docker', f'{HOST}:5000')),
        (f'{HOST}:5000', {}, of('docker', HOST)),
        (f'{HOST}:5000', of('podman', f'{HOST}:5000'), {}),
        ('docker.io', {}, of('docker', HUB)),
        ('docker.io', of('podman', 'docker.io'), {}),
        ('docker.io', of('podman', 'docker.io/library'), of('docker', HUB)),
        (HOST, of('podman', f'{HOST}/ns'), {}),
        (HOST, {'credHelpers': {HOST: 'own'}, **of('podman')}, of('docker', OTHER)),
        (HOST, {'credHelpers': {HOST: 'ignorant'}}, of('docker')),
        (HOST, of('podman'), {'credHelpers': {OTHER: 'own'}}),
        (HOST, {}, {'auths': {HOST: {'auth': auth('fred', 'a:b'), 'username': 'x'}}}),
        (HOST, {}, {}),
    ],
    ids=range(18),
)
def test_skopeo_finds_the_same_user(helpers, skopeo, host, podman, docker):
    """It reads the files with the library that podman does: where both of them know the
    registry, that has podman's go first."""
    helpers.podman(podman)
    helpers.docker(docker)
    runtime = helpers.folder / 'runtime'
    runtime.mkdir()
    helpers.environ['XDG_RUNTIME_DIR'] = str(runtime)
    done = subprocess.run(
        [skopeo, 'login', '--get-login', host], env=helpers.environ, capture_output=True, text=True
    )
    login = find(host, helpers.environ)
    assert (login.username if login else None) == (done.stdout.strip() or None), done.stderr


# --- Secrets ----------------------------------------------------------------------------


def test_a_login_shows_no_secret():
    login = Login('fred', SECRET, SECRET, SECRET)
    for text in (repr(login), str(login), f'{login}', f'{login!r}', repr([login]), f'{[login]}'):
        assert SECRET not in text
    assert repr(login) == (
        "Login(username='fred', password='***', identity_token='***', registry_token='***')"
    ).replace("'***'", '***')
    assert repr(Login('fred', '', None)) == (
        "Login(username='fred', password='', identity_token=None, registry_token=None)"
    )


def test_a_login_is_what_it_was_made_of():
    login = Login('fred', SECRET, None)
    assert (login.username, login.password, login.identity_token) == ('fred', SECRET, None)
    assert pickle.loads(pickle.dumps(login)) == login


# --- Anything ---------------------------------------------------------------------------

texts = st.one_of(
    st.sampled_from([HOST, f'https://{HOST}', f'{HOST}/ns', HUB, SECRET, auth('fred', SECRET),
                     'helper', 'a/b', '']),
    st.text(max_size=20).map(lambda text: text.replace('hunter2', '')),
)  # fmt: skip
names = st.one_of(
    st.sampled_from(['auths', 'credsStore', 'credHelpers', 'auth', 'username', 'password',
                     'identitytoken', 'registrytoken', HOST, f'https://{HOST}/v1/']),
    texts,
)  # fmt: skip
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)
    ),
    max_leaves=20,
)
entries = st.dictionaries(
    st.sampled_from(['auth', 'username', 'password', 'identitytoken', 'registrytoken']),
    st.one_of(texts, anything),
)
tables = st.dictionaries(names, st.one_of(entries, anything), max_size=4)
configurations = st.one_of(
    anything,
    st.fixed_dictionaries(
        {}, optional={'auths': tables, 'credHelpers': tables, 'credsStore': anything}
    ),
)


def try_(environ):
    """Find something, or nothing, or fail as documented."""
    try:
        login = find(HOST, environ, 'ns/repo', helper_seconds=5)
    except DXFCredentialsError as error:
        assert_silent(error)
        assert '\n' not in str(error)
        return
    assert login is None or isinstance(login, Login)
    assert SECRET not in repr(login) or SECRET in str(login.username)
    for field in login or ():
        assert field is None or isinstance(field, str)
        assert field is None or field.encode('utf-8') is not None


@given(configurations)
@example({'auths': {HOST: {'auth': auth('fred', SECRET)}}})
@example({'auths': {HOST: {'auth': SECRET}}})
@example({'credsStore': SECRET})
@example({'auths': {HOST: {'username': '\ud800', 'password': SECRET}}})
def test_any_json_in_the_variable(content):
    try_({**NOBODY, 'DOCKER_AUTH_CONFIG': json.dumps(content)})


@given(st.text())
def test_any_text_in_the_variable(text):
    try_({**NOBODY, 'DOCKER_AUTH_CONFIG': text})


@pytest.fixture(scope='module')
def some_file(tmp_path_factory):
    return tmp_path_factory.mktemp('anything') / 'auth.json'


@given(content=configurations)
def test_any_json_in_a_file(some_file, content):
    some_file.write_text(json.dumps(content))
    try_({**NOBODY, 'REGISTRY_AUTH_FILE': str(some_file)})


@given(content=st.binary())
@example(content=b'\xff\xfe')
@example(content=b'1' * 5000)
def test_any_bytes_in_a_file(some_file, content):
    some_file.write_bytes(content)
    try_({**NOBODY, 'REGISTRY_AUTH_FILE': str(some_file)})


@given(st.text(), st.text())
def test_any_host_and_repository(host, repository):
    assert find(host, {**NOBODY, 'DOCKER_AUTH_CONFIG': '{}'}, repository) is None
