"""A uniform choice of the values of a stream, of bounded size."""

import numpy as np
from numpy.typing import NDArray


class Reservoir:
    """Keeps *size* values of all that were added, each with the same chance; all of them while they fit.

    Source: Vitter (1985), ACM TOMS 11, 37-57, algorithm R.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.seen = 0
        """How many values were added."""
        self._kept = np.empty(size)
        self._rng = rng

    def add(self, values: NDArray[np.float64]) -> None:
        """Offer every one of *values*."""
        room = max(len(self._kept) - self.seen, 0)
        first, rest = values[:room], values[room:]
        self._kept[self.seen : self.seen + len(first)] = first
        self.seen += len(first)
        if len(rest):
            place = self._rng.integers(0, self.seen + np.arange(len(rest)), endpoint=True)
            fits = place < len(self._kept)
            # A place that is drawn twice keeps the later value: NumPy assigns in order.
            self._kept[place[fits]] = rest[fits]
            self.seen += len(rest)

    @property
    def values(self) -> NDArray[np.float64]:
        """The values kept, in no order that means anything."""
        return self._kept[: self.seen].copy()
