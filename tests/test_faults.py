"""Every operation ends, and does what it says or says why not, whatever the network does.

The schedules of what goes wrong come from seeds. Which ones are played:

- some, by default;
- `DXF_FAULT_SCHEDULES=1000`: so many (`make soak`);
- `DXF_FAULT_CASES='http-pull_blob-17 tls-push_blob_file-4'`: these alone.

With `DXF_FAULT_FIGURES=FOLDER` what happened is counted in files there.
"""

import contextlib
import os
import random
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from unittest import mock

import pytest
from requests.exceptions import ChunkedEncodingError, ConnectionError, HTTPError, Timeout

import dxf
from dxf.exceptions import DXFCannotRewindError, DXFError

from .support.faultfigures import Figures
from .support.faultproxy import FaultProxy
from .support.faults import MILD_FAULTS, Fault, Schedule
from .support.flavours import Flavour
from .support.operations import OPERATIONS, World, misnamed
from .support.otherregistries import distribution, ocimem
from .support.plain import sha256
from .support.rawproxy import RawProxy

SCHEDULES = int(os.environ.get('DXF_FAULT_SCHEDULES') or 64)
CASES = os.environ.get('DXF_FAULT_CASES', '').split()
# Long enough for the heads of requests and answers, in bytes, and which of the cuts there are
# made: each how-manieth.
SWEPT_BYTES = 600
SWEEP_STEP = int(os.environ.get('DXF_FAULT_SWEEP_STEP') or 601)
# With it contents are small, but not empty.
SWEEP_SEED = 3
# Some more, for handshakes.
TLS_BYTES = 6000
TLS_STEP = SWEEP_STEP * 5
FIGURES = os.environ.get('DXF_FAULT_FIGURES')

DOCUMENTED = (DXFError, HTTPError, ConnectionError, Timeout, ChunkedEncodingError)

RETRIES = MILD_FAULTS + 1
RETRY_SECONDS = 20
TIMEOUT = (1, 1)
# Where every request may stall.
SHORT_TIMEOUT = (0.2, 0.2)

# After so long an operation has not merely been slow: it hangs.
WATCHDOG_SECONDS = 120

# An operation of n requests may need each so often: again and again, in what was begun again.
# To copy an index is some forty requests.
MAX_REQUESTS = 300

# What dxf keeps of a stream, so that small ones are more than that, in bytes.
STREAM_CHUNK_SIZE = 128 * 1024

# How often a kind of registry is drawn. Debian's does not resume uploads, the others do.
REGISTRIES = (
    'http', 'distribution', 'http', 'tls', 'ocimem', 'token', 'http', 'distribution', 'htpasswd',
)  # fmt: skip


class Haste:
    """Stands for the `time` module where dxf waits: what it waits is not waited, but counts."""

    def __init__(self):
        self._skipped = threading.local()

    def monotonic(self):
        return time.monotonic() + getattr(self._skipped, 'seconds', 0)

    def sleep(self, seconds):
        assert seconds <= RETRY_SECONDS
        self._skipped.seconds = getattr(self._skipped, 'seconds', 0) + seconds
        # As much as a registry needs to notice that a connection is gone.
        time.sleep(min(seconds, 0.005))


@pytest.fixture
def haste(monkeypatch):
    monkeypatch.setattr('dxf.retries.time', Haste())
    monkeypatch.setattr('dxf.uploads.STREAM_CHUNK_SIZE', STREAM_CHUNK_SIZE)


def names():
    """registry-operation-seed of each schedule to be played."""
    if CASES:
        return CASES
    operations = list(OPERATIONS)
    found = []
    for seed in range(SCHEDULES):
        turn, place = divmod(seed, len(operations))
        kind = REGISTRIES[(place + turn * 4) % len(REGISTRIES)]
        found.append(f'{kind}-{operations[place]}-{seed}')
    return found


@pytest.fixture(scope='module')
def figures():
    counted = Figures()
    yield counted
    if FIGURES:
        counted.write(FIGURES)


@pytest.fixture(scope='module')
def own_http(make_registry):
    """Debian's registry; not the one of the other tests, for some thousand repositories."""
    return Flavour('http', make_registry(secret='fixed'), insecure=True)


@pytest.fixture(scope='module')
def own_distribution(tmp_path_factory):
    with distribution(tmp_path_factory.mktemp('distribution')) as flavour:
        yield flavour


@pytest.fixture(scope='module')
def own_ocimem():
    with ocimem() as flavour:
        yield flavour


