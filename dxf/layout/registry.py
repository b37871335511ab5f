"""The registry's endpoints (distribution specification 1.1, "Endpoints") on a folder of layouts.

Requests and answers are values here; ``adapter`` makes them of requests' own.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import IO, Any, Dict, Iterable, List, Mapping, NamedTuple, Optional
from urllib.parse import quote, urlencode

from .. import manifests
from ..digests import is_digest
from ..exceptions import DXFInvalidNameError
from ..names import check_alias
from .folder import Folder
from .layout import MAX_MANIFEST_SIZE, Layout
from .manifests import received, subject
from .refusals import Refused
from .uploads import Span, Upload

_JSON = 'application/json'

# The status that goes with an error; 400 with the others.
_STATUSES = {
    'BLOB_UNKNOWN': HTTPStatus.NOT_FOUND,
    'BLOB_UPLOAD_UNKNOWN': HTTPStatus.NOT_FOUND,
    'LAYOUT_INVALID': HTTPStatus.UNPROCESSABLE_ENTITY,
    'MANIFEST_UNKNOWN': HTTPStatus.NOT_FOUND,
    'NAME_UNKNOWN': HTTPStatus.NOT_FOUND,
    'PAGE_UNKNOWN': HTTPStatus.NOT_FOUND,
    'RANGE_INVALID': HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    'SIZE_INVALID': HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    'UNSUPPORTED': HTTPStatus.METHOD_NOT_ALLOWED,
}

_CONTENT_RANGE = re.compile(r'(?:bytes )?([0-9]+)-([0-9]+)(?:/.*)?')
_RANGE = re.compile(r'bytes=([0-9]*)-([0-9]*)')
_COUNT = re.compile(r'[0-9]{1,9}')


class Request(NamedTuple):
    """What is asked for."""

    method: str
    path: str  # decoded
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Iterable[bytes]


class Content(NamedTuple):
    """Part of a file, from where it stands."""

    file: IO[bytes]
    size: int  # in bytes


class Answer(NamedTuple):
    """What is answered."""

    status: int
    headers: Dict[str, str]
    body: Optional[Content] = None  # instead of `text`
    text: bytes = b''
    problem: str = ''  # what is wrong, in words


class Registry:
    """A registry whose repositories are the layouts of a folder.

    :param path: the folder
    """

    def __init__(self, path: str) -> None:
        self._folder = Folder(path)

    def answer(self, request: Request) -> Answer:
        """Do what is asked for, or say why not.

        :raises OSError: if a file can't be read or written
        """
        try:
            return self._route(request)
        except Refused as refusal:
            message = refusal.message
            own_name = self._folder.own_name()
            if refusal.code == 'NAME_UNKNOWN' and own_name:
                message += f'; the folder is a layout itself, the repository {own_name}'
            status = _STATUSES.get(refusal.code, HTTPStatus.BAD_REQUEST)
            return error(status, refusal.code, message, *refusal.details)

    def _route(self, request: Request) -> Answer:
        for pattern, methods in _ROUTES:
            found = pattern.fullmatch(request.path)
            if found is None:
                continue
            # A HEAD is answered as a GET is; nobody reads the body.
            name = methods.get('GET' if request.method == 'HEAD' else request.method)
            if name is None:
                raise Refused('UNSUPPORTED', f'there is no {request.method} here')
            answer: Answer = getattr(self, name)(request, *found.groups())
            return answer
        raise Refused('PAGE_UNKNOWN', 'there is nothing here')

    def _layout(self, repository: str) -> Layout:
        return self._folder.layout(repository)

    # What there is

    def _support(self, request: Request) -> Answer:
        return _json({}, {'Docker-Distribution-Api-Version': 'registry/2.0'})

    def _catalog(self, request: Request) -> Answer:
        return _page(request, 'repositories', self._folder.names(), {})

    def _tags(self, request: Request, repository: str) -> Answer:
        tags = self._layout(repository).index().tags()
        return _page(request, 'tags', sorted(tags), {'name': repository})

    def _referrers(self, request: Request, repository: str, digest: str) -> Answer:
        layout = self._layout(repository)
        layout.files.blob_path(digest)  # or it is none
        found, headers = layout.referrers(digest), {}
        wanted = request.query.get('artifactType')
        if wanted:
            found = [entry for entry in found if entry.get('artifactType') == wanted]
            headers['OCI-Filters-Applied'] = 'artifactType'
        index = {
            'schemaVersion': 2,
            'mediaType': manifests._oci_index_mimetype,
            'manifests': found,
        }
        return _json(index, dict(headers, **{'Content-Type': manifests._oci_index_mimetype}))

    # Manifests

    def _get_manifest(self, request: Request, repository: str, reference: str) -> Answer:
        found = self._layout(repository).find(reference)
        return Answer(
            HTTPStatus.OK,
            {
                'Content-Type': found.media_type,
                'Docker-Content-Digest': found.name,
            },
            text=found.content,
        )

    def _put_manifest(self, request: Request, repository: str, reference: str) -> Answer:
        tag = None if is_digest(reference) else _tag(reference)
        layout = self._layout(repository)
        layout.files.exists()  # or it is not to be written to
        manifest = received(_read(request.body), request.headers.get('Content-Type'), reference)
        layout.put_manifest(manifest, tag)
        headers = {
            'Location': f'/v2/{repository}/manifests/{manifest.name}',
            'Docker-Content-Digest': manifest.name,
        }
        about = subject(manifest)
        if about is not None:
            headers['OCI-Subject'] = about
        return Answer(HTTPStatus.CREATED, headers)

    def _delete_manifest(self, request: Request, repository: str, reference: str) -> Answer:
        layout = self._layout(repository)
        if is_digest(reference):
            layout.delete_manifest(reference)
        else:
            layout.delete_tag(reference)
        return Answer(HTTPStatus.ACCEPTED, {})

    # Blobs

    def _get_blob(self, request: Request, repository: str, digest: str) -> Answer:
        file, size = self._layout(repository).open_blob(digest)
        headers = {
            'Content-Type': 'application/octet-stream',
            'Docker-Content-Digest': digest,
            'Accept-Ranges': 'bytes',
        }
        wanted = request.headers.get('Range')
        span = _span(wanted, size) if wanted and request.method == 'GET' else None
        if span is None:
            return Answer(HTTPStatus.OK, headers, Content(file, size))
        if not 0 <= span.first <= span.last:
            file.close()
            refused = error(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                'RANGE_INVALID',
                f'the blob has {size} bytes',
            )
            refused.headers['Content-Range'] = f'bytes */{size}'
            return refused
        file.seek(span.first)
        headers['Content-Range'] = f'bytes {span.first}-{span.last}/{size}'
        return Answer(
            HTTPStatus.PARTIAL_CONTENT, headers, Content(file, span.last - span.first + 1)
        )

    def _delete_blob(self, request: Request, repository: str, digest: str) -> Answer:
        self._layout(repository).delete_blob(digest)
        return Answer(HTTPStatus.ACCEPTED, {})

    # Uploads

    def _post_upload(self, request: Request, repository: str) -> Answer:
        layout = self._layout(repository)
        digest, source = request.query.get('mount'), request.query.get('from')
        if digest and source and self._mount(layout, source, digest):
            return _stored(repository, digest)
        return _progress(HTTPStatus.ACCEPTED, repository, Upload.start(layout.files))

    def _mount(self, layout: Layout, source: str, digest: str) -> bool:
        try:
            other = self._layout(source).files
            other.blob_path(digest)
        except Refused:
            return False  # it can be pushed all the same
        return layout.files.link_blob(digest, other)

    def _get_upload(self, request: Request, repository: str, identifier: str) -> Answer:
        upload = Upload(self._layout(repository).files, identifier)
        return _progress(HTTPStatus.NO_CONTENT, repository, upload)

    def _patch_upload(self, request: Request, repository: str, identifier: str) -> Answer:
        upload = Upload(self._layout(repository).files, identifier)
        upload.append(request.body, _content_range(request))
        return _progress(HTTPStatus.ACCEPTED, repository, upload)

    def _put_upload(self, request: Request, repository: str, identifier: str) -> Answer:
        upload = Upload(self._layout(repository).files, identifier)
        digest = request.query.get('digest', '')
        upload.finish(digest, request.body, _content_range(request))
        return _stored(repository, digest)

    def _delete_upload(self, request: Request, repository: str, identifier: str) -> Answer:
        Upload(self._layout(repository).files, identifier).cancel()
        return Answer(HTTPStatus.NO_CONTENT, {})


# Which method of Registry answers which method of HTTP; the first that fits counts.
_ROUTES = [
    (re.compile(pattern), methods)
    for pattern, methods in (
        ('/v2/?', {'GET': '_support'}),
        ('/v2/_catalog', {'GET': '_catalog'}),
        ('/v2/(.+)/tags/list', {'GET': '_tags'}),
        ('/v2/(.+)/referrers/([^/]+)', {'GET': '_referrers'}),
        (
            '/v2/(.+)/manifests/([^/]+)',
            {'GET': '_get_manifest', 'PUT': '_put_manifest', 'DELETE': '_delete_manifest'},
        ),
        ('/v2/(.+)/blobs/uploads/?', {'POST': '_post_upload'}),
        (
            '/v2/(.+)/blobs/uploads/([^/]+)',
            {
                'GET': '_get_upload',
                'PATCH': '_patch_upload',
                'PUT': '_put_upload',
                'DELETE': '_delete_upload',
            },
        ),
        ('/v2/(.+)/blobs/([^/]+)', {'GET': '_get_blob', 'DELETE': '_delete_blob'}),
    )
]


def error(status: int, code: str, message: str, *details: Any) -> Answer:
    """An answer that says what is wrong ("Error Codes")."""
    errors = [
        {'code': code, 'message': message, 'detail': detail} for detail in details or (None,)
    ]
    return _json({'errors': errors}, {}, status)._replace(problem=f'{code}: {message}')


def _json(content: Any, headers: Mapping[str, str], status: int = HTTPStatus.OK) -> Answer:
    return Answer(
        status, {'Content-Type': _JSON, **headers}, text=json.dumps(content).encode('ascii')
    )


def _page(request: Request, key: str, names: List[str], others: Mapping[str, str]) -> Answer:
    """A sorted list, or as much of it as is asked for ("Listing Tags")."""
    wanted = request.query.get('n', '')
    if wanted and not _COUNT.fullmatch(wanted):
        raise Refused('PAGINATION_NUMBER_INVALID', 'n is a number of names')
    last = request.query.get('last', '')
    rest = [name for name in names if name > last]
    shown = rest[: int(wanted)] if wanted else rest
    headers = {}
    if shown and len(shown) < len(rest):
        query = urlencode({'n': wanted, 'last': shown[-1]})
        headers['Link'] = f'<{quote(request.path)}?{query}>; rel="next"'
    return _json({**others, key: shown}, headers)


def _stored(repository: str, digest: str) -> Answer:
    return Answer(
        HTTPStatus.CREATED,
        {
            'Location': f'/v2/{repository}/blobs/{digest}',
            'Docker-Content-Digest': digest,
        },
    )


def _progress(status: int, repository: str, upload: Upload) -> Answer:
    return Answer(
        status,
        {
            'Location': f'/v2/{repository}/blobs/uploads/{upload.identifier}',
            # Of nothing and of one byte this says the same; there is no other way.
            'Range': f'0-{max(upload.size() - 1, 0)}',
            'Docker-Upload-UUID': upload.identifier,
        },
    )


def _tag(reference: str) -> str:
    try:
        return check_alias(reference)
    except DXFInvalidNameError as invalid:
        raise Refused('TAG_INVALID', str(invalid), {'tag': reference}) from invalid


def _read(body: Iterable[bytes]) -> bytes:
    content = bytearray()
    for piece in body:
        content += piece
        if len(content) > MAX_MANIFEST_SIZE:
            raise Refused('SIZE_INVALID', f'a manifest has {MAX_MANIFEST_SIZE} bytes at most')
    return bytes(content)


def _content_range(request: Request) -> Optional[Span]:
    value = request.headers.get('Content-Range')
    if not value:
        return None
    found = _CONTENT_RANGE.fullmatch(value)
    if found is None:
        raise Refused('BLOB_UPLOAD_INVALID', 'Content-Range is <first>-<last>')
    return Span(*map(int, found.groups()))


def _span(wanted: str, size: int) -> Optional[Span]:
    """Which bytes a ``Range`` header asks for (RFC 9110, section 14).

    :returns: ``None`` if it is to be ignored; what is not in order, if there are none
    """
    found = _RANGE.fullmatch(wanted)
    if found is None or found.group(0) == 'bytes=-':
        return None
    first, last = found.groups()
    if not first:
        return Span(max(size - int(last), 0), size - 1) if int(last) else Span(size, -1)
    if last and int(last) < int(first):
        return None
    return Span(int(first), min(int(last), size - 1) if last else size - 1)
