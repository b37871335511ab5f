"""Fixtures: what stands around the tests. `support/` has the parts they are made of."""

import os
import signal
from pathlib import Path

import hypothesis
import hypothesis.configuration
import pytest
import responses

from dxf.transport import Transport

from .support import secrets, tools
from .support.certificates import Certificates
from .support.client import client_for
from .support.clock import Clock
from .support.eyes import open_eyes
from .support.fakeserver import FakeServer
from .support.flavours import FLAVOURS, PASSWORD, USERNAME, Flavour
from .support.plain import PlainClient
from .support.registry import Registry, htpasswd_auth, token_auth
from .support.shell import WAYS, Shell
from .support.tokens import TokenService

# Git ignores it.
CACHE = Path(__file__).resolve().parents[1] / '.cache'

# Variables of the user's that change what dxf or requests do.
OUTSIDE = (
    'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'DOCKER_CONFIG', 'REGISTRY_AUTH_FILE',
    'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY',
    'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy',
)  # fmt: skip

# These are about the tests themselves.
KEPT = ('DXF_REQUIRE_REGISTRY', 'DXF_TOOLS_CACHE')

# Nothing is left in the working tree, no example fails for a busy machine, and
# CI tries the same examples each time.
hypothesis.settings.register_profile(
    'dxf', database=None, deadline=None, derandomize=os.environ.get('CI') == 'true'
)
hypothesis.settings.load_profile('dxf')
hypothesis.configuration.set_hypothesis_home_dir(str(CACHE / 'hypothesis'))


@pytest.fixture(scope='session', autouse=True)
def no_outside():
    """Tests see none of the user's settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*OUTSIDE, *(n for n in os.environ if n.startswith('DXF_'))]:
            if name not in KEPT:
                patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope='session')
def certificates(tmp_path_factory):
    """A CA and a server certificate for localhost: `.ca`, `.cert`, `.key`, all paths."""
    return Certificates(tmp_path_factory.mktemp('certificates'))


@pytest.fixture(scope='session')
def other_certificates(tmp_path_factory):
    """A CA that vouches for no server of the tests."""
    return Certificates(tmp_path_factory.mktemp('other_certificates'))


@pytest.fixture(scope='session')
def registry_program():
    """The registry's path; a test that asks for it is skipped where it cannot be had."""
    return tools.need('docker-registry')


@pytest.fixture(scope='session')
def skopeo():
    """Skopeo's path; a test that asks for it is skipped where it cannot be had."""
    return tools.need('skopeo')


@pytest.fixture(scope='session')
def make_registry(registry_program, tmp_path_factory):
    """`make_registry(**settings)` starts a Registry that stops when the run ends."""
    made = []

    def make(**settings):
        made.append(Registry(registry_program, tmp_path_factory.mktemp('registry'), **settings))
        return made[-1]

    yield make
    for registry in made:
        registry.stop()


@pytest.fixture(scope='session')
def registry_http(make_registry):
    """Plain http, no authentication."""
    return Flavour('http', make_registry(), insecure=True)


@pytest.fixture(scope='session')
def registry_htpasswd(make_registry, certificates, tmp_path_factory):
    """TLS, user and password."""
    auth = htpasswd_auth(tmp_path_factory.mktemp('htpasswd'), {USERNAME: PASSWORD})
    registry = make_registry(certificates=certificates, auth=auth)
    return Flavour('htpasswd', registry, ca=certificates.ca, username=USERNAME, password=PASSWORD)


@pytest.fixture(scope='session')
def session_token_service(certificates):
    with TokenService(certificates, USERNAME, PASSWORD) as service:
        yield service


@pytest.fixture
def token_service(session_token_service):
    """The token service, as it was made: what a test changes is put back after it."""
    session_token_service.reset()
    yield session_token_service
    session_token_service.reset()


