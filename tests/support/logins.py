"""What people have logged in with: docker's and podman's files, and credential helpers."""

import base64
import json
import os
import stat
import sys
from pathlib import Path

# A helper that knows one server; the rest it answers as docker's own library does.
KNOWING = """
import json, sys
server = sys.stdin.read()
with open({asked!r}, 'a') as file:
    file.write(' '.join(sys.argv[1:]) + ' ' + server + '\\n')
if server not in {servers!r}:
    print('credentials not found in native keychain')
    sys.exit(1)
print(json.dumps({{'ServerURL': server, 'Username': {username!r}, 'Secret': {plain!r}}}))
"""


def auth(username, password):
    """An `auth` field."""
    return base64.b64encode(f'{username}:{password}'.encode()).decode()


def entry(username, password):
    """An entry of `auths`."""
    return {'auth': auth(username, password)}


class Person:
    """Somebody with a home of their own: `.environ` is all that points to it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.home = self.folder / 'home'
        self.programs = self.folder / 'bin'
        self.programs.mkdir(parents=True)
        self.environ = {'HOME': str(self.home), 'PATH': f'{self.programs}{os.pathsep}{os.defpath}'}

    def write(self, place, content):
        """Write a file in their folder, JSON unless it is bytes; its path."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def docker(self, content):
        """Write docker's file where it is by default; its path."""
        return self.write('home/.docker/config.json', content)

    def podman(self, content):
        """Write podman's file where it is by default; its path."""
        return self.write('home/.config/containers/auth.json', content)

    def program(self, name, code, shebang=f'#!{sys.executable}'):
        """Put a program on their PATH."""
        path = self.programs / name
        path.write_text(f'{shebang}\n{code}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def helper(self, name, servers=(), username='', secret=''):
        """Put a helper on their PATH that knows these servers."""
        self.program(
            f'docker-credential-{name}',
            KNOWING.format(
                asked=str(self._asked(name)), servers=list(servers), username=username,
                # A test's own secrets don't show what they are.
                plain=str(secret),
            ),
        )  # fmt: skip

    def asked(self, name):
        """What a helper has been asked: 'get <server>', in order."""
        path = self._asked(name)
        return path.read_text().splitlines() if path.exists() else []

    def _asked(self, name):
        return self.folder / f'{name}.asked'
