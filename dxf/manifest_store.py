"""A repository's manifests, byte for byte."""

from typing import Optional, Tuple, Union

import requests

from . import digests, endpoints, manifest_digests, manifests
from .answers import check_is_object
from .blobs import Blobs
from .exceptions import DXFInvalidManifestError


class ManifestStore(Blobs):
    """Operations on manifests as the registry keeps them."""

    def set_manifest(self, alias: str, manifest_json: Union[str, bytes]) -> None:
        """Store a manifest under an alias ("Pushing Manifests").

        :param alias: a tag, or the manifest's digest
        :param manifest_json: the manifest's text, which is stored as it is, under its
            own ``mediaType``
        :raises DXFDigestMismatchError: if the registry says that it has stored something else
        """
        content = digests._to_bytes_2and3(manifest_json)
        self._put(alias, content, manifests.media_type(manifests.load(content, alias)))

    def _put(self, reference: str, content: bytes, media_type: str) -> requests.Response:
        """Store a manifest under a tag or its digest."""
        response = self._request(
            'put',
            endpoints.manifest(reference),
            data=content,
            headers={'Content-Type': media_type},
        )
        manifest_digests.check_announced(content, _announced(response), reference)
        return response

    def get_manifest_and_response(self, alias: str) -> Tuple[str, requests.Response]:
        """Fetch a manifest ("Pulling manifests").

        :param alias: a tag or a digest
        :returns: its text, byte for byte what the registry holds, and the registry's
            answer, read to its end
        :raises DXFDigestMismatchError: if it has not the digest that it was asked for
            by, or that the answer says it has
        """
        response = self._read(
            self._seam, endpoints.manifest(alias), headers={'Accept': manifests.ACCEPT}
        )
        check_is_object(response, 'a manifest')
        if digests.is_digest(alias):
            manifest_digests.check(response.content, alias, alias)
        manifest_digests.check_announced(response.content, _announced(response), alias)
        return _decode(response.content, alias), response

    def head_manifest_and_response(self, alias: str) -> Tuple[str, requests.Response]:
        """Ask for a manifest's digest ("Checking if content exists in the registry").

        :param alias: a tag or a digest
        :returns: the manifest's digest, and the registry's answer; where that does not
            name the digest, the manifest is fetched
        :raises requests.exceptions.HTTPError: if the registry has no such manifest
        """
        response = self._request(
            'head', endpoints.manifest(alias), headers={'Accept': manifests.ACCEPT}
        )
        digest = _announced(response)
        if not digest:
            digest = self._get_with_digest(alias)[1]
        return digest, response

    def _get_with_digest(self, alias: str) -> Tuple[requests.Response, str]:
        response = self.get_manifest_and_response(alias)[1]
        digest = _announced(response)
        if not digest and digests.is_digest(alias):
            digest = alias
        return response, digest or manifest_digests.of(response.content, alias)


def _announced(response: requests.Response) -> Optional[str]:
    """The digest that an answer says that its manifest has, if it says so."""
    return response.headers.get('Docker-Content-Digest')


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError as error:
        raise DXFInvalidManifestError('the text', 'is not UTF-8', name) from error
