"""Memory that a watched app holds more of after 50,000 requests: all spans, drift on every row, panes closing."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.model_app import ask, bodies
from benchmarks.overhead_slices import ROOT, NoResultError, clean_environ
from benchmarks.variants import variants

_WARM_UP = 10_000
_STEP = 5_000
_STEPS = 10
# Fifty times faster than by default, so that windows fill up and panes are judged within a few seconds.
_FAST_PANES = {"DASHLIGHT_PANE": "200ms", "DASHLIGHT_WINDOW": "2s"}


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident memory, in bytes."""

    bytes_after_warm_up: int
    growth_bytes: int
    """From the warm-up to the end."""
    requests: int
    steps_bytes: Sequence[int]
    """Growth at each step."""


def growth(sink: str, reference: Path, name: str) -> Growth:
    """Growth of one variant, in a process of its own.

    Raises:
        NoResultError: it failed, or dropped something.
    """
    environ = variants(sink, reference)[name].environ | _FAST_PANES
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.overhead_memory", name, sink, str(reference)],
        cwd=ROOT,
        env=clean_environ(environ),
        stdout=subprocess.PIPE,
        check=False,
    )
    if child.returncode:
        raise NoResultError(f"memory of {name}: its process ended with status {child.returncode}")
    resident, lost = json.loads(child.stdout)
    if lost:
        raise NoResultError(f"memory of {name}: no result, because of {lost}")
    steps = [each - resident[0] for each in resident]
    return Growth(resident[0], steps[-1], _STEP * _STEPS, steps)


def _child(name: str, sink: str, reference: str) -> None:
    measured = variants(sink, Path(reference))[name].build()
    pool = bodies(_STEP, seed=1)

    async def drive() -> None:
        for body in pool:
            await ask(measured.app, body)

    resident: list[int] = []
    with asyncio.Runner() as runner:
        for step in range(_WARM_UP // _STEP + _STEPS):
            runner.run(drive())
            measured.flush()
            gc.collect()
            if step + 1 >= _WARM_UP // _STEP:
                resident.append(_resident_bytes())
    print(json.dumps([resident, {reason: count for reason, count in measured.lost().items() if count}]))


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    _child(*sys.argv[1:])
