"""A column of hours that is shifted by whole hours, as another timezone or summer time does. Pure."""

import re
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.breaks.sight import Finding, Floats, Sight
from dashlight.judge.words import percent
from dashlight.window.layout import STRUCTURAL_BINS

HOURS = 24
FEWEST_HOURS, FEWEST_ROWS = 8, 128
_LEAST_MOVED = 0.2
"""Share of the rows that must have moved: below it the mix of the hours may have changed by itself."""
_NOISE = 0.55
"""Of sqrt(hours/rows): what of the mix may be left after the shift. By chance it is 0.4 on average, for hours alike."""
_ALL_DAY, _OVER_MIDNIGHT = 0.002, 0.02
"""Least share of every hour in a column that is about hours, or else the share of the rows that passes midnight."""
_WORD = re.compile(r"[^a-z]+")


def shifted(sight: Sight) -> Finding | None:
    """The shift around the clock after which the recent hours are those of the reference.

    A likelihood ratio: its mean without a break is at most 1, so that it exceeds e^c with a chance of at most e^-c.
    """
    expected = _reference_hours(sight)
    numbers = sight.numbers
    if (
        expected is None
        or len(numbers) < FEWEST_ROWS
        or (numbers % 1 != 0).any()
        or (np.abs(numbers) >= 2 * HOURS).any()
    ):
        return None
    counts = np.bincount((numbers % HOURS).astype(np.intp), minlength=HOURS)
    shares = counts / counts.sum()
    smooth = (expected * sight.reference_rows + 1 / HOURS) / (sight.reference_rows + 1)
    ratios = [float(counts @ np.log(np.roll(smooth, by) / smooth)) for by in range(HOURS)]
    by = int(np.argmax(ratios))
    moved, left = _apart(shares, expected), _apart(shares, np.roll(expected, by))
    rows = sight.effective_rows if sight.column.variation else len(numbers)
    by_chance = _NOISE * sqrt(HOURS / min(rows, len(numbers)))
    if (
        moved < sight.least("hours", _LEAST_MOVED)
        or left > min(moved / 2, by_chance / sight.least("hours", 1.0))
        or not _are_hours(sight, shares, expected, by)
    ):
        return None
    certainty = ratios[by] * min(sight.effective_rows / len(numbers), 1.0) - log(HOURS)
    hours = by if by <= HOURS // 2 else by - HOURS
    why = "summer time or a timezone?" if abs(hours) == 1 else "a timezone?"
    what = f"{sight.name} is shifted by {hours:+d} h ({why}): {percent(moved)} of rows are in other hours"
    look = f"; look at the clock and the timezone of the source that writes {sight.name}"
    hour = int(np.argmax(shares - expected))
    before, now = float(expected[hour]), float(shares[hour])
    return Finding("hours", what + look, f"{sight.name} = {hour}", before, now, max(certainty, 0.0))


def _are_hours(sight: Sight, shares: Floats, expected: Floats, by: int) -> bool:
    """Whether a shift *by* so much goes around the clock: a count that grows by 3 does not begin at 0 again."""
    passed, there = (slice(HOURS - by, None), slice(by)) if by <= HOURS // 2 else (slice(HOURS - by), slice(by, None))
    over_midnight = float(expected[passed].sum())
    goes_around = (
        sight.ordered[0] >= 0 and over_midnight >= _OVER_MIDNIGHT and float(shares[there].sum()) >= over_midnight / 2
    )
    return goes_around or float(expected.min()) >= _ALL_DAY or "hour" in _WORD.split(sight.column.name.lower())


def _reference_hours(sight: Sight) -> Floats | None:
    """Share of every hour in the reference, shape (HOURS,); None where the column does not hold hours."""
    column, quantiles = sight.column, sight.profile.quantiles
    if not quantiles or column.low < 0 or column.high >= HOURS + 1 or any(value % 1 for value in quantiles):
        return None
    if len(set(quantiles)) < FEWEST_HOURS or column.high - column.low < HOURS / 2:
        return None
    hours = np.arange(HOURS)
    bins: NDArray[np.intp] = np.searchsorted(column.edges, hours, "right")
    counts = column.counts[STRUCTURAL_BINS + bins] / np.bincount(bins, minlength=bins.max() + 1)[bins]
    counts = np.where((hours >= np.floor(column.low)) & (hours <= column.high), counts, 0.0)
    return np.asarray(counts / max(counts.sum(), 1.0))


def _apart(shares: Floats, expected: Floats) -> float:
    """Share of the rows that would have to move for the two to be one (total variation)."""
    return float(np.abs(shares - expected).sum() / 2)
