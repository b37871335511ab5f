"""Content that is read into memory that is used again.

Memory that is new costs the system nearly as much as the content that is put into it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from http.client import IncompleteRead
from typing import Any, Iterator, Optional, Union

import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectionError,
    ContentDecodingError,
    SSLError,
)
from urllib3 import exceptions

from .connections import Answer
from .exceptions import DXFConnectionCutError

Block = Union[bytes, bytearray, memoryview]

# Of a block, in bytes: large enough that the interpreter is out of the way; and where
# several downloads run at once, small enough that all of them together take little.
SIZE = 4 * 1024 * 1024
SMALL_SIZE = 256 * 1024

# How much is had at a time of what urllib3 must read itself, in bytes.
_STEP = 128 * 1024

# How long a block may wait to be full, in seconds: somebody may be watching.
_PATIENCE = 0.1


class Blocks:
    """Reads block by block into the same memory.

    :param kept: how many blocks are left alone after the one that was given last
    :param size: how large a block may be, in bytes

    A block is whoever's it was given to until ``kept`` more have been asked for.
    """

    def __init__(self, kept: int, size: int = SIZE) -> None:
        self._size = size
        self._buffers = [memoryview(b'')] * (kept + 1)

    def clear(self) -> None:
        """Let go of the memory; what is read later comes into new memory."""
        self._buffers = [memoryview(b'')] * len(self._buffers)

    def of(self, response: requests.Response) -> Iterator[memoryview]:
        """An answer's content; a block that a cut leaves short is given before its error.

        :raises requests.exceptions.RequestException: if the connection is cut
        """
        answer = _unread(response)
        if answer is None:
            for piece in contents(response, _STEP):
                yield memoryview(piece)
            return
        raw = response.raw
        while True:
            block = self._next(answer.length)
            count = 0
            error: Optional[Exception] = None
            patience = time.monotonic() + _PATIENCE
            try:
                with _errors(raw):
                    while count < len(block):
                        read = answer.read_some_into(block[count:])
                        if not read:
                            _check_end(answer)
                            break
                        count += read
                        if time.monotonic() >= patience:
                            break
            except requests.RequestException as caught:
                error = caught
            if count:
                yield block[:count]
            if error is not None:
                raise error
            if answer.isclosed():
                return

    def of_file(self, file: Any, count: int) -> Iterator[Block]:
        """What a binary file has from where it stands, up to ``count`` bytes."""
        while count:
            if hasattr(file, 'readinto'):
                memory = self._next(count)[:count]
                block: Block = memory[: file.readinto(memory) or 0]
            else:
                block = file.read(min(count, self._size))
            if not block:
                return
            count -= len(block)
            yield block

    def _next(self, left: Optional[int]) -> memoryview:
        """The memory that was used the longest time ago, as large as need be."""
        wanted = self._size if left is None else min(self._size, max(1, left))
        buffer = self._buffers.pop(0)
        if len(buffer) < wanted:
            buffer = memoryview(bytearray(wanted))
        self._buffers.append(buffer)
        return buffer


def contents(response: requests.Response, size: int) -> Iterator[bytes]:
    """An answer's content, in pieces of up to ``size`` bytes.

    :raises DXFConnectionCutError: if the connection is cut
    """
    try:
        yield from response.iter_content(size)
    except ChunkedEncodingError as error:
        raise DXFConnectionCutError(error, request=response.request) from error


def _unread(response: requests.Response) -> Optional[Answer]:
    """The standard library's side of an answer: urllib3 copies what it reads.

    ``None`` where there is none, as when a test made the answer, or where what comes
    is not what is wanted: a coding of it, or what has been read already.
    """
    answer: Any = getattr(response.raw, '_fp', None)
    if (
        isinstance(answer, Answer)
        and hasattr(response.raw, '_error_catcher')
        and not getattr(response, '_content_consumed', True)
        and 'Content-Encoding' not in response.headers
    ):
        return answer
    return None


def _check_end(answer: Answer) -> None:
    """Refuse the end of a connection for the end of what was announced."""
    if answer.length:
        raise IncompleteRead(b'', answer.length)


@contextmanager
def _errors(raw: Any) -> Iterator[None]:
    """The errors that requests raises when it reads."""
    try:
        with raw._error_catcher():
            yield
    except exceptions.ProtocolError as error:
        raise DXFConnectionCutError(error) from error
    except exceptions.DecodeError as error:
        raise ContentDecodingError(error) from error
    except exceptions.ReadTimeoutError as error:
        raise ConnectionError(error) from error
    except exceptions.SSLError as error:
        raise SSLError(error) from error
