"""The command line's settings, from environment variables."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Union

from . import logins
from .exceptions import DXFConfigurationError, DXFInvalidNameError
from .names import check_host

# What may stand in a header (RFC 9110, "Field Values").
_HEADER = re.compile(r'[\t\x20-\x7e\x80-\xff]+')

# What the names of variables start with; and of those about a registry to copy to.
_OWN = 'DXF_'
_OTHER = 'DXF_TO_'

# More than any size there is.
_MAX_DIGITS = 18


class Settings(NamedTuple):
    """What ``DXF_*`` variables say. An empty one counts as unset."""

    host: str
    insecure: bool
    username: Optional[str]
    password: Optional[str]
    authorization: Optional[str]
    token: Optional[str]
    auth_host: Optional[str]
    tlsverify: Union[bool, str]
    platform: Optional[str]
    blob_info: bool
    chunk_size: Optional[int]  # None: what is best, or 8192
    progress: Optional[bool]  # None: if there is a terminal
    client: Dict[str, Any]  # further arguments for the client, those that are set
    environ: Mapping[str, Any]  # where it is said where docker and podman keep credentials
    helper_seconds: Optional[float] = None  # that a credential helper may take; None: as usual

    @classmethod
    def of(cls, environ: Mapping[str, Any], registry: str = _OWN) -> Settings:
        """Those of some environment.

        :param registry: what the variables start with that are about the registry, and no
            other may have
        :raises DXFConfigurationError: if one is missing or can't be used
        :raises DXFInvalidNameError: if the host is none
        """
        get = _getter(environ, _OWN)
        own = _getter(environ, registry)
        host = own('HOST')
        if host is None:
            raise DXFConfigurationError(
                f"{registry}HOST is not set: give the registry's host, as in "
                f'{registry}HOST=localhost:5000'
            )
        if own('TLSKEY') and not own('TLSCERT'):
            raise DXFConfigurationError(
                f'{registry}TLSKEY is set without {registry}TLSCERT: '
                'give the certificate that the key is for'
            )

        def in_header(name: str) -> Optional[str]:
            return _in_header(registry + name, own(name))

        def text(name: str) -> Optional[str]:
            return _text(registry + name, own(name))

        skip = own('SKIPTLSVERIFY') == '1'
        return cls(
            host=check_host(host),
            insecure=own('INSECURE') == '1',
            username=text('USERNAME'),
            password=(
                text('PASSWORD') or _content(registry + 'PASSWORD_FILE', own('PASSWORD_FILE'))
            ),
            authorization=in_header('AUTHORIZATION'),
            token=in_header('TOKEN'),
            auth_host=_host(registry + 'AUTH_HOST', own('AUTH_HOST')),
            tlsverify=False if skip else own('TLSVERIFY') or True,
            platform=get('PLATFORM'),
            blob_info=get('BLOB_INFO') == '1',
            chunk_size=_number('DXF_CHUNK_SIZE', get('CHUNK_SIZE')),
            environ=environ,
            client={
                argument: value
                for argument, value in (
                    ('tlscert', own('TLSCERT')),
                    ('tlskey', own('TLSKEY')),
                    ('insecure_auth', own('INSECURE_AUTH') == '1' or None),
                    ('timeout', _seconds('DXF_TIMEOUT', get('TIMEOUT'))),
                    ('retries', _number('DXF_RETRIES', get('RETRIES'), least=0)),
                    ('retry_seconds', _seconds('DXF_RETRY_SECONDS', get('RETRY_SECONDS'))),
                    (
                        'upload_chunk_size',
                        _number('DXF_UPLOAD_CHUNK_SIZE', get('UPLOAD_CHUNK_SIZE')),
                    ),
                )
                if value is not None
            },
            progress={'0': False, '1': True}.get(get('PROGRESS') or ''),
        )

    def elsewhere(self, host: Optional[str] = None) -> Settings:
        """Those for the registry that something is copied to.

        What concerns a registry, credentials above all, it has of its own: ``DXF_TO_USERNAME``
        is to it what ``DXF_USERNAME`` is to this one.

        :param host: that registry's; by default the one that ``DXF_TO_HOST`` names, or this one
        """
        environ = self.environ if host is None else {**self.environ, _OTHER + 'HOST': host}
        if not environ.get(_OTHER + 'HOST'):
            return self
        return Settings.of(environ, _OTHER)._replace(progress=self.progress)

    def __repr__(self) -> str:
        return f'Settings(host={self.host!r})'

    def authenticate(self, client: Any, response: Any = None, actions: Any = None) -> Any:
        """Authenticate with these credentials, else with docker's or podman's, else without.

        :returns: the token, if there is one
        """
        kwargs: Dict[str, Any] = {'response': response}
        if actions:
            kwargs['actions'] = actions
        ours = None not in (self.username, self.password) or self.authorization is not None
        if not ours and hasattr(client, '_host'):
            return logins.authenticate(client, self.environ, self.helper_seconds, **kwargs)
        return client.authenticate(
            self.username, self.password, authorization=self.authorization, **kwargs
        )


def _getter(environ: Mapping[str, Any], start: str) -> Callable[[str], Optional[str]]:
    return lambda name: environ.get(start + name) or None


def _content(name: str, filename: Optional[str]) -> Optional[str]:
    """What is in a file, as secrets are given to containers: without the newline at its end."""
    if filename is None:
        return None
    with open(filename, 'rb') as file:
        content = file.read()
    with suppress(UnicodeDecodeError):
        return str(content, 'utf-8-sig').rstrip('\r\n') or None
    # Not while that is handled: it holds what is in the file.
    raise DXFConfigurationError(f'{name} is {filename!r}, which is not UTF-8')


def _host(name: str, host: Optional[str]) -> Optional[str]:
    """A host, if it is one: credentials would go to whatever host stands in it otherwise."""
    if host is None:
        return None
    with suppress(DXFInvalidNameError):
        return check_host(host)
    # Not cited: a password may be in it.
    raise DXFConfigurationError(
        f'{name} is no host: give a host, and a port if need be, as in auth.example:5001'
    )


def _text(name: str, text: Optional[str]) -> Optional[str]:
    """A secret that is to be encoded, if it can be: the error of encoding would cite it."""
    with suppress(UnicodeEncodeError):
        (text or '').encode('utf-8')
        return text
    raise DXFConfigurationError(f'{name} is not UTF-8')


def _in_header(name: str, text: Optional[str]) -> Optional[str]:
    """What is to be sent in a header, if it can be: who refuses it later would cite it."""
    if text is None or _HEADER.fullmatch(text):
        return text
    raise DXFConfigurationError(
        f"{name} can't be sent: it has a line break in it, or another character that no header has"
    )


def _number(name: str, text: Optional[str], least: int = 1) -> Optional[int]:
    if text is None:
        return None
    # Not every character that is a digit makes a number, nor any number of them.
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS or int(text) < least:
        raise DXFConfigurationError(f'{name} is {text!r}: give a whole number, {least} or more')
    return int(text)


def _seconds(name: str, text: Optional[str]) -> Optional[float]:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float('inf'):
        raise DXFConfigurationError(f'{name} is {text!r}: give a number of seconds above 0')
    return seconds
