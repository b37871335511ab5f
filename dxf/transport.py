"""The one place that sends a request.

It decides who may see credentials, follows redirects, repeats what failed for
the moment and can be repeated, and makes errors out of answers.
"""

from __future__ import annotations

import logging
import re
import time
import weakref
from datetime import timedelta
from functools import lru_cache
from http import HTTPStatus
from threading import RLock
from typing import Any, List, Mapping, NamedTuple, Optional, Set
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import (
    ConnectionError,
    HTTPError,
    InvalidHeader,
    InvalidURL,
    RequestException,
    TooManyRedirects,
)
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ._version import __version__
from .blocks import contents
from .certificates import Certificates, check_files
from .connections import session
from .exceptions import (
    DXFCannotRewindError,
    DXFNotARegistryError,
    DXFUnauthorizedError,
)
from .proxies import check as check_proxy
from .redaction import SECRET_HEADERS, out_of_logs, scrub, without_query, without_sent
from .retries import Retries, is_final, is_transient_status
from .surroundings import Surroundings
from .tokens import Tokens

log = logging.getLogger('dxf')

# To connect, and between two pieces of an answer, in seconds: a connection that
# stalls without closing counts as cut.
DEFAULT_TIMEOUT = (10, 30)

_MAX_REDIRECTS = 10

# The most that is read of an answer that is no blob, in bytes. The specification
# lets a registry refuse a manifest of more than 4 MiB; some take larger ones.
_MAX_ANSWER_SIZE = 32 * 1024 * 1024

# How much of an error is read to find its message, in bytes.
_MAX_ERROR_SIZE = 64 * 1024

_HEADER_VALUE = re.compile(r'[^\x00\r\n\u0100-\U0010ffff]*')

_DEFAULT_HEADERS = {
    'User-Agent': 'python-dxf/' + __version__,
    'Accept': '*/*',
    # What is hashed is what was stored.
    'Accept-Encoding': 'identity',
    'Connection': 'keep-alive',
}


class Origin(NamedTuple):
    """Whom credentials are for: a scheme, a host and a port."""

    scheme: str
    host: str
    port: Optional[int]

    @staticmethod
    def of(url: str) -> Origin:
        # Nothing of whom it is for comes after these, and uploads' queries are long.
        return _origin(url.partition('?')[0].partition('#')[0])


@lru_cache(maxsize=256)
def _origin(url: str) -> Origin:
    try:
        # What requests connects by: others read "https://a\\@b/" otherwise.
        parts = parse_url(url)
    except ValueError:
        return Origin('', '', None)  # nobody's: requests will refuse the URL
    scheme = parts.scheme or ''
    default = {'http': 80, 'https': 443}.get(scheme)
    return Origin(scheme, (parts.host or '').lower(), parts.port or default)


class Credentials(NamedTuple):
    """Headers, and whom they are for."""

    headers: Mapping[str, str]
    origin: Origin

    def __repr__(self) -> str:
        return f'Credentials(for {self.origin})'

    def headers_for(self, url: str) -> Mapping[str, str]:
        return self.headers if Origin.of(url) == self.origin else {}


