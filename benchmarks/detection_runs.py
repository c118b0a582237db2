"""Every method on every stream, and what came of it."""

from __future__ import annotations

import fnmatch
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from benchmarks import detection_river, detection_windows
from benchmarks.detection_ours import Ours, by_comparison, by_detector
from benchmarks.detection_outcome import Outcome, outcome
from benchmarks.detection_real import NoSetError, in_order, shuffled
from benchmarks.detection_river import river_alarms
from benchmarks.detection_streams import Stream
from benchmarks.detection_suites import CHANGING, QUIET, Make, drawn
from benchmarks.detection_windows import window_alarms

PANE_ROWS = 100
OURS = "Dashlight"
RIVER = {f"river {name}": name for name in detection_river.METHODS}
METHODS = (OURS, *detection_windows.METHODS, *RIVER)
SLOW = f"river {detection_river.SLOW}"
"""On the first seed only."""

Kind = Literal["quiet", "change", "order"]
"""Every alarm is false; a change at a known row; real rows of which nobody knows when they changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One stream of the table."""

    name: str
    kind: Kind
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    """By method, one for each seed."""
    why_not: str = ""
    """Why there are none; empty where there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run."""

    parts: Sequence[str]
    """Of `nulls`, `drifts` and `real`."""
    seeds: range
    streams: Sequence[str]
    """Patterns of names."""
    methods: Sequence[str]
    folder: Path | None
    """Where NannyML's wheel is."""


def lines(wanted: Wanted) -> Iterator[Line]:
    """The lines of the table, as they come."""
    if "nulls" in wanted.parts:
        for streams in QUIET:
            yield from _seeded(streams, "quiet", wanted)
    real = in_order(wanted.folder) if "real" in wanted.parts else {}
    for name, stream in real.items():
        yield from _real(f"{name.split(',')[0]}, shuffled", "quiet", stream, wanted)
    if "drifts" in wanted.parts:
        for streams in CHANGING:
            yield from _seeded(streams, "change", wanted)
    for name, stream in real.items():
        kind: Kind = "order" if isinstance(stream, NoSetError) or stream.change is None else "change"
        yield from _real(name, kind, stream, wanted)


def _seeded(streams: Mapping[str, Make], kind: Kind, wanted: Wanted) -> Iterator[Line]:
    for name, make in streams.items():
        if _is_wanted(name, wanted):
            yield _line(name, kind, partial(drawn, name, make), wanted=wanted, seeds=wanted.seeds, ours=by_comparison)


def _real(name: str, kind: Kind, stream: Stream | NoSetError, wanted: Wanted) -> Iterator[Line]:
    if not _is_wanted(name, wanted):
        return
    if isinstance(stream, NoSetError):
        yield Line(name, kind, why_not=str(stream))
    elif kind == "quiet":
        yield _line(name, kind, partial(shuffled, stream), wanted=wanted, seeds=wanted.seeds, ours=by_detector)
    else:
        yield _line(name, kind, lambda _: stream, wanted=wanted, seeds=wanted.seeds[:1], ours=by_detector)


def _is_wanted(name: str, wanted: Wanted) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted.streams)


def _line(name: str, kind: Kind, make: Callable[[int], Stream], *, wanted: Wanted, seeds: range, ours: Ours) -> Line:
    began = time.perf_counter()
    line = Line(name, kind, {method: [] for method in wanted.methods})
    for seed in seeds:
        methods = [method for method in wanted.methods if method != SLOW or seed == seeds[0]]
        for method, found in _outcomes(make(seed), methods, ours).items():
            line.outcomes[method].append(found)
    print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return line


def _outcomes(stream: Stream, methods: Sequence[str], ours: Ours) -> Mapping[str, Outcome]:
    alarms = {}
    if OURS in methods:
        alarms[OURS] = ours(stream.reference, stream.current, pane_rows=PANE_ROWS)
    if any(method in detection_windows.METHODS for method in methods):
        windows = window_alarms(stream, pane_rows=PANE_ROWS)
        alarms |= {method: windows[method] for method in methods if method in windows}
    for method in methods:
        if method in RIVER:
            alarms[method] = river_alarms(stream, RIVER[method], pane_rows=PANE_ROWS)
    return {method: outcome(each, change=stream.change, pane_rows=PANE_ROWS) for method, each in alarms.items()}
