"""skopeo, which moves images; told to keep digests, it packs nothing."""

from .. import images, tools
from ..measuring import Command
from ..workloads import PULL_BLOB, PUSH_BLOB, STARTUP
from .base import Competitor

# Blobs in an image. Its CPU time goes with the square of their number: 1 s for 100,
# 4 s for 200, 88 s for 1,000.
MOST = 200


class Skopeo(Competitor):
    name = 'skopeo'

    def why_not(self, workload):
        if workload.count > MOST:
            return (
                f'its time grows with the square of the number of blobs: a minute and a half '
                f'of CPU for 1,000; for {MOST} it is among those who move an alias'
            )
        return super().why_not(workload)

    def prepare(self):
        self.program = tools.debian('skopeo')

    def versions(self):
        return {'skopeo': tools.number(tools.said(self.program, '--version'))}

    def ways(self, kind):
        return {
            PULL_BLOB: {'skopeo (as an image)': self.pull},
            PUSH_BLOB: {'skopeo (as an image)': self.push},
            **self.as_image(self.pull, self.push),
            STARTUP: {
                'skopeo --help': lambda task: Command([self.program, '--help']),
                'skopeo list-tags': self.list_tags,
            },
        }[kind]

    def link(self, task, side):
        if task.ca:
            return [f'--{side}cert-dir', task.certificates.ca_folder]
        return [f'--{side}tls-verify=false']

    def copy(self, *words, **kwargs):
        policy = ['--insecure-policy', 'copy', '--quiet', '--preserve-digests']
        return Command([self.program, *policy, *words], **kwargs)

    def pull(self, task):
        out = task.scratch / 'pulled'
        link = self.link(task, 'src-')
        return self.copy(*link, f'docker://{task.image}', f'dir:{out}', writes=out)

    def push(self, task):
        source = f'oci:{task.layout()}:{images.REFERENCE}'
        return self.copy(*self.link(task, 'dest-'), source, f'docker://{task.image}')

    def list_tags(self, task):
        link = self.link(task, '')
        return Command([self.program, 'list-tags', *link, f'docker://{task.repository}'])
