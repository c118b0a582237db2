"""Statistics with their bounds, and the interval of a rate. Pure."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

Counts: TypeAlias = NDArray[np.integer]

Z = 1.96
"""Normal deviate of a two-sided interval of 95 %."""


class Estimate(NamedTuple):
    """A statistic with bounds of about 95 %, arrays of one shape."""

    value: Floats
    low: Floats
    high: Floats


def wilson_interval(held: Counts, total: Counts, z: float = Z) -> Estimate:
    """A rate with an interval that is sensible where *total* is small: (0, 0, 1) where it is 0.

    centre = (p + z*z/2n) / (1 + z*z/n),  p = held/total,  n = total

    Source: Wilson (1927), JASA 22, 209-212.
    """
    rows = np.asarray(total, np.float64)
    n = np.maximum(rows, 1)
    p = np.asarray(held, np.float64) / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    spread = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    # Of none that held the rounding of centre - spread would leave 1e-18.
    low = np.where((rows > 0) & (p > 0), np.maximum(centre - spread, 0.0), 0.0)
    return Estimate(p, low, np.where(rows > 0, np.minimum(centre + spread, 1.0), 1.0))
