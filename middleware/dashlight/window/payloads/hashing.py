"""Which rows are the very same: a keyed 64-bit hash of each row's values, whatever order its columns come in.

A row's hash is the sum over its columns of a mixed value, each column with keys of its own. What is null adds nothing,
so that a column that is left out is as one that is null. Numbers count in 32 bits: what they lose on their way makes
no other row of it.
"""

import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Table
from dashlight.window.values import Coded, is_listed, number_of

Hashes: TypeAlias = NDArray[np.uint64]

_PRESENT = 1 << 34
"""Tells the number 0 from nothing."""
_SHIFT = np.uint64(29)
_LAST_SHIFT = np.uint64(32)
_LAST_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_WORDS = frozenset({str, bool, type(None)})
_TEXTS_KEPT, _CHARACTERS_KEPT = 8192, 64
"""Short texts whose number is remembered."""
_PLANS_KEPT = 64
"""Sets of names: a client that invents them must not fill the memory."""
_ELEMENTS = 64
"""Of a longer list so many, evenly spread, stand for all."""
_KEY_BYTES = 8
_pack = struct.Struct("<f").pack


class PayloadHasher:
    """Hashes the rows of tables over the columns *names*, under a *key* of 64 bits."""

    def __init__(self, names: Collection[str], key: int, *, is_exact: bool = False) -> None:
        """Where *is_exact*, numbers count to the last digit: they are names."""
        self._bits_of, self._bits_of_one = (_exact_bits, _exact_number_bits) if is_exact else (_bits, _number_bits)
        self._key = key.to_bytes(_KEY_BYTES, "little")
        self._factors: Mapping[str, tuple[int, int]] = {name: self._factors_of(name) for name in names}
        self._plans: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[list[int], list[int], Hashes]] = {}
        self._texts: dict[str | bool | None, int] = {}

    def hashes(self, table: Table) -> Hashes:
        """The hash of every row, shape (rows,)."""
        numbers, cells, factors = self._plan(table.number_names, table.cell_names)
        values: Hashes = np.empty((len(factors), table.rows), np.uint64)
        if numbers:
            every = len(numbers) == len(table.number_names)
            values[: len(numbers)] = self._bits_of(table.numbers if every else table.numbers[numbers])
        for row, place in enumerate(cells, start=len(numbers)):
            values[row] = self._numbers(table.cells[place])
        total: Hashes = _mixed(values, factors).sum(0, dtype=np.uint64)
        total ^= total >> _LAST_SHIFT
        total *= _LAST_FACTOR
        total ^= total >> _SHIFT
        return total

    def _plan(self, numbers: tuple[str, ...], cells: tuple[str, ...]) -> tuple[list[int], list[int], Hashes]:
        """The places of the known ones among the names of *numbers* and of *cells*, and the factors of all of them."""
        plan = self._plans.get((numbers, cells))
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            places = [
                [place for place, name in enumerate(names) if name in self._factors] for names in (numbers, cells)
            ]
            known = [numbers[place] for place in places[0]] + [cells[place] for place in places[1]]
            factors = np.array([self._factors[name] for name in known], np.uint64).reshape(-1, 2)
            plan = self._plans[numbers, cells] = (places[0], places[1], factors)
        return plan

    def _factors_of(self, name: str) -> tuple[int, int]:
        digest = blake2b(name.encode(errors="surrogatepass"), digest_size=2 * _KEY_BYTES, key=self._key).digest()
        first, second = (int.from_bytes(half, "little") | 1 for half in (digest[:_KEY_BYTES], digest[_KEY_BYTES:]))
        return first, second

    def _numbers(self, cells: Sequence[Cell]) -> Hashes:
        """What stands for each of *cells*."""
        if isinstance(cells, Coded):
            return cells.distinct.asked(self._numbers, key=self)[cells.codes]
        if set(map(type, cells)) <= _WORDS:  # the usual case; 1 and 1.0 would be looked up as True
            known = cast("Callable[[Cell], int | None]", self._texts.get)
            found = [self._number(cell) if (number := known(cell)) is None else number for cell in cells]
            return np.array(found, np.uint64)
        return np.array(list(map(self._number, cells)), np.uint64)

    def _number(self, cell: Cell) -> int:
        """What stands for *cell*; 0 where it is null."""
        if isinstance(cell, str):
            number = self._texts.get(cell)
            if number is not None:
                return number
            number = self._digest(cell.encode(errors="surrogatepass"))
            if len(cell) <= _CHARACTERS_KEPT:
                if len(self._texts) >= _TEXTS_KEPT:
                    self._texts.clear()
                self._texts[cell] = number
            return number
        if isinstance(cell, bool):
            number = self._texts[cell] = self._number("true" if cell else "false")
            return number
        given = number_of(cell)
        if given is not None:
            if cell is None:
                self._texts[None] = 0
            return self._bits_of_one(given)
        return self._digest(_listed_bytes(cell) if is_listed(cell) else _plain_bytes(cell))

    def _digest(self, content: bytes) -> int:
        # Of 63 bits: NumPy takes larger numbers in a list for something else.
        return int.from_bytes(blake2b(content, digest_size=_KEY_BYTES, key=self._key).digest(), "little") >> 1


def payload_key(*said: object) -> int:
    """A key of 64 bits that follows from what is *said*."""
    return int.from_bytes(blake2b(repr(said).encode(), digest_size=_KEY_BYTES).digest(), "little")


def _bits(numbers: NDArray[np.float64]) -> Hashes:
    """The bits of *numbers* rounded to 32 of them, 0 where there is none."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        single = numbers.astype(np.float32)
    single += np.float32(0)  # -0.0 is 0.0
    bits = single.view(np.uint32).astype(np.uint64)
    bits |= np.uint64(_PRESENT)
    missing = np.isnan(single)
    if missing.any():
        bits[missing] = 0
    return bits


def _number_bits(number: float) -> int:
    if number != number:  # noqa: PLR0124  # NaN alone differs from itself
        return 0
    try:
        packed = _pack(number + 0.0)
    except OverflowError:
        packed = _pack(float("inf") if number > 0 else float("-inf"))
    return int.from_bytes(packed, "little") | _PRESENT


def _exact_bits(numbers: NDArray[np.float64]) -> Hashes:
    """The bits of *numbers*, 0 where there is none."""
    bits = (numbers + 0.0).view(np.uint64) ^ np.uint64(_PRESENT)
    bits[np.isnan(numbers)] = 0
    return bits


def _exact_number_bits(number: float) -> int:
    return int(_exact_bits(np.array([number]))[0])


def _mixed(numbers: Hashes, factors: Hashes) -> Hashes:
    """*numbers*, shape (columns, rows), scattered over 64 bits by the two *factors* of each column; 0 stays 0."""
    mixed = numbers * factors[:, :1]
    mixed ^= mixed >> _SHIFT
    mixed *= factors[:, 1:]
    mixed ^= mixed >> _LAST_SHIFT
    return mixed


def _listed_bytes(cell: Sequence[Any]) -> bytes:
    """What stands for a list: its length, and all of its elements or _ELEMENTS of them."""
    some = cell[:: max(len(cell) // _ELEMENTS, 1)]
    length = len(cell).to_bytes(_KEY_BYTES, "little")
    try:
        numbers = np.asarray(some)
        if numbers.dtype.kind in "iuf":
            with np.errstate(over="ignore"):
                return length + (numbers + 0.0).astype(np.float32).tobytes()
    except ValueError:  # lists of several lengths inside
        pass
    return length + _plain_bytes(some)


def _plain_bytes(cell: object) -> bytes:
    """*cell* as bytes, in a time that grows with its size alone; of what is no plain value its type."""
    try:
        return msgspec.msgpack.encode(cell)
    except (TypeError, ValueError, OverflowError, RecursionError):  # of somebody else's type, too large or too deep
        return type(cell).__name__.encode(errors="replace")
