"""Whether `minimum_detectable_shift` is honest: a shift of that size, and how often it is found within the rows it is told for.

Columns of one law, and the same with so much of their values moved that an interval of them, or a truth, lies that far off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from benchmarks.detection_ours import PANE_SECONDS, PANES_A_MONTH, TOLERANCE
from benchmarks.detection_streams import Columns, Floats
from numpy.typing import NDArray
from scipy.special import ndtri

from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.evidence.null import shifted
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, columns_of
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

COLUMNS, PANE_ROWS = 10, 100
REFERENCE_ROWS, WATCHED_ROWS = (500, 2_000, 10_000), (1_000, 4_000)


@dataclass(frozen=True, slots=True)
class Promise:
    """How a promise of one kind was kept."""

    kind: str
    reference_rows: int
    watched_rows: int
    shift: float
    """That was told, in Cohen's h: the median."""
    found_share: float
    """Of the columns in which a shift of that size was found within *watched_rows*."""


def promises(seeds: range) -> Iterator[Promise]:
    """Every kind of shift, for every size of the reference and of the traffic."""
    for reference_rows in REFERENCE_ROWS:
        for watched_rows in WATCHED_ROWS:
            for kind, drawn in KINDS.items():
                runs = [_run(drawn, reference_rows, watched_rows, seed) for seed in seeds]
                told, found = (float(np.mean(each)) for each in zip(*runs, strict=True))
                yield Promise(kind, reference_rows, watched_rows, told, found)


def _run(drawn: Drawn, reference_rows: int, watched_rows: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng([seed, reference_rows, watched_rows])
    reference = build_reference_from_columns(drawn(rng, reference_rows, 0.0), {}, rng=rng, created_at=0.0)
    columns = columns_of(reference, "feature")
    # Each has a budget of its own, as if it were watched alone.
    judge = DriftJudge(columns, panes=PANES_A_MONTH, tolerance=TOLERANCE, share=float(COLUMNS))
    told = float(np.median(judge.minimum_detectable_shift(np.full(COLUMNS, float(watched_rows)))))
    return told, _found(judge, columns, drawn(rng, watched_rows, told))


def _found(judge: DriftJudge, columns: tuple[ColumnReference, ...], rows: Columns) -> float:
    binner, panes, found = Binner(columns), Panes(COLUMNS), set[str | None]()
    codes = binner.codes(table_of_columns(dict(rows)))

    def window(wanted: int) -> tuple[NDArray[np.int64], int]:
        held = panes.window(wanted)
        return held.counts, held.panes

    for begin in range(0, codes.shape[1], PANE_ROWS):
        panes.add(binner.count(codes[:, begin : begin + PANE_ROWS]))
        at = PANE_SECONDS * (begin / PANE_ROWS + 1)
        found |= {alert.column for alert in judge.update(panes.close(at), at, window) if alert.state == "firing"}
    return len(found) / COLUMNS


Drawn = Callable[[np.random.Generator, int, float], Columns]


def _moved(low: float, high: float) -> Drawn:
    """Normal values, of which those between two quantiles become more frequent."""

    def drawn(rng: np.random.Generator, rows: int, shift: float) -> Columns:
        share = float(shifted(np.array(high - low), shift))
        inside, where = rng.random((COLUMNS, rows)) < share, rng.random((COLUMNS, rows))
        outside = where * (1 - high + low)
        ranks = np.where(inside, low + where * (high - low), np.where(outside < low, outside, outside + high - low))
        return _named(np.asarray(ndtri(ranks)))

    return drawn


def _higher(rng: np.random.Generator, rows: int, shift: float) -> Columns:
    return _named(rng.standard_normal((COLUMNS, rows)) + shift)


def _truth(before: float) -> Drawn:
    def drawn(rng: np.random.Generator, rows: int, shift: float) -> Columns:
        return _named((rng.random((COLUMNS, rows)) < float(shifted(np.array(before), shift))).astype(np.float64))

    return drawn


def _named(values: Floats) -> Columns:
    return {f"x{place}": np.ascontiguousarray(column) for place, column in enumerate(values)}


KINDS: Mapping[str, Drawn] = {
    "upper half of the values": _moved(0.5, 1.0),
    "middle quarter": _moved(0.375, 0.625),
    "upper tenth": _moved(0.9, 1.0),
    "all values higher": _higher,
    "a flag of one half": _truth(0.5),
    "a flag of 1 %": _truth(0.01),
}
"""What moves; "all values higher" is by so many standard deviations."""
