"""`authenticate`: from a challenge to a token, request by request."""

import base64

import pytest
import requests

import dxf
from dxf import exceptions

from .support.mocked import BASE, REALM, SCOPE, asked, bearer, challenged


def basic(username, password):
    return 'Basic ' + base64.b64encode(f'{username}:{password}'.encode()).decode()


@pytest.fixture
def client():
    return dxf.DXF('registry.example', 'some/repo')


@pytest.fixture
def base():
    return dxf.DXFBase('registry.example')


# Credentials


@pytest.mark.parametrize(
    ('given', 'header'),
    [
        ({'username': 'u', 'password': 'p'}, basic('u', 'p')),
        ({'username': 'ü', 'password': 'p:ä€'}, basic('ü', 'p:ä€')),
        ({'username': 'u', 'password': ''}, basic('u', '')),
        ({'username': '', 'password': 'p'}, basic('', 'p')),
        ({'username': '', 'password': ''}, basic('', '')),
        ({'authorization': 'Basic xyz'}, 'Basic xyz'),
        ({'authorization': 'Odd thing'}, 'Odd thing'),
        ({'username': 'u', 'password': 'p', 'authorization': 'Basic xyz'}, basic('u', 'p')),
        ({'username': 'u', 'authorization': 'Basic xyz'}, 'Basic xyz'),
        ({'password': 'p', 'authorization': 'Basic xyz'}, 'Basic xyz'),
        ({'username': 'u'}, None),
        ({'password': 'p'}, None),
        ({}, None),
    ],
)
def test_credentials(mock, client, given, header):
    mock.get(REALM, json={'token': 'abc'})
    assert client.authenticate(response=challenged(bearer()), **given) == 'abc'
    assert len(mock.calls) == 1
    assert mock.calls[0].request.headers.get('Authorization') == header
    assert client.token == 'abc'


def test_by_position(mock, client):
    mock.get(REALM, json={'token': 'abc'})
    got = client.authenticate(
        None, None, ['pull'], challenged(bearer()), 'Basic xyz', 'some-agent/1.0'
    )
    assert got == 'abc'
    headers = mock.calls[0].request.headers
    assert headers['Authorization'] == 'Basic xyz'
    assert headers['User-Agent'] == 'some-agent/1.0'
    assert asked(mock)[1] == [('scope', 'repository:some/repo:pull')]


def test_the_user_agent(mock, client):
    mock.get(REALM, json={'token': 'abc'})
    client.authenticate(response=challenged(bearer()))
    assert mock.calls[0].request.headers['User-Agent'] == 'Docker-Client/19.03.2 (linux)'


def test_a_token_that_is_there_is_not_sent_to_the_token_service(mock, client):
    mock.get(REALM, json={'token': 'new'})
    client.token = 'old'
    client._headers['X-Extra'] = 'secret'
    assert client.authenticate(response=challenged(bearer())) == 'new'
    assert 'Authorization' not in mock.calls[0].request.headers
    assert 'X-Extra' not in mock.calls[0].request.headers
    # What else the caller has set stays.
    assert client._headers == {'Authorization': 'Bearer new', 'X-Extra': 'secret'}


def test_each_call_asks(mock, client):
    """One GET for each, but for who shares connections with somebody that was granted the same."""
    answers = iter(['first', 'second', 'third', 'fourth'])
    mock.add_callback('GET', REALM, lambda request: (200, {}, f'{{"token": "{next(answers)}"}}'))
    response = challenged(bearer(service='reg', scope=SCOPE))
    assert client.authenticate('u', 'p', response=response) == 'first'
    assert client.authenticate('u', 'p', response=response) == 'second'
    assert client.authenticate('other', 'p', response=response) == 'third'
    child = dxf.DXF.from_base(client, 'some/repo')
    assert child.authenticate('u', 'p', response=response) == 'second'
    assert child.authenticate('u', 'p', response=response) == 'fourth'
    assert client.token == 'third'


# The reply


@pytest.mark.parametrize(
    'reply',
    [
        {'token': 'abc'},
        {'access_token': 'abc'},
        {'token': 'other', 'access_token': 'abc'},
        {'token': 'abc', 'access_token': ''},
        {'token': 'abc', 'access_token': None, 'expires_in': 60, 'issued_at': 'x'},
    ],
)
def test_tokens(mock, client, reply):
    mock.get(REALM, json=reply)
    assert client.authenticate(response=challenged(bearer())) == 'abc'
    assert client.token == 'abc'


def test_a_refusal(mock, client):
    mock.get(REALM, status=401, json={'errors': []})
    client.token = 'old'
    with pytest.raises(exceptions.DXFUnauthorizedError):
        client.authenticate('u', 'p', response=challenged(bearer()))
    assert client.token == 'old'
    assert len(mock.calls) == 1


@pytest.mark.parametrize('status', [400, 403, 404])
def test_other_failures_of_the_token_service(mock, client, status):
    mock.get(REALM, status=status, json={'errors': [{'code': 'DENIED', 'message': 'no way'}]})
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.authenticate('u', 'p', response=challenged(bearer()))
    assert e.value.response.status_code == status
    assert 'DENIED' in str(e.value)
    assert 'no way' in str(e.value)


