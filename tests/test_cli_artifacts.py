"""The commands about artifacts, on each kind of registry: what they print and write."""

from pathlib import Path

import pytest

from dxf.exceptions import DXFConfigurationError, DXFInvalidNameError, DXFNoFilesError
from dxf.parser import parse

from .support.artifacts import artifact, layer
from .support.fakeserver import Answer
from .support.plain import sha256
from .support.shell import Shell, run_doit, run_process

ROOT = str(Path(__file__).resolve().parents[1])
TITLE = 'org.opencontainers.image.title'
CREATED = 'org.opencontainers.image.created'
D = sha256(b'')


def lines(*words):
    return ''.join(f'{word}\n' for word in words).encode()


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with files in it."""
    made = tmp_path / 'here'
    (made / 'folder').mkdir(parents=True)
    (made / 'one').write_bytes(b'one')
    (made / 'co:lon').write_bytes(b'colon')
    (made / 'folder' / 'two').write_bytes(b'two')
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def shell(registry):
    return Shell(run_doit, registry.environ())


@pytest.fixture
def http(registry_http):
    return Shell(run_doit, registry_http.environ())


@pytest.fixture
def own_repo(registry_http):
    return registry_http.new_repo()


def test_push_and_pull(shell, repo, plain, here):
    out = shell.out('push', repo, '@latest', 'one', 'folder', 'co:lon:')
    stored = plain.get_manifest('latest')
    assert out == lines(sha256(stored.content))
    assert [one['annotations'][TITLE] for one in stored.json()['layers']] == [
        'one',
        'folder',
        'co:lon',
    ]
    assert shell.out('pull', repo, '@latest', '-o', 'there') == lines(
        'there/one', 'there/folder', 'there/co:lon'
    )
    assert (here / 'there' / 'folder' / 'two').read_bytes() == b'two'
    assert shell.out('pull', repo, out.decode().strip(), '--output', 'other')
    assert (here / 'other' / 'co:lon').read_bytes() == b'colon'


def test_in_a_shell(registry_http, here):
    def run(*args):
        environ = {**registry_http.environ(), 'PYTHONPATH': ROOT, 'DXF_PROGRESS': '0'}
        done = run_process(*args, environ=environ)
        assert (done.code, done.err) == (0, b'')
        return done.out

    repo = registry_http.new_repo()
    run('push', repo, '@latest', 'one', 'folder')
    (here / 'one').unlink()
    assert run('pull', repo, '@latest') == lines('one', 'folder')
    assert (here / 'one').read_bytes() == b'one'


def test_what_is_said_of_files(http, own_repo, here, registry_http):
    http.out(
        'push', own_repo, '@latest', '--type', 'text/x-things', '--annotation', 'a=b=c',
        'one:text/plain', '--annotation', 'd=', 'folder:text/x-folder',
    )  # fmt: skip
    document = http.out('get-manifest', own_repo, 'latest').decode()
    assert '"artifactType": "text/x-things"' in document
    assert '"mediaType": "text/plain"' in document
    assert '"mediaType": "text/x-folder"' in document
    assert '"a": "b=c", "d": ""' in document


def test_attach_and_list_referrers(shell, repo, here):
    subject = shell.out('push', repo, '@latest', 'one').decode().strip()
    assert shell.out('list-referrers', repo, '@latest') == b''
    digest = shell.out('attach', repo, '@latest', 'folder', '--type', 'a/b').decode().strip()
    other = shell.out('attach', '--type', 'c/d', '--annotation', 'e=f', repo, subject)
    other = other.decode().strip()
    assert shell.out('list-referrers', repo, '@latest') == lines(f'{digest} a/b', f'{other} c/d')
    assert shell.out('list-referrers', repo, subject, '--type', 'c/d') == lines(f'{other} c/d')
    assert shell.out('pull', repo, digest, '-o', 'there') == lines('there/folder')


def test_a_referrer_without_a_type(fake_server):
    body = f'{{"schemaVersion": 2, "manifests": [{{"digest": "{D}", "size": 5}}]}}'
    fake_server.on('GET', '.*', Answer(body=body))
    shell = Shell(run_doit, {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'})
    assert shell.out('list-referrers', 'a', D) == lines(f'{D} -')


def test_what_others_wrote_stays_in_its_line(fake_server, tmp_path):
    text = artifact(layer(b'one', 'o n\ne\x1b[31m'))
    fake_server.on('GET', '/v2/a/manifests/.*', Answer(body=text))
    fake_server.on('GET', '/v2/a/blobs/.*', Answer(body=b'one'))
    entry = {'digest': D, 'size': 5, 'artifactType': 'a/b\nc \x1b'}
    body = {'schemaVersion': 2, 'manifests': [entry]}
    fake_server.on('GET', '/v2/a/referrers/.*', Answer(body=body))
    shell = Shell(run_doit, {'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'})
    assert shell.out('list-referrers', 'a', D) == lines(f'{D} a/b?c??')
    assert shell.out('pull', 'a', '@b', '-o', tmp_path) == lines(f'{tmp_path}/o n?e?[31m')
    assert (tmp_path / 'o n\ne\x1b[31m').read_bytes() == b'one'


def test_progress(http, own_repo, here):
    code, _, err = http('push', own_repo, '@latest', 'one', 'folder', DXF_PROGRESS='1')
    assert code == 0
    assert sha256(b'one')[:8] in err.decode()
    assert '3/3' in err.decode()
    code, _, err = http('pull', own_repo, '@latest', '-o', 'there', DXF_PROGRESS='1')
    assert code == 0
    assert '3/3' in err.decode()


def test_a_platform(http, own_repo, here):
    http.out('push', own_repo, '@latest', 'one')
    # It has no effect where there is but one.
    assert http.out('pull', own_repo, '@latest', DXF_PLATFORM='a/b') == lines('one')


@pytest.mark.parametrize(
    ('message', 'args'),
    [
        (b'too few arguments', ['push']),
        (b'too few arguments', ['push', 'a/b']),
        (b'too few arguments', ['pull', 'a/b']),
        (b'too few arguments', ['attach', 'a/b', '@c', 'file']),
        (b'too few arguments', ['list-referrers', 'a/b']),
        (b'too many arguments', ['pull', 'a/b', '@c', '@d']),
        (b'too many arguments', ['pull', 'a/b', '@c', '-o', 'e', '@d']),
        (b'too many arguments', ['list-referrers', '--type', 't', 'a/b', '@c', '@d']),
        (b'invalid alias', ['push', 'a/b', 'c', 'file']),
        (b'invalid alias', ['push', 'a/b', '@']),
    ],
)
def test_wrong_usage(fake_server, message, args):
    result = run_doit(*args, environ={'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'})
    assert (result.code, result.out) == (2, b'')
    assert message in result.err
    assert fake_server.requests == []


@pytest.mark.parametrize(
    ('error', 'args'),
    [
        (DXFInvalidNameError, ['push', 'a/b', '@a b']),
        (DXFInvalidNameError, ['push', 'a/b', '@c', 'one:two']),
        (DXFInvalidNameError, ['push', 'a/b', '@c', '--type', 'things']),
        (DXFInvalidNameError, ['pull', 'a/b', 'c']),
        (DXFInvalidNameError, ['attach', 'a/b', 'c', '--type', 'd/e']),
        (DXFInvalidNameError, ['list-referrers', 'a/b', 'c']),
        (DXFConfigurationError, ['push', 'a/b', '@c', '--annotation', 'd']),
        (DXFConfigurationError, ['push', 'a/b', '@c', '--annotation', '=d']),
        (
            DXFConfigurationError,
            ['push', 'a/b', '@c', '--annotation', 'd=', '--annotation', 'd=e'],
        ),
    ],
)
def test_what_can_t_be_meant(fake_server, here, error, args):
    with pytest.raises(error):
        run_doit(*args, environ={'DXF_HOST': fake_server.host, 'DXF_INSECURE': '1'})
    assert fake_server.requests == []


def test_what_is_not_there(http, own_repo):
    code, out, err = http('pull', own_repo, '@latest')
    assert (code, out) == (2, b'')
    assert b'Not Found' in err


def test_nothing_with_a_name(http, own_repo):
    http.out('push', own_repo, '@latest')
    with pytest.raises(DXFNoFilesError):
        http('pull', own_repo, '@latest')


@pytest.mark.parametrize(
    'args',
    [
        ['--type', 't', '--annotation', 'x', '--annotation', 'y', 'a/b', '@c', 'd', 'e'],
        ['a/b', '@c', '--type', 't', 'd', '--annotation', 'x', 'e', '--annotation', 'y'],
        ['a/b', '@c', 'd', '--annotation', 'x', '--type=t', '--annotation=y', 'e'],
    ],
)
def test_options_may_stand_anywhere(args):
    for command in ('push', 'attach'):
        assert parse([command, *args]) == (
            command,
            'a/b',
            ['@c', 'd', 'e'],
            {'artifact_type': 't', 'annotations': ['x', 'y']},
        )
    assert parse(['push', 'a/b', '@c']).options == {}
