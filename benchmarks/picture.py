"""The pictures of the documentation: `python -m benchmarks.picture RESULTS DOCS`.

The only module that needs more than the standard library: matplotlib, which
`make bench` puts into an environment of its own.
"""

import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use('svg')

import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter, NullLocator

from . import results, units
from .competitors import limits
from .figures import spread
from .workloads import PULL_BLOB, PULL_BLOBS, PUSH_BLOB, PUSH_BLOBS, STARTUP

# What says the most; those that have been measured are shown.
SHOWN = (
    'pull-1g',
    'push-1g',
    'pull-many',
    'push-many',
    'pull-alias-200',
    'pull-alias-40-50ms',
    'push-blob-alias-50ms',
    'push-blob-alias-tls-50ms',
    'startup',
)
COLUMNS = 2
WIDTH = 11  # inches
BAR = 0.24  # inches
FRAME = 0.9  # inches, for a title and an axis

OURS, PEERS, LIMITS = '#1b6ca8', '#c8ccd0', '#8d9196'
# Of lines; a competitor's several ways differ in how they are drawn.
COLOURS = {'dxf': OURS, 'python-dxf': '#d1495b', 'oras': '#3f8f5f', 'curl': '#555555'}
STYLES = ('-', '--', ':', '-.')
GROWING = (PULL_BLOB, PUSH_BLOB, PULL_BLOBS, PUSH_BLOBS)


def is_limit(label):
    names = (limits.CURL, limits.OPENSSL, limits.PASS, limits.IMPORT_REQUESTS)
    return label.startswith(names)


def shown(result):
    """The labels that have a bar. What imports nothing but requests moves no content."""
    if result.workload.kind == STARTUP:
        return list(result.runs)
    return [label for label in result.runs if label != limits.IMPORT_REQUESTS]


def colour(label):
    if label.split()[0] == 'dxf':
        return OURS
    return LIMITS if is_limit(label) else PEERS


def bars(found, path):
    """A panel for each workload: medians, with lines from the least to the most."""
    chosen = [found[name] for name in SHOWN if name in found]
    if not chosen:
        return False
    panels = [chosen[i : i + COLUMNS] for i in range(0, len(chosen), COLUMNS)]
    heights = [max(len(shown(result)) for result in row) * BAR + FRAME for row in panels]
    figure, axes = plt.subplots(
        len(panels),
        COLUMNS,
        figsize=(WIDTH, sum(heights)),
        gridspec_kw={'height_ratios': heights},
        squeeze=False,
        layout='constrained',
    )
    for row, line in zip(axes, panels):
        for axis, result in zip(row, line):
            panel(axis, result)
        for axis in row[len(line) :]:
            axis.axis('off')
    save(figure, path)
    return True


def panel(axis, result):
    found = sorted(
        ((spread(result.series(label)), label) for label in shown(result)),
        key=lambda pair: -pair[0].median,
    )
    medians = [seconds.median for seconds, _ in found]
    errors = [
        [seconds.median - seconds.low for seconds, _ in found],
        [seconds.high - seconds.median for seconds, _ in found],
    ]
    labels = [label for _, label in found]
    axis.barh(
        labels,
        medians,
        height=0.72,
        xerr=errors,
        color=[colour(label) for label in labels],
        error_kw={'elinewidth': 0.9, 'ecolor': '#333333'},
    )
    most = max(seconds.high for seconds, _ in found)
    for place, (seconds, _) in enumerate(found):
        words = f' {units.seconds(seconds.median)}'
        axis.text(seconds.high + most * 0.01, place, words, va='center', fontsize=7)
    axis.set_xlim(0, most * 1.14)
    axis.set_title(result.workload.title, fontsize=9, loc='left')
    axis.set_xlabel('seconds', fontsize=8)
    axis.tick_params(labelsize=8)
    for side in ('top', 'right'):
        axis.spines[side].set_visible(False)


def growth(found, path):
    """How seconds and peak memory grow with the size and with the number of blobs."""
    grown = [(kind, lines(found.values(), kind)) for kind in GROWING]
    if not any(len(points) > 2 for _, series in grown for points in series.values()):
        return False
    figure, axes = plt.subplots(
        len(grown), 2, figsize=(WIDTH, 3 * len(grown)), layout='constrained'
    )
    for row, (kind, series) in zip(axes, grown):
        for axis, what in zip(row, ('seconds', 'peak MiB')):
            growth_panel(axis, kind, what, series)
        if series:
            row[-1].legend(fontsize=7, loc='center left', bbox_to_anchor=(1, 0.5))
    save(figure, path)
    return True


def growth_panel(axis, kind, what, series):
    seen = {}
    for label, points in series.items():
        name = re.split('[ ,]', label)[0]
        style = seen[name] = seen.get(name, -1) + 1
        axis.plot(
            [x for x, *_ in points],
            [y[what == 'peak MiB'] for _, *y in points],
            marker='o',
            markersize=3,
            linewidth=1.3,
            linestyle=STYLES[style % len(STYLES)],
            color=COLOURS.get(name, LIMITS),
            label=label,
        )
    of_sizes = kind in (PULL_BLOB, PUSH_BLOB)
    direction = 'down' if kind in (PULL_BLOB, PULL_BLOBS) else 'up'
    about = 'One blob' if of_sizes else 'Blobs of 4 KiB'
    axis.set_title(f'{about}, {direction}: {what}', fontsize=9, loc='left')
    axis.set_xscale('log')
    if what == 'seconds':
        axis.set_yscale('log')
        axis.yaxis.set_major_formatter('{x:g}')
        axis.yaxis.set_minor_formatter(NullFormatter())
    else:
        axis.set_ylim(bottom=0)
    xs = sorted({x for points in series.values() for x, *_ in points})
    axis.set_xticks(xs, [units.size(x) if of_sizes else f'{x:,}' for x in xs])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.tick_params(labelsize=8)
    axis.grid(linewidth=0.3)


def lines(found, kind):
    """Label -> points (x, seconds, peak MiB), of those that take part over the whole range."""
    series = {}
    for result in found:
        workload = result.workload
        if workload.kind != kind or workload.tls or workload.rtt:
            continue
        x = workload.size if kind in (PULL_BLOB, PUSH_BLOB) else workload.count
        for label in shown(result):
            seconds = spread(result.series(label)).median
            peak = spread(result.series(label, 'peak_bytes')).median / units.MIB
            series.setdefault(label, []).append((x, seconds, peak))
    most = max((len(points) for points in series.values()), default=0)
    return {label: sorted(points) for label, points in series.items() if len(points) == most}


def save(figure, path):
    # The same figures give the same file.
    figure.savefig(path, metadata={'Date': None})
    plt.close(figure)
    # It leaves blanks at the ends of lines.
    text = path.read_text(encoding='utf-8')
    path.write_text('\n'.join(line.rstrip() for line in text.split('\n')), encoding='utf-8')


def main(folder, docs):
    plt.rcParams['svg.hashsalt'] = 'dxf'
    plt.rcParams['svg.fonttype'] = 'none'
    plt.rcParams['font.sans-serif'] = ['DejaVu Sans', 'Verdana', 'sans-serif']
    found = {result.workload.name: result for result in results.read(Path(folder))}
    for draw, name in ((bars, 'benchmarks.svg'), (growth, 'benchmarks-growth.svg')):
        path = Path(docs) / name
        if not draw(found, path) and path.exists():
            path.unlink()


if __name__ == '__main__':
    main(*sys.argv[1:])
