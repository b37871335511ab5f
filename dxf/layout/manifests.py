"""Manifests as a layout stores them: what they are, and what they refer to.

Pure: bytes in, values out.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

from .. import digests, manifests, schema1
from ..exceptions import DXFError
from .index import Entry
from .refusals import Refused

TYPES = manifests.IMAGE_TYPES + manifests.INDEX_TYPES + manifests.SCHEMA1_TYPES


class Stored(NamedTuple):
    """A manifest."""

    media_type: str
    digest: str  # of its bytes, by which a layout stores it
    name: str  # what a registry calls it by: schema 1 goes without its signatures
    content: bytes

    def entry(self) -> Entry:
        """How an index lists it, without a name ("Content Descriptors")."""
        made: Entry = {
            'mediaType': self.media_type,
            'digest': self.digest,
            'size': len(self.content),
        }
        kind = _text(_document(self.content), 'artifactType')
        if kind:
            made['artifactType'] = kind
        return made


def received(content: bytes, content_type: Optional[str], reference: str) -> Stored:
    """A manifest that was sent, if it can be stored ("Pushing Manifests").

    :param content_type: what it was said to be, if anything
    :param reference: a tag, or the digest that it must have
    :raises Refused: if it can't
    """
    try:
        document = manifests.load(content, reference)
        kind = manifests.media_type(document, content_type, reference)
    except DXFError as error:
        raise Refused('MANIFEST_INVALID', str(error)) from error
    said = (content_type or kind).partition(';')[0].strip().lower()
    if kind not in TYPES or said != kind:
        raise Refused('MANIFEST_INVALID', f'it is a {kind}, and was sent as {said}')
    by_digest = digests.is_digest(reference)
    digest = _digest(content, digests.algorithm(reference) if by_digest else 'sha256')
    name = _name(content, kind, digest)
    if by_digest and reference not in (digest, name):
        raise Refused('DIGEST_INVALID', 'the manifest has another digest', {'digest': name})
    return Stored(kind, digest, name, content)


def stored(content: bytes, digest: str, listed_as: Optional[str] = None) -> Optional[Stored]:
    """A manifest that is in a layout.

    :param digest: what it is stored by
    :param listed_as: the media type that it is listed with; where there is none, its
        content must tell
    :returns: ``None`` if it is no manifest
    """
    kind = listed_as or _kind(content)
    if kind is None:
        return None
    return Stored(kind, digest, _name(content, kind, digest), content)


def references(manifest: Stored) -> List[str]:
    """The digests of what must be there for a manifest to be stored, each once.

    What a layer names other places for need not be (its ``urls``), nor need the
    subject.

    :raises Refused: if what it refers to can't be told
    """
    document = _document(manifest.content)
    if manifest.media_type in manifests.INDEX_TYPES:
        found = [_digest_of(entry) for entry in _listed(document)]
        if None in found:
            raise Refused('MANIFEST_INVALID', 'it lists what has no digest')
        return list(dict.fromkeys(filter(None, found)))
    try:
        parsed = manifests.parse(manifest.content, manifest.media_type)
        if isinstance(parsed, manifests.ImageManifest):
            layers = zip(parsed.layers, document['layers'])
            needed = [
                parsed.config.digest,
                *(layer.digest for layer, fields in layers if not fields.get('urls')),
            ]
        else:
            needed = list(parsed.layers) if isinstance(parsed, manifests.Schema1Manifest) else []
    except DXFError as error:
        raise Refused('MANIFEST_INVALID', str(error)) from error
    return list(dict.fromkeys(needed))


def children(manifest: Stored) -> List[Entry]:
    """What an index lists, as it stands there; nothing, if it is none."""
    if manifest.media_type not in manifests.INDEX_TYPES:
        return []
    return [entry for entry in _listed(_document(manifest.content)) if _digest_of(entry)]


def subject(manifest: Stored) -> Optional[str]:
    """The digest of what a manifest is about, if it is about something ("subject")."""
    return _text(_object(_document(manifest.content), 'subject'), 'digest')


def referrer(manifest: Stored) -> Entry:
    """How a manifest is listed among its subject's referrers ("Listing Referrers")."""
    document = _document(manifest.content)
    made = manifest.entry()
    kind = _text(document, 'artifactType') or _text(_object(document, 'config'), 'mediaType')
    if kind:
        made['artifactType'] = kind
    if _object(document, 'annotations'):
        made['annotations'] = document['annotations']
    return made


def _kind(content: bytes) -> Optional[str]:
    document = _document(content)
    # What has none of its own may look like a manifest, as an image's config does.
    if 'schemaVersion' not in document:
        return None
    try:
        kind = manifests.media_type(document)
    except DXFError:
        return None
    return kind if kind in TYPES else None


def _digest(content: bytes, algorithm: str) -> str:
    try:
        hasher = digests.Hasher(algorithm)
    except DXFError as error:
        raise Refused('DIGEST_INVALID', str(error)) from error
    hasher.update(content)
    return hasher.digest()


def _name(content: bytes, kind: str, digest: str) -> str:
    if kind not in manifests.SCHEMA1_TYPES:
        return digest
    try:
        return digests.hash_bytes(schema1.payload(content, manifests.load(content)))
    except DXFError:
        return digest


def _document(content: bytes) -> Dict[str, Any]:
    """The JSON object that content is; an empty one if it is none."""
    try:
        return manifests.load(content)
    except DXFError:
        return {}


def _listed(document: Dict[str, Any]) -> List[Any]:
    value = document.get('manifests')
    return value if isinstance(value, list) else []


def _digest_of(entry: Any) -> Optional[str]:
    digest = entry.get('digest') if isinstance(entry, dict) else None
    return digest if isinstance(digest, str) and digests.is_digest(digest) else None


def _object(document: Dict[str, Any], name: str) -> Dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(document: Dict[str, Any], name: str) -> Optional[str]:
    value = document.get(name)
    return value if isinstance(value, str) and value else None
