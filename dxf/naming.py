"""Errors of files that say which file they are about."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Iterator, Union

if TYPE_CHECKING:
    # What a file is called by.
    Filename = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
else:
    # Python 3.8 does not say of what a PathLike is.
    Filename = Union[str, bytes, os.PathLike]


@contextmanager
def naming(filename: Any) -> Iterator[None]:
    """Let an error say which file it is about."""
    try:
        yield
    except OSError as error:
        # Network trouble has no number.
        if error.filename is None and error.errno is not None:
            error.filename = filename
        raise
