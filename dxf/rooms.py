"""Folders for what is not finished, which are removed in the end."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Lock
from typing import Callable, Iterable, Iterator, Optional, TypeVar

# How long to wait for who is still writing when all is off, in seconds.
_CLOSE_SECONDS = 1

_Result = TypeVar('_Result')


class Room:
    """A folder that another thread may be filling when it is no more wanted.

    :ivar path: its path
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._is_closed = Event()
        self._in_use = Lock()

    def fill(
        self, pieces: Iterable[bytes], write: Callable[[Iterable[bytes]], _Result]
    ) -> _Result:
        """Have pieces of something written to it, as long as they are wanted."""
        with self._in_use:
            return write(self._while_open(pieces))

    def _while_open(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._is_closed.is_set():
                raise InterruptedError('nobody wants it any more')
            yield piece

    def close(self) -> None:
        """Remove it."""
        import shutil

        self._is_closed.set()
        if self._in_use.acquire(timeout=_CLOSE_SECONDS):
            self._in_use.release()
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def room(folder: Optional[str] = None) -> Iterator[Room]:
    """A folder of one's own.

    :param folder: where it is to be, if that matters
    """
    # Slow to import, and of no use to most.
    import tempfile

    made = Room(tempfile.mkdtemp('.part', '.dxf-', folder))
    try:
        yield made
    finally:
        made.close()
