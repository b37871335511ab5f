"""What is attached to a manifest: artifacts that refer to it as their subject."""

from contextlib import suppress
from http import HTTPStatus
from threading import Lock
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import requests

from . import digests, endpoints, manifests, referrers
from .answers import check_is_object, is_not_found, status_of
from .artifacts import Artifacts, Filenames
from .blobs import Progress
from .downloads import content_length
from .exceptions import DXFError
from .manifests import Descriptor
from .pagination import pages

# What a registry answers to an index that lists what it has not.
_NOT_ALL_THERE = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)

_INDEX_HEADERS = {'Accept': manifests._oci_index_mimetype}

# Held while a tag's list of referrers is read and written again: what nobody can prevent of
# others, this process need not do to itself.
_listing = Lock()


class Attachments(Artifacts):
    """Operations on referrers (distribution specification 1.1, "Listing Referrers")."""

    def attach(
        self,
        reference: str,
        filenames: Filenames,
        artifact_type: str,
        annotations: Optional[Mapping[str, str]] = None,
        media_types: Optional[Mapping[Any, str]] = None,
        progress: Optional[Progress] = None,
    ) -> str:
        """Store files as an artifact that refers to a manifest, its subject ("Pushing Manifests
        with Subject").

        Where the registry does not list what refers to a manifest, a tag does, made of the
        manifest's digest ("Referrers Tag Schema"). If other processes attach something to the same
        manifest at the same moment, one of the two may be missing from that list, which the
        registry has no way to prevent; it is stored all the same.

        :param reference: the manifest's: a tag or a digest
        :param artifact_type: what the files are, a media type

        The others are those of :meth:`push`.

        :returns: the digest of the artifact's manifest
        :raises requests.exceptions.HTTPError: if the registry has no such manifest
        :raises DXFInvalidManifestError: if what the tag stands for is no list
        """
        subject = self._describe(reference)
        text = self._make_artifact(
            filenames, artifact_type, annotations, media_types, progress, subject
        )
        content = text.encode('utf-8')
        digest = digests.hash_bytes(content)
        kind = manifests._oci_manifest_mimetype
        response = self._put(digest, content, kind)
        if 'OCI-Subject' not in response.headers:
            self._list_referrer(subject.digest, referrers.entry(content, digest, kind))
        return digest

    def list_referrers(
        self, reference: str, artifact_type: Optional[str] = None
    ) -> List[Descriptor]:
        """What refers to a manifest, as signatures do ("Listing Referrers").

        :param reference: the manifest's: a tag or a digest
        :param artifact_type: only those of this type
        :returns: their :class:`descriptors <dxf.Descriptor>`
        :raises requests.exceptions.HTTPError: if a tag is given, and the registry has none such
        :raises DXFNotARegistryError: if the answer is no list of them
        :raises DXFInvalidManifestError: if something in that list is wrong
        """
        digest = reference
        if not digests.is_digest(reference):
            digest = self.head_manifest_and_response(reference)[0]
        first = self._first_referrers(digest, artifact_type)
        if first is None:
            text = self._referrers_of_tag(digest)
            found = [] if text is None else referrers.parse(text, referrers.tag(digest))
        else:
            found = list(self._referrers(first, digest, artifact_type))
        return [one for one in found if artifact_type in (None, one.artifact_type)]

    def _describe(self, reference: str) -> Descriptor:
        """The descriptor of a manifest."""
        digest, response = self.head_manifest_and_response(reference)
        size = content_length(response)
        kind = response.headers.get('Content-Type', '').partition(';')[0].strip().lower()
        # Some say of what a HEAD is about that it is empty.
        if not size or kind not in manifests.ACCEPT.split(', '):
            response, digest = self._get_with_digest(reference)
            size = len(response.content)
            kind = manifests.media_type(manifests.load(response.content), kind, reference)
        return Descriptor(digest, size, kind)

    def _list_referrer(self, subject: str, entry: Dict[str, Any]) -> None:
        tag = referrers.tag(subject)
        with _listing:
            text = referrers.add(self._referrers_of_tag(subject), entry, tag)
            if text is not None:
                self._set_list(tag, text)

    def _unlist_referrer(self, content: bytes, digest: str) -> None:
        # What is deleted may be anything, and so may be what the tag stands for; and who may
        # delete may not be one who may write. What was to be done is done, and who adds to the
        # list will find out.
        with suppress(DXFError, requests.exceptions.RequestException):
            subject = referrers.subject(content, digest)
            if subject is None:
                return
            tag = referrers.tag(subject)
            with _listing:
                listed = self._referrers_of_tag(subject)
                text = None if listed is None else referrers.without(listed, [digest], tag)
                if text is not None:
                    self._set_list(tag, text)

    def _set_list(self, tag: str, text: str) -> None:
        try:
            self.set_manifest(tag, text)
        except requests.exceptions.HTTPError as error:
            if status_of(error) not in _NOT_ALL_THERE:
                raise
            # Others may have deleted what the list has, and left it there.
            listed = list(dict.fromkeys(one.digest for one in referrers.parse(text, tag)))
            is_there = self._side_by_side(self._has_manifest, listed)
            gone = [digest for digest, there in zip(listed, is_there) if not there]
            rest = referrers.without(text, gone, tag)
            if rest is None:
                raise
            self.set_manifest(tag, rest)

    def _has_manifest(self, digest: str) -> bool:
        try:
            self.head_manifest_and_response(digest)
        except requests.exceptions.HTTPError as error:
            if is_not_found(error):
                return False
            raise
        return True

    def _referrers_of_tag(self, digest: str) -> Optional[str]:
        try:
            return self.get_manifest_and_response(referrers.tag(digest))[0]
        except requests.exceptions.HTTPError as error:
            if is_not_found(error):
                return None
            raise

    def _first_referrers(
        self, digest: str, artifact_type: Optional[str]
    ) -> Optional[requests.Response]:
        """The first page of what the registry lists; ``None`` if it lists nothing itself."""
        wanted: Dict[str, Any] = {}
        if artifact_type is not None:
            wanted['params'] = {'artifactType': artifact_type}
        try:
            return self._read(
                self._seam, endpoints.referrers(digest), headers=_INDEX_HEADERS, **wanted
            )
        except requests.exceptions.HTTPError as error:
            if is_not_found(error):
                return None
            raise

    def _referrers(
        self, first: requests.Response, digest: str, artifact_type: Optional[str]
    ) -> Iterator[Descriptor]:
        """What the registry lists, on this page and all others."""

        def get(page: Optional[str]) -> requests.Response:
            if page is None:
                return first
            return self._read(self._seam, page, headers=_INDEX_HEADERS)

        def read(response: requests.Response) -> List[Tuple[Descriptor, bool]]:
            check_is_object(response, 'an index')
            listed = referrers.parse(response.content, f'of referrers to {digest}')
            return [(one, _is_filtered(response)) for one in listed]

        for one, is_filtered in pages(get, read, self._base_url):
            # What was filtered need not say its type again.
            if is_filtered and one.artifact_type is None:
                one = one._replace(artifact_type=artifact_type)
            yield one


def _is_filtered(response: requests.Response) -> bool:
    applied = response.headers.get('OCI-Filters-Applied', '')
    return 'artifactType' in [name.strip() for name in applied.split(',')]
