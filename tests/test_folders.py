"""Folders as layers: packed as oras does it, and unpacked whoever packed them."""

import contextlib
import gzip
import hashlib
import io
import os
import stat
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dxf import inflating
from dxf.exceptions import (
    DXFDigestMismatchError,
    DXFError,
    DXFFileChangedError,
    DXFInvalidArchiveError,
    DXFUnsafePathError,
)
from dxf.folders import pack
from dxf.paths import check_distinct, check_link, split
from dxf.places import merge, place, set_modes
from dxf.unpacking import unpack

from .support.plain import sha256

LIMIT = 10_000_000


def entry(name, content=b'', kind=tarfile.REGTYPE, link='', mode=0o644, **fields):
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode, made.size = kind, link, mode, len(content)
    for field, value in fields.items():
        setattr(made, field, value)
    return made, content


def folder(name, mode=0o755):
    return entry(name, kind=tarfile.DIRTYPE, mode=mode)


def link(name, target):
    return entry(name, kind=tarfile.SYMTYPE, link=target)


def hard_link(name, target):
    return entry(name, kind=tarfile.LNKTYPE, link=target)


def archive(*entries, compress=True, **options):
    file = io.BytesIO()
    with tarfile.open(mode='w', fileobj=file, **options) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    content = file.getvalue()
    return gzip.compress(content) if compress else content


def tree(path):
    """What is below a folder: name -> content, ('link', target), or None for a folder."""
    found = {}
    for name in sorted(path.rglob('*')):
        key = str(name.relative_to(path))
        if name.is_symlink():
            found[key] = ('link', os.readlink(name))
        else:
            found[key] = None if name.is_dir() else name.read_bytes()
    return found


def is_below(path, folder):
    """Whether a path leads to somewhere in a folder, whatever is on the way."""
    real = os.path.realpath(str(folder))
    return os.path.commonpath([os.path.realpath(str(path)), real]) == real


@pytest.fixture
def into(tmp_path):
    made = tmp_path / 'staged'
    made.mkdir()
    return made


@pytest.fixture
def source(tmp_path):
    """A folder with one of each in it."""
    made = tmp_path / 'source'
    (made / 'sub' / 'empty').mkdir(parents=True)
    (made / 'a').write_bytes(b'a')
    (made / 'sub' / 'program').write_bytes(b'b' * 1000)
    (made / 'sub' / 'program').chmod(0o755)
    (made / 'secret').write_bytes(b'c')
    (made / 'secret').chmod(0o600)
    (made / 'sub' / 'empty').chmod(0o700)
    (made / 'link').symlink_to('a')
    (made / 'sub' / 'up').symlink_to('../a')
    (made / 'folders').symlink_to('sub')
    os.utime(made / 'a', (978307200, 978307200))
    return made


def packed(path, name='x', **options):
    file = io.BytesIO()
    digest = pack(str(path), name, file, **options)
    return file.getvalue(), digest


# Packing


def test_an_archive_is_as_oras_makes_it(source):
    content, digest = packed(source, 'x/y')
    plain = gzip.decompress(content)
    assert sha256(plain) == digest
    # Its end, and nothing after it: oras reads no more.
    assert plain.endswith(bytes(1024))
    assert len(plain) == 9 * 512 + (512 + 512 + 1024) + 1024
    # No name and no time.
    assert content[3:8] == bytes(5)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        entries = {info.name: info for info in tar}
    assert list(entries) == [
        'x/y',
        'x/y/a',
        'x/y/folders',
        'x/y/link',
        'x/y/secret',
        'x/y/sub',
        'x/y/sub/program',
        'x/y/sub/up',
        'x/y/sub/empty',
    ]
    for info in entries.values():
        assert (info.uid, info.gid, info.uname, info.gname) == (0, 0, '', '')
        assert info.pax_headers == {}
    assert entries['x/y/a'].mtime == 978307200
    assert entries['x/y/sub/program'].mode == 0o755
    assert entries['x/y/sub/empty'].mode == 0o700
    assert (entries['x/y/folders'].type, entries['x/y/folders'].linkname) == (b'2', 'sub')
    assert entries['x/y/sub/up'].linkname == '../a'


