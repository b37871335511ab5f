"""Medians, spreads and ratios."""

import statistics
from typing import NamedTuple


class Spread(NamedTuple):
    """What some figures are, in short."""

    median: float
    low: float
    high: float
    quartile1: float
    quartile3: float


def spread(values):
    values = sorted(values)
    return Spread(
        statistics.median(values),
        values[0],
        values[-1],
        _quantile(values, 1),
        _quantile(values, 3),
    )


def _quantile(ordered, quarters):
    """Between the two nearest figures, so that there is one for any number of them."""
    place = (len(ordered) - 1) * quarters / 4
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratios(values, base):
    """Each round's ratio: what went slowly for a round went slowly for both."""
    return [value / other for value, other in zip(values, base)]


def slower(*several):
    """The series whose median is the largest.

    Not the largest of each round, which would be more than either is.
    """
    return max(several, key=statistics.median)


def added(*several):
    """Round by round."""
    return [sum(values) for values in zip(*several)]
