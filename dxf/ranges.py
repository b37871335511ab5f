"""One large blob over several connections at once, where one does not fill the link.

The ranges come in order, in bounded memory. How many are asked for at a time is found by
measuring: more only as long as they bring more.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Callable, Deque, Generator, Iterator, Optional

from .threads import pool

if TYPE_CHECKING:
    from .threads import Future, ThreadPoolExecutor

# The size of a range, in bytes: enough to be worth a round trip. So many of them at
# a time are what this takes of memory.
RANGE_SIZE = 512 * 1024
_WIDTHS = (4, 8)

# One connection is measured for so long before it is given up, in seconds, and only
# if it would take so much longer, that trying costs little of it.
_MEASURED_SECONDS = 1.0
_WORTHWHILE_SECONDS = 4.0

# As much of the time, as a part, must have been spent on waiting for the connection: where
# writing takes longer than fetching, one will do.
_WAITING = 0.5

# What more connections must bring for each next step, as a factor.
_GAIN = 1.2

# Fills memory with the bytes from a position on, and gives it back; None if they can't be had.
Fetch = Callable[[int, bytearray], Optional[bytearray]]


class Pace:
    """How fast bytes come."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._count = 0
        self._waited = 0.0

    def add(self, count: int, waited: float = 0.0) -> None:
        """Count some that came, and the seconds they were waited for."""
        self._count += count
        self._waited += waited

    @property
    def seconds(self) -> float:
        """For how long it has been measured."""
        return time.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self._count / max(self.seconds, 1e-6)

    def is_worth_more(self, left: int) -> bool:
        """Whether more connections may be of use for the bytes that are left."""
        return (
            self.seconds >= _MEASURED_SECONDS
            and self._waited >= self.seconds * _WAITING
            and left > self.rate * _WORTHWHILE_SECONDS
            and left > max(_WIDTHS) * RANGE_SIZE
        )


class Ranges:
    """The rest of a blob, by ranges.

    :param fetch: fetches one
    :param position: where the rest begins
    :param size: where it ends
    :param rate: what one connection brought, in bytes a second
    """

    def __init__(self, fetch: Fetch, position: int, size: int, rate: float) -> None:
        self._fetch = fetch
        self._next = position
        self._size = size
        self._rate = rate
        self._coming: Deque[Future[Optional[bytearray]]] = deque()

    def pieces(self) -> Iterator[bytearray]:
        """The ranges' content, in order; it ends early where one connection does as well."""
        threads = pool(max(_WIDTHS))
        try:
            best = 0
            for width in _WIDTHS:
                rate = yield from self._measured(threads, width)
                if rate is None:
                    return
                if rate < self._rate * _GAIN:
                    break
                best, self._rate = width, rate
            # Where one connection does as well, only what has been asked for is taken.
            while (yield from self._one(threads, best)):
                pass
        finally:
            for future in self._coming:
                future.cancel()
            threads.shutdown(wait=False)

    def _measured(
        self, threads: ThreadPoolExecutor, width: int
    ) -> Generator[bytearray, None, Optional[float]]:
        """Fetch for a while; say how fast that was, or nothing where it came to an end."""
        # The first round is still of the width before.
        for _ in range(width):
            if not (yield from self._one(threads, width)):
                return None
        pace = Pace()
        while pace.seconds < _MEASURED_SECONDS:
            pace.add(RANGE_SIZE)
            if not (yield from self._one(threads, width)):
                return None
        return pace.rate

    def _one(self, threads: ThreadPoolExecutor, width: int) -> Generator[bytearray, None, bool]:
        """Give the next range, with ``width`` of them on their way; not if there is none."""
        while len(self._coming) < width and self._next < self._size:
            # Made here: what each thread makes, the system keeps for that thread.
            memory = bytearray(min(RANGE_SIZE, self._size - self._next))
            self._coming.append(threads.submit(self._fetch, self._next, memory))
            self._next += len(memory)
        piece = self._coming.popleft().result() if self._coming else None
        if piece is None:
            return False
        yield piece
        return True
