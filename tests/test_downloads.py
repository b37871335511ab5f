"""Downloads: cut, coded, corrupted, redirected, and gone on with."""

import gzip
import hashlib
import os
import re
import subprocess
import sys

import pytest
import requests
from requests.exceptions import ConnectionError, HTTPError

import dxf
from dxf.downloads import Download, content_length, find_size
from dxf.exceptions import DXFDigestMismatchError, DXFUnexpectedDigestMethodError
from dxf.ranges import RANGE_SIZE, Pace
from dxf.retries import Retries

from .support.fakeserver import Answer, FakeServer
from .support.plain import PlainClient

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SIZE = len(CONTENT)
BLOB = '/v2/a/blobs/.*'


def digest(content, algorithm='sha256'):
    return f'{algorithm}:{hashlib.new(algorithm, content).hexdigest()}'


@pytest.fixture(autouse=True)
def no_waiting(clock):
    """Attempts come one right after another; `clock.slept` has the waits."""


class Blob:
    """Answers for one blob. What it is to do badly, it is told in a list, request by request.

    :param ranges: whether it knows ranges
    """

    def __init__(self, server, content=CONTENT, ranges=True, **headers):
        self.content = content
        self.ranges = ranges
        self.headers = {name.replace('_', '-'): value for name, value in headers.items()}
        self.script = []
        self.asked = []  # for which ranges
        server.on('GET', BLOB, self.answer)
        server.on('HEAD', BLOB, lambda request: Answer(body=self.content, headers=self.headers))

    def answer(self, request):
        wanted = request.headers.get('Range')
        self.asked.append(wanted)
        act = self.script.pop(0) if self.script else None
        if isinstance(act, Answer):
            return act
        made = self._ranged(wanted) if wanted and self.ranges else Answer(body=self.content)
        made.headers.update(self.headers)
        return act(made) if act else made

    def _ranged(self, wanted):
        first, last = re.fullmatch(r'bytes=(\d+)-(\d*)', wanted).groups()
        end = len(self.content) - 1
        first, last = int(first), min(int(last or end), end)
        if first >= len(self.content):
            return Answer(416, headers={'Content-Range': f'bytes */{len(self.content)}'})
        return Answer(
            206,
            self.content[first : last + 1],
            {'Content-Range': f'bytes {first}-{last}/{len(self.content)}'},
        )


def cut(after):
    def act(answer):
        answer.cut_after = after
        return answer

    return act


def unsized(answer):
    """The same without a length: in chunks."""
    body = answer.body
    answer.body = iter([body[:1000], body[1000:]])
    return answer


def download(server, total=5, expected=CONTENT, digest_of=None, have=(), known=None):
    client = dxf.DXF(server.host, 'a', insecure=True, retries=0)
    return Download(client._request, known or digest(expected), Retries(total=total), have)


def pull(server, chunk_size=8192, **kwargs):
    return b''.join(download(server, **kwargs).chunks(chunk_size))


# Where nothing goes wrong


def test_a_blob(fake_server):
    blob = Blob(fake_server)
    made = download(fake_server)
    assert made.size == SIZE
    assert len(blob.asked) == 1
    assert b''.join(made.chunks(8192)) == CONTENT
    assert blob.asked == [None]
    assert fake_server.requests[0].headers['Accept-Encoding'] == 'identity'


@pytest.mark.parametrize('chunk_size', [1, 7, 1000, 8192, 256 * 1024, 300_000, SIZE, SIZE + 1])
@pytest.mark.parametrize('coded', [False, True])
def test_chunks_are_of_the_size_that_was_asked_for(fake_server, chunk_size, coded):
    content = CONTENT[: 100_000 if chunk_size < 100 else None]
    blob = Blob(fake_server, content)
    if coded:
        blob.script.append(unsized)
    chunks = list(download(fake_server, expected=content).chunks(chunk_size))
    assert b''.join(chunks) == content
    assert {len(chunk) for chunk in chunks[:-1]} <= {chunk_size}
    assert 0 < len(chunks[-1]) <= chunk_size
    assert all(type(chunk) is bytes for chunk in chunks)


