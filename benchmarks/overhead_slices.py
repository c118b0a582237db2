"""CPU per request that each variant adds to the bare app, from slices taken in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.sink import counts_of
from benchmarks.variants import Variant

ROOT = Path(__file__).parents[1]
STARTED = ("DASHLIGHT_", "OTEL_")
"""Variables that no child may inherit."""


@dataclass(frozen=True, slots=True)
class Added:
    """What one variant costs, in microseconds of CPU per request."""

    min_us: float
    """Difference of the quietest slices: repeats best."""
    median_us: float
    """Median of the differences between a slice and the mean of its two neighbours."""
    loop_min_us: float
    """The same for the thread of the event loop alone."""
    loop_median_us: float
    bare_us: float
    """The quietest bare slice in the same process."""
    requests: int


class NoResultError(Exception):
    """Something was lost, so that its cost was not measured."""


class Child:
    """A process that measures one slice whenever it is asked to."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self._name = name
        self._process = process
        self.slices: list[Any] = []

    def ready(self) -> None:
        """Waits until it is warm."""
        self._answer()

    def take(self) -> None:
        """One more slice."""
        if self._process.stdin is not None:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        self.slices.append(json.loads(self._answer()))

    def added(self, variant: Variant, arrived: Mapping[str, float]) -> Added:
        """The result of all slices; NoResultError if not everything arrived, or not every row was analysed."""
        last, spans = self.slices[-1], variant.spans
        if last["lost"]:
            raise NoResultError(f"{self._name}: no result, because of {last['lost']}")
        if spans and arrived.get("traces", 0) != spans * last["requests"]:
            raise NoResultError(f"{self._name}: {arrived.get('traces', 0)} spans arrived of {spans * last['requests']}")
        if variant.events and arrived.get("logs", 0) < variant.events * last["requests"]:
            raise NoResultError(f"{self._name}: {arrived.get('logs', 0)} events arrived of {last['requests']}")
        rows, exchanges = arrived.get("value of rows", 0), arrived.get("rows of rows", 0)
        if variant.analysed and not rows == exchanges > 0:
            raise NoResultError(f"{self._name}: {rows:.0f} rows analysed of {exchanges:.0f} at the last report")
        return Added(
            *_differences(self.slices, "all_us"),
            *_differences(self.slices, "loop_us"),
            min(each[side]["all_us"] for each in self.slices for side in ("before", "after")),
            last["requests"],
        )

    def _answer(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise NoResultError(f"{self._name}: its process ended with status {self._process.wait()}")
        return line


def added_by_variant(
    known: Mapping[str, Variant], names: Sequence[str], *, sink: str, reference: Path, rounds: int
) -> dict[str, Added]:
    """The cost of every variant in *names*: one process each, one slice each a round, the order reversed each round.

    Raises:
        NoResultError: a process failed, or something was dropped on the way.
    """
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(_running(name, known[name].environ, sink=sink, reference=reference))
            for name in names
        }
        order = list(children.values())
        for taken in range(rounds):
            for child in order:
                child.take()
            order.reverse()
            print(f"\r  round {taken + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        arrived = counts_of(sink)
        return {name: child.added(known[name], arrived.get(name, {})) for name, child in children.items()}


def clean_environ(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings of Dashlight or OpenTelemetry, save *changes*."""
    return {name: value for name, value in os.environ.items() if not name.startswith(STARTED)} | dict(changes)


@contextmanager
def _running(name: str, environ: Mapping[str, str], *, sink: str, reference: Path) -> Iterator[Child]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.overhead_worker", name, sink, str(reference)],
        cwd=ROOT,
        env=clean_environ(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        child = Child(name, process)
        child.ready()
        yield child
    finally:
        process.kill()
        process.wait()


def _differences(slices: Sequence[Any], part: str) -> tuple[float, float]:
    """(of the quietest slices, median of the paired ones)."""
    watched = [each["watched"][part] for each in slices]
    bare = [(each["before"][part], each["after"][part]) for each in slices]
    paired = [seen - (before + after) / 2 for seen, (before, after) in zip(watched, bare, strict=True)]
    return min(watched) - min(map(min, bare)), median(paired)
