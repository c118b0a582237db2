"""How good the estimates were: each kept until the truth about the same window comes, then compared with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashlight.judge.performance.estimates.estimate import PerformanceEstimate
from dashlight.window.fitting import moment, refuse

MOST_WINDOWS = 100
"""The last of which estimates are kept: a bit more than three months of days."""
MOST_MEASURES = 128
"""Of one window: three of each of 32 classes, and those about all."""
_LONGEST_NAME = 200
_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class RecordedMeasure:
    """One estimated measure of one window."""

    name: str
    value: float
    low: float
    high: float
    realised: float | None
    """None until its labels have come."""


@dataclass(frozen=True, slots=True)
class RecordedWindow:
    """One window of which something was estimated."""

    began_at: float
    ended_at: float
    measures: tuple[RecordedMeasure, ...]


@dataclass(frozen=True, slots=True)
class EstimateAccuracy:
    """How far estimates of one measure were off."""

    windows: int
    """Whose truth is known, at least one; of those that are still kept."""
    mean_absolute_error: float
    inside_share: float
    """In what share of them the realised value was inside the interval, 0 to 1; 0.95 is expected while equal inputs have
    equal outcomes."""
    worst_began_at: float
    """The window whose estimate was furthest off."""
    worst_ended_at: float
    worst_error: float
    """PerformanceEstimate minus truth there."""


class EstimateRecord:
    """The last MOST_WINDOWS windows of one model of which something was estimated, and what came true."""

    def __init__(self) -> None:
        self._windows: list[RecordedWindow] = []

    @property
    def windows(self) -> Sequence[RecordedWindow]:
        """In order of their ends."""
        return tuple(self._windows)

    @property
    def state(self) -> tuple[RecordedWindow, ...]:
        """What outlives the process."""
        return tuple(self._windows)

    def restore(self, state: tuple[RecordedWindow, ...]) -> None:
        """Go on from *state*; ValueError where nothing leads to it."""
        refuse(f"{len(state)} windows of estimates", where=len(state) > MOST_WINDOWS)
        last = -np.inf
        for window in state:
            _check(window)
            refuse("windows of estimates out of order", where=window.ended_at <= last)
            last = window.ended_at
        self._windows = list(state)

    def keep(self, began_at: float, ended_at: float, estimate: PerformanceEstimate) -> None:
        """Keep what was estimated of the window from *began_at* to *ended_at*; what was kept of the same is replaced.

        Measures without a name or a range that a file may hold are left out.
        """
        measures = tuple(
            recorded
            for each in estimate.measures[:MOST_MEASURES]
            if not _wrong(recorded := RecordedMeasure(each.name, each.value, each.low, each.high, None))
        )
        if measures:
            others = [window for window in self._windows if window.ended_at != ended_at]
            kept = [*others, RecordedWindow(began_at, ended_at, measures)]
            self._windows = sorted(kept, key=lambda window: window.ended_at)[-MOST_WINDOWS:]

    def settle(self, ended_at: float, realised: Mapping[str, float]) -> None:
        """Take what came true in the window that ended *ended_at*, by the name of the measure; again when more labels have come."""
        for place, window in enumerate(self._windows):
            if window.ended_at == ended_at:
                measures = tuple(
                    replace(each, realised=_finite(realised.get(each.name), each.realised)) for each in window.measures
                )
                self._windows[place] = replace(window, measures=measures)

    def accuracy(self, name: str) -> EstimateAccuracy | None:
        """How far estimates of one measure were off; None as long as no truth is known."""
        settled = [
            (window, each, each.value - each.realised)
            for window in self._windows
            for each in window.measures
            if each.name == name and each.realised is not None
        ]
        if not settled:
            return None
        errors = np.array([error for _, _, error in settled])
        inside = [each.low <= (each.realised or 0.0) <= each.high for _, each, _ in settled]
        worst, _, error = settled[int(np.abs(errors).argmax())]
        return EstimateAccuracy(
            len(settled),
            float(np.abs(errors).mean()),
            float(np.mean(inside)),
            worst.began_at,
            worst.ended_at,
            error,
        )


def _finite(value: float | None, otherwise: float | None) -> float | None:
    return value if value is not None and abs(value) <= _LARGEST else otherwise


def _check(window: RecordedWindow) -> None:
    moment("the beginning of a window", window.began_at)
    moment("the end of a window", window.ended_at)
    refuse("a window that ends before it begins", where=window.ended_at < window.began_at)
    refuse(f"{len(window.measures)} measures of a window", where=not 1 <= len(window.measures) <= MOST_MEASURES)
    for each in window.measures:
        wrong = _wrong(each)
        refuse(f"an estimate of {wrong}", where=bool(wrong))


def _wrong(measure: RecordedMeasure) -> str:
    """What is wrong with it; empty where nothing is."""
    if len(measure.name) > _LONGEST_NAME:
        return "a measure with too long a name"
    # A NaN is in no order.
    if not (-_LARGEST <= measure.low <= measure.high <= _LARGEST and abs(measure.value) <= _LARGEST):
        return "a value outside of every range"
    if measure.realised is not None and not abs(measure.realised) <= _LARGEST:
        return "what came true outside of every range"
    return ""
