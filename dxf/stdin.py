"""Standard input, whatever that is at the moment."""

from __future__ import annotations

import sys
from typing import Any

from .exceptions import DXFConfigurationError, DXFInvalidManifestError


def binary() -> Any:
    """Standard input as a binary file; what replaces it can perhaps be read whole only."""
    if sys.stdin is None:
        raise DXFConfigurationError('standard input is closed: there is nothing to read')
    return sys.stdin.buffer if hasattr(sys.stdin, 'buffer') else sys.stdin.read()


def manifest() -> str:
    """A manifest from standard input, which is UTF-8 whatever the terminal's encoding."""
    content = binary()
    if hasattr(content, 'read'):
        content = content.read()
    try:
        return content if isinstance(content, str) else str(content, 'utf-8')
    except UnicodeDecodeError as error:
        raise DXFInvalidManifestError('the text', 'is not UTF-8') from error
