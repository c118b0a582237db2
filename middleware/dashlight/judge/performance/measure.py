"""A measure of performance with its interval, and the intervals of shares and means. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt

import numpy as np
from scipy.special import ndtri

from dashlight.judge.evidence.intervals import wilson_interval


@dataclass(frozen=True, slots=True)
class Measure:
    """How good a model was, in one figure."""

    name: str
    """As the field calls it: `accuracy`, `recall[fraud]`, `mae[step 3]`, `ndcg@10`."""
    value: float
    low: float
    """Of the interval; *value* itself is not always its middle."""
    high: float
    rows: int
    """Labelled rows of which it was made."""
    reference: float | None = None
    """The same measure of the reference; None where its labels are unknown, or it cannot be said."""


def deviate(level: float) -> float:
    """Normal deviate of a two-sided interval of *level*, 0 to 1: 1.96 of .95."""
    return float(ndtri((1 + level) / 2))


def share(name: str, held: int, total: int, z: float) -> list[Measure]:
    """The share *held* of *total* with Wilson's interval; nothing where *total* is 0."""
    if not total:
        return []
    value, low, high = (float(each) for each in wilson_interval(np.int64(held), np.int64(total), z))  # type: ignore[arg-type]
    # Of none or all an end may be rounded to beyond the value.
    return [Measure(name, value, min(low, value), max(high, value), total)]


def mean(name: str, rows: float, total: float, squares: float, z: float, *, least: float = -inf) -> list[Measure]:
    """The mean of *rows* numbers of these sums, with the normal interval, which ends at *least*.

    mean -+ z sqrt(variance / rows), of one row or none no interval but everything
    """
    if not rows:
        return []
    value = total / rows
    variance = max(squares / rows - value * value, 0.0) * rows / max(rows - 1, 1)
    return around(name, value, sqrt(variance / rows) if rows > 1 else inf, int(rows), z, least=least)


def around(
    name: str, value: float, error: float, rows: int, z: float, *, least: float = -inf, most: float = inf
) -> list[Measure]:
    """*value* with its standard *error*, within what it can be; nothing where it is no number."""
    if not isfinite(value):
        return []
    return [Measure(name, value, max(value - z * error, least), min(value + z * error, most), rows)]


def named(measures: Sequence[Measure], suffix: str) -> list[Measure]:
    """*measures* with *suffix* in square brackets after their names."""
    return [
        Measure(f"{each.name}[{suffix}]", each.value, each.low, each.high, each.rows, each.reference)
        for each in measures
    ]
