"""Counts by name in rows of fixed length, which add: names have places in the order in which they are first met."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

OTHER = "other"
"""What stands for the names beyond the limit."""


class Names:
    """The places of up to *limit* names; further ones share the last place."""

    def __init__(self, limit: int) -> None:
        self.size = limit + 1
        """Counts in a row."""
        self._limit = limit
        self._places: dict[str, int] = {}

    def count(self, found: Iterable[str] | Mapping[str, int]) -> NDArray[np.int64]:
        """The row of what was *found*, shape (size,)."""
        row = np.zeros(self.size, np.int64)
        for name, count in Counter(found).items():
            row[self._place(name)] += count
        return row

    def named(self, row: NDArray[np.int64]) -> dict[str, int]:
        """The counts of a row by name, most frequent first; none that are 0."""
        counts = Counter(dict(zip(self._places, row.tolist(), strict=False)))
        counts[OTHER] += int(row[-1])
        return {name: count for name, count in counts.most_common() if count}

    def _place(self, name: str) -> int:
        place = self._places.get(name)
        if place is None:
            # What was OTHER to whoever counted it is no name that takes a place.
            if name == OTHER or len(self._places) >= self._limit:
                return self._limit
            place = self._places[name] = len(self._places)
        return place
