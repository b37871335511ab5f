"""Uploads: cut, lost, refused, and gone on with."""

import contextlib
import io
import itertools

import pytest
import requests
from requests.exceptions import ConnectionError, HTTPError

import dxf
from dxf.contents import Content
from dxf.exceptions import (
    DXFCannotRewindError,
    DXFContentChangedError,
    DXFFileChangedError,
    DXFNotARegistryError,
)
from dxf.retries import Retries
from dxf.sessions import Session, Target
from dxf.uploads import STREAM_CHUNK_SIZE, Uploader

from .support.plain import sha256
from .support.uploading import Cut, Keep, Lose, Refuse, Say, UploadServer

KIB = 1024
MIB = 1024 * 1024


def content_of(size, seed=0):
    return bytes((i * 7 + i // 251 + seed) % 256 for i in range(256)) * (size // 256) + b'z' * (
        size % 256
    )


CONTENT = content_of(MIB)


@pytest.fixture(autouse=True)
def no_waiting(clock):
    """Attempts come one right after another; `clock.slept` has the waits."""


@pytest.fixture
def server():
    with UploadServer() as made:
        yield made


@pytest.fixture
def make_server():
    """`make_server(**settings)`: an UploadServer."""
    made = []

    def make(**settings):
        made.append(UploadServer(**settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def target_of(server, timeout=None):
    client = dxf.DXF(server.host, 'a', insecure=True)

    def exists(digest):
        try:
            client.blob_size(digest)
        except HTTPError:
            return False
        return True

    return Target(client._request, exists, f'{server.url}/v2/', timeout)


def uploader(server, total=5, chunk_size=None):
    return Uploader(target_of(server), Retries(total=total), chunk_size)


def push(server, content=CONTENT, known=True, **kwargs):
    """Push bytes as a content that can be read again; its digest known before, or not."""
    pushed = uploader(server, **kwargs).push(
        Content(io.BytesIO(content)), sha256(content) if known else None
    )
    assert pushed == (sha256(content), len(content))
    assert server.blobs[pushed.digest] == content
    return pushed


def push_stream(
    server, content=CONTENT, piece_size=64 * KIB, known=False, report=None, beside=True, **kwargs
):
    source = (content[i : i + piece_size] for i in range(0, len(content), piece_size))
    pushed = uploader(server, **kwargs).push_stream(
        source, sha256(content) if known else None, report, beside
    )
    assert pushed == (sha256(content), len(content))
    assert server.blobs[pushed.digest] == content
    return pushed


# Where nothing goes wrong


@pytest.mark.parametrize('size', [1, 100, MIB])
def test_what_is_known_is_sent_in_one_request(server, size):
    push(server, content_of(size))
    assert server.methods() == ['POST', 'PUT']
    assert server.seen[1].headers['Content-Type'] == 'application/octet-stream'
    assert server.seen[1].headers.get('Transfer-Encoding') is None
    assert server.seen[1].length == size


@pytest.mark.parametrize('known', [True, False])
def test_an_empty_blob(server, known):
    push(server, b'', known)
    assert server.methods() == ['POST', 'PUT']
    assert server.seen[1].headers['Content-Length'] == '0'


def test_a_small_blob_whose_digest_is_not_known(server):
    push(server, CONTENT, known=False)
    assert server.methods() == ['POST', 'PUT']


def test_a_large_blob_whose_digest_is_not_known(server):
    """It is hashed while it is sent, so the digest comes last."""
    push(server, content_of(STREAM_CHUNK_SIZE + 1), known=False)
    assert server.methods() == ['POST', 'PATCH', 'PUT']
    assert server.seen[1].headers['Content-Range'] == f'0-{STREAM_CHUNK_SIZE}'
    assert server.seen[2].length == 0


def test_each_request_goes_where_the_last_answer_said(server):
    push(server, chunk_size=256 * KIB)
    states = [request.query.get('_state') for request in server.seen]
    assert states == [None, ['2'], ['3'], ['4'], ['5'], ['6']]
    assert server.seen[-1].query['digest'] == [sha256(CONTENT)]


def test_chunks(server):
    push(server, content_of(1000), chunk_size=300)
    assert server.methods() == ['POST', 'PATCH', 'PATCH', 'PATCH', 'PATCH', 'PUT']
    assert [request.headers['Content-Range'] for request in server.requests('PATCH')] == [
        '0-299',
        '300-599',
        '600-899',
        '900-999',
    ]


def test_what_fits_into_a_chunk_is_sent_in_one_request(server):
    push(server, content_of(300), chunk_size=300)
    assert server.methods() == ['POST', 'PUT']


def test_a_registry_s_least_chunk_is_heeded(make_server):
    server = make_server(least=400)
    push(server, content_of(1000), chunk_size=300)
    assert [request.length for request in server.requests('PATCH')] == [400, 400, 200]


def test_a_registry_s_least_chunk_is_heeded_with_streams(make_server):
    """What is kept of a stream to be sent again is then more than usual."""
    server = make_server(least=400)
    push_stream(server, content_of(1000), chunk_size=300)
    assert all(request.length >= 400 for request in server.requests('PATCH')[:-1])


@pytest.mark.parametrize('least', ['', 'many', '-5', '1.5', '\xb2', '0'])
def test_a_least_chunk_that_is_none(server, least):
    server.script('POST', Say({'OCI-Chunk-Min-Length': least}))
    push(server, content_of(1000), chunk_size=300)
    assert [request.length for request in server.requests('PATCH')] == [300, 300, 300, 100]


@pytest.mark.parametrize('location', [None, ''])
def test_a_registry_that_does_not_say_where(server, location):
    server.script('POST', Say({'Location': location}))
    with pytest.raises(DXFNotARegistryError, match='without saying where'):
        push(server)


def test_a_registry_that_does_not_say_where_to_go_on(server):
    """What it said before is still good."""
    server.script('PATCH', Say({'Location': None}), Say({'Location': None}))
    push(server, content_of(1000), chunk_size=300)


# Cut


@pytest.mark.parametrize('after', [0, 1, 1000, 300_000, MIB - 1])
def test_a_cut_upload_is_gone_on_with(server, after):
    server.script('PUT', Cut(after))
    push(server)
    assert server.requests('PUT')[0].length == MIB
    if after > 1:
        # Nothing is sent again that the registry has.
        assert server.methods() == ['POST', 'PUT', 'GET', 'PATCH', 'PUT']
        [rest] = server.requests('PATCH')
        assert rest.headers['Content-Range'] == f'{after}-{MIB - 1}'
        assert rest.length == MIB - after
    else:
        # One byte and none are told alike.
        assert server.methods()[:3] == ['POST', 'PUT', 'GET']


@pytest.mark.parametrize('after', [0, 1, 1000, MIB - 1])
def test_a_cut_upload_that_can_not_be_gone_on_with(make_server, after):
    """As with Debian's registry."""
    server = make_server(resumable=False)
    server.script('PUT', Cut(after))
    push(server)
    assert server.requests('PUT')[-1].length == MIB
    assert len(server.requests('POST')) == 2


def test_an_upload_that_is_cut_again_and_again(server):
    """It gets on each time, so it may be cut more often than it may fail."""
    server.script('PUT', Cut(100_000))
    server.script('PATCH', *[Cut(100_000)] * 9)
    push(server, total=2)
    assert len(server.requests('PATCH')) == 10


def test_an_upload_that_does_not_get_on(server, clock):
    server.script('PUT', *[Cut(0)] * 20)
    with pytest.raises(ConnectionError):
        push(server, total=3)
    assert len(server.requests('PUT')) == 4
    assert len(clock.slept) == 3
    assert server.blobs == {}


def test_a_cut_in_the_middle_of_chunks(server):
    server.script('PATCH', None, Cut(100), None)
    push(server, content_of(1000), chunk_size=300)
    assert [request.headers['Content-Range'] for request in server.requests('PATCH')] == [
        '0-299',
        '300-599',
        '400-699',
        '700-999',
    ]


def test_a_cut_in_what_is_hashed_while_it_is_sent(server):
    server.script('PATCH', Cut(MIB), Cut(2 * MIB))
    push(server, content_of(STREAM_CHUNK_SIZE + 5), known=False)


def test_a_lost_upload_of_what_is_hashed_while_it_is_sent(make_server):
    server = make_server(resumable=False)
    server.script('PATCH', Cut(MIB), Cut(2 * MIB))
    push(server, content_of(STREAM_CHUNK_SIZE + 5), known=False)


def test_an_answer_that_was_lost(server):
    """The blob is there, and is not sent again."""
    server.script('PUT', Lose())
    push(server)
    assert server.methods() == ['POST', 'PUT', 'GET', 'HEAD']


def test_the_answer_to_a_chunk_that_was_lost(server):
    server.script('PATCH', None, Lose())
    push(server, content_of(1000), chunk_size=300)
    assert [request.headers['Content-Range'] for request in server.requests('PATCH')] == [
        '0-299',
        '300-599',
        '600-899',
        '900-999',
    ]


def test_the_answer_to_the_end_of_chunks_that_was_lost(server):
    """The chunks are not sent again."""
    server.script('PUT', Lose())
    push(server, content_of(1000), chunk_size=300)
    assert len(server.requests('PATCH')) == 4


def test_the_registry_s_restart(server):
    """It knows nothing of the upload any more."""
    server.script('PATCH', None, Refuse(404, forget=True))
    push(server, content_of(1000), chunk_size=300)
    assert len(server.requests('POST')) == 2
    assert server.requests('PATCH')[2].headers['Content-Range'] == '0-299'


@pytest.mark.parametrize('status', [404, 416, 429, 500, 502, 503, 504])
@pytest.mark.parametrize('forget', [True, False])
def test_a_refusal_that_may_pass(server, status, forget):
    server.script('PUT', Refuse(status, forget=forget))
    push(server)
    server.script('PATCH', None, Refuse(status, forget=forget))
    push(server, content_of(1000), chunk_size=300)


@pytest.mark.parametrize('status', [429, 503])
@pytest.mark.parametrize('send', ['whole', 'chunks', 'stream'])
def test_a_refusal_that_says_for_how_long(server, clock, status, send):
    refusal = Refuse(status, {'Retry-After': '30'})
    server.script('PUT' if send == 'whole' else 'PATCH', refusal)
    if send == 'stream':
        push_stream(server, content_of(1000), chunk_size=300)
    else:
        push(server, content_of(1000), chunk_size=None if send == 'whole' else 300)
    assert clock.slept == [30]


@pytest.mark.parametrize('send', [push, push_stream])
def test_a_refusal_for_longer_than_anybody_waits(server, clock, send):
    server.script('PATCH', Refuse(503, {'Retry-After': '3600'}))
    with pytest.raises(HTTPError):
        send(server, content_of(1000), chunk_size=300)
    assert len(server.requests('PATCH')) == 1
    assert clock.slept == []


@pytest.mark.parametrize('send', [push, push_stream])
@pytest.mark.parametrize('status', [500, 503])
def test_an_end_that_stays_refused(server, send, status):
    """As often as anything else, and not each time as often."""
    server.script('PUT', *[Refuse(status)] * 50)
    with pytest.raises(HTTPError):
        send(server, content_of(1000), chunk_size=300)
    assert len(server.requests('PUT')) == 6
    assert server.methods()[-2:] == ['HEAD', 'DELETE']


@pytest.mark.parametrize('send', [push, push_stream])
def test_an_end_that_is_refused_after_it_was_done(server, send):
    """As by a proxy that did not wait for the answer."""
    content = content_of(1000)
    server.blobs[sha256(content)] = content
    server.script('PUT', *[Refuse(504)] * 6)
    send(server, content, chunk_size=300)


@pytest.mark.parametrize('status', [400, 401, 403, 405, 501])
def test_a_refusal_that_does_not_pass(server, status):
    server.script('PUT', Refuse(status))
    kinds = (HTTPError, dxf.exceptions.DXFUnauthorizedError)
    with pytest.raises(kinds):
        push(server)
    assert len(server.requests('PUT')) == 1


def test_a_registry_that_is_out_of_step(server):
    server.script('PATCH', None, Refuse(416))
    push(server, content_of(1000), chunk_size=300)
    assert 'GET' in server.methods()


def test_a_registry_that_stays_out_of_step(server):
    server.script('PUT', *[Refuse(416)] * 20)
    with pytest.raises(HTTPError) as e:
        push(server, total=3)
    assert e.value.response.status_code == 416


@pytest.mark.parametrize(
    'stored', ['', 'rubbish', 'bytes 0-5', '5-9', '0-', '0--5', '-5', '0-\xb2', '0-0']
)
def test_a_registry_that_does_not_say_how_far_it_got(server, stored):
    server.script('PUT', Cut(1000))
    server.script('GET', Say({'Range': stored}))
    push(server)
    assert len(server.requests('POST')) == 2


@pytest.mark.parametrize('stored', ['0-999', 'bytes=0-999'])
def test_a_registry_that_says_how_far_it_got(server, stored):
    server.script('PUT', Cut(1000))
    server.script('GET', Say({'Range': stored}))
    push(server)
    assert server.requests('PATCH')[0].headers['Content-Range'] == f'1000-{MIB - 1}'


@pytest.mark.parametrize('stored', ['0-2000', f'0-{MIB - 1}', f'0-{MIB}', f'0-{10 * MIB}'])
@pytest.mark.parametrize('known', [True, False])
def test_a_registry_that_says_it_got_further_than_it_did(server, stored, known):
    """What it has then is not what it should be, and it must say so; nothing is stored."""
    content = content_of(STREAM_CHUNK_SIZE + 7)
    server.script('PUT' if known else 'PATCH', Cut(1000))
    server.script('GET', Say({'Range': stored}))
    with contextlib.suppress(requests.RequestException, dxf.exceptions.DXFError):
        push(server, content, known)
    assert all(sha256(stored) == name for name, stored in server.blobs.items())


@pytest.mark.parametrize('send', [push, push_stream])
def test_a_registry_that_takes_part_of_a_chunk(server, send):
    server.script('PATCH', None, Keep(100))
    send(server, content_of(1000), chunk_size=300)
    assert [request.headers['Content-Range'] for request in server.requests('PATCH')][:3] == [
        '0-299',
        '300-599',
        '400-599' if send is push_stream else '400-699',
    ]
    assert 'GET' not in server.methods()


@pytest.mark.parametrize('stored', ['0-0', '0-99', '0-299', '0-5000', '300-599', 'rubbish', None])
@pytest.mark.parametrize('send', [push, push_stream])
def test_a_registry_that_says_of_a_chunk_what_can_not_be(server, stored, send):
    server.script('PATCH', None, Say({'Range': stored}))
    send(server, content_of(1000), chunk_size=300)
    assert len(server.requests('PATCH')) == 4


def test_no_connection_to_open_an_upload(server):
    server.script('POST', Cut(), Refuse(503))
    push(server)
    assert server.methods() == ['POST', 'POST', 'POST', 'PUT']


def test_an_upload_that_can_not_be_opened(server):
    server.script('POST', *[Refuse(403)] * 5)
    with pytest.raises(HTTPError) as e:
        push(server)
    assert e.value.response.status_code == 403
    assert server.methods() == ['POST']


# Too large for whatever stands before the registry


def test_a_body_that_is_too_large_is_cut(make_server):
    server = make_server(most=16 * MIB)
    content = content_of(40 * MIB)
    push(server, content)
    assert [request.length for request in server.requests('PUT')] == [40 * MIB, 0]
    assert [request.length for request in server.requests('PATCH')] == [
        16 * MIB,
        16 * MIB,
        8 * MIB,
    ]


def test_a_body_that_is_still_too_large_is_cut_further(make_server):
    server = make_server(most=300 * KIB)
    push(server, content_of(2 * MIB))
    assert max(request.length for request in server.requests('PATCH')[-4:]) <= 300 * KIB


def test_a_body_that_is_always_too_large(make_server):
    server = make_server(most=0)
    with pytest.raises(HTTPError) as e:
        push(server)
    assert e.value.response.status_code == 413
    assert len(server.seen) < 20


def test_a_least_chunk_that_is_too_large(make_server):
    server = make_server(least=600 * KIB, most=500 * KIB)
    with pytest.raises(HTTPError) as e:
        push(server)
    assert e.value.response.status_code == 413
    assert len(server.seen) < 20


def test_an_upload_that_was_too_large_is_not_left_open(make_server):
    server = make_server(most=300 * KIB)
    push(server)
    assert server.open == {}


# What it was made from


def test_another_content_than_its_digest_s(server):
    with pytest.raises(DXFContentChangedError) as e:
        uploader(server).push(Content(io.BytesIO(b'content')), sha256(b'other'))
    assert (e.value.got, e.value.expected) == (sha256(b'content'), sha256(b'other'))
    assert e.value.response.status_code == 400
    assert server.blobs == {}


def test_a_file_that_changes(server):
    file = io.BytesIO(b'content')
    content = Content(file)
    known = content.digest()
    file.seek(0)
    file.write(b'CONTENT')
    with pytest.raises(DXFContentChangedError):
        uploader(server).push(content, known)


def test_a_large_file_that_changes_between_two_attempts(server):
    """It was hashed as it was first sent."""
    data = content_of(STREAM_CHUNK_SIZE + 5)
    file = io.BytesIO(data)

    def change(piece):
        if len(seen) == 1:
            file.getbuffer()[0:1] = b'!'

    seen = []
    content = Content(file, lambda piece: (seen.append(piece), change(piece)))
    server.script('PATCH', Cut(0))
    with pytest.raises((DXFContentChangedError, HTTPError)):
        uploader(server).push(content)
    assert server.blobs == {}


def test_a_file_that_gets_shorter(server):
    file = io.BytesIO(CONTENT)
    content = Content(file)
    known = content.digest()
    file.truncate(1000)
    with pytest.raises(DXFFileChangedError):
        uploader(server).push(content, known)
    assert server.blobs == {}


def test_a_registry_that_refuses_the_right_content(server):
    server.script('PUT', Refuse(400))
    with pytest.raises(HTTPError) as e:
        push(server)
    assert not isinstance(e.value, DXFContentChangedError)


# Streams


@pytest.mark.parametrize('size', [0, 1, STREAM_CHUNK_SIZE - 1, STREAM_CHUNK_SIZE])
@pytest.mark.parametrize('known', [True, False])
def test_a_short_stream_is_sent_in_one_request(server, size, known):
    push_stream(server, content_of(size), known=known)
    assert server.methods() == ['POST', 'PUT']


@pytest.mark.parametrize('beside', [True, False])
@pytest.mark.parametrize('known', [True, False])
def test_a_long_stream_is_sent_in_chunks(server, beside, known):
    push_stream(server, content_of(2 * STREAM_CHUNK_SIZE + 5), known=known, beside=beside)
    assert [request.length for request in server.requests('PATCH')] == [
        STREAM_CHUNK_SIZE,
        STREAM_CHUNK_SIZE,
        5,
    ]
    assert server.methods() == ['POST', 'PATCH', 'PATCH', 'PATCH', 'PUT']


@pytest.mark.parametrize('piece_size', [1, 7, 100, 1000, 5000])
def test_a_stream_s_pieces_may_be_of_any_size(server, piece_size):
    push_stream(server, content_of(1000), piece_size=piece_size, chunk_size=300)
    assert [request.length for request in server.requests('PATCH')] == [300, 300, 300, 100]


def test_a_stream_with_empty_pieces(server):
    uploader(server, chunk_size=2).push_stream(iter([b'', b'a', b'', b'', b'bc', b'']))
    assert server.blobs == {sha256(b'abc'): b'abc'}


def test_a_stream_is_shown_as_it_goes(server):
    shown = []
    server.script('PATCH', None, Cut(100), Refuse(503))
    content = content_of(1000)
    push_stream(server, content, chunk_size=300, report=lambda *args: shown.append(args))
    assert b''.join(piece for _, piece in shown) == content
    assert {digest for digest, _ in shown} == {None}


@pytest.mark.parametrize('after', [2, 100, 299])
def test_a_cut_stream_is_gone_on_with(server, after):
    server.script('PATCH', None, Cut(after))
    push_stream(server, content_of(1000), chunk_size=300)
    assert [request.headers['Content-Range'] for request in server.requests('PATCH')] == [
        '0-299',
        '300-599',
        f'{300 + after}-599',
        '600-899',
        '900-999',
    ]


def test_a_stream_s_chunk_whose_answer_was_lost(server):
    server.script('PATCH', None, Lose())
    push_stream(server, content_of(1000), chunk_size=300)
    assert len(server.requests('PATCH')) == 4


@pytest.mark.parametrize(
    'act',
    [Cut(0), Cut(1), Cut(100), Cut(100, forget=True), Refuse(404, forget=True), Lose(forget=True)],
)
def test_a_stream_that_is_cut_in_its_first_chunk_begins_anew(server, act):
    """All that was sent of it is still here."""
    server.script('PATCH', act)
    push_stream(server, content_of(1000), chunk_size=300)


@pytest.mark.parametrize(
    'act', [Cut(100, forget=True), Refuse(404, forget=True), Lose(forget=True)]
)
def test_a_stream_whose_upload_is_lost_later_can_not_be_gone_on_with(server, act):
    server.script('PATCH', None, act)
    with pytest.raises(DXFCannotRewindError):
        push_stream(server, content_of(1000), chunk_size=300)
    assert server.blobs == {}


@pytest.mark.parametrize('stored', ['0-100', '0-0', '0-700', 'rubbish'])
def test_a_stream_whose_registry_is_elsewhere(server, stored):
    """It says it has less than it had acknowledged, or more than it was sent."""
    server.script('PATCH', None, Cut(100))
    server.script('GET', Say({'Range': stored}))
    with pytest.raises(DXFCannotRewindError):
        push_stream(server, content_of(1000), chunk_size=300)


def test_a_stream_whose_end_was_lost(server):
    server.script('PUT', Lose())
    push_stream(server, content_of(1000), chunk_size=300)
    assert len(server.requests('PATCH')) == 4


@pytest.mark.parametrize('act', [Cut(0), Refuse(503), Refuse(500), Refuse(404)])
def test_a_stream_whose_end_was_refused_for_the_moment(server, act):
    server.script('PUT', act)
    push_stream(server, content_of(1000), chunk_size=300)


def test_a_stream_that_is_cut_too_often(server):
    server.script('PATCH', None, *[Cut(0)] * 20)
    with pytest.raises(ConnectionError):
        push_stream(server, content_of(1000), chunk_size=300, total=3)
    assert len(server.requests('PATCH')) == 5


def test_a_stream_that_is_cut_again_and_again(server):
    """It gets on, and so it may be cut any number of times."""
    server.script('PATCH', None, *[Cut(10)] * 20)
    push_stream(server, content_of(1000), chunk_size=300, total=2)


def test_a_stream_that_is_refused(server):
    server.script('PATCH', None, Refuse(403))
    with pytest.raises(HTTPError) as e:
        push_stream(server, content_of(1000), chunk_size=300)
    assert e.value.response.status_code == 403


def test_a_stream_of_another_content_than_its_digest_s(server):
    for content in (b'short', content_of(1000)):
        with pytest.raises(DXFContentChangedError) as e:
            uploader(server, chunk_size=300).push_stream(iter([content]), sha256(b'other'))
        assert (e.value.got, e.value.expected) == (sha256(content), sha256(b'other'))
    assert server.blobs == {}


@pytest.mark.parametrize('beside', [True, False])
def test_a_stream_that_breaks(server, beside):
    def source():
        yield content_of(700)
        raise RuntimeError('broken')

    with pytest.raises(RuntimeError, match='broken'):
        uploader(server, chunk_size=300).push_stream(source(), beside=beside)
    assert server.blobs == {}


@pytest.mark.parametrize('beside', [True, False])
def test_a_stream_is_not_read_far_ahead(server, beside):
    """It is kept in constant memory."""
    read = 0

    def source():
        nonlocal read
        for _ in range(100):
            read += 300
            # What is read, and neither stored nor on its way, is bounded.
            stored = sum(len(part) for part in server.open.values())
            assert read - stored <= 5 * 300
            yield b'x' * 300

    uploader(server, chunk_size=300).push_stream(source(), beside=beside)


def test_a_short_stream_that_is_there_already(server):
    server.blobs[sha256(b'short')] = b'short'
    pushed = uploader(server).push_stream(iter([b'sh', b'ort']), check_exists=True)
    assert pushed == (sha256(b'short'), 5)
    assert server.methods() == ['HEAD']


# Sessions


def test_a_session_that_is_given_up(server):
    session = Session.open(target_of(server))
    assert len(server.open) == 1
    session.cancel()
    assert server.open == {}


@pytest.mark.parametrize('act', [Cut(), Refuse(404), Refuse(405), Refuse(500), Refuse(401)])
def test_a_session_that_can_not_be_given_up(server, act):
    """That is the registry's business: it forgets by itself."""
    server.script('DELETE', act)
    Session.open(target_of(server)).cancel()


def test_progress_survives_what_was_lost(server):
    shown = []
    server.script('PUT', Cut(300_000))
    server.script('PATCH', Refuse(404, forget=True))
    uploader(server).push(Content(io.BytesIO(CONTENT), shown.append), sha256(CONTENT))
    assert b''.join(shown) == CONTENT


@pytest.mark.parametrize('timeout', [None, 7])
def test_a_large_blob_may_take_its_time_to_be_put_in_place(timeout):
    """But not longer than the caller said."""
    given = []

    def request(method, path, **kwargs):
        given.append((method, kwargs.get('timeout')))
        response = requests.Response()
        response.status_code = 202
        response.url = 'http://localhost/v2/a/'
        response.headers['Location'] = '/x'
        return response

    target = Target(request, lambda digest: False, 'http://localhost/v2/', timeout)
    Session.open(target).finish(sha256(b''), 1024 * MIB)
    (_, nothing), (_, patience) = given
    assert nothing is None
    if timeout is None:
        connect, between = patience
        assert connect < between
        assert between > 30
    else:
        assert patience is None


@pytest.mark.parametrize('insecure', [True, False])
def test_a_session_s_address_is_https_unless_the_registry_s_is_not(insecure):
    asked = []

    def request(method, path, **kwargs):
        asked.append(path)
        response = requests.Response()
        response.status_code = 202
        response.url = 'http://localhost/v2/a/blobs/uploads/'
        response.headers['Location'] = 'http://localhost/v2/a/blobs/uploads/1'
        return response

    scheme = 'http' if insecure else 'https'
    target = Target(request, lambda digest: False, f'{scheme}://localhost/v2/', None)
    Session.open(target).cancel()
    assert asked == ['blobs/uploads/', f'{scheme}://localhost/v2/a/blobs/uploads/1']


def test_the_digest_is_added_to_the_query_that_is_there():
    asked = []

    def request(method, path, **kwargs):
        asked.append(path)
        response = requests.Response()
        response.status_code = 202
        response.url = 'https://localhost/v2/a/blobs/uploads/'
        response.headers['Location'] = next(locations)
        return response

    target = Target(request, lambda digest: False, 'https://localhost/v2/', None)
    for location in ('/1', '/1?_state=a%2Fb', '/1?'):
        locations = itertools.repeat(location)
        Session.open(target).finish(sha256(b''), 0)
    encoded = sha256(b'').replace(':', '%3A')
    assert [path for path in asked if path.startswith('https')][:2] == [
        f'https://localhost/1?digest={encoded}',
        f'https://localhost/1?_state=a%2Fb&digest={encoded}',
    ]
