"""Artifacts: files pushed and pulled under their own names."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
import requests

import dxf
from dxf.exceptions import (
    DXFConfigurationError,
    DXFDigestMismatchError,
    DXFInvalidArchiveError,
    DXFInvalidManifestError,
    DXFInvalidNameError,
    DXFNoFilesError,
    DXFSizeMismatchError,
    DXFUnsafePathError,
    DXFUnsupportedSchemaType,
)
from dxf.rooms import room

from .support import multiarch
from .support.artifacts import (
    EMPTY_TYPE,
    KINDS,
    LAYER,
    OCI_MANIFEST,
    TITLE,
    UNPACK,
    UNPACKED_DIGEST,
    artifact,
    client,
    folder_layer,
    keeper,
    layer,
    tree,
)
from .support.layouts import LayoutPlain
from .support.plain import PlainClient, sha256

CREATED = 'org.opencontainers.image.created'
EMPTY = {
    'mediaType': EMPTY_TYPE,
    'digest': 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    'size': 2,
    'data': 'e30=',
}


@pytest.fixture(scope='module', params=KINDS)
def flavour(request, tmp_path_factory):
    with keeper(request, request.param, tmp_path_factory) as made:
        yield made


@pytest.fixture
def files(flavour):
    with client(flavour, flavour.new_repo('artifacts')) as made:
        yield made


@pytest.fixture
def plain(flavour, files):
    kind = LayoutPlain if flavour.name == 'layout' else PlainClient
    with kind(flavour, files._repo) as made:
        yield made


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder."""
    made = tmp_path / 'here'
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def there(tmp_path):
    return tmp_path / 'there'


@pytest.fixture
def source(here):
    """Files and a folder in the working folder; their names."""
    (here / 'a.txt').write_bytes(b'a')
    (here / 'empty').write_bytes(b'')
    (here / 'sub' / 'sub').mkdir(parents=True)
    (here / 'sub' / 'b').write_bytes(os.urandom(300_000))
    (here / 'folder' / 'inner').mkdir(parents=True)
    (here / 'folder' / 'program').write_bytes(b'#!/bin/sh\n')
    (here / 'folder' / 'program').chmod(0o750)
    (here / 'folder' / 'inner' / 'link').symlink_to('../program')
    (here / 'folder' / 'inner').chmod(0o700)
    return ['a.txt', 'empty', 'sub/b', 'folder']


def put(plain, *contents, text=None, layers=(), reference='latest'):
    """Store an artifact as others would."""
    for content in (b'{}', *contents):
        plain.push_blob(content)
    plain.push_manifest(reference, text or artifact(*layers), OCI_MANIFEST)


def packed(*entries):
    """A folder's layer: pairs of name and content, or a TarInfo."""
    file = io.BytesIO()
    with tarfile.open(mode='w', fileobj=file) as tar:
        for entry in entries:
            if not isinstance(entry, tarfile.TarInfo):
                name, content = entry
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
            else:
                tar.addfile(entry)
    return gzip.compress(file.getvalue())


def folder(name):
    made = tarfile.TarInfo(name)
    made.type, made.mode = tarfile.DIRTYPE, 0o755
    return made


def symlink(name, target):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = tarfile.SYMTYPE, target
    return made


# Pushing


def test_there_and_back(files, source, here, there):
    digest = files.push('latest', source)
    assert files.pull('latest', there) == [str(there / name) for name in source]
    want = tree(here)
    del want['sub/sub']
    assert tree(there) == want
    assert files.pull(digest, there) == [str(there / name) for name in source]
    assert tree(there) == want


def test_the_manifest(files, plain, source, monkeypatch):
    monkeypatch.setenv('SOURCE_DATE_EPOCH', '1000000000')
    digest = files.push(
        'latest',
        source,
        'text/x-things',
        {'one': '1', 'two': ''},
        {'a.txt': 'text/plain', 'folder': 'text/x-folder'},
    )
    stored = plain.get_manifest('latest')
    assert stored.headers['Content-Type'] == OCI_MANIFEST
    assert sha256(stored.content) == digest
    document = stored.json()
    layers = document.pop('layers')
    assert document == {
        'schemaVersion': 2,
        'mediaType': OCI_MANIFEST,
        'artifactType': 'text/x-things',
        'config': EMPTY,
        'annotations': {CREATED: '2001-09-09T01:46:40Z', 'one': '1', 'two': ''},
    }
    assert [one['mediaType'] for one in layers] == ['text/plain', LAYER, LAYER, 'text/x-folder']
    assert [one['annotations'][TITLE] for one in layers] == source
    for one in layers:
        content = plain.get_blob(one['digest']).content
        assert (len(content), sha256(content)) == (one['size'], one['digest'])
    assert set(layers[0]['annotations']) == {TITLE}
    unpacked = gzip.decompress(content)
    assert layers[3]['annotations'] == {
        TITLE: 'folder',
        UNPACK: 'true',
        UNPACKED_DIGEST: sha256(unpacked),
    }
    assert plain.get_blob(EMPTY['digest']).content == b'{}'


