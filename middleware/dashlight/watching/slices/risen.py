"""Which bins of a column rose: rows in them are those that a drift is about. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashlight.window.layout import ABOVE, BELOW, BINS, STRUCTURAL_BINS

_SURELY = 3.0
"""Standard errors by which the share of a category has risen that is one of those that rose: of 36 hardly one by chance."""
_LEAST_SPREAD = 0.05
"""p (1 - p) of a share: of rarer bins a rise counts as of so frequent ones, so that it is not the rarest alone that rose."""
_ORDERED = np.array([BELOW, *range(STRUCTURAL_BINS, BINS), ABOVE])


def risen_bins(reference: NDArray[np.int64], current: NDArray[np.int64], *, is_numeric: bool) -> NDArray[np.bool_]:
    """Shape (256,): which codes are in the bins that rose from the counts of *reference* to *current*, both of shape (BINS,).

    Of a numeric column that is the interval, or all but one interval, whose share rose by the most standard errors, as of
    bins that are not rare: many bins that rose a little are one thing, and to pick each by itself would find chance. Else each category that rose surely,
    or, where none did, the one that rose most.
    """
    rows, usual_rows = max(int(current.sum()), 1), max(int(reference.sum()), 1)
    share, usual = current / rows, reference / usual_rows
    risen = np.zeros(256, np.bool_)
    alone = _errors(share - usual, usual, rows, usual_rows)
    if not is_numeric:
        risen[:BINS] = alone > _SURELY
        risen[int(alone.argmax())] = True
        return risen
    # Among those that are in order: what is missing is not moved.
    sizes = [max(int(counts[_ORDERED].sum()), 1) for counts in (current, reference)]
    after, before = (counts[_ORDERED] / size for counts, size in zip((current, reference), sizes, strict=True))
    held = [np.concatenate([[0.0], np.cumsum(each)]) for each in (after - before, before)]
    rises, shares = (each[np.newaxis, :] - each[:, np.newaxis] for each in held)
    moved = np.triu(_errors(rises, np.clip(shares, 0.0, 1.0), *sizes), 1)
    first, stop = divmod(int(np.abs(moved).argmax()), moved.shape[1])
    others = np.delete(np.arange(BINS), _ORDERED)
    if alone[others].max() > abs(moved[first, stop]):
        risen[others[int(alone[others].argmax())]] = True
    else:
        inside = np.zeros(len(_ORDERED), np.bool_)
        inside[first:stop] = True
        risen[_ORDERED[inside if moved[first, stop] > 0 else ~inside]] = True
    return risen


def _errors(rises: NDArray[np.float64], usual: NDArray[np.float64], rows: int, usual_rows: int) -> NDArray[np.float64]:
    """By how many standard errors shares rose that usually are so large: of a difference of two shares, pooled."""
    pooled = np.clip(usual + rises * rows / (rows + usual_rows), 0.0, 1.0)
    spread = np.maximum(pooled * (1 - pooled), _LEAST_SPREAD)
    found: NDArray[np.float64] = rises / np.sqrt(spread * (1 / rows + 1 / usual_rows))
    return found
