"""stdin and stdout as programs that call `doit` replace them, and as shells leave them."""

import io
import os
import subprocess
import sys

import pytest

from dxf.main import doit

from .support.commandline import environment, run_cli
from .support.plain import schema2, sha256

ONE = bytes(range(256)) * 200
TWO = b'two\r\n'
D1 = sha256(ONE)
D2 = sha256(TWO)


@pytest.fixture
def registry(registry_http):
    return registry_http


class Out:
    """A stdout without a `.buffer`, whose `write` gives whatever it likes."""

    def __init__(self, result):
        self._result = result
        self._written = []

    def write(self, what):
        self._written.append(what.encode() if isinstance(what, str) else bytes(what))
        return self._result

    def flush(self):
        return self._result

    @property
    def content(self):
        return b''.join(self._written)


class In:
    def __init__(self, text):
        self._text = text

    def read(self):
        return self._text


@pytest.mark.parametrize('result', [None, 0, -1, 'nonsense'])
def test_a_plain_stdout(registry, repo, plain, monkeypatch, result):
    text = plain.push_alias('both', ONE, TWO)
    expected = {
        ('pull-blob', repo, '@both'): ONE + TWO,
        ('blob-size', repo, D1): b'51200\n',
        ('get-alias', repo, 'both'): f'{D1}\n{D2}\n'.encode(),
        ('get-digest', repo, 'both'): f'{D1}\n'.encode(),
        ('get-manifest', repo, 'both'): text.encode(),
        ('list-aliases', repo): b'both\n',
        ('del-alias', repo, 'both'): f'{D1}\n{D2}\n'.encode(),
    }
    for args, printed in expected.items():
        out = Out(result)
        monkeypatch.setattr(sys, 'stdout', out)
        assert doit(args, registry.environ()) == 0
        assert out.content == printed, args


def test_blob_info_stands_before_its_blob_on_a_plain_stdout(registry, repo, plain, monkeypatch):
    plain.push_alias('both', ONE, TWO)
    out = Out(None)
    monkeypatch.setattr(sys, 'stdout', out)
    assert doit(['pull-blob', repo, '@both'], registry.environ(DXF_BLOB_INFO='1')) == 0
    assert out.content == (
        f'{D1} {len(ONE)}\n'.encode() + ONE + f'{D2} {len(TWO)}\n'.encode() + TWO
    )


@pytest.mark.parametrize('make', [io.BytesIO, lambda: io.BufferedWriter(io.BytesIO())])
def test_a_stdout_that_takes_bytes_only(registry, repo, plain, monkeypatch, make):
    plain.push_alias('both', ONE, TWO)
    out = make()
    monkeypatch.setattr(sys, 'stdout', out)
    assert doit(['pull-blob', repo, '@both'], registry.environ(DXF_BLOB_INFO='1')) == 0
    assert doit(['list-aliases', repo], registry.environ()) == 0
    out.flush()
    raw = getattr(out, 'raw', out)
    assert raw.getvalue() == (
        f'{D1} {len(ONE)}\n'.encode() + ONE + f'{D2} {len(TWO)}\n'.encode() + TWO + b'both\n'
    )


def test_a_stdout_that_takes_text_only(registry, repo, plain, monkeypatch):
    """A blob of text can be read into it."""
    content = 'größer\n'.encode()
    plain.push_blob(content)
    out = io.StringIO(newline='')
    monkeypatch.setattr(sys, 'stdout', out)
    assert doit(['pull-blob', repo, sha256(content)], registry.environ()) == 0
    assert out.getvalue() == 'größer\n'


def test_a_text_stdout_when_chunks_end_within_a_character(registry, repo, plain, monkeypatch):
    content = ('ä' * 10).encode()
    plain.push_blob(content)
    out = io.StringIO(newline='')
    monkeypatch.setattr(sys, 'stdout', out)
    environ = registry.environ(DXF_CHUNK_SIZE='3')
    assert doit(['pull-blob', repo, sha256(content)], environ) == 0
    assert out.getvalue().encode('utf-8', 'surrogateescape') == content


def test_a_plain_stdin(registry, repo, plain, monkeypatch, capsysbinary):
    plain.push_alias('both', ONE, TWO)
    text = schema2(b'{}', TWO, ONE)
    for command, printed in (
        ('pull-blob', TWO + ONE),
        ('blob-size', b'51205\n'),
        ('get-alias', f'{D2}\n{D1}\n'.encode()),
        ('get-digest', f'{sha256(b"{}")}\n'.encode()),
        ('del-blob', b''),
    ):
        monkeypatch.setattr(sys, 'stdin', In(text))
        assert doit([command, repo], registry.environ()) == 0
        assert capsysbinary.readouterr() == (printed, b'')
    assert not plain.has_blob(D1)


