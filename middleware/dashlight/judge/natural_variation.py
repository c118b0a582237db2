"""How much the reference itself moved in time: what must not be taken for drift. Pure.

Two numbers for every event and functional of a column. *phi* is short memory: so many rows in a row are worth one
independent row (1 where rows are independent). *tau* is slow movement, seasons: its standard deviation in Cohen's h.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.block_scales import (
    FEWEST_SHORTEST,
    BlockScale,
    growth_beyond,
    measured_parts,
    most_by_chance,
    scales_of,
)
from dashlight.judge.run_lengths import NO_BURSTS, Bursts, bursts, bursts_beside, little_known, run_memory
from dashlight.window.columns import ColumnReference, Runs
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import BELOW, BLOCK_ROWS, TYPE_ERROR, UNSEEN
from dashlight.window.reference.steps import Steps

Floats = NDArray[np.float64]

_NONE = np.zeros(EVENT_COUNT, np.bool_)
STILL_GROWING = 1.5
"""Factor by which a memory that goes on as it grew may still grow, from which on the reference counts as too short."""
UNKNOWN_PHI = 5.0
"""Memory that is assumed where the rows are in order and too few to show any: clients send alike ones in a row."""
INDEPENDENT_STATISTICS = 6
"""The statistics of a column overlap: what is true of all of them is known as well as from about six independent ones, or
as from one less than the bins that hold rows: a boolean has but one."""
EVENT_SAFETY, FUNCTIONAL_SAFETY = 1.0, 2.0
"""Standard errors added to what was measured. With these, streams that hang together stay as far below the thresholds
as streams of independent rows do; the bound of the functionals is the weaker one."""

_COLUMNS_A_STEP = 16


@dataclass(frozen=True, slots=True, eq=False)
class NaturalVariation:
    """Short memory and slow movement of every event and functional of the columns."""

    phi: Floats
    """Shape (columns, EVENT_COUNT), at least 1: an upper bound, by which evidence is divided."""
    likely_phi: Floats
    """The same without the safety, for the error of the reference, which has a bound of its own."""
    tau: Floats
    """Shape (columns, EVENT_COUNT)."""
    functional_phi: Floats
    """Shape (columns, FUNCTIONAL_COUNT), at least 1."""
    functional_tau: Floats
    """Shape (columns, FUNCTIONAL_COUNT)."""
    bursts: tuple[Bursts, ...]
    """Of each column, what is to be expected of events that come in runs."""
    too_short: NDArray[np.bool_]
    """Shape (columns,): rows hang together, for longer than the reference is long enough to show. Their memory is guessed,
    which keeps small shifts of them from alarming."""

    def of_columns(self, columns: slice) -> "NaturalVariation":
        """That of some of the columns."""
        return NaturalVariation(*(getattr(self, each.name)[columns] for each in fields(self)))


class Movements:
    """What `natural_variation` measures of each column by itself, which is most of its work: once a column."""

    def __init__(self) -> None:
        self._fits: dict[ColumnReference, tuple[_Fit, _Fit, _Fit]] = {}

    def of(self, column: ColumnReference) -> "tuple[_Fit, _Fit, _Fit]":
        """Of the events, of the events without safety, and of the functionals of *column*."""
        if column not in self._fits:
            self._fits[column] = _fits(column)
        return self._fits[column]

    def measured(self, columns: Sequence[ColumnReference]) -> Steps[None]:
        """Measures *columns*, some at a time."""
        for place, column in enumerate(columns):
            self.of(column)
            if place % _COLUMNS_A_STEP == _COLUMNS_A_STEP - 1:
                yield


def natural_variation(columns: Sequence[ColumnReference], movements: Movements | None = None) -> NaturalVariation:
    """Short memory and slow movement of *columns*, from how the blocks of their references varied.

    A reference that is not in time order says nothing: phi is 1 and tau 0. What is assumed of
    values too rare to be measured depends on all *columns* together; the rest need not be measured again where
    *movements* was given the same columns before.
    """
    movements = movements or Movements()
    fits = [movements.of(column) for column in columns]
    events, likely, scores = ([fit[place] for fit in fits] for place in range(3))
    ordered = np.array([len(column.variation) > 0 for column in columns], np.bool_)
    shape = (len(columns), FUNCTIONAL_COUNT)
    rows = np.array([column.rows for column in columns], np.int64)
    unknown = ordered & (rows < FEWEST_SHORTEST * BLOCK_ROWS[0])
    least = np.where(unknown, UNKNOWN_PHI, 1.0)[:, np.newaxis]
    return NaturalVariation(
        phi=np.maximum(_inherited(columns, events, scores), least),
        likely_phi=_inherited(columns, likely, scores),
        tau=np.array([fit.tau for fit in events]).reshape(-1, EVENT_COUNT),
        functional_phi=np.maximum(np.nan_to_num(np.array([fit.phi for fit in scores]).reshape(shape), nan=1.0), least),
        functional_tau=np.array([fit.tau for fit in scores]).reshape(shape),
        bursts=tuple(bursts_beside([column.runs for column in columns], [fit.bursts for fit in events])),
        too_short=np.array([a.too_short or b.too_short for a, b in zip(events, scores, strict=True)], np.bool_)
        | unknown,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """What one column's events, or its functionals, have of memory and movement."""

    phi: Floats
    """NaN where it could not be measured."""
    tau: Floats
    typical_phi: float
    """That of the middle one of them, which is better known than any single one; NaN where there is none."""
    rare_phi: float
    """What is assumed of values too rare to be measured."""
    least_phi: float
    """What is assumed of any value: where rows hang together, a single event may have looked calm by chance."""
    longest_phi: float
    """The largest that was measured; NaN where none was."""
    burst_phi: float
    """That of the middle one within the shortest blocks; NaN where there is none."""
    too_short: bool
    bursts: Bursts
    """Of events: see NaturalVariation."""


