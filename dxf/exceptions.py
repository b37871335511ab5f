"""Every error that dxf raises of its own.

All derive from :class:`DXFError` and print as one sentence. What a registry
refuses with another status than 401 is :class:`requests.exceptions.HTTPError`,
and network trouble is requests' ``ConnectionError``, ``SSLError`` or ``Timeout``.
"""

from __future__ import annotations

from typing import Any, Optional

import requests


class DXFError(Exception):
    """What all of dxf's errors derive from."""


class DXFUnexpectedError(DXFError):
    """Something is not what it should be.

    :ivar got: what there was
    :ivar expected: what there should have been
    """

    _what = 'value'

    def __init__(self, got: Any, expected: Any) -> None:
        super().__init__(got, expected)
        self.got = got
        self.expected = expected

    def __str__(self) -> str:
        return f'unexpected {self._what}: got {self.got}, expected {self.expected}'


class DXFUnexpectedStatusCodeError(DXFUnexpectedError):
    """A registry answered with a status that the operation can't go on from."""

    _what = 'HTTP status'


class DXFDigestMismatchError(DXFUnexpectedError):
    """Content does not hash to the digest that it goes by."""

    _what = 'digest'


class DXFUnexpectedKeyTypeError(DXFUnexpectedError):
    """A schema 1 manifest is signed with a key of a type that dxf does not verify."""

    _what = 'key type'


class DXFUnexpectedDigestMethodError(DXFUnexpectedError):
    """A digest's algorithm is not one that is allowed there."""

    _what = 'digest method'


class DXFDisallowedSignatureAlgorithmError(DXFError):
    """A schema 1 manifest's signature is of another algorithm than ES256.

    :ivar alg: the algorithm that the manifest names
    """

    def __init__(self, alg: Any) -> None:
        super().__init__(alg)
        self.alg = alg

    def __str__(self) -> str:
        return f'disallowed signature algorithm: {self.alg}'


class DXFSignatureChainNotImplementedError(DXFError):
    """A schema 1 manifest's signature comes with a certificate chain."""

    def __str__(self) -> str:
        return 'verification with a certificate chain is not implemented'


class DXFInvalidSignatureError(DXFError):
    """A schema 1 manifest's signature is missing, malformed or not of its content.

    :ivar reason: which of these
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the manifest's signature does not verify: {self.reason}"


class DXFUnauthorizedError(DXFError):
    """The registry, or its token service, answered 401.

    :ivar hint: what to do about it on the command line
    """

    hint = 'set DXF_USERNAME and DXF_PASSWORD, or DXF_AUTHORIZATION, or check them'

    def __str__(self) -> str:
        return 'unauthorized: the registry accepts no such credentials for this'


class DXFAuthInsecureError(DXFError):
    """The registry asks for credentials over plain http."""

    def __str__(self) -> str:
        return 'authentication needs https: credentials are not sent over http'


class DXFDigestNotAvailableForSchema1(DXFError):
    """A schema 1 manifest has no config blob."""

    def __str__(self) -> str:
        return 'a schema 1 manifest has no config digest'


class DXFMountFailed(DXFError):
    """The registry did not mount a blob from another repository."""

    def __str__(self) -> str:
        return 'the registry did not mount the blob: the other repository may not hold it'


class DXFUnsupportedSchemaType(DXFError):
    """A manifest is of a media type that dxf does not know.

    :ivar media_type: that type
    """

    def __init__(self, media_type: Any) -> None:
        super().__init__(media_type)
        self.media_type = media_type

    def __str__(self) -> str:
        return f'unsupported manifest type: {self.media_type}'


class DXFPlatformDataNotFound(DXFError):
    """An index has no manifest for a platform.

    :ivar platform: the platform asked for, ``os/architecture[/variant]``
    """

    def __init__(self, platform: Any) -> None:
        super().__init__(platform)
        self.platform = platform

    def __str__(self) -> str:
        return f'there is no data for platform {self.platform}'


class DXFInvalidManifestError(DXFError, ValueError):
    """A manifest lacks a field, or has one of the wrong type or value.

    :ivar field: the field's path, as in ``layers[0].digest``
    :ivar problem: what is wrong with it
    :ivar manifest: the manifest's alias or digest, if that is known
    """

    def __init__(self, field: str, problem: str, manifest: Optional[str] = None) -> None:
        super().__init__(field, problem, manifest)
        self.field = field
        self.problem = problem
        self.manifest = manifest

    def __str__(self) -> str:
        which = f'manifest {self.manifest}' if self.manifest else 'the manifest'
        return f'{which} is invalid: {self.field} {self.problem}'


class DXFInvalidNameError(DXFError, ValueError):
    """A host, repository, alias, digest or media type is not spelt as one.

    :ivar what: which of these it should be
    :ivar name: what there was
    :ivar rule: how they are spelt
    """

    def __init__(self, what: str, name: str, rule: str) -> None:
        super().__init__(what, name, rule)
        self.what = what
        self.name = name
        self.rule = rule

    def __str__(self) -> str:
        return f'invalid {self.what}: {self.name!r} ({self.rule})'


class DXFConfigurationError(DXFError, ValueError):
    """A setting is missing or can't be used."""


