"""A proxy on loopback before a registry, where things go wrong as a Schedule says.

    with FaultProxy('127.0.0.1:5000') as proxy:
        proxy.schedule = Schedule.of(7)
        talk_to(proxy.host)
        print(proxy.log)

It speaks HTTP/1.1 on both sides and passes on what it gets byte for byte, a connection
to the registry for each request. With `certificates` its clients speak TLS to it; with
`upstream_ca` it speaks TLS to what is behind it.
"""

import contextlib
import socket
import ssl
import threading
import traceback

from .faultexchange import Exchange, Logged
from .wires import SECONDS, Broken, Request, Wire

# How long a closed connection is still read from, so that what was written arrives: what a
# registry does, in seconds.
LINGER_SECONDS = 0.5

# How long a client may take to notice that it is connected, in seconds.
CONNECTED_SECONDS = 0.02

# So small that not all of a body is in buffers before its reader looks at it, in bytes.
RECEIVE_BUFFER = 32 * 1024


class FaultProxy:
    """Forward to `upstream`, a "host:port"; to another one by the path (`routes`)."""

    def __init__(self, upstream, certificates=None, upstream_ca=None, routes=None):
        self._upstream = upstream
        self.routes = routes or {}
        self._server_context = certificates.server_context() if certificates else None
        self._client_context = None
        if upstream_ca:
            self._client_context = ssl.create_default_context(cafile=upstream_ca)
            # Later versions send tickets, which look like an answer that comes early.
            self._client_context.maximum_version = ssl.TLSVersion.TLSv1_2
        #: What goes wrong; None: nothing.
        self.schedule = None
        #: Whether a client that is asked for credentials anew finds other ones: then a 401
        #: passes.
        self.tokens_can_be_renewed = False
        #: The longest body that passes, in bytes.
        self.max_body = None
        #: One Logged for each request.
        self.log = []
        #: Tracebacks of what should not have happened in here.
        self.errors = []
        self.forgotten = set()  # uploads
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._wires = set()
        self._threads = set()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._listener.bind(('127.0.0.1', 0))
        self._listener.listen(128)
        self.port = self._listener.getsockname()[1]
        self.host = f'localhost:{self.port}'
        self._thread = threading.Thread(target=self._accept, name='faultproxy', daemon=True)
        self._thread.start()

    def play(self, schedule=None):
        """Begin with another schedule, and with an empty log."""
        self.schedule = schedule
        self.log = []
        self.forgotten = set()

    def stop(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SECONDS)
        with self._lock:
            wires, threads = list(self._wires), list(self._threads)
        for wire in wires:
            wire.shutdown()
        for thread in threads:
            thread.join(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock = self._listener.accept()[0]
            except OSError:
                continue
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            with self._lock:
                self._threads.add(thread)
            thread.start()

    @contextlib.contextmanager
    def holding(self, wire):
        with self._lock:
            self._wires.add(wire)
        try:
            yield wire
        finally:
            with self._lock:
                self._wires.discard(wire)

    def _serve(self, sock):
        with self.holding(Wire(sock)) as client:
            try:
                self._greet(client)
                while not self.stopping.is_set():
                    head = client.until(b'\r\n\r\n')
                    if not head:
                        break
                    Exchange(self, client, Request(client, head)).run()
                client.close()
            except Broken as broken:
                client.close(broken.how, LINGER_SECONDS)
            except OSError:
                client.close('rst')
            except Exception:
                client.close('rst')
                if not self.stopping.is_set():
                    self.errors.append(traceback.format_exc())
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _greet(self, client):
        """What comes before the first request."""
        schedule = self.schedule
        fault = schedule.for_connection() if schedule else None
        if fault:
            self.log.append(Logged('connection', fault))
            schedule.play(fault, 'connection')
            if fault.kind == 'stall':
                client.wait_for_hang_up(self.stopping)
            # What is closed sooner, the client may not even call connected.
            self.stopping.wait(CONNECTED_SECONDS)
            raise Broken(fault.how or 'rst')
        if self._server_context:
            client.secure(self._server_context, server_side=True)

    def connect(self, path):
        """A connection to what is behind."""
        target = next(
            (target for start, target in self.routes.items() if path.startswith(start)),
            self._upstream,
        )
        host, _, port = target.rpartition(':')
        wire = Wire(socket.create_connection((host, int(port)), timeout=SECONDS))
        if self._client_context:
            wire.secure(self._client_context, server_hostname=host)
        return wire
