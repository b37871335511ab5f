"""Lists that come in pages (distribution specification 1.1, "Listing Tags")."""

from __future__ import annotations

from typing import Any, Callable, Iterator, List, Optional, TypeVar

import requests

from .answers import instead_of, location, not_a_registry

# A page may be empty though there are more: where what may not be seen is left
# out of it. So many in a row lead nowhere.
_MAX_EMPTY_PAGES = 100

_Item = TypeVar('_Item')


def names(
    get: Callable[[Optional[str]], requests.Response], key: str, base_url: str
) -> Iterator[str]:
    """The names on a page and on those it links to.

    :param get: fetches a page by its URL, the first one by ``None``
    :param key: what the list is called in the answer
    :param base_url: the registry's
    :raises DXFNotARegistryError: if an answer is no list of names
    """
    return pages(get, lambda response: _names(response, key), base_url)


def pages(
    get: Callable[[Optional[str]], requests.Response],
    read: Callable[[requests.Response], List[_Item]],
    base_url: str,
) -> Iterator[_Item]:
    """What is on a page and on those it links to.

    A link that leads nowhere new ends the list.

    :param get: fetches a page by its URL, the first one by ``None``
    :param read: what is on a page
    :param base_url: the registry's
    """
    page: Optional[str] = None
    before: List[_Item] = []
    visited = set()
    empty = 0
    while True:
        response = get(page)
        found = read(response)
        if page is not None and found and found == before:
            return
        yield from found
        link = response.links.get('next', {}).get('url')
        empty = 0 if found else empty + 1
        if not link or empty > _MAX_EMPTY_PAGES:
            return
        visited.add(response.url)
        page = location(response, link, base_url)
        if page in visited:
            return
        before = found


def _names(response: requests.Response, key: str) -> List[str]:
    try:
        content: Any = response.json()
    except (ValueError, RecursionError) as error:
        raise instead_of(response, 'JSON') from error
    found = content.get(key) if isinstance(content, dict) else ()
    if found is None and (key in content or 'name' in content):
        # A repository whose tags were all deleted. Some say its name alone.
        return []
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise not_a_registry(response, f'its answer has no list of {key}')
    return found
