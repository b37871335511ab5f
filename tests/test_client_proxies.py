"""Proxies, which come from the environment as in requests."""

import traceback
import warnings

import pytest
import requests

import dxf
from dxf import exceptions

from .support.client import client_for
from .support.complaints import complaint, run_main
from .support.fakeserver import Answer, FakeServer
from .support.tunnel import TunnelProxy
from .support.waiting import free_port


@pytest.fixture
def proxy():
    """For http: it is asked for whole addresses, and answers by itself."""
    with FakeServer() as server:
        server.on('GET', '.*', lambda request: Answer(200, {'tags': ['through the proxy']}))
        yield server


@pytest.mark.parametrize('variable', ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'])
def test_a_proxy_from_the_environment(monkeypatch, proxy, variable):
    client = dxf.DXF('registry.example:5000', 'a', insecure=True)
    monkeypatch.setenv(variable, proxy.url)
    assert client.list_aliases() == ['through the proxy']
    assert proxy.requests[0].target == 'http://registry.example:5000/v2/a/tags/list'


def test_no_proxy(monkeypatch, proxy, fake_server):
    fake_server.on('GET', '/v2/a/tags/list', lambda r: Answer(200, {'tags': ['direct']}))
    monkeypatch.setenv('http_proxy', proxy.url)
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    assert client.list_aliases() == ['through the proxy']
    monkeypatch.setenv('no_proxy', 'localhost')
    assert client.list_aliases() == ['direct']
    monkeypatch.delenv('no_proxy')
    assert client.list_aliases() == ['through the proxy']


def test_a_proxy_given_with_a_request(proxy):
    client = dxf.DXF('registry.example:5000', 'a', insecure=True)
    client._request('get', 'x', proxies={'http': proxy.url})
    assert proxy.requests[0].target == 'http://registry.example:5000/v2/a/x'


def test_a_proxy_for_https(monkeypatch, registry_htpasswd):
    """It is asked for a connection; what is said on that is not its business."""
    with FakeServer() as server:
        server.on('CONNECT', '.*', lambda request: Answer(403))
        monkeypatch.setenv('https_proxy', server.url)
        settings = registry_htpasswd.settings()
        with dxf.DXF(registry_htpasswd.host, 'a', **settings) as client:
            with pytest.raises(requests.exceptions.ConnectionError):
                client.list_aliases()
        assert {request.method for request in server.requests} == {'CONNECT'}
        assert server.requests[0].target == registry_htpasswd.host
        assert 'Authorization' not in server.requests[0].headers


@pytest.mark.parametrize('variable', ['https_proxy', 'HTTPS_PROXY'])
@pytest.mark.parametrize('name', ['htpasswd', 'token'])
@pytest.mark.parametrize('verified', [True, False])
def test_a_tunnel(request, monkeypatch, name, variable, verified):
    """All of it goes through, tokens too, and no warning is shown without verification."""
    flavour = request.getfixturevalue(f'registry_{name}')
    settings = {} if verified else {'tlsverify': False}
    with TunnelProxy() as tunnel, warnings.catch_warnings():
        warnings.simplefilter('error')
        monkeypatch.setenv(variable, tunnel.url)
        with client_for(flavour, flavour.new_repo()) as client:
            client._tlsverify = settings.get('tlsverify', client._tlsverify)
            digest = client.push_blob(data=b'through a tunnel')
            assert b''.join(client.pull_blob(digest)) == b'through a tunnel'
    expected = {('CONNECT', flavour.host)}
    if name == 'token':
        expected.add(('CONNECT', flavour.token_service.host))
    assert set(tunnel.targets) == expected
    # The proxy hears no credentials.
    assert not any('Authorization' in head for head in tunnel.heads)


def test_a_certificate_is_verified_through_a_tunnel(monkeypatch, registry_htpasswd):
    with TunnelProxy() as tunnel:
        monkeypatch.setenv('https_proxy', tunnel.url)
        with client_for(registry_htpasswd, 'a') as client:
            client._tlsverify = True
            with pytest.raises(requests.exceptions.SSLError):
                client.list_repos()
            client._tlsverify = registry_htpasswd.ca
            client.list_repos()
            client._tlsverify = True
            with pytest.raises(requests.exceptions.SSLError):
                client.list_repos()
    assert tunnel.targets


PASSWORD = 'proxy-s-pass'


@pytest.mark.parametrize(
    'proxy',
    [
        'http://fred:{}#word@localhost:1',
        'http://fred:{}/word@localhost:1',
        'http://fred:{}?word@localhost:1',
        'http://fred:12#{}@localhost:1',
        'http://fred:{}@[::1',
        'http://fred:{}@localhost:port',
        'fred:{}/@localhost:1',
        'http://fred:{}@',
        'http://',
    ],
)
@pytest.mark.parametrize('scheme', ['http', 'https'])
def test_a_proxy_without_an_address(monkeypatch, proxy, scheme):
    """What others say of it has a part of the password in it."""
    monkeypatch.setenv(scheme + '_proxy', proxy.format(PASSWORD))
    client = dxf.DXF('registry.example', 'a', insecure=scheme == 'http', retries=0)
    with pytest.raises(exceptions.DXFProxyError, match=f'the proxy for {scheme} ') as e:
        client.list_aliases()
    text = ''.join(traceback.format_exception(type(e.value), e.value, e.value.__traceback__))
    assert PASSWORD not in text
    assert isinstance(e.value, requests.exceptions.InvalidProxyURL)


def test_a_proxy_that_is_not_there_in_words():
    proxy = f'http://fred:{PASSWORD}@localhost:{free_port()}'
    environ = {'DXF_HOST': 'registry.example', 'DXF_RETRIES': '0', 'https_proxy': proxy}
    said = complaint(run_main('list-aliases', 'a', environ=environ))
    assert 'registry.example:443: it is not to be reached by the proxy' in said
    assert PASSWORD not in said


def test_a_proxy_that_refuses_in_words(proxy):
    proxy.on('CONNECT', '.*', lambda request: Answer(407))
    environ = {
        'DXF_HOST': 'registry.example',
        'DXF_RETRIES': '0',
        'https_proxy': f'http://fred:{PASSWORD}@{proxy.host}',
    }
    said = complaint(run_main('list-aliases', 'a', environ=environ))
    assert said == (
        'registry.example:443: it is not to be reached by the proxy that the environment '
        'names: Tunnel connection failed: 407 Proxy Authentication Required'
    )


@pytest.mark.parametrize('host', ['a' * 70 + '.example', 'a..example'])
@pytest.mark.parametrize('place', ['host', 'proxy', 'redirect', 'upload'])
def test_a_host_that_can_not_be_looked_up(monkeypatch, fake_server, host, place):
    """It is an address all the same."""
    target = f'http://{host}:1/x?sig={PASSWORD}'
    if place == 'proxy':
        monkeypatch.setenv('http_proxy', f'http://{host}:1')
    moved = Answer(202 if place == 'upload' else 307, headers={'Location': target})
    fake_server.on(None, '.*', lambda request: moved)
    used = host if place == 'host' else fake_server.host
    client = dxf.DXF(used, 'a', insecure=True, retries=0)
    with pytest.raises(requests.exceptions.RequestException) as e:
        client.push_blob(data=b'x', check_exists=False)
    assert PASSWORD not in str(e.value)
