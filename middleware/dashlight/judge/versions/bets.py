"""The difference of two means, bet on block by block: valid at every look, also while the common level drifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.versions.differences import OF_RATES
from dashlight.judge.versions.evidence import SequentialEvidence, shown
from dashlight.labels.rows import Floats
from dashlight.window.fitting import MOST_COUNT, fitted, refuse

SIZES: Final = 8
"""Bets on each value: that the difference is 1, 1/2, 1/4 ... of a standard deviation away from it."""
MEMORY_ROWS: Final = 20_000.0
"""The common level, from which bets are sized and nothing else, is that of about so many rows."""
_CAREFUL: Final = 0.9
"""A block can cost a bet so much of what a row may cost it at most."""
_EDGE: Final = 1e-6
_MOST_LOG: Final = 1e12

OUTCOMES: Final = np.array([0.0, 1.0])
"""The values of what happens or does not."""


@dataclass(frozen=True, slots=True, eq=False)
class PairedBetsState:
    """Of `PairedBets`."""

    capital: Floats
    """Logs, shape (2, differences, SIZES): that it is above, that it is below."""
    peak: Floats
    """Shape (2, differences)."""
    pending: Floats
    """Shape (2, values): stable and candidate, of the block that fills."""
    total: Floats
    """Likewise, of all rows."""
    recent: Floats
    """Likewise, of those of late."""


class PairedBets:
    """Bets on candidate's mean minus stable's, of rows with *values* from 0 to 1; what is between two counts in parts for both.

    A block is what came of both versions between two looks; a block in which one of them is missing waits for it. Against
    "the difference is at most d" the bet on a block multiplies the capital by

        prod over candidate's rows (1 + (L/n1) (y - m - d)) * prod over stable's rows (1 - (L/n0) (y - m))

    with L >= 0 and m chosen before the block is seen, and n1, n0 its rows. 1 + x <= exp(x), so its expectation is at most
    exp(L (mean1 - mean0 - d)) <= 1 where the rows of a block are independent, given what was before, and the difference of
    their means is at most d. m, the level that both share, may be another in every block. L is that which grows fastest
    if the difference is h larger than d; SIZES values of h share the capital.

    Source: Waudby-Smith and Ramdas (2024), JRSSB 86, 1-27, for one mean; Turner and Grünwald (2023), Statistics &
    Probability Letters 198, 109835, for two streams in blocks, whose e-variable is this one where values are 0 or 1.
    """

    def __init__(self, values: Floats = OUTCOMES, differences: Floats = OF_RATES) -> None:
        """*values*, shape (values,), ascend from 0 to 1; *differences* lie between -1 and 1."""
        self._values, self._differences = values, differences
        self._capital = np.zeros((2, len(differences), SIZES))
        self._peak = np.zeros((2, len(differences)))
        self._pending = np.zeros((2, len(values)))
        self._total = np.zeros((2, len(values)))
        self._recent = np.zeros((2, len(values)))

    @property
    def state(self) -> PairedBetsState:
        """What outlives the process."""
        return PairedBetsState(self._capital, self._peak, self._pending, self._total, self._recent)

    def restore(self, state: PairedBetsState) -> None:
        """Goes on from *state*; ValueError where it does not fit."""
        capital = fitted("capital", state.capital, like=self._capital, least=-_MOST_LOG, most=_MOST_LOG)
        peak = fitted("peak", state.peak, like=self._peak, least=0.0, most=_MOST_LOG)
        counts = [
            fitted("rows", array, like=self._total, least=0.0, most=float(MOST_COUNT))
            for array in (state.pending, state.total, state.recent)
        ]
        refuse("more rows that wait than rows", where=bool((counts[0] > counts[1]).any()))
        self._capital, self._peak = capital.copy(), peak.copy()
        self._pending, self._total, self._recent = (each.copy() for each in counts)

    @property
    def rows(self) -> tuple[int, int]:
        """Of stable and of candidate."""
        stable, candidate = self._total.sum(axis=1)
        return round(stable), round(candidate)

    @property
    def means(self) -> tuple[float, float]:
        """Likewise, over all blocks; NaN where there is no row."""
        rows = self._total.sum(axis=1)
        stable, candidate = np.divide(self._total @ self._values, rows, out=np.full(2, np.nan), where=rows > 0)
        return float(stable), float(candidate)

    @property
    def evidence(self) -> SequentialEvidence:
        """What has been shown of the difference at any look so far."""
        return shown(self._differences, *self._peak)

    def add(self, stable: NDArray[np.int64] | Floats, candidate: NDArray[np.int64] | Floats) -> None:
        """Takes the rows of a pane by their values, each of shape (values,)."""
        came = np.array([stable, candidate], np.float64)
        self._pending += came
        self._total += came
        if not self._pending.sum(axis=1).all():
            return
        if self._recent.any():  # the first block says how large bets are to be
            self._bet()
        memory = self._recent.sum() + self._pending.sum()
        self._recent += self._pending
        self._recent *= min(1.0, MEMORY_ROWS / memory)
        self._pending = np.zeros_like(self._pending)

    def _bet(self) -> None:
        stable, candidate = self._recent
        values, most = self._values, self._differences
        self._capital[0] += growth(values, self._pending[1], self._pending[0], (candidate, stable), most)
        self._capital[1] += growth(values, self._pending[0], self._pending[1], (stable, candidate), -most)
        np.clip(self._capital, -_MOST_LOG, _MOST_LOG, out=self._capital)
        np.maximum(self._peak, np.logaddexp.reduce(self._capital, axis=2) - np.log(SIZES), out=self._peak)


def growth(values: Floats, first: Floats, second: Floats, recent: tuple[Floats, Floats], most: Floats) -> Floats:
    """By how much the logs of the capital grow that bet on first's mean minus second's being larger than *most*.

    *first* and *second* are the rows of a block by their value, *recent* those of both before, all of shape (..., values);
    *most* is of shape (differences,). What comes is of shape (..., differences, SIZES).
    """
    rows_first, rows_second = first.sum(-1)[..., None, None], second.sum(-1)[..., None, None]
    # The likeliest common level if the difference were what it is at most.
    counts = recent[0] + recent[1]
    total = (counts @ values + 0.5)[..., None] - recent[0].sum(-1)[..., None] * most
    level = total / (counts.sum(-1)[..., None] + 1.0)
    lowest, highest = np.maximum(0.0, -most), np.minimum(1.0, 1.0 - most)
    edge = _EDGE * (highest - lowest)
    mean_second = np.clip(level, lowest + edge, highest - edge)[..., None]
    mean_first = mean_second + most[:, None]
    spread = _spread(values, counts)[..., None, None]
    variance_first, variance_second = (
        np.maximum(spread * mean * (1.0 - mean), _EDGE) for mean in (mean_first, mean_second)
    )
    noise = variance_first / rows_first + variance_second / rows_second
    away = np.sqrt(np.maximum(variance_first, variance_second)) * 0.5 ** np.arange(SIZES)
    stake = np.minimum(away / noise, _CAREFUL * np.minimum(rows_first / mean_first, rows_second / (1.0 - mean_second)))
    grown = np.zeros(stake.shape)
    for place, value in enumerate(values):
        grown += first[..., place, None, None] * np.log1p(stake / rows_first * (value - mean_first))
        grown += second[..., place, None, None] * np.log1p(-stake / rows_second * (value - mean_second))
    return grown


def _spread(values: Floats, counts: Floats) -> Floats:
    """Variance as a part of what it would be if all values were 0 or 1."""
    rows = counts.sum(-1) + 1.0
    mean = (counts @ values + 0.5) / rows
    squares = (counts @ values**2 + 0.5) / rows
    return np.asarray((squares - mean**2) / (mean * (1.0 - mean)), np.float64)
