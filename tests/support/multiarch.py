"""Aliases for more than one platform, as a builder of images pushes them."""

import json

from .plain import descriptor, sha256

LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
INDEX = 'application/vnd.oci.image.index.v1+json'
OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'


def oci_manifest(config, *layers):
    """An OCI manifest's text. It has no `mediaType`, as OCI allows."""
    return json.dumps(
        {
            'schemaVersion': 2,
            'config': descriptor(config, OCI_CONFIG),
            'layers': [descriptor(layer, OCI_LAYER) for layer in layers],
        }
    )


def entry(text, media_type, platform=None, **others):
    """An index's entry for a manifest's text; `platform` as in `linux/arm/v7`."""
    made = {**descriptor(text.encode(), media_type), **others}
    if platform is not None:
        made['platform'] = dict(zip(('os', 'architecture', 'variant'), platform.split('/')))
    return made


def index(media_type, *entries):
    return json.dumps({'schemaVersion': 2, 'mediaType': media_type, 'manifests': entries})


class MultiArch:
    """An alias for some platforms, pushed with a PlainClient.

    `images`: platform -> (config, layer, ...). `manifests`: platform -> text.
    """

    def __init__(self, plain, alias, list_type, manifest_type, make, images):
        self.images = images
        self.manifests = {p: make(*contents) for p, contents in images.items()}
        for platform, contents in images.items():
            for content in contents:
                plain.push_blob(content)
            text = self.manifests[platform]
            plain.push_manifest(sha256(text.encode()), text, manifest_type)
        self.text = index(
            list_type, *(entry(text, manifest_type, p) for p, text in self.manifests.items())
        )
        self.digest = plain.push_manifest(alias, self.text, list_type)

    def each(self, value):
        """Platform -> `value(config, *layers)`."""
        return {platform: value(*contents) for platform, contents in self.images.items()}
