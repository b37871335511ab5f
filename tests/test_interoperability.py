"""What skopeo, oras, crane, regctl and dxf read of what each other wrote.

The tables in `docs/` say so. Each of their cells runs here, and must come out as it stands
there; `make compatibility` makes them anew.
"""

import functools
import re
import subprocess

import pytest

import dxf

from .support.compatibility import WORKS, WRITES, Table
from .support.neighbours import (
    FILES,
    NEIGHBOURS,
    WRITTEN,
    Layout,
    Refused,
    Registry,
    truth,
)

TABLES = {way: Table(f'interoperability-{way}', 'written by') for way in ('registry', 'layout')}

CONVERTS = ('must be converted', 'wants to convert the index')
ONE_ONLY = ('layout contains', 'takes only layouts of one entry')
WHOLE_NAME = ('no descriptor found|not found', 'knows no tag in a whole reference')

#: Where a program does not read what another wrote: by what it says, and why that is.
REASONS = {
    ('registry', 'oras: an index', 'skopeo'): CONVERTS,
    ('registry', 'crane: an index', 'skopeo'): CONVERTS,
    ('registry', 'dxf: an alias', 'skopeo'): (
        'unsupported docker v2s2 media type',
        'takes no such layers in Docker manifests',
    ),
    ('layout', 'oras: an index', 'skopeo'): CONVERTS,
    ('layout', 'oras: an index', 'crane'): ONE_ONLY,
    ('layout', 'regctl: an index', 'crane'): ONE_ONLY,
    ('layout', 'dxf: an index', 'crane'): ONE_ONLY,
    ('layout', 'crane: an image', 'skopeo'): WHOLE_NAME,
    ('layout', 'crane: an index', 'skopeo'): WHOLE_NAME,
    ('layout', 'crane: an image', 'oras'): WHOLE_NAME,
    ('layout', 'crane: an index', 'oras'): WHOLE_NAME,
    ('layout', 'dxf: an alias', 'skopeo'): (
        'no descriptor found',
        'takes only OCI manifests from a layout',
    ),
}


def place(way, registry_http, folder):
    return Registry(registry_http) if way == 'registry' else Layout(folder)


@pytest.fixture(scope='module', autouse=True)
def written():
    """The tables, once all has run, if that is wanted."""
    yield
    if WRITES:
        for table in TABLES.values():
            table.write(WRITTEN, NEIGHBOURS)


@pytest.fixture
def version(request, reader):
    """The version of the program that reads."""
    if reader == 'dxf':
        return dxf.__version__
    return version_of(reader, NEIGHBOURS[reader](reader, request, None).path)


@functools.lru_cache(maxsize=None)
def version_of(reader, program):
    words = ['--version'] if reader == 'skopeo' else ['version']
    done = subprocess.run([program, *words], stdin=subprocess.DEVNULL, capture_output=True)
    return re.search(r'(\d+\.\d+\.\d+)', done.stdout.decode()).group(1)


@pytest.mark.parametrize('reader', NEIGHBOURS)
@pytest.mark.parametrize('row', WRITTEN)
@pytest.mark.parametrize('way', TABLES)
def test_reading(request, registry_http, tmp_path, way, row, reader, version):
    writer, method = WRITTEN[row]
    folders = [tmp_path / name for name in ('write', 'read', 'files', 'here', 'there')]
    for folder in folders:
        folder.mkdir()
    here = place(way, registry_http, folders[3])
    there = place('layout' if way == 'registry' else 'registry', registry_http, folders[4])
    getattr(NEIGHBOURS[writer](writer, request, folders[0]), method)(here)
    expected = truth(here)
    assert len(expected) > 2
    program = NEIGHBOURS[reader](reader, request, folders[1])
    try:
        found = program.read(here, there)
    except Refused as refusal:
        words, reason = REASONS.get((way, row, reader), (None, ''))
        is_known = words is not None and re.search(words, str(refusal)) is not None
        if not is_known and (WRITES or reader == 'dxf' or TABLES[way].is_about(reader, version)):
            raise
        cell = f'no: {reason}'
    else:
        assert found == expected
        cell = WORKS
        if 'artifact' in method:
            files = program.files(here, folders[2])
            if files is not None:
                assert files == FILES
                cell = f'{WORKS}, files by name'
    TABLES[way].add(row, reader, cell, version)


@pytest.mark.skipif(WRITES, reason='they are being written')
@pytest.mark.parametrize('way', TABLES)
def test_the_tables_have_all_of_it(way):
    cells, heads = TABLES[way].read()
    assert list(cells) == list(WRITTEN), '`make compatibility` makes it anew'
    assert [head.partition(' ')[0] for head in heads] == list(NEIGHBOURS)
    assert all(re.match('works|no: .', cell) for row in cells.values() for cell in row.values())
