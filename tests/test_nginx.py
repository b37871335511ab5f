"""A registry behind nginx, which ends TLS, bounds bodies, and lets it say http in addresses."""

import io
import random
from types import SimpleNamespace

import pytest
import requests

import dxf

from .support import tools
from .support.client import client_for, record_sent
from .support.flavours import PASSWORD, USERNAME, Flavour
from .support.nginx import Nginx
from .support.plain import PlainClient, sha256
from .support.registry import token_auth
from .support.shell import run_doit, run_process

LIMIT = 1024 * 1024


@pytest.fixture(scope='module')
def nginx_program():
    return tools.need('nginx')


@pytest.fixture(scope='module', params=['http in addresses', 'https in addresses'])
def flavour(
    request, nginx_program, make_registry, certificates, session_token_service, tmp_path_factory
):
    """The registry speaks http to nginx alone; both ways of the latter's configuration."""
    registry = make_registry(auth=token_auth(session_token_service))
    told = request.param == 'https in addresses'
    folder = tmp_path_factory.mktemp('nginx')
    with Nginx(nginx_program, folder, registry, certificates, told=told) as nginx:
        yield Flavour(
            request.param,
            SimpleNamespace(host=nginx.host, url=nginx.url, root=registry.root, nginx=nginx),
            ca=certificates.ca,
            username=USERNAME,
            password=PASSWORD,
            token_service=session_token_service,
        )


@pytest.fixture
def repo(flavour):
    return flavour.new_repo('nginx')


@pytest.fixture
def client(flavour, repo):
    with client_for(flavour, repo) as made:
        yield made


def content_of(size):
    return random.Random(size).getrandbits(8 * size).to_bytes(size, 'little')


def statuses(flavour, repo, method):
    """What this repository's requests were answered with, in order."""
    return [
        int(status)
        for asked, address, status in flavour.registry.nginx.served
        if asked == method and f'/{repo}/' in address
    ]


def test_the_configurations_are_what_they_are_to_be(flavour, repo):
    with PlainClient(flavour, repo) as plain:
        answer = plain.repo_request('POST', 'blobs/uploads/')
        location = answer.headers['Location']
        assert location.startswith('http:' if flavour.name.startswith('http ') else 'https:')
        assert 'nginx' in answer.headers['Server']
        headers = {'Content-Length': str(LIMIT + 1)}
        too_long = requests.post(f'{flavour.url}/v2/', data=bytes(LIMIT + 1), headers=headers,
                                 verify=flavour.ca)  # fmt: skip
        assert too_long.status_code == 413


def test_all_of_it(client, flavour, repo, monkeypatch):
    sent = record_sent(monkeypatch)
    content = content_of(70_000)
    digest = client.push_blob(data=content)
    text = client.set_alias('latest', digest)
    assert b''.join(client.pull_blob(digest)) == content
    assert client.get_manifest('latest') == text
    assert client.get_alias('latest', sizes=True) == [(digest, len(content))]
    assert client.list_aliases() == ['latest']
    other = dxf.DXF.from_base(client, repo + '/other')
    assert other.mount_blob(repo, digest) == digest
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        other.mount_blob(repo, sha256(b'not there'))
    assert client.del_alias('latest') == [digest]
    client.del_blob(digest)
    assert not client.list_aliases()
    assert all(request.url.startswith('https://') for request in sent)


@pytest.mark.parametrize('how', ['file', 'data', 'file object', 'stream'])
@pytest.mark.parametrize('size', [LIMIT, 5 * LIMIT])
def test_bodies_that_are_too_long(client, flavour, repo, tmp_path, how, size):
    """They are sent in chunks, when it has said so."""
    content = content_of(size)
    if how == 'file':
        path = tmp_path / 'content'
        path.write_bytes(content)
        digest = client.push_blob(str(path))
    elif how == 'stream':
        client._upload_chunk_size = LIMIT
        digest = client.push_blob(data=(content[i : i + 1000] for i in range(0, size, 1000)))
    else:
        digest = client.push_blob(data=content if how == 'data' else io.BytesIO(content))
    assert digest == sha256(content)
    with PlainClient(flavour, repo) as plain:
        assert plain.get_blob(digest).content == content
    refused = 413 in statuses(flavour, repo, 'PUT') + statuses(flavour, repo, 'PATCH')
    assert refused == (size > LIMIT and how != 'stream')


def test_a_stream_whose_chunks_are_too_long(client, flavour, repo):
    content = content_of(5 * LIMIT)
    digest = client.push_blob(data=(content[i : i + 1000] for i in range(0, len(content), 1000)))
    with PlainClient(flavour, repo) as plain:
        assert plain.get_blob(digest).content == content


def test_a_chunk_size_that_is_known_beforehand(flavour, repo):
    content = content_of(3 * LIMIT + 7)
    with client_for(flavour, repo, upload_chunk_size=LIMIT) as client:
        assert client.push_blob(data=content) == sha256(content)
    assert statuses(flavour, repo, 'PATCH') == [202] * 4
    assert statuses(flavour, repo, 'PUT') == [201]


def test_the_command_line(flavour, repo, tmp_path):
    content = content_of(2 * LIMIT)
    path = tmp_path / 'content'
    path.write_bytes(content)
    environ = flavour.environ()
    result = run_process('push-blob', repo, str(path), '@latest', environ=environ)
    assert result == (0, sha256(content).encode() + b'\n', b'')
    assert run_doit('pull-blob', repo, '@latest', environ=environ).out == content
    assert run_doit('list-aliases', repo, environ=environ).out == b'latest\n'


def test_pages(flavour):
    """Where a list goes on is said without scheme and host, or with them."""
    names = sorted(flavour.new_repo('nginx') for _ in range(5))
    with dxf.DXFBase(flavour.host, **flavour.settings()) as base:
        for name in names:
            client = dxf.DXF.from_base(base, name)
            for alias in ('one', 'two', 'three'):
                client.set_alias(alias, client.push_blob(data=name))
            assert sorted(client.list_aliases(batch_size=1)) == ['one', 'three', 'two']
        found = base.list_repos(batch_size=2)
        assert set(names) <= set(found)
        assert len(found) == len(set(found))
        assert list(base.list_repos(batch_size=2, iterate=True)) == found


def test_a_wrong_password(flavour, repo):
    def auth(client, response):
        client.authenticate(USERNAME, 'wrong', response=response)

    with client_for(flavour, repo, auth=auth) as client:
        with pytest.raises(dxf.exceptions.DXFUnauthorizedError):
            client.push_blob(data=content_of(2 * LIMIT))
