"""The command line's parser, for the page that is made of it."""

import argparse

from dxf import parser


def make():
    """The parser. What it says is no reStructuredText, and the README has the variables."""
    made = parser.make()
    made.epilog = None
    commands = next(a for a in made._actions if isinstance(a, argparse._SubParsersAction))
    for command in commands.choices.values():
        for action in command._actions:
            action.help = (action.help or '').replace('*', r'\*')
    return made
