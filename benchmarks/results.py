"""What was measured, as JSON: a file for each workload, which says all about itself."""

import datetime
import json
from typing import Dict, List, NamedTuple

from . import figures
from .measuring import Measured
from .workloads import Workload

SUMMED_UP = ('seconds', 'cpu_seconds', 'peak_bytes')


class Result(NamedTuple):
    """One workload's."""

    workload: Workload  # as it was measured
    date: str
    rounds: int
    note: str
    storage: str
    load: float  # the machine's, before the first of its run
    machine: Dict[str, object]
    versions: Dict[str, str]
    runs: Dict[str, List[Measured]]
    left_out: Dict[str, str]

    def series(self, label, what='seconds'):
        return [getattr(run, what) for run in self.runs[label]]

    def has(self, *labels):
        return all(self.runs.get(label) for label in labels)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%d %H:%M UTC')


def write(folder, result):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{result.workload.name}.json'
    path.write_text(json.dumps(to_json(result), indent=1) + '\n', encoding='utf-8')
    return path


def read(folder):
    """All that are in a folder."""
    return [
        from_json(json.loads(path.read_text(encoding='utf-8')))
        for path in sorted(folder.glob('*.json'))
    ]


def to_json(result):
    return {
        **result._asdict(),
        'workload': result.workload._asdict(),
        'title': result.workload.title,
        'runs': {label: [run._asdict() for run in runs] for label, runs in result.runs.items()},
        # For who reads the file; it follows from the runs.
        'summary': {
            label: {
                what: figures.spread(result.series(label, what))._asdict() for what in SUMMED_UP
            }
            for label, runs in result.runs.items()
        },
    }


def from_json(document):
    values = {name: document[name] for name in Result._fields}
    about = document['workload']
    values['workload'] = Workload(
        **{**about, 'groups': tuple(about['groups']), 'only': tuple(about['only'])}
    )
    values['runs'] = {
        label: [Measured(**run) for run in runs] for label, runs in document['runs'].items()
    }
    return Result(**values)
