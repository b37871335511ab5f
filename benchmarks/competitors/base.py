"""What the competitors have in common."""

from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional

from .. import tools
from ..content import Blob
from ..workloads import PULL_ALIAS, PULL_BLOBS, PUSH_ALIAS, PUSH_BLOBS, PUSH_NAMED

DRIVERS = Path(__file__).resolve().parent.parent / 'drivers'


class Task(NamedTuple):
    """What one run is to do."""

    host: str
    certificates: Any  # None: plain http
    repo: str
    alias: str
    blobs: List[Blob]
    scratch: Path  # empty, and the run's own
    # Makes an OCI image layout of the blobs, if there is none yet; gives its path.
    layout: Callable[[], Path]
    # Opens an upload and gives its URL, for a digest to be added to.
    upload: Callable[[], str]

    @property
    def blob(self):
        return self.blobs[0]

    @property
    def folder(self):
        """The one that the blobs are in."""
        return str(self.blob.path.parent)

    @property
    def ca(self):
        return self.certificates.ca if self.certificates else None

    @property
    def repository(self):
        return f'{self.host}/{self.repo}'

    @property
    def image(self):
        return f'{self.repository}:{self.alias}'


class Competitor:
    """A tool. Its ways are what it is measured by, some under several names."""

    name = ''
    # Kind of workload -> why it can't do it.
    cannot = {}

    @property
    def label(self):
        """What it is called where it is left out."""
        return self.name

    def prepare(self):
        """Find it, or tools.Missing; called before anything else is asked of it."""
        raise NotImplementedError

    def versions(self):
        """Name -> version."""
        raise NotImplementedError

    def ways(self, kind):
        """Label -> function of a Task that gives a Command."""
        raise NotImplementedError

    def as_image(self, pull, push):
        """Kind of workload -> ways, of one to which several blobs are always an image."""
        pulls, pushes = {self.name: pull}, {self.name: push}
        return {
            PULL_BLOBS: pulls,
            PUSH_BLOBS: pushes,
            PULL_ALIAS: pulls,
            PUSH_ALIAS: pushes,
            PUSH_NAMED: pushes,
        }

    def why_not(self, workload) -> Optional[str]:
        """Why it is not measured in a workload, if so."""
        return self.cannot.get(workload.kind)


class GoProgram(Competitor):
    """One that `scripts/get-tools` builds. Such programs take a CA bundle from a variable."""

    def prepare(self):
        self.program = tools.built(self.name)

    def versions(self):
        return {self.name: tools.number(tools.said(self.program, 'version'))}

    def env(self, task):
        return {'SSL_CERT_FILE': task.ca} if task.ca else {}
