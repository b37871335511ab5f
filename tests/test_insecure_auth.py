"""Over http dxf sends no credentials of its own accord, but to the loopback where told to."""

import pytest
import responses

import dxf
from dxf import exceptions

from .support import secrets
from .support.complaints import complaint, run_main
from .support.fakeserver import Answer, FakeServer
from .support.flavours import PASSWORD, USERNAME, Flavour
from .support.logins import auth as base64_of
from .support.mocked import bearer
from .support.plain import sha256
from .support.registry import htpasswd_auth, token_auth
from .support.shell import run_doit

BASIC = 'Basic ' + base64_of('fred', secrets.PASSWORD)
IDENTITY = 'identity-of-fred-for-http'
secrets.keep(IDENTITY)

CREDENTIALS = {
    'password': {'username': 'fred', 'password': secrets.PASSWORD},
    'header': {'authorization': BASIC},
    'identity token': {'identity_token': IDENTITY},
    'nobody': {},
}
CHALLENGES = ['Basic realm="r"', 'Bearer realm="{url}/token"', 'Bearer realm="{tls}/token"']

LOOPBACK = ['localhost', 'LOCALHOST:5000', '127.0.0.1', '127.8.9.10:5000', '[::1]', '[::1]:5000']
ELSEWHERE = [
    'registry.example',
    'localhost.example:5000',
    '10.0.0.1:5000',
    '0.0.0.0',
    '[2001:db8::1]',
    '127.0.0.1.example',
    '1.0.0.127',
    'localhost.',
]


@pytest.fixture(params=CREDENTIALS)
def credentials(request):
    return CREDENTIALS[request.param]


def answering(credentials):
    def auth(client, response):
        client.authenticate(response=response, **credentials)

    return auth


def heard(*servers):
    """Everything that servers were told."""
    return ''.join(
        f'{r.target} {r.headers} {r.body!r}' for server in servers for r in server.requests
    )


@pytest.mark.parametrize('challenge', CHALLENGES)
def test_nothing_is_sent(fake_server, fake_tls_server, certificates, credentials, challenge):
    """Not to the registry, and not to the token service that it names, by https as may be."""
    header = challenge.format(url=fake_server.url, tls=fake_tls_server.url)
    fake_server.on(None, '.*', lambda r: Answer(401, headers={'WWW-Authenticate': header}))
    client = dxf.DXF(
        fake_server.host, 'a', answering(credentials), insecure=True, tlsverify=certificates.ca
    )
    for use in (
        client.list_aliases,
        lambda: client.push_blob(data=b'x'),
        lambda: client.authenticate(**credentials),
    ):
        with pytest.raises(exceptions.DXFAuthInsecureError):
            use()
    assert fake_tls_server.requests == []
    assert not secrets.found(heard(fake_server))


@pytest.mark.parametrize('name', ['DXF_INSECURE_AUTH', 'insecure_auth'])
@pytest.mark.parametrize('host', ELSEWHERE)
def test_no_word_makes_it_go_elsewhere(host, name):
    with responses.RequestsMock() as mock:
        url = f'http://{host}/v2/a/tags/list'
        mock.get(url, status=401, headers={'WWW-Authenticate': bearer('http://localhost/token')})
        with pytest.raises(exceptions.DXFAuthInsecureError):
            if name == 'insecure_auth':
                auth = answering(CREDENTIALS['password'])
                dxf.DXF(host, 'a', auth, True, insecure_auth=True).list_aliases()
            else:
                run_doit(
                    'list-aliases',
                    'a',
                    environ={
                        'DXF_HOST': host,
                        'DXF_INSECURE': '1',
                        'DXF_INSECURE_AUTH': '1',
                        'DXF_USERNAME': 'fred',
                        'DXF_PASSWORD': secrets.PASSWORD,
                    },
                )
        assert len(mock.calls) == 1


