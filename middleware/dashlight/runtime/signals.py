"""Business numbers on their way to the counts: those that the app told, and those that are read from exchanges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import nan

from dashlight.capture.signals import Signals, SignalValue
from dashlight.counting.machine import MachineCounter
from dashlight.decode.signals import SIGNALS, SignalSource, prediction_of, read_signals
from dashlight.metrics.losses import SignalFate
from dashlight.records import Exchange


class SignalIntake:
    """Counts each signal as the column of a model of its own. Used by the analysis thread alone."""

    def __init__(self, signals: Signals, sources: Sequence[SignalSource], counter: MachineCounter) -> None:
        """*signals* is where the app tells of them, *sources* where exchanges do."""
        self._signals, self._sources, self._counter = signals, sources, counter

    def read(self, exchanges: Sequence[Exchange]) -> None:
        """Takes what *exchanges* say."""
        if self._sources:
            for name, value in read_signals(exchanges, self._sources):
                self._signals.add(name, value if isinstance(value, bool | int | float | str) else nan)

    def count(self) -> None:
        """Counts what came since the last call."""
        for name, values in self._signals.take().items():
            self._counter.endpoint(SIGNALS).add(prediction_of(name, _column(values)), ())

    @property
    def lost(self) -> Mapping[SignalFate, int]:
        """What was lost since the start, by reason."""
        return {SignalFate(SIGNALS, "dropped", reason): count for reason, count in self._signals.lost.items()}


def _column(values: Sequence[SignalValue]) -> list[object]:
    kinds = Counter(map(type, values))
    # A whole number that is told as 1 and as 1.0 is of one kind.
    return [float(value) if type(value) is int else value for value in values] if kinds[int] else list(values)
