"""A manifest that every client takes for an image's: on a registry, or in a folder.

Each layer has a title, by which some clients name the file they write, and is of
a type that none of them unpacks or packs.
"""

import hashlib
import json
import os

MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json'
LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar'

# The name of the image in a layout.
REFERENCE = 'bench'


def digest_of(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def config(blobs):
    return json.dumps(
        {
            'architecture': 'amd64',
            'os': 'linux',
            'config': {},
            'rootfs': {'type': 'layers', 'diff_ids': [blob.digest for blob in blobs]},
        }
    ).encode()


def manifest(blobs):
    about = config(blobs)
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': MANIFEST_TYPE,
            'config': {'mediaType': CONFIG_TYPE, 'digest': digest_of(about), 'size': len(about)},
            'layers': [
                {
                    'mediaType': LAYER_TYPE,
                    'digest': blob.digest,
                    'size': blob.size,
                    'annotations': {'org.opencontainers.image.title': blob.path.name},
                }
                for blob in blobs
            ],
        }
    ).encode()


def make_layout(folder, blobs):
    """An OCI image layout of the blobs, whose files are the blobs' own under other names."""
    store = folder / 'blobs' / 'sha256'
    store.mkdir(parents=True)
    for blob in blobs:
        os.link(blob.path, store / blob.digest.partition(':')[2])
    text = manifest(blobs)
    for data in (config(blobs), text):
        (store / digest_of(data).partition(':')[2]).write_bytes(data)
    entry = {
        'mediaType': MANIFEST_TYPE,
        'digest': digest_of(text),
        'size': len(text),
        'annotations': {'org.opencontainers.image.ref.name': REFERENCE},
    }
    (folder / 'index.json').write_text(json.dumps({'schemaVersion': 2, 'manifests': [entry]}))
    (folder / 'oci-layout').write_text('{"imageLayoutVersion": "1.0.0"}')