def test_it_can_be_reproduced(files, source, monkeypatch):
    monkeypatch.setenv('SOURCE_DATE_EPOCH', '1000000000')
    assert files.push('one', source) == files.push('two', source)


def test_no_files(files, plain):
    files.push('latest', [])
    document = plain.get_manifest('latest').json()
    assert document['layers'] == [EMPTY]
    assert document['artifactType'] == 'application/vnd.unknown.artifact.v1'
    with pytest.raises(DXFNoFilesError, match='pull-blob'):
        files.pull('latest')


def test_an_annotation_of_the_time(files, plain):
    files.push('latest', [], annotations={CREATED: 'yesterday'})
    assert plain.get_manifest('latest').json()['annotations'] == {CREATED: 'yesterday'}


def test_names_for_paths(files, source, here, there):
    files.push('latest', {'x/y': here / 'a.txt', 'z': str(here / 'folder')})
    assert files.pull('latest', str(there)) == [str(there / 'x' / 'y'), str(there / 'z')]
    assert (there / 'x' / 'y').read_bytes() == b'a'
    assert (there / 'z' / 'program').read_bytes() == b'#!/bin/sh\n'


def test_the_working_folder(files, source, here, there):
    files.push('latest', ['.'])
    there.mkdir(mode=0o711)
    there.chmod(0o711)
    assert files.pull('latest', there) == [str(there)]
    assert tree(there) == tree(here)
    # It is not pull's to open.
    assert there.stat().st_mode & 0o777 == 0o711


def test_a_folder_and_what_is_in_it(files, source, here, there):
    names = ['folder/program', 'folder', 'sub/sub', 'sub', 'sub/b']
    files.push('latest', names)
    files.pull('latest', there)
    want = tree(here)
    del want['a.txt'], want['empty']
    assert tree(there) == want


def test_the_same_content_twice(files, here, there):
    for name in ('a', 'b', 'c'):
        (here / name).write_bytes(b'same')
    files.push('latest', ['a', 'b', 'c'])
    files.pull('latest', there)
    assert {path.read_bytes() for path in there.iterdir()} == {b'same'}


def test_links_are_followed(files, here, there):
    (here / 'a').write_bytes(b'a')
    (here / 'link').symlink_to('a')
    files.push('latest', ['link'])
    files.pull('latest', there)
    assert tree(there)['link'][0] == b'a'


@pytest.mark.parametrize(
    'names', [['{}/a.txt'], ['../here/a.txt'], ['a.txt', './a.txt'], ['sub/b', 'sub/b']]
)
def test_names_that_could_not_be_pulled(fake_server, source, here, names):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(DXFUnsafePathError):
            made.push('latest', [name.format(here) for name in names])
    assert fake_server.requests == []


@pytest.mark.parametrize('kind', [str, os.fsencode, Path])
def test_one_name(files, source, there, kind):
    files.push('latest', kind('sub/b'))
    assert files.pull('latest', there) == [str(there / 'sub' / 'b')]


@pytest.mark.parametrize('alias', ['', '-a', 'a/b', '@a', 'a' * 129, sha256(b'')])
def test_what_is_no_alias(fake_server, source, alias):
    """It is found before anything is sent."""
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(DXFInvalidNameError, match='invalid alias'):
            made.push(alias, source)
    assert fake_server.requests == []


def test_a_file_that_is_missing(files, source):
    with pytest.raises(FileNotFoundError) as caught:
        files.push('latest', ['a.txt', 'missing'])
    assert caught.value.filename == 'missing'


