"""A blob as content that is fetched while it is read."""

import io
import os

import pytest
from requests.exceptions import ConnectionError

from dxf.exceptions import DXFDigestMismatchError, DXFSizeMismatchError
from dxf.relays import Relay, SourceError

from .support.plain import sha256


class Download:
    """What comes of asking for a blob once; `error` is what it ends with."""

    def __init__(self, content, error=None, piece=1000):
        self._content = content
        self._error = error
        self._piece = piece
        self.is_closed = False

    def chunks(self, _):
        file = io.BytesIO(self._content)
        yield from iter(lambda: file.read(self._piece), b'')
        if self._error is not None:
            raise self._error

    def close(self):
        self.is_closed = True


class Blob:
    """A blob, whose downloads are kept."""

    def __init__(self, content):
        self.content = content
        self.downloads = []

    def start(self):
        self.downloads.append(Download(self.content))
        return self.downloads[-1]

    def relay(self, download=None, size=None):
        digest, length = sha256(self.content), len(self.content)
        return Relay(
            self.start, download or self.start(), digest, length if size is None else size
        )


@pytest.fixture
def blob():
    return Blob(os.urandom(10_500))


def test_it_is_read_once(blob):
    relay = blob.relay()
    assert relay.size == 10_500
    assert b''.join(relay.body()) == blob.content
    assert relay.was_seen
    assert relay.digest() == sha256(blob.content)
    assert relay.read(0, 10) == blob.content[:10]
    relay.close()
    assert len(blob.downloads) == 2
    assert all(download.is_closed for download in blob.downloads)
    relay.close()


@pytest.mark.parametrize('count', [1, 999, 1000, 1001, 20_000])
def test_pieces_of_any_size(blob, count):
    relay, body = blob.relay(), b''
    while len(body) < relay.size:
        piece = relay.read(len(body), count)
        assert 0 < len(piece) <= count
        body += piece
    assert body == blob.content
    assert len(blob.downloads) == 1


def test_from_another_place_on(blob):
    """Forward it is read on, back it is fetched anew."""
    relay = blob.relay()
    seen = []
    relay.watch(seen.append)
    assert b''.join(relay.body(0, 5000)) == blob.content[:5000]
    assert b''.join(relay.body(2500, 7000)) == blob.content[2500:7000]
    assert len(blob.downloads) == 2
    assert blob.downloads[0].is_closed
    assert b''.join(relay.body(7000)) == blob.content[7000:]
    assert len(blob.downloads) == 2
    assert b''.join(seen) == blob.content


def failure(relay):
    read = 0
    with pytest.raises(SourceError) as e:
        while read < relay.size:
            read += len(relay.read(read, 1 << 20))
    return read, e.value.error


def test_the_end_is_given_away_when_all_is_right(blob):
    error = DXFDigestMismatchError('a', 'b')
    assert failure(blob.relay(Download(blob.content, error))) == (10_000, error)


def test_a_cut(blob):
    error = ConnectionError('cut')
    assert failure(blob.relay(Download(blob.content[:5000], error))) == (4000, error)


@pytest.mark.parametrize(('size', 'read'), [(10_499, 9000), (10_501, 10_000), (20_000, 10_000)])
def test_another_size(blob, size, read):
    got, error = failure(blob.relay(size=size))
    assert isinstance(error, DXFSizeMismatchError)
    assert (error.got, error.expected) == (10_500, size)
    assert got <= read + 1000


def test_nothing(blob):
    empty = Blob(b'')
    assert empty.relay().body() == b''
    assert empty.relay().was_seen
