"""Streams of 20 segments, their reference and their judge, for `benchmarks.segment_alarms`."""

import time
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.segments.drift import SegmentDrift
from dashlight.judge.segments.references import SegmentReferences, segment_references
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference, Reference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]

COLUMNS, SEGMENT_COUNT, REFERENCE_ROWS = 20, 20, 20_000
PANES = 30 * 86_400 / 10.0
PANE_ROWS = 20
"""Of one segment."""
TOLERANCE = 0.02
ROWS_A_DAY = 4_000
ODD_ONES = 50


@dataclass(frozen=True, slots=True)
class Moving:
    """How the mean of every column moves by nature, in deviations, over a day of ROWS_A_DAY rows."""

    name: str
    size: float = 0.0
    apart: bool = False
    """Whether each segment has a day of its own."""
    differ: float = 0.0
    """Standard deviation of the segments' means, in deviations of the rows."""
    odd: float = 0.0
    """By so much the means of one segment, and of 1 in ODD_ONES of the others, are off, one way or the other."""
    odd_missing: float = 0.0
    """Likewise: so often they have no value."""
    missing: float = 0.0
    """Each has no value in 0 to twice this share of its rows."""

    def usual(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Means and shares without a value of all segments and columns, both of shape (SEGMENT_COUNT, COLUMNS)."""
        shape = (SEGMENT_COUNT, COLUMNS)
        if not (self.differ or self.odd or self.odd_missing or self.missing):
            return np.zeros(shape), np.zeros(shape)
        is_odd = rng.random(shape) < 1 / ODD_ONES
        is_odd[0] = True
        means = self.differ * rng.standard_normal(shape) + self.odd * is_odd * rng.choice([-1.0, 1.0], shape)
        return means, self.odd_missing * is_odd + self.missing * rng.uniform(0, 2, shape)

    def means(self, first_row: int, rows: int) -> Floats:
        """Of each row and segment, shape (rows, SEGMENT_COUNT)."""
        phase = np.arange(SEGMENT_COUNT) / SEGMENT_COUNT * self.apart
        day = (first_row + np.arange(rows))[:, np.newaxis] / ROWS_A_DAY
        return np.asarray(self.size * np.sin(2 * np.pi * (day + phase)))


NULLS = (
    Moving("independent rows"),
    Moving("all segments follow one day, 0.3 deviations", 0.3),
    Moving("each segment follows a day of its own, 0.3 deviations", 0.3, apart=True),
    Moving("segments differ by 0.05 deviations", differ=0.05),
    Moving("segments differ by 0.5 deviations", differ=0.5),
    Moving("one segment and 1 in 50 others are off by 0.06 deviations", odd=0.06),
    Moving("the same by 0.12", odd=0.12),
    Moving("the same by 0.25", odd=0.25),
    Moving("the same has no value in 0.4 %", odd_missing=0.004),
    Moving("no value in 0 to 2 % of each", missing=0.01),
    Moving("all follow one day, 0.1 deviations, and differ by 0.05", 0.1, differ=0.05),
)


def reference_of(
    rng: np.random.Generator, moving: Moving = NULLS[0], usual: tuple[Floats, Floats] | None = None
) -> tuple[Reference, dict[str, Column]]:
    """A reference in time order, and the rows that it was built of; *usual* as of `Moving.usual`."""
    segment = rng.integers(0, SEGMENT_COUNT, REFERENCE_ROWS)
    means = moving.means(0, REFERENCE_ROWS)[np.arange(REFERENCE_ROWS), segment]
    rows: dict[str, Column] = {"segment": [f"s{each:02d}" for each in segment]}
    for column in range(COLUMNS):
        values = rng.standard_normal(REFERENCE_ROWS) + means
        if usual is not None and (usual[0].any() or usual[1].any()):
            values += usual[0][segment, column]
            values[rng.random(REFERENCE_ROWS) < usual[1][segment, column]] = np.nan
        rows[f"x{column}"] = values
    return build_reference_from_columns(rows, {}, rng=rng, created_at=0.0), rows


def drift_of(
    reference: Reference, *, panes: float, share: float, only: str | None = None
) -> tuple[SegmentDrift, SegmentReferences]:
    """The judge of all segments; or of one, with its part of the budget: what the others do makes no difference to it."""
    segmentation = segmentation_of(reference, ["segment"])
    references = finished(segment_references(reference, segmentation, reference.columns))
    if only is not None:
        column = next(each for each in reference.columns if each.name == "segment")
        of_one = np.flatnonzero(references.segments == column.categories.index(only))
        places: list[int] = of_one.tolist()
        share *= len(of_one) / len(references.columns)
        references = SegmentReferences(
            tuple(references.columns[place] for place in places),
            references.segments[of_one],
            references.places[of_one],
            references.others[of_one],
        )
    drift = SegmentDrift(references, segmentation.names, panes=panes, tolerance=TOLERANCE, share=share, importance={})
    finished(drift.set_up())
    return drift, references


def judged(drift: SegmentDrift, counts: Counts, at: float, whole: Panes) -> list[Alert]:
    """The alerts of one pane."""
    came = np.ones(counts.shape[1], np.int64)

    def window(panes: int) -> tuple[Counts, int]:
        return (found := whole.window(panes)).counts, found.panes

    return list(finished(drift.update(counts, at, window, told=(), came=came)))


def null_alarms(moving: Moving, seed: int, *, pane_count: int, panes: float, share: float) -> tuple[int, float]:
    """Alerts that began to fire, of all segments and columns, in a stream in which nothing changed; seconds of CPU a pane."""
    rng = np.random.default_rng(seed)
    usual = moving.usual(rng)
    reference, _ = reference_of(rng, moving, usual)
    drift, _ = drift_of(reference, panes=panes, share=share)
    numeric = [place for place, column in enumerate(reference.columns) if column.kind == "numeric"]
    which = [int(reference.columns[place].name[1:]) for place in numeric]
    # Segments are numbered by how frequent they are.
    segments = next(column.categories for column in reference.columns if column.name == "segment")
    order = [int(segment[1:]) for segment in segments]
    own_means, missing = usual[0][order][:, which, np.newaxis], usual[1][order][:, which]
    borders = np.stack([_borders(reference.columns[place]) for place in numeric])
    whole, begun, spent = Panes(len(reference.columns)), set[str](), 0.0
    alarms = 0
    for pane in range(pane_count):
        means = moving.means(pane * PANE_ROWS * SEGMENT_COUNT, PANE_ROWS * SEGMENT_COUNT).mean(axis=0)[order]
        counts = np.zeros((SEGMENT_COUNT + 1, len(reference.columns), BINS), np.int64)
        below = ndtr(borders - means[:, np.newaxis, np.newaxis] - own_means)
        held = np.diff(below, prepend=0.0, append=1.0)
        came = rng.poisson(PANE_ROWS, (SEGMENT_COUNT, 1))
        if missing.any():
            nulls = rng.binomial(came, missing)
            counts[:SEGMENT_COUNT, numeric, NULL] = nulls
            came = came - nulls
        found = rng.multinomial(came, held)
        counts[:SEGMENT_COUNT, numeric, STRUCTURAL_BINS:] = found[:, :, 1:-1]
        counts[:SEGMENT_COUNT, numeric, BELOW], counts[:SEGMENT_COUNT, numeric, ABOVE] = found[..., 0], found[..., -1]
        at = 10.0 * (pane + 1)
        whole.add(counts.sum(axis=0))
        whole.close(at)
        began = time.process_time()
        alerts = judged(drift, counts, at, whole)
        spent += time.process_time() - began
        for alert in alerts:
            alarms += alert.state == "firing" and alert.key not in begun
            begun = begun | {alert.key} if alert.state == "firing" else begun - {alert.key}
    return alarms, spent / pane_count


def _borders(column: ColumnReference) -> Floats:
    """Ends of the value bins of *column*."""
    return np.concatenate([[column.low], column.edges, [column.high]])
