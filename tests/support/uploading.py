"""A registry that takes uploads up again where they were cut, as Debian's does not.

What it is to do badly, it is told request by request::

    with UploadServer() as server:
        server.script('PUT', Cut(1000), Refuse(503))  # the first two PUTs; then as it should
"""

import hashlib
import json
import threading
from collections import defaultdict
from typing import Any, Dict, NamedTuple, Optional
from urllib.parse import parse_qs, urlsplit

from .fakeserver import Answer, send
from .serving import LoopbackServer, client_may_hang_up


class Cut(NamedTuple):
    """The connection is closed after this many bytes of the body, which are kept."""

    after: int = 0
    forget: bool = False  # the upload is gone too


class Lose(NamedTuple):
    """The request is done, and the connection closed without an answer."""

    forget: bool = False  # the upload is gone too, but not a blob that was made of it


class Refuse(NamedTuple):
    """The body is read, nothing is done, and the answer has this status."""

    status: int
    headers: Dict[str, str] = {}
    forget: bool = False


class Keep(NamedTuple):
    """The body is read, this many bytes of it are kept, and the answer says so."""

    count: int


class Say(NamedTuple):
    """All is done, and the answer has these headers too; those that are None, it lacks."""

    headers: Dict[str, Optional[str]]


class Seen(NamedTuple):
    """A request. `length` is the body's, as it was announced, in bytes."""

    method: str
    path: str
    query: Dict[str, Any]
    headers: Any
    length: int


class UploadServer(LoopbackServer):
    """`blobs` has what was pushed, by digest; `seen` lists the requests. Manifests are not kept.

    :param resumable: whether it tells how far a cut upload got
    :param least: the OCI-Chunk-Min-Length that it asks for
    :param most: the largest body that it takes, in bytes; it answers 413 to another
    """

    def __init__(self, resumable=True, least=None, most=None):
        self.resumable = resumable
        self.least = least
        self.most = most
        self.blobs = {}
        self.open = {}
        self.seen = []
        self._lock = threading.Lock()
        self._scripts = defaultdict(list)
        self._count = 0
        super().__init__()

    def script(self, method, *acts):
        """What is to be done badly with the next requests of a method; None: nothing."""
        self._scripts[method].extend(acts)

    def requests(self, method=None):
        return [request for request in self.seen if method in (None, request.method)]

    def methods(self):
        return [request.method for request in self.seen]

    def answer(self, handler):
        with client_may_hang_up(), self._lock:
            parts = urlsplit(handler.path)
            length = int(handler.headers.get('Content-Length') or 0)
            request = Seen(
                handler.command, parts.path, parse_qs(parts.query), handler.headers, length
            )
            self.seen.append(request)
            act = self._scripts[request.method].pop(0) if self._scripts[request.method] else None
            if isinstance(act, Cut):
                self._keep(request, handler.rfile.read(act.after), act.forget)
                return send(handler, Answer(hang_up=True))
            body = handler.read_body()
            if isinstance(act, Refuse):
                if act.forget:
                    self._forget(request)
                return send(handler, Answer(act.status, headers=act.headers))
            if isinstance(act, Keep):
                body = body[: act.count]
            made = self._do(request, body)
            if isinstance(act, Lose):
                if act.forget:
                    self._forget(request)
                return send(handler, Answer(hang_up=True))
            if isinstance(act, Say):
                headers = {**made.headers, **act.headers}
                made.headers = {
                    name: value for name, value in headers.items() if value is not None
                }
            return send(handler, made)

    def _name(self, request):
        return request.path.rpartition('/')[2]

    def _keep(self, request, body, forget):
        if forget or not self.resumable:
            return self._forget(request)
        if self._name(request) in self.open:
            self.open[self._name(request)] += body
        return None

    def _forget(self, request):
        self.open.pop(self._name(request), None)

    def _do(self, request, body):
        if self.most is not None and len(body) > self.most:
            return Answer(413)
        name = self._name(request)
        if '/manifests/' in request.path:
            return Answer(201)
        if request.method == 'HEAD':
            found = self.blobs.get(name)
            return _unknown() if found is None else Answer(body=found)
        if request.method == 'POST':
            self._count += 1
            name = f'upload-{self._count}'
            self.open[name] = b''
            return self._where(name, 202)
        if name not in self.open:
            return _unknown()
        if request.method == 'GET':
            return self._where(name, 204)
        if request.method == 'DELETE':
            self._forget(request)
            return Answer(204)
        if request.method == 'PATCH':
            first = int(request.headers['Content-Range'].partition('-')[0])
            if first != len(self.open[name]):
                return self._where(name, 416)
        self.open[name] += body
        if request.method == 'PATCH':
            return self._where(name, 202)
        return self._finish(request, name)

    def _finish(self, request, name):
        [digest] = request.query['digest']
        content = self.open[name]
        if digest != 'sha256:' + hashlib.sha256(content).hexdigest():
            return _error(400, 'DIGEST_INVALID')
        del self.open[name]
        self.blobs[digest] = content
        return Answer(201, headers={'Docker-Content-Digest': digest})

    def _where(self, name, status):
        """An answer that says where to go on; relative, with a query, and each time another."""
        self._count += 1
        headers = {
            'Location': f'/v2/a/blobs/uploads/{name}?_state={self._count}',
            # Of no byte as of one: 0-0.
            'Range': f'0-{max(0, len(self.open[name]) - 1)}',
        }
        if self.least:
            headers['OCI-Chunk-Min-Length'] = str(self.least)
        return Answer(status, headers=headers)


def _error(status, code):
    return Answer(status, json.dumps({'errors': [{'code': code, 'message': 'refused'}]}))


def _unknown():
    return _error(404, 'BLOB_UPLOAD_UNKNOWN')
