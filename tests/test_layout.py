"""A folder of image layouts under the client: it does all that a registry does."""

import errno
import inspect
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from jwcrypto.jwk import JWK

import dxf
from dxf.layout import BASE_URL, LayoutAdapter

from .support import operations
from .support.client import (
    OCI_INDEX,
    OCI_MANIFEST,
    SIGNED_SCHEMA1,
    Image,
    index,
    oci_manifest,
)
from .support.layouts import (
    LayoutFlavour,
    LayoutPlain,
    check_layout,
    files,
    listed,
    names,
    read_index,
    write_blob,
    write_layout,
)
from .support.plain import SCHEMA2, schema2, sha256
from .support.schema1 import sign
from .support.shell import Shell, run_process
from .test_client_registry import use

TOP = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'layouts'


@pytest.fixture
def flavour(folder):
    return LayoutFlavour(folder)


@pytest.fixture
def client(flavour):
    with flavour.client('some/data') as made:
        yield made


@pytest.fixture
def plain(flavour):
    with flavour.plain('some/data') as made:
        yield made


def status(excinfo):
    return excinfo.value.response.status_code


def test_all_of_it(client, plain):
    use(client, plain)


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('name', sorted(operations.OPERATIONS))
def test_every_operation(monkeypatch, flavour, tmp_path, name, seed):
    monkeypatch.setattr(operations, 'PlainClient', LayoutPlain)
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    world = operations.World(flavour, scratch, random.Random(f'{name} {seed}'))
    operation = operations.OPERATIONS[name](world)
    client = flavour.client(world.repo)
    result = next(operation)(client)
    with pytest.raises(StopIteration):
        operation.send(result)
    world.nothing_is_misnamed()
    for found in flavour.folder.rglob('oci-layout'):
        check_layout(found.parent)


def test_every_operation_is_tried():
    assert len(operations.OPERATIONS) > 20
    assert all(inspect.isgeneratorfunction(one) for one in operations.OPERATIONS.values())


def test_constructing_touches_nothing(folder, flavour):
    LayoutAdapter(folder)
    with dxf.DXFBase(flavour.host) as base:
        dxf.DXF.from_base(base, 'a')
    assert not folder.exists()


@pytest.fixture
def shell(flavour, run):
    return Shell(run, flavour.environ())


def test_the_command_line(shell, folder, tmp_path):
    file = tmp_path / 'file'
    file.write_bytes(b'content')
    digest = sha256(b'content')
    assert shell.out('push-blob', 'a/b', file, '@v1') == digest.encode() + b'\n'
    assert shell.out('pull-blob', 'a/b', '@v1') == b'content'
    assert shell.out('blob-size', 'a/b', '@v1') == b'7\n'
    assert shell.out('get-alias', 'a/b', 'v1') == digest.encode() + b'\n'
    assert shell.out('mount-blob', 'c', 'a/b', digest) == digest.encode() + b'\n'
    assert shell.out('list-repos') == b'a/b\nc\n'
    assert shell.out('list-aliases', 'a/b') == b'v1\n'
    assert shell.out('auth', 'a/b', 'pull') == b''
    assert shell.out('del-alias', 'a/b', 'v1') == digest.encode() + b'\n'
    assert shell.out('del-blob', 'a/b', digest) == b''
    code, out, err = shell('blob-size', 'a/b', digest)
    assert (code, out) == (errno.ENOENT, b'')
    assert b'Not Found' in err
    check_layout(folder / 'a' / 'b')


def test_what_has_no_meaning_here(folder, tmp_path):
    """Settings that say how to reach a registry do no harm."""
    client = dxf.DXF(
        f'oci:{folder}',
        'a',
        lambda *_: pytest.fail('nobody asks'),
        True,
        'auth.invalid',
        '/none',
        1,
    )
    client.token = 'secret'
    client.set_alias('v1', client.push_blob(data=b'content'))
    assert client.get_alias('v1') == [sha256(b'content')]
    assert client.authenticate('user', 'password') is None


