"""Indexes and manifest lists: descriptors, and the platforms that they are for."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from . import platforms
from .exceptions import DXFPlatformDataNotFound
from .fields import Fields

_ATTESTATION = ('vnd.docker.reference.type', 'attestation-manifest')


class Descriptor(NamedTuple):
    """What a manifest says of one piece of content (OCI "Content Descriptors")."""

    #: the content's digest
    digest: str
    #: its size in bytes
    size: int
    #: what it is, if that is said
    media_type: Optional[str] = None
    #: what else is said of it, by key
    annotations: Dict[str, Any] = {}
    #: if it is a manifest, what that is of, if that is said
    artifact_type: Optional[str] = None
    #: if an index lists it, the name of the platform that it is for, if it is for one
    platform: Optional[str] = None


class Entry(NamedTuple):
    """What an index lists."""

    descriptor: Descriptor
    platform: str  # '' where it has none
    os_version: Optional[str]


class Index(NamedTuple):
    """A manifest list or an OCI index.

    ``platforms`` has each platform's manifest under the platform's name.
    ``manifests`` has all that the index lists, attestations too.
    """

    media_type: str
    manifests: List[Descriptor]
    platforms: Dict[str, Descriptor]
    entries: List[Entry]

    @classmethod
    def of(cls, media_type: str, entries: Sequence[Entry]) -> Index:
        """One that lists these."""
        manifests = [
            entry.descriptor._replace(platform=entry.platform or None)
            for entry in _told_apart(entries)
        ]
        found = {one.platform: one for one in manifests if one.platform} or {
            # An index of artifacts has no platforms: its entries go by their digests.
            one.digest: one
            for one in manifests
            if not is_attestation(one)
        }
        return cls(media_type, manifests, found, list(entries))

    def choose(self, platform: str) -> Descriptor:
        """The manifest for a platform, spelt as the index spells it or otherwise.

        :raises DXFPlatformDataNotFound: if there is none
        """
        if not isinstance(platform, str):
            # It has no name that could be compared.
            raise DXFPlatformDataNotFound(platform)
        if platform in self.platforms:
            return self.platforms[platform]
        for name, descriptor in self.platforms.items():
            if platforms.same(platform, name):
                return descriptor
        # A version of the system may be asked for where it tells nothing apart.
        for entry, descriptor in zip(self.entries, self.manifests):
            if descriptor.platform and platforms.same(platform, _with_os_version(entry)):
                return descriptor
        raise DXFPlatformDataNotFound(platform)


def describe(fields: Fields) -> Descriptor:
    """A descriptor, out of its fields."""
    return Descriptor(
        fields.digest('digest'),
        fields.size('size'),
        fields.optional_string('mediaType'),
        fields.mapping('annotations'),
        fields.optional_string('artifactType'),
    )


def parse(media_type: str, fields: Fields) -> Index:
    """An index, out of its fields."""
    return Index.of(media_type, [_entry(entry) for entry in fields.objects('manifests')])


def is_attestation(descriptor: Descriptor) -> bool:
    """Whether BuildKit put it into the index to attest to another entry."""
    name, value = _ATTESTATION
    return descriptor.annotations.get(name) == value


def _entry(fields: Fields) -> Entry:
    descriptor = describe(fields)
    platform = fields.object('platform') if fields.has('platform') else None
    if platform is None or platform.is_empty() or is_attestation(descriptor):
        return Entry(descriptor, '', None)
    parts = [platform.string('os'), platform.string('architecture')]
    # A Go program's platform that was never set has empty strings in it.
    if parts in (['unknown', 'unknown'], ['', '']):
        return Entry(descriptor, '', None)
    if platform.has('variant') and platform.string('variant'):
        parts.append(platform.string('variant'))
    return Entry(descriptor, '/'.join(parts), platform.optional_string('os.version'))


def _told_apart(entries: Sequence[Entry]) -> List[Entry]:
    """The entries, where those that share a platform are named more finely."""
    named = list(entries)
    for finer in (_with_os_version, _with_digest):
        # One that is listed twice is no twin of its own.
        distinct = {(entry.platform, entry.os_version, entry.descriptor.digest) for entry in named}
        shared = Counter(platform for platform, _, _ in distinct if platform)
        named = [
            entry._replace(platform=finer(entry)) if shared[entry.platform] > 1 else entry
            for entry in named
        ]
    return named


def _with_os_version(entry: Entry) -> str:
    """As containerd writes it: ``windows(10.0.20348.2700)/amd64``."""
    if not entry.os_version:
        return entry.platform
    system, _, rest = entry.platform.partition('/')
    return f'{system}({entry.os_version})/{rest}'


def _with_digest(entry: Entry) -> str:
    return f'{entry.platform}@{entry.descriptor.digest}'
