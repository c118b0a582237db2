"""Labelled rows whose bins are known, to search those since any moment for what they have in common: a uniform sample, bounded."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, LabelledRows
from dashlight.window.performance.counts import array_bytes

MOST_GIVEN: Final = 4_000
"""Rows of one sample."""
LEVELS: Final = 3
"""Each goes twice as far back as the one before, with half of the rows: together 2 MOST_GIVEN are kept."""
_GOLDEN: Final = 0x9E3779B97F4A7C15
_ALL: Final = (1 << 64) - 1


class DrawnSample(NamedTuple):
    """Labelled rows, drawn uniformly."""

    codes: NDArray[np.uint8]
    """Shape (columns of the reference, rows): their bins."""
    losses: Floats
    """Shape (rows,): what each lost, 0 to 1."""
    predicted_at: Floats
    """Shape (rows,): seconds since the epoch; ascends no more than labels do."""
    origins: NDArray[np.void]
    """Shape (rows,), of 16 bytes: our own id of the exchange of each."""

    def chosen(self, which: NDArray[Any]) -> "DrawnSample":
        """Those of the rows that *which* names, by place or as a mask."""
        return DrawnSample(self.codes[:, which], self.losses[which], self.predicted_at[which], self.origins[which])

    def followed_by(self, other: "DrawnSample") -> "DrawnSample":
        """Both, one after the other."""
        return DrawnSample(
            np.concatenate([self.codes, other.codes], axis=1),
            np.concatenate([self.losses, other.losses]),
            np.concatenate([self.predicted_at, other.predicted_at]),
            np.concatenate([self.origins, other.origins]),
        )


class DrawnRows:
    """The newest rows: the last MOST_GIVEN, of those before every other one, of those before one of four.

    A row is drawn by a number that is made of how many came before it, and so depends on nothing else. Of this life of the
    process alone.
    """

    def __init__(self, columns: int) -> None:
        """*columns* are those of the reference."""
        self._count = 0
        self._sample = DrawnSample(
            np.zeros((columns, 0), np.uint8), np.zeros(0), np.zeros(0), np.zeros(0, np.dtype("V16"))
        )
        self._draws = np.zeros(0)

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        return array_bytes(tuple(self._sample)) + self._draws.nbytes

    def add(self, rows: LabelledRows, losses: Floats) -> None:
        """Take those of *rows* whose bins and whose loss, 0 to 1, are known; *losses* of all, NaN where it is not."""
        if rows.sampled is None or rows.codes is None or rows.origins is None:
            return
        has_loss = np.isfinite(losses[rows.sampled])
        places = rows.sampled[has_loss]
        if not len(places) or len(rows.codes) != len(self._sample.codes):
            return
        draws = _draws(self._count, len(places))
        self._count += len(places)
        added = DrawnSample(rows.codes[:, has_loss], losses[places], rows.predicted_at[places], rows.origins[has_loss])
        draws = np.concatenate([self._draws, draws])
        stays = np.zeros(len(draws), np.bool_)
        for level in range(LEVELS):
            stays[np.flatnonzero(draws < 0.5**level)[-MOST_GIVEN:]] = True
        self._sample = self._sample.followed_by(added).chosen(stays)
        self._draws = draws[stays]

    def since(self, at: float) -> DrawnSample:
        """At most MOST_GIVEN rows that were predicted *at* that moment or later: all of them, or a uniform sample.

        Where there were too many since then, of the newest of them, about 2**(LEVELS - 1) MOST_GIVEN labels.
        """
        chosen = np.zeros(0, np.intp)
        for level in range(LEVELS):
            newest = np.flatnonzero(self._draws < 0.5**level)[-MOST_GIVEN:]
            is_since = self._sample.predicted_at[newest] >= at
            chosen = newest[is_since]
            if len(newest) < MOST_GIVEN or not is_since[0]:
                break  # what came before them is older
        return self._sample.chosen(chosen)


def _draws(begin: int, count: int) -> Floats:
    """Numbers uniform in 0 to 1, of the rows numbered from *begin* on. Source: splitmix64, Steele, Lea and Flood (2014)."""
    mixed = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(begin * _GOLDEN & _ALL)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed.astype(np.float64) * 2.0**-64