def test_a_path_of_any_kind(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    for path in (folder, str(folder), os.fsencode(folder), 'layouts'):
        session = requests.Session()
        session.mount(BASE_URL, LayoutAdapter(path))
        assert session.get(BASE_URL + 'v2/_catalog').json() == {'repositories': []}
        write_layout(folder / 'a')
        assert session.get(BASE_URL + 'v2/_catalog').json() == {'repositories': ['a']}
        (folder / 'a' / 'oci-layout').unlink()


def test_a_relative_path_stays_what_it_was(tmp_path, monkeypatch):
    write_layout(tmp_path / 'layouts' / 'a')
    monkeypatch.chdir(tmp_path)
    adapter = LayoutAdapter('layouts')
    monkeypatch.chdir('/')
    session = requests.Session()
    session.mount(BASE_URL, adapter)
    assert session.get(BASE_URL + 'v2/_catalog').json() == {'repositories': ['a']}


def test_reading_what_is_not_there(client, folder):
    assert client.list_repos() == []
    assert client.api_version_check()[1].status_code == 200
    for read in (
        client.list_aliases,
        lambda: client.get_manifest('latest'),
        lambda: client.blob_size(sha256(b'')),
        lambda: client.pull_blob(sha256(b'')),
        lambda: client.del_blob(sha256(b'')),
        lambda: client.del_alias('latest'),
    ):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            read()
        assert status(e) == 404
        # The answer to a HEAD has no words.
        if e.value.request.method != 'HEAD':
            assert f'NAME_UNKNOWN: there is no image layout in {folder}' in str(e.value)
    assert not folder.exists()


def test_reading_writes_nothing(client, plain, folder):
    text = plain.push_alias('latest', b'one', b'two')
    before = files(folder)
    client.get_manifest('latest')
    client.get_alias('latest', sizes=True)
    client.head_manifest_and_response(sha256(text.encode()))
    client.list_aliases()
    client.list_repos()
    client.blob_size(sha256(b'one'))
    assert b''.join(client.pull_blob(sha256(b'one'))) == b'one'
    plain.repo_request('GET', 'referrers/' + sha256(text.encode()))
    with pytest.raises(requests.exceptions.HTTPError):
        client.get_manifest('none')
    assert files(folder) == before


def test_what_a_push_makes(client, folder):
    digest = client.push_blob(data=b'content')
    text = client.set_alias('latest', digest)
    layout = folder / 'some' / 'data'
    check_layout(layout)
    assert {path for path in files(layout) if not path.startswith('.')} == {
        'oci-layout',
        'index.json',
        'blobs',
        'blobs/sha256',
        'blobs/sha256/' + digest[7:],
        'blobs/sha256/' + sha256(text.encode())[7:],
    }
    assert names(layout) == {'latest': sha256(text.encode())}
    # Nothing is left of what was being written.
    assert list(layout.glob('.dxf/uploads/*')) == []


def test_a_blob_may_be_all_that_there_is(client, folder):
    client.push_blob(data=b'content')
    check_layout(folder / 'some' / 'data')
    assert read_index(folder / 'some' / 'data')['manifests'] == []
    assert client.list_repos() == ['some/data']
    assert client.list_aliases() == []


def test_large_blobs_in_constant_memory(client, tmp_path):
    import resource

    path = tmp_path / 'large'
    with open(path, 'wb') as file:
        for i in range(24):
            file.write(bytes([i]) * (4 << 20))
    client.push_blob(data=b'warm')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    digest = client.push_blob(str(path))
    pulled = sum(len(chunk) for chunk in client.pull_blob(digest, chunk_size=1 << 20))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert pulled == 96 << 20
    assert grown < 32 << 10  # in KiB


def test_pushing_a_stream(client, plain):
    content = os.urandom(9_500_000)
    digest = client.push_blob(
        data=(content[i : i + 70_001] for i in range(0, len(content), 70_001))
    )
    assert digest == sha256(content)
    assert plain.get_blob(digest).content == content


def test_what_is_raised_by_the_content_comes_through(client, folder):
    def broken():
        yield b'some'
        raise OSError(28, 'the disk of somebody else')

    with pytest.raises(OSError, match='somebody else'):
        client.push_blob(data=broken(), digest=sha256(b'never'), check_exists=False)
    with pytest.raises(ZeroDivisionError):
        client.push_blob(data=(bytes(1 // n) for n in (1, 0)), check_exists=False)
    assert list(folder.rglob('blobs')) == []


def test_another_repository_of_the_same_base(flavour, folder):
    with dxf.DXFBase(flavour.host) as base:
        one, two = dxf.DXF.from_base(base, 'a'), dxf.DXF.from_base(base, 'a/b')
        digest = one.push_blob(data=b'content')
        assert two.mount_blob('a', digest) == digest
        assert b''.join(two.pull_blob(digest)) == b'content'
        assert base.list_repos() == ['a', 'a/b']
    path = os.path.join('blobs', 'sha256', digest[7:])
    assert os.path.samefile(folder / 'a' / path, folder / 'a' / 'b' / path)
    # They are each repository's own all the same.
    one.del_blob(digest)
    assert b''.join(two.pull_blob(digest)) == b'content'


def test_a_refused_mount_leaves_nothing(flavour, folder):
    flavour.client('a').push_blob(data=b'content')
    with pytest.raises(dxf.exceptions.DXFMountFailed):
        flavour.client('b').mount_blob('a', sha256(b'other'))
    assert flavour.client('b').list_repos() == ['a']
    assert list(folder.glob('b/.dxf/uploads/*')) == []


def test_mounting_where_links_cannot_be_made(flavour, folder, monkeypatch):
    def link(*_):
        raise OSError(18, 'another device')

    monkeypatch.setattr(os, 'link', link)
    flavour.client('a').push_blob(data=b'content')
    digest = flavour.client('b').mount_blob('a', sha256(b'content'))
    path = os.path.join('blobs', 'sha256', digest[7:])
    assert not os.path.samefile(folder / 'a' / path, folder / 'b' / path)
    check_layout(folder / 'b')


def test_without_locks(monkeypatch, client, plain):
    """As on Windows, where there are others."""
    monkeypatch.setattr('dxf.layout.storage.fcntl', None)
    use(client, plain)


def test_it_does_not_know_the_client():
    code = 'import sys, dxf.layout; print(*(m for m in sys.modules if m.startswith("dxf.")))'
    done = subprocess.run(
        [sys.executable, '-c', code], stdout=subprocess.PIPE, cwd=TOP, check=True
    )
    loaded = set(done.stdout.decode().split())
    assert 'dxf.layout.adapter' in loaded
    assert not loaded & {'dxf.client', 'dxf.base', 'dxf.transport', 'dxf.main'}


# Names


@pytest.mark.parametrize(
    'repo', ['blobs', 'a/blobs', 'blobs/a', 'a/oci-layout/b', 'index.json', 'a/index.json']
)
def test_names_that_a_layout_has_for_itself(flavour, folder, repo):
    client = flavour.client(repo)
    for use_it in (client.list_aliases, lambda: client.push_blob(data=b'')):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            use_it()
        assert status(e) == 400
        if e.value.request.method != 'HEAD':
            assert 'NAME_INVALID: no part of a repository' in str(e.value)
    assert not folder.exists()


def test_names_that_windows_has_for_itself(flavour, monkeypatch):
    for repo in ('nul', 'a/con', 'com1.txt', 'a/lpt9/b'):
        monkeypatch.setattr('dxf.layout.folder._ON_WINDOWS', False)
        flavour.client(repo).push_blob(data=b'content')
        monkeypatch.setattr('dxf.layout.folder._ON_WINDOWS', True)
        with pytest.raises(requests.exceptions.HTTPError, match='NAME_INVALID: no folder can be'):
            flavour.client(repo).list_aliases()
    flavour.client('console/com/nulls').push_blob(data=b'content')


def test_no_folder():
    with pytest.raises(dxf.exceptions.DXFInvalidNameError, match='give a folder, as in oci:'):
        dxf.DXF('oci:', 'a')
    with pytest.raises(dxf.exceptions.DXFInvalidNameError, match='give a folder, as in oci:'):
        dxf.DXFBase('oci:')
    code, _, err = Shell(run_process, {'DXF_HOST': 'oci:'})('list-repos')
    assert code == 1
    assert b'give a folder, as in oci:./store' in err


def test_the_user_s_home(tmp_path, monkeypatch):
    """No shell expands it in a quoted word, nor in a program."""
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.chdir(tmp_path)
    client = dxf.DXF('oci:~/store', 'a')
    client.push_blob(data=b'content')
    check_layout(tmp_path / 'home' / 'store' / 'a')
    assert client._host == 'oci:~/store'
    dxf.DXF('oci:./~', 'b').push_blob(data=b'content')
    check_layout(tmp_path / '~' / 'b')


@pytest.mark.parametrize(
    'path', ['store', './store', 'store/', 'x/../store', '{}/store', '~/store', './/store//']
)
def test_what_is_typed(path, tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'file').write_bytes(b'content')
    shell = Shell(run, {'DXF_HOST': 'oci:' + path.format(tmp_path), 'HOME': str(tmp_path)})
    shell.out('push-blob', 'a/b', 'file', '@v1')
    assert shell.out('list-repos') == b'a/b\n'
    check_layout(tmp_path / 'store' / 'a' / 'b')


@pytest.mark.parametrize(
    'path',
    [
        '..%2f..%2fetc/manifests/latest',
        '%2e%2e/%2e%2e/x/manifests/latest',
        'a/%2e%2e/b/manifests/latest',
        'a/../../../b/manifests/latest',
        '.dxf/manifests/latest',
        'A/manifests/latest',
        'a//b/manifests/latest',
        '/a/manifests/latest',
        'a%00/manifests/latest',
        'a/%5c/manifests/latest',
        'a%5c..%5c/manifests/latest',
    ],
)
def test_no_name_leads_out_of_the_folder(folder, path):
    for method in ('GET', 'PUT', 'DELETE'):
        request = requests.Request(method, BASE_URL, data=b'{}').prepare()
        # As it stands: requests would make a plainer path of some.
        request.url = f'{BASE_URL}v2/{path}'
        answer = LayoutAdapter(folder).send(request)
        assert answer.status_code == 400, answer.text
        assert answer.json()['errors'][0]['code'] == 'NAME_INVALID'
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize('digest', ['sha256:..', 'sha256:%2e%2e%2f%2e%2e', '..:a', 'sha256:a%2fb'])
def test_no_digest_leads_out_of_the_folder(plain, digest):
    plain.push_blob(b'content')
    for kind in ('blobs', 'manifests', 'referrers'):
        for method in ('GET', 'HEAD', 'DELETE'):
            assert plain.repo_request(method, f'{kind}/{digest}').status_code in (400, 404, 405)


def test_repositories_in_repositories(flavour):
    every = ['a', 'a/b', 'a/b/c', 'a-b', 'b/c']
    for repo in every:
        client = flavour.client(repo)
        client.set_alias(repo.replace('/', '_'), client.push_blob(data=repo.encode()))
    for repo in every:
        assert flavour.client(repo).list_aliases() == [repo.replace('/', '_')]
    assert flavour.client('a').list_repos() == sorted(every)


def test_what_else_is_in_the_folder(flavour, folder):
    write_layout(folder / 'a')
    write_layout(folder / 'Not-A-Name')
    write_layout(folder / '.hidden')
    write_layout(folder / 'a' / 'blobs' / 'b')
    (folder / 'empty').mkdir()
    (folder / 'file').write_text('')
    (folder / 'link').symlink_to(folder / 'a')
    (folder / 'loop').symlink_to(folder)
    assert flavour.client('a').list_repos() == ['a', 'link']
    assert flavour.client('link').list_aliases() == []


# A folder that is a layout itself


def test_a_folder_that_is_a_layout(tmp_path):
    layout = tmp_path / 'image'
    write_blob(layout, b'config')
    write_blob(layout, b'layer')
    text = oci_manifest(b'config', b'layer')
    write_layout(layout, listed(layout, text, 'v1'))
    flavour = LayoutFlavour(layout)
    client = flavour.client('image')
    assert client.list_repos() == ['image']
    assert client.list_aliases() == ['v1']
    assert client.get_manifest('v1') == text
    client.set_alias('v2', client.push_blob(data=b'more'))
    assert set(names(layout)) == {'v1', 'v2'}
    # Others may be in it.
    flavour.client('other').push_blob(data=b'more')
    assert client.list_repos() == ['image', 'other']
    check_layout(layout)
    check_layout(layout / 'other')
    with pytest.raises(requests.exceptions.HTTPError) as e:
        flavour.client('wrong').list_aliases()
    assert 'the folder is a layout itself, the repository image' in str(e.value)


@pytest.mark.parametrize('name', ['Image', '.image', 'blobs'])
def test_a_layout_whose_name_is_no_repository_s(tmp_path, name):
    write_layout(tmp_path / name, listed(tmp_path / name, '{"schemaVersion": 2}', 'v1'))
    client = LayoutFlavour(tmp_path / name).client('layout')
    assert client.list_repos() == ['layout']
    assert client.list_aliases() == ['v1']


# What is stored


@pytest.mark.parametrize(
    ('media_type', 'make'), [(SCHEMA2, schema2), (OCI_MANIFEST, oci_manifest)]
)
def test_manifests_byte_for_byte(client, plain, media_type, make):
    plain.push_blob(b'config')
    plain.push_blob(b'layer')
    text = make(b'config', b'layer').replace(', ', ' ,\n ')
    client.set_manifest('latest', text)
    assert client.get_manifest('latest') == text
    assert client.get_manifest(sha256(text.encode())) == text
    answer = client.get_manifest_and_response('latest')[1]
    assert answer.headers['Content-Type'] == media_type
    assert answer.headers['Docker-Content-Digest'] == sha256(text.encode())


def test_a_multi_arch_alias_is_one_entry(client, plain, folder):
    images = [Image('linux/amd64'), Image('linux/arm64')]
    for image in images:
        image.push(plain)
    layout = folder / 'some' / 'data'
    assert len(read_index(layout)['manifests']) == 2
    text = index(*(image.entry() for image in images))
    client.set_manifest('latest', text)
    assert [entry['digest'] for entry in read_index(layout)['manifests']] == [
        sha256(text.encode())
    ]
    assert client.get_manifest('latest') == {image.platform: image.text for image in images}
    # Its manifests are there without it.
    assert client.del_alias('latest') == {image.platform: image.digest for image in images}
    assert client.list_aliases() == []
    assert client.get_manifest(images[0].digest) == images[0].text
    assert [e['digest'] for e in read_index(layout)['manifests']] == [i.digest for i in images]
    for image in images:
        assert client.del_alias(image.digest) == image.layer_digests
    assert read_index(layout)['manifests'] == []
    check_layout(layout)


def test_what_two_indexes_list(client, plain, folder):
    image = Image('linux/amd64')
    image.push(plain)
    one, two = index(image.entry()), index(image.entry(), annotations={'second': 'yes'})
    client.set_manifest('one', one)
    client.set_manifest('two', two)
    client.del_alias('one')
    layout = folder / 'some' / 'data'
    assert names(layout) == {'two': sha256(two.encode())}
    assert len(read_index(layout)['manifests']) == 1
    client.del_alias('two')
    assert client.get_manifest(image.digest) == image.text


def test_a_tag_that_moves(client, plain, folder):
    one, two = plain.push_alias('latest', b'one'), plain.push_alias('latest', b'two')
    assert client.get_manifest('latest') == two
    assert client.get_manifest(sha256(one.encode())) == one
    assert client.list_aliases() == ['latest']
    layout = folder / 'some' / 'data'
    assert names(layout) == {'latest': sha256(two.encode())}
    assert len(read_index(layout)['manifests']) == 2
    plain.push_manifest('old', one)
    assert names(layout) == {'latest': sha256(two.encode()), 'old': sha256(one.encode())}
    assert len(read_index(layout)['manifests']) == 2


def test_a_manifest_of_several_tags(client, plain, folder):
    text = plain.push_alias('one', b'content')
    for tag in ('two', 'one', 'three'):
        plain.push_manifest(tag, text)
    assert client.list_aliases() == ['one', 'three', 'two']
    plain.delete('manifests/two')
    assert client.list_aliases() == ['one', 'three']
    assert client.get_manifest('one') == text
    plain.delete('manifests/one')
    plain.delete('manifests/three')
    assert client.list_aliases() == []
    assert plain.get_manifest('three').status_code == 404
    assert plain.get_manifest('latest').status_code == 404
    assert client.get_manifest(sha256(text.encode())) == text
    assert len(read_index(folder / 'some' / 'data')['manifests']) == 1
    assert plain.repo_request('DELETE', 'manifests/three').status_code == 404


def test_schema1_by_both_its_digests(client, plain, folder):
    plain.push_blob(b'layer')
    payload = json.dumps(
        {
            'schemaVersion': 1,
            'name': 'some/data',
            'tag': 'old',
            'architecture': 'amd64',
            'fsLayers': [{'blobSum': sha256(b'layer')}],
            'history': [{'v1Compatibility': '{}'}],
        },
        indent=3,
    ).encode()
    text = sign(payload, JWK.generate(kty='EC', crv='P-256'))
    plain.push_manifest('old', text, SIGNED_SCHEMA1)
    assert client.get_manifest('old') == text
    assert client.get_alias('old') == [sha256(b'layer')]
    assert client.head_manifest_and_response('old')[0] == sha256(payload)
    assert client.get_manifest(sha256(payload)) == text
    assert client.del_alias('old') == [sha256(b'layer')]
    assert client.list_aliases() == []
    assert plain.get_manifest(sha256(payload)).status_code == 404
    check_layout(folder / 'some' / 'data')


def test_schema1_whose_signatures_are_none(client, plain, folder):
    plain.push_blob(b'layer')
    text = json.dumps(
        {
            'schemaVersion': 1,
            'fsLayers': [{'blobSum': sha256(b'layer')}],
            'signatures': [{'protected': 'x'}],
        }
    )
    plain.push_manifest('old', text, SIGNED_SCHEMA1)
    answer = plain.get_manifest('old')
    assert answer.text == text
    assert answer.headers['Docker-Content-Digest'] == sha256(text.encode())
    assert plain.repo_request('DELETE', 'manifests/' + sha256(b'other')).status_code == 404


def test_a_manifest_is_no_blob_to_be_deleted(client, plain):
    image = Image('linux/amd64')
    image.push(plain)
    client.set_manifest('latest', index(image.entry()))
    for digest in (client.head_manifest_and_response('latest')[0], image.digest):
        with pytest.raises(requests.exceptions.HTTPError) as e:
            client.del_blob(digest)
        assert status(e) == 405
    assert client.get_manifest('latest') == {image.platform: image.text}


def test_a_blob_that_looks_like_a_manifest(client, plain):
    text = oci_manifest(b'config')
    digest = client.push_blob(data=text)
    assert client.list_aliases() == []
    assert b''.join(client.pull_blob(digest)) == text.encode()
    client.del_blob(digest)
    assert not plain.has_blob(digest)


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{}',
        b'[]',
        b'\xff',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "mediaType": "text/plain"}',
        b'{"schemaVersion": 2, "mediaType": 5}',
        b'{"architecture": "amd64", "config": {}, "rootfs": {}}',
    ],
)
def test_a_blob_is_no_manifest(plain, content):
    assert plain.get_manifest(plain.push_blob(content)).status_code == 404


def test_an_index_that_lists_artifacts(client, plain):
    text = oci_manifest(b'config', artifactType='application/x-thing')
    plain.push_blob(b'config')
    digest = plain.push_manifest(sha256(text.encode()), text, OCI_MANIFEST)
    entry = {'mediaType': OCI_MANIFEST, 'digest': digest, 'size': len(text)}
    client.set_manifest(
        'latest', json.dumps({'schemaVersion': 2, 'mediaType': OCI_INDEX, 'manifests': [entry]})
    )
    assert client.get_manifest('latest') == {digest: text}
