"""Proxies, which come from the environment as in requests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from .exceptions import DXFProxyError


def is_between(url: str) -> bool:
    """Whether the environment puts a proxy before a URL."""
    return select_proxy(url, get_environ_proxies(url)) is not None


def check(url: str, proxies: Any) -> None:
    """See whether the proxy for a URL has an address: what is said of one otherwise cites it.

    :param proxies: as in requests
    :raises DXFProxyError: if it has none
    """
    proxy = select_proxy(url, proxies) if proxies else None
    if proxy and not _is_address(proxy):
        raise DXFProxyError(urlsplit(url).scheme)


def _is_address(proxy: str) -> bool:
    try:
        address = parse_url(prepend_scheme_if_needed(proxy, 'http'))  # type: ignore[no-untyped-call]
        # With an @ after the host, what stands there was a part of the password.
        return bool(address.host) and '@' not in address.request_uri + (address.fragment or '')
    except (LocationParseError, ValueError, TypeError):  # and what requests raises of half a one
        return False