@pytest.mark.parametrize('chunked', [False, True])
def test_an_empty_blob(fake_server, chunked):
    blob = Blob(fake_server, b'')
    if chunked:
        blob.script.append(unsized)
    made = download(fake_server, expected=b'')
    assert made.size == (None if chunked else 0)
    assert list(made.chunks(8192)) == []


def test_a_blob_of_another_algorithm(fake_server):
    Blob(fake_server)
    assert pull(fake_server, known=digest(CONTENT, 'sha512')) == CONTENT


def test_a_blob_of_an_unknown_algorithm_is_not_asked_for(fake_server):
    blob = Blob(fake_server)
    with pytest.raises(DXFUnexpectedDigestMethodError):
        download(fake_server, known='md5:' + '0' * 32)
    assert blob.asked == []


def test_a_blob_that_is_not_there(fake_server):
    Blob(fake_server).script.append(Answer(404))
    with pytest.raises(HTTPError) as e:
        download(fake_server)
    assert e.value.response.status_code == 404


def test_a_blob_without_a_length(fake_server):
    Blob(fake_server).script.append(unsized)
    made = download(fake_server)
    assert made.size is None
    assert b''.join(made.chunks(8192)) == CONTENT


def test_the_connection_is_kept(fake_server):
    Blob(fake_server)
    client = dxf.DXF(fake_server.host, 'a', insecure=True)
    for _ in range(3):
        made = Download(client._request, digest(CONTENT), Retries())
        assert b''.join(made.chunks(8192)) == CONTENT
    assert len({request.connection for request in fake_server.requests}) == 1


def test_a_download_that_is_given_up(fake_server):
    """Its connection is not used again: too much is still on its way."""
    Blob(fake_server)
    chunks = download(fake_server).chunks(8192)
    assert next(chunks) == CONTENT[:8192]
    chunks.close()
    with pytest.raises(StopIteration):
        next(chunks)


# Cut


@pytest.mark.parametrize('after', [0, 1, 8191, 8192, 300_000, SIZE - 1])
def test_a_cut_download_is_gone_on_with(fake_server, after):
    blob = Blob(fake_server)
    blob.script.append(cut(after))
    assert pull(fake_server) == CONTENT
    # What had come is not fetched again, but for what was in a block of its own.
    assert blob.asked[0] is None
    assert len(blob.asked) == 2
    if blob.asked[1] is not None:
        first = int(blob.asked[1][len('bytes=') : -1])
        assert 0 < first <= after


@pytest.mark.parametrize('after', [1, 300_000, SIZE - 1])
def test_where_ranges_are_unknown_all_is_fetched_again(fake_server, after):
    blob = Blob(fake_server, ranges=False)
    blob.script.append(cut(after))
    assert pull(fake_server) == CONTENT
    assert len(blob.asked) == 2


@pytest.mark.parametrize('ranges', [True, False])
def test_a_download_that_is_cut_again_and_again(fake_server, ranges):
    blob = Blob(fake_server, CONTENT * 4, ranges=ranges)
    blob.script.extend(cut(n * 700_000) for n in range(1, 4))
    assert pull(fake_server, expected=CONTENT * 4) == CONTENT * 4


def test_a_download_that_gets_on_may_be_cut_more_often_than_it_may_fail(fake_server):
    content = CONTENT * 8
    blob = Blob(fake_server, content)
    blob.script.extend([cut(SIZE + 300_000)] * 7)
    assert pull(fake_server, expected=content, total=2) == content
    assert len(blob.asked) > 4


def test_what_little_each_attempt_brings_counts_together(fake_server):
    blob = Blob(fake_server)
    blob.script.extend([cut(40_000)] * 20)
    assert pull(fake_server, total=3) == CONTENT
    assert len(blob.asked) == 21


def test_a_download_that_does_not_get_on(fake_server, clock):
    blob = Blob(fake_server)
    blob.script.extend([cut(0)] * 20)
    with pytest.raises(ConnectionError):
        pull(fake_server, total=3)
    assert len(blob.asked) == 4
    assert len(clock.slept) == 3


