"""Errors of files that say which file they are about."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator


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
