"""Progress bars."""

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import tqdm

from dxf import progress

DIGEST = 'sha256:fedcba' + '0' * 58
OTHER = 'sha256:abcdef' + '0' * 58


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def replace(monkeypatch):
    """`replace(stream)` puts it in standard error's place; only a test itself can do so."""

    def replace(stream):
        monkeypatch.setattr(sys, 'stderr', stream)
        return stream

    return replace


class Bar:
    """Stands for tqdm's: it has what dxf may use of one, and no more."""

    made = []

    def __init__(self, **kwargs):
        self.kwargs = kwargs
        self.total = kwargs['total']
        self.n = 0
        self.updates = []
        self.closed = 0
        self.made.append(self)

    def update(self, count):
        self.updates.append(count)
        self.n += count

    def close(self):
        self.closed += 1


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(Bar, 'made', [])
    monkeypatch.setattr(tqdm, 'tqdm', Bar)
    return Bar.made


def test_bars_are_shown_where_they_are_asked_for():
    assert isinstance(progress.bars(True), progress.Bars)
    assert progress.bars(False) is None


@pytest.mark.parametrize(
    ('out', 'shown'), [(Terminal(), True), (io.StringIO(), False), (object(), False)]
)
def test_else_on_a_terminal_alone(replace, out, shown):
    replace(out)
    assert (progress.bars(None) is not None) == shown


def test_a_bar_follows_a_blob(made):
    bars = progress.bars(True)
    bars(DIGEST, b'', 10)
    [bar] = made
    assert bar.kwargs['desc'] == 'sha256:f'
    assert bar.kwargs['total'] == 10
    assert (bar.updates, bar.closed) == ([], 0)
    bars(DIGEST, b'1234', 10)
    assert (bar.n, bar.closed) == (4, 0)
    bars(DIGEST, b'567890', 10)
    assert (bar.n, bar.closed) == (10, 1)
    assert made == [bar]


def test_each_blob_has_a_bar_of_its_own(made):
    bars = progress.bars(True)
    for digest in (DIGEST, OTHER):
        bars(digest, b'', 3)
    bars(DIGEST, b'abc', 3)
    assert [(bar.kwargs['desc'], bar.n) for bar in made] == [('sha256:f', 3), ('sha256:a', 0)]


def test_an_empty_blob_has_a_bar_like_any_other(made):
    progress.bars(True)(DIGEST, b'', 0)
    assert [(bar.total, bar.closed) for bar in made] == [(0, 1)]


def test_tqdm_is_looked_up_when_it_is_used(monkeypatch):
    bars = progress.bars(True)
    monkeypatch.setattr(Bar, 'made', [])
    monkeypatch.setattr(tqdm, 'tqdm', Bar)
    bars(DIGEST, b'', 1)
    assert len(Bar.made) == 1


def test_a_blob_is_shown_from_0_to_100_percent(replace):
    stderr = replace(io.StringIO())
    bars = progress.bars(True)
    bars(DIGEST, b'', 123456)
    bars(DIGEST, b'x' * 123455, 123456)
    bars(DIGEST, b'x', 123456)
    shown = stderr.getvalue()
    lines = [line for line in shown.replace('\r', '\n').split('\n') if line.strip()]
    assert 'sha256:f:   0%' in lines[0]
    assert ' 0/123456 [' in lines[0]
    assert 'sha256:f: 100%' in lines[-1]
    assert ' 123456/123456 [' in lines[-1]
    assert shown.endswith('\n')


def test_an_empty_blob_is_shown_at_100_percent(replace):
    stderr = replace(io.StringIO())
    progress.bars(True)(DIGEST, b'', 0)
    shown = stderr.getvalue()
    assert 'sha256:f: 100%' in shown
    assert ' 0/0 [' in shown
    assert shown.endswith('\n')


def test_two_blobs_one_after_the_other_have_a_line_each(replace):
    stderr = replace(io.StringIO())
    bars = progress.bars(True)
    for digest in (DIGEST, OTHER):
        bars(digest, b'', 3)
        bars(digest, b'abc', 3)
    last = [line.rpartition('\r')[2] for line in stderr.getvalue().split('\n') if line]
    assert [line[:14] for line in last] == ['sha256:f: 100%', 'sha256:a: 100%']


def test_the_same_blob_again(replace):
    """It may be named twice in one command."""
    stderr = replace(io.StringIO())
    bars = progress.bars(True)
    for _ in range(2):
        bars(DIGEST, b'', 3)
        bars(DIGEST, b'abc', 3)
    assert '200%' not in stderr.getvalue()
    assert ' 6/3' not in stderr.getvalue()


def test_nothing_goes_to_stdout(replace, capsys):
    replace(io.StringIO())
    bars = progress.bars(True)
    bars(DIGEST, b'', 3)
    bars(DIGEST, b'abc', 3)
    assert capsys.readouterr().out == ''


def moved(bars, *digests):
    for digest in digests:
        bars(digest, b'', 3)
        bars(digest, b'abc', 3)


def test_speed_is_for_people_and_size_is_exact(replace):
    stderr = replace(io.StringIO())
    moved(progress.bars(True), DIGEST)
    assert re.search(r' 3/3 \[\d\d:\d\d<\d\d:\d\d, +[\d.]+k?M?B/s\]', stderr.getvalue())


def test_several_blobs_are_summed_up_on_a_terminal(replace):
    stderr = replace(Terminal())
    with progress.shown(None) as bars:
        moved(bars, DIGEST, OTHER)
    assert stderr.getvalue().count('\x1b[J') == 1
    last = stderr.getvalue().rpartition('\r')[2].split('\n')
    assert re.fullmatch(r'2 blobs: 6 bytes \[\d\d:\d\d, +[\d.]+k?B/s\]', last[-2])
    assert last[-1] == ''


@pytest.mark.parametrize(
    ('out', 'digests'),
    [(Terminal(), [DIGEST]), (Terminal(), []), (io.StringIO(), [DIGEST, OTHER])],
)
def test_one_blob_says_it_all_itself_and_a_log_has_each(replace, out, digests):
    replace(out)
    with progress.shown(True) as bars:
        moved(bars, *digests)
    assert 'blobs' not in out.getvalue()


def test_where_none_are_wanted_none_are_shown(replace):
    out = replace(Terminal())
    with progress.shown(False) as bars:
        assert bars is None
    assert out.getvalue() == ''


def test_what_went_wrong_has_a_line_of_its_own(replace):
    out = replace(Terminal())
    with pytest.raises(ValueError):
        with progress.shown(None) as bars:
            bars(OTHER, b'', 10)
            bars(DIGEST, b'abc', 10)
            raise ValueError
    assert out.getvalue().endswith('\n\x1b[J\r')
    assert 'blobs' not in out.getvalue()


def test_several_threads(made):
    bars = progress.bars(True)
    digests = [f'sha256:{n:064x}' for n in range(8)]

    def move(digest):
        bars(digest, b'', 1000)
        for _ in range(1000):
            bars(digest, b'x', 1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(move, digests))
    assert sorted((bar.n, bar.closed) for bar in made) == [(1000, 1)] * 8
