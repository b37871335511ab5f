"""Whether blobs are there already, asked in as few requests as a registry allows."""

from __future__ import annotations

from threading import Lock
from typing import Optional

from requests.exceptions import HTTPError, RequestException

from .answers import is_not_found
from .exceptions import DXFError
from .sessions import Session, Target


class Presence:
    """Asks of many blobs whether they are there, and opens uploads for those that are not.

    Who asks to mount a blob from the repository itself is told both by one request ("Mounting
    a blob from another repository": 201 if it is there, else 202 and an upload). A registry
    that mounts nothing says 202 of every blob, and so is first asked about one that is there.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._trying = Lock()
        self._can_mount = False

    def upload_for(self, digest: str) -> Optional[Session]:
        """An upload for a blob; ``None`` if the registry has that already."""
        if self._can_mount:
            try:
                return Session.open_unless_there(self._target, digest)
            except HTTPError as error:
                if not is_not_found(error):
                    raise
                # Some mount what they have, and of the rest say that they don't have it.
                self._can_mount = False
        return None if self._target.exists(digest) else Session.open(self._target)

    def saw(self, digest: str) -> None:
        """Be told of a blob that is there. The first shows what the registry can do."""
        # Never released: one blob tells as much as another.
        if not self._trying.acquire(blocking=False):
            return
        try:
            session = Session.open_unless_there(self._target, digest)
        except (RequestException, DXFError):
            return  # what it cannot do, it need not
        if session is None:
            self._can_mount = True
        else:
            session.cancel()
