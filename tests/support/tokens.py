"""A token service whose tokens Debian's registry accepts.

It answers GET and POST (OAuth2) at `/token`. Tests change its attributes;
`reset` puts them back.
"""

import base64
import json
import threading
import time
import uuid
from datetime import datetime, timezone

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from jwcrypto import jwk, jwt

from . import secrets
from .fakeserver import Answer, Request, send
from .serving import LoopbackServer, client_may_hang_up

ISSUER = 'dxf-tests'
SERVICE = 'dxf-test-registry'

#: May do whatever it asks for.
EVERYTHING = None


class TokenService(LoopbackServer):
    """`requests` lists what it was asked; `granted` the access of each token given.

    `roots` is the path of the bundle that the registry is to check tokens with.
    """

    def __init__(self, certificates, username, password):
        self.username = username
        self.password = password
        self.roots = certificates.ca
        signer = certificates.authority.issue_cert('token-service')
        self._key = jwk.JWK.from_pem(signer.private_key_pem.bytes())
        leaf = load_pem_x509_certificate(signer.cert_chain_pems[0].bytes())
        self._x5c = [base64.b64encode(leaf.public_bytes(Encoding.DER)).decode()]
        self._lock = threading.Lock()
        self.requests = []
        self.granted = []
        self._refresh_tokens = {}
        self.reset()
        super().__init__(certificates)
        self.realm = f'{self.url}/token'

    def reset(self):
        """The settings as they were, and nothing remembered."""
        #: Seconds that a token is good for. The registry allows 60 more.
        self.lifetime = 300
        #: What users and strangers may do: a set of actions, or EVERYTHING.
        #: With `refuse_anonymous` strangers get a 401 in place of a token.
        self.user_actions = EVERYTHING
        self.anonymous_actions = frozenset()
        self.refuse_anonymous = False
        #: The fields of the answer, of those that there are; a callable may
        #: change the answer's dict in place.
        self.fields = ('token', 'access_token', 'expires_in', 'issued_at', 'refresh_token')
        self.amend = None
        #: A callable that is given the Request and returns an Answer, or None to go on.
        self.override = None
        self.clear()

    def clear(self):
        """Forget what was asked and granted."""
        with self._lock:
            del self.requests[:]
            del self.granted[:]

    def sign(self, access=(), subject='', lifetime=None, **claims):
        """A token for the access that is given, whoever asks."""
        now = int(time.time())
        lifetime = self.lifetime if lifetime is None else lifetime
        token = jwt.JWT(
            header={'typ': 'JWT', 'alg': self._algorithm, 'x5c': self._x5c},
            claims={
                'iss': ISSUER,
                'sub': subject,
                'aud': SERVICE,
                'iat': now,
                # The registry's clock is this one, but not to the second.
                'nbf': now - 10,
                'exp': now + lifetime,
                'jti': uuid.uuid4().hex,
                'access': list(access),
                **claims,
            },
        )
        token.make_signed_token(self._key)
        signed = token.serialize()
        secrets.keep_token(signed)
        return signed

    @property
    def _algorithm(self):
        return 'ES256' if self._key['kty'] == 'EC' else 'RS256'

    def answer(self, handler):
        with client_may_hang_up():
            request = Request(
                handler.command,
                handler.path,
                handler.headers,
                handler.read_body(),
                handler.client_address,
            )
            with self._lock:
                self.requests.append(request)
            send(handler, self._reply(request))

    def _reply(self, request):
        overridden = self.override(request) if self.override else None
        if overridden is not None:
            return overridden
        if request.path != '/token' or request.method not in ('GET', 'POST'):
            return Answer(404, 'nothing here')
        parameters = request.query if request.method == 'GET' else request.form
        try:
            user = self._user(request, parameters)
        except PermissionError:
            return Answer(
                401,
                {'errors': [{'code': 'UNAUTHORIZED', 'message': 'wrong username or password'}]},
                {'WWW-Authenticate': 'Basic realm="tokens"'},
            )
        return self._token(user, parameters)

    def _user(self, request, parameters):
        """The user's name, or '' for a stranger; PermissionError if it is neither."""
        one = {name: values[0] for name, values in parameters.items()}
        if request.method == 'POST':
            if one.get('grant_type') == 'refresh_token':
                user = self._refresh_tokens.get(one.get('refresh_token'))
                if user is None:
                    raise PermissionError
                return user
            return self._check(one.get('username'), one.get('password'))
        authorization = request.headers.get('Authorization')
        if authorization is None:
            if self.refuse_anonymous:
                raise PermissionError
            return ''
        scheme, _, encoded = authorization.partition(' ')
        if scheme.lower() != 'basic':
            raise PermissionError
        try:
            username, _, password = base64.b64decode(encoded).decode().partition(':')
        except ValueError:
            raise PermissionError from None
        return self._check(username, password)

    def _check(self, username, password):
        if (username, password) != (self.username, self.password):
            raise PermissionError
        return username

    def _token(self, user, parameters):
        access = []
        allowed = self.user_actions if user else self.anonymous_actions
        for scope in ' '.join(parameters.get('scope', [])).split():
            # A repository's name may have a port, and so a colon, in it.
            kind, _, rest = scope.partition(':')
            name, _, actions = rest.rpartition(':')
            granted = [a for a in actions.split(',') if allowed is EVERYTHING or a in allowed]
            access.append({'type': kind, 'name': name, 'actions': granted})
        with self._lock:
            self.granted.append(access)
        token = self.sign(access, subject=user)
        fields = {
            'token': token,
            'access_token': token,
            'expires_in': self.lifetime,
            'issued_at': datetime.now(timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'),
        }
        offline = 'offline_token' in parameters or parameters.get('access_type') == ['offline']
        if offline and user:
            fields['refresh_token'] = uuid.uuid4().hex
            secrets.keep(fields['refresh_token'])
            self._refresh_tokens[fields['refresh_token']] = user
        fields = {name: value for name, value in fields.items() if name in self.fields}
        if self.amend:
            self.amend(fields)
        return Answer(200, json.dumps(fields), {'Content-Type': 'application/json'})
