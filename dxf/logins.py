"""Answering a registry with what its user has logged in with."""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional

from .exceptions import DXFAuthInsecureError


def docker_auth(dxf_obj: Any, response: Any) -> None:
    """Authenticate with what ``docker login`` or ``podman login`` has left.

    Something to pass as ``auth``: ``DXF(host, repo, auth=docker_auth)``. Where there is
    nothing for the registry, it is asked anonymously.

    :param dxf_obj: the object that has been refused
    :param response: the registry's answer
    :raises DXFCredentialsError: if a configuration can't be read, or a credential helper
        fails

    The others are those of :meth:`DXFBase.authenticate`.
    """
    authenticate(dxf_obj, os.environ, response=response)


def authenticate(
    client: Any,
    environ: Mapping[str, Any],
    helper_seconds: Optional[float] = None,
    **kwargs: Any,
) -> Optional[str]:
    """Authenticate with what some environment says where to find.

    :param client: a :class:`DXFBase`
    :param helper_seconds: how long a credential helper may take, where that is less than usual
    :param kwargs: those of the client's ``authenticate``
    :returns: the token, if there is one
    """
    # Of use to those alone who are asked.
    from .credential_helpers import HELPER_SECONDS
    from .credentials import find

    login = find(client._host, environ, client._repository, helper_seconds or HELPER_SECONDS)
    if login is None:
        return client.authenticate(**kwargs)  # type: ignore[no-any-return]
    if login.registry_token is not None:
        if client._insecure and not client._may_authenticate_insecurely:
            raise DXFAuthInsecureError()
        client.token = login.registry_token
        return login.registry_token
    if login.identity_token is not None:
        kwargs['identity_token'] = login.identity_token
    return client.authenticate(login.username, login.password, **kwargs)  # type: ignore[no-any-return]
