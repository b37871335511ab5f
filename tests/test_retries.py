"""Trying again: after how long, how often, and what for."""

import email.utils
import socket
import ssl
import struct
import threading
import time

import pytest
import requests
import responses
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.exceptions import ChunkedEncodingError, ConnectionError, ConnectTimeout, ReadTimeout

from dxf import connections
from dxf.causes import causes
from dxf.retries import Retries, is_final, is_transient, is_transient_status

from .support.clock import Clock
from .support.fakeserver import Answer
from .support.waiting import free_port

TRANSIENT = [429, 500, 502, 503, 504]


@pytest.fixture(autouse=True)
def fixed_jitter(monkeypatch):
    """Waits as long as they can get."""
    monkeypatch.setattr('dxf.retries.random.uniform', lambda low, high: high)


def refused(status=503, **headers):
    """An answer, as it comes from urllib3."""
    response = requests.Response()
    response.status_code = status
    response.raw = urllib3.HTTPResponse(
        status=status, headers={name.replace('_', '-'): value for name, value in headers.items()}
    )
    return response


def waits(attempts, count, **kwargs):
    return [attempts.wait(**kwargs) for _ in range(count)]


# How often, and for how long


def test_the_wait_doubles(clock):
    attempts = Retries(total=6, seconds=1000).start()
    assert waits(attempts, 6, error=ConnectionError()) == [True] * 6
    # The first is for connections that were merely stale.
    assert clock.slept == [0, 1, 2, 4, 8, 16]


def test_the_wait_is_the_same_after_an_answer(clock):
    attempts = Retries(total=4, seconds=1000).start()
    assert waits(attempts, 4, response=refused()) == [True] * 4
    assert clock.slept == [0, 1, 2, 4]


def test_an_answer_that_was_never_on_a_wire(clock):
    """As test doubles make them."""
    response = requests.Response()
    response.status_code = 503
    attempts = Retries(total=2).start()
    assert waits(attempts, 3, response=response) == [True, True, False]


def test_the_wait_has_a_bound(clock):
    attempts = Retries(total=30, seconds=10**6).start()
    assert waits(attempts, 30, error=ConnectionError()) == [True] * 30
    assert max(clock.slept) == 120


def test_jitter(clock, monkeypatch):
    """Those who failed together don't come back together."""
    asked = []

    def uniform(low, high):
        asked.append((low, high))
        return (low + high) / 2

    monkeypatch.setattr('dxf.retries.random.uniform', uniform)
    attempts = Retries(total=3, seconds=1000).start()
    waits(attempts, 3, error=ConnectionError())
    assert clock.slept == [0, 0.75, 1.5]
    assert set(asked) == {(0.5, 1)}


@pytest.mark.parametrize('total', [0, 1, 5])
def test_the_number_of_attempts_is_bounded(clock, total):
    attempts = Retries(total=total, seconds=10**6).start()
    assert waits(attempts, total + 3, error=ConnectionError()) == [True] * total + [False] * 3
    assert len(clock.slept) == total


def test_errors_and_answers_count_together(clock):
    attempts = Retries(total=2, seconds=1000).start()
    assert attempts.wait(error=ConnectionError())
    assert attempts.wait(response=refused())
    assert not attempts.wait(error=ConnectionError())


def test_a_wait_that_would_take_too_long_is_none(clock):
    attempts = Retries(total=10, seconds=4).start()
    # 0, 1 and 2 seconds; the next would end after 7.
    assert waits(attempts, 4, error=ConnectionError()) == [True, True, True, False]
    assert clock.slept == [0, 1, 2]


def test_the_time_that_attempts_take_counts(clock):
    attempts = Retries(total=10, seconds=4).start()
    assert waits(attempts, 2, error=ConnectionError()) == [True, True]
    clock.now += 2
    assert not attempts.wait(error=ConnectionError())


def test_each_operation_counts_anew(clock):
    retries = Retries(total=1, seconds=4)
    assert waits(retries.start(), 2, error=ConnectionError()) == [True, False]
    clock.now += 100
    assert waits(retries.start(), 2, error=ConnectionError()) == [True, False]


def test_defaults():
    assert Retries() == (5, 120)


# Retry-After


@pytest.mark.parametrize('status', [429, 503])
def test_retry_after_in_seconds(clock, status):
    attempts = Retries(total=3).start()
    assert attempts.wait(response=refused(status, Retry_After='30'))
    assert clock.slept == [30]


