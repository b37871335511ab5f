"""Reading into memory that is used again, from answers and from files."""

import gzip
import io
import itertools
from types import SimpleNamespace

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from dxf import blocks
from dxf.blocks import Blocks
from dxf.connections import session
from dxf.exceptions import DXFConnectionCutError

from .support.fakeserver import Answer

CONTENT = bytes(range(256)) * 32768  # 8 MiB


@pytest.fixture
def get(fake_server):
    with session() as kept:
        yield lambda: kept.get(fake_server.url + '/', stream=True)


def read(response, **kwargs):
    return b''.join(map(bytes, Blocks(0, **kwargs).of(response)))


@pytest.mark.parametrize('size', [0, 1, 1000, blocks.SIZE, blocks.SIZE + 1, len(CONTENT)])
@pytest.mark.parametrize('unsized', [False, True])
def test_an_answer_is_read_and_its_connection_used_again(fake_server, get, size, unsized):
    content = CONTENT[:size]
    fake_server.on(
        'GET', '/', lambda request: Answer(body=iter([content]) if unsized else content)
    )
    for _ in range(2):
        response = get()
        assert read(response) == content
        response.close()
    assert len({request.connection for request in fake_server.requests}) == 1


def test_blocks_are_filled(fake_server, get, monkeypatch):
    monkeypatch.setattr(blocks, '_PATIENCE', 60)
    fake_server.on('GET', '/', Answer(body=CONTENT))
    sizes = [len(block) for block in Blocks(0).of(get())]
    assert sizes == [blocks.SIZE] * (len(CONTENT) // blocks.SIZE)


def test_what_is_slow_comes_in_small_blocks(fake_server, get, monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(blocks, 'time', SimpleNamespace(monotonic=lambda: next(ticks)))
    fake_server.on('GET', '/', Answer(body=CONTENT))
    made = [bytes(block) for block in Blocks(0).of(get())]
    assert b''.join(made) == CONTENT
    assert max(map(len, made)) < blocks.SIZE


@pytest.mark.parametrize('kept', [0, 1, 2])
def test_the_same_memory_is_used_but_for_what_is_kept(fake_server, get, kept):
    fake_server.on('GET', '/', Answer(body=CONTENT))
    memory, taken = Blocks(kept, size=64 * 1024), []
    for number, block in enumerate(memory.of(get())):
        taken.append((block, bytes(block)))
        for held, content in taken[max(0, number - kept) :]:
            assert held == content
    assert len({id(block.obj) for block, _ in taken}) == kept + 1


def test_what_came_before_a_cut_is_given_before_the_error(fake_server, get):
    whole = 3 * 128 * 1024
    fake_server.on('GET', '/', Answer(body=CONTENT, cut_after=whole + 10))
    came = bytearray()
    with pytest.raises(DXFConnectionCutError):
        for block in Blocks(0).of(get()):
            came += block
    assert whole <= len(came) <= whole + 10
    assert came == CONTENT[: len(came)]


def test_an_answer_that_was_read_already(fake_server, get):
    fake_server.on('GET', '/', Answer(body=CONTENT))
    response = get()
    assert response.content == CONTENT
    assert read(response) == CONTENT


def test_an_answer_that_is_coded(fake_server, get):
    fake_server.on(
        'GET', '/', Answer(body=gzip.compress(CONTENT), headers={'Content-Encoding': 'gzip'})
    )
    assert read(get()) == CONTENT


@responses.activate
def test_an_answer_that_a_test_has_made():
    responses.add('GET', 'http://localhost:1/', body=CONTENT)
    assert read(requests.get('http://localhost:1/', stream=True)) == CONTENT


class OnlyReads:
    def __init__(self, content):
        self.read = io.BytesIO(content).read


class NothingJustNow(io.BytesIO):
    def readinto(self, memory):
        return None


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(1, 100), st.integers(0, 3))
@pytest.mark.parametrize('opened', [io.BytesIO, OnlyReads])
def test_files(opened, content, count, size, kept):
    made = Blocks(kept, size).of_file(opened(content), count)
    assert b''.join(map(bytes, made)) == content[:count]


def test_a_file_that_has_nothing_just_now():
    assert list(Blocks(0).of_file(NothingJustNow(b'x'), 1)) == []
