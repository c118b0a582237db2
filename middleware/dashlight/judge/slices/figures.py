"""The figures of a slice, from the half that was not searched: rates, what it explains, and what could have been found."""

from math import asin, log, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.intervals import Z
from dashlight.judge.slices.halves import Half

SMALL_SLICE = 0.05
"""Share of the rows of the slice of which it is said what could have been found."""
CONFIRMED_P = 1e-4
_Z_CONFIRMED = 3.72
"""Deviate of CONFIRMED_P, one-sided."""
_Z_POWER = 0.84
"""Of four in five."""


class Mean(NamedTuple):
    """Mean of how much rows hurt, and its variance."""

    value: float
    variance: float
    rows: int


class Explained(NamedTuple):
    """Part of the excess of all rows that is in a slice, with its interval at 95 %."""

    value: float
    low: float
    high: float


def mean_of(hurt: NDArray[np.float64]) -> Mean:
    """NaN without rows. The variance is never 0: half a row more hurt, and half a row more did not."""
    rows = len(hurt)
    if not rows:
        return Mean(float("nan"), float("nan"), 0)
    value = float(hurt.mean())
    smoothed = (value * rows + 0.5) / (rows + 1)
    least = smoothed * (1 - smoothed) / rows if set(np.unique(hurt)) <= {0.0, 1.0} else float(hurt.var()) / rows
    return Mean(value, max(least, 1e-12), rows)


def explained(now: Mean, usual: Mean, rest: Mean, rest_usual: Mean) -> Explained:
    """How much of the excess is in the slice, at the shares of rows that are there now.

    X = n (now - usual), Y likewise of the rest; f = X / (X + Y) by Fieller: all f with
    (X (1-f) - Y f)^2 <= z^2 ((1-f)^2 Var X + f^2 Var Y), cut to 0..1; (0, 1) where that has no end.

    Source: Fieller (1954), Journal of the Royal Statistical Society B 16, 175-185.
    """
    x, y = now.rows * (now.value - usual.value), rest.rows * (rest.value - rest_usual.value)
    x_spread = now.rows**2 * (now.variance + usual.variance)
    y_spread = rest.rows**2 * (rest.variance + rest_usual.variance)
    value = min(max(x / (x + y), 0.0), 1.0) if x + y > 0 else float(x > 0)
    # (x - (x+y) f)^2 - z^2 (vx - 2 vx f + (vx+vy) f^2) <= 0
    square = (x + y) ** 2 - Z * Z * (x_spread + y_spread)
    middle = x * (x + y) - Z * Z * x_spread
    constant = x * x - Z * Z * x_spread
    inside = middle * middle - square * constant
    if square <= 0 or inside < 0:
        return Explained(value, 0.0, 1.0)
    ends = [(middle + sign * sqrt(inside)) / square for sign in (-1, 1)]
    low, high = (min(max(end, 0.0), 1.0) for end in ends)
    return Explained(value, min(low, value), max(high, value))


def detectable_lift(searched: Half, confirming: Half, slices: float) -> float:
    """By how much the rate in a slice of 5 % would have had to be higher, to be found four times in five; inf: by no lift.

    asin sqrt p = asin sqrt r + max(z_search / 2 sqrt(n_1), z_confirm / 2 sqrt(n_2)),
    z_search = sqrt(2 ln slices) + 0.84,  z_confirm = 3.72 + 0.84,  1/n = 1/(rows now) + 1/(rows usually), of 5 % of each half

    Of losses the share of those that are high is meant, by which slices are searched. *slices*: how many were compared.
    """
    usual = confirming.usual_hurts if len(confirming.usual_hurts) else confirming.hurts
    rate = (float(usual.sum()) + 0.5) / (len(usual) + 1)
    needed = sqrt(2 * log(max(slices, 2))) + _Z_POWER
    angle = asin(sqrt(rate)) + max(
        needed / (2 * sqrt(_rows(searched))), (_Z_CONFIRMED + _Z_POWER) / (2 * sqrt(_rows(confirming)))
    )
    return sin(angle) ** 2 - rate if angle < asin(1) else float("inf")


def _rows(half: Half) -> float:
    now, usual = SMALL_SLICE * len(half.hurts), SMALL_SLICE * len(half.usual_hurts)
    return now * usual / (now + usual) if usual else now
