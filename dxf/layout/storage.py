"""The files of one OCI image layout (OCI image specification 1.1, "Image Layout").

Several processes may use a layout at once, and one that is killed leaves it
valid: what is written appears whole and under its final name, or not at all.

What dxf needs besides is in a folder of its own in the layout's, which is no
part of the layout.
"""

from __future__ import annotations

import os
import stat
import time
import uuid
from contextlib import contextmanager, suppress
from typing import IO, Any, Iterator, NamedTuple, Optional, Tuple

from .. import digests, manifests
from ..exceptions import DXFError, DXFInvalidManifestError, DXFInvalidNameError
from .index import LayoutIndex
from .refusals import Refused

try:
    import fcntl
except ImportError:  # not on Windows, where several processes are not kept apart
    fcntl = None  # type: ignore[assignment]

# The parts of a layout.
LAYOUT_FILE, INDEX_FILE, BLOBS = 'oci-layout', 'index.json', 'blobs'

# What is dxf's own: what is being written, a lock, and a sign that dxf has
# written the index.
_OWN_FOLDER, _PARTS, _LOCK, _SIGN = '.dxf', 'uploads', 'lock', 'wrote-index'

_LAYOUT_VERSION = '1.0.0'

# The most that is read of index.json, which grows with every tag, and of
# oci-layout, in bytes.
_MAX_FILE_SIZE = 64 * 1024 * 1024

_NOT_THERE = (FileNotFoundError, NotADirectoryError)

# How long ago a folder's last change must be for the next one to have another time, in
# nanoseconds: some file systems count in steps of two seconds.
_TOO_RECENT = 3 * 10**9


class State(NamedTuple):
    """What a layout has in it, to be compared."""

    path: str
    listing: Optional[str]  # the digest of index.json
    folders: Tuple[Tuple[str, int], ...]  # those of blobs, and when they were changed


