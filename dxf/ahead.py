"""Fetching what comes next while what came before is used, in order and in bounded memory."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from itertools import islice
from threading import Event, main_thread
from typing import Any, Callable, Deque, Iterable, Iterator, List, Optional, Tuple

from .threads import pool

# How many blobs are on their way at a time.
THREADS = 8

# How much of each may wait, in bytes, and how much is handed over at a time:
# handing over costs more than a small piece is worth.
_WAITING_SIZE = 256 * 1024
_HANDED_SIZE = 256 * 1024

# How often a thread looks whether it is still wanted, in seconds.
_LOOK_INTERVAL = 0.1

# Starts a pull: gives a blob's pieces, and its size in bytes if that is known.
Pull = Callable[[], Tuple[Iterable[bytes], Optional[int]]]

# A blob's size in bytes if that is known, its next pieces, and whether those are the last.
_Handed = Tuple[Optional[int], List[bytes], bool]

# What pulls give: each blob's pieces and its size in bytes, in order.
Pulled = Iterator[Tuple[Iterator[bytes], Optional[int]]]


class _Unwanted(Exception):
    """Nobody takes the pieces any more."""


class _Running:
    """A pull in a thread of its own, whose pieces wait to be taken."""

    def __init__(self, pull: Pull) -> None:
        self._pull = pull
        from queue import Queue

        self._queue: Queue[Any] = Queue(_WAITING_SIZE // _HANDED_SIZE)
        self._unwanted = Event()

    def run(self) -> None:
        """Pull, in the thread."""
        try:
            chunks, size = self._pull()
            waiting: List[bytes] = []
            count = 0
            if size is None or size > _HANDED_SIZE:
                # What is short is handed over as a whole; of what is long, this is known now.
                self._hand_over((size, [], False))
            for chunk in chunks:
                waiting.append(chunk)
                count += len(chunk)
                if count >= _HANDED_SIZE:
                    self._hand_over((size, waiting, False))
                    waiting, count = [], 0
            self._hand_over((size, waiting, True))
        except _Unwanted:
            pass
        except BaseException as error:
            with suppress(_Unwanted):
                self._hand_over(error)

    def _hand_over(self, item: Any) -> None:
        from queue import Full

        # At the end of the program nobody is left to want them.
        while not self._unwanted.is_set() and main_thread().is_alive():
            with suppress(Full):
                return self._queue.put(item, timeout=_LOOK_INTERVAL)
        raise _Unwanted()

    def _take(self) -> _Handed:
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        handed: _Handed = item
        return handed

    def begin(self) -> Tuple[Iterator[bytes], Optional[int]]:
        """The blob's pieces and its size, for whoever takes them."""
        first = self._take()
        return self._chunks(first), first[0]

    def _chunks(self, handed: _Handed) -> Iterator[bytes]:
        try:
            while True:
                _, chunks, is_last = handed
                yield from chunks
                if is_last:
                    return
                handed = self._take()
        finally:
            self.stop()

    def stop(self) -> None:
        """Pull no more."""
        self._unwanted.set()


def in_turn(pulls: Iterable[Pull]) -> Pulled:
    """Pull each blob when it is asked for."""
    for pull in pulls:
        chunks, size = pull()
        yield iter(chunks), size


def in_advance(pulls: Iterable[Pull]) -> Pulled:
    """Pull the next blobs while one is used, in threads.

    What is left of a blob when the next is asked for is not fetched.
    """
    todo = iter(pulls)
    running: Deque[_Running] = deque()
    threads = pool(THREADS)
    try:
        while True:
            for pull in islice(todo, 2 * THREADS - len(running)):
                running.append(_Running(pull))
                threads.submit(running[-1].run)
            if not running:
                return
            yield running[0].begin()
            running.popleft().stop()
    finally:
        for one in running:
            one.stop()
        # What is on its way has been told that it is not wanted.
        threads.shutdown(wait=False)
