"""Artifacts between dxf and the programs that others wrote, in both directions."""

import gzip
import io
import json
import subprocess
import tarfile

import pytest

from .support import tools
from .support.artifacts import client, keeper, tree
from .support.layouts import TOOL_SECONDS

# Registries with the referrers endpoint and without it.
KINDS = ('http', 'distribution', 'ocimem')


class Tool:
    """A program that is run in a folder, to which the names of files are relative."""

    def __init__(self, name, host):
        self._path = tools.need_built(name)
        self.host = host

    def run(self, folder, *words):
        done = subprocess.run(
            [self._path, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TOOL_SECONDS,
            env={**tools.ENVIRON, 'HOME': str(folder.parent / 'home')},
            cwd=str(folder),
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout.decode()


class Oras(Tool):
    def __init__(self, host):
        super().__init__('oras', host)

    def push(self, folder, repo, tag, names, kind='text/x-test'):
        self.run(
            folder, 'push', '--plain-http', '--artifact-type', kind,
            f'{self.host}/{repo}:{tag}', *names,
        )  # fmt: skip

    def pull(self, folder, repo, tag):
        self.run(folder, 'pull', '--plain-http', f'{self.host}/{repo}:{tag}', '-o', folder)

    def attach(self, folder, repo, tag, names, kind):
        self.run(
            folder, 'attach', '--plain-http', '--artifact-type', kind,
            f'{self.host}/{repo}:{tag}', *names,
        )  # fmt: skip

    def referrers(self, folder, repo, tag):
        out = self.run(
            folder, 'discover', '--plain-http', '--format', 'json', f'{self.host}/{repo}:{tag}'
        )
        return {one['digest']: one['artifactType'] for one in json.loads(out)['referrers'] or []}


class Regctl(Tool):
    def __init__(self, host):
        super().__init__('regctl', host)

    def _run(self, folder, *words):
        return self.run(folder, *words[:2], '--host', f'reg={self.host},tls=disabled', *words[2:])

    def _put(self, folder, names, kind, *words):
        files = [word for name in names for word in ('-f', name, '-m', 'text/x-file')]
        self._run(
            folder, 'artifact', 'put', '--artifact-type', kind, '--file-title', *files, *words
        )

    def push(self, folder, repo, tag, names, kind='text/x-test'):
        self._put(folder, names, kind, f'{self.host}/{repo}:{tag}')

    def pull(self, folder, repo, tag):
        self._run(folder, 'artifact', 'get', f'{self.host}/{repo}:{tag}', '-o', folder)

    def attach(self, folder, repo, tag, names, kind):
        self._put(folder, names, kind, '--subject', f'{self.host}/{repo}:{tag}')

    def referrers(self, folder, repo, tag):
        out = self._run(
            folder, 'artifact', 'list', '--format', '{{json .Descriptors}}',
            f'{self.host}/{repo}:{tag}',
        )  # fmt: skip
        return {one['digest']: one['artifactType'] for one in json.loads(out) or []}


@pytest.fixture(scope='module', params=KINDS)
def flavour(request, tmp_path_factory):
    with keeper(request, request.param, tmp_path_factory) as made:
        yield made


@pytest.fixture
def repo(flavour):
    return flavour.new_repo('interop')


@pytest.fixture
def files(flavour, repo):
    with client(flavour, repo) as made:
        yield made


@pytest.fixture(params=[Oras, Regctl], ids=['oras', 'regctl'])
def tool(request, flavour):
    return request.param(flavour.host)


@pytest.fixture
def oras(flavour):
    return Oras(flavour.host)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with files in it."""
    made = tmp_path / 'here'
    (made / 'sub').mkdir(parents=True)
    (made / 'one').write_bytes(b'one')
    (made / 'empty').write_bytes(b'')
    (made / 'sub' / 'two and ü').write_bytes(b'two')
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def there(tmp_path):
    made = tmp_path / 'there'
    made.mkdir()
    return made


NAMES = ['one', 'empty', 'sub/two and ü']


@pytest.fixture
def folder(here):
    made = here / 'folder'
    (made / 'inner' / 'empty').mkdir(parents=True)
    (made / 'program').write_bytes(b'#!/bin/sh\n')
    (made / 'program').chmod(0o755)
    (made / 'secret').write_bytes(b'secret')
    (made / 'secret').chmod(0o600)
    (made / 'inner' / 'closed').write_bytes(b'read me')
    (made / 'inner' / 'closed').chmod(0o444)
    (made / 'inner' / 'up').symlink_to('../program')
    (made / 'link').symlink_to('inner')
    (made / 'dangling').symlink_to('nothing')
    (made / ('long' * 50)).write_bytes(b'a long name')
    (made / 'inner' / 'empty').chmod(0o700)
    return made


def test_others_pull_what_dxf_pushes(files, repo, tool, here, there):
    files.push('latest', NAMES, 'text/x-test')
    tool.pull(there, repo, 'latest')
    for name in NAMES:
        assert (there / name).read_bytes() == (here / name).read_bytes()


def test_dxf_pulls_what_others_push(files, repo, tool, here, there):
    tool.push(here, repo, 'latest', NAMES)
    assert files.pull('latest', there) == [str(there / name) for name in NAMES]
    for name in NAMES:
        assert (there / name).read_bytes() == (here / name).read_bytes()


def test_oras_pulls_the_folders_that_dxf_pushes(files, repo, oras, here, folder, there):
    files.push('latest', ['folder'])
    oras.pull(there, repo, 'latest')
    assert tree(there / 'folder') == tree(folder)


def test_dxf_pulls_the_folders_that_oras_pushes(files, repo, oras, here, folder, there):
    oras.push(here, repo, 'latest', ['folder', 'folder/inner/empty', 'folder/secret'])
    files.pull('latest', there)
    assert tree(there / 'folder') == tree(folder)


def test_the_working_folder(files, repo, oras, here, folder, there, tmp_path):
    files.push('ours', ['.'])
    oras.pull(there, repo, 'ours')
    assert tree(there) == tree(here)
    oras.push(here, repo, 'theirs', ['.'])
    files.pull('theirs', tmp_path / 'other')
    assert tree(tmp_path / 'other') == tree(here)


def test_oras_and_dxf_make_the_same_of_a_folder(flavour, files, repo, oras, here, folder):
    """But for how it is compressed."""
    files.push('ours', ['folder'])
    oras.push(here, repo, 'theirs', ['folder'])
    made = []
    for alias in ('ours', 'theirs'):
        content = b''.join(files.pull_blob(files.get_alias(alias)[0]))
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as tar:
            made.append(
                {
                    info.name: (info.type, info.mode, int(info.mtime), info.linkname, info.size)
                    for info in tar
                }
            )
            for info in tar:
                assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, '', '')
    assert made[0] == made[1]


def test_others_find_what_dxf_attaches(files, repo, tool, here):
    files.push('latest', ['one'])
    assert tool.referrers(here, repo, 'latest') == {}
    digest = files.attach('latest', ['empty'], 'text/x-signature')
    assert tool.referrers(here, repo, 'latest') == {digest: 'text/x-signature'}


def test_dxf_finds_what_others_attach(files, repo, tool, here):
    files.push('latest', ['one'])
    tool.attach(here, repo, 'latest', ['empty'], 'text/x-signature')
    (found,) = files.list_referrers('latest')
    assert found.artifact_type == 'text/x-signature'
    assert found.digest in tool.referrers(here, repo, 'latest')


def test_all_attach_to_the_same(flavour, files, repo, here):
    files.push('latest', ['one'])
    everyone = [Oras(flavour.host), Regctl(flavour.host)]
    wanted = {files.attach('latest', ['one'], 'text/x-0'): 'text/x-0'}
    for number, tool in enumerate(everyone, 1):
        tool.attach(here, repo, 'latest', ['empty'], f'text/x-{number}')
    wanted[files.attach('latest', ['one'], 'text/x-3')] = 'text/x-3'
    found = {one.digest: one.artifact_type for one in files.list_referrers('latest')}
    assert wanted.items() <= found.items()
    assert sorted(found.values()) == [f'text/x-{number}' for number in range(4)]
    for tool in everyone:
        assert tool.referrers(here, repo, 'latest') == found


def test_regctl_makes_of_dxf_s_folders_what_it_makes_of_oras_s(
    flavour, files, repo, oras, here, folder, tmp_path
):
    """It has ways of its own with links, permissions and names, whoever packed them."""
    files.push('ours', ['folder'])
    oras.push(here, repo, 'theirs', ['folder'])
    for alias in ('ours', 'theirs'):
        (tmp_path / alias).mkdir()
        Regctl(flavour.host).pull(tmp_path / alias, repo, alias)
    assert tree(tmp_path / 'ours') == tree(tmp_path / 'theirs')
    contents = [made[0] for made in tree(tmp_path / 'ours').values()]
    assert b'#!/bin/sh\n' in contents


def test_what_regctl_has_packed_is_a_file(flavour, files, repo, oras, here, folder, tmp_path):
    """It does not say that it is to be unpacked, and oras leaves it, too."""
    Regctl(flavour.host).push(here, repo, 'latest', ['folder'])
    assert files.pull('latest', tmp_path / 'ours') == [str(tmp_path / 'ours' / 'folder')]
    (tmp_path / 'theirs').mkdir()
    oras.pull(tmp_path / 'theirs', repo, 'latest')
    assert tree(tmp_path / 'ours') == tree(tmp_path / 'theirs')
