"""A blob as content that is fetched while it is read."""

import os

import pytest
from requests.exceptions import ConnectionError

from dxf.downloads import Mark
from dxf.exceptions import DXFDigestMismatchError, DXFSizeMismatchError
from dxf.relays import Relay, SourceError

from .support.plain import sha256


class Download:
    """What comes of asking for a blob once; `error` is what it ends with."""

    def __init__(self, content, error=None, piece=1000, first=0, has_marks=True):
        self._content = content
        self._error = error
        self._piece = piece
        self._has_marks = has_marks
        self.first = self._position = first
        self.is_closed = False

    def chunks(self, _):
        while self._position < len(self._content):
            start, self._position = self._position, self._position + self._piece
            yield self._content[start : self._position]
        if self._error is not None:
            raise self._error

    def mark(self):
        return Mark(self._position, None) if self._has_marks else None

    def close(self):
        self.is_closed = True


class Blob:
    """A blob, whose downloads are kept."""

    def __init__(self, content):
        self.content = content
        self.downloads = []
        self.has_marks = True

    def start(self, since=None):
        first = since.position if since else 0
        self.downloads.append(Download(self.content, first=first, has_marks=self.has_marks))
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


@pytest.mark.parametrize('has_marks', [True, False])
def test_from_a_place_shortly_before(blob, monkeypatch, has_marks):
    """What is fetched anew begins at the last mark before what has to be sent again."""
    monkeypatch.setattr('dxf.relays._MARK_INTERVAL', 3000)
    blob.has_marks = has_marks
    relay = blob.relay()
    places = [(0, 8000), (7000, 10_000), (4500, 6000), (2999, 9000), (6000, 10_500)]
    for first, end in places:
        assert b''.join(relay.body(first, end)) == blob.content[first:end]
    firsts = [download.first for download in blob.downloads]
    assert firsts == ([0, 6000, 3000, 0, 6000] if has_marks else [0] * 5)


def test_few_marks_are_kept(blob, monkeypatch):
    monkeypatch.setattr('dxf.relays._MARK_INTERVAL', 1000)
    monkeypatch.setattr('dxf.relays._MARKS', 2)
    relay = blob.relay()
    for first, end in [(0, 8000), (2000, 10_000), (9500, 10_500)]:
        assert b''.join(relay.body(first, end)) == blob.content[first:end]
    assert [download.first for download in blob.downloads] == [0, 0, 9000]


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
