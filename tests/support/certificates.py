"""A certificate authority made on the spot."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


class Certificates:
    """Files for servers on the loopback, and the authority that vouches for them."""

    def __init__(self, folder):
        folder = Path(folder)
        self.authority = trustme.CA()
        server = self.authority.issue_cert('localhost', '127.0.0.1', '::1')
        #: Path of the CA bundle, for clients to verify with.
        self.ca = str(folder / 'ca.pem')
        #: Path of the server's certificate and of its key.
        self.cert = str(folder / 'server.pem')
        self.key = str(folder / 'server.key')
        self.authority.cert_pem.write_to_path(self.ca)
        server.private_key_pem.write_to_path(self.key)
        for i, pem in enumerate(server.cert_chain_pems):
            pem.write_to_path(self.cert, append=i > 0)

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    def issue(self, path, *names, begins=-DAY, ends=DAY, signed=True):
        """Write a key and a certificate for these names to a path, and return that.

        `begins` and `ends` are counted from now. Unless it is to be `signed`, the certificate
        is its own authority.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        authority = x509.load_pem_x509_certificate(self.authority.cert_pem.bytes())
        now = datetime.datetime.now(datetime.timezone.utc)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority.subject if signed else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
            .add_extension(x509.BasicConstraints(ca=not signed, path_length=None), True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    authority.public_key() if signed else key.public_key()
                ),
                False,
            )
            .sign(self._authority_key() if signed else key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        Path(path).write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
        return str(path)

    def _authority_key(self):
        pem = self.authority.private_key_pem.bytes()
        return serialization.load_pem_private_key(pem, password=None)


class Served:
    """A certificate and its key, in one file, for a server.

    `clients`: the bundle of the authority of whose certificates visitors must show one.
    """

    def __init__(self, path, clients=None):
        self.path = path
        self.clients = clients

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        if self.clients:
            context.load_verify_locations(self.clients)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
