"""A folder of image layouts, one for each repository: ``PATH/<repository>/index.json``."""

from __future__ import annotations

import os
import re
from typing import Iterator, List, Optional

from ..exceptions import DXFInvalidNameError
from ..names import check_repository
from .layout import Layout
from .refusals import Refused
from .storage import BLOBS, INDEX_FILE, LAYOUT_FILE, Storage
from .subjects import Subjects

# What a part of a repository's name can't be: a repository may be in another's
# folder, where these are something else.
_RESERVED = (BLOBS, INDEX_FILE, LAYOUT_FILE)

# What no file can be called on Windows, whatever comes after a dot.
_DEVICES = re.compile('(con|prn|aux|nul|com[0-9]|lpt[0-9])([.].*)?')
_ON_WINDOWS = os.name == 'nt'

# What the repository is called that a folder without a fitting name is.
_OWN_NAME = 'layout'


class Folder:
    """Image layouts by their repositories' names.

    A folder that is an image layout itself is a repository under its own name (or
    ``layout``, where its name can't be a repository's), beside those in it.

    :param path: the folder, which need not be there
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        self._subjects = Subjects()

    def layout(self, name: str) -> Layout:
        """A repository's layout, which need not be there.

        :raises Refused: if no repository can be called that
        """
        try:
            parts = check_repository(name).split('/')
        except DXFInvalidNameError as error:
            raise Refused('NAME_INVALID', str(error), {'name': name}) from error
        for part in parts:
            if part in _RESERVED:
                raise Refused(
                    'NAME_INVALID',
                    f"no part of a repository's name can be {part!r}: "
                    'that is what a layout has for itself',
                    {'name': name},
                )
            if _ON_WINDOWS and _DEVICES.fullmatch(part):
                raise Refused(
                    'NAME_INVALID', f'no folder can be called {part!r} on Windows', {'name': name}
                )
        own = name == self.own_name()
        files = Storage(self._path if own else os.path.join(self._path, *parts))
        return Layout(files, self._subjects)

    def names(self) -> List[str]:
        """The repositories that are there.

        :raises OSError: if the folder can't be read, or is none
        """
        own = self.own_name()
        return sorted({*([own] if own else []), *self._below(self._path, '')})

    def own_name(self) -> Optional[str]:
        """What the folder itself is called, if it is an image layout."""
        if not _is_layout(self._path):
            return None
        name = os.path.basename(self._path)
        try:
            return _OWN_NAME if name in _RESERVED else check_repository(name)
        except DXFInvalidNameError:
            return _OWN_NAME

    def _below(self, path: str, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(path) as found:
                entries = [
                    entry for entry in found if entry.name not in _RESERVED and entry.is_dir()
                ]
        except OSError as error:
            # What is not there has nothing in it. In a folder there may be some that are not
            # ours to see.
            if prefix or isinstance(error, FileNotFoundError):
                return
            raise
        for entry in entries:
            try:
                name = check_repository(prefix + entry.name)
            except DXFInvalidNameError:
                continue
            if _is_layout(entry.path):
                yield name
            # A link may lead back to where it is.
            if not entry.is_symlink():
                yield from self._below(entry.path, name + '/')


def _is_layout(path: str) -> bool:
    return os.path.isfile(os.path.join(path, LAYOUT_FILE))
