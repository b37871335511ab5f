"""Wrong usage, which sends nothing; help; and what starts the command line."""

import subprocess
import sys
from importlib import metadata

import pytest

import dxf
from dxf.main import doit
from dxf.parser import parse

from .support.commandline import environment, run_cli
from .support.plain import sha256
from .support.shell import run_doit

D = sha256(b'')

COMMANDS = [
    *('auth', 'push-blob', 'pull-blob', 'blob-size', 'mount-blob', 'del-blob'),
    *('set-alias', 'get-alias', 'del-alias', 'get-digest', 'get-manifest'),
    *('list-aliases', 'list-repos', 'push', 'pull', 'attach', 'list-referrers'),
    *('list-platforms', 'list-manifests'),
]

VARIABLES = [
    *('DXF_HOST', 'DXF_INSECURE', 'DXF_USERNAME', 'DXF_PASSWORD', 'DXF_AUTHORIZATION'),
    *('DXF_AUTH_HOST', 'DXF_TOKEN', 'DXF_PROGRESS', 'DXF_BLOB_INFO', 'DXF_CHUNK_SIZE'),
    *('DXF_SKIPTLSVERIFY', 'DXF_TLSVERIFY', 'DXF_PLATFORM', 'DXF_DEBUG'),
]

TOO_FEW = [
    [],
    *([command] for command in COMMANDS if command != 'list-repos'),
    ['push-blob', 'a/b'],
    ['mount-blob', 'a/b'],
    ['mount-blob', 'a/b', 'c/d'],
    ['set-alias', 'a/b'],
    ['set-alias', 'a/b', 'latest'],
]

TOO_MANY = [
    ['push-blob', 'a/b', 'file', '@alias', 'more'],
    ['mount-blob', 'a/b', 'c/d', D, '@alias', 'more'],
    ['list-aliases', 'a/b', 'more'],
    ['list-repos', 'a/b'],
    ['list-repos', 'more', 'and-more'],
]

INVALID_ALIAS = [
    ['push-blob', 'a/b', 'file', 'alias'],
    ['push-blob', 'a/b', 'file', '@'],
    ['push-blob', 'a/b', 'file', ''],
    ['push-blob', 'a/b', 'file', 'not@alias'],
    ['mount-blob', 'a/b', 'c/d', D, 'alias'],
    ['mount-blob', 'a/b', 'c/d', D, '@'],
]


@pytest.mark.parametrize(
    ('message', 'args'),
    [
        *((b'too few arguments', args) for args in TOO_FEW),
        *((b'too many arguments', args) for args in TOO_MANY),
        *((b'invalid alias', args) for args in INVALID_ALIAS),
    ],
)
def test_wrong_usage(fake_server, message, args):
    result = run_doit(*args, environ={'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'})
    # argparse's own exit code.
    assert (result.code, result.out) == (2, b'')
    assert message in result.err
    assert result.err.startswith(b'usage: dxf')
    assert fake_server.requests == []


@pytest.mark.parametrize(
    ('message', 'args'),
    [(b'too few', TOO_FEW[0]), (b'too many', TOO_MANY[0]), (b'invalid alias', INVALID_ALIAS[0])],
)
def test_wrong_usage_in_a_shell(message, args):
    done = run_cli(*args)
    assert (done.returncode, done.stdout) == (2, b'')
    assert message in done.stderr
    assert b'Traceback' not in done.stderr


def test_wrong_usage_is_an_exit():
    with pytest.raises(SystemExit) as e:
        doit(['push-blob', 'a/b'], {})
    assert e.value.code == 2


@pytest.mark.parametrize('command', ['pushed', 'frobnicate', 'list', ''])
def test_unknown_command(command):
    result = run_doit(command, 'a/b', environ={})
    assert (result.code, result.out) == (2, b'')
    # It says what there is.
    assert b'push-blob' in result.err


@pytest.mark.parametrize('command', ['auth', 'pull-blob', 'get-alias', 'del-alias'])
def test_what_may_be_left_out_is_not_said_to_be_missing(command):
    result = run_doit(command, environ={})
    assert result.err.endswith(b': too few arguments: REPO\n')


@pytest.mark.parametrize(
    'words', [['-q'], ['--format', 'json'], ['--format=json'], ['-o', 'file']], ids=' '.join
)
def test_an_option_before_the_command(words):
    result = run_doit(*words, 'pull-blob', 'a/b', environ={})
    assert (result.code, result.out) == (2, b'')
    assert result.err.endswith(
        f'{words[0]} stands before the COMMAND: options stand after it; see dxf --help\n'.encode()
    )


def test_no_command_at_all():
    result = run_doit(environ={})
    assert result.err.endswith(b'too few arguments: COMMAND; see dxf --help\n')


def test_unknown_option():
    result = run_doit('list-repos', '--frobnicate', environ={})
    assert (result.code, result.out) == (2, b'')
    assert b'--frobnicate' in result.err


def test_after_two_dashes_an_argument_may_begin_with_one(registry_http, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '-x').write_bytes(b'content')
    result = run_doit(
        'push-blob', registry_http.new_repo(), '--', '-x', environ=registry_http.environ()
    )
    assert result == (0, sha256(b'content').encode() + b'\n', b'')


def test_help_names_every_command_and_variable(run):
    result = run('--help', environ={})
    assert (result.code, result.err) == (0, b'')
    out = result.out.decode()
    assert [name for name in COMMANDS + VARIABLES if name not in out] == []


@pytest.mark.parametrize('command', COMMANDS)
def test_each_command_has_help(command):
    result = run_doit(command, '--help', environ={})
    assert (result.code, result.err) == (0, b'')
    assert result.out.startswith(f'usage: dxf {command}'.encode())
    assert (b'REPO' in result.out) == (command != 'list-repos')


def test_version(run):
    result = run('--version', environ={})
    assert (result.code, result.err) == (0, b'')
    assert result.out.decode() == f'dxf {dxf.__version__}\n'


def test_a_message_as_a_user_sees_it():
    # Nothing of `python -m` shows.
    assert run_cli('--help').stdout.startswith(b'usage: dxf ')


def test_the_command_that_is_installed():
    try:
        installed = metadata.distribution('python-dxf')
    except metadata.PackageNotFoundError:
        pytest.skip('dxf runs from its sources here and is not installed')
    scripts = [entry for entry in installed.entry_points if entry.group == 'console_scripts']
    assert [(script.name, script.value) for script in scripts] == [('dxf', 'dxf.__main__:run')]


def test_help_does_not_wait_for_the_http_libraries():
    code = (
        'import sys, dxf.main\n'
        'try: dxf.main.doit(["--help"], {})\n'
        'except SystemExit: pass\n'
        'sys.exit("requests" in sys.modules)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], stdout=subprocess.DEVNULL, env=environment({})
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    'args',
    [
        ['-o', 'file', 'a/b', '@c', '@d'],
        ['a/b', '-o', 'file', '@c', '@d'],
        ['a/b', '@c', '-o', 'file', '@d'],
        ['a/b', '@c', '@d', '--output=file'],
    ],
)
def test_an_option_may_stand_anywhere(args):
    assert parse(['pull-blob', *args]) == (
        'pull-blob',
        'a/b',
        ['@c', '@d'],
        {'output_file': 'file'},
    )
