"""River's detectors at their defaults: they take every value of every row one by one, so the slow one on one column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from benchmarks.detection_outcome import Alarms
from benchmarks.detection_streams import Column, Floats, Stream
from river.drift import ADWIN, KSWIN, PageHinkley

LEARNED_ROWS = 10_000
"""Of the reference, its last rows: each detector sees them first, and its alarms on them are not counted."""


class Detector(Protocol):
    """What we call of a detector."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last value raised an alarm."""
        ...

    def update(self, x: float) -> None:
        """Take one value."""
        ...


METHODS: Mapping[str, Callable[[], Detector]] = {
    "ADWIN": ADWIN,
    "PageHinkley": PageHinkley,
    "KSWIN": lambda: KSWIN(seed=0),
}
SLOW = "KSWIN"
"""Half a millisecond a value: it watches one column, one that changes where one does."""


def river_alarms(stream: Stream, method: str, *, pane_rows: int) -> Alarms:
    """The columns in which *method* raised an alarm during each pane, shape (panes, columns watched)."""
    columns = (*stream.moved, *stream.reference)[:1] if method == SLOW else tuple(stream.reference)
    alarms: list[list[bool]] = []
    for name in columns:
        known, values = numbers(stream.reference[name], stream.current[name])
        detector = METHODS[method]()
        for value in known[-LEARNED_ROWS:][~np.isnan(known[-LEARNED_ROWS:])].tolist():
            detector.update(value)
        panes = values[: len(values) // pane_rows * pane_rows].reshape(-1, pane_rows)
        alarms.append([_rang(detector, pane) for pane in panes])
    return np.array(alarms, np.bool_).T


def numbers(known: Column, values: Column) -> tuple[Floats, Floats]:
    """Both as numbers: a word as its rank among those of the reference, by frequency; a new one as the next rank."""
    if not isinstance(known, list):
        return known, np.asarray(values, np.float64)
    words, counts = np.unique(np.array([word for word in known if word is not None]), return_counts=True)
    ranks: dict[str | None, float] = {str(words[at]): float(rank) for rank, at in enumerate(np.argsort(-counts))}
    ranks[None], new = np.nan, float(len(words))
    learned = [ranks[word] for word in known]
    return np.array(learned), np.array([ranks.get(word, new) for word in values])


def _rang(detector: Detector, pane: Floats) -> bool:
    rang = False
    for value in pane[~np.isnan(pane)].tolist():
        detector.update(value)
        rang |= detector.drift_detected
    return rang
