"""The tests' own surroundings do what the tests count on."""

import subprocess
import sys
import urllib.request
from http.client import IncompleteRead

import pytest
import requests

from .support import tools
from .support.commandline import environment
from .support.fakeserver import Answer
from .support.plain import PlainClient, image_config, schema2, sha256
from .support.registry import Registry
from .support.waiting import free_port, wait_until


def test_each_registry_takes_a_blob_and_gives_it_back(registry, plain):
    digest = plain.push_blob(b'hello')
    assert plain.get_blob(digest).content == b'hello'
    assert plain.has_blob(digest)
    assert not plain.has_blob(sha256(b'never pushed'))


def test_each_registry_takes_an_alias(registry, plain):
    text = plain.push_alias('latest', b'one', b'two')
    response = plain.get_manifest('latest')
    assert response.text == text == schema2(b'one', b'one', b'two')


@pytest.mark.parametrize('name', ['htpasswd', 'token'])
def test_strangers_are_refused(request, name):
    flavour = request.getfixturevalue(f'registry_{name}')
    with PlainClient(flavour, flavour.new_repo(), anonymous=True) as stranger:
        with pytest.raises(requests.HTTPError) as e:
            stranger.push_blob(b'hello')
    assert e.value.response.status_code == 401


def test_certificates_are_verified(registry_htpasswd, other_certificates):
    for ca in (True, other_certificates.ca):
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f'{registry_htpasswd.url}/v2/', verify=ca)


def test_garbage_collect_removes_a_deleted_blob(registry_http):
    registry = registry_http.registry
    with PlainClient(registry_http, registry_http.new_repo('garbage')) as plain:
        plain.push_alias('keep', b'kept')
        digest = plain.push_blob(b'thrown away')
        assert registry.stored(digest)
        plain.delete(f'blobs/{digest}')
        registry.garbage_collect()
        assert not registry.stored(digest)
        assert registry.stored(sha256(b'kept'))


def test_a_registry_with_a_secret_goes_on_after_a_restart(registry_program, tmp_path):
    with Registry(registry_program, tmp_path, secret='fixed') as registry:
        started = requests.post(f'{registry.url}/v2/a/blobs/uploads/')
        first = registry.pid
        registry.restart()
        assert registry.pid != first
        assert requests.get(started.headers['Location']).status_code == 204
    with pytest.raises(requests.ConnectionError):
        requests.get(f'{registry.url}/v2/')


def test_a_registry_that_cannot_start_says_why(registry_program, tmp_path):
    with pytest.raises(RuntimeError, match='no-such'):
        Registry(registry_program, tmp_path, auth={'no-such': {}})


def test_schema1_registry_converts(registry_schema1):
    layer = b'one layer'
    config = image_config(layer)
    with PlainClient(registry_schema1, registry_schema1.new_repo()) as plain:
        plain.push_blob(config)
        plain.push_blob(layer)
        plain.push_manifest('latest', schema2(config, layer))
        response = plain.repo_request('GET', 'manifests/latest')
    assert response.json()['schemaVersion'] == 1
    assert response.json()['signatures']


@pytest.mark.parametrize(
    ('actions', 'status'), [(['pull'], 401), (['push'], 401), (['pull', 'push'], 202)]
)
def test_registry_accepts_only_the_scope_that_the_token_has(registry_token, actions, status):
    repo = registry_token.new_repo()
    access = [{'type': 'repository', 'name': repo, 'actions': actions}]
    response = requests.post(
        f'{registry_token.url}/v2/{repo}/blobs/uploads/',
        headers={'Authorization': 'Bearer ' + registry_token.token_service.sign(access)},
        verify=registry_token.ca,
    )
    assert response.status_code == status


def test_registry_refuses_an_expired_token(registry_token):
    for lifetime, status in ((300, 200), (-120, 401)):
        token = registry_token.token_service.sign(lifetime=lifetime)
        response = requests.get(
            f'{registry_token.url}/v2/',
            headers={'Authorization': 'Bearer ' + token},
            verify=registry_token.ca,
        )
        assert response.status_code == status


def ask(service, method='GET', authorization=None, **parameters):
    kwargs = {'params': parameters} if method == 'GET' else {'data': parameters}
    headers = {'Authorization': authorization} if authorization else {}
    return requests.request(method, service.realm, headers=headers, verify=service.roots, **kwargs)


