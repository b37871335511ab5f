"""A repository's blobs."""

from contextlib import suppress
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import (
    Any,
    Callable,
    Iterable,
    Iterator,
    List,
    Literal,
    Mapping,
    Optional,
    Tuple,
    overload,
)

import requests

from . import blocks, digests, endpoints
from .ahead import in_advance, in_turn
from .answers import is_not_found
from .blocks import Block
from .contents import Content, as_bytes, has_size, is_seekable, pieces
from .downloads import Download, content_length, find_size
from .exceptions import DXFMountFailed, DXFNotARegistryError
from .files import save
from .naming import Filename, naming
from .presence import Presence
from .repository import SEAMS, Repository
from .sessions import Session, Target
from .uploads import Pushed, Uploader

# What tells of progress; whose arguments differ, as each method says.
Progress = Callable[..., Any]

_DEFAULT_CHUNK_SIZE = 8192

# So many are worth a request that only finds out how to save others.
_MANY = 16


class Blobs(Repository):
    """Operations on blobs."""

    def push_blob(
        self,
        filename: Optional[Filename] = None,
        progress: Optional[Progress] = None,
        data: Any = None,
        digest: Optional[str] = None,
        check_exists: bool = True,
    ) -> str:
        """Store a blob (distribution specification 1.1, "Pushing blobs").

        :param filename: the file that holds its content, or
        :param data: its content: bytes, a str (stored as UTF-8), a binary file, or
            any iterable of bytes
        :param progress: called with each piece as it goes out: with digest, piece
            and total size in bytes for a file, at first with an empty piece; with
            digest and piece for data. The digest is ``None`` where it is not known
            before the end, and so is the size of a pipe.
        :param digest: the content's digest, if it is known already; for a SHA-512
            digest the registry must know those
        :param check_exists: ask first whether the blob is there, and then don't
            send it, nor call ``progress``
        :returns: its digest
        :raises DXFContentChangedError: if the content has not the digest it was to have
        :raises DXFCannotRewindError: if a stream was cut and can't be read again
        :raises OSError: if the file can't be read
        """
        if filename is not None:
            return self._push_file(filename, progress, digest, check_exists)
        whole = as_bytes(data)
        if whole is not None:
            return self._push(Content(BytesIO(whole)), digest, check_exists, progress)
        if is_seekable(data):
            return self._push(Content(data), digest, check_exists, progress)
        return self._push_stream(data, digest, check_exists, progress)

    def _push_file(
        self,
        filename: Filename,
        progress: Optional[Progress],
        digest: Optional[str],
        check_exists: bool,
        presence: Optional[Presence] = None,
    ) -> str:
        with naming(filename), open(filename, 'rb', buffering=0) as file:
            if not has_size(file):
                report = progress and _report_of_pipe(progress)
                return self._push_stream(file, digest, check_exists, report)
            content = Content(file)
            if progress is None:
                return self._push(content, digest, check_exists, presence=presence)
            report = partial(_report_of_file, progress, content.size)
            begin = partial(report, piece=b'')
            return self._push(content, digest, check_exists, report, begin, presence)

    def _push_stream(
        self,
        data: Any,
        digest: Optional[str],
        check_exists: bool,
        progress: Optional[Progress] = None,
    ) -> str:
        if digest is None and isinstance(data, (list, tuple)):
            digest = digests.hash_pieces(pieces(data))
        if digest is not None and check_exists and self._exists(digest):
            return digest
        return self._remember(
            self._uploader().push_stream(
                pieces(data),
                digest,
                progress,
                beside=progress is None and not self._is_replaced(),
                check_exists=check_exists and digest is None,
            )
        )

    def _push(
        self,
        content: Content,
        digest: Optional[str],
        check_exists: bool,
        report: Optional[Progress] = None,
        begin: Optional[Callable[[str], Any]] = None,
        presence: Optional[Presence] = None,
    ) -> str:
        if digest is None and (check_exists or report is not None):
            digest = content.digest()
        session: Optional[Session] = None
        if digest is not None and presence is not None:
            session = presence.upload_for(digest)
            if session is None:
                return self._remember(Pushed(digest, content.size))
        elif digest is not None and check_exists and self._exists(digest):
            return digest
        if begin is not None:
            begin(digest or '')
        if report is not None:
            content.watch(partial(report, digest))
        return self._remember(self._uploader().push(content, digest, session))

    def _remember(self, pushed: Pushed) -> str:
        self._sizes[pushed.digest] = pushed.size
        return pushed.digest

    def _target(self) -> Target:
        return Target(self._seam, self._exists, self._base_url, self._timeout, self._repository)

    def _uploader(self) -> Uploader:
        return Uploader(self._target(), self._retries, self._upload_chunk_size)

    def _exists(self, digest: str) -> bool:
        try:
            response = self._request('head', endpoints.blob(digest))
        except requests.exceptions.HTTPError as error:
            if is_not_found(error):
                return False
            raise
        size = content_length(response)
        if size is not None:
            self._sizes[digest] = size
        return True

    @overload
    def pull_blob(
        self, digest: str, size: Literal[False] = False, chunk_size: Optional[int] = None
    ) -> Iterator[bytes]: ...

    @overload
    def pull_blob(
        self, digest: str, size: Literal[True], chunk_size: Optional[int] = None
    ) -> Tuple[Iterator[bytes], int]: ...

    @overload
    def pull_blob(
        self, digest: str, size: bool = False, chunk_size: Optional[int] = None
    ) -> Any: ...

    def pull_blob(self, digest: str, size: bool = False, chunk_size: Optional[int] = None) -> Any:
        """Fetch a blob ("Pulling blobs"). The request goes out at once.

        :param digest: the blob's
        :param size: give its size too
        :param chunk_size: how much to give at a time, in bytes; 8192 by default
        :returns: the content, an iterable of bytes, each ``chunk_size`` long but for
            the last; with ``size``, that and the size in bytes. At its end the iterable
            raises :class:`DXFDigestMismatchError` if the content has another digest.
        :raises requests.exceptions.HTTPError: if the registry has no such blob
        :raises DXFUnexpectedDigestMethodError: if the digest is of an algorithm that
            dxf can't check
        :raises ValueError: if ``chunk_size`` is less than 1
        """
        if chunk_size is not None and chunk_size < 1:
            raise ValueError(f'chunk_size must be at least 1, not {chunk_size}')
        download = Download(self._seam, digest, self._retries)
        chunks = download.chunks(chunk_size or _DEFAULT_CHUNK_SIZE)
        return (chunks, self._size_of(digest, download)) if size else chunks

    # What pulls without a request for the size, which is None where the answer does not say it:

    def _pull_blocks(self, digest: str) -> Tuple[Iterator[Block], Optional[int]]:
        """A blob's content, in pieces that are good until the next is asked for, and its size."""
        download = Download(self._seam, digest, self._retries)
        return download.blocks(), download.size

    def _pull_chunks(
        self, digest: str, chunk_size: Optional[int] = None, block_size: int = blocks.SIZE
    ) -> Tuple[Iterator[bytes], Optional[int]]:
        """A blob's content and size."""
        download = Download(self._seam, digest, self._retries, block_size=block_size)
        return download.chunks(chunk_size or _DEFAULT_CHUNK_SIZE), download.size

    def _pull_beside(
        self, digest: str, chunk_size: Optional[int] = None
    ) -> Tuple[Iterator[bytes], Optional[int]]:
        """The same, with little memory: others are pulled meanwhile."""
        return self._pull_chunks(digest, chunk_size, blocks.SMALL_SIZE)

    def _size_of(self, digest: str, download: Download, expected: Optional[int] = None) -> int:
        """The size in bytes of a blob that is coming, which is let go of if that is wrong."""
        try:
            size = self.blob_size(digest) if download.size is None else download.size
            digests.check_size(digest, size, expected)
        except Exception:
            download.close()
            raise
        return size

    def push_blobs(
        self,
        filenames: Iterable[Filename],
        progress: Optional[Progress] = None,
        check_exists: bool = True,
    ) -> List[str]:
        """Store files as blobs, several at a time.

        :param filenames: the files
        :param progress: as in :meth:`push_blob`, called by several threads
        :param check_exists: as in :meth:`push_blob`
        :returns: their digests, in order
        :raises DXFContentChangedError: and what else :meth:`push_blob` raises

        Of many, each is one request less where the registry mounts blobs.
        """
        todo = list(filenames)
        own = not self._is_replaced(push_blob=Blobs.push_blob)
        presence = (
            Presence(self._target()) if own and check_exists and len(todo) >= _MANY else None
        )

        def push(filename: Filename) -> str:
            if presence is None:
                return self.push_blob(filename, progress, check_exists=check_exists)
            digest = self._push_file(filename, progress, None, check_exists, presence)
            presence.saw(digest)
            return digest

        return self._side_by_side(push, todo)

    def pull_blobs(
        self, wanted: Iterable[str], chunk_size: Optional[int] = None
    ) -> Iterator[Tuple[str, Iterator[bytes]]]:
        """Fetch blobs, the next ones while one is used, within a few MiB of memory.

        :param wanted: their digests
        :param chunk_size: as in :meth:`pull_blob`
        :returns: pairs of digest and content, in order. The content is an iterable as
            :meth:`pull_blob` gives it; what is left of it when the next pair is asked
            for is dropped.
        :raises requests.exceptions.HTTPError: when its turn comes, if the registry has no
            such blob
        """
        todo = list(wanted)
        beside = not self._is_replaced()

        def pull(digest: str) -> Tuple[Iterator[bytes], Optional[int]]:
            if beside:
                return self._pull_beside(digest, chunk_size)
            # A subclass may have its own.
            return self.pull_blob(digest, chunk_size=chunk_size), None

        pulls = (partial(pull, digest) for digest in todo)
        pulled = in_advance(pulls) if beside else in_turn(pulls)
        for digest, (chunks, _) in zip(todo, pulled):
            yield digest, chunks

    def save_blobs(
        self,
        filename: Filename,
        wanted: Iterable[str],
        progress: Optional[Progress] = None,
        sizes: Optional[Mapping[str, int]] = None,
    ) -> None:
        """Fetch blobs into a file, one after another.

        The file appears when all of it is there and is right. What came before an
        interruption is kept beside it, under a name of its own, and a later call goes
        on from there.

        :param filename: the file; one that is there is replaced and its mode is kept,
            and a device or a pipe is written to as it comes
        :param wanted: the blobs' digests
        :param progress: called with digest, piece and total size in bytes, at first
            with an empty piece; what is there already comes by as well. Another empty
            piece says that it was wrong, and that the blob begins anew.
        :param sizes: how long they should be, in bytes, by digest, where that is known
        :raises requests.exceptions.HTTPError: if the registry has no such blob
        :raises DXFDigestMismatchError: if what came has another digest
        :raises DXFSizeMismatchError: if a blob has another size
        :raises OSError: if the file can't be written
        """
        expected = sizes or {}

        def start(digest: str, have: Iterable[bytes]) -> Download:
            download = Download(
                self._seam, digest, self._retries, have, beside=not self._is_replaced()
            )
            if digest in expected:
                self._size_of(digest, download, expected[digest])
            return download

        def size_of(digest: str) -> int:
            size = self.blob_size(digest)
            digests.check_size(digest, size, expected.get(digest))
            return size

        save(filename, list(wanted), start, size_of, progress)

    def blob_size(self, digest: str) -> int:
        """A blob's size in bytes ("Checking if content exists in the registry").

        :param digest: the blob's
        :raises requests.exceptions.HTTPError: if the registry has no such blob
        """
        size = content_length(self._request('head', endpoints.blob(digest)))
        return find_size(self._seam, digest, self._retries) if size is None else size

    def mount_blob(self, repo: str, digest: str) -> str:
        """Have a blob of another repository in this one, without sending it ("Mounting a blob").

        :param repo: the other repository
        :param digest: the blob's
        :returns: the digest
        :raises DXFMountFailed: if the registry does not do so, as when the other
            repository has no such blob
        """
        response = self._request(
            'post', endpoints.UPLOADS, params={'mount': digest, 'from': self._full_name(repo)}
        )
        if response.status_code == HTTPStatus.CREATED:
            return digest
        if response.status_code == HTTPStatus.ACCEPTED and 'Location' in response.headers:
            # Where it does not say of what, there is nothing to cancel.
            with suppress(DXFNotARegistryError):
                Session(self._target(), response).cancel()
        raise DXFMountFailed()

    def del_blob(self, digest: str) -> None:
        """Delete a blob from the repository ("Deleting Blobs").

        :param digest: the blob's
        :raises requests.exceptions.HTTPError: if the registry has no such blob, or
            does not delete
        """
        self._sizes.pop(digest, None)
        self._request('delete', endpoints.blob(digest))


SEAMS['pull_blob'] = Blobs.pull_blob


def _report_of_file(
    progress: Progress, size: Optional[int], digest: Optional[str], piece: bytes
) -> None:
    progress(digest, piece, size)


def _report_of_pipe(progress: Progress) -> Callable[[Optional[str], bytes], Any]:
    """The same for what does not say how long it is, begun when some of it is to be sent."""
    begun: List[bool] = []

    def report(digest: Optional[str], piece: bytes) -> None:
        if not begun:
            begun.append(True)
            progress(digest, b'', None)
        progress(digest, piece, None)

    return report
