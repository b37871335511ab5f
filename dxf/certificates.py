"""Certificates for a registry where docker and podman keep them.

In a folder named after the host, with its port if any: what ends in ``.crt`` is a CA's
certificate, ``.cert`` a client's and ``.key`` its key.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import IO, Any, Dict, List, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from .exceptions import DXFBundleError, DXFClientCertificateError

# The first that knows the host is taken.
FOLDERS = ('/etc/containers/certs.d', '/etc/docker/certs.d')


class HostCertificates(NamedTuple):
    """What is kept for one host."""

    bundle: Optional[str]  # a file of the CAs' certificates, the public ones too
    client: Optional[Tuple[str, str]]  # certificate and key


_NOTHING = HostCertificates(None, None)


class Certificates:
    """What is kept for each host, looked up once."""

    def __init__(self) -> None:
        self._known: Dict[str, HostCertificates] = {}
        self._looking = Lock()
        # They go when this does.
        self._bundles: Dict[str, IO[Any]] = {}

    def of(self, url: str) -> HostCertificates:
        """Those for the host of a URL."""
        host = urlsplit(url).netloc.rpartition('@')[2].lower()
        with self._looking:
            if host not in self._known:
                self._known[host] = self._find(host)
            return self._known[host]

    def _find(self, host: str) -> HostCertificates:
        if not host:
            return _NOTHING
        paths = [
            path
            for path in (os.path.join(folder, host) for folder in FOLDERS)
            if os.path.isdir(path)
        ]
        bundles = (self._bundle(host, path) for path in paths)
        clients = (_client(path) for path in paths)
        return HostCertificates(
            next(filter(None, bundles), None), next(filter(None, clients), None)
        )

    def _bundle(self, host: str, path: str) -> Optional[str]:
        authorities = _ending_in('.crt', path)
        if not authorities:
            return None
        # Few have any.
        import tempfile

        bundle = tempfile.NamedTemporaryFile(prefix='dxf-', suffix='.crt')  # noqa: SIM115
        for name in (DEFAULT_CA_BUNDLE_PATH, *authorities):
            with open(name, 'rb') as file:
                bundle.write(file.read() + b'\n')
        bundle.flush()
        self._bundles[host] = bundle
        return bundle.name


def _ending_in(suffix: str, path: str) -> List[str]:
    return [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(suffix)]


def _client(path: str) -> Optional[Tuple[str, str]]:
    for certificate in _ending_in('.cert', path):
        key = os.path.splitext(certificate)[0] + '.key'
        if os.path.exists(key):
            return certificate, key
    return None


def check_files(verify: Any, cert: Any) -> None:
    """See, after a failure, whether it is for the files that were to be used.

    :param verify: as in requests, with ``cert``
    :raises DXFBundleError: if the CA bundle holds no certificate
    :raises DXFClientCertificateError: if the client's certificate can't be used
    """
    import ssl

    if isinstance(verify, str) and os.path.isfile(verify):
        try:
            ssl.create_default_context(cafile=verify)
        except OSError as error:
            raise DXFBundleError(verify) from error
    if cert:
        certificate, key = (cert, None) if isinstance(cert, str) else cert
        try:
            # Without a password, or else OpenSSL asks the user for it.
            ssl.create_default_context().load_cert_chain(certificate, key, lambda: '')
        except OSError as error:
            raise DXFClientCertificateError(certificate, key) from error
