"""The commands about aliases and manifests: each calls the client and prints what it gave."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List

from . import output
from .arguments import content, manifests, references, tag
from .digests import hash_file
from .settings import Settings


def _set_alias(settings: Settings, client: Any, arguments: List[str]) -> None:
    alias = tag(arguments[0])
    digests = [
        hash_file(argument)
        if _is_path(argument)
        else content(argument, "a file's path has a / in it, as in ./name")
        for argument in arguments[1:]
    ]
    output.write(client.set_alias(alias, *digests))


def _is_path(argument: str) -> bool:
    return any(separator in argument for separator in (os.sep, os.altsep) if separator)


def _get_alias(settings: Settings, client: Any, arguments: List[str]) -> None:
    for blobs in [
        client.get_alias(**source, platform=settings.platform) for source in manifests(arguments)
    ]:
        _write_blobs(blobs)


def _del_alias(settings: Settings, client: Any, arguments: List[str]) -> None:
    for alias in references(arguments):
        blobs = client.del_alias(alias)
        _write_blobs(blobs)


def _write_blobs(blobs: Any) -> None:
    """Write digests, or those of each platform."""
    if isinstance(blobs, dict):
        output.write_json(blobs)
    else:
        output.write_lines(blobs)


def _get_digest(settings: Settings, client: Any, arguments: List[str]) -> None:
    for digest in [
        client.get_digest(**source, platform=settings.platform) for source in manifests(arguments)
    ]:
        output.write_value(digest)


def _get_manifest(settings: Settings, client: Any, arguments: List[str]) -> None:
    for alias in references(arguments):
        manifest = client.get_manifest(alias, platform=settings.platform)
        output.write(output.as_json(manifest) if isinstance(manifest, dict) else manifest)


def _list_aliases(settings: Settings, client: Any, arguments: List[str]) -> None:
    output.write_lines(client.list_aliases(iterate=True))


COMMANDS: Dict[str, Callable[..., None]] = {
    'set-alias': _set_alias,
    'get-alias': _get_alias,
    'del-alias': _del_alias,
    'get-digest': _get_digest,
    'get-manifest': _get_manifest,
    'list-aliases': _list_aliases,
}
