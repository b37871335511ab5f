"""Progress bars on standard error."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional

if TYPE_CHECKING:
    from .blocks import Block

_COLUMNS, _ROWS = 80, 24

# Not a colour: it clears the terminal from here to its end (ECMA-48, "ED").
_ERASE_BELOW = '\x1b[J\r'

# Called with a blob's digest, a piece of it, and its size in bytes.
Progress = Callable[[str, Any, Optional[int]], None]

# tqdm has no percentage for nothing.
_EMPTY_BAR = '{desc}: 100%|{bar}| 0/0 [{elapsed}]'
# Sizes in bytes, to compare with others; speeds for people.
_BAR = '{l_bar}{bar}| {n}/{total} [{elapsed}<{remaining}, {rate_fmt}]'


def bars(asked: Optional[bool]) -> Optional[Bars]:
    """What shows a bar for each blob, or ``None`` where none are wanted.

    :param asked: whether they are; ``None``: if there is a terminal to show them on
    """
    return Bars() if (_is_terminal() if asked is None else asked) else None


def _is_terminal() -> bool:
    isatty = getattr(sys.stderr, 'isatty', None)
    return isatty is not None and bool(isatty())


@contextmanager
def shown(asked: Optional[bool]) -> Iterator[Optional[Bars]]:
    """The same, as long as this lasts.

    At its end a terminal is told what several came to. An error's line is one of its own.
    """
    made = bars(asked)
    try:
        yield made
    finally:
        if made is not None:
            made.close()
    if made is not None:
        made.summarize()


def _format(size: Optional[int]) -> Optional[str]:
    if size is None:
        return None  # tqdm's own, for what has no end in sight
    return _BAR if size else _EMPTY_BAR


def _dimensions() -> Dict[str, Any]:
    """What size to assume of a terminal that does not say its own, as those of containers do."""
    try:
        known = os.get_terminal_size(sys.stderr.fileno()).columns
    except (AttributeError, OSError, ValueError):
        return {}
    return {} if known else {'ncols': _COLUMNS, 'nrows': _ROWS}


class Bars:
    """A bar for each blob that is on its way, named by the start of its digest.

    Several threads may move blobs.
    """

    def __init__(self) -> None:
        self._bars: Dict[str, Any] = {}
        self._lock = Lock()
        self._began = time.monotonic()
        self._count = 0
        self._bytes = 0

    def __call__(self, digest: str, piece: Block, size: Optional[int]) -> None:
        bar = self._bar(digest, desc=digest[:8], total=size, bar_format=_format(size))
        self._update(bar, piece)
        if bar.total is not None and bar.n >= bar.total:
            del self._bars[digest]
            bar.close()

    def of_stream(self, digest: Optional[str], piece: Block) -> None:
        """Show what was sent of standard input, whose size is not known."""
        self._update(self._bar('-', desc='stdin'), piece)

    def _bar(self, key: str, **kwargs: Any) -> Any:
        import tqdm  # looked up now: programs replace it in their tests

        with self._lock:
            if key not in self._bars:
                self._count += 1
                self._bars[key] = tqdm.tqdm(unit='B', unit_scale=True, **kwargs, **_dimensions())
            return self._bars[key]

    def _update(self, bar: Any, piece: Block) -> None:
        if piece:
            bar.update(len(piece))
        with self._lock:
            self._bytes += len(piece)

    def close(self) -> None:
        """Leave each bar as it is."""
        for bar in self._bars.values():
            bar.close()
        if self._count > 1 and _is_terminal():
            # tqdm leaves what a bar has shown further down.
            sys.stderr.write(_ERASE_BELOW)

    def summarize(self) -> None:
        """Say in a line what several bars came to; one says it itself, and a log has each."""
        if self._count < 2 or not _is_terminal():
            return
        from tqdm.std import tqdm

        seconds = time.monotonic() - self._began
        speed = tqdm.format_sizeof(self._bytes / max(seconds, 0.001), 'B/s')
        took = tqdm.format_interval(seconds)
        sys.stderr.write(f'{self._count} blobs: {self._bytes} bytes [{took}, {speed}]\n')
