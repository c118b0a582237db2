"""How long labels take to come, over the last labels: quantiles on a scale of logarithms."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import fitted, moment, within

Floats = NDArray[np.float64]

_PARTS = 30
"""Of the window, that are forgotten one at a time."""
_EDGES: Floats = np.geomspace(1.0, 400 * 86_400.0, 97)
"""Seconds: six bins double a delay, nearly; a quantile is off by less than 11 %."""
QUANTILES = (0.5, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class DelaysState:
    """Of `Delays`."""

    begun_at: Floats
    """Shape (parts,)."""
    counts: NDArray[np.int64]
    """Shape (parts, bins)."""


class Delays:
    """From prediction to label, of the labels that came in the last *window_seconds*."""

    def __init__(self, window_seconds: float) -> None:
        self._window_seconds = window_seconds
        self._parts: deque[tuple[float, NDArray[np.int64]]] = deque()
        """When each part began, and its counts; the oldest first."""

    @property
    def state(self) -> DelaysState:
        """What outlives the process."""
        counts = [counts for _, counts in self._parts]
        return DelaysState(
            np.array([begun_at for begun_at, _ in self._parts], np.float64),
            np.array(counts, np.int64).reshape(len(counts), len(_EDGES) + 1),
        )

    def restore(self, state: DelaysState) -> None:
        """Goes on from *state*; ValueError where it does not fit."""
        parts = within("parts of a window", len(state.begun_at), 0, _PARTS + 2)
        begun = fitted("beginnings", state.begun_at, like=np.zeros(parts))
        counts = fitted("delays", state.counts, like=np.zeros((parts, len(_EDGES) + 1), np.int64), least=0)
        for begun_at in begun.tolist():
            moment("the beginning of a part", begun_at)
        self._parts = deque(zip(begun.tolist(), counts.copy(), strict=True))

    def add(self, delays: Floats, at: float) -> None:
        """Takes the *delays*, in seconds, of labels that came up to the moment *at*."""
        if not self._parts or not 0 <= at - self._parts[-1][0] < self._window_seconds / _PARTS:
            self._parts.append((at, np.zeros(len(_EDGES) + 1, np.int64)))
        known = delays[np.isfinite(delays)]
        self._parts[-1][1][:] += np.bincount(np.searchsorted(_EDGES, known, "right"), minlength=len(_EDGES) + 1)
        self.forget(at)

    def forget(self, at: float) -> None:
        """Forgets what came before the window that ends *at*; likewise what a clock that was set back left behind."""
        while self._parts and not 0 <= at - self._parts[0][0] <= self._window_seconds:
            self._parts.popleft()
        while len(self._parts) > _PARTS + 1:
            self._parts.popleft()

    def quantiles(self) -> Iterator[tuple[float, float, int]]:
        """Share, delay in seconds and how many labels there are, for each of QUANTILES; nothing where there is none."""
        counts = _sum(counts for _, counts in self._parts)
        total = int(counts.sum())
        for share in QUANTILES if total else ():
            place = int(np.searchsorted(np.cumsum(counts), share * total))
            low, high = _EDGES[max(place - 1, 0)], _EDGES[min(place, len(_EDGES) - 1)]
            yield share, float(np.sqrt(low * high)) if place else 0.0, total


def _sum(parts: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    total = np.zeros(len(_EDGES) + 1, np.int64)
    for counts in parts:
        total += counts
    return total
