"""Contexts, and which connections are kept, shared and closed."""

import gc

import pytest

import dxf

from .support.fakeserver import Answer


@pytest.fixture
def server(fake_server):
    fake_server.on('GET', '/v2/', lambda request: Answer(200, {}))
    return fake_server


def connections(server):
    """A number for each request: that of its connection."""
    seen = list(dict.fromkeys(request.connection for request in server.requests))
    return [seen.index(request.connection) for request in server.requests]


def test_a_context_gives_the_object_itself():
    for made in (dxf.DXFBase('localhost:1'), dxf.DXF('localhost:1', 'a')):
        with made as given:
            assert given is made


def test_leaving_closes_connections(server):
    client = dxf.DXF(server.host, 'a', insecure=True)
    for _ in range(2):
        with client:
            client.api_version_check()
            client.api_version_check()
    assert connections(server) == [0, 0, 1, 1]


def test_contexts_nest(server):
    with dxf.DXF(server.host, 'a', insecure=True) as client:
        client.api_version_check()
        with client as inner:
            inner.api_version_check()
            with client:
                client.api_version_check()
        client.api_version_check()
    client.api_version_check()
    assert connections(server) == [0, 0, 0, 0, 1]


def test_outside_a_context_connections_are_reused(server):
    client = dxf.DXF(server.host, 'a', insecure=True)
    client.api_version_check()
    with client:
        client.api_version_check()
    client.api_version_check()
    client.api_version_check()
    assert connections(server) == [0, 0, 1, 1]


def test_an_exception_leaves_a_context_as_it_is(server):
    client = dxf.DXF(server.host, 'a', insecure=True)
    with pytest.raises(ZeroDivisionError), client:
        client.api_version_check()
        raise ZeroDivisionError
    client.api_version_check()
    assert connections(server) == [0, 1]


def test_a_child_has_the_connections_of_its_base(server):
    with dxf.DXFBase(server.host, insecure=True) as base:
        with dxf.DXF.from_base(base, 'a') as child:
            child.api_version_check()
        # Leaving the child's context closed nothing.
        other = dxf.DXF.from_base(base, 'b')
        other.api_version_check()
        with other, other:
            other.api_version_check()
        child.api_version_check()
    assert connections(server) == [0, 0, 0, 0]


def test_a_grandchild_has_them_too(server):
    with dxf.DXF(server.host, 'a', insecure=True) as parent:
        child = dxf.DXF.from_base(parent, 'b')
        with dxf.DXF.from_base(child, 'c') as grandchild:
            grandchild.api_version_check()
        child.api_version_check()
        parent.api_version_check()
    assert connections(server) == [0, 0, 0]


def test_a_child_works_after_its_base_is_gone(server):
    with dxf.DXFBase(server.host, insecure=True) as base:
        child = dxf.DXF.from_base(base, 'a')
        child.api_version_check()
    child.api_version_check()
    with child:
        child.api_version_check()
    del base
    gc.collect()
    child.api_version_check()
    assert len(server.requests) == 4
