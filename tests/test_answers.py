"""Answers: how much is read of them, what errors are made of them, and where they refer to."""

import itertools

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.exceptions import HTTPError

from dxf.answers import check, is_not_found, location, read_at_most, status_of
from dxf.exceptions import DXFNotARegistryError, DXFUnauthorizedError
from dxf.retries import Retries
from dxf.transport import Credentials, Origin

from .support.fakeserver import Answer


@pytest.fixture
def send(transport, fake_server):
    """`send(method, **kwargs)` to the fake server."""

    def send(method, **kwargs):
        nobody_s = Credentials({}, Origin.of(fake_server.url))
        return transport.send(
            method, fake_server.url + '/', nobody_s, Retries(0), timeout=30, **kwargs
        )

    return send


# Reading answers


@pytest.mark.parametrize(('size', 'whole'), [(0, True), (999, True), (1000, True), (1001, False)])
@pytest.mark.parametrize('stream', [True, False])
@pytest.mark.parametrize('chunked', [True, False])
def test_read_at_most(send, fake_server, size, whole, stream, chunked):
    content = b'x' * size
    fake_server.on(
        'GET',
        '/',
        lambda request: Answer(body=iter([content[:500], content[500:]]) if chunked else content),
    )
    response = send('get', stream=stream)
    for _ in range(2):
        assert read_at_most(response, 1000) == whole
        assert response.content[:1000] == content[:1000]


def test_an_endless_answer_is_not_read_for_ever(send, fake_server):
    fake_server.on('GET', '/', lambda request: Answer(body=itertools.repeat(b'x' * 10_000)))
    response = send('get', stream=True)
    assert not read_at_most(response, 1000)
    assert 1000 < len(response.content) < 1_000_000


