"""Threads, loaded when there is something to do side by side, and what they take turns at."""

from __future__ import annotations

from contextlib import nullcontext
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, Callable, ContextManager, Optional
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ['Future', 'ThreadPoolExecutor', 'Worker', 'pool', 'turn']

_looking = Lock()
_turns: WeakKeyDictionary[Any, ContextManager[Any]] = WeakKeyDictionary()
# For functions that nothing can be kept for: they can't be hashed, or referred to weakly.
_others_turn = RLock()


def turn(function: Optional[Callable[..., Any]]) -> ContextManager[Any]:
    """What to hold while a function is called that no two threads may be in at once."""
    if function is None:
        return nullcontext()
    with _looking:
        try:
            # A method is made anew whenever it is named: what stays is its object.
            return _turns.setdefault(getattr(function, '__self__', function), RLock())
        except TypeError:
            return _others_turn


def pool(size: int) -> ThreadPoolExecutor:
    """So many threads."""
    # Most commands do one thing after another, and the shell starts them often.
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(size)


class Worker:
    """Does the same with each thing that it is given, in order, in a thread of its own.

    Handing over costs it a tenth of what it costs a pool, which matters where that is done
    thousands of times a second.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        from queue import SimpleQueue
        from threading import Thread

        self._function = function
        self._todo: SimpleQueue[Any] = SimpleQueue()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._waiting = 0
        # Whoever forgets to close it must be able to end the program all the same.
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for thing in iter(self._todo.get, None):
            try:
                self._function(thing)
            except BaseException as error:
                self._done.put(error)
            else:
                self._done.put(None)

    def give(self, thing: Any) -> None:
        """Give it something to do, which is not ``None``."""
        self._waiting += 1
        self._todo.put(thing)

    def wait(self, left: int = 0) -> None:
        """Wait until no more than ``left`` things are not done; raise what doing one raised."""
        while self._waiting > left:
            error = self._done.get()
            self._waiting -= 1
            if error is not None:
                raise error

    def close(self) -> None:
        """Let go of the thread."""
        self._todo.put(None)
