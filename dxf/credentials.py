"""A user's credentials, where docker and podman keep them.

They are looked for in this order, and the first found is taken:

1. ``DOCKER_AUTH_CONFIG``, a variable that holds what else stands in a file
2. the file that ``REGISTRY_AUTH_FILE`` names; where it is set, no other file is read
3. ``$DOCKER_CONFIG/config.json``
4. ``~/.docker/config.json``, unless ``DOCKER_CONFIG`` is set
5. ``$XDG_RUNTIME_DIR/containers/auth.json``
6. ``$XDG_CONFIG_HOME/containers/auth.json``, by default in ``~/.config``

docker itself reads 1 and then 3 or 4; podman 2, or else 3, or else 5, 6 and 4. Taken
together: what a variable holds or names goes before what lies where it always does, and
there docker's own goes before podman's.

In each place a helper program goes before what is written down: the host's own
(``credHelpers``) or else the one for all (``credsStore``). One that knows nothing of a host
is no reason to stop looking, and one that fails is an error.
"""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from . import credential_helpers
from .credential_helpers import HELPER_SECONDS, is_text
from .exceptions import DXFCredentialsError
from .tokens import is_token

# What a helper may be called: it becomes part of a program's name.
_HELPER_NAME = re.compile(r'[A-Za-z0-9._-]+')

# In place of a user's name a helper says by this that the secret is an identity token.
_IS_TOKEN = '<token>'

# Docker Hub's names; what docker files it under, and podman.
_HUB_HOSTS = ('docker.io', 'index.docker.io', 'registry-1.docker.io')
_HUB_SERVERS = ('https://index.docker.io/v1/', 'docker.io')

_FIELDS = ('auth', 'username', 'password', 'identitytoken', 'registrytoken')


class Login(NamedTuple):
    """What to show a registry: a user and a password, or a token instead of them.

    Where there are tokens too, they are meant to be used: ``registry_token`` as it stands,
    else ``identity_token`` in exchange for one.
    """

    username: Optional[str]
    password: Optional[str]
    identity_token: Optional[str]  # for the token service (OAuth2's refresh token)
    registry_token: Optional[str] = None  # a bearer token, for the registry itself

    def __repr__(self) -> str:
        secrets = ''.join(
            f', {name}=' + ('***' if value else repr(value))
            for name, value in zip(self._fields[1:], self[1:])
        )
        return f'Login(username={self.username!r}{secrets})'


def find(
    host: str,
    environ: Mapping[str, Any],
    repository: Optional[str] = None,
    helper_seconds: float = HELPER_SECONDS,
) -> Optional[Login]:
    """What a user has logged in to a registry with.

    :param host: the registry's host, with port if any; Docker Hub by any of its names
    :param environ: environment variables. Nothing is read but where they say; an
        empty one counts as unset
    :param repository: the repository (on Docker Hub with its ``library/``), for what is
        kept for it or its namespace alone
    :param helper_seconds: how long a helper may take
    :returns: ``None`` if there is nothing
    :raises DXFCredentialsError: if a file is there and can't be read or is malformed, or
        a helper fails. Its message has no secret in it
    """
    # Programs put other things than text there, and mean something of their own by them.
    environ = {name: value for name, value in environ.items() if isinstance(value, str)}
    servers = _HUB_SERVERS if host.lower() in _HUB_HOSTS else (host,)
    for origin, config in _configurations(environ):
        helper = _helper(origin, config, host)
        for server in servers if helper else ():
            known = credential_helpers.ask(helper, server, environ, helper_seconds)
            if known is not None:
                username, secret = known
                return (
                    Login(None, None, secret)
                    if username == _IS_TOKEN
                    else Login(username, secret, None)
                )
        entries = _table(origin, config, 'auths')
        for key in _matching(entries, host, repository):
            login = _written(origin, entries[key], host)
            if login is not None:
                return login
    return None


def _configurations(environ: Mapping[str, Any]) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """What is configured, and where; a file is read when it is its turn."""
    text = environ.get('DOCKER_AUTH_CONFIG')
    if text:
        # As of a file, a mark of its encoding does not count.
        yield 'DOCKER_AUTH_CONFIG', _parsed('DOCKER_AUTH_CONFIG', text.lstrip('\ufeff'))
    for path in _files(environ):
        content = _read(path)
        # docker takes an empty file for one that says nothing.
        if content.strip():
            yield path, _parsed(path, content)


