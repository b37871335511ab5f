"""Manifests and indexes: their media types, making them, picking them apart.

Pure: text in, values out. The formats are those of the OCI image specification
1.1 and of Docker's image manifest version 2, schema 2; schema 1 is in
:mod:`dxf.schema1`.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple, Union

from . import indexes
from .exceptions import DXFInvalidManifestError, DXFUnsupportedSchemaType
from .fields import Fields
from .indexes import Descriptor, Index, describe, is_attestation

__all__ = [
    'ACCEPT',
    'IMAGE_TYPES',
    'INDEX_TYPES',
    'SCHEMA1_TYPES',
    'Descriptor',
    'ImageManifest',
    'Index',
    'Manifest',
    'Schema1Manifest',
    'is_attestation',
    'load',
    'make',
    'media_type',
    'parse',
]

_schema1_mimetype = 'application/vnd.docker.distribution.manifest.v1+json'
_schema1_signed_mimetype = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
_schema2_mimetype = 'application/vnd.docker.distribution.manifest.v2+json'
_schema2_list_mimetype = 'application/vnd.docker.distribution.manifest.list.v2+json'
_oci_manifest_mimetype = 'application/vnd.oci.image.manifest.v1+json'
_oci_index_mimetype = 'application/vnd.oci.image.index.v1+json'

_schema2_config_mimetype = 'application/vnd.docker.container.image.v1+json'
_blob_mimetype = 'application/octet-stream'

SCHEMA1_TYPES = (_schema1_signed_mimetype, _schema1_mimetype)
IMAGE_TYPES = (_schema2_mimetype, _oci_manifest_mimetype)
INDEX_TYPES = (_schema2_list_mimetype, _oci_index_mimetype)

# All of them: a registry converts a manifest into one of the types that are
# accepted, or denies that it has it, if its own is not among them.
ACCEPT = ', '.join(IMAGE_TYPES + INDEX_TYPES + SCHEMA1_TYPES)


class ImageManifest:
    """A schema 2 or OCI manifest. What it names is checked when it is asked for."""

    def __init__(self, media_type: str, fields: Fields) -> None:
        self.media_type = media_type
        self._fields = fields

    @property
    def config(self) -> Descriptor:
        """The config blob."""
        return describe(self._fields.object('config'))

    @property
    def layers(self) -> List[Descriptor]:
        """The blobs, in order, duplicates kept."""
        return [describe(layer) for layer in self._fields.objects('layers')]


class Schema1Manifest:
    """A schema 1 manifest, which has no config and no sizes."""

    def __init__(self, media_type: str, document: Dict[str, Any], fields: Fields) -> None:
        self.media_type = media_type
        self.document = document
        self._fields = fields

    @property
    def layers(self) -> List[str]:
        """The layers' digests, in the manifest's order."""
        return [layer.digest('blobSum') for layer in self._fields.objects('fsLayers')]


Manifest = Union[ImageManifest, Index, Schema1Manifest]


def load(text: Union[str, bytes], name: Optional[str] = None) -> Dict[str, Any]:
    """The JSON object that a manifest's text is.

    :param name: what errors call the manifest
    :raises DXFInvalidManifestError: if it is not a JSON object
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DXFInvalidManifestError('the text', 'is not JSON', name) from error
    if not isinstance(document, dict):
        raise DXFInvalidManifestError('the text', 'is not a JSON object', name)
    return document


def media_type(
    document: Dict[str, Any], content_type: Optional[str] = None, name: Optional[str] = None
) -> str:
    """A manifest's media type.

    Its own ``mediaType`` decides; where there is none, the answer's
    ``Content-Type`` does if it is one that manifests have; else the shape.

    :param name: what errors call the manifest
    :raises DXFInvalidManifestError: if its own is no string
    :raises DXFUnsupportedSchemaType: if it can't be told
    """
    own = Fields(document, '', name).optional_string('mediaType')
    if own is not None:
        return own
    header = (content_type or '').partition(';')[0].strip().lower()
    if document.get('schemaVersion') == 1 or 'fsLayers' in document:
        return _schema1_signed_mimetype if 'signatures' in document else _schema1_mimetype
    if header in IMAGE_TYPES + INDEX_TYPES:
        return header
    if 'manifests' in document:
        return _oci_index_mimetype
    if 'layers' in document or 'config' in document:
        return _oci_manifest_mimetype
    raise DXFUnsupportedSchemaType(header or None)


def parse(
    text: Union[str, bytes], content_type: Optional[str] = None, name: Optional[str] = None
) -> Manifest:
    """Pick a manifest apart.

    :param text: the manifest, as a registry gave it
    :param content_type: the answer's ``Content-Type``, if there was an answer
    :param name: what errors call the manifest: its tag or digest
    :raises DXFInvalidManifestError: if a field is missing or wrong
    :raises DXFUnsupportedSchemaType: if it is of a type that dxf does not know
    """
    document = load(text, name)
    kind = media_type(document, content_type, name)
    fields = Fields(document, '', name)
    if kind in SCHEMA1_TYPES:
        return Schema1Manifest(kind, document, fields)
    if kind in INDEX_TYPES:
        return indexes.parse(kind, fields)
    if kind in IMAGE_TYPES:
        return ImageManifest(kind, fields)
    raise DXFUnsupportedSchemaType(kind)


def make(layers: List[Tuple[str, int]]) -> str:
    """A schema 2 manifest's text.

    :param layers: each blob's digest and size in bytes; the first is the config too
    """
    first_digest, first_size = layers[0]
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': _schema2_mimetype,
            'config': {
                'mediaType': _schema2_config_mimetype,
                'size': first_size,
                'digest': first_digest,
            },
            'layers': [
                {'mediaType': _blob_mimetype, 'size': size, 'digest': digest}
                for digest, size in layers
            ],
        },
        sort_keys=True,
    )
