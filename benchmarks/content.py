"""What is moved, and whether it is what arrived."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from .measuring import Failed
from .units import MIB


class Blob(NamedTuple):
    """A file, and what it must hash to."""

    path: Path
    digest: str
    size: int


def make(folder, count, size):
    """Files of bytes that no compression makes smaller."""
    folder.mkdir()
    return [_make_one(folder / f'blob{number:05}', size) for number in range(count)]


def _make_one(path, size):
    hasher = hashlib.sha256()
    block = os.urandom(min(size, MIB))
    with open(path, 'wb') as file:
        for start in range(0, size, MIB):
            # No two blocks alike, and none that takes long to make.
            piece = (start.to_bytes(8, 'big') + block[8:])[: size - start]
            piece = piece if size > MIB else block
            file.write(piece)
            hasher.update(piece)
    return Blob(path, 'sha256:' + hasher.hexdigest(), size)


def hash_files(*paths):
    """The hash of files, one after another, in hex."""
    hasher = hashlib.sha256()
    for path in paths:
        with open(path, 'rb') as file:
            for piece in iter(lambda file=file: file.read(MIB), b''):
                hasher.update(piece)
    return hasher.hexdigest()


def check_pulled(path, blobs, together):
    """Failed, unless a file is all the blobs in order, or a folder has each of them.

    `together`: the blobs' hash, one after another. A tool may put more into its
    folder, under names of its own.
    """
    if path.is_file():
        if hash_files(path) != together:
            raise Failed('what it pulled is not what was stored')
        return
    files = [file for file in path.rglob('*') if file.is_file()]
    found = {'sha256:' + hash_files(file) for file in files}
    lacking = sum(blob.digest not in found for blob in blobs)
    if lacking:
        raise Failed(f'{lacking} of {len(blobs)} blobs are not among what it pulled')