def _fits(column: ColumnReference) -> tuple[_Fit, _Fit, _Fit]:
    """Of the events, of the events without safety, and of the functionals."""
    events, likely, scores = _fits_of_blocks(column)
    if column.runs is None:
        return events, likely, scores
    runs = column.runs
    return _with_runs(events, column, runs, EVENT_SAFETY), _with_runs(likely, column, runs, 0.0), scores


def _with_runs(fit: "_Fit", column: ColumnReference, runs: Runs, safety: float) -> "_Fit":
    """*fit* of events, at least what their runs say, as far as the shortest blocks do not show that this is soon over."""
    most = np.full(EVENT_COUNT, np.inf)
    for part in measured_parts(column)[:1]:
        most = np.nan_to_num(part.events * most_by_chance(float(np.sqrt(2 / (part.blocks - 1)))), nan=np.inf)
    phi = np.fmax(fit.phi, np.minimum(run_memory(runs, safety), most))
    expected = bursts(runs, phi, most)
    return replace(fit, phi=np.fmax(phi, expected.phi), bursts=expected)


def _fits_of_blocks(column: ColumnReference) -> tuple[_Fit, _Fit, _Fit]:
    parts = measured_parts(column)
    independent = int(np.clip(np.count_nonzero(column.counts) - 1, 1, INDEPENDENT_STATISTICS))
    events = scales_of(parts, [part.events for part in parts], independent)
    scores = scales_of(parts, [part.functionals for part in parts], independent)
    # A functional adds up; the share of a rare event is transformed, which makes bursts look as if they grew.
    whole = scores or events
    season = len(whole) == len(BLOCK_ROWS) and bool(_slow(np.array([[scale.mean] for scale in whole])).any())
    return (
        _fit(events, EVENT_COUNT, EVENT_SAFETY, season=season),
        _fit(events, EVENT_COUNT, 0.0, season=season),
        _fit(scores, FUNCTIONAL_COUNT, FUNCTIONAL_SAFETY, season=season),
    )