def test_retry_after_of_an_error_that_holds_the_answer(clock):
    attempts = Retries(total=3).start()
    error = requests.HTTPError(response=refused(Retry_After='30'))
    assert attempts.wait(error=error)
    assert attempts.wait(error=requests.HTTPError())
    assert clock.slept == [30, 1]


def test_the_longer_wait_wins(clock):
    attempts = Retries(total=5).start()
    waits(attempts, 4, response=refused(Retry_After='3'))
    assert clock.slept == [3, 3, 3, 4]


def test_retry_after_as_a_date(clock):
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    attempts = Retries(total=3).start()
    assert attempts.wait(response=refused(Retry_After=date))
    assert 0 < clock.slept[0] <= 60


def test_retry_after_a_date_that_has_passed(clock):
    date = email.utils.formatdate(time.time() - 60, usegmt=True)
    attempts = Retries(total=3).start()
    assert attempts.wait(response=refused(Retry_After=date))
    assert clock.slept == [0]


@pytest.mark.parametrize(
    'value', ['121', '3600', '9' * 30, '9' * 400, '9' * 5000,
              'Fri, 31 Dec 9999 23:59:59 GMT', 'Fri, 31 Dec 99999 23:59:59 GMT'],
    ids=lambda value: value[:12],
)  # fmt: skip
def test_retry_after_longer_than_anybody_waits(clock, value):
    attempts = Retries(total=3, seconds=120).start()
    attempts.wait(response=refused(Retry_After=value))
    assert sum(clock.slept) == 0


@pytest.mark.parametrize(
    'value',
    ['', ' ', 'soon', '-5', '1.5', '5 s', '0x5', '\xb2', '1e3', 'Fri', ',', ':', 'Mon, 1 Foo 2020',
     'Fri, 31 Dec 1', '32 32 32 32:32:32', '0 0 0', '- - -', '1 Jan 2020 99:99:99 +9999999999999',
     '0'],
)  # fmt: skip
def test_retry_after_that_says_nothing(clock, value):
    attempts = Retries(total=3).start()
    assert waits(attempts, 3, response=refused(Retry_After=value)) == [True] * 3
    assert clock.slept == [0, 1, 2]


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
    | st.from_regex(r'[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ ([+-]\d+|GMT)')
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_retry_after_is_an_error(monkeypatch, value):
    clock = Clock()
    with monkeypatch.context() as patch:
        patch.setattr('dxf.retries.time', clock)
        attempts = Retries(total=1, seconds=120).start()
        attempts.wait(response=refused(Retry_After=value))
    assert 0 <= sum(clock.slept) <= 120


# What is tried again: statuses


@pytest.mark.parametrize('status', range(200, 600))
def test_statuses(status):
    assert is_transient_status(status) == (status in TRANSIENT)
    error = requests.exceptions.HTTPError(response=refused(status))
    assert is_transient(error) == (status in TRANSIENT)


def test_an_http_error_without_an_answer():
    assert not is_transient(requests.exceptions.HTTPError('x'))


# What is tried again: network trouble, all of it real


def failure(url, **kwargs):
    kwargs.setdefault('timeout', 30)
    with connections.session() as session:
        session.trust_env = False
        try:
            session.get(url, **kwargs)
        except Exception as error:
            return error
    return pytest.fail('it succeeded')


@pytest.fixture
def listening():
    """A socket that listens; nobody accepts."""
    with socket.socket() as made:
        made.bind(('127.0.0.1', 0))
        made.listen()
        yield made


def url_of(listening):
    return f'http://127.0.0.1:{listening.getsockname()[1]}/'


