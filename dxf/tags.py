"""Aliases as people handle them: found, given anew and deleted one by one."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Sequence

from requests.exceptions import HTTPError

from . import digests, endpoints, manifests
from .aliases import Aliases
from .answers import is_not_found, status_of
from .exceptions import (
    DXFDeletionDisabledError,
    DXFDigestMismatchError,
    DXFError,
    DXFUnauthorizedError,
    DXFUntagCutError,
)
from .names import check_alias

# What a registry answers that deletes manifests by their digests alone, or nothing.
_NOT_BY_TAG = (HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED)

# What makes a throw-away manifest another than all others.
_THROW_AWAY = 'python-dxf.throw-away'


class Tags(Aliases):
    """Operations on aliases that touch no blob."""

    def resolve(self, reference: str) -> str:
        """The digest of what an alias stands for.

        :param reference: a tag; a digest gives itself, if there is such a manifest
        :returns: the manifest's digest, for one HEAD where the registry says it ("Pulling
            manifests")
        :raises requests.exceptions.HTTPError: if the registry has no such alias
        :raises DXFDigestMismatchError: if what it says is not a digest, or another one
        """
        digest = self.head_manifest_and_response(reference)[0]
        if not digests.is_digest(digest):
            digest = self._get_with_digest(reference)[1]
        if digests.is_digest(reference) and digest != reference:
            raise DXFDigestMismatchError(digest, reference)
        return digest

    def tag(self, reference: str, *aliases: str) -> str:
        """Give what an alias stands for further names, whether it is an index or not.

        The manifest is read and stored again byte for byte ("Pushing Manifests"); no blob is
        touched. A schema 1 manifest, which has its first tag in it, is stored as it is too, if
        the registry takes it.

        :param reference: a tag or a digest
        :param aliases: the new names, tags. One that stands for something else is moved.
        :returns: the manifest's digest
        :raises requests.exceptions.HTTPError: if the registry has no such manifest, or
            refuses it
        :raises DXFInvalidNameError: if a new name can't be one; none is given then
        """
        return self._tag(reference, aliases, self)

    def _tag(self, reference: str, aliases: Sequence[str], writer: Tags) -> str:
        """The same; who may read need not be who may write."""
        for alias in aliases:
            check_alias(alias)
        response, digest = self._get_with_digest(reference)
        document = manifests.load(response.content, reference)
        kind = manifests.media_type(document, response.headers.get('Content-Type'), reference)
        for alias in aliases:
            writer._put(alias, response.content, kind)
        return digest

    def untag(self, alias: str) -> None:
        """Delete an alias and nothing else ("Deleting Tags").

        The manifest stays, and so do its other aliases. Where the registry deletes nothing by
        a tag, the alias is pointed at a manifest that is nobody else's and lists nothing, and
        that is deleted by its digest. Somebody who gives the alias to something else at the same
        moment can lose that, which such a registry has no way to prevent.

        :param alias: a tag
        :raises requests.exceptions.HTTPError: if there is no such alias
        :raises DXFDeletionDisabledError: if the registry deletes nothing; the alias is as it was
        :raises DXFUntagCutError: if that manifest could not be deleted, nor the alias be
            given back
        """
        path = endpoints.manifest(check_alias(alias))
        try:
            self._request('delete', path)
        except HTTPError as error:
            if status_of(error) not in _NOT_BY_TAG:
                raise
            self._throw_away(alias)

    def _throw_away(self, alias: str) -> None:
        """Delete an alias where only a digest can be deleted, and all its tags with it."""
        response, digest = self._get_with_digest(alias)
        document = manifests.load(response.content, alias)
        kind = manifests.media_type(document, response.headers.get('Content-Type'), alias)
        content = _throw_away()
        path = endpoints.manifest(digests.hash_bytes(content))
        self._check_deletes(path)
        moved = False
        try:
            self._put(alias, content, manifests._oci_index_mimetype)
            moved = True
            self._request('delete', path)
        except (OSError, DXFError) as error:
            if moved or not _is_refused(error):
                self._give_back(alias, digest, response.content, kind)
            raise

    def _give_back(self, alias: str, digest: str, content: bytes, kind: str) -> None:
        try:
            self._put(alias, content, kind)
        except (OSError, DXFError) as error:
            raise DXFUntagCutError(alias, digest) from error

    def _check_deletes(self, path: str) -> None:
        """See whether a manifest could be deleted that is not there yet."""
        try:
            self._request('delete', path)
        except HTTPError as error:
            if status_of(error) == HTTPStatus.METHOD_NOT_ALLOWED:
                raise DXFDeletionDisabledError(error.response) from error
            if not is_not_found(error):
                raise


def _throw_away() -> bytes:
    """A manifest that refers to nothing, and is another one each time."""
    return json.dumps(
        {
            'schemaVersion': 2,
            'mediaType': manifests._oci_index_mimetype,
            'manifests': [],
            'annotations': {_THROW_AWAY: str(uuid.uuid4())},
        }
    ).encode('ascii')


def _is_refused(error: Exception) -> bool:
    """Whether the registry has said that it has not done what it was asked for."""
    if isinstance(error, HTTPError):
        return 400 <= (status_of(error) or 0) < 500
    return isinstance(error, DXFUnauthorizedError)
