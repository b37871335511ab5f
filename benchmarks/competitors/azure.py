"""The Python package azure-containerregistry, as far as it goes with this registry."""

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

_PUSHES = (
    'its uploads end in a 301 ("Moved Permanently") of this registry, which it takes for a failure'
)


class Azure(PythonPackage):
    name = 'azure-containerregistry'
    environment = 'azure-containerregistry'
    package = 'azure-containerregistry'
    driver = 'azure_containerregistry.py'
    cannot = {
        PUSH_BLOB: _PUSHES,
        PUSH_BLOBS: _PUSHES,
        PUSH_ALIAS: _PUSHES,
        PUSH_NAMED: _PUSHES,
        STARTUP: 'it speaks TLS only, and asks for tags at a place that only its own service has',
    }

    def why_not(self, workload):
        return super().why_not(workload) or (
            None if workload.tls else 'it refuses to speak without TLS'
        )

    def ways(self, kind):
        return {
            PULL_BLOB: {self.name: self.called('pull_blobs')},
            PULL_BLOBS: {self.name: self.called('pull_blobs')},
            PULL_ALIAS: {self.name: self.called('pull_alias')},
        }[kind]
