"""Reading answers, none of which can fill the memory, and making errors of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Optional
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.exceptions import HTTPError, RequestException

from .blocks import contents
from .exceptions import DXFNotARegistryError, DXFUnauthorizedError
from .redaction import without_query, without_sent

# The most that is read of an answer that is no blob, in bytes. The specification
# lets a registry refuse a manifest of more than 4 MiB; some take larger ones.
_MAX_ANSWER_SIZE = 32 * 1024 * 1024

# How much of an error is read to find its message, in bytes.
_MAX_ERROR_SIZE = 64 * 1024

# How much is read at a time, in bytes.
_STEP = 64 * 1024


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
        raise not_a_registry(response, 'it refers to what is no address')
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
    for piece in contents(response, _STEP):
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
        raise not_a_registry(response, f'it sends more than {_MAX_ANSWER_SIZE} bytes')


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
            _reason(response),
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
    return not_a_registry(response, 'it answers with a web page')


def check_is_object(response: requests.Response, what: str) -> None:
    """See that an answer's content begins as a JSON object does.

    :param what: what it should be, to be shown
    :raises DXFNotARegistryError: if it does not
    """
    if not response.content.lstrip().startswith(b'{'):
        raise instead_of(response, what)


def instead_of(response: requests.Response, what: str) -> DXFNotARegistryError:
    """The error that an answer is something else than it should be."""
    said = without_sent(response.headers.get('Content-Type', 'something'), response)
    return not_a_registry(response, f'it answers with {said} instead of {what}')


def not_a_registry(response: requests.Response, problem: str) -> DXFNotARegistryError:
    """The error that an answer is not a registry's."""
    return DXFNotARegistryError(without_query(response.url), problem)


def status_of(error: RequestException) -> Optional[int]:
    """The status of the answer that an error was made of, if there was one."""
    return error.response.status_code if error.response is not None else None


def is_not_found(error: RequestException) -> bool:
    """Whether what was asked for is not there."""
    return status_of(error) == HTTPStatus.NOT_FOUND


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


def _reason(response: requests.Response) -> str:
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
