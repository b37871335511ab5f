"""A Python package without a command line: a program of ours calls it."""

import json

from .. import tools
from ..measuring import Command
from .base import DRIVERS, Competitor


class PythonPackage(Competitor):
    # Of the environment, of the package in it, and of the file in drivers/.
    environment = ''
    package = ''
    driver = ''

    def prepare(self):
        self.python = tools.environment(self.environment)

    def versions(self):
        return {self.name: tools.package(self.python, self.package)}

    def called(self, operation, writes=False):
        """A call of one of the driver's functions; `writes`: into a folder."""

        def make(task):
            out = task.scratch / 'pulled'
            about = {
                'host': task.host,
                'tls': bool(task.ca),
                'repo': task.repo,
                'alias': task.alias,
                'folder': task.folder,
                'names': [blob.path.name for blob in task.blobs],
                'digests': [blob.digest for blob in task.blobs],
                'out': str(out),
            }
            path = task.scratch / 'task.json'
            path.write_text(json.dumps(about))
            env = {'REQUESTS_CA_BUNDLE': task.ca} if task.ca else {}
            words = [str(self.python), str(DRIVERS / self.driver), operation, str(path)]
            return Command(words, env, writes=out if writes else None)

        return make
