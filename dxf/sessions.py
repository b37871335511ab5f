"""Uploads, as the registry knows them (distribution specification 1.1, "Pushing blobs").

POST opens one, PATCH appends to it, GET tells how far it got, PUT ends it. Each answer's
``Location`` is where the next request goes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlencode

import requests
from requests.exceptions import RequestException

from . import endpoints
from .answers import location, not_a_registry, number
from .exceptions import DXFError
from .transport import DEFAULT_TIMEOUT

Request = Callable[..., requests.Response]

# How fast a registry may be expected to put a blob in place once it has all of
# it, in bytes a second: on some storage it is copied.
_PLACING_SPEED = 50 * 1024 * 1024

_BLOB_TYPE = 'application/octet-stream'

_RANGE = re.compile(r'(?:bytes=)?0-([0-9]{1,18})')


class Target(NamedTuple):
    """Where blobs are pushed to."""

    request: Request  # sends a request about the repository
    exists: Callable[[str], bool]  # tells whether it has a blob
    base_url: str  # the registry's
    timeout: Any  # the one that was asked for, as in requests; None if none was
    repository: Optional[str] = None  # its name, as the registry knows it


class Session:
    """An open upload.

    :param response: the answer that opened it
    """

    def __init__(self, target: Target, response: requests.Response) -> None:
        self._target = target
        self._request = target.request
        self._begin(response)

    @classmethod
    def open(cls, target: Target) -> Session:
        """A new one."""
        return cls(target, target.request('post', endpoints.UPLOADS))

    @classmethod
    def open_unless_there(cls, target: Target, digest: str) -> Optional[Session]:
        """A new one, for a blob that the registry does not have; ``None`` if it has it.

        A registry that mounts no blobs never says that it has one.
        """
        response = target.request(
            'post', endpoints.UPLOADS, params={'mount': digest, 'from': target.repository}
        )
        return None if response.status_code == HTTPStatus.CREATED else cls(target, response)

    def open_again(self) -> None:
        """Begin anew, after the registry lost it."""
        self._begin(self._request('post', endpoints.UPLOADS))

    def _begin(self, response: requests.Response) -> None:
        self._location = ''
        self._go_on(response)
        self.offset = 0  # how many bytes the registry said it has
        self.min_chunk_size = number(response.headers.get('OCI-Chunk-Min-Length')) or 0

    def _go_on(self, response: requests.Response) -> None:
        reference = response.headers.get('Location')
        if reference:
            self._location = location(response, reference, self._target.base_url)
        elif not self._location:
            raise not_a_registry(response, 'it opened an upload without saying where')

    def append(self, body: Any, count: int) -> None:
        """Send the next ``count`` bytes, of which the registry may take fewer."""
        end = self.offset + count
        response = self._request(
            'patch',
            self._location,
            data=body,
            headers={
                'Content-Type': _BLOB_TYPE,
                'Content-Range': f'{self.offset}-{end - 1}',
            },
        )
        self._go_on(response)
        stored = _stored(response) or 0
        # Whoever says what can't be does not mean how far it got: the digest will tell.
        self.offset = stored if self.offset < stored < end else end

    def finish(self, digest: str, size: int, body: Any = b'') -> None:
        """Send the last bytes, and make the whole a blob.

        :param size: that of the whole, in bytes: much takes its time to be put in place
        """
        separator = '&' if '?' in self._location else '?'
        connect, between = DEFAULT_TIMEOUT
        patience = (
            {}
            if self._target.timeout is not None
            else {'timeout': (connect, between + size / _PLACING_SPEED)}
        )
        self._request(
            'put',
            self._location + separator + urlencode({'digest': digest}),
            data=body,
            headers={'Content-Type': _BLOB_TYPE},
            **patience,
        )

    def ask(self) -> bool:
        """Ask how far the upload got.

        :returns: whether the registry said so; ``offset`` is what it said
        """
        try:
            response = self._request('get', self._location)
        except (RequestException, DXFError):
            return False
        stored = _stored(response)
        if stored is None:
            return False
        self.offset = stored
        self._go_on(response)
        return True

    def cancel(self) -> None:
        """Let the registry forget the upload, as far as it can be told to."""
        # It forgets by itself, later.
        with suppress(RequestException, DXFError):
            self._request('delete', self._location)


def _stored(response: requests.Response) -> Optional[int]:
    """How many bytes an answer says the registry has, if it does."""
    found = _RANGE.fullmatch(response.headers.get('Range', ''))
    last = int(found.group(1)) if found else 0
    # "0-0" is said of one byte and of none, and only the latter is likely: a new upload is as
    # good.
    return last + 1 if last else None
