"""What went wrong, in one line."""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from typing import Any, List, Optional
from urllib.parse import urlsplit

import requests
from requests.exceptions import HTTPError, ProxyError, RequestException

# Where it is defined differs from one 1.26 to another.
from urllib3.connection import CertificateError  # type: ignore[attr-defined]
from urllib3.exceptions import MaxRetryError, ProtocolError

from .answers import is_web_page
from .causes import causes
from .exceptions import (
    DXFConnectionCutError,
    DXFError,
    DXFMalformedChallengeError,
    DXFPlatformDataNotFound,
    DXFUnauthorizedError,
    DXFUnexpectedStatusCodeError,
)
from .layout import adapter
from .transport import Origin

# What OpenSSL's versions say when the other side does not speak TLS.
_NOT_TLS = ('WRONG_VERSION_NUMBER', 'UNKNOWN_PROTOCOL', 'HTTP_REQUEST', 'record layer failure')

# What it says of a client's certificate, in an alert.
_REFUSED_CERTIFICATE = (
    'UNKNOWN_CA',
    'BAD_CERTIFICATE',
    'UNSUPPORTED_CERTIFICATE',
    'CERTIFICATE_EXPIRED',
    'CERTIFICATE_REVOKED',
    'CERTIFICATE_UNKNOWN',
)


# The attribute of an error that holds the host which it may be about, too.
_OTHER = '_dxf_other_host'


def describe(error: BaseException) -> str:
    """An error, in one line: what went wrong, with what, and what to do about it."""
    # A layout's address is nothing that anybody has typed.
    words = _describe(error).replace(f'{adapter.BASE_URL}v2/', 'oci:')
    other = getattr(error, _OTHER, None)
    if other and 'DXF_' in words:
        words += f' (those for {other} begin with DXF_TO_)'
    return _harmless(' '.join(words.split()))


def _harmless(text: str) -> str:
    """Text that a registry may have made, without what would do something to a terminal."""
    # A file's name may have bytes that are no text, which are shown as they are escaped.
    return ''.join(
        character if character.isprintable() or '\ud800' <= character <= '\udfff' else '?'
        for character in text
    )


def may_be_of(error: BaseException, other: str) -> None:
    """Have an error's words say what the variables of another registry are called.

    :param other: the host that is copied to
    """
    setattr(error, _OTHER, other)


def _describe(error: BaseException) -> str:
    if isinstance(error, DXFMalformedChallengeError):
        return str(error)  # credentials are of no use there
    if isinstance(error, DXFUnauthorizedError):
        return f'{error}; {error.hint}'
    if isinstance(error, HTTPError) and not isinstance(error, DXFError):
        return _describe_status(error)
    if isinstance(error, DXFConnectionCutError):
        return f'{_host(error)}: {error}'
    if isinstance(error, DXFPlatformDataNotFound):
        return f'{error}; see list-platforms'
    if isinstance(error, DXFUnexpectedStatusCodeError):
        return f'{error}; is it a registry that DXF_HOST names?'
    if isinstance(error, DXFError):
        return str(error)
    if isinstance(error, RequestException):
        return _describe_network(error)
    if isinstance(error, OSError) and error.strerror:
        return '{}{}'.format(f'{error.filename}: ' if error.filename else '', error.strerror)
    if type(error) is OSError and str(error):
        # requests says so of a file that is not there.
        return str(error)
    return f'{type(error).__name__}: {error}'


def _describe_status(error: HTTPError) -> str:
    response = error.response
    if response is None:
        return str(error)
    text = f'{error}{_problem(response)}'
    if response.status_code == HTTPStatus.FORBIDDEN and not _is_layout(response):
        return f'{error}; these credentials are not allowed to do this'
    if response.status_code == HTTPStatus.BAD_REQUEST and 'HTTPS' in response.text:
        return f'{error}; it speaks https: unset DXF_INSECURE'
    if response.status_code == HTTPStatus.NOT_FOUND:
        if is_web_page(response) and response.content:
            return f'{text}; check DXF_HOST'
        return f'{text}{_missing(urlsplit(response.url).path)}'
    return text


