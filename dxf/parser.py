"""What was typed, picked apart by argparse, and the help for it."""

from __future__ import annotations

import argparse
import os
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional, Sequence

from ._version import __version__
from .grammar import COMMANDS, DESCRIPTION, EPILOG, Argument, Command, Option

# What is an option of some command, and of dxf itself is none.
_FLAGS = {flag for command in COMMANDS for option in command.options for flag in option.flags}

_DEFAULT_COLUMNS = 80


class _Parser(argparse.ArgumentParser):
    """Says of a wrong number of arguments what it has always said."""

    def error(self, message: str) -> NoReturn:
        if 'COMMAND' in message:
            message += f'; see {self.prog} --help'
        if 'the following arguments are required' in message:
            message = 'too few arguments: ' + message.rpartition(': ')[2]
        elif message.startswith('unrecognized arguments: ') and ' -' not in message:
            message = 'too many arguments: ' + message.partition(': ')[2]
        super().error(message)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse's, which need not load the compression libraries to know how wide a terminal is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        return int(os.environ.get('COLUMNS', '')) or _DEFAULT_COLUMNS
    except ValueError:
        pass
    try:
        return os.get_terminal_size().columns or _DEFAULT_COLUMNS
    except (AttributeError, OSError, ValueError):
        return _DEFAULT_COLUMNS


def make() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = _Parser(
        prog='dxf', description=DESCRIPTION, epilog=EPILOG, formatter_class=_Formatter
    )
    parser.add_argument('--version', action='version', version='dxf ' + __version__)
    commands = parser.add_subparsers(
        metavar='COMMAND', dest='command', required=True, title='commands'
    )
    for command in COMMANDS:
        _add(commands, command)
    return parser


def _add(commands: Any, command: Command) -> None:
    parser = commands.add_parser(
        command.name,
        help=command.summary,
        usage=' '.join(
            ['dxf', command.name]
            + [_usage_of_option(option) for option in command.options]
            + (['REPO'] if command.has_repository else [])
            + [_usage(argument) for argument in command.arguments]
        ),
        description=f'{command.summary[0].upper() + command.summary[1:]}.',
        epilog=command.details,
        formatter_class=_Formatter,
    )
    # What is wrong with its arguments is said with its own usage.
    parser.set_defaults(parser=parser)
    for option in command.options:
        _add_option(parser, option)
    if command.has_repository:
        parser.add_argument(
            'repository', metavar='REPO', help='the repository, as in project/files'
        )
    for number, argument in enumerate(command.arguments):
        parser.add_argument(
            f'argument{number}',
            metavar=argument.name,
            help=argument.help,
            nargs=_NARGS[argument.least, argument.most],
            # With one, argparse does not call it missing where there may be none of it.
            default=None,
        )


def _add_option(parser: argparse.ArgumentParser, option: Option) -> None:
    if not option.metavar:
        parser.add_argument(
            *option.flags, dest=option.name, help=option.help, action='store_const', const=True
        )
        return
    parser.add_argument(
        *option.flags,
        dest=option.name,
        metavar=option.metavar,
        help=option.help,
        required=option.is_required,
        action='append' if option.is_repeated else 'store',
        choices=option.choices or None,
    )


_NARGS = {(1, 1): None, (0, 1): '?', (1, None): '+', (0, None): '*'}


def _usage(argument: Argument) -> str:
    text = argument.name + (' ...' if argument.most is None else '')
    return text if argument.least else f'[{text}]'


def _usage_of_option(option: Option) -> str:
    text = f'{option.flags[0]} {option.metavar}'.strip()
    if option.is_repeated:
        return f'[{text} ...]'
    return text if option.is_required else f'[{text}]'


class Typed(NamedTuple):
    """What was typed."""

    command: str
    repository: Optional[str]
    arguments: List[str]
    options: Dict[str, Any]  # those that were given


def parse(args: Sequence[str]) -> Typed:
    """Pick a command line apart.

    :raises SystemExit: if it can't be run, as argparse does
    """
    parser = make()
    if args and args[0].partition('=')[0] in _FLAGS:
        parser.error(f'{args[0]} stands before the COMMAND: options stand after it')
    found, left = parser.parse_known_args(list(args))
    command = next(command for command in COMMANDS if command.name == found.command)
    values = [getattr(found, f'argument{number}') for number in range(len(command.arguments))]
    left = _left_over(command, values, left)
    if left:
        found.parser.error('unrecognized arguments: ' + ' '.join(left))
    arguments: List[str] = []
    for argument, value in zip(command.arguments, values):
        words = value if isinstance(value, list) else [] if value is None else [value]
        for word in words if argument.is_alias else ():
            if not _is_alias(word):
                found.parser.error(f'invalid alias: {word!r} (it is a name after an @)')
        arguments.extend(words)
    options = {option.name: getattr(found, option.name) for option in command.options}
    return Typed(
        command.name,
        getattr(found, 'repository', None),
        arguments,
        {name: value for name, value in options.items() if value is not None},
    )


def _left_over(command: Command, values: List[Any], left: List[str]) -> List[str]:
    """What nothing takes, after the command's last argument has got what it may.

    argparse takes no more of it where an option stood in the midst.
    """
    if not command.options or not values or any(word.startswith('-') for word in left):
        return left
    if command.arguments[-1].most is None:
        values[-1] = [*(values[-1] or []), *left]
        return []
    if values[-1] is None and left:
        values[-1] = left[0]
        return left[1:]
    return left


def _is_alias(argument: str) -> bool:
    return argument.startswith('@') and len(argument) > 1
