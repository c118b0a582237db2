"""What judging costs: an evaluation and its parts, binning, set-up and memory, beside river and a PSI window.

Times are medians, of the CPU, all threads counted: on a machine with other work the clock on the wall says little.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from types import MethodType

import numpy as np
from benchmarks.detection_ours import (
    NO_TRACES,
    PANE_SECONDS,
    PANES_A_MONTH,
    POLICY,
    TOLERANCE,
    comparison_of,
    panes_of,
    prediction_of,
)
from benchmarks.detection_river import METHODS
from benchmarks.detection_streams import Column, Columns, Floats, zipf
from benchmarks.detection_windows import PSI_BINS, WINDOW, psi_of_counts

from dashlight.counting.rows import RowCounter
from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.pairs.judge import PairJudge
from dashlight.records import Prediction
from dashlight.watching.rows import Comparison
from dashlight.window.bins import Binner
from dashlight.window.pairs import PairCounter
from dashlight.window.panes import Panes

COLUMNS, PANE_ROWS, REFERENCE_ROWS = 100, 100, 10_000
_DISTINCT_PANES = 50
_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured cost, and the most it may be."""

    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where there is no target."""
        if self.most is None:
            return ""
        return "met" if self.value <= self.most else "MISSED"


def costs(*, quick: bool) -> Iterator[Figure]:
    """Every figure of the cost, as it is measured."""
    rounds = 100 if quick else 1_000
    reference = _rows(COLUMNS, REFERENCE_ROWS)
    began = time.process_time()
    comparison = comparison_of(reference)
    whole = time.process_time() - began
    began = time.process_time()
    _comparison_like(comparison)
    yield Figure("set-up of the judge, 100 columns", time.process_time() - began, "s", 0.5)
    yield Figure("with the reference built from 10,000 rows", whole, "s")
    yield from _evaluation(comparison, rounds)
    yield from _rivals(_evaluation_seconds(comparison, rounds) + _adding_seconds(comparison, rounds), rounds)
    yield from _binning(rounds)
    yield Figure("state, 100 columns", array_bytes(comparison) / 2**20, "MB", 4.0)
    yield Figure("of whoever counts for it", array_bytes(_counter_after_a_pane(comparison)) / 2**20, "MB", 4.0)
    seen: set[int] = set()
    for name, value in vars(comparison).items():
        if (held := array_bytes(value, seen)) >= 2**16:
            yield Figure(f"of that {name.lstrip('_').replace('_', ' ')}", held / 2**20, "MB")
    yield from _growth(comparison, rounds, later=2_000 if quick else 20_000)


def array_bytes(root: object, seen: set[int] | None = None) -> int:
    """Bytes of all numpy arrays that *root* holds, directly or through what it holds; each counted once.

    What is *seen* already, by id, does not count, and is seen afterwards.
    """
    seen = set() if seen is None else seen
    total, waiting = 0, [root]
    while waiting:
        held = waiting.pop()
        if id(held) in seen or isinstance(held, type):
            continue
        seen.add(id(held))
        if isinstance(held, np.ndarray):
            if held.base is None:
                total += held.nbytes
            else:
                waiting.append(held.base)
        elif isinstance(held, dict):
            waiting.extend(held.values())
        elif isinstance(held, list | tuple | set | frozenset) or type(held).__name__ == "deque":
            waiting.extend(held)  # type: ignore[arg-type]
        elif isinstance(held, partial):
            waiting.extend([held.func, *held.args, *held.keywords.values()])
        elif isinstance(held, MethodType):
            waiting.append(held.__self__)
        elif type(held).__module__.startswith("dashlight"):
            waiting.extend(getattr(held, "__dict__", {}).values())
            names = [name for kind in type(held).__mro__ for name in getattr(kind, "__slots__", ())]
            waiting.extend(getattr(held, name) for name in names if hasattr(held, name))
    return total


def _counter_after_a_pane(comparison: Comparison) -> RowCounter:
    counter = comparison.counter()
    counter.follow(comparison.directions)
    counter.add(next(_predictions(_rows(COLUMNS, PANE_ROWS, seed=4))), NO_TRACES)
    return counter


def _evaluation(comparison: Comparison, rounds: int) -> Iterator[Figure]:
    """The whole and its parts in turn, pane by pane, so that they are of the same moments."""
    predictions = list(_predictions(_rows(COLUMNS, _DISTINCT_PANES * PANE_ROWS, seed=4)))
    binner = Binner(comparison.columns)
    codes = [binner.codes(prediction.features) for prediction in predictions]
    counts = [binner.count(held) for held in codes]
    reference = comparison.reference.pairs
    if reference is None:
        raise ValueError("a reference of many numeric columns has pairs")
    counter = PairCounter(reference.places, reference.signs)
    pairs = PairJudge(comparison.columns, reference, panes=PANES_A_MONTH, tolerance=TOLERANCE)
    judge = DriftJudge(comparison.columns, panes=PANES_A_MONTH, tolerance=TOLERANCE)
    panes = Panes(COLUMNS)
    rows = comparison.counter()
    times: list[list[float]] = []
    for pane in range(rounds):
        place, at = pane % len(predictions), pane * PANE_SECONDS
        readings = [time.process_time()]
        rows.add(predictions[place], NO_TRACES)
        readings.append(time.process_time())
        comparison.close_pane(rows.close(), at)
        rows.follow(comparison.directions)
        readings.append(time.process_time())
        judge.update(counts[place], at, lambda _, held=counts[place]: (held, 1))  # type: ignore[misc]
        readings.append(time.process_time())
        panes.add(counts[place])
        panes.close(at)
        readings.append(time.process_time())
        pairs.update(counter.count(codes[place]), at)
        readings.append(time.process_time())
        times.append(np.diff(readings).tolist())
    adding, whole, columns, ring, paired = np.median(times, axis=0) * _MICRO
    yield Figure("evaluation of a pane, 100 columns with their pairs", columns + paired, "us", 400)
    yield Figure("of that the columns, one by one", columns, "us")
    yield Figure("of that the pairs, counted and judged", paired, "us")
    yield Figure("keeping the pane", ring, "us")
    yield Figure("everything at the end of a pane: directions, breaks and the rest too", whole, "us")
    yield Figure("taking 100 rows of 100 columns in", adding, "us")


def _rivals(ours: float, rounds: int) -> Iterator[Figure]:
    """Ours for a pane of 100 rows by 100 columns, rows taken in and judged, as a part of what others need."""
    values = np.random.default_rng(1).standard_normal(COLUMNS * PANE_ROWS)
    for name, detector in (("ADWIN", METHODS["ADWIN"]()), ("PageHinkley", METHODS["PageHinkley"]())):
        update = detector.update
        for value in values.tolist():  # its window has grown by then
            update(value)
        each = _step_seconds(partial(_feed, update, values), max(rounds // 50, 5))
        yield Figure(f"river {name} on the same values", each * _MICRO, "us")
        yield Figure(f"ours as a part of river {name}", ours / each, "x")
    window = _psi_step(values.reshape(PANE_ROWS, COLUMNS))
    each = _step_seconds(window, rounds)
    yield Figure("PSI window on the same values", each * _MICRO, "us")
    yield Figure("ours as a part of the PSI window", ours / each, "x")


def _feed(update: Callable[[float], object], values: Floats, place: int) -> None:  # noqa: ARG001
    for value in values.tolist():
        update(value)


def _psi_step(rows: Floats) -> Callable[[int], object]:
    """One evaluation of a PSI window: bin the new rows of every column, slide, score."""
    edges = np.quantile(np.random.default_rng(2).standard_normal(REFERENCE_ROWS), np.arange(1, PSI_BINS) / PSI_BINS)
    cells = PSI_BINS + 1
    expected = np.full(cells, REFERENCE_ROWS // PSI_BINS)
    expected[-1] = 0
    offsets = np.arange(COLUMNS) * cells
    ring = np.zeros((WINDOW // PANE_ROWS, COLUMNS, cells), np.int64)

    def step(place: int) -> object:
        bins = np.where(np.isnan(rows), PSI_BINS, np.searchsorted(edges, rows)) + offsets
        ring[place % len(ring)] = np.bincount(bins.ravel(), minlength=COLUMNS * cells).reshape(COLUMNS, cells)
        return psi_of_counts(expected, ring.sum(axis=0)) > 0.2

    return step


def _binning(rounds: int) -> Iterator[Figure]:
    rng = np.random.default_rng(3)
    numbers: Columns = {f"x{place}": rng.standard_normal(REFERENCE_ROWS) for place in range(COLUMNS)}
    words: Columns = {f"w{place}": _words(rng, REFERENCE_ROWS) for place in range(COLUMNS)}
    for kind, columns in (("number", numbers), ("word", words)):
        comparison = comparison_of(columns)
        binner = Binner(comparison.columns)
        tables = [prediction.features for prediction in _predictions(columns)]
        seconds = _step_seconds(
            lambda place, binner=binner, tables=tables: binner.count(binner.codes(tables[place % len(tables)])),  # type: ignore[misc]
            rounds,
        )
        yield Figure(f"binning and counting, each {kind}", seconds * _MICRO / (COLUMNS * PANE_ROWS), "us", 0.1)


def _growth(comparison: Comparison, rounds: int, *, later: int) -> Iterator[Figure]:
    """Of the cost with columns, and with time."""
    seconds = {COLUMNS: _evaluation_seconds(comparison, rounds)}
    for columns in (20, 300):
        other = comparison_of(_rows(columns, REFERENCE_ROWS))
        seconds[columns] = _evaluation_seconds(other, rounds)
        yield Figure(f"evaluation of a pane, {columns} columns", seconds[columns] * _MICRO, "us")
        yield Figure(f"state, {columns} columns", array_bytes(other) / 2**20, "MB")
    yield Figure("300 columns against 100; 3 is linear", seconds[300] / seconds[COLUMNS], "x", 3.6)
    fresh = comparison_of(_rows(COLUMNS, REFERENCE_ROWS))
    _evaluation_seconds(comparison, later)
    # One right after the other: what else the machine does changes by the minute.
    early, late = _evaluation_seconds(fresh, rounds), _evaluation_seconds(comparison, rounds)
    yield Figure(f"evaluation {later:,} panes later", late / early, "x", 1.2)
    yield Figure(f"state {later:,} panes later", array_bytes(comparison) / array_bytes(fresh), "x", 1.01)


def _evaluation_seconds(comparison: Comparison, rounds: int) -> float:
    """Of closing a pane of PANE_ROWS rows."""
    predictions = list(_predictions(_rows(len(comparison.columns), _DISTINCT_PANES * PANE_ROWS, seed=4)))
    counter = comparison.counter()
    times: list[float] = []
    for place in range(rounds):
        counter.add(predictions[place % len(predictions)], NO_TRACES)
        began = time.process_time()
        comparison.close_pane(counter.close(), place * PANE_SECONDS)
        counter.follow(comparison.directions)
        times.append(time.process_time() - began)
    return median(times)


def _adding_seconds(comparison: Comparison, rounds: int) -> float:
    """Of taking PANE_ROWS rows in."""
    predictions = list(_predictions(_rows(len(comparison.columns), _DISTINCT_PANES * PANE_ROWS, seed=4)))
    counter = comparison.counter()
    times: list[float] = []
    for place in range(rounds):
        began = time.process_time()
        counter.add(predictions[place % len(predictions)], NO_TRACES)
        times.append(time.process_time() - began)
        comparison.close_pane(counter.close(), place * PANE_SECONDS)
        counter.follow(comparison.directions)
    return median(times)


def _step_seconds(step: Callable[[int], object], rounds: int) -> float:
    gc.collect()
    times: list[float] = []
    for place in range(rounds):
        began = time.process_time()
        step(place)
        times.append(time.process_time() - began)
    return median(times)


def _predictions(columns: Columns) -> Iterator[Prediction]:
    return map(prediction_of, panes_of(columns, PANE_ROWS))


def _rows(columns: int, rows: int, *, seed: int = 0) -> dict[str, Column]:
    """Four columns in five are numbers, the fifth is words."""
    rng = np.random.default_rng(seed)
    return {f"c{place}": _words(rng, rows) if place % 5 == 4 else rng.standard_normal(rows) for place in range(columns)}


def _words(rng: np.random.Generator, rows: int) -> list[str | None]:
    names = np.array([f"c{place}" for place in range(20)], object)
    words: list[str | None] = names[rng.choice(20, rows, p=zipf(20))].tolist()
    return words


def _comparison_like(comparison: Comparison) -> Comparison:
    return Comparison(comparison.reference, POLICY, endpoint="/predict", model="bench", version="1")
