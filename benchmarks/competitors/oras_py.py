"""The Python package oras, which writes what it pulls to files."""

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
from .python_package import PythonPackage


class OrasPy(PythonPackage):
    name = 'oras-py'
    environment = 'oras-py'
    package = 'oras'
    driver = 'oras_py.py'

    def ways(self, kind):
        return {
            PULL_BLOB: {'oras-py to a file': self.called('pull_blob', writes=True)},
            PUSH_BLOB: {'oras-py (with an alias)': self.called('push')},
            PULL_BLOBS: {'oras-py': self.called('pull', writes=True)},
            PUSH_BLOBS: {'oras-py': self.called('push')},
            PULL_ALIAS: {'oras-py': self.called('pull', writes=True)},
            PUSH_ALIAS: {'oras-py': self.called('push')},
            PUSH_NAMED: {'oras-py': self.called('push')},
            STARTUP: {'oras-py get_tags': self.called('list_aliases')},
        }[kind]
