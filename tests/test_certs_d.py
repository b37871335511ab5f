"""Certificates where docker and podman keep them: `certs.d/<host>/`."""

import os

import pytest
import requests

import dxf
import dxf.certificates

from .support.certificates import Served
from .support.client import client_for
from .support.fakeserver import Answer, FakeServer
from .support.shell import run_doit


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """The folders that are looked in, here."""
    made = [tmp_path / 'containers', tmp_path / 'docker']
    monkeypatch.setattr(dxf.certificates, 'FOLDERS', tuple(map(str, made)))
    return made


@pytest.fixture
def server(certificates, tmp_path):
    with FakeServer(Served(certificates.issue(tmp_path / 'a.pem', 'localhost'))) as made:
        made.on(None, '.*', lambda request: Answer(200, {'tags': ['there']}))
        yield made


@pytest.fixture
def picky(certificates, tmp_path):
    """Wants a client's certificate."""
    served = Served(certificates.issue(tmp_path / 'b.pem', 'localhost'), clients=certificates.ca)
    with FakeServer(served) as made:
        made.on(None, '.*', lambda request: Answer(200, {'tags': ['there']}))
        yield made


def put(folder, host, name, content):
    path = folder / host / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.exists(str(content)):
        with open(content, 'rb') as file:
            content = file.read()
    path.write_bytes(content)
    return str(path)


def put_client(folder, host, path, name='client'):
    """A certificate and its key, in two files."""
    with open(path, 'rb') as file:
        key, mark, certificate = file.read().partition(b'-----BEGIN CERTIFICATE-----')
    put(folder, host, f'{name}.key', key)
    put(folder, host, f'{name}.cert', mark + certificate)


def works(host, **settings):
    with dxf.DXF(host, 'a', retries=0, **settings) as client:
        return client.list_aliases() == ['there']


def refuses(host, **settings):
    with pytest.raises(requests.exceptions.RequestException):
        works(host, **settings)
    return True


@pytest.mark.parametrize('which', [0, 1])
def test_an_authority(folders, server, certificates, which):
    assert refuses(server.host)
    put(folders[which], server.host, 'ca.crt', certificates.ca)
    assert works(server.host)
    assert works(server.host.upper())


def test_podman_s_folder_goes_first(folders, server, certificates, other_certificates):
    put(folders[0], server.host, 'ca.crt', other_certificates.ca)
    put(folders[1], server.host, 'ca.crt', certificates.ca)
    assert refuses(server.host)


def test_it_is_for_one_host_and_port(folders, server, certificates):
    for host in ('localhost', f'localhost:{server.port + 1}', f'127.0.0.1:{server.port}', 'other'):
        put(folders[1], host, 'ca.crt', certificates.ca)
    assert refuses(server.host)


def test_of_several_authorities_each_counts(folders, server, certificates, other_certificates):
    put(folders[1], server.host, 'a.crt', other_certificates.ca)
    put(folders[1], server.host, 'b.crt', certificates.ca)
    put(folders[1], server.host, 'README', b'rubbish')
    assert works(server.host)


def test_public_authorities_count_beside_them(folders, server, certificates, other_certificates):
    """As with docker: to have one more authority is not to have the others no more."""
    put(folders[1], server.host, 'ca.crt', other_certificates.ca)
    public = dxf.certificates.DEFAULT_CA_BUNDLE_PATH
    kept = dxf.certificates.Certificates()
    bundle = kept.verify(server.url + '/v2/', True)
    with open(bundle) as made, open(public) as file:
        assert file.read().strip() in made.read()
    # It goes when what it belongs to does.
    del kept
    assert not os.path.exists(bundle)


