"""The commands about single aliases: each calls the client and prints what it gave."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from . import output, progress
from .arguments import manifest, names
from .clients import connect
from .settings import Settings


def _resolve(settings: Settings, client: Any, arguments: List[str]) -> None:
    output.write_lines([client.resolve(alias) for alias in names(arguments)])


def _tag(settings: Settings, client: Any, arguments: List[str]) -> None:
    output.write_line(client.tag(manifest(arguments[0]), *names(arguments[1:])))


def _untag(settings: Settings, client: Any, arguments: List[str]) -> None:
    for alias in names(arguments):
        client.untag(alias)


def _copy(
    settings: Settings,
    client: Any,
    arguments: List[str],
    host: Optional[str] = None,
    referrers: bool = False,
) -> None:
    reference, alias = manifest(arguments[0]), next(iter(names(arguments[2:])), None)
    elsewhere = settings.elsewhere(host)
    # What is mounted takes a token for two repositories: the registry says of which.
    actions = None if elsewhere is settings else ['pull', 'push']
    target = connect(elsewhere, arguments[1], actions)
    with progress.shown(settings.progress) as bars:
        try:
            digest = client.copy(reference, target, alias, referrers, bars)
        except Exception as error:
            from .words import may_be_of

            if elsewhere is not settings:
                may_be_of(error, elsewhere.host)
            raise
    output.write_line(digest)


COMMANDS: Dict[str, Callable[..., None]] = {
    'resolve': _resolve,
    'tag': _tag,
    'untag': _untag,
    'copy': _copy,
}
