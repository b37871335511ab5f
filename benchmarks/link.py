"""A registry far away: the tests' delaying proxy, as a process of its own."""

import contextlib
import subprocess
import sys
from pathlib import Path

PROXY = Path(__file__).resolve().parent.parent / 'tests' / 'support' / 'delayproxy.py'


@contextlib.contextmanager
def delayed(port, rtt):
    """The port by which a loopback port is `rtt` seconds away; with 0, that port itself."""
    if not rtt:
        yield port
        return
    words = [sys.executable, str(PROXY), f'127.0.0.1:{port}', '--rtt', str(rtt)]
    # It ends when its standard input does.
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield int(process.stdout.readline())
