"""Pulling artifacts: files under their own names, and nowhere else."""

import os
from contextlib import ExitStack
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from . import artifact_manifests, blocks, manifests
from .blobs import Progress
from .digests import READ_SIZE
from .downloads import Download
from .exceptions import (
    DXFConfigurationError,
    DXFNoFilesError,
    DXFUnsupportedSchemaType,
)
from .manifests import Descriptor
from .naming import Filename
from .paths import Parts, check_distinct, join
from .places import check_place, merge, place, set_modes
from .rooms import Room, room
from .tags import Tags

# What a folder may always be when it is unpacked, in bytes, and how many times as large as
# packed: a few kilobytes could fill the disk.
_UNPACKED_SIZE = 1024 * 1024 * 1024
_UNPACKED_RATIO = 200


class _File(NamedTuple):
    """What is to be pulled."""

    parts: Parts  # what it is called
    layer: Descriptor

    @property
    def is_folder(self) -> bool:
        return artifact_manifests.is_folder(self.layer)


class ArtifactPulls(Tags):
    """Operations that read artifacts."""

    def pull(
        self,
        alias: str,
        folder: Filename = '.',
        platform: Optional[str] = None,
        progress: Optional[Progress] = None,
    ) -> List[str]:
        """Fetch an artifact's files, under their own names.

        Each file appears when it is whole and right, and takes the place of one that is there.
        Folders are unpacked beside, and then moved to where they belong. Nothing is written
        outside of ``folder``; a folder takes up 200 times the size of its archive at most,
        or 1 GiB if that is more.

        :param alias: a tag or a digest
        :param folder: where they are to be, made if need be
        :param platform: which ones to fetch of a multi-arch alias
        :param progress: as in :meth:`save_blobs`, called by several threads
        :returns: the files' and folders' paths
        :raises DXFNoFilesError: if nothing in the artifact has a name
        :raises DXFUnsafePathError: if something would be written elsewhere or to a device, is
            neither a file, a folder nor a link, or is there twice
        :raises DXFInvalidArchiveError: if a folder can't be unpacked
        :raises DXFSizeMismatchError: if a file has not the size that the manifest says
        :raises DXFDigestMismatchError: if it has not the digest
        :raises DXFConfigurationError: if the alias is for several platforms, and none is given
        :raises DXFUnsupportedSchemaType: if it is of schema 1
        :raises OSError: if a file can't be written
        """
        files = self._files_of(alias, platform)
        name = os.fsdecode(folder)
        os.makedirs(name, exist_ok=True)
        root = os.path.realpath(name)
        for file in files:
            path = place(root, file.parts)
            if not file.is_folder:
                check_place(path, file.parts)
        with ExitStack() as stack:
            staged = {
                file.parts: stack.enter_context(room(root)) for file in files if file.is_folder
            }

            def fetch(same: Sequence[_File]) -> None:
                for file in same:
                    if file.is_folder:
                        modes[file.parts] = self._unpack(file, staged[file.parts], progress)
                    else:
                        self._save(root, file, progress)

            modes: Dict[Parts, Dict[Parts, int]] = {}
            self._side_by_side(fetch, _by_digest(files))
            for parts, made in staged.items():
                # What was moved before may have links in it.
                merge(made.path, place(root, parts))
            for parts in staged:
                set_modes(place(root, parts), modes[parts])
        return [os.path.normpath(os.path.join(name, *file.parts)) for file in files]

    def _files_of(self, alias: str, platform: Optional[str]) -> List[_File]:
        text: Any = self.get_manifest(alias, platform)
        if isinstance(text, dict):
            if len(text) != 1:
                raise DXFConfigurationError(
                    'the alias is for several platforms: say for which one (DXF_PLATFORM)'
                )
            (text,) = text.values()
        manifest = manifests.parse(text, None, alias)
        if not isinstance(manifest, manifests.ImageManifest):
            raise DXFUnsupportedSchemaType(manifest.media_type)
        titled = artifact_manifests.titled(manifest, alias)
        if not titled:
            raise DXFNoFilesError(alias)
        names = check_distinct(
            (title, artifact_manifests.is_folder(layer)) for title, layer in titled
        )
        return [_File(parts, layer) for parts, (_, layer) in zip(names, titled)]

    def _save(self, root: str, file: _File, progress: Optional[Progress]) -> None:
        path, layer = place(root, file.parts), file.layer
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.save_blobs(path, [layer.digest], progress, {layer.digest: layer.size})

    def _unpack(self, file: _File, made: Room, progress: Optional[Progress]) -> Dict[Parts, int]:
        from .unpacking import unpack

        layer = file.layer
        download = Download(self._seam, layer.digest, self._retries, block_size=blocks.SMALL_SIZE)
        size = self._size_of(layer.digest, download, layer.size)
        chunks: Iterable[bytes] = download.chunks(READ_SIZE)
        if progress is not None:
            chunks = _reported(chunks, layer, progress)
        limit = max(_UNPACKED_SIZE, _UNPACKED_RATIO * size)
        unpacked_digest = layer.annotations.get(artifact_manifests.UNPACKED_DIGEST)
        modes = made.fill(
            chunks,
            lambda pieces: unpack(pieces, join(file.parts), made.path, limit, unpacked_digest),
        )
        if not file.parts:
            modes.pop((), None)  # where it all goes is not ours to close
        return modes


def _by_digest(files: Iterable[_File]) -> List[List[_File]]:
    """Files with the same content, side by side, would have one bar between them."""
    found: Dict[str, List[_File]] = {}
    for file in files:
        found.setdefault(file.layer.digest, []).append(file)
    return list(found.values())


def _reported(chunks: Iterable[bytes], layer: Descriptor, progress: Progress) -> Iterator[bytes]:
    progress(layer.digest, b'', layer.size)
    for chunk in chunks:
        progress(layer.digest, chunk, layer.size)
        yield chunk