@pytest.mark.parametrize('direct', ['', 'localhost'])
@pytest.mark.parametrize('challenge', CHALLENGES[:2])
def test_a_proxy_hears_none(
    fake_server, certificates, monkeypatch, credentials, challenge, direct
):
    """What is for the loopback goes over the network then. Both must be spoken to directly."""
    header = challenge.format(url='http://127.0.0.1:1')
    with FakeServer() as proxy:
        for server in (fake_server, proxy):
            server.on(None, '.*', lambda r: Answer(401, headers={'WWW-Authenticate': header}))
        monkeypatch.setenv('http_proxy', proxy.url)
        monkeypatch.setenv('no_proxy', direct)
        client = dxf.DXF(
            fake_server.host, 'a', answering(credentials), True, insecure_auth=True, retries=0
        )
        by_basic = header.startswith('Basic') and direct
        error = exceptions.DXFUnauthorizedError if by_basic else exceptions.DXFAuthInsecureError
        with pytest.raises(error):
            client.list_aliases()
        assert 'Authorization' not in heard(proxy)
        assert [r.method for r in proxy.requests] == ([] if direct else ['GET'])
        shows = by_basic and ('password' in credentials or 'authorization' in credentials)
        assert ('Authorization' in heard(fake_server)) == bool(shows)


@pytest.mark.parametrize('host', LOOPBACK)
@pytest.mark.parametrize('scheme', ['Basic', 'Bearer'])
def test_the_loopback_by_any_name(host, scheme):
    client = dxf.DXF(host, 'a', answering(CREDENTIALS['password']), True, insecure_auth=True)
    with responses.RequestsMock() as mock:
        url = f'http://{host.lower()}/v2/a/tags/list'
        header = 'Basic realm="r"' if scheme == 'Basic' else bearer('http://[::1]:1/token')
        mock.get(url, status=401, headers={'WWW-Authenticate': header})
        if scheme == 'Bearer':
            mock.get('http://[::1]:1/token', json={'token': 'granted'})
        mock.get(url, json={'tags': ['there']})
        assert client.list_aliases() == ['there']
        shown = [call.request.headers.get('Authorization') for call in mock.calls]
    assert shown == ([None, BASIC] if scheme == 'Basic' else [None, BASIC, 'Bearer granted'])


@pytest.mark.parametrize(
    ('realm', 'auth_host', 'expected'),
    [
        ('http://localhost:1/token', None, 'http://localhost:1/token'),
        ('http://127.0.0.1:1/token', None, 'http://127.0.0.1:1/token'),
        ('https://localhost:1/token', None, 'https://localhost:1/token'),
        ('http://tokens.example/token', None, 'https://tokens.example/token'),
        ('http://localhost@tokens.example/token', None, 'https://tokens.example/token'),
        ('http://localhost:1/token', 'tokens.example', 'https://tokens.example/token'),
        ('http://tokens.example/token', 'localhost:1', 'http://localhost:1/token'),
        ('/token', None, 'http://localhost:5000/token'),
    ],
)
def test_the_token_service_must_be_on_the_loopback_too(realm, auth_host, expected):
    """Else it is asked by https, whatever the registry says."""
    client = dxf.DXF(
        'localhost:5000',
        'a',
        answering(CREDENTIALS['password']),
        True,
        auth_host,
        insecure_auth=True,
    )
    with responses.RequestsMock() as mock:
        url = 'http://localhost:5000/v2/a/tags/list'
        mock.get(url, status=401, headers={'WWW-Authenticate': bearer(realm)})
        mock.get(expected, json={'token': 'granted'})
        mock.get(url, json={'tags': ['there']})
        assert client.list_aliases() == ['there']


