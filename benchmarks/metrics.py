"""What metrics cost: making figures once in a pane, handing them on, and showing them.

    python -m benchmarks.metrics [COLUMNS]

Prints milliseconds of one thread, the fastest of several runs each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from dashlight.deliver.encoding.metrics import MetricEncoder
from dashlight.metrics.prometheus import exposition
from dashlight.metrics.totals import Totals
from dashlight.records import Score, WatchState
from dashlight.window.outcomes import OutcomeCounter
from dashlight.workers.layouts import FIGURES

_RUNS: Final = 15
_STATISTICS: Final = (
    "missing_rate",
    "type_error_rate",
    "psi",
    "js",
    "out_of_range_rate",
    "ks",
    "w1",
    "minimum_detectable_shift",
)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of one model."""

    scores: Sequence[Score]
    model: str = "model"
    version: str = "1"
    state: WatchState | None = "watching"
    is_unasked: bool = False


def main(columns: int) -> None:
    """Prints what each step costs with so many columns."""
    counter = OutcomeCounter()
    seconds = np.random.default_rng(1).lognormal(-4, 1, 1000)
    counter.add(
        ["ok"] * 1000,
        duration_seconds=seconds,
        first_byte_seconds=seconds,
        request_bytes=seconds,
        response_bytes=seconds,
    )
    pane = counter.close(10.0)
    totals = Totals(started_at=0.0)
    scores = [
        Score(f"column_{place}", "feature", name, 0.1, 0.0, 0.2, 1000)
        for place in range(columns)
        for name in _STATISTICS
    ]
    snapshots = [("/predict", _Scores(scores))]
    gauges = {"workers": 4.0, "in_flight": 1.0, "analysed_rate": 1.0}

    def pane_of_figures() -> object:
        totals.add_outcomes("/predict", pane)
        return totals.figures(at=10.0, snapshots=snapshots, alerts=(), gauges=gauges)

    figures = totals.figures(at=10.0, snapshots=snapshots, alerts=(), gauges=gauges)
    content = b"".join(FIGURES.freeze(figures))
    encoder = MetricEncoder({"service.name": "bench"}, "dashlight", "0")
    print(f"{columns} columns: {len(figures.figures)} figures, {len(content)} bytes to hand on")
    steps: dict[str, Callable[[], object]] = {
        "add a pane and make figures": pane_of_figures,
        "encode them for the workers": lambda: FIGURES.freeze(figures),
        "decode them in a worker": lambda: FIGURES.thaw(content),
        "write them for Prometheus": lambda: exposition(figures, ""),
        "write them as OpenMetrics": lambda: exposition(figures, "application/openmetrics-text"),
        "write them as OTLP": lambda: encoder.request([encoder.metrics(figures)]),
    }
    for name, step in steps.items():
        print(f"{name:32} {_milliseconds(step):8.2f} ms")


def _milliseconds(step: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(_RUNS):
        began = perf_counter()
        step()
        taken.append((perf_counter() - began) * 1e3)
    return min(taken)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
