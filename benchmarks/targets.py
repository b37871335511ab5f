"""What is to be reached, and whether it was."""

from typing import Callable, List, NamedTuple, Optional

from . import workloads
from .competitors.limits import CURL, IMPORT_REQUESTS, OPENSSL, PASS
from .figures import Spread, added, ratios, slower, spread
from .units import MIB
from .workloads import PULL_BLOB, PUSH_BLOB

PYTHON_DXF = 'python-dxf'

# Over `import requests`, in bytes.
MEMORY = 16 * MIB


class Target(NamedTuple):
    """One ratio of seconds, at most or at least."""

    what: str
    workload: str
    label: str
    against: str  # in words
    base: Callable[..., List[float]]  # of the series of the labels below
    labels: tuple
    at_most: Optional[float] = None
    at_least: Optional[float] = None

    @property
    def limit(self):
        if self.at_most is not None:
            return f'at most {self.at_most:g}'
        return f'at least {self.at_least:g} times as fast'


class Outcome(NamedTuple):
    what: str
    against: str
    measured: Optional[Spread]
    limit: str
    verdict: str
    unit: str = ''


def _of(series):
    return series


def _faster(what, workload, label, at_least, than=PYTHON_DXF):
    return Target(what, workload, label, than, _of, (than,), at_least=at_least)


def _no_slower(what, workload, label, at_most, than, base=_of, labels=None):
    return Target(what, workload, label, than, base, labels or (than,), at_most=at_most)


TARGETS = (
    _no_slower(
        'pull 1 GiB, checked, default chunks',
        'pull-1g',
        'dxf',
        1.15,
        'the slower of curl to nowhere and openssl dgst',
        slower,
        (CURL, OPENSSL),
    ),
    _no_slower(
        'push 1 GiB with the existence check',
        'push-1g',
        'dxf',
        1.05,
        'openssl dgst plus curl',
        added,
        (OPENSSL, CURL),
    ),
    _no_slower('push 1 GiB without it', 'push-1g', 'dxf unchecked', 1.05, CURL),
    _no_slower('push 1 GiB from stdin', 'push-1g', 'dxf from stdin', 1.05, CURL),
    _no_slower('dxf list-aliases', 'startup', 'dxf list-aliases', 1.15, IMPORT_REQUESTS),
    _no_slower('dxf --help', 'startup', 'dxf --help', 4, PASS),
    _faster('push-blob with an alias, 50 ms away, http', 'push-blob-alias-50ms', 'dxf', 1.6),
    _faster('push-blob with an alias, 50 ms away, TLS', 'push-blob-alias-tls-50ms', 'dxf', 2),
    _faster('an alias of 40 blobs of 4 KiB, 50 ms away', 'pull-alias-40-50ms', 'dxf', 6),
    _faster('1,000 blobs of 4 KiB up, side by side', 'push-many', 'dxf side by side', 2),
    _faster('1,000 blobs of 4 KiB down, side by side', 'pull-many', 'dxf side by side', 2),
)

NOT_MEASURED = 'not measured'
OTHER_SIZE = 'no verdict: measured on less'
REACHED = 'reached'
MISSED = 'missed'


def outcomes(results):
    by_name = {result.workload.name: result for result in results}
    found = [_outcome(target, by_name.get(target.workload)) for target in TARGETS]
    return [*found, memory(results)]


def _outcome(target, result):
    if result is None or not result.has(target.label, *target.labels):
        reason = result.left_out.get(target.label) if result else None
        verdict = f'{NOT_MEASURED}: {reason}' if reason else NOT_MEASURED
        return Outcome(target.what, target.against, None, target.limit, verdict)
    ours = result.series(target.label)
    theirs = target.base(*(result.series(label) for label in target.labels))
    if target.at_most is not None:
        measured = spread(ratios(ours, theirs))
        reached = measured.median <= target.at_most
    else:
        measured = spread(ratios(theirs, ours))
        reached = measured.median >= target.at_least
    verdict = REACHED if reached else MISSED
    if not _is_full_size(result.workload):
        verdict = OTHER_SIZE
    return Outcome(target.what, target.against, measured, target.limit, verdict)


def _is_full_size(workload):
    return any(
        (w.name, w.count, w.size) == (workload.name, workload.count, workload.size)
        for w in workloads.ALL
    )


def memory(results):
    """The worst of all that dxf took for one blob, up or down, of any size."""
    limit = f'at most {MEMORY // MIB}'
    worst = None
    for result in results:
        if result.workload.kind not in (PULL_BLOB, PUSH_BLOB) or not result.has(IMPORT_REQUESTS):
            continue
        base = spread(result.series(IMPORT_REQUESTS, 'peak_bytes')).median
        for label in result.runs:
            if label.split()[0] != 'dxf':
                continue
            peaks = result.series(label, 'peak_bytes')
            measured = spread([(peak - base) / MIB for peak in peaks])
            if worst is None or measured.median > worst[0].median:
                worst = measured, f'{label}, {result.workload.name}'
    what = 'peak memory for one blob, of any size, up or down'
    against = 'MiB above import requests'
    if worst is None:
        return Outcome(what, against, None, limit, NOT_MEASURED)
    verdict = REACHED if worst[0].median <= MEMORY / MIB else MISSED
    return Outcome(f'{what} (worst: {worst[1]})', against, worst[0], limit, verdict, ' MiB')
