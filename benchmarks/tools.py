"""Where the programs are that are measured, and of which version each is."""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get('DXF_TOOLS_CACHE') or ROOT / '.cache' / 'tools').absolute()

# `make bench` makes them.
DXF_PYTHON = ROOT / '.cache' / 'venv' / 'bench' / 'bin' / 'python'
PLOT_PYTHON = ROOT / '.cache' / 'venv' / 'plot' / 'bin' / 'python'

# Downloading a package and its libraries.
FETCH_SECONDS = 900
QUICK_SECONDS = 60

NOT_BUILT = 'not here: make bench-tools'


class Missing(Exception):
    """A program is not here; the text says why."""


def on_path(name):
    found = shutil.which(name)
    if not found:
        raise Missing('not on the PATH')
    return found


def built(name):
    """A program that `scripts/get-tools` made, or that is on the PATH."""
    path = CACHE / 'bin' / name
    found = str(path) if path.exists() else shutil.which(name)
    if not found:
        raise Missing(NOT_BUILT)
    return found


def environment(name):
    """The Python of an environment that `scripts/get-tools` made."""
    path = CACHE / 'venvs' / name / 'bin' / 'python'
    if not path.exists():
        raise Missing(NOT_BUILT)
    return path


@functools.lru_cache(maxsize=None)
def debian(name):
    """A program that `scripts/fetch-tool` finds."""
    done = subprocess.run(
        [sys.executable, str(ROOT / 'scripts' / 'fetch-tool'), name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=FETCH_SECONDS,
        text=True,
    )
    if done.returncode:
        raise Missing(done.stderr.strip().replace(f'{ROOT}{os.sep}', ''))
    return done.stdout.strip()


def said(*words):
    """What a program prints about itself."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=QUICK_SECONDS,
        text=True,
    )
    return done.stdout


def number(text):
    """The first thing in a text that looks like a version."""
    found = re.search(r'v?(\d+(?:\.\d+)+[\w.+-]*)', text)
    return found.group(1) if found else 'unknown'


def package(python, name):
    """The version of a package, and of the Python and the requests that it is used with."""
    asked = (
        'import importlib.metadata as m, platform; '
        f'print(m.version({name!r}), m.version("requests"), platform.python_version())'
    )
    words = said(python, '-c', asked).split()
    if len(words) != 3:
        return 'unknown'
    return f'{words[0]} (requests {words[1]}, Python {words[2]})'


def commit():
    """Which state of dxf is measured, where git can tell."""
    git = ('git', '-C', ROOT)
    try:
        head = said(*git, 'rev-parse', '--short', 'HEAD').strip()
        changed = said(*git, 'status', '--porcelain', '--', 'dxf').strip()
    except OSError:
        return ''
    if not re.fullmatch('[0-9a-f]+', head):
        return ''
    return f'{head} and changes' if changed else head
