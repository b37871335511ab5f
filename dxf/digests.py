"""Hashing content, and picking digests apart.

A digest is ``algorithm:hex`` (OCI image specification 1.1, "Digests").
"""

from __future__ import annotations

import hashlib
import re
from types import BuiltinMethodType
from typing import Any, Callable, Iterable, Optional, Tuple, Type, TypeVar, Union

from .exceptions import (
    DXFDigestMismatchError,
    DXFInvalidNameError,
    DXFSizeMismatchError,
    DXFUnexpectedDigestMethodError,
)
from .naming import Filename, naming
from .threads import Worker

# Large enough that the interpreter is out of the way, small enough for the
# processor's cache.
READ_SIZE = 256 * 1024

# The registered algorithms, and how many hexadecimal characters each gives.
_HEX_LENGTHS = {'sha256': 64, 'sha512': 128}

_DIGEST = re.compile(r'[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+')


def _to_bytes_2and3(s: Union[str, bytes]) -> bytes:
    """Bytes as they are, a str as UTF-8."""
    return s if isinstance(s, bytes) else s.encode('utf-8')


def new_hash(algorithm: str = 'sha256') -> Any:
    """A fresh hash object of a registered algorithm.

    :raises DXFUnexpectedDigestMethodError: if the algorithm is not registered
    """
    if algorithm not in _HEX_LENGTHS:
        raise DXFUnexpectedDigestMethodError(algorithm, ' or '.join(_HEX_LENGTHS))
    # Looked up now, not at import: programs replace it in their tests.
    return getattr(hashlib, algorithm)()


def _update(made: Any) -> Callable[[Any], Any]:
    """How to give a hash object a piece of content, whose memory may be used again."""
    update: Callable[[Any], Any] = made.update
    if isinstance(update, BuiltinMethodType):
        return update
    # What a program has put in its place may keep what it is given, or want bytes.
    return lambda piece: update(bytes(piece))


_HasherType = TypeVar('_HasherType', bound='Hasher')


class Hasher:
    """Hashes content as it comes by and compares it with its digest at the end."""

    def __init__(self, algorithm: str = 'sha256') -> None:
        self._algorithm = algorithm
        self._hash = new_hash(algorithm)
        self._hash_now = _update(self._hash)
        self.update = self._hash_now

    @classmethod
    def of(cls: Type[_HasherType], digest: str) -> _HasherType:
        """One for content that should have this digest."""
        return cls(algorithm(digest))

    def digest(self) -> str:
        """The digest of what was seen so far."""
        return f'{self._algorithm}:{self._hash.hexdigest()}'

    def check(self, expected: str) -> None:
        """Raise :class:`DXFDigestMismatchError` if the digest is another one."""
        got = self.digest()
        if got != expected:
            raise DXFDigestMismatchError(got, expected)


class BesideHasher(Hasher):
    """A hasher whose work is done beside its caller's: hashlib lets others run meanwhile.

    The first piece is hashed at once, so that what is small costs no thread. What
    is handed over must not change until ``depth`` more have been.

    :param depth: how many pieces may wait, so that memory is bounded
    """

    def __init__(self, algorithm: str = 'sha256', depth: int = 1) -> None:
        super().__init__(algorithm)
        self.depth = depth
        self._worker: Optional[Worker] = None
        self._is_first = True
        self.update = self._update

    def _update(self, piece: Union[bytes, memoryview]) -> None:
        if self._is_first:
            self._is_first = False
            self._hash_now(piece)
            return
        if self._worker is None:
            self._worker = Worker(self._hash_now)
        self._worker.give(piece)
        self._worker.wait(self.depth)

    def copy(self) -> Optional[BesideHasher]:
        """Another that has seen the same; ``None`` where something stands in for hashlib."""
        copy = getattr(self._hash, 'copy', None)
        if not isinstance(copy, BuiltinMethodType):
            return None
        if self._worker is not None:
            self._worker.wait()
        made = BesideHasher(self._algorithm, self.depth)
        made._hash = copy()
        made._hash_now = _update(made._hash)
        return made

    def digest(self) -> str:
        if self._worker is not None:
            self._worker.wait()
        return super().digest()

    def close(self) -> None:
        """Let go of the thread."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def hash_bytes(buf: bytes) -> str:
    """The digest of some bytes.

    :param buf: the content, as bytes or anything that hashlib takes
    :returns: ``'sha256:'`` and 64 hexadecimal characters
    """
    hasher = Hasher()
    hasher.update(buf)
    return hasher.digest()


def hash_pieces(pieces: Iterable[bytes]) -> str:
    """The digest of content that comes in pieces."""
    hasher = Hasher()
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()


def hash_file(filename: Filename) -> str:
    """The digest of a file's content, which is read in constant memory.

    :param filename: the file's path
    :returns: ``'sha256:'`` and 64 hexadecimal characters
    :raises OSError: if the file can't be read
    """
    with naming(filename), open(filename, 'rb', buffering=0) as file:
        return hash_pieces(iter(lambda: file.read(READ_SIZE), b''))


def check_bytes(buf: bytes, digest: str) -> None:
    """Raise :class:`DXFDigestMismatchError` unless bytes have this digest."""
    hasher = Hasher.of(digest)
    hasher.update(buf)
    hasher.check(digest)


def check_size(digest: str, got: int, expected: Optional[int]) -> None:
    """Raise :class:`DXFSizeMismatchError` unless content is as long as it is said to be, if so."""
    if expected is not None and got != expected:
        raise DXFSizeMismatchError(got, expected, digest)


def algorithm(digest: str) -> str:
    """The part of a digest before the colon."""
    return digest.partition(':')[0]


def is_known(digest: str) -> bool:
    """Whether content can be compared with a digest."""
    return algorithm(digest) in _HEX_LENGTHS


def split_digest(s: str) -> Tuple[str, str]:
    """Pick a SHA-256 digest apart.

    :param s: a digest
    :returns: ``(method, hex)``
    :raises DXFUnexpectedDigestMethodError: if the method is not ``sha256``
    """
    method, _, encoded = s.partition(':')
    if method != 'sha256':
        raise DXFUnexpectedDigestMethodError(method, 'sha256')
    return method, encoded


def is_digest(reference: str) -> bool:
    """Whether a manifest's reference is a digest; a tag has no colon."""
    return _DIGEST.fullmatch(reference) is not None


def check_syntax(digest: str) -> str:
    """The digest given, if it is spelt as one.

    :raises DXFInvalidNameError: if it is not
    """
    name, _, encoded = digest.partition(':')
    length = _HEX_LENGTHS.get(name)
    if not is_digest(digest) or (
        length is not None and not re.fullmatch('[0-9a-f]' * length, encoded)
    ):
        raise DXFInvalidNameError('digest', digest, 'it is sha256: and 64 hexadecimal characters')
    return digest
