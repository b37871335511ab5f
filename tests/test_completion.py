"""Completion: in real shells, and what is asked of the registry for it."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dxf import completion

from .support.commandline import environment
from .support.fakeserver import Answer
from .support.logins import Person

ROOT = Path(__file__).resolve().parents[1]

argcomplete = pytest.importorskip('argcomplete')
pexpect = pytest.importorskip('pexpect')

# A busy machine may take its time; a shell that hangs must not take for ever.
SECONDS = 120


@pytest.fixture
def programs(tmp_path):
    """`dxf` completes as the real one does; when it is run, it writes down its arguments."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    dxf = folder / 'dxf'
    dxf.write_text(
        '#!/bin/sh\n'
        '# PYTHON_ARGCOMPLETE_OK\n'
        f'[ -z "$_ARGCOMPLETE" ] || exec "{sys.executable}" -m dxf "$@"\n'
        f'printf "%s\\n" "$@" > "{tmp_path}/ran.part"\n'
        f'mv "{tmp_path}/ran.part" "{tmp_path}/ran"\n'
    )
    dxf.chmod(0o755)
    return folder


@pytest.fixture
def environ(programs, tmp_path):
    made = environment({'PYTHONPATH': str(ROOT), 'HOME': str(tmp_path), 'TERM': 'dumb'})
    own = os.path.dirname(sys.executable)
    made['PATH'] = os.pathsep.join([str(programs), own, made['PATH']])
    return made


REGISTER = f'"{sys.executable}" -m argcomplete.scripts.register_python_argcomplete'

SHELLS = {
    'bash': (['--norc', '--noprofile', '-i'], f'eval "$({REGISTER} dxf)"'),
    'zsh': (['-f', '-i'], f'autoload -U compinit; compinit -D -u; eval "$({REGISTER} dxf)"'),
    'fish': (['--no-config', '-i'], f'{REGISTER} --shell fish dxf | source'),
}


@pytest.fixture(params=SHELLS)
def typing(request, environ, tmp_path):
    """`typing(text)`: what dxf was run with when that was typed, tabs and all."""
    name = request.param
    if not shutil.which(name):
        pytest.skip(f'there is no {name} here')
    arguments, setup = SHELLS[name]
    ran = tmp_path / 'ran'

    def type(text, **variables):
        child = pexpect.spawn(
            name, arguments, env={**environ, **variables}, cwd=str(tmp_path), timeout=SECONDS
        )
        try:
            # It is ready when it has said so itself, and not when it is seen to be told to.
            child.sendline(f'{setup}; echo "rea""dy"')
            child.expect('ready')
            child.send(text)
            child.send('\r')
            deadline = time.monotonic() + SECONDS
            while not ran.exists():
                assert time.monotonic() < deadline, child.before
                time.sleep(0.02)
        finally:
            child.close(force=True)
        return ran.read_text().split('\n')[:-1]

    return type


def test_commands_and_options(typing):
    assert typing('dxf list-al\tx/y --form\tj\t') == ['list-aliases', 'x/y', '--format', 'json']


def test_aliases(typing, registry_http, http_repo, http_plain):
    http_plain.push_alias('latest', b'one')
    http_plain.push_alias('other', b'two')
    environ = registry_http.environ()
    assert typing(f'dxf get-alias {http_repo} lat\t', **environ)[2:] == ['latest']


def test_aliases_after_an_at(typing, registry_http, http_repo, http_plain):
    http_plain.push_alias('latest', b'one')
    http_plain.push_alias('other', b'two')
    ran = typing(f'dxf pull-blob {http_repo} @oth\t', **registry_http.environ())
    assert ran == ['pull-blob', http_repo, '@other']


def test_repositories(typing, registry_http, http_repo, http_plain):
    http_plain.push_blob(b'one')
    start, end = http_repo[:-1], http_repo[-1]
    ran = typing(f'dxf list-aliases {http_repo[:-1]}\t', **registry_http.environ())
    # Others' repositories may begin alike.
    assert ran[1].startswith(start), end


def test_files(typing, tmp_path):
    (tmp_path / 'report.txt').write_text('x')
    assert typing('dxf push-blob x/y repo\t') == ['push-blob', 'x/y', 'report.txt']


def test_in_a_layout(typing, tmp_path):
    """Without a registry too."""
    subprocess.run(
        [sys.executable, '-m', 'dxf', 'push-blob', 'a/files', sys.executable, '@python'],
        env=environment({'DXF_HOST': f'oci:{tmp_path}/store', 'PYTHONPATH': str(ROOT)}),
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=SECONDS,
    )
    assert typing('dxf pull-blob a/\t@\t', DXF_HOST=f'oci:{tmp_path}/store') == [
        *('pull-blob', 'a/files', '@python')
    ]


