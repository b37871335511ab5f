#!/usr/bin/env python3
"""The CPythons on this machine that dxf supports and that can make virtual environments.

Prints a line each, oldest first: version, space, path. Looks along the PATH and
among pyenv's versions, which need not be on it; each one found is tried, since
pyenv's stand-ins on the PATH refuse versions that are not selected.
"""

import os
import re
import subprocess
from pathlib import Path

OLDEST = (3, 8)
TRY_SECONDS = 60

TRY = """
import sys, venv, ensurepip
print(sys.implementation.name, *sys.version_info[:2])
"""


def folders():
    yield from (Path(p) for p in os.environ.get('PATH', '').split(os.pathsep) if p)
    root = Path(os.environ.get('PYENV_ROOT') or Path.home() / '.pyenv')
    yield from sorted(root.glob('versions/*/bin'))


def try_out(path):
    """The version, as (3, N), of an interpreter that will do; else None."""
    try:
        done = subprocess.run(
            [str(path), '-c', TRY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TRY_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors='replace').split()
    if done.returncode != 0 or len(words) != 3 or words[0] != 'cpython':
        return None
    return int(words[1]), int(words[2])


def find():
    """(3, N) -> path, oldest first."""
    found = {}
    for folder in folders():
        if not folder.is_dir():
            continue
        for path in sorted(folder.glob('python3.*')):
            match = re.fullmatch(r'python(\d+)\.(\d+)', path.name)
            if not match:
                continue
            version = int(match[1]), int(match[2])
            if version >= OLDEST and version not in found and try_out(path) == version:
                found[version] = path
    return dict(sorted(found.items()))


if __name__ == '__main__':
    for (major, minor), path in find().items():
        print(f'{major}.{minor} {path}')
