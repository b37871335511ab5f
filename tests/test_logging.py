"""A request a line, at DEBUG, under the name `dxf`; the command line shows them where told to."""

import logging
import re

import pytest
import requests

import dxf

from .support.client import client_for
from .support.fakeserver import Answer
from .support.plain import sha256
from .support.shell import run_process
from .support.waiting import free_port

CONTENT = b'content'
LINE = re.compile(
    r'(?P<method>[A-Z]+) (?P<address>https?://[^ ?]+): (?P<status>[0-9]{3}) in [0-9]+\.[0-9]{3} s'
    r', (?P<sent>[0-9]+|some) bytes sent, (?P<come>[0-9]+|some) bytes to come'
)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG, 'dxf')
    return lambda: [r.getMessage() for r in caplog.records if r.name == 'dxf']


def test_a_request_a_line(registry, repo, lines):
    """Each of a real registry's answers, and those of a token service."""
    with client_for(registry, repo) as client:
        digest = client.push_blob(data=CONTENT)
        assert b''.join(client.pull_blob(digest)) == CONTENT
    found = [LINE.fullmatch(line) for line in lines()]
    assert all(found), lines()
    told = [match['method'] for match in found if f'/v2/{repo}/' in match['address']]
    assert [method for method in told if method != 'HEAD'][-3:] == ['POST', 'PUT', 'GET']
    put = next(match for match in found if match['method'] == 'PUT')
    assert (put['status'], put['sent']) == ('201', str(len(CONTENT)))
    assert (found[-1]['status'], found[-1]['come']) == ('200', str(len(CONTENT)))


def test_redirects_are_requests(fake_server, lines):
    moved = Answer(307, headers={'Location': f'{fake_server.url}/elsewhere?sig=x'})
    fake_server.on('GET', '/v2/.*', moved)
    fake_server.on('GET', '/elsewhere', Answer(200, {'tags': ['a']}))
    dxf.DXF(fake_server.host, 'a', insecure=True).list_aliases()
    assert [LINE.fullmatch(line)['address'] for line in lines()] == [
        f'{fake_server.url}/v2/a/tags/list', f'{fake_server.url}/elsewhere',
    ]  # fmt: skip


def test_no_answer(fake_server, clock, lines):
    fake_server.on('GET', '/v2/.*', [Answer(hang_up=True), Answer(200, {'tags': ['a']})])
    address = f'{fake_server.url}/v2/a/tags/list'
    dxf.DXF(fake_server.host, 'a', insecure=True)._request('get', 'tags/list?sig=x')
    first, second = lines()
    assert re.fullmatch(rf'GET {address}: no answer in [0-9.]+ s \(ConnectionError\)', first)
    assert LINE.fullmatch(second)['address'] == address


def test_nobody_there(lines):
    with pytest.raises(requests.exceptions.ConnectionError):
        dxf.DXF(f'localhost:{free_port()}', 'a', insecure=True).list_aliases()
    assert [' no answer in ' in line for line in lines()] == [True]


def test_on_standard_error(registry_http):
    repo = registry_http.new_repo()
    with client_for(registry_http, repo) as client:
        digest = client.push_blob(data=CONTENT)
    assert digest == sha256(CONTENT)
    for value, expected in (('1', 1), ('0', 0), ('', 0)):
        environ = registry_http.environ(DXF_DEBUG=value)
        result = run_process('pull-blob', repo, digest, environ=environ)
        assert (result.code, result.out) == (0, CONTENT)
        said = result.err.decode().splitlines()
        assert len(said) == expected
        assert all(LINE.fullmatch(line) for line in said)
