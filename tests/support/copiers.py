"""Programs that others wrote, which copy images between registries and layouts; and an image."""

import json

from . import tools
from .client import OCI_CONFIG, OCI_MANIFEST, Image
from .layouts import Tool
from .plain import descriptor, image_config

TAR = 'application/vnd.oci.image.layer.v1.tar'


class Skopeo(Tool):
    # Otherwise it compresses what is not.
    _copy = ('copy', '--all', '--preserve-digests')

    def __init__(self, request):
        super().__init__(request.getfixturevalue('skopeo'), '--insecure-policy')

    def pull(self, registry, repo, tag, layout):
        self(
            *self._copy,
            '--src-tls-verify=false',
            f'docker://{registry.host}/{repo}:{tag}',
            f'oci:{layout}:{tag}',
        )

    def push(self, layout, tag, registry, repo):
        self(
            *self._copy,
            '--dest-tls-verify=false',
            f'oci:{layout}:{tag}',
            f'docker://{registry.host}/{repo}:{tag}',
        )

    def copy(self, layout, tag, other):
        self(*self._copy, f'oci:{layout}:{tag}', f'oci:{other}:{tag}')


class Oras(Tool):
    def __init__(self, request):
        super().__init__(tools.need_built('oras'))

    def pull(self, registry, repo, tag, layout):
        self(
            'cp',
            '--from-plain-http',
            f'{registry.host}/{repo}:{tag}',
            '--to-oci-layout',
            f'{layout}:{tag}',
        )

    def push(self, layout, tag, registry, repo):
        self(
            'cp',
            '--from-oci-layout',
            f'{layout}:{tag}',
            '--to-plain-http',
            f'{registry.host}/{repo}:{tag}',
        )

    def copy(self, layout, tag, other):
        self('cp', '--from-oci-layout', f'{layout}:{tag}', '--to-oci-layout', f'{other}:{tag}')


class Regctl(Tool):
    def __init__(self, request):
        super().__init__(tools.need_built('regctl'))

    def _copy(self, registry, source, target):
        self('image', 'copy', '--host', f'reg={registry.host},tls=disabled', source, target)

    def pull(self, registry, repo, tag, layout):
        self._copy(registry, f'{registry.host}/{repo}:{tag}', f'ocidir://{layout}:{tag}')

    def push(self, layout, tag, registry, repo):
        self._copy(registry, f'ocidir://{layout}:{tag}', f'{registry.host}/{repo}:{tag}')

    def copy(self, layout, tag, other):
        self('image', 'copy', f'ocidir://{layout}:{tag}', f'ocidir://{other}:{tag}')


class Crane(Tool):
    """It reads a layout only if that lists one thing, and knows no tags in it."""

    def __init__(self, request):
        super().__init__(tools.need_built('crane'))

    def pull(self, registry, repo, tag, layout):
        self(
            'pull',
            '--insecure',
            '--format=oci',
            '--annotate-ref',
            f'{registry.host}/{repo}:{tag}',
            layout,
        )

    def push(self, layout, tag, registry, repo):
        self('push', '--insecure', layout, f'{registry.host}/{repo}:{tag}')


#: name -> class; each is made with a fixture request
COPIERS = {'skopeo': Skopeo, 'oras': Oras, 'regctl': Regctl, 'crane': Crane}


def image(platform, layers=2):
    """An image that the others take for one: its config describes its layers."""
    made = Image(platform, layers)
    document = json.loads(image_config(*made.layers))
    document['os'], document['architecture'] = platform.split('/')
    made.config = json.dumps(document).encode()
    made.text = json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': OCI_MANIFEST,
            'config': descriptor(made.config, OCI_CONFIG),
            'layers': [descriptor(layer, TAR) for layer in made.layers],
        }
    )
    return made
