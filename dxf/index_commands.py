"""The commands about indexes: each calls the client and prints what it gave."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from . import output
from .arguments import reference, references
from .indexes import Descriptor, is_attestation
from .settings import Settings


def _list_platforms(settings: Settings, client: Any, arguments: List[str]) -> None:
    for names in [client.list_platforms(alias) for alias in references(arguments)]:
        output.write_lines(output.word(name) for name in names)


def _list_manifests(settings: Settings, client: Any, arguments: List[str]) -> None:
    output.write_lines(_line(one) for one in client.list_manifests(reference(arguments[0])))


COMMANDS: Dict[str, Callable[..., None]] = {
    'list-platforms': _list_platforms,
    'list-manifests': _list_manifests,
}


def _line(one: Descriptor) -> str:
    platform = one.platform or ('attestation' if is_attestation(one) else '-')
    media_type = output.word(one.media_type or '-')
    return f'{one.digest} {one.size} {media_type} {output.word(platform)}'
