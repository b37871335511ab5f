"""The output of a failing test is searched for passwords and tokens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .support import secrets
from .support.commandline import environment

ROOT = Path(__file__).resolve().parents[1]

BEGINNING = """
import logging, sys
import pytest
from tests.support import secrets

secrets.keep_login('fred', 'hunter2 & co')
secrets.keep_token('eyJhbGciOi.eyJpc3Mi.c2lnbmF0dXJl')

@pytest.fixture
def torn_down():
    yield
    print('hunter2 & co')
    assert False
"""

# name -> body of a test, and where the secret is to be found
LEAKS = {
    'stdout': ("print('hunter2 & co'); assert False", 'Captured stdout call'),
    'stderr': ("print('hunter2 & co', file=sys.stderr); assert False", 'Captured stderr call'),
    'log': ("logging.getLogger('a').debug('%s', 'hunter2 & co'); 1 / 0", 'Captured log call'),
    'error': ("raise ValueError('hunter2 & ' + 'co')", 'the failure'),
    'quoted': ("print('hunter2%20%26%20co'); assert False", 'Captured stdout call'),
    'form': ("print('password=hunter2+%26+co'); assert False", 'Captured stdout call'),
    'header': ("print('Basic ZnJlZDpodW50ZXIyICYgY28='); 1 / 0", 'Captured stdout call'),
    'token': ("print('Bearer eyJhbGciOi.eyJpc3Mi.c2lnbmF0dXJl'); 1 / 0", 'Captured stdout call'),
    'signature': ("print('c2lnbmF0dXJl'); assert False", 'Captured stdout call'),
    'of_its_end': ('pass', 'Captured stdout teardown'),
}

QUIET = {
    'nothing': 'assert False',
    'something_else': "print('hunter', 'fred', 'eyJhbGciOi.eyJpc3Mi'); assert False",
    'passing': "print('hunter2 & co')",
}


@pytest.fixture(scope='module', params=['one process', 'several'])
def said(request, tmp_path_factory):
    """What pytest says of such tests, in a run of their own."""
    if request.param == 'several':
        pytest.importorskip('xdist')
    beside = ('-n', '2') if request.param == 'several' else ()
    folder = tmp_path_factory.mktemp('leaks')
    bodies = {**{name: body for name, (body, _) in LEAKS.items()}, **QUIET}
    (folder / 'test_leaks.py').write_text(BEGINNING + ''.join(
        f'\ndef test_{name}({"torn_down" if name == "of_its_end" else ""}):\n    {body}\n'
        for name, body in bodies.items()
    ))  # fmt: skip
    options = (
        '-p',
        'tests.conftest',
        '-c',
        'pyproject.toml',
        '-o',
        f'cache_dir={folder}',
        *beside,
    )
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'pytest', *options, str(folder)],
        cwd=str(ROOT),
        env=environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout


def summary(said):
    """A test's name -> where its secrets are, as the end of the run has it."""
    _, title, rest = said.partition(f'! {secrets.TITLE} !')
    assert title, said
    return dict(re.findall(r'::test_(\w+): .* in: (.+)', rest.partition('\n===')[0]))


def test_all_of_them_ran(said):
    assert re.search(rf'\b{len(LEAKS) + len(QUIET) - 2} failed, 2 passed, 1 error', said), said


@pytest.mark.parametrize('name', LEAKS)
def test_it_is_said_where(said, name):
    assert LEAKS[name][1] in summary(said)[name]


def test_it_is_said_beside_the_failure_too(said):
    assert said.count(f'- {secrets.TITLE} -') == len(LEAKS)


@pytest.mark.parametrize('name', QUIET)
def test_nothing_is_said_without_need(said, name):
    assert name not in summary(said)


def test_what_is_granted_is_known(token_service):
    """The tests' own password, and each token of the tests' own service."""
    token = token_service.sign()
    assert secrets.found(f'it is {token}!')
    assert secrets.found(token.rpartition('.')[2])
    assert secrets.found(token_service.password)
    assert not secrets.found('it is nothing')