class Transport:
    """Sends requests over kept connections, which several objects may share."""

    def __init__(self) -> None:
        self._session = session()
        # urllib3 1.26 leaves this to whoever collects garbage, who warns of it.
        weakref.finalize(self, self._session.close)
        self._surroundings = Surroundings(self._session)
        self._reached: Set[Origin] = set()
        self._certificates = Certificates()
        self.tokens = Tokens()
        # Held while credentials are renewed, by whoever shares the connections.
        self.authenticating = RLock()

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Have what is below a URL answered by something else than its host."""
        self._session.mount(prefix, adapter)

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._session.close()

    def send(
        self, method: str, url: str, credentials: Credentials, retries: Retries, **kwargs: Any
    ) -> requests.Response:
        """Send a request until it is answered.

        A body that is a stream is sent once: whoever made it knows how to go on.

        :param method: the HTTP method
        :param url: an absolute URL
        :param credentials: what goes along, where it may
        :param retries: how often and how long what failed is tried again
        :param kwargs: those of :func:`requests.request`
        :returns: the answer, whatever its status
        :raises requests.exceptions.RequestException: if there is none
        """
        once = is_stream(kwargs.get('data'))
        attempts = retries.start()
        repeated = False
        while True:
            try:
                response = self._follow(method, url, credentials, **kwargs)
            except RequestException as error:
                scrub(error)
                if once or self._is_final(error, url) or not attempts.wait(error=error):
                    raise
                repeated = True
                continue
            if repeated and _is_gone(method, response):
                response.status_code = HTTPStatus.ACCEPTED
            # One that was turned away has done nothing.
            repeated = response.status_code != HTTPStatus.TOO_MANY_REQUESTS
            if (
                once
                or not is_transient_status(response.status_code)
                or not attempts.wait(response=response)
            ):
                return response
            discard(response)

    def _is_final(self, error: RequestException, url: str) -> bool:
        asked = error.request.url if error.request is not None else url
        return is_final(error, reached=Origin.of(asked or url) in self._reached)

    def _follow(
        self,
        method: str,
        url: str,
        credentials: Credentials,
        allow_redirects: bool = True,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        headers: Any = None,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request, and again to wherever its answer redirects it."""
        all_headers: CaseInsensitiveDict[Any] = CaseInsensitiveDict(_DEFAULT_HEADERS)
        all_headers.update(credentials.headers_for(url))
        all_headers.update(headers or {})
        _check_headers(all_headers)
        # Not by way of a Request: that costs twice as much, and holds the same.
        request = requests.PreparedRequest()
        request.prepare(
            method.upper(),
            url,
            headers={name: value for name, value in all_headers.items() if value is not None},
            **kwargs,
        )
        start = position(request.body)
        history: List[requests.Response] = []
        while True:
            # A client certificate is shown to whom credentials are.
            own_cert = cert if Origin.of(request.url or '') == credentials.origin else None
            settings = self._surroundings.settings(
                request.url or '', dict(proxies or {}), stream, verify, own_cert
            )
            response = self._send_once(request, timeout=timeout, **settings)
            response.history = list(history)
            target = self._redirect_target(response) if allow_redirects else None
            if target is None:
                if not stream:
                    # Here, so that the request is repeated if it is cut.
                    read_answer(response)
                return response
            discard(response)
            history.append(response)
            if len(history) > _MAX_REDIRECTS:
                raise TooManyRedirects(
                    f'more than {_MAX_REDIRECTS} redirects from {without_query(url)}',
                    request=request,
                    response=response,
                )
            request = self._redirected(request, response, target, credentials)
            rewind(request.body, start)

    def _send_once(self, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        url = request.url or ''
        kept = self._certificates.of(url)
        if settings['verify'] is True:
            settings['verify'] = kept.bundle or True
        settings['cert'] = settings['cert'] or kept.client
        check_proxy(url, settings['proxies'])
        started = time.monotonic()
        try:
            with out_of_logs():
                response = self._session.get_adapter(url).send(request, **settings)
        except (RequestException, LocationParseError) as error:
            _log_failure(request, error, time.monotonic() - started)
            if isinstance(error, ConnectionError):
                check_files(settings['verify'], settings['cert'])
            if isinstance(error, RequestException):
                raise
            # urllib3's own, of a host that can't be looked up.
            raise InvalidURL(
                f'{without_query(url)} is no address: {error}', request=request
            ) from error
        # Whatever stands in for the adapter in a test may have left it out.
        response.url = response.url or url
        response.elapsed = timedelta(seconds=time.monotonic() - started)
        self._reached.add(Origin.of(url))
        _log(request, response)
        return requests.hooks.dispatch_hook('response', request.hooks, response, **settings)  # type: ignore[no-any-return, no-untyped-call]

    def _redirect_target(self, response: requests.Response) -> Optional[str]:
        try:
            return self._session.get_redirect_target(response)
        except UnicodeError:
            pass
        # Not while that is handled: it holds the address.
        raise DXFNotARegistryError(
            without_query(response.url), 'it redirects to what is no address'
        )

    def _redirected(
        self,
        request: requests.PreparedRequest,
        response: requests.Response,
        target: str,
        credentials: Credentials,
    ) -> requests.PreparedRequest:
        """The request that a redirect asks for, without what its target may not see."""
        hop = request.copy()
        if not _is_address(hop, response.url, target):
            raise DXFNotARegistryError(
                without_query(response.url), 'it redirects to what is no address'
            )
        if request.method == 'POST' or response.status_code == HTTPStatus.SEE_OTHER:
            # What else is redirected is still to be done, not to be read about.
            self._session.rebuild_method(hop, response)
        if hop.method != request.method:
            for name in ('Content-Length', 'Content-Type', 'Transfer-Encoding'):
                hop.headers.pop(name, None)
            hop.body = None
        if Origin.of(hop.url or '') != Origin.of(request.url or ''):
            for name in (*SECRET_HEADERS, *credentials.headers):
                hop.headers.pop(name, None)
        for name, value in credentials.headers_for(hop.url or '').items():
            hop.headers.setdefault(name, value)
        return hop


def _is_address(hop: requests.PreparedRequest, url: str, target: str) -> bool:
    """Have a request go to a URL, if it is one: what is raised otherwise has its query in it."""
    try:
        hop.prepare_url(urljoin(url, target), None)
    except ValueError:
        return False
    return True


def _check_headers(headers: Mapping[str, Any]) -> None:
    """Refuse what can't be sent, without its value, before something below cites that."""
    for name, value in headers.items():
        text = value.decode('latin-1') if isinstance(value, bytes) else value
        if isinstance(text, str) and not _HEADER_VALUE.fullmatch(text):
            raise InvalidHeader(f"the header {name} holds characters that can't be sent")


def _log(request: requests.PreparedRequest, response: requests.Response) -> None:
    """A line for a request: method, address, status, time, and bytes as they were announced."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    log.debug(
        '%s %s: %s in %.3f s, %s bytes sent, %s bytes to come',
        request.method,
        without_query(request.url),
        response.status_code,
        response.elapsed.total_seconds(),
        request.headers.get('Content-Length', 'some' if request.body else '0'),
        response.headers.get('Content-Length', 'some'),
    )


def _log_failure(request: requests.PreparedRequest, error: Exception, seconds: float) -> None:
    log.debug(
        '%s %s: no answer in %.3f s (%s)',
        request.method,
        without_query(request.url),
        seconds,
        type(error).__name__,
    )


def _is_gone(method: str, response: requests.Response) -> bool:
    """Whether what was to be deleted is not there: the attempt whose answer was lost did it."""
    return method.upper() == 'DELETE' and response.status_code == HTTPStatus.NOT_FOUND


def is_stream(body: Any) -> bool:
    """Whether a body is used up by sending it."""
    return hasattr(body, '__iter__') and not isinstance(
        body, (bytes, bytearray, str, list, tuple, Mapping)
    )


def position(body: Any) -> Optional[int]:
    """Where a body starts, if it can be rewound to there."""
    try:
        return int(body.tell())
    except (AttributeError, OSError):
        return None


def rewind(body: Any, start: Optional[int]) -> None:
    """Make a body ready to be sent again.

    :raises DXFCannotRewindError: if it can't be read again
    """
    if not is_stream(body):
        return
    if start is None:
        raise DXFCannotRewindError()
    body.seek(start)


def location(response: requests.Response, reference: str, base_url: str) -> str:
    """The absolute URL that an answer refers to.

    :param base_url: the registry's
    :raises DXFNotARegistryError: if it is no URL

    A registry behind a proxy that terminates TLS may name its own http
    addresses: they are asked by https all the same.
    """
    try:
        parts = urlsplit(urljoin(response.url or base_url, reference))
    except ValueError:
        parts = urlsplit('')
    if parts.scheme not in ('http', 'https') or not parts.netloc:
        raise DXFNotARegistryError(without_query(response.url), 'it refers to what is no address')
    if parts.scheme == 'http' and base_url.startswith('https:'):
        parts = parts._replace(scheme='https')
    # A user that is named there would be sent in the place of the credentials.
    parts = parts._replace(netloc=parts.netloc.rpartition('@')[2])
    return urlunsplit(parts)


def read_at_most(response: requests.Response, limit: int) -> bool:
    """Read an answer's content, but not much more than ``limit`` bytes of it.

    :returns: whether it has no more; ``response.content`` is what was read
    """
    if response.raw is None or getattr(response, '_content', False) is not False:
        return len(response.content or b'') <= limit
    pieces, size = [], 0
    for piece in contents(response, 64 * 1024):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            break
    response.close()
    response._content = b''.join(pieces)
    return size <= limit


def read_answer(response: requests.Response) -> None:
    """Read an answer that is no blob, and so can't be of any size.

    :raises DXFNotARegistryError: if it is larger than it may be
    """
    if response.status_code >= 400:
        discard(response)
    elif not read_at_most(response, _MAX_ANSWER_SIZE):
        raise DXFNotARegistryError(
            without_query(response.url), f'it sends more than {_MAX_ANSWER_SIZE} bytes'
        )


def discard(response: requests.Response) -> None:
    """Have done with an answer, so that its connection can be used again if that is cheap."""
    try:
        read_at_most(response, _MAX_ERROR_SIZE)
    except RequestException:
        # Some registries announce a longer error than they send.
        response._content = b''


def check(response: requests.Response) -> requests.Response:
    """The answer given, if it is not an error.

    :raises DXFUnauthorizedError: for a 401
    :raises requests.exceptions.HTTPError: for another error; its message carries
        the registry's own code and message (distribution specification, "Error Codes")
    """
    status = response.status_code
    if status < 400:
        if status == HTTPStatus.OK and not _has_content(response) and is_web_page(response):
            raise web_page(response)
        return response
    discard(response)
    if status == HTTPStatus.UNAUTHORIZED:
        raise DXFUnauthorizedError()
    raise HTTPError(
        '{} {} Error: {} for url: {}{}'.format(
            status,
            'Client' if status < 500 else 'Server',
            reason(response),
            without_query(response.url),
            _registry_errors(response),
        ),
        response=response,
    )


def _has_content(response: requests.Response) -> bool:
    """Whether an answer has content to judge it by, whatever its headers say."""
    # A redirect may have made a GET of what was none.
    asked = (response.history or [response])[0].request
    return asked is None or asked.method == 'GET'


def web_page(response: requests.Response) -> DXFNotARegistryError:
    """The error that an answer is a web page."""
    discard(response)
    return DXFNotARegistryError(without_query(response.url), 'it answers with a web page')


def number(text: Optional[str]) -> Optional[int]:
    """The number in a header, if there is one."""
    # Not every character that is a digit makes a number, nor any number of them.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def is_web_page(response: requests.Response) -> bool:
    """Whether an answer says that it is a web page, and not also that it is a registry's."""
    # Some registries say so of answers that have no content.
    return response.headers.get('Content-Type', '').lower().startswith('text/html') and not any(
        name.lower().startswith('docker-') for name in response.headers
    )


def content_type(response: requests.Response) -> str:
    """What an answer says that it is, to be shown."""
    return without_sent(response.headers.get('Content-Type', 'something'), response)


def reason(response: requests.Response) -> str:
    """The status in words: the standard's, since a server may say anything."""
    try:
        return HTTPStatus(response.status_code).phrase
    except ValueError:
        return without_sent(str(response.reason), response)


def _registry_errors(response: requests.Response) -> str:
    """The registry's own codes and messages, in one line."""
    try:
        content: Any = response.json()
    except (ValueError, RecursionError):
        return ' (this does not look like a registry)' if is_web_page(response) else ''
    errors = content.get('errors') if isinstance(content, dict) else None
    found = [
        ': '.join(str(error[name]) for name in ('code', 'message') if error.get(name))
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    text = ' '.join(''.join(': ' + words for words in found if words).split())
    return without_sent(text, response)
