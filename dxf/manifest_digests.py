"""What manifests' digests are made from, and whether they have them."""

from __future__ import annotations

from contextlib import suppress
from typing import Optional

from . import digests, manifests, schema1
from .exceptions import DXFDigestMismatchError, DXFUnexpectedDigestMethodError


def of(content: bytes, name: str) -> str:
    """A manifest's digest.

    :param name: what errors call the manifest
    """
    return digests.hash_bytes(_payload(content, name))


def check(content: bytes, digest: str, name: str) -> None:
    """Compare a manifest with a digest.

    A registry that knows nothing of schema 1 makes its digest from all of it, as of others.

    :raises DXFDigestMismatchError: if it has another one
    """
    payload = _payload(content, name)
    if payload is not content:
        with suppress(DXFDigestMismatchError):
            digests.check_bytes(content, digest)
            return
    digests.check_bytes(payload, digest)


def check_announced(content: bytes, digest: Optional[str], name: str) -> None:
    """Compare a manifest with the digest that a registry says it has, if it says so.

    :raises DXFDigestMismatchError: if it has another one, or that is none
    """
    if not digest:
        return
    try:
        check(content, digest, name)
    except DXFUnexpectedDigestMethodError as error:
        raise DXFDigestMismatchError(of(content, name), digest) from error


def _payload(content: bytes, name: str) -> bytes:
    # Only schema 1 has signatures in it; parsing twice is for them alone.
    if b'"signatures"' not in content:
        return content
    document = manifests.load(content, name)
    if manifests.media_type(document) not in manifests.SCHEMA1_TYPES:
        return content
    return schema1.payload(content, document)