@pytest.mark.parametrize('text', ['text', '/', 'text/', 'a b/c', 'text/plain; charset=x', 'a/b/c'])
def test_what_is_no_media_type(fake_server, source, text):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(DXFInvalidNameError, match='media type'):
            made.push('latest', source, text)
        with pytest.raises(DXFInvalidNameError, match='media type'):
            made.push('latest', source, media_types={'a.txt': text})
    assert fake_server.requests == []


@pytest.mark.parametrize('annotations', [{'a': 1}, {'': 'a'}, {1: 'a'}, {'a': None}])
def test_what_is_no_annotation(fake_server, annotations):
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(DXFConfigurationError, match='annotation'):
            made.push('latest', [], annotations=annotations)
    assert fake_server.requests == []


@pytest.mark.parametrize('text', ['now', '-1', '1.5', '9' * 12, '²'])
def test_what_is_no_time(fake_server, monkeypatch, text):
    monkeypatch.setenv('SOURCE_DATE_EPOCH', text)
    with dxf.DXF(fake_server.host, 'a', insecure=True) as made:
        with pytest.raises(DXFConfigurationError, match='SOURCE_DATE_EPOCH'):
            made.push('latest', [])


def test_nothing_is_left_of_archives(files, source, tmp_path, monkeypatch):
    room = tmp_path / 'room'
    room.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(room))
    files.push('latest', source)
    assert list(room.iterdir()) == []


def test_progress(files, source, there):
    seen, lock = {}, threading.Lock()

    def report(digest, piece, size):
        with lock:
            seen.setdefault(digest, []).append((bytes(piece), size))

    files.push('latest', source, progress=report)
    pushed, seen = seen, {}
    files.pull('latest', there, progress=report)
    assert set(pushed) == set(seen)
    assert len(seen) == 4
    for pieces in [*pushed.values(), *seen.values()]:
        assert pieces[0][0] == b''
        assert {size for _, size in pieces} == {sum(len(piece) for piece, _ in pieces)}


def test_requests_go_through_the_seam(files, source, there, monkeypatch):
    """And then one after another."""
    paths, request = [], files._request

    def recording(method, path, **kwargs):
        paths.append((method, path.partition('/')[0]))
        return request(method, path, **kwargs)

    monkeypatch.setattr(files, '_request', recording, raising=False)
    files.push('latest', source)
    assert paths[-1] == ('put', 'manifests')
    files.pull('latest', there)
    assert paths.count(('get', 'blobs')) == 4
    assert tree(there)['a.txt'][0] == b'a'


# Pulling


def test_what_others_have_stored(files, plain, there):
    content = packed(('x/a', b'a'))
    put(
        plain,
        content,
        b'one',
        layers=[
            layer(b'one', 'one'),
            layer(b'one'),
            layer(b'one', ''),
            layer(b'one', 'two/three/'),
            folder_layer(content, 'x'),
            layer(content, 'packed.tgz', **{UNPACK: 'false'}),
        ],
    )
    assert files.pull('latest', there) == [
        str(there / name) for name in ('one', 'two/three', 'x', 'packed.tgz')
    ]
    assert (there / 'two' / 'three').read_bytes() == b'one'
    assert (there / 'x' / 'a').read_bytes() == b'a'
    assert (there / 'packed.tgz').read_bytes() == content


def test_here_is_where_it_goes(files, plain, here):
    put(plain, b'one', layers=[layer(b'one', 'a/one')])
    assert files.pull('latest') == ['a/one']
    assert (here / 'a' / 'one').read_bytes() == b'one'


HOSTILE = {
    'an absolute name': '/tmp/dxf-hostile',
    'a name up': '../a',
    'a name up and down': 'a/../b',
    'no name of a file': '.',
    'a zero': 'a\0b',
    'half a character': 'a\ud800',
    'folders without end': 'a/' * 2000 + 'b',
}


@pytest.mark.parametrize('name', HOSTILE)
def test_names_that_lead_elsewhere(files, plain, there, name):
    put(plain, b'one', layers=[layer(b'one', 'first'), layer(b'one', HOSTILE[name])])
    with pytest.raises(DXFUnsafePathError):
        files.pull('latest', there)
    # Not even what is as it should be.
    assert not there.exists()


@pytest.mark.parametrize('titles', [['a', 'a'], ['a', './a'], ['a', 'a/b'], ['b/c/d', 'b/c']])
def test_names_in_each_other_s_way(files, plain, there, titles):
    put(plain, b'one', layers=[layer(b'one', title) for title in titles])
    with pytest.raises(DXFUnsafePathError):
        files.pull('latest', there)
    assert not there.exists()


