"""A file beside another, which takes its place when it is whole.

It is for one process alone, and outlives it: what one leaves, another takes up.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import contextmanager, suppress
from itertools import chain, count
from typing import IO, Iterator, Optional, Sequence

from .digests import hash_bytes
from .locks import try_lock

# Of a file's name this much is in its part's, in bytes: no file system has no room for
# that and the rest of it.
_NAME_SIZE = 96

# What a file lets people do. As whom it runs is not kept, as when somebody writes to it.
_PERMISSIONS = 0o777

# Nothing that others have put there is followed, or waited for. Windows has neither.
_CAREFULLY = getattr(os, 'O_NOFOLLOW', 0) | getattr(os, 'O_NONBLOCK', 0)


class Part:
    """What is to become a file: :attr:`file`, which is open to be read and written."""

    def __init__(self, file: IO[bytes], name: str, path: str, is_kept: bool) -> None:
        self.file = file
        self._name = name
        self._path = path
        self._is_kept = is_kept

    def move(self) -> None:
        """Put it in the file's place."""
        self.file.flush()
        mode = _mode(self._path)
        if mode is not None and hasattr(os, 'fchmod'):
            with suppress(OSError):  # some file systems have none
                os.fchmod(self.file.fileno(), mode)
        # Else the disk may have the name, and not the content, when the power fails. And
        # what keeps files elsewhere may not say sooner that it has no room.
        os.fsync(self.file.fileno())
        if sys.platform == 'win32':
            self.file.close()  # nothing is moved there while it is open
        with _blaming(self._path):
            os.replace(self._name, self._path)

    def leave(self) -> None:
        """Leave it to who comes next, if there is something in it for them."""
        with suppress(OSError, ValueError):
            # What does not fit is said once, by what wrote it.
            with suppress(OSError):
                self.file.flush()
            if not self._is_kept or not os.fstat(self.file.fileno()).st_size:
                os.unlink(self._name)


@contextmanager
def part(path: str, marks: Sequence[str]) -> Iterator[Part]:
    """A file's part: one that was left, or a new one. It is left unless it is moved.

    :param path: the file
    :param marks: what tells what is to be in it: with other ones, it has another part
    :raises OSError: if there can't be one
    """
    first = _name(path, marks)
    names = chain([first], (f'{first}.{number}' for number in count(1)))
    made = next(filter(None, (_open(name, path) for name in names)))
    with made.file:
        try:
            yield made
        except BaseException:
            made.leave()
            raise
    _tidy(first)


def _name(path: str, marks: Sequence[str]) -> str:
    """What a part is called, if nobody else is at it at the same time."""
    folder, name = os.path.split(path)
    encoded = os.fsencode(name)
    # The whole name counts, and not only what of it there is room for.
    key = hash_bytes(b'\0'.join([encoded, *map(os.fsencode, marks)])).partition(':')[2][:16]
    # Some file systems take no half characters.
    start = encoded[:_NAME_SIZE].decode(sys.getfilesystemencoding(), 'ignore')
    return os.path.join(folder, f'.{start}.{key}.part')


def _open(name: str, path: str) -> Optional[Part]:
    """A part, made or taken up, and locked; ``None`` if it is not for this process."""
    while True:
        file = _create(name, path)
        is_new = file is not None
        if file is None:
            try:
                file = _take_up(name)
            except FileNotFoundError:
                continue
            except OSError:
                return None  # a link, a folder, or what somebody else keeps closed
        locked = _lock(file) if is_new or _is_own(file) else False
        # Without locks, only what this process has made is its own for certain.
        if locked or (locked is None and is_new):
            if _is_called(file, name):
                # What nobody would take up is not left to anybody.
                return Part(file, name, path, bool(locked) and _is_own(file))
            # It was moved into place meanwhile: what is open is somebody's finished file.
            file.close()
            continue
        file.close()
        return None


def _create(name: str, path: str) -> Optional[IO[bytes]]:
    """A new part; ``None`` if something has its name."""
    # It is no more open to others than the file whose place it takes.
    mode = _mode(path)
    mode = 0o666 if mode is None else mode & 0o666 | stat.S_IRUSR | stat.S_IWUSR
    with _blaming(path):
        try:
            return open(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode), 'r+b')
        except FileExistsError:
            return None


def _take_up(name: str) -> IO[bytes]:
    if os.path.islink(name):
        raise FileExistsError  # where there is no O_NOFOLLOW
    return open(os.open(name, os.O_RDWR | _CAREFULLY), 'r+b')


def _is_own(file: IO[bytes]) -> bool:
    """Whether nobody else has made it, or has it under another name.

    Who can write to it could change it when it has been checked.
    """
    status = os.fstat(file.fileno())
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_nlink == 1
        and (not hasattr(os, 'geteuid') or status.st_uid == os.geteuid())
    )


def _lock(file: IO[bytes]) -> Optional[bool]:
    """Lock a file for this process alone.

    :returns: whether no other has it locked; ``None`` if there are no locks
    """
    if sys.platform == 'win32':
        return True  # where two runs at once are not told apart
    return try_lock(file)


def _is_called(file: IO[bytes], name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(name))
    except OSError:
        return False


def _tidy(first: str) -> None:
    """Remove what others have left that were at it at the same time: it is of no more use."""
    if sys.platform == 'win32':
        return  # there are none
    folder, name = os.path.split(first)
    left = re.compile(re.escape(name) + r'(\.[0-9]+)?')
    with suppress(OSError):
        for found in filter(left.fullmatch, os.listdir(folder)):
            path = os.path.join(folder, found)
            with suppress(OSError), _take_up(path) as file:
                if _is_own(file) and _lock(file) and _is_called(file, path):
                    os.unlink(path)


def _mode(path: str) -> Optional[int]:
    """What a file lets people do; ``None`` if there is no such file."""
    try:
        return os.stat(path).st_mode & _PERMISSIONS
    except OSError:
        return None


@contextmanager
def _blaming(path: str) -> Iterator[None]:
    """Have errors be about a file, and not about its part."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
