"""What an error is made from."""

from __future__ import annotations

from typing import Any, Iterator


def causes(error: Any) -> Iterator[Any]:
    """An error, and what it is made from: requests and urllib3 keep it in their arguments."""
    found = [error]
    seen = set()
    while found:
        current = found.pop()
        # The same one may be there by several ways, or in a circle.
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        found.extend(
            cause
            for cause in (
                *getattr(current, 'args', ()),
                getattr(current, 'reason', None),
                current.__cause__,
                current.__context__,
            )
            if isinstance(cause, BaseException)
        )
