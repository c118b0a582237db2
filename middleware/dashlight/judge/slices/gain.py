"""How much better a slice's own rate tells which rows hurt than a rise of all rows alike."""

from dataclasses import dataclass
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Floats: TypeAlias = NDArray[np.float64]

LEAST_PRIOR_ROWS, MOST_PRIOR_ROWS = 10.0, 1000.0
"""So many rows of the usual rate of all are added to those of a slice, which may be few: the fewer, the more groups differ."""
_CLEARLY = 4.0
"""Standard deviations by which chi-square has to be above its mean for a column's groups to differ."""
LEAST_SLICE_SHARE = 0.01
"""Of the rows, below which nothing is a slice."""
LEAST_SLICE_ROWS = 10
LEAST_SLICE_HURT = 4
_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Rows of slices, or of all: arrays of one shape, or numbers."""

    rows: Floats
    hurt: Floats
    usual_rows: Floats
    """0 where nobody knows what is usual."""
    usual_hurt: Floats

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """All four."""
        return self.rows, self.hurt, self.usual_rows, self.usual_hurt


def prior_rows(by_bin: Counted, whole: Counted) -> float:
    """How many rows of the usual rate of all tell as much of a group's as groups differ: between the bins of one column.

    c = u (1-u) / t2,  t2 = u (1-u) (chi2 - df) / (M - sum m^2 / M), the variance between groups (DerSimonian and Laird, 1986,
    with m rows of M in a group); MOST_PRIOR_ROWS where chi2 < df + 4 sqrt(2 df + sum 1 / (m u)), the
    variance of the terms (x - mu)^2 / mu of Poisson counts, which are rough where few rows hurt.
    """
    rate = (float(whole.usual_hurt) + 0.5) / (float(whole.usual_rows) + 1)
    rows = by_bin.usual_rows[by_bin.usual_rows > 0]
    hurt, spread = by_bin.usual_hurt[by_bin.usual_rows > 0], rate * (1 - rate)
    beyond = float(((hurt - rows * rate) ** 2 / (rows * spread)).sum()) - (len(rows) - 1)
    if len(rows) < 2 or beyond < _CLEARLY * sqrt(2 * (len(rows) - 1) + float((1 / (rows * rate)).sum())):
        return MOST_PRIOR_ROWS
    between = beyond / (rows.sum() - (rows**2).sum() / rows.sum())
    return float(np.clip(1 / between, LEAST_PRIOR_ROWS, MOST_PRIOR_ROWS))


def gain(part: Counted, whole: Counted, prior: float) -> Floats:
    """Of each slice of *part*: how likely it is, against a rise of all rows of *whole* alike, in nats; 0 where it rose no more.

    With n rows of N, k of K hurt, usually m of M and l of L; u_S = (l + c u) / (m + c), u_R likewise of the rest, u = L/M, c = *prior*:

    q = max(u_S + (K - n u_S - (N-n) u_R) / N,  u_S K / (n u_S + (N-n) u_R)),   q_R = (K - n q) / (N - n)
    gain = (n KL(k/n, q) + (N-n) KL((K-k)/(N-n), q_R)) (m + c) / (m + c + n)

    q is the slice's rate had all risen alike: by as much, or by as many times, whichever is more. The last factor is for what
    is usual being known from m rows only. Without it this is the statistic of Kulldorff (1997), Communications in Statistics
    26, 1481-1496, whose largest value among slices that hold one another is at the one with the clearest border.
    """
    n, k, m = part.rows, part.hurt, part.usual_rows
    rest, rest_hurt = whole.rows - n, whole.hurt - k
    usual_part, usual_rest = usual_rates(part, whole, prior)
    expected = n * usual_part + rest * usual_rest
    risen = usual_part + (whole.hurt - expected) / whole.rows
    likely = np.clip(np.maximum(risen, usual_part * whole.hurt / np.maximum(expected, _TINY)), _TINY, 1 - _TINY)
    likely_rest = np.clip((whole.hurt - n * likely) / np.maximum(rest, 1), _TINY, 1 - _TINY)
    found = _divergence(k, n, likely) + _divergence(rest_hurt, rest, likely_rest)
    if float(np.max(whole.usual_rows)) > 0:
        found = found * (m + prior) / (m + prior + n)
    rose = (k > n * np.maximum(likely, usual_part)) & (k >= LEAST_SLICE_HURT)
    least = np.maximum(LEAST_SLICE_SHARE * whole.rows, LEAST_SLICE_ROWS)
    result: Floats = np.where(rose & (n >= least) & (rest >= least), found, 0.0)
    return result


def usual_rates(part: Counted, whole: Counted, prior: float) -> tuple[Floats, Floats]:
    """What is usual in each slice and in its rest: the same where nobody knows."""
    rate = (whole.usual_hurt + 0.5) / (whole.usual_rows + 1)
    rest_rows, rest_hurt = whole.usual_rows - part.usual_rows, whole.usual_hurt - part.usual_hurt
    return (
        (part.usual_hurt + prior * rate) / (part.usual_rows + prior),
        (rest_hurt + prior * rate) / (rest_rows + prior),
    )


def _divergence(held: Floats, rows: Floats, rate: Floats) -> Floats:
    """Rows * KL(held / rows, rate) of yes and no."""
    lacked = rows - held
    safe = np.maximum(rows, 1)
    result: Floats = xlogy(held, held / (safe * rate)) + xlogy(lacked, lacked / (safe * (1 - rate)))
    return result
