"""Unpacking a folder that somebody else has packed, whoever that is.

Nothing in an archive is trusted, and none of Python's unpacking is used: what is safe in
there depends on its version.
"""

from __future__ import annotations

import os
import tarfile
from contextlib import suppress
from typing import Any, Dict, Iterable, Optional

from . import inflating
from .digests import READ_SIZE
from .exceptions import DXFError, DXFInvalidArchiveError, DXFUnsafePathError
from .paths import Parts, below, check_link, join, split

# Who may do what; not as whom it runs, and nothing about deleting.
_PERMISSIONS = 0o777

# A folder that is being filled is its owner's alone.
_PRIVATE = 0o700

# What an entry takes up even if it is empty, in bytes.
_ENTRY_SIZE = 4096

# Long names and the like are read whole; what is longer than this is no name, in bytes.
_MAX_HEADER_SIZE = 64 * 1024

_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_FOLDER, _FILE, _LINK = 'a folder', 'a file', 'a link'


class _Entry(tarfile.TarInfo):
    """An entry whose headers don't fill the memory."""

    @classmethod
    def frombuf(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            made = super().frombuf(*args, **kwargs)
        except (tarfile.EOFHeaderError, tarfile.EmptyHeaderError):  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            # The tar module would take it for the archive's end.
            raise _Refused('it is no whole tar archive') from error
        if made.type == tarfile.GNUTYPE_SPARSE:
            cls._refuse()
        if made.type in _HEADERS and not 0 <= made.size <= _MAX_HEADER_SIZE:
            raise _Refused('a header in it is too long')
        return made

    @classmethod
    def _refuse(cls, *_: Any) -> None:
        raise _Refused('it has a file with holes')

    # The list of holes could be endless.
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse


class _Refused(Exception):
    """What is wrong with an archive."""


def unpack(
    pieces: Iterable[bytes], name: str, into: str, limit: int, digest: Optional[str] = None
) -> Dict[Parts, int]:
    """Unpack a folder.

    :param pieces: the archive, gzipped or not; it is read to its end
    :param name: what the folder is called in it
    :param into: an empty folder for what is in it, which nobody else writes to
    :param limit: how much there may be when it is unpacked, in bytes
    :param digest: that of what was compressed, if it is known
    :returns: what people may do with its folders, which is not set yet
    :raises DXFUnsafePathError: if something in it would be elsewhere, or is no file
    :raises DXFInvalidArchiveError: if it is broken or too large
    :raises DXFDigestMismatchError: if it has another digest
    """
    reader = inflating.Reader(pieces, digest)
    unpacking = _Unpacking(split(name), into, limit)
    try:
        # The tar module reads what is said to be a name whole.
        with tarfile.TarFile(fileobj=reader, tarinfo=_Entry, encoding='utf-8') as tar:  # type: ignore[arg-type]
            for entry in iter(tar.next, None):
                unpacking.add(entry, reader)
                # The tar module would keep all entries, however many there are.
                tar.members = []  # type: ignore[attr-defined]
                tar.pax_headers = {}
        reader.finish(limit)
    except DXFError:
        raise
    except (_Refused, inflating.BrokenError) as error:
        raise DXFInvalidArchiveError(name, str(error)) from error
    except (tarfile.TarError, EOFError, RecursionError, OverflowError, ValueError) as error:
        raise DXFInvalidArchiveError(name, 'it is no whole tar archive') from error
    return unpacking.modes


class _Unpacking:
    def __init__(self, folder: Parts, into: str, limit: int) -> None:
        self._folder = folder
        self._into = into
        self._limit = limit
        self._left = limit
        self._mask = _mask(into)
        # What has been made so far. Nobody else writes there, so the disk need not be asked.
        self._kinds: Dict[Parts, str] = {(): _FOLDER}
        self.modes: Dict[Parts, int] = {}

    def add(self, entry: tarfile.TarInfo, reader: inflating.Reader) -> None:
        parts = below(entry.name, self._folder)
        self._take(_ENTRY_SIZE)
        if entry.isdir():
            self._add_folder(entry, parts)
            return
        if not parts:
            raise DXFUnsafePathError(entry.name, 'is no folder')
        self._make_room(entry, parts)
        path = self._path(parts)
        if entry.issym():
            check_link(entry.name, parts, entry.linkname)
            os.symlink(entry.linkname, path)
            self._kinds[parts] = _LINK
        elif entry.islnk():
            target = below(entry.linkname, self._folder)
            if self._kinds.get(target) != _FILE:
                raise DXFUnsafePathError(entry.name, f'is another name of {entry.linkname!r}')
            os.link(self._path(target), path)
            self._kinds[parts] = _FILE
        elif entry.isreg() and not entry.issparse():
            self._kinds[parts] = _FILE
            self._write(entry, reader, path)
        else:
            raise DXFUnsafePathError(entry.name, 'is neither a file, a folder nor a link')

    def _take(self, size: int) -> None:
        self._left -= size
        if size < 0 or self._left < 0:
            raise _Refused(f'there is more in it than {self._limit} bytes')

    def _path(self, parts: Parts) -> str:
        return os.path.join(self._into, *parts)

    def _make_room(self, entry: tarfile.TarInfo, parts: Parts) -> None:
        """See that an entry's folder is there, and it is not."""
        for length in range(1, len(parts)):
            folder = parts[:length]
            kind = self._kinds.get(folder)
            if kind is None:
                self._take(_ENTRY_SIZE)
                self._make_folder(folder, _PERMISSIONS)
            elif kind != _FOLDER:
                raise DXFUnsafePathError(entry.name, f'is below {join(folder)}, {kind}')
        if parts in self._kinds:
            raise DXFUnsafePathError(entry.name, 'is there twice')

    def _add_folder(self, entry: tarfile.TarInfo, parts: Parts) -> None:
        if self._kinds.get(parts) == _FOLDER:
            # Its permissions may be said after what is in it.
            self.modes[parts] = entry.mode & self._mask
            return
        self._make_room(entry, parts)
        self._make_folder(parts, entry.mode)

    def _make_folder(self, parts: Parts, mode: int) -> None:
        os.mkdir(self._path(parts), _PRIVATE)
        self._kinds[parts] = _FOLDER
        self.modes[parts] = mode & self._mask

    def _write(self, entry: tarfile.TarInfo, reader: inflating.Reader, path: str) -> None:
        self._take(entry.size)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, 'O_BINARY', 0)
        with open(os.open(path, flags, entry.mode & _PERMISSIONS), 'wb') as file:
            left = entry.size
            while left:
                piece = reader.read(min(left, READ_SIZE))
                if not piece:
                    raise EOFError
                file.write(piece)
                left -= len(piece)
        # Not every file system knows every year.
        with suppress(OSError, OverflowError, ValueError):
            os.utime(path, (entry.mtime, entry.mtime))


def _mask(folder: str) -> int:
    """The permissions that new things in a folder may have: what the umask leaves.

    There is no other way to ask for that while others may be making files.
    """
    probe = os.path.join(folder, 'probe')
    os.mkdir(probe, _PERMISSIONS)
    mode = os.stat(probe).st_mode & _PERMISSIONS
    os.rmdir(probe)
    return mode