def test_folders_that_lead_elsewhere(files, plain, there):
    good, bad = packed(('good/a', b'a')), packed(('bad/a', b'a'), ('bad/../b', b'b'))
    put(plain, good, bad, layers=[folder_layer(good, 'good'), folder_layer(bad, 'bad')])
    with pytest.raises(DXFUnsafePathError):
        files.pull('latest', there)
    assert tree(there) == {}


def test_a_folder_with_another_name(files, plain, there):
    content = packed(('other/a', b'a'))
    put(plain, content, layers=[folder_layer(content, 'x')])
    with pytest.raises(DXFUnsafePathError, match='not below'):
        files.pull('latest', there)
    assert tree(there) == {}


@pytest.mark.parametrize('title', ['link', 'link/a', 'link/a/b'])
@pytest.mark.parametrize('target', ['../beside', '/'])
def test_links_on_the_disk_are_not_followed_out(files, plain, there, tmp_path, title, target):
    (tmp_path / 'beside').mkdir()
    there.mkdir()
    (there / 'link').symlink_to(target)
    content = packed((f'{title}/c', b'c'))
    put(plain, b'one', content, layers=[layer(b'one', title)])
    put(plain, layers=[folder_layer(content, title)], reference='folder')
    for alias in ('latest', 'folder'):
        with pytest.raises(DXFUnsafePathError):
            files.pull(alias, there)
    assert tree(tmp_path / 'beside') == {}
    assert tree(there) == {'link': ('link', target)}


def test_links_on_the_disk_are_followed_inside(files, plain, there):
    (there / 'real').mkdir(parents=True)
    (there / 'link').symlink_to('real')
    content = packed(('link/sub/b', b'b'))
    put(plain, b'a', content, layers=[layer(b'a', 'link/a'), folder_layer(content, 'link/sub')])
    assert files.pull('latest', there) == [str(there / 'link' / 'a'), str(there / 'link' / 'sub')]
    assert (there / 'real' / 'a').read_bytes() == b'a'
    assert (there / 'real' / 'sub' / 'b').read_bytes() == b'b'


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='there are no pipes')
@pytest.mark.parametrize('title', ['pipe', 'link'])
def test_a_pipe_on_the_disk_is_not_written_to(files, plain, there, title):
    """Nobody may be reading from it."""
    there.mkdir()
    os.mkfifo(str(there / 'pipe'))
    (there / 'link').symlink_to('pipe')
    put(plain, b'one', layers=[layer(b'one', 'first'), layer(b'one', title)])
    with pytest.raises(DXFUnsafePathError, match='no file'):
        files.pull('latest', there)
    assert sorted(os.listdir(there)) == ['link', 'pipe']


def test_a_folder_in_a_file_s_place(files, plain, there):
    (there / 'second').mkdir(parents=True)
    put(plain, b'one', layers=[layer(b'one', 'first'), layer(b'one', 'second')])
    with pytest.raises(IsADirectoryError):
        files.pull('latest', there)
    assert os.listdir(there) == ['second']


def test_a_folder_that_is_closed_is_found_before_anything_is_moved(
    files, plain, there, monkeypatch
):
    (there / 'x' / 'closed').mkdir(parents=True)
    (there / 'x' / 'a').write_bytes(b'old')
    access = os.access
    # To the superuser, none is.
    monkeypatch.setattr(
        os, 'access', lambda path, mode: not str(path).endswith('closed') and access(path, mode)
    )
    content = packed(('x/a', b'new'), ('x/closed/b', b'b'))
    put(plain, content, layers=[folder_layer(content, 'x')])
    with pytest.raises(PermissionError) as e:
        files.pull('latest', there)
    assert e.value.filename == str(there / 'x' / 'closed')
    assert (there / 'x' / 'a').read_bytes() == b'old'
    # Where nothing is to be in it, it may be.
    content = packed(('x/a', b'new'), folder('x/closed'))
    put(plain, content, layers=[folder_layer(content, 'x')])
    files.pull('latest', there)
    assert (there / 'x' / 'a').read_bytes() == b'new'


