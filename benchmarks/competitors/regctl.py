"""regctl, which pushes a single blob from its standard input only."""

from ..measuring import Command
from ..workloads import PULL_BLOB, PUSH_BLOB, STARTUP
from .base import GoProgram


class Regctl(GoProgram):
    name = 'regctl'

    def ways(self, kind):
        return {
            PULL_BLOB: {'regctl': self.get_blob},
            PUSH_BLOB: {'regctl from stdin': self.put_blob},
            **self.as_image(self.get, self.put),
            STARTUP: {
                'regctl --help': lambda task: Command([self.program, '--help']),
                'regctl tag ls': lambda task: self.command(task, 'tag', 'ls', task.repository),
            },
        }[kind]

    def command(self, task, *words, **kwargs):
        link = [] if task.ca else ['--host', f'reg={task.host},tls=disabled']
        return Command([self.program, *link, *words], self.env(task), **kwargs)

    def get_blob(self, task):
        return self.command(task, 'blob', 'get', task.repository, task.blob.digest)

    def put_blob(self, task):
        return self.command(task, 'blob', 'put', task.repository, stdin=str(task.blob.path))

    def get(self, task):
        out = task.scratch / 'pulled'
        out.mkdir()
        return self.command(task, 'artifact', 'get', '--output', str(out), task.image, writes=out)

    def put(self, task):
        files = []
        for blob in task.blobs:
            files += ['--file', blob.path.name, '--file-media-type', 'application/octet-stream']
        kind = ['--artifact-type', 'application/x.dxf-benchmark', '--file-title']
        return self.command(task, 'artifact', 'put', *kind, *files, task.image, cwd=task.folder)
