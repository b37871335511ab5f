"""The registries that people run, and how to get at each."""

import base64
import itertools
import os
from dataclasses import dataclass
from typing import Any, Optional

from . import secrets

FLAVOURS = ('http', 'htpasswd', 'token')

USERNAME = 'fred'
# A colon may be in a password, and so may what is not ASCII.
PASSWORD = secrets.Secret('p:ässword !@#$')
secrets.keep_login(USERNAME, PASSWORD)

_numbers = itertools.count(1)


@dataclass
class Flavour:
    """A running registry and what a client must know of it."""

    name: str
    registry: Any
    insecure: bool = False
    ca: Optional[str] = None
    username: Optional[str] = None
    password: Optional[str] = None
    token_service: Any = None

    @property
    def host(self):
        return self.registry.host

    @property
    def url(self):
        return self.registry.url

    @property
    def tlsverify(self):
        """What to give as `tlsverify`: the CA bundle, or True where there is no TLS."""
        return self.ca or True

    @property
    def authorization(self):
        """The Authorization header that says the same as user name and password."""
        if self.username is None:
            return None
        both = f'{self.username}:{self.password}'.encode()
        return secrets.Secret('Basic ' + base64.b64encode(both).decode())

    def new_repo(self, stem='test'):
        """The name of a repository that no other test uses."""
        return f'{stem}/r{next(_numbers)}'

    def auth(self, by='password', actions=None):
        """An `auth` callable by 'password' or by 'authorization'; None where none is needed."""
        if self.username is None:
            return None
        if by == 'password':
            given = {'username': self.username, 'password': self.password}
        else:
            given = {'authorization': self.authorization}

        def auth(dxf_obj, response):
            dxf_obj.authenticate(actions=actions, response=response, **given)

        return auth

    def settings(self, by='password', actions=None, **others):
        """Keyword arguments for DXFBase and DXF, `host` and `repo` apart."""
        return {
            'auth': self.auth(by, actions),
            'insecure': self.insecure,
            'tlsverify': self.tlsverify,
            **others,
        }

    def environ(self, by='password', **others):
        """The DXF_* variables that do the same for the command line."""
        variables = {'DXF_HOST': self.host}
        if self.insecure:
            variables['DXF_INSECURE'] = '1'
        if self.ca:
            variables['DXF_TLSVERIFY'] = self.ca
        if self.username is not None and by == 'password':
            variables['DXF_USERNAME'] = self.username
            variables['DXF_PASSWORD'] = self.password
        elif self.username is not None and by == 'authorization':
            variables['DXF_AUTHORIZATION'] = self.authorization
        variables.update(others)
        return variables


def coverage_environ():
    """What a subprocess must be given for its lines to be counted."""
    return {k: v for k, v in os.environ.items() if k.startswith(('COVERAGE_', 'COV_CORE_'))}