def test_one_layer_s_links_are_not_followed_out_by_another(files, plain, there, tmp_path):
    """A dangling link that a second layer makes lead somewhere."""
    one = packed(symlink('d/m', 'a/k/l/x'), ('d/a/k/z', b''))
    two = packed(symlink('d/a/k/l', '../..'), ('d/a/k/y', b''))
    put(plain, one, two, layers=[folder_layer(one, 'd'), folder_layer(two, 'd/a/k')])
    with pytest.raises(DXFUnsafePathError):
        files.pull('latest', there)
    assert tree(there) == {}


def test_a_link_of_one_layer_in_the_place_of_another(files, plain, there, tmp_path):
    one = packed(symlink('d/sub', 'other'), ('d/other/z', b'z'))
    two = packed(('d/sub/a', b'a'))
    put(plain, one, two, layers=[folder_layer(one, 'd'), folder_layer(two, 'd/sub')])
    files.pull('latest', there)
    # It leads to where the first has a folder, and that is inside.
    assert (there / 'd' / 'other' / 'a').read_bytes() == b'a'


def test_a_wrong_size(files, plain, there):
    wrong = dict(layer(b'one', 'one'), size=4)
    folder = packed(('x/a', b'a'))
    put(plain, b'one', folder, layers=[wrong])
    put(plain, layers=[dict(folder_layer(folder, 'x'), size=4)], reference='folder')
    for alias in ('latest', 'folder'):
        with pytest.raises(DXFSizeMismatchError):
            files.pull(alias, there)
        assert tree(there) == {}


def test_a_wrong_digest_of_what_is_unpacked(files, plain, there):
    content = packed(('x/a', b'a'))
    put(plain, content, layers=[folder_layer(content, 'x', **{UNPACKED_DIGEST: sha256(b'')})])
    with pytest.raises(DXFDigestMismatchError):
        files.pull('latest', there)
    assert tree(there) == {}


def test_a_folder_that_is_none(files, plain, there):
    put(plain, b'nonsense', layers=[folder_layer(b'nonsense', 'x')])
    with pytest.raises(DXFInvalidArchiveError):
        files.pull('latest', there)
    assert tree(there) == {}


def test_a_bomb(files, plain, there, monkeypatch):
    monkeypatch.setattr('dxf.artifact_pulls._UNPACKED_SIZE', 100_000)
    content = packed(('x/a', bytes(10_000_000)))
    assert len(content) * 200 < 10_000_000
    put(plain, content, layers=[folder_layer(content, 'x')])
    with pytest.raises(DXFInvalidArchiveError, match='more in it'):
        files.pull('latest', there)
    assert tree(there) == {}


def test_annotations_that_are_none(files, there, monkeypatch):
    text = artifact(dict(layer(b'one'), annotations={TITLE: 'a', UNPACK: 5}))
    monkeypatch.setattr(files, 'get_manifest', lambda alias, platform: text, raising=False)
    with pytest.raises(DXFInvalidManifestError, match='unpack is not a string'):
        files.pull('latest', there)


def test_no_names(files, plain):
    put(plain, b'one', layers=[layer(b'one')])
    with pytest.raises(DXFNoFilesError, match='latest') as caught:
        files.pull('latest')
    assert caught.value.alias == 'latest'


def test_what_is_missing(files, plain, there):
    put(plain, b'one', layers=[layer(b'one', 'one')])
    with pytest.raises(requests.exceptions.HTTPError, match='404'):
        files.pull('missing', there)
    assert not there.exists()


def test_several_platforms(files, plain, there):
    entries = []
    for platform in ('linux/amd64', 'linux/arm64'):
        content = platform.encode()
        text = artifact(layer(content, 'name'))
        put(plain, content, text=text, reference=sha256(text.encode()))
        entries.append(multiarch.entry(text, OCI_MANIFEST, platform))
    plain.push_manifest('both', multiarch.index(multiarch.INDEX, *entries), multiarch.INDEX)
    plain.push_manifest('one', multiarch.index(multiarch.INDEX, entries[0]), multiarch.INDEX)
    with pytest.raises(DXFConfigurationError, match='DXF_PLATFORM'):
        files.pull('both', there)
    assert not there.exists()
    files.pull('both', there, 'linux/arm64')
    assert (there / 'name').read_bytes() == b'linux/arm64'
    files.pull('one', there)
    assert (there / 'name').read_bytes() == b'linux/amd64'


