"""Docker's credential helpers: programs that keep credentials and are asked for them.

The protocol is that of docker's ``docker-credential-helpers``: ``docker-credential-NAME get``
reads a server's name and writes a JSON object with ``Username`` and ``Secret``.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Dict, Mapping, Optional, Tuple, cast

from .exceptions import DXFCredentialsError

if TYPE_CHECKING:
    import subprocess

# How long a helper may take, in seconds: some ask the user to unlock a key ring.
HELPER_SECONDS = 30.0

# Credentials are short, in bytes; what goes on and on is none.
_MAX_OUTPUT = 1024 * 1024
_PIECE = 65536

# Of what a helper complains of, in characters.
_MAX_COMPLAINT = 200

# What every helper prints that was made with docker's own library.
_NOT_FOUND = b'credentials not found in native keychain'


def ask(
    name: str, server: str, environ: Mapping[str, Any], seconds: float
) -> Optional[Tuple[str, str]]:
    """What a helper knows of a server.

    :param name: the helper's: the program is ``docker-credential-<name>``
    :param server: the server's, as the helper files it
    :param environ: environment variables, with which it runs. Where they have no
        ``PATH``, the process's own is taken
    :param seconds: how long it may take; then it is killed with all that it started
    :returns: a user's name and a secret, or ``None`` if it knows nothing of the server
    :raises DXFCredentialsError: if there is no such program, or it fails, or takes too
        long, or says something else. What it wrote on its output is never shown
    """
    from shutil import which

    helper = 'docker-credential-' + name
    variables = _variables(environ)
    # A relative entry would run what lies where the user happens to be.
    path = os.pathsep.join(filter(os.path.isabs, variables['PATH'].split(os.pathsep)))
    program = which(helper, path=path)
    if program is None or not os.path.isabs(program):
        raise DXFCredentialsError(helper, 'there is no such program on the PATH')
    status, output, complaint = _run(helper, program, server, variables, seconds)
    if status == 0:
        return _known(helper, output)
    if _NOT_FOUND in output or _NOT_FOUND in complaint:
        return None
    reason = _first_line(complaint)
    raise DXFCredentialsError(
        helper, f'it failed with exit status {status}' + (f': {reason}' if reason else '')
    )


def _variables(environ: Mapping[str, Any]) -> Dict[str, str]:
    """Those that a program can be given: the others may be anything."""
    variables = {
        name: value
        for name, value in environ.items()
        if _is_passable(name) and _is_passable(value) and name and '=' not in name
    }
    variables['PATH'] = variables.get('PATH') or os.environ.get('PATH') or os.defpath
    return variables


def _is_passable(value: Any) -> bool:
    try:
        return isinstance(value, str) and b'\0' not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def _run(
    helper: str, program: str, server: str, variables: Dict[str, str], seconds: float
) -> Tuple[int, bytes, bytes]:
    """A program's exit status, and what it writes on its output and as its complaints.

    :raises DXFCredentialsError: if it can't be run, takes too long or writes too much
    """
    # Needed by those alone who have a helper.
    import subprocess
    from threading import Thread
    from time import monotonic

    reason = None
    try:
        # In a session of its own, so that what it starts can be ended with it.
        process = subprocess.Popen(
            [program, 'get'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=variables,
            start_new_session=True,
        )
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise DXFCredentialsError(helper, f"it can't be run ({reason})")
    deadline = monotonic() + seconds
    # They are pipes, as was asked for.
    pipes = (process.stdin, process.stdout, process.stderr)
    stdin, stdout, stderr = (cast('IO[bytes]', pipe) for pipe in pipes)
    output, complaint = bytearray(), bytearray()
    readers = [
        Thread(target=_read, args=pipe, daemon=True)
        for pipe in ((stdout, output), (stderr, complaint))
    ]
    problem = None
    try:
        for reader in readers:
            reader.start()
        # It need not read it.
        with suppress(OSError), stdin:
            stdin.write(server.encode('utf-8', 'replace'))
        for reader in readers:
            reader.join(max(0, deadline - monotonic()))
        if len(output) > _MAX_OUTPUT or len(complaint) > _MAX_OUTPUT:
            problem = 'it writes without end'
        elif any(reader.is_alive() for reader in readers):
            problem = _too_long(seconds)
        else:
            process.wait(max(0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        problem = _too_long(seconds)
    finally:
        # Also if the user interrupts the waiting.
        if process.returncode is None:
            _kill(process)
    if problem is not None:
        raise DXFCredentialsError(helper, problem)
    return process.returncode, bytes(output), bytes(complaint)


def _too_long(seconds: float) -> str:
    return f'it did not answer within {seconds:g} s'


def _read(pipe: IO[bytes], into: bytearray) -> None:
    """Read to the end, or until it is too much: then who goes on writing is told so."""
    with pipe:
        while len(into) <= _MAX_OUTPUT:
            piece = pipe.read(_PIECE)
            if not piece:
                break
            into += piece


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program that is still there, and what it has started."""
    if os.name == 'posix':
        from signal import SIGKILL

        # Its number can't be another's before it is waited for.
        with suppress(OSError):
            os.killpg(process.pid, SIGKILL)
    else:
        process.kill()
    process.wait()


def _known(helper: str, output: bytes) -> Optional[Tuple[str, str]]:
    """What an answer says; one with an empty secret says that there is none."""
    answer: Any = None
    # What is wrong is raised later: the error of decoding holds the answer.
    with suppress(ValueError, RecursionError):
        answer = json.loads(output)
    if isinstance(answer, dict):
        username: Any = answer.get('Username')
        secret: Any = answer.get('Secret')
        if is_text(username) and is_text(secret):
            return (username, secret) if secret else None
    raise DXFCredentialsError(helper, 'its answer is not JSON with Username and Secret')


def is_text(value: Any) -> bool:
    """Whether something is a text that can be sent: JSON can spell halves of characters."""
    return isinstance(value, str) and not re.search('[\ud800-\udfff]', value)


def _first_line(complaint: bytes) -> str:
    """The first line of it, without what would do something to a terminal."""
    lines = complaint.decode('utf-8', 'replace').strip().splitlines() or ['']
    return ''.join(c for c in lines[0] if c.isprintable())[:_MAX_COMPLAINT].strip()
