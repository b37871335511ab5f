"""A program that uses much of what is public, for mypy to look at as a user would run it."""

from __future__ import annotations

import sys
from typing import Dict, Iterator, List, Optional, Tuple, Union

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


def main(host: str, repository: str) -> int:
    with DXFBase(host, authenticate, timeout=30.0) as base:
        names: List[str] = list(base.list_repos(batch_size=10))
        files = DXF.from_base(base, repository)
        own: Own = Own.from_base(base, repository)
        digest: str = files.push_blob('file', progress)
        own.push_blob(data=pieces(), digest=hash_bytes(b'onetwo'), check_exists=False)
        manifest: str = files.set_alias('latest', digest, hash_file('file'))
        blobs = files.get_alias(manifest=manifest)
        print(names, blobs, split_digest(digest)[1], files.blob_size(digest) + 1)
        chunks, size = files.pull_blob(digest, size=True)
        print(sum(len(chunk) for chunk in chunks) == size)
        for chunk in files.pull_blob(digest, chunk_size=4096):
            sys.stdout.buffer.write(chunk)
        text: Union[str, Dict[str, str]] = files.get_manifest('latest')
        found: Tuple[str, requests.Response] = files.head_manifest_and_response('latest')
        listed: List[Descriptor] = files.list_manifests('latest')
        # Strict as mypy is, it says where there is no mistake to ignore.
        wrong: int = files.push_blob('file')  # type: ignore[assignment]
        files.blob_size(7)  # type: ignore[arg-type]
        print(wrong, text, found[1].status_code, [one.size for one in listed])
    try:
        DXF(host, repository, docker_auth, tlsverify='ca.pem').del_blob(digest)
    except DXFDigestMismatchError as error:
        print(error.got, error.expected)
    except (DXFUnauthorizedError, DXFError, dxf.exceptions.DXFAuthInsecureError) as error:
        print(error)
    return doit(['list-repos'], {'DXF_HOST': host})
