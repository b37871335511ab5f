"""What a registry refuses (distribution specification 1.1, "Error Codes")."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """What a registry answers with an error.

    :ivar code: one of the specification's, or of those that registries have added;
        ``LAYOUT_INVALID`` where a folder is not what it should be
    :ivar message: what it means, in words
    :ivar details: what it concerns: there is an error for each, if there are any
    """

    def __init__(self, code: str, message: str, *details: Any) -> None:
        super().__init__(code, message, *details)
        self.code = code
        self.message = message
        self.details = details
