"""One OCI image layout: the manifests that it lists, and the blobs beside them.

What others wrote is read, in whichever of the ways that the specification leaves
open (OCI image specification 1.1, "Image Layout").
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, Iterator, List, Optional, Tuple

from .. import digests, manifests
from ..exceptions import DXFInvalidManifestError
from .index import Entry, LayoutIndex, media_type
from .manifests import Stored, children, references, referrer, stored
from .refusals import Refused
from .storage import INDEX_FILE, Storage
from .subjects import Subjects

# The most that a manifest has, in bytes: registries may refuse larger ones, and
# the other readers of layouts do.
MAX_MANIFEST_SIZE = 4 * 1024 * 1024

# What an image without a name is called, as by Docker.
_DEFAULT_TAG = 'latest'


class Layout:
    """An image layout.

    :param files: its files; the folder need not be there, or be one
    :param subjects: what may be known of it from before
    """

    def __init__(self, files: Storage, subjects: Subjects) -> None:
        self.files = files
        self._subjects = subjects

    # What is there

    def index(self) -> LayoutIndex:
        """What the layout lists.

        :raises Refused: if there is no layout, or what it lists can't be told
        """
        self.files.check()
        content = self.files.read_index()
        if content is None:
            return LayoutIndex.empty()
        try:
            index = LayoutIndex.parse(content, os.path.join(self.files.path, INDEX_FILE))
        except DXFInvalidManifestError as error:
            raise Refused('LAYOUT_INVALID', str(error)) from error
        # Who makes a layout of one image need not name it. Where dxf has written,
        # what has no name has lost it, or was given none.
        unnamed = index.only_unnamed()
        if unnamed is not None and not self.files.wrote_index():
            index.tag(_DEFAULT_TAG, unnamed)
        return index

    def open_blob(self, digest: str) -> Tuple[IO[bytes], int]:
        """A blob's content, and its size in bytes.

        :raises Refused: if there is none
        """
        self.files.check()
        found = self.files.open_blob(digest)
        if found is None:
            raise _no_blob(digest)
        return found

    def find(self, reference: str) -> Stored:
        """A manifest.

        One that is not listed is found too, by its digest: an index's need not be,
        beside the index.

        :param reference: a tag or a digest
        :raises Refused: if there is none
        """
        index = self.index()
        if digests.is_digest(reference):
            found = self._by_digest(index, reference)
        else:
            entry = index.tags().get(reference)
            found = None if entry is None else self._listed(entry)
        if found is None:
            raise self._no_manifest(reference)
        return found

    def referrers(self, digest: str) -> List[Entry]:
        """What has a manifest as its subject ("Listing Referrers").

        :param digest: that manifest's, which need not be there
        """
        self.files.check()
        found = self._subjects.referring(self.files.state(), lambda: self._reachable(self.index()))
        manifests_found = map(self._listed, found.get(digest, []))
        return [referrer(manifest) for manifest in manifests_found if manifest is not None]

    def _manifest(self, digest: str, kind: Optional[str] = None) -> Optional[Stored]:
        try:
            found = self.files.open_blob(digest)
        except Refused:
            return None  # listed by what is no digest
        if found is None:
            return None
        file, size = found
        with file:
            return stored(file.read(), digest, kind) if size <= MAX_MANIFEST_SIZE else None

    def _listed(self, entry: Entry) -> Optional[Stored]:
        return self._manifest(entry['digest'], media_type(entry))

    def _by_digest(self, index: LayoutIndex, digest: str) -> Optional[Stored]:
        entry = index.by_digest(digest)
        found = self._manifest(digest) if entry is None else self._listed(entry)
        if found is not None:
            return found
        signed = (
            self._listed(entry)
            for entry in index.entries
            if media_type(entry) in manifests.SCHEMA1_TYPES
        )
        return next((one for one in signed if one is not None and one.name == digest), None)

    def _reachable(self, index: LayoutIndex) -> Iterator[Stored]:
        """The manifests that are listed, and those that these list, each once."""
        todo = list(index.entries)
        seen = set()
        for entry in todo:  # which grows meanwhile
            if entry['digest'] in seen:
                continue
            seen.add(entry['digest'])
            found = self._listed(entry)
            if found is not None:
                todo.extend(children(found))
                yield found

    # What is changed

    @contextmanager
    def _changing(self) -> Iterator[LayoutIndex]:
        """The index, to be changed and saved."""
        with self.files.locked():
            yield self.index()

    def put_manifest(self, manifest: Stored, tag: Optional[str]) -> None:
        """Store a manifest and list it.

        :param tag: what to call it, if anything
        :raises Refused: if something that it refers to is not there
        """
        missing = [digest for digest in references(manifest) if not self.files.has_blob(digest)]
        # Some keep an index of many platforms and the manifests of a few: it may be tagged.
        is_kept = manifest.media_type in manifests.INDEX_TYPES and self.files.has_blob(
            manifest.digest
        )
        if missing and not is_kept:
            raise Refused(
                'MANIFEST_BLOB_UNKNOWN',
                'the manifest refers to what is not there',
                *({'digest': digest} for digest in missing),
            )
        self.files.create()
        with self._changing() as index:
            self.files.write_blob(manifest.digest, manifest.content)
            if tag is None:
                index.add(manifest.entry())
            else:
                index.tag(tag, manifest.entry())
            # An index stands for what it lists: some tools take a layout only if
            # it is of one image.
            index.leave_out({child['digest'] for child in children(manifest)})
            self.files.write_index(index.text())

    def delete_tag(self, tag: str) -> None:
        """Take a tag away, and leave its manifest.

        :raises Refused: if there is no such tag
        """
        self.files.check()
        with self._changing() as index:
            if not index.untag(tag):
                raise self._no_manifest(tag)
            self.files.write_index(index.text())

    def delete_manifest(self, digest: str) -> None:
        """Delete a manifest and its tags, but nothing that it refers to.

        :raises Refused: if there is none
        """
        self.files.check()
        with self._changing() as index:
            manifest = self._by_digest(index, digest)
            if manifest is None:
                raise self._no_manifest(digest)
            index.delete(manifest.digest)
            # What was to be found through it alone is to be found all the same.
            listed = children(manifest)
            reachable = {one.digest for one in self._reachable(index)} if listed else ()
            for child in listed:
                orphan = self._listed(child)
                if orphan is not None and orphan.digest not in reachable:
                    index.add(orphan.entry())
            self.files.write_index(index.text())
            self.files.remove_blob(manifest.digest)

    def delete_blob(self, digest: str) -> None:
        """Delete a blob.

        :raises Refused: if there is none, or if it is a manifest
        """
        index = self.index()
        if not self.files.has_blob(digest):
            raise _no_blob(digest)
        if index.by_digest(digest) is not None or (
            self._manifest(digest) is not None
            and any(one.digest == digest for one in self._reachable(index))
        ):
            raise Refused(
                'UNSUPPORTED', 'it is a manifest, and to be deleted as one', {'digest': digest}
            )
        self.files.remove_blob(digest)

    def _no_manifest(self, reference: str) -> Refused:
        return Refused(
            'MANIFEST_UNKNOWN',
            f'there is no manifest {reference} in {self.files.path}',
            {'reference': reference},
        )


def _no_blob(digest: str) -> Refused:
    return Refused('BLOB_UNKNOWN', f'there is no blob {digest}', {'digest': digest})