def test_the_same_folder_makes_the_same_bytes(source):
    assert packed(source) == packed(source)


def test_what_is_younger_is_dated_back(source):
    with tarfile.open(fileobj=io.BytesIO(packed(source, latest=1_000_000_000)[0])) as tar:
        times = {info.name: info.mtime for info in tar}
    assert times.pop('x/a') == 978307200
    assert set(times.values()) == {1_000_000_000}


def test_a_folder_may_be_given_as_a_link(source, tmp_path, into):
    (tmp_path / 'other').symlink_to('source')
    content, digest = packed(tmp_path / 'other')
    unpack([content], 'x', str(into), LIMIT, digest)
    assert tree(into) == tree(source)


def test_a_hard_link_becomes_a_file(source, into):
    os.link(source / 'a', source / 'b')
    unpack([packed(source)[0]], 'x', str(into), LIMIT)
    assert tree(into)['b'] == b'a'


@pytest.mark.parametrize('target', ['/etc/passwd', '..', '../out', 'sub/../a', 'sub/../../out'])
def test_a_link_that_could_not_be_pulled_is_not_packed(source, target):
    (source / 'bad').symlink_to(target)
    with pytest.raises(DXFUnsafePathError, match='bad'):
        packed(source)


def test_what_is_no_file_is_not_packed(source):
    os.mkfifo(source / 'pipe')
    with pytest.raises(DXFUnsafePathError, match='pipe'):
        packed(source)


def test_a_file_that_gets_shorter_meanwhile(source, monkeypatch):
    class Longer:
        st_size = 5

    with monkeypatch.context() as patch:
        patch.setattr('dxf.folders.os.fstat', lambda fd: Longer)
        with pytest.raises(DXFFileChangedError, match='had 5 bytes and has 1 now'):
            packed(source)


@pytest.mark.parametrize('name', ['ü', 'a' * 200, b'\xff'.decode('utf-8', 'surrogateescape')])
def test_names_that_need_headers_of_their_own(source, into, name):
    (source / name).write_bytes(b'content')
    content, digest = packed(source, 'x')
    unpack([content], 'x', str(into), LIMIT, digest)
    assert tree(into) == tree(source)


# Unpacking


def test_there_and_back(source, into, tmp_path):
    content, digest = packed(source)
    target = tmp_path / 'target'
    modes = unpack([content], 'x', str(into), LIMIT, digest)
    merge(str(into), str(target))
    set_modes(str(target), modes)
    assert tree(target) == tree(source)
    for name in ('a', 'secret', 'sub', 'sub/program', 'sub/empty'):
        assert (target / name).stat().st_mode == (source / name).stat().st_mode
    assert (target / 'a').stat().st_mtime == 978307200


@given(size=st.integers(1, 400))
@settings(max_examples=20)
def test_pieces_of_any_size(tmp_path_factory, size):
    into = tmp_path_factory.mktemp('into')
    made = archive(folder('x'), entry('x/a', b'a' * 10_000), entry('x/b', b'b'))
    unpack([made[n : n + size] for n in range(0, len(made), size)], 'x', str(into), LIMIT)
    assert tree(into) == {'a': b'a' * 10_000, 'b': b'b'}


def test_it_need_not_be_compressed(into):
    unpack([archive(entry('x/a', b'a'), compress=False)], 'x', str(into), LIMIT)
    assert tree(into) == {'a': b'a'}


def test_folders_need_no_entries(into):
    modes = unpack([archive(entry('x/a/b/c', b'c'))], 'x', str(into), LIMIT)
    assert tree(into) == {'a': None, 'a/b': None, 'a/b/c': b'c'}
    assert set(modes) == {('a',), ('a', 'b')}