def test_a_download_without_a_length_that_is_cut(fake_server):
    blob = Blob(fake_server)
    whole = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' % SIZE
    blob.script.append(Answer(raw=whole + CONTENT[:500_000]))
    assert pull(fake_server) == CONTENT
    assert len(blob.asked) == 2


def test_a_download_that_ends_with_its_connection_is_taken_as_it_is(fake_server):
    """Only the digest tells whether it is whole."""
    blob = Blob(fake_server)
    blob.script.append(Answer(raw=b'HTTP/1.0 200 OK\r\n\r\n' + CONTENT))
    assert pull(fake_server) == CONTENT
    blob.script.append(Answer(raw=b'HTTP/1.0 200 OK\r\n\r\n' + CONTENT[:500_000]))
    with pytest.raises(DXFDigestMismatchError):
        pull(fake_server)


@pytest.mark.parametrize('chunk_size', [1000, 8192, 300_000])
def test_chunks_are_of_the_same_size_after_a_cut(fake_server, chunk_size):
    Blob(fake_server).script.append(cut(500_001))
    chunks = list(download(fake_server).chunks(chunk_size))
    assert b''.join(chunks) == CONTENT
    assert {len(chunk) for chunk in chunks[:-1]} == {chunk_size}


@pytest.mark.parametrize('status', [429, 500, 503])
def test_going_on_that_is_refused_for_the_moment(fake_server, status):
    blob = Blob(fake_server)
    blob.script.extend([cut(500_000), Answer(status), Answer(status)])
    assert (
        b''.join(
            Download(
                dxf.DXF(fake_server.host, 'a', insecure=True)._request, digest(CONTENT), Retries()
            ).chunks(8192)
        )
        == CONTENT
    )


@pytest.mark.parametrize('status', [403, 404])
def test_going_on_that_is_refused_for_good(fake_server, status):
    blob = Blob(fake_server)
    blob.script.extend([cut(500_000), Answer(status)])
    with pytest.raises(HTTPError) as e:
        pull(fake_server)
    assert e.value.response.status_code == status


def test_going_on_is_asked_of_the_registry_again(fake_server):
    """Blobs are redirected to addresses that expire."""
    with FakeServer() as storage:
        blob = Blob(storage)
        storage.on('GET', '/signed/.*', blob.answer)
        fake_server.on(
            'GET',
            BLOB,
            [
                Answer(307, headers={'Location': storage.url + f'/signed/{n}?sig=x'})
                for n in (1, 2)
            ],
        )
        blob.script.append(cut(500_000))
        assert pull(fake_server) == CONTENT
        assert [request.path for request in storage.requests] == ['/signed/1', '/signed/2']
        assert blob.asked[1].startswith('bytes=')


# Answers to a range that are none


@pytest.mark.parametrize(
    'content_range',
    [None, '', 'rubbish', 'bytes 0-9/10', f'bytes 1-{SIZE}/{SIZE}', 'bytes */100',
     f'items 400000-{SIZE - 1}/{SIZE}'],
)  # fmt: skip
def test_a_range_that_begins_elsewhere(fake_server, content_range):
    """What comes is not where it is asked for: all is fetched again."""
    blob = Blob(fake_server)
    headers = {} if content_range is None else {'Content-Range': content_range}
    blob.script.extend([cut(500_000), Answer(206, b'something else', headers)])
    assert pull(fake_server) == CONTENT
    assert [bool(asked) for asked in blob.asked] == [False, True, False]


@pytest.mark.parametrize(
    'headers', [{}, {'Content-Range': f'bytes */{SIZE}'}, {'Content-Length': str(SIZE)}]
)
def test_a_range_that_can_not_be_had(fake_server, headers):
    """Debian's registry announces the blob's length with a 416, and sends less."""
    blob = Blob(fake_server)
    # A length that is a lie must not leave the client waiting for the rest.
    closed = {'Connection': 'close'} if headers.get('Content-Length') else {}
    refused = Answer(416, b'{"errors": []}', {**headers, **closed})
    blob.script.extend([cut(500_000), refused])
    assert pull(fake_server) == CONTENT
    assert [bool(asked) for asked in blob.asked] == [False, True, False]


