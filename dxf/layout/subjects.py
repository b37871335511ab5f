"""What refers to what in a layout, remembered while the layout is as it was."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, List, NamedTuple, Optional

from .index import Entry
from .manifests import Stored, subject
from .storage import State

# How many referrers are remembered at the most; each takes some hundred bytes.
_MAX_NUMBER = 50_000

# The manifests that refer to each subject, as an index would list them.
Referring = Dict[str, List[Entry]]


class _Known(NamedTuple):
    state: State
    referring: Referring


class Subjects:
    """What was found in the layout that was asked about last.

    To find it all of a layout's manifests are read, which is too much to do again for each
    manifest that somebody asks about.
    """

    def __init__(self) -> None:
        self._known: Optional[_Known] = None

    def referring(self, state: Optional[State], read: Callable[[], Iterable[Stored]]) -> Referring:
        """What refers to what.

        :param state: how the layout is; ``None`` if that can't be told
        :param read: reads all of its manifests
        """
        known = self._known  # which another thread may replace
        if known is not None and known.state == state:
            return known.referring
        found: Referring = {}
        number = 0
        for manifest in read():
            about = subject(manifest)
            if about is not None:
                number += 1
                found.setdefault(about, []).append(
                    {'mediaType': manifest.media_type, 'digest': manifest.digest}
                )
        if state is not None and number <= _MAX_NUMBER:
            self._known = _Known(state, found)
        return found
