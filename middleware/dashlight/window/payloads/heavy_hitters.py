"""The most frequent of many things in constant memory: a sketch that never says too much.

Source: Misra and Gries (1982), Sci. Comput. Program. 2, 143-152, with room for as many again, so that making room is
rare. Of n things each count is short by at most n / (most + 1).
"""

from collections.abc import Iterable, Mapping


class HeavyHitters:
    """Counts hashes: of at most *most* different ones exactly, of more the frequent ones."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[int, int] = {}
        self.shortfall = 0
        self.total = 0
        """All that were counted."""

    @property
    def counts(self) -> Mapping[int, int]:
        """Of every hash that has a place: at least so often it came, and at most *shortfall* times more."""
        return self._counts

    def add(self, hashes: Iterable[int], times: int = 1) -> None:
        """Count each of *hashes* so many *times*."""
        counts, most = self._counts, 2 * self._most
        for each in hashes:
            self.total += times
            if each in counts:
                counts[each] += times
                continue
            counts[each] = times
            if len(counts) > most:
                self._make_room()
                counts = self._counts

    def _make_room(self) -> None:
        least = sorted(self._counts.values())[-self._most - 1]
        self.shortfall += least
        self._counts = {each: count - least for each, count in self._counts.items() if count > least}
