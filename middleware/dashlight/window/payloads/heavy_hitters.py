"""The most frequent of many things in constant memory: a sketch that never says too much.

Source: Misra and Gries (1982), Sci. Comput. Program. 2, 143-152, with room for as many again, so that making room is
rare. Of n things each count is short by at most n / (most + 1).
"""

from collections.abc import Mapping, Sequence


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

    def add(self, hashes: Sequence[int], times: int = 1) -> None:
        """Count each of *hashes* so many *times*."""
        start = 0
        while start < len(hashes):
            counts = self._counts
            # No more than can be new before room has to be made.
            part = hashes[start : start + 2 * self._most + 1 - len(counts)]
            if len(set(part)) == len(part) and counts.keys().isdisjoint(part):
                counts.update(dict.fromkeys(part, times))
            else:
                for each in part:
                    counts[each] = counts.get(each, 0) + times
            if len(counts) > 2 * self._most:
                self._make_room()
            start += len(part)
        self.total += times * len(hashes)

    def _make_room(self) -> None:
        least = sorted(self._counts.values())[-self._most - 1]
        self.shortfall += least
        self._counts = {each: count - least for each, count in self._counts.items() if count > least}
