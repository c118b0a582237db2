"""The items of rankings, counted in bounded memory: which ones a reference knows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dashlight.records import Cell, Role
from dashlight.window.facets.ranking_facets import items_of
from dashlight.window.layout import BLOCK_ROWS
from dashlight.window.reference.categories import KNOWN
from dashlight.window.values import is_writable

_TRACKED = 4 * KNOWN
_BLOCK = BLOCK_ROWS[0]


@dataclass(slots=True)
class _Tally:
    count: int
    block: int
    is_in_one_block: bool


class ItemSurvey:
    """Counts the items of lists as they stream by; the rarer half is forgotten where there are too many."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def add(self, cells: Sequence[Cell], first_row: int) -> None:
        """Count the items of *cells*, of which the first stands in row *first_row* of the reference."""
        start = 0
        while start < len(cells):
            block, within = divmod(first_row + start, _BLOCK)
            stop = start + _BLOCK - within
            self._add_block(Counter(_items(cells[start:stop])), block)
            start = stop

    @property
    def known(self) -> frozenset[str]:
        """The most frequent ones; rarer ones count as unseen."""
        ranked = sorted(self._tallies.items(), key=lambda entry: (-entry[1].count, entry[0]))
        return frozenset(item for item, _ in ranked[:KNOWN])

    @property
    def repeated(self) -> frozenset[str]:
        """Those known that occur in more than one block of 100 rows.

        A row of the reference has seen all of its own items. What the other blocks know of them is how strange they
        would have been, had the row come later.
        """
        return frozenset(item for item in self.known if not self._tallies[item].is_in_one_block)

    def _add_block(self, counts: "Counter[str]", block: int) -> None:
        for item, count in counts.items():
            if not is_writable(item):
                continue
            tally = self._tallies.get(item)
            if tally is None:
                tally = self._tallies[item] = _Tally(0, block, is_in_one_block=True)
            tally.count += count
            tally.is_in_one_block &= tally.block == block
        if len(self._tallies) > _TRACKED:
            ranked = sorted(self._tallies.items(), key=lambda entry: -entry[1].count)
            self._tallies = dict(ranked[: _TRACKED // 2])


def _items(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        items = items_of(cell)
        if isinstance(items, list):
            yield from items


Items: TypeAlias = Mapping[Role, Mapping[str, ItemSurvey]]
"""Of every ranking, by role and name."""
