"""What the README says of commands, variables and make; `test_pages` runs its examples."""

import re
import subprocess
import sys
from pathlib import Path

from .support.commandline import COMMAND_SECONDS, environment

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / 'README.rst'


def test_the_two_commands_stand_near_the_top():
    top = README.read_text(encoding='utf-8').splitlines()[:20]
    assert any('make demo' in line for line in top)
    assert any('make test' in line for line in top)


def test_every_command_and_variable_is_there():
    """What the help names, the README explains."""
    text = README.read_text(encoding='utf-8')
    shown = subprocess.run(
        [sys.executable, '-m', 'dxf', '--help'],
        stdout=subprocess.PIPE,
        cwd=str(ROOT),
        env=environment({}),
        timeout=COMMAND_SECONDS,
    ).stdout.decode()
    names = set(re.findall(r'^    ([a-z][a-z-]*)(?:  .*)?$', shown, re.MULTILINE))
    variables = set(re.findall(r'DXF_[A-Z_]+', shown))
    assert len(names) > 12
    assert len(variables) > 12
    assert names - set(re.findall(r'^``([a-z-]+)', text, re.MULTILINE)) == set()
    assert variables - set(re.findall(r'^``(DXF_[A-Z_]+)``', text, re.MULTILINE)) == set()


def test_every_target_of_make_is_there():
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = re.findall(r'^([a-z-]+):.*## ', makefile, re.MULTILINE)
    text = README.read_text(encoding='utf-8')
    assert [t for t in targets if f'``make {t}``' not in text and t != 'help'] == []
