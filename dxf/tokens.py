"""Bearer tokens that were granted: for what, and until when."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Any, Container, Dict, Iterable, List, NamedTuple, Optional, Tuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .redaction import without_query

# How long before its end a token counts as ended, as a part of its life: clocks
# differ, and requests take their time.
_MARGIN = 0.1

# How many are remembered: who goes through a registry of many repositories needs each once.
_MOST = 1000

# How long a token lives where the reply does not say (token authentication
# specification), in seconds.
DEFAULT_LIFETIME = 60


# What may stand in a header; RFC 6750 allows less.
_TOKEN = re.compile(r'[\x21-\x7e]+')


def is_token(found: Any) -> bool:
    """Whether something is a token that can be sent."""
    return isinstance(found, str) and _TOKEN.fullmatch(found) is not None


class Grant(NamedTuple):
    """How a token is asked for: whoever asks so again may have the same."""

    url: str  # of the token service
    authorization: Optional[str]
    form: Tuple[Tuple[str, str], ...]  # to POST; GET if it is empty
    user_agent: str

    def __repr__(self) -> str:
        return f'Grant({without_query(self.url)!r})'


class _Held(NamedTuple):
    grant: Grant  # as it was asked for
    token: str
    ends: float  # by the monotonic clock
    early: float  # when it counts as ended for what takes long

    def __repr__(self) -> str:
        return f'_Held(ends={self.ends!r})'


class Tokens:
    """The tokens that objects with the same connections have been granted."""

    def __init__(self) -> None:
        # By how they were asked for, and by themselves; the oldest come first.
        self._held: Dict[Grant, _Held] = {}
        self._granted: Dict[str, _Held] = {}
        # Identity tokens, and those that a service gave in their place.
        self._successors: Dict[str, str] = {}

    def keep(self, grant: Grant, token: str, lifetime: float) -> None:
        """Remember a token that lives for ``lifetime`` seconds from now on."""
        now = time.monotonic()
        held = _Held(grant, token, now + lifetime, now + lifetime * (1 - _MARGIN))
        _put(self._held, _in_order(grant), held)
        _put(self._granted, token, held)

    def get(self, grant: Grant, refused: Container[Optional[str]]) -> Optional[str]:
        """A token that was granted so, if it is neither at its end nor one that was refused."""
        held = self._held.get(_in_order(grant))
        usable = held and held.token not in refused and held.early > time.monotonic()
        return held.token if held and usable else None

    def ended(self, token: Optional[str], early: bool = False) -> Optional[Grant]:
        """How a token was asked for, if it is at its end.

        :param early: or nearly so
        """
        held = self._granted.get(token) if token else None
        if held is None or (held.early if early else held.ends) > time.monotonic():
            return None
        return held.grant

    def replace(self, identity_token: str, successor: str) -> None:
        """Remember that an identity token is good no more, and another one is."""
        self._successors[identity_token] = successor

    def current(self, form: Iterable[Tuple[str, str]]) -> List[Tuple[str, str]]:
        """A form, with the identity token that is good now."""
        return [
            (name, self._successors.get(value, value) if name == 'refresh_token' else value)
            for name, value in form
        ]


def _put(kept: Dict[Any, _Held], key: Any, held: _Held) -> None:
    # Those that were put last are last, and the others may go.
    kept.pop(key, None)
    kept[key] = held
    while len(kept) > _MOST:
        with suppress(KeyError, RuntimeError):
            del kept[next(iter(kept))]


def _in_order(grant: Grant) -> Grant:
    """One that is equal for the same scopes: registries name them, and their actions, in any
    order."""
    parts = urlsplit(grant.url)
    query = urlencode(_sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return grant._replace(url=urlunsplit(parts._replace(query=query)), form=_sorted(grant.form))


def _sorted(asks: Iterable[Tuple[str, str]]) -> Tuple[Tuple[str, str], ...]:
    others, scopes = [], []
    for name, value in asks:
        if name == 'scope':
            scopes.extend(value.split())
        else:
            others.append((name, value))
    return (*others, *(('scope', scope) for scope in sorted(map(_actions_in_order, scopes))))


def _actions_in_order(scope: str) -> str:
    name, colon, actions = scope.rpartition(':')
    return name + colon + ','.join(sorted(actions.split(',')))
