"""The benchmarks' own logic, and a tiny run of them; how long anything takes is not looked at."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import figures, results, rounds, tables, targets, units, workloads
from benchmarks.competitors import everybody
from benchmarks.competitors.base import Competitor
from benchmarks.measuring import Command, Failed, Measured, run, run_hashing

ROOT = Path(__file__).resolve().parent.parent
RUN_SECONDS = 300


def test_spread():
    assert figures.spread([3, 1, 2, 5, 4]) == (3, 1, 5, 2, 4)
    assert figures.spread([1, 2]) == (1.5, 1, 2, 1.25, 1.75)
    assert figures.spread([7]) == (7, 7, 7, 7, 7)


def test_ratios_are_of_the_same_round():
    assert figures.ratios([2, 9], [1, 3]) == [2, 3]


def test_slower_is_one_of_the_series():
    assert figures.slower([1, 9, 1], [2, 2, 2]) == [2, 2, 2]


def test_added_round_by_round():
    assert figures.added([1, 2], [10, 20]) == [11, 22]


@pytest.mark.parametrize(
    ('text', 'size', 'words'),
    [('4096', 4096, '4 KiB'), ('64M', 64 * 1024**2, '64 MiB'), ('1g', 1024**3, '1 GiB')],
)
def test_sizes(text, size, words):
    assert units.parse_size(text) == size
    assert units.size(size) == words


def test_rotated():
    assert [rounds.rotated('abc', by) for by in range(4)] == [
        ['a', 'b', 'c'],
        ['b', 'c', 'a'],
        ['c', 'a', 'b'],
        ['a', 'b', 'c'],
    ]


def test_workloads_have_names_of_their_own():
    names = [workload.name for workload in workloads.ALL]
    assert len(names) == len(set(names))
    assert not set(names) - {'startup'} & set(workloads.GROUPS)


def test_every_target_is_about_a_workload_that_runs_by_default():
    default = {workload.name for workload in workloads.select([])}
    assert {target.workload for target in targets.TARGETS} <= default


def test_select():
    def names(*words, full=False):
        return [workload.name for workload in workloads.select(words, full)]

    assert names('pull-1g', 'startup') == ['startup', 'pull-1g']
    assert names('large') == ['pull-1g', 'push-1g']
    assert 'pull-1g-tls-50ms' in names('large', full=True)
    assert names() == names('default')
    with pytest.raises(workloads.Unknown):
        names('pull-2g')


@pytest.mark.parametrize('competitor', everybody('python'), ids=lambda one: one.name)
def test_every_competitor_can_do_each_workload_or_says_why_not(competitor):
    competitor.python = 'python'
    for workload in workloads.ALL:
        if competitor.why_not(workload) is None:
            ways = competitor.ways(workload.kind)
            assert ways
            assert all(callable(way) for way in ways.values())


class Here(Competitor):
    name = 'here'

    def ways(self, kind):
        return {'here': print}


class Away(Here):
    name = 'away'


class Unable(Here):
    name = 'unable'
    cannot = {workloads.PULL_BLOB: 'it only pushes'}


def test_who_is_left_out_is_left_out_by_name():
    workload = workloads.Workload('w', workloads.PULL_BLOB)
    competitors = Here(), Away(), Unable()
    ways, left_out = rounds.gather(workload, competitors, {'away': 'not installed'})
    assert list(ways) == ['here']
    assert left_out == {'away': 'not installed', 'unable': 'it only pushes'}


def measured(seconds, peak=1024**2):
    return [Measured(one, one / 2, peak) for one in seconds]


def result(name, runs, left_out=None, **changes):
    [workload] = [workload for workload in workloads.ALL if workload.name == name]
    return results.Result(
        workload=workload._replace(**changes),
        date='2026-01-01 00:00 UTC',
        rounds=3,
        note='',
        storage='tmpfs',
        load=0.0,
        machine={'cpu': 'CPU', 'cores': 2, 'memory_bytes': 1024**3},
        versions={'dxf': '1', 'curl': '2'},
        runs=runs,
        left_out=left_out or {},
    )


@pytest.fixture
def pull():
    return result(
        'pull-1g',
        {
            'curl': measured([1, 1, 1]),
            'dxf': measured([2.2, 2, 2.6], 40 * 1024**2),
            'openssl dgst': measured([2, 2, 2]),
            'python -c "import requests"': measured([1, 1, 1], 30 * 1024**2),
        },
        {'azure': 'it refuses to speak without TLS'},
    )


def outcome(found, what):
    [one] = [one for one in targets.outcomes(found) if one.what.startswith(what)]
    return one


def test_target_of_the_slower_of_two(pull):
    one = outcome([pull], 'pull 1 GiB')
    assert one.measured == pytest.approx((1.1, 1.0, 1.3, 1.05, 1.2))
    assert (one.limit, one.verdict) == ('at most 1.15', 'reached')


def test_target_missed(pull):
    pull.runs['dxf'] = measured([3, 3, 3])
    assert outcome([pull], 'pull 1 GiB').verdict == 'missed'


def test_target_of_memory(pull):
    one = outcome([pull], 'peak memory')
    assert one.measured.median == 10
    assert 'dxf, pull-1g' in one.what
    assert one.verdict == 'reached'


def test_target_as_a_speed():
    runs = {'dxf': measured([1, 1, 1]), 'python-dxf': measured([7, 5, 8])}
    one = outcome([result('pull-alias-40-50ms', runs)], 'an alias of 40')
    assert (one.measured.median, one.verdict) == (7, 'reached')


def test_no_verdict_on_smaller_content(pull):
    small = pull._replace(workload=pull.workload.quick())
    assert outcome([small], 'pull 1 GiB').verdict == 'no verdict: measured on less'


def test_target_not_measured_says_why(pull):
    assert outcome([], 'pull 1 GiB').verdict == 'not measured'
    del pull.runs['dxf']
    pull.left_out['dxf'] = 'exit code 1'
    assert outcome([pull], 'pull 1 GiB').verdict == 'not measured: exit code 1'


def test_result_outlives_being_written(pull, tmp_path):
    path = results.write(tmp_path, pull)
    assert path.name == 'pull-1g.json'
    assert results.read(tmp_path) == [pull]
    assert json.loads(path.read_text())['summary']['dxf']['seconds']['median'] == 2.2


def test_table(pull):
    assert tables.rows(pull)[0] == ('curl', '1.000', '1.000 to 1.000', '0.45', '0.500', '1')
    text = tables.result_text(pull)
    assert text.startswith('Pull one blob of 1 GiB\n')
    assert 'Left out: azure: it refuses to speak without TLS.' in text


def test_documentation(pull):
    text = tables.rst([pull], targets.outcomes([pull]), [('a.svg', 'Bars.')])
    assert 'Pull one blob of 1 GiB\n~~~~~~~~~~~~~~~~~~~~~~\n' in text
    assert '   * - curl\n     - 1.000\n' in text
    assert '.. figure:: a.svg\n' in text
    assert 'Left out: azure: it refuses to speak without TLS.' in text
    assert '2 cores of CPU, 1 GiB of memory' in text


def python(code, **kwargs):
    return Command([sys.executable, '-c', code], **kwargs)


def test_run_measures(tmp_path):
    out = tmp_path / 'out'
    taken = run(python('print("x" * 5)'), tmp_path, {}, stdout=str(out))
    assert out.read_text() == 'xxxxx\n'
    assert taken.seconds > 0
    assert taken.peak_bytes > 1024**2


def test_run_of_what_fails_says_why(tmp_path):
    with pytest.raises(Failed, match='exit code 3: no such thing'):
        run(python('import sys; print("no such thing", file=sys.stderr); sys.exit(3)'),
            tmp_path, {})  # fmt: skip


def test_run_of_what_does_not_end_is_bounded(tmp_path):
    with pytest.raises(Failed, match='not ended in time'):
        run(python('import time; time.sleep(600)'), tmp_path, {}, seconds=1)


def test_run_hashing(tmp_path):
    digest = run_hashing(python('print(end="")'), tmp_path, {})
    assert digest == 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'


@pytest.mark.parametrize(
    ('workload', 'options', 'labels'),
    [
        ('pull-1g', ['--size', '20K'], {'dxf', 'curl', 'openssl dgst'}),
        ('push-1g', ['--size', '20K'], {'dxf', 'dxf unchecked', 'curl'}),
        ('pull-alias-40', ['--count', '3'], {'dxf'}),
        ('push-blob-alias-tls', [], {'dxf'}),
    ],
)
def test_tiny_run(workload, options, labels, registry_program, tmp_path):
    for program in ('curl', 'openssl'):
        if not shutil.which(program):
            pytest.skip(f'there is no {program} here')
    words = ['--quick', '--rounds', '1', '--only', 'dxf,limits', '--dxf-python', sys.executable]
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks', *words, *options, '--results', tmp_path, workload],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=RUN_SECONDS,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    document = json.loads((tmp_path / f'{workload}.json').read_text())
    assert labels <= set(document['runs']), done.stdout
    for runs in document['runs'].values():
        assert len(runs) == 1
        assert runs[0]['seconds'] > 0
    assert document['versions']['docker-registry']
    assert str(ROOT) not in json.dumps(document)
    assert tables.rows(results.from_json(document))