def _problem(response: requests.Response) -> str:
    """What a layout says is wrong, where no body says so and the reason phrase does."""
    if response.content or not _is_layout(response):
        return ''
    return ': ' + response.reason.partition(': ')[2]


def _is_layout(response: requests.Response) -> bool:
    return (response.url or '').startswith(adapter.BASE_URL)


def _missing(path: str) -> str:
    """What is not there, in words, and where to look for what is."""
    if '/tags/' in path:
        return '; no such repository: see list-repos'
    if '/manifests/' in path:
        return '; no such alias or manifest, or no such repository: see list-aliases'
    if '/blobs/sha' in path:
        return '; no such blob in this repository'
    return ''


def _describe_network(error: RequestException) -> str:
    host = _host(error)
    found = list(causes(error))
    problem = next(filter(None, map(_certificate_problem, found)), None)
    text = ' '.join(str(cause) for cause in found)
    if problem is not None:
        return f'{host}: its certificate does not verify: {problem}; {_certificate_hint(problem)}'
    if isinstance(error, ProxyError):
        reason = _reason(found, error)
        return f'{host}: it is not to be reached by the proxy that the environment names: {reason}'
    if 'ALERT_CERTIFICATE_REQUIRED' in text:
        return f"{host}: it wants to see a client's certificate: set DXF_TLSCERT and DXF_TLSKEY"
    if any(f'ALERT_{words}' in text for words in _REFUSED_CERTIFICATE):
        return f"{host}: it refuses the client's certificate: check DXF_TLSCERT"
    if any(words in text for words in _NOT_TLS):
        return f'{host}: it does not speak https; set DXF_INSECURE=1 if it speaks http'
    if any(isinstance(cause, socket.gaierror) for cause in found):
        return f'{host}: unknown host; check DXF_HOST'
    if any(isinstance(cause, ConnectionRefusedError) for cause in found):
        return f'{host}: connection refused; is a registry running there?'
    if isinstance(error, requests.exceptions.Timeout) or 'timed out' in text:
        return f'{host}: no answer in time'
    if any(isinstance(cause, (ProtocolError, ConnectionError)) for cause in found):
        hint = '; if it speaks https, unset DXF_INSECURE' if _is_http(error) else ''
        return f'{host}: it closed the connection without an answer{hint}'
    return f'{host}: {type(error).__name__}: {_reason(found, error)}'


def _certificate_problem(cause: Any) -> Optional[str]:
    """What is wrong with a certificate, if that is what an error says."""
    if hasattr(cause, 'verify_message'):
        return str(cause.verify_message)
    # urllib3 1.26 compares the names by itself; what it raises then is Python's own, or not.
    if isinstance(cause, (CertificateError, ssl.SSLCertVerificationError)):
        return f'mismatch: {cause.args[0] if cause.args else cause}'
    return None


def _reason(found: List[Any], error: RequestException) -> Any:
    # urllib3's own words have the whole address in them, signatures too.
    return next(
        (cause.strerror for cause in found if isinstance(cause, OSError) and cause.strerror), None
    ) or next(
        # What a proxy is said to have done wrong is made from that.
        (
            getattr(cause.reason, 'original_error', cause.reason)
            for cause in found
            if isinstance(cause, MaxRetryError)
        ),
        error,
    )


def _certificate_hint(problem: str) -> str:
    if 'mismatch' in problem:
        return 'it is for another host: check DXF_HOST'
    if 'expired' in problem:
        return 'the registry needs a new one'
    if 'not yet valid' in problem:
        return 'check the clock'
    return 'set DXF_TLSVERIFY to the bundle of the CA that signed it'


def _is_http(error: RequestException) -> bool:
    return (getattr(error.request, 'url', None) or '').startswith('http:')


def _host(error: RequestException) -> str:
    url = getattr(error.request, 'url', None)
    if url:
        origin = Origin.of(url)
        return f'{origin.host}:{origin.port}'
    # What fails in the midst of an answer knows its connection alone.
    for cause in causes(error):
        pool = getattr(cause, 'pool', None)
        if pool is not None:
            return f'{pool.host}:{pool.port}'
    return 'the registry'