@pytest.mark.parametrize('method', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
def test_an_endless_answer_that_nobody_wants_is_not_read_for_ever(
    send, fake_server, monkeypatch, method
):
    monkeypatch.setattr('dxf.answers._MAX_ANSWER_SIZE', 100_000)
    fake_server.on(method, '/', lambda request: Answer(body=itertools.repeat(b'x' * 10_000)))
    with pytest.raises(DXFNotARegistryError, match='more than 100000 bytes'):
        send(method)


def test_the_connection_of_a_short_answer_is_kept(send, fake_server):
    fake_server.on('GET', '/', Answer(body=b'x' * 1000))
    for _ in range(2):
        assert read_at_most(send('get', stream=True), 1000)
    assert len({request.connection for request in fake_server.requests}) == 1


def test_an_answer_that_was_never_on_a_wire():
    response = requests.Response()
    response._content = b'12345'
    assert read_at_most(response, 5)
    assert not read_at_most(response, 4)


# Errors out of answers


def answer(
    status,
    content=b'',
    url='https://fred:secret@a:5000/v2/b/tags/list?sig=secret',
    content_type='application/json',
):
    response = requests.Response()
    response.status_code = status
    response.url = url
    response.reason = 'What Ever'
    response.headers['Content-Type'] = content_type
    response._content = content if isinstance(content, bytes) else content.encode()
    return response


@pytest.mark.parametrize('status', [200, 201, 202, 204, 206, 304, 307])
def test_what_is_no_error_is_given_back(status):
    response = answer(status)
    assert check(response) is response


@pytest.mark.parametrize('content', ['', '{"errors": [{"code": "UNAUTHORIZED"}]}', '<html>'])
def test_a_401(content):
    with pytest.raises(DXFUnauthorizedError):
        check(answer(401, content))


@pytest.mark.parametrize(
    ('status', 'content', 'expected'),
    [
        (404, '', '404 Client Error: Not Found for url: https://a:5000/v2/b/tags/list'),
        (
            500,
            '',
            '500 Server Error: Internal Server Error for url: https://a:5000/v2/b/tags/list',
        ),
        (599, '', '599 Server Error: What Ever for url: https://a:5000/v2/b/tags/list'),
        (
            404,
            '{"errors": [{"code": "NAME_UNKNOWN", "message": "no such name", "detail": {}}]}',
            '404 Client Error: Not Found for url: https://a:5000/v2/b/tags/list: '
            'NAME_UNKNOWN: no such name',
        ),
        (
            400,
            '{"errors": [{"code": "A", "message": "b"}, {"code": "C", "message": "d"}]}',
            '400 Client Error: Bad Request for url: https://a:5000/v2/b/tags/list: A: b: C: d',
        ),
        (
            403,
            '{"errors": [{"code": "DENIED"}]}',
            '403 Client Error: Forbidden for url: https://a:5000/v2/b/tags/list: DENIED',
        ),
    ],
)
def test_what_an_error_says(status, content, expected):
    with pytest.raises(HTTPError) as e:
        check(answer(status, content))
    assert str(e.value) == expected


def test_an_error_has_the_answer():
    response = answer(404, '{"errors": []}')
    with pytest.raises(HTTPError) as e:
        check(response)
    assert e.value.response is response
    assert e.value.response.json() == {'errors': []}


@pytest.mark.parametrize(
    'content',
    ['nonsense', '[]', '5', 'null', '{}', '{"errors": null}', '{"errors": 5}', '{"errors": {}}',
     '{"errors": ["a"]}', '{"errors": [null]}', '{"errors": [{}]}', '{"errors": [[]]}', b'\xff',
     '[' * 50_000, '{"errors": {"code": "A"}}', '{"error": "x"}'],
)  # fmt: skip
def test_an_error_that_is_no_registry_s(content):
    with pytest.raises(HTTPError) as e:
        check(answer(404, content))
    assert str(e.value) == '404 Client Error: Not Found for url: https://a:5000/v2/b/tags/list'


@given(st.binary() | st.text())
def test_no_error_raises_another(content):
    with pytest.raises(HTTPError, match='404 Client Error: Not Found'):
        check(answer(404, content))


def test_an_error_that_is_read_from_the_wire(send, fake_server):
    fake_server.on('GET', '/', Answer(404, {'errors': [{'code': 'A', 'message': 'b'}]}))
    with pytest.raises(HTTPError, match='A: b'):
        check(send('get', stream=True))


def test_an_endless_error(send, fake_server):
    fake_server.on('GET', '/', lambda request: Answer(500, itertools.repeat(b'x' * 10_000)))
    with pytest.raises(HTTPError, match='500 Server Error'):
        check(send('get', stream=True))


def test_an_error_that_announces_more_than_it_sends(send, fake_server):
    """Debian's registry does so with a 416: it gives the blob's length."""
    fake_server.on(
        'GET', '/', Answer(416, b'{"errors": []}', {'Content-Length': '1024'}, cut_after=1024)
    )
    with pytest.raises(HTTPError, match='416 Client Error'):
        check(send('get', stream=True))


@pytest.mark.parametrize('method', ['HEAD', 'PUT', 'DELETE'])
def test_a_web_page_is_no_registry_s_answer(method):
    response = answer(200, '<html>', content_type='text/html; charset=utf-8')
    response.request = requests.Request(method, 'https://a:5000/').prepare()
    with pytest.raises(DXFNotARegistryError, match='it answers with a web page') as e:
        check(response)
    assert e.value.address == 'https://a:5000/v2/b/tags/list'
    # Some registries say so of answers that have no content.
    response.headers['Docker-Distribution-Api-Version'] = 'registry/2.0'
    assert check(response) is response


def test_content_is_judged_by_whoever_reads_it():
    """Whatever the headers say."""
    response = answer(200, '{}', content_type='text/html')
    response.request = requests.Request('GET', 'https://a:5000/').prepare()
    assert check(response) is response


@pytest.mark.parametrize(('status', 'is_there'), [(404, False), (403, True)])
def test_what_an_error_is_of(status, is_there):
    error = HTTPError(response=answer(status))
    assert status_of(error) == status
    assert is_not_found(error) != is_there


def test_an_error_that_is_of_no_answer():
    assert status_of(HTTPError()) is None
    assert not is_not_found(HTTPError())


# Where they refer to

BASE = 'https://a:5000/v2/b/blobs/uploads/'


@pytest.mark.parametrize(
    ('reference', 'expected'),
    [
        ('/v2/b/blobs/uploads/1?_state=x', 'https://a:5000/v2/b/blobs/uploads/1?_state=x'),
        ('1', 'https://a:5000/v2/b/blobs/uploads/1'),
        ('?n=1', 'https://a:5000/v2/b/blobs/uploads/?n=1'),
        ('https://a:5000/x', 'https://a:5000/x'),
        ('https://c/x?y=z', 'https://c/x?y=z'),
        ('//c/x', 'https://c/x'),
        # From behind a proxy that terminates TLS.
        ('http://a:5000/x', 'https://a:5000/x'),
        ('http://c/x', 'https://c/x'),
        ('HTTP://c/x', 'https://c/x'),
        ('/x?a=%2F&b=c%20d&e=f+g', 'https://a:5000/x?a=%2F&b=c%20d&e=f+g'),
    ],
)
def test_where_an_answer_refers_to(reference, expected):
    assert location(answer(202, url=BASE), reference, 'https://a:5000/v2/') == expected


def test_http_stays_http_where_it_is_asked_for():
    response = answer(202, url=BASE.replace('https', 'http'))
    for reference in ('/x', 'http://a:5000/x'):
        assert location(response, reference, 'http://a:5000/v2/') == 'http://a:5000/x'
    # It need not be asked for twice to be safe.
    assert location(response, 'https://a:5000/x', 'http://a:5000/v2/') == 'https://a:5000/x'


def test_a_reference_of_a_response_without_an_address():
    assert location(answer(202, url=None), '/x', 'https://a:5000/v2/') == 'https://a:5000/x'


@pytest.mark.parametrize('reference', ['http://[', '//[', 'https://[::1/x'])
def test_a_reference_that_is_no_address(reference):
    with pytest.raises(DXFNotARegistryError, match='it refers to what is no address') as e:
        location(answer(202), reference, 'https://a:5000/v2/')
    assert 'secret' not in str(e.value)
