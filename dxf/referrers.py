"""What refers to a manifest, as registries list it (distribution specification 1.1, "Listing
Referrers" and "Referrers Tag Schema").

Pure: text in, values out.
"""

from __future__ import annotations

import json
import re
from typing import Any, Container, Dict, List, Optional, Union

from . import manifests
from .exceptions import DXFInvalidManifestError
from .fields import Fields
from .indexes import Descriptor, describe

# Of a digest's algorithm and of its other part there may be so much in a tag.
_ALGORITHM_LENGTH = 32
_ENCODED_LENGTH = 64
_NOT_IN_TAG = re.compile('[^A-Za-z0-9._-]')


def tag(digest: str) -> str:
    """The tag that lists a manifest's referrers where the registry does not."""
    algorithm, _, encoded = digest.partition(':')
    return _NOT_IN_TAG.sub('-', f'{algorithm[:_ALGORITHM_LENGTH]}-{encoded[:_ENCODED_LENGTH]}')


def parse(text: Union[str, bytes], name: str) -> List[Descriptor]:
    """The referrers that an index lists.

    :param name: what errors call the index
    :raises DXFInvalidManifestError: if it is none, or a field is missing or wrong
    """
    document = manifests.load(text, name)
    if not _entries(document, name):
        return []
    return [describe(entry) for entry in Fields(document, '', name).objects('manifests')]


def add(text: Optional[Union[str, bytes]], entry: Dict[str, Any], name: str) -> Optional[str]:
    """An index that lists one more referrer.

    :param text: the index as it is; ``None`` if there is none yet
    :param entry: the referrer's descriptor
    :returns: the new one's text; ``None`` if the referrer is listed already
    :raises DXFInvalidManifestError: if it is no index
    """
    document: Dict[str, Any] = {
        'schemaVersion': 2,
        'mediaType': manifests._oci_index_mimetype,
        'manifests': [],
    }
    if text is not None:
        document = manifests.load(text, name)
    entries = _entries(document, name)
    if any(isinstance(one, dict) and one.get('digest') == entry['digest'] for one in entries):
        return None
    # What others have put there stays as it is.
    return json.dumps({**document, 'manifests': [*entries, entry]})


def without(text: Union[str, bytes], gone: Container[Any], name: str) -> Optional[str]:
    """An index that lists some referrers no more.

    :param text: the index as it is
    :param gone: their digests
    :returns: the new one's text; ``None`` if it lists none of them
    :raises DXFInvalidManifestError: if it is no index
    """
    document = manifests.load(text, name)
    entries = _entries(document, name)
    left = [one for one in entries if not (isinstance(one, dict) and _is_of(one, gone))]
    if len(left) == len(entries):
        return None
    return json.dumps({**document, 'manifests': left})


def _is_of(entry: Dict[str, Any], listed: Container[Any]) -> bool:
    digest = entry.get('digest')
    return isinstance(digest, str) and digest in listed


def entry(content: bytes, digest: str, media_type: str) -> Dict[str, Any]:
    """The descriptor that lists a manifest among its subject's referrers.

    :raises DXFInvalidManifestError: if a field of it is wrong
    """
    fields = Fields(manifests.load(content, digest), '', digest)
    made: Dict[str, Any] = {'mediaType': media_type, 'digest': digest, 'size': len(content)}
    kind = fields.optional_string('artifactType') or (
        fields.object('config').optional_string('mediaType') if fields.has('config') else None
    )
    if kind:
        made['artifactType'] = kind
    if fields.mapping('annotations'):
        made['annotations'] = fields.mapping('annotations')
    return made


def subject(content: bytes, name: str) -> Optional[str]:
    """The digest of what a manifest is about, if it is about something ("subject").

    :param name: what errors call the manifest
    :raises DXFInvalidManifestError: if that is wrong
    """
    fields = Fields(manifests.load(content, name), '', name)
    return fields.object('subject').digest('digest') if fields.has('subject') else None


def _entries(document: Dict[str, Any], name: str) -> List[Any]:
    if manifests.media_type(document, None, name) not in manifests.INDEX_TYPES:
        raise DXFInvalidManifestError('mediaType', 'is not that of an index', name)
    entries = document.get('manifests')
    if entries is None:
        return []  # a Go program's empty list
    if not isinstance(entries, list):
        raise DXFInvalidManifestError('manifests', 'is not a list', name)
    return entries
