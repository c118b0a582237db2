"""From the rows of a batch to the bin of every value, and to counts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.privacy.hashing import HashKey, is_hash
from dashlight.records import Cell, Table
from dashlight.window.columns import ColumnReference, stacked_counts
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN
from dashlight.window.ranks import MOST_EDGES, Ranks
from dashlight.window.values import WRONG, Coded, Text, number_texts, numbers_of, texts_of, truths_of

NAMES_SHOWN = 20
MOST_RANKS = MOST_EDGES + 1
_NOISE = 2.0**-23
"""Of a number's size: what 32 bits cannot hold of it, and far more than fifteen digits leave out."""
_NO_BINS = np.zeros((0, MOST_RANKS), np.uint8)
_MOST_WORDS = 8192
"""Values in the clear whose bins are remembered of a column that holds its categories by their hashes."""
_PLANS_KEPT = 64
"""A client that sends ever new sets of names must not make us remember them all."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where each column of a binner is found in tables of one set of names."""

    numeric_rows: NDArray[np.intp]
    """Rows of the table's numbers, for the numeric columns at numeric_places."""
    numeric_places: NDArray[np.intp]
    numeric_cells: tuple[tuple[int, int], ...]
    """(place among the numeric columns, place among the table's cells)."""
    all_numbers: bool
    """Whether the table's numbers are the numeric columns, in their order and none besides."""
    worded_rows: tuple[tuple[int, int], ...]
    """(column, row of the table's numbers) of columns that are not numeric."""
    worded_cells: tuple[tuple[int, int], ...]
    """(column, place among the table's cells) of columns that are not numeric."""
    unknown_count: int
    unknown_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Hashed:
    """What a column knows of its values by their hashes alone."""

    key: HashKey
    bins: Mapping[str, int]
    in_the_clear: Mapping[Text, int]
    most: int
    """Values of which the bins are remembered, those that are known in the clear among them."""


