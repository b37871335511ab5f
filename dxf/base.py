"""A registry as a whole, and how requests to it are sent and answered for."""

from http import HTTPStatus
from types import TracebackType
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Tuple,
    Type,
    TypeVar,
    Union,
    overload,
)

import requests

from . import auth as authentication
from .answers import check, discard, read_answer
from .bodies import is_stream, position, rewind
from .exceptions import (
    DXFAuthInsecureError,
    DXFMalformedChallengeError,
    DXFUnauthorizedError,
    DXFUnexpectedStatusCodeError,
)
from .names import layouts
from .pagination import names
from .proxies import is_between
from .redaction import hidden
from .retries import NETWORK_ERRORS, Retries, is_transient
from .threads import turn
from .tokens import Grant
from .transport import (
    DEFAULT_TIMEOUT,
    Credentials,
    Origin,
    Transport,
)

# What people write, and where the API is.
_HOSTS = {'docker.io': 'registry-1.docker.io', 'index.docker.io': 'registry-1.docker.io'}

# A body of so many bytes had better not be sent twice, in bytes.
_LONG = 1024 * 1024

# What is no argument that subclasses know of, and goes from a base to its repositories.
SETTINGS = ('_retries', '_upload_chunk_size', '_tlscert', '_tlskey', '_insecure_auth')

_Base = TypeVar('_Base', bound='DXFBase')

Auth = Callable[[Any, requests.Response], Any]
Request = Callable[..., requests.Response]


class _Failure(NamedTuple):
    """Why a challenge was not answered."""

    about: Tuple[Dict[str, str], Optional[str]]  # headers that were sent, and the challenge
    error: Exception

    def __repr__(self) -> str:
        return f'_Failure({type(self.error).__name__})'


