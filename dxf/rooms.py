"""Folders for what is not finished, which are removed in the end.

What a process leaves that is killed, the next one removes.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager, suppress
from threading import Event, Lock
from typing import Callable, Iterable, Iterator, Optional, Tuple, TypeVar

from .locks import try_lock

# How long to wait for who is still writing when all is off, in seconds.
_CLOSE_SECONDS = 1

_PREFIX, _SUFFIX = '.dxf-', '.part'

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

    :param folder: where it is to be, if that matters; what others have left there is removed
    """
    if folder is not None:
        _tidy(folder)
    path, lock = _make(folder)
    made = Room(path)
    try:
        yield made
    finally:
        made.close()
        if lock is not None:
            os.close(lock)


def _make(folder: Optional[str]) -> Tuple[str, Optional[int]]:
    """A new folder, and what keeps it locked, if anything does."""
    # Slow to import, and of no use to most.
    import tempfile

    while True:
        path = tempfile.mkdtemp(_SUFFIX, _PREFIX, folder)
        # Before it is locked, others may take it for one that was left.
        with suppress(BlockingIOError, FileNotFoundError):
            lock = _lock(path)
            if os.path.lexists(path):
                return path, lock
            if lock is not None:
                os.close(lock)


def _lock(path: str) -> Optional[int]:
    """Lock a folder until what is given back is closed; ``None`` if there are no locks.

    :raises BlockingIOError: if somebody else has it locked
    """
    if sys.platform == 'win32':
        return None  # where a folder can't be opened
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    locked = try_lock(opened)
    if locked:
        return opened
    os.close(opened)
    if locked is None:
        return None
    raise BlockingIOError(f'somebody else has {path} locked')


def _tidy(folder: str) -> None:
    """Remove what was left in a folder by processes of the same user that are no more."""
    for name in os.listdir(folder):
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX):
            with suppress(OSError):
                _remove_if_left(os.path.join(folder, name))


def _remove_if_left(path: str) -> None:
    import shutil

    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != getattr(os, 'geteuid', int)():
        return
    lock = _lock(path)
    if lock is not None:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)
