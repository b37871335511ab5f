"""What `dxf` has for programs, and what it does not load before it is needed."""

import ast
import importlib
import inspect
import json
import pickle
import pkgutil
import subprocess
import sys
import typing

import pytest

import dxf

from .support.commandline import environment

PUBLIC = [
    'DXF',
    'DXFBase',
    'Descriptor',
    '__version__',
    'docker_auth',
    'exceptions',
    'hash_bytes',
    'hash_file',
    'split_digest',
]
PRIVATE_LOOKING = ['_schema2_list_mimetype', '_schema2_mimetype', '_to_bytes_2and3']

# None of them is quick to import.
HEAVY = ['requests', 'urllib3', 'tqdm', 'jwcrypto', 'cryptography', 'www_authenticate', 'ssl']


def python(code, *args):
    """What a fresh Python writes that runs this code."""
    done = subprocess.run(
        [sys.executable, '-c', code, *args],
        capture_output=True,
        env=environment({'COVERAGE_PROCESS_START': '', 'COVERAGE_PROCESS_CONFIG': ''}),
        timeout=60,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(code, *args):
    """Which of HEAVY a fresh Python has loaded after this code."""
    shown = python(
        f'{code}\nimport sys, json\nprint()\nprint(json.dumps(sorted(sys.modules)))', *args
    )
    modules = json.loads(shown.splitlines()[-1])
    return [name for name in HEAVY if name in modules]


def test_all():
    assert sorted(dxf.__all__) == PUBLIC


def test_names_are_there():
    for name in PUBLIC + PRIVATE_LOOKING:
        assert getattr(dxf, name) is not None
        assert name in dir(dxf)


def test_nothing_else_is_public():
    """Modules apart: those are there once something has imported them."""
    modules = {module.name for module in pkgutil.iter_modules(dxf.__path__)}
    shown = {name for name in dir(dxf) if not name.startswith('_')}
    assert shown - modules <= {
        *PUBLIC,
        'annotations',
        'import_module',
        'TYPE_CHECKING',
    }


def test_from_dxf_import_star():
    found = json.loads(
        python(
            'from dxf import *\nimport json\nprint(json.dumps([n for n in dir() if n[0] != "_" '
            'or n == "__version__"]))'
        )
    )
    assert sorted(set(found) - {'json'}) == PUBLIC


def test_each_name_is_what_its_module_has():
    from dxf import client, digests, exceptions, manifests

    assert dxf.DXF is client.DXF
    assert dxf.DXFBase is client.DXFBase
    assert dxf.Descriptor is manifests.Descriptor
    assert dxf.exceptions is exceptions
    assert dxf.hash_bytes is digests.hash_bytes
    assert dxf.hash_file is digests.hash_file
    assert dxf.split_digest is digests.split_digest
    assert dxf._to_bytes_2and3 is digests._to_bytes_2and3
    assert dxf._schema2_mimetype is manifests._schema2_mimetype
    assert dxf._schema2_list_mimetype is manifests._schema2_list_mimetype


@pytest.mark.parametrize('public', [dxf.DXFBase, dxf.DXF])
def test_the_types_of_what_is_public_can_be_looked_up(public):
    """On the oldest Python too, which knows fewer of them."""
    for name, method in inspect.getmembers(public, inspect.isfunction):
        assert name.startswith('_') or 'return' in typing.get_type_hints(method)


@pytest.mark.parametrize('name', ['nonsense', 'dxf', '_HOME', 'DXFError', '__wrapped__'])
def test_other_names_are_not_there(name):
    with pytest.raises(AttributeError, match=f"module 'dxf' has no attribute '{name}'"):
        getattr(dxf, name)


def test_importing_dxf_loads_nothing_slow():
    assert loaded_by('import dxf') == []


def test_importing_dxf_loads_no_typing():
    """That takes longer than all else, and Ctrl-C meanwhile would leave a traceback."""
    code = 'import sys\nbefore = set(sys.modules)\nimport dxf\nprint(set(sys.modules) - before)'
    assert 'typing' not in ast.literal_eval(python(code))


@pytest.mark.parametrize('name', ['hash_bytes', 'hash_file', 'split_digest', '_to_bytes_2and3'])
def test_what_hashes_and_splits_is_there_at_once(name):
    assert python(f'import dxf\nprint(dxf.{name}.__name__)').strip() == name


def test_exceptions_are_reachable_by_importing_dxf_alone():
    code = 'import dxf\ntry:\n    dxf.split_digest("md5:0")\nexcept dxf.exceptions.DXFError:\n    '
    assert python(code + 'print("caught")') == 'caught\n'


@pytest.mark.parametrize('name', PUBLIC + PRIVATE_LOOKING)
def test_each_name_can_be_imported_first(name):
    assert python(f'from dxf import {name}\nprint({name} is not None)') == 'True\n'


def test_dir_is_complete_before_anything_is_loaded():
    names = ast.literal_eval(python('import dxf\nprint(dir(dxf))'))
    assert set(PUBLIC + PRIVATE_LOOKING) <= set(names)


def test_a_name_that_a_program_has_replaced_stays_replaced(monkeypatch):
    replacement = object()
    monkeypatch.setattr(dxf, 'DXF', replacement)
    assert dxf.DXF is replacement
    importlib.import_module('dxf.client')
    assert dxf.DXF is replacement


def test_a_name_that_is_replaced_before_it_is_loaded():
    """As `unittest.mock.patch('dxf.DXF')` does in a program's tests."""
    code = (
        'from unittest import mock\nimport dxf\n'
        'with mock.patch("dxf.DXF") as double:\n'
        '    import dxf.main, dxf.commands\n'
        '    assert dxf.DXF is double\n'
        'print(dxf.DXF.__name__, dxf.DXFBase.__name__)'
    )
    assert python(code) == 'DXF DXFBase\n'


COMMAND = (
    'import sys\nfrom dxf.main import doit\ntry:\n    doit({}, {{}})\nexcept SystemExit:\n    pass'
)


@pytest.mark.parametrize(
    'args',
    [
        ['--help'],
        ['--version'],
        ['push-blob', '--help'],
        ['pull-blob'],
        ['push-blob', 'repo'],
        ['push-blob', 'repo', 'file', 'no-alias'],
        ['list-repos', 'too', 'many'],
        ['nonsense'],
        ['--nonsense'],
        [],
    ],
    ids=' '.join,
)
def test_help_and_usage_load_nothing_slow(args):
    assert loaded_by(COMMAND.format(args)) == []


def test_a_command_that_is_run_does_load_them():
    """So that the tests above can tell."""
    code = COMMAND.format(['list-repos']).replace('SystemExit', 'BaseException')
    assert 'requests' in loaded_by(code)


def test_reading_what_is_not_signed_loads_no_jwcrypto():
    code = 'import dxf\ndxf.DXF("localhost", "a")\nimport dxf.schema1'
    found = loaded_by(code)
    assert 'requests' in found
    assert not {'jwcrypto', 'tqdm', 'www_authenticate'} & set(found)


def test_the_version_stands_in_one_place():
    from dxf._version import __version__

    assert dxf.__version__ == __version__
    assert python('import dxf\nprint(dxf.__version__)').strip() == dxf.__version__


def test_it_is_typed():
    assert pkgutil.get_data('dxf', 'py.typed') is not None


def test_every_module_can_be_imported_first():
    names = [
        'dxf.' + module.name
        for module in pkgutil.iter_modules(dxf.__path__)
        if module.name != '__main__'
    ]
    for name in names:
        python(f'import {name}')


def test_functions_can_be_sent_to_another_process():
    for name in ('hash_bytes', 'split_digest', 'DXF', 'DXFBase'):
        made = pickle.loads(pickle.dumps(getattr(dxf, name)))
        assert made is getattr(dxf, name)
