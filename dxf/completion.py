"""What the shell offers at the Tab key, by argcomplete, where that is installed."""

from __future__ import annotations

import argparse
import os
import sys
from threading import Thread
from typing import Any, Callable, Dict, Iterable, Iterator, List, NoReturn, Optional, cast

from . import clients, parser
from .settings import Settings

# Somebody waits for it, so there is one attempt, and an end to it whatever happens.
_SECONDS = 3.0
_CLIENT = {'timeout': _SECONDS, 'retries': 0}

# Who asks a credential helper is to be there still when its time is up, to end it.
_HELPER_SECONDS = 2.0

# Where bash's COMP_WORDBREAKS are handed over.
_BREAKS = '_ARGCOMPLETE_COMP_WORDBREAKS'

# More than anybody would look through.
_MOST = 1000


def complete() -> NoReturn:
    """Offer what may come next, as the shell has asked in the environment, and end."""
    try:
        import argcomplete
    except ImportError:
        sys.exit(1)
    # bash breaks words at an @ and leaves it in the latter part; argcomplete would take it away.
    breaks = os.environ.get(_BREAKS, '')
    os.environ[_BREAKS] = breaks.replace('@', '')
    argcomplete.autocomplete(
        parser.make(), always_complete_options=False, default_completer=cast(Any, _offer)
    )
    sys.exit(1)


def _offer(
    prefix: str, action: argparse.Action, parsed_args: argparse.Namespace, **_: Any
) -> Iterable[str]:
    """What may stand in an argument's place."""
    from argcomplete.completers import DirectoriesCompleter, FilesCompleter

    name = action.metavar
    if name in _NAMES:
        return _NAMES[name](getattr(parsed_args, 'repository', None))
    if name in _FILES:
        return FilesCompleter()(prefix)
    if name == 'DIR':
        return DirectoriesCompleter()(prefix)
    return ()


def _aliases(repository: Optional[str]) -> List[str]:
    return _in_time(lambda: _client(repository).list_aliases(iterate=True))


def _after_an_at(repository: Optional[str]) -> List[str]:
    return ['@' + alias for alias in _aliases(repository)]


def _repositories(_: Optional[str]) -> List[str]:
    return _in_time(lambda: _client(None).list_repos(iterate=True))


# By the arguments' names in `grammar`.
_NAMES: Dict[Any, Callable[[Optional[str]], List[str]]] = {
    'REPO': _repositories,
    'FROM-REPO': _repositories,
    'TO-REPO': _repositories,
    'ALIAS': _aliases,
    '@ALIAS': _after_an_at,
    '@NEW': _after_an_at,
    '@ALIAS|DIGEST': _after_an_at,
    'DIGEST|@ALIAS': _after_an_at,
    'ACTION': lambda _: ['pull', 'push', '*'],
}
_FILES = ('FILE', 'DIGEST|FILE', 'FILE[:MEDIA-TYPE]')


def _client(repository: Optional[str]) -> Any:
    settings = Settings.of(os.environ)
    settings = settings._replace(
        client={**settings.client, **_CLIENT}, helper_seconds=_HELPER_SECONDS
    )
    return clients.connect(settings, repository)


def _in_time(ask: Callable[[], Iterator[str]]) -> List[str]:
    """What an answer has by the time that it must be there: all, a part, or nothing."""
    found: List[str] = []

    def gather() -> None:
        try:
            for name in ask():
                found.append(name)
                if len(found) >= _MOST:
                    return
        except Exception:
            # There is nowhere to say so: the user is in the midst of a line.
            return

    thread = Thread(target=gather, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return list(found)
