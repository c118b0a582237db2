"""Histograms whose bins grow by a constant ratio: every value is known to within the same share of itself."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z_95 = 1.96


@dataclass(frozen=True, slots=True)
class Scale:
    """Bins of one ratio: bin 0 is below *lowest*, bin k covers lowest * [ratio^(k-1), ratio^k), the last is above all."""

    lowest: float
    ratio: float
    bins: int
    """How many in all, the two open ones too."""

    def edge(self, bin_: int) -> float:
        """Where bin *bin_* ends."""
        return self.lowest * self.ratio**bin_

    def middle(self, bin_: int) -> float:
        """What a value in bin *bin_* is taken for: off by a factor of sqrt(ratio) at most, save in the open bins."""
        if bin_ == 0:
            return self.lowest
        top = self.edge(self.bins - 2)
        return top if bin_ == self.bins - 1 else math.sqrt(self.edge(bin_ - 1) * self.edge(bin_))


def scale(lowest: float, highest: float, *, error: float) -> Scale:
    """The scale from *lowest* to *highest* on which every value is known to within the share *error* of itself."""
    ratio = (1 + error) ** 2
    inner = math.ceil(math.log(highest / lowest) / math.log(ratio))
    return Scale(lowest, ratio, inner + 2)


LATENCY = scale(10e-6, 1000.0, error=0.05)
"""Seconds, from 10 microseconds to 1000 seconds, to 5 %."""
SIZE = scale(1.0, 2.0**30, error=0.12)
"""Bytes, from 1 to 1 GiB, to 12 %."""


class Binning:
    """Counts several quantities, each on a scale of its own, in one pass."""

    def __init__(self, *scales: Scale) -> None:
        self.bins = sum(scale.bins for scale in scales)
        """How many in all; those of the first scale come first."""
        self._per_log = np.array([[1 / math.log(scale.ratio)] for scale in scales])
        self._first = np.array([[1 - math.log(scale.lowest) / math.log(scale.ratio)] for scale in scales])
        self._last = np.array([[scale.bins - 1] for scale in scales], np.float64)
        self._offset = np.cumsum([[0], *([scale.bins] for scale in scales[:-1])], axis=0)

    def places(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """In which of all bins each of *values* is, shape (scales, values); *bins* where it is NaN."""
        places = np.log(np.fmax(values, np.finfo(np.float64).tiny))
        places *= self._per_log
        places += self._first
        np.clip(places, 0, self._last, out=places)
        flat = places.astype(np.intp)
        flat += self._offset
        flat[np.isnan(values)] = self.bins
        return flat

    def count(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Counts of *values*, shape (scales, values), in all bins, shape (bins,); NaN is counted nowhere."""
        found = np.bincount(self.places(values).ravel(), minlength=self.bins + 1)[: self.bins]
        return found.astype(np.int64, copy=False)


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile and the interval that holds it with 95 %, the width of the bins included."""

    value: float
    low: float
    high: float


def quantile(counts: NDArray[np.int64], on: Scale, share: float) -> Quantile:
    """The *share* quantile (0 to 1) of what *counts*, shape (on.bins,), hold.

    value: the middle of the bin of the ceil(share * n)-th smallest. Its interval: between the order statistics
    n*share -+ 1.96 sqrt(n*share*(1-share)); 0 and inf where there are too few. Nothing counted: NaN, from 0 to inf.
    """
    total = int(counts.sum())
    if not total:
        return Quantile(math.nan, 0.0, math.inf)
    upto = np.cumsum(counts)
    half = _Z_95 * math.sqrt(total * share * (1 - share))
    lowest = math.floor(total * share - half)
    highest = math.ceil(total * share + half) + 1
    low, middle, high = (
        int(np.searchsorted(upto, rank)) for rank in (lowest, max(math.ceil(total * share), 1), highest)
    )
    return Quantile(
        value=on.middle(middle),
        low=on.edge(low - 1) if lowest >= 1 and low > 0 else 0.0,
        high=on.edge(high) if highest <= total and high < on.bins - 1 else math.inf,
    )
