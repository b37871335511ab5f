"""Registries of other kinds than Debian's, that are built with Go."""

import contextlib
import json
import subprocess

import pytest
import requests

from . import tools
from .flavours import Flavour
from .registry import STOP_SECONDS, Registry
from .waiting import free_port, wait_until

#: Zot, which is not to be had everywhere: no test fails without it.
ZOT = tools.CACHE / 'bin' / 'zot'


@contextlib.contextmanager
def distribution(folder):
    """Distribution 3, the newer one of Debian's registry. Uploads can be resumed."""
    path = tools.need_built('distribution')
    with pytest.MonkeyPatch.context() as patch:
        # It would look for somebody to tell.
        patch.setenv('OTEL_TRACES_EXPORTER', 'none')
        registry = Registry(
            path, folder, secret='fixed', log={'level': 'error', 'accesslog': {'disabled': True}}
        )
    with registry:
        yield Flavour('distribution', registry, insecure=True)


class _Process:
    """What a Flavour must know of a registry whose disk nobody looks at."""

    root = None

    def __init__(self, host):
        self.host = host
        self.url = f'http://{host}'


@contextlib.contextmanager
def _running(*command, **streams):
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **{'stdout': subprocess.DEVNULL, **streams},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        if process.stdout:
            process.stdout.close()


@contextlib.contextmanager
def ocimem():
    """A registry in memory. Uploads can be resumed, but not be cancelled."""
    path = tools.need_built('ocimem')
    with _running(path, '127.0.0.1:0', stdout=subprocess.PIPE) as process:
        host = process.stdout.readline().decode().strip()
        yield Flavour('ocimem', _Process(host), insecure=True)


@contextlib.contextmanager
def zot(folder):
    """Zot."""
    port = free_port()
    config = folder / 'config.json'
    config.write_text(
        json.dumps(
            {
                'storage': {'rootDirectory': str(folder / 'root'), 'gc': False},
                'http': {'address': '127.0.0.1', 'port': str(port), 'compat': ['docker2s2']},
                'log': {'level': 'error'},
            }
        )
    )
    with _running(str(ZOT), 'serve', str(config)) as process:
        made = _Process(f'127.0.0.1:{port}')
        wait_until(lambda: process.poll() is not None or answers(made.url), 'zot')
        yield Flavour('zot', made, insecure=True)


def answers(url):
    """Whether there is a registry."""
    try:
        return requests.get(url + '/v2/', timeout=1).status_code < 500
    except requests.exceptions.RequestException:
        return False
