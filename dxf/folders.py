"""Folders as layers: gzipped tar archives, made as oras makes them."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
from typing import IO, Iterator, Optional

from .digests import Hasher
from .exceptions import DXFFileChangedError, DXFUnsafePathError
from .naming import naming
from .paths import check_link, join, split

# What Go's has by default, and gzip.
_LEVEL = 6

_SECOND = 1_000_000_000  # in nanoseconds


class _Tee:
    """What is written is hashed, and compressed into a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self.hasher = Hasher()
        # Without a name and a time: the same folder makes the same bytes.
        self.gzip = gzip.GzipFile('', 'wb', _LEVEL, file, 0)

    def write(self, piece: bytes) -> int:
        self.hasher.update(piece)
        return self.gzip.write(piece)

    def tell(self) -> int:
        return self.gzip.tell()


def pack(folder: str, name: str, file: IO[bytes], latest: Optional[int] = None) -> str:
    """Write a folder to a file, as a gzipped tar archive.

    The same names, content, permissions and times make the same archive. Who owns what is
    not in it.

    :param name: what the folder is called in it
    :param latest: what is younger is dated back to this, in seconds since 1970
    :returns: the digest of what was compressed
    :raises DXFUnsafePathError: if there is something in it that can't be pulled
    """
    tee = _Tee(file)
    with tee.gzip:
        tar = tarfile.TarFile(
            fileobj=tee,  # type: ignore[arg-type]
            mode='w',
            format=tarfile.PAX_FORMAT,
            encoding='utf-8',
        )
        for path in _walk(folder):
            inside = os.path.relpath(path, folder).replace(os.sep, '/')
            _add(tar, path, inside, name, latest)
            # The tar module would keep all entries, however many there are.
            tar.members = []  # type: ignore[attr-defined]
        # Closing it would fill up a whole record, which oras does not expect: it hashes what
        # it reads, and that is no more than this.
        tee.write(bytes(2 * tarfile.BLOCKSIZE))
    return tee.hasher.digest()


def _walk(folder: str) -> Iterator[str]:
    """A folder and all that is below it, each folder before what is in it."""

    def fail(error: OSError) -> None:
        raise error

    for path, folders, files in os.walk(folder, onerror=fail):
        yield path
        folders.sort()
        yield from (
            os.path.join(path, name)
            for name in sorted(files + [one for one in folders if _is_link(path, one)])
        )


def _is_link(path: str, name: str) -> bool:
    return os.path.islink(os.path.join(path, name))


def _add(tar: tarfile.TarFile, path: str, inside: str, name: str, latest: Optional[int]) -> None:
    is_top = inside == '.'
    # The folder itself may be given as a link to one.
    status = os.stat(path) if is_top else os.lstat(path)
    entry = tarfile.TarInfo(join(split(name) + split(inside)))
    entry.mode = stat.S_IMODE(status.st_mode)
    # Whole seconds fit into the plain header. Go's archives have the next one.
    entry.mtime = max(0, (status.st_mtime_ns + _SECOND // 2) // _SECOND)
    if latest is not None:
        entry.mtime = min(entry.mtime, latest)
    if stat.S_ISDIR(status.st_mode):
        entry.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        entry.type = tarfile.SYMTYPE
        entry.linkname = os.readlink(path).replace(os.sep, '/')
        check_link(path, split(inside), entry.linkname)
    elif stat.S_ISREG(status.st_mode):
        _add_file(tar, path, entry)
        return
    else:
        raise DXFUnsafePathError(path, 'is neither a file, a folder nor a link')
    tar.addfile(entry)


def _add_file(tar: tarfile.TarFile, path: str, entry: tarfile.TarInfo) -> None:
    with naming(path), open(path, 'rb') as file:
        entry.size = os.fstat(file.fileno()).st_size
        try:
            tar.addfile(entry, file)
        except OSError as error:
            if error.errno is None:  # the tar module's own
                raise DXFFileChangedError(entry.size, file.tell()) from error
            raise
