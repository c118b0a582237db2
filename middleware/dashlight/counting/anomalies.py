"""Which exchanges of a batch hold a value that the reference has hardly ever seen, by the bins that are counted anyway. Pure."""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, TYPE_ERROR, UNSEEN

OUT_OF_RANGE, NEW_CATEGORY, WRONG_TYPE = 1, 2, 4
"""Bits of what is wrong with an exchange; it may be several things."""
MOST_USUAL_SHARE: Final = 0.05
"""Of the reference's rows that are expected in such a bin: where there are more, it says nothing of an exchange."""

Marks = NDArray[np.uint8]
"""Bits for each exchange of a batch, shape (exchanges,)."""


class Anomalies:
    """Marks the exchanges of a batch whose values are out of range, a new category or of a wrong type."""

    def __init__(self, columns: Sequence[ColumnReference], watched: Collection[str]) -> None:
        """*columns*, at least one, are those of the codes that it will see, in their order; of others than the *watched* nothing is wrong."""
        reasons = np.zeros((len(columns), BINS), np.uint8)
        for column, row in zip(columns, reasons, strict=True):
            if column.name not in watched:
                continue
            row[TYPE_ERROR] = WRONG_TYPE
            if column.kind == "numeric":
                row[[BELOW, ABOVE]] = OUT_OF_RANGE
            elif column.kind != "text":
                row[UNSEEN] = NEW_CATEGORY
        reasons[reference_shares(columns) > MOST_USUAL_SHARE] = 0
        self._reasons = reasons

    def mark(self, codes: NDArray[np.uint8], exchange: NDArray[np.intp], marks: Marks) -> None:
        """Adds to *marks* what the *codes*, shape (columns, rows), say of the exchange of each row."""
        # TYPE_ERROR, BELOW and ABOVE (or UNSEEN) are 1 to 3; NULL, which is 0, becomes 255.
        places = np.flatnonzero((codes - np.uint8(TYPE_ERROR)) < np.uint8(ABOVE))
        if len(places):
            columns, rows = np.divmod(places, codes.shape[1])
            np.bitwise_or.at(marks, exchange[rows], self._reasons[columns, codes[columns, rows]])
