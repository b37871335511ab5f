"""`hashlib.sha256` as programs replace it in their tests."""

import hashlib
import io

import pytest
import requests

import dxf

from .support.client import Script, made_response, not_found
from .support.plain import sha256

UPLOAD = 'https://registry.example/v2/a/blobs/uploads/1'


class FakeHash:
    """Only what is promised to be used, and no arguments."""

    def __init__(self):
        self.seen = []

    def update(self, data):
        self.seen.append(bytes(data))

    def hexdigest(self):
        return '{:064x}'.format(len(b''.join(self.seen)))


def streamed(content):
    response = requests.Response()
    response.status_code = 200
    response.raw = io.BytesIO(content)
    return response


def test_the_hash_is_looked_up_when_it_is_used(monkeypatch, tmp_path):
    client = dxf.DXF('registry.example', 'some/repo')
    digest = 'sha256:' + f'{7:064x}'
    path = tmp_path / 'content'
    path.write_bytes(b'content')
    client._request = Script(
        {
            ('head', f'blobs/{digest}'): not_found(),
            ('post', 'blobs/uploads/'): made_response(202, Location=UPLOAD),
            ('put', UPLOAD): made_response(201),
            ('get', f'blobs/{digest}'): [streamed(b'another'), streamed(b'another')],
        },
    )
    monkeypatch.setattr(hashlib, 'sha256', FakeHash)
    assert dxf.hash_bytes(b'content') == digest
    assert dxf.hash_file(str(path)) == digest
    assert client.push_blob(data=b'content') == digest
    assert client.push_blob(str(path)) == digest
    assert client.push_blob(data=iter([b'con', b'tent'])) == digest
    # As long as it should be is all that this hash asks for.
    assert b''.join(client.pull_blob(digest)) == b'another'
    monkeypatch.undo()
    with pytest.raises(dxf.exceptions.DXFDigestMismatchError) as e:
        b''.join(client.pull_blob(digest))
    assert (e.value.got, e.value.expected) == (sha256(b'another'), digest)


def test_what_a_hash_is_given_stays_as_it_is(monkeypatch, tmp_path):
    """A double may keep the pieces, to look at them later."""
    given = []

    class Keeping(FakeHash):
        def update(self, data):
            given.append(data)

    path = tmp_path / 'content'
    content = b''.join(bytes([i]) * 100_000 for i in range(20))
    path.write_bytes(content)
    monkeypatch.setattr(hashlib, 'sha256', Keeping)
    dxf.hash_file(str(path))
    assert b''.join(given) == content


def test_a_double_may_keep_what_it_is_given_of_a_blob(registry_http, monkeypatch, tmp_path):
    """Pieces as they were, and bytes, though memory is used again where nobody keeps it."""
    made = hashlib.sha256

    class Keeping:
        def __init__(self):
            self.given = []

        def update(self, data):
            assert isinstance(data, bytes)
            self.given.append(data)

        def hexdigest(self):
            return made(b''.join(self.given)).hexdigest()

    content = b''.join(bytes([i]) * 1_000_000 for i in range(18))
    path = tmp_path / 'content'
    path.write_bytes(content)
    repo = registry_http.new_repo()
    monkeypatch.setattr(hashlib, 'sha256', Keeping)
    with dxf.DXF(registry_http.host, repo, **registry_http.settings()) as client:
        digest = client.push_blob(str(path))
        client.del_blob(digest)
        assert client.push_blob(data=content) == digest
        client.del_blob(digest)
        assert client.push_blob(str(path), check_exists=False) == digest
        assert b''.join(client.pull_blob(digest)) == content
