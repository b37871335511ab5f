"""The `auth` callable: when it is called, with what, and what becomes of the request."""

import io

import pytest
import requests

import dxf
from dxf import exceptions

from .support.fakeserver import Answer
from .support.plain import sha256

BASE = 'https://registry.example/v2/'
CHALLENGE = {'WWW-Authenticate': 'Basic realm="r"'}


def guarded(mock, authorization, method='GET', url=BASE):
    """A place that wants this header, and answers 401 to others."""

    def answer(request):
        if request.headers.get('Authorization') == authorization:
            return 200, {'Content-Length': '2'}, '{}'
        return 401, CHALLENGE, ''

    mock.add_callback(method, url, answer)


def set_token(client, response):
    client.token = 'abc'


def assign_headers(client, response):
    client._headers = {'Authorization': 'Bearer abc'}


def mutate_headers(client, response):
    client._headers['Authorization'] = 'Bearer abc'


@pytest.mark.parametrize('change', [set_token, assign_headers, mutate_headers])
@pytest.mark.parametrize('cls', [dxf.DXFBase, lambda *args: dxf.DXF(args[0], 'a', *args[1:])])
def test_the_request_is_sent_again(mock, change, cls):
    calls = []

    def auth(client, response):
        calls.append((client, response))
        return change(client, response)

    guarded(mock, 'Bearer abc')
    base = cls('registry.example', auth)
    assert base._base_request('get', '').status_code == 200
    assert len(mock.calls) == 2
    ((client, response),) = calls
    assert client is base
    assert isinstance(response, requests.Response)
    assert response.status_code == 401
    assert response.headers['WWW-Authenticate'] == 'Basic realm="r"'
    # What was learnt goes with the next request at once.
    base._base_request('get', '')
    assert len(mock.calls) == 3
    assert len(calls) == 1


def test_another_header_is_reason_enough(mock):
    def auth(client, response):
        client._headers['X-Api-Key'] = '1'

    def answer(request):
        return (200 if request.headers.get('X-Api-Key') == '1' else 401), {}, '{}'

    mock.add_callback('GET', BASE, answer)
    assert dxf.DXFBase('registry.example', auth)._base_request('get', '').status_code == 200


def test_nothing_changed_nothing_sent(mock):
    calls = []
    mock.get(BASE, status=401)
    base = dxf.DXFBase('registry.example', lambda *args: calls.append(args))
    with pytest.raises(exceptions.DXFUnauthorizedError):
        base._base_request('get', '')
    assert len(mock.calls) == len(calls) == 1


def test_what_auth_returns_means_nothing(mock):
    mock.get(BASE, status=401)
    base = dxf.DXFBase('registry.example', lambda *args: True)
    with pytest.raises(exceptions.DXFUnauthorizedError):
        base._base_request('get', '')
    assert len(mock.calls) == 1


def test_credentials_that_do_not_help(mock):
    calls = []

    def auth(client, response):
        calls.append(response)
        client.token = f'number {len(calls)}'.replace(' ', '-')

    mock.get(BASE, status=401)
    base = dxf.DXFBase('registry.example', auth)
    with pytest.raises(exceptions.DXFUnauthorizedError):
        base._base_request('get', '')
    # It comes to an end.
    assert len(mock.calls) <= 3
    assert all(response.status_code == 401 for response in calls)


def test_without_auth(mock):
    mock.get(BASE, status=401, headers=CHALLENGE)
    with pytest.raises(exceptions.DXFUnauthorizedError):
        dxf.DXFBase('registry.example')._base_request('get', '')
    assert len(mock.calls) == 1


@pytest.mark.parametrize('status', [200, 400, 403, 404, 405, 407])
def test_auth_is_called_for_a_401_alone(mock, status):
    def auth(client, response):
        raise AssertionError('called for', response.status_code)

    mock.get(BASE, status=status, headers=CHALLENGE)
    base = dxf.DXFBase('registry.example', auth)
    if status == 200:
        base._base_request('get', '')
    else:
        with pytest.raises(requests.exceptions.HTTPError) as e:
            base._base_request('get', '')
        assert e.value.response.status_code == status


def test_errors_of_auth_come_through(mock):
    class OursError(Exception):
        pass

    def auth(client, response):
        raise OursError

    mock.get(BASE, status=401)
    with pytest.raises(OursError):
        dxf.DXFBase('registry.example', auth)._base_request('get', '')


