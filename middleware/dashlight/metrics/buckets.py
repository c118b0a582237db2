"""Counts in fine bins -> the few buckets of a histogram, and its sum. Pure."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dashlight.window.histogram import Scale

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds for durations.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
"""


def in_buckets(counts: NDArray[np.int64], on: Scale, bounds: Sequence[float]) -> tuple[int, ...]:
    """How many of *counts*, shape (on.bins,), lie below each of *bounds* and above the one before, and above all.

    Every fine bin goes whole to the bucket of its middle. So counts add up and never fall, and each bound stands for
    the nearest edge of the scale: a value is sorted as if a bound were off by a factor of sqrt(on.ratio) at most.
    """
    places = _places(on, tuple(bounds))
    return tuple(np.bincount(places, weights=counts, minlength=len(bounds) + 1).astype(np.int64).tolist())


def total(counts: NDArray[np.int64], on: Scale) -> float:
    """Sum of the values that *counts* hold, each taken for the middle of its bin; those of bin 0 for nothing.

    Off by the same share as each value at most, save for values above the scale, which count as its end.
    """
    return float(counts @ _middles(on))


@cache
def _places(on: Scale, bounds: tuple[float, ...]) -> NDArray[np.intp]:
    return np.searchsorted(np.array(bounds), _middles(on), side="left")


@cache
def _middles(on: Scale) -> NDArray[np.float64]:
    return np.array([0.0, *(on.middle(bin_) for bin_ in range(1, on.bins))])
