"""Moving a blob's bytes from a registry (distribution specification 1.1, "Pulling blobs")."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Callable, Generator, Iterable, Iterator, NamedTuple, Optional

import requests
from requests.exceptions import ConnectionError, HTTPError

from . import blocks, endpoints
from .answers import is_web_page, number, read_at_most, status_of, web_page
from .blocks import Block, Blocks, contents
from .digests import BesideHasher, check_bytes
from .exceptions import DXFDigestMismatchError
from .ranges import Pace, Ranges
from .retries import NETWORK_ERRORS, Retries, is_transient

Request = Callable[..., requests.Response]

# What connections must have brought before they were cut, in bytes, for the next
# attempt to count as the first again.
_PROGRESS = 64 * 1024

# What is longer is no page that stands in for an answer, in bytes.
_MAX_WEB_PAGE_SIZE = 1024 * 1024

# How much of a range is read at a time, in bytes: it is copied.
_RANGE_STEP = 64 * 1024

_CONTENT_RANGE = re.compile(r'bytes ([0-9]{1,18})-[0-9]+/([0-9]{1,18}|\*)')
_UNSATISFIED_RANGE = re.compile(r'bytes \*/([0-9]{1,18})$')


class Mark(NamedTuple):
    """How far a download got, for another one to go on from there."""

    position: int  # in bytes
    hasher: BesideHasher  # has seen what comes before


class Download:
    """A blob on its way, which goes on where it was when its connection is cut.

    :param request: sends a request about the repository
    :param digest: what the content must hash to
    :param retries: how often a cut download is gone on with
    :param have: the pieces of its beginning, where that was fetched before
    :param beside: whether several requests may be made at once
    :param block_size: how much is read at a time, in bytes
    :param since: where it begins, as an earlier download of the blob has marked it
    :raises requests.exceptions.HTTPError: if the registry has no such blob
    """

    def __init__(
        self,
        request: Request,
        digest: str,
        retries: Retries,
        have: Iterable[bytes] = (),
        beside: bool = False,
        block_size: int = blocks.SIZE,
        since: Optional[Mark] = None,
    ) -> None:
        self._request = request
        self._digest = digest
        self._retries = retries
        self._beside = beside
        self._hasher = (since and since.hasher.copy()) or BesideHasher.of(digest)
        self._memory = Blocks(self._hasher.depth, block_size)
        self._position = since.position if since else 0
        for piece in have:
            self._hasher.update(piece)
            self._position += len(piece)
        # Whether ranges are of what is hashed, and not of a coding of it.
        self._is_plain = True
        self._skip = 0  # how much of the answer is known already, in bytes
        self._ask()
        self._refuse_web_page()
        self.size = self._announced_size()  # in bytes; None if it was not said

    def _get(self, **kwargs: Any) -> requests.Response:
        response = self._request('get', endpoints.blob(self._digest), stream=True, **kwargs)
        if response.raw is None:
            # A double that holds its content already.
            response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _ask(self) -> None:
        """Ask for what is still to come, or for all of it where that can't be had."""
        if self._position and self._is_plain:
            try:
                self._response = self._get(headers={'Range': f'bytes={self._position}-'})
            except HTTPError as error:
                if status_of(error) != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise
            else:
                self._is_plain = 'Content-Encoding' not in self._response.headers
                if self._response.status_code != HTTPStatus.PARTIAL_CONTENT:
                    self._skip = self._position
                    return
                if _range_start(self._response) == self._position and self._is_plain:
                    self._skip = 0
                    return
                self._response.close()
        self._response = self._get()
        self._is_plain = 'Content-Encoding' not in self._response.headers
        self._skip = self._position

    def _refuse_web_page(self) -> None:
        """See whether it is the blob that comes as a web page, before any of it is used."""
        if self._position or not is_web_page(self._response):
            return
        if read_at_most(self._response, _MAX_WEB_PAGE_SIZE):
            try:
                check_bytes(self._response.content, self._digest)
            except DXFDigestMismatchError as error:
                raise web_page(self._response) from error
        else:
            self._response = self._get()

    def _announced_size(self) -> Optional[int]:
        if self._response.status_code == HTTPStatus.PARTIAL_CONTENT:
            return _range_total(self._response)
        return content_length(self._response)

    def chunks(self, chunk_size: int) -> Iterator[bytes]:
        """The content in pieces of ``chunk_size`` bytes, the last one excepted.

        What was had before is not given again.

        :raises DXFDigestMismatchError: at the end, if the content has another digest
        """
        with self._checked():
            rest = bytearray()
            for block in self._blocks():
                start = 0
                if rest:
                    start = chunk_size - len(rest)
                    rest += block[:start]
                    if len(rest) < chunk_size:
                        continue
                    yield bytes(rest)
                whole = len(block) - (len(block) - start) % chunk_size
                for first in range(start, whole, chunk_size):
                    yield bytes(block[first : first + chunk_size])
                rest = bytearray(block[whole:])
            if rest:
                yield bytes(rest)

    def blocks(self) -> Iterator[Block]:
        """The content in pieces of any size, each good until the next is asked for.

        :raises DXFDigestMismatchError: at the end, if the content has another digest
        """
        with self._checked():
            yield from self._blocks()

    def mark(self) -> Optional[Mark]:
        """How far it got; ``None`` where another one could not go on from there."""
        hasher = self._hasher.copy()
        return None if hasher is None else Mark(self._position, hasher)

    def close(self) -> None:
        """Let go of the connection, whether all has come or not."""
        self._hasher.close()
        self._response.close()

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
            self._hasher.check(self._digest)
        finally:
            self.close()

    def _blocks(self) -> Iterator[Block]:
        for block in self._unhashed():
            self._hasher.update(block)
            yield block

    def _unhashed(self) -> Iterator[Block]:
        if self._beside:
            pace = Pace()
            if (yield from self._streamed(pace)):
                return
            self._response.close()
            # Ranges come into memory of their own.
            self._memory.clear()
            ranges = Ranges(self._range, self._position, self.size or 0, pace.rate)
            for piece in ranges.pieces():
                self._position += len(piece)
                yield piece
            if self._position == self.size:
                return
            self._ask()
        yield from self._streamed()

    def _streamed(self, pace: Optional[Pace] = None) -> Generator[Block, None, bool]:
        """What comes over one connection at a time.

        :param pace: measures it, and ends it where more connections may bring more
        :returns: whether that was all
        """
        began = self._position
        attempts = self._retries.start()
        while True:
            try:
                asked = time.monotonic()
                for block in self._memory.of(self._response):
                    fresh = block[self._skip :]
                    self._skip -= len(block) - len(fresh)
                    if not fresh:
                        continue
                    self._position += len(fresh)
                    if pace is not None:
                        pace.add(len(fresh), time.monotonic() - asked)
                    yield fresh
                    if pace is not None and self._may_go_on_in_ranges(pace):
                        return False
                    asked = time.monotonic()
                if self.size is None or self._position >= self.size:
                    return True
                raise ConnectionError(
                    f'the connection was closed after {self._position} of {self.size} bytes'
                )
            except NETWORK_ERRORS as error:
                self._response.close()
                if self._position - began >= _PROGRESS:
                    # It gets on: what counts is how often it does not.
                    attempts = self._retries.start()
                    began = self._position
                if not is_transient(error) or not attempts.wait(error=error):
                    raise
            self._ask()

    def _may_go_on_in_ranges(self, pace: Pace) -> bool:
        return (
            self.size is not None
            and self._is_plain
            and self._response.headers.get('Accept-Ranges') == 'bytes'
            and pace.is_worth_more(self.size - self._position)
        )

    def _range(self, first: int, content: bytearray) -> Optional[bytearray]:
        """Fill memory with the bytes from ``first`` on; ``None`` if they can't be had."""
        attempts = self._retries.start()
        size, count = len(content), 0
        last = first + size - 1
        while True:
            began = count
            try:
                response = self._get(headers={'Range': f'bytes={first + count}-{last}'})
                if (
                    response.status_code != HTTPStatus.PARTIAL_CONTENT
                    or _range_start(response) != first + count
                ):
                    response.close()
                    return None
                for piece in contents(response, _RANGE_STEP):
                    content[count : count + len(piece)] = piece
                    count += len(piece)
                    if count > size:
                        break
                response.close()
                if count >= size:
                    return content if count == size else None
                error: Exception = ConnectionError('a range was cut short')
            except NETWORK_ERRORS as caught:
                error = caught
            if count > began:
                attempts = self._retries.start()
            if not is_transient(error) or not attempts.wait(error=error):
                raise error


