"""What a registry refuses: requests' own error, with the registry's words in it."""

import gzip

import pytest
import requests

import dxf
from dxf import exceptions

from .support.fakeserver import Answer
from .support.plain import sha256


@pytest.fixture
def client(fake_server, clock):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        yield made


def refused(server, client, status, body, **headers):
    server.on(None, '.*', lambda request: Answer(status, body, headers))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.list_aliases()
    assert e.value.response.status_code == status
    assert isinstance(e.value.response, requests.Response)
    assert '\n' not in str(e.value)
    return str(e.value)


def test_the_registrys_words(fake_server, client):
    body = {'errors': [{'code': 'NAME_UNKNOWN', 'message': 'not known to registry'}]}
    text = refused(fake_server, client, 404, body)
    assert 'NAME_UNKNOWN' in text
    assert 'not known to registry' in text
    assert '404' in text
    assert 'Not Found' in text
    assert fake_server.url + '/v2/a/tags/list' in text


def test_several_errors(fake_server, client):
    errors = [{'code': 'A', 'message': 'first'}, {'code': 'B', 'message': 'second', 'detail': {}}]
    text = refused(fake_server, client, 400, {'errors': errors})
    for word in ('A', 'first', 'B', 'second'):
        assert word in text


@pytest.mark.parametrize(
    'errors',
    [
        [{'code': 'DENIED'}],
        [{'code': 'DENIED', 'message': ''}],
        [{'code': 'DENIED', 'message': None}],
        [{'code': 'DENIED', 'message': 'no', 'detail': [1, {'a': 2}]}],
        [{}, {'code': 'DENIED'}],
        [5, {'code': 'DENIED', 'message': 'x'}],
        [{'message': 'something'}, {'code': 'DENIED'}],
    ],
)
def test_errors_that_lack_something(fake_server, client, errors):
    """What is there is shown."""
    assert 'DENIED' in refused(fake_server, client, 403, {'errors': errors})


def test_a_message_without_a_code(fake_server, client):
    errors = [{'message': 'come back later'}]
    assert 'come back later' in refused(fake_server, client, 403, {'errors': errors})


def test_messages_of_several_lines(fake_server, client):
    errors = [{'code': 'DENIED', 'message': 'one\r\ntwo'}]
    text = refused(fake_server, client, 403, {'errors': errors})
    assert 'one' in text
    assert 'two' in text
    assert '\r' not in text


@pytest.mark.parametrize(
    'body',
    [
        '',
        'x',
        '<html><body>Forbidden</body></html>',
        'null',
        '5',
        '[]',
        '{}',
        '{"errors": null}',
        '{"errors": 5}',
        '{"errors": []}',
        '{"errors": {}}',
        '{"errors": [null]}',
        '{"errors": ["x"]}',
        '{"errors": [{"code": {}, "message": []}]}',
        '[' * 100_000,
        b'\xff\xfe',
    ],
)
def test_bodies_that_say_nothing(fake_server, client, body):
    text = refused(fake_server, client, 403, body)
    assert '403' in text
    assert 'Forbidden' in text


def test_the_body_can_be_looked_at(fake_server, client):
    body = {'errors': [{'code': 'DENIED', 'message': 'no', 'detail': {'quota': 5}}]}
    fake_server.on(None, '.*', lambda request: Answer(403, body))
    for call in (
        client.list_aliases,
        lambda: client.pull_blob(sha256(b'x')),
        lambda: client.get_manifest('latest'),
    ):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            call()
        assert e.value.response.json() == body


def test_an_endless_error(fake_server, client):
    sent = []

    def endless():
        while True:
            sent.append(1)
            yield b' ' * 1_000_000

    fake_server.on(None, '.*', lambda request: Answer(403, endless()))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.pull_blob(sha256(b'x'))
    assert e.value.response.status_code == 403
    assert len(sent) < 1000


def test_an_error_that_is_cut(fake_server, client):
    """2.8.2 announces a longer error than it sends, where a range can't be had."""
    fake_server.on(None, '.*', lambda request: Answer(416, b'x' * 100, cut_after=10))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.pull_blob(sha256(b'x'))
    assert e.value.response.status_code == 416


@pytest.mark.parametrize('status', [400, 402, 403, 404, 405, 409, 410, 418, 451, 499, 501, 599])
def test_every_status(fake_server, client, status):
    assert str(status) in refused(fake_server, client, status, b'')


def test_a_401(fake_server, client):
    fake_server.on(None, '.*', lambda request: Answer(401))
    calls = [
        client.list_aliases,
        client.list_repos,
        client.api_version_check,
        lambda: client.push_blob(data=b'x'),
        lambda: client.push_blob(data=b'x', check_exists=False),
        lambda: client.pull_blob(sha256(b'x')),
        lambda: client.blob_size(sha256(b'x')),
        lambda: client.mount_blob('b', sha256(b'x')),
        lambda: client.del_blob(sha256(b'x')),
        lambda: client.make_manifest(sha256(b'x')),
        lambda: client.set_alias('latest', sha256(b'x')),
        lambda: client.set_manifest('latest', '{"mediaType": "a/b"}'),
        lambda: client.get_manifest('latest'),
        lambda: client.get_manifest_and_response('latest'),
        lambda: client.head_manifest_and_response('latest'),
        lambda: client.get_alias('latest'),
        lambda: client.get_digest('latest'),
        lambda: client.del_alias('latest'),
    ]
    for call in calls:
        with pytest.raises(exceptions.DXFUnauthorizedError):
            call()


def test_secrets_of_a_signed_address_are_not_shown(fake_server, client):
    there = {'Location': fake_server.url + '/store?X-Signature=very-secret'}
    fake_server.on('GET', '/v2/.*', lambda request: Answer(307, headers=there))
    fake_server.on('GET', '/store', lambda request: Answer(403))
    with pytest.raises(requests.exceptions.HTTPError) as e:
        client.pull_blob(sha256(b'x'))
    assert 'very-secret' not in str(e.value)
    assert fake_server.url + '/store' in str(e.value)


CONTENT = b'content' * 1000
DIGEST = sha256(CONTENT)

READS = {
    'pull_blob': lambda client: list(client.pull_blob(DIGEST)),
    'get_manifest': lambda client: client.get_manifest('latest'),
    'list_aliases': lambda client: client.list_aliases(),
    'list_repos': lambda client: client.list_repos(),
    'api_version_check': lambda client: client.api_version_check(),
    '_request': lambda client: client._request('get', 'blobs/' + DIGEST),
}


@pytest.mark.parametrize('headers', [{}, {'Content-Encoding': 'gzip'}], ids=['plain', 'coded'])
@pytest.mark.parametrize('chunked', [False, True])
@pytest.mark.parametrize('read', READS)
def test_a_connection_that_is_cut_in_an_answer(fake_server, clock, read, chunked, headers):
    """It is network trouble, which is requests' ConnectionError; some catch what else it was."""
    body = gzip.compress(CONTENT) if headers else CONTENT
    answer = Answer(body=iter([body] * 2) if chunked else body, headers=headers, cut_after=20)
    fake_server.on('GET', '.*', answer)
    client = dxf.DXF(fake_server.host, 'a', insecure=True, retries=0)
    with pytest.raises(requests.exceptions.ConnectionError) as e:
        READS[read](client)
    assert isinstance(e.value, exceptions.DXFConnectionCutError)
    assert isinstance(e.value, requests.exceptions.ChunkedEncodingError)
    assert not isinstance(e.value, requests.exceptions.HTTPError)
