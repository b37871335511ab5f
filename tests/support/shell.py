"""The command line run either way: as a process of its own, or by `doit` in this one."""

import io
import sys
from typing import NamedTuple
from unittest import mock

import dxf.main

from .commandline import run_cli


class Result(NamedTuple):
    """How a command ended."""

    code: int
    out: bytes
    err: bytes


def run_process(*args, environ, stdin=b''):
    done = run_cli(*args, environ=environ, stdin=stdin)
    return Result(done.returncode, done.stdout, done.stderr)


def run_doit(*args, environ, stdin=b''):
    """`doit` with standard streams of its own; what it raises comes through, exits apart."""
    made = streams(stdin)
    with mock.patch.multiple(sys, **made):
        try:
            code = dxf.main.doit([str(arg) for arg in args], environ)
        except SystemExit as e:
            code = e.code
    return Result(code, written(made['stdout']), written(made['stderr']))


def streams(stdin=b''):
    return {'stdin': _stream(stdin), 'stdout': _stream(), 'stderr': _stream()}


def _stream(content=b''):
    # As Python makes its own: newlines stay what they are.
    return io.TextIOWrapper(io.BytesIO(content), 'utf-8', newline='\n')


def written(stream):
    stream.flush()
    return stream.buffer.getvalue()


WAYS = {'process': run_process, 'doit': run_doit}


class Shell:
    """Runs commands with the same variables each time; more may be given with a command."""

    def __init__(self, run, environ):
        self._run = run
        self.environ = environ

    def __call__(self, *args, stdin=b'', **environ):
        return self._run(*args, environ={**self.environ, **environ}, stdin=stdin)

    def out(self, *args, **kwargs):
        """What a command that succeeds prints. It says nothing on stderr."""
        code, out, err = self(*args, **kwargs)
        assert (code, err) == (0, b'')
        return out