def content_length(response: requests.Response) -> Optional[int]:
    """The size of the content that an answer announces, in bytes, if it does."""
    if 'Content-Encoding' in response.headers:
        return None
    return number(response.headers.get('Content-Length'))


def find_size(request: Request, digest: str, retries: Retries) -> int:
    """A blob's size in bytes, where a HEAD does not tell it."""
    try:
        response = request(
            'get', endpoints.blob(digest), stream=True, headers={'Range': 'bytes=0-0'}
        )
    except HTTPError as error:
        size = _UNSATISFIED_RANGE.match(_content_range(error.response))
        if status_of(error) != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or size is None:
            raise
        return int(size.group(1))
    response.close()
    known = (
        _range_total(response)
        if response.status_code == HTTPStatus.PARTIAL_CONTENT
        else content_length(response)
    )
    if known is not None:
        return known
    return sum(len(block) for block in Download(request, digest, retries).blocks())


def _content_range(response: Optional[requests.Response]) -> str:
    return response.headers.get('Content-Range', '') if response is not None else ''


def _range_start(response: requests.Response) -> Optional[int]:
    found = _CONTENT_RANGE.match(_content_range(response))
    return int(found.group(1)) if found else None


def _range_total(response: requests.Response) -> Optional[int]:
    found = _CONTENT_RANGE.match(_content_range(response))
    return int(found.group(2)) if found and found.group(2) != '*' else None
