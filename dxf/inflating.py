"""Compressed content as a file that is read once, in bounded memory."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import Iterable, Iterator, Optional

from .digests import READ_SIZE, Hasher

_GZIP = b'\x1f\x8b'
_ZSTD = b'\x28\xb5\x2f\xfd'

# That the content is in gzip's format, for zlib.
_GZIP_BITS = 31


class BrokenError(Exception):
    """What is wrong with compressed content."""


class Reader:
    """What pieces of content decompress to. It can be read and sought in only forwards.

    :param pieces: gzipped, or not compressed
    :param digest: the digest of what they decompress to, if it is known
    """

    def __init__(self, pieces: Iterable[bytes], digest: Optional[str] = None) -> None:
        self._blocks = _inflated(iter(pieces))
        self._block = memoryview(b'')
        self._position = 0
        self._digest = digest
        self._hasher = None if digest is None else Hasher.of(digest)

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        """The next bytes, or fewer at the end."""
        taken = bytearray()
        while len(taken) < size and self._fill():
            piece = self._block[: size - len(taken)]
            taken += piece
            self._pass(len(piece))
        return bytes(taken)

    def seek(self, position: int) -> int:
        while self._position < position and self._fill():
            self._pass(min(len(self._block), position - self._position))
        return self._position

    def finish(self, limit: int) -> None:
        """Read the rest, which is of no use, and see that all was right.

        :param limit: how much there may be of it
        :raises DXFDigestMismatchError: if there was something else
        """
        end = self._position + limit
        while self._fill():
            self._pass(len(self._block))
            if self._position > end:
                raise BrokenError('there is more after its end than there may be in it')
        if self._hasher is not None and self._digest is not None:
            self._hasher.check(self._digest)

    def _fill(self) -> bool:
        """Have something at hand, if there is anything left."""
        while not self._block:
            block = next(self._blocks, None)
            if block is None:
                return False
            if self._hasher is not None:
                self._hasher.update(block)
            self._block = memoryview(block)
        return True

    def _pass(self, size: int) -> None:
        self._block = self._block[size:]
        self._position += size


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = b''
    for piece in pieces:
        first += piece
        if len(first) >= len(_ZSTD):
            break
    if first.startswith(_ZSTD):
        raise BrokenError('it is compressed with zstd, which is not supported')
    pieces = chain([first], pieces)
    try:
        yield from _gunzipped(pieces) if first.startswith(_GZIP) else pieces
    except zlib.error as error:
        raise BrokenError(f'it is no whole gzip file ({error})') from error


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip files decompress to, one after another; zeros may follow them."""
    inflater = None
    for piece in pieces:
        while piece:
            if inflater is None:
                piece = piece.lstrip(b'\0')
                if not piece:
                    break
                inflater = zlib.decompressobj(_GZIP_BITS)
            block = inflater.decompress(piece, READ_SIZE)
            if block:
                yield block
            if inflater.eof:
                piece, inflater = inflater.unused_data, None
            else:
                piece = inflater.unconsumed_tail
    if inflater is not None:
        raise BrokenError('it ends too soon')