def test_token_service_checks_passwords_and_records(registry_token):
    service = registry_token.token_service
    assert ask(service, authorization='Basic Zm86YmFy').status_code == 401
    assert ask(service, authorization='Bearer x').status_code == 401
    scopes = ['repository:a:pull repository:b/c:pull,push', 'registry:catalog:*']
    answer = ask(service, authorization=registry_token.authorization, scope=scopes)
    assert answer.json()['token'] == answer.json()['access_token']
    assert answer.json()['expires_in'] == 300
    assert service.granted == [
        [
            {'type': 'repository', 'name': 'a', 'actions': ['pull']},
            {'type': 'repository', 'name': 'b/c', 'actions': ['pull', 'push']},
            {'type': 'registry', 'name': 'catalog', 'actions': ['*']},
        ]
    ]
    assert [r.query for r in service.requests] == [{}, {}, {'scope': scopes}]
    service.clear()
    assert service.requests == service.granted == []


def test_token_service_settings(token_service):
    scope = 'repository:a:pull,push'
    ask(token_service, scope=scope)
    token_service.anonymous_actions = {'pull'}
    ask(token_service, scope=scope)
    assert [access[0]['actions'] for access in token_service.granted] == [[], ['pull']]
    token_service.fields = ('token',)
    assert list(ask(token_service).json()) == ['token']
    token_service.amend = lambda fields: fields.update(extra=1)
    assert ask(token_service).json()['extra'] == 1
    token_service.refuse_anonymous = True
    assert ask(token_service).status_code == 401
    token_service.override = lambda request: Answer(503)
    assert ask(token_service).status_code == 503
    token_service.reset()
    assert ask(token_service).status_code == 200


def test_token_service_speaks_oauth2(token_service):
    password = {'username': token_service.username, 'password': token_service.password}
    first = ask(
        token_service, 'POST', grant_type='password', access_type='offline', **password
    ).json()
    refresh = first['refresh_token']
    again = ask(token_service, 'POST', grant_type='refresh_token', refresh_token=refresh)
    assert again.json()['access_token']
    for wrong in (
        {'grant_type': 'refresh_token', 'refresh_token': 'x'},
        {'grant_type': 'password', 'username': 'x', 'password': 'y'},
    ):
        assert ask(token_service, 'POST', **wrong).status_code == 401


def test_fake_server_answers_and_records(fake_server):
    fake_server.on('GET', '/a', [Answer(500), Answer(200, {'x': 1})])
    fake_server.on(None, '/echo', lambda r: Answer(201, r.body, {'X-Method': r.method}))
    fake_server.on('GET', r'/q\?n=1', Answer(body='with query'))
    url = fake_server.url
    with requests.Session() as session:
        assert session.get(f'{url}/a').status_code == 500
        assert session.get(f'{url}/a').json() == {'x': 1}
        assert session.get(f'{url}/a').status_code == 404
        assert [r.path for r in fake_server.unexpected] == ['/a']
        for data in (b'12345', iter([b'123', b'45'])):
            response = session.patch(f'{url}/echo', data=data)
            assert (response.status_code, response.content) == (201, b'12345')
            assert response.headers['X-Method'] == 'PATCH'
        assert session.get(f'{url}/q?n=1').text == 'with query'
        assert session.head(f'{url}/q?n=1').headers['Content-Length'] != '0'
    assert len({r.connection for r in fake_server.requests}) == 1
    assert [r.length for r in fake_server.seen('PATCH', '/ec.*')] == [5, 5]
    fake_server.clear()
    assert fake_server.requests == []


def test_fake_server_misbehaves_when_told(fake_server):
    url = fake_server.url
    fake_server.on('GET', '/cut', Answer(body=b'x' * 100, cut_after=10))
    fake_server.on('GET', '/gone', Answer(hang_up=True))
    fake_server.on('GET', '/raw', Answer(raw=b'SSH-2.0\r\n'))
    fake_server.on('GET', '/chunks', lambda r: Answer(body=iter([b'a', b'', b'b'])))
    fake_server.on('GET', '/lies', Answer(body=b'abc', headers={'content-length': '2'}))
    fake_server.on('PUT', '/early', Answer(401), read_body=False)
    fake_server.on('GET', '/slow', Answer(delay=5))
    for path in ('gone', 'raw'):
        with pytest.raises(requests.RequestException):
            requests.get(f'{url}/{path}')
    # requests does not notice where it has urllib3 1.26.
    with urllib.request.urlopen(f'{url}/cut') as answer, pytest.raises(IncompleteRead):
        answer.read()
    assert requests.get(f'{url}/chunks').content == b'ab'
    assert requests.get(f'{url}/lies').content == b'ab'
    assert requests.put(f'{url}/early', data=b'x' * 10).status_code == 401
    with pytest.raises(requests.Timeout):
        requests.get(f'{url}/slow', timeout=0.1)


