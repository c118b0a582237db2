"""The values that metrics show at a moment: what one worker writes and every worker of a machine can show.

Only data: what is counted stands in `totals`, what is measured in `gauges`, what a name means in `instruments`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

FigureKind: TypeAlias = Literal["counter", "gauge", "updowncounter"]


class Figure(msgspec.Struct, frozen=True, array_like=True):
    """One number of one instrument under one set of attributes."""

    name: str
    """As OpenTelemetry has it, with dots."""
    kind: FigureKind
    """`updowncounter`: a number that may fall, and that makes sense when it is added up over machines."""
    unit: str
    """Of UCUM: `s`, `By`, `{request}`; empty for a share."""
    description: str
    value: int | float
    attributes: dict[str, str]


class HistogramFigure(msgspec.Struct, frozen=True, array_like=True):
    """A distribution since `Figures.started_at`, in bins with upper bounds."""

    name: str
    unit: str
    description: str
    bounds: tuple[float, ...]
    """Upper ends of all bins but the last, which has none; ascending."""
    counts: tuple[int, ...]
    """One for each bin, so one more than bounds."""
    sum: float
    attributes: dict[str, str]


class Figures(msgspec.Struct, frozen=True, array_like=True):
    """All that is shown at the moment *at*; counters and histograms count from *started_at*."""

    at: float
    started_at: float
    figures: tuple[Figure, ...]
    histograms: tuple[HistogramFigure, ...]


def check_figures(figures: Figures) -> None:
    """Raises ValueError where *figures*, which were read from a file, do not fit together."""
    if any(len(each.counts) != len(each.bounds) + 1 for each in figures.histograms):
        raise ValueError("a histogram without a count for each bin")
