"""What came of many schedules of faults, counted."""

import collections
import json
import threading
from pathlib import Path


class Figures:
    """Counts schedules by operation, faults by kind, and outcomes."""

    def __init__(self):
        self._lock = threading.Lock()
        self._operations = collections.defaultdict(collections.Counter)
        self._faults = collections.Counter()
        self._outcomes = collections.Counter()
        self._registries = collections.Counter()
        self._totals = collections.Counter()

    def add(self, registry, operation, played, passing, outcome, requests):
        """Count a schedule.

        `passing`: only a few faults, that pass. `outcome`: "done", or an error's name.
        """
        done = outcome == 'done'
        with self._lock:
            for counts in (self._operations[operation], self._totals):
                counts['schedules'] += 1
                counts['faults'] += len(played)
                counts['requests'] += requests
                counts['done'] += done
                counts['raised'] += not done
                counts['passing'] += passing
                counts['passing, done'] += passing and done
                counts['most requests'] = max(counts['most requests'], requests)
            self._faults.update(fault.name for fault, _ in played)
            self._outcomes[outcome] += 1
            self._registries[registry] += 1

    def as_dict(self):
        return {
            'total': dict(self._totals),
            'operations': {name: dict(row) for name, row in sorted(self._operations.items())},
            'faults': dict(self._faults.most_common()),
            'outcomes': dict(self._outcomes.most_common()),
            'registries': dict(self._registries.most_common()),
        }

    def as_rest(self):
        """Tables for the documentation."""
        columns = ('schedules', 'faults', 'done', 'raised', 'passing', 'passing, done')
        rows = [
            (f'``{name}``', *(row[column] for column in columns))
            for name, row in sorted(self._operations.items())
        ]
        rows.append(('all', *(self._totals[column] for column in columns)))
        outcomes = [
            (name if name == 'done' else f'``{name}``', count)
            for name, count in self._outcomes.most_common()
        ]
        return '\n'.join(
            [
                _table(('operation', *columns), rows),
                _table(('fault', 'played'), self._faults.most_common()),
                _table(('outcome', 'schedules'), outcomes),
            ]
        )

    def write(self, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'faults.json').write_text(json.dumps(self.as_dict(), indent=2) + '\n')
        (folder / 'faults.rst').write_text(self.as_rest())


def _table(heads, rows):
    """A simple table of reStructuredText."""
    lines = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    rule = '  '.join('=' * width for width in widths)
    made = [
        '  '.join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    ]
    return '\n'.join([rule, made[0], rule, *made[1:], rule, ''])
