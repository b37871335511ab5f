"""Two doors to one registry: the right one wants credentials, the wrong one must never see any.

Both lead to a real registry, by whatever name they were asked, so that who is sent from one to
the other finds there what he came for.
"""

import contextlib
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any

import urllib3

from . import secrets
from .fakeserver import Answer, FakeServer, Request, send
from .logins import auth
from .serving import client_may_hang_up

USERNAME = 'fred'
PASSWORD = secrets.PASSWORD
BASIC = 'Basic ' + auth(USERNAME, PASSWORD)
TOKEN = 'token-for-the-right-door'
IDENTITY = 'identity-token-for-the-right-door'
COOKIE = 'session=cookie-of-the-right-door'
API_KEY = 'key-to-the-right-door'

_SECRETS = {
    form
    for secret in (PASSWORD, f'{USERNAME}:{PASSWORD}', TOKEN, IDENTITY, COOKIE, API_KEY)
    for form in secrets.forms(secret)
}
secrets.known.update(_SECRETS)

# What concerns one connection, or is made anew.
_PER_CONNECTION = ('connection', 'transfer-encoding', 'date', 'server')


@dataclass
class Visit:
    """A request, and what its connection showed."""

    request: Request
    certificate: Any = field(repr=False)
    is_tls: bool = True

    def shown(self):
        """What it has of credentials."""
        request = self.request
        text = f'{request.target}\n{request.headers}\n{(request.body or b"").decode("latin-1")}'
        names = ('Authorization', 'Proxy-Authorization', 'Cookie', 'X-Api-Key', 'Referer')
        return [
            *(name for name in names if name in request.headers),
            *sorted(secrets.found(text, _SECRETS)),
            *(['a client certificate'] if self.certificate else []),
        ]


class _EitherContext:
    """TLS for who speaks it, and plain http for who does not."""

    def __init__(self, context):
        self._context = context

    def wrap_socket(self, sock, server_side):
        if sock.recv(1, socket.MSG_PEEK) == b'\x16':
            return self._context.wrap_socket(sock, server_side=server_side)
        return sock


class Door(FakeServer):
    """Forwards what comes to a registry. `visits` lists it."""

    def __init__(self, registry, certificates):
        self._registry = registry
        self._certificates = certificates
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)
        self.visits = []
        #: Given a Request before it is looked at; returns an Answer, or None to go on.
        self.divert = None
        #: Given a Request and the Answer to it, which it may change.
        self.amend = None
        super().__init__(self)

    def server_context(self):
        context = self._certificates.server_context()
        context.load_verify_locations(self._certificates.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        return _EitherContext(context)

    def stop(self):
        super().stop()
        self._pool.clear()

    def answer(self, handler):
        with client_may_hang_up():
            request = Request(
                handler.command,
                handler.path,
                handler.headers,
                handler.read_body(),
                handler.client_address,
            )
            is_tls = isinstance(handler.request, ssl.SSLSocket)
            certificate = handler.request.getpeercert() if is_tls else None
            visit = Visit(request, certificate, is_tls)
            self.visits.append(visit)
            send(handler, self.answer_to(visit))

    def answer_to(self, visit):
        request = visit.request
        answer = self.divert(request) if self.divert else None
        if answer is None:
            answer = self.forward(request)
            if self.amend:
                self.amend(request, answer)
        return answer

    def forward(self, request):
        kept = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in (*_PER_CONNECTION, 'authorization', 'cookie', 'content-length')
        }
        kept['X-Forwarded-Proto'] = 'https'
        got = self._pool.request(
            request.method,
            self._registry.url + request.target,
            body=request.body or None,
            headers=kept,
            redirect=False,
        )
        headers = {n: v for n, v in got.headers.items() if n.lower() not in _PER_CONNECTION}
        return Answer(got.status, got.data, headers)


class RightDoor(Door):
    """The registry that dxf is told of. Whoever comes by another name is a stranger too."""

    def is_own(self, visit):
        return visit.is_tls and visit.request.headers.get('Host') == self.host

    def answer_to(self, visit):
        request = visit.request
        if not self.is_own(visit) and not request.path.startswith('/token'):
            return super().answer_to(visit)
        if request.path == '/token':
            return self.divert_token(request) or self.grant(request)
        if request.headers.get('Authorization') != f'Bearer {TOKEN}':
            return Answer(
                401,
                '{}',
                {
                    'WWW-Authenticate': f'Bearer realm="{self.url}/token",service="s",scope="x"',
                    'Set-Cookie': f'{COOKIE}; Path=/',
                },
            )
        answer = super().answer_to(visit)
        answer.headers['Set-Cookie'] = f'{COOKIE}; Path=/'
        return answer

    def divert_token(self, request):
        return self.divert(request) if self.divert else None

    def grant(self, request):
        knows = (
            request.headers.get('Authorization') == BASIC
            if request.method == 'GET'
            else request.form.get('refresh_token') == [IDENTITY]
        )
        if not knows:
            return Answer(401, '{}')
        return Answer(200, {'token': TOKEN, 'expires_in': 300})

    @property
    def own(self):
        """What came to the registry by its own name."""
        return [visit for visit in self.visits if self.is_own(visit)]

    @property
    def strange(self):
        """What came to its port by another name or scheme."""
        return [visit for visit in self.visits if not self.is_own(visit)]


class Pair:
    """The two doors, and a client's certificate for the right one."""

    def __init__(self, registry, certificates, folder):
        self.right = RightDoor(registry, certificates)
        self.wrong = Door(registry, certificates)
        self.ca = certificates.ca
        self.cert = str(folder / 'client.pem')
        made = certificates.authority.issue_cert('fred@example.org')
        made.private_key_and_cert_chain_pem.write_to_path(self.cert)

    @property
    def elsewhere(self):
        """Where a redirect may lead that is not the right door's own place."""
        return {
            'another host': f'https://127.0.0.1:{self.wrong.port}',
            'another port': self.wrong.url,
            'another name': f'https://127.0.0.1:{self.right.port}',
            'another scheme': f'http://localhost:{self.right.port}',
            'another scheme and port': f'http://localhost:{self.wrong.port}',
        }

    def forget(self):
        for door in (self.right, self.wrong):
            door.divert = door.amend = None
            del door.visits[:]

    def strangers(self):
        """What came elsewhere than to the right door's own place."""
        return [*self.wrong.visits, *self.right.strange]

    def stop(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.right.stop)
            stack.callback(self.wrong.stop)
