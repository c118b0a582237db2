"""The categories of a column, counted in bounded memory, and in how many blocks of rows each occurs."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import sqrt
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dashlight.window.layout import BLOCK_ROWS, VALUE_BINS
from dashlight.window.values import Coded, Text, is_writable

NAMED = VALUE_BINS - 1
"""Categories with a bin of their own; the last value bin is for all others."""
KNOWN = 10_000
"""Categories that a reference remembers besides; rarer ones count as unseen."""

ALIKE = 1.5
"""Standard deviations, of 2 sqrt(rows), up to which one category is as frequent as the next: chance orders them."""

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
    choosing_rows: int
    """Of them in blocks of even number."""


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
        """Count *texts*, of which the first stands in row *first_row* of the reference; what is no text, or cannot be written, is passed over."""
        if isinstance(texts, Coded) and len(self._tallies) + len(texts.values) <= _TRACKED:
            if not self._is_free_text:
                self._add_coded(texts, first_row)
            return
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

    @property
    def distinct_share(self) -> float:
        """Distinct texts for each text, 0 to 1; of free text of that part that was followed."""
        return min(self._distinct / max(self._rows, 1), 1.0)

    def layout(self, possible: Collection[str] | None = None) -> CategoryLayout:
        """The categories by frequency; of the *possible* ones alone where these are given.

        The order must not be that of chance, for intervals of bins are judged: the first half of a hundred categories
        that are all equally frequent would seem to fall. So those that are as frequent as the next stand in an order of
        their own. Where there are more than have bins, the rows of every other block choose and order, and only the
        others are counted (see `counts_row`).
        """
        tallies = [entry for entry in self._tallies.items() if possible is None or entry[0] in possible]
        ranked = sorted(tallies, key=lambda entry: (-entry[1].rows, entry[0]))[: NAMED + KNOWN]
        if len(ranked) > NAMED:
            ranked.sort(key=lambda entry: (-entry[1].choosing_rows, crc32(entry[0].encode(errors="surrogatepass"))))
        elif possible is None:
            ranked = [entry for alike in _groups(ranked) for entry in alike]
        return CategoryLayout(
            categories=tuple(name for name, _ in ranked[:NAMED]),
            known=frozenset(name for name, _ in ranked[NAMED:]),
            single_block_rows=sum(tally.rows for _, tally in ranked if tally.is_in_one_block),
        )

    def _add_coded(self, texts: Coded[Text], first_row: int) -> None:
        """As the blocks would, one after the other; there is room for all values."""
        blocks = (first_row + np.arange(len(texts))) // _BLOCK
        _, starts = np.unique(texts.codes, return_index=True)
        choosing = np.bincount(texts.codes[blocks % 2 == 0], minlength=len(texts.values))
        last = np.zeros(len(texts.values), np.int64)
        last[texts.codes] = blocks  # NumPy assigns in order, so the last block stays
        counts = texts.counts
        for row in np.sort(starts).tolist():  # in the order in which they first occur
            code, block = int(texts.codes[row]), int(blocks[row])
            text, rows = texts.values[code], int(counts[code])
            if not isinstance(text, str) or not is_writable(text):
                continue
            tally = self._tally(text, rows, block)
            tally.is_in_one_block &= tally.block == block == int(last[code])
            tally.choosing_rows += int(choosing[code])

    def _tally(self, text: str, rows: int, block: int) -> _Tally:
        """The tally of *text*, *rows* of which begin in *block*."""
        self._rows += rows
        self._characters += rows * len(text)
        tally = self._tallies.get(text)
        if tally is None:
            tally = self._tallies[text] = _Tally(0, block, is_in_one_block=True, choosing_rows=0)
            self._distinct += 1
        tally.rows += rows
        return tally

    def _add_block(self, counts: "Counter[Text]", block: int) -> None:
        for text, rows in counts.items():
            if not isinstance(text, str) or not is_writable(text):
                continue
            tally = self._tally(text, rows, block)
            tally.is_in_one_block &= tally.block == block
            tally.choosing_rows += 0 if counts_block(block) else rows
        if len(self._tallies) > _TRACKED:
            self._make_room()

    def _make_room(self) -> None:
        if self.is_free_text:
            self._is_free_text = True
            self._tallies.clear()
            return
        ranked = sorted(self._tallies.items(), key=lambda entry: -entry[1].rows)
        self._tallies = dict(ranked[: _TRACKED // 2])


def counts_block(block: int) -> bool:
    """Whether block number *block* is counted, where others choose which categories have bins."""
    return block % 2 == 1


def counts_row(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which *rows*, numbered from the first of the reference, lie in blocks that are counted."""
    return np.equal(rows // _BLOCK % 2, 1)


def _groups(ranked: Sequence[tuple[str, _Tally]]) -> list[list[tuple[str, _Tally]]]:
    """*ranked* categories, most frequent first, in groups that are alike in frequency; within one by a hash."""
    groups: list[list[tuple[str, _Tally]]] = []
    last = 0.0
    for entry in ranked:
        stable = 2 * sqrt(entry[1].rows)  # whose standard deviation is one, however many rows
        if groups and last - stable <= ALIKE:
            groups[-1].append(entry)
        else:
            groups.append([entry])
        last = stable
    for group in groups:
        group.sort(key=lambda entry: crc32(entry[0].encode(errors="surrogatepass")))
    return groups
