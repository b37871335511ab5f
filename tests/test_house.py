"""The map of the house is the house: every module is in it, below those that it uses."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


HOUSE = (ROOT / 'dxf', ROOT / 'dxf' / 'layout')
SUPPORT = ROOT / 'tests' / 'support'


def rooms():
    """The modules that the map names, in order, by the folder they are in."""
    text = (ROOT / 'docs' / 'house.rst').read_text(encoding='utf-8')
    tables = re.findall(r'^module .*\n=[= ]+\n((?:.+\n)+?)=[= ]+\n', text, re.MULTILINE)
    listed = [re.findall(r'^``(\w+)``', table, re.MULTILINE) for table in tables]
    return dict(zip((*HOUSE, SUPPORT), listed))


@pytest.mark.parametrize('folder', (*HOUSE, SUPPORT), ids=lambda folder: folder.name)
def test_every_module_is_on_the_map(folder):
    there = {path.stem for path in folder.glob('*.py')} - {'__init__'}
    assert sorted(rooms()[folder]) == sorted(there)


def test_the_tests_support_is_in_order():
    assert rooms()[SUPPORT] == sorted(rooms()[SUPPORT])


def uses(path):
    """The modules beside it that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [name.name for name in node.names]


@pytest.mark.parametrize('folder', HOUSE, ids=lambda folder: folder.name)
def test_each_room_uses_those_above_it(folder):
    above = []
    for room in rooms()[folder]:
        below = set(uses(folder / f'{room}.py')) - set(above) - {'__init__'}
        # `layout` is a folder beside dxf's modules, and is above none of them.
        assert below <= {'layout'}, room
        above.append(room)