def test_a_range_whose_total_is_not_known(fake_server):
    blob = Blob(fake_server)

    def hide(answer):
        answer.headers['Content-Range'] = answer.headers['Content-Range'].replace(str(SIZE), '*')
        return answer

    blob.script.extend([cut(500_000), hide])
    assert pull(fake_server) == CONTENT
    assert len(blob.asked) == 2


def test_a_range_that_is_cut_short(fake_server):
    """Its answer is whole, but has less than was asked for."""
    blob = Blob(fake_server)

    def shorten(answer):
        answer.body = answer.body[:1000]
        return answer

    blob.script.extend([cut(500_000), shorten])
    assert pull(fake_server) == CONTENT
    assert len(blob.asked) == 3


# Codings


def gzipped(answer):
    answer.body = gzip.compress(answer.body)
    answer.headers['Content-Encoding'] = 'gzip'
    return answer


def test_a_coding_that_a_proxy_added_is_taken_off(fake_server):
    Blob(fake_server).script.append(gzipped)
    made = download(fake_server)
    # How much there will be is not known.
    assert made.size is None
    assert b''.join(made.chunks(8192)) == CONTENT


def test_a_coded_download_that_is_cut_is_fetched_again(fake_server):
    """A range of what is coded would be of no use."""
    blob = Blob(fake_server)
    blob.script.extend([lambda answer: cut(2000)(gzipped(answer)), gzipped])
    assert pull(fake_server) == CONTENT
    assert blob.asked == [None, None]


def test_a_range_that_is_coded(fake_server):
    blob = Blob(fake_server)
    blob.script.extend([cut(500_000), gzipped])
    assert pull(fake_server) == CONTENT
    assert [bool(asked) for asked in blob.asked] == [False, True, False]


def test_a_blob_that_is_gzip_itself_stays_so(fake_server):
    content = gzip.compress(CONTENT)
    Blob(fake_server, content)
    assert pull(fake_server, expected=content) == content


@pytest.mark.parametrize('coding', ['identity', ''])
def test_a_coding_that_is_none(fake_server, coding):
    blob = Blob(fake_server, Content_Encoding=coding)
    blob.script.append(cut(500_000))
    assert pull(fake_server) == CONTENT


def test_a_coding_that_is_a_lie(fake_server):
    Blob(fake_server, Content_Encoding='gzip')
    with pytest.raises((requests.RequestException, DXFDigestMismatchError)):
        pull(fake_server, total=1)


# What is not what it should be


@pytest.mark.parametrize(
    'corrupt',
    [
        lambda content: b'',
        lambda content: content[:-1],
        lambda content: content + b'x',
        lambda content: b'x' + content[1:],
        lambda content: content[:-1] + b'x',
        lambda content: content[1:] + content[:1],
        lambda content: b'something else',
    ],
)
@pytest.mark.parametrize('chunked', [False, True])
def test_another_content(fake_server, corrupt, chunked):
    corrupted = corrupt(CONTENT)
    blob = Blob(fake_server, corrupted)
    if chunked:
        blob.script.append(unsized)
    came = []
    with pytest.raises(DXFDigestMismatchError) as e:
        came.extend(download(fake_server).chunks(8192))
    assert (e.value.got, e.value.expected) == (digest(corrupted), digest(CONTENT))
    assert b''.join(came) == corrupted
    # It is not asked for again: it would be the same.
    assert len(blob.asked) == 1


def test_chunks_come_before_the_end_is_known_to_be_wrong(fake_server):
    Blob(fake_server, CONTENT[:-1] + b'x')
    chunks = download(fake_server).chunks(8192)
    assert next(chunks) == CONTENT[:8192]
    with pytest.raises(DXFDigestMismatchError):
        list(chunks)


def test_another_content_after_a_cut(fake_server):
    """The whole is checked, not what came last."""
    blob = Blob(fake_server, ranges=False)
    blob.script.extend([cut(500_000), lambda answer: Answer(body=b'x' * SIZE)])
    with pytest.raises(DXFDigestMismatchError):
        pull(fake_server)


