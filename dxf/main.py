"""The command ``dxf``: what was typed and the environment in, an exit code out."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Iterator, Mapping, NoReturn, Sequence

if TYPE_CHECKING:
    import logging

# What shells make of a process that a signal ended: 128 and its number.
_INTERRUPTED = 130
_PIPE_CLOSED = 141


def doit(args: Sequence[str], environ: Mapping[str, Any]) -> int:
    """Run one command.

    :param args: what would be typed after ``dxf``
    :param environ: the variables that settings and credentials come from
    :returns: 0; ``errno.EACCES`` for a 401 and ``errno.ENOENT`` for a 404, of which
        standard error says more
    :raises SystemExit: for wrong usage, as argparse does
    :raises dxf.exceptions.DXFError: and what else the client raises
    """
    from . import parser

    typed = parser.parse(args)
    # Slow to import, and of no use to who asks for help.
    from requests.exceptions import HTTPError

    from . import commands
    from .answers import is_not_found
    from .exceptions import DXFUnauthorizedError

    with _logging(environ.get('DXF_DEBUG') == '1') as log:
        try:
            commands.run(typed, environ)
        except DXFUnauthorizedError as error:
            log.debug('unauthorized', exc_info=True)
            _complain(error)
            return errno.EACCES
        except HTTPError as error:
            if not is_not_found(error):
                raise
            log.debug('not found', exc_info=True)
            _complain(error)
            return errno.ENOENT
    return 0


def main() -> NoReturn:
    """What the shell sees: one line on standard error where something went wrong."""
    try:
        code = _outcome()
        _let_go_of_output()
    except KeyboardInterrupt:
        # At once: threads may be waiting for answers.
        os._exit(_INTERRUPTED)
    sys.exit(code)


def _outcome() -> int:
    """Run the command, and say what went wrong if something did; the exit code."""
    try:
        return _run()
    except BrokenPipeError:
        return _PIPE_CLOSED
    except Exception as error:
        if _was_interrupted(error):
            raise KeyboardInterrupt from error
        if os.environ.get('DXF_DEBUG') == '1':
            raise
        _complain(error)
        return 1


def _was_interrupted(error: BaseException) -> bool:
    """Whether it was raised by what Ctrl-C had come into the midst of, such as a lock."""
    context = error.__context__
    return context is not None and (
        isinstance(context, KeyboardInterrupt) or _was_interrupted(context)
    )


def _run() -> int:
    if '_ARGCOMPLETE' in os.environ:
        # The shell asks what may come next; nothing is run.
        from .completion import complete

        complete()
    try:
        code = doit(sys.argv[1:], os.environ)
    except SystemExit as exit:
        # Help may be left unread too.
        code = exit.code if isinstance(exit.code, int) else 1
    _flush()
    return code


@contextmanager
def _logging(wanted: bool) -> Iterator[logging.Logger]:
    """Show each request on standard error."""
    import logging

    log = logging.getLogger('dxf')
    handler, level = logging.StreamHandler(), log.level
    if wanted:
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
    try:
        yield log
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def _flush() -> None:
    from .output import flush

    flush()


def _complain(error: Exception) -> None:
    from .words import describe

    if sys.stderr is None:
        return
    # It may be full, or closed at its other end: the exit code says what it can.
    with suppress(OSError):
        sys.stderr.write(f'dxf: {describe(error)}\n')


def _let_go_of_output() -> None:
    try:
        _flush()
    except OSError:
        # Nobody reads it, or there is no room for it. That has been said; Python
        # would try once more at the end, and say so too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