def test_an_interrupted_pull_is_gone_on_with(files, plain, there, monkeypatch):
    content = os.urandom(3_000_000)
    put(plain, content, layers=[layer(content, 'name')])

    def interrupt(digest, piece, size):
        if piece:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.pull('latest', there, progress=interrupt)
    assert [path.name for path in there.iterdir()] != ['name']
    files.pull('latest', there)
    assert tree(there)['name'][0] == content
    assert len(list(there.iterdir())) == 1


def test_schema_1_is_no_artifact(files, monkeypatch):
    text = json.dumps({'schemaVersion': 1, 'fsLayers': []})
    monkeypatch.setattr(files, 'get_manifest', lambda alias, platform: text, raising=False)
    with pytest.raises(DXFUnsupportedSchemaType):
        files.pull('latest')


# Rooms


def test_a_room_is_gone_when_it_is_left(tmp_path):
    with room(str(tmp_path)) as made:
        assert made.fill([b'a', b'b'], list) == [b'a', b'b']
        (tmp_path / made.path / 'file').write_bytes(b'')
    assert list(tmp_path.iterdir()) == []


def test_who_fills_a_room_is_stopped_when_it_is_left(tmp_path):
    """And nothing is there then, though another thread was still writing."""
    begun, outcome = threading.Event(), []

    def endless():
        while True:
            begun.set()
            yield b'a'

    def write(pieces):
        for number, piece in enumerate(pieces):
            (tmp_path / made.path / str(number % 100)).write_bytes(piece)

    def run():
        try:
            made.fill(endless(), write)
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    with room(str(tmp_path)) as made:
        thread.start()
        begun.wait(10)
    assert list(tmp_path.iterdir()) == []
    thread.join(10)
    assert [type(error) for error in outcome] == [InterruptedError]


LEAVE = """
import os, sys
from dxf.rooms import room
kept = room(sys.argv[1])
made = kept.__enter__()
open(os.path.join(made.path, 'file'), 'w').close()
print(made.path, flush=True)
sys.stdin.read()
os._exit(1)
"""


@pytest.mark.skipif(sys.platform == 'win32', reason='nobody is known to have left it')
def test_what_a_killed_process_has_left_is_removed(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', LEAVE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        left = tmp_path / process.stdout.readline().strip()
        with room(str(tmp_path)), room(str(tmp_path)):
            # Each is somebody's.
            assert len(list(tmp_path.iterdir())) == 3
        assert (left / 'file').exists()
        process.communicate(timeout=60)
    assert list(tmp_path.iterdir()) == [left]
    for name in ('.dxf-link.part', 'dxf-other.part', '.dxf-other'):
        (tmp_path / name).mkdir() if 'other' in name else (tmp_path / name).symlink_to(left)
    (tmp_path / '.dxf-file.part').write_bytes(b'')
    others = sorted(tmp_path.iterdir())
    others.remove(left)
    with room(str(tmp_path)):
        assert not left.exists()
    assert sorted(tmp_path.iterdir()) == others


def test_a_room_without_locks(tmp_path, monkeypatch):
    """What may be somebody's stays."""
    monkeypatch.setattr('dxf.rooms._lock', lambda path: None)
    (tmp_path / '.dxf-x.part').mkdir()
    with room(str(tmp_path)) as made:
        assert os.path.isdir(made.path)
    assert [path.name for path in tmp_path.iterdir()] == ['.dxf-x.part']


def test_a_room_that_somebody_took_for_left(tmp_path, monkeypatch):
    from dxf import rooms

    lock, tries = rooms._lock, []

    def removed(path):
        tries.append(path)
        if len(tries) == 1:
            os.rmdir(path)
        elif len(tries) == 2:
            locked = lock(path)
            os.rmdir(path)
            return locked
        elif len(tries) == 3:
            raise BlockingIOError
        return lock(path)

    monkeypatch.setattr('dxf.rooms._lock', removed)
    with room(str(tmp_path)) as made:
        assert made.path == tries[3]
        assert os.path.isdir(made.path)


def test_a_room_does_not_wait_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr('dxf.rooms._CLOSE_SECONDS', 0.01)
    go_on, begun = threading.Event(), threading.Event()

    def stalled():
        begun.set()
        go_on.wait(10)
        yield b''

    with room(str(tmp_path)) as made:
        thread = threading.Thread(target=lambda: made.fill(stalled(), list), daemon=True)
        thread.start()
        begun.wait(10)
    assert not go_on.is_set()
    assert list(tmp_path.iterdir()) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, 'excepthook', lambda arguments: None)
        go_on.set()
        thread.join(10)
