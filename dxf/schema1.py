"""Signed schema 1 manifests (Docker's image manifest version 2, schema 1).

The text holds its own signatures, as "prettyjws": each signature's ``protected``
header says how much of the text was signed (``formatLength``) and how that
part ended (``formatTail``). What was signed is the payload; its digest is the
manifest's.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Dict, List

from .exceptions import (
    DXFDisallowedSignatureAlgorithmError,
    DXFInvalidManifestError,
    DXFInvalidSignatureError,
    DXFSignatureChainNotImplementedError,
    DXFUnexpectedKeyTypeError,
)

_ALGORITHM = 'ES256'
_KEY_TYPE = 'EC'
_CURVE = 'P-256'

# What makes a public key (RFC 7518, section 6.2.1). A manifest may say more of
# its key, and jwcrypto would act on some of that.
_KEY_PARAMETERS = ('kty', 'crv', 'x', 'y')


def payload(content: bytes, document: Dict[str, Any]) -> bytes:
    """What a schema 1 manifest's digest is made from.

    :param content: the manifest, as a registry gave it
    :param document: the JSON object that it is
    :returns: the content without its signatures; all of it where it has none
    :raises DXFInvalidManifestError: if the signatures don't say what they sign
    """
    if 'signatures' not in document:
        return content
    payloads = {_signed_part(content, signature) for signature in _signatures(document)}
    if len(payloads) != 1:
        raise _invalid('', "don't sign the same content")
    signed = payloads.pop()
    # What is read is the document; what is checked is the payload: they must agree.
    rest = {name: value for name, value in document.items() if name != 'signatures'}
    try:
        is_same = _json(signed) == rest
    except RecursionError:
        is_same = False
    if not is_same:
        raise _invalid('', 'sign another content')
    return signed


def verify(content: bytes, document: Dict[str, Any]) -> None:
    """Check the signatures, each with the key that it brings along.

    :param content: the manifest, as a registry gave it
    :param document: the JSON object that it is
    :raises DXFDisallowedSignatureAlgorithmError: if one is not ES256
    :raises DXFSignatureChainNotImplementedError: if one comes with a certificate chain
    :raises DXFUnexpectedKeyTypeError: if a key is not EC P-256
    :raises DXFInvalidSignatureError: if one does not verify, or there is none
    :raises DXFInvalidManifestError: if the signatures don't say what they sign
    """
    if 'signatures' not in document:
        raise DXFInvalidSignatureError('it has no signature')
    signatures = _signatures(document)
    for signature in signatures:
        _check_header(signature)
    signed = payload(content, document)
    for signature in signatures:
        _check_signature(signed, signature)


def _invalid(path: str, problem: str) -> DXFInvalidManifestError:
    return DXFInvalidManifestError('signatures' + path, problem)


def _signatures(document: Dict[str, Any]) -> List[Dict[str, Any]]:
    signatures = document['signatures']
    if not isinstance(signatures, list) or not signatures:
        raise _invalid('', 'is not a list of signatures')
    for position, signature in enumerate(signatures):
        if not isinstance(signature, dict):
            raise _invalid(f'[{position}]', 'is not an object')
    return signatures


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid('', 'sign what is not JSON') from error


def _decode(value: Any, name: str) -> bytes:
    """Base64url without padding (RFC 7515, section 2)."""
    try:
        if not isinstance(value, str):
            raise TypeError('not a str')
        padded = value + '=' * (-len(value) % 4)
        return base64.b64decode(padded.encode('ascii'), altchars=b'-_', validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise _invalid('[].' + name, 'is not base64url') from error


def _signed_part(content: bytes, signature: Dict[str, Any]) -> bytes:
    protected = _json(_decode(signature.get('protected'), 'protected'))
    if not isinstance(protected, dict):
        raise _invalid('[].protected', 'is not an object')
    length = protected.get('formatLength')
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= len(content):
        raise _invalid('[].protected.formatLength', 'is not a length in the manifest')
    return content[:length] + _decode(protected.get('formatTail'), 'protected.formatTail')


def _check_header(signature: Dict[str, Any]) -> None:
    header = signature.get('header')
    if not isinstance(header, dict):
        raise _invalid('[].header', 'is not an object')
    if header.get('alg') != _ALGORITHM:
        raise DXFDisallowedSignatureAlgorithmError(header.get('alg'))
    if 'x5c' in header or 'chain' in header:
        raise DXFSignatureChainNotImplementedError()
    key = header.get('jwk')
    if not isinstance(key, dict):
        raise DXFInvalidSignatureError('it has no key')
    if key.get('kty') != _KEY_TYPE:
        raise DXFUnexpectedKeyTypeError(key.get('kty'), _KEY_TYPE)
    if key.get('crv') != _CURVE:
        raise DXFUnexpectedKeyTypeError(key.get('crv'), _CURVE)
    # What is no string takes jwcrypto by surprise.
    values = [key.get(name, '') for name in _KEY_PARAMETERS] + [signature.get('signature', '')]
    if not all(isinstance(value, str) for value in values):
        raise DXFInvalidSignatureError('it, or its key, is not a string')


def _check_signature(signed: bytes, signature: Dict[str, Any]) -> None:
    # Slow to import, and few manifests are signed.
    from jwcrypto.common import JWException
    from jwcrypto.jwk import JWK
    from jwcrypto.jws import JWS

    serialised = json.dumps(
        {
            'payload': base64.urlsafe_b64encode(signed).rstrip(b'=').decode('ascii'),
            'protected': signature['protected'],
            'header': {'alg': _ALGORITHM},
            'signature': signature.get('signature'),
        }
    )
    key = signature['header']['jwk']
    try:
        token = JWS()
        # libtrust's own headers; it marks none of them critical.
        token.deserialize(serialised)
        token.allowed_algs = [_ALGORITHM]
        token.verify(JWK(**{name: key[name] for name in _KEY_PARAMETERS if name in key}))
    except (JWException, ValueError, TypeError) as error:
        raise DXFInvalidSignatureError('it is not one of this content by its key') from error
