"""The bins of the rows of one prediction, as they were counted, and which rows are drawn to keep theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.window.columns import MOST_SAMPLED, Reference

MOST_DRAWN = 10 * MOST_SAMPLED
"""Rows of a model that keep their bins."""


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Bins over the columns of one reference."""

    reference: Reference
    codes: Mapping[Role, NDArray[np.uint8]]
    """Shape (columns of the role, rows that counted)."""
    rows: NDArray[np.intp] | None
    """Shape (rows that counted,), ascending: which rows of the prediction they are, of either side; None: all of them."""


class SampleDraw:
    """Draws rows uniformly by their keys, so that whoever knows a key knows whether its row may have been drawn.

    A row is drawn where the first eight bytes of its key, little-endian, are below a bound. After MOST_DRAWN rows the bound
    is halved: those above it may be let go.
    """

    def __init__(self) -> None:
        self.bound = 1 << 64
        self._drawn_count = 0

    def drawn(self, keys: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which rows of these *keys*, shape (rows,), are drawn."""
        first = np.frombuffer(keys.tobytes(), "<u8").reshape(len(keys), -1)[:, 0]
        chosen = np.ones(len(keys), np.bool_) if self.bound == 1 << 64 else first < np.uint64(self.bound)
        self._drawn_count += int(chosen.sum())
        while self._drawn_count > MOST_DRAWN:
            self.bound //= 2
            self._drawn_count //= 2
        return chosen


def codes_of_rows(binned: Binned, rows: NDArray[np.intp]) -> NDArray[np.uint8] | None:
    """Shape (columns of the reference, rows): the bins of these *rows* of the prediction, all of which counted.

    None where features and outputs are not as many, so that nobody knows which belong together.
    """
    widths = {role: len(codes) for role, codes in binned.codes.items()}
    columns = binned.reference.columns
    counts = {codes.shape[1] for codes in binned.codes.values()}
    if len(counts) != 1 or sum(widths.values()) != len(columns):
        return None
    places = rows if binned.rows is None else np.searchsorted(binned.rows, rows)
    found = np.empty((len(columns), len(rows)), np.uint8)
    for role, codes in binned.codes.items():
        found[[at for at, column in enumerate(columns) if column.role == role]] = codes[:, places]
    return found


def counted(binned: Binned, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which of *rows* of the prediction counted, and so have bins."""
    return np.ones(len(rows), np.bool_) if binned.rows is None else np.isin(rows, binned.rows)
