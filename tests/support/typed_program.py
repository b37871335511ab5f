"""A program that uses all that is public, for mypy to look at as a user would run it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

import requests

import dxf
from dxf import DXF, Descriptor, DXFBase, docker_auth, hash_bytes, hash_file, split_digest
from dxf.exceptions import DXFDigestMismatchError, DXFError, DXFUnauthorizedError
from dxf.main import doit


def authenticate(client: DXFBase, response: requests.Response) -> None:
    token: Optional[str] = client.authenticate(
        'fred', 'a password', actions=['pull'], response=response
    )
    client.token = token


def progress(digest: str, piece: bytes, size: Optional[int]) -> None:
    print(digest[:8], len(piece), size)


def pieces() -> Iterator[bytes]:
    yield b'one'
    yield b'two'


class Own(DXF):
    def _request(self, method: str, path: str, **kwargs: object) -> requests.Response:
        return super()._request(method, path, **kwargs)

    def pull_blob(self, digest: str, size: bool = False, chunk_size: Optional[int] = None) -> Any:
        return super().pull_blob(digest, size, chunk_size)


def registry(host: str) -> None:
    with DXFBase(
        host,
        authenticate,
        insecure=True,
        auth_host='auth.example',
        tlsverify='ca.pem',
        timeout=(5, 30.0),
        retries=2,
        retry_seconds=10.5,
        upload_chunk_size=1024,
        tlscert='client.pem',
        tlskey='client.key',
        insecure_auth=True,
    ) as base:
        names: List[str] = base.list_repos(batch_size=10)
        more: Iterable[str] = base.list_repos(iterate=True)
        given: Optional[str] = base.authenticate(
            authorization='Basic Og==', user_agent='mine', identity_token='one'
        )
        print(len(names), list(more), given)
        own: Own = Own.from_base(base, 'project/files')
        own.push_blob(data=pieces(), digest=hash_bytes(b'onetwo'), check_exists=False)


def blobs(files: DXF) -> str:
    text, answer = files.api_version_check()
    print(text.strip(), answer.status_code)
    digest: str = files.push_blob('file', progress)
    with open('file', 'rb') as file:
        for data in (b'bytes', 'text', file, [b'one', b'two']):
            files.push_blob(data=data)
    digests: List[str] = files.push_blobs([Path('one'), 'two', b'three'], progress)
    chunks, size = files.pull_blob(digest, size=True)
    print(sum(len(chunk) for chunk in chunks) == size + 0)
    for chunk in files.pull_blob(digest, chunk_size=4096):
        sys.stdout.buffer.write(chunk)
    for name, content in files.pull_blobs(digests, chunk_size=65536):
        print(name, b''.join(content))
    files.save_blobs(Path('copy'), digests, progress, {digest: size})
    mounted: str = files.mount_blob('project/other', digest)
    files.del_blob(mounted)
    return split_digest(digest)[1] + str(files.blob_size(digest) + 1)


def aliases(files: DXF, digest: str) -> None:
    made: str = files.set_alias('latest', digest, hash_file(Path('file')))
    files.set_manifest('other', files.make_manifest(digest))
    listed: List[str] = files.list_aliases()
    more: Iterable[str] = files.list_aliases(10, True)
    blobs = files.get_alias(manifest=made, sizes=True)
    text: Union[str, Dict[str, str]] = files.get_manifest('latest')
    one: str = files.get_manifest('latest', 'linux/amd64')
    config: Union[str, Dict[str, str]] = files.get_digest('latest')
    whole, answer = files.get_manifest_and_response('latest')
    found: Tuple[str, requests.Response] = files.head_manifest_and_response('latest')
    same: str = files.tag(files.resolve('latest'), 'stable', 'newest')
    files.untag('newest')
    gone: Union[List[str], Dict[str, str]] = files.del_alias('other')
    print(len(listed), sorted(more), blobs, text, one.strip(), config, whole, answer.json())
    print(found[1].headers, same, gone)


def indexes(files: DXF) -> None:
    platforms: List[str] = files.list_platforms('latest')
    listed: List[Descriptor] = files.list_manifests('latest')
    print(platforms, [(one.size + 0, one.media_type, one.platform) for one in listed])


def artifacts(files: DXF, other: DXF) -> None:
    pushed: str = files.push('latest', ['report.pdf', Path('data')], 'text/plain', {'a': 'b'})
    files.push('named', {'name': 'path'}, media_types={'name': 'text/plain'}, progress=progress)
    paths: List[str] = files.pull('latest', Path('here'), 'linux/amd64', progress)
    attached: str = files.attach(pushed, ['signature'], 'application/example')
    referrers: List[Descriptor] = files.list_referrers('latest', 'application/example')
    copied: str = files.copy('latest', other, 'newest', referrers=True, progress=progress)
    print(paths, attached, [one.artifact_type for one in referrers], copied)


def mistakes(files: DXF) -> None:
    """Strict as mypy is, it says where there is no mistake to ignore."""
    wrong: int = files.push_blob('file')  # type: ignore[assignment]
    files.blob_size(7)  # type: ignore[arg-type]
    files.pull_blob(wrong)  # type: ignore[call-overload]
    len(files.list_aliases(iterate=True))  # type: ignore[arg-type]


def main(host: str, repository: str) -> int:
    registry(host)
    files = DXF(host, repository, docker_auth, tlsverify=False, timeout=30)
    try:
        print(dxf.__version__.split('.'), files.token)
        aliases(files, blobs(files))
        indexes(files)
        artifacts(files, DXF.from_base(files, 'project/other'))
    except DXFDigestMismatchError as error:
        print(error.got, error.expected)
    except (DXFUnauthorizedError, DXFError, dxf.exceptions.DXFAuthInsecureError) as error:
        print(error)
    return doit(['list-repos'], {'DXF_HOST': host})
