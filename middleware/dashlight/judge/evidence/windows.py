"""Windows of the last panes, each twice as long as the one before. Pure."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Counts: TypeAlias = NDArray[np.int64]
Window: TypeAlias = Callable[[int], tuple[Counts, int]]
"""Counts of about the last k panes, shape (columns, BINS), and how many panes they really cover: fewer where older ones
are forgotten."""

LONGEST_WINDOW = 1 << 20
"""Panes; the ring that is asked ends sooner."""


def dyadic_windows(window: Window) -> tuple[Counts, NDArray[np.intp]]:
    """Counts of the last 1, 2, 4, ... panes, shape (windows, columns, BINS), and how many panes each holds."""
    counts: list[Counts] = []
    panes: list[int] = []
    wanted = 1
    while wanted <= LONGEST_WINDOW:
        sums, covered = window(wanted)
        if panes and covered <= panes[-1]:
            break
        counts.append(sums)
        panes.append(covered)
        wanted *= 2
    return np.stack(counts), np.array(panes, np.intp)
