"""One request to a FaultProxy, and what becomes of it."""

import contextlib
import json
import ssl
import time
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Optional

from .wires import Answer, Broken, readable

# What is not known to be of any length counts as this long, in bytes, where a fault comes
# at a fraction of it.
UNKNOWN_LENGTH = 64 * 1024

# With a 401, by the kind of its body.
CHALLENGES = {
    '': '',
    'html': 'Basic realm="tests"',
    # Nobody listens there.
    'json': 'Bearer realm="https://127.0.0.1:9/token",service="tests"',
}


class AnsweredEarly(Exception):
    """The registry has answered, or closed, before it has got the whole request."""


@dataclass
class Logged:
    """A request, what befell it, and the status that the client got, if it was a whole answer."""

    request: str
    fault: Any = None
    status: Optional[int] = None
    range: Optional[str] = None  # what was asked for of it

    def __str__(self):
        return f'{self.request} -> {self.status or "nothing"}' + (
            f'   [{self.fault}]' if self.fault else ''
        )


class Exchange:
    """One request and what becomes of it."""

    def __init__(self, proxy, client, request):
        self.proxy = proxy
        self.client = client
        self.request = request
        self.schedule = proxy.schedule
        self.fault = None
        self.logged = Logged(request.name, range=request.headers.get('range'))
        proxy.log.append(self.logged)

    def run(self):
        request = self.request
        if request.path in self.proxy.forgotten:
            self._forget()
            return
        if self.proxy.max_body is not None and (request.length or 0) > self.proxy.max_body:
            self._say(413, 'html', early=True)
            return
        if self.schedule:
            self.fault = self.schedule.for_request(request.method, request.path, request.length)
        if self.fault is None:
            self._forward()
        else:
            getattr(self, '_' + self.fault.kind)()

    def _play(self, transient=None):
        self.logged.fault = self.fault
        self.schedule.play(self.fault, self.request.name, transient)

    # The faults

    def _cut(self):
        self._forward()

    _stall = _delay = _truncate = _flip = _cut

    def _happen(self):
        """The moment of what comes in the middle of a message has come."""
        self._play()
        if self.fault.kind == 'delay':
            time.sleep(self.fault.seconds)
        elif self.fault.kind == 'stall':
            self.client.wait_for_hang_up(self.proxy.stopping)
            raise Broken('rst')
        else:
            raise Broken(self.fault.how if self.fault.kind == 'cut' else 'fin')

    def _answer(self):
        fault = self.fault
        routed = any(self.request.path.startswith(start) for start in self.proxy.routes)
        if fault.status == 401 and self.proxy.tokens_can_be_renewed and not routed:
            self._refuse_token()
            return
        self._play()
        if fault.how == 'late':
            self._read_body()
        elif fault.how == 'after':
            with self._upstream() as upstream:
                if self._send_up(upstream, self.request.head) is not True:
                    raise Broken
                self._read_answer(upstream)
        headers = {}
        if fault.status == 401:
            headers['WWW-Authenticate'] = CHALLENGES[fault.body]
        if fault.retry_after:
            date, _, seconds = fault.retry_after.rpartition('+')
            headers['Retry-After'] = (
                formatdate(time.time() + int(seconds), usegmt=True) if date else seconds
            )
        self._say(fault.status, fault.body, headers, fault.how == 'early')

    def _refuse_token(self):
        """The registry itself refuses, for it gets to see no credentials."""
        before = [entry.status for entry in self.proxy.log]
        # A client renews its token once for a request.
        self._play(transient=401 not in before)
        self._forward(self.request.without('authorization') + b'\r\n')

    def _drop(self):
        self._play()
        if self.fault.how == 'delete':
            with self._upstream() as upstream:
                head = self.request.without(
                    'content-length',
                    'transfer-encoding',
                    'content-range',
                    'content-type',
                    'expect',
                )
                upstream.send(b'DELETE ' + head.split(b' ', 1)[1] + b'\r\n')
                answer = self._answer_head(upstream, 'DELETE')
            if answer.status < 300:
                self._forward()
                return
        self.proxy.forgotten.add(self.request.path)
        self._forget()

    def _forget(self):
        self._say(404, 'json', {}, self.request.length != 0, code='BLOB_UPLOAD_UNKNOWN')

    def _repeat(self):
        # That the first DELETE found something is not said to the second.
        told = self.fault.how == 'first' or self.request.method != 'DELETE'
        self._play(transient=told)
        body = self._read_body()
        seen = []
        for _ in range(2):
            with self._upstream() as upstream:
                upstream.send(self.request.head)
                # It may have answered, and closed, before it has read all.
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    upstream.send(body)
                seen.append(self._read_answer(upstream))
        answer, content = seen[self.fault.how == 'second']
        self.client.send(answer.head + content)
        self._done(answer)

    # The way up and down

    @contextlib.contextmanager
    def _upstream(self):
        wire = self.proxy.connect(self.request.path)
        with self.proxy.holding(wire):
            try:
                yield wire
            except Broken as broken:
                wire.close(broken.how)
                raise
            finally:
                wire.close()

    def _say(self, status, body='', headers=(), early=False, code=None):
        """Answer in the registry's place."""
        phrase = HTTPStatus(status).phrase
        error = {'code': code or phrase.upper().replace(' ', ''), 'message': phrase.lower()}
        content = {
            'json': json.dumps({'errors': [error]}),
            'html': f'<html><body><h1>{status} {phrase}</h1></body></html>',
            '': '',
        }[body].encode()
        early = early and self.request.length != 0
        lines = [
            f'HTTP/1.1 {status} {phrase}',
            f'Content-Length: {len(content)}',
            *(f'{name}: {value}' for name, value in dict(headers).items() if value),
        ]
        if body:
            lines.append(f'Content-Type: {"application/json" if body == "json" else "text/html"}')
        if early:
            lines.append('Connection: close')
        if self.request.method == 'HEAD':
            content = b''
        self.client.send('\r\n'.join([*lines, '', '']).encode() + content)
        self.logged.status = status
        if early:
            raise Broken

    def _read_body(self):
        if self.request.headers.get('expect', '').lower() == '100-continue':
            self.client.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        return b''.join(self.request.pieces())

    def _answer_head(self, upstream, method=None):
        while True:
            head = upstream.until(b'\r\n\r\n')
            if not head:
                raise Broken
            answer = Answer(upstream, head, method or self.request.method)
            if answer.status >= 200:
                return answer
            self.client.send(head)

    def _read_answer(self, upstream):
        answer = self._answer_head(upstream)
        return answer, b''.join(answer.pieces())

    def _done(self, answer, whole=True):
        """The client has all of an answer."""
        self.logged.status = answer.status
        if answer.closes or self.request.closes or not whole:
            raise Broken

    def _forward(self, head=None):
        with self._upstream() as upstream:
            whole = self._send_up(upstream, head or self.request.head)
            answer = self._answer_head(upstream)
            self._send_down(answer)
            self._done(answer, whole)

    def _send_up(self, upstream, head):
        """Send the request on; whether all of it: the registry may answer before."""

        def wait():
            if upstream in readable(self.client, upstream) and self._refused(upstream):
                raise AnsweredEarly

        self.request.before_reading = wait
        try:
            for piece in self._altered('up', head, self.request):
                try:
                    upstream.send(piece)
                except (ConnectionError, ssl.SSLError):
                    raise AnsweredEarly from None
        except AnsweredEarly:
            return False
        return True

    def _refused(self, upstream):
        """Whether what the registry says is its answer, and not that it waits for the body."""
        head = upstream.until(b'\r\n\r\n')
        if head.startswith(b'HTTP/1.1 100'):
            self.client.send(head)
            return False
        upstream._buffer = head + upstream._buffer
        return True

    def _send_down(self, answer):
        if self.fault and self.fault.how == 'relabelled':
            if answer.length and answer.status < 300:
                self._play()
                content = b''.join(answer.pieces())[: int(self.fault.at * answer.length)]
                length = b'Content-Length: %d\r\n\r\n' % len(content)
                self.client.send(answer.without('content-length') + length + content)
                return
            self._put_back()
        for piece in self._altered('down', answer.head, answer):
            self.client.send(piece)

    def _put_back(self):
        self.schedule.put_back(self.fault)
        self.fault = None

    def _altered(self, way, head, message):
        """A message's bytes, with what befalls it on its way."""
        fault = self.fault
        if fault and way == fault.way == 'down':
            # Only now is it known what there is.
            told = 'docker-content-digest' in message.headers or ':' in self.request.path
            none = fault.part == 'body' and message.length == 0
            if none or (
                fault.kind == 'flip' and not (told and message.length and message.status < 300)
            ):
                self._put_back()
                fault = None
        pieces = self._with_head(head, message)
        if not fault or fault.way != way:
            return pieces
        length = UNKNOWN_LENGTH if message.length is None else message.length
        if fault.kind == 'flip':
            self._play()
            return _flipped(pieces, len(head) + int(fault.at * length), fault.bit)
        if fault.byte is not None:
            return self._until(pieces, fault.byte)
        if fault.part == 'head':
            return self._until(pieces, int(fault.at * len(head)))
        return self._until(pieces, len(head) + int(fault.at * length))

    @staticmethod
    def _with_head(head, message):
        yield head
        yield from message.pieces()

    def _until(self, pieces, point):
        """The pieces, and after so many bytes of them what is to happen."""
        passed = 0
        for piece in pieces:
            before, after = piece[: max(0, point - passed)], piece[max(0, point - passed) :]
            passed += len(piece)
            if before:
                yield before
            if passed >= point and point >= 0:
                point = -1
                self._happen()
            if after:
                yield after
        if point >= 0:
            self._happen()


def _flipped(pieces, index, bit):
    for piece in pieces:
        if 0 <= index < len(piece):
            changed = bytearray(piece)
            changed[index] ^= 1 << bit
            piece = bytes(changed)
        index -= len(piece)
        yield piece
