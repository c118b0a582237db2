"""Seasons of the day and of the week: which shares a column is expected to have at a given moment.

Where a column follows the hour, a pane is compared with the shares of its own time of day, not with those of a mean
day. The shares are a smooth periodic curve: one value and a few harmonics for every bin, fitted to the reference in
time order. A harmonic that explains nothing is not there, so a plain daily wave costs the precision of three
parameters and not of twenty-four references of an hour each. A slot is a quarter of an hour of the week, in UTC: a
season has the same period in every zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference, Season

SLOT_SECONDS = 900
"""A wave of 1.5 standard deviations a day moves by less than 0.1 of one within so long."""
WEEK_SECONDS = 604_800
SLOTS = WEEK_SECONDS // SLOT_SECONDS
HOURS = WEEK_SECONDS // 3600
DAY_HARMONIC = 7
"""A wave that comes seven times a week comes daily."""
HIGHEST_HARMONIC = 84
"""Twelve times a day: the finest that hours can show."""

_SLOTS_AN_HOUR = SLOTS // HOURS
_LEAST_SHARE = 1e-9


def slot_of(at: float) -> int:
    """The slot of the moment *at*, 0 to SLOTS - 1; the first begins on Thursdays at 00:00 UTC, as the epoch did."""
    return int(at // SLOT_SECONDS) % SLOTS


def in_season(
    columns: Sequence[ColumnReference], seasons: Sequence[Season | None], slot_rows: Mapping[int, float]
) -> tuple[ColumnReference, ...]:
    """*columns* as the rows of a pane or a window should be compared with them: of each slot so many as *slot_rows* says.

    A column without a season, and any where there are no rows, stays as it is. One with a season gets the shares that
    such a mixture of moments is expected to have, as counts of as many rows as show them equally precisely, and the
    variation that the season does not explain.
    """
    total = sum(slot_rows.values())
    if total <= 0:
        return tuple(columns)
    slots = np.fromiter(slot_rows, np.int64)
    weights = np.fromiter(slot_rows.values(), np.float64) / total
    middles = np.asarray((slots + 0.5) * SLOT_SECONDS, np.float64)
    hours = slots // _SLOTS_AN_HOUR
    return tuple(
        column if season is None else _seen(column, season, middles, hours, weights)
        for column, season in zip(columns, seasons, strict=True)
    )


def waves_at(moments: NDArray[np.float64], harmonics: NDArray[np.int64]) -> NDArray[np.float64]:
    """One, then the cosine and the sine of each of *harmonics*, shape (moments, 1 + 2 harmonics); *moments* in seconds."""
    angles = np.multiply.outer(moments % WEEK_SECONDS, 2 * np.pi / WEEK_SECONDS * harmonics)
    waves = np.ones((len(moments), 1 + 2 * len(harmonics)))
    waves[:, 1::2] = np.cos(angles)
    waves[:, 2::2] = np.sin(angles)
    return waves


def _seen(
    column: ColumnReference,
    season: Season,
    middles: NDArray[np.float64],
    hours: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> ColumnReference:
    shares = weights @ _shares(column, season, middles)
    # What the reference holds at other times may come at this one too: a row of each at least.
    least = np.minimum(column.counts, 1)
    # The variance of a mean of curves is at most the mean of their variances.
    rows = max(round(1 / float(weights @ (1 / season.hour_rows[hours]))), int(least.sum()))
    return replace(
        column,
        rows=rows,
        counts=least + _whole(np.maximum(shares * rows - least, _LEAST_SHARE * least), rows - int(least.sum())),
        single_block_rows=round(column.single_block_rows * rows / max(column.rows, 1)),
        variation=season.variation,
    )


def _shares(column: ColumnReference, season: Season, middles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the bins at each of the moments *middles*, shape (moments, BINS): each at least 0, their sum 1."""
    # Waves cut short may dip below zero; a bin that the reference never held stays empty.
    shares = np.maximum(waves_at(middles, season.harmonics) @ season.waves, _LEAST_SHARE) * (column.counts > 0)
    held: NDArray[np.float64] = shares / np.maximum(shares.sum(1, keepdims=True), _LEAST_SHARE)
    return held


def _whole(shares: NDArray[np.float64], rows: int) -> NDArray[np.int64]:
    """Whole counts in proportion to *shares* that add up to *rows*, each less than one away from exact."""
    exact = shares / shares.sum() * rows
    counts = np.asarray(np.floor(exact), np.int64)
    left = rows - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:left]] += 1
    return counts
