"""What can be pushed: files, bytes, and streams that can be read once."""

from __future__ import annotations

import io
import os
from typing import Any, Callable, Iterable, Iterator, List, Optional, Union

from .blocks import Block, Blocks
from .digests import READ_SIZE, BesideHasher
from .exceptions import DXFFileChangedError

# Called with each piece of content that is sent for the first time.
Seen = Callable[[bytes], None]


class Content:
    """Content that can be read again: part of a binary file, from where it stands to its end."""

    def __init__(self, file: Any, seen: Optional[Seen] = None) -> None:
        self._file = file
        self._start = file.tell()
        self.size: int = max(0, file.seek(0, os.SEEK_END) - self._start)
        self._seen: List[Seen] = [] if seen is None else [seen]
        self.seen_to = 0  # how much of it has been sent once, in bytes

    def watch(self, seen: Seen) -> None:
        """Have each piece shown that is sent for the first time."""
        self._seen.append(seen)

    @property
    def was_seen(self) -> bool:
        """Whether all of it has been sent once."""
        return self.seen_to == self.size

    def digest(self, algorithm: str = 'sha256') -> str:
        """Its digest, for which it is read once."""
        hasher = BesideHasher(algorithm)
        try:
            for block in self._blocks(hasher.depth):
                hasher.update(block)
            return hasher.digest()
        finally:
            hasher.close()

    def _blocks(self, kept: int) -> Iterator[Block]:
        self._file.seek(self._start)
        return Blocks(kept).of_file(self._file, self.size)

    def in_memory(self) -> Content:
        """The same, read once and kept."""
        kept = Content(io.BytesIO(b''.join(map(bytes, self._blocks(0)))))
        kept._seen = self._seen
        return kept

    def body(self, first: int = 0, end: Optional[int] = None) -> Union[Body, bytes]:
        """The bytes from ``first`` up to but without ``end``, as requests sends them."""
        count = (self.size if end is None else end) - first
        # An empty stream would go out in chunks, as if its length were not known.
        return Body(self, first, count) if count else b''

    def read(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``offset`` on, on their way to the registry."""
        self._file.seek(self._start + offset)
        piece: bytes = self._file.read(count)
        if count and not piece:
            raise DXFFileChangedError(self.size, offset)
        end = offset + len(piece)
        if end > self.seen_to:
            # What is sent again makes no progress.
            fresh = piece[self.seen_to - offset :]
            self.seen_to = end
            for seen in self._seen:
                seen(fresh)
        return piece


class Body:
    """Part of some content, as a file that requests can send, and send again."""

    def __init__(self, content: Content, first: int, count: int) -> None:
        self._content = content
        self._first = first
        self._count = count
        self._position = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(READ_SIZE), b'')

    def read(self, count: int = -1) -> bytes:
        left = self._count - self._position
        wanted = left if count < 0 else min(count, left)
        piece = self._content.read(self._first + self._position, wanted) if wanted else b''
        self._position += len(piece)
        return piece

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        self._position = position
        return position


def has_size(file: Any) -> bool:
    """Whether an open file says how large it is: a pipe does not, nor what the system makes up."""
    if not file.seekable():
        return False
    if os.fstat(file.fileno()).st_size:
        return True
    is_empty = not file.read(1)
    file.seek(0)
    return is_empty


def is_seekable(data: Any) -> bool:
    """Whether data is a binary file that can be read again."""
    try:
        return (
            bool(data.seekable()) and hasattr(data, 'read') and not isinstance(data, io.TextIOBase)
        )
    except AttributeError:
        return False


def as_bytes(data: Any) -> Optional[bytes]:
    """Data that is at hand whole, or ``None``."""
    if isinstance(data, str):
        return data.encode('utf-8')
    return bytes(data) if isinstance(data, (bytes, bytearray, memoryview)) else None


def _read_pieces(file: Any) -> Iterator[Any]:
    while True:
        piece = file.read(READ_SIZE)
        # What has nothing just now says None, and can't be waited for.
        if piece is not None and not piece:
            return
        yield piece


def pieces(data: Any) -> Iterator[bytes]:
    """The pieces of a file that can't be read again, or of any iterable."""
    source: Iterable[Any] = _read_pieces(data) if hasattr(data, 'read') else data
    for piece in source:
        if isinstance(piece, (str, bytearray, memoryview)):
            piece = as_bytes(piece)
        if not isinstance(piece, bytes):
            raise TypeError(f'data must be bytes or made of bytes, not of {type(piece).__name__}')
        yield piece


class Stream:
    """Pieces of any size, to be taken in other sizes.

    What was taken is good until the second time after that: its memory is used again.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._piece = memoryview(b'')
        self._buffers = [bytearray(), bytearray()]
        self._ahead = memoryview(b'')  # taken, but not given away yet

    def is_short(self, size: int) -> bool:
        """Whether ``size`` bytes are all of it, and can be taken at once."""
        self._ahead = self.take(size)
        return self._is_at_end()

    def take(self, size: int) -> memoryview:
        """The next ``size`` bytes, or fewer at the end."""
        taken, self._ahead = self._ahead, memoryview(b'')
        count = len(taken)
        if count == size:
            return taken
        buffer = self._buffers.pop(0)
        self._buffers.append(buffer)
        buffer[:count] = taken
        while count < size and not self._is_at_end():
            part = self._piece[: size - count]
            end = count + len(part)
            buffer[count:end] = part
            count = end
            self._piece = self._piece[len(part) :]
        return memoryview(buffer)[:count]

    def _is_at_end(self) -> bool:
        while not self._piece:
            piece = next(self._source, None)
            if piece is None:
                return True
            self._piece = memoryview(piece)
        return False


class Memory:
    """Bytes as a file, without a copy of them."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + (len(self._content) if whence == os.SEEK_END else 0)
        return self._position

    def read(self, count: int) -> bytes:
        piece = bytes(self._content[self._position : self._position + count])
        self._position += len(piece)
        return piece