class DXFBundleError(DXFConfigurationError, requests.exceptions.SSLError):
    """A CA bundle holds no certificate."""

    def __init__(self, bundle: str) -> None:
        requests.exceptions.SSLError.__init__(self, bundle)

    def __str__(self) -> str:
        return f'the CA bundle {self.args[0]} holds no certificate'


class DXFConnectionCutError(
    DXFError, requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError
):
    """The connection was cut in the midst of an answer.

    What requests raises of that is no ``ConnectionError``, though it is network trouble.
    """

    def __str__(self) -> str:
        return 'the connection was cut in the midst of an answer'


class DXFClientCertificateError(DXFConfigurationError, requests.exceptions.SSLError):
    """A client's certificate, or its key, can't be used.

    :param certificate: the file with the certificate
    :param key: the one with its key, if that is another
    """

    def __init__(self, certificate: str, key: Optional[str] = None) -> None:
        requests.exceptions.SSLError.__init__(self, certificate, key)

    def __str__(self) -> str:
        certificate, key = self.args
        files = certificate if key is None else f'{certificate} with the key {key}'
        return (
            f"the client certificate {files} can't be used: "
            'give a certificate and its own key, unencrypted, as PEM'
        )


class DXFProxyError(DXFConfigurationError, requests.exceptions.InvalidProxyURL):
    """A proxy is not given by an address.

    :param scheme: what it is for, ``http`` or ``https``
    """

    def __init__(self, scheme: str) -> None:
        requests.exceptions.InvalidProxyURL.__init__(self, scheme)

    def __str__(self) -> str:
        return (
            f'the proxy for {self.args[0]} has no usable address: give a URL, in which what is '
            'special in a password is percent-encoded'
        )


class DXFNotARegistryError(DXFError, ValueError):
    """What answers at an address does not speak the registry's protocol.

    :ivar address: that address
    :ivar reason: what it does instead
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f'{self.address} does not look like a registry: {self.reason}'


class DXFMalformedChallengeError(DXFUnauthorizedError, ValueError):
    """A registry's 401 does not say how to authenticate, or not so that it can be read.

    :ivar reason: what is wrong with it
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the registry's challenge can't be answered: {self.reason}"


class DXFTokenError(DXFError, ValueError):
    """A token service's reply holds no token.

    :ivar address: the service's
    :ivar reason: what is wrong with the reply
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f'no token from {self.address}: {self.reason}'


class DXFCredentialsError(DXFError):
    """A user's credentials can't be read where they are kept.

    :ivar source: the file, the variable or the credential helper
    :ivar problem: what is wrong with it; never anything secret
    """

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source = source
        self.problem = problem

    def __str__(self) -> str:
        source = self.source if self.source.isprintable() else repr(self.source)
        return f'no credentials from {source}: {self.problem}'


class DXFCannotRewindError(DXFError):
    """A body that was partly read must be sent again, and can't be read again."""

    def __str__(self) -> str:
        return (
            "the data was partly sent and can't be read again: "
            'push it from a file, or push it again'
        )