def _files(environ: Mapping[str, Any]) -> List[str]:
    def under(variable: str, *names: str) -> List[str]:
        directory = environ.get(variable)
        return [os.path.join(directory, *names)] if directory else []

    podman = ('containers', 'auth.json')
    return under('REGISTRY_AUTH_FILE') or [
        *(under('DOCKER_CONFIG', 'config.json') or under('HOME', '.docker', 'config.json')),
        *under('XDG_RUNTIME_DIR', *podman),
        *(under('XDG_CONFIG_HOME', *podman) or under('HOME', '.config', *podman)),
    ]


# What is wrong is raised outside of `except` everywhere here: errors of decoding hold
# what was to be decoded, and an error's context shows in places that its text does not.


def _read(path: str) -> bytes:
    """A file's content; nothing if there is no such file."""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return b''
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or 'that is no path'
    raise DXFCredentialsError(path, f"it can't be read ({reason})")


def _parsed(origin: str, text: Union[str, bytes]) -> Dict[str, Any]:
    """The JSON object that a text is."""
    content, problem = None, 'it is not a JSON object'
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f'it is not JSON (line {error.lineno})'
    except (ValueError, RecursionError):
        problem = 'it is not JSON'
    if not isinstance(content, dict):
        raise DXFCredentialsError(origin, problem)
    return content


def _table(origin: str, config: Dict[str, Any], name: str) -> Dict[str, Any]:
    """An object in a configuration; empty if it isn't there."""
    table = config.get(name)
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise DXFCredentialsError(origin, f'its {name} is not an object')
    return table


def _matching(table: Dict[str, Any], host: str, repository: Optional[str] = None) -> List[str]:
    """The keys that are about a host or the repository: the most particular first."""
    parts = [_place(host), *(repository.split('/') if repository else ())]
    wanted = ['/'.join(parts[:n]) for n in range(len(parts), 0, -1)]
    # Of several spellings the tools' own goes first. Docker Hub's access and refresh tokens
    # are filed under longer URLs of its.
    return sorted(
        (key for key in table if _place(key) in wanted),
        key=lambda key: (wanted.index(_place(key)), key not in (host, *_HUB_SERVERS), len(key)),
    )


def _place(key: str) -> str:
    """A key's host, with the namespace if it has one (podman's), spelt in one way.

    Of a URL only the host counts, as docker has it; so with its ``v1`` alone.
    """
    address = re.sub(r'^https?://', '', key, flags=re.IGNORECASE)
    host, slash, path = address.partition('/')
    host = host.lower()
    if host in _HUB_HOSTS:
        host = _HUB_HOSTS[0]
    return host if address != key or path.rstrip('/') in ('', 'v1', 'v2') else host + slash + path


def _written(origin: str, entry: Any, host: str) -> Optional[Login]:
    """What an entry of ``auths`` says; helpers leave empty ones as marks."""

    def malformed(problem: str) -> DXFCredentialsError:
        return DXFCredentialsError(origin, f'its entry for {host} is malformed: {problem}')

    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise malformed('it is not an object')
    fields = [entry.get(name) or '' for name in _FIELDS]
    for name, value in zip(_FIELDS, fields):
        if not is_text(value):
            raise malformed(f'{name} is not text')
    auth, username, password, identity_token, registry_token = fields
    if registry_token and not is_token(registry_token):
        raise malformed('registrytoken is not a token')
    pair = (username, password) if username and password else None
    if auth:
        pair = _decoded(auth)
        if pair is None:
            raise malformed('auth is not the base64 of user:password')
    if identity_token or registry_token:
        # Beside a token docker writes a user without a password.
        username, password = pair or (None, None)
        return Login(username, password or None, identity_token or None, registry_token or None)
    return Login(*pair, None) if pair else None


def _decoded(auth: str) -> Optional[Tuple[str, str]]:
    """The user and the password that an ``auth`` stands for, as docker reads it."""
    try:
        pair = base64.b64decode(re.sub('[\r\n]', '', auth), validate=True).decode('utf-8')
    except ValueError:
        return None
    username, colon, password = pair.partition(':')
    return (username, password.strip('\0')) if username and colon else None


def _helper(origin: str, config: Dict[str, Any], host: str) -> str:
    """The name of the program to ask about a host; empty if there is none."""
    helpers = _table(origin, config, 'credHelpers')
    # An empty name for a host says that the one for all is not asked about it.
    name = next((helpers[key] for key in _matching(helpers, host)), config.get('credsStore'))
    if not name:
        return ''
    if not isinstance(name, str) or not _HELPER_NAME.fullmatch(name):
        raise DXFCredentialsError(
            origin, 'it names a helper by other than letters, digits and . _ -'
        )
    return name
