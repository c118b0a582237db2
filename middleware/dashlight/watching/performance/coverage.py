"""To how many of the predictions of a window a label has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.labels.store import WaitingCounts
from dashlight.records import Score
from dashlight.window.fitting import refuse, within


@dataclass(frozen=True, slots=True, eq=False)
class CoverageState:
    """Predictions of the window, and those of them whose label has come."""

    predictions: int
    labelled: int


def coverage_of(counts: WaitingCounts) -> CoverageState:
    """What *counts* come to."""
    return CoverageState(int(counts.predictions.sum()), int(counts.labelled.sum()))


def check_coverage(state: CoverageState | None) -> CoverageState | None:
    """*state*, which can be true; ValueError where it cannot."""
    if state is not None:
        within("labels", state.labelled)
        refuse("more labels than predictions", where=state.labelled > within("predictions", state.predictions))
    return state


def coverage_scores(state: CoverageState | None) -> Iterator[Score]:
    """`label_coverage`: the share, 0 to 1, of the predictions of the window whose label has come."""
    if state is not None and state.predictions:
        labelled, predictions = np.array(state.labelled), np.array(state.predictions)
        value, low, high = map(float, wilson_interval(labelled, predictions))
        yield Score(None, None, "label_coverage", value, low, high, state.predictions)
