"""Lists of names on the registry: repositories, which it pages, and aliases."""

import collections.abc

import pytest
import requests

import dxf

from .support.client import client_for, methods, record_sent
from .support.plain import PlainClient

# More than 2.8.2 puts on a page, which is 100.
REPOSITORIES = 123


@pytest.fixture(scope='module')
def crowded(make_registry):
    """A registry with more repositories than fit on a page."""
    registry = make_registry()
    # Copying one repository on the registry's disk is faster than pushing each.
    import shutil

    from .support.flavours import Flavour

    flavour = Flavour('crowded', registry, insecure=True)
    with PlainClient(flavour, 'crowd/r000') as plain:
        plain.push_alias('latest', b'one')
    folder = registry.root / 'docker/registry/v2/repositories/crowd'
    for i in range(1, REPOSITORIES):
        shutil.copytree(str(folder / 'r000'), str(folder / f'r{i:03}'))
    return flavour


NAMES = [f'crowd/r{i:03}' for i in range(REPOSITORIES)]


@pytest.fixture
def base(crowded):
    with dxf.DXFBase(crowded.host, insecure=True) as made:
        yield made


def test_all_pages(base, monkeypatch):
    sent = record_sent(monkeypatch)
    assert base.list_repos() == NAMES
    assert methods(sent) == ['GET', 'GET']
    assert sent[0].url.endswith('/v2/_catalog')


@pytest.mark.parametrize(('size', 'pages'), [(1, 123), (50, 3), (41, 3), (123, 1), (1000, 1)])
def test_batch_size(base, monkeypatch, size, pages):
    sent = record_sent(monkeypatch)
    assert base.list_repos(size) == NAMES
    assert len(sent) == pages
    assert sent[0].url.endswith(f'/v2/_catalog?n={size}')


def test_as_they_come(base, monkeypatch):
    sent = record_sent(monkeypatch)
    names = base.list_repos(batch_size=50, iterate=True)
    assert isinstance(names, collections.abc.Iterable)
    assert not isinstance(names, list)
    names = iter(names)
    assert [next(names) for _ in range(50)] == NAMES[:50]
    assert len(sent) == 1
    assert list(names) == NAMES[50:]
    assert len(sent) == 3


def test_by_position_and_from_a_repository(crowded):
    with client_for(crowded, 'crowd/r000') as client:
        assert list(client.list_repos(50, True)) == NAMES


def test_lists_are_lists(base):
    assert type(base.list_repos()) is list


@pytest.mark.parametrize('size', [1001])
def test_a_batch_that_the_registry_refuses(base, size):
    with pytest.raises(requests.exceptions.HTTPError) as e:
        base.list_repos(size)
    assert e.value.response.status_code == 400
    assert 'PAGINATION_NUMBER_INVALID' in str(e.value)


def test_an_empty_registry(make_registry):
    with dxf.DXFBase(make_registry().host, insecure=True) as base:
        assert base.list_repos() == []
        assert list(base.list_repos(iterate=True)) == []


@pytest.fixture
def client(registry, repo):
    with client_for(registry, repo) as made:
        yield made


def test_aliases(client, plain):
    names = ['latest', 'v1', 'z.9', 'Zed', '_x', 'a' * 128]
    for name in names:
        plain.push_alias(name, b'one')
    assert type(client.list_aliases()) is list
    assert sorted(client.list_aliases()) == sorted(names)
    assert sorted(client.list_aliases(2)) == sorted(names)
    iterated = client.list_aliases(batch_size=2, iterate=True)
    assert not isinstance(iterated, list)
    assert sorted(iterated) == sorted(names)


def test_a_repository_whose_aliases_are_gone(client, plain):
    text = plain.push_alias('latest', b'one')
    assert client.list_aliases() == ['latest']
    client.del_alias('latest')
    assert plain.repo_request('GET', 'tags/list').json()['tags'] is None, text
    assert client.list_aliases() == []
    assert list(client.list_aliases(iterate=True)) == []


@pytest.mark.parametrize('iterate', [False, True])
def test_a_repository_that_is_not_there(client, iterate):
    with pytest.raises(requests.exceptions.HTTPError) as e:
        list(client.list_aliases(iterate=iterate))
    assert e.value.response.status_code == 404
    assert 'NAME_UNKNOWN' in str(e.value)


def test_batch_size_becomes_n(registry_http, monkeypatch):
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as plain, client_for(registry_http, repo) as client:
        plain.push_alias('latest', b'one')
        sent = record_sent(monkeypatch)
        client.list_aliases()
        client.list_aliases(7)
    base = f'{registry_http.url}/v2/{repo}/tags/list'
    assert [request.url for request in sent] == [base, base + '?n=7']
