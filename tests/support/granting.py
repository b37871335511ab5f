"""A registry and its token service in one, which are what a test makes them."""

from . import secrets
from .fakeserver import Answer, FakeServer


class GrantingRegistry(FakeServer):
    """Wants a token for what a request needs, and grants whatever is asked for at `/token`.

    `valid` says what the tokens are for that it takes, `refused` lists the requests that it
    did not take. Tests change `challenge` and `expires_in`.
    """

    def __init__(self, certificates):
        super().__init__(certificates)
        self.challenge = 'Bearer realm="{url}/token",service="s",scope="{scope}"'
        self.expires_in = 300
        self.valid = {}  # token -> scopes
        self.granted = 0
        self.refused = []  # requests that were
        self.on(None, '/v2/.*', self.serve)
        self.on(None, '/token', self.grant)

    def scope(self, request):
        actions = 'pull' if request.method in ('GET', 'HEAD') else 'pull,push'
        return f'repository:{request.path.split("/")[2]}:{actions}'

    def serve(self, request):
        token = request.headers.get('Authorization', '').partition('Bearer ')[2]
        scope = self.scope(request)
        if not any(scope == has or scope == has.replace(',push', '')
                   for has in self.valid.get(token, ())):  # fmt: skip
            self.refused.append(request)
            challenge = self.challenge.format(url=self.url, scope=scope)
            return Answer(401, headers={'WWW-Authenticate': challenge})
        if request.method == 'POST':
            return Answer(202, headers={'Location': f'{request.path}1'})
        if request.method == 'PUT':
            return Answer(201)
        return Answer(200, {'tags': ['a']})

    def grant(self, request):
        asked = request.query if request.method == 'GET' else request.form
        token = f'granted-token-{self.granted}'
        self.granted += 1
        secrets.keep(token)
        self.valid[token] = ' '.join(asked.get('scope', [])).split()
        return Answer(200, {'token': token, 'expires_in': self.expires_in})

    @property
    def asked(self):
        """What tokens were asked for, in order."""
        return [' '.join((r.query if r.method == 'GET' else r.form).get('scope', []))
                for r in self.seen(None, '/token')]  # fmt: skip
