"""Token services that others wrote: distribution 2's own, and docker_auth."""

import json
import subprocess
from pathlib import Path

import pytest
import urllib3

from . import tools
from .fakeserver import Answer, FakeServer
from .registry import STOP_SECONDS, htpasswd_auth
from .waiting import free_port, wait_until

ISSUER = 'distribution-token-server'
SERVICE = 'dxf-test-registry'

_PER_CONNECTION = ('connection', 'transfer-encoding', 'content-length', 'date', 'host')


def token_server(port, key, certificate, passwords):
    """The command of distribution's, and where it gives tokens."""
    program = tools.need_built('token-server')
    command = [program, '-addr', f'127.0.0.1:{port}', '-key', key, '-passwd', passwords,
               '-realm', 'tokens', '-issuer', ISSUER]  # fmt: skip
    return command, '/token/'


def docker_auth(port, key, certificate, passwords):
    """Those of docker_auth, which is not to be had everywhere: nothing fails without it."""
    path = tools.CACHE / 'bin' / 'docker_auth'
    if not path.exists():
        tools.missing['docker_auth'] = '`scripts/get-tools docker_auth` builds it'
        pytest.skip('NEEDS docker_auth: `scripts/get-tools docker_auth` builds it')
    username, _, password = Path(passwords).read_text(encoding='utf-8').strip().partition(':')
    config = Path(key).with_name('docker_auth.yml')
    # JSON is YAML.
    config.write_text(json.dumps({
        'server': {'addr': f'127.0.0.1:{port}'},
        'token': {'issuer': ISSUER, 'expiration': 300, 'certificate': certificate, 'key': key},
        'users': {username: {'password': password}},
        'acl': [
            {'match': {'account': username, 'name': f'{username}/*'}, 'actions': ['*']},
            {'match': {'account': username, 'type': 'registry'}, 'actions': ['*']},
        ],
    }))  # fmt: skip
    return [str(path), str(config)], '/auth'


SERVICES = {'token-server': token_server, 'docker_auth': docker_auth}


class TokenServer(FakeServer):
    """Starts one, and stands before it, to see what it is asked: `requests` lists that.

    `roots` is the path of the bundle that the registry is to check tokens with.
    """

    def __init__(self, name, folder, certificates, username, password):
        self._folder = Path(folder)
        signer = certificates.authority.issue_cert('token-server')
        key = self._folder / 'key.pem'
        signer.private_key_pem.write_to_path(str(key))
        self.roots = str(self._folder / 'roots.pem')
        signer.cert_chain_pems[0].write_to_path(self.roots)
        passwords = htpasswd_auth(folder, {username: password})['htpasswd']['path']
        port = free_port()
        command, self._path = SERVICES[name](port, str(key), self.roots, passwords)
        self._log = open(str(self._folder / 'log'), 'wb')  # noqa: SIM115
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)
        super().__init__(certificates)
        self.on(None, '.*', lambda request: self._forward(port, request))
        self.realm = self.url + self._path
        wait_until(lambda: self._process.poll() is not None or self._answers(port), name)

    def _answers(self, port):
        try:
            self._pool.request('GET', f'http://127.0.0.1:{port}{self._path}')
        except urllib3.exceptions.HTTPError:
            return False
        return True

    def _forward(self, port, request):
        got = self._pool.request(
            request.method,
            f'http://127.0.0.1:{port}{request.target}',
            body=request.body or None,
            headers={n: v for n, v in request.headers.items() if n.lower() not in _PER_CONNECTION},
            redirect=False,
        )
        headers = {n: v for n, v in got.headers.items() if n.lower() not in _PER_CONNECTION}
        return Answer(got.status, got.data, headers)

    def auth(self):
        """The `auth` setting of a registry that takes its tokens."""
        return {
            'token': {
                'realm': self.realm,
                'service': SERVICE,
                'issuer': ISSUER,
                'rootcertbundle': self.roots,
            }
        }

    def stop(self):
        super().stop()
        self._process.terminate()
        self._process.wait(STOP_SECONDS)
        self._pool.clear()
        self._log.close()