class Storage:
    """A layout's files. Making the object touches nothing, and reading writes nothing.

    :param path: the layout's folder
    """

    def __init__(self, path: str) -> None:
        self.path = path

    # The layout

    def exists(self) -> bool:
        """Whether the folder is an image layout.

        :raises Refused: if it is one of another version
        """
        content = self._read(LAYOUT_FILE)
        if content is None:
            return False
        path = os.path.join(self.path, LAYOUT_FILE)
        try:
            version = manifests.load(content, path).get('imageLayoutVersion')
        except DXFInvalidManifestError as error:
            raise Refused('LAYOUT_INVALID', str(error)) from error
        if version != _LAYOUT_VERSION:
            raise Refused('LAYOUT_INVALID', f'{path} is of another version than {_LAYOUT_VERSION}')
        return True

    def check(self) -> None:
        """Raise :class:`Refused` unless the folder is an image layout."""
        if not self.exists():
            half = os.path.exists(os.path.join(self.path, INDEX_FILE))
            raise Refused(
                'NAME_UNKNOWN',
                f'there is no image layout in {self.path}'
                + (f': it has an {INDEX_FILE}, but no {LAYOUT_FILE}' if half else ''),
            )

    def create(self) -> None:
        """Make the folder an image layout, unless it is one."""
        if not self.exists():
            with self.locked():
                self._create()

    def _create(self) -> None:
        # In this order: where there is an oci-layout, there is the rest.
        os.makedirs(os.path.join(self.path, BLOBS, 'sha256'), exist_ok=True)
        if not os.path.exists(os.path.join(self.path, INDEX_FILE)):
            self.write_index(LayoutIndex.empty().text())
        if not os.path.exists(os.path.join(self.path, LAYOUT_FILE)):
            self._write(
                os.path.join(self.path, LAYOUT_FILE),
                b'{"imageLayoutVersion": "%s"}' % _LAYOUT_VERSION.encode('ascii'),
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes and threads from changing the index meanwhile."""
        self._make_own()
        with open(self._own(_LOCK), 'ab', opener=_not_through_links) as file:
            lock(file)
            yield

    # Its index

    def read_index(self) -> Optional[bytes]:
        """What index.json says, if it is there."""
        return self._read(INDEX_FILE)

    def write_index(self, text: bytes) -> None:
        """Put something else into index.json."""
        self._write(os.path.join(self.path, INDEX_FILE), text)
        with open(self._own(_SIGN), 'ab', opener=_not_through_links):
            pass

    def wrote_index(self) -> bool:
        """Whether dxf has ever written index.json."""
        return os.path.exists(self._own(_SIGN))

    def state(self) -> Optional[State]:
        """What is not the same any more once a manifest has come or gone.

        :returns: ``None`` if that can't be told, since something is too new
        """
        index = self.read_index()
        blobs = os.path.join(self.path, BLOBS)
        try:
            folders = tuple(
                (name, os.stat(os.path.join(blobs, name)).st_mtime_ns)
                for name in sorted(os.listdir(blobs))
            )
        except OSError:
            return None
        if any(changed > time.time_ns() - _TOO_RECENT for _, changed in folders):
            return None
        return State(self.path, None if index is None else digests.hash_bytes(index), folders)

    # Its blobs

    def blob_path(self, digest: str) -> str:
        """Where a blob is kept, if it is there.

        :raises Refused: if that is no digest
        """
        try:
            algorithm, _, encoded = digests.check_syntax(digest).partition(':')
        except DXFInvalidNameError as error:
            raise Refused('DIGEST_INVALID', str(error), {'digest': digest}) from error
        return os.path.join(self.path, BLOBS, algorithm, encoded)

    def has_blob(self, digest: str) -> bool:
        """Whether there is a blob."""
        return os.path.isfile(self.blob_path(digest))

    def open_blob(self, digest: str) -> Optional[Tuple[IO[bytes], int]]:
        """A blob's content and its size in bytes, if it is there."""
        return _open(self.blob_path(digest))

    def write_blob(self, digest: str, content: bytes) -> None:
        """Store a blob that is at hand, and has that digest."""
        self._write(self.blob_path(digest), content)

    def take_blob(self, digest: str, part: str) -> None:
        """Make a file a blob.

        :param part: the file, one of :meth:`new_part`, which has that digest
        """
        self.create()
        target = self.blob_path(digest)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(part, target)

    def link_blob(self, digest: str, other: Storage) -> bool:
        """Have a blob of another layout in this one.

        :returns: whether the other has it
        """
        if not other.exists() or not other.has_blob(digest):
            return False
        source, target = other.blob_path(digest), self.blob_path(digest)
        self.create()
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # Some tools make symbolic links of blobs, which may lead anywhere.
        if os.path.islink(source):
            return self._copy_blob(digest, source)
        try:
            os.link(source, target)
        except FileExistsError:
            pass
        except OSError:
            # Not every file system has links, nor are all folders on one.
            return self._copy_blob(digest, source)
        return True

    def _copy_blob(self, digest: str, source: str) -> bool:
        part = self.new_part()
        try:
            hasher = digests.Hasher.of(digest)
            with open(source, 'rb') as original, open(part, 'r+b') as file:
                for piece in iter(lambda: original.read(digests.READ_SIZE), b''):
                    hasher.update(piece)
                    file.write(piece)
                sync(file)
            hasher.check(digest)
            self.take_blob(digest, part)
        except BaseException as error:
            with suppress(OSError):
                os.unlink(part)
            # It can be pushed all the same.
            if isinstance(error, DXFError):
                return False
            raise
        return True

    def remove_blob(self, digest: str) -> None:
        """Don't have a blob any more."""
        with suppress(*_NOT_THERE):
            os.unlink(self.blob_path(digest))

    # What is being written

    @property
    def parts(self) -> str:
        """The folder for what is being written."""
        return self._own(_PARTS)

    def new_part(self) -> str:
        """A new file for something to be written to, and then be moved to where it belongs."""
        self._make_own()
        path = os.path.join(self.parts, str(uuid.uuid4()))
        with open(path, 'xb'):
            return path

    def _make_own(self) -> None:
        for path in (self._own(), self.parts):
            # Who made it might have us write, and tidy up, somewhere else.
            if os.path.islink(path):
                raise Refused('LAYOUT_INVALID', f"{path} is a link, where dxf's own files go")
            os.makedirs(path, exist_ok=True)

    def _own(self, *names: str) -> str:
        return os.path.join(self.path, _OWN_FOLDER, *names)

    def _read(self, name: str) -> Optional[bytes]:
        path = os.path.join(self.path, name)
        found = _open(path)
        if found is None:
            return None
        file, size = found
        with file:
            if size > _MAX_FILE_SIZE:
                raise Refused('LAYOUT_INVALID', f'{path} has more than {_MAX_FILE_SIZE} bytes')
            return file.read()

    def _write(self, path: str, content: bytes) -> None:
        part = self.new_part()
        try:
            with open(part, 'wb') as file:
                file.write(content)
                sync(file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise


def lock(file: IO[Any]) -> None:
    """Wait until nobody else has a file locked, where files can be; closing it ends that."""
    if fcntl is not None:
        # Some network file systems have no locks.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


def sync(file: IO[bytes]) -> None:
    """Have what was written on the disk, before it gets its final name there."""
    file.flush()
    os.fsync(file.fileno())


def _not_through_links(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, 'O_NOFOLLOW', 0), 0o666)


def _open(path: str) -> Optional[Tuple[IO[bytes], int]]:
    """A file and its size in bytes, if it is there."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        file = open(path, 'rb', buffering=0)  # noqa: SIM115
    except _NOT_THERE:
        return None
    return file, os.fstat(file.fileno()).st_size
