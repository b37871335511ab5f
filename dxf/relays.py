"""A blob of one repository as content for another: what comes in goes out, and nothing is kept."""

from __future__ import annotations

import os
from collections import deque
from typing import Callable, Deque, Iterator, Optional

from .contents import Content
from .downloads import Download, Mark
from .exceptions import DXFSizeMismatchError

# How much is read and handed on at a time, in bytes: of each blob that is on its way half a
# dozen of these are in memory, and several blobs are.
BLOCK_SIZE = 128 * 1024

# Where the blob could be fetched from, if it has to be sent again from there: how far apart such
# places are, in bytes, and how many of them are known. One has a few hundred bytes.
_MARK_INTERVAL = 2 * 1024 * 1024
_MARKS = 64

# Begins to fetch a blob, or goes on from a mark.
Start = Callable[[Optional[Mark]], Download]


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
    from an earlier place on, it is fetched again from shortly before that, or from the start.

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
        self._marks: Deque[Mark] = deque(maxlen=_MARKS)
        self._pieces = self._checked(download, 0)
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
        # What comes later was seen of what was not sent after all.
        while self._marks and self._marks[-1].position > self._position:
            self._marks.pop()
        since = self._marks[-1] if self._marks else None
        self._download = self._start(since)
        self._reached = since.position if since else 0
        self._pieces, self._rest = self._checked(self._download, self._reached), b''

    def _take(self, count: int) -> bytes:
        """The next bytes, ``count`` at the most."""
        if not self._rest:
            self._rest = next(self._pieces)
        piece, self._rest = self._rest[:count], self._rest[count:]
        self._reached += len(piece)
        return piece

    def _checked(self, download: Download, size: int) -> Iterator[bytes]:
        """The content in pieces, each when the next has come, and the last when all is right.

        :param size: how much comes before these, in bytes
        """
        held, marked = b'', size
        for piece in download.chunks(BLOCK_SIZE):
            size += len(piece)
            if size > self._size:
                break
            if held:
                yield held
            held = piece
            if size >= marked + _MARK_INTERVAL:
                marked = size
                mark = download.mark()
                if mark is not None:
                    self._marks.append(mark)
        if size != self._size:
            raise DXFSizeMismatchError(size, self._size, self._digest)
        yield held

    def close(self) -> None:
        if self._download is not None:
            self._download.close()
            self._download = None