def test_the_folder_itself_may_be_the_title(into):
    unpack([archive(folder('.'), entry('./a', b'a'), entry('b', b'b'))], '.', str(into), LIMIT)
    assert tree(into) == {'a': b'a', 'b': b'b'}


def test_bits_that_say_as_whom_it_runs_are_dropped(into):
    modes = unpack(
        [archive(folder('x', 0o7777), entry('x/a', mode=0o7755))], 'x', str(into), LIMIT
    )
    assert stat.S_IMODE((into / 'a').stat().st_mode) == 0o755
    assert modes[()] & ~0o777 == 0


def test_the_umask_counts(into):
    before = os.umask(0o077)
    try:
        modes = unpack([archive(folder('x/y'), entry('x/a', mode=0o666))], 'x', str(into), LIMIT)
    finally:
        os.umask(before)
    assert stat.S_IMODE((into / 'a').stat().st_mode) == 0o600
    assert modes == {('y',): 0o700}


def test_hard_links_within(into):
    unpack([archive(entry('x/a', b'a'), hard_link('x/b', 'x/a'))], 'x', str(into), LIMIT)
    assert (into / 'a').samefile(into / 'b')


HOSTILE = {
    'absolute': [entry('/tmp/a')],
    'absolute below the title': [entry('/x/a')],
    'up': [entry('x/../../a')],
    'up and down': [entry('x/b/../a')],
    'up as a folder': [folder('x/..')],
    'elsewhere': [entry('y/a')],
    'another name that begins so': [entry('xx')],
    'the folder is a file': [entry('x')],
    'the folder is a link': [link('x', 'y')],
    'an absolute link': [link('x/a', '/etc')],
    'a link up': [link('x/a', '..')],
    'a link up from below': [folder('x/b'), link('x/b/a', '../..')],
    'a link up through the middle': [folder('x/b'), link('x/a', 'b/../..')],
    'a link up through a link': [
        folder('x/b'),
        folder('x/b/c'),
        link('x/b/c/top', '../..'),
        link('x/a', 'b/c/top/../out'),
    ],
    'through a link': [folder('x/b'), link('x/a', 'b'), entry('x/a/c')],
    'a folder through a link': [folder('x/b'), link('x/a', 'b'), folder('x/a/c')],
    'a folder over a link': [link('x/a', 'b'), folder('x/a')],
    'over a link': [link('x/a', 'b'), entry('x/a')],
    'below a file': [entry('x/a'), entry('x/a/b')],
    'a link over a folder': [folder('x/a'), link('x/a', 'b')],
    'twice': [entry('x/a'), entry('x/a')],
    'a hard link out': [hard_link('x/a', '/etc/passwd')],
    'a hard link up': [hard_link('x/a', 'x/../../b')],
    'a hard link to another title': [hard_link('x/a', 'y/b')],
    'a hard link to nothing': [hard_link('x/a', 'x/b')],
    'a hard link to a link': [link('x/b', 'c'), hard_link('x/a', 'x/b')],
    'a hard link to a folder': [folder('x/b'), hard_link('x/a', 'x/b')],
    'a device': [entry('x/a', kind=tarfile.CHRTYPE)],
    'another device': [entry('x/a', kind=tarfile.BLKTYPE)],
    'a pipe': [entry('x/a', kind=tarfile.FIFOTYPE)],
    'something unheard of': [entry('x/a', kind=b'Q')],
    'a zero in a name': [entry('x/a', pax_headers={'path': 'x/a\0b'})],
    'folders without end': [entry('x/' + 'a/' * 300 + 'b')],
    'a zero in a target': [
        entry('x/a', kind=tarfile.SYMTYPE, pax_headers={'linkpath': 'a\0b'}, link='b')
    ],
}


