"""Where things of a repository are asked for (distribution specification 1.1, "Endpoints").

The paths are relative to the repository.
"""

from __future__ import annotations

from urllib.parse import quote

TAGS = 'tags/list'
UPLOADS = 'blobs/uploads/'


def blob(digest: str) -> str:
    """A blob's."""
    return 'blobs/' + _spelt(digest)


def manifest(reference: str) -> str:
    """A manifest's, by a tag or its digest."""
    return 'manifests/' + _spelt(reference)


def referrers(digest: str) -> str:
    """That of what refers to a manifest."""
    return 'referrers/' + _spelt(digest)


def _spelt(reference: str) -> str:
    # A digest's colon needs no escape, and programs know these paths by sight.
    return quote(reference, safe=':')
