"""The objects themselves: how they are made, what they hold, from_base."""

import inspect

import pytest
import requests
import responses
from requests.structures import CaseInsensitiveDict

import dxf
from dxf import exceptions

from .support.fakeserver import Answer

BASE_PARAMETERS = {
    'host': inspect.Parameter.empty,
    'auth': None,
    'insecure': False,
    'auth_host': None,
    'tlsverify': True,
    'timeout': None,
}


def parameters(function):
    """Those that may be given by position, and their defaults."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    }


@pytest.mark.parametrize(
    ('function', 'expected'),
    [
        (dxf.DXFBase, BASE_PARAMETERS),
        (
            dxf.DXF.push_blob,
            {
                'filename': None,
                'progress': None,
                'data': None,
                'digest': None,
                'check_exists': True,
            },
        ),
        (
            dxf.DXF.pull_blob,
            {'digest': inspect.Parameter.empty, 'size': False, 'chunk_size': None},
        ),
        (
            dxf.DXF.get_alias,
            {
                'alias': None,
                'manifest': None,
                'verify': True,
                'sizes': False,
                'platform': None,
            },
        ),
        (dxf.DXF.get_digest, {'alias': None, 'manifest': None, 'platform': None}),
        (dxf.DXF.get_manifest, {'alias': inspect.Parameter.empty, 'platform': None}),
        (dxf.DXF.list_aliases, {'batch_size': None, 'iterate': False}),
        (dxf.DXFBase.list_repos, {'batch_size': None, 'iterate': False}),
        (
            dxf.DXFBase.authenticate,
            {
                'username': None,
                'password': None,
                'actions': None,
                'response': None,
                'authorization': None,
                'user_agent': 'Docker-Client/19.03.2 (linux)',
            },
        ),
        (
            dxf.DXF.mount_blob,
            {'repo': inspect.Parameter.empty, 'digest': inspect.Parameter.empty},
        ),
        (
            dxf.DXF.set_manifest,
            {'alias': inspect.Parameter.empty, 'manifest_json': inspect.Parameter.empty},
        ),
    ],
    ids=lambda value: getattr(value, '__qualname__', ''),
)
def test_parameters_their_order_and_defaults(function, expected):
    found = parameters(function)
    found.pop('self', None)
    promised = list(expected.items())
    assert list(found.items())[: len(promised)] == promised
    # What was added needs not be given.
    assert inspect.Parameter.empty not in list(found.values())[len(promised) :]


def test_parameters_of_a_repository():
    found = list(parameters(dxf.DXF).items())
    base = list(BASE_PARAMETERS.items())
    assert found[:7] == [base[0], ('repo', inspect.Parameter.empty), *base[1:]]


def never(client, response):
    raise AssertionError('not to be called')


# A 401 is not to be met, nor anything sent: the port is one of nobody's.
ALL = ('localhost:1', never, True, 'auth.example', '/no/such/bundle', 7)


def test_everything_by_position():
    base = dxf.DXFBase(*ALL)
    assert (base._host, base._auth, base._insecure) == ('localhost:1', never, True)
    assert base._tlsverify == '/no/such/bundle'
    client = dxf.DXF(ALL[0], 'some/repo', *ALL[1:])
    assert isinstance(client, dxf.DXFBase)
    assert (client._host, client._auth, client._insecure) == ('localhost:1', never, True)
    assert client._tlsverify == '/no/such/bundle'
    assert client._repo == 'some/repo'


def test_what_the_constructor_was_given_by_default():
    client = dxf.DXF('localhost:1', None)
    assert (client._host, client._repo) == ('localhost:1', None)
    assert (client._auth, client._insecure, client._tlsverify) == (None, False, True)
    assert client.token is None
    assert client._headers == {}


@pytest.mark.parametrize('host', ['docker.io', 'index.docker.io', 'registry-1.docker.io'])
def test_attributes_are_as_given_for_docker_hub_too(host):
    client = dxf.DXF(host, 'busybox')
    assert (client._host, client._repo) == (host, 'busybox')


def test_constructing_sends_nothing(fake_server):
    made = dxf.DXF(fake_server.host, 'a', insecure=True)
    with made:
        pass
    dxf.DXF.from_base(dxf.DXFBase(fake_server.host, insecure=True), 'a')
    # Nothing listens there.
    dxf.DXF('localhost:1', 'a')
    assert fake_server.requests == []


def test_callers_set_attributes_of_their_own():
    for made in (dxf.DXFBase('localhost:1'), dxf.DXF('localhost:1', 'a')):
        made.their_own = 5
        assert made.their_own == 5


def test_token_property():
    base = dxf.DXFBase('localhost:1')
    assert base.token is None
    base.token = 'abc'
    assert base.token == 'abc'
    assert base._headers == {'Authorization': 'Bearer abc'}
    base.token = 'def'
    assert base.token == 'def'
    base.token = None
    assert base.token is None
    assert base._headers == {}


@pytest.mark.parametrize('kind', [dict, CaseInsensitiveDict])
def test_the_token_in_headers_that_are_spelt_otherwise(kind):
    client = dxf.DXF('registry.example', 'a')
    with responses.RequestsMock() as mock:
        mock.get('https://registry.example/v2/', body='{}')
        client._headers = kind({'authorization': 'Bearer abc', 'X-Extra': '1'})
        assert client.token == 'abc'
        client.api_version_check()
        client.token = 'def'
        assert client.token == 'def'
        client.api_version_check()
        client.token = None
        assert client.token is None
        client.api_version_check()
        client._headers = kind({'Authorization': b'Bearer abc'})
        assert client.token is None
        client.api_version_check()
        sent = [call.request.headers.get('Authorization') for call in mock.calls]
    assert sent == ['Bearer abc', 'Bearer def', None, b'Bearer abc']


@pytest.mark.parametrize('insecure', [True, False])
def test_what_a_caller_sets_is_sent(insecure):
    """Over http too."""
    scheme = 'http' if insecure else 'https'
    client = dxf.DXF('registry.example', 'a', insecure=insecure)
    with responses.RequestsMock() as mock:
        mock.get(f'{scheme}://registry.example/v2/', body='{}')
        client.token = 'abc'
        client.api_version_check()
        client._headers = {'Authorization': 'Basic eDp5', 'X-Extra': '1'}
        client.api_version_check()
        client._headers['X-Extra'] = '2'
        client.api_version_check()
        sent = [call.request.headers for call in mock.calls]
    assert [headers['Authorization'] for headers in sent] == [
        'Bearer abc',
        'Basic eDp5',
        'Basic eDp5',
    ]
    assert [headers.get('X-Extra') for headers in sent] == [None, '1', '2']


def test_from_base_takes_the_settings():
    base = dxf.DXFBase(*ALL)
    child = dxf.DXF.from_base(base, 'some/repo')
    assert type(child) is dxf.DXF
    assert (child._host, child._auth, child._insecure) == ('localhost:1', never, True)
    assert (child._tlsverify, child._repo) == ('/no/such/bundle', 'some/repo')


def test_from_base_copies_the_token_and_headers():
    base = dxf.DXFBase('localhost:1')
    base.token = 'first'
    base._headers['X-Extra'] = '1'
    child = dxf.DXF.from_base(base, 'a')
    assert child.token == 'first'
    assert child._headers == {'Authorization': 'Bearer first', 'X-Extra': '1'}
    child._headers['X-Extra'] = 'childs'
    assert base._headers['X-Extra'] == '1'
    base._headers['X-Other'] = 'bases'
    assert 'X-Other' not in child._headers
    child.token = 'childs'
    assert base.token == 'first'
    assert child._headers['X-Extra'] == 'childs'
    base.token = 'bases'
    base._headers['X-Extra'] = 'bases'
    assert child.token == 'childs'
    assert child._headers['X-Extra'] == 'childs'


def test_a_token_that_a_child_gets_is_its_own(registry_token):
    with dxf.DXFBase(registry_token.host, **registry_token.settings()) as base:
        child = dxf.DXF.from_base(base, registry_token.new_repo())
        child.push_blob(data=b'x')
        assert child.token
        assert base.token is None


def test_from_base_constructs_a_subclass_by_position():
    given = []

    class Ours(dxf.DXF):
        def __init__(self, *args):
            given.append(args)
            super().__init__(*args)

    base = dxf.DXFBase(*ALL)
    child = Ours.from_base(base, 'some/repo')
    assert type(child) is Ours
    assert given == [('localhost:1', 'some/repo', *ALL[1:])]


@pytest.mark.parametrize('base', [dxf.DXFBase('docker.io'), dxf.DXF('docker.io', 'other')])
def test_from_base_on_docker_hub(base):
    child = dxf.DXF.from_base(base, 'busybox')
    assert child._repo == 'busybox'
    with responses.RequestsMock() as mock:
        mock.get('https://registry-1.docker.io/v2/library/busybox/tags/list', json={'tags': []})
        assert child.list_aliases() == []


def test_from_base_gives_the_timeout_and_auth_host():
    """They have no attribute that is promised: what counts is what they do."""
    base = dxf.DXFBase('registry.example', None, False, 'tokens.example', True, 7)
    child = dxf.DXF.from_base(base, 'a')
    challenge = {'WWW-Authenticate': 'Bearer realm="https://elsewhere.example/token"'}
    with responses.RequestsMock() as mock:
        mock.get('https://registry.example/v2/', status=401, headers=challenge)
        mock.get('https://tokens.example/token', json={'token': 'abc'})
        assert child.authenticate('u', 'p') == 'abc'
        timeouts = [call.request.req_kwargs['timeout'] for call in mock.calls]
    assert timeouts == [7, 7]


def test_from_base_takes_the_settings_that_have_no_position(fake_server):
    fake_server.on('GET', '/v2/', lambda request: Answer(503))
    base = dxf.DXFBase(fake_server.host, insecure=True, retries=0)
    with dxf.DXF.from_base(base, 'a') as child:
        with pytest.raises(requests.exceptions.HTTPError):
            child.api_version_check()
    assert len(fake_server.requests) == 1


def test_import_alone_reaches_the_errors():
    assert exceptions is dxf.exceptions
