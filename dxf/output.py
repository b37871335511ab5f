"""Text and bytes to standard output, whatever that is at the moment.

A program may have replaced it by an object that has only ``write`` and ``flush``.
"""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, ContextManager, Iterable, Iterator

from .naming import naming

if TYPE_CHECKING:
    from .blocks import Block


def write(text: str) -> None:
    """Write text, and nothing after it."""
    with _named():
        if hasattr(sys.stdout, 'buffer'):
            # As UTF-8, whatever the terminal's encoding: names and manifests are.
            sys.stdout.flush()
            _writer(sys.stdout.buffer)(text.encode('utf-8'))
        elif isinstance(sys.stdout, (io.RawIOBase, io.BufferedIOBase)):
            _writer(sys.stdout)(text.encode('utf-8'))
        else:
            _open_stdout().write(text)


def write_line(text: str) -> None:
    """Write text and a newline, at once: others may be waiting for it."""
    write(text + '\n')
    flush()


def as_json(value: Any) -> str:
    """A value as it is printed: its keys in order."""
    # Of no use to who asks for help.
    import json

    return json.dumps(value, sort_keys=True)


def printable(text: str) -> str:
    """Text that somebody else made, such that it stays in its line and does nothing else."""
    return ''.join(character if character.isprintable() else '?' for character in text)


def word(text: str) -> str:
    """The same, without a space in it."""
    return printable(text).replace(' ', '?')


def write_json(value: Any) -> None:
    """Write a value and a newline."""
    write_line(as_json(value))


def write_value(value: Any) -> None:
    """Write what there is one of, or one for each platform, and a newline."""
    write_line(as_json(value) if isinstance(value, dict) else str(value))


def write_lines(lines: Iterable[str]) -> None:
    """Write each with a newline, as they come."""
    for line in lines:
        write_line(line)


def is_file() -> bool:
    """Whether it is a file or a pipe, and nothing that stands in for one."""
    # Where Python is told not to buffer, it is the file itself.
    return isinstance(getattr(sys.stdout, 'buffer', None), (io.BufferedWriter, io.FileIO))


@contextmanager
def binary() -> Iterator[Callable[[Block], Any]]:
    """What writes bytes as they are, as long as this lasts."""
    out = getattr(sys.stdout, 'buffer', None) or _open_stdout()
    with _named():
        yield _writer(out)


def flush() -> None:
    """See that all that was written is on its way."""
    if sys.stdout is not None:
        with _named():
            sys.stdout.flush()


def _open_stdout() -> Any:
    if sys.stdout is None:
        from .exceptions import DXFConfigurationError

        raise DXFConfigurationError('standard output is closed: there is nowhere to write to')
    return sys.stdout


def _writer(out: Any) -> Callable[[Block], Any]:
    if isinstance(out, io.TextIOBase):
        return lambda content: out.write(bytes(content).decode('utf-8', 'surrogateescape'))
    if isinstance(out, io.RawIOBase):
        return partial(_write_whole, out)
    return out.write  # type: ignore[no-any-return]


def _write_whole(out: io.RawIOBase, content: Block) -> None:
    """Write to what may take only a part at a time."""
    left = memoryview(content)
    while left:
        left = left[out.write(left) or 0 :]


def _named() -> ContextManager[None]:
    return naming('standard output')
