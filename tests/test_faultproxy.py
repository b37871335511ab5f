"""The proxy that makes things go wrong: as it was told, and not otherwise."""

import email.utils
import hashlib
import http.client
import socket
import ssl
import time

import pytest

from .support.fakeserver import Answer, FakeServer
from .support.faultproxy import FaultProxy
from .support.faults import ENDLESS_FAULTS, MILD_FAULTS, PASSING_STATUSES, Fault, Schedule

SECONDS = 20  # that something which must come may take

BODY = bytes(range(256)) * 40
BLOB = '/v2/a/blobs/sha256:' + hashlib.sha256(BODY).hexdigest()
UPLOAD = '/v2/a/blobs/uploads/some-id'


@pytest.fixture
def server(fake_server):
    fake_server.on('GET', '.*', Answer(200, BODY, {'Docker-Content-Digest': 'sha256:0'}))
    fake_server.on('HEAD', '.*', Answer(200, BODY))
    fake_server.on('PUT', '.*', Answer(201))
    fake_server.on('DELETE', '.*', [Answer(202), Answer(404)])
    return fake_server


@pytest.fixture
def proxy(server):
    with FaultProxy(server.host) as made:
        yield made
        assert not made.errors


def play(proxy, faults):
    proxy.play(Schedule.parse(faults))
    return proxy.schedule


class Connection(http.client.HTTPConnection):
    """A connection that is used more than once; `ask` gives the answer, its body read."""

    def ask(self, method, path, body=None, headers=None):
        self.request(method, path, body, headers or {})
        answer = self.getresponse()
        answer.content = answer.read()
        return answer


@pytest.fixture
def client(proxy):
    connection = Connection('127.0.0.1', proxy.port, timeout=SECONDS)
    yield connection
    connection.close()


def request(method, path, body=b'', *headers):
    lines = [f'{method} {path} HTTP/1.1', 'Host: tests', f'Content-Length: {len(body)}', *headers]
    return '\r\n'.join([*lines, '', '']).encode() + body


def talk(proxy, sent):
    """All that comes back, and whether it ended with a reset."""
    got = b''
    with socket.create_connection(('127.0.0.1', proxy.port), timeout=SECONDS) as raw:
        try:
            raw.sendall(sent)
            for piece in iter(lambda: raw.recv(1 << 16), b''):
                got += piece
        except ConnectionError:
            return got, True
    return got, False


# Nothing goes wrong


def test_all_passes_on_a_kept_connection(proxy, client, server):
    play(proxy, 'drop answer')
    assert client.ask('GET', '/v2/a/tags/list').content == BODY
    address = client.sock.getsockname()
    assert client.ask('HEAD', BLOB).headers['Content-Length'] == str(len(BODY))
    assert client.ask('PUT', '/v2/x?y=z', BODY).status == 201
    assert client.ask('GET', BLOB, headers={'X-This': 'that'}).content == BODY
    assert client.sock.getsockname() == address
    assert [r.target for r in server.requests] == ['/v2/a/tags/list', BLOB, '/v2/x?y=z', BLOB]
    assert server.requests[2].body == BODY
    assert server.requests[3].headers['X-This'] == 'that'
    assert [str(entry) for entry in proxy.log][1:3] == [f'HEAD {BLOB} -> 200', 'PUT /v2/x -> 201']
    assert proxy.schedule.played == []


def test_what_comes_in_chunks(proxy, client, server):
    server.on('GET', '/chunks', Answer(200, (b'one', b'two' * 50_000)))
    assert client.ask('GET', '/chunks').content == b'one' + b'two' * 50_000
    assert client.ask('PUT', '/v2/', iter([BODY, b'and more'])).status == 201
    assert server.requests[-1].body == BODY + b'and more'


def test_an_answer_that_comes_before_the_body(proxy, client, server):
    server.on('PUT', '/early', Answer(413, b'too much'), read_body=False)
    # More than fits into buffers: without the answer this would not end.
    client.putrequest('PUT', '/early')
    client.putheader('Content-Length', str(1 << 30))
    client.endheaders(b'x' * 1000)
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (413, b'too much')


def test_tls_on_both_sides(certificates, fake_tls_server):
    fake_tls_server.on('PUT', '/v2/', Answer(201))
    context = ssl.create_default_context(cafile=certificates.ca)
    with FaultProxy(fake_tls_server.host, certificates, upstream_ca=certificates.ca) as proxy:
        connection = http.client.HTTPSConnection('localhost', proxy.port, context=context)
        connection.request('PUT', '/v2/', BODY * 100)
        assert connection.getresponse().status == 201
        connection.close()
        assert fake_tls_server.requests[0].body == BODY * 100
        assert not proxy.errors