@pytest.fixture(scope='session')
def session_registry_token(make_registry, certificates, session_token_service):
    registry = make_registry(certificates=certificates, auth=token_auth(session_token_service))
    return Flavour(
        'token',
        registry,
        ca=certificates.ca,
        username=USERNAME,
        password=PASSWORD,
        token_service=session_token_service,
    )


@pytest.fixture
def registry_token(session_registry_token, token_service):
    """TLS, tokens from `.token_service`."""
    return session_registry_token


@pytest.fixture(scope='session')
def registry_schema1(make_registry):
    """Plain http; takes schema 1 and converts schema 2 to signed schema 1."""
    return Flavour('schema1', make_registry(schema1=True), insecure=True)


@pytest.fixture(params=FLAVOURS)
def registry(request):
    """Each of the three in turn."""
    return request.getfixturevalue(f'registry_{request.param}')


@pytest.fixture
def repo(registry):
    """The name of a repository in `registry` that no other test uses."""
    return registry.new_repo()


@pytest.fixture
def plain(registry, repo):
    """A client for `repo` that is not dxf."""
    with PlainClient(registry, repo) as client:
        yield client


@pytest.fixture
def http_repo(registry_http):
    """The name of one in `registry_http`, for what does not depend on how it is reached."""
    return registry_http.new_repo()


@pytest.fixture
def http_client(registry_http, http_repo):
    """A DXF for `http_repo`."""
    with client_for(registry_http, http_repo) as made:
        yield made


@pytest.fixture
def http_plain(registry_http, http_repo):
    """A client for `http_repo` that is not dxf."""
    with PlainClient(registry_http, http_repo) as made:
        yield made


@pytest.fixture
def mock():
    """Answers for requests that never leave. One that it was not told of fails, and so does the
    test where one that it was told of does not come."""
    with responses.RequestsMock() as made:
        yield made


@pytest.fixture
def transport():
    """dxf's, with connections of its own."""
    made = Transport()
    yield made
    made.close()


@pytest.fixture
def eyes(capfd):
    """What there is to see while the test runs: no secret, as `eyes.check()` says."""
    with open_eyes(capfd) as made:
        yield made


@pytest.fixture(params=WAYS)
def run(request):
    """Runs the command line: as a process, then by `doit`."""
    return WAYS[request.param]


@pytest.fixture
def shell(registry, run):
    """A Shell whose commands go to `registry`."""
    return Shell(run, registry.environ())


@pytest.fixture
def clock(monkeypatch):
    """Waiting before another attempt takes no time; `clock.slept` lists how long it was to be."""
    made = Clock()
    monkeypatch.setattr('dxf.retries.time', made)
    return made


@pytest.fixture
def fake_server():
    """A FakeServer over http."""
    with FakeServer() as server:
        yield server


@pytest.fixture
def fake_tls_server(certificates):
    """A FakeServer over TLS; `certificates.ca` verifies it."""
    with FakeServer(certificates) as server:
        yield server


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """What a failing test leaves is searched for passwords and tokens."""
    outcome = yield
    secrets.search(outcome.get_result())


def pytest_terminal_summary(terminalreporter):
    secrets.summarize(terminalreporter)
    skipped = [
        report
        for report in terminalreporter.stats.get('skipped', [])
        if 'NEEDS ' in str(report.longrepr)
    ]
    if not tools.missing and not skipped:
        return
    terminalreporter.section('WITHOUT THE REAL THING', sep='!', red=True, bold=True)
    for name, reason in tools.missing.items():
        terminalreporter.line(f'MISSING {name}: {reason}', red=True)
    for report in skipped:
        terminalreporter.line(f'NOT RUN {report.nodeid}', red=True)
    terminalreporter.line(
        f'{len(skipped)} tests were skipped for want of a program that others wrote.', red=True
    )


@pytest.fixture(autouse=True, scope='session')
def heeding_interrupts():
    """What was started in the background by a shell ignores them, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
