"""Tokens that end soon, against a registry that checks them, and how many are asked for."""

import io
import time

import pytest
import requests

import dxf
from dxf import exceptions

from .support.client import client_for, record_sent
from .support.plain import PlainClient, sha256
from .support.waiting import wait_until

# How long after a token's end the registry still takes it, in seconds.
LEEWAY = 60

# How much longer the registry takes a token than dxf is told, in seconds: `exp` has no parts of
# a second, and what has just been granted must not end on its way to a busy registry.
MARGIN = 2

LONG = 2 * 1024 * 1024


@pytest.fixture(params=[60, 1], ids=['60 s', '1 s'])
def seconds(request, token_service):
    """How long tokens are good for: for the service, dxf and the registry alike."""
    live_for(token_service, request.param)
    return request.param


def live_for(service, seconds):
    service.lifetime = seconds + MARGIN - LEEWAY
    service.amend = lambda fields: fields.update(expires_in=seconds)


@pytest.fixture
def grants(token_service):
    """Pairs of the time of a request for a token and the scopes that it was for."""
    made = []

    def note(request):
        asked = request.query if request.method == 'GET' else request.form
        scopes = ' '.join(asked.get('scope', [])).split()
        made.append((time.monotonic(), ' '.join(sorted(map(in_order, scopes)))))

    token_service.override = note
    return made


def in_order(scope):
    """A scope with its actions in order: the registry names them in any."""
    name, _, actions = scope.rpartition(':')
    return f'{name}:{",".join(sorted(actions.split(",")))}'


def assert_as_few_as_can_be(grants, scopes, seconds):
    """Each scope was asked for, and not again before its token was at its end or nearly so."""
    assert {scope for _, scope in grants} == scopes
    for wanted in scopes:
        times = [at for at, scope in grants if scope == wanted]
        assert all(later - at >= 0.9 * seconds for at, later in zip(times, times[1:])), grants


@pytest.fixture
def base(registry_token):
    with dxf.DXFBase(registry_token.host, **registry_token.settings()) as made:
        yield made


def wait_for_end(flavour, token):
    """Wait until the registry takes a token no more."""

    def is_refused():
        headers = {'Authorization': f'Bearer {token}'}
        return requests.get(f'{flavour.url}/v2/', headers=headers, verify=flavour.ca).status_code

    wait_until(lambda: is_refused() == 401, "a token's end")


def test_tokens_of_the_tests_do_end(registry_token, token_service):
    live_for(token_service, 1)
    token = token_service.sign()
    wait_for_end(registry_token, token)
    live_for(token_service, -10)
    with client_for(registry_token, registry_token.new_repo()) as client:
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.list_aliases()


# A thousand small operations


def test_a_thousand_operations(registry_token, base, grants, seconds):
    names = registry_token.new_repo(), registry_token.new_repo()
    one, other = (dxf.DXF.from_base(base, name) for name in names)
    digests = []
    for client in (one, other):
        digests.append(client.push_blob(data=client._repo))
        client.set_alias('latest', digests[-1])
    for i in range(250):
        client, digest = [(one, digests[0]), (other, digests[1])][i % 2]
        assert client.blob_size(digest) == len(client._repo)
        assert client.get_alias('latest') == [digest]
        assert client.list_aliases() == ['latest']
        client.set_alias('latest', digest)
    assert_as_few_as_can_be(grants, {
        f'repository:{name}:{actions}' for name in names for actions in ('pull', 'pull,push')
    }, seconds)  # fmt: skip


def test_objects_made_anew_for_every_operation(registry_token, base, grants, seconds):
    """The way of a registry's browser: what one object was granted serves the next."""
    names = [registry_token.new_repo() for _ in range(3)]
    for name in names:
        with PlainClient(registry_token, name) as plain:
            plain.push_alias('latest', name.encode())
    del grants[:]
    for _ in range(20):
        for name in names:
            client = dxf.DXF.from_base(base, name)
            assert client.get_alias('latest', sizes=True) == [(sha256(name.encode()), len(name))]
        assert set(names) <= set(base.list_repos())
    scopes = {'registry:catalog:*', *(f'repository:{name}:pull' for name in names)}
    assert_as_few_as_can_be(grants, scopes, seconds)


def test_mounts_between_two(registry_token, base, grants, seconds):
    """A mount needs a token for both, which does for all else in the first."""
    source, target = registry_token.new_repo(), registry_token.new_repo()
    with PlainClient(registry_token, source) as plain:
        digests = [plain.push_blob(b'%d of %s' % (i, source.encode())) for i in range(20)]
    del grants[:]
    for digest in digests:
        # A new object has no token: it is given one that another was granted.
        client = dxf.DXF.from_base(base, target)
        assert client.mount_blob(source, digest) == digest
        assert client.blob_size(digest)
        client.set_alias('latest', digest)
    both = f'repository:{source}:pull repository:{target}:pull,push'
    assert {scope for _, scope in grants} >= {both}
    assert_as_few_as_can_be(grants, {scope for _, scope in grants}, seconds)
    if seconds == 60:
        assert len(grants) == 1


