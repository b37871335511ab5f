"""Challenge in, token out.

Bearer tokens are those of Docker's token authentication specification; the
challenges are RFC 7235's.
"""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import requests

from .digests import _to_bytes_2and3
from .exceptions import DXFMalformedChallengeError, DXFTokenError
from .redaction import hidden, without_query
from .tokens import DEFAULT_LIFETIME, is_token

# More than any token lives, in seconds: JSON has numbers that no clock can be set to.
_MAX_LIFETIME = 10**9
_MAX_DIGITS = 10

# When a token was issued, without parts of a second, which count for nothing.
_RFC_3339 = re.compile(
    r'([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})'
)

# An element of a list in a header (RFC 9110, "Lists"): commas in quotes are no ends of it.
_ELEMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+|".*', re.DOTALL)

# What the parser does not take: a scheme with something else than parameters, as Negotiate has;
# parameters that say nothing; and values without the quotes that they would need.
_TOKEN68 = re.compile(r'([\w-]+)\s+[\w.~+/-]+=*')
_EMPTY = re.compile(r'(?<![\w-])[\w-]+\s*=\s*""\s*,?')
_UNQUOTED = re.compile(r'((?:[\w-]+\s+)?[\w-]+)\s*=\s*([^\s"\'=][^\s"]*)')

Actions = Union[str, Sequence[str], None]


class Challenge(NamedTuple):
    """One way to authenticate that a 401 offers."""

    scheme: str  # 'bearer' or 'basic'
    parameters: Dict[str, str]

    @property
    def scopes(self) -> List[str]:
        return self.parameters.get('scope', '').split()


def challenge(response: requests.Response) -> Challenge:
    """The strongest challenge of a 401 that can be met: Bearer, else Basic.

    :raises DXFMalformedChallengeError: if there is none
    """
    # Needed once in an object's life, if at all.
    import www_authenticate

    header = response.headers.get('WWW-Authenticate')
    if not header:
        raise DXFMalformedChallengeError('it has no WWW-Authenticate header')
    try:
        challenges = www_authenticate.parse(_plain(header))
    except Exception as error:  # its parser promises nothing about what it raises
        raise DXFMalformedChallengeError('its WWW-Authenticate header is malformed') from error
    offers = [
        Challenge(scheme, _parameters(challenges[scheme]))
        for scheme in ('bearer', 'basic')
        if scheme in challenges
    ]
    if not offers:
        raise DXFMalformedChallengeError('it offers neither Bearer nor Basic')
    # Where there is something else, a Bearer that names nobody to ask is no offer.
    usable = (one for one in offers if one.scheme == 'basic' or _names_a_realm(one))
    return next(usable, offers[0])


def _names_a_realm(offered: Challenge) -> bool:
    """Whether a challenge says where tokens are to be had."""
    try:
        realm_url(offered, 'https://registry.invalid/', None)
    except DXFMalformedChallengeError:
        return False
    return True


def _plain(header: str) -> str:
    """Challenges as the parser takes them."""
    elements = []
    for element in map(str.strip, _ELEMENT.findall(_EMPTY.sub('', header))):
        other = _TOKEN68.fullmatch(element)
        unquoted = _UNQUOTED.fullmatch(element)
        if other:
            element = other[1]
        elif unquoted:
            element = f'{unquoted[1]}="{unquoted[2]}"'
        elements.append(element)
    return ', '.join(filter(None, elements))


def _parameters(parsed: Any) -> Dict[str, str]:
    # A challenge without parameters is parsed into something else.
    return (
        {name.lower(): re.sub(r'\\(.)', r'\1', value) for name, value in parsed.items()}
        if isinstance(parsed, dict)
        else {}
    )


def basic(username: str, password: str) -> str:
    """The ``Authorization`` header of a user and a password, as UTF-8 (RFC 7617)."""
    pair = _to_bytes_2and3(username) + b':' + _to_bytes_2and3(password)
    return 'Basic ' + base64.b64encode(pair).decode('ascii')


def bearer(headers: Mapping[str, Any]) -> Optional[str]:
    """The token that a request's headers carry (RFC 6750)."""
    # Whoever sets them may spell the name otherwise, or give bytes, as requests takes both.
    given = [value for name, value in headers.items() if name.lower() == 'authorization']
    if not given or not isinstance(given[-1], str):
        return None
    scheme, _, token = given[-1].partition(' ')
    return token if scheme == 'Bearer' else None


def scopes(offered: Challenge, repository: Optional[str], actions: Actions) -> List[str]:
    """What a token is asked for."""
    if actions and repository:
        names = [actions] if isinstance(actions, str) else list(actions)
        return ['repository:{}:{}'.format(repository, ','.join(names))]
    if offered.scopes or repository:
        return offered.scopes
    return ['registry:catalog:*']


