"""The manual page, made of the command line's own parser when a wheel is built.

Hatch runs this; by hand, it prints the page:

    python scripts/man_page.py
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def page():
    """The manual page, in man's own language."""
    from argparse_manpage.manpage import Manpage

    sys.path.insert(0, str(ROOT))
    try:
        from dxf import parser as commandline
        from dxf._version import __version__
    finally:
        sys.path.pop(0)

    parser = commandline.make()
    variables, parser.epilog = parser.epilog, None
    for command in _commands(parser):
        # argparse-manpage leaves out what help says at its end.
        command.description = f'{command.description} {command.epilog or ""}'.strip()
    made = Manpage(parser, format='pretty')
    made.source = f'dxf {__version__}'
    made.manual = 'User Commands'
    made.description = 'keep arbitrary data in a container registry'
    return f'{made}\n{_section("ENVIRONMENT AND EXAMPLES", variables)}'


def _commands(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def _section(title, text):
    """Text whose lines stay as they are."""
    lines = (line.replace('\\', r'\e').replace('-', r'\-') for line in text.splitlines())
    escaped = '\n'.join(r'\&' + line if line.startswith(('.', "'")) else line for line in lines)
    return f'.SH {title}\n.nf\n{escaped}\n.fi\n'


if __name__ == '__main__':
    print(page(), end='')
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class ManPage(BuildHookInterface):
        """Puts it where the wheel's other data is."""

        def initialize(self, version, build_data):
            # An editable installation has no such folder.
            if version == 'editable':
                return
            self._folder = tempfile.TemporaryDirectory()
            path = Path(self._folder.name) / 'dxf.1'
            path.write_text(page(), encoding='utf-8')
            build_data['shared_data'][str(path)] = 'share/man/man1/dxf.1'

        def finalize(self, version, build_data, artifact_path):
            if version != 'editable':
                self._folder.cleanup()
