"""Keeping secrets out of what is shown: signatures stand in URLs' queries."""

from __future__ import annotations

import base64
import logging
import re
import threading
from contextlib import contextmanager, suppress
from typing import Any, Iterator, Optional, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from .causes import causes

# A query may hold brackets, quotes and, in an address that nobody has put right, spaces: it
# ends where urllib3's own words go on, or not at all.
_QUERY = re.compile(r'\?\S.*?(?= \(Caused by |\Z)', re.DOTALL)
_USER = re.compile(r'://\S*@')
# What requests says of a header that can't be sent has the header in it.
_HEADER = re.compile(r'(\bheader (?:value|name|part)(?::| \()).*', re.DOTALL | re.IGNORECASE)

# In somebody else's words, which go on after an address.
_CITED_QUERY = re.compile(r'(\bhttps?://[^\s?"\'<>]*)\?[^\s"\'<>]*', re.IGNORECASE)
_CITED_USER = re.compile(r'(\bhttps?://)[^\s/?"\'<>]*@', re.IGNORECASE)

# Shorter secrets are looked for as words alone: they may be parts of any.
_SHORT = 6

SECRET_HEADERS = ('Authorization', 'Cookie', 'Proxy-Authorization')
_SECRET_FIELDS = ('refresh_token', 'password')

_sending = threading.local()

_Secret = TypeVar('_Secret')


class Hidden(str):
    """A text that is not shown with what holds it, or is given it: tracebacks may show both."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def hidden(secret: _Secret) -> _Secret:
    """The same, not to be shown; what is no text stays what it is."""
    return Hidden(secret) if isinstance(secret, str) else secret  # type: ignore[return-value]


def without_query(url: Optional[str]) -> str:
    """A URL as it may be shown: signatures stand in the query, passwords before the host."""
    try:
        parts = urlsplit(url or '')
    except ValueError:
        return without_secrets(url or '')
    return urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path, '', ''))


def without_secrets(text: str) -> str:
    """Text in which no URL has a query or a password, and no header is cited."""
    return _USER.sub('://', _QUERY.sub('?...', _HEADER.sub(r'\1 ...', text)))


def without_sent(text: str, response: Any) -> str:
    """Somebody else's words, without what they were sent: some servers say it back.

    :param response: the answer that has the words
    """
    answers = (*getattr(response, 'history', ()), response)
    secrets = {secret for answer in answers for secret in _sent(answer.request)}
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        pattern = re.escape(secret)
        text = re.sub(rf'(?<!\w){pattern}(?!\w)' if len(secret) < _SHORT else pattern, '***', text)
    return _CITED_QUERY.sub(r'\1?...', _CITED_USER.sub(r'\1', text))


def _sent(request: Any) -> Iterator[str]:
    """The secrets that a request has shown."""
    if request is None:
        return
    for name in SECRET_HEADERS:
        value = request.headers.get(name) or ''
        value = value.decode('latin-1') if isinstance(value, bytes) else str(value)
        scheme, _, word = value.partition(' ')
        yield from (value, word)
        if scheme.lower() == 'basic':
            with suppress(ValueError):
                pair = base64.b64decode(word).decode('utf-8')
                yield from (pair, pair.partition(':')[2])
    if 'urlencoded' in (request.headers.get('Content-Type') or '') and isinstance(
        request.body, str
    ):
        yield from (value for name, value in parse_qsl(request.body) if name in _SECRET_FIELDS)


def scrub(error: BaseException) -> None:
    """Take them out of an error's words, and out of those of what it is made from."""
    for cause in causes(error):
        cause.args = tuple(
            without_secrets(value) if isinstance(value, str) else value for value in cause.args
        )
        for name in ('url', 'reason'):
            if isinstance(getattr(cause, name, None), str):
                setattr(cause, name, without_secrets(getattr(cause, name)))


class _WithoutSecrets(logging.Filter):
    """Takes them out of what urllib3 logs, while dxf is sending in the thread."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(_sending, 'is_dxf', False) and isinstance(record.args, tuple):
            record.args = tuple(self._shown(value) for value in record.args)
            # Of an answer that it can't read urllib3 cites the rest, addresses too.
            record.exc_info = None
        return True

    def _shown(self, value: Any) -> Any:
        if isinstance(value, BaseException):
            return type(value).__name__
        return without_secrets(value) if isinstance(value, str) else value


_filter = _WithoutSecrets()
for _name in ('urllib3.connection', 'urllib3.connectionpool', 'urllib3.util.retry'):
    logging.getLogger(_name).addFilter(_filter)


@contextmanager
def out_of_logs() -> Iterator[None]:
    """While this lasts, what urllib3 logs in this thread shows no secrets."""
    # What a request sends may be fetched by another one in the midst of it.
    before = getattr(_sending, 'is_dxf', False)
    _sending.is_dxf = True
    try:
        yield
    finally:
        _sending.is_dxf = before
