"""Certificates that do not verify, in words; client certificates; proxies; http and https."""

import pytest
import requests

import dxf

from .support.certificates import DAY, Served
from .support.client import client_for
from .support.complaints import complaint, run_main
from .support.fakeserver import Answer, FakeServer
from .support.flavours import Flavour
from .support.plain import sha256
from .support.shell import run_process
from .support.tunnel import TunnelProxy


@pytest.fixture
def place(tmp_path):
    """Where a certificate may be written."""
    return tmp_path / 'made.pem'


def serve(served):
    server = FakeServer(served)
    server.on(None, '.*', lambda request: Answer(200, {'tags': ['there']}))
    return server


def said_of(server, certificates, host='localhost', **environ):
    """What the command line says of a server that can't be used."""
    return complaint(run_main('list-aliases', 'a', environ={
        'DXF_HOST': f'{host}:{server.port}', 'DXF_TLSVERIFY': certificates.ca,
        'DXF_RETRIES': '0', **environ,
    }))  # fmt: skip


# In words

SERVED = {
    'self-signed': (('localhost',), {'signed': False}, ('self-signed', 'set DXF_TLSVERIFY')),
    'another host': (('other.example',), {}, ('mismatch', 'check DXF_HOST')),
    'another address': (('127.0.0.2',), {}, ('mismatch', 'check DXF_HOST')),
    'expired': (
        ('localhost',),
        {'begins': -2 * DAY, 'ends': -DAY},
        ('expired', 'needs a new one'),
    ),
    'not yet valid': (
        ('localhost',),
        {'begins': DAY, 'ends': 2 * DAY},
        ('not yet valid', 'clock'),
    ),
}


@pytest.mark.parametrize('kind', SERVED)
def test_a_certificate_that_does_not_verify(certificates, place, kind):
    names, dates, words = SERVED[kind]
    with serve(Served(certificates.issue(place, *names, **dates))) as server:
        said = said_of(server, certificates)
        assert said.startswith(f'localhost:{server.port}: its certificate does not verify: ')
        for word in words:
            # OpenSSL spells it in two ways.
            assert word in said.replace('self signed', 'self-signed')
        with pytest.raises(requests.exceptions.SSLError):
            dxf.DXF(server.host, 'a', tlsverify=certificates.ca).list_aliases()
        assert dxf.DXF(server.host, 'a', tlsverify=False).list_aliases() == ['there']
    assert len(server.requests) == 1


def test_an_authority_that_is_not_known(certificates, other_certificates, place):
    with serve(Served(other_certificates.issue(place, 'localhost'))) as server:
        said = said_of(server, certificates)
        assert 'unable to get local issuer certificate; set DXF_TLSVERIFY to the bundle' in said
        # That is what to do.
        environ = {'DXF_HOST': server.host, 'DXF_TLSVERIFY': other_certificates.ca}
        assert run_process('list-aliases', 'a', environ=environ).out == b'there\n'


def test_http_where_https_was_asked_for(certificates):
    with serve(None) as server:
        said = said_of(server, certificates)
        assert 'does not speak https; set DXF_INSECURE=1' in said
        environ = {'DXF_HOST': server.host, 'DXF_INSECURE': '1'}
        assert run_process('list-aliases', 'a', environ=environ).out == b'there\n'


def test_https_where_http_was_asked_for(certificates, place):
    with serve(Served(certificates.issue(place, 'localhost'))) as server:
        assert 'unset DXF_INSECURE' in said_of(server, certificates, DXF_INSECURE='1')


def test_https_where_http_was_asked_for_of_a_real_registry(registry_htpasswd):
    """It says what is wrong by itself."""
    environ = {'DXF_HOST': registry_htpasswd.host, 'DXF_INSECURE': '1'}
    said = complaint(run_main('list-aliases', 'a', environ=environ))
    assert 'it speaks https: unset DXF_INSECURE' in said


# Bundles


BROKEN = '-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n'


@pytest.mark.parametrize('content', [None, '', 'rubbish', BROKEN[:28], BROKEN])
def test_bundles_that_are_none(certificates, place, tmp_path, content):
    bundle = tmp_path / 'bundle.pem'
    if content is not None:
        bundle.write_text(content)
    with serve(Served(certificates.issue(place, 'localhost'))) as server:
        assert str(bundle) in said_of(server, certificates, DXF_TLSVERIFY=str(bundle))
        assert server.requests == []


# Client certificates


@pytest.fixture
def picky(certificates, place):
    """Lets in who shows a certificate of the tests' authority."""
    made = Served(certificates.issue(place, 'localhost'), clients=certificates.ca)
    with serve(made) as server:
        yield server


@pytest.fixture
def shown(certificates, tmp_path):
    """A client's certificate and its key, in one file."""
    return certificates.issue(tmp_path / 'client.pem', 'fred')


def parts(shown, tmp_path):
    """The same in two files."""
    with open(shown) as file:
        key, mark, certificate = file.read().partition('-----BEGIN CERTIFICATE-----')
    (tmp_path / 'client.key').write_text(key)
    (tmp_path / 'client.cert').write_text(mark + certificate)
    return str(tmp_path / 'client.cert'), str(tmp_path / 'client.key')