def test_a_shorter_content_after_a_cut(fake_server):
    blob = Blob(fake_server, ranges=False)
    blob.script.extend([cut(500_000), *[Answer(body=CONTENT[:100])] * 20])
    with pytest.raises((DXFDigestMismatchError, ConnectionError)):
        pull(fake_server)
    assert len(blob.asked) < 20


# What was fetched before


def have(count, size=10_000):
    return [CONTENT[i : min(i + size, count)] for i in range(0, count, size)]


@pytest.mark.parametrize('count', [0, 1, 500_000, SIZE - 1])
def test_what_is_there_is_not_fetched(fake_server, count):
    blob = Blob(fake_server)
    made = download(fake_server, have=have(count))
    assert made.size == SIZE
    assert b''.join(made.chunks(8192)) == CONTENT[count:]
    assert blob.asked == [f'bytes={count}-' if count else None]


def test_what_is_there_is_not_given_again_where_ranges_are_unknown(fake_server):
    Blob(fake_server, ranges=False)
    made = download(fake_server, have=have(500_000))
    assert made.size == SIZE
    assert b''.join(made.chunks(8192)) == CONTENT[500_000:]


@pytest.mark.parametrize('ranges', [True, False])
def test_what_is_there_is_something_else(fake_server, ranges):
    Blob(fake_server, ranges=ranges)
    with pytest.raises(DXFDigestMismatchError):
        pull(fake_server, have=[b'something else'])


def test_what_is_there_and_a_cut(fake_server):
    blob = Blob(fake_server)
    blob.script.append(cut(300_000))
    made = download(fake_server, have=have(500_000))
    assert b''.join(made.chunks(8192)) == CONTENT[500_000:]
    assert len(blob.asked) == 2


# Sizes


@pytest.mark.parametrize(
    ('headers', 'expected'),
    [
        ({'Content-Length': '0'}, 0),
        ({'Content-Length': '123'}, 123),
        ({}, None),
        ({'Content-Length': ''}, None),
        ({'Content-Length': '-1'}, None),
        ({'Content-Length': '+1'}, None),
        ({'Content-Length': '1.5'}, None),
        ({'Content-Length': 'many'}, None),
        ({'Content-Length': '\xb2'}, None),
        ({'Content-Length': '5, 5'}, None),
        ({'Content-Length': '123', 'Content-Encoding': 'gzip'}, None),
    ],
)
def test_content_length(headers, expected):
    response = requests.Response()
    response.headers.update(headers)
    assert content_length(response) == expected


def size_of(server, expected=CONTENT):
    client = dxf.DXF(server.host, 'a', insecure=True, retries=0)
    return find_size(client._request, digest(expected), Retries())


def test_a_size_is_found_by_asking_for_a_byte(fake_server):
    blob = Blob(fake_server)
    assert size_of(fake_server) == SIZE
    assert blob.asked == ['bytes=0-0']


def test_the_size_of_an_empty_blob(fake_server):
    Blob(fake_server, b'')
    assert size_of(fake_server, b'') == 0


def test_the_size_of_an_empty_blob_whose_range_is_refused_without_it(fake_server):
    """Debian's registry says so of an empty blob: 416 and a length of 0."""
    blob = Blob(fake_server, b'')
    blob.script.append(Answer(416))
    try:
        assert size_of(fake_server, b'') == 0
    except HTTPError as error:
        assert error.response.status_code == 416


def test_a_size_where_ranges_are_unknown(fake_server):
    blob = Blob(fake_server, ranges=False)
    assert size_of(fake_server) == SIZE
    assert len(blob.asked) == 1


@pytest.mark.parametrize(
    'first',
    [
        unsized,
        gzipped,
        lambda answer: Answer(206, b'x', {'Content-Range': 'bytes 0-0/*'}),
        lambda answer: Answer(206, b'x'),
    ],
)
def test_a_size_that_is_not_told_is_counted(fake_server, first):
    blob = Blob(fake_server, ranges=False)
    blob.script.append(first)
    assert size_of(fake_server) == SIZE
    assert len(blob.asked) == 2