def _fit(scales: Sequence[BlockScale], statistics: int, safety: float, *, season: bool) -> _Fit:
    if not scales:
        return _Fit(
            *(np.full(statistics, np.nan), np.zeros(statistics), np.nan, np.nan, 1.0, np.nan, np.nan),
            too_short=False,
            bursts=NO_BURSTS,
        )
    excess = np.stack([_excess(scale, safety) for scale in scales])
    lengths = np.array([[scale.rows] for scale in scales], np.float64)
    # Single rare events seem to grow without end; the column as a whole says whether there is a season.
    tau2 = _slow(excess) if season and len(scales) == len(BLOCK_ROWS) else np.zeros(statistics + 1)
    phi = 1 + np.fmax.reduce(np.maximum(excess - tau2 * lengths, 0.0), axis=0)
    growth, growth_error = growth_beyond(scales)
    grows_on = scales[-1].rows < BLOCK_ROWS[-1] or growth * (1 - growth_error / 2) >= STILL_GROWING
    unmeasured = scales[-1].depends and grows_on
    if unmeasured:
        upper = scales[-1].ratios * growth * (1 + safety * np.hypot(scales[-1].errors, growth_error))
        phi = np.fmax(phi, upper)
    # Of one length alone too little is known to take the extremes for typical.
    typical, longest = float(phi[-1]), float(np.nanmax(phi))
    burst = 1 + float(excess[0, -1])  # extremes come in bursts in a season too
    return _Fit(
        phi=phi[:-1],
        tau=np.sqrt(np.nan_to_num(tau2[:-1])),
        typical_phi=typical,
        rare_phi=longest if unmeasured and len(scales) == 1 else max(typical, burst),
        least_phi=typical if scales[-1].depends else 1.0,
        longest_phi=longest,
        burst_phi=burst,
        too_short=unmeasured and growth * (1 + growth_error) >= STILL_GROWING,
        bursts=NO_BURSTS,
    )


def _excess(scale: BlockScale, safety: float) -> Floats:
    """What the ratios exceed 1 by, and *safety* standard errors, where that is significant; else 0.

    It is where the statistic's own excess is, or that of the column as a whole.
    """
    significant = (scale.ratios > most_by_chance(scale.errors)) | scale.depends
    upper = np.maximum(scale.ratios * (1 + safety * scale.errors) - 1, 0.0)
    return np.where(significant, upper, 0.0 * scale.ratios)


def _slow(excess: Floats) -> Floats:
    """Squared tau: the growth of *excess*, shape (len(BLOCK_ROWS), statistics), by row where it does not level off."""
    first, second, third = excess
    short, middle, long = BLOCK_ROWS
    early, late = (second - first) / (middle - short), (third - second) / (long - middle)
    return np.where(late > np.maximum(0.6 * early, 0.0), late, 0.0)


def _inherited(columns: Sequence[ColumnReference], events: Sequence[_Fit], scores: Sequence[_Fit]) -> Floats:
    """Memory (phi) of all events, shape (columns, EVENT_COUNT); for those too rare to be measured, what can be assumed.

    Values that are out of range, unseen or rare follow their column: its other events, or its functionals. Missing
    values and wrong types do not follow the weather but the way rows arrive, which all columns share: the least of what
    is typical of any. So do columns of which nothing could be measured. What occurred just often enough to be measured is
    at least as long as what is typical of the middle one of the columns.
    """
    ordered = np.array([len(column.variation) > 0 for column in columns], np.bool_)
    rare = np.array([b.rare_phi if np.isnan(a.rare_phi) else a.rare_phi for a, b in zip(events, scores, strict=True)])
    # Bursts of rare values look shorter in shares than they are: functionals tell it better, or the longest of events.
    arrival = [
        b.typical_phi if np.isfinite(b.typical_phi) else a.longest_phi for a, b in zip(events, scores, strict=True)
    ]
    least = np.fmin.reduce(arrival, initial=np.inf)
    shared = float(least) if np.isfinite(least) else 1.0
    inherited = np.repeat(np.nan_to_num(rare, nan=shared)[:, np.newaxis], EVENT_COUNT, axis=1)
    # A burst out of range lasts as long as the column stays away from its middle, not as long as in an inner bin.
    bursts = np.array([[fit.burst_phi] for fit in scores]).reshape(-1, 1)
    inherited[:, BELOW : UNSEEN + 1] = np.fmax(inherited[:, BELOW : UNSEEN + 1], bursts)
    inherited[:, : TYPE_ERROR + 1] = shared
    phi = np.array([fit.phi for fit in events]).reshape(-1, EVENT_COUNT)
    phi[:, BELOW:] = np.maximum(phi[:, BELOW:], np.array([[fit.least_phi] for fit in events]).reshape(-1, 1))
    middle = float(np.nanmedian(arrival)) if np.isfinite(least) else 1.0
    little = np.array([_NONE if column.runs is None else little_known(column.runs) for column in columns], np.bool_)
    phi = np.where(little.reshape(-1, EVENT_COUNT), np.fmax(phi, middle), phi)
    return np.where(np.isnan(phi), np.where(ordered[:, np.newaxis], inherited, 1.0), phi)