class Place:
    """A registry of some kind, and how to get at it through a proxy."""

    def __init__(self, request, kind):
        fixture = {'htpasswd': 'registry_htpasswd', 'token': 'registry_token', 'tls': 'own_http'}
        self.kind = kind
        self.flavour = request.getfixturevalue(fixture.get(kind, 'own_' + kind))
        self.tls = kind in ('tls', 'htpasswd', 'token')
        self.certificates = request.getfixturevalue('certificates') if self.tls else None
        self.resumes = kind in ('distribution', 'ocimem')

    def proxy(self):
        service = self.flavour.token_service
        made = FaultProxy(
            self.flavour.host,
            self.certificates,
            upstream_ca=self.flavour.ca,
            routes={'/token': service.host} if service else None,
        )
        made.tokens_can_be_renewed = service is not None
        return made

    def client(self, proxy, repo, **settings):
        return dxf.DXF(
            proxy.host,
            repo,
            auth=self.flavour.auth(),
            insecure=not self.tls,
            # Its tokens, too, come through the proxy.
            auth_host=proxy.host if self.flavour.token_service else None,
            tlsverify=self.certificates.ca if self.tls else True,
            retries=RETRIES,
            retry_seconds=RETRY_SECONDS,
            **settings,
        )


def within_bounds(act, client):
    """What comes of `act(client)`: its result and its error; TimeoutError if it hangs."""
    outcome = []

    def run():
        try:
            with client:
                outcome.append((act(client), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(WATCHDOG_SECONDS)
    if not outcome:
        where = traceback.format_stack(sys._current_frames()[thread.ident])
        raise TimeoutError('it hangs\n' + ''.join(where))
    return outcome[0]


class Performance:
    """One operation under one schedule: `run` does it, `check` looks at what it did."""

    def __init__(self, place, operation, schedule, folder, seed):
        self.place = place
        self.name = operation
        self.schedule = schedule
        self.world = World(place.flavour, folder, random.Random(f'world {seed}'))
        self.operation = OPERATIONS[operation](self.world)
        self.error = None
        self.result = None
        self.log = []

    def run(self):
        act = next(self.operation)
        timeout = SHORT_TIMEOUT if self.schedule.manner == 'endless' else TIMEOUT
        with contextlib.ExitStack() as stack:
            for name, value in self.world.patches.items():
                stack.enter_context(mock.patch(name, value))
            proxy = stack.enter_context(self.place.proxy())
            proxy.max_body = self.world.max_body
            proxy.play(self.schedule)
            settings = dict(self.world.settings, timeout=timeout)
            try:
                self.result, self.error = within_bounds(
                    act, self.place.client(proxy, self.world.repo, **settings)
                )
            except TimeoutError as hanging:
                self.log = list(proxy.log)
                pytest.fail(f'{hanging}\n{self}', pytrace=False)
            self.log = list(proxy.log)
        assert not proxy.errors, ''.join(proxy.errors)

    @property
    def outcome(self):
        return 'done' if self.error is None else type(self.error).__name__

    @property
    def is_passing(self):
        """Whether all that befell it passes, and there was not too much of it."""
        return self.schedule.transient and len(self.schedule.played) <= MILD_FAULTS

    @property
    def must_succeed(self):
        lost = isinstance(self.error, DXFCannotRewindError) and self._may_have_lost()
        return self.is_passing and not lost

    def _may_have_lost(self):
        """Whether a registry lost what dxf has no more: the beginning of a stream."""
        if not self.world.too_long_to_rewind:
            return False
        if self.place.resumes and not any(f.kind == 'drop' for f, _ in self.schedule.played):
            return False
        # What is not yet acknowledged dxf still has.
        return any(entry.request.startswith('PATCH') and entry.status == 202 for entry in self.log)

    def check(self):
        if self.error is None:
            with pytest.raises(StopIteration):
                self.operation.send(self.result)
        else:
            self.operation.close()
            assert isinstance(self.error, DOCUMENTED), 'that is no documented error'
            if isinstance(self.error, HTTPError):
                assert self.error.response is not None
            assert not self.must_succeed, 'only faults that pass befell it'
        self.world.nothing_is_misnamed()
        assert len(self.log) <= MAX_REQUESTS, 'it does not know when to stop'

    def close(self):
        self.operation.close()
        self.world.close()

    def __str__(self):
        lines = [f'{self.place.kind}, {self.name}', f'{self.schedule}']
        lines.extend(f'  {entry}' for entry in self.log)
        if self.error is None:
            return '\n'.join([*lines, 'done'])
        for frame in traceback.extract_tb(self.error.__traceback__):
            if 'site-packages' not in frame.filename:
                lines.append(f'  {Path(frame.filename).name}:{frame.lineno} {frame.line}')
        return '\n'.join([*lines, f'{type(self.error).__name__}: {self.error}'])


def perform(request, kind, operation, schedule, seed, figures=None):
    with tempfile.TemporaryDirectory() as folder:
        performance = Performance(Place(request, kind), operation, schedule, Path(folder), seed)
        try:
            performance.run()
            if figures:
                figures.add(
                    kind,
                    operation,
                    schedule.played,
                    performance.is_passing,
                    performance.outcome,
                    len(performance.log),
                )
            try:
                performance.check()
            except AssertionError as failure:
                message = str(failure).partition('\n')[0]
                if not message:
                    message = traceback.extract_tb(failure.__traceback__)[-1].line
                pytest.fail(f'{message}\n{performance}', pytrace=False)
        finally:
            performance.close()
    return performance


@pytest.mark.parametrize('name', names())
def test_schedule(request, haste, figures, name):
    kind, operation, seed = name.split('-')
    perform(request, kind, operation, Schedule.of(int(seed)), int(seed), figures)


def test_every_public_operation_is_driven():
    public = {name for name in dir(dxf.DXF) if not name.startswith('_')} - {'from_base', 'token'}
    driven = {max((o for o in public if name.startswith(o)), key=len) for name in OPERATIONS}
    assert driven == public


#: What went wrong once: the registry, the operation, the seed of its contents, and what befell it.
REGRESSIONS = {
    'a stall on the first connection': ('http', 'get_manifest', 104, 'stall up head=0.391'),
    'a stall before the first handshake': ('tls', 'list_repos', 55, 'stall up connect=0'),
    'the first connection is reset': ('http', 'set_manifest', 276, 'cut up rst connect=0'),
    'cut in the first handshake': ('tls', 'pull_blob', 180, 'cut up fin connect=0'),
    'a cut token': ('token', 'authenticate', 57, 'truncate down short body=0.9999'),
    'a cut token for something else': ('token', 'pull_blob', 64, 'cut down fin body=0.5 skip=1'),
    'a challenge with a cut body': (
        'htpasswd',
        'get_manifest',
        312,
        'truncate down short body=0.7381',
    ),
    'a challenge with a cut head': ('htpasswd', 'push_blob_file', 580, 'cut down fin head=0.4347'),
    'a size with fewer digits': ('http', 'blob_size', 3, 'cut down fin byte=91'),
    'a digest with fewer digits': (
        'http',
        'head_manifest_and_response',
        3,
        'cut down fin byte=180',
    ),
    'an answer without its headers': ('http', 'api_version_check', 3, 'cut down fin byte=20'),
    'a blob without its headers': ('http', 'pull_blob', 3, 'cut down fin byte=50'),
    'a deletion whose answer is lost': ('http', 'del_blob', 129, 'cut up fin head=1'),
    'a deletion that a gateway gives up on': (
        'distribution',
        'del_blob',
        187,
        'answer 502 after json',
    ),
    'an alias deleted whose answer is lost': (
        'http',
        'del_alias',
        129,
        'cut down rst head=0 skip=1',
    ),
    'a manifest that is not what was sent': (
        'ocimem',
        'set_manifest',
        131,
        'flip up body=0.8536 bit=4',
    ),
    'a stream whose upload is lost at once': ('http', 'push_blob_stream', 118, 'drop delete'),
    'a stream that is cut at once': ('distribution', 'push_blob_stream', 60, 'cut up rst body=0'),
}


@pytest.mark.parametrize('name', REGRESSIONS)
def test_regression(request, haste, name):
    kind, operation, seed, faults = REGRESSIONS[name]
    performance = perform(request, kind, operation, Schedule.parse(faults), seed)
    assert performance.schedule.played


SWEPT = (
    'blob_size', 'pull_blob_and_size', 'push_blob_bytes', 'get_manifest', 'set_manifest',
    'mount_blob', 'list_aliases',
)  # fmt: skip


@pytest.mark.parametrize('way', ['up', 'down'])
@pytest.mark.parametrize('operation', SWEPT)
def test_a_cut_at_any_byte(request, haste, operation, way):
    """Of the first message and of the second, for no seed hits them all."""
    cuts = [
        f'cut {way} {how} byte={byte} skip={skip}'
        for skip in (0, 1)
        for byte in range(SWEPT_BYTES)
        for how in ('fin', 'rst')
    ]
    for cut in cuts[random.Random(f'{operation} {way}').randrange(SWEEP_STEP) :: SWEEP_STEP]:
        perform(request, 'http', operation, Schedule.parse(cut), SWEEP_SEED)


@pytest.mark.parametrize('kind', ['distribution', 'ocimem'])
@pytest.mark.parametrize(
    ('operation', 'seed'), [('push_blob_in_chunks', 0), ('push_blob_stream', 12)]
)
@pytest.mark.parametrize('faults', ['cut up rst body=0.5 skip=4', 'answer 504 after skip=4'])
def test_an_upload_is_gone_on_with(request, haste, kind, operation, seed, faults):
    """Where the registry can do that, it is not begun again."""
    performance = perform(request, kind, operation, Schedule.parse(faults), seed)
    assert len(performance.schedule.played) == 1
    assert [entry.request[:4] for entry in performance.log].count('POST') == 1


@pytest.mark.parametrize('fault', ['cut fin', 'cut rst', 'flip bit=2'])
@pytest.mark.parametrize('way', ['up', 'down'])
@pytest.mark.parametrize('operation', ['blob_size', 'push_blob_bytes', 'pull_blob'])
def test_any_byte_of_tls(request, haste, tmp_path, operation, way, fault):
    """Of its handshake too, where nothing is known yet of the registry."""
    place = Place(request, 'htpasswd')
    start = random.Random(f'{operation} {way} {fault}').randrange(TLS_STEP)
    for byte in range(start, TLS_BYTES, TLS_STEP):
        world = World(place.flavour, tmp_path, random.Random(f'world {SWEEP_SEED}'))
        performed = OPERATIONS[operation](world)
        act = next(performed)
        with RawProxy(place.flavour.host, Fault.parse(f'{fault} {way} byte={byte}')) as proxy:
            client = place.client(proxy, world.repo, timeout=TIMEOUT)
            result, error = within_bounds(act, client)
        if error is None:
            with pytest.raises(StopIteration):
                performed.send(result)
        else:
            # A wrong bit may make a certificate one that does not verify.
            assert fault.startswith('flip') and isinstance(error, DOCUMENTED), (byte, error)
        world.nothing_is_misnamed()
        world.close()


def raising(error):
    def function(*args, **kwargs):
        raise error

    return function


@pytest.mark.parametrize(
    ('operation', 'replaced', 'wrong', 'says'),
    [
        ('blob_size', 'blob_size', lambda *args: 17, r'assert .*len\(content\)'),
        ('push_blob_bytes', 'push_blob', lambda *args, data, **kwargs: sha256(data), 'not there'),
        ('del_blob', 'del_blob', lambda *args: None, 'still there'),
        ('pull_blob', 'pull_blob', lambda *args, **kwargs: [b'x'], 'assert got == content'),
        ('list_repos', 'list_repos', raising(KeyError('repositories')), 'no documented error'),
        ('list_repos', 'list_repos', raising(ConnectionError('cut')), 'only faults that pass'),
        ('blob_size', 'blob_size', lambda *args: time.sleep(2), 'hangs'),
    ],
)
def test_what_is_wrong_is_noticed(request, haste, monkeypatch, operation, replaced, wrong, says):
    """Or else these tests would tell nothing."""
    monkeypatch.setattr(dxf.DXF, replaced, wrong)
    if says == 'hangs':
        monkeypatch.setattr(f'{__name__}.WATCHDOG_SECONDS', 0.5)
    with pytest.raises(pytest.fail.Exception, match=says):
        perform(request, 'http', operation, Schedule.parse('cut up fin head=0'), SWEEP_SEED)


def test_a_blob_that_is_stored_wrongly_is_noticed(tmp_path):
    content = b'content'
    for name in (sha256(content), sha256(b'other')):
        path = tmp_path / 'docker/registry/v2/blobs' / name.replace(':', '/xx/') / 'data'
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    assert [path.parent.name for path in misnamed(tmp_path)] == [sha256(b'other')[7:]]


@pytest.mark.parametrize('kind', ['http', 'distribution', 'htpasswd', 'token'])
def test_each_blob_on_the_disk_is_its_own(request, kind):
    """What all the schedules left there."""
    assert misnamed(Place(request, kind).flavour.registry.root) == []