@pytest.mark.parametrize('files', [1, 2])
@pytest.mark.parametrize('by', ['arguments', 'variables'])
def test_a_client_certificate(run, picky, certificates, shown, tmp_path, files, by):
    cert, key = (shown, None) if files == 1 else parts(shown, tmp_path)
    if by == 'arguments':
        with dxf.DXF(picky.host, 'a', tlsverify=certificates.ca, tlscert=cert,
                     tlskey=key) as client:  # fmt: skip
            assert client.list_aliases() == ['there']
            assert dxf.DXF.from_base(client, 'b').list_aliases() == ['there']
        return
    environ = {'DXF_HOST': picky.host, 'DXF_TLSVERIFY': certificates.ca,
               'DXF_TLSCERT': cert, 'DXF_TLSKEY': key or ''}  # fmt: skip
    assert run('list-aliases', 'a', environ=environ) == (0, b'there\n', b'')


def test_a_client_certificate_without_verifying(picky, shown):
    with dxf.DXF(picky.host, 'a', tlsverify=False, tlscert=shown) as client:
        assert client.list_aliases() == ['there']


def test_no_client_certificate(picky, certificates):
    with pytest.raises(requests.exceptions.RequestException):
        dxf.DXF(picky.host, 'a', tlsverify=certificates.ca, retries=0).list_aliases()
    said_of(picky, certificates)
    assert picky.requests == []


def test_no_client_certificate_in_words(picky, certificates):
    assert 'DXF_TLSCERT' in said_of(picky, certificates)


@pytest.mark.parametrize('dates', [{}, {'begins': -2 * DAY, 'ends': -DAY}])
def test_one_that_is_refused(picky, certificates, other_certificates, tmp_path, dates):
    """It is of another authority, or has expired."""
    issuer = certificates if dates else other_certificates
    cert = issuer.issue(tmp_path / 'other.pem', 'fred', **dates)
    said = said_of(picky, certificates, DXF_TLSCERT=cert)
    assert "it refuses the client's certificate: check DXF_TLSCERT" in said
    assert picky.requests == []


@pytest.mark.parametrize('name', ['DXF_TLSCERT', 'DXF_TLSKEY'])
def test_a_file_that_is_not_there(picky, certificates, shown, name):
    assert '/no/such/file' in said_of(
        picky, certificates, **{'DXF_TLSCERT': shown, name: '/no/such/file'}
    )


@pytest.mark.parametrize('name', ['DXF_TLSCERT', 'DXF_TLSKEY'])
@pytest.mark.parametrize('kind', ['rubbish', 'another key', 'a folder'])
def test_a_file_that_is_none(picky, certificates, shown, tmp_path, name, kind):
    path = tmp_path / 'file'
    if kind == 'rubbish':
        path.write_text('rubbish')
    elif kind == 'a folder':
        path.mkdir()
    else:
        certificates.issue(path, 'fred')
    if kind == 'another key' and name == 'DXF_TLSCERT':
        shown, path = path, shown
        name = 'DXF_TLSKEY'
    said = said_of(picky, certificates, **{'DXF_TLSCERT': str(shown), name: str(path)})
    assert str(path) in said or str(shown) in said


def test_a_key_without_its_certificate(picky, certificates, shown):
    said = said_of(picky, certificates, DXF_TLSKEY=shown)
    assert 'DXF_TLSKEY is set without DXF_TLSCERT' in said


@pytest.fixture(scope='module')
def picky_flavour(make_registry, certificates, tmp_path_factory):
    """A real registry that wants client certificates."""
    client = certificates.issue(tmp_path_factory.mktemp('client') / 'client.pem', 'fred')
    return Flavour('picky', make_registry(certificates=certificates, client=client),
                   ca=certificates.ca)  # fmt: skip


def test_a_real_registry_that_wants_one(picky_flavour, tmp_path):
    repo = picky_flavour.new_repo()
    tlscert = picky_flavour.registry.client
    with client_for(picky_flavour, repo, retries=0) as client:
        with pytest.raises(requests.exceptions.RequestException):
            client.list_aliases()
    with client_for(picky_flavour, repo, tlscert=tlscert) as client:
        digest = client.push_blob(data=b'shown')
        client.set_alias('latest', digest)
        assert b''.join(client.pull_blob(digest)) == b'shown'
    environ = picky_flavour.environ(DXF_TLSCERT=tlscert)
    assert run_process('get-alias', repo, 'latest', environ=environ).out.decode() == (
        sha256(b'shown') + '\n'
    )


# Proxies


@pytest.mark.parametrize('variable', ['https_proxy', 'HTTPS_PROXY', 'ALL_PROXY'])
def test_a_client_certificate_goes_through_a_tunnel(monkeypatch, picky_flavour, variable):
    tlscert = picky_flavour.registry.client
    with TunnelProxy() as tunnel, client_for(picky_flavour, 'a', tlscert=tlscert) as client:
        monkeypatch.setenv(variable, tunnel.url)
        client.list_repos()
        assert tunnel.targets == [('CONNECT', picky_flavour.host)]
        monkeypatch.setenv('no_proxy', 'localhost')
        client.list_repos()
        assert len(tunnel.targets) == 1


def test_a_proxy_s_own_password(monkeypatch, registry_htpasswd):
    """The proxy gets its own, and the registry's goes past it."""
    with TunnelProxy() as tunnel:
        monkeypatch.setenv('https_proxy', tunnel.url.replace('//', '//prue:proxy-word@'))
        with client_for(registry_htpasswd, registry_htpasswd.new_repo()) as client:
            client.push_blob(data=b'x')
    assert tunnel.heads
    for head in tunnel.heads:
        assert 'Proxy-Authorization: Basic cHJ1ZTpwcm94eS13b3Jk' in head
        assert '\nAuthorization' not in head
