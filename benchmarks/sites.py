"""A registry, filled with what a workload is about, at the distance that it asks for."""

import contextlib
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, List, NamedTuple

from . import content, images, machine
from .certificates import Certificates
from .competitors.base import Task
from .content import Blob
from .link import delayed
from .registry import Registry
from .units import GIB
from .wire import Wire

SHARED_MEMORY = Path('/dev/shm')
# Left for everything that runs.
SPARE_MEMORY = 2 * GIB

REPO = 'bench/blobs'
ALIAS = 'all'


class NoRoom(Exception):
    """There is not enough memory, nor disk."""


def place(room):
    """A folder with this much room, and what it is on: in memory if that will do."""
    if SHARED_MEMORY.is_dir():
        free = shutil.disk_usage(SHARED_MEMORY).free
        if min(free, machine.memory('MemAvailable') - SPARE_MEMORY) > room:
            return SHARED_MEMORY, 'tmpfs'
    folder = Path(tempfile.gettempdir())
    if shutil.disk_usage(folder).free > room:
        return folder, 'disk'
    raise NoRoom(f'it needs {room / GIB:.1f} GiB of memory or disk')


class Site(NamedTuple):
    """What the runs of a workload share."""

    folder: Path
    registry: Registry  # without TLS
    port: int  # what clients are told, TLS and distance in between
    certificates: Any
    blobs: List[Blob]
    together: str  # the blobs' hash, one after another
    storage: str  # what all this is on

    def task(self, scratch):
        return Task(
            f'localhost:{self.port}',
            self.certificates,
            REPO,
            ALIAS,
            self.blobs,
            scratch,
            self._layout,
            self._upload,
        )

    def _layout(self):
        folder = self.folder / 'layout'
        if not folder.exists():
            images.make_layout(folder, self.blobs)
        return folder

    def _upload(self):
        with self.wire() as wire:
            place = wire.open_upload()
        scheme = 'https' if self.certificates else 'http'
        return f'{scheme}://localhost:{self.port}{place}'

    def wire(self):
        return Wire(self.registry.port, REPO)

    @property
    def env(self):
        """All that a program sees of the environment."""
        home = str(self.folder / 'home')
        return {
            'HOME': home,
            'TMPDIR': home,
            'XDG_RUNTIME_DIR': home,
            'LANG': 'C.UTF-8',
            'PATH': '/usr/local/bin:/usr/bin:/bin',
            'NO_PROXY': 'localhost',
            'no_proxy': 'localhost',
        }


@contextlib.contextmanager
def site(workload, registry_program, openssl):
    """A Site; everything of it is gone afterwards."""
    where, storage = place(workload.room)
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix='dxf-bench-', dir=where))
        folder = Path(made)
        root = folder / 'root'
        for name in ('home', 'root'):
            (folder / name).mkdir()
        certificates = Certificates(openssl, folder / 'certificates') if workload.tls else None
        start = partial(Registry, registry_program, root=root)
        plain = stack.enter_context(start(folder=folder / 'plain'))
        port = plain.port
        if certificates:
            # Over the same storage; the harness itself goes by the other.
            tls = start(folder=folder / 'tls', certificates=certificates)
            port = stack.enter_context(tls).port
        port = stack.enter_context(delayed(port, workload.rtt))
        blobs = content.make(folder / 'source', workload.count, workload.size)
        together = content.hash_files(*(blob.path for blob in blobs))
        found = Site(folder, plain, port, certificates, blobs, together, storage)
        if not workload.is_push:
            with found.wire() as wire:
                wire.fill(blobs, ALIAS)
        yield found
