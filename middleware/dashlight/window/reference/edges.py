"""Where the value bins of a numeric column begin and end."""

import numpy as np
from numpy.typing import NDArray

from dashlight.window.layout import VALUE_BINS

_ROWS_PER_BIN = 25
"""Fewer rows a bin than this and the reference's own error hides what the bin could show."""
_LEAST_BINS = 4


def value_bins(rows: int) -> int:
    """How many value bins *rows* finite values are worth: K = clip(rows/25, 4, VALUE_BINS)."""
    return min(max(rows // _ROWS_PER_BIN, _LEAST_BINS), VALUE_BINS)


def numeric_edges(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Ascending inner edges of at most VALUE_BINS right-open bins that hold about equal shares of *values*.

    *values* are finite and stand for *rows* rows (more than their number where they were drawn from them). At most
    K = value_bins(rows) distinct values get a bin each. Otherwise a value that makes up more than 1/K of the rows gets a
    bin of its own and the rest is cut at its quantiles. Edges lie halfway between two values, so that what a number loses
    on its way moves it into no other bin. No value: no edge.
    """
    distinct, repeats = np.unique(values, return_counts=True)
    bins = value_bins(rows)
    between = _halfway(distinct)
    if len(distinct) <= bins:
        return between
    heavy = repeats > len(values) / bins
    begins = _around(heavy)
    rest = np.repeat(distinct[~heavy], repeats[~heavy])
    left = max(2, bins - len(begins))
    shares = np.arange(1, left) / left
    quantiles = np.quantile(rest, shares, method="inverted_cdf")
    begins = np.unique(np.concatenate([begins, np.searchsorted(distinct, quantiles)]))
    inner: NDArray[np.float64] = between[begins[begins > 0] - 1]
    return inner[: VALUE_BINS - 1]


def _halfway(distinct: NDArray[np.float64]) -> NDArray[np.float64]:
    below, above = distinct[:-1], distinct[1:]
    # Halved before they are added, or the largest doubles overflow; never the lower value itself, whose bin it ends.
    edges: NDArray[np.float64] = np.clip(below / 2 + above / 2, np.nextafter(below, np.inf), above)
    return edges


def _around(heavy: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places of the distinct values with which the bins of *heavy* ones begin, and those after them."""
    places = np.flatnonzero(heavy)
    begins: NDArray[np.intp] = np.union1d(places, places + 1)
    return begins[begins < len(heavy)]