@pytest.mark.parametrize('name', HOSTILE)
def test_what_is_hostile_is_refused(tmp_path, into, name):
    made = archive(*HOSTILE[name], format=tarfile.PAX_FORMAT)
    before = {path for path in tmp_path.rglob('*') if into not in path.parents}
    with pytest.raises(DXFUnsafePathError):
        unpack([made], 'x', str(into), LIMIT)
    assert {path for path in tmp_path.rglob('*') if into not in path.parents} == before
    for path in into.rglob('*'):
        assert is_below(path, into)


def endless_name():
    info = tarfile.TarInfo('././@LongLink')
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 10_000_000
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(10_000_000)


def sparse():
    info = tarfile.TarInfo('x/a')
    info.type = tarfile.GNUTYPE_SPARSE
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def sparse_by_headers(**fields):
    made = entry('x/a', b'1\n0\n1\n'.ljust(512, b'\0') + b'a', pax_headers=fields)
    return archive(made, compress=False, format=tarfile.PAX_FORMAT)


BROKEN = {
    'nothing': b'',
    'half a gzip file': archive(entry('x/a', os.urandom(5000)))[:2000],
    'no gzip file': b'\x1f\x8b' + b'nonsense' * 100,
    'a wrong sum': archive(entry('x/a', b'a'))[:-8] + bytes(8),
    'zstd': b'\x28\xb5\x2f\xfd' + bytes(100),
    'no archive': b'nonsense' * 1000,
    'garbage after an entry': archive(entry('x/a'), compress=False)[:512] + b'nonsense' * 1000,
    'half a header': archive(entry('x/a'), compress=False)[:700].rstrip(b'\0') + b'x' * 600,
    'half a file': archive(entry('x/a', b'a' * 5000), compress=False)[:3000],
    'an endless name': endless_name(),
    'a file with holes': sparse(),
    'holes in headers 0.0': sparse_by_headers(
        **{'GNU.sparse.size': '9', 'GNU.sparse.offset': '0', 'GNU.sparse.numbytes': '1'}
    ),
    'holes in headers 0.1': sparse_by_headers(**{'GNU.sparse.map': '0,1', 'GNU.sparse.size': '9'}),
    'holes in headers 1.0': sparse_by_headers(
        **{'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9'}
    ),
}


@pytest.mark.parametrize('name', BROKEN)
def test_what_is_broken_is_refused(into, name):
    with pytest.raises(DXFInvalidArchiveError, match="folder 'x' can't be unpacked"):
        unpack([BROKEN[name]], 'x', str(into), LIMIT)


def test_another_digest(into):
    with pytest.raises(DXFDigestMismatchError):
        unpack([archive(entry('x/a'))], 'x', str(into), LIMIT, sha256(b''))


def test_the_digest_is_of_all_of_it(into):
    content = archive(entry('x/a', b'a'), compress=False) + bytes(100_000)
    unpack([gzip.compress(content)], 'x', str(into), LIMIT, sha256(content))


def test_two_gzip_files_are_one(into):
    content = archive(entry('x/a', b'a' * 1000), compress=False)
    halves = gzip.compress(content[:700]) + gzip.compress(content[700:]) + bytes(512)
    unpack([halves], 'x', str(into), LIMIT, sha256(content))
    assert tree(into) == {'a': b'a' * 1000}


def test_a_bomb(into):
    with pytest.raises(DXFInvalidArchiveError, match='more in it than 100000 bytes'):
        unpack([archive(entry('x/a', bytes(1_000_000)))], 'x', str(into), 100_000)
    assert sum(path.stat().st_size for path in into.rglob('*')) <= 100_000


def test_a_bomb_of_many_files(into):
    made = archive(*(entry(f'x/{number}') for number in range(100)))
    with pytest.raises(DXFInvalidArchiveError, match='more in it'):
        unpack([made], 'x', str(into), 50 * 4096)
    assert len(list(into.iterdir())) <= 50


