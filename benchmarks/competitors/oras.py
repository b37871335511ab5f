"""oras, which takes "localhost" for plain http unless it is told otherwise."""

from ..measuring import Command
from ..workloads import (
    PULL_ALIAS,
    PULL_BLOB,
    PULL_BLOBS,
    PUSH_ALIAS,
    PUSH_BLOB,
    PUSH_BLOBS,
    PUSH_NAMED,
    STARTUP,
)
from .base import GoProgram

# As many as dxf has; its own defaults are 3 down and 5 up.
SIDE_BY_SIDE = 8


class Oras(GoProgram):
    name = 'oras'

    def ways(self, kind):
        return {
            PULL_BLOB: {'oras': self.fetch_blob},
            PUSH_BLOB: {'oras': self.push_blob},
            PULL_BLOBS: self.twice(self.pull),
            PUSH_BLOBS: self.twice(self.push),
            PULL_ALIAS: {'oras': self.pull()},
            PUSH_ALIAS: {'oras': self.push()},
            PUSH_NAMED: {'oras': self.push()},
            STARTUP: {
                'oras --help': lambda task: Command([self.program, '--help']),
                'oras repo tags': lambda task: self.command(
                    task, ['repo', 'tags'], task.repository
                ),
            },
        }[kind]

    @staticmethod
    def twice(way):
        return {
            'oras one by one': way('--concurrency', '1'),
            'oras side by side': way('--concurrency', str(SIDE_BY_SIDE)),
        }

    def command(self, task, verb, *words, **kwargs):
        link = ['--plain-http=false', '--ca-file', task.ca] if task.ca else ['--plain-http']
        return Command([self.program, *verb, *link, *words], **kwargs)

    def fetch_blob(self, task):
        what = f'{task.repository}@{task.blob.digest}'
        return self.command(task, ['blob', 'fetch'], '--output', '-', what)

    def push_blob(self, task):
        return self.command(
            task, ['blob', 'push'], '--no-tty', task.repository, str(task.blob.path)
        )

    def pull(self, *options):
        def make(task):
            out = task.scratch / 'pulled'
            words = ['--no-tty', *options, '--output', str(out), task.image]
            return self.command(task, ['pull'], *words, writes=out)

        return make

    def push(self, *options):
        def make(task):
            names = [blob.path.name for blob in task.blobs]
            words = ['--no-tty', *options, task.image, *names]
            return self.command(task, ['push'], *words, cwd=task.folder)

        return make
