"""What is measured. To add a workload, add a line."""

from typing import NamedTuple, Tuple

from .units import GIB, MIB
from .units import size as in_words

PULL_BLOB = 'pull-blob'
PUSH_BLOB = 'push-blob'
PULL_BLOBS = 'pull-blobs'
PUSH_BLOBS = 'push-blobs'
PULL_ALIAS = 'pull-alias'
PUSH_ALIAS = 'push-alias'
PUSH_NAMED = 'push-named'
STARTUP = 'startup'

_TITLES = {
    PULL_BLOB: 'Pull one blob of {size}',
    PUSH_BLOB: 'Push one blob of {size}',
    PULL_BLOBS: 'Pull {count:,} blobs of {size}',
    PUSH_BLOBS: 'Push {count:,} blobs of {size}',
    PULL_ALIAS: 'Pull an alias of {count:,} blobs of {size}',
    PUSH_ALIAS: 'Push an alias of {count:,} blobs of {size}',
    PUSH_NAMED: 'Push a blob of {size} and give it an alias',
    STARTUP: 'Start and end',
}

# In a quick run.
QUICK_SIZE = 32 * MIB
QUICK_COUNT = 20

# What starting takes is small and shaky, and costs little to repeat.
STARTUP_TIMES = 4


class Workload(NamedTuple):
    """One table: some content, moved one way over one kind of link."""

    name: str
    kind: str
    count: int = 1
    size: int = 0
    rtt: float = 0.0  # in seconds; 0: loopback as it is
    tls: bool = False
    groups: Tuple[str, ...] = ()
    # The names of the competitors, where not all of them take part.
    only: Tuple[str, ...] = ()

    @property
    def title(self):
        text = _TITLES[self.kind].format(count=self.count, size=in_words(self.size))
        if self.tls:
            text += ', TLS'
        if self.rtt:
            text += f', {self.rtt * 1000:.0f} ms away'
        return text

    @property
    def is_push(self):
        return self.kind in (PUSH_BLOB, PUSH_BLOBS, PUSH_ALIAS, PUSH_NAMED)

    @property
    def names_alias(self):
        """Whether an alias is part of what is pushed."""
        return self.kind in (PUSH_ALIAS, PUSH_NAMED)

    @property
    def room(self):
        """What it needs for a while, in bytes: the source, what is stored, what is pulled."""
        copies = 2 if self.is_push else 3
        return self.count * self.size * copies + 256 * MIB

    def quick(self):
        return self._replace(size=min(self.size, QUICK_SIZE), count=min(self.count, QUICK_COUNT))


# What is measured over each link: stem, kind, count, size, groups.
_BASIC = (
    ('pull-1g', PULL_BLOB, 1, GIB, ('large', 'memory')),
    ('push-1g', PUSH_BLOB, 1, GIB, ('large', 'memory')),
    ('pull-many', PULL_BLOBS, 1000, 4096, ('many',)),
    ('push-many', PUSH_BLOBS, 1000, 4096, ('many',)),
    ('pull-alias-200', PULL_ALIAS, 200, 65536, ('alias',)),
    ('push-alias-200', PUSH_ALIAS, 200, 65536, ('alias',)),
    ('pull-alias-40', PULL_ALIAS, 40, 4096, ('alias',)),
    ('push-blob-alias', PUSH_NAMED, 1, 4096, ('alias',)),
)

# Suffix, round trip in seconds, TLS, groups.
_LINKS = (
    ('', 0.0, False, ()),
    ('-tls', 0.0, True, ('tls',)),
    ('-20ms', 0.02, False, ('20ms', 'links')),
    ('-50ms', 0.05, False, ('50ms', 'links')),
    ('-tls-20ms', 0.02, True, ('tls', '20ms', 'links')),
    ('-tls-50ms', 0.05, True, ('tls', '50ms', 'links')),
)

# A client that waits two to six round trips for each blob takes minutes for 1,000
# of them, and tells no more than over a hundred.
_FAR_COUNT = 100

# What a run without further words measures: the most of what differs, in a quarter
# of an hour.
_DEFAULT = frozenset(
    (
        'startup',
        'pull-1g',
        'push-1g',
        'pull-many',
        'push-many',
        'pull-alias-200',
        'pull-alias-40-50ms',
        'push-blob-alias-50ms',
        'push-blob-alias-tls-50ms',
    )
)

# What shows how things grow. 1 GiB and 1,000 blobs are among the basic ones.
_GROWING = ('dxf', 'python-dxf', 'oras', 'limits')
_SIZES = (('1m', MIB), ('16m', 16 * MIB), ('256m', 256 * MIB), ('8g', 8 * GIB))
_COUNTS = (1, 10, 100, 10000)


def _all():
    yield Workload('startup', STARTUP, size=4096, groups=('default',))
    for suffix, rtt, tls, link_groups in _LINKS:
        for stem, kind, count, size, groups in _BASIC:
            name = stem + suffix
            yield Workload(
                name,
                kind,
                min(count, _FAR_COUNT) if rtt and 'many' in groups else count,
                size,
                rtt,
                tls,
                groups + link_groups + (('default',) if name in _DEFAULT else ()),
            )
    # TLS adds to each byte what 1 GiB does not tell better.
    for name, kind in (('pull-256m-tls', PULL_BLOB), ('push-256m-tls', PUSH_BLOB)):
        yield Workload(name, kind, 1, 256 * MIB, tls=True, groups=('large', 'tls', 'default'))
    for suffix, size in _SIZES:
        yield Workload(f'pull-{suffix}', PULL_BLOB, 1, size, groups=('growth',), only=_GROWING)
        yield Workload(f'push-{suffix}', PUSH_BLOB, 1, size, groups=('growth',), only=_GROWING)
    for count in _COUNTS:
        for stem, kind in (('pull-many', PULL_BLOBS), ('push-many', PUSH_BLOBS)):
            name = f'{stem}-{count}'
            yield Workload(name, kind, count, 4096, groups=('growth',), only=_GROWING)


ALL = tuple(_all())
GROUPS = tuple(dict.fromkeys(group for workload in ALL for group in workload.groups))


class Unknown(Exception):
    """No workload and no group has this name."""


def select(names, full=False):
    """The workloads of these names or groups, in the order of the list above.

    Of a group that several links share, those on plain loopback; `full` gives all.
    """
    if not names:
        return [w for w in ALL if full or 'default' in w.groups]
    known = {workload.name for workload in ALL}
    for name in names:
        if name not in known and name not in GROUPS:
            raise Unknown(name)

    def wanted(workload):
        if workload.name in names:
            return True
        groups = [name for name in names if name in workload.groups]
        if not groups:
            return False
        plain = not workload.rtt and not workload.tls
        about_links = any(group in ('tls', '20ms', '50ms', 'links', 'default') for group in groups)
        return full or plain or about_links

    return [workload for workload in ALL if wanted(workload)]
