"""A blob of one repository as content for another: what comes in goes out, and nothing is kept."""

from __future__ import annotations

import os
from typing import Callable, Iterator, Optional

from .contents import Content
from .downloads import Download
from .exceptions import DXFSizeMismatchError

# How much is read and handed on at a time, in bytes: of each blob that is on its way half a
# dozen of these are in memory, and several blobs are.
BLOCK_SIZE = 128 * 1024

# Begins to fetch a blob.
Start = Callable[[], Download]


class SourceError(Exception):
    """Fetching failed, while something else was doing the sending.

    It is of no kind that those who send would take for a failure of theirs.

    :ivar error: what it failed with
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Relay(Content):
    """A blob that is fetched while it is sent.

    Its last piece is given away only when all of it was seen to be right. Where it has to be sent
    from an earlier place on, it is fetched again from the start.

    :param start: begins to fetch it
    :param download: the first time that was done
    :param digest: the blob's
    :param size: its size in bytes
    """

    def __init__(self, start: Start, download: Download, digest: str, size: int) -> None:
        self._source = _Source(start, download, digest, size)
        self._digest = digest
        super().__init__(self._source)

    def digest(self, algorithm: str = 'sha256') -> str:
        """Its digest, which what was sent of it has been compared with."""
        return self._digest

    def close(self) -> None:
        """Let go of the connection."""
        self._source.close()


class _Source:
    """A blob as a file."""

    def __init__(self, start: Start, download: Download, digest: str, size: int) -> None:
        self._start = start
        self._download: Optional[Download] = download
        self._digest = digest
        self._size = size
        self._pieces = self._checked(download)
        self._rest = b''  # of the piece that came last
        self._reached = 0  # where in the blob that stands
        self._position = 0  # where to read from

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (self._size if whence == os.SEEK_END else 0)
        return self._position

    def read(self, count: int) -> bytes:
        """Up to ``count`` bytes.

        :raises SourceError: if they can't be had, or are not right
        """
        count = min(count, self._size - self._position)
        if count <= 0:
            return b''
        try:
            if self._position < self._reached:
                self._begin_again()
            while self._reached < self._position:
                self._take(self._position - self._reached)
            piece = self._take(count)
        except Exception as error:
            raise SourceError(error) from error
        self._position += len(piece)
        return piece

    def _begin_again(self) -> None:
        self.close()
        self._download = self._start()
        self._pieces, self._rest, self._reached = self._checked(self._download), b'', 0

    def _take(self, count: int) -> bytes:
        """The next bytes, ``count`` at the most."""
        if not self._rest:
            self._rest = next(self._pieces)
        piece, self._rest = self._rest[:count], self._rest[count:]
        self._reached += len(piece)
        return piece

    def _checked(self, download: Download) -> Iterator[bytes]:
        """The content in pieces, each when the next has come, and the last when all is right."""
        held, size = b'', 0
        for piece in download.chunks(BLOCK_SIZE):
            size += len(piece)
            if size > self._size:
                break
            if held:
                yield held
            held = piece
        if size != self._size:
            raise DXFSizeMismatchError(size, self._size, self._digest)
        yield held

    def close(self) -> None:
        if self._download is not None:
            self._download.close()
            self._download = None
