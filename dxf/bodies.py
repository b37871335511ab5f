"""Bodies of requests: whether they can be sent again."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .exceptions import DXFCannotRewindError


def is_stream(body: Any) -> bool:
    """Whether a body is used up by sending it."""
    return hasattr(body, '__iter__') and not isinstance(
        body, (bytes, bytearray, str, list, tuple, Mapping)
    )


def position(body: Any) -> Optional[int]:
    """Where a body starts, if it can be rewound to there."""
    try:
        return int(body.tell())
    except (AttributeError, OSError):
        return None


def rewind(body: Any, start: Optional[int]) -> None:
    """Make a body ready to be sent again.

    :raises DXFCannotRewindError: if it can't be read again
    """
    if not is_stream(body):
        return
    if start is None:
        raise DXFCannotRewindError()
    body.seek(start)
