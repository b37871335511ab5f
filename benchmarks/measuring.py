"""One command run once, timed from its start to its end."""

import contextlib
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

LAUNCH = Path(__file__).with_name('launch.py')

# Longer than any run that comes to an end.
RUN_SECONDS = 900

# What is said of a failure, in characters.
REASON = 200

READ = 1024 * 1024


class Failed(Exception):
    """A command did not do what it was to do; the text says why, in one line."""


class Command(NamedTuple):
    """What to run, and where its output is to be looked for."""

    argv: List[str]
    env: Dict[str, str] = {}
    stdin: str = '/dev/null'
    cwd: Optional[str] = None  # the run's own empty folder
    # What it pulls goes to its standard output, or else to this file or folder.
    writes: Optional[Path] = None
    # Whether it moves the content at all; if not, there is nothing to look at after it.
    moves: bool = True


class Measured(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run(command, folder, env, stdout='/dev/null', seconds=RUN_SECONDS):
    """Run it, with standard output to a file.

    `folder` is the run's own. Failed, with the last line of its standard error, if
    its exit code is not 0.
    """
    with _launched(command, folder, env, stdout, seconds, subprocess.DEVNULL):
        pass
    return _report(folder)


def run_hashing(command, folder, env, seconds=RUN_SECONDS):
    """Run it and give the SHA-256 of its standard output, in hex.

    The reading slows it down, so that its time means nothing.
    """
    hasher = hashlib.sha256()
    with _launched(command, folder, env, None, seconds, subprocess.PIPE) as process:
        for piece in iter(lambda: process.stdout.read(READ), b''):
            hasher.update(piece)
    _report(folder)
    return hasher.hexdigest()


@contextlib.contextmanager
def _launched(command, folder, env, stdout, seconds, to):
    spec = {
        'argv': command.argv,
        'env': {**env, **command.env},
        'stdin': command.stdin,
        'stdout': stdout,
        'stderr': str(folder / 'stderr'),
        'cwd': command.cwd or str(folder),
        'seconds': seconds,
        'report': str(folder / 'report.json'),
    }
    path = folder / 'spec.json'
    path.write_text(json.dumps(spec), encoding='utf-8')
    words = [sys.executable, '-I', '-S', str(LAUNCH), str(path)]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=to) as process:
        try:
            yield process
            process.wait()
        except BaseException:
            # It ends what it has launched before itself.
            process.terminate()
            raise


def _report(folder):
    try:
        report = json.loads((folder / 'report.json').read_text(encoding='utf-8'))
    except OSError:
        raise Failed('it could not be started') from None
    if report.pop('timed_out'):
        raise Failed('it was stopped: it had not ended in time')
    code = report.pop('code')
    if code:
        raise Failed(f'exit code {code}: {last_line(folder / "stderr")}')
    return Measured(**report)


def last_line(path):
    lines = path.read_text(encoding='utf-8', errors='replace').split('\n')
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:REASON] if said else 'it said nothing'
