"""How often two columns would agree if each moved by itself and their dependence stayed as it was. Pure.

The dependence of a pair is told by one number, the correlation of a normal copula; the columns' own distributions by
the shares of their rows that are low and high.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from dashlight.judge.evidence.null import Floats

STRONGEST = 0.99
"""A stronger correlation, as of pairs that always agree, is taken to be this one."""
_STEPS = 14
"""Of bisection: a correlation to 0.0001."""
_LEAST = 1e-4
"""Smallest share of rows on a side."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """Shares of rows, 0 to 1, in which columns are low and high; both arrays have the same shape."""

    low: Floats
    high: Floats

    def of(self, columns: NDArray[np.intp]) -> "Margin":
        """The margin of the columns at these places of the last axis."""
        return Margin(self.low[..., columns], self.high[..., columns])


def agreement(correlation: Floats, first: Margin, second: Margin) -> Floats:
    """Share of the informative rows in which two columns of this *correlation* agree: both are low, or both are high."""
    (low_1, high_1), (low_2, high_2) = _cuts(first), _cuts(second)
    lows = below_both(low_1, low_2, correlation)
    highs = below_both(-high_1, -high_2, correlation)
    differing = ndtr(low_1) - below_both(low_1, high_2, correlation)
    differing = differing + ndtr(low_2) - below_both(high_1, low_2, correlation)
    agreeing = lows + highs
    return np.asarray(agreeing / np.maximum(agreeing + differing, 1e-12))


def correlations(shares: Floats, first: Margin, second: Margin) -> Floats:
    """The correlations, -STRONGEST to STRONGEST, at which pairs agree in these *shares* of the informative rows."""
    weakest, strongest = np.full(shares.shape, -STRONGEST), np.full(shares.shape, STRONGEST)
    for _ in range(_STEPS):
        middle = (weakest + strongest) / 2
        less = agreement(middle, first, second) < shares
        weakest, strongest = np.where(less, middle, weakest), np.where(less, strongest, middle)
    return np.asarray((weakest + strongest) / 2)


def below_both(first: Floats, second: Floats, correlation: Floats) -> Floats:
    """Probability that two standard normals of that correlation lie below *first* and *second*.

    ndtr(h) ndtr(k) + 1/(2 pi) integral from 0 to asin(r) of exp(-(h*h + k*k - 2 h k sin t) / (2 cos(t)**2)) dt

    Source: Drezner and Wesolowsky (1990), Journal of Statistical Computation and Simulation 35, 101-107.
    """
    half = np.arcsin(correlation)[..., np.newaxis] / 2
    sine = np.sin(half * (_NODES + 1))
    product = (first * second)[..., np.newaxis]
    squares = (first**2 + second**2)[..., np.newaxis]
    density = np.exp((product * sine - squares / 2) / (1 - sine**2))
    return np.asarray(ndtr(first) * ndtr(second) + (density * _WEIGHTS * half).sum(axis=-1) / (2 * np.pi))


def _cuts(margin: Margin) -> tuple[Floats, Floats]:
    """The standard normal's quantiles at which it stops being low, and starts being high."""
    low = np.clip(margin.low, _LEAST, 1 - _LEAST)
    high = np.clip(margin.high, _LEAST, 1 - _LEAST)
    cut: Floats = ndtri(low)
    return cut, np.maximum(ndtri(1 - high), cut)
