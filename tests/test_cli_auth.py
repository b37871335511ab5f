"""Credentials: the command `auth`, and the variables that others answer challenges with."""

import errno

import pytest

from dxf.exceptions import DXFAuthInsecureError

from .support.fakeserver import Answer
from .support.plain import PlainClient, sha256
from .support.shell import run_doit
from .support.tokens import TokenService

CONTENT = b'some content'
DIGEST = sha256(CONTENT)
LINE = DIGEST.encode() + b'\n'


def granted(flavour):
    """What the tokens were for: `(kind, name, actions)` each."""
    return [
        [(access['type'], access['name'], access['actions']) for access in one]
        for one in flavour.token_service.granted
    ]


def everything_about(out, environ, repo, path):
    """Push, name, read and list, by whatever runs commands."""
    assert out('push-blob', repo, path, '@latest', **environ) == LINE
    assert out('pull-blob', repo, '@latest', **environ) == CONTENT
    assert out('list-aliases', repo, **environ) == b'latest\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize('by', ['password', 'authorization'])
def test_credentials(run, registry, repo, file, by):
    environ = registry.environ(by)
    assert run('push-blob', repo, file, '@latest', environ=environ) == (0, LINE, b'')
    assert run('pull-blob', repo, '@latest', environ=environ) == (0, CONTENT, b'')
    assert run('list-repos', environ=environ)[::2] == (0, b'')


def test_user_and_password_win_over_authorization(registry_htpasswd, file):
    environ = registry_htpasswd.environ(DXF_AUTHORIZATION='Basic d3Jvbmc6d3Jvbmc=')
    repo = registry_htpasswd.new_repo()
    assert run_doit('push-blob', repo, file, environ=environ) == (0, LINE, b'')


@pytest.mark.parametrize('missing', ['DXF_USERNAME', 'DXF_PASSWORD'])
@pytest.mark.parametrize('unset', [True, False])
def test_half_of_user_and_password_is_nothing(registry_htpasswd, file, missing, unset):
    environ = registry_htpasswd.environ(DXF_AUTHORIZATION=registry_htpasswd.authorization)
    environ[missing] = ''
    if unset:
        del environ[missing]
    repo = registry_htpasswd.new_repo()
    assert run_doit('push-blob', repo, file, environ=environ) == (0, LINE, b'')


@pytest.mark.parametrize('by', ['password', 'authorization'])
def test_auth_prints_the_token(run, registry_token, by):
    repo = registry_token.new_repo()
    environ = registry_token.environ(by)
    code, out, err = run('auth', repo, 'pull', 'push', environ=environ)
    assert (code, err) == (0, b'')
    assert granted(registry_token) == [[('repository', repo, ['pull', 'push'])]]
    token, newline, rest = out.partition(b'\n')
    assert (newline, rest) == (b'\n', b'')
    # Three parts: it is the token, and the registry takes it, as the next test shows.
    assert token.count(b'.') == 2


def test_token(run, registry_token, file):
    repo = registry_token.new_repo()
    environ = registry_token.environ()
    token = run('auth', repo, '*', environ=environ).out.decode().strip()
    registry_token.token_service.clear()
    without = {k: v for k, v in environ.items() if k not in ('DXF_USERNAME', 'DXF_PASSWORD')}
    with_token = {**without, 'DXF_TOKEN': token}
    assert run('push-blob', repo, file, '@latest', environ=with_token) == (0, LINE, b'')
    assert run('del-blob', repo, '@latest', environ=with_token) == (0, b'', b'')
    assert registry_token.token_service.requests == []


def test_a_token_that_is_refused_is_replaced(run, registry_token, file):
    repo = registry_token.new_repo()
    expired = registry_token.token_service.sign(lifetime=-1000)
    environ = registry_token.environ(DXF_TOKEN=expired)
    assert run('push-blob', repo, file, environ=environ) == (0, LINE, b'')
    assert granted(registry_token) != []


def test_auth_without_actions_takes_the_challenge_s_scope(run, registry_token, fake_tls_server):
    repo = registry_token.new_repo()
    assert run('auth', repo, environ=registry_token.environ()).code == 0
    # This registry's challenge for /v2/ has none.
    assert granted(registry_token) == [[]]

    service = registry_token.token_service
    fake_tls_server.on(
        'GET',
        '/v2/',
        Answer(
            401,
            headers={
                'WWW-Authenticate': f'Bearer realm="{service.realm}",scope="repository:x/y:pull"'
            },
        ),
    )
    service.clear()
    environ = registry_token.environ(DXF_HOST=fake_tls_server.host)
    assert run('auth', repo, environ=environ).code == 0
    assert granted(registry_token) == [[('repository', 'x/y', ['pull'])]]


@pytest.mark.parametrize('actions', [[], ['pull'], ['pull', 'push', '*']])
@pytest.mark.parametrize('kind', ['http', 'htpasswd'])
def test_auth_prints_nothing_where_there_is_no_token(request, run, kind, actions):
    registry = request.getfixturevalue(f'registry_{kind}')
    result = run('auth', registry.new_repo(), *actions, environ=registry.environ())
    assert result == (0, b'', b'')


