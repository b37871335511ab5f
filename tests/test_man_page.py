"""The manual page that a wheel brings is made of the parser."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dxf.grammar import COMMANDS, EPILOG

from .support.commandline import COMMAND_SECONDS, environment

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / 'scripts' / 'man_page.py'

pytest.importorskip('argparse_manpage')


def run(arguments, **kwargs):
    done = subprocess.run(
        arguments,
        capture_output=True,
        timeout=COMMAND_SECONDS,
        env=environment({'SOURCE_DATE_EPOCH': '0', 'MANWIDTH': '200', 'LC_ALL': 'C.UTF-8'}),
        **kwargs,
    )
    assert (done.returncode, done.stderr) == (0, b'')
    return done.stdout


@pytest.fixture(scope='module')
def page():
    return run([sys.executable, str(SCRIPT)])


def words(text):
    return ' '.join(text.replace('\\', '').split())


def test_it_has_all_that_help_has(page):
    text = words(page.decode())
    for command in COMMANDS:
        assert f'usage: dxf {command.name}' in text
        assert words(command.details) in text
        for part in (*command.arguments, *command.options):
            assert words(part.help) in text
    for variable in re.findall('DXF_[A-Z_]+', EPILOG):
        assert variable in text


def test_the_same_day_makes_the_same_page(page):
    assert b'1970' in page
    assert run([sys.executable, str(SCRIPT)]) == page


@pytest.mark.skipif(not shutil.which('man'), reason='there is no man here')
def test_man_shows_it(page, tmp_path):
    (tmp_path / 'dxf.1').write_bytes(page)
    shown = run(['man', '--warnings', '-l', str(tmp_path / 'dxf.1')]).decode()
    shown = re.sub('.\b', '', shown)
    assert 'dxf - keep arbitrary data in a container registry' in shown
    # A line is a line.
    assert re.search(r'^ +DXF_DEBUG +1: show requests and tracebacks$', shown, re.MULTILINE)