# A push that lasts longer than its token


class Slow(io.BytesIO):
    """Content that comes so slowly that the token ends meanwhile."""

    def __init__(self, content, wait):
        super().__init__(content)
        self.wait = wait

    def read(self, size=-1):
        if self.tell() >= LONG // 2 and self.wait:
            self.wait()
            self.wait = None
        return super().read(size)


@pytest.mark.parametrize('kind', ['a file', 'a stream'])
@pytest.mark.parametrize('chunk_size', [None, 512 * 1024])
def test_a_push_lasts_longer_than_its_token(registry_token, token_service, kind, chunk_size):
    live_for(token_service, 1)
    repo = registry_token.new_repo()
    content = repo.encode() * (LONG // len(repo))
    waited = []

    def wait():
        wait_for_end(registry_token, client.token)
        waited.append(client.token)

    def stream():
        for start in range(0, len(content), 100_000):
            if start > LONG / 2 and not waited:
                wait()
            yield content[start : start + 100_000]

    with client_for(registry_token, repo, upload_chunk_size=chunk_size) as client:
        data = stream() if kind == 'a stream' else Slow(content, wait)
        digest = client.push_blob(data=data, digest=sha256(content))
        client.set_alias('latest', digest)
        assert client.get_alias('latest', sizes=True) == [(digest, len(content))]
        assert b''.join(client.pull_blob(digest)) == content
    assert waited
    assert client.token not in waited
    with PlainClient(registry_token, repo) as plain:
        assert plain.get_blob(digest).content == content


@pytest.mark.parametrize('told', [True, False], ids=['told of', 'not told of'])
def test_a_token_that_ends_before_a_long_request(registry_token, token_service, monkeypatch, told):
    """It is renewed before, where dxf can know; else after, and the body is read anew."""
    live_for(token_service, 1)
    if not told:
        token_service.amend = lambda fields: fields.update(expires_in=3600)
    repo = registry_token.new_repo()
    content = repo.encode() * (LONG // len(repo))
    with client_for(registry_token, repo) as client:
        client.push_blob(data=b'short', check_exists=False)
        first = client.token
        wait_for_end(registry_token, first)
        # The body's own request is to be the first that it is too late for.
        client.token = token_service.sign([
            {'type': 'repository', 'name': repo, 'actions': ['pull', 'push']}
        ], lifetime=300)  # fmt: skip
        post = client._request('post', 'blobs/uploads/')
        client.token = first
        sent = record_sent(monkeypatch)
        body = io.BytesIO(b'skipped' + content)
        body.seek(7)
        response = client._request(
            'put', post.headers['Location'] + f'&digest={sha256(content)}', data=body
        )
    assert response.status_code == 201
    puts = [request for request in sent if request.method == 'PUT']
    assert len(puts) == (1 if told else 2)
    assert puts[-1].headers['Authorization'] != f'Bearer {first}'
    assert len(token_service.requests) == 2


# Identity tokens


def identity_of(service):
    """What `docker login` is given and keeps."""
    answer = requests.get(
        service.realm,
        params={'service': 'x', 'offline_token': 'true'},
        auth=(service.username, service.password.encode()),
        verify=service.roots,
    )
    return answer.json()['refresh_token']


def test_identity_tokens(registry_token, token_service, grants, seconds):
    """They are exchanged, by POST, and again when what they were exchanged for has ended."""
    identity = identity_of(token_service)
    del grants[:]
    token_service.clear()

    def auth(client, response):
        client.authenticate(identity_token=identity, response=response)

    repo = registry_token.new_repo()
    with dxf.DXF(registry_token.host, repo, auth, tlsverify=registry_token.ca) as client:
        digest = client.push_blob(data=b'by an identity token', check_exists=False)
        if seconds == 1:
            wait_for_end(registry_token, client.token)
        assert client.blob_size(digest) == 20
        content = bytes(LONG)
        assert client.push_blob(data=io.BytesIO(content)) == sha256(content)
    assert_as_few_as_can_be(grants, {scope for _, scope in grants}, seconds)
    for request in token_service.requests:
        assert request.method == 'POST'
        assert request.form['grant_type'] == ['refresh_token']
        assert request.form['refresh_token'] == [identity]
        assert identity not in request.target
        assert 'Authorization' not in request.headers


def test_an_identity_token_that_is_none(registry_token, token_service):
    settings = {'tlsverify': registry_token.ca}
    with dxf.DXF(registry_token.host, registry_token.new_repo(), **settings) as client:
        with pytest.raises(exceptions.DXFUnauthorizedError):
            client.authenticate(identity_token='rubbish', actions='pull')
        assert client.token is None
