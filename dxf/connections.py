"""Kept connections: a requests session, and how its connections differ from urllib3's own."""

from __future__ import annotations

import ssl
from http.client import HTTPResponse, RemoteDisconnected
from typing import Any, Optional

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

# How many idle connections to one host are kept.
_POOL_SIZE = 16

# What is handed to a socket at a time, in bytes.
_BLOCK_SIZE = 256 * 1024

# What is waited for where an answer comes in chunks, in bytes: what a cut may cost.
_STEP = 128 * 1024


class _Head:
    """A file whose lines are an answer's head, and whether that ended as it should."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.last_line = b''

    def readline(self, limit: int = -1) -> bytes:
        self.last_line = self._file.readline(limit)
        return self.last_line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Answer(HTTPResponse):
    """An answer whose head is not taken for whole where the connection was cut in it."""

    fp: Any
    length: Optional[int]
    chunked: bool

    def begin(self) -> None:
        file = self.fp
        head = _Head(file)
        self.fp = head
        super().begin()
        if self.fp is head:
            self.fp = file
        if head.last_line not in (b'\r\n', b'\n'):
            self._close_conn()  # type: ignore[attr-defined]
            raise RemoteDisconnected('the connection was closed in the head of an answer')

    def read_some_into(self, memory: memoryview) -> int:
        """Read what has come, without waiting for the memory to be full.

        :returns: how many bytes that were; 0 at the end
        """
        if self.chunked or self.fp is None:
            return self.readinto(memory[:_STEP])
        if self.length is not None:
            memory = memory[: self.length]
        count: int = self.fp.readinto1(memory) if memory else 0
        if self.length is not None:
            self.length -= count
        if not count or self.length == 0:
            # As the standard library does at the end of what it reads itself.
            self._close_conn()  # type: ignore[attr-defined]
        return count


class AnswersEarly:
    """A connection on which a registry may answer before it has read the body.

    It closes its end then, and the next write fails; the answer is there to be
    read all the same. urllib3 goes on to read it after a broken pipe, but not
    after what the TLS layer makes of one.
    """

    sock: Any

    # Whoever sets http.client's would have passwords and tokens printed.
    debuglevel = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # urllib3 1.26 does not let its pools be told.
        self.blocksize = _BLOCK_SIZE

    def send(self, data: Any) -> None:
        if self.sock is None:
            # This opens the connection first: what fails then is no answer.
            super().send(data)  # type: ignore[misc]
            return
        try:
            super().send(data)  # type: ignore[misc]
        except (ssl.SSLError, ConnectionError) as error:
            raise BrokenPipeError(*error.args[:2]) from error


class _Connection(AnswersEarly, HTTPConnection):
    response_class = Answer


class _TLSConnection(AnswersEarly, HTTPSConnection):
    response_class = Answer

    def connect(self) -> None:
        super().connect()
        if self.cert_reqs in (ssl.CERT_NONE, 'CERT_NONE'):
            # The caller has chosen not to verify: urllib3 need not warn of it.
            self.is_verified = True


class _NoticesCuts:
    """A pool whose answers are not taken for whole where they are shorter than announced."""

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        # urllib3 1.26 does not do so unasked.
        kwargs.setdefault('enforce_content_length', True)
        return super().urlopen(*args, **kwargs)  # type: ignore[misc]


class _Pool(_NoticesCuts, HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(_NoticesCuts, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {'http': _Pool, 'https': _TLSPool}


class _Adapter(HTTPAdapter):
    def __init__(self) -> None:
        super().__init__(pool_connections=_POOL_SIZE, pool_maxsize=_POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def session() -> requests.Session:
    """What connections are kept in, and nothing else.

    Requests don't pass through its other memory, so it keeps no cookies: some registries ask
    whoever returns theirs for CSRF tokens too.
    """
    made = requests.Session()
    for prefix in ('http://', 'https://'):
        made.mount(prefix, _Adapter())
    return made