@pytest.mark.parametrize('value', ['', '0', 'true', 'yes', ' 1'])
def test_it_is_1_and_nothing_else(fake_server, value):
    fake_server.on(
        None, '.*', lambda r: Answer(401, headers={'WWW-Authenticate': 'Basic realm=r'})
    )
    said = complaint(
        run_main(
            'list-aliases',
            'a',
            environ={
                'DXF_HOST': fake_server.host,
                'DXF_INSECURE': '1',
                'DXF_INSECURE_AUTH': value,
                'DXF_USERNAME': 'fred',
                'DXF_PASSWORD': secrets.PASSWORD,
            },
        )
    )
    assert 'https' in said
    assert not secrets.found(heard(fake_server))


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
@pytest.mark.parametrize('from_', ['/v2/a/tags/list', '/token'])
def test_what_is_elsewhere_gets_none(fake_server, status, from_):
    """Another port of the loopback is another one."""
    challenge = {'WWW-Authenticate': f'Bearer realm="{fake_server.url}/token"'}
    fake_server.on(
        None,
        '/v2/.*',
        lambda r: (
            Answer(200, {'tags': ['there']})
            if r.headers.get('Authorization') == 'Bearer granted'
            else Answer(401, headers=challenge)
        ),
    )
    fake_server.on(None, '/token', lambda request: Answer(200, {'token': 'granted'}))
    with FakeServer() as other:
        other.on(None, '.*', lambda r: Answer(200, {'tags': ['else'], 'token': 'granted'}))
        moved = Answer(status, headers={'Location': f'{other.url}/elsewhere'})
        fake_server.on(
            None,
            from_,
            lambda request: (
                moved
                if request.path == '/token' or 'Authorization' in request.headers
                else Answer(401, headers=challenge)
            ),
        )
        with dxf.DXF(
            fake_server.host, 'a', answering(CREDENTIALS['password']), True, insecure_auth=True
        ) as client:
            assert client.list_aliases() == [{'/token': 'there'}.get(from_, 'else')]
        assert other.requests
        assert not secrets.found(heard(other))
        assert 'Authorization' not in heard(other)
    assert secrets.found(heard(fake_server))


def test_a_caller_s_own_token_goes_over_http(fake_server):
    """It is the caller's, as the contract has it."""
    fake_server.on(None, '.*', lambda request: Answer(200, {'tags': []}))
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    client.token = 'mine'
    client.list_aliases()
    assert fake_server.requests[-1].headers['Authorization'] == 'Bearer mine'


def test_with_https_it_changes_nothing(fake_tls_server, fake_server, certificates):
    """The realm is asked by https though it says http and is on the loopback."""
    fake_tls_server.on(
        None,
        '.*',
        lambda r: Answer(
            401,
            headers={'WWW-Authenticate': f'Bearer realm="http://{fake_tls_server.host}/token"'},
        ),
    )
    fake_tls_server.on(None, '/token', lambda request: Answer(200, {'token': 'granted'}))
    auth = answering(CREDENTIALS['password'])
    with dxf.DXF(
        fake_tls_server.host, 'a', auth, tlsverify=certificates.ca, insecure_auth=True
    ) as client:
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.list_aliases()
    assert len(fake_tls_server.seen('GET', '/token')) == 1


@pytest.fixture(scope='module')
def flavours(make_registry, session_token_service, tmp_path_factory):
    """Real ones that ask for credentials over http."""
    users = htpasswd_auth(tmp_path_factory.mktemp('users'), {USERNAME: PASSWORD})
    return {
        kind: Flavour(kind, make_registry(auth=auth), True, username=USERNAME, password=PASSWORD)
        for kind, auth in (('htpasswd', users), ('token', token_auth(session_token_service)))
    }


@pytest.mark.parametrize('kind', ['htpasswd', 'token'])
def test_a_real_registry(flavours, certificates, tmp_path, kind):
    """Its token service speaks https, and is asked so."""
    flavour = flavours[kind]
    repo = flavour.new_repo()
    settings = flavour.settings(tlsverify=certificates.ca)
    with dxf.DXF(flavour.host, repo, **settings) as client:
        with pytest.raises(exceptions.DXFAuthInsecureError):
            client.push_blob(data=b'x')
    with dxf.DXFBase(flavour.host, **settings, insecure_auth=True) as base:
        client = dxf.DXF.from_base(base, repo)
        client.set_alias('latest', client.push_blob(data=b'over http'))
        assert b''.join(client.pull_blob(sha256(b'over http'))) == b'over http'
    environ = flavour.environ(DXF_TLSVERIFY=certificates.ca, DXF_INSECURE_AUTH='1')
    assert run_doit('pull-blob', repo, '@latest', environ=environ) == (0, b'over http', b'')
