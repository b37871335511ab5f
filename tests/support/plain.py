"""A registry client of a few lines over requests: it arranges and checks without dxf."""

import hashlib
import json
import re
from urllib.parse import urljoin

import requests

SCHEMA2 = 'application/vnd.docker.distribution.manifest.v2+json'
MANIFEST_TYPES = (
    SCHEMA2,
    'application/vnd.docker.distribution.manifest.list.v2+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.image.index.v1+json',
)
IMAGE_CONFIG = 'application/vnd.docker.container.image.v1+json'
LAYER = 'application/octet-stream'


def sha256(content):
    return 'sha256:' + hashlib.sha256(content).hexdigest()


def descriptor(content, media_type=LAYER):
    return {'mediaType': media_type, 'size': len(content), 'digest': sha256(content)}


def schema2(config, *layers):
    """A Docker schema 2 manifest, as text, for these contents."""
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': SCHEMA2,
            'config': descriptor(config, IMAGE_CONFIG),
            'layers': [descriptor(layer) for layer in layers],
        }
    )


def image_config(*layers):
    """A config blob that makes these layers an image, enough to be converted to schema 1."""
    return json.dumps(
        {
            'architecture': 'amd64',
            'os': 'linux',
            'config': {},
            'history': [{'created': '2020-01-01T00:00:00Z'} for _ in layers],
            'rootfs': {'type': 'layers', 'diff_ids': [sha256(layer) for layer in layers]},
        }
    ).encode()


class PlainClient:
    """Acts on one repository of a Flavour, as its user or as a stranger."""

    def __init__(self, flavour, repo, anonymous=False):
        self.flavour = flavour
        self.repo = repo
        self.anonymous = anonymous
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = flavour.tlsverify

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._session.close()

    @property
    def _basic(self):
        if self.anonymous or self.flavour.username is None:
            return {}
        return {'Authorization': self.flavour.authorization}

    def request(self, method, path, data=None, **headers):
        """One request, and once more with what the challenge asks for."""
        url = urljoin(f'{self.flavour.url}/v2/', path)
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        response = self._session.request(method, url, data=data, headers=headers)
        challenge = response.headers.get('WWW-Authenticate', '')
        if response.status_code != 401 or not challenge:
            return response
        credentials = self._answer(challenge)
        return self._session.request(method, url, data=data, headers={**headers, **credentials})

    def _answer(self, challenge):
        if challenge.lower().startswith('basic'):
            return self._basic
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = asked.pop('realm')
        asked.pop('error', None)
        response = self._session.get(realm, params=asked, headers=self._basic)
        response.raise_for_status()
        return {'Authorization': 'Bearer ' + response.json()['token']}

    def repo_request(self, method, path, data=None, **headers):
        return self.request(method, f'{self.repo}/{path}', data, **headers)

    def push_blob(self, content):
        digest = sha256(content)
        response = self.repo_request('POST', 'blobs/uploads/')
        response.raise_for_status()
        location = response.headers['Location']
        mark = '&' if '?' in location else '?'
        self.request('PUT', f'{location}{mark}digest={digest}', content).raise_for_status()
        return digest

    def push_manifest(self, reference, text, media_type=SCHEMA2):
        content = text.encode() if isinstance(text, str) else text
        response = self.repo_request(
            'PUT', f'manifests/{reference}', content, Content_Type=media_type
        )
        response.raise_for_status()
        return sha256(content)

    def push_alias(self, alias, *contents):
        """Push contents and a manifest that lists them, the first as config too."""
        for content in contents:
            self.push_blob(content)
        text = schema2(contents[0], *contents)
        self.push_manifest(alias, text)
        return text

    def get_blob(self, digest):
        return self.repo_request('GET', f'blobs/{digest}')

    def has_blob(self, digest):
        return self.repo_request('HEAD', f'blobs/{digest}').status_code == 200

    def get_manifest(self, reference):
        return self.repo_request('GET', f'manifests/{reference}', Accept=', '.join(MANIFEST_TYPES))

    def delete(self, path):
        self.repo_request('DELETE', path).raise_for_status()