def test_fake_server_over_tls(fake_tls_server, certificates):
    fake_tls_server.on('GET', '/', Answer(body=b'ok'))
    assert requests.get(fake_tls_server.url + '/', verify=certificates.ca).text == 'ok'
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(fake_tls_server.url + '/')


def test_flavours_say_how_to_reach_them(registry):
    environ = registry.environ(DXF_PROGRESS='0')
    assert environ['DXF_HOST'] == registry.host
    assert environ['DXF_PROGRESS'] == '0'
    assert ('DXF_USERNAME' in environ) == (registry.username is not None)
    by_header = registry.environ(by='authorization')
    assert by_header.get('DXF_AUTHORIZATION') == registry.authorization
    settings = registry.settings(timeout=3)
    assert sorted(settings) == ['auth', 'insecure', 'timeout', 'tlsverify']
    assert registry.new_repo() != registry.new_repo()
    if registry.username is not None:
        calls = []

        class Dxf:
            def authenticate(self, **kwargs):
                calls.append(kwargs)

        registry.auth()(Dxf(), 'response')
        registry.auth('authorization', ['pull'])(Dxf(), 'response')
        assert calls[0]['password'] == registry.password
        assert calls[1]['authorization'] == registry.authorization


def test_skopeo_runs(skopeo):
    shown = subprocess.run([skopeo, '--version'], stdout=subprocess.PIPE, check=True)
    assert shown.stdout.startswith(b'skopeo version')


def test_need_skips_or_fails(monkeypatch):
    monkeypatch.setattr(tools, 'missing', {})
    monkeypatch.delenv('CI', raising=False)
    monkeypatch.delenv('DXF_REQUIRE_REGISTRY', raising=False)
    with pytest.raises(pytest.skip.Exception, match='NEEDS no-such-program'):
        tools.need('no-such-program')
    monkeypatch.setenv('CI', 'true')
    with pytest.raises(pytest.fail.Exception, match='NEEDS no-such-program'):
        tools.need('no-such-program')
    assert list(tools.missing) == ['no-such-program']


@pytest.mark.parametrize('is_there', [False, True])
def test_what_is_built_with_go_may_lack_where_go_does(monkeypatch, tmp_path, is_there):
    monkeypatch.setattr(tools, 'missing', {})
    monkeypatch.setenv('CI', 'true')
    monkeypatch.setenv('PATH', str(tmp_path))
    if is_there:
        (tmp_path / 'go').write_text('')
        (tmp_path / 'go').chmod(0o755)
    outcome = pytest.fail.Exception if is_there else pytest.skip.Exception
    with pytest.raises(outcome, match='NEEDS no-such-program: `scripts/get-tools'):
        tools.need_built('no-such-program')
    assert list(tools.missing) == ['no-such-program']


def test_waiting_ends():
    with pytest.raises(TimeoutError, match='godot'):
        wait_until(lambda: False, 'godot', seconds=0.05)
    assert wait_until(lambda: 'here', 'godot') == 'here'
    assert free_port() > 0


def test_environment_of_a_subprocess_is_bare(monkeypatch):
    monkeypatch.setenv('DXF_HOST', 'not this one')
    monkeypatch.setenv('COVERAGE_PROCESS_START', 'kept')
    code = 'import os; print(os.environ.get("DXF_HOST"), os.environ["DXF_X"])'
    made = environment({'DXF_X': 'y'})
    assert made['COVERAGE_PROCESS_START'] == 'kept'
    del made['COVERAGE_PROCESS_START']
    shown = subprocess.run([sys.executable, '-c', code], env=made, stdout=subprocess.PIPE)
    assert shown.stdout.split() == [b'None', b'y']
