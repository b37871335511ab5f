"""The fields of a JSON object that somebody else made, each checked when it is asked for."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Optional

from . import digests
from .exceptions import DXFInvalidManifestError

# A size is an int64 (OCI image specification 1.1, "Content Descriptors").
_MAX_SIZE = 2**63 - 1


class Fields:
    """A JSON object's fields, each of the type it should have.

    :param path: where in the manifest the object is; errors say so
    :param manifest: what errors call the manifest
    :raises DXFInvalidManifestError: if it is no object
    """

    def __init__(self, value: Any, path: str = '', manifest: Optional[str] = None) -> None:
        self._path = path
        self._manifest = manifest
        if not isinstance(value, dict):
            raise self._error(None, 'is not an object')
        self._value = value

    def _error(self, name: Optional[str], problem: str) -> DXFInvalidManifestError:
        path = '.'.join(part for part in (self._path, name) if part)
        return DXFInvalidManifestError(path or 'the text', problem, self._manifest)

    def is_empty(self) -> bool:
        return not self._value

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def string(self, name: str) -> str:
        value = self._required(name)
        if not isinstance(value, str):
            raise self._error(name, 'is not a string')
        return value

    def optional_string(self, name: str) -> Optional[str]:
        return self.string(name) if self.has(name) else None

    def size(self, name: str) -> int:
        value = self._required(name)
        # JSON's true is no number, though Python's is.
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_SIZE:
            raise self._error(name, 'is not a size in bytes')
        return value

    def digest(self, name: str) -> str:
        value = self.string(name)
        if not digests.is_digest(value):
            raise self._error(name, 'is not a digest')
        return value

    def object(self, name: str) -> Fields:
        return self._child(self._required(name), name)

    def objects(self, name: str) -> Iterator[Fields]:
        value = self._required(name)
        if not isinstance(value, list):
            raise self._error(name, 'is not a list')
        for position, item in enumerate(value):
            yield self._child(item, f'{name}[{position}]')

    def mapping(self, name: str) -> Dict[str, Any]:
        """An object that may be missing, as it is."""
        return self.object(name)._value if self.has(name) else {}

    def _required(self, name: str) -> Any:
        if name not in self._value:
            raise self._error(name, 'is missing')
        return self._value[name]

    def _child(self, value: Any, name: str) -> Fields:
        return Fields(value, self._path + '.' + name if self._path else name, self._manifest)
