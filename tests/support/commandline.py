"""The command line as the shell sees it: a process of its own."""

import os
import subprocess
import sys
import tempfile

from .flavours import coverage_environ

COMMAND_SECONDS = 120


def environment(environ):
    """A bare environment with these variables: nothing of the user's gets in."""
    kept = {k: os.environ[k] for k in ('PATH', 'LANG', 'LC_ALL', 'SYSTEMROOT') if k in os.environ}
    return {
        **kept,
        'PYTHONIOENCODING': 'utf-8',
        # No docker or podman settings are there.
        'HOME': tempfile.gettempdir() + '/dxf-tests-no-home',
        **coverage_environ(),
        **environ,
    }


def run_cli(*args, environ=None, stdin=b'', **kwargs):
    """Run `python -m dxf ARGS`; a CompletedProcess with bytes in stdout and stderr."""
    kwargs.setdefault('stdout', subprocess.PIPE)
    kwargs.setdefault('stderr', subprocess.PIPE)
    kwargs.setdefault('timeout', COMMAND_SECONDS)
    return subprocess.run(
        [sys.executable, '-m', 'dxf', *map(str, args)],
        input=stdin,
        env=environment(environ or {}),
        **kwargs,
    )
