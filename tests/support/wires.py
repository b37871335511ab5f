"""HTTP/1.1 as it is on the wire: byte for byte, for what must not make it better than it is."""

import contextlib
import select
import socket
import ssl
import struct
import time
from urllib.parse import urlsplit

# What must come does so long before, in seconds: nothing waits for ever.
SECONDS = 30

READ = 64 * 1024
MAX_HEAD = 64 * 1024

# Reset, instead of a FIN, when it is closed.
RESETTING = struct.pack('ii', 1, 0)

# The peer has closed its end, whatever else is there to be read (Linux).
HUNG_UP = getattr(select, 'POLLRDHUP', 0)


class Broken(Exception):
    """A connection is of no more use: close it like this."""

    def __init__(self, how='fin'):
        self.how = how


class Wire:
    """One end of a connection, read through a buffer."""

    def __init__(self, sock):
        self.sock = sock
        self._buffer = b''
        sock.settimeout(SECONDS)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def secure(self, context, **kwargs):
        self.sock = context.wrap_socket(self.sock, **kwargs)

    def send(self, data):
        self.sock.sendall(data)

    def receive(self, most=READ):
        """Some bytes; none at the end."""
        if self._buffer:
            data, self._buffer = self._buffer[:most], self._buffer[most:]
            return data
        return self.sock.recv(min(most, READ))

    def until(self, mark, most=MAX_HEAD):
        """The bytes to the end of a mark; none if the other end closed before the first."""
        found = b''
        while mark not in found:
            data = self.receive()
            if not data and not found:
                return b''
            if not data or len(found) > most:
                raise Broken
            found += data
        end = found.index(mark) + len(mark)
        self._buffer = found[end:] + self._buffer
        return found[:end]

    @property
    def ready(self):
        """Whether there is something in the buffers."""
        return bool(self._buffer) or bool(
            isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        )

    def wait_for_hang_up(self, stopping):
        poll = select.poll()
        poll.register(self.sock, HUNG_UP)
        deadline = time.monotonic() + (SECONDS * 4 if HUNG_UP else SECONDS / 4)
        while not stopping.is_set() and time.monotonic() < deadline:
            if poll.poll(50):
                return

    def close(self, how='fin', linger=0):
        with contextlib.suppress(OSError, ValueError):
            if how == 'rst':
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
            else:
                self.sock.shutdown(socket.SHUT_WR)
                deadline = time.monotonic() + linger
                while linger and time.monotonic() < deadline:
                    self.sock.settimeout(max(0.001, deadline - time.monotonic()))
                    if not self.sock.recv(READ):
                        break
        with contextlib.suppress(OSError):
            self.sock.close()

    def shutdown(self):
        """Wake whoever waits for it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def readable(*wires):
    """Those that have something to be read; waits until there is one."""
    ready = [wire for wire in wires if wire.ready]
    if ready:
        return ready
    poll = select.poll()
    for wire in wires:
        poll.register(wire.sock, select.POLLIN)
    numbers = {number for number, _ in poll.poll(SECONDS * 1000)}
    if not numbers:
        raise Broken
    return [wire for wire in wires if wire.sock.fileno() in numbers]


class Message:
    """A request or an answer: its head, and its body still on the wire."""

    def __init__(self, wire, head, bodiless=False):
        self.wire = wire
        self.head = head
        lines = head.decode('latin-1').split('\r\n')
        self.words = lines[0].split(' ', 2)
        self.headers = {}
        for line in filter(None, lines[1:]):
            name, _, value = line.partition(':')
            self.headers[name.strip().lower()] = value.strip()
        self.chunked = 'chunked' in self.headers.get('transfer-encoding', '').lower()
        length = self.headers.get('content-length', '')
        #: Of the body; None if that is not said.
        self.length = int(length) if length.isdigit() and not self.chunked else None
        if bodiless:
            self.chunked, self.length = False, 0
        #: Called before each read of the body.
        self.before_reading = None

    def pieces(self):
        """The body as it comes, chunk sizes and all."""
        if self.chunked:
            yield from self._chunks()
            return
        left = self.length
        while left is None or left:
            piece = self._receive(READ if left is None else left)
            if not piece:
                if left:
                    raise Broken
                return
            if left is not None:
                left -= len(piece)
            yield piece

    def _chunks(self):
        while True:
            self._await()
            line = self.wire.until(b'\r\n')
            if not line:
                raise Broken
            yield line
            left = int(line.split(b';')[0], 16) + 2
            last = left == 2
            while left:
                piece = self._receive(left)
                if not piece:
                    raise Broken
                left -= len(piece)
                yield piece
            if last:
                return

    @property
    def closes(self):
        """Whether nothing can follow it on its connection."""
        endless = self.length is None and not self.chunked
        return endless or self.headers.get('connection', '').lower() == 'close'

    def _await(self):
        if self.before_reading:
            self.before_reading()

    def _receive(self, most):
        self._await()
        return self.wire.receive(most)

    def without(self, *names):
        """The head without some headers, without its last empty line."""
        lines = self.head.rstrip(b'\r\n').split(b'\r\n')
        wanted = [
            line
            for line in lines[1:]
            if line.split(b':')[0].strip().lower().decode('latin-1') not in names
        ]
        return b'\r\n'.join([lines[0], *wanted]) + b'\r\n'


class Request(Message):
    def __init__(self, wire, head):
        super().__init__(wire, head)
        self.method, self.target = self.words[0], self.words[1]
        self.path = urlsplit(self.target).path
        if self.length is None and not self.chunked:
            self.length = 0

    @property
    def name(self):
        """As one would say it: without a query, for that changes from run to run."""
        return f'{self.method} {self.path}'


class Answer(Message):
    def __init__(self, wire, head, method):
        self.status = int(head.split(b' ', 2)[1])
        super().__init__(wire, head, method == 'HEAD' or self.status in (204, 304))
