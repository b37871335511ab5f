"""Where the files of an artifact go, below a folder that none of them may leave.

What is there already may have links in it, which are followed as long as they stay below it.
What is done to it meanwhile by others is not guarded against.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Dict, Iterator, Tuple

from .exceptions import DXFUnsafePathError
from .paths import Parts, join


def place(root: str, parts: Parts) -> str:
    """Where something is to be, which may be another place than it is called.

    :param root: a folder's real path
    :raises DXFUnsafePathError: if that is out of the folder
    """
    path = os.path.realpath(os.path.join(root, *parts))
    if path != root and not path.startswith(os.path.join(root, '')):
        raise DXFUnsafePathError(join(parts), f'would be written to {path}, which is elsewhere')
    return path


def check_place(path: str, parts: Parts) -> None:
    """See that a file can be where it is to be, whatever is there.

    :param parts: what the file is called
    :raises DXFUnsafePathError: if a device or a pipe is there: writing to it is not
        replacing it, and could take for ever
    :raises IsADirectoryError: if a folder is there
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise DXFUnsafePathError(join(parts), f'would be written to {path}, which is no file')


def merge(staged: str, target: str) -> None:
    """Move what is in a folder to where it belongs, over what is there.

    No link is followed. Folders that are there already stay, with what else is in them.

    :raises DXFUnsafePathError: if there is something else where a folder must be, before
        anything is moved
    :raises PermissionError: if a folder that is there can't be written to, likewise
    """
    os.makedirs(target, exist_ok=True)
    for source, destination in list(_moves(staged, target)):
        os.replace(source, destination)


def set_modes(target: str, modes: Dict[Parts, int]) -> None:
    """Say what people may do with the folders in a folder, now that nothing more is to come."""
    # Those below first: their parents may then be closed.
    for parts in sorted(modes, key=len, reverse=True):
        os.chmod(os.path.join(target, *parts), modes[parts])


def _moves(staged: str, target: str) -> Iterator[Tuple[str, str]]:
    with os.scandir(staged) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        destination = os.path.join(target, entry.name)
        is_there = os.path.lexists(destination)
        is_folder = os.path.isdir(destination) and not os.path.islink(destination)
        is_file = not entry.is_dir(follow_symlinks=False)
        if is_file and is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), destination)
        if is_file or not is_there:
            if not os.access(target, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
            yield entry.path, destination
        elif is_folder:
            yield from _moves(entry.path, destination)
        else:
            raise DXFUnsafePathError(destination, 'is to be a folder, and is something else')
