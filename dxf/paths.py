"""Names of files in artifacts: paths with slashes that stay below where they begin."""

from __future__ import annotations

import os
from typing import Iterable, List, Tuple

from .exceptions import DXFUnsafePathError

# A path below a folder; that itself is ().
Parts = Tuple[str, ...]

# How deep folders may be: they are made and removed by functions that call themselves.
_MAX_DEPTH = 128


def split(name: str) -> Parts:
    """A name's parts, if it leads nowhere else.

    :raises DXFUnsafePathError: if it does
    """
    if name.startswith('/') or os.path.isabs(name) or os.path.splitdrive(name)[0]:
        raise DXFUnsafePathError(name, 'is absolute')
    parts = tuple(part for part in name.split('/') if part not in ('', '.'))
    if '..' in parts:
        raise DXFUnsafePathError(name, 'has .. in it')
    if '\0' in name or (os.sep != '/' and os.sep in name):
        raise DXFUnsafePathError(name, 'has a character in it that no name has')
    if len(parts) > _MAX_DEPTH:
        raise DXFUnsafePathError(name, f'has more than {_MAX_DEPTH} folders in it')
    try:
        # What is no text in names can be written in more than one way.
        return tuple(os.fsdecode(os.fsencode(part)) for part in parts)
    except UnicodeEncodeError as error:
        raise DXFUnsafePathError(name, 'has a character in it that no name has') from error


def below(name: str, folder: Parts) -> Parts:
    """A name's parts without a folder's, which it must begin with.

    :raises DXFUnsafePathError: if it does not
    """
    parts = split(name)
    if parts[: len(folder)] != folder:
        raise DXFUnsafePathError(name, f'is not below {"/".join(folder)!r}')
    return parts[len(folder) :]


def join(parts: Parts) -> str:
    """The name with these parts."""
    return '/'.join(parts) or '.'


def check_link(name: str, parts: Parts, target: str) -> None:
    """See that a symbolic link stays in the folder that it is in.

    It does if it leads up no further than to that, and then only down. What is on the way
    down may be a link, too; but it has been looked at likewise, and who climbs up from where
    that leads could get out.

    :param parts: where the link is, below the folder
    :raises DXFUnsafePathError: if it may leave it
    """
    if target.startswith('/') or os.path.isabs(target) or '\0' in target or not target:
        raise DXFUnsafePathError(name, f'is a link to {target!r}, out of its folder')
    steps = [step for step in target.split('/') if step not in ('', '.')]
    up = 0
    while up < len(steps) and steps[up] == '..':
        up += 1
    if up > len(parts) - 1 or '..' in steps[up:]:
        raise DXFUnsafePathError(
            name, f'is a link to {target!r}, which may lead out of its folder'
        )


def check_distinct(names: Iterable[Tuple[str, bool]]) -> List[Parts]:
    """See that files and folders can be beside each other.

    :param names: each with whether it is a folder's
    :returns: their parts, in order
    :raises DXFUnsafePathError: if one is there twice, or is below a file
    """
    found: List[Parts] = []
    seen = set()
    files = set()
    for name, is_folder in names:
        parts = split(name)
        if not parts and not is_folder:
            raise DXFUnsafePathError(name, 'is no name of a file')
        if parts in seen:
            raise DXFUnsafePathError(name, 'is there twice')
        seen.add(parts)
        found.append(parts)
        if not is_folder:
            files.add(parts)
    for parts in found:
        for length in range(1, len(parts)):
            if parts[:length] in files:
                raise DXFUnsafePathError(join(parts), f'is below {join(parts[:length])}, a file')
    return found
