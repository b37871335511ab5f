"""Whoever else a registry refers to sees no credential; the registry still gets them."""

import random
import shutil
import threading
from http import HTTPStatus

import pytest
import requests

import dxf
from dxf import exceptions

from .support import doors
from .support.fakeserver import Answer
from .support.operations import OPERATIONS, World
from .support.plain import sha256

STATUSES = [301, 302, 303, 307, 308]
ELSEWHERE = ['another host', 'another port', 'another name', 'another scheme',
             'another scheme and port']  # fmt: skip

# One is about credentials that this registry does not have.
USED = sorted(set(OPERATIONS) - {'authenticate'})

# What may come of being sent somewhere else: what dxf documents.
FAILURES = (exceptions.DXFError, requests.exceptions.RequestException)


@pytest.fixture(scope='module')
def session_pair(registry_http, certificates, tmp_path_factory):
    pair = doors.Pair(registry_http.registry, certificates, tmp_path_factory.mktemp('doors'))
    yield pair
    pair.stop()


@pytest.fixture
def pair(session_pair):
    session_pair.forget()
    return session_pair


class SmallWorld(World):
    """What is moved need not be much."""

    def content(self, sizes=(1000,)):
        return super().content([min(size, 5000) for size in sizes])


@pytest.fixture
def world(registry_http, tmp_path):
    made = SmallWorld(registry_http, tmp_path, random.Random(0))
    yield made
    made.close()


def by_password(client, response):
    client.authenticate(doors.USERNAME, doors.PASSWORD, response=response)


def by_identity(client, response):
    client.authenticate(identity_token=doors.IDENTITY, response=response)


def client_of(pair, repo, auth=by_password):
    """With all that there is to be kept from others."""
    made = dxf.DXF(pair.right.host, repo, auth, tlsverify=pair.ca, tlscert=pair.cert, retries=0)
    made._headers['X-Api-Key'] = doors.API_KEY
    return made


def run(pair, world, name, auth=by_password):
    """Do an operation by the right door; whether it succeeded."""
    for path in world.folder.iterdir():
        shutil.rmtree(str(path)) if path.is_dir() else path.unlink()
    operation = OPERATIONS[name](world)
    act = next(operation)
    with client_of(pair, world.repo, auth) as client:
        try:
            act(client)
        except FAILURES:
            return False
        finally:
            operation.close()
            wait_for_threads()
    return True


def wait_for_threads():
    """After a failure, what was done beside goes on to its end: nobody else shall see that."""
    for thread in threading.enumerate():
        if thread.name.startswith('ThreadPoolExecutor'):
            thread.join(60)
            assert not thread.is_alive()


def assert_nothing_shown(pair):
    for visit in pair.strangers():
        assert visit.shown() == [], visit


class Nth:
    """A `divert` that answers the request with this number so, and no other; and counts."""

    def __init__(self, number=None, answer=None):
        self.count = 0
        self._number = number
        self._answer = answer
        self._lock = threading.Lock()

    def __call__(self, request):
        with self._lock:
            number, self.count = self.count, self.count + 1
        return self._answer(request) if number == self._number else None


def moved(status, place):
    return lambda request: Answer(status, headers={'Location': place + request.target})


@pytest.mark.parametrize('name', USED)
def test_each_request_redirected(pair, world, name):
    """By each status, and to each place, in turn."""
    pair.right.divert = counting = Nth()
    assert run(pair, world, name)
    own = pair.right.own
    # Those that showed what they had to.
    count = counting.count
    assert all('a client certificate' in visit.shown() for visit in own)
    # It let in nobody without.
    assert 'Authorization' in own[-1].shown()
    assert pair.strangers() == []
    # 307 and 308 have all of a request sent again; the others each once. What comes after so
    # many is more of the same.
    ways = [(number, 307) for number in range(min(count, 6))]
    ways[-1:] = [(ways[-1][0], 308)]
    ways += [(turn % count, status) for turn, status in enumerate([301, 302, 303], 1)]
    places = list(pair.elsewhere.values())
    seen = 0
    for turn, (number, status) in enumerate(ways):
        pair.forget()
        pair.right.divert = Nth(number, moved(status, places[turn % len(places)]))
        run(pair, world, name)
        assert_nothing_shown(pair)
        seen += bool(pair.strangers())
    # The first two requests there always are: that for a token, and that which it was for. The
    # rest depends on what is pushed, which is not always as large.
    assert seen >= 3