def test_other_paths_go_elsewhere(server):
    with FakeServer() as other:
        other.on('GET', '/token', Answer(200, b'from elsewhere'))
        with FaultProxy(server.host, routes={'/token': other.host}) as proxy:
            connection = Connection('127.0.0.1', proxy.port, timeout=SECONDS)
            assert connection.ask('GET', '/token').content == b'from elsewhere'
            assert connection.ask('GET', BLOB).content == BODY
            connection.close()


def test_a_body_that_is_too_large(proxy, client, server):
    proxy.max_body = 1000
    assert client.ask('PUT', '/v2/', b'x' * 1000).status == 201
    assert client.ask('PUT', '/v2/', b'x' * 1001).status == 413
    assert len(server.requests) == 1


# Something does


@pytest.mark.parametrize('how', ['fin', 'rst'])
@pytest.mark.parametrize('byte', [0, 1, 17, 200, 5000, 10_000_000])
def test_a_cut_answer(proxy, how, byte):
    whole = talk(proxy, request('GET', BLOB, b'', 'Connection: close'))[0]
    schedule = play(proxy, f'cut down {how} byte={byte}')
    got, reset = talk(proxy, request('GET', BLOB, b'', 'Connection: close'))
    assert reset == (how == 'rst')
    # What is on its way when a connection is reset is lost.
    same = slice(0, len(b'HTTP/1.1 200 OK')), slice(-len(BODY), None)
    assert len(got) <= min(byte, len(whole))
    if how == 'fin':
        assert len(got) == min(byte, len(whole))
        if byte > len(whole):
            assert [got[part] for part in same] == [whole[part] for part in same]
    assert schedule.played == [(Fault('cut', 'down', byte=byte, how=how), f'GET {BLOB}')]
    assert schedule.transient


@pytest.mark.parametrize('how', ['fin', 'rst'])
def test_a_cut_request(proxy, server, how):
    play(proxy, f'cut up {how} body=0.5')
    assert talk(proxy, request('PUT', '/v2/', BODY)) == (b'', how == 'rst')
    assert [r for r in server.requests if r.body == BODY] == []


def test_a_request_that_is_cut_at_its_end_has_arrived(proxy, server):
    play(proxy, 'cut up fin body=1')
    assert talk(proxy, request('PUT', '/v2/', BODY)) == (b'', False)
    deadline = time.monotonic() + SECONDS
    while not server.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.requests[0].body == BODY


def test_a_fault_waits_for_its_turn(proxy, client):
    play(proxy, 'cut down fin head=0 skip=2')
    assert client.ask('GET', BLOB).content == BODY
    assert client.ask('GET', BLOB).content == BODY
    with pytest.raises(http.client.RemoteDisconnected):
        client.ask('GET', BLOB)


@pytest.mark.parametrize('faults', ['cut up fin connect=0', 'cut up rst connect=0'])
def test_a_connection_that_is_closed_at_once(proxy, client, server, faults):
    play(proxy, faults)
    with pytest.raises(ConnectionError):
        client.ask('GET', BLOB)
    client.close()
    assert client.ask('GET', BLOB).content == BODY
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    'faults',
    ['stall up connect=0', 'stall up head=0.5', 'stall down head=0.5', 'stall down body=0.5'],
)
def test_a_stall(proxy, faults):
    schedule = play(proxy, faults)
    with socket.create_connection(('127.0.0.1', proxy.port), timeout=0.3) as raw:
        raw.sendall(request('GET', BLOB))
        got = []
        with pytest.raises(socket.timeout):
            for piece in iter(lambda: raw.recv(1 << 16), b''):
                got.append(piece)
        assert len(b''.join(got)) < len(BODY)
    assert len(schedule.played) == 1
    # And the proxy can be stopped all the same.


def test_a_delay(proxy, client):
    schedule = play(proxy, 'delay up head=0.5 seconds=0.01; delay down body=0.5 seconds=0.01')
    assert client.ask('GET', BLOB).content == BODY
    assert client.ask('GET', BLOB).content == BODY
    assert len(schedule.played) == 2


@pytest.mark.parametrize('status', [401, 413, 416, *PASSING_STATUSES])
def test_an_answer_of_its_own(proxy, client, server, status):
    schedule = play(proxy, f'answer {status} late json Retry-After=1')
    answer = client.ask('PUT', '/v2/', BODY)
    assert (answer.status, answer.headers['Retry-After']) == (status, '1')
    assert b'"errors"' in answer.content
    assert server.requests == []
    assert schedule.transient == (status in PASSING_STATUSES)
    assert client.ask('PUT', '/v2/', BODY).status == 201


def test_when_it_answers(proxy, client, server):
    play(proxy, 'answer 503 early html Retry-After=date+1; answer 504 after; answer 500 late')
    answer = client.ask('PUT', '/v2/', BODY)
    assert (answer.status, answer.headers['Connection']) == (503, 'close')
    assert email.utils.parsedate_to_datetime(answer.headers['Retry-After'])
    assert server.requests == []
    assert client.ask('PUT', '/v2/', BODY).status == 504
    assert [r.body for r in server.requests] == [BODY]
    assert client.ask('PUT', '/v2/', BODY).status == 500
    assert len(server.requests) == 1


