"""nginx as a process of the tests' own, which ends TLS before a registry."""

import contextlib
import re
import socket
import ssl
import subprocess
from pathlib import Path

from .registry import START_TRIES, STOP_SECONDS
from .waiting import free_port, wait_until

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors warn;
events {{ }}
http {{
    log_format told '$request_method $request_uri $status $request_length';
    access_log {folder}/access told;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificates.cert};
        ssl_certificate_key {certificates.key};
        client_max_body_size {max_body};
        location / {{
            proxy_pass {upstream};
            proxy_set_header Host $http_host;
            {told}
        }}
    }}
}}
"""


class Nginx:
    """Starts on making, stops on `stop` or on leaving it as a context.

    `max_body`: the longest body that it lets through, as nginx spells it. Unless it is
    `told`, the registry does not learn that its clients speak https, and says http to them.
    """

    def __init__(self, program, folder, registry, certificates, max_body='1m', told=False):
        self.folder = Path(folder)
        self.certificates = certificates
        self._values = {
            'folder': self.folder,
            'certificates': certificates,
            'max_body': max_body,
            'upstream': registry.url.replace('localhost', '127.0.0.1'),
            'told': 'proxy_set_header X-Forwarded-Proto $scheme;' if told else '',
        }
        self._start(program)

    def _start(self, program):
        path = self.folder / 'nginx.conf'
        for _ in range(START_TRIES):
            self.port = free_port()
            self.host = f'localhost:{self.port}'
            self.url = f'https://{self.host}'
            path.write_text(CONFIGURATION.format(port=self.port, **self._values))
            with open(str(self.folder / 'output'), 'ab') as output:
                self._process = subprocess.Popen(
                    [program, '-p', str(self.folder), '-e', 'stderr', '-c', str(path)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            try:
                wait_until(lambda: self._process.poll() is not None or self._answers(), program)
            except BaseException:
                self.stop()
                raise
            if self._process.poll() is None:
                return
        raise RuntimeError(f'{program} did not start:\n{(self.folder / "output").read_text()}')

    def _answers(self):
        context = ssl.create_default_context(cafile=self.certificates.ca)
        with contextlib.suppress(OSError), socket.create_connection(
            ('127.0.0.1', self.port), timeout=1
        ) as s:
            context.wrap_socket(s, server_hostname='localhost').close()
            return True
        return False

    @property
    def served(self):
        """`(method, address, status)` of each request."""
        lines = (self.folder / 'access').read_text().splitlines()
        return [re.fullmatch(r'(\S+) (\S+) (\d+) \d+', line).groups() for line in lines]

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
