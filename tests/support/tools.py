"""Programs that others wrote, and what becomes of a test that needs one that is not here."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FETCH_TOOL = ROOT / 'scripts' / 'fetch-tool'

#: Where `scripts/get-tools` puts what it builds.
CACHE = Path(os.environ.get('DXF_TOOLS_CACHE') or ROOT / '.cache' / 'tools').absolute()

# Downloading a package and its libraries from a slow mirror.
FETCH_SECONDS = 900

# As the user has it, proxies included; the tests themselves go without.
ENVIRON = dict(os.environ)

#: What could not be had: program -> why. The run's summary shows it.
missing = {}


@functools.lru_cache(maxsize=None)
def find(name):
    """`(path, None)`, or `(None, why not)`."""
    done = subprocess.run(
        [sys.executable, str(FETCH_TOOL), name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=FETCH_SECONDS,
        env=ENVIRON,
        text=True,
    )
    if done.returncode == 0:
        return done.stdout.strip(), None
    return None, done.stderr.strip()


def required():
    """Whether a test without its program is a failure: always in CI."""
    return os.environ.get('CI') == 'true' or os.environ.get('DXF_REQUIRE_REGISTRY') == '1'


def need(name):
    """The program's path. Without it the test is skipped, or fails where it must not be."""
    path, reason = find(name)
    return path or _lacking(name, reason, required())


def need_built(name):
    """The path of a program that is built with Go. Without Go, lacking it is no failure."""
    path = CACHE / 'bin' / name
    if path.exists():
        return str(path)
    found = shutil.which(name)
    if found:
        return found
    reason = f'`scripts/get-tools {name}` builds it'
    return _lacking(name, reason, required() and shutil.which('go') is not None)


def _lacking(name, reason, fails):
    missing[name] = reason
    if fails:
        pytest.fail(f'NEEDS {name}: {reason}', pytrace=False)
    pytest.skip(f'NEEDS {name}: {reason}')
