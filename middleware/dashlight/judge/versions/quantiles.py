"""The difference of a quantile of two versions, from histograms with the same bins."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, xlog1py, xlogy

from dashlight.judge.versions.differences import OF_SECONDS
from dashlight.judge.versions.evidence import SequentialEvidence, shown
from dashlight.labels.rows import Floats
from dashlight.window.histogram import LATENCY

_PRIOR_ROWS: Final = 100.0
"""Of the beta prior about the share of the quantile: bounds are narrowest, for their level, at some times as many rows."""

_IDLE: Final = 0.25


def latency_evidence(stable: NDArray[np.int64], candidate: NDArray[np.int64], share: float) -> SequentialEvidence:
    """Evidence of candidate's *share* quantile (0 to 1) minus stable's, in seconds, from counts of shape (LATENCY.bins,).

    Valid at every look where rows of one version are draws from one distribution. If candidate's quantile is at most
    stable's plus d, then for stable's quantile x: P(stable < x) <= share <= P(candidate <= x + d). The evidence against
    the first is multiplied by that against the second, and the x at which the product is smallest counts. Bins are
    taken for their border on the careful side.

    Source: Howard and Ramdas (2022), Bernoulli 28, 1704-1728, for the bounds of one quantile.
    """
    if not (stable.any() and candidate.any()):
        nothing = np.zeros(len(OF_SECONDS))
        return shown(OF_SECONDS, nothing, nothing)
    above = _larger(candidate, stable, share)
    below = _larger(stable, candidate, share)[::-1]  # of the row turned round
    return shown(OF_SECONDS, above, below)


def _larger(first: NDArray[np.int64], second: NDArray[np.int64], share: float) -> Floats:
    """Evidence that first's quantile exceeds second's by more than each of OF_SECONDS."""
    below_first = np.concatenate([[0], np.cumsum(first)])
    before_second = np.cumsum(second) - second
    fewer = _evidence(below_first, int(below_first[-1]), share, is_fewer=True)
    more = _evidence(before_second, int(second.sum()), share, is_fewer=False)
    return np.asarray((fewer[_borders()] + more).min(axis=1), np.float64)


def _evidence(counts: NDArray[np.int64], rows: int, share: float, *, is_fewer: bool) -> Floats:
    """Logs of the evidence that *counts* of *rows* have a chance below *share*, or above it."""
    first, second = share * _PRIOR_ROWS, (1.0 - share) * _PRIOR_ROWS
    seen, unseen = first + counts, second + rows - counts
    with np.errstate(divide="ignore"):
        if is_fewer:
            likelihood = np.log(betainc(seen, unseen, share)) - np.log(betainc(first, second, share))
        else:  # the complement, as SciPy before 1.11 has it
            likelihood = np.log(betainc(unseen, seen, 1.0 - share)) - np.log(betainc(second, first, 1.0 - share))
    likelihood += betaln(seen, unseen) - betaln(first, second)
    likelihood -= xlogy(counts, share) + xlog1py(rows - counts, -share)
    # A part does not bet, so that what speaks for one of the two cannot hide what speaks against the other.
    return np.asarray(np.logaddexp(np.log(_IDLE), np.log1p(-_IDLE) + likelihood), np.float64)


@cache
def _borders() -> NDArray[np.intp]:
    """How many bins of first lie below the end of each of second's plus each difference, shape (differences, bins)."""
    ends = np.array([*(LATENCY.edge(bin_) for bin_ in range(LATENCY.bins - 1)), np.inf])
    moved = ends[None, :] + OF_SECONDS[:, None]
    # Up to the first border at or beyond it; durations are not below 0.
    found = np.searchsorted(ends, moved, side="left") + 1
    found[moved <= 0.0] = 0
    return np.minimum(found, LATENCY.bins)
