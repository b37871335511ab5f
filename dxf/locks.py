"""Locks that processes hold on files and folders, and lose when they end."""

from __future__ import annotations

import sys
from typing import IO, Any, Optional, Union


def try_lock(file: Union[int, IO[Any]]) -> Optional[bool]:
    """Lock a file or a folder for this process alone, until it is closed.

    :param file: what it was opened as
    :returns: whether no other has it locked; ``None`` if there are no locks
    """
    if sys.platform == 'win32':
        return None
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
