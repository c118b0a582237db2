"""The categories of a column, counted in bounded memory, and in how many blocks of rows each occurs."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import sqrt
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dashlight.window.layout import BLOCK_ROWS, VALUE_BINS
from dashlight.window.values import Coded, Distinct, Text, is_writable

NAMED = VALUE_BINS - 1
"""Categories with a bin of their own; the last value bin is for all others."""
KNOWN = 10_000
"""Categories that a reference remembers besides; rarer ones count as unseen."""

ALIKE = 1.5
"""Standard deviations, of 2 sqrt(rows), up to which one category is as frequent as the next: chance orders them."""

_TRACKED = 4 * KNOWN
_BLOCK = BLOCK_ROWS[0]
_NEVER = np.iinfo(np.int64).max
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
        self._coded: _CodedTallies | None = None

    def add(self, texts: Sequence[Text], first_row: int) -> None:
        """Count *texts*, of which the first stands in row *first_row* of the reference; what is no text, or cannot be written, is passed over."""
        if isinstance(texts, Coded) and len(self._tallies) + len(texts.values) <= _TRACKED:
            if not self._is_free_text:
                self._add_coded(texts, first_row)
            return
        self._take_coded()
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
        self._take_coded()
        mostly_distinct = self._distinct > self._rows / 2
        many_or_long = self._rows > _MANY_ROWS or self._characters > self._rows * _LONG_CHARACTERS
        return self._free_text_allowed and mostly_distinct and many_or_long

    @property
    def distinct_share(self) -> float:
        """Distinct texts for each text, 0 to 1; of free text of that part that was followed."""
        self._take_coded()
        return min(self._distinct / max(self._rows, 1), 1.0)

    def layout(self, possible: Collection[str] | None = None) -> CategoryLayout:
        """The categories by frequency; of the *possible* ones alone where these are given.

        The order must not be that of chance, for intervals of bins are judged: the first half of a hundred categories
        that are all equally frequent would seem to fall. So those that are as frequent as the next stand in an order of
        their own. Where there are more than have bins, the rows of every other block choose and order, and only the
        others are counted (see `counts_row`).
        """
        self._take_coded()
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
        if self._coded is None or self._coded.distinct is not texts.distinct:
            self._take_coded()
            self._coded = _CodedTallies(texts.distinct)
        self._coded.add(texts, first_row)

    def _take_coded(self) -> None:
        """Count what was held back, value by value, in the order in which they first occurred."""
        held, self._coded = self._coded, None
        if held is None:
            return
        for code in held.in_order():
            text, block = held.distinct.values[code], int(held.first_rows[code]) // _BLOCK
            if not isinstance(text, str) or not is_writable(text):
                continue
            tally = self._tally(text, int(held.rows[code]), block)
            tally.is_in_one_block &= tally.block == block == int(held.last_blocks[code])
            tally.choosing_rows += int(held.choosing_rows[code])

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


class _CodedTallies:
    """Counts coded texts by their codes."""

    def __init__(self, distinct: Distinct[Text]) -> None:
        self.distinct = distinct
        self.rows = self.choosing_rows = self.last_blocks = np.zeros(0, np.int64)
        self.first_rows = np.zeros(0, np.int64)

    def add(self, texts: Coded[Text], first_row: int) -> None:
        codes, size = texts.codes, len(texts.values)
        more = np.zeros(size - len(self.rows), np.int64)
        rows = first_row + np.arange(len(codes))
        blocks = rows // _BLOCK
        self.rows = np.concatenate([self.rows, more]) + texts.counts
        counted = np.bincount(codes[counts_row(rows)], minlength=size)
        self.choosing_rows = np.concatenate([self.choosing_rows, more]) + texts.counts - counted
        # NumPy assigns in order: the last block stays, and of the rows backwards the first one.
        self.last_blocks = np.concatenate([self.last_blocks, more])
        self.last_blocks[codes] = blocks
        first = np.full(size, _NEVER)
        first[codes[::-1]] = rows[::-1]
        self.first_rows = np.minimum(np.concatenate([self.first_rows, more + _NEVER]), first)

    def in_order(self) -> list[int]:
        """The codes that occurred, in the order in which they first did."""
        order: list[int] = np.argsort(self.first_rows, kind="stable")[: np.count_nonzero(self.rows)].tolist()
        return order


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
