"""Keep arbitrary data in a container registry.

:class:`DXF` works on one repository, :class:`DXFBase` on a registry as a whole;
every error they raise of their own is in :mod:`dxf.exceptions`.

Names are loaded when they are first asked for, so that ``import dxf`` (and with
it ``dxf --help``) does not wait for the HTTP libraries.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

# typing has it too, and takes longer to load than all else here. Who presses Ctrl-C while
# the program starts would see a traceback: nothing can hide one before `__main__` does.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, List

    from . import exceptions
    from .client import DXF, DXFBase
    from .digests import _to_bytes_2and3, hash_bytes, hash_file, split_digest
    from .indexes import Descriptor
    from .logins import docker_auth
    from .manifests import _schema2_list_mimetype, _schema2_mimetype

__all__ = [
    'DXF',
    'DXFBase',
    'Descriptor',
    '__version__',
    'docker_auth',
    'exceptions',
    'hash_bytes',
    'hash_file',
    'split_digest',
]

# Where each name is to be had. The three with an underscore look private, but
# programs import them.
_HOMES = {
    'DXF': 'client',
    'DXFBase': 'client',
    'Descriptor': 'indexes',
    'docker_auth': 'logins',
    'hash_bytes': 'digests',
    'hash_file': 'digests',
    'split_digest': 'digests',
    '_to_bytes_2and3': 'digests',
    '_schema2_mimetype': 'manifests',
    '_schema2_list_mimetype': 'manifests',
}


def __getattr__(name: str) -> Any:
    if name == 'exceptions':
        return import_module('.exceptions', __name__)
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(import_module('.' + _HOMES[name], __name__), name)
    # Kept, so that the next look finds it at once; a name that a program has
    # replaced in the meantime stays replaced.
    return globals().setdefault(name, value)


def __dir__() -> List[str]:
    return sorted(set(globals()) | set(_HOMES) | {'exceptions'})
