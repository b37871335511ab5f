"""Indexes that list other indexes, read as if they were one."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Set

from . import manifests
from .exceptions import DXFInvalidManifestError
from .indexes import Descriptor, Entry, Index, is_attestation

# How deep indexes may be nested, and how many there may be in one.
_MAX_DEPTH = 4
_MAX_NUMBER = 64

# Reads what descriptors describe.
Read = Callable[[Iterable[Descriptor]], List[manifests.Manifest]]


class Nesting:
    """An index, with what its indexes list in their places.

    :param read: reads those, if there are any
    :param name: what errors call the index
    :raises DXFInvalidManifestError: if there are too many, or they are nested too deep
    """

    def __init__(self, index: Index, read: Read, name: Optional[str] = None) -> None:
        self.index = index
        self._read = read
        self._name = name
        self._depth = 0
        self._taken: Set[str] = set()
        #: the digests of the indexes in it, outer ones first
        self.inner: List[str] = []
        self._read_all()

    def take(self, found: Mapping[str, manifests.Manifest]) -> None:
        """Have what indexes list in their places.

        :param found: by digest, what was read of what this one lists
        """
        self._depth += 1
        self._check(found)
        self._taken.update(found)
        self.inner += [digest for digest, one in found.items() if isinstance(one, Index)]
        entries = list(_opened(self.index.entries, found))
        self.index = Index.of(self.index.media_type, entries)
        self._read_all()

    def _read_all(self) -> None:
        inner: Dict[str, Descriptor] = {}
        entries = []
        for entry in self.index.entries:
            if entry.descriptor.digest in self._taken:
                # One that is listed again has nothing new in it.
                if entry.descriptor.media_type in manifests.INDEX_TYPES:
                    continue
            elif entry.descriptor.media_type in manifests.INDEX_TYPES:
                inner[entry.descriptor.digest] = entry.descriptor
            entries.append(entry)
        if len(entries) < len(self.index.entries):
            self.index = Index.of(self.index.media_type, entries)
        if inner:
            self._check(inner, self._depth + 1)
            self.take(dict(zip(inner, self._read(inner.values()))))

    def _check(self, found: Iterable[str], depth: int = 0) -> None:
        if max(depth, self._depth) > _MAX_DEPTH:
            raise self._error('has indexes that are nested too deep')
        if len(self._taken.union(found)) > _MAX_NUMBER:
            raise self._error('has too many indexes in it')

    def _error(self, problem: str) -> DXFInvalidManifestError:
        return DXFInvalidManifestError('manifests', problem, self._name)


def _opened(entries: Iterable[Entry], found: Mapping[str, manifests.Manifest]) -> Iterator[Entry]:
    """The entries, and those of the indexes among them once, in their places."""
    opened: Set[str] = set()
    for entry in entries:
        manifest = found.get(entry.descriptor.digest)
        if manifest is None:
            yield entry
        elif not isinstance(manifest, Index):
            described = entry.descriptor._replace(media_type=manifest.media_type)
            yield entry._replace(descriptor=described)
        elif entry.descriptor.digest not in opened:
            opened.add(entry.descriptor.digest)
            yield from _with_platform_of(entry, manifest.entries)


def _with_platform_of(outer: Entry, entries: List[Entry]) -> List[Entry]:
    """An inner index's entries: they know their platforms best, if they know any."""
    if not outer.platform or any(entry.platform for entry in entries):
        return entries
    return [
        entry
        if is_attestation(entry.descriptor)
        else entry._replace(platform=outer.platform, os_version=outer.os_version)
        for entry in entries
    ]


def unnested(index: Index, platform: str) -> Optional[Descriptor]:
    """The manifest for a platform, under that very name, if it comes before any inner index.

    What an inner index lists would come after it, so none need be read.
    """
    for entry in index.entries:
        if entry.descriptor.media_type in manifests.INDEX_TYPES:
            break
        if entry.platform and entry.platform == platform:
            return entry.descriptor
    return None
