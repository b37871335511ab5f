"""The one place that sends a request.

It decides who may see credentials, follows redirects, and repeats what failed for
the moment and can be repeated.
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
from urllib.parse import urljoin

import requests
from requests.adapters import BaseAdapter
from requests.exceptions import (
    ConnectionError,
    InvalidHeader,
    InvalidURL,
    RequestException,
    TooManyRedirects,
)
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ._version import __version__
from .answers import discard, not_a_registry, read_answer
from .bodies import is_stream, position, rewind
from .certificates import Certificates, check_files
from .connections import session
from .proxies import check as check_proxy
from .redaction import SECRET_HEADERS, hidden, out_of_logs, scrub, without_query
from .retries import Retries, is_final, is_transient_status
from .surroundings import Surroundings
from .tokens import Tokens

log = logging.getLogger('dxf')

# To connect, and between two pieces of an answer, in seconds: a connection that
# stalls without closing counts as cut.
DEFAULT_TIMEOUT = (10, 30)

_MAX_REDIRECTS = 10

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
        for name in (*SECRET_HEADERS, *credentials.headers):
            if name in all_headers:
                all_headers[name] = hidden(all_headers[name])
        # Not by way of a Request: that costs twice as much, and holds the same.
        request = requests.PreparedRequest()
        request.prepare(
            method.upper(),
            url,
            headers={name: value for name, value in all_headers.items() if value is not None},
            **kwargs,
        )
        # A form may have a token in it.
        request.body = hidden(request.body)
        start = position(request.body)
        history: List[requests.Response] = []
        while True:
            # A client certificate is shown to whom credentials are.
            own_cert = cert if Origin.of(request.url or '') == credentials.origin else None
            settings = self._surroundings.settings(
                request.url or '', dict(proxies or {}), stream, verify, own_cert
            )
            if verify in (True, None):
                settings['verify'] = self._certificates.verify(
                    request.url or '', settings['verify']
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
        settings['cert'] = settings['cert'] or self._certificates.of(url).client
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
        raise not_a_registry(response, 'it redirects to what is no address')

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
            raise not_a_registry(response, 'it redirects to what is no address')
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
            hop.headers.setdefault(name, hidden(value))
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