def test_auth_may_ask_the_registry_itself(mock):
    """From within, through the same object."""

    def auth(client, response):
        if response.url == BASE:
            client._base_request('get', 'login')
            client.token = 'abc'

    guarded(mock, 'Bearer abc')
    mock.get(BASE + 'login', json={})
    assert dxf.DXFBase('registry.example', auth)._base_request('get', '').status_code == 200


def test_auth_may_authenticate_without_the_response(mock):
    def auth(client, response):
        client.authenticate('u', 'p')

    guarded(mock, 'Basic dTpw')
    assert dxf.DXFBase('registry.example', auth)._base_request('get', '').status_code == 200


def test_auth_is_called_anew_when_credentials_expire(mock):
    """Whatever was sent before: a later 401 is a new one."""
    tokens = iter(['first', 'second'])
    valid = set()

    def auth(client, response):
        client.token = next(tokens)
        valid.clear()
        valid.add('Bearer ' + client.token)

    def answer(request):
        return (200 if request.headers.get('Authorization') in valid else 401), {}, '{}'

    mock.add_callback('GET', BASE, answer)
    base = dxf.DXFBase('registry.example', auth)
    base._base_request('get', '')
    valid.clear()
    base._base_request('get', '')
    assert base.token == 'second'
    assert len(mock.calls) == 4


def test_a_401_of_somebody_else_is_not_the_registrys(mock):
    """It is no reason to call auth, and is told no secrets."""

    def auth(client, response):
        raise AssertionError('called')

    mock.get(BASE, status=307, headers={'Location': 'https://store.example/x'})
    mock.get('https://store.example/x', status=401, headers=CHALLENGE)
    base = dxf.DXFBase('registry.example', auth)
    base.token = 'abc'
    with pytest.raises(exceptions.DXFUnauthorizedError):
        base._base_request('get', '')
    assert 'Authorization' not in mock.calls[1].request.headers


@pytest.mark.parametrize('kind', ['bytes', 'file', 'list', 'generator'])
@pytest.mark.parametrize('when', ['POST', 'PUT', 'PATCH'])
def test_a_body_is_sent_again_whole(fake_server, kind, when):
    """The 401 comes in the middle of a conversation, after the body was read."""
    content = b'x' * 5_000_000
    refused, taken = [], []

    def take(request):
        if request.method == when and not refused:
            refused.append(request)
            return Answer(401)
        taken.append(request.body)
        end = max(0, sum(map(len, taken)) - 1)
        return Answer(
            201 if request.method == 'PUT' else 202,
            headers={'Location': '/v2/a/up', 'Range': f'0-{end}'},
        )

    def auth(client, response):
        client.token = 'abc'

    fake_server.on('POST', '/v2/a/blobs/uploads/', take)
    fake_server.on('PATCH', '/v2/a/up', take)
    fake_server.on('PUT', '/v2/a/up', take)
    data = {
        'bytes': content,
        'list': [content],
        'generator': iter([content]),
        'file': io.BytesIO(content),
    }[kind]
    with dxf.DXF(fake_server.host, 'a', auth, insecure=True) as client:
        assert client.push_blob(data=data, check_exists=False) == sha256(content)
    assert b''.join(taken) == content
    if refused:
        assert fake_server.requests[-1].headers['Authorization'] == 'Bearer abc'
    else:
        # It went out in one request, of the other kind.
        assert not fake_server.seen(when)


def test_netrc_is_none_of_our_business(mock, monkeypatch, tmp_path):
    """Without `auth`, no credentials are looked for."""
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine registry.example login u password p\n')
    monkeypatch.setenv('NETRC', str(netrc))
    assert requests.utils.get_netrc_auth(BASE) == ('u', 'p')
    mock.get(BASE, body='{}')
    dxf.DXFBase('registry.example')._base_request('get', '')
    assert 'Authorization' not in mock.calls[0].request.headers


def test_credentials_are_nowhere_to_be_seen(mock, caplog):
    def auth(client, response):
        client.authenticate('u', 'very-secret', response=response)

    caplog.set_level(0)
    mock.get(BASE, status=401, headers=CHALLENGE)
    base = dxf.DXFBase('registry.example', auth)
    with pytest.raises(exceptions.DXFUnauthorizedError) as e:
        base._base_request('get', '')
    shown = ' '.join([repr(base), str(base), str(e.value), repr(e.value), caplog.text])
    for secret in ('very-secret', 'dTp2ZXJ5LXNlY3JldA=='):
        assert secret not in shown
