"""Clients out of settings."""

from __future__ import annotations

from functools import partial
from typing import Any, List, Optional

import dxf

from .names import check_repository
from .settings import Settings


def connect(
    settings: Settings, repository: Optional[str], actions: Optional[List[str]] = None
) -> Any:
    """The client for a repository, or for the registry as a whole.

    :param actions: what to ask for where the registry wants a token; one token does for all
        that a command does, where that can be told beforehand
    """
    auth = partial(settings.authenticate, actions=actions)
    common = (auth, settings.insecure, settings.auth_host, settings.tlsverify)
    # Looked up now: programs replace the classes in their tests.
    if repository is None:
        client = dxf.DXFBase(settings.host, *common, **settings.client)
    else:
        repository = check_repository(repository)
        client = dxf.DXF(settings.host, repository, *common, **settings.client)
    if settings.token is not None:
        client.token = settings.token
    return client