class Binner:
    """Bins tables for a fixed sequence of columns of one role."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        self.columns = tuple(columns)
        self._place = {column.name: place for place, column in enumerate(columns)}
        if len(self._place) < len(self.columns):
            raise ValueError("a column occurs twice: features and outputs are binned apart")
        numeric = [column for column in columns if column.kind == "numeric"]
        self._numeric_places = [self._place[column.name] for column in numeric]
        self._among_numeric = {column.name: among for among, column in enumerate(numeric)}
        self._ranks = Ranks([_reached_edges(column) for column in numeric])
        self._bin_of_rank = np.stack([_bin_of_rank(len(column.edges)) for column in numeric]) if numeric else _NO_BINS
        self._rank_offset = (np.arange(len(numeric)) * MOST_RANKS)[:, np.newaxis]
        self._bin_of_word = {place: _bin_of_word(column) for place, column in enumerate(columns)}
        self._bin_of_hash = {
            place: _hashed(column, self._bin_of_word[place])
            for place, column in enumerate(columns)
            if column.hash_key is not None and column.kind == "categorical"
        }
        self._offset = (np.arange(len(columns)) * BINS)[:, np.newaxis]
        self._plans: dict[tuple[tuple[str, ...], tuple[str, ...]], _Plan] = {}

    def codes(self, table: Table) -> NDArray[np.uint8]:
        """The bin of every value, shape (columns, rows); a column that *table* lacks is null in every row."""
        plan = self._plan(table)
        codes = np.full((len(self.columns), table.rows), NULL, np.uint8)
        if self._numeric_places:
            codes[self._numeric_places] = self._numeric_codes(table, plan)
        for place, row in plan.worded_rows:
            codes[place] = self._number_codes(place, table.numbers[row])
        for place, cell in plan.worded_cells:
            codes[place] = self._cell_codes(place, table.cells[cell])
        return codes

    def unknown(self, table: Table) -> tuple[int, tuple[str, ...]]:
        """How many columns of *table* the reference does not know, and the first NAMES_SHOWN of their names."""
        plan = self._plan(table)
        return plan.unknown_count, plan.unknown_names

    def count(self, codes: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Rows in each bin, shape (columns, BINS)."""
        counts = np.bincount((codes + self._offset).ravel(), minlength=self._offset.size * BINS)
        return counts.astype(np.int64, copy=False).reshape(-1, BINS)

    def keep_last(self, codes: NDArray[np.uint8], of_rows: NDArray[Any], kept: NDArray[Any]) -> None:
        """Write into *kept*, shape (columns, BINS), for every bin that occurs what *of_rows*, shape (rows,), says of its last row."""
        # NumPy assigns repeated places in order, so the last one stays.
        kept.reshape(-1)[codes + self._offset] = of_rows

    def _numeric_codes(self, table: Table, plan: _Plan) -> NDArray[np.uint8]:
        values = table.numbers
        if not plan.all_numbers:
            values = np.full((len(self._numeric_places), table.rows), np.nan)
            values[plan.numeric_places] = table.numbers[plan.numeric_rows]
        wrong: list[tuple[int, NDArray[np.bool_]]] = []
        for among, cell in plan.numeric_cells:
            values[among], not_numbers = numbers_of(table.cells[cell])
            wrong.append((among, not_numbers))
        codes = self._bin_of_rank.take(self._ranks.of(values) + self._rank_offset)
        codes *= np.equal(values, values).view(np.uint8)  # NaN is not itself, and NULL is 0
        for among, not_numbers in wrong:
            codes[among, not_numbers] = TYPE_ERROR
        return codes

    def _number_codes(self, place: int, numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
        texts: Sequence[Text] = number_texts(numbers)
        if self.columns[place].kind == "boolean":
            texts = [text if text is None else WRONG for text in texts]
        return self._word_codes(place, texts)

    def _cell_codes(self, place: int, cells: Sequence[Cell]) -> NDArray[np.uint8]:
        if isinstance(cells, Coded):
            asked = partial(self._cell_codes, place)
            return cells.distinct.asked(asked, key=(self, place))[cells.codes]
        kind = self.columns[place].kind
        if kind == "boolean":
            return self._word_codes(place, truths_of(cells))
        if kind == "categorical":
            bin_of = cast("Callable[[Cell], int]", self._bin_of_word[place].get)
            try:  # all of them known texts or null, the usual case: one look-up a value
                return np.frombuffer(bytes(list(map(bin_of, cells))), np.uint8)
            except TypeError:  # one is unknown, which is None and no byte, or a list, which cannot be looked up
                pass
        return self._word_codes(place, texts_of(cells))

    def _word_codes(self, place: int, texts: Sequence[Text]) -> NDArray[np.uint8]:
        bins = self._bin_of_word[place]
        otherwise = STRUCTURAL_BINS if self.columns[place].kind == "text" else UNSEEN
        hashed = self._bin_of_hash.get(place)
        if hashed is not None:
            self._look_up(texts, bins, hashed)
        return np.array([bins.get(text, otherwise) for text in texts], np.uint8)

    def _look_up(self, texts: Sequence[Text], bins: dict[Text, int], hashed: _Hashed) -> None:
        """Remembers in *bins* those of *texts* that are not known in the clear."""
        asked = {text for text in texts if isinstance(text, str)}
        if len(bins) + len(asked) > hashed.most:
            bins.clear()
            bins.update(hashed.in_the_clear)
        for text in asked.difference(bins):
            bins[text] = hashed.bins.get(hashed.key.hash(text), UNSEEN)

    def _plan(self, table: Table) -> _Plan:
        names = (table.number_names, table.cell_names)
        plan = self._plans.get(names)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[names] = self._make_plan(table)
        return plan

    def _make_plan(self, table: Table) -> _Plan:
        among = self._among_numeric
        rows = [(name, row) for row, name in enumerate(table.number_names) if name in self._place]
        cells = [(name, cell) for cell, name in enumerate(table.cell_names) if name in self._place]
        numeric = sorted((among[name], row) for name, row in rows if name in among)
        unknown = [name for name in table.number_names + table.cell_names if name not in self._place]
        return _Plan(
            numeric_rows=np.array([row for _, row in numeric], np.intp),
            numeric_places=np.array([place for place, _ in numeric], np.intp),
            numeric_cells=tuple((among[name], cell) for name, cell in cells if name in among),
            all_numbers=[row for _, row in numeric] == list(range(len(table.number_names)))
            and len(numeric) == len(among),
            worded_rows=tuple((self._place[name], row) for name, row in rows if name not in among),
            worded_cells=tuple((self._place[name], cell) for name, cell in cells if name not in among),
            unknown_count=len(unknown),
            unknown_names=tuple(unknown[:NAMES_SHOWN]),
        )


def _reached_edges(column: ColumnReference) -> NDArray[np.float64]:
    # A value that has not reached the first is below the range, one that has reached the last is above it.
    low, high = column.low - abs(column.low) * _NOISE, column.high + abs(column.high) * _NOISE
    return np.concatenate([[low], column.edges, [math.nextafter(high, math.inf)]])


def _bin_of_rank(inner_edges: int) -> NDArray[np.uint8]:
    bins = np.full(MOST_RANKS, ABOVE, np.uint8)
    bins[0] = BELOW
    bins[1 : inner_edges + 2] = STRUCTURAL_BINS + np.arange(inner_edges + 1)
    return bins


def _hashed(column: ColumnReference, bins: dict[Text, int]) -> _Hashed:
    """Takes the hashes out of *bins*: a text that reads like one is none."""
    key = cast("HashKey", column.hash_key)
    hashed = {text: bins.pop(text) for text in list(bins) if isinstance(text, str) and is_hash(text)}
    return _Hashed(key, hashed, dict(bins), len(bins) + len(hashed) + _MOST_WORDS)


def _bin_of_word(column: ColumnReference) -> dict[Text, int]:
    bins: dict[Text, int] = {None: NULL, WRONG: TYPE_ERROR}
    bins.update(dict.fromkeys(column.known, BINS - 1))
    bins.update({category: STRUCTURAL_BINS + rank for rank, category in enumerate(column.categories)})
    return bins


def reference_shares(columns: Sequence[ColumnReference]) -> NDArray[np.float64]:
    """Share of every bin in the reference, shape (len(columns), BINS), with room for what chance alone would bring.

    Null and type error hold at least half a row. Out of range holds at least 1/(R+1) on each side: what R exchangeable
    rows leave beyond their extremes. Unseen categories hold (n1 + 1/2)/(R+1), n1 = single_block_rows (Good-Turing), and
    where there is a bin "other", which held them all when each was new, that much is taken off it.
    """
    counts = stacked_counts(columns).astype(np.float64)
    counts[:, : TYPE_ERROR + 1] = np.maximum(counts[:, : TYPE_ERROR + 1], 0.5)
    for column, held in zip(columns, counts, strict=True):
        if column.kind == "numeric":
            beyond = column.rows / (column.rows + 1)
            held[[BELOW, ABOVE]] = np.maximum(held[[BELOW, ABOVE]], beyond)
        elif column.kind != "text":
            unseen = column.rows * (column.single_block_rows + 0.5) / (column.rows + 1)
            if column.known:
                held[-1] = max(held[-1] - max(unseen - held[UNSEEN], 0.0), 0.5)
            held[UNSEEN] = max(held[UNSEEN], unseen)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares
