"""How often values recur, in bounded memory: a sample of the distinct ones with all their rows, and the rows that dominate."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell
from dashlight.window.values import Coded

Hashes = NDArray[np.uint64]

_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_WHOLE = 2.0**64


def mixed(bits: Hashes) -> Hashes:
    """A hash of each of *bits*. Source: Steele, Lea and Flood (2014), OOPSLA (splitmix64)."""
    state = bits + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in zip((30, 27), _MIX, strict=True):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return state ^ (state >> np.uint64(31))


def hashed(numbers: NDArray[np.float64]) -> Hashes:
    """A hash of each of *numbers*; equal ones have the same, -0.0 and 0.0 too."""
    return mixed((numbers + 0.0).view(np.uint64))


def hashed_cells(cells: Sequence[Cell]) -> Hashes:
    """A hash of each of *cells*: of this process alone, so that nothing but equality may follow from it."""
    if isinstance(cells, Coded):
        return cells.distinct.asked(hashed_cells)[cells.codes]
    try:
        return np.fromiter(map(hash, cells), np.int64, len(cells)).view(np.uint64)
    except TypeError:  # a list among them
        return np.fromiter(map(_hash, cells), np.int64, len(cells)).view(np.uint64)


def _hash(cell: object) -> int:
    """A hash of *cell*, in a time that grows with its size alone; of what has none, that of its type."""
    with suppress(TypeError):
        return hash(cell)
    with suppress(TypeError, ValueError, OverflowError, RecursionError):
        return hash(msgspec.msgpack.encode(cell, enc_hook=_plain))
    if isinstance(cell, list):  # a number too large, or lists too deep
        elements = cast("list[object]", cell)
        with suppress(TypeError):
            return hash(tuple(elements))
        return hash((list, len(elements)))
    return hash(type(cell))


def _plain(value: object) -> object:
    """What stands for *value*, which is no plain one."""
    if not isinstance(value, np.ndarray):
        return _hash(value)
    array = cast("NDArray[Any]", value)
    return array.tolist() if array.dtype.hasobject else (array.dtype.str, array.shape, array.tobytes())


class DistinctSample:
    """Keeps the distinct values of the smallest hashes, each with how many rows had it: exact while they are few.

    Source: Gibbons (2001), VLDB, "Distinct sampling for highly-accurate answers to distinct values queries".
    """

    def __init__(self, most: int = 4096) -> None:
        """*most* are the values kept."""
        self._most = most
        self._limit = np.uint64(2**64 - 1)
        self._values = np.zeros(0, np.uint64)
        self._rows = np.zeros(0, np.int64)

    def add(self, hashes: Hashes) -> None:
        """Take the hashes of the next values."""
        found, rows = np.unique(hashes[hashes <= self._limit], return_counts=True)
        values, place = np.unique(np.concatenate([self._values, found]), return_inverse=True)
        self._rows = np.bincount(place, np.concatenate([self._rows, rows]), len(values)).astype(np.int64)
        self._values = values
        if len(values) > self._most:
            self._values, self._rows = self._values[: self._most], self._rows[: self._most]
            self._limit = self._values[-1]

    @property
    def distinct_count(self) -> float:
        """How many values differ, within a few percent where they are many."""
        if len(self._values) < self._most:
            return float(len(self._values))
        return (len(self._values) - 1) / ((float(self._limit) + 1) / _WHOLE)

    @property
    def distinct_share(self) -> float:
        """Distinct values for each row with a value, 0 to 1; 0 where there is none."""
        return len(self._values) / max(int(self._rows.sum()), 1)

    @property
    def most_rows(self) -> int:
        """Rows of the most frequent of those kept."""
        return int(self._rows.max(initial=0))


class HeavyRows:
    """Finds the one row that makes up a large part of all, however many differ.

    Source: Misra and Gries (1982), Sci. Comput. Program. 2; Agarwal et al. (2013), ACM TODS 38 (merging).
    """

    def __init__(self, most: int = 256) -> None:
        """*most* rows are followed: the count of each is too low by at most one in so many of all rows."""
        self._most = most
        self._hashes = np.zeros(0, np.uint64)
        self._counts = np.zeros(0, np.int64)
        self._first = np.zeros(0, np.int64)
        self._rows = 0

    def add(self, hashes: Hashes) -> None:
        """Take the hashes of the next rows."""
        found, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        joined = np.concatenate([self._hashes, found])
        values, place = np.unique(joined, return_inverse=True)
        added = np.bincount(place, np.concatenate([self._counts, counts]), len(values)).astype(np.int64)
        where = np.full(len(values), np.iinfo(np.int64).max)
        np.minimum.at(where, place, np.concatenate([self._first, first + self._rows]))
        if len(values) > self._most:
            added = added - np.partition(added, -self._most - 1)[-self._most - 1]
        kept = added > 0
        self._hashes, self._counts, self._first = values[kept], added[kept], where[kept]
        self._rows += len(hashes)

    @property
    def heaviest(self) -> tuple[np.uint64, int, int] | None:
        """(its hash, a lower bound of its rows, number of its first row, from 0) of the row that occurs the most; None: none stays."""
        if not len(self._counts):
            return None
        at = int(self._counts.argmax())
        return self._hashes[at], int(self._counts[at]), int(self._first[at])
