"""A certificate authority for one run, and a certificate of its for localhost."""

import subprocess

_ABOUT = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = dxf benchmarks
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1
"""

_KEY = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes')
_DAYS = ('-days', '7')


class Certificates:
    """`ca`, `cert` and `key`: paths. `ca_folder`: one with the authority's in it, as ca.crt."""

    def __init__(self, openssl, folder):
        folder.mkdir()
        self._openssl = openssl
        self._folder = folder
        (folder / 'about').write_text(_ABOUT)
        request = ('req', '-config', 'about', *_KEY)
        authority = ('-extensions', 'authority', '-keyout', 'ca.key', '-out', 'ca.pem')
        self._run(*request, '-x509', *_DAYS, *authority)
        self._run(
            *request, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost'
        )
        by = ('-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '1')
        extensions = ('-extfile', 'about', '-extensions', 'server')
        self._run(
            'x509', '-req', '-in', 'server.csr', '-out', 'server.pem', *by, *_DAYS, *extensions
        )
        self.ca = str(folder / 'ca.pem')
        self.cert = str(folder / 'server.pem')
        self.key = str(folder / 'server.key')
        self.ca_folder = str(folder / 'trusted')
        (folder / 'trusted').mkdir()
        (folder / 'trusted' / 'ca.crt').write_bytes((folder / 'ca.pem').read_bytes())

    def _run(self, *words):
        subprocess.run(
            [self._openssl, *words],
            cwd=self._folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
        )
