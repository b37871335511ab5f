"""What the arguments of commands mean: digests, aliases, or a manifest on standard input."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Dict, Iterator, List, Tuple

from . import stdin
from .digests import check_syntax
from .exceptions import DXFInvalidNameError
from .names import check_alias

# What get_alias and get_digest take: an alias or a manifest's text.
Source = Dict[str, str]


def sources(arguments: List[str]) -> List[Tuple[Source, str]]:
    """Digests and @aliases: each an alias's source, or none and a digest; or standard input's."""
    return [
        ({'alias': reference(argument[1:])}, '')
        if argument.startswith('@')
        else ({}, content(argument))
        for argument in arguments
    ] or [(_stdin(), '')]


def manifests(arguments: List[str]) -> List[Source]:
    """Aliases, or the manifest on standard input where there are none."""
    return [{'alias': alias} for alias in references(arguments)] or [_stdin()]


def _stdin() -> Source:
    return {'manifest': stdin.manifest()}


def references(arguments: List[str]) -> List[str]:
    """Tags and manifests' digests."""
    return [reference(argument) for argument in arguments]


def reference(name: str) -> str:
    """A tag or a manifest's digest."""
    return check_syntax(name) if ':' in name else tag(name)


def tag(name: str) -> str:
    """A tag, where no @ stands before it."""
    if name.startswith('@'):
        with _hint('no @ stands before it here'):
            check_alias(name)
    return check_alias(name)


def content(argument: str, hint: str = 'an alias has an @ before it') -> str:
    """A blob's digest. What is none may have been meant as something else."""
    if ':' in argument:
        return check_syntax(argument)
    with _hint(hint):
        return check_syntax(argument)


def manifest(argument: str) -> str:
    """An alias after an @, or a manifest's digest."""
    return reference(argument[1:]) if argument.startswith('@') else content(argument)


def names(arguments: List[str]) -> List[str]:
    """Aliases, each after an @."""
    return [check_alias(argument[1:]) for argument in arguments]


@contextmanager
def _hint(words: str) -> Iterator[None]:
    """Add to what is said of a name what to do about it."""
    try:
        yield
    except DXFInvalidNameError as error:
        raise DXFInvalidNameError(error.what, error.name, f'{error.rule}; {words}') from None
