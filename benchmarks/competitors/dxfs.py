"""dxf, and python-dxf, which has the same commands and most of the same methods."""

import json
from pathlib import Path

from .. import tools
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
from .base import DRIVERS, Competitor


class _Either(Competitor):
    python = None

    def ways(self, kind):
        return {
            f'{self.name}{more}': way
            for more, way in {
                PULL_BLOB: self.pull_blob,
                PUSH_BLOB: self.push_blob,
                PULL_BLOBS: self.pull_blobs,
                PUSH_BLOBS: self.push_blobs,
                PULL_ALIAS: self.pull_alias,
                PUSH_ALIAS: self.push_alias,
                PUSH_NAMED: self.push_named,
                STARTUP: self.start,
            }[kind]().items()
        }

    def pull_blob(self):
        return {'': self.typed(lambda task: ['pull-blob', task.repo, task.blob.digest])}

    def push_blob(self):
        return {
            '': self.typed(lambda task: ['push-blob', task.repo, str(task.blob.path)]),
            ' unchecked': self.called('push_unchecked'),
        }

    def pull_alias(self):
        return {'': self.typed(lambda task: ['pull-blob', task.repo, '@' + task.alias])}

    def push_named(self):
        return {
            '': self.typed(
                lambda task: ['push-blob', task.repo, str(task.blob.path), '@' + task.alias]
            )
        }

    def start(self):
        return {
            ' --help': lambda task: Command([str(self.script), '--help']),
            ' list-aliases': self.typed(lambda task: ['list-aliases', task.repo]),
        }

    @property
    def script(self):
        return Path(self.python).parent / 'dxf'

    def typed(self, words, stdin=None, writes=None):
        """A command line."""

        def make(task):
            env = {'DXF_HOST': task.host}
            if task.ca:
                env['DXF_TLSVERIFY'] = task.ca
            else:
                env['DXF_INSECURE'] = '1'
            return Command(
                [str(self.script), *words(task)],
                env,
                stdin=stdin(task) if stdin else '/dev/null',
                writes=writes(task) if writes else None,
            )

        return make

    def called(self, operation):
        """A program that calls methods: `drivers/dxf_api.py`."""

        def make(task):
            about = {
                'host': task.host,
                'insecure': not task.ca,
                'tlsverify': task.ca or True,
                'repo': task.repo,
                'alias': task.alias,
                'filenames': [str(blob.path) for blob in task.blobs],
                'digests': [blob.digest for blob in task.blobs],
            }
            path = task.scratch / 'task.json'
            path.write_text(json.dumps(about))
            return Command([str(self.python), str(DRIVERS / 'dxf_api.py'), operation, str(path)])

        return make


class Dxf(_Either):
    name = 'dxf'

    def __init__(self, python):
        self.python = python

    def prepare(self):
        if not self.script.exists():
            raise tools.Missing('not installed: make bench')

    def versions(self):
        version = tools.package(self.python, 'python-dxf')
        return {'dxf': ', '.join(filter(None, (version, tools.commit())))}

    def pull_blob(self):
        def words(task):
            return ['pull-blob', '-o', str(task.scratch / 'pulled'), task.repo, task.blob.digest]

        to_file = self.typed(words, writes=lambda task: task.scratch / 'pulled')
        return {**super().pull_blob(), ' to a file': to_file}

    def push_blob(self):
        from_stdin = self.typed(
            lambda task: ['push-blob', task.repo, '-'], stdin=lambda task: str(task.blob.path)
        )
        return {**super().push_blob(), ' from stdin': from_stdin}

    def pull_blobs(self):
        return {
            ' one by one': self.called('pull_one_by_one'),
            ' side by side': self.called('pull_side_by_side'),
        }

    def push_blobs(self):
        return {
            ' one by one': self.called('push_one_by_one'),
            ' side by side': self.called('push_side_by_side'),
        }

    def push_alias(self):
        return {
            ' one by one': self.called('alias_one_by_one'),
            ' side by side': self.called('alias_side_by_side'),
        }


class PythonDxf(_Either):
    name = 'python-dxf'

    def prepare(self):
        self.python = tools.environment('python-dxf')

    def versions(self):
        return {'python-dxf': tools.package(self.python, 'python-dxf')}

    def pull_blobs(self):
        return {
            '': self.called('pull_one_by_one'),
            ', own threads': self.called('pull_in_threads'),
        }

    def push_blobs(self):
        return {
            '': self.called('push_one_by_one'),
            ', own threads': self.called('push_in_threads'),
        }

    def push_alias(self):
        return {'': self.called('alias_one_by_one')}
