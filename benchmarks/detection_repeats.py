"""Rows that are no evidence, measured: `python -m benchmarks.detection_repeats`.

Streams in which nothing changes but who asks how often: retries, probes by day and night, sessions, one loud user. Every
drift alarm is false. `plain` is the same judge of rows that all count. Seeds below 100 are for designing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from benchmarks.detection_streams import DAY, Column, Columns, everyday

from dashlight import DriftDetector
from dashlight.records import Alert
from dashlight.window.reference.build import build_reference_from_columns

REFERENCE_ROWS, ROWS, PANE_ROWS = 10_000, 30_000, 100
PANE_SECONDS = 10.0
KEY = "session"
SESSION_ROWS, SIDE_BY_SIDE = 20, 30
"""Rows of a session on average, and sessions that are open at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Rows to learn from and rows to watch, in time order; with a column KEY, or without."""

    reference: Columns
    current: Columns


def repeats(rng: np.random.Generator) -> Asked:
    """Every five hundred seconds a payload is sent again: 30 times at once, or as a third of six panes."""
    current = everyday(rng, ROWS)
    again = np.arange(ROWS)
    for storm, begin in enumerate(range(5_000, ROWS - 1_000, 50 * PANE_ROWS)):
        rows = begin + (np.arange(30) if storm % 2 else np.arange(0, 6 * PANE_ROWS, 3))
        again[rows] = begin
    return Asked(everyday(rng, REFERENCE_ROWS), _at(current, again))


def probes(rng: np.random.Generator) -> Asked:
    """Three payloads are a tenth of the rows by day, and nearly all of them by night."""
    at = np.arange(ROWS)
    share = np.where(at // (DAY // 2) % 2 == 0, 0.1, 0.95)
    return Asked(
        everyday(rng, REFERENCE_ROWS), _at(everyday(rng, ROWS), np.where(rng.random(ROWS) < share, at % 3, at))
    )


def sessions(tail: float, rng: np.random.Generator) -> Asked:
    """Rows of a session differ little from one another; lengths are geometric, or Pareto of index *tail*."""
    return Asked(_sessions(rng, REFERENCE_ROWS, tail), _sessions(rng, ROWS, tail))


def loud_user(rng: np.random.Generator) -> Asked:
    """Everybody asks once, and then one user half of the time, with nearly the same row."""
    reference, current = everyday(rng, REFERENCE_ROWS), everyday(rng, ROWS)
    keys = np.arange(REFERENCE_ROWS + ROWS)
    is_loud = (rng.random(ROWS) < 0.5) & (np.arange(ROWS) > ROWS // 3)
    one = _jittered(rng, _at(current, np.zeros(ROWS, np.intp)))
    mixed: dict[str, Column] = {}
    for name, values in current.items():
        loud = one[name]
        if isinstance(values, list):
            mixed[name] = [b if told else a for a, b, told in zip(values, loud, is_loud.tolist(), strict=True)]
        else:
            mixed[name] = np.where(is_loud, np.asarray(loud, np.float64), values)
    of_current = np.where(is_loud, -1, keys[REFERENCE_ROWS:])
    return Asked(_keyed(reference, keys[:REFERENCE_ROWS]), _keyed(mixed, of_current))


STREAMS: Mapping[str, Callable[[np.random.Generator], Asked]] = {
    "retries": repeats,
    "probes by day and night": probes,
    "sessions of 20 rows": partial(sessions, np.inf),
    "sessions, Pareto 1.5": partial(sessions, 1.5),
    "one loud user": loud_user,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What fired on one stream."""

    drift: int
    events: int


def found(asked: Asked, *, plain: bool) -> Found:
    """What fires on *asked*; where it is *plain*, all rows count."""
    has_key = KEY in asked.reference
    words = [name for name, values in asked.reference.items() if isinstance(values, list) and name != KEY]
    reference: Columns = asked.reference if has_key and not plain else _without_key(asked.reference)
    built = build_reference_from_columns(
        reference,
        {},
        rng=np.random.default_rng(0),
        created_at=0.0,
        categorical=words,
        cluster=KEY if has_key and not plain else "",
    )
    detector = DriftDetector(replace(built, payloads=None) if plain else built, pane_seconds=PANE_SECONDS)
    current = _without_key(asked.current) if plain else asked.current
    firing: list[Alert] = []
    for pane in range(ROWS // PANE_ROWS):
        rows = slice(pane * PANE_ROWS, (pane + 1) * PANE_ROWS)
        news = detector.update({name: values[rows] for name, values in current.items()}, at=PANE_SECONDS * (pane + 1))
        firing += [alert for alert in news if alert.state == "firing"]
    events = sum(alert.source == "traffic" for alert in firing)
    return Found(len(firing) - events, events)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line a stream: drift alarms, all of them false, and events, added up over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101, 102])
    asked = parser.parse_args(arguments)
    panes = len(asked.seeds) * ROWS // PANE_ROWS
    print(f"{'in ' + str(panes) + ' panes':26} {'false, plain':>14} {'false':>8} {'events':>8}")
    for name, make in STREAMS.items():
        plain = [found(make(np.random.default_rng(seed)), plain=True) for seed in asked.seeds]
        ours = [found(make(np.random.default_rng(seed)), plain=False) for seed in asked.seeds]
        totals = sum(each.drift for each in plain), sum(each.drift for each in ours), sum(each.events for each in ours)
        print(f"{name:26} {totals[0]:14} {totals[1]:8} {totals[2]:8}", flush=True)
    return 0


def _sessions(rng: np.random.Generator, rows: int, tail: float) -> dict[str, Column]:
    """Open sessions take turns; one that ends makes room for another."""
    open_: list[list[int]] = []
    keys = np.empty(rows, np.int64)
    begun = 0
    for row in range(rows):
        while len(open_) < SIDE_BY_SIDE:
            length = rng.geometric(1 / SESSION_ROWS) if np.isinf(tail) else SESSION_ROWS / 3 * (1 + rng.pareto(tail))
            open_.append([begun, int(length)])
            begun += 1
        turn = int(rng.integers(SIDE_BY_SIDE))
        keys[row] = open_[turn][0]
        open_[turn][1] -= 1
        if open_[turn][1] <= 0:
            open_.pop(turn)
    return _keyed(_jittered(rng, _at(everyday(rng, begun), keys)), keys + int(rng.integers(1 << 40)))


def _jittered(rng: np.random.Generator, columns: Columns) -> dict[str, Column]:
    """*columns* with numbers a little off: no two rows are the very same."""
    return {
        name: values if isinstance(values, list) else np.asarray(values) * (1 + 0.01 * rng.standard_normal(len(values)))
        for name, values in columns.items()
    }


def _at(columns: Columns, rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> dict[str, Column]:
    places = rows.tolist()
    return {
        name: [values[place] for place in places] if isinstance(values, list) else np.asarray(values)[rows]
        for name, values in columns.items()
    }


def _keyed(columns: Columns, keys: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> dict[str, Column]:
    return {**columns, KEY: [f"s{key}" for key in keys.tolist()]}


def _without_key(columns: Columns) -> dict[str, Column]:
    return {name: values for name, values in columns.items() if name != KEY}


if __name__ == "__main__":
    sys.exit(main())