def test_a_stdin_that_gives_bytes(registry, repo, plain, monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, 'stdin', In(schema2(b'{}', TWO).encode()))
    assert doit(['get-alias', repo], registry.environ()) == 0
    assert capsysbinary.readouterr() == (f'{D2}\n'.encode(), b'')


def test_unbuffered(registry, repo, plain):
    """Python's stdout is then one that may take a part only of what it is given."""
    plain.push_alias('both', ONE, TWO)
    environ = registry.environ(DXF_BLOB_INFO='1', PYTHONUNBUFFERED='1')
    done = run_cli('pull-blob', repo, '@both', environ=environ)
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout == (
        f'{D1} {len(ONE)}\n'.encode() + ONE + f'{D2} {len(TWO)}\n'.encode() + TWO
    )


@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'ascii'])
def test_a_manifest_that_is_not_ascii(registry, repo, plain, encoding):
    """It is printed byte for byte and read as it is, whatever the user's locale."""
    environ = registry.environ(PYTHONIOENCODING=encoding)
    for content in (ONE, TWO):
        plain.push_blob(content)
    text = schema2(ONE, TWO)[:-1] + ', "annotations": {"größe": "groß"}}'
    plain.push_manifest('odd', text)
    done = run_cli('get-manifest', repo, 'odd', environ=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, text.encode(), b'')
    done = run_cli('get-alias', repo, environ=environ, stdin=text.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, f'{D2}\n'.encode(), b'')


def shell_redirected(redirection, *args, environ):
    return subprocess.run(
        ['sh', '-c', f'exec "$0" -m dxf "$@" {redirection}', sys.executable, *args],
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )


def assert_one_line(err):
    assert err.startswith(b'dxf: '), err
    assert err.count(b'\n') == 1, err
    assert err.endswith(b'\n')
    # What Python calls it is of no use to a user.
    assert b'NoneType' not in err
    assert b'AttributeError' not in err


def test_stdout_is_closed(registry, repo, plain):
    plain.push_alias('both', ONE, TWO)
    for args in (['list-aliases', repo], ['pull-blob', repo, D1], ['get-manifest', repo, 'both']):
        done = shell_redirected('>&-', *args, environ=registry.environ())
        assert done.returncode != 0
        assert_one_line(done.stderr)
    # Nothing is printed by this one.
    done = shell_redirected('>&-', 'del-blob', repo, D1, environ=registry.environ())
    assert (done.returncode, done.stderr) == (0, b'')
    assert not plain.has_blob(D1)


def test_stdin_is_closed(registry, repo):
    done = shell_redirected('<&-', 'get-alias', repo, environ=registry.environ())
    assert done.returncode not in (0, 2)
    assert_one_line(done.stderr)


def test_stderr_is_closed(registry, repo, plain):
    plain.push_blob(ONE)
    done = shell_redirected('2>&-', 'pull-blob', repo, D1, environ=registry.environ())
    assert (done.returncode, done.stdout) == (0, ONE)
    done = shell_redirected('2>&-', 'pull-blob', repo, D2, environ=registry.environ())
    assert (done.returncode, done.stdout) == (2, b'')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='there is no /dev/full here')
def test_stderr_is_full(registry, repo, plain):
    plain.push_blob(ONE)
    for args, code in (
        (['pull-blob', repo, D2], 2),
        (['push-blob', repo, 'no-such-file'], 1),
        (['nonsense'], 2),
        (['pull-blob', repo, D1], 0),
    ):
        done = shell_redirected('2>/dev/full', *args, environ=registry.environ())
        assert done.returncode == code


@pytest.mark.skipif(not os.path.exists('/dev/stdin'), reason='there is no /dev/stdin here')
def test_a_file_by_redirection(registry, repo, plain, tmp_path):
    (tmp_path / 'file').write_bytes(ONE)
    with open(tmp_path / 'file', 'rb') as file:
        done = subprocess.run(
            [sys.executable, '-m', 'dxf', 'push-blob', repo, '/dev/stdin'],
            env=environment(registry.environ()),
            stdin=file,
            capture_output=True,
            timeout=120,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, D1.encode() + b'\n', b'')
    assert plain.get_blob(D1).content == ONE
