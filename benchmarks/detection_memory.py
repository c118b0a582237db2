"""Streams in which rows hang together: rare values in runs and sessions, long memory, and outages among all that.

References of 20,000 rows where not told. Every stream has columns of several kinds and frequencies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np
from benchmarks.detection_streams import BEFORE, Column, Columns, Stream, remembering, split
from numpy.typing import NDArray

Lengths: TypeAlias = Callable[[np.random.Generator], int]

REFERENCE_ROWS = 20_000
QUIET_ROWS = 100_000
OUTAGE_ROWS = 3_000
GAPS = (100, 300, 1_000, 3_000)
"""Rows between two runs, on average: a rare value has a share of 0.1 to 10 %."""


def in_runs(rng: np.random.Generator, rows: int, length: Lengths, gap: float) -> NDArray[np.bool_]:
    """True in runs of such lengths, *gap* rows apart on average."""
    found, place = np.zeros(rows, np.bool_), 0
    while place < rows:
        place += int(rng.exponential(gap))
        stop = place + length(rng)
        found[place:stop] = True
        place = stop
    return found


def geometric(mean: float) -> Lengths:
    """Runs that end after any row with the same chance."""
    return lambda rng: int(rng.geometric(1 / mean))


def pareto(rng: np.random.Generator) -> int:
    """Runs of which the longest is longer by far: the chance of more than x rows is x ** -1.5."""
    return int(1 + rng.pareto(1.5))


def _runs(length: Lengths, share: float, rng: np.random.Generator) -> Stream:
    """A truth, a category and missing values that come in runs, in which *share* of the rows has them."""
    rows = REFERENCE_ROWS + QUIET_ROWS
    columns: dict[str, Column] = {}
    for gap in GAPS:
        for kind in ("flag", "word", "missing"):
            rare = in_runs(rng, rows, length, gap) & (rng.random(rows) < share)
            columns[f"{kind} every {gap}"] = _column(kind, rare, rng)
    return Stream(*split(columns, REFERENCE_ROWS))


def _column(kind: str, rare: NDArray[np.bool_], rng: np.random.Generator) -> Column:
    if kind == "flag":
        return rare.astype(np.float64)
    if kind == "missing":
        return np.where(rare, np.nan, rng.standard_normal(len(rare)))
    common = rng.choice(["a", "b"], len(rare))
    words: list[str | None] = np.where(rare, "rare", common).tolist()
    return words


def _long_memory(rng: np.random.Generator) -> Stream:
    return remembering(0.999, rng)


def _outage(rho: float, reference_rows: int, value: str, rng: np.random.Generator) -> Stream:
    """Six columns that remember the row before, and a constant; all rows of the first lose their values."""
    rows = reference_rows + BEFORE + OUTAGE_ROWS
    columns: dict[str, Column] = dict(remembering(rho, rng, columns=6, rows=rows, reference_rows=0).current)
    constant: list[str | None] = ["auto"] * rows
    columns["mode"] = constant
    reference, current = split(columns, reference_rows)
    values = np.array(current["x0"], object)
    values[BEFORE:] = {"missing": None, "wrong": "N.N."}[value]
    lost: list[str | None] = values.tolist()
    return Stream(reference, {**current, "x0": lost}, BEFORE, ("x0",))


QUIET: Mapping[str, Callable[[np.random.Generator], Stream]] = {
    "rare values in runs of 3": partial(_runs, geometric(3), 1.0),
    "rare values in runs of 20": partial(_runs, geometric(20), 1.0),
    "rare values in runs, Pareto 1.5": partial(_runs, pareto, 1.0),
    "rare values in sessions of 30": partial(_runs, geometric(30), 0.4),
    "AR(1) 0.999": _long_memory,
}
CHANGING: Mapping[str, Callable[[np.random.Generator], Stream]] = {
    "all missing among AR(1) 0.99, R = 1,000": partial(_outage, 0.99, 1_000, "missing"),
    "all missing among AR(1) 0.98": partial(_outage, 0.98, REFERENCE_ROWS, "missing"),
    "all of a wrong type among AR(1) 0.99, R = 1,000": partial(_outage, 0.99, 1_000, "wrong"),
    "rare flag 0.5 -> 2 %, R = 20,000": lambda rng: _more_frequent(rng, 0.005, 0.02),
}


def _more_frequent(rng: np.random.Generator, before: float, after: float) -> Stream:
    reference: Columns = {"flag": (rng.random(REFERENCE_ROWS) < before).astype(np.float64)}
    shares = np.repeat([before, after], [BEFORE, 2 * OUTAGE_ROWS])
    return Stream(reference, {"flag": (rng.random(len(shares)) < shares).astype(np.float64)}, BEFORE, ("flag",))
