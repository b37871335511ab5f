"""Blobs into a file that appears only when it is whole, and survives being interrupted.

What has come so far is in the file's part: a later run goes on from there.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import IO, Any, Callable, Iterable, Iterator, Optional, Sequence

from .blocks import Block
from .digests import READ_SIZE, Hasher
from .downloads import Download
from .exceptions import DXFDigestMismatchError
from .naming import Filename, naming
from .parts import part

# Starts a download: of a digest, with the pieces of it that are there already.
Start = Callable[[str, Iterable[bytes]], Download]

# Called with a digest, a piece of the blob and its size in bytes.
Progress = Callable[[str, bytes, Optional[int]], Any]


def save(
    filename: Filename,
    wanted: Sequence[str],
    start: Start,
    size_of: Callable[[str], int],
    progress: Optional[Progress] = None,
) -> None:
    """Write blobs to a file, one after another.

    :param filename: the file, which is replaced when all is there and is right; a
        device or a pipe is written to as it comes
    :param wanted: the blobs' digests
    :param start: starts a download
    :param size_of: tells a blob's size in bytes
    :raises DXFDigestMismatchError: if what came has another digest
    :raises OSError: if the file can't be written
    """
    name = os.fsdecode(filename)
    # A link stays one, and what it points to is replaced.
    path = os.path.realpath(name)
    with _calling(path, name):
        if not _can_be_replaced(name, path):
            with open(name, 'wb') as file:
                _Saving(file, start, size_of, progress).blobs(wanted)
            return
        with part(path, wanted) as made:
            try:
                _Saving(made.file, start, size_of, progress).blobs(wanted)
            except DXFDigestMismatchError:
                made.file.truncate(0)
                raise
            made.move()


def _can_be_replaced(filename: str, path: str) -> bool:
    """Whether it is a file, or may become one."""
    if not os.path.basename(filename):
        return False  # opening it will say what is wrong with it
    try:
        status = os.stat(filename)
    except FileNotFoundError:
        return True
    # What is under /dev/fd may be at no path.
    return stat.S_ISREG(status.st_mode) and os.path.exists(path)


@contextmanager
def _calling(path: str, filename: str) -> Iterator[None]:
    """Let errors call the file what it was called by the user."""
    try:
        with naming(filename):
            yield
    except OSError as error:
        if error.filename == path:
            error.filename = filename
        raise


class _Saving:
    """Brings a file that has the first bytes of some blobs to where it has them all."""

    def __init__(
        self,
        file: IO[bytes],
        start: Start,
        size_of: Callable[[str], int],
        progress: Optional[Progress],
    ) -> None:
        self._file = file
        # What is no regular file can't be gone back in.
        self._is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        self._start = start
        self._size_of = size_of
        self._progress = progress

    def blobs(self, wanted: Sequence[str]) -> None:
        offset = 0
        for digest in wanted:
            offset += self._blob(digest, offset)
        if self._is_regular:
            self._file.truncate(offset)
        self._file.flush()

    def _blob(self, digest: str, offset: int) -> int:
        """Write a blob that should stand at ``offset``, and say how long it is."""
        have = self._file.seek(0, os.SEEK_END) - offset if self._is_regular else 0
        if have > 0:
            size = self._size_of(digest)
            if have >= size and self._is_there(digest, offset, size):
                self._report_what_is_there(digest, offset, size, size)
                return size
            if have < size:
                with suppress(DXFDigestMismatchError):
                    return self._fetch(digest, offset, have)
            # It is something else that stands there.
            self._file.truncate(offset)
        return self._fetch(digest, offset, 0)

    def _is_there(self, digest: str, offset: int, size: int) -> bool:
        hasher = Hasher.of(digest)
        for piece in self._read(offset, size):
            hasher.update(piece)
        return hasher.digest() == digest

    def _fetch(self, digest: str, offset: int, have: int) -> int:
        download = self._start(digest, self._read(offset, have))
        self._report_what_is_there(digest, offset, have, download.size)
        size = have
        if self._is_regular:
            self._file.seek(offset + have)
        for block in download.blocks():
            self._file.write(block)
            if not self._is_regular:
                self._file.flush()  # somebody may be waiting for it
            self._report(digest, block, download.size)
            size += len(block)
        return size

    def _report_what_is_there(
        self, digest: str, offset: int, have: int, size: Optional[int]
    ) -> None:
        if self._progress is not None:
            self._report(digest, b'', size)
            for piece in self._read(offset, have):
                self._report(digest, piece, size)

    def _report(self, digest: str, piece: Block, size: Optional[int]) -> None:
        if self._progress is not None:
            self._progress(digest, bytes(piece), size)

    def _read(self, offset: int, count: int) -> Iterator[bytes]:
        if count:
            self._file.seek(offset)
        while count:
            piece = self._file.read(min(count, READ_SIZE))
            if not piece:
                return
            count -= len(piece)
            yield piece
