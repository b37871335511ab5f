"""What a program's environment says of its requests: proxies, and whose certificates count."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, Optional, Tuple

import requests

# What requests looks at, which costs it as much as half of sending a request.
_NAMES = (
    'http_proxy',
    'HTTP_PROXY',
    'https_proxy',
    'HTTPS_PROXY',
    'all_proxy',
    'ALL_PROXY',
    'no_proxy',
    'NO_PROXY',
    'REQUEST_METHOD',
    'REQUESTS_CA_BUNDLE',
    'CURL_CA_BUNDLE',
)

# Where proxies may be set elsewhere than in the environment.
_HAS_OTHERS = sys.platform in ('win32', 'darwin')

_State = Tuple[Optional[str], ...]


class Surroundings:
    """Settings for requests, worked out by requests once for each host and state of things."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session
        self._known: Tuple[_State, Dict[Any, Dict[str, Any]]] = ((), {})

    def settings(
        self, url: str, proxies: Dict[str, str], stream: bool, verify: Any, cert: Any
    ) -> Dict[str, Any]:
        """How to send a request, as ``HTTPAdapter.send`` takes it.

        :param url: the request's
        :param proxies: those that were given with it; this becomes the result's

        The others are requests' own.
        """
        if proxies or _HAS_OTHERS or not isinstance(verify, (bool, str)):
            return self._ask(url, proxies, stream, verify, cert)
        state = tuple(map(os.environ.get, _NAMES))
        if self._known[0] != state:
            self._known = (state, {})
        known = self._known[1]
        # Which proxy is for whom depends on no more of an address.
        where = ('/'.join(url.split('/', 3)[:3]), verify)
        if where not in known:
            known[where] = self._ask(url, proxies, stream, verify, cert)
        found = known[where]
        return {
            'proxies': dict(found['proxies']),
            'stream': stream,
            'verify': found['verify'],
            'cert': cert,
        }

    def _ask(self, url: str, *given: Any) -> Dict[str, Any]:
        return dict(self._session.merge_environment_settings(url, *given))
