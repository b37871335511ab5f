"""crane, which moves images; an OCI layout keeps it from packing what it pushes."""

from ..measuring import Command
from ..workloads import PULL_BLOB, PUSH_BLOB, STARTUP
from .base import GoProgram


class Crane(GoProgram):
    name = 'crane'

    def ways(self, kind):
        return {
            PULL_BLOB: {'crane': self.blob},
            PUSH_BLOB: {'crane (as an image)': self.push},
            **self.as_image(self.pull, self.push),
            STARTUP: {
                'crane --help': lambda task: Command([self.program, '--help']),
                'crane ls': lambda task: self.command(task, 'ls', task.repository),
            },
        }[kind]

    def command(self, task, *words, **kwargs):
        return Command([self.program, *words], self.env(task), **kwargs)

    def blob(self, task):
        return self.command(task, 'blob', f'{task.repository}@{task.blob.digest}')

    def pull(self, task):
        out = task.scratch / 'pulled'
        return self.command(task, 'pull', '--format=oci', task.image, str(out), writes=out)

    def push(self, task):
        return self.command(task, 'push', str(task.layout()), task.image)
