"""Moving a blob's bytes to a registry (distribution specification 1.1, "Pushing blobs")."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple, Optional

from requests.exceptions import RequestException

from .answers import status_of
from .contents import Content, Memory, Stream
from .digests import BesideHasher, Hasher, algorithm, is_known
from .exceptions import (
    DXFCannotRewindError,
    DXFContentChangedError,
    DXFUnauthorizedError,
)
from .retries import NETWORK_ERRORS, Retries, is_transient
from .sessions import Session, Target
from .threads import pool

if TYPE_CHECKING:
    from .threads import Future

# What a stream may take of memory, in bytes, and so the most that is sent of it
# before the registry has said that it has it. One registry takes no more a chunk.
STREAM_CHUNK_SIZE = 4 * 1024 * 1024

# What a registry may want a chunk of a stream to have at least, and is given, in bytes.
_MAX_STREAM_CHUNK_SIZE = 64 * 1024 * 1024

# What a body is cut to when it was too large for whatever stands before the
# registry, and the least that is tried, in bytes.
_FALLBACK_CHUNK_SIZE = 16 * 1024 * 1024
_MIN_CHUNK_SIZE = 256 * 1024


# Called with a blob's digest, where that is known, and a piece of it.
Report = Callable[[Optional[str], bytes], Any]


class Pushed(NamedTuple):
    """A blob that was pushed."""

    digest: str
    size: int  # in bytes


class Uploader:
    """Pushes blobs to one repository.

    :param target: which
    :param retries: how often a cut upload is gone on with
    :param chunk_size: the most to send in one request, in bytes; ``None``: any number
    """

    def __init__(self, target: Target, retries: Retries, chunk_size: Optional[int] = None) -> None:
        self._target = target
        self._retries = retries
        self._chunk_size = chunk_size

    def push(
        self,
        content: Content,
        digest: Optional[str] = None,
        session: Optional[Session] = None,
    ) -> Pushed:
        """Push what can be read again, from the start if need be.

        :param digest: its digest; ``None`` to find it while the content is sent
        :param session: an upload, if there is one
        :raises DXFContentChangedError: if it is not what the digest was made from
        """
        if digest is None and content.size <= STREAM_CHUNK_SIZE:
            # Small enough to be read once all the same, and be sent in one request.
            content = content.in_memory()
            digest = content.digest()
        if digest is not None:
            known = digest
            return Pushed(self._push(content, lambda: known, known, session), content.size)
        # These pieces are small.
        hasher = BesideHasher(depth=4)
        content.watch(hasher.update)
        try:
            return Pushed(self._push(content, hasher.digest), content.size)
        finally:
            hasher.close()

    def _push(
        self,
        content: Content,
        final: Callable[[], str],
        digest: Optional[str] = None,
        session: Optional[Session] = None,
    ) -> str:
        """Push content whose digest is known, or is ``final()`` when all was sent."""
        attempts = self._retries.start()
        chunk_size = self._chunk_size
        acknowledged = 0
        with _cancelled_if_refused(lambda: session):
            while True:
                try:
                    session = session or Session.open(self._target)
                    self._send(session, content, final, chunk_size, digest is not None)
                    return final()
                except RequestException as error:
                    if _is_too_large(error) and session is not None:
                        chunk_size = _smaller(chunk_size or content.size, session, error)
                        session.cancel()
                        session = None
                        continue
                    if content.was_seen:
                        _refuse_changed(error, content.digest, final())
                    # To open one has been tried as often as it may be.
                    if session is None or not (is_transient(error) or _is_lost(error)):
                        raise
                    # And so has what ends one, if it has no content.
                    if session.offset == content.size and is_transient(error):
                        if self._target.exists(final()):
                            return final()
                        raise
                    if session.offset > acknowledged:
                        # It gets on: what counts is how often it does not.
                        acknowledged = session.offset
                        attempts = self._retries.start()
                    if not attempts.wait(error=error):
                        raise
                # One that has more than was sent is out of its mind.
                if not session.ask() or session.offset > content.seen_to:
                    if content.was_seen and self._target.exists(final()):
                        return final()
                    session = None

    def _send(
        self,
        session: Session,
        content: Content,
        final: Callable[[], str],
        chunk_size: Optional[int],
        in_one: bool,
    ) -> None:
        """Send what the registry does not have, in one request if that is possible."""
        if in_one and session.offset == 0 and (chunk_size is None or content.size <= chunk_size):
            session.finish(final(), content.size, content.body())
            return
        step = max(chunk_size or content.size, session.min_chunk_size)
        while session.offset < content.size:
            end = min(session.offset + step, content.size)
            session.append(content.body(session.offset, end), end - session.offset)
        session.finish(final(), content.size)

    def push_stream(
        self,
        source: Iterator[bytes],
        digest: Optional[str] = None,
        report: Optional[Report] = None,
        beside: bool = True,
        check_exists: bool = False,
    ) -> Pushed:
        """Push what can be read only once, in constant memory.

        :param digest: its digest, if that is known before
        :param report: called with the digest, if that is known by then, and each piece that is
            sent for the first time
        :param beside: whether to send one chunk while the next is read
        :param check_exists: don't send what turns out to be short and there already
        :raises DXFCannotRewindError: if the registry lost more of it than is kept
        :raises DXFContentChangedError: if it is not what the digest was made from
        """
        stream = Stream(source)
        size = self._chunk_size or STREAM_CHUNK_SIZE
        if stream.is_short(size):
            content = Content(Memory(stream.take(size)))
            digest = digest or content.digest()
            if report is not None:
                content.watch(partial(report, digest))
            if check_exists and self._target.exists(digest):
                return Pushed(digest, content.size)
            return self.push(content, digest)
        session = Session.open(self._target)
        with _cancelled_if_refused(lambda: session):
            return self._push_chunks(session, stream, size, digest, report, beside)

    def _push_chunks(
        self,
        session: Session,
        stream: Stream,
        chunk_size: int,
        digest: Optional[str],
        report: Optional[Report],
        beside: bool,
    ) -> Pushed:
        seen = None if report is None else partial(report, digest)
        chunk_size = max(chunk_size, min(session.min_chunk_size, _MAX_STREAM_CHUNK_SIZE))
        # By what it is to go by, if that can be worked out.
        hasher = Hasher(algorithm(digest) if digest and is_known(digest) else 'sha256')
        size = 0
        with _Sender(beside) as sender:
            for chunk in iter(lambda: stream.take(chunk_size), b''):
                sender.send(self._append_chunk, session, Content(Memory(chunk), seen))
                hasher.update(chunk)
                size += len(chunk)
        got = hasher.digest()
        self._finish(session, digest or got, got, size)
        return Pushed(digest or got, size)

    def _append_chunk(self, session: Session, chunk: Content) -> None:
        """Send one chunk of a stream, and after a cut what is left of it."""
        attempts = self._retries.start()
        start = acknowledged = session.offset
        step = chunk.size
        while session.offset < start + chunk.size:
            if session.offset > acknowledged:
                # It gets on: what counts is how often it does not.
                acknowledged = session.offset
                attempts = self._retries.start()
            sent = session.offset - start
            end = min(sent + step, chunk.size)
            try:
                session.append(chunk.body(sent, end), end - sent)
            except RequestException as error:
                if _is_too_large(error):
                    step = _smaller(step, session, error)
                    continue
                if not (is_transient(error) or _is_lost(error)):
                    raise
                if not attempts.wait(error=error):
                    raise
                if not session.ask():
                    if start:
                        raise DXFCannotRewindError() from error
                    # All that was sent is here.
                    session.open_again()
                if not start <= session.offset <= start + chunk.size:
                    raise DXFCannotRewindError() from error

    def _finish(self, session: Session, digest: str, got: str, size: int) -> None:
        attempts = self._retries.start()
        while True:
            try:
                session.finish(digest, size)
                return
            except RequestException as error:
                _refuse_changed(error, lambda _: got, digest)
                if not (is_transient(error) or _is_lost(error)):
                    raise
                # Without content, it has been sent as often as it may be.
                if is_transient(error) or not attempts.wait(error=error) or not session.ask():
                    if self._target.exists(digest):
                        return
                    raise


class _Sender:
    """Sends one thing at a time, beside its caller or not."""

    def __init__(self, beside: bool) -> None:
        self._pool = pool(1) if beside else None
        self._sending: Optional[Future[None]] = None

    def __enter__(self) -> _Sender:
        return self

    def __exit__(self, exc_type: Any, *others: Any) -> None:
        try:
            if exc_type is None:
                self._wait()
        finally:
            if self._pool is not None:
                # Whoever interrupts does not wait for what is on its way.
                self._pool.shutdown(wait=exc_type is None or issubclass(exc_type, Exception))

    def send(self, function: Callable[..., None], *args: Any) -> None:
        """Send, when what was sent before has arrived; raise what that raised."""
        self._wait()
        if self._pool is None:
            function(*args)
        else:
            self._sending = self._pool.submit(function, *args)

    def _wait(self) -> None:
        if self._sending is not None:
            self._sending.result()


@contextmanager
def _cancelled_if_refused(session: Callable[[], Optional[Session]]) -> Iterator[None]:
    """Leave no upload open that can't be ended."""
    try:
        yield
    except Exception as error:
        left = session()
        if left is not None and not isinstance(error, _NO_USE_TO_CANCEL):
            left.cancel()
        raise


# The network is down, or the upload is gone, or it takes credentials that there are not.
_NO_USE_TO_CANCEL = (*NETWORK_ERRORS, DXFCannotRewindError, DXFUnauthorizedError)


def _is_too_large(error: RequestException) -> bool:
    return status_of(error) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _is_lost(error: RequestException) -> bool:
    """Whether the registry knows no such upload, or it is out of step."""
    return status_of(error) in (HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)


def _smaller(size: int, session: Session, error: RequestException) -> int:
    """What to send at a time where ``size`` bytes were too many."""
    least = max(_MIN_CHUNK_SIZE, session.min_chunk_size)
    smaller = max(min(_FALLBACK_CHUNK_SIZE, size // 2), least)
    if smaller >= size:
        raise error
    return smaller


def _refuse_changed(error: RequestException, digest: Callable[[str], str], expected: str) -> None:
    """Say what happened, if the registry refused content because it has another digest."""
    if status_of(error) == HTTPStatus.BAD_REQUEST and is_known(expected):
        got = digest(algorithm(expected))
        if got != expected:
            raise DXFContentChangedError(got, expected, error.response) from error
