"""A requests transport adapter that answers from a folder of image layouts."""

from __future__ import annotations

import errno
import io
import os
from http import HTTPStatus
from typing import IO, Any, Iterator, Optional
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse

from ..contents import as_bytes, pieces
from .registry import Answer, Content, Registry, Request, error

# Where the adapter is to be mounted, and what the URLs of its registry start
# with. The name is reserved (RFC 2606), so that nothing is ever sent there. The
# scheme is https, since requests makes no query of ``params`` for others than
# http and https, and registries' http addresses are made https ones.
BASE_URL = 'https://oci.invalid/'

# What a file system says if the folder is not what it is taken for, and if it
# takes no more. The rest is answered as what a registry does not expect.
_IN_THE_WAY = (
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOENT,  # a link that leads nowhere
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class LayoutAdapter(BaseAdapter):
    """Answers requests for what is below :data:`BASE_URL` from a folder of image layouts.

    Making one touches nothing; the folder is made when something is pushed. What is
    wrong with the folder is an answer too, of a status from 400 on. An exception is
    raised only if a request's body raises one.

    :param path: the folder, with a layout for each repository
    """

    def __init__(self, path: Any) -> None:
        super().__init__()
        self._registry = Registry(os.fsdecode(path))

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Answer a request. What says how to reach a host has no meaning here.

        :returns: the answer, whose content is read when it is asked for
        """
        body = _Body(request.body)
        parts = urlsplit(request.url or '')
        asked = Request(
            request.method or 'GET',
            unquote(parts.path),
            dict(parse_qsl(parts.query)),
            request.headers,
            body,
        )
        try:
            answer = self._registry.answer(asked)
        except OSError as failure:
            if failure is body.failure:
                raise
            answer = _of_file_system(failure)
        return self._response(request, answer)

    def close(self) -> None:
        """There is nothing to be closed."""

    def _response(self, request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        size = len(answer.text) if answer.body is None else answer.body.size
        headers = dict(answer.headers)
        if answer.status != HTTPStatus.NO_CONTENT:
            headers['Content-Length'] = str(size)
        raw = HTTPResponse(
            body=_file(request, answer),
            headers=headers,
            status=int(answer.status),
            version=11,
            reason=_reason(request, answer),
            preload_content=False,
            decode_content=False,
            enforce_content_length=True,
            request_method=request.method,
        )
        response = requests.Response()
        response.status_code = raw.status
        response.reason = raw.reason or ''
        response.headers = CaseInsensitiveDict(headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = raw
        response.url = request.url or ''
        response.request = request
        return response


class _Body:
    """A request's body in pieces, and what it failed with, if it did."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.failure: Optional[BaseException] = None

    def __iter__(self) -> Iterator[bytes]:
        whole = b'' if self._body is None else as_bytes(self._body)
        if whole is not None:
            yield whole
            return
        try:
            yield from pieces(self._body)
        except BaseException as failure:
            self.failure = failure
            raise


class _Part(io.RawIOBase):
    """A file up to a point before its end."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._file, self._left = content

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(min(len(buffer), self._left))
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


def _file(request: requests.PreparedRequest, answer: Answer) -> IO[bytes]:
    if request.method == 'HEAD' or answer.body is None:
        if answer.body is not None:
            answer.body.file.close()
        return io.BytesIO(b'' if request.method == 'HEAD' else answer.text)
    return _Part(answer.body)  # type: ignore[return-value]


def _reason(request: requests.PreparedRequest, answer: Answer) -> str:
    """The reason phrase, with what is wrong where no body says so."""
    phrase = HTTPStatus(answer.status).phrase
    return f'{phrase}: {answer.problem}' if answer.problem and request.method == 'HEAD' else phrase


def _of_file_system(failure: OSError) -> Answer:
    """What is answered where the file system refuses."""
    message = str(failure)
    if failure.errno in _FORBIDDEN:
        return error(HTTPStatus.FORBIDDEN, 'DENIED', message)
    if failure.errno in _FULL:
        return error(HTTPStatus.INSUFFICIENT_STORAGE, 'UNKNOWN', message)
    if failure.errno in _IN_THE_WAY:
        return error(HTTPStatus.UNPROCESSABLE_ENTITY, 'LAYOUT_INVALID', message)
    return error(HTTPStatus.INTERNAL_SERVER_ERROR, 'UNKNOWN', message)
