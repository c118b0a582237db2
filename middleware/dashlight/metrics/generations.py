"""How long language models took: histograms by what was asked of which model, of the exchanges that were analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import MOST_COUNT, fitted, within
from dashlight.window.histogram import LATENCY, Binning
from dashlight.window.names import OTHER

GenerationKey: TypeAlias = tuple[str, str, str, str, str]
"""Operation, protocol, model that was asked for, model that answered, type of error; each empty where it is not known."""

MOST_GENERATIONS = 32
"""Keys of their own; clients choose the names of models. Further ones share keys without those."""
MOST_SHARED = 16
"""Of these again; the rest is one."""
MOST_IN_ALL = MOST_GENERATIONS + MOST_SHARED + 1
"""Keys that there can be: those, those, and the rest."""
_REST: GenerationKey = (OTHER, OTHER, OTHER, OTHER, OTHER)
_BINNING = Binning(LATENCY, LATENCY, LATENCY)


@dataclass(frozen=True, slots=True, eq=False)
class GenerationTimes:
    """Histograms of seconds, each of shape (LATENCY.bins,)."""

    durations: NDArray[np.int64]
    first_tokens: NDArray[np.int64]
    """To the first piece of a stream."""
    per_token: NDArray[np.int64]
    """Between two tokens of a stream, its mean."""

    def __add__(self, other: GenerationTimes) -> GenerationTimes:
        return GenerationTimes(
            self.durations + other.durations, self.first_tokens + other.first_tokens, self.per_token + other.per_token
        )


class GenerationSums:
    """Sums of times by key, of a bounded number of keys."""

    def __init__(self) -> None:
        self._sums: dict[GenerationKey, GenerationTimes] = {}

    @property
    def state(self) -> Mapping[GenerationKey, GenerationTimes]:
        """The sums by key, in the order in which the keys came."""
        return self._sums

    def restore(self, state: Mapping[GenerationKey, GenerationTimes]) -> None:
        """Goes on from *state*; ValueError where there are too many keys, or no counts."""
        within("kinds of generations", len(state), 0, MOST_IN_ALL)
        self._sums = {key: _fitting(times) for key, times in state.items()}

    def add(self, key: GenerationKey, times: GenerationTimes) -> None:
        """Adds *times* under *key*, or under one that stands for it where there are too many."""
        place = self._place(key)
        known = self._sums.get(place)
        self._sums[place] = times if known is None else known + times

    def add_all(self, counted: Mapping[GenerationKey, GenerationTimes]) -> None:
        """Adds all that was *counted*, in a pane say."""
        for key, times in counted.items():
            self.add(key, times)

    def items(self) -> Sequence[tuple[GenerationKey, GenerationTimes]]:
        """All there is, in the order in which the keys came."""
        return tuple(self._sums.items())

    def take(self) -> dict[GenerationKey, GenerationTimes]:
        """All there is, and begins anew."""
        taken, self._sums = self._sums, {}
        return taken

    def _place(self, key: GenerationKey) -> GenerationKey:
        if key in self._sums or len(self._sums) < MOST_GENERATIONS:
            return key
        operation, protocol, _, _, error = key
        shared = (operation, protocol, OTHER, OTHER, error)
        return shared if shared in self._sums or len(self._sums) < MOST_GENERATIONS + MOST_SHARED else _REST


def _fitting(times: GenerationTimes) -> GenerationTimes:
    durations, first_tokens, per_token = (
        _histogram(counts) for counts in (times.durations, times.first_tokens, times.per_token)
    )
    return GenerationTimes(durations, first_tokens, per_token)


def _histogram(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """*counts*; ValueError where their sum would not fit into 64 bits."""
    fitting = fitted("times of generations", counts, like=np.zeros(LATENCY.bins, np.int64), least=0, most=MOST_COUNT)
    within("generations", float(fitting.sum(dtype=np.float64)))
    return fitting


def generation_times(
    *, duration_seconds: float, first_token_seconds: float | None, seconds_per_token: float | None
) -> GenerationTimes:
    """Those of one exchange; None where there is no such time."""
    seconds = [duration_seconds, first_token_seconds, seconds_per_token]
    quantities = np.array([[np.nan if each is None else each] for each in seconds], np.float64)
    durations, first_tokens, per_token = np.split(_BINNING.count(quantities), 3)
    return GenerationTimes(durations, first_tokens, per_token)


def merge_generations(
    parts: Sequence[Mapping[GenerationKey, GenerationTimes]],
) -> Mapping[GenerationKey, GenerationTimes]:
    """The sum of *parts*: of what several workers counted."""
    sums = GenerationSums()
    for part in parts:
        sums.add_all(part)
    return sums.take()
