"""A repository's aliases, and what they stand for."""

from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Literal,
    Optional,
    Tuple,
    TypeVar,
    Union,
    overload,
)

import requests

from . import digests, endpoints, manifests, schema1
from .exceptions import (
    DXFDigestNotAvailableForSchema1,
    DXFInvalidManifestError,
    DXFUnsupportedSchemaType,
)
from .indexes import Descriptor
from .manifest_store import ManifestStore
from .nesting import Nesting, unnested

_Result = TypeVar('_Result')

# What an alias stands for: digests, or pairs of digest and size.
Listed = List[Any]

# A manifest's text, and what it says.
_Child = Tuple[str, manifests.Manifest]

# Blobs' digests, and their sizes in bytes where a manifest says them.
_Blobs = List[Tuple[str, Optional[int]]]


class Aliases(ManifestStore):
    """Operations on aliases, and on what the manifests say that they stand for."""

    def make_manifest(self, *digests: str) -> str:
        """Make a manifest that lists blobs. Sizes come from the registry.

        :param digests: the blobs', at least one
        :returns: a manifest (Docker's schema 2), as JSON text
        :raises requests.exceptions.HTTPError: if the registry has no such blob
        """
        if not digests:
            raise DXFInvalidManifestError('layers', 'would be empty: give a digest at least')
        unknown = [digest for digest in dict.fromkeys(digests) if digest not in self._sizes]
        sizes = dict(self._sizes)
        sizes.update(zip(unknown, self._side_by_side(self.blob_size, unknown)))
        return manifests.make([(digest, sizes[digest]) for digest in digests])

    def set_alias(self, alias: str, *digests: str) -> str:
        """Give blobs a name: store a manifest that lists them.

        :param alias: the name, a tag
        :param digests: the blobs', at least one
        :returns: the manifest's text
        :raises requests.exceptions.HTTPError: if the registry has no such blob
        """
        manifest_json = self.make_manifest(*digests)
        self.set_manifest(alias, manifest_json)
        return manifest_json

    @overload
    def get_manifest(self, alias: str, platform: None = None) -> Union[str, Dict[str, str]]: ...

    @overload
    def get_manifest(self, alias: str, platform: str) -> str: ...

    def get_manifest(
        self, alias: str, platform: Optional[str] = None
    ) -> Union[str, Dict[str, str]]:
        """Fetch a manifest ("Pulling manifests").

        :param alias: a tag or a digest
        :param platform: which one to give of a multi-arch alias
        :returns: its text; for a multi-arch alias a dict from platform to text,
            unless a platform is given
        :raises DXFPlatformDataNotFound: if the alias has none for the platform
        :raises DXFUnsupportedSchemaType: if it is of a type that dxf does not know
        """
        text, response = self.get_manifest_and_response(alias)
        parsed = _parse(text, response, alias)
        if not isinstance(parsed, manifests.Index):
            return text
        return self._of_platforms(parsed, alias, platform, _text)

    def get_alias(
        self,
        alias: Optional[str] = None,
        manifest: Optional[str] = None,
        verify: bool = True,
        sizes: bool = False,
        platform: Optional[str] = None,
    ) -> Union[Listed, Dict[str, Listed]]:
        """The blobs that an alias stands for (image specification 1.1, "Image Manifest").

        :param alias: a tag or a digest, or
        :param manifest: a manifest's text that is held already
        :param verify: check the signatures of a schema 1 manifest
        :param sizes: give the blobs' sizes too
        :param platform: which blobs to give of a multi-arch alias
        :returns: digests, or pairs of digest and size in bytes, in the manifest's order;
            for a multi-arch alias a dict from platform to these, unless a platform is given
        :raises DXFInvalidManifestError: if the manifest lacks something
        :raises DXFUnsupportedSchemaType: if it is of a type that dxf does not know
        :raises DXFPlatformDataNotFound: if the alias has none for the platform
        :raises DXFDisallowedSignatureAlgorithmError: and the other errors of
            signatures, see :func:`dxf.schema1.verify`
        """

        def blobs(child: _Child) -> Listed:
            found = _blobs(child, verify)
            return self._with_all_sizes(found) if sizes else [digest for digest, _ in found]

        return self._read_alias(alias, manifest, platform, blobs)

    def _listed(
        self,
        alias: Optional[str] = None,
        manifest: Optional[str] = None,
        platform: Optional[str] = None,
    ) -> Any:
        """As :meth:`get_alias`, each with the size that the manifest says, or ``None``."""
        if 'get_alias' in vars(self) or type(self).get_alias is not Aliases.get_alias:
            source = {'alias': alias} if manifest is None else {'manifest': manifest}
            return without_sizes(self.get_alias(**source, platform=platform))
        return self._read_alias(alias, manifest, platform, lambda child: _blobs(child, True))

    def get_digest(
        self,
        alias: Optional[str] = None,
        manifest: Optional[str] = None,
        platform: Optional[str] = None,
    ) -> Union[str, Dict[str, str]]:
        """The digest of an alias's config blob, an image's identity.

        :param alias: a tag or a digest, or
        :param manifest: a manifest's text that is held already
        :param platform: which one to give of a multi-arch alias
        :returns: the digest; for a multi-arch alias a dict from platform to digest,
            unless a platform is given
        :raises DXFDigestNotAvailableForSchema1: if the manifest is of schema 1
        :raises DXFInvalidManifestError: if the manifest lacks something
        :raises DXFPlatformDataNotFound: if the alias has none for the platform
        """
        return self._read_alias(alias, manifest, platform, _config_digest)

    def list_platforms(self, alias: str) -> List[str]:
        """The platforms of a multi-arch alias (image specification 1.1, "Image Index").

        :param alias: a tag or a digest
        :returns: their names, as :meth:`get_alias` has them, in the index's order; none
            for an alias that is not multi-arch
        :raises DXFInvalidManifestError: if the index lacks something
        """
        parsed = self._have(alias, None)[1]
        if not isinstance(parsed, manifests.Index):
            return []
        return list(self._nesting(parsed, alias).index.platforms)

    def list_manifests(self, alias: str) -> List[Descriptor]:
        """All that a multi-arch alias lists ("Image Index"), attestations and indexes too.

        :param alias: a tag or a digest
        :returns: a descriptor of each manifest, in the index's order; none for an alias
            that is not multi-arch. :meth:`get_manifest` gives a manifest by its digest.
        :raises DXFInvalidManifestError: if the index lacks something
        """
        parsed = self._have(alias, None)[1]
        return parsed.manifests if isinstance(parsed, manifests.Index) else []

    def del_alias(self, alias: str) -> Union[List[str], Dict[str, str]]:
        """Delete the manifest that an alias stands for, and so every alias of it ("Deleting
        Manifests").

        :param alias: a tag or a digest
        :returns: the digests of the blobs that it listed; for a multi-arch alias a dict
            from platform to the manifest's digest. These are not deleted. Where a tag lists
            what refers to its subject, it is taken from that list if that can be written.
        :raises requests.exceptions.HTTPError: if the registry has no such manifest, or
            does not delete
        """
        response, digest = self._get_with_digest(alias)
        parsed = _parse(response.content, response, alias)
        if isinstance(parsed, manifests.Index):
            platforms = self._nesting(parsed, alias).index.platforms
            found: Any = {name: descriptor.digest for name, descriptor in platforms.items()}
        elif isinstance(parsed, manifests.Schema1Manifest):
            found = parsed.layers
        else:
            found = [layer.digest for layer in parsed.layers]
        self._request('delete', endpoints.manifest(digest))
        self._unlist_referrer(response.content, digest)
        return found  # type: ignore[no-any-return]

    def _unlist_referrer(self, content: bytes, digest: str) -> None:
        """Have a manifest that was deleted listed no more among its subject's referrers."""

    @overload
    def list_aliases(
        self, batch_size: Optional[int] = None, iterate: Literal[False] = False
    ) -> List[str]: ...

    @overload
    def list_aliases(
        self, batch_size: Optional[int] = None, iterate: bool = False
    ) -> Iterable[str]: ...

    def list_aliases(
        self, batch_size: Optional[int] = None, iterate: bool = False
    ) -> Iterable[str]:
        """The repository's aliases ("Listing Tags").

        :param batch_size: how many names to ask for at a time
        :param iterate: give them as they come
        :returns: names, in a list or an iterable
        :raises requests.exceptions.HTTPError: if the registry has no such repository
        :raises DXFNotARegistryError: if the answer is no list of names
        """
        return self._names(self._seam, endpoints.TAGS, 'tags', batch_size, iterate)

    def _have(
        self, alias: Optional[str], manifest: Optional[str]
    ) -> Tuple[str, manifests.Manifest]:
        if manifest is not None:
            return manifest, manifests.parse(manifest)
        if alias is None:
            raise TypeError('either alias or manifest must be given')
        text, response = self.get_manifest_and_response(alias)
        return text, _parse(text, response, alias)

    def _child(self, descriptor: Descriptor) -> _Child:
        """What an index lists, if it is as long as the index says."""
        text, response = self.get_manifest_and_response(descriptor.digest)
        parsed = _parse(text, response, descriptor.digest)
        # Some say of a signed one how long it is without its signatures.
        if not isinstance(parsed, manifests.Schema1Manifest):
            digests.check_size(descriptor.digest, len(response.content), descriptor.size)
        return text, parsed

    def _nesting(self, index: manifests.Index, name: Optional[str]) -> Nesting:
        def read(wanted: Iterable[Descriptor]) -> List[manifests.Manifest]:
            return self._side_by_side(lambda one: self._child(one)[1], wanted)

        return Nesting(index, read, name)

    def _inner_indexes(
        self, alias: Optional[str] = None, manifest: Optional[str] = None
    ) -> List[str]:
        """The digests of the indexes in an alias's index."""
        parsed = self._have(alias, manifest)[1]
        return self._nesting(parsed, alias).inner if isinstance(parsed, manifests.Index) else []

    def _read_alias(
        self,
        alias: Optional[str],
        manifest: Optional[str],
        platform: Optional[str],
        value: Callable[[_Child], _Result],
    ) -> Union[_Result, Dict[str, _Result]]:
        text, parsed = self._have(alias, manifest)
        if isinstance(parsed, manifests.Index):
            return self._of_platforms(parsed, alias, platform, value)
        return value((text, parsed))

    def _of_platforms(
        self,
        index: manifests.Index,
        name: Optional[str],
        platform: Optional[str],
        value: Callable[[_Child], _Result],
    ) -> Union[_Result, Dict[str, _Result]]:
        """What an index's manifests give, by platform; or what one of them gives."""

        def fetch(descriptor: Descriptor) -> Union[_Result, manifests.Index]:
            child = self._child(descriptor)
            return child[1] if isinstance(child[1], manifests.Index) else value(child)

        direct = None if platform is None else unnested(index, platform)
        if direct is not None:
            result = fetch(direct)
            if not isinstance(result, manifests.Index):
                return result
        nesting = self._nesting(index, name)
        while True:
            wanted = nesting.index.platforms
            if platform is not None:
                wanted = {platform: nesting.index.choose(platform)}
            results: Dict[str, _Result] = {}
            inner: Dict[str, manifests.Manifest] = {}
            for each, got in zip(wanted, self._side_by_side(fetch, wanted.values())):
                if isinstance(got, manifests.Index):
                    inner[wanted[each].digest] = got
                else:
                    results[each] = got
            if not inner:
                return results if platform is None else results[platform]
            # Indexes that are listed as something else.
            nesting.take(inner)

    def _with_all_sizes(self, found: _Blobs) -> List[Tuple[str, int]]:
        unknown = list(dict.fromkeys(digest for digest, size in found if size is None))
        sizes = dict(zip(unknown, self._side_by_side(self.blob_size, unknown)))
        return [(digest, sizes[digest] if size is None else size) for digest, size in found]


