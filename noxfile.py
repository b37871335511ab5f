"""The tests on each Python there is: `make test-all`, and with the oldest dependencies.

PYTHONS picks among those found: `all` (the default), or words out of `oldest`,
`newest` and versions like `3.10`.
"""

import os
import re
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / 'scripts'))

import find_pythons

nox.needs_version = '>=2022.1.7'
nox.options.envdir = '.cache/nox'
nox.options.default_venv_backend = 'venv'
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

FOUND = {f'{major}.{minor}': path for (major, minor), path in find_pythons.find().items()}

# nox looks along the PATH.
os.environ['PATH'] = os.pathsep.join(
    [*dict.fromkeys(str(path.parent) for path in FOUND.values()), os.environ['PATH']]
)


def wanted():
    versions = list(FOUND)
    if not versions:
        sys.exit('test-all: no Python 3.8 or later with venv and ensurepip was found')
    named = {'oldest': versions[:1], 'newest': versions[-1:], 'all': versions}
    words = os.environ.get('PYTHONS', '').split() or ['all']
    return list(dict.fromkeys(v for word in words for v in named.get(word, [word])))


def lowest():
    """The oldest versions of the dependencies that `pyproject.toml` allows."""
    text = Path('pyproject.toml').read_text(encoding='utf-8')
    listed = re.search(r'^dependencies = \[\n(.*?)^\]', text, re.MULTILINE | re.DOTALL)[1]
    return [f'{name}=={least}' for name, least in re.findall(r'"([\w-]+)>=([\d.]+)"', listed)]


@nox.session(python=list(FOUND)[:1], default=False)
def oldest_dependencies(session):
    """On the oldest Python. What these need in turn is as old as the first urllib3 1.26."""
    pins = lowest()
    assert len(pins) == 4, pins
    install(session, *pins, 'urllib3==1.26.0')
    run(session)


@nox.session(python=wanted())
def tests(session):
    install(session)
    run(session)


def install(session, *pins):
    cache = str(Path('.cache/pip').resolve())
    session.env.update(PIP_CACHE_DIR=cache, PIP_USER='0', PYTHONPATH=None)
    session.install('-q', '--upgrade', 'pip')
    session.install('-q', '-e', '.[test]', *pins)


def run(session):
    session.run('python', '-m', 'pytest', '-n', 'auto', '--dist', 'loadfile', *session.posargs)