def test_a_token_that_is_not_taken(proxy, client, server):
    server.on(
        'GET', '/v2/', lambda request: Answer(200 if request.headers.get('Authorization') else 401)
    )
    proxy.tokens_can_be_renewed = True
    schedule = play(proxy, 'answer 401 late')
    assert client.ask('GET', '/v2/', headers={'Authorization': 'Bearer x'}).status == 401
    assert schedule.transient
    assert client.ask('GET', '/v2/', headers={'Authorization': 'Bearer x'}).status == 200


def test_a_truncated_answer(proxy, client):
    play(proxy, 'truncate down short body=0.5; truncate down relabelled body=0.5')
    with pytest.raises(http.client.IncompleteRead) as e:
        client.ask('GET', BLOB)
    assert e.value.partial == BODY[: len(BODY) // 2]
    client.close()
    assert client.ask('GET', BLOB).content == BODY[: len(BODY) // 2]
    assert client.ask('GET', BLOB).content == BODY


def differing_bits(one, other):
    assert len(one) == len(other)
    return sum(bin(a ^ b).count('1') for a, b in zip(one, other))


def test_a_flipped_bit(proxy, client, server):
    schedule = play(proxy, 'flip down body=0.7 bit=3; flip up body=0.2 bit=7')
    assert differing_bits(client.ask('GET', BLOB).content, BODY) == 1
    assert client.ask('PUT', '/v2/', BODY).status == 201
    assert differing_bits(server.requests[-1].body, BODY) == 1
    assert not schedule.transient


@pytest.mark.parametrize('path', ['/v2/', '/v2/_catalog', '/v2/a/tags/list', '/token'])
def test_no_bit_is_flipped_where_nothing_could_tell(proxy, client, path):
    schedule = play(proxy, 'flip down body=0.5 bit=1')
    assert client.ask('GET', path).content == BODY
    assert schedule.played == []


def test_a_dropped_upload(proxy, client, server):
    play(proxy, 'drop answer')
    assert client.ask('PUT', '/v2/a/manifests/x', BODY).status == 201
    for _ in range(2):
        assert client.ask('PUT', UPLOAD + '?state=1', BODY).status == 404
        client.close()
    assert client.ask('PUT', UPLOAD + '-other', BODY).status == 201
    play(proxy, 'drop delete')
    client.ask('PUT', UPLOAD + '?state=1', BODY, {'Authorization': 'Bearer x'})
    deletion, put = server.requests[-2:]
    assert (deletion.method, deletion.target) == ('DELETE', UPLOAD + '?state=1')
    assert deletion.headers['Authorization'] == 'Bearer x'
    assert (put.method, put.body) == ('PUT', BODY)


@pytest.mark.parametrize(('which', 'status'), [('first', 202), ('second', 404)])
def test_a_repeated_request(proxy, client, server, which, status):
    schedule = play(proxy, f'repeat {which}')
    assert client.ask('DELETE', BLOB).status == status
    assert len(server.requests) == 2
    assert schedule.transient == (which == 'first')


# Schedules


def test_schedules_are_the_same_everywhere():
    text = '\n'.join(str(Schedule.of(seed)) for seed in range(500))
    assert hashlib.sha256(text.encode()).hexdigest() == SCHEDULES_DIGEST


# Of what seeds have always made: if it changes, what a seed was reported for is lost.
SCHEDULES_DIGEST = '835b77778ad8224384551740b48b40af67fe4237b18a88704dc27a4f572543aa'


@pytest.mark.parametrize('seed', range(50))
def test_a_printed_schedule_is_the_schedule(seed):
    schedule = Schedule.of(seed)
    again = Schedule.parse(str(schedule))
    assert (again.faults, again.seed, again.manner) == (schedule.faults, seed, schedule.manner)


def test_what_is_mild():
    for seed in range(200):
        schedule = Schedule.mild(seed)
        assert 1 <= len(schedule.faults) <= MILD_FAULTS
        assert all(fault.transient for fault in schedule.faults)


def test_all_kinds_come():
    names = {fault.name for seed in range(500) for fault in Schedule.of(seed).faults}
    assert names == {
        'cut', 'stall', 'delay', 'truncate', 'flip', 'drop', 'repeat',
        *(f'answer {status}' for status in (401, 413, 416, *PASSING_STATUSES)),
    }  # fmt: skip


def test_even_the_endless_end(proxy, client):
    proxy.play(Schedule.parse('endless 1: answer 503 late'))
    for _ in range(ENDLESS_FAULTS):
        assert client.ask('GET', BLOB).status == 503
    assert client.ask('GET', BLOB).status == 200
