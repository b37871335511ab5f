"""When what failed is tried again, and after how long.

urllib3's ``Retry`` counts, backs off and reads ``Retry-After``; what it can't
express is here: jitter (older ones), a limit in seconds, and what is final.
"""

from __future__ import annotations

import random
import socket
import ssl
import time
from typing import Any, NamedTuple, Optional

import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, HTTPError, Timeout
from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError
from urllib3.util.retry import Retry

from .answers import status_of
from .causes import causes
from .exceptions import DXFConfigurationError

# Network trouble that may pass.
NETWORK_ERRORS = (ConnectionError, Timeout, ChunkedEncodingError)

_TRANSIENT_STATUSES = frozenset({429, 500, 502, 503, 504})

# Half the longest wait before the third attempt, in seconds; it doubles from there. The
# second attempt comes at once, for connections that were merely stale.
_BACKOFF_FACTOR = 0.5


class Retries(NamedTuple):
    """How often, and for how long, what failed for the moment is tried again."""

    total: int = 5
    seconds: float = 120

    def start(self) -> Attempts:
        """Count anew, for one operation."""
        return Attempts(self)


class _Retry(Retry):
    def get_backoff_time(self) -> float:
        # So that those who failed together don't come back together.
        return float(super().get_backoff_time()) * random.uniform(0.5, 1)


class Attempts:
    """The attempts at one operation."""

    def __init__(self, retries: Retries) -> None:
        self._retry = _Retry(total=retries.total, backoff_factor=_BACKOFF_FACTOR)
        self._deadline = time.monotonic() + retries.seconds

    def wait(
        self, error: Optional[Exception] = None, response: Optional[requests.Response] = None
    ) -> bool:
        """Wait until it is time to try again.

        :param error: what the last attempt failed with, or
        :param response: what it was answered with, if the error does not say so
        :returns: whether to try again; not, if that was the last attempt or the
            wait would take too long
        """
        if response is None and isinstance(error, HTTPError):
            # What can be sent only once is answered for by who sends it.
            response = error.response
        answer = response.raw if response is not None else None
        try:
            self._retry = self._retry.increment(response=answer, error=error)
        except MaxRetryError:
            return False
        delay = self._retry.get_backoff_time()
        if answer is not None:
            delay = max(delay, self._retry_after(answer))
        if time.monotonic() + delay > self._deadline:
            return False
        time.sleep(delay)
        return True

    def _retry_after(self, answer: Any) -> float:
        try:
            return float(self._retry.get_retry_after(answer) or 0)
        # A date or a number may be of any size, and what reads it may not be ready for that.
        except (InvalidHeader, ValueError, LookupError, TypeError, OverflowError):
            return 0


_WRONG_ADDRESS = (socket.gaierror, ConnectionRefusedError)
_BAD_MOMENT = (
    ProtocolError,
    ConnectionResetError,
    Timeout,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)


def is_transient_status(status: Optional[int]) -> bool:
    """Whether the same request may be answered otherwise a little later."""
    return status in _TRANSIENT_STATUSES


def is_transient(error: BaseException) -> bool:
    """Whether what failed with this error may succeed a little later."""
    if isinstance(error, HTTPError):
        return is_transient_status(status_of(error))
    return (
        isinstance(error, NETWORK_ERRORS)
        and not isinstance(error, DXFConfigurationError)
        and not _is_of_no_network(error)
        and not _any_cause(error, ssl.SSLCertVerificationError)
    )


def _is_of_no_network(error: requests.RequestException) -> bool:
    """Whether what stands in for the network in a test knows nothing of a request.

    Such (``responses``, say) tell the request but no trouble that it met, as requests always does.
    """
    return error.request is not None and not any(
        isinstance(cause, Exception) for cause in (*error.args, error.__cause__)
    )


def is_final(error: requests.RequestException, reached: bool) -> bool:
    """Whether network trouble is here to stay.

    :param reached: whether the host has ever answered: one that never did may have
        a wrong name, a closed port or no TLS, which only look like a bad moment
    """
    if reached or not is_transient(error):
        return not is_transient(error)
    return _any_cause(error, _WRONG_ADDRESS) or not _any_cause(error, _BAD_MOMENT)


def _any_cause(error: BaseException, kind: Any) -> bool:
    return any(isinstance(cause, kind) for cause in causes(error))
