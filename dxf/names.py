"""What hosts, repositories, aliases and media types are spelt like.

The grammars are those of the OCI distribution specification 1.1 ("Pulling manifests"), and RFC
6838's of media types ("Naming Requirements").
"""

from __future__ import annotations

import os
import re
from typing import Any, Optional

from .exceptions import DXFInvalidNameError

_COMPONENT = r'[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*'
_REPOSITORY = re.compile(rf'{_COMPONENT}(?:/{_COMPONENT})*')
_TAG = re.compile(r'[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}')
_LABEL = r'[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'
_HOST = re.compile(rf'(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?')
_TYPE_NAME = r'[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}'
_MEDIA_TYPE = re.compile(f'{_TYPE_NAME}/{_TYPE_NAME}')

# What a folder of image layouts is named by, in the place of a host.
_LAYOUTS = 'oci:'

_MAX_PORT = 65535

# Of a name with its host, in characters: what registries agree on.
_MAX_REPOSITORY_LENGTH = 255


def check_host(host: str) -> str:
    """The host given, if it is one.

    :raises DXFInvalidNameError: if it is not
    """
    if layouts(host) is not None:
        return host
    spelt = _HOST.fullmatch(host)
    if spelt is None or not 0 < int(spelt.group(1) or 1) <= _MAX_PORT:
        rule = 'give a host, and a port if need be, as in localhost:5000'
        if '://' in host:
            rule = 'it is a URL: ' + rule
        # What stands before an @ may be a password.
        raise DXFInvalidNameError('host', host.rpartition('@')[2], rule)
    return host


def layouts(host: Any) -> Optional[str]:
    """The folder of image layouts that stands in for a registry, as in ``oci:FOLDER``.

    :returns: ``None`` if the host is a host; a ``~`` at the folder's beginning is the user's
        home, whoever has not expanded it before
    :raises DXFInvalidNameError: if there is no folder in it
    """
    if not isinstance(host, str) or not host.startswith(_LAYOUTS):
        return None
    folder = host[len(_LAYOUTS) :]
    if not folder:
        raise DXFInvalidNameError('host', host, 'give a folder, as in oci:./store')
    return os.path.expanduser(folder)


def check_repository(repository: str) -> str:
    """The repository's name given, if it is one.

    :raises DXFInvalidNameError: if it is not
    """
    if _REPOSITORY.fullmatch(repository) is None or len(repository) > _MAX_REPOSITORY_LENGTH:
        raise DXFInvalidNameError(
            'repository',
            repository,
            'it is made of lower-case letters and digits, with . _ - between them, in parts '
            f'separated by /, {_MAX_REPOSITORY_LENGTH} characters at most',
        )
    return repository


def check_alias(alias: str) -> str:
    """The alias given, if it is one: a tag.

    :raises DXFInvalidNameError: if it is not
    """
    if _TAG.fullmatch(alias) is None:
        raise DXFInvalidNameError(
            'alias',
            alias,
            'it is made of letters, digits and _ . -, starts with none of '
            'the latter two, 128 characters at most',
        )
    return alias


def is_media_type(text: str) -> bool:
    """Whether a text is spelt like a media type."""
    return _MEDIA_TYPE.fullmatch(text) is not None
