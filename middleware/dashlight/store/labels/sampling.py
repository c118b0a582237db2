"""Which predictions keep their bins: a uniform sample that thins itself, the same whoever draws it.

A prediction is drawn at a level where a number made of its key has as many leading zeros. All processes draw by the same
number, so that their samples are one; where it grows too large the level rises by one, and half of it goes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.row_sets import uniform

MOST_DRAWN: Final = 200_000
"""Predictions of one model that keep their bins."""
MOST_LEVEL: Final = 40
MOST_ZEROS: Final = 20
"""Leading zeros that are told apart where a sample lies by them: a million times MOST_DRAWN."""


def drawn(
    keys: NDArray[np.void], sampled: NDArray[np.intp], codes: NDArray[np.uint8], level: int
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Those of the *sampled* rows that are drawn at *level*, and their codes."""
    if level == 0:
        return sampled, codes
    stays = is_drawn(keys[sampled], 0.5**level)
    return sampled[stays], codes[:, stays]


def is_drawn(keys: NDArray[np.void], share: float) -> NDArray[np.bool_]:
    """Which of *keys* are among a uniform *share*; those of a smaller share are among those of a larger."""
    if share >= 1.0:
        return np.ones(len(keys), np.bool_)
    return uniform(keys) < np.uint64(share * 2.0**64)


def zeros_of(keys: NDArray[np.void]) -> NDArray[np.int64]:
    """The level up to which each of *keys* is drawn, at most MOST_ZEROS."""
    shares = uniform(keys).astype(np.float64) * 2.0**-64
    return np.minimum(np.floor(-np.log2(np.maximum(shares, 2.0**-60))), MOST_ZEROS).astype(np.int64)
