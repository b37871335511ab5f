"""When things were made, as reproducible builds say it."""

from __future__ import annotations

import os
import time
from typing import Optional

from .exceptions import DXFConfigurationError

_VARIABLE = 'SOURCE_DATE_EPOCH'


def source_date() -> Optional[int]:
    """What ``SOURCE_DATE_EPOCH`` says, in seconds since 1970, if it is set.

    :raises DXFConfigurationError: if it can't be used
    """
    text = os.environ.get(_VARIABLE)
    if not text:
        return None
    # Later years have more digits than the format has room for.
    if not (text.isascii() and text.isdigit()) or len(text) > 11:
        raise DXFConfigurationError(f'{_VARIABLE} is {text!r}: give a number of seconds')
    return int(text)


def now() -> str:
    """The time, or what is to stand in for it (RFC 3339)."""
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(source_date()))
