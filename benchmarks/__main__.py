"""The command line: `python -m benchmarks`."""

import argparse
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPException
from pathlib import Path

from . import machine, results, rounds, tables, targets, tools, workloads
from .competitors import everybody
from .measuring import Failed
from .sites import NoRoom
from .units import parse_size

HERE = Path(__file__).resolve().parent
RESULTS = HERE / 'results'
DOCS = HERE.parent / 'docs'
# What is for the moment is not for the documentation.
PASSING = HERE.parent / '.cache' / 'bench'

# What is made of the results, and its caption.
PICTURES = {
    'benchmarks.svg': 'Medians, with lines from the least to the most. Blue: dxf. '
    'Light grey: its peers. Dark grey: limits.',
    'benchmarks-growth.svg': 'How time and peak memory grow with a blob and with their number.',
}

ROUNDS = 5
QUICK_ROUNDS = 3


def parse(args):
    parser = argparse.ArgumentParser(
        prog='benchmarks',
        description='Measure dxf beside its peers, against a real registry on loopback.',
    )
    parser.add_argument('workload', nargs='*', help='workloads or groups of them; see --list')
    parser.add_argument('--list', action='store_true', help='name the workloads and stop')
    parser.add_argument(
        '--render', action='store_true', help='make the documentation of earlier results and stop'
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument('--quick', action='store_true', help='small content and few rounds')
    extent.add_argument('--full', action='store_true', help='every workload; over every link')
    parser.add_argument('--rounds', type=int, help=f'default: {ROUNDS}; quick: {QUICK_ROUNDS}')
    parser.add_argument('--only', help='competitors, with commas between')
    parser.add_argument('--size', type=parse_size, help='of each blob, as in 64M')
    parser.add_argument('--count', type=int, help='of blobs')
    parser.add_argument('--note', default='', help='what the reader of the results must know')
    parser.add_argument(
        '--results', type=Path, help="folder; default: the documentation's, if nothing is cut"
    )
    parser.add_argument('--dxf-python', type=Path, default=tools.DXF_PYTHON)
    parser.add_argument('--plot-python', type=Path, default=tools.PLOT_PYTHON)
    return parser, parser.parse_args(args)


def main(args):
    parser, asked = parse(args)
    if asked.list:
        for workload in workloads.ALL:
            print(f'{workload.name:26} {workload.title} ({", ".join(workload.groups)})')
        return 0
    if asked.render:
        render(asked.plot_python)
        return 0
    try:
        wanted = workloads.select(asked.workload, asked.full)
    except workloads.Unknown as error:
        parser.error(f'there is no workload {error}; see --list')
    competitors = everybody(asked.dxf_python)
    names = [competitor.name for competitor in competitors]
    if asked.only:
        for name in asked.only.split(','):
            if name not in names:
                parser.error(f'there is no {name}; there are {", ".join(names)}')
        competitors = [one for one in competitors if one.name in asked.only.split(',')]
    try:
        programs = tools.debian('docker-registry'), tools.on_path('openssl')
    except tools.Missing as error:
        print(f'benchmarks: {error}', file=sys.stderr)
        return 1
    whole = not (asked.quick or asked.only or asked.size or asked.count)
    folder = asked.results or (RESULTS if whole else PASSING)
    measured = measure_all(asked, wanted, competitors, programs, folder)
    print()
    for result in measured:
        print(tables.result_text(result))
    print(tables.targets_text(targets.outcomes(measured)))
    print(f'{len(measured)} of {len(wanted)} workloads measured; as JSON in {folder}')
    if folder == RESULTS:
        render(asked.plot_python)
    return 0 if len(measured) == len(wanted) else 1


def measure_all(asked, wanted, competitors, programs, folder):
    load = os.getloadavg()[0]
    missing, versions = look_around(competitors, programs[0])
    measured = []
    for workload in wanted:
        began = time.monotonic()
        result = measure(asked, workload, competitors, missing, versions, programs, load)
        if result is None:
            continue
        results.write(folder, result)
        measured.append(result)
        say(f'{workload.name}: {time.monotonic() - began:.0f} s in all')
    return measured


def look_around(competitors, registry):
    """(competitor -> why it is not here, program -> version)"""
    missing = {}
    versions = {'docker-registry': tools.said(registry, '--version').split()[-1]}
    for competitor in competitors:
        try:
            competitor.prepare()
            versions.update(competitor.versions())
        except tools.Missing as error:
            missing[competitor.name] = str(error)
            say(f'without {competitor.name}: {error}')
    return missing, versions


def measure(asked, workload, competitors, missing, versions, programs, load):
    if asked.quick:
        workload = workload.quick()
    if asked.size is not None:
        workload = workload._replace(size=asked.size)
    if asked.count is not None:
        workload = workload._replace(count=asked.count)
    times = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
    date = results.now()
    try:
        runs, left_out, storage = rounds.measure(
            workload, times, competitors, missing, programs, say
        )
    except (NoRoom, Failed, RuntimeError, OSError, HTTPException) as error:
        say(f'{workload.name}: not measured: {error}')
        return None
    return results.Result(
        workload=workload,
        date=date,
        rounds=times,
        note=asked.note,
        storage=storage,
        load=load,
        machine=machine.about(),
        versions=versions,
        runs=runs,
        left_out=left_out,
    )


def render(plot_python):
    """Make the tables and pictures of the documentation."""
    order = [workload.name for workload in workloads.ALL]
    found = sorted(
        (result for result in results.read(RESULTS) if result.workload.name in order),
        key=lambda result: order.index(result.workload.name),
    )
    if plot_python.exists():
        subprocess.run(
            [str(plot_python), '-m', 'benchmarks.picture', str(RESULTS), str(DOCS)],
            cwd=HERE.parent,
            check=True,
        )
    else:
        say('no new pictures, for want of matplotlib: make bench')
    pictures = [(name, about) for name, about in PICTURES.items() if (DOCS / name).exists()]
    table = tables.rst(found, targets.outcomes(found), pictures)
    (DOCS / 'benchmarks.inc').write_text(table, encoding='utf-8')


def say(line):
    print(line, file=sys.stderr, flush=True)


def end(number, frame):
    sys.exit(128 + number)


if __name__ == '__main__':
    # So that everything that was started is stopped.
    signal.signal(signal.SIGTERM, end)
    sys.exit(main(sys.argv[1:]))
