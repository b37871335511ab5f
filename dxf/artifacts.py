"""Artifacts: files under their own names."""

import os
from typing import Any, Iterable, List, Mapping, NamedTuple, Optional, Union

from . import artifact_manifests, dates, digests, manifests
from .artifact_manifests import ARTIFACT_TYPE, CREATED, FILE_TYPE, FOLDER_TYPE, Layer
from .artifact_pulls import ArtifactPulls
from .blobs import Progress
from .manifests import Descriptor
from .names import check_alias
from .naming import Filename
from .paths import check_distinct
from .rooms import room

Filenames = Union[Filename, Iterable[Filename]]


class _Source(NamedTuple):
    """What is to be pushed."""

    name: str  # as it was given
    title: str  # the same, as a manifest has it
    path: str  # where it is


class Artifacts(ArtifactPulls):
    """Operations on artifacts (OCI image specification 1.1, "Guidelines for Artifact Usage")."""

    def push(
        self,
        alias: str,
        filenames: Filenames,
        artifact_type: Optional[str] = None,
        annotations: Optional[Mapping[str, str]] = None,
        media_types: Optional[Mapping[Any, str]] = None,
        progress: Optional[Progress] = None,
    ) -> str:
        """Store files and folders under an alias, with their names, as an artifact.

        :param alias: the name, a tag
        :param filenames: relative paths, or one, which are what the files are called when they
            are pulled; or a mapping, from what they are to be called to any paths. A folder
            becomes a gzipped tar archive, made in a temporary file.
        :param artifact_type: what they are, a media type;
            ``application/vnd.unknown.artifact.v1`` by default
        :param annotations: of the artifact
        :param media_types: what type each file is of, by its relative path or by what it is
            to be called, where that is to be said
        :param progress: as in :meth:`push_blob`, called by several threads
        :returns: the manifest's digest
        :raises DXFUnsafePathError: if something could not be pulled: what is called by an
            absolute path or one that leads up, what is there twice, a link out of a folder
        :raises DXFInvalidNameError: if the alias or a media type is none
        :raises DXFConfigurationError: if an annotation is no string
        :raises OSError: if a file can't be read
        """
        # The registry would say so when all has been sent.
        check_alias(alias)
        text = self._make_artifact(filenames, artifact_type, annotations, media_types, progress)
        content = text.encode('utf-8')
        self._put(alias, content, manifests._oci_manifest_mimetype)
        return digests.hash_bytes(content)

    def _make_artifact(
        self,
        filenames: Filenames,
        artifact_type: Optional[str],
        annotations: Optional[Mapping[str, str]],
        media_types: Optional[Mapping[Any, str]],
        progress: Optional[Progress],
        subject: Optional[Descriptor] = None,
    ) -> str:
        """Push what an artifact is made of, and make its manifest."""
        what = artifact_manifests.check_media_type(artifact_type or ARTIFACT_TYPE)
        kinds = {
            os.fsdecode(name): artifact_manifests.check_media_type(value)
            for name, value in (media_types or {}).items()
        }
        notes = {CREATED: dates.now()}
        notes.update(artifact_manifests.check_annotations(annotations or {}))

        def push(source: _Source) -> Layer:
            if os.path.isdir(source.path):
                return self._push_folder(source, kinds.get(source.name, FOLDER_TYPE), progress)
            digest = self.push_blob(source.path, progress)
            kind = kinds.get(source.name, FILE_TYPE)
            return Layer(source.title, kind, digest, self._size(digest))

        layers = self._side_by_side(push, _sources(filenames))
        self.push_blob(data=artifact_manifests.EMPTY)
        return artifact_manifests.make(layers, what, notes, subject)

    def _push_folder(self, source: _Source, kind: str, progress: Optional[Progress]) -> Layer:
        # Slow to import, and of no use to who pushes a file.
        from .folders import pack

        with room() as made:
            packed = os.path.join(made.path, 'folder')
            with open(packed, 'wb') as file:
                unpacked_digest = pack(source.path, source.title, file, dates.source_date())
            digest = self.push_blob(packed, progress)
            size = os.path.getsize(packed)
            return Layer(source.title, kind, digest, size, unpacked_digest)

    def _size(self, digest: str) -> int:
        return self._sizes[digest] if digest in self._sizes else self.blob_size(digest)


def _sources(filenames: Filenames) -> List[_Source]:
    """What is to be pushed, if it could be pulled again."""
    if isinstance(filenames, (str, bytes, os.PathLike)):
        filenames = [filenames]
    named = filenames.items() if isinstance(filenames, Mapping) else ((f, f) for f in filenames)
    found = []
    for name, path in named:
        name = os.fsdecode(name)
        found.append(_Source(name, os.path.normpath(name).replace(os.sep, '/'), os.fsdecode(path)))
    check_distinct((source.title, os.path.isdir(source.path)) for source in found)
    return found
