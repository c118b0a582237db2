"""Rows drawn uniformly from all that came, to search them for what those that hurt have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FINE, FAILED, REFUSED = 0, 1, 2
"""Codes of what became of the exchange of a row."""
NOT_THERE = 255
"""Code of the bin of an output that nobody answered."""


@dataclass(frozen=True, slots=True, eq=False)
class SampledRows:
    """Rows of one model, binned over one reference, in the order in which they came."""

    reference: str
    """Its version."""
    codes: NDArray[np.uint8]
    """Shape (columns of the reference, rows): bins; NOT_THERE of outputs where the exchange failed or was refused."""
    outcomes: NDArray[np.uint8]
    """Shape (rows,): FINE, FAILED or REFUSED."""
    at: NDArray[np.float64]
    """Shape (rows,): seconds since the epoch, when the exchange began."""
    draws: NDArray[np.float64]
    """Shape (rows,): uniform in 0 to 1, independent of all else: rows below any bound are a uniform sample."""
    bound: float
    """All rows that came are in it whose draw is below this."""
    trace_ids: NDArray[np.void]
    """Shape (rows,), of 16 bytes each; all zero where there is none."""

    @property
    def row_count(self) -> int:
        """Rows in it."""
        return len(self.at)
