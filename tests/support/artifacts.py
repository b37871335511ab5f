"""Artifacts, and the registries that keep them."""

import contextlib
import json
import os

import dxf

from . import otherregistries
from .layouts import LayoutFlavour
from .plain import descriptor

OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
EMPTY_TYPE = 'application/vnd.oci.empty.v1+json'
LAYER = 'application/vnd.oci.image.layer.v1.tar'
TITLE = 'org.opencontainers.image.title'
UNPACK = 'io.deis.oras.content.unpack'
UNPACKED_DIGEST = 'io.deis.oras.content.digest'

#: Two without the referrers endpoint, and two with it.
KINDS = ('http', 'distribution', 'ocimem', 'layout')


@contextlib.contextmanager
def keeper(request, kind, tmp_path_factory):
    """A registry of that kind, as a Flavour."""
    if kind == 'http':
        yield request.getfixturevalue('registry_http')
    elif kind == 'layout':
        yield LayoutFlavour(tmp_path_factory.mktemp('layouts'))
    elif kind == 'distribution':
        with otherregistries.distribution(tmp_path_factory.mktemp('distribution')) as flavour:
            yield flavour
    else:
        with otherregistries.ocimem() as flavour:
            yield flavour


def client(flavour, repo):
    return dxf.DXF(flavour.host, repo, insecure=flavour.insecure)


def layer(content, title=None, media_type=LAYER, **annotations):
    """A layer's descriptor."""
    if title is not None:
        annotations[TITLE] = title
    made = descriptor(content, media_type)
    return {**made, 'annotations': annotations} if annotations else made


def folder_layer(content, title, **annotations):
    return layer(content, title, LAYER + '+gzip', **{UNPACK: 'true', **annotations})


def artifact(*layers, **fields):
    """An artifact's manifest, as others make it."""
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': OCI_MANIFEST,
            'artifactType': 'text/x-test',
            'config': descriptor(b'{}', EMPTY_TYPE),
            'layers': list(layers),
            **fields,
        }
    )


def tree(path):
    """What is below a folder: name -> content and permissions; or ('link', target)."""
    found = {}
    for name in sorted(path.rglob('*')):
        key = str(name.relative_to(path))
        if name.is_symlink():
            found[key] = ('link', os.readlink(name))
        else:
            content = None if name.is_dir() else name.read_bytes()
            found[key] = (content, oct(name.stat().st_mode & 0o7777))
    return found
