"""The commands about artifacts: each calls the client and prints what it gave."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import output, progress
from .arguments import manifest, names
from .exceptions import DXFConfigurationError
from .settings import Settings


def _push(
    settings: Settings,
    client: Any,
    arguments: List[str],
    artifact_type: Optional[str] = None,
    annotations: Sequence[str] = (),
) -> None:
    (alias,) = names(arguments[:1])
    files, media_types = _files(arguments[1:])
    with progress.shown(settings.progress) as bars:
        digest = client.push(alias, files, artifact_type, _pairs(annotations), media_types, bars)
    output.write_line(digest)


def pull(settings: Settings, client: Any, arguments: List[str], folder: str = '.') -> List[str]:
    """Write an artifact's files; their paths."""
    with progress.shown(settings.progress) as bars:
        paths: List[str] = client.pull(manifest(arguments[0]), folder, settings.platform, bars)
    return paths


def _pull(settings: Settings, client: Any, arguments: List[str], **options: str) -> None:
    paths = pull(settings, client, arguments, **options)
    output.write_lines(output.printable(path) for path in paths)


def _attach(
    settings: Settings,
    client: Any,
    arguments: List[str],
    artifact_type: str,
    annotations: Sequence[str] = (),
) -> None:
    files, media_types = _files(arguments[1:])
    subject, pairs = manifest(arguments[0]), _pairs(annotations)
    with progress.shown(settings.progress) as bars:
        digest = client.attach(subject, files, artifact_type, pairs, media_types, bars)
    output.write_line(digest)


def _list_referrers(
    settings: Settings, client: Any, arguments: List[str], artifact_type: Optional[str] = None
) -> None:
    for one in client.list_referrers(manifest(arguments[0]), artifact_type):
        output.write_line(f'{one.digest} {output.word(one.artifact_type or "-")}')


COMMANDS: Dict[str, Callable[..., None]] = {
    'push': _push,
    'pull': _pull,
    'attach': _attach,
    'list-referrers': _list_referrers,
}


def _files(arguments: List[str]) -> Tuple[List[str], Dict[str, str]]:
    """Files, and the media types of those that have one after a colon."""
    files, media_types = [], {}
    for argument in arguments:
        path, colon, media_type = argument.rpartition(':')
        files.append(path if colon else argument)
        if media_type and colon:
            media_types[path] = media_type
    return files, media_types


def _pairs(annotations: Sequence[str]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for annotation in annotations:
        key, sign, value = annotation.partition('=')
        if not sign or not key:
            raise DXFConfigurationError(f'the annotation {annotation!r} is not KEY=VALUE')
        if key in found:
            raise DXFConfigurationError(f'the annotation {key!r} is given twice')
        found[key] = value
    return found
