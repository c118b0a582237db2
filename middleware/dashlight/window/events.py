"""What is watched in a column's bins: events (sets of bins) and functionals (scores of the bins' order).

An event is a yes or no about one row ("null", "in bins 8 to 11"). Half-overlapping intervals of every width are used
because a change that straddles the borders of disjoint ones is seen ten times later. A functional scores a row by
where it lies in the reference's order, which sees at once a change that is spread over all bins.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dashlight.window.layout import ABOVE, BELOW, BINS, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN, VALUE_BINS

INTERVAL_WIDTHS = (16, 8, 4, 2, 1)
FUNCTIONAL_NAMES = (
    "higher",
    "lower",
    "wider",
    "narrower",
    "legendre_3",
    "legendre_3_down",
    "legendre_4",
    "legendre_4_down",
)
"""What a rise of each functional's mean says of the column, in the order of `functionals`."""
FUNCTIONAL_COUNT = len(FUNCTIONAL_NAMES)

_SCORE_MARGIN = 0.6
_SCORE_LEAST = 2.4
"""Normal score of a value out of range: this far beyond the outermost bin's score, and at least this far out."""


def _event_bins() -> tuple[tuple[int, int], ...]:
    structural = [(bin_, bin_ + 1) for bin_ in range(STRUCTURAL_BINS)]
    intervals = [
        (STRUCTURAL_BINS + first, STRUCTURAL_BINS + first + width)
        for width in INTERVAL_WIDTHS
        for first in range(0, VALUE_BINS - width + 1, max(width // 2, 1))
    ]
    return tuple(structural + intervals)


def _events() -> NDArray[np.float64]:
    events = np.zeros((BINS, len(EVENT_BINS)))
    for place, (first, stop) in enumerate(EVENT_BINS):
        events[first:stop, place] = 1.0
    events.setflags(write=False)
    return events


EVENT_BINS = _event_bins()
"""For each event the bins it holds, (first, one past the last): 4 structural bins, then 88 intervals of value bins."""
EVENT_COUNT = len(EVENT_BINS)
BIN_EVENTS = np.array([EVENT_BINS.index((bin_, bin_ + 1)) for bin_ in range(BINS)])
"""Shape (BINS,): the event that holds just that bin."""
EVENTS = _events()
"""Shape (BINS, EVENT_COUNT): 1.0 where the event holds the bin. Read-only."""
OTHER_EVENTS = EVENTS[-1]
"""Shape (EVENT_COUNT,): 1.0 for the events that hold the last value bin, which is a categorical column's "other"."""


def event_matrices(unseen_is_other: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The events of each column, shape (columns, BINS, EVENT_COUNT), 1.0 where the event holds the bin.

    Where *unseen_is_other* (shape (columns,)) is true, an unseen category counts in every event that holds "other":
    in a column of many categories new ones are expected, so a fall of "other" must not be seen in their place.
    """
    matrices = np.repeat(EVENTS[np.newaxis], len(unseen_is_other), axis=0)
    matrices[unseen_is_other, UNSEEN] += OTHER_EVENTS
    return matrices


def event_counts(counts: NDArray[np.generic], unseen_is_other: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How many rows, or which share of them, every event holds: shape (..., columns, EVENT_COUNT).

    Equal to the product of *counts*, shape (..., columns, BINS), with `event_matrices`, in one pass.
    """
    weights = np.asarray(counts, np.float64)
    other = weights[..., UNSEEN] * unseen_is_other
    held: NDArray[np.float64] = weights @ EVENTS
    held += other[..., np.newaxis] * OTHER_EVENTS
    return held


def functionals(shares: NDArray[np.float64], numeric: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Scores of the bins by their place in the reference's order, shape (columns, FUNCTIONAL_COUNT, BINS).

    *shares*, shape (columns, BINS), are the reference's. With u the mid-rank of a bin among the value bins and
    t = 2u - 1: z = ndtri(u), z*z, P3(t) = (5t^3 - 3t)/2 and P4(t) = (35t^4 - 30t^2 + 3)/8, each with both signs.
    Null and type error score the mean of all other bins, so that they move nothing. Value bins that are empty in the
    reference score 0. Columns where *numeric* is false have no order and score 0 everywhere.
    """
    values = np.arange(BINS) >= STRUCTURAL_BINS
    held = np.where(values, shares, 0.0)
    occupied = held > 0
    total = np.maximum(held.sum(1, keepdims=True), 1e-12)
    rank = (np.cumsum(held, axis=1) - held / 2) / total

    z: NDArray[np.float64] = np.where(occupied, ndtri(np.clip(rank, 1e-6, 1 - 1e-6)), 0.0)
    z[:, BELOW] = np.minimum(z.min(1) - _SCORE_MARGIN, -_SCORE_LEAST)
    z[:, ABOVE] = np.maximum(z.max(1) + _SCORE_MARGIN, _SCORE_LEAST)
    t = np.where(occupied, 2 * rank - 1, 0.0)
    t[:, BELOW], t[:, ABOVE] = -1.0, 1.0

    scored = occupied.copy()
    scored[:, [BELOW, ABOVE]] = True
    curves = np.stack([z, z**2, (5 * t**3 - 3 * t) / 2, (35 * t**4 - 30 * t**2 + 3) / 8], axis=1)
    curves *= scored[:, np.newaxis]
    _make_neutral_without_value(curves, shares)
    both = np.stack([curves, -curves], axis=2).reshape(len(curves), FUNCTIONAL_COUNT, BINS)
    return np.where(numeric[:, np.newaxis, np.newaxis], both, 0.0)


def _make_neutral_without_value(curves: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    valued = shares[:, BELOW:]
    total = np.maximum(valued.sum(1), 1e-12)
    mean = np.einsum("ck,cfk->cf", valued, curves[:, :, BELOW:]) / total[:, np.newaxis]
    curves[:, :, : TYPE_ERROR + 1] = mean[:, :, np.newaxis]
