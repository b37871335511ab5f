"""A repository, and how requests about it are sent."""

from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Optional,
    Tuple,
    Type,
    TypeVar,
    Union,
)
from urllib.parse import quote

import requests

from .base import SETTINGS, Auth, DXFBase
from .threads import pool

# How many requests are made side by side.
_THREADS = 8

_Item = TypeVar('_Item')
_Result = TypeVar('_Result')
_Repository = TypeVar('_Repository', bound='Repository')


class Repository(DXFBase):
    """A repository in a registry: how requests about it are sent.

    :param repo: its name; on Docker Hub, one part means ``library/`` and that

    The others are those of :class:`DXFBase`.
    """

    def __init__(
        self,
        host: str,
        repo: str,
        auth: Optional[Auth] = None,
        insecure: bool = False,
        auth_host: Optional[str] = None,
        tlsverify: Union[bool, str] = True,
        timeout: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(host, auth, insecure, auth_host, tlsverify, timeout, **kwargs)
        self._repo = repo
        # What is known of blobs that this object has pushed or found, in bytes,
        # so that a manifest that lists them need not ask again.
        self._sizes: Dict[str, int] = {}

    @classmethod
    def from_base(cls: Type[_Repository], base: DXFBase, repo: str) -> _Repository:
        """A repository with a base's settings and connections.

        It has a copy of the base's token and headers: later changes in one don't
        show in the other. Its connections are the base's to close.

        :param base: a registry, or another repository
        :param repo: the repository's name
        :returns: an object of the class that this is called on
        """
        made = cls(
            base._host,
            repo,
            base._auth,
            base._insecure,
            base._auth_host,
            base._tlsverify,
            base._timeout,
        )
        for name in SETTINGS:
            setattr(made, name, getattr(base, name))
        made._headers = dict(base._headers)
        made._transport = base._transport
        made._owns_transport = False
        return made

    def _request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send one request about the repository.

        :param path: relative to the repository, as in ``manifests/latest``, or an
            absolute URL

        The rest is as for :meth:`DXFBase._base_request`.
        """
        if not path.startswith(('http://', 'https://')) and self._repository:
            path = f'{quote(self._repository)}/{path}'
        return self._base_request(method, path, **kwargs)

    def _seam(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        # Looked up at each call: programs replace it in their tests.
        return self._request(method, path, **kwargs)

    def _side_by_side(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> List[_Result]:
        """Each item's result, in order; one after another where requests are not dxf's own."""
        todo = list(items)
        if len(todo) < 2 or self._is_replaced():
            return [function(item) for item in todo]
        threads = pool(min(_THREADS, len(todo)))
        results = [threads.submit(function, item) for item in todo]
        try:
            return [result.result() for result in results]
        finally:
            # After an error, or an interruption, there is nothing to wait for.
            for result in results:
                result.cancel()
            threads.shutdown(wait=False)

    def _is_replaced(self, **others: Any) -> bool:
        """Whether requests are not dxf's own: such are never made by two threads at once.

        :param others: what else may have been replaced: dxf's own, by its name
        """
        return any(
            name in vars(self) or getattr(type(self), name) is not original
            for name, original in {**SEAMS, **others}.items()
        )

    def api_version_check(self) -> Tuple[str, requests.Response]:
        """Ask the registry whether it speaks the protocol ("Determining Support").

        :returns: the answer's text, and the answer
        :raises requests.exceptions.HTTPError: for a 404, if it does not
        """
        response = self._base_request('get', '')
        return response.text, response


# What programs replace, in subclasses or on an object.
SEAMS: Dict[str, Any] = {
    '_request': Repository._request,
    '_base_request': Repository._base_request,
}
