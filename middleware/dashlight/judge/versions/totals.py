"""What one version did in some panes: outcomes, latencies, outputs, and how good it was where labels came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.versions.auc import SCORE_BINS
from dashlight.judge.versions.bets import OUTCOMES
from dashlight.labels.rows import Floats
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS

_GRID: Final = np.linspace(0.0, 1.0, 33)
MEASURES: Final[Mapping[str, tuple[Floats, bool]]] = {
    "accuracy": (OUTCOMES, False),
    "precision": (OUTCOMES, False),
    "recall": (OUTCOMES, False),
    "log_loss": (_GRID, True),
    "brier": (_GRID, True),
    "mae": (_GRID, True),
    "ctr": (OUTCOMES, False),
    "mrr": (_GRID, False),
}
"""Figures that are means of rows: the values from 0 to 1 that are counted, and whether more of it is worse."""
MOST_LOG_LOSS: Final = 7.0
"""What a row can lose at most, in nats: larger losses count as this one, which is 1."""
MOST_OUTPUTS: Final = 8
"""Columns of outputs that are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class VersionTotals:
    """Of one version; totals add up, over panes and over processes."""

    asked: int = 0
    failed: int = 0
    refused: int = 0
    durations: NDArray[np.int64] = field(default_factory=lambda: np.zeros(LATENCY.bins, np.int64))
    """Shape (LATENCY.bins,)."""
    reference: str = ""
    """Version of the reference over whose bins *outputs* are; empty where there are none."""
    outputs: Mapping[str, NDArray[np.int64]] = field(default_factory=dict[str, NDArray[np.int64]])
    """Rows by the bin of an output, by its name; each of shape (BINS,)."""
    measured: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    """Rows with labels by the value of a measure, by its name; each of the shape of the values of MEASURES."""
    scores: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, SCORE_BINS), np.int64))
    """Rows with labels of two classes by the bin of their score, shape (2, SCORE_BINS): negatives, positives."""

    @property
    def failures(self) -> NDArray[np.int64]:
        """Exchanges that did not fail, and that did."""
        return np.array([self.asked - self.failed, self.failed])

    @property
    def refusals(self) -> NDArray[np.int64]:
        """Exchanges that were not refused, and that were."""
        return np.array([self.asked - self.refused, self.refused])

    def __add__(self, later: VersionTotals) -> VersionTotals:
        """Both together; of outputs over other bins than before the later ones alone."""
        are_alike = not later.outputs or not self.outputs or later.reference == self.reference
        outputs = {**self.outputs} if are_alike else {}
        for name, counts in later.outputs.items():
            outputs[name] = outputs[name] + counts if name in outputs else counts
        measured = {**self.measured}
        for name, rows in later.measured.items():
            measured[name] = measured[name] + rows if name in measured else rows
        return VersionTotals(
            self.asked + later.asked,
            self.failed + later.failed,
            self.refused + later.refused,
            self.durations + later.durations,
            later.reference or self.reference,
            outputs,
            measured,
            self.scores + later.scores,
        )


def checked(totals: VersionTotals) -> VersionTotals:
    """*totals*, which were kept; ValueError where they cannot be true."""
    for count in (totals.failed, totals.refused):
        within("exchanges", count, 0, within("exchanges", totals.asked))
    refuse("more outputs than are compared", where=len(totals.outputs) > MOST_OUTPUTS)
    nothing = VersionTotals()
    return VersionTotals(
        totals.asked,
        totals.failed,
        totals.refused,
        fitted("latencies", totals.durations, like=nothing.durations, least=0, most=MOST_COUNT),
        totals.reference,
        {
            name: fitted("outputs", counts, like=np.zeros(BINS, np.int64), least=0, most=MOST_COUNT)
            for name, counts in totals.outputs.items()
        },
        {
            name: fitted("measured rows", rows, like=_values_of(name), least=0.0, most=float(MOST_COUNT))
            for name, rows in totals.measured.items()
        },
        fitted("scores", totals.scores, like=nothing.scores, least=0, most=MOST_COUNT),
    )


def _values_of(name: str) -> Floats:
    refuse("a measure that nobody makes", where=name not in MEASURES)
    return MEASURES[name][0]
