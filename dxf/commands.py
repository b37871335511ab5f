"""Running what was typed: a command calls the client and prints what it gave."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from . import (
    alias_commands,
    artifact_commands,
    blob_commands,
    documents,
    index_commands,
    output,
    tag_commands,
)
from .clients import connect
from .parser import Typed
from .settings import Settings


def run(typed: Typed, environ: Mapping[str, Any]) -> None:
    """Run what was typed."""
    settings = Settings.of(environ)
    client = connect(settings, typed.repository, _ACTIONS.get(typed.command))
    options = dict(typed.options)
    if options.pop('quiet', False):
        settings = settings._replace(progress=False)
    if options.pop('format', None) == 'json':
        make = documents.COMMANDS[typed.command]
        output.write_json(make(settings, client, typed.arguments, **options))
    else:
        _COMMANDS[typed.command](settings, client, typed.arguments, **options)


def _auth(settings: Settings, client: Any, actions: List[str]) -> None:
    token = settings.authenticate(client, actions=actions)
    if token:
        output.write_line(token)


def _list_repos(settings: Settings, client: Any, arguments: List[str]) -> None:
    output.write_lines(client.list_repos(iterate=True))


_COMMANDS: Dict[str, Callable[..., None]] = {
    'auth': _auth,
    'list-repos': _list_repos,
    **blob_commands.COMMANDS,
    **alias_commands.COMMANDS,
    **index_commands.COMMANDS,
    **artifact_commands.COMMANDS,
    **tag_commands.COMMANDS,
}

_ACTIONS = {
    command: ['pull', 'push'] for command in ('push-blob', 'set-alias', 'push', 'attach', 'tag')
}
