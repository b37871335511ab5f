"""Manifests of artifacts: files under their own names (OCI image specification 1.1, "Guidelines
for Artifact Usage").

Pure: values in, text out; and the other way round.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from .exceptions import DXFConfigurationError, DXFInvalidManifestError, DXFInvalidNameError
from .manifests import Descriptor, ImageManifest, _oci_manifest_mimetype
from .names import is_media_type

ARTIFACT_TYPE = 'application/vnd.unknown.artifact.v1'

# What files are taken for where nobody says otherwise: oras' choice, for what it pulls.
FILE_TYPE = 'application/vnd.oci.image.layer.v1.tar'
FOLDER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip'

TITLE = 'org.opencontainers.image.title'
CREATED = 'org.opencontainers.image.created'
# These are oras' own.
UNPACK = 'io.deis.oras.content.unpack'
UNPACKED_DIGEST = 'io.deis.oras.content.digest'

EMPTY = b'{}'
_EMPTY_DESCRIPTOR = {
    'mediaType': 'application/vnd.oci.empty.v1+json',
    'digest': 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    'size': len(EMPTY),
    'data': 'e30=',
}


def check_media_type(media_type: str) -> str:
    """The media type given, if it is one.

    :raises DXFInvalidNameError: if it is not
    """
    if not is_media_type(media_type):
        raise DXFInvalidNameError(
            'media type',
            media_type,
            'it is two names with a / between them, as in text/plain; after the name of a file '
            'that has a colon in it, add another colon',
        )
    return media_type


def check_annotations(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """The annotations given, if they are such.

    :raises DXFConfigurationError: if they are not
    """
    for name, value in annotations.items():
        if not name or not isinstance(name, str) or not isinstance(value, str):
            raise DXFConfigurationError(f'the annotation {name!r} is not a string with a name')
    return annotations


class Layer(NamedTuple):
    """A file, or a folder."""

    title: str
    media_type: str
    digest: str
    size: int  # in bytes
    unpacked_digest: Optional[str] = None  # a folder's

    def entry(self) -> Dict[str, Any]:
        """How a manifest lists it."""
        annotations = {TITLE: self.title}
        if self.unpacked_digest is not None:
            annotations.update({UNPACK: 'true', UNPACKED_DIGEST: self.unpacked_digest})
        return {
            'mediaType': self.media_type,
            'digest': self.digest,
            'size': self.size,
            'annotations': annotations,
        }


def make(
    layers: List[Layer],
    artifact_type: str,
    annotations: Mapping[str, str],
    subject: Optional[Descriptor] = None,
) -> str:
    """An artifact's manifest, as JSON text.

    :param layers: the files; there may be none
    :param subject: what it is attached to, if it is to something
    """
    document: Dict[str, Any] = {
        'schemaVersion': 2,
        'mediaType': _oci_manifest_mimetype,
        'artifactType': artifact_type,
        'config': _EMPTY_DESCRIPTOR,
        # Not every registry takes a manifest without any.
        'layers': [layer.entry() for layer in layers] or [_EMPTY_DESCRIPTOR],
    }
    if subject is not None:
        document['subject'] = {
            'mediaType': subject.media_type,
            'digest': subject.digest,
            'size': subject.size,
        }
    document['annotations'] = dict(annotations)
    return json.dumps(document)


def titled(manifest: ImageManifest, name: str) -> List[Tuple[str, Descriptor]]:
    """The layers that say what their files are called, and those names.

    :param name: what errors call the manifest
    :raises DXFInvalidManifestError: if an annotation is no string
    """
    found = []
    for number, layer in enumerate(manifest.layers):
        for key in (TITLE, UNPACK, UNPACKED_DIGEST):
            if not isinstance(layer.annotations.get(key, ''), str):
                raise DXFInvalidManifestError(
                    f'layers[{number}].annotations.{key}', 'is not a string', name
                )
        if layer.annotations.get(TITLE):
            found.append((layer.annotations[TITLE], layer))
    return found


def is_folder(layer: Descriptor) -> bool:
    """Whether a layer is a folder, to be unpacked."""
    return layer.annotations.get(UNPACK) == 'true'