def without_sizes(blobs: Any) -> Any:
    """Digests, by platform or not, as pairs of digest and ``None``."""
    if isinstance(blobs, dict):
        return {platform: without_sizes(part) for platform, part in blobs.items()}
    return [(digest, None) for digest in blobs]


def _blobs(child: _Child, verify: bool) -> _Blobs:
    """A manifest's layers, and how long it says that they are."""
    text, parsed = child
    if isinstance(parsed, manifests.Schema1Manifest):
        content = digests._to_bytes_2and3(text)
        if verify:
            schema1.verify(content, parsed.document)
        else:
            schema1.payload(content, parsed.document)
        return [(digest, None) for digest in parsed.layers]
    if isinstance(parsed, manifests.Index):
        raise DXFUnsupportedSchemaType(parsed.media_type)
    return [(layer.digest, layer.size) for layer in parsed.layers]


def _parse(text: Union[str, bytes], response: requests.Response, name: str) -> manifests.Manifest:
    return manifests.parse(text, response.headers.get('Content-Type'), name)


def _text(child: _Child) -> str:
    return child[0]


def _config_digest(child: _Child) -> str:
    parsed = child[1]
    if isinstance(parsed, manifests.Schema1Manifest):
        raise DXFDigestNotAvailableForSchema1()
    if isinstance(parsed, manifests.Index):
        raise DXFUnsupportedSchemaType(parsed.media_type)
    return parsed.config.digest
