"""The ``index.json`` of an OCI image layout, as a value: what it lists, under which tags.

Pure: text in, text out. The format is that of the OCI image specification 1.1
("Image Layout", "index.json file"). What others wrote into it stays as it is.
"""

from __future__ import annotations

import json
from typing import Any, Container, Dict, List, Optional, Tuple

from .. import digests, manifests
from ..exceptions import DXFInvalidManifestError, DXFInvalidNameError
from ..names import check_alias, is_media_type

# One descriptor of index.json, as it stands there.
Entry = Dict[str, Any]

# The annotation that names an entry, and the one in which containerd and
# BuildKit write the whole name beside it.
_REF_NAME = 'org.opencontainers.image.ref.name'
_IMAGE_NAME = 'io.containerd.image.name'

_SCHEMA_VERSION = 2


class LayoutIndex:
    """What an image layout lists.

    :param document: the JSON object, which is changed in place
    """

    def __init__(self, document: Dict[str, Any]) -> None:
        self._document = document

    @classmethod
    def empty(cls) -> LayoutIndex:
        """One that lists nothing."""
        return cls(
            {
                'schemaVersion': _SCHEMA_VERSION,
                'mediaType': manifests._oci_index_mimetype,
                'manifests': [],
            }
        )

    @classmethod
    def parse(cls, text: bytes, name: str) -> LayoutIndex:
        """Read one.

        :param name: what errors call it
        :raises DXFInvalidManifestError: if it is none
        """
        document = manifests.load(text, name)
        if document.get('schemaVersion', _SCHEMA_VERSION) != _SCHEMA_VERSION:
            raise DXFInvalidManifestError('schemaVersion', 'is not 2', name)
        if document.get('manifests') is None:
            document['manifests'] = []  # as Go writes an empty list
        entries = document['manifests']
        if not isinstance(entries, list):
            raise DXFInvalidManifestError('manifests', 'is not a list', name)
        for position, entry in enumerate(entries):
            _check(entry, f'manifests[{position}]', name)
        return cls(document)

    def text(self) -> bytes:
        """It, to be written."""
        return json.dumps(self._document).encode('ascii')

    @property
    def entries(self) -> List[Entry]:
        """What is listed, in order."""
        entries: List[Entry] = self._document['manifests']
        return entries

    def tags(self) -> Dict[str, Entry]:
        """Each tag's entry.

        A name that is a whole reference, as podman and crane write it, stands for the
        tag in it, unless that is an entry's name as it is. Of several entries of one
        name, which the specification allows, the first counts.
        """
        found: Dict[str, Entry] = {}
        derived: Dict[str, Entry] = {}
        for entry in self.entries:
            name, tag = _name_and_tag(entry)
            if tag is not None:
                (found if name == tag else derived).setdefault(tag, entry)
        return {**derived, **found}

    def by_digest(self, digest: str) -> Optional[Entry]:
        """The first entry of that digest."""
        return next((entry for entry in self.entries if entry['digest'] == digest), None)

    def only_unnamed(self) -> Optional[Entry]:
        """The only entry, if it has no name: who makes a layout of one image need not name it."""
        if len(self.entries) != 1 or _name_and_tag(self.entries[0])[0] is not None:
            return None
        return self.entries[0]

    def add(self, entry: Entry) -> None:
        """List something without a tag, unless it is listed."""
        if self.by_digest(entry['digest']) is None:
            self.entries.append(entry)

    def tag(self, tag: str, entry: Entry) -> None:
        """Let a tag stand for something; what it stood for stays listed."""
        current = self.tags().get(tag)
        if current is not None and current['digest'] == entry['digest']:
            return
        self.untag(tag)
        for listed in self.entries:
            if listed['digest'] == entry['digest'] and _name_and_tag(listed)[0] is None:
                break
        else:
            listed = entry
            self.entries.append(listed)
        listed['annotations'] = {**_annotations(listed), _REF_NAME: tag}

    def untag(self, tag: str) -> bool:
        """Take a tag away; what it stood for stays listed.

        :returns: whether there was such a tag
        """
        named = [entry for entry in self.entries if _name_and_tag(entry)[1] == tag]
        for entry in named:
            if sum(other['digest'] == entry['digest'] for other in self.entries) > 1:
                self._remove(entry)
            else:
                _unname(entry)
        return bool(named)

    def _remove(self, entry: Entry) -> None:
        # By identity: two entries may say the same.
        self.entries[:] = [other for other in self.entries if other is not entry]

    def delete(self, digest: str) -> None:
        """Don't list that any more, under no tag."""
        self.entries[:] = [entry for entry in self.entries if entry['digest'] != digest]

    def leave_out(self, reachable: Container[str]) -> None:
        """Don't list what is to be found through something listed, if all it has is a digest."""
        self.entries[:] = [
            entry
            for entry in self.entries
            if entry['digest'] not in reachable or not _is_plain(entry)
        ]


# What an entry is made of that says no more than its digest does.
_PLAIN_FIELDS = frozenset({'mediaType', 'digest', 'size', 'artifactType'})


def media_type(entry: Entry) -> Optional[str]:
    """The media type that an entry says it is of, if it is spelt like one."""
    value = entry.get('mediaType')
    return value if isinstance(value, str) and is_media_type(value) else None


def _check(entry: Any, path: str, name: str) -> None:
    if not isinstance(entry, dict):
        raise DXFInvalidManifestError(path, 'is not an object', name)
    digest = entry.get('digest')
    # Where it is kept is made from it.
    if not isinstance(digest, str) or not digests.is_digest(digest):
        raise DXFInvalidManifestError(path + '.digest', 'is not a digest', name)
    if not isinstance(entry.get('annotations') or {}, dict):
        raise DXFInvalidManifestError(path + '.annotations', 'is not an object', name)


def _is_plain(entry: Entry) -> bool:
    return _PLAIN_FIELDS.issuperset(entry)


def _annotations(entry: Entry) -> Dict[str, Any]:
    return entry.get('annotations') or {}


def _name_and_tag(entry: Entry) -> Tuple[Optional[str], Optional[str]]:
    """An entry's name, and the tag that this is or has in it."""
    name = _annotations(entry).get(_REF_NAME)
    if not isinstance(name, str) or not name:
        return None, None
    tag = name.rpartition(':')[2] if '@' not in name else ''
    try:
        return name, check_alias(tag)
    except DXFInvalidNameError:
        return name, None


def _unname(entry: Entry) -> None:
    kept = {
        key: value
        for key, value in _annotations(entry).items()
        if key not in (_REF_NAME, _IMAGE_NAME)
    }
    if kept:
        entry['annotations'] = kept
    else:
        entry.pop('annotations', None)