def test_a_bomb_after_the_end(into):
    made = gzip.compress(archive(entry('x/a'), compress=False) + bytes(1_000_000))
    with pytest.raises(DXFInvalidArchiveError, match='after its end'):
        unpack([made], 'x', str(into), 100_000)


def test_it_is_read_to_its_end(into):
    """So that whoever hashes it has seen all of it."""
    pieces = iter([archive(entry('x/a'), compress=False), b'', bytes(10)])
    unpack(pieces, 'x', str(into), LIMIT)
    assert list(pieces) == []


def test_memory_is_bounded():
    blocks = inflating._inflated(iter([gzip.compress(bytes(50_000_000))]))
    assert max(map(len, blocks)) <= 256 * 1024


@given(
    position=st.integers(0, 3000),
    change=st.binary(min_size=1, max_size=40),
    compress=st.booleans(),
)
@settings(max_examples=200)
def test_whatever_it_is_nothing_gets_out(tmp_path_factory, position, change, compress):
    around = tmp_path_factory.mktemp('around')
    into = around / 'a' / 'b'
    into.mkdir(parents=True)
    content = bytearray(
        archive(
            folder('x'),
            entry('x/a', b'a' * 600),
            link('x/l', 'a'),
            hard_link('x/h', 'x/a'),
            compress=False,
        )
    )
    content[position : position + len(change)] = change
    made = bytes(content)
    with contextlib.suppress(DXFError):
        unpack([gzip.compress(made) if compress else made], 'x', str(into), LIMIT)
    assert {str(path.relative_to(around)) for path in around.rglob('*')} >= {'a', 'a/b'}
    for path in around.rglob('*'):
        assert into in [path, *path.parents] or path in into.parents
        assert is_below(path, into) or path in into.parents


# Names


NAMES = st.lists(st.sampled_from(['', '.', '..', 'a', 'b', 'c']), min_size=1, max_size=6)


@given(where=NAMES, steps=NAMES, start=st.sampled_from(['', '/']))
def test_no_link_leads_out_however_it_is_followed(where, steps, start):
    """Each step down may be to any folder inside: the worst is the top."""
    parts = tuple(step for step in where if step not in ('', '.', '..')) or ('a',)
    target = start + '/'.join(steps)
    try:
        check_link('name', parts, target)
    except DXFUnsafePathError:
        return
    for to_the_top in (False, True):
        depth = len(parts) - 1
        for step in target.split('/'):
            if step == '..':
                depth -= 1
            elif step not in ('', '.'):
                depth = 0 if to_the_top else depth + 1
            assert depth >= 0


@pytest.mark.parametrize(
    ('name', 'parts'),
    [('a', ('a',)), ('./a//b/', ('a', 'b')), ('.', ()), ('a/.b', ('a', '.b')), ('..a', ('..a',))],
)
def test_names(name, parts):
    assert split(name) == parts


@pytest.mark.parametrize(
    'name', ['/a', '..', '../a', 'a/..', 'a/../b', 'a\0b', '//a', 'a\ud800', 'a/' * 128 + 'b']
)
def test_names_that_lead_elsewhere(name):
    with pytest.raises(DXFUnsafePathError):
        split(name)


@pytest.mark.parametrize(
    'names',
    [
        [('a', False), ('a', False)],
        [('a', False), ('./a', True)],
        # What is no UTF-8 in a name is written like this.
        [('\u00e9', False), ('\udcc3\udca9', False)],
        [('a', False), ('a/b', False)],
        [('a/b', True), ('a', False)],
        [('.', False)],
        [('', False)],
    ],
)
def test_names_that_are_in_each_other_s_way(names):
    with pytest.raises(DXFUnsafePathError):
        check_distinct(names)


def test_names_beside_each_other():
    names = [('a', True), ('a/b', False), ('a/c', True), ('.', True), ('d', False)]
    assert check_distinct(names) == [('a',), ('a', 'b'), ('a', 'c'), (), ('d',)]


# Places


