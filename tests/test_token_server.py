"""Tokens of services that others wrote: distribution's own, and docker_auth."""

import errno
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import dxf
from dxf import exceptions

from .support import secrets
from .support.client import client_for
from .support.flavours import PASSWORD, USERNAME, Flavour
from .support.plain import sha256
from .support.shell import run_doit, run_process
from .support.tokenserver import SERVICE, SERVICES, TokenServer

THREADS = 8
SECONDS = 60


@pytest.fixture(scope='module', params=SERVICES)
def session_flavour(request, make_registry, certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with TokenServer(request.param, folder, certificates, USERNAME, PASSWORD) as service:
        registry = make_registry(certificates=certificates, auth=service.auth())
        yield Flavour(
            request.param,
            registry,
            ca=certificates.ca,
            username=USERNAME,
            password=PASSWORD,
            token_service=service,
        )


@pytest.fixture
def flavour(session_flavour):
    session_flavour.token_service.clear()
    return session_flavour


@pytest.fixture
def service(flavour):
    return flavour.token_service


def new_repo(flavour):
    """It grants each user what is below their name, and nothing else."""
    return flavour.new_repo(USERNAME)


def scopes(service):
    """What was asked for, with the actions in order."""
    return [
        ' '.join(sorted(in_order(scope) for scope in ' '.join(asked.get('scope', [])).split()))
        for asked in (r.query if r.method == 'GET' else r.form for r in service.requests)
    ]


def in_order(scope):
    name, _, actions = scope.rpartition(':')
    return f'{name}:{",".join(sorted(actions.split(",")))}'


def test_all_of_it(flavour, service):
    repo, other = new_repo(flavour), new_repo(flavour)
    with client_for(flavour, repo) as client:
        digest = client.push_blob(data=b'content')
        client.set_alias('latest', digest)
        assert client.get_alias('latest', sizes=True) == [(digest, 7)]
        assert b''.join(client.pull_blob(digest)) == b'content'
        assert client.list_aliases() == ['latest']
        sibling = dxf.DXF.from_base(client, other)
        assert sibling.mount_blob(repo, digest) == digest
        assert sibling.blob_size(digest) == 7
        assert client.del_alias('latest') == [digest]
        client.del_blob(digest)
        with pytest.raises(requests.exceptions.HTTPError, match='404'):
            client.blob_size(digest)
        assert repo in client.list_repos()
    with client_for(flavour, 'wilma/files') as client:
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.list_aliases()


def test_many_small_operations(flavour, service):
    """It is asked once for each scope."""
    names = [new_repo(flavour) for _ in range(2)]
    with dxf.DXFBase(flavour.host, **flavour.settings()) as base:
        for name in names * 100:
            client = dxf.DXF.from_base(base, name)
            digest = client.push_blob(data=name)
            assert client.blob_size(digest) == len(name)
    assert sorted(scopes(service)) == sorted(
        f'repository:{name}:{actions}' for name in names for actions in ('pull', 'pull,push')
    )


@pytest.mark.parametrize('kind', ['one object', 'an object each'])
def test_threads(flavour, service, kind):
    repo = new_repo(flavour)
    with client_for(flavour, repo) as base:
        digest = base.push_blob(data=b'x')
    service.clear()
    ready = threading.Barrier(THREADS)

    def size(client):
        ready.wait(SECONDS)
        return client.blob_size(digest)

    with client_for(flavour, repo) as base, ThreadPoolExecutor(THREADS) as pool:
        one = kind == 'one object'
        used = [base if one else dxf.DXF.from_base(base, repo) for _ in range(THREADS)]
        assert list(pool.map(size, used)) == [1] * THREADS
    assert scopes(service) == [f'repository:{repo}:pull']


def test_an_identity_token(flavour, service):
    """As `docker login` is given one."""
    if flavour.name == 'docker_auth':
        pytest.skip('it gives none')
    given = requests.get(
        service.realm,
        params={'service': SERVICE, 'client_id': 'tests', 'offline_token': 'true'},
        auth=(USERNAME, PASSWORD.encode()),
        verify=flavour.ca,
    ).json()['refresh_token']
    secrets.keep(given)
    service.clear()

    def auth(client, response):
        client.authenticate(identity_token=given, response=response)

    with dxf.DXF(flavour.host, new_repo(flavour), auth, tlsverify=flavour.ca) as client:
        digest = client.push_blob(data=b'by an identity token')
        assert client.blob_size(digest) == 20
        assert digest == sha256(b'by an identity token')
    assert {request.method for request in service.requests} == {'POST'}
    with dxf.DXF(flavour.host, new_repo(flavour), tlsverify=flavour.ca) as client:
        with pytest.raises((exceptions.DXFError, requests.exceptions.HTTPError)):
            client.authenticate(identity_token='rubbish', actions='pull')
        assert client.token is None


@pytest.mark.parametrize('password', ['wrong', None])
def test_other_credentials(flavour, password):
    with dxf.DXF(flavour.host, new_repo(flavour), tlsverify=flavour.ca) as client:
        client._auth = lambda made, response: made.authenticate(
            USERNAME, password, response=response
        )
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.list_aliases()


def test_the_command_line(flavour, tmp_path):
    repo = new_repo(flavour)
    file = tmp_path / 'file'
    file.write_bytes(b'typed')
    for run in (run_doit, run_process):
        result = run('push-blob', repo, str(file), '@latest', environ=flavour.environ())
        assert (result.code, result.out) == (0, f'{sha256(b"typed")}\n'.encode())
        result = run('pull-blob', repo, '@latest', environ=flavour.environ())
        assert (result.code, result.out, result.err) == (0, b'typed', b'')
        wrong = flavour.environ(DXF_PASSWORD='wrong')
        assert run('pull-blob', repo, '@latest', environ=wrong).code == errno.EACCES
