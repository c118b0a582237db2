"""Counts by name in rows of fixed length, which add: names have places in the order in which they are first met."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import within

OTHER = "other"
"""What stands for the names beyond the limit."""


class Names:
    """The places of up to *limit* names; further ones share the last place."""

    def __init__(self, limit: int) -> None:
        self.size = limit + 1
        """Counts in a row."""
        self._limit = limit
        self._names: list[str] = []
        """By place."""
        self._places: dict[str, int] = {}

    @property
    def state(self) -> tuple[str, ...]:
        """The names that have places, in the order of these."""
        return tuple(self._names)

    def restore(self, state: tuple[str, ...]) -> None:
        """Go on from *state*, the names by place; ValueError where they are too many."""
        within("names with a place", len(state), 0, self._limit)
        self._names = list(state)
        # Two names may have become one where they were written: what no text may hold was replaced.
        self._places = {name: place for place, name in enumerate(state)}

    def count(self, names: Iterable[str] | Mapping[str, int]) -> NDArray[np.int64]:
        """The row that says how often each of *names* occurs, or what it counts; shape (size,)."""
        row = np.zeros(self.size, np.int64)
        for name, count in Counter(names).items():
            row[self._place(name)] += count
        return row

    def named(self, row: NDArray[np.int64]) -> dict[str, int]:
        """The counts of a row by name, most frequent first; none that are 0."""
        counts: Counter[str] = Counter()
        for name, count in zip(self._names, row.tolist(), strict=False):
            counts[name] += count
        counts[OTHER] += int(row[-1])
        return {name: count for name, count in counts.most_common() if count}

    def _place(self, name: str) -> int:
        place = self._places.get(name)
        if place is None:
            # What was OTHER to whoever counted it is no name that takes a place.
            if name == OTHER or len(self._names) >= self._limit:
                return self._limit
            place = self._places[name] = len(self._names)
            self._names.append(name)
        return place
