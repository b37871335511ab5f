"""Uploads to a layout: each is a file that grows ("Pushing blobs").

It outlives the process that opened it: how far an upload has got is how long
its file is.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress
from typing import IO, Iterable, Iterator, NamedTuple, Optional

from ..digests import READ_SIZE, BesideHasher
from ..exceptions import DXFError
from .refusals import Refused
from .storage import Storage, lock, sync

# How long an upload that nobody goes on with is kept, in seconds.
_KEPT_SECONDS = 24 * 60 * 60

_IDENTIFIER = re.compile('[0-9a-f-]{36}')


class Span(NamedTuple):
    """Which bytes of a blob a request brings (``Content-Range``)."""

    first: int
    last: int


class Upload:
    """An open upload.

    :param files: the files of the layout that it is to
    :param identifier: what :meth:`start` gave
    """

    def __init__(self, files: Storage, identifier: str) -> None:
        self._files = files
        if not _IDENTIFIER.fullmatch(identifier):
            raise _unknown(identifier)
        self.identifier = identifier
        self._path = os.path.join(files.parts, identifier)

    @classmethod
    def start(cls, files: Storage) -> Upload:
        """Open one."""
        files.exists()  # or it is not to be written to
        made = cls(files, os.path.basename(files.new_part()))
        _forget_old(files.parts)
        return made

    def size(self) -> int:
        """How many bytes it has.

        :raises Refused: if there is no such upload
        """
        try:
            return os.stat(self._path).st_size
        except OSError as error:
            raise _unknown(self.identifier) from error

    def cancel(self) -> None:
        """Forget it.

        :raises Refused: if there is no such upload
        """
        try:
            os.unlink(self._path)
        except OSError as error:
            raise _unknown(self.identifier) from error

    def append(self, pieces: Iterable[bytes], span: Optional[Span] = None) -> int:
        """Add to it. What came before ``pieces`` failed stays.

        :param span: where they belong
        :returns: how many bytes it has
        :raises Refused: if there is no such upload, or they don't belong there
        """
        with self._open() as file:
            start = file.tell()
            _check_start(span, start)
            for piece in pieces:
                file.write(piece)
            _check_end(span, file, start)
            return file.tell()

    def finish(self, digest: str, pieces: Iterable[bytes], span: Optional[Span] = None) -> None:
        """Add the last of it and make it a blob.

        :raises Refused: if there is no such upload, or if that is not the digest of the
            whole; it stays as it was before
        """
        self._files.blob_path(digest)
        with self._open() as file:
            start = file.tell()
            _check_start(span, start)
            try:
                hasher = BesideHasher.of(digest)
            except DXFError as error:
                raise Refused('DIGEST_INVALID', str(error), {'digest': digest}) from error
            try:
                file.seek(0)
                for piece in iter(lambda: file.read(READ_SIZE), b''):
                    hasher.update(piece)
                for piece in pieces:
                    file.write(piece)
                    hasher.update(piece)
                _check_end(span, file, start)
                if hasher.digest() != digest:
                    file.truncate(start)
                    raise Refused(
                        'DIGEST_INVALID', 'the content has another digest', {'digest': digest}
                    )
            finally:
                hasher.close()
            sync(file)
            if os.name == 'nt':
                file.close()  # there, what is open can't be moved
            self._files.take_blob(digest, self._path)

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        """The file, at its end, for this request alone."""
        try:
            file = open(self._path, 'r+b')  # noqa: SIM115
        except FileNotFoundError as error:
            raise _unknown(self.identifier) from error
        with file:
            lock(file)
            try:
                same = os.path.samestat(os.stat(self._path), os.fstat(file.fileno()))
            except FileNotFoundError:
                same = False
            if not same:
                # It was finished meanwhile: what is open is a blob.
                raise _unknown(self.identifier)
            file.seek(0, os.SEEK_END)
            yield file


def _unknown(identifier: str) -> Refused:
    return Refused('BLOB_UPLOAD_UNKNOWN', 'there is no such upload', {'upload': identifier})


def _check_start(span: Optional[Span], start: int) -> None:
    if span is not None and span.first != start:
        raise Refused('RANGE_INVALID', f'the upload has {start} bytes: go on from there')


def _check_end(span: Optional[Span], file: IO[bytes], start: int) -> None:
    """Undo what was added, if it is not as much as was said."""
    if span is None:
        return
    count, said = file.tell() - start, span.last - span.first + 1
    if count != said:
        file.truncate(start)
        raise Refused('RANGE_INVALID', f'there were {count} bytes, not {said}')


def _forget_old(folder: str) -> None:
    """Remove what was left behind by those who were cut off long ago."""
    with suppress(OSError):
        with os.scandir(folder) as entries:
            for entry in entries:
                is_ours = _IDENTIFIER.fullmatch(entry.name)
                if is_ours and entry.stat().st_mtime < time.time() - _KEPT_SECONDS:
                    os.unlink(entry.path)
