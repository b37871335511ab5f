"""What commands print as JSON: each calls the client and makes one value of what it gave.

The shapes are in ``docs/commands.rst``; programs rely on them.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from .arguments import manifest, manifests, names, reference, references, sources
from .artifact_commands import pull
from .indexes import Descriptor
from .settings import Settings


def _blob_size(settings: Settings, client: Any, arguments: List[str]) -> Any:
    def size(blobs: List[Tuple[str, int]]) -> int:
        return sum(size for _, size in blobs)

    return [
        _entry(
            name, 'size', client.get_alias(**source, sizes=True, platform=settings.platform), size
        )
        if source
        else _entry(name, 'size', client.blob_size(digest))
        for name, (source, digest) in zip(_names(arguments), sources(arguments))
    ]


def _get_alias(settings: Settings, client: Any, arguments: List[str]) -> Any:
    def described(blobs: List[Tuple[str, int]]) -> Any:
        return [{'digest': digest, 'size': size} for digest, size in blobs]

    return [
        _entry(
            name,
            'blobs',
            client.get_alias(**source, sizes=True, platform=settings.platform),
            described,
        )
        for name, source in zip(_names(arguments), manifests(arguments))
    ]


def _del_alias(settings: Settings, client: Any, arguments: List[str]) -> Any:
    found = []
    for alias in references(arguments):
        gone = client.del_alias(alias)
        # Of a multi-arch alias, these are the platforms' manifests.
        found.append(_entry(alias, 'digest' if isinstance(gone, dict) else 'blobs', gone))
    return found


def _get_digest(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return [
        _entry(name, 'digest', client.get_digest(**source, platform=settings.platform))
        for name, source in zip(_names(arguments), manifests(arguments))
    ]


def _resolve(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return [
        _entry(name, 'digest', client.resolve(alias))
        for name, alias in zip(arguments, names(arguments))
    ]


def _get_manifest(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return [
        _entry(alias, 'manifest', client.get_manifest(alias, platform=settings.platform))
        for alias in references(arguments)
    ]


def _list_platforms(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return [
        {'name': alias, 'platforms': client.list_platforms(alias)}
        for alias in references(arguments)
    ]


def _list_manifests(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return [_described(one) for one in client.list_manifests(reference(arguments[0]))]


def _list_referrers(
    settings: Settings, client: Any, arguments: List[str], artifact_type: Optional[str] = None
) -> Any:
    found = client.list_referrers(manifest(arguments[0]), artifact_type)
    return [_described(one) for one in found]


def _list_aliases(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return list(client.list_aliases(iterate=True))


def _list_repos(settings: Settings, client: Any, arguments: List[str]) -> Any:
    return list(client.list_repos(iterate=True))


COMMANDS: Dict[str, Callable[..., Any]] = {
    'blob-size': _blob_size,
    'get-alias': _get_alias,
    'del-alias': _del_alias,
    'get-digest': _get_digest,
    'get-manifest': _get_manifest,
    'resolve': _resolve,
    'list-platforms': _list_platforms,
    'list-manifests': _list_manifests,
    'list-aliases': _list_aliases,
    'list-referrers': _list_referrers,
    'list-repos': _list_repos,
    'pull': pull,
}


def _names(arguments: List[str]) -> List[Optional[str]]:
    """What each was called; a manifest on standard input has no name."""
    return [*arguments] or [None]


def _entry(
    name: Optional[str], key: str, value: Any, form: Callable[[Any], Any] = lambda value: value
) -> Dict[str, Any]:
    """What there is of a name, or what of each of its platforms."""
    if isinstance(value, dict):
        return {
            'name': name,
            'platforms': {platform: {key: form(part)} for platform, part in value.items()},
        }
    return {'name': name, key: form(value)}


def _described(one: Descriptor) -> Dict[str, Any]:
    """A descriptor, its fields named as the specification names them; its platform by name."""
    return {
        'digest': one.digest,
        'size': one.size,
        'mediaType': one.media_type,
        'artifactType': one.artifact_type,
        'platform': one.platform,
        'annotations': one.annotations,
    }
