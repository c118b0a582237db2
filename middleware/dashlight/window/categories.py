"""The categories of a column, counted in bounded memory, and in how many blocks of rows each occurs."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dashlight.window.layout import BLOCK_ROWS, VALUE_BINS
from dashlight.window.values import Text

NAMED = VALUE_BINS - 1
"""Categories with a bin of their own; the last value bin is for all others."""
KNOWN = 10_000
"""Categories that a reference remembers besides; rarer ones count as unseen."""

_TRACKED = 4 * KNOWN
_BLOCK = BLOCK_ROWS[0]
_MANY_ROWS = 1000
_LONG_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class CategoryLayout:
    """What a reference says of the categories of a column: see ColumnReference."""

    categories: tuple[str, ...]
    known: frozenset[str]
    single_block_rows: int


@dataclass(slots=True)
class _Tally:
    rows: int
    block: int
    is_in_one_block: bool


class CategorySurvey:
    """Counts texts as they stream by.

    Where more than _TRACKED differ, a column whose texts mostly differ is free text and is followed no further; of any
    other the rarer half is forgotten, so that the frequent ones stay exact to within what a forgotten start held.
    """

    def __init__(self, *, free_text_allowed: bool) -> None:
        self._free_text_allowed = free_text_allowed
        self._tallies: dict[str, _Tally] = {}
        self._rows = 0
        self._characters = 0
        self._distinct = 0
        self._is_free_text = False

    def add(self, texts: Sequence[Text], first_row: int) -> None:
        """Count *texts*, of which the first stands in row *first_row* of the reference; what is no text is passed over."""
        start = 0
        while start < len(texts) and not self._is_free_text:
            block, within = divmod(first_row + start, _BLOCK)
            stop = start + _BLOCK - within
            self._add_block(Counter(texts[start:stop]), block)
            start = stop

    @property
    def is_free_text(self) -> bool:
        """Whether most of the texts differ, in so many rows or at such a length that they name no categories."""
        if self._is_free_text:
            return True
        mostly_distinct = self._distinct > self._rows / 2
        many_or_long = self._rows > _MANY_ROWS or self._characters > self._rows * _LONG_CHARACTERS
        return self._free_text_allowed and mostly_distinct and many_or_long

    def layout(self, possible: Collection[str] | None = None) -> CategoryLayout:
        """The categories by frequency, among equals by name; of the *possible* ones alone where these are given."""
        tallies = [entry for entry in self._tallies.items() if possible is None or entry[0] in possible]
        ranked = sorted(tallies, key=lambda entry: (-entry[1].rows, entry[0]))[: NAMED + KNOWN]
        return CategoryLayout(
            categories=tuple(name for name, _ in ranked[:NAMED]),
            known=frozenset(name for name, _ in ranked[NAMED:]),
            single_block_rows=sum(tally.rows for _, tally in ranked if tally.is_in_one_block),
        )

    def _add_block(self, counts: "Counter[Text]", block: int) -> None:
        for text, rows in counts.items():
            if not isinstance(text, str):
                continue
            self._rows += rows
            self._characters += rows * len(text)
            tally = self._tallies.get(text)
            if tally is None:
                self._tallies[text] = _Tally(rows, block, is_in_one_block=True)
                self._distinct += 1
            else:
                tally.rows += rows
                tally.is_in_one_block &= tally.block == block
        if len(self._tallies) > _TRACKED:
            self._make_room()

    def _make_room(self) -> None:
        if self.is_free_text:
            self._is_free_text = True
            self._tallies.clear()
            return
        ranked = sorted(self._tallies.items(), key=lambda entry: -entry[1].rows)
        self._tallies = dict(ranked[: _TRACKED // 2])