@pytest.mark.parametrize('status', STATUSES)
@pytest.mark.parametrize('place', ELSEWHERE)
def test_all_requests_redirected(pair, world, status, place):
    pair.right.divert = moved(status, pair.elsewhere[place])
    run(pair, world, 'push_blob_file')
    assert pair.strangers()
    assert_nothing_shown(pair)


@pytest.mark.parametrize('place', ELSEWHERE)
def test_reading_goes_on_elsewhere(pair, world, place):
    """It is followed, without credentials, and what is there is what was wanted."""
    digest = sha256(world.blob((1000,)))
    world.alias()
    pair.right.divert = lambda request: (
        None if 'Authorization' not in request.headers or request.path == '/token'
        else moved(307, pair.elsewhere[place])(request))  # fmt: skip
    with client_of(pair, world.repo) as client:
        assert b''.join(client.pull_blob(digest)) == world.contents[0]
        assert client.blob_size(digest) == 1000
        assert len(client.get_alias('latest', sizes=True)) > 0
        assert client.list_aliases() == ['latest']
    assert len(pair.strangers()) == 4
    assert_nothing_shown(pair)


# Where an upload goes on


def upload_to(place):
    """An `amend` that has uploads go on at another place."""

    def amend(request, answer):
        location = answer.headers.get('Location', '')
        if answer.status == HTTPStatus.ACCEPTED:
            answer.headers['Location'] = place + location.partition('://')[2].partition('/')[1] + (
                location.partition('://')[2].partition('/')[2])  # fmt: skip

    return amend


@pytest.mark.parametrize('place', ['another host', 'another port', 'another name'])
@pytest.mark.parametrize('how', ['whole', 'in chunks', 'a stream'])
def test_uploads_go_on_elsewhere(pair, world, place, how):
    pair.right.amend = upload_to(pair.elsewhere[place])
    content = world.content((5000,))
    with client_of(pair, world.repo) as client:
        client._upload_chunk_size = None if how == 'whole' else 2000
        data = iter([content]) if how == 'a stream' else content
        assert client.push_blob(data=data) == sha256(content)
    assert {visit.request.method for visit in pair.strangers()} >= {'PUT'}
    assert_nothing_shown(pair)
    world.holds(content)


@pytest.mark.parametrize('place', ['another scheme', 'another scheme and port'])
def test_an_upload_is_not_sent_by_http(pair, world, place):
    """Who ends TLS before the registry forgets that it did so."""
    pair.right.amend = upload_to(pair.elsewhere[place])
    content = world.content((1000,))
    with client_of(pair, world.repo) as client:
        assert client.push_blob(data=content) == sha256(content)
    assert all(visit.is_tls for visit in [*pair.wrong.visits, *pair.right.visits])
    assert_nothing_shown(pair)


def test_a_user_in_an_upload_s_address_is_not_the_client_s(pair, world):
    """Not at the registry's own place, which wants the token, nor elsewhere."""
    content = world.content((1000,))
    for place in (pair.right.url, pair.wrong.url):
        pair.forget()
        pair.right.amend = upload_to(place.replace('//', '//mallory:hers@'))
        with client_of(pair, world.repo) as client:
            assert client.push_blob(data=content, check_exists=False) == sha256(content)
        shown = {visit.request.headers.get('Authorization') for visit in pair.right.own}
        assert shown <= {None, doors.BASIC, f'Bearer {doors.TOKEN}'}
        assert_nothing_shown(pair)


def test_a_refused_mount_is_cancelled_elsewhere(pair, world):
    pair.right.amend = upload_to(pair.wrong.url)
    with client_of(pair, world.repo) as client:
        with pytest.raises(exceptions.DXFMountFailed):
            client.mount_blob('no/such', sha256(b'x'))
    assert [visit.request.method for visit in pair.strangers()] == ['DELETE']
    assert_nothing_shown(pair)


# Where a list goes on