def test_a_link_on_the_way_may_lead_inside(tmp_path):
    root = str(tmp_path.resolve())
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to('real')
    assert place(root, ('link', 'a')) == os.path.join(root, 'real', 'a')
    assert place(root, ()) == root


@pytest.mark.parametrize('target', ['..', '/etc', '../beside', 'nowhere/../../out'])
def test_a_link_on_the_way_may_not_lead_out(tmp_path, target):
    root = tmp_path / 'root'
    (tmp_path / 'beside').mkdir()
    root.mkdir()
    (root / 'link').symlink_to(target)
    for parts in (('link',), ('link', 'a')):
        with pytest.raises(DXFUnsafePathError, match='elsewhere'):
            place(str(root.resolve()), parts)


def test_a_folder_beside_that_begins_alike(tmp_path):
    (tmp_path / 'root').mkdir()
    (tmp_path / 'root2').mkdir()
    (tmp_path / 'root' / 'link').symlink_to('../root2')
    with pytest.raises(DXFUnsafePathError):
        place(str((tmp_path / 'root').resolve()), ('link', 'a'))


def make(path, **contents):
    for name, content in contents.items():
        file = path / name.replace('__', '/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def test_moving_over_what_is_there(tmp_path):
    make(tmp_path / 'new', a=b'new', sub__b=b'new', other__c=b'new')
    make(tmp_path / 'old', a=b'old', sub__b=b'old', sub__d=b'old')
    merge(str(tmp_path / 'new'), str(tmp_path / 'old'))
    assert tree(tmp_path / 'old') == {
        'a': b'new',
        'other': None,
        'other/c': b'new',
        'sub': None,
        'sub/b': b'new',
        'sub/d': b'old',
    }


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path):
    make(tmp_path, new__a=b'new', beside=b'old')
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / 'a').symlink_to('../beside')
    merge(str(tmp_path / 'new'), str(tmp_path / 'old'))
    assert tree(tmp_path / 'old') == {'a': b'new'}
    assert (tmp_path / 'beside').read_bytes() == b'old'


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path):
    make(tmp_path, new__a=b'new', new__sub__b=b'new')
    (tmp_path / 'beside').mkdir()
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / 'sub').symlink_to('../beside')
    with pytest.raises(DXFUnsafePathError, match='something else'):
        merge(str(tmp_path / 'new'), str(tmp_path / 'old'))
    # Nothing at all was moved.
    assert tree(tmp_path / 'old') == {'sub': ('link', '../beside')}
    assert tree(tmp_path / 'beside') == {}


def test_a_folder_in_the_place_of_a_file(tmp_path):
    make(tmp_path, new__a=b'new', old__a__b=b'old')
    with pytest.raises(IsADirectoryError):
        merge(str(tmp_path / 'new'), str(tmp_path / 'old'))
    assert tree(tmp_path / 'old') == {'a': None, 'a/b': b'old'}


def test_folders_that_are_closed_to_their_owner(tmp_path):
    make(tmp_path / 'new', sub__sub__a=b'a')
    merge(str(tmp_path / 'new'), str(tmp_path / 'old'))
    set_modes(str(tmp_path / 'old'), {(): 0o755, ('sub',): 0o500, ('sub', 'sub'): 0o500})
    assert stat.S_IMODE((tmp_path / 'old' / 'sub' / 'sub').stat().st_mode) == 0o500
    set_modes(str(tmp_path / 'old'), {('sub',): 0o700})
    (tmp_path / 'old' / 'sub' / 'sub').chmod(0o700)


def test_the_reader_says_where_it_is():
    reader = inflating.Reader([b'abc', b'def'], 'sha256:' + hashlib.sha256(b'abcdef').hexdigest())
    assert (reader.read(2), reader.tell()) == (b'ab', 2)
    assert (reader.seek(4), reader.read(10), reader.read(1)) == (4, b'ef', b'')
    reader.finish(0)
