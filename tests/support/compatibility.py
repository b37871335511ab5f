"""Tables of what works with what, each cell of which has run: kept in `docs/` as CSV."""

import csv
import os
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / 'docs'

#: Whether the tables are to be written anew, instead of being held to what runs.
WRITES = os.environ.get('DXF_COMPATIBILITY') == 'write'

WORKS = 'works'


class Table:
    """A table: what is in the file, and what was found.

    A column's head is a name without spaces, and after a space the version of what it
    is about. What is here in another version than in the file runs all the same, but may come
    out otherwise.
    """

    def __init__(self, name, corner):
        self.path = DOCS / f'{name}.csv'
        self._corner = corner
        self._found = {}
        self._heads = {}

    def read(self):
        """Row -> column -> cell, and the columns' heads."""
        with open(self.path, encoding='utf-8', newline='') as file:
            heads, *rows = csv.reader(file)
        names = [head.partition(' ')[0] for head in heads[1:]]
        return {row[0]: dict(zip(names, row[1:])) for row in rows}, heads[1:]

    def add(self, row, column, cell, version=''):
        """Keep what was found; fail if the file says something else."""
        self._heads.setdefault(column, f'{column} {version}'.strip())
        self._found.setdefault(row, {})[column] = cell
        if self.is_about(column, version):
            there = self.read()[0].get(row, {}).get(column)
            assert cell == there, f'{row}, {column}: `make compatibility` makes the table anew'

    def is_about(self, column, version):
        """Whether what is found of a column is to be what is in the file."""
        if WRITES:
            return False
        head = next((head for head in self.read()[1] if head.split(' ')[0] == column), '')
        return column == 'dxf' or head == f'{column} {version}'.strip()

    def write(self, rows, columns):
        """Make the file anew, in this order; what was not found is left out."""
        columns = [column for column in columns if column in self._heads]
        with open(self.path, 'w', encoding='utf-8', newline='') as file:
            out = csv.writer(file, lineterminator='\n')
            out.writerow([self._corner, *(self._heads[column] for column in columns)])
            for row in rows:
                out.writerow(
                    [row, *(self._found.get(row, {}).get(column, '') for column in columns)]
                )
