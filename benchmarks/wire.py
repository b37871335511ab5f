"""The registry as the harness itself talks to it: to fill it, and to see what is in it."""

import contextlib
import hashlib
import http.client
import io
import json
from urllib.parse import urlsplit

from . import images
from .measuring import Failed
from .units import MIB

TIMEOUT = 60

MANIFEST_TYPES = (
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.oci.image.manifest.v1+json',
)


class Wire:
    """A repository, over one kept connection without TLS."""

    def __init__(self, port, repo):
        self._connection = http.client.HTTPConnection(
            'localhost', port, timeout=TIMEOUT, blocksize=MIB
        )
        self._root = f'/v2/{repo}/'

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @contextlib.contextmanager
    def _asked(self, method, path, body=None, **headers):
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        url = path if path.startswith('/v2/') else self._root + path
        self._connection.request(method, url, body, headers)
        with self._connection.getresponse() as response:
            yield response
            response.read()

    def open_upload(self):
        """A place for one blob: path and query, for the digest to be added to."""
        with self._asked('POST', 'blobs/uploads/') as response:
            parts = urlsplit(response.headers['Location'])
        return f'{parts.path}?{parts.query}'

    def put_blob(self, digest, body, size):
        place = f'{self.open_upload()}&digest={digest}'
        headers = {'Content_Length': str(size), 'Content_Type': 'application/octet-stream'}
        with self._asked('PUT', place, body, **headers) as response:
            if response.status != 201:
                raise Failed(f'the registry answers {response.status} to a blob of the harness')

    def put_bytes(self, data):
        self.put_blob(images.digest_of(data), io.BytesIO(data), len(data))

    def fill(self, blobs, alias):
        """Store the blobs, and an image of them."""
        for blob in blobs:
            with open(blob.path, 'rb') as file:
                self.put_blob(blob.digest, file, blob.size)
        self.put_bytes(images.config(blobs))
        text = images.manifest(blobs)
        with self._asked(
            'PUT', f'manifests/{alias}', text, Content_Type=images.MANIFEST_TYPE
        ) as response:
            if response.status != 201:
                raise Failed(f'the registry answers {response.status} to a manifest')

    def check_blobs(self, blobs, read):
        """Failed, unless each is there; `read`: and is what it is called."""
        for blob in blobs:
            with self._asked('GET' if read else 'HEAD', f'blobs/{blob.digest}') as response:
                if response.status != 200:
                    raise Failed(f'the registry has not the blob: it answers {response.status}')
                if int(response.headers['Content-Length']) != blob.size:
                    raise Failed('the registry has a blob of another size')
                if read:
                    hasher = hashlib.sha256()
                    for piece in iter(lambda r=response: r.read(MIB), b''):
                        hasher.update(piece)
                    if 'sha256:' + hasher.hexdigest() != blob.digest:
                        raise Failed('what the registry has is not what was pushed')

    def check_alias(self, alias, blobs):
        """Failed, unless it lists these blobs and no others."""
        with self._asked('GET', f'manifests/{alias}', Accept=','.join(MANIFEST_TYPES)) as response:
            text = response.read()
            if response.status != 200:
                raise Failed(f'the registry has not the alias: it answers {response.status}')
        layers = {layer['digest'] for layer in json.loads(text)['layers']}
        if layers != {blob.digest for blob in blobs}:
            raise Failed('the alias does not list what was pushed')
