"""A server that answers as a test tells it to, for what no real registry can be made to do::

with FakeServer() as server:
    server.on('GET', r'/v2/', Answer(401, headers={'WWW-Authenticate': 'Basic'}))
    server.on('PUT', r'/v2/.*', [Answer(500), Answer(201)])  # in turn, then no more
    server.on('GET', r'/v2/a/.*', lambda request: Answer(body=request.path.encode()))
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Dict, Optional
from urllib.parse import parse_qs, urlsplit

from .serving import LoopbackServer, client_may_hang_up


@dataclass
class Request:
    """What came in. `connection` is the same for requests on one kept connection."""

    method: str
    target: str
    headers: Any
    body: Optional[bytes]
    connection: Any

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        """Parameter -> list of its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self):
        return parse_qs((self.body or b'').decode(), keep_blank_values=True)

    @property
    def length(self):
        return len(self.body or b'')


@dataclass
class Answer:
    """What goes out. Headers given here win over those worked out from the body."""

    status: int = 200
    # Bytes, str, an iterable of bytes (goes out chunked), or a dict or list (as JSON).
    body: Any = b''
    headers: Dict[str, str] = field(default_factory=dict)
    delay: float = 0
    cut_after: Optional[int] = None  # close the connection after this many bytes of the body
    hang_up: bool = False  # close it without a word
    raw: Optional[bytes] = None  # these bytes and nothing else, then close


class FakeServer(LoopbackServer):
    """`requests` lists what came; `unexpected` what no rule was there for."""

    def __init__(self, certificates=None):
        self._rules = []
        self._lock = threading.Lock()
        self.requests = []
        self.unexpected = []
        super().__init__(certificates)

    def on(self, method, path, answer, read_body=True):
        """Answer requests whose path (with `?query`, if the pattern has one) fully matches.

        `method` None is any. `answer`: an Answer; a list of them, each used once; or
        a callable that is given the Request and returns an Answer. A later rule wins over
        an earlier one. Without `read_body` the answer goes out before the body is read,
        and the connection is closed.
        """
        if isinstance(answer, (list, tuple)):
            answer = list(answer)
        with self._lock:
            self._rules.insert(0, (method, re.compile(path), answer, read_body))

    def clear(self):
        """Forget what was seen; keep the rules."""
        with self._lock:
            del self.requests[:]
            del self.unexpected[:]

    def seen(self, method=None, path='.*'):
        """Requests of this method whose path fully matches."""
        return [
            r
            for r in list(self.requests)
            if method in (None, r.method) and re.fullmatch(path, r.path)
        ]

    def _match(self, method, target):
        with self._lock:
            for rule_method, pattern, answer, read_body in self._rules:
                if rule_method not in (None, method):
                    continue
                subject = target if r'\?' in pattern.pattern else urlsplit(target).path
                if not pattern.fullmatch(subject):
                    continue
                if isinstance(answer, list):
                    if not answer:
                        continue
                    return answer.pop(0), read_body
                return answer, read_body
        return None, True

    def answer(self, handler):
        with client_may_hang_up():
            answer, read_body = self._match(handler.command, handler.path)
            request = Request(
                handler.command,
                handler.path,
                handler.headers,
                handler.read_body() if read_body else None,
                handler.client_address,
            )
            with self._lock:
                self.requests.append(request)
                if answer is None:
                    self.unexpected.append(request)
            if answer is None:
                answer = Answer(404, f'no rule for {request.method} {request.target}')
            elif callable(answer):
                answer = answer(request)
            if not read_body:
                handler.close_connection = True
            send(handler, answer)


def send(handler, answer):
    """Write an Answer on a connection."""
    if answer.delay:
        time.sleep(answer.delay)
    if answer.hang_up or answer.raw is not None:
        handler.close_connection = True
        handler.wfile.write(answer.raw or b'')
        return
    body, headers = answer.body, {}
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
        headers['Content-Type'] = 'application/json'
    if isinstance(body, str):
        body = body.encode()
    chunked = not isinstance(body, bytes)
    if chunked:
        headers['Transfer-Encoding'] = 'chunked'
    elif answer.status >= 200 and answer.status not in (204, 304):
        headers['Content-Length'] = str(len(body))
    given = {name.lower() for name in answer.headers}
    handler.send_response(answer.status)
    for name, value in {
        **{name: value for name, value in headers.items() if name.lower() not in given},
        **answer.headers,
    }.items():
        for one in value if isinstance(value, list) else [value]:
            handler.send_header(name, one)
    handler.end_headers()
    if handler.command == 'HEAD':
        return
    if answer.cut_after is not None:
        handler.close_connection = True
        body = (body if isinstance(body, bytes) else b''.join(body))[: answer.cut_after]
        handler.wfile.write(body)
    elif chunked:
        for chunk in body:
            if chunk:
                handler.wfile.write(b'%x\r\n%s\r\n' % (len(chunk), chunk))
        handler.wfile.write(b'0\r\n\r\n')
    else:
        handler.wfile.write(body)
