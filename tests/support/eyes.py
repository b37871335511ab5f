"""Everything that there is to see while a test runs, and whether a secret is to be seen in it."""

import contextlib
import io
import logging
import traceback

from . import secrets
from .fakeserver import Answer

USERNAME = 'fred'
PASSWORD = secrets.PASSWORD
TOKEN = 'a-token-that-was-granted'
IDENTITY = 'an-identity-token-of-fred'
SIGNATURE = 'f00dbabe'
HIDDEN = {
    form
    for secret in (PASSWORD, f'{USERNAME}:{PASSWORD}', TOKEN, IDENTITY)
    for form in secrets.forms(secret)
} | {SIGNATURE}

LOGGERS = ['urllib3', 'requests', 'dxf', 'charset_normalizer']


class Eyes:
    """What was logged and printed. `check` looks for secrets in that, and in what it is given."""

    def __init__(self, capfd):
        self._capfd = capfd
        self.log = io.StringIO()

    def check(self, *errors, objects=()):
        """What there was to see, in which is no secret."""
        shown = [self.log.getvalue(), *self._capfd.readouterr()]
        for error in errors:
            shown += [str(error), repr(error), repr(error.args)]
            shown += traceback.format_exception(type(error), error, error.__traceback__)
        shown += [repr(made) for made in objects]
        text = '\n'.join(shown)
        assert not secrets.found(text, HIDDEN), text
        return text


@contextlib.contextmanager
def open_eyes(capfd):
    """Eyes, while every logger is at its most talkative."""
    made = Eyes(capfd)
    handler = logging.StreamHandler(made.log)
    root = logging.getLogger()
    loggers = {logger: logger.level for logger in (root, *map(logging.getLogger, LOGGERS))}
    for logger in loggers:
        logger.setLevel(1)
    root.addHandler(handler)
    try:
        yield made
    finally:
        root.removeHandler(handler)
        for logger, level in loggers.items():
            logger.setLevel(level)


def with_a_token(server, answer):
    """A FakeServer's rule: this Answer for who has the token, a challenge for others."""
    challenge = f'Bearer realm="{server.url}/token?key={SIGNATURE}",service="s"'
    refusal = Answer(401, headers={'WWW-Authenticate': challenge})

    def rule(request):
        return answer if request.headers.get('Authorization') == f'Bearer {TOKEN}' else refusal

    return rule


def grants_a_token(server):
    """Make a FakeServer a registry that wants a token, and grants it to everybody."""
    server.on(None, '/v2/.*', with_a_token(server, Answer(200, {'tags': ['a']})))
    server.on(None, '/token', lambda request: Answer(200, {'token': TOKEN}))
    return server


def by_password(client, response):
    client.authenticate(USERNAME, PASSWORD, response=response)


def inside(client):
    """What an object is made of, and what holds secrets there."""
    transport = client._transport
    held = [part for pair in transport.tokens._held.items() for part in pair]
    return [client, transport, transport.tokens, *held]
