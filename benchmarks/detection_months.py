"""Simulated months of a hundred columns without drift, drawn exactly and straight into the drift judge.

Every column is a law on ATOMS equally likely values, so that the bin of a value is looked up and a pane is drawn in
tens of microseconds. The reference is itself drawn from that law, and laid out and counted by the code of the product.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from benchmarks.detection_ours import PANE_SECONDS, PANES_A_MONTH, TOLERANCE
from benchmarks.detection_streams import Column
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.window.bins import Binner
from dashlight.window.columns import columns_of
from dashlight.window.layout import BINS
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

COLUMNS = 100
ROWS_A_PANE = 100
BUSY_TIMES = 5
"""One hour in ten has so many times the traffic."""
PANES_AN_HOUR = 360
ATOMS = 1 << 16
CATEGORIES = 32
_PANES_AT_ONCE = 60


@dataclass(frozen=True, slots=True)
class Month:
    """What a month without drift, or the part of it that was simulated, brought."""

    reference_rows: int
    seed: int
    panes: int
    alarms: int
    """Alerts that fired: each one is false."""
    evidence_onsets: int
    """Columns whose evidence crossed its threshold, before the gate of the tolerance."""
    largest_margin: float
    """Nats; at 0 a column has evidence."""
    judge_seconds: float
    """CPU, as the next."""
    drawing_seconds: float


def month(reference_rows: int, *, seed: int, share: float = 1.0) -> Month:
    """One month, or the *share* of it, against a reference of so many rows."""
    rng = np.random.default_rng([seed, reference_rows])
    laws = _laws(rng)
    drawn = rng.integers(0, ATOMS, (COLUMNS, reference_rows))
    reference = build_reference_from_columns(
        {name: _taken(values, atoms) for (name, values), atoms in zip(laws.items(), drawn, strict=True)},
        {},
        rng=rng,
        created_at=0.0,
    )
    columns = columns_of(reference, "feature")
    bins = Binner(columns).codes(table_of_columns(laws))
    judge = DriftJudge(columns, panes=PANES_A_MONTH, tolerance=TOLERANCE)
    panes, total = Panes(COLUMNS), round(PANES_A_MONTH * share)

    def window(wanted: int) -> tuple[NDArray[np.int64], int]:
        held = panes.window(wanted)
        return held.counts, held.panes

    alarms = onsets = 0
    largest, judge_seconds, began = -np.inf, 0.0, time.process_time()
    before = np.zeros(COLUMNS, np.bool_)
    for pane, counts in enumerate(_drawn_panes(rng, bins, total)):
        started = time.process_time()
        at = (pane + 1) * PANE_SECONDS
        panes.add(counts)
        news = judge.update(panes.close(at), at, window)
        judge_seconds += time.process_time() - started
        alarms += sum(alert.state == "firing" for alert in news)
        over = judge.margins >= 0
        onsets += int(np.count_nonzero(over & ~before))
        before, largest = over, max(largest, float(judge.margins.max()))
    seconds = time.process_time() - began
    return Month(reference_rows, seed, total, alarms, onsets, largest, judge_seconds, seconds - judge_seconds)


def _laws(rng: np.random.Generator) -> dict[str, Column]:
    """The ATOMS values of every column: a quarter categories of uneven shares, a quarter numbers that miss 1 %."""
    laws: dict[str, Column] = {}
    for place in range(COLUMNS):
        numbers = np.arange(ATOMS, dtype=np.float64)
        if place % 4 == 0:
            ends = np.round(np.cumsum(rng.dirichlet(np.full(CATEGORIES, 0.5))) * ATOMS)
            ranks = np.minimum(np.searchsorted(ends, numbers, side="right"), CATEGORIES - 1)
            laws[f"words {place}"] = [f"c{rank}" for rank in ranks.tolist()]
        else:
            missing = ATOMS // 100 if place % 4 == 1 else 0
            laws[f"numbers {place}"] = np.where(numbers < missing, np.nan, numbers)
    return laws


def _taken(values: Column, atoms: NDArray[np.int64]) -> Column:
    return [values[atom] for atom in atoms.tolist()] if isinstance(values, list) else values[atoms]


def _drawn_panes(rng: np.random.Generator, bins: NDArray[np.uint8], panes: int) -> Iterator[NDArray[np.int64]]:
    """Counts of every pane, shape (COLUMNS, BINS); *bins* has the bin of each atom of each column."""
    for first in range(0, panes, _PANES_AT_ONCE):
        rows = ROWS_A_PANE * (1 if first // PANES_AN_HOUR % 10 else BUSY_TIMES)
        at_once = min(_PANES_AT_ONCE, panes - first)
        offsets = np.repeat(np.arange(at_once) * BINS, rows)
        counts = np.empty((at_once, COLUMNS, BINS), np.int64)
        # Four atoms in each 64 random bits: an eighth of the time that drawing them one by one takes.
        drawn = rng.integers(0, 1 << 64, (COLUMNS, -(-at_once * rows // 4)), np.uint64).view(np.uint16)
        for column, (of_atom, atoms) in enumerate(zip(bins, drawn, strict=True)):
            found = np.bincount(of_atom[atoms[: at_once * rows]] + offsets, minlength=at_once * BINS)
            counts[:, column] = found.reshape(at_once, BINS)
        yield from counts
