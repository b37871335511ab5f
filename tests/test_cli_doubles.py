"""`dxf.DXF` and `dxf.DXFBase` replaced, as programs do in their tests."""

import errno

import pytest

import dxf
from dxf.main import doit

ENVIRON = {'DXF_HOST': 'registry.example:5000'}
DIGEST = 'sha256:' + '0' * 64


class Double:
    """Notes how it is called; a method gives what the class says."""

    token = None

    def __init__(self, answers):
        self._answers = answers
        self.calls = []

    def __getattr__(self, name):
        if name.startswith('_') or name not in self._answers:
            raise AttributeError(name)

        def method(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            return self._answers[name]

        return method


@pytest.fixture
def replace(monkeypatch):
    """`replace('DXF', answers)` puts a plain function in the class's place; see what it made."""

    def replace(name, **answers):
        made = []

        def make(*args, **kwargs):
            made.append((args, kwargs, Double(answers)))
            return made[-1][2]

        def never(*args, **kwargs):
            raise AssertionError('this one is not what the command is about')

        monkeypatch.setattr(dxf, 'DXF', never)
        monkeypatch.setattr(dxf, 'DXFBase', never)
        monkeypatch.setattr(dxf, name, make)
        return made

    return replace


def bound(parameters, args, kwargs):
    """Arguments by name, however they were given."""
    defaults = {
        'auth': None,
        'insecure': False,
        'auth_host': None,
        'tlsverify': True,
        'timeout': None,
    }
    return {**defaults, **dict(zip(parameters, args)), **kwargs}


BASE = ('host', 'auth', 'insecure', 'auth_host', 'tlsverify', 'timeout')
REPOSITORY = ('host', 'repo', *BASE[1:])


@pytest.mark.parametrize(
    ('args', 'answers', 'printed'),
    [
        (['auth', 'a/b', 'pull'], {'authenticate': 'opaque'}, 'opaque\n'),
        (['auth', 'a/b'], {'authenticate': None}, ''),
        (['push-blob', 'a/b', 'file'], {'push_blob': DIGEST}, DIGEST + '\n'),
        (
            ['push-blob', 'a/b', 'file', '@v1'],
            {'push_blob': DIGEST, 'set_alias': 'text'},
            DIGEST + '\n',
        ),
        (['pull-blob', 'a/b', DIGEST], {'pull_blob': (iter([b'x', b'y']), 2)}, 'xy'),
        (
            ['pull-blob', 'a/b', '@v1'],
            {'get_alias': [DIGEST], 'pull_blob': ([b'xy'], 2)},
            'xy',
        ),
        (['blob-size', 'a/b', DIGEST], {'blob_size': 7}, '7\n'),
        (['blob-size', 'a/b', '@v1'], {'get_alias': [(DIGEST, 7), (DIGEST, 1)]}, '8\n'),
        (['mount-blob', 'a/b', 'c/d', DIGEST], {'mount_blob': DIGEST}, DIGEST + '\n'),
        (['del-blob', 'a/b', DIGEST], {'del_blob': None}, ''),
        (['del-blob', 'a/b', '@v1'], {'get_alias': [DIGEST], 'del_blob': None}, ''),
        (['set-alias', 'a/b', 'v1', DIGEST], {'set_alias': 'text'}, 'text'),
        (['get-alias', 'a/b', 'v1'], {'get_alias': [DIGEST]}, DIGEST + '\n'),
        (['del-alias', 'a/b', 'v1'], {'del_alias': [DIGEST]}, DIGEST + '\n'),
        (['get-digest', 'a/b', 'v1'], {'get_digest': DIGEST}, DIGEST + '\n'),
        (['get-manifest', 'a/b', 'v1'], {'get_manifest': 'text'}, 'text'),
        (['list-aliases', 'a/b'], {'list_aliases': iter(['v1', 'v2'])}, 'v1\nv2\n'),
    ],
)
def test_dxf_is_looked_up_at_each_command_and_called_once(replace, capsys, args, answers, printed):
    made = replace('DXF', **answers)
    assert doit(args, ENVIRON) == 0
    assert capsys.readouterr() == (printed, '')
    ((positional, keywords, double),) = made
    given = bound(REPOSITORY, positional, keywords)
    assert (given['host'], given['repo']) == ('registry.example:5000', 'a/b')
    assert given['insecure'] is False
    assert given['auth_host'] is None
    assert given['tlsverify'] is True
    assert callable(given['auth'])
    assert {name for name, _, _ in double.calls} == set(answers)


def test_dxfbase_is_called_once(replace, capsys):
    made = replace('DXFBase', list_repos=iter(['a/b', 'c']))
    assert doit(['list-repos'], ENVIRON) == 0
    assert capsys.readouterr() == ('a/b\nc\n', '')
    ((positional, keywords, _),) = made
    assert bound(BASE, positional, keywords)['host'] == 'registry.example:5000'


def test_settings_arrive(replace):
    made = replace('DXF', list_aliases=[], authenticate='opaque')
    environ = {
        **ENVIRON,
        'DXF_INSECURE': '1',
        'DXF_AUTH_HOST': 'auth.example',
        'DXF_TLSVERIFY': '/a/path',
        'DXF_TOKEN': 'a token',
        'DXF_USERNAME': 'fred',
        'DXF_PASSWORD': 'secret',
        'DXF_AUTHORIZATION': 'Basic x',
    }
    assert doit(['list-aliases', 'a/b'], environ) == 0
    ((positional, keywords, double),) = made
    given = bound(REPOSITORY, positional, keywords)
    assert given['insecure'] is True
    assert given['auth_host'] == 'auth.example'
    assert given['tlsverify'] == '/a/path'
    assert double.token == 'a token'
    # It answers a challenge with what the variables say.
    del double.calls[:]
    given['auth'](double, 'the response')
    ((name, args, kwargs),) = double.calls
    assert name == 'authenticate'
    named = {
        **dict(zip(('username', 'password', 'actions', 'response', 'authorization'), args)),
        **kwargs,
    }
    assert named['username'] == 'fred'
    assert named['password'] == 'secret'
    assert named['response'] == 'the response'
    assert named['authorization'] == 'Basic x'
    assert not named.get('actions')


def test_without_a_token_none_is_set(replace):
    made = replace('DXF', list_aliases=[])
    assert doit(['list-aliases', 'a/b'], ENVIRON) == 0
    assert 'token' not in vars(made[0][2])


@pytest.mark.parametrize(
    ('variables', 'expected'),
    [
        ({'DXF_SKIPTLSVERIFY': '1'}, False),
        ({'DXF_SKIPTLSVERIFY': '0'}, True),
        ({'DXF_SKIPTLSVERIFY': '1', 'DXF_TLSVERIFY': '/a/path'}, False),
        ({'DXF_SKIPTLSVERIFY': '', 'DXF_TLSVERIFY': '/a/path'}, '/a/path'),
        ({'DXF_TLSVERIFY': ''}, True),
    ],
)
def test_tlsverify(replace, variables, expected):
    made = replace('DXF', list_aliases=[])
    assert doit(['list-aliases', 'a/b'], {**ENVIRON, **variables}) == 0
    positional, keywords, _ = made[0]
    assert bound(REPOSITORY, positional, keywords)['tlsverify'] is expected or expected == (
        '/a/path'
    )
    assert bound(REPOSITORY, positional, keywords)['tlsverify'] == expected


def test_what_a_double_raises_comes_through(monkeypatch):
    class Odd(Exception):
        pass

    def fail(*args, **kwargs):
        raise Odd

    monkeypatch.setattr(dxf, 'DXF', fail)
    with pytest.raises(Odd):
        doit(['list-aliases', 'a/b'], ENVIRON)


def test_an_unauthorized_double(monkeypatch, capsys):
    class Unauthorized:
        def __init__(self, *args, **kwargs):
            pass

        def list_aliases(self, *args, **kwargs):
            raise dxf.exceptions.DXFUnauthorizedError

    monkeypatch.setattr(dxf, 'DXF', Unauthorized)
    assert doit(['list-aliases', 'a/b'], ENVIRON) == errno.EACCES
    assert capsys.readouterr().out == ''