class DXFFileChangedError(DXFError):
    """A file got shorter while it was pushed.

    :ivar size: the size that it had, in bytes
    :ivar got: how much of it there was in the end, in bytes
    """

    def __init__(self, size: int, got: int) -> None:
        super().__init__(size, got)
        self.size = size
        self.got = got

    def __str__(self) -> str:
        return (
            f'the file changed while it was pushed: it had {self.size} bytes and has '
            f'{self.got} now; push it again'
        )


class DXFContentChangedError(DXFDigestMismatchError, requests.exceptions.HTTPError):
    """What was sent is not what its digest was made from: it changed meanwhile.

    It is the registry's refusal too, so it has ``response`` as ``HTTPError`` has.
    """

    def __init__(
        self, got: Any, expected: Any, response: Optional[requests.Response] = None
    ) -> None:
        DXFDigestMismatchError.__init__(self, got, expected)
        self.response = response
        self.request = response.request if response is not None else None

    def __str__(self) -> str:
        return (
            f'the content is not what its digest was made from: got {self.got}, '
            f'expected {self.expected}; '
            'if it changed while it was pushed, push it again'
        )


class DXFUnsafePathError(DXFError, ValueError):
    """A file of an artifact is named such that it can't be written where it belongs.

    :ivar path: the name
    :ivar problem: what is wrong with it
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f'{self.path!r} is refused: it {self.problem}'


class DXFInvalidArchiveError(DXFError, ValueError):
    """A folder of an artifact can't be unpacked.

    :ivar name: the folder
    :ivar problem: what is wrong with it
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"the folder {self.name!r} can't be unpacked: {self.problem}"


class DXFSizeMismatchError(DXFUnexpectedError):
    """Content is not as long as the manifest says (sizes are in bytes).

    :ivar digest: the content's digest, if that is known
    """

    _what = 'size'

    def __init__(self, got: Any, expected: Any, digest: Optional[str] = None) -> None:
        super().__init__(got, expected)
        self.digest = digest
        self.args = (got, expected, digest)

    def __str__(self) -> str:
        of = f' of {self.digest}' if self.digest else ''
        return f'unexpected size{of}: got {self.got}, expected {self.expected}'


class DXFNoFilesError(DXFError):
    """None of an artifact's layers says what its file is called.

    :ivar alias: the artifact
    """

    def __init__(self, alias: str) -> None:
        super().__init__(alias)
        self.alias = alias

    def __str__(self) -> str:
        return (
            f'no layer of {self.alias} has a title, which says what its file is called: '
            'pull-blob writes layers without one'
        )


class DXFDeletionDisabledError(DXFError, requests.exceptions.HTTPError):
    """A registry deletes nothing.

    It is the registry's refusal too, so it has ``response`` as ``HTTPError`` has.
    """

    def __init__(self, response: Optional[requests.Response] = None) -> None:
        requests.exceptions.HTTPError.__init__(self, response=response)

    def __str__(self) -> str:
        return 'the registry deletes nothing: deletion is disabled there'


class DXFUntagCutError(DXFError):
    """A tag was to be deleted, and may stand for a throw-away manifest now.

    That lists nothing. The tag's own manifest is there, and so are its other tags.

    :ivar alias: the tag
    :ivar digest: what it stood for
    """

    def __init__(self, alias: str, digest: str) -> None:
        super().__init__(alias, digest)
        self.alias = alias
        self.digest = digest

    def __str__(self) -> str:
        return (
            f'the alias {self.alias} may be half deleted: it stands for {self.digest} or for '
            'a manifest that lists nothing; delete it again, or tag that digest'
        )


class DXFSchema1RefusedError(DXFError, requests.exceptions.HTTPError):
    """A registry did not take a copy of a schema 1 manifest, as most don't any more.

    It is the registry's refusal too, so it has ``response`` as ``HTTPError`` has.
    """

    def __init__(self, reason: str, response: Optional[requests.Response] = None) -> None:
        requests.exceptions.HTTPError.__init__(self, reason, response=response)

    def __str__(self) -> str:
        return f'the registry takes no manifests of schema 1, or not this one: {self.args[0]}'
