"""Copying what an alias stands for to another repository, in the same registry or elsewhere."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Union

from requests.exceptions import HTTPError

from . import digests, manifests, referrers
from .answers import is_not_found
from .attachments import Attachments
from .base import DXFBase
from .blobs import Progress, _report_of_file
from .downloads import Download, Mark
from .exceptions import (
    DXFInvalidManifestError,
    DXFMountFailed,
    DXFSchema1RefusedError,
    DXFUnauthorizedError,
)
from .indexes import Descriptor
from .names import check_alias, layouts
from .relays import BLOCK_SIZE, Relay, SourceError

_TYPES = manifests.IMAGE_TYPES + manifests.INDEX_TYPES + manifests.SCHEMA1_TYPES

# How many of an index's manifests are held in memory at a time.
_MANIFESTS_AT_A_TIME = 8

# How deep indexes may be nested.
_MAX_DEPTH = 4

# What may not be given away, which such layers' types say (image specification 1.1,
# "Non-Distributable Layers"), and Docker's.
_NOT_DISTRIBUTABLE = (
    'application/vnd.oci.image.layer.nondistributable.v1.',
    'application/vnd.docker.image.rootfs.foreign.',
)


class _Found(NamedTuple):
    """A manifest that is to be copied."""

    reference: str  # what it was asked for by
    digest: str
    content: bytes
    manifest: manifests.Manifest


class _Blob(NamedTuple):
    """A blob that is to be copied."""

    digest: str
    size: Optional[int]  # in bytes; None if it is not said
    is_distributable: bool = True
    is_elsewhere: bool = False  # it can be had by URLs, and need not be in the registry


class Copies(Attachments):
    """Operations on two repositories."""

    def copy(
        self,
        reference: str,
        target: Copies,
        alias: Optional[str] = None,
        referrers: bool = False,
        progress: Optional[Progress] = None,
    ) -> str:
        """Copy what an alias stands for to another repository.

        Manifests are copied byte for byte, so that all digests stay what they are, and indexes
        with all that they list. In the same registry blobs are mounted. Between registries,
        each of which may be a folder of image layouts, they go through memory, several at a
        time and a few MiB in all, and are compared with their digests and sizes meanwhile.
        What is there is not sent. Manifests come after what they refer to, and the alias
        comes last: where copying was cut, the target has blobs and manifests without a name,
        which another call goes on from.

        A schema 1 manifest is copied as it is too, if the target takes it. Layers that are not
        to be distributed, as those of Windows once were, are not sent to another registry
        (image specification 1.1, "Non-Distributable Layers").

        :param reference: a tag or a digest
        :param target: the other repository
        :param alias: a tag, the name there; by default the same one, or none for a digest
        :param referrers: copy what refers to the manifest too, and to what it lists, and to
            these, as signatures do
        :param progress: called with digest, piece and total size in bytes of each blob that is
            sent, at first with an empty piece; by several threads
        :returns: the manifest's digest
        :raises DXFInvalidNameError: if the alias can't be one
        :raises requests.exceptions.HTTPError: if something is not there, or is refused
        :raises DXFDigestMismatchError: if what comes has another digest
        :raises DXFSizeMismatchError: if it has another size than the manifest says
        :raises DXFInvalidManifestError: if a manifest lacks something
        :raises DXFUnsupportedSchemaType: if one is of a type that dxf does not know
        :raises DXFSchema1RefusedError: if the target does not take schema 1
        """
        if alias is None and not digests.is_digest(reference):
            alias = reference
        if alias:
            check_alias(alias)
        is_same = _is_same_registry(self, target)
        if is_same and self._repository == target._repository:
            return self._tag(reference, [alias] if alias else [], target)
        found = _find(self, reference)
        copying = _Copying(self, target, is_same, progress)
        copying.bring(found)
        if referrers:
            copying.bring_referrers(found.digest)
        copying.put(found, alias or found.reference)
        return found.digest


class _Copying:
    """One call of :meth:`Copies.copy`."""

    def __init__(
        self, source: Copies, target: Copies, may_mount: bool, progress: Optional[Progress]
    ) -> None:
        self._source = source
        self._target = target
        self._may_mount = may_mount
        self._progress = progress
        self._seen_to: Set[str] = set()  # blobs
        self._manifests: Dict[str, None] = {}  # those that were put, in order

    def bring(self, found: _Found, depth: int = 0) -> None:
        """Have all in the target that a manifest refers to."""
        if not isinstance(found.manifest, manifests.Index):
            self._bring_blobs(_blobs(found))
            return
        if depth > _MAX_DEPTH:
            raise DXFInvalidManifestError(
                'manifests', 'has indexes that are nested too deep', found.reference
            )
        listed = {
            one.digest: one
            for one in found.manifest.manifests
            if one.digest not in self._manifests
        }
        for some in _in_batches(list(listed.values())):
            self._bring_listed(some, depth)

    def _bring_listed(self, listed: List[Descriptor], depth: int) -> None:
        wanted: List[_Blob] = []
        children: List[_Found] = []
        for child in self._beside(self._child, listed):
            if isinstance(child, _Blob):
                wanted.append(child)
                continue
            children.append(child)
            if isinstance(child.manifest, manifests.Index):
                self.bring(child, depth + 1)
            else:
                wanted += _blobs(child)
        self._bring_blobs(wanted)
        self._beside(lambda child: self.put(child, child.reference), children)

    def _child(self, one: Descriptor) -> Union[_Found, _Blob]:
        """What an index lists: a manifest as a rule, but others are allowed, as for caches."""
        if one.media_type not in (None, *_TYPES) and self._source._exists(one.digest):
            return _Blob(one.digest, one.size)
        return _find(self._source, one.digest, one.size)

    def put(self, found: _Found, reference: str) -> None:
        """Store a manifest, and have it listed where it refers to another one."""
        about = referrers.subject(found.content, found.reference)
        kind = found.manifest.media_type
        try:
            response = self._target._put(reference, found.content, kind)
        except HTTPError as error:
            if isinstance(found.manifest, manifests.Schema1Manifest):
                raise DXFSchema1RefusedError(str(error), error.response) from error
            raise
        self._manifests[found.digest] = None
        if about is not None and 'OCI-Subject' not in response.headers:
            entry = referrers.entry(found.content, found.digest, kind)
            self._target._list_referrer(about, entry)

    # Referrers

    def bring_referrers(self, root: str) -> None:
        """Have all in the target that refers to what was brought, and to that."""
        asked: Set[str] = set()
        while True:
            subjects = [one for one in (root, *self._manifests) if one not in asked]
            if not subjects:
                return
            asked.update(subjects)
            for subject, listed in zip(
                subjects, self._beside(self._source.list_referrers, subjects)
            ):
                for one in listed:
                    if one.digest != root and one.digest not in self._manifests:
                        self._bring_referrer(subject, one)

    def _bring_referrer(self, subject: str, one: Descriptor) -> None:
        try:
            found = _find(self._source, one.digest, one.size)
        except HTTPError as error:
            if not is_not_found(error):
                raise
            return  # a list that is kept by a tag can be behind
        if referrers.subject(found.content, found.reference) == subject:
            self.bring(found)
            self.put(found, found.reference)

    # Blobs

    def _bring_blobs(self, wanted: Iterable[_Blob]) -> None:
        todo = {blob.digest: blob for blob in wanted if blob.digest not in self._seen_to}
        if todo and self._may_mount and not self._seen_to:
            # One by itself: where mounting is refused, the others need not ask. The first is a
            # configuration as a rule, and so is soon sent.
            self._bring_blob(todo[next(iter(todo))])
            self._seen_to.add(next(iter(todo)))
        self._beside(
            self._bring_blob, [blob for blob in todo.values() if blob.digest not in self._seen_to]
        )
        self._seen_to.update(todo)

    def _bring_blob(self, blob: _Blob) -> None:
        if self._mount(blob.digest) or not blob.is_distributable:
            return
        if self._target._exists(blob.digest):
            return
        if blob.is_elsewhere and not self._source._exists(blob.digest):
            return
        self._send(blob)
        # It was there to be mounted, had the registry been willing.
        self._may_mount = False

    def _mount(self, digest: str) -> bool:
        if not self._may_mount or not self._source._repo:
            return False
        try:
            self._target.mount_blob(self._source._repo, digest)
        except DXFMountFailed:
            return False
        except (HTTPError, DXFUnauthorizedError):
            # Who may read one repository and write another need not be let to do both at once.
            self._may_mount = False
            return False
        return True

    def _send(self, blob: _Blob) -> None:
        source = self._source

        def start(since: Optional[Mark]) -> Download:
            return Download(
                source._seam, blob.digest, source._retries, block_size=BLOCK_SIZE, since=since
            )

        download = start(None)
        size = source._size_of(blob.digest, download, blob.size)
        relay = Relay(start, download, blob.digest, size)
        report = self._progress and partial(_report_of_file, self._progress, size)
        try:
            self._target._push(
                relay, blob.digest, False, report, report and partial(report, piece=b'')
            )
        except SourceError as failure:
            raise failure.error from failure.error.__cause__
        finally:
            relay.close()

    def _beside(self, function: Callable[[Any], Any], items: Iterable[Any]) -> List[Any]:
        """Each item's result, in order; one after another where requests are not dxf's own."""
        if self._target._is_replaced():
            return [function(item) for item in items]
        return self._source._side_by_side(function, items)


def _find(source: Copies, reference: str, size: Optional[int] = None) -> _Found:
    """A manifest, if it is as long as it is said to be."""
    response, digest = source._get_with_digest(reference)
    content = response.content
    manifest = manifests.parse(content, response.headers.get('Content-Type'), reference)
    # Some say of a signed one how long it is without its signatures.
    if not isinstance(manifest, manifests.Schema1Manifest):
        digests.check_size(reference, len(content), size)
    return _Found(reference, digest, content, manifest)


def _blobs(found: _Found) -> List[_Blob]:
    """What a manifest that is no index is made of."""
    if isinstance(found.manifest, manifests.Schema1Manifest):
        return [_Blob(digest, None) for digest in found.manifest.layers]
    if isinstance(found.manifest, manifests.Index):
        return []
    config = found.manifest.config
    listed = manifests.load(found.content, found.reference).get('layers')
    layers = found.manifest.layers if listed is not None else []
    return [
        _Blob(config.digest, config.size),
        *(
            _Blob(
                layer.digest,
                layer.size,
                not (layer.media_type or '').startswith(_NOT_DISTRIBUTABLE),
                bool(fields.get('urls')),
            )
            for layer, fields in zip(layers, listed or [])
        ),
    ]


def _in_batches(items: List[Descriptor]) -> Iterator[List[Descriptor]]:
    for first in range(0, len(items), _MANIFESTS_AT_A_TIME):
        yield items[first : first + _MANIFESTS_AT_A_TIME]


def _is_same_registry(one: DXFBase, other: DXFBase) -> bool:
    folder, other_folder = layouts(one._host), layouts(other._host)
    if folder is None or other_folder is None:
        return folder == other_folder and one._base_url == other._base_url
    return os.path.realpath(folder) == os.path.realpath(other_folder)
