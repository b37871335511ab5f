"""The commands about blobs: each calls the client and prints what it gave."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from . import (
    output,
    progress,
    stdin,
)
from .ahead import in_advance, in_turn
from .aliases import Aliases, without_sizes
from .arguments import Source, names, sources
from .blocks import Block
from .digests import _to_bytes_2and3, check_size, check_syntax, hash_bytes
from .exceptions import DXFConfigurationError
from .names import check_repository
from .settings import Settings

# What pull-blob handles at a time, in bytes; the larger one is worth its while where
# a file or a pipe takes it.
_DEFAULT_CHUNK_SIZE = 8192
_LARGE_CHUNK_SIZE = 256 * 1024


def _push_blob(settings: Settings, client: Any, arguments: List[str]) -> None:
    filename, aliases = arguments[0], names(arguments[1:])
    with progress.shown(settings.progress) as bars:
        if filename == '-':
            # It may be endless and come from a pipe: it is hashed as it goes.
            digest = client.push_blob(
                data=stdin.binary(), check_exists=False, progress=bars and bars.of_stream
            )
        else:
            digest = client.push_blob(filename, bars)
    _name(client, aliases, digest)


def _mount_blob(settings: Settings, client: Any, arguments: List[str]) -> None:
    repository, digest = check_repository(arguments[0]), check_syntax(arguments[1])
    aliases = names(arguments[2:])
    _name(client, aliases, client.mount_blob(repository, digest))


def _name(client: Any, aliases: List[str], digest: str) -> None:
    for alias in aliases:
        client.set_alias(alias, digest)
    output.write_line(digest)


def _pull_blob(
    settings: Settings, client: Any, arguments: List[str], output_file: Optional[str] = None
) -> None:
    found = [
        _listed(client, source, settings.platform) if source else [(digest, None)]
        for source, digest in sources(arguments)
    ]
    if output_file is not None and output_file != '-':
        _save_blobs(settings, client, found, output_file)
        return
    pulls = _pulls(settings, client, [digest for digest, _ in _of_one_platform(found)])
    with progress.shown(settings.progress) as bars:
        for blobs in found:
            if isinstance(blobs, dict):
                output.write_json(
                    _by_platform(blobs, lambda pairs: [digest for digest, _ in pairs])
                )
                continue
            for digest, expected in blobs:
                chunks, size = next(pulls)
                if size is None and (settings.blob_info or bars is not None):
                    # It was not said, and of use to those alone who show it.
                    size = client.blob_size(digest)
                if size is not None:
                    check_size(digest, size, expected)
                _write_blob(settings, digest, chunks, size, bars)


def _of_one_platform(found: List[Any]) -> List[Tuple[str, Optional[int]]]:
    """The digests and sizes of blobs, without those that are told apart by platform."""
    return [pair for blobs in found if not isinstance(blobs, dict) for pair in blobs]


def _save_blobs(settings: Settings, client: Any, found: List[Any], output_file: str) -> None:
    if any(isinstance(blobs, dict) for blobs in found):
        raise DXFConfigurationError(
            'the alias is for several platforms: set DXF_PLATFORM to one of them'
        )
    listed = _of_one_platform(found)
    sizes = {digest: size for digest, size in listed if size is not None}
    with progress.shown(settings.progress) as bars:
        client.save_blobs(output_file, [digest for digest, _ in listed], bars, sizes)


def _pulls(
    settings: Settings, client: Any, digests: List[str]
) -> Iterator[Tuple[Iterator[Block], Optional[int]]]:
    """What each blob comes in, and its size if that is known."""
    own = _may_go_beside(client)
    beside = own and len(digests) > 1
    # What nobody can see need not be small, nor be copied to be of a size.
    unseen = own and output.is_file() and not settings.chunk_size
    if unseen and not beside:
        pull = client._pull_blocks
    else:
        start = client._pull_chunks if own else partial(client.pull_blob, size=True)
        pull = partial(
            client._pull_beside if beside else start,
            chunk_size=settings.chunk_size
            or (_LARGE_CHUNK_SIZE if unseen else _DEFAULT_CHUNK_SIZE),
        )
    pulls = (partial(pull, digest) for digest in digests)
    return in_advance(pulls) if beside else in_turn(pulls)


def _listed(client: Any, source: Source, platform: Optional[str]) -> Any:
    """What an alias stands for, with the sizes that the manifest says, if it says any."""
    if isinstance(client, Aliases):
        return client._listed(**source, platform=platform)
    return without_sizes(client.get_alias(**source, platform=platform))


def _may_go_beside(client: Any) -> bool:
    """Whether several threads may use a client at once; one that is not dxf's own does not say."""
    is_replaced = getattr(client, '_is_replaced', None)
    return is_replaced is not None and not is_replaced()


def _write_blob(
    settings: Settings,
    digest: str,
    chunks: Iterable[Block],
    size: Optional[int],
    report: Optional[progress.Progress],
) -> None:
    if settings.blob_info:
        output.write(f'{digest} {size}\n')
    output.flush()
    if report is not None:
        report(digest, b'', size)
    with output.binary() as write:
        for chunk in chunks:
            write(chunk)
            if report is not None:
                report(digest, chunk, size)


def _blob_size(settings: Settings, client: Any, arguments: List[str]) -> None:
    sizes = []
    for source, digest in sources(arguments):
        if not source:
            sizes.append(client.blob_size(digest))
            continue
        blobs = client.get_alias(**source, sizes=True, platform=settings.platform)
        sizes.append(_by_platform(blobs, lambda pairs: sum(size for _, size in pairs)))
    for size in sizes:
        output.write_value(size)


def _del_blob(settings: Settings, client: Any, arguments: List[str]) -> None:
    for source, digest in sources(arguments):
        if not source:
            client.del_blob(digest)
            continue
        blobs = client.get_alias(**source)
        if isinstance(blobs, dict):
            # Such a list can't outlive what it lists; it goes first, so that
            # nobody finds it with a part missing.
            inner = client._inner_indexes(**source) if isinstance(client, Aliases) else []
            children = client.del_alias(
                source.get('alias') or hash_bytes(_to_bytes_2and3(source['manifest']))
            )
            for child in _once([*inner, *children.values()]):
                client.del_alias(child)
            blobs = [blob for of_platform in blobs.values() for blob in of_platform]
        for blob in _once(blobs):
            client.del_blob(blob)


COMMANDS: Dict[str, Callable[..., None]] = {
    'push-blob': _push_blob,
    'pull-blob': _pull_blob,
    'blob-size': _blob_size,
    'mount-blob': _mount_blob,
    'del-blob': _del_blob,
}


def _once(items: Iterable[str]) -> List[str]:
    return list(dict.fromkeys(items))


def _by_platform(value: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {platform: function(part) for platform, part in value.items()}
    return function(value)
