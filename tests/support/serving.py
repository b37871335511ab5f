"""A threaded HTTP server on the loopback, with or without TLS."""

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# How long a handler waits for a silent client before it gives the thread back.
SOCKET_SECONDS = 30


class Handler(BaseHTTPRequestHandler):
    """One connection; `server.owner` answers what comes in on it."""

    protocol_version = 'HTTP/1.1'
    timeout = SOCKET_SECONDS
    # Headers and body leave in several writes: do not wait between them.
    disable_nagle_algorithm = True

    def setup(self):
        if self.server.context:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        if self.server.context:
            # The server closes the socket that it accepted, not what was made of it.
            self.request.close()

    def __getattr__(self, name):
        # Every method there is, those not yet invented included.
        if name.startswith('do_'):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        self.server.owner.answer(self)

    def read_body(self):
        """The request's whole body, however it was sent."""
        if 'chunked' in self.headers.get('Transfer-Encoding', '').lower():
            return b''.join(self._chunks())
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def _chunks(self):
        while True:
            size = int(self.rfile.readline().split(b';')[0], 16)
            chunk = self.rfile.read(size)
            self.rfile.readline()
            if not size:
                return
            yield chunk

    def log_message(self, *args):
        """Nothing: what came in is recorded where tests can look at it."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client kept its connection: no reason not to stop.
    block_on_close = False
    # Many clients at once must not meet a full queue.
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Clients that hang up or distrust the certificate are part of the tests."""


class LoopbackServer:
    """Starts on making, stops on `stop` or on leaving it as a context.

    Subclasses have `answer(handler)`, called in the connection's own thread.
    """

    def __init__(self, certificates=None):
        context = certificates.server_context() if certificates else None
        self._server = _Server(('127.0.0.1', 0), Handler)
        self._server.owner = self
        self._server.context = context
        self.port = self._server.server_address[1]
        self.host = f'localhost:{self.port}'
        self.url = f'{"https" if context else "http"}://{self.host}'
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True
        )
        self._thread.start()

    def answer(self, handler):
        raise NotImplementedError

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


@contextlib.contextmanager
def client_may_hang_up():
    with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
        yield