@pytest.mark.parametrize('variable', ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'])
@pytest.mark.parametrize('is_folder', [False, True])
def test_authorities_of_the_environment_count_beside_them(
    folders, server, certificates, other_certificates, monkeypatch, tmp_path, variable, is_folder
):
    named = other_certificates.ca
    if is_folder:
        named = str(tmp_path / 'authorities')
        (tmp_path / 'authorities' / 'more').mkdir(parents=True)
        (tmp_path / 'authorities' / 'other.pem').write_bytes(
            other_certificates.authority.cert_pem.bytes()
        )
        (tmp_path / 'authorities' / 'README').write_text('rubbish')
    monkeypatch.setenv(variable, named)
    path = put(folders[1], server.host, 'ca.crt', certificates.ca)
    with FakeServer(other_certificates) as other:
        other.on(None, '.*', lambda request: Answer(200, {'tags': ['there']}))
        # Others know nothing of it.
        assert works(server.host)
        assert refuses(f'127.0.0.1:{server.port}')
        put(folders[1], other.host, 'ca.crt', certificates.ca)
        assert works(other.host)
    os.remove(path)
    assert refuses(server.host)


def test_where_the_environment_names_nothing(folders, server, certificates, monkeypatch, tmp_path):
    put(folders[1], server.host, 'ca.crt', certificates.ca)
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', str(tmp_path / 'absent'))
    with pytest.raises(OSError, match=r'invalid path: .*absent'):
        works(server.host)


def test_an_empty_folder_changes_nothing(folders, server, certificates):
    (folders[1] / server.host).mkdir(parents=True)
    assert refuses(server.host)
    assert works(server.host, tlsverify=certificates.ca)


def test_what_was_said_wins(folders, server, certificates, other_certificates):
    put(folders[1], server.host, 'ca.crt', certificates.ca)
    assert refuses(server.host, tlsverify=other_certificates.ca)
    put(folders[1], server.host, 'ca.crt', other_certificates.ca)
    assert works(server.host, tlsverify=certificates.ca)
    assert works(server.host, tlsverify=False)


def test_a_client_certificate(folders, picky, certificates, tmp_path):
    put(folders[1], picky.host, 'ca.crt', certificates.ca)
    assert refuses(picky.host)
    put_client(folders[1], picky.host, certificates.issue(tmp_path / 'c.pem', 'fred'))
    assert works(picky.host)


@pytest.mark.parametrize('how', ['argument', 'variable', 'unverified'])
def test_a_client_certificate_alone(folders, picky, certificates, tmp_path, monkeypatch, how):
    """Who vouches for the registry is said otherwise, or does not matter."""
    put_client(folders[1], picky.host, certificates.issue(tmp_path / 'c.pem', 'fred'))
    if how == 'variable':
        monkeypatch.setenv('REQUESTS_CA_BUNDLE', certificates.ca)
    given = {'argument': {'tlsverify': certificates.ca}, 'unverified': {'tlsverify': False}}
    assert works(picky.host, **given.get(how, {}))


def test_the_one_that_was_given_wins(folders, picky, certificates, other_certificates, tmp_path):
    put(folders[1], picky.host, 'ca.crt', certificates.ca)
    put_client(folders[1], picky.host, certificates.issue(tmp_path / 'c.pem', 'fred'))
    assert refuses(picky.host, tlscert=other_certificates.issue(tmp_path / 'd.pem', 'fred'))
    assert works(picky.host, tlscert=certificates.issue(tmp_path / 'e.pem', 'fred'))


def test_a_certificate_without_its_key_is_none(folders, picky, certificates, tmp_path):
    put(folders[1], picky.host, 'ca.crt', certificates.ca)
    put(folders[1], picky.host, 'a.cert', certificates.issue(tmp_path / 'c.pem', 'fred'))
    assert refuses(picky.host)
    put_client(folders[1], picky.host, certificates.issue(tmp_path / 'c.pem', 'fred'), 'b')
    assert works(picky.host)


def test_one_host_s_is_not_shown_to_another(folders, picky, server, certificates, tmp_path):
    for made in (picky, server):
        put(folders[1], made.host, 'ca.crt', certificates.ca)
    put_client(folders[1], server.host, certificates.issue(tmp_path / 'c.pem', 'fred'))
    server.on('GET', '/v2/a/.*', lambda r: Answer(307, headers={'Location': picky.url + '/x'}))
    assert refuses(server.host)
    assert picky.requests == []


BROKEN = b'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'


@pytest.mark.parametrize('content', [b'', b'rubbish', BROKEN, None])
def test_what_is_no_certificate_is_passed_over(folders, server, certificates, content):
    if content is None:
        (folders[1] / server.host / 'a.crt').mkdir(parents=True)
    else:
        put(folders[1], server.host, 'a.crt', content)
    assert refuses(server.host)
    put(folders[1], server.host, 'b.crt', certificates.ca)
    assert works(server.host)


def test_a_folder_that_may_not_be_read_is_passed_over(folders, server, certificates, monkeypatch):
    """As podman does: root's may be for root alone."""
    put(folders[1], server.host, 'ca.crt', certificates.ca)

    def refuse(path):
        raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr('os.listdir', refuse)
    assert refuses(server.host)
    assert works(server.host, tlsverify=certificates.ca)


def test_the_command_line(folders, server, picky, certificates, tmp_path):
    """With no home in the environment: these are the machine's."""
    for made in (server, picky):
        put(folders[1], made.host, 'ca.crt', certificates.ca)
    put_client(folders[1], picky.host, certificates.issue(tmp_path / 'c.pem', 'fred'))
    for made in (server, picky):
        result = run_doit('list-aliases', 'a', environ={'DXF_HOST': made.host})
        assert result == (0, b'there\n', b'')


@pytest.mark.parametrize('both', [True, False])
def test_a_real_registry_and_its_token_service(folders, registry_token, both):
    """Each is a host of its own."""
    put(folders[1], registry_token.host, 'ca.crt', registry_token.ca)
    if both:
        put(folders[1], registry_token.token_service.host, 'ca.crt', registry_token.ca)
    with client_for(registry_token, registry_token.new_repo(), tlsverify=True) as client:
        if both:
            client.push_blob(data=b'x')
            return
        with pytest.raises(requests.exceptions.SSLError):
            client.push_blob(data=b'x')