def ask(line, environ):
    """What the program offers, as it tells the shell's function, and how it ends."""
    told = Path(environ['HOME']) / 'told'
    told.write_bytes(b'')
    asked = {
        '_ARGCOMPLETE': '1',
        '_ARGCOMPLETE_STDOUT_FILENAME': str(told),
        'COMP_TYPE': '9',
        'COMP_LINE': line,
        'COMP_POINT': str(len(line.encode())),
    }
    done = subprocess.run(
        [sys.executable, '-m', 'dxf'],
        env={**environ, **asked},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
    )
    return [word.strip() for word in told.read_text().split('\013') if word], done


def test_offered_as_the_shell_asks(environ, registry_http, http_repo, http_plain):
    http_plain.push_alias('latest', b'one')
    environ = {**environ, **registry_http.environ()}
    for line, expected in (
        (f'dxf auth {http_repo} pu', {'pull', 'push'}),
        (f'dxf auth {http_repo} ', {r'\*', 'pull', 'push'}),
        (f'dxf blob-size {http_repo} @', {'@latest'}),
        (f'dxf push {http_repo} @l', {'@latest'}),
        (f'dxf push {http_repo} @n', set()),
        (f'dxf mount-blob {http_repo} {http_repo}', {http_repo}),
        (f'dxf mount-blob {http_repo} {http_repo} sha', set()),
    ):
        offered, done = ask(line, environ)
        assert expected <= set(offered), line
        assert expected or not offered, line
        assert (done.stdout, done.stderr) == (b'', b'')


@pytest.mark.parametrize('host', [None, '', 'localhost:1', 'no host', 'oci:/nonsense'], ids=str)
def test_nothing_is_said_where_there_is_no_registry(environ, host):
    if host is not None:
        environ['DXF_HOST'] = host
    offered, done = ask('dxf get-alias a/b ', {**environ, 'DXF_INSECURE': '1'})
    assert offered == []
    assert (done.stdout, done.stderr) == (b'', b'')


def test_a_registry_that_is_silent_is_not_waited_for(fake_server, environ, monkeypatch):
    """What has come is offered when time is up."""
    monkeypatch.setattr(completion, '_SECONDS', 0.05)
    forever = []

    def names():
        yield 'first'
        while not forever:
            time.sleep(0.01)

    try:
        assert completion._in_time(names) in ([], ['first'])
    finally:
        forever.append(True)


def test_no_more_than_anybody_looks_through(monkeypatch):
    monkeypatch.setattr(completion, '_MOST', 3)
    assert completion._in_time(lambda: iter('abcdef')) == ['a', 'b', 'c']


def test_one_attempt(monkeypatch):
    seen = []
    monkeypatch.setattr('dxf.DXFBase', lambda *args, **kwargs: seen.append(kwargs))
    monkeypatch.setitem(os.environ, 'DXF_HOST', 'localhost:1')
    assert completion._repositories(None) == []
    assert seen == [{'timeout': completion._SECONDS, 'retries': 0}]


def test_no_helper_outlasts_it(fake_server, tmp_path, monkeypatch):
    """One that hangs is ended while there is still somebody to do it."""
    challenge = {'WWW-Authenticate': 'Basic realm="a"'}
    fake_server.on('GET', '/v2/.*', lambda request: Answer(401, headers=challenge))
    person = Person(tmp_path)
    person.docker({'credsStore': 'keeper'})
    told = []

    def ask(name, server, environ, seconds):
        told.append(seconds)

    monkeypatch.setattr('dxf.credential_helpers.ask', ask)
    insecure = {'DXF_INSECURE': '1', 'DXF_INSECURE_AUTH': '1'}
    for name, value in {**person.environ, **insecure, 'DXF_HOST': fake_server.host}.items():
        monkeypatch.setenv(name, value)
    assert completion._aliases('a') == []
    assert len(told) == 1
    assert told[0] < completion._SECONDS


def test_without_argcomplete_nothing_is_run(environ, tmp_path):
    """Its function may be the one of another Python's."""
    (tmp_path / 'argcomplete.py').write_text('raise ImportError')
    environ['PYTHONPATH'] = os.pathsep.join([str(tmp_path), environ['PYTHONPATH']])
    offered, done = ask('dxf list-', environ)
    assert offered == []
    assert (done.returncode, done.stdout, done.stderr) == (1, b'', b'')


def test_it_costs_nothing_else(environ):
    code = (
        'import sys; from dxf.main import doit\ntry: doit(["--version"], {})\n'
        'except SystemExit: pass\n'
        'print([n for n in ("argcomplete", "dxf.completion", "requests") if n in sys.modules])'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], env=environ, capture_output=True, timeout=SECONDS
    )
    assert done.stdout.splitlines()[-1:] == [b'[]']
