"""Debian's docker-registry on loopback, plain or with TLS."""

import json
import shutil
import socket
import subprocess
import time

START_SECONDS = 30
STOP_SECONDS = 10
# Signs where an upload goes on; registries over the same storage share it.
SECRET = 'of no consequence'
# Somebody else may take a port between its being found free and being listened on.
START_TRIES = 5


class Registry:
    """Runs from making until `stop`. `root`: where it stores; several may share one."""

    def __init__(self, program, folder, root, certificates=None):
        folder.mkdir()
        self.root = root
        self._log = folder / 'log'
        for _ in range(START_TRIES):
            self.port = free_port()
            path = folder / 'config.yml'
            # JSON is YAML.
            path.write_text(json.dumps(self._settings(certificates)))
            with open(self._log, 'wb') as log:
                self._process = subprocess.Popen(
                    [program, 'serve', str(path)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            if self._answers():
                return
            self.stop()
        raise RuntimeError(f'the registry did not start:\n{self._log.read_text()[-2000:]}')

    def _settings(self, certificates):
        http = {'addr': f'127.0.0.1:{self.port}', 'secret': SECRET}
        if certificates:
            http['tls'] = {'certificate': certificates.cert, 'key': certificates.key}
        return {
            'version': 0.1,
            'log': {'level': 'error', 'accesslog': {'disabled': True}},
            'storage': {
                'filesystem': {'rootdirectory': str(self.root)},
                'delete': {'enabled': True},
                'maintenance': {'uploadpurging': {'enabled': False}},
            },
            'http': http,
        }

    def _answers(self):
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return True
            except OSError:
                time.sleep(0.02)
        return False

    def empty(self):
        """Forget everything that was stored."""
        shutil.rmtree(self.root / 'docker', ignore_errors=True)

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]
