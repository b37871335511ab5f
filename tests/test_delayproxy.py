"""The proxy that makes a server look far away."""

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from .support import delayproxy
from .support.delayproxy import DelayProxy
from .support.waiting import wait_until

SECONDS = 20  # that something which must come may take


@contextlib.contextmanager
def serving(talk):
    """A server that runs `talk(connection)` for each connection, one by one."""
    with socket.create_server(('127.0.0.1', 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    connection.settimeout(SECONDS)
                    with connection:
                        talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()
        # Closing alone does not wake one that waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(SECONDS)
    assert not thread.is_alive()


def connect(proxy):
    return socket.create_connection(('127.0.0.1', proxy.port), timeout=SECONDS)


def read_all(connection):
    return b''.join(iter(lambda: connection.recv(1 << 20), b''))


def echo(connection):
    while True:
        data = connection.recv(1 << 16)
        if not data:
            return
        connection.sendall(data)


def test_nothing_comes_before_the_delay():
    with serving(echo) as target, DelayProxy(target, rtt=0.1) as proxy, connect(proxy) as client:
        start = time.monotonic()
        client.sendall(b'one')
        assert client.recv(3) == b'one'
        # Once for the connection and once for the question.
        assert time.monotonic() - start >= 0.19
        start = time.monotonic()
        client.sendall(b'two')
        assert client.recv(3) == b'two'
        assert time.monotonic() - start >= 0.1
    assert (proxy.connections, proxy.bytes_up, proxy.bytes_down) == (1, 6, 6)


def test_bytes_come_whole_and_in_order():
    content = os.urandom(1 << 20) * 32
    with serving(echo) as target, DelayProxy(target, rtt=0.05) as proxy, connect(proxy) as client:
        sender = threading.Thread(
            target=lambda: (client.sendall(content), client.shutdown(socket.SHUT_WR))
        )
        sender.start()
        received = read_all(client)
        sender.join()
    assert hashlib.sha256(received).digest() == hashlib.sha256(content).digest()
    assert proxy.bytes_up == proxy.bytes_down == len(content)


def test_bytes_are_delayed_not_throttled():
    """Many are on the way at once, before the first has arrived."""
    content = bytes(32 << 20)
    with serving(echo) as target, DelayProxy(target, rtt=600) as proxy, connect(proxy) as client:
        client.sendall(content)
        wait_until(lambda: proxy.bytes_up == len(content), 'all bytes on the way')
        assert proxy.bytes_down == 0


def test_a_bandwidth_bounds_from_above():
    with serving(echo) as target, DelayProxy(target, bandwidth=1e6) as proxy:
        with connect(proxy) as client:
            start = time.monotonic()
            client.sendall(bytes(200_000))
            client.shutdown(socket.SHUT_WR)
            assert len(read_all(client)) == 200_000
            assert time.monotonic() - start >= 0.2


def test_a_receiver_that_does_not_read_stops_the_sender(monkeypatch):
    """The proxy's memory is bounded."""
    monkeypatch.setattr(delayproxy, 'WINDOW', 1 << 20)
    enough = threading.Event()
    with serving(lambda connection: enough.wait(SECONDS)) as target:
        with DelayProxy(target) as proxy, connect(proxy) as client:
            client.settimeout(0.5)
            with pytest.raises(socket.timeout):
                for _ in range(1000):
                    client.sendall(bytes(1 << 20))
            enough.set()


def test_an_end_goes_through_and_the_other_way_stays_open():
    def answer_at_the_end(connection):
        connection.sendall(b'%d' % len(read_all(connection)))

    with serving(answer_at_the_end) as target, DelayProxy(target, rtt=0.02) as proxy:
        with connect(proxy) as client:
            client.sendall(b'12345')
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b'5'


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, delayproxy.RESETTING)
    connection.close()


def test_a_reset_goes_through():
    seen = []

    def expect_reset(connection):
        try:
            seen.append(connection.recv(1))
        except ConnectionResetError:
            seen.append('reset')

    with serving(expect_reset) as target, DelayProxy(target, rtt=0.02) as proxy:
        reset(connect(proxy))
        wait_until(lambda: seen, 'the server has seen the end')
    assert seen == ['reset']

    with serving(reset) as target, DelayProxy(target, rtt=0.02) as proxy:
        with connect(proxy) as client, pytest.raises(ConnectionResetError):
            client.recv(1)


def test_an_answer_to_a_body_that_is_not_read_arrives():
    """The server answers early and hangs up, which ends in a reset."""

    def refuse(connection):
        connection.recv(1)
        connection.sendall(b'no')

    with serving(refuse) as target, DelayProxy(target, rtt=0.02) as proxy:
        with connect(proxy) as client:
            with pytest.raises(ConnectionError):
                for _ in range(1000):
                    client.sendall(bytes(1 << 20))
            assert client.recv(2) == b'no'


def test_nothing_behind_it_is_a_reset():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        target = listener.getsockname()
    with DelayProxy(target, rtt=0.02) as proxy, connect(proxy) as client:
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_leaving_it_cuts_what_is_open():
    with serving(echo) as target:
        with DelayProxy(target, rtt=60) as proxy:
            client = connect(proxy)
            client.sendall(b'never there')
        with client, pytest.raises(ConnectionResetError):
            client.recv(1)


def test_as_a_program():
    with serving(echo) as target:
        command = [sys.executable, delayproxy.__file__, '{}:{}'.format(*target), '--rtt', '0.01']
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            port = int(program.stdout.readline())
            with socket.create_connection(('127.0.0.1', port), timeout=SECONDS) as client:
                client.sendall(b'hello')
                assert client.recv(5) == b'hello'
            program.stdin.close()
            assert program.wait(SECONDS) == 0