# Basic


@pytest.mark.parametrize('given', [{'username': 'u', 'password': 'p'}, {'authorization': 'x y'}])
def test_basic(mock, client, given):
    expected = given.get('authorization', basic('u', 'p'))
    assert client.authenticate(response=challenged('Basic realm="r"'), **given) is None
    assert len(mock.calls) == 0
    mock.get(BASE, body='{}')
    client.api_version_check()
    assert mock.calls[0].request.headers['Authorization'] == expected
    assert client.token is None


@pytest.mark.parametrize('given', [{}, {'username': 'u'}, {'password': 'p'}])
def test_basic_without_credentials(mock, client, given):
    """There is no token, nor anything to keep: the registry goes on refusing."""
    client._headers['X-Extra'] = '1'
    assert client.authenticate(response=challenged('Basic realm="r"'), **given) is None
    assert client._headers == {'X-Extra': '1'}
    client._auth = lambda made, response: made.authenticate(response=response, **given)
    mock.get(BASE, status=401, headers={'WWW-Authenticate': 'Basic realm="r"'})
    with pytest.raises(exceptions.DXFUnauthorizedError):
        client.api_version_check()
    assert len(mock.calls) == 1


@pytest.mark.parametrize('header', ['', 'Negotiate', 'Bearer', '???', 'Bearer realm="ftp://x/"'])
def test_a_challenge_that_cannot_be_met_is_a_401_still(client, header):
    with pytest.raises(exceptions.DXFUnauthorizedError, match='challenge'):
        client.authenticate('u', 'p', response=challenged(header))


@pytest.mark.parametrize('header', ['Basic', 'basic', 'Basic realm=r', 'BASIC realm="a, b"'])
def test_spellings_of_basic(client, header):
    assert client.authenticate('u', 'p', response=challenged(header)) is None
    assert client._headers == {'Authorization': basic('u', 'p')}


@pytest.mark.parametrize('order', [1, -1])
def test_bearer_wins_over_basic(mock, client, order):
    mock.get(REALM, json={'token': 'abc'})
    offers = ['Basic realm="a, b"', bearer(service='reg', scope=SCOPE)][::order]
    assert client.authenticate('u', 'p', response=challenged(*offers)) == 'abc'
    assert asked(mock) == (REALM, [('service', 'reg'), ('scope', SCOPE)])


def test_unknown_schemes_are_passed_over(mock, client):
    mock.get(REALM, json={'token': 'abc'})
    offers = ['Negotiate', 'Digest realm="d", nonce="n"', bearer()]
    assert client.authenticate('u', 'p', response=challenged(*offers)) == 'abc'


# Over http


@pytest.mark.parametrize('challenge', ['Basic realm="r"', bearer()])
def test_over_http(mock, challenge):
    client = dxf.DXF('registry.example', 'a', insecure=True)
    for given in ({'username': 'u', 'password': 'p'}, {'authorization': 'x'}, {}):
        with pytest.raises(exceptions.DXFAuthInsecureError):
            client.authenticate(response=challenged(challenge), **given)
    assert len(mock.calls) == 0
    assert client._headers == {}


def test_over_http_there_may_be_no_need(mock):
    mock.get('http://registry.example/v2/', body='{}')
    client = dxf.DXF('registry.example', 'a', insecure=True)
    assert client.authenticate('u', 'p') is None


# With and without a response


@pytest.mark.parametrize('status', [200, 201, 204])
def test_a_success_needs_nothing(mock, client, status):
    assert client.authenticate('u', 'p', response=challenged(status=status)) is None
    mock.get(BASE, status=status)
    assert client.authenticate('u', 'p') is None
    assert client._headers == {}


@pytest.mark.parametrize('status', [301, 400, 403, 404, 500, 503])
def test_other_statuses(mock, status, clock):
    client = dxf.DXF('registry.example', 'some/repo')
    for response in (challenged(bearer(), status=status), None):
        if response is None:
            mock.get(BASE, status=status, headers={'WWW-Authenticate': bearer()})
        with pytest.raises(exceptions.DXFUnexpectedStatusCodeError) as e:
            client.authenticate('u', 'p', response=response)
        assert (e.value.got, e.value.expected) == (status, 401)


def test_without_a_response_it_asks(mock):
    def auth(client, response):
        raise AssertionError('called')

    client = dxf.DXF('registry.example', 'some/repo', auth)
    client.token = 'old'
    client._headers['X-Secret'] = 's'
    mock.get(BASE, status=401, headers={'WWW-Authenticate': bearer(service='reg')})
    mock.get(REALM, json={'token': 'new'})
    assert client.authenticate('u', 'p', 'pull') == 'new'
    ping, token = (call.request for call in mock.calls)
    assert ping.url == BASE
    assert 'Authorization' not in ping.headers
    assert 'X-Secret' not in ping.headers
    assert token.params == {'service': 'reg', 'scope': 'repository:some/repo:pull'}


def test_a_base_authenticates_too(mock, base):
    mock.get(BASE, status=401, headers={'WWW-Authenticate': bearer()})
    mock.get(REALM, json={'token': 'abc'})
    assert base.authenticate() == 'abc' == base.token
