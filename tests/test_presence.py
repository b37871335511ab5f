"""Many blobs: whether they are there already is asked in as few requests as a registry allows."""

import os
from collections import Counter

import pytest
import requests

import dxf

from .support.client import client_for, record_sent
from .support.fakeserver import Answer
from .support.plain import PlainClient, sha256
from .support.uploading import UploadServer

COUNT = 40


@pytest.fixture
def files(tmp_path):
    made = []
    for number in range(COUNT):
        path = tmp_path / str(number)
        path.write_bytes(os.urandom(100))
        made.append(path)
    return made


def mounts(sent):
    return [request for request in sent if 'mount=' in request.url]


def test_one_request_less_for_a_blob(registry, files, monkeypatch):
    # How many are asked about before that is known is otherwise a matter of luck.
    monkeypatch.setattr('dxf.repository._THREADS', 1)
    repo = registry.new_repo()
    with client_for(registry, repo) as client:
        # The first request of all settles who it is.
        client.push_blob(data=b'')
        sent = record_sent(monkeypatch)
        digests = client.push_blobs(files)
        assert digests == [sha256(path.read_bytes()) for path in files]
        asked = Counter(request.method for request in sent)
        assert asked == {'HEAD': 1, 'POST': COUNT + 1, 'PUT': COUNT}
        assert len(mounts(sent)) == COUNT
        del sent[:]
        assert client.push_blobs(files) == digests
        asked = Counter(request.method for request in sent)
        assert asked == {'HEAD': 1, 'POST': COUNT}
        # What was found there is known as well as what was pushed.
        del sent[:]
        client.set_alias('all', *digests)
        assert [request.method for request in sent] == ['PUT']
    plain = PlainClient(registry, repo)
    for path, digest in zip(files, digests):
        assert plain.get_blob(digest).content == path.read_bytes()


def test_what_is_there_is_not_sent_and_makes_no_progress(registry, files):
    with client_for(registry, registry.new_repo()) as client:
        there = client.push_blobs(files[::2])
        calls = []
        digests = client.push_blobs(files, lambda *call: calls.append(call))
        assert digests[::2] == there
        assert {digest for digest, _, _ in calls} == set(digests[1::2])
        for path, digest in list(zip(files, digests))[1::2]:
            own = [call[1:] for call in calls if call[0] == digest]
            assert own == [(b'', 100), (path.read_bytes(), 100)]


def push(server, files, **kwargs):
    with dxf.DXF(server.host, 'a', insecure=True, retries=0) as client:
        return client.push_blobs(files, **kwargs)


def test_a_registry_that_mounts_nothing(files):
    """It is asked once, and about a blob that it has."""
    with UploadServer() as server:
        digests = push(server, files)
        assert set(server.blobs) == set(digests)
        assert len([request for request in server.seen if 'mount' in request.query]) == 1
        assert Counter(server.methods()) == {
            'HEAD': COUNT,
            'POST': COUNT + 1,
            'PUT': COUNT,
            'DELETE': 1,
        }
        assert server.open == {}
        assert push(server, files) == digests
        assert Counter(server.methods())['PUT'] == COUNT


@pytest.mark.parametrize('answer', [400, 403, 404, 500])
def test_a_registry_that_will_not_hear_of_it(files, answer):
    class Refusing(UploadServer):
        def _do(self, request, body):
            return Answer(answer) if 'mount' in request.query else super()._do(request, body)

    with Refusing() as server:
        digests = push(server, files)
        assert set(server.blobs) == set(digests)
        assert len([request for request in server.seen if 'mount' in request.query]) == 1


class Mounting(UploadServer):
    """Mounts what it has, and answers with this status otherwise."""

    def __init__(self, status):
        super().__init__()
        self.status = status

    def _do(self, request, body):
        if 'mount' in request.query:
            return Answer(201 if request.query['mount'][0] in self.blobs else self.status)
        return super()._do(request, body)


def test_a_registry_that_mounts_but_refuses_what_it_does_not_have(files, monkeypatch):
    monkeypatch.setattr('dxf.repository._THREADS', 1)
    with Mounting(404) as server:
        digests = push(server, files)
        assert set(server.blobs) == set(digests)
        # Once about what is there, and once about what is not.
        assert len([request for request in server.seen if 'mount' in request.query]) == 2
        assert Counter(server.methods()) == {'HEAD': COUNT, 'POST': COUNT + 2, 'PUT': COUNT}


def test_what_is_wrong_otherwise_is_told(files, monkeypatch):
    monkeypatch.setattr('dxf.repository._THREADS', 1)
    with Mounting(403) as server:
        with pytest.raises(requests.exceptions.HTTPError, match='403'):
            push(server, files)


def test_few_are_asked_about_one_by_one(files):
    with UploadServer() as server:
        push(server, files[:4])
        assert not [request for request in server.seen if 'mount' in request.query]


def test_without_the_check_nothing_is_asked(files):
    with UploadServer() as server:
        push(server, files, check_exists=False)
        assert Counter(server.methods()) == {'POST': COUNT, 'PUT': COUNT}


def test_a_push_blob_of_one_s_own_is_used(registry_http, files):
    class Own(dxf.DXF):
        def push_blob(self, filename=None, *args, **kwargs):
            pushed.append(filename)
            return super().push_blob(filename, *args, **kwargs)

    pushed = []
    with Own(registry_http.host, registry_http.new_repo(), insecure=True) as client:
        client.push_blobs(files)
    assert sorted(pushed) == sorted(files)


def test_a_request_of_one_s_own_is_asked_as_ever(registry_http, files, monkeypatch):
    class Own(dxf.DXF):
        def _request(self, method, path, **kwargs):
            asked.append((method, kwargs.get('params')))
            return super()._request(method, path, **kwargs)

    asked = []
    with Own(registry_http.host, registry_http.new_repo(), insecure=True) as client:
        client.push_blobs(files)
    assert asked == [('head', None), ('post', None), ('put', None)] * COUNT
