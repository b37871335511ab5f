"""What nothing can be faster than, or is not expected to be: no clients of a registry."""

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
from .base import Competitor

# Labels that targets speak of.
CURL = 'curl'
OPENSSL = 'openssl dgst'
PASS = 'python -c pass'
IMPORT_REQUESTS = 'python -c "import requests"'

SIDE_BY_SIDE = 8


class Limits(Competitor):
    name = 'limits'
    label = 'curl'
    cannot = dict.fromkeys(
        (PUSH_BLOBS, PUSH_ALIAS, PUSH_NAMED),
        'an upload goes where the answer before it said, which it cannot do by itself',
    )

    def __init__(self, python):
        self.python = python

    def prepare(self):
        self.curl = tools.on_path('curl')
        self.openssl = tools.on_path('openssl')
        if not Path(self.python).exists():
            raise tools.Missing('no environment to measure Python in: make bench')

    def versions(self):
        return {
            'curl': tools.number(tools.said(self.curl, '--version')),
            'openssl': tools.number(tools.said(self.openssl, 'version')),
        }

    def ways(self, kind):
        alone = {OPENSSL: self.hash, IMPORT_REQUESTS: self.python_does('import requests')}
        return {
            PULL_BLOB: {CURL: self.get, **alone},
            PUSH_BLOB: {CURL: self.put, **alone},
            PULL_BLOBS: {
                'curl one by one': self.get_several(),
                'curl side by side': self.get_several(
                    '--parallel', '--parallel-max', str(SIDE_BY_SIDE)
                ),
            },
            PULL_ALIAS: {'curl one by one (told the digests)': self.get_several()},
            STARTUP: {
                PASS: self.python_does('pass'),
                IMPORT_REQUESTS: self.python_does('import requests'),
            },
        }[kind]

    def hash(self, task):
        words = [self.openssl, 'dgst', '-sha256', str(task.blob.path)]
        return Command(words, moves=False)

    def python_does(self, statement):
        return lambda task: Command([str(self.python), '-c', statement], moves=False)

    def command(self, task, *words):
        # HTTP/2, which it would speak over TLS, holds a single transfer back.
        link = ['--http1.1', '--cacert', task.ca] if task.ca else []
        return Command([self.curl, '--silent', '--show-error', '--fail', *link, *words])

    def url(self, task, path):
        return f'{"https" if task.ca else "http"}://{task.host}/v2/{task.repo}/{path}'

    def get(self, task):
        return self.command(task, self.url(task, f'blobs/{task.blob.digest}'))

    def put(self, task):
        place = f'{task.upload()}&digest={task.blob.digest}'
        return self.command(task, '--upload-file', str(task.blob.path), place)

    def get_several(self, *options):
        def make(task):
            out = task.scratch / 'pulled'
            out.mkdir()
            lines = [
                f'url = "{self.url(task, "blobs/" + blob.digest)}"\noutput = "{out}/{number}"\n'
                for number, blob in enumerate(task.blobs)
            ]
            path = task.scratch / 'urls'
            path.write_text(''.join(lines))
            command = self.command(task, *options, '--config', str(path))
            return command._replace(writes=out)

        return make
