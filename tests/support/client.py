"""What the tests of the Python API share."""

import json

import requests
import requests.adapters

import dxf

from .plain import IMAGE_CONFIG, LAYER, SCHEMA2, descriptor, sha256

LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'
OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+json'
SIGNED_SCHEMA1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'
ALL_TYPES = (SCHEMA2, LIST, OCI_MANIFEST, OCI_INDEX, SCHEMA1, SIGNED_SCHEMA1)


def client_for(flavour, repo, by='password', **settings):
    """A DXF on a flavour's registry."""
    return dxf.DXF(flavour.host, repo, **flavour.settings(by=by, **settings))


def record_sent(monkeypatch):
    """The list of requests that leave from here on; they do leave."""
    sent = []
    original = requests.adapters.HTTPAdapter.send

    def send(self, request, **kwargs):
        sent.append(request)
        return original(self, request, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, 'send', send)
    return sent


def methods(sent):
    return [request.method for request in sent]


def made_response(status=200, content=b'', **headers):
    """A response as test doubles make them: never sent, without `raw` or `url`."""
    response = requests.Response()
    response.status_code = status
    response._content = content if isinstance(content, bytes) else content.encode()
    response.headers.update({name.replace('_', '-'): value for name, value in headers.items()})
    return response


class Script:
    """A double for `_request`: answers from a table, `(method, path) -> response`.

    A list in the table is answered from in turn. Paths are matched without their query.
    """

    def __init__(self, answers):
        self.answers = dict(answers)
        self.calls = []
        self.kwargs = []

    def __call__(self, method, path, **kwargs):
        self.calls.append((method, path))
        self.kwargs.append(kwargs)
        answer = self.answers[method, path.partition('?')[0]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def not_found(code='BLOB_UNKNOWN'):
    """The error that a missing blob is."""
    response = made_response(404, json.dumps({'errors': [{'code': code, 'message': 'unknown'}]}))
    return requests.exceptions.HTTPError('404', response=response)


def oci_manifest(config, *layers, media_type=OCI_MANIFEST, **fields):
    """An OCI manifest, as text, for these contents; without `mediaType` if that is None."""
    manifest = {
        'schemaVersion': 2,
        'config': descriptor(config, OCI_CONFIG),
        'layers': [descriptor(layer, LAYER) for layer in layers],
        **fields,
    }
    if media_type is not None:
        manifest['mediaType'] = media_type
    return json.dumps(manifest)


def entry(text, platform=None, media_type=None, **fields):
    """An index's entry for a manifest, `platform` as in 'linux/arm/v7'."""
    described = descriptor(
        text.encode(), media_type or json.loads(text).get('mediaType', OCI_MANIFEST)
    )
    described.update(fields)
    if platform is not None:
        names = ('os', 'architecture', 'variant')
        described['platform'] = dict(zip(names, platform.split('/')))
    return described


def index(*entries, media_type=OCI_INDEX, **fields):
    """An index's text."""
    document = {'schemaVersion': 2, 'manifests': list(entries), **fields}
    if media_type is not None:
        document['mediaType'] = media_type
    return json.dumps(document)


class Image:
    """An image for one platform: its contents, and the manifest's text."""

    def __init__(self, platform, layers=2, make=None):
        self.platform = platform
        self.config = json.dumps({'of': platform}).encode()
        self.layers = [f'layer {i} of {platform}'.encode() for i in range(layers)]
        self.text = (make or oci_manifest)(self.config, *self.layers)

    @property
    def digest(self):
        return sha256(self.text.encode())

    @property
    def config_digest(self):
        return sha256(self.config)

    @property
    def layer_digests(self):
        return [sha256(layer) for layer in self.layers]

    @property
    def layer_sizes(self):
        return [(sha256(layer), len(layer)) for layer in self.layers]

    def entry(self, **fields):
        return entry(self.text, self.platform, **fields)

    def push(self, plain):
        for content in (self.config, *self.layers):
            plain.push_blob(content)
        media_type = json.loads(self.text).get('mediaType', OCI_MANIFEST)
        plain.push_manifest(self.digest, self.text, media_type)


__all__ = [
    'ALL_TYPES',
    'IMAGE_CONFIG',
    'LAYER',
    'LIST',
    'OCI_CONFIG',
    'OCI_INDEX',
    'OCI_MANIFEST',
    'SCHEMA1',
    'SCHEMA2',
    'SIGNED_SCHEMA1',
    'Image',
    'Script',
    'client_for',
    'entry',
    'index',
    'made_response',
    'methods',
    'not_found',
    'oci_manifest',
    'record_sent',
]
