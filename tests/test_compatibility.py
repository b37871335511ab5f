"""What each registry does with every operation, and with every kind of manifest.

The tables in `docs/` say so. Each of their cells runs here, and must come out as it stands
there; `make compatibility` makes them anew.
"""

import contextlib
import inspect
import random
import re
import subprocess

import pytest
from requests.exceptions import HTTPError

import dxf

from .support import operations, otherregistries
from .support.compatibility import WORKS, WRITES, Table
from .support.layouts import LayoutFlavour, LayoutPlain
from .support.manifestkinds import KINDS
from .support.operations import OPERATIONS
from .support.plain import PlainClient

# Each with other contents and arguments.
SEEDS = 2

TABLES = {
    'operations': (Table('compatibility-operations', 'operation'), OPERATIONS),
    'manifests': (Table('compatibility-manifests', 'stored and read'), KINDS),
}


def _says(path, pattern):
    """The version that a program tells."""
    done = subprocess.run(
        [path, '--version'], stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )
    return re.search(pattern, (done.stdout + done.stderr).decode()).group(1)


@contextlib.contextmanager
def distribution_2(request, folder):
    """Debian's, which takes schema 1 if it is told to."""
    flavour = request.getfixturevalue('registry_schema1')
    yield flavour, _says(flavour.registry.program, r'distribution v?(\d+\.\d+\.\d+)')


@contextlib.contextmanager
def distribution_3(request, folder):
    with otherregistries.distribution(folder) as flavour:
        yield flavour, _says(flavour.registry.program, r'distribution/v3 v?(\d+\.\d+\.\d+)')


@contextlib.contextmanager
def zot(request, folder):
    with otherregistries.zot(folder) as flavour:
        yield flavour, _says(str(otherregistries.ZOT), r'v?(\d+\.\d+\.\d+)')


@contextlib.contextmanager
def ocimem(request, folder):
    with otherregistries.ocimem() as flavour:
        yield flavour, ''


@contextlib.contextmanager
def oci(request, folder):
    yield LayoutFlavour(folder / 'layouts'), ''


COLUMNS = {
    'distribution-2': distribution_2,
    'distribution-3': distribution_3,
    # Where it could be had.
    **({'zot': zot} if otherregistries.ZOT.exists() else {}),
    'ocimem': ocimem,
    'oci:': oci,
}


@pytest.fixture(scope='module', params=COLUMNS)
def column(request, tmp_path_factory):
    name = request.param
    with COLUMNS[name](request, tmp_path_factory.mktemp('registry')) as (flavour, version):
        yield name, version, flavour


@pytest.fixture(scope='module', autouse=True)
def written():
    """The tables, once all has run, if that is wanted."""
    yield
    if WRITES:
        for table, rows in TABLES.values():
            table.write(rows, COLUMNS)


def plain_for(flavour):
    return LayoutPlain if isinstance(flavour, LayoutFlavour) else PlainClient


@pytest.mark.parametrize('name', OPERATIONS)
def test_operation(monkeypatch, tmp_path, column, name):
    head, version, flavour = column
    monkeypatch.setattr(operations, 'PlainClient', plain_for(flavour))
    for seed in range(SEEDS):
        scratch = tmp_path / str(seed)
        scratch.mkdir()
        world = operations.World(flavour, scratch, random.Random(f'{name} {seed}'))
        with contextlib.closing(world), monkeypatch.context() as patched:
            operation = OPERATIONS[name](world)
            perform = next(operation)
            for target, value in world.patches.items():
                patched.setattr(target, value)
            with dxf.DXF(
                flavour.host, world.repo, insecure=flavour.insecure, **world.settings
            ) as client:
                result = perform(client)
            with pytest.raises(StopIteration) as end:
                operation.send(result)
            world.nothing_is_misnamed()
    remark = end.value.value
    TABLES['operations'][0].add(name, head, worked(remark), version)


def worked(remark):
    return f'{WORKS}, {remark}' if remark else WORKS


def refusal(error):
    """What a registry refused with."""
    found = re.search(r'\b([A-Z]+(?:_[A-Z]+)+|UNSUPPORTED|DENIED|UNKNOWN)\b', str(error))
    return ' '.join(
        ['refused:', str(error.response.status_code), *(found.groups() if found else ())]
    )


@pytest.mark.parametrize('name', KINDS)
def test_manifest(tmp_path, column, name):
    head, version, flavour = column
    repo = flavour.new_repo('kinds')
    kind = KINDS[name]
    more = [tmp_path] if 'folder' in inspect.signature(kind).parameters else []
    with plain_for(flavour)(flavour, repo) as plain, dxf.DXF(
        flavour.host, repo, insecure=flavour.insecure, retries=0
    ) as client:
        running = kind(client, plain, *more)
        try:
            remark = next(running)
        except HTTPError as error:
            cell = refusal(error)
        else:
            with pytest.raises(StopIteration):
                next(running)
            cell = worked(remark)
    TABLES['manifests'][0].add(name, head, cell, version)


@pytest.mark.skipif(WRITES, reason='they are being written')
@pytest.mark.parametrize('name', TABLES)
def test_the_tables_have_all_of_it(name):
    table, rows = TABLES[name]
    cells, heads = table.read()
    assert list(cells) == list(rows), '`make compatibility` makes it anew'
    names = [head.partition(' ')[0] for head in heads]
    assert {*COLUMNS, 'zot'} - set(names) <= {'zot'}
    for row in cells.values():
        assert list(row) == names
        assert all(re.match('works|refused: [45]', cell) for cell in row.values())