def test_auth_without_credentials_where_basic_is_wanted(run, registry_htpasswd):
    environ = registry_htpasswd.environ(by='nothing')
    repo = registry_htpasswd.new_repo()
    # There is no token to print. The registry is not asked for anything else, which it refuses.
    assert run('auth', repo, 'pull', environ=environ) == (0, b'', b'')
    assert run('list-aliases', repo, environ=environ).code == errno.EACCES


def test_anonymous_where_that_is_allowed(run, registry_token, file):
    """The command line answers a challenge without having any credentials."""
    repo = registry_token.new_repo()
    with PlainClient(registry_token, repo) as plain:
        plain.push_alias('latest', CONTENT)
    service = registry_token.token_service
    service.clear()
    service.anonymous_actions = {'pull'}
    environ = registry_token.environ(by='nothing')
    assert run('pull-blob', repo, '@latest', environ=environ) == (0, CONTENT, b'')
    assert service.requests[0].headers['Authorization'] is None
    code, out, err = run('auth', repo, 'pull', environ=environ)
    assert (code, err) == (0, b'')
    assert out.count(b'.') == 2
    # And no more than what is allowed.
    code, out, err = run('set-alias', repo, 'other', DIGEST, environ=environ)
    assert (code, out) == (errno.EACCES, b'')


@pytest.mark.parametrize('kind', ['htpasswd', 'token'])
@pytest.mark.parametrize('by', ['nothing', 'wrong password', 'wrong header'])
@pytest.mark.parametrize(
    'command',
    [
        ['push-blob', '{repo}', '{file}', '@latest'],
        ['pull-blob', '{repo}', DIGEST],
        ['pull-blob', '{repo}', '@latest'],
        ['blob-size', '{repo}', DIGEST],
        ['mount-blob', '{repo}', 'other/one', DIGEST],
        ['del-blob', '{repo}', DIGEST],
        ['set-alias', '{repo}', 'latest', DIGEST],
        ['get-alias', '{repo}', 'latest'],
        ['del-alias', '{repo}', 'latest'],
        ['get-digest', '{repo}', 'latest'],
        ['get-manifest', '{repo}', 'latest'],
        ['list-aliases', '{repo}'],
        ['list-repos'],
    ],
)
def test_a_stranger_is_refused(request, file, kind, by, command):
    registry = request.getfixturevalue(f'registry_{kind}')
    environ = registry.environ('nothing')
    if by == 'wrong password':
        environ.update(DXF_USERNAME=registry.username, DXF_PASSWORD='wrong')
    elif by == 'wrong header':
        environ['DXF_AUTHORIZATION'] = 'Basic d3Jvbmc6d3Jvbmc='
    if kind == 'token':
        registry.token_service.refuse_anonymous = True
    args = [word.format(repo='no/such', file=file) for word in command]
    code, out, err = run_doit(*args, environ=environ)
    assert (code, out) == (errno.EACCES, b'')
    assert err.startswith(b'dxf: ')
    assert err.count(b'\n') == 1
    assert b'wrong' not in err
    assert b'd3Jvbmc6d3Jvbmc=' not in err


@pytest.mark.parametrize('kind', ['htpasswd', 'token'])
def test_a_wrong_password_in_a_shell(request, run, kind):
    registry = request.getfixturevalue(f'registry_{kind}')
    environ = registry.environ(DXF_PASSWORD='wrong')
    for command in (['auth', 'a/b', 'pull'], ['list-aliases', 'a/b']):
        code, out, err = run(*command, environ=environ)
        if (command[0], kind) == ('auth', 'htpasswd'):
            # Nobody has looked at it yet: the header is kept for later requests.
            assert (code, out, err) == (0, b'', b'')
            continue
        assert (code, out) == (errno.EACCES, b'')
        assert err.startswith(b'dxf: ')


def test_auth_host(run, registry_token, certificates, file):
    """Tokens come from there, whatever the registry says, by the path that it names."""
    repo = registry_token.new_repo()
    service = registry_token.token_service
    with TokenService(certificates, service.username, service.password) as other:
        environ = registry_token.environ(DXF_AUTH_HOST=other.host)
        assert run('push-blob', repo, file, environ=environ) == (0, LINE, b'')
        assert {request.path for request in other.requests} == {'/token'}
    assert service.requests == []


def test_credentials_are_not_sent_over_http(fake_server):
    fake_server.on(None, '.*', Answer(401, headers={'WWW-Authenticate': 'Basic realm="x"'}))
    environ = {
        'DXF_HOST': fake_server.host,
        'DXF_INSECURE': '1',
        'DXF_USERNAME': 'fred',
        'DXF_PASSWORD': 'secret',
    }
    for command in (['auth', 'a/b', 'pull'], ['list-aliases', 'a/b']):
        with pytest.raises(DXFAuthInsecureError):
            run_doit(*command, environ=environ)
    assert all('Authorization' not in request.headers for request in fake_server.requests)


def test_a_token_is_sent_over_http(fake_server):
    """Who sets it wants that."""
    fake_server.on('GET', '/v2/a/b/tags/list', Answer(body={'tags': ['latest']}))
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1', 'DXF_TOKEN': 'opaque'}
    assert run_doit('list-aliases', 'a/b', environ=environ) == (0, b'latest\n', b'')
    assert fake_server.requests[0].headers['Authorization'] == 'Bearer opaque'
