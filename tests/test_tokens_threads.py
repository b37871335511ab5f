"""Several threads that need a token at once: one of them asks, and all have it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import dxf
from dxf import exceptions

from .support import secrets
from .support.client import client_for
from .support.clock import Clock
from .support.fakeserver import Answer
from .support.granting import GrantingRegistry
from .support.plain import PlainClient

THREADS = 8
SECONDS = 60  # a thread that does not come ends the test


class Crowd(GrantingRegistry):
    """Refuses nobody before all the threads are there to be refused."""

    def __init__(self, certificates):
        super().__init__(certificates)
        self.gather()

    def gather(self):
        self.gate = threading.Barrier(THREADS)

    def serve(self, request):
        answer = super().serve(request)
        if answer.status == 401:
            self.gate.wait(SECONDS)
        return answer


@pytest.fixture
def crowd(certificates):
    with Crowd(certificates) as server:
        yield server


def auth(client, response):
    client.authenticate('fred', secrets.PASSWORD, response=response)


def at_once(functions):
    """Run functions, each in a thread, and raise what any of them raises."""
    with ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(f) for f in functions]]


def clients(base, kind):
    if kind == 'one object':
        return [dxf.DXF.from_base(base, 'a')] * THREADS
    return [dxf.DXF.from_base(base, 'a') for _ in range(THREADS)]


@pytest.mark.parametrize('kind', ['one object', 'an object each'])
def test_one_request_for_all(crowd, certificates, kind):
    with dxf.DXFBase(crowd.host, auth, tlsverify=certificates.ca) as base:
        used = clients(base, kind)
        for turn in (1, 2):
            # The second time it is at its end.
            crowd.gather()
            crowd.valid.clear()
            assert at_once([client.list_aliases for client in used]) == [['a']] * THREADS
            assert crowd.asked == ['repository:a:pull'] * turn
            assert len(crowd.refused) == turn * THREADS


@pytest.mark.parametrize('kind', ['one object', 'an object each'])
def test_one_request_for_all_at_its_end(crowd, certificates, monkeypatch, kind):
    """By the clock: the registry has nobody to refuse."""
    clock = Clock()
    monkeypatch.setattr('dxf.tokens.time', clock)
    with dxf.DXFBase(crowd.host, auth, tlsverify=certificates.ca) as base:
        used = clients(base, kind)
        at_once([client.list_aliases for client in used])
        for turn in (2, 3):
            clock.now += crowd.expires_in
            assert at_once([client.list_aliases for client in used]) == [['a']] * THREADS
            assert crowd.asked == ['repository:a:pull'] * turn
    assert len(crowd.refused) == THREADS


def test_one_request_for_each_scope(crowd, certificates):
    with dxf.DXFBase(crowd.host, auth, tlsverify=certificates.ca) as base:
        used = [dxf.DXF.from_base(base, 'ab'[i % 2]) for i in range(THREADS)]
        at_once([client.list_aliases for client in used])
    assert sorted(crowd.asked) == ['repository:a:pull', 'repository:b:pull']


def test_auth_is_not_called_by_two_threads_at_once(crowd, certificates):
    inside = threading.Lock()
    overlaps = []

    def watched(client, response):
        overlaps.append(not inside.acquire(blocking=False))
        try:
            auth(client, response)
        finally:
            inside.release()

    with dxf.DXFBase(crowd.host, watched, tlsverify=certificates.ca) as base:
        at_once([client.list_aliases for client in clients(base, 'an object each')])
    assert overlaps
    assert not any(overlaps)


class Overlaps:
    """Something to pass as `auth` in several ways, which sees whether two threads are in it."""

    __hash__ = None

    def __init__(self):
        self._inside = threading.Lock()
        self.seen = []

    def method(self, client, response):
        is_alone = self._inside.acquire(blocking=False)
        self.seen.append(not is_alone)
        try:
            auth(client, response)
            # Long enough for another to come in, if one may.
            threading.Event().wait(0.1)
        finally:
            if is_alone:
                self._inside.release()

    __call__ = method


@pytest.mark.parametrize('kind', ['function', 'method', 'object that can not be hashed'])
def test_auth_of_two_registries_is_not_called_by_two_threads_at_once(certificates, kind):
    overlaps = Overlaps()

    def function(client, response):
        overlaps(client, response)

    def made():
        return {'function': function, 'method': overlaps.method}.get(kind, overlaps)

    with GrantingRegistry(certificates) as one, GrantingRegistry(certificates) as other:
        ready = threading.Barrier(2)

        def serve(registry):
            def answer(request):
                answer = registry.serve(request)
                if answer.status == 401:
                    ready.wait(SECONDS)
                return answer

            return answer

        for registry in (one, other):
            registry.on(None, '/v2/.*', serve(registry))
        clients = [
            dxf.DXF(registry.host, 'a', made(), tlsverify=certificates.ca)
            for registry in (one, other)
        ]
        with clients[0], clients[1]:
            assert at_once([client.list_aliases for client in clients]) == [['a'], ['a']]
    assert overlaps.seen == [False, False]


def test_a_refusal_reaches_all(crowd, certificates):
    crowd.on('GET', '/token', lambda request: Answer(401))

    def outcome(client):
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.list_aliases()

    with dxf.DXFBase(crowd.host, auth, tlsverify=certificates.ca) as base:
        each = clients(base, 'an object each')
        at_once([lambda client=client: outcome(client) for client in each])


def test_a_refusal_is_for_all(crowd, certificates):
    """Some services lock out who guesses, and a credential helper may hang."""
    crowd.on('GET', '/token', lambda request: Answer(401))
    outcomes = []

    def ask():
        with pytest.raises(exceptions.DXFUnauthorizedError) as e:
            client.list_aliases()
        outcomes.append(str(e.value))

    with dxf.DXF(crowd.host, 'a', auth, tlsverify=certificates.ca) as client:
        for turn in (1, 2):
            # Who comes later may have others.
            crowd.gather()
            at_once([ask] * THREADS)
            assert crowd.asked == ['repository:a:pull'] * turn
        crowd.gather()
        crowd.on('GET', '/token', crowd.grant)
        assert at_once([client.list_aliases] * THREADS) == [['a']] * THREADS
    assert len(set(outcomes)) == 1


def test_a_refusal_of_one_scope_is_none_of_another(certificates):
    refused = threading.Event()

    def grant(request):
        if 'push' not in request.query['scope'][0]:
            return registry.grant(request)
        refused.set()
        return Answer(401)

    def serve(request):
        # The one that pulls is refused while the other one is, and answers after it.
        answer = registry.serve(request)
        if answer.status == 401:
            ready.wait(SECONDS)
        if request.method == 'GET':
            refused.wait(SECONDS)
        return answer

    def push():
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.push_blob(data=b'x', check_exists=False)

    ready = threading.Barrier(2)
    with GrantingRegistry(certificates) as registry:
        registry.on(None, '/v2/.*', serve)
        registry.on('GET', '/token', grant)
        with dxf.DXF(registry.host, 'a', auth, tlsverify=certificates.ca) as client:
            assert at_once([push, client.list_aliases]) == [None, ['a']]


@pytest.mark.parametrize('kind', ['one object', 'an object each'])
def test_of_a_real_registry(registry_token, kind):
    service = registry_token.token_service
    repo = registry_token.new_repo()
    with PlainClient(registry_token, repo) as plain:
        digests = [plain.push_blob(b'%d' % i) for i in range(THREADS)]
    service.clear()
    ready = threading.Barrier(THREADS)

    def size(client, digest):
        ready.wait(SECONDS)
        return client.blob_size(digest)

    with client_for(registry_token, repo) as base:
        used = (
            [base] * THREADS
            if kind == 'one object'
            else [dxf.DXF.from_base(base, repo) for _ in range(THREADS)]
        )
        sizes = at_once([lambda pair=pair: size(*pair) for pair in zip(used, digests)])
    assert sizes == [1] * THREADS
    assert len(service.requests) == 1
