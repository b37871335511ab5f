"""A proxy on loopback that knows nothing of what it carries, and so may cut in the middle of TLS.

    with RawProxy('127.0.0.1:5000', Fault.parse('cut down rst byte=700')) as proxy:
        talk_to(proxy.host)

What is to happen happens once: to the first connection that so many bytes pass on.
"""

import contextlib
import select
import socket
import threading

from .faultproxy import LINGER_SECONDS
from .wires import READ, SECONDS, Wire


class RawProxy:
    """Forward connections to `upstream`, a "host:port"; cut one, or flip a bit on it."""

    def __init__(self, upstream, fault):
        host, _, port = upstream.rpartition(':')
        self._upstream = (host, int(port))
        self.fault = fault
        #: Whether it has happened.
        self.played = False
        self._lock = threading.Lock()
        self._wires = set()
        self._threads = []
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.host = f'localhost:{self._listener.getsockname()[1]}'
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            wire.shutdown()
        for thread in self._threads:
            thread.join(SECONDS)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = Wire(self._listener.accept()[0])
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client):
        server = Wire(socket.create_connection(self._upstream, timeout=SECONDS))
        with self._lock:
            self._wires.update((client, server))
        how = 'fin'
        with contextlib.suppress(OSError):
            how = self._carry(client, server)
        client.close(how, LINGER_SECONDS)
        server.close(how)
        with self._lock:
            self._wires.difference_update((client, server))

    def _carry(self, client, server):
        """Carry until one side ends, or it is time to; say how to close."""
        passed = {'up': 0, 'down': 0}
        while True:
            ready = select.select([client.sock, server.sock], [], [], SECONDS)[0]
            if not ready:
                return 'fin'
            source = client if client.sock in ready else server
            way, sink = ('up', server) if source is client else ('down', client)
            data = source.receive(READ)
            if not data:
                return 'fin'
            before = passed[way]
            passed[way] += len(data)
            if self._is_now(way, before, passed[way]):
                point = self.fault.byte - before
                if self.fault.kind == 'cut':
                    sink.send(data[:point])
                    return self.fault.how
                changed = bytearray(data)
                changed[point] ^= 1 << self.fault.bit
                data = bytes(changed)
            sink.send(data)

    def _is_now(self, way, before, after):
        with self._lock:
            if self.played or way != self.fault.way or not before <= self.fault.byte < after:
                return False
            self.played = True
            return True
