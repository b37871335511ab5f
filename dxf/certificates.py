"""Certificates for a registry where docker and podman keep them.

In a folder named after the host, with its port if any: what ends in ``.crt`` is a CA's
certificate, ``.cert`` a client's and ``.key`` its key.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import IO, Any, Dict, List, NamedTuple, Optional, Tuple, Union
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from .exceptions import DXFBundleError, DXFClientCertificateError

# The first that knows the host is taken.
FOLDERS = ('/etc/containers/certs.d', '/etc/docker/certs.d')


class HostCertificates(NamedTuple):
    """What is kept for one host."""

    authorities: List[str]  # files of CAs' certificates
    client: Optional[Tuple[str, str]]  # certificate and key


_NOTHING = HostCertificates([], None)


class Certificates:
    """What is kept for each host, looked up once."""

    def __init__(self) -> None:
        self._known: Dict[str, HostCertificates] = {}
        self._looking = Lock()
        # They go when this does.
        self._bundles: Dict[Tuple[str, str], IO[Any]] = {}

    def of(self, url: str) -> HostCertificates:
        """Those for the host of a URL."""
        host = _host(url)
        with self._looking:
            if host not in self._known:
                self._known[host] = _find(host)
            return self._known[host]

    def verify(self, url: str, others: Union[bool, str]) -> Union[bool, str]:
        """What to verify the host of a URL with: who is kept for it counts beside the others.

        :param others: a bundle's path, or ``True`` for the public ones
        """
        authorities = self.of(url).authorities
        bundle = others if isinstance(others, str) else DEFAULT_CA_BUNDLE_PATH
        # requests says it better where there is no such bundle.
        if not authorities or not os.path.exists(bundle):
            return others
        key = (_host(url), bundle)
        with self._looking:
            if key not in self._bundles:
                self._bundles[key] = _joined([*_files(bundle), *authorities])
            return self._bundles[key].name


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition('@')[2].lower()


def _find(host: str) -> HostCertificates:
    if not host:
        return _NOTHING
    paths = [
        path for path in (os.path.join(folder, host) for folder in FOLDERS) if os.path.isdir(path)
    ]
    authorities = (list(filter(_is_bundle, _ending_in('.crt', path))) for path in paths)
    return HostCertificates(
        next(filter(None, authorities), []), next(filter(None, map(_client, paths)), None)
    )


def _is_bundle(path: str) -> bool:
    """Whether a file holds certificates, and may be read: else it is passed over."""
    import ssl

    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        return False
    return True


def _files(bundle: str) -> List[str]:
    """What a bundle consists of: requests takes a folder for one too."""
    if not os.path.isdir(bundle):
        return [bundle]
    paths = (os.path.join(bundle, name) for name in sorted(os.listdir(bundle)))
    return list(filter(_is_bundle, paths))


def _joined(paths: List[str]) -> IO[Any]:
    # Few need it.
    import tempfile

    bundle = tempfile.NamedTemporaryFile(prefix='dxf-', suffix='.crt')  # noqa: SIM115
    for path in paths:
        with open(path, 'rb') as file:
            bundle.write(file.read() + b'\n')
    bundle.flush()
    return bundle


def _ending_in(suffix: str, path: str) -> List[str]:
    try:
        names = sorted(os.listdir(path))
    except PermissionError:
        names = []  # podman passes over it too
    return [os.path.join(path, name) for name in names if name.endswith(suffix)]


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
