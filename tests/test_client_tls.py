"""Certificates: verified or not, with a bundle given in each way, changed between requests."""

import subprocess
import sys

import pytest
import requests

import dxf

from .support.client import client_for
from .support.commandline import environment
from .support.fakeserver import Answer
from .support.plain import sha256

VARIABLES = ('REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE')


@pytest.fixture
def base(registry_htpasswd):
    """One that has not been told whom to trust."""
    settings = dict(registry_htpasswd.settings(), tlsverify=True)
    with dxf.DXFBase(registry_htpasswd.host, **settings) as made:
        yield made


def works(base):
    return isinstance(base.list_repos(1), list)


def refuses(base):
    with pytest.raises(requests.exceptions.SSLError):
        base.list_repos()
    return True


def test_an_unknown_authority_is_refused(base):
    assert refuses(base)


@pytest.mark.parametrize('variable', VARIABLES)
def test_variables_are_read_afresh_at_each_request(
    monkeypatch, base, certificates, other_certificates, variable
):
    assert refuses(base)
    monkeypatch.setenv(variable, certificates.ca)
    assert works(base)
    # The connection that is open now was made while others were trusted.
    monkeypatch.setenv(variable, other_certificates.ca)
    assert refuses(base)
    monkeypatch.setenv(variable, certificates.ca)
    assert works(base)
    monkeypatch.delenv(variable)
    assert refuses(base)
    monkeypatch.setenv(variable, '')
    assert refuses(base)


def test_requests_own_variable_wins(monkeypatch, base, certificates, other_certificates):
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', certificates.ca)
    monkeypatch.setenv('CURL_CA_BUNDLE', other_certificates.ca)
    assert works(base)
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', '')
    assert refuses(base)


@pytest.mark.parametrize('variable', VARIABLES)
def test_a_bundle_given_wins(monkeypatch, registry_htpasswd, other_certificates, variable):
    monkeypatch.setenv(variable, other_certificates.ca)
    with dxf.DXFBase(registry_htpasswd.host, **registry_htpasswd.settings()) as base:
        assert works(base)


@pytest.mark.parametrize('variable', VARIABLES)
def test_not_verifying_wins(monkeypatch, registry_htpasswd, other_certificates, variable):
    monkeypatch.setenv(variable, other_certificates.ca)
    settings = dict(registry_htpasswd.settings(), tlsverify=False)
    with dxf.DXFBase(registry_htpasswd.host, **settings) as base:
        assert works(base)


@pytest.mark.parametrize('variable', VARIABLES)
def test_tokens_come_by_the_same_trust(monkeypatch, registry_token, variable):
    settings = dict(registry_token.settings(), tlsverify=True)
    with dxf.DXF(registry_token.host, registry_token.new_repo(), **settings) as client:
        monkeypatch.setenv(variable, registry_token.ca)
        client.push_blob(data=b'x')
        client.token = None
        monkeypatch.delenv(variable)
        assert refuses(client)


def test_tlsverify_is_reassigned(base, certificates, other_certificates):
    assert refuses(base)
    base._tlsverify = certificates.ca
    assert works(base)
    base._tlsverify = True
    assert refuses(base)
    base._tlsverify = False
    assert works(base)
    base._tlsverify = other_certificates.ca
    assert refuses(base)
    base._tlsverify = certificates.ca
    assert works(base)


def test_tlsverify_of_a_child_is_its_own(registry_htpasswd, certificates):
    with dxf.DXFBase(registry_htpasswd.host, **registry_htpasswd.settings()) as base:
        child = dxf.DXF.from_base(base, registry_htpasswd.new_repo())
        assert child._tlsverify == certificates.ca
        child._tlsverify = True
        assert refuses(child)
        assert works(base)
        base._tlsverify = True
        child._tlsverify = certificates.ca
        assert works(child)
        assert refuses(base)


def test_a_pull_goes_on_under_the_settings_it_began_with(registry_htpasswd):
    with client_for(registry_htpasswd, registry_htpasswd.new_repo()) as client:
        content = b'x' * 1_000_000
        chunks = client.pull_blob(client.push_blob(data=content))
        client._tlsverify = True
        assert b''.join(chunks) == content
        assert refuses(client)


def test_kept_connections_are_told_apart(fake_tls_server, certificates):
    """Under the same settings one connection serves; under others it is not used."""
    fake_tls_server.on('GET', '/v2/', lambda request: Answer(200, {}))
    with dxf.DXF(fake_tls_server.host, 'a', tlsverify=False) as client:
        client.api_version_check()
        client.api_version_check()
        client._tlsverify = certificates.ca
        client.api_version_check()
        client.api_version_check()
        client._tlsverify = False
        client.api_version_check()
    connections = [request.connection for request in fake_tls_server.requests]
    assert connections[0] == connections[1]
    assert connections[2] == connections[3]
    assert connections[2] not in (connections[0], connections[4])


def test_a_bundle_that_is_not_there(registry_htpasswd):
    settings = dict(registry_htpasswd.settings(), tlsverify='/no/such/bundle')
    with dxf.DXFBase(registry_htpasswd.host, **settings) as base:
        with pytest.raises(OSError, match='/no/such/bundle'):
            base.list_repos()


PROGRAM = """
import sys
import dxf

host, repo, username, password = sys.argv[1:]

def auth(client, response):
    client.authenticate(username, password, response=response)

with dxf.DXFBase(host, auth, tlsverify=False) as base:
    client = dxf.DXF.from_base(base, repo)
    digest = client.push_blob(data=b'hello')
    client.set_alias('latest', digest, digest)
    print(b''.join(client.pull_blob(digest)).decode(), client.get_alias('latest') == [digest] * 2)
outside = dxf.DXF(host, repo, auth, tlsverify=False)
print(outside.blob_size(digest))
"""


@pytest.mark.parametrize('name', ['htpasswd', 'token'])
def test_no_warning_is_shown_without_verification(request, name):
    """In a process of its own, where every warning is an error."""
    flavour = request.getfixturevalue(f'registry_{name}')
    arguments = (flavour.host, flavour.new_repo(), flavour.username, flavour.password)
    done = subprocess.run(
        [sys.executable, '-W', 'error', '-c', PROGRAM, *arguments],
        env=environment({'PYTHONUTF8': '1'}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (
        0,
        [b'hello', b'True', b'5'],
        b'',
    )


def test_others_go_on_being_warned(registry_htpasswd):
    """The warning is not turned off for the rest of the program."""
    import warnings

    settings = dict(registry_htpasswd.settings(), tlsverify=False)
    with dxf.DXFBase(registry_htpasswd.host, **settings) as base, warnings.catch_warnings(
        record=True
    ) as shown:
        warnings.simplefilter('always')
        base.list_repos()
        assert shown == []
        requests.get(f'{registry_htpasswd.url}/v2/', verify=False)
        assert [warning.category.__name__ for warning in shown] == ['InsecureRequestWarning']


def test_http_where_https_was_asked_for(registry_http):
    with dxf.DXFBase(registry_http.host) as base:
        with pytest.raises(requests.exceptions.SSLError):
            base.list_repos()


def test_https_where_http_was_asked_for(registry_htpasswd):
    with dxf.DXF(registry_htpasswd.host, 'a', insecure=True) as client:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.blob_size(sha256(b'x'))
    assert e.value.response.status_code == 400