def serve(listening, act):
    """Accept one connection, read what comes first, and act on it."""

    def run():
        connection = listening.accept()[0]
        with connection:
            connection.recv(65536)
            act(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def refusal():
    return failure(f'http://127.0.0.1:{free_port()}/')


def test_a_closed_port():
    error = refusal()
    assert type(error) is ConnectionError
    assert is_transient(error)
    # It may be restarted, but not if it never was there.
    assert not is_final(error, reached=True)
    assert is_final(error, reached=False)


def test_an_unknown_host(monkeypatch):
    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', getaddrinfo)
    error = failure('http://nowhere.invalid/')
    assert type(error) is ConnectionError
    assert is_final(error, reached=False)
    assert not is_final(error, reached=True)


def test_a_reset_connection(listening):
    thread = serve(listening, reset)
    error = failure(url_of(listening))
    thread.join()
    assert type(error) is ConnectionError
    assert not is_final(error, reached=False)
    assert not is_final(error, reached=True)
    assert any(isinstance(cause, ConnectionResetError) for cause in causes(error))


def test_a_connection_that_is_closed_without_an_answer(listening):
    thread = serve(listening, lambda connection: None)
    error = failure(url_of(listening))
    thread.join()
    assert not is_final(error, reached=False)
    assert not is_final(error, reached=True)


def test_an_answer_that_is_cut(listening):
    thread = serve(
        listening,
        lambda connection: connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    )
    error = failure(url_of(listening))
    thread.join()
    assert isinstance(error, (ChunkedEncodingError, ConnectionError))
    assert is_transient(error)
    assert not is_final(error, reached=True)


def test_an_answer_that_is_no_http(listening):
    thread = serve(listening, lambda connection: connection.sendall(b'SSH-2.0-OpenSSH\r\n'))
    error = failure(url_of(listening))
    thread.join()
    assert isinstance(error, ConnectionError)
    assert not is_final(error, reached=True)


def test_no_answer_in_time(listening):
    error = failure(url_of(listening), timeout=0.1)
    assert type(error) is ReadTimeout
    assert is_transient(error)
    assert not is_final(error, reached=True)


def test_no_connection_in_time(listening, monkeypatch):
    def connect(*_):
        raise socket.timeout('timed out')

    monkeypatch.setattr(socket.socket, 'connect', connect, raising=False)
    error = failure(url_of(listening))
    assert type(error) is ConnectTimeout
    assert is_transient(error)
    assert not is_final(error, reached=True)


def test_a_certificate_that_does_not_verify(fake_tls_server, other_certificates):
    error = failure(fake_tls_server.url, verify=other_certificates.ca)
    assert isinstance(error, requests.exceptions.SSLError)
    assert not is_transient(error)
    for reached in (True, False):
        assert is_final(error, reached)


def test_a_host_that_speaks_no_tls(fake_server):
    error = failure(f'https://{fake_server.host}/')
    assert isinstance(error, requests.exceptions.SSLError)
    assert is_final(error, reached=False)


@pytest.mark.parametrize('url', ['http://', 'ftp://localhost/', 'http://localhost:99999/', 'x'])
def test_what_is_no_address(url):
    error = failure(url)
    assert not is_transient(error)
    for reached in (True, False):
        assert is_final(error, reached)


def test_redirects_without_end(fake_server):
    fake_server.on('GET', '/', Answer(302, headers={'Location': '/'}))
    error = failure(fake_server.url + '/')
    assert isinstance(error, requests.TooManyRedirects)
    assert is_final(error, reached=True)


@pytest.mark.parametrize(
    'error', [ValueError(), OSError(), KeyboardInterrupt(), ssl.SSLError(), socket.timeout()]
)
def test_what_is_not_requests_s_is_not_tried_again(error):
    assert not is_transient(error)


def test_what_a_double_was_not_told_of_is_not_tried_again():
    """It stays so, and a program's test is not to wait for it."""
    with responses.RequestsMock(), pytest.raises(ConnectionError) as e:
        requests.get('http://registry.example/')
    assert not is_transient(e.value)
    for reached in (True, False):
        assert is_final(e.value, reached)


# Causes


def test_causes_of_a_real_error():
    kinds = [type(cause) for cause in causes(refusal())]
    assert kinds[0] is ConnectionError
    assert {
        urllib3.exceptions.MaxRetryError,
        urllib3.exceptions.NewConnectionError,
        ConnectionRefusedError,
    } <= set(kinds)
    assert len(kinds) == len(set(kinds))


def test_causes_in_a_circle():
    first, second = ValueError('a'), ValueError('b')
    first.__cause__, second.__cause__ = second, first
    second.args = (first, second)
    assert list(causes(first)) == [first, second]


def test_many_causes():
    errors = [ValueError(n) for n in range(5000)]
    for error, cause in zip(errors, errors[1:]):
        error.__cause__ = error.__context__ = cause
    assert list(causes(errors[0])) == errors
