"""Debian's docker-registry as a process of the tests' own."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

from .tokens import ISSUER, SERVICE
from .waiting import free_port, wait_until

STOP_SECONDS = 10
GARBAGE_COLLECT_SECONDS = 60

# Between finding a port free and the registry's listening on it somebody else
# may have taken it.
START_TRIES = 5


def token_auth(service):
    """The `auth` setting of a registry that takes this TokenService's tokens."""
    return {
        'token': {
            'realm': service.realm,
            'service': SERVICE,
            'issuer': ISSUER,
            'rootcertbundle': service.roots,
        }
    }


def htpasswd_auth(folder, users):
    """The `auth` setting of a registry for these users (name -> password)."""
    import bcrypt

    path = Path(folder) / 'htpasswd'
    lines = (
        # The cheapest rounds there are: the registry checks every request.
        f'{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n'
        for name, password in users.items()
    )
    path.write_text(''.join(lines), encoding='utf-8')
    return {'htpasswd': {'realm': 'dxf tests', 'path': str(path)}}


class Registry:
    """Starts on making, stops on `stop` or on leaving it as a context.

    `folder`: where everything it needs goes. `certificates`: with these, TLS. `client`: a
    certificate and its key, in one file; with it, clients must show one of that authority.
    `auth`: from `token_auth` or `htpasswd_auth`. `schema1`: it takes schema 1
    and converts to it. `secret`: with one, uploads outlive a restart. Other
    settings, by section, are merged in: `http={'relativeurls': True}`.
    """

    def __init__(
        self,
        program,
        folder,
        certificates=None,
        client=None,
        auth=None,
        schema1=False,
        secret=None,
        **settings,
    ):
        self.program = program
        self.folder = Path(folder)
        self.root = self.folder / 'root'
        self.log_path = self.folder / 'log'
        self.config_path = self.folder / 'config.yml'
        self.certificates = certificates
        self.client = client
        self.root.mkdir(parents=True, exist_ok=True)
        self._settings = self._bring(self._make_settings(auth, schema1, secret, settings))
        self._process = None
        self.start()

    def _make_settings(self, auth, schema1, secret, extra):
        settings = {
            'version': 0.1,
            'log': {'level': 'info', 'fields': {'service': 'registry'}},
            'storage': {
                'filesystem': {'rootdirectory': str(self.root)},
                'delete': {'enabled': True},
                # It begins within the hour, and takes away what a test looks at.
                'maintenance': {'uploadpurging': {'enabled': False}},
            },
            'http': {},
        }
        if self.certificates:
            settings['http']['tls'] = {
                'certificate': self.certificates.cert,
                'key': self.certificates.key,
            }
            if self.client:
                settings['http']['tls']['clientcas'] = [self.certificates.ca]
        if secret:
            settings['http']['secret'] = secret
        if auth:
            settings['auth'] = auth
        if schema1:
            settings['compatibility'] = {'schema1': {'enabled': True}}
        for section, values in extra.items():
            settings.setdefault(section, {}).update(values)
        return settings

    def _bring(self, setting):
        """Copy the files that settings name into the folder, the one that a container sees."""
        if isinstance(setting, dict):
            return {name: self._bring(value) for name, value in setting.items()}
        if isinstance(setting, list):
            return [self._bring(value) for value in setting]
        if isinstance(setting, str) and Path(setting).is_file():
            return shutil.copy(setting, str(self.folder))
        return setting

    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return f'{"https" if self.certificates else "http"}://{self.host}'

    @property
    def log(self):
        return self.log_path.read_text(encoding='utf-8', errors='replace')

    def start(self, port=None):
        """Start it, on a port of its own or on the one that is given."""
        for _ in range(START_TRIES):
            self.port = port or free_port()
            self.host = f'localhost:{self.port}'
            self._settings['http']['addr'] = f'127.0.0.1:{self.port}'
            # JSON is YAML.
            self.config_path.write_text(json.dumps(self._settings, indent=2))
            with open(str(self.log_path), 'ab') as log:
                self._process = subprocess.Popen(
                    [self.program, 'serve', str(self.config_path)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            try:
                wait_until(self._settled, f'{self.program} on port {self.port}')
            except BaseException:
                self.stop()
                raise
            if self._process.poll() is None:
                return
            if port or 'address already in use' not in self.log:
                break
        raise RuntimeError(f'{self.program} did not start:\n{self.log[-3000:]}')

    def _settled(self):
        return self._process.poll() is not None or self._answers()

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection(
            ('127.0.0.1', self.port), timeout=1
        ) as s:
            if self.certificates:
                context = ssl.create_default_context(cafile=self.certificates.ca)
                if self.client:
                    context.load_cert_chain(self.client)
                s = context.wrap_socket(s, server_hostname='localhost')
            s.sendall(b'GET /v2/ HTTP/1.0\r\nHost: localhost\r\n\r\n')
            with s.makefile('rb') as answer:
                return answer.readline().startswith(b'HTTP/1.')
        return False

    def stop(self):
        """Stop it; what it stored stays."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def restart(self):
        """Stop it and start it again on the same port."""
        self.stop()
        self.start(self.port)

    def garbage_collect(self, delete_untagged=False):
        """Have the registry throw away the blobs that no manifest names; return what it says."""
        options = ['--delete-untagged'] if delete_untagged else []
        return subprocess.run(
            [self.program, 'garbage-collect', *options, str(self.config_path)],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=GARBAGE_COLLECT_SECONDS,
            text=True,
        ).stdout

    def stored(self, digest):
        """Whether the blob's bytes are on the registry's disk, in whatever repository."""
        method, _, name = digest.partition(':')
        path = self.root / 'docker/registry/v2/blobs' / method / name[:2] / name / 'data'
        return path.exists()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