class DXFBase:
    """Operations on a registry that belong to no repository.

    Constructing one sends nothing. As a context manager it closes its
    connections on leaving; without, it keeps and reuses them all the same.

    Whatever asks the registry raises :class:`DXFUnauthorizedError` for a 401,
    :class:`requests.exceptions.HTTPError` for what it refuses otherwise, such as a 404 for
    what is not there, and requests' ``ConnectionError``, ``SSLError`` or ``Timeout`` where
    there is no answer. What each method raises besides, it says.

    :param host: the registry's host, with port if any, as in ``localhost:5000``; or
        ``oci:FOLDER``, a folder of OCI image layouts that answers in its place
        (``DXFInvalidNameError`` is raised where no folder is given)
    :param auth: called with this object and the registry's answer when that is a
        401. It usually calls :meth:`authenticate` with ``response``. The request
        is sent again if it has changed the token or the headers.
    :param insecure: speak plain http
    :param auth_host: take tokens from this host, whatever the registry says
    :param tlsverify: whether to verify certificates, or a CA bundle's path. With
        ``True``, ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` are honoured.
    :param timeout: in seconds, as in requests: one number, or a pair for
        connecting and between two pieces of an answer; ``None`` for the defaults
    :param retries: how often what failed for the moment is tried again
    :param retry_seconds: for how long, in seconds
    :param upload_chunk_size: the most to send in one request, in bytes, where something
        before the registry bounds that; a blob that is refused for its size is sent
        in chunks all the same
    :param tlscert: a file with a client's certificate to show to the registry
    :param tlskey: a file with its key, where that is not in ``tlscert``
    :param insecure_auth: authenticate over plain http too, where the registry is on the
        loopback address
    """

    _repo: Optional[str] = None

    def __init__(
        self,
        host: str,
        auth: Optional[Auth] = None,
        insecure: bool = False,
        auth_host: Optional[str] = None,
        tlsverify: Union[bool, str] = True,
        timeout: Any = None,
        *,
        retries: int = Retries().total,
        retry_seconds: float = Retries().seconds,
        upload_chunk_size: Optional[int] = None,
        tlscert: Optional[str] = None,
        tlskey: Optional[str] = None,
        insecure_auth: bool = False,
    ) -> None:
        self._host = host
        self._auth = auth
        self._insecure = insecure
        self._auth_host = auth_host
        self._tlsverify = tlsverify
        self._timeout = timeout
        self._retries = Retries(retries, retry_seconds)
        self._upload_chunk_size = upload_chunk_size
        self._tlscert = tlscert
        self._tlskey = tlskey
        self._insecure_auth = insecure_auth
        self._headers: Dict[str, str] = {}
        # What is being asked, and why `auth` has failed meanwhile.
        self._sending: List[str] = []
        self._failure: Optional[_Failure] = None
        self._transport = Transport()
        folder = layouts(host)
        if folder is not None:
            # Of use to those alone who have no server.
            from .layout import BASE_URL, LayoutAdapter

            self._transport.mount(BASE_URL, LayoutAdapter(folder))
        self._owns_transport = True
        self._contexts = 0

    def __enter__(self: _Base) -> _Base:
        self._contexts += 1
        return self

    def __exit__(
        self,
        exc_type: Optional[Type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._contexts -= 1
        if not self._contexts and self._owns_transport:
            self._transport.close()

    @property
    def token(self) -> Optional[str]:
        """The bearer token that requests carry, or ``None``."""
        return authentication.bearer(self._headers)

    @token.setter
    def token(self, value: Optional[str]) -> None:
        self._headers = {
            name: header
            for name, header in self._headers.items()
            if name.lower() != 'authorization'
        }
        if value is not None:
            self._headers['Authorization'] = hidden('Bearer ' + value)

    @property
    def _base_url(self) -> str:
        folder = layouts(self._host)
        if folder is not None:
            from .layout import BASE_URL

            return BASE_URL + 'v2/'
        scheme = 'http' if self._insecure else 'https'
        return f'{scheme}://{_HOSTS.get(self._host.lower(), self._host)}/v2/'

    @property
    def _repository(self) -> Optional[str]:
        """The repository's name as the registry knows it."""
        return self._full_name(self._repo) if self._repo else None

    def _full_name(self, repo: str) -> str:
        host = self._host.partition(':')[0].lower()
        on_docker_hub = host == 'docker.io' or host.endswith('.docker.io')
        return 'library/' + repo if on_docker_hub and '/' not in repo else repo

    def _send(
        self, method: str, url: str, secrets: Mapping[str, str], origin: str, **kwargs: Any
    ) -> requests.Response:
        """Send a request with headers that only the host of the URL ``origin`` may see."""
        kwargs.setdefault('timeout', DEFAULT_TIMEOUT if self._timeout is None else self._timeout)
        kwargs.setdefault('verify', self._tlsverify)
        if self._tlscert:
            kwargs.setdefault(
                'cert', (self._tlscert, self._tlskey) if self._tlskey else self._tlscert
            )
        return self._transport.send(
            method, url, Credentials(secrets, Origin.of(origin)), self._retries, **kwargs
        )

    def _base_request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send one request to the registry.

        :param method: the HTTP method
        :param path: relative to ``/v2/``, or an absolute URL
        :param kwargs: those of :func:`requests.request`, which win over dxf's own
        :returns: the answer
        :raises DXFUnauthorizedError: for a 401
        :raises requests.exceptions.HTTPError: for another error
        :raises requests.exceptions.RequestException: if there is no answer
        """
        base_url = self._base_url
        url = path if path.startswith(('http://', 'https://')) else base_url + path
        body = kwargs.get('data')
        start = position(body)
        self._renew_token(early=is_stream(body) and _length(body) > _LONG)
        asked = False
        before = self._failure
        self._sending.append(method)
        try:
            while True:
                headers = dict(self._headers)
                response = self._send(method, url, headers, base_url, **kwargs)
                if response.status_code != HTTPStatus.UNAUTHORIZED:
                    return check(response)
                if Origin.of(response.url) != Origin.of(base_url):
                    return check(response)
                # Objects with other connections may have the same `auth`.
                with turn(self._auth), self._transport.authenticating:
                    # Unless another thread has done so since.
                    if self._headers == headers and self._auth and not asked:
                        asked = True
                        discard(response)
                        self._answer(response, before)
                    if self._headers == headers:
                        return check(response)
                rewind(body, start)
        finally:
            self._sending.pop()
            if not self._sending:
                self._failure = None

    def _answer(self, response: requests.Response, before: Optional[_Failure]) -> None:
        """Have ``auth`` answer a 401, unless it has failed to do so for another thread since.

        A helper that hangs, or a service that locks out who guesses, is not to be asked by each.
        """
        about = (dict(self._headers), response.headers.get('WWW-Authenticate'))
        failure = self._failure
        if failure is not None and failure is not before and failure.about == about:
            raise failure.error
        try:
            self._auth(self, response)  # type: ignore[misc]
        except Exception as error:
            self._failure = _Failure(about, error)
            raise

    def authenticate(
        self,
        username: Optional[str] = None,
        password: Optional[str] = None,
        actions: authentication.Actions = None,
        response: Optional[requests.Response] = None,
        authorization: Optional[str] = None,
        user_agent: str = 'Docker-Client/19.03.2 (linux)',
        identity_token: Optional[str] = None,
    ) -> Optional[str]:
        """Authenticate to the registry: answer its challenge (RFC 7235; Docker's "Token
        Authentication Specification").

        Credentials are ``identity_token`` if it is given, else ``username`` and
        ``password`` if both are, else ``authorization``, else none (anonymous).

        :param username: a user's name, and
        :param password: the user's password, which are sent as UTF-8
        :param actions: what to be allowed to do with the repository: a list of
            ``pull``, ``push`` and ``*``, or one of them; by default what the
            registry's challenge names
        :param response: the registry's answer, if there is one already; else it
            is asked
        :param authorization: an ``Authorization`` header's value
        :param user_agent: the ``User-Agent`` of the request for a token
        :param identity_token: one that the token service gave before, as ``docker
            login`` keeps it, to be exchanged (OAuth2's refresh token)
        :returns: the token, which later requests carry; or ``None`` where the
            registry needs none or takes Basic authentication
        :raises DXFAuthInsecureError: if the registry wants credentials over http
        :raises DXFUnauthorizedError: if the token service refuses the credentials
        :raises DXFUnexpectedStatusCodeError: if the registry's answer is neither a
            success nor a 401
        :raises DXFMalformedChallengeError: if its challenge can't be answered
        :raises DXFTokenError: if the token service's reply holds no token
        """
        password, authorization = hidden(password), hidden(authorization)
        identity_token = hidden(identity_token)
        was_challenged = response is not None
        if response is None:
            response = self._send('get', self._base_url, {}, self._base_url)
        if 200 <= response.status_code < 300:
            return None
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            raise DXFUnexpectedStatusCodeError(response.status_code, HTTPStatus.UNAUTHORIZED.value)
        if response.history and (Origin.of(response.url) != Origin.of(response.history[0].url)):
            # Whoever the registry leads to may not say where its credentials go.
            raise DXFMalformedChallengeError('it comes from another host than the registry')
        if self._insecure and not self._may_authenticate_insecurely:
            raise DXFAuthInsecureError()
        if username is not None and password is not None:
            authorization = hidden(authentication.basic(username, password))
        challenge = authentication.challenge(response)
        if challenge.scheme == 'basic':
            # Without, there is nothing to keep: the registry's refusal stays what it is.
            if authorization is not None:
                self._headers = dict(self._headers, Authorization=authorization)
            return None
        realm = authentication.realm_url(
            challenge, response.url or self._base_url, self._auth_host, self._insecure
        )
        if realm.startswith('http:') and is_between(realm):
            raise DXFAuthInsecureError()
        wanted = authentication.scopes(challenge, self._repository, actions)
        if identity_token is None:
            url = authentication.token_url(realm, challenge, wanted)
            grant = Grant(url, authorization, (), user_agent)
        else:
            form = authentication.refresh_form(challenge, wanted, identity_token)
            grant = Grant(realm, None, form, user_agent)
        # One that was granted to somebody with the same connections will do, if it
        # is the registry that asks.
        known = None
        if was_challenged:
            known = self._transport.tokens.get(grant, (self.token, _refused(response)))
        self.token = known or self._fetch_token(grant)
        return self.token

    @property
    def _may_authenticate_insecurely(self) -> bool:
        # What a proxy is told, goes over the network.
        return (
            self._insecure_auth
            and authentication.is_loopback(Origin.of(self._base_url).host)
            and not is_between(self._base_url)
        )

    def _fetch_token(self, grant: Grant) -> str:
        secrets = {} if grant.authorization is None else {'Authorization': grant.authorization}

        def request(method: str, url: str, **kwargs: Any) -> requests.Response:
            return check(self._send(method, url, secrets, url, **kwargs))

        tokens = self._transport.tokens
        data = tokens.current(grant.form)
        # A form is a secret that a redirect would take with it.
        form = {'data': data, 'allow_redirects': False} if data else {}
        reply = authentication.read_reply(
            self._read(
                request,
                grant.url,
                'post' if data else 'get',
                headers={'User-Agent': grant.user_agent},
                **form,
            )
        )
        tokens.keep(grant, reply.token, reply.lifetime)
        if reply.identity_token:
            for name, identity_token in grant.form:
                if name == 'refresh_token':
                    tokens.replace(identity_token, reply.identity_token)
        return reply.token

    def _renew_token(self, early: bool) -> None:
        """Have a new token before a request, if the one there is at its end.

        :param early: or nearly so: the request takes long
        """
        tokens = self._transport.tokens
        if tokens.ended(self.token, early) is None:
            return
        with self._transport.authenticating:
            # Unless another thread has done so since.
            grant = tokens.ended(self.token, early)
            if grant is None:
                return
            try:
                self.token = tokens.get(grant, ()) or self._fetch_token(grant)
            except (DXFUnauthorizedError, requests.exceptions.HTTPError) as error:
                if is_transient(error):
                    raise
                # Not by these credentials: when the registry has refused the token too,
                # `auth` is asked, which may know others.

    @overload
    def list_repos(
        self, batch_size: Optional[int] = None, iterate: Literal[False] = False
    ) -> List[str]: ...

    @overload
    def list_repos(
        self, batch_size: Optional[int] = None, iterate: bool = False
    ) -> Iterable[str]: ...

    def list_repos(self, batch_size: Optional[int] = None, iterate: bool = False) -> Iterable[str]:
        """The registry's repositories (distribution specification, "Catalog" of its predecessor).

        :param batch_size: how many names to ask for at a time
        :param iterate: give them as they come
        :returns: names, in a list or an iterable
        :raises DXFNotARegistryError: if the answer is no list of names
        """

        def request(method: str, path: str, **kwargs: Any) -> requests.Response:
            # Looked up at each call: programs replace it in their tests.
            return self._base_request(method, path, **kwargs)

        return self._names(request, '_catalog', 'repositories', batch_size, iterate)

    def _names(
        self, request: Request, path: str, key: str, batch_size: Optional[int], iterate: bool
    ) -> Iterable[str]:
        params: Dict[str, Any] = {} if batch_size is None else {'params': {'n': batch_size}}

        def get(page: Optional[str]) -> requests.Response:
            if page is None:
                return self._read(request, path, **params)
            return self._read(request, page)

        found = names(get, key, self._base_url)
        return found if iterate else list(found)

    def _read(
        self, request: Request, path: str, method: str = 'get', **kwargs: Any
    ) -> requests.Response:
        """Get what is no blob, and so can't be of any size."""
        attempts = self._retries.start()
        while True:
            response = request(method, path, stream=True, **kwargs)
            try:
                read_answer(response)
            except NETWORK_ERRORS as error:
                if not attempts.wait(error=error):
                    raise
            else:
                return response


def _length(body: Any) -> float:
    return len(body) if hasattr(body, '__len__') else float('inf')


def _refused(response: requests.Response) -> Optional[str]:
    """The token that a registry's 401 is about."""
    return authentication.bearer(response.request.headers) if response.request else None
