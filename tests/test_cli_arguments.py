"""No arguments, a manifest on stdin, and the order of asking and printing."""

import errno
import json

import pytest

from dxf.exceptions import DXFError
from dxf.main import doit

from .support.fakeserver import Answer
from .support.flavours import Flavour
from .support.plain import PlainClient, schema2, sha256
from .support.shell import run_doit

ONE = b'the first blob\n'
TWO = b'the second'
D1 = sha256(ONE)
D2 = sha256(TWO)
MISSING = sha256(b'never pushed')


@pytest.fixture
def registry(registry_http):
    return registry_http


@pytest.mark.parametrize('command', ['get-manifest', 'del-alias'])
def test_an_empty_list_of_aliases_prints_nothing(shell, repo, command):
    # The repository does not even exist.
    assert shell.out(command, repo) == b''


def test_stdin(shell, repo, plain):
    for content in (b'{}', ONE, TWO):
        plain.push_blob(content)
    # It is nowhere in the registry, and need not be.
    text = schema2(b'{}', TWO, ONE, TWO).encode()
    assert shell.out('pull-blob', repo, stdin=text) == TWO + ONE + TWO
    assert shell.out('blob-size', repo, stdin=text) == b'%d\n' % (2 * len(TWO) + len(ONE))
    assert shell.out('get-alias', repo, stdin=text) == f'{D2}\n{D1}\n{D2}\n'.encode()
    assert shell.out('get-digest', repo, stdin=text) == f'{sha256(b"{}")}\n'.encode()
    assert shell.out('del-blob', repo, stdin=text) == b''
    assert [plain.has_blob(d) for d in (D1, D2, sha256(b'{}'))] == [False, False, True]


@pytest.mark.parametrize('command', ['blob-size', 'get-alias', 'get-digest'])
def test_a_manifest_on_stdin_is_all_that_is_needed(fake_server, command):
    environ = {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'}
    text = schema2(ONE, TWO).encode()
    assert run_doit(command, 'a/b', environ=environ, stdin=text).code == 0
    assert fake_server.requests == []


@pytest.mark.parametrize(
    'command', ['pull-blob', 'blob-size', 'del-blob', 'get-alias', 'get-digest']
)
def test_with_arguments_stdin_is_left_alone(repo, plain, registry, command):
    plain.push_alias('latest', ONE)
    argument = 'latest' if command.startswith('get') else '@latest'
    result = run_doit(command, repo, argument, environ=registry.environ(), stdin=b'no manifest')
    assert (result.code, result.err) == (0, b'')


@pytest.mark.parametrize(
    ('command', 'present', 'missing'),
    [
        ('pull-blob', D1, '@missing'),
        ('pull-blob', '@latest', '@missing'),
        ('blob-size', D1, MISSING),
        ('blob-size', '@latest', '@missing'),
        ('get-alias', 'latest', 'missing'),
        ('get-digest', 'latest', 'missing'),
    ],
)
def test_all_arguments_are_resolved_before_anything_is_printed(
    shell, repo, plain, command, present, missing
):
    plain.push_alias('latest', ONE)
    code, out, err = shell(command, repo, present, missing)
    assert (code, out) == (errno.ENOENT, b'')
    assert b'Not Found' in err


@pytest.mark.parametrize(
    ('command', 'arguments'),
    [
        ('pull-blob', [MISSING]),
        ('pull-blob', ['@missing']),
        ('blob-size', [MISSING]),
        ('blob-size', ['@missing']),
        ('del-blob', [MISSING]),
        ('del-blob', ['@missing']),
        ('set-alias', ['new', MISSING]),
        ('get-alias', ['missing']),
        ('del-alias', ['missing']),
        ('get-digest', ['missing']),
        ('get-manifest', ['missing']),
        ('list-aliases', []),
    ],
)
def test_what_is_not_there(shell, registry, command, arguments):
    code, out, err = shell(command, registry.new_repo('nothing'), *arguments)
    assert (code, out) == (errno.ENOENT, b'')
    assert b'Not Found' in err
    assert err.startswith(b'dxf: ')
    assert err.count(b'\n') == 1


def test_what_is_printed_before_a_failure_stays(shell, repo, plain):
    text = plain.push_alias('latest', ONE)
    code, out, _ = shell('get-manifest', repo, 'latest', 'missing')
    assert (code, out) == (errno.ENOENT, text.encode())


def test_a_digest_is_an_alias_too(shell, repo, plain):
    text = plain.push_alias('latest', ONE, TWO)
    digest = sha256(text.encode())
    assert shell.out('pull-blob', repo, f'@{digest}') == ONE + TWO
    assert shell.out('del-alias', repo, digest) == f'{D1}\n{D2}\n'.encode()


@pytest.mark.parametrize('path', ['./file', 'folder/../file', '{folder}/file'])
def test_a_path_separator_makes_a_file(repo, plain, registry, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'file').write_bytes(ONE)
    plain.push_blob(ONE)
    path = path.format(folder=tmp_path)
    result = run_doit('set-alias', repo, 'latest', path, environ=registry.environ())
    assert result.code == 0
    assert json.loads(result.out)['layers'][0]['digest'] == D1


def test_without_a_path_separator_it_is_no_file(repo, registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'file').write_bytes(ONE)
    with pytest.raises(DXFError, match='invalid digest'):
        run_doit('set-alias', repo, 'latest', 'file', environ=registry.environ())


@pytest.mark.parametrize(
    ('key', 'path'), [('tags', '/v2/a/b/tags/list'), ('repositories', '/v2/_catalog')]
)
def test_names_are_printed_as_pages_arrive(fake_server, monkeypatch, key, path):
    """The first page is out before the second one is asked for."""
    written = []

    class Out:
        def write(self, text):
            written.append(text)

        def flush(self):
            written.append('flush')

    before_second = []

    def first(request):
        return Answer(
            body={'name': 'a/b', key: ['one', 'two']},
            headers={'Link': f'<{path}?n=2&last=two>; rel="next"'},
        )

    def second(request):
        before_second.extend(written)
        return Answer(body={'name': 'a/b', key: ['three']})

    fake_server.on('GET', path, first)
    fake_server.on('GET', path + r'\?n=2&last=two', second)
    monkeypatch.setattr('sys.stdout', Out())
    command = ['list-aliases', 'a/b'] if key == 'tags' else ['list-repos']
    assert doit(command, {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'}) == 0
    assert ''.join(text for text in before_second if text != 'flush') == 'one\ntwo\n'
    assert before_second[-1] == 'flush'
    assert ''.join(text for text in written if text != 'flush') == 'one\ntwo\nthree\n'


def test_more_repositories_than_a_page(make_registry, run):
    """The registry gives a hundred at a time, unless asked for more."""
    flavour = Flavour('many', make_registry(), insecure=True)
    names = [f'many/r{number:03}' for number in range(203)]
    for name in names:
        with PlainClient(flavour, name) as client:
            client.push_alias('latest', ONE)
    result = run('list-repos', environ=flavour.environ())
    assert result == (0, ''.join(f'{name}\n' for name in names).encode(), b'')
