"""Rows drawn uniformly from all that came, to search them for what those that hurt have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.layout import BINS

TRACE_ID = np.dtype("V16")
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

    def taken(self, rows: NDArray[np.intp] | NDArray[np.bool_], bound: float) -> "SampledRows":
        """Only these *rows*: all of them that are below *bound*."""
        return SampledRows(
            self.reference,
            self.codes[:, rows],
            self.outcomes[rows],
            self.at[rows],
            self.draws[rows],
            bound,
            self.trace_ids[rows],
        )

    def below(self, bound: float) -> "SampledRows":
        """Only the rows whose draw is below *bound*: as uniform a sample, of fewer."""
        return self if bound >= self.bound else self.taken(self.draws < bound, bound)

    def at_most(self, rows: int) -> "SampledRows":
        """So many *rows* or fewer, those with the lowest draws."""
        if self.row_count <= rows:
            return self
        return self.below(float(np.partition(self.draws, rows)[rows]))


def joined_sampled(parts: Sequence[SampledRows]) -> SampledRows:
    """Samples, at least one, of rows that were counted apart, as one of all of them; ValueError where they do not fit."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if any(each.reference != first.reference or len(each.codes) != len(first.codes) for each in parts):
        raise ValueError("rows sampled over different references cannot join")
    bound = min(each.bound for each in parts)
    kept = [each.below(bound) for each in parts]
    return SampledRows(
        reference=first.reference,
        codes=np.concatenate([each.codes for each in kept], axis=1),
        outcomes=np.concatenate([each.outcomes for each in kept]),
        at=np.concatenate([each.at for each in kept]),
        draws=np.concatenate([each.draws for each in kept]),
        bound=bound,
        trace_ids=np.concatenate([each.trace_ids for each in kept]),
    )


def check_sampled(sampled: SampledRows, columns: int, most: int) -> None:
    """Raises ValueError where no process can have drawn these rows, *most* at the most, over so many *columns*."""
    rows = sampled.row_count
    if rows > most:
        raise ValueError(f"{rows} sampled rows: expected {most} at most")
    of_rows = (sampled.outcomes, sampled.at, sampled.draws, sampled.trace_ids)
    if sampled.codes.shape != (columns, rows) or any(each.shape != (rows,) for each in of_rows):
        raise ValueError("sampled rows in arrays that do not fit each other, or the reference")
    if not 0.0 < sampled.bound <= 1.0 or (
        rows and not (sampled.draws.min() >= 0 and sampled.draws.max() < sampled.bound)
    ):
        raise ValueError("sampled rows beyond their bound")
    if rows and not (np.isfinite(sampled.at).all() and sampled.outcomes.max() <= REFUSED):
        raise ValueError("sampled rows without a time or an outcome")
    codes = sampled.codes
    if codes.size and ((codes >= BINS) & (codes != NOT_THERE)).any():
        raise ValueError("sampled rows in bins that no column has")
