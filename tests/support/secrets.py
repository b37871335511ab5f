"""What no output may show: the tests' passwords, and the tokens that they were granted."""

import base64
import json
from urllib.parse import quote, quote_plus

#: Each of them, in every form that it is sent in or that something may write it in.
known = set()

TITLE = 'SECRETS IN THE OUTPUT'


class Secret(str):
    """A text that is not shown with what holds it, as where a test fails."""

    __slots__ = ()

    def __repr__(self):
        return "'***'"


#: For tests that need any.
PASSWORD = Secret('nobody-else-has-this-password')


def keep(*secrets):
    """Note what must not be seen."""
    for secret in secrets:
        known.update(forms(secret))


def forms(secret):
    """How a secret may be written."""
    secret = str(secret)
    encoded = secret.encode()
    return {
        secret,
        repr(secret)[1:-1],
        repr(encoded)[2:-1],
        json.dumps(secret)[1:-1],
        quote(secret),
        quote(secret, safe=''),
        quote_plus(secret),
        base64.b64encode(encoded).decode(),
    }


def keep_login(username, password):
    """Note a password, and what it is in a header with the user's name."""
    keep(password, f'{username}:{password}')


def keep_token(token):
    """Note a token, and its signature, which is what makes a part of it worth anything."""
    keep(token, token.rpartition('.')[2])


def found(text, among=None):
    """Those that a text shows."""
    return [secret for secret in (known if among is None else among) if secret in text]


def search(report):
    """Look through all that a failed test has left, and say so if something is there."""
    if not report.failed:
        return
    places = [('the failure', report.longreprtext), *report.sections]
    shown = [place for place, text in places if found(text)]
    if shown:
        report.sections.append((TITLE, f'passwords or tokens stand in: {", ".join(shown)}'))


def summarize(terminalreporter):
    """Say it again at the end of the run, whatever processes it ran in."""
    leaks = [
        f'{report.nodeid}: {text}'
        for kind in ('failed', 'error')
        for report in terminalreporter.stats.get(kind, ())
        for title, text in report.sections
        if title == TITLE
    ]
    if leaks:
        terminalreporter.section(TITLE, sep='!', red=True, bold=True)
        for leak in leaks:
            terminalreporter.line(leak, red=True)


keep_login('fred', PASSWORD)