def refresh_form(
    offered: Challenge, wanted: List[str], identity_token: str
) -> Tuple[Tuple[str, str], ...]:
    """What an identity token is exchanged for a token by (OAuth2, RFC 6749 section 6)."""
    form = [
        ('grant_type', 'refresh_token'),
        ('client_id', 'python-dxf'),
        ('refresh_token', hidden(identity_token)),
    ]
    if 'service' in offered.parameters:
        form.append(('service', offered.parameters['service']))
    if wanted:
        form.append(('scope', ' '.join(wanted)))
    return tuple(form)


def realm_url(
    offered: Challenge, asked: str, auth_host: Optional[str], insecure: bool = False
) -> str:
    """Where tokens are to be had: always by https, unless it is to be ``insecure``.

    :param offered: a Bearer challenge
    :param asked: the URL that was answered with it
    :param auth_host: a host, with port if any, in place of the realm's
    :raises DXFMalformedChallengeError: if the challenge's realm is no URL
    """
    realm = offered.parameters.get('realm')
    if not realm:
        raise DXFMalformedChallengeError('it names no realm')
    parts, hostname = urlsplit(''), None
    # What is wrong is raised later: what says so of a URL may cite a password in it.
    with suppress(ValueError):
        found = urlsplit(urljoin(asked, realm))
        found.port  # noqa: B018  (raises if it is none)
        found = found._replace(netloc=auth_host or found.netloc.rpartition('@')[2])
        hostname = found.hostname
        parts = found
    if parts.scheme not in ('http', 'https') or not parts.netloc:
        raise DXFMalformedChallengeError('its realm is no URL')
    scheme = parts.scheme if insecure and is_loopback(hostname) else 'https'
    return urlunsplit((scheme, parts.netloc, parts.path, parts.query, ''))


def token_url(realm: str, offered: Challenge, wanted: List[str]) -> str:
    """What to GET for a token: the realm's URL, with the service and the scopes.

    :param realm: what :func:`realm_url` gave for the challenge
    :param wanted: the scopes
    """
    asks = [('service', offered.parameters['service'])] if 'service' in offered.parameters else []
    asks.extend(('scope', scope) for scope in wanted)
    parts = urlsplit(realm)
    query = '&'.join(part for part in (parts.query, urlencode(asks)) if part)
    return urlunsplit(parts._replace(query=query))


def is_loopback(host: Optional[str]) -> bool:
    """Whether a host is this machine, spoken to without a network."""
    # Of use to those alone who authenticate over http.
    import ipaddress

    try:
        return host == 'localhost' or ipaddress.ip_address((host or '').strip('[]')).is_loopback
    except ValueError:
        return False


class Reply(NamedTuple):
    """What a token service granted."""

    token: str
    lifetime: float  # in seconds
    identity_token: Optional[str] = None  # in the place of the one that was exchanged

    def __repr__(self) -> str:
        return f'Reply(lifetime={self.lifetime!r})'


def read_reply(reply: requests.Response) -> Reply:
    """The token in a token service's reply, and how long it lives.

    :raises DXFTokenError: if there is none
    """
    address = without_query(reply.url)
    content: Any = None
    problem = 'the reply is not a JSON object'
    try:
        content = reply.json()
    except (ValueError, RecursionError):
        problem = 'the reply is not JSON'
    # Not while that is handled: it holds the reply, in which a token may be.
    if not isinstance(content, dict):
        raise DXFTokenError(address, problem)
    found = content.get('access_token') or content.get('token')
    if not found:
        raise DXFTokenError(address, 'the reply has neither access_token nor token')
    if not is_token(found):
        raise DXFTokenError(address, 'the token is malformed')
    successor = content.get('refresh_token')
    lifetime = _lifetime(reply, content)
    return Reply(hidden(found), lifetime, hidden(successor) if is_token(successor) else None)


def _lifetime(reply: requests.Response, content: Dict[str, Any]) -> float:
    """How much longer a token lives: some services give again what they gave before."""
    said = content.get('expires_in')
    if isinstance(said, str) and said.isascii() and said.isdigit():
        said = int(said[:_MAX_DIGITS])
    if not isinstance(said, (int, float)) or isinstance(said, bool) or not said > 0:
        return DEFAULT_LIFETIME
    lifetime = min(said, _MAX_LIFETIME)
    left = lifetime - max(0, _age(reply, content.get('issued_at')))
    # Where nothing is left, a clock is wrong, or to ask again is of no use.
    return left if left > 0 else lifetime


def _age(reply: requests.Response, issued_at: Any) -> float:
    """How long ago a token was issued, in seconds, by the service's clock if it shows that."""
    said = _RFC_3339.fullmatch(issued_at) if isinstance(issued_at, str) else None
    if said is None:
        return 0
    # Few services say so.
    from datetime import datetime, timezone
    from email.utils import parsedate_to_datetime

    now = datetime.now(timezone.utc)
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        now = parsedate_to_datetime(reply.headers.get('Date', ''))
    with suppress(ValueError, TypeError, OverflowError):
        offset = said[2] if said[2] not in 'Zz' else '+00:00'
        return (now - datetime.fromisoformat(said[1] + offset)).total_seconds()
    return 0