@pytest.mark.parametrize('place', ELSEWHERE)
@pytest.mark.parametrize('name', ['list_aliases', 'list_repos'])
def test_a_list_goes_on_elsewhere(pair, world, place, name):
    world.alias()
    target = '/v2/_catalog?n=2' if name == 'list_repos' else f'/v2/{world.repo}/tags/list?n=2'

    def amend(request, answer):
        if 'n=2' not in request.target:
            answer.headers['Link'] = f'<{pair.elsewhere[place]}{target}>; rel="next"'

    pair.right.amend = amend
    with client_of(pair, world.repo) as client:
        getattr(client, name)()
    if place != 'another scheme':
        # That one is the registry's own again, by https.
        assert pair.strangers()
    assert_nothing_shown(pair)
    assert all(visit.is_tls for visit in [*pair.wrong.visits, *pair.right.visits])


# Who asks for credentials


@pytest.mark.parametrize('status', STATUSES)
@pytest.mark.parametrize('place', ELSEWHERE)
@pytest.mark.parametrize('auth', [by_password, by_identity])
def test_the_token_service_is_elsewhere_by_redirect(pair, world, auth, status, place):
    """Who may have what is asked for there may have it without a password. A form is not sent."""
    pair.right.divert = lambda request: (
        moved(status, pair.elsewhere[place])(request) if request.path == '/token' else None
    )
    pair.wrong.divert = lambda request: Answer(200, {'token': doors.TOKEN})
    succeeded = run(pair, world, 'blob_size', auth)
    assert_nothing_shown(pair)
    if auth is by_identity:
        assert not succeeded
        assert pair.strangers() == []
    else:
        assert pair.strangers()


CHALLENGES = ['Basic realm="r"', 'Bearer realm="{url}/token",scope="x"']


@pytest.mark.parametrize('challenge', CHALLENGES)
@pytest.mark.parametrize('auth', [by_password, by_identity])
def test_a_challenge_of_somebody_else_is_not_answered(pair, world, challenge, auth):
    """Neither there nor at the token service that it names."""
    challenge = challenge.format(url=pair.wrong.url)
    pair.wrong.divert = lambda r: Answer(401, headers={'WWW-Authenticate': challenge})
    for name in ('blob_size', 'pull_blob', 'get_alias', 'list_repos'):
        pair.right.divert = lambda request: (
            moved(307, pair.wrong.url)(request) if 'Authorization' in request.headers
            and request.path != '/token' else None)  # fmt: skip
        assert not run(pair, world, name, auth)
    assert pair.wrong.visits
    assert_nothing_shown(pair)


@pytest.mark.parametrize('challenge', CHALLENGES[1:])
@pytest.mark.parametrize('given', [
    {'username': doors.USERNAME, 'password': doors.PASSWORD},
    {'authorization': doors.BASIC},
    {'identity_token': doors.IDENTITY},
])  # fmt: skip
def test_nor_where_it_is_asked_beforehand(pair, world, challenge, given):
    """`authenticate` asks the registry itself, and may be sent elsewhere as all may be."""
    challenge = challenge.format(url=pair.wrong.url)
    pair.right.divert = moved(307, pair.wrong.url)
    pair.wrong.divert = lambda request: (
        Answer(200, {'token': 'x'}) if request.path == '/token'
        else Answer(401, headers={'WWW-Authenticate': challenge}))  # fmt: skip
    # That one has no way to the registry but by the redirect.
    pair.right.answer_to = lambda visit: pair.right.divert(visit.request)
    try:
        with client_of(pair, world.repo, None) as client:
            with pytest.raises(FAILURES):
                client.authenticate(**given)
    finally:
        del pair.right.answer_to
    assert_nothing_shown(pair)


def test_the_pair_tells_who_shows_something(pair):
    """Or else none of these tests could fail."""
    headers = {'Authorization': 'x', 'Cookie': 'y', 'X-Api-Key': 'z', 'User-Agent': doors.TOKEN}
    settings = {'verify': pair.ca, 'cert': pair.cert, 'headers': headers}
    requests.get(f'{pair.wrong.url}/v2/', **settings)
    requests.post(f'{pair.wrong.url}/v2/', data={'a': doors.PASSWORD}, verify=pair.ca)
    requests.get(f'{pair.elsewhere["another scheme"]}/v2/?a={doors.API_KEY}')
    first, second, third = pair.strangers()
    assert set(first.shown()) == {
        'Authorization', 'Cookie', 'X-Api-Key', doors.TOKEN, 'a client certificate'}  # fmt: skip
    assert second.shown() == [doors.PASSWORD]
    assert third.shown() == [doors.API_KEY]
    assert not third.is_tls