def test_a_size_is_not_counted_of_something_else(fake_server):
    blob = Blob(fake_server, CONTENT[:-1], ranges=False)
    blob.script.append(unsized)
    with pytest.raises(DXFDigestMismatchError):
        size_of(fake_server)


@pytest.mark.parametrize('status', [401, 403, 404])
def test_the_size_of_what_is_not_to_be_had(fake_server, status):
    Blob(fake_server).script.append(Answer(status))
    with pytest.raises((HTTPError, dxf.exceptions.DXFUnauthorizedError)):
        size_of(fake_server)


MIB = 1 << 20


@pytest.mark.parametrize(
    ('waited', 'left', 'is_worth_more'),
    [
        (1.0, 100 * MIB, True),
        (1.0, 30 * MIB, False),  # soon at its end
        (0.2, 100 * MIB, False),  # what takes time is writing
    ],
)
def test_when_more_connections_are_tried(monkeypatch, clock, waited, left, is_worth_more):
    monkeypatch.setattr('dxf.ranges.time', clock)
    pace = Pace()
    for _ in range(2):
        clock.sleep(0.75)
        pace.add(6 * MIB, 0.75 * waited)
    assert pace.is_worth_more(left) is is_worth_more


@pytest.fixture
def by_ranges(monkeypatch):
    """What goes to a file comes by several connections, after the first of what one brings."""
    monkeypatch.setattr('dxf.ranges.Pace.is_worth_more', lambda pace, left: left > 0)


def saved(server, path, content):
    with dxf.DXF(server.host, 'a', insecure=True, retries=2) as client:
        client.save_blobs(str(path), [digest(content)])
    return path.read_bytes()


def cuts_each(first):
    """Answers for ranges are cut after so many bytes, as long as there is more."""

    def act(answer):
        if answer.status == 206 and len(answer.body) > first:
            answer.cut_after = first
        return answer

    return act


def test_ranges_that_are_cut_are_gone_on_with(fake_server, by_ranges, tmp_path):
    content = CONTENT * 8
    blob = Blob(fake_server, content, Accept_Ranges='bytes')
    blob.script = [None] + [cuts_each(100_000)] * 1000
    assert saved(fake_server, tmp_path / 'saved', content) == content
    firsts = [wanted.partition('-')[0] for wanted in blob.asked if wanted]
    assert len(set(firsts)) == len(firsts)


def test_a_range_that_has_more_than_was_asked_for(fake_server, by_ranges, tmp_path):
    """It can't be trusted, and the blob comes by one connection."""
    content = CONTENT * 8

    def lengthen(answer):
        if len(answer.body) <= RANGE_SIZE:
            answer.body += b'more'
        return answer

    blob = Blob(fake_server, content, Accept_Ranges='bytes')
    blob.script = [None] + [lengthen] * 8
    assert saved(fake_server, tmp_path / 'saved', content) == content


SAVING = """
import sys
import requests

def peak():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM:'))

before = peak()
import dxf
import dxf.ranges
dxf.ranges.Pace.is_worth_more = lambda pace, left: left > 0
dxf.ranges._MEASURED_SECONDS = 0.01
dxf.ranges._GAIN = 0
host, repo, path, digest = sys.argv[1:]
dxf.DXF(host, repo, insecure=True).save_blobs(path, [digest])
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='nobody says how much it is')
def test_ranges_in_little_memory(registry_http, tmp_path):
    """Eight at a time, whatever was had by one connection before."""
    content = os.urandom(1 << 20) * 64
    repo = registry_http.new_repo()
    with PlainClient(registry_http, repo) as plain:
        name = plain.push_blob(content)
    path = tmp_path / 'saved'
    done = subprocess.run(
        [sys.executable, '-c', SAVING, registry_http.host, repo, str(path), name],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert int(done.stdout) < 14 << 10  # in KiB, more than requests takes
    assert path.read_bytes() == content
