"""What bins do not hold of a column and a break upstream shows: decimals, exact values, runs, spellings, types."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import isnan
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.records import Cell, Role, Table
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.layout import BLOCK_ROWS
from dashlight.window.values import Coded, Text, as_shortest, is_single, is_writable, number_texts, numbers_of, texts_of

PRECISIONS = (-3, -2, -1, 0, 1, 2, 3, 4, 5, 6)
"""Decimals that a number needs: 0 is a whole one, -1 a multiple of ten; -3 stands for 1000 and more, 6 for six and more."""
TYPES = ("null", "number", "truth", "text", "other")
NULL_TYPE, NUMBER_TYPE, TRUTH_TYPE, TEXT_TYPE, OTHER_TYPE = range(5)
QUANTILES = 257
LARGEST = 1e150
"""Larger numbers count as this one, so that none overflows that is multiplied."""
FREQUENT = 5
FEW_VALUES = 256
SPELLINGS = 1000

_KEPT = 8192
"""Rows kept, evenly over time, for quantiles and exact values: shares are then within one percent."""
_BLOCK = BLOCK_ROWS[0]
_FEWEST_IN_BLOCK = 20
_TYPE_OF: dict[type, int] = {
    type(None): NULL_TYPE,
    int: NUMBER_TYPE,
    float: NUMBER_TYPE,
    bool: TRUTH_TYPE,
    str: TEXT_TYPE,
}
_WHOLE_FROM = 2.0**52
"""Floats of this size have no decimals."""


def spelling(text: str) -> str:
    """What all spellings of a category share: no case, no outer space, compatible characters as one."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def bounded(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The finite ones of *numbers*, no larger than LARGEST."""
    return np.clip(numbers[np.isfinite(numbers)], -LARGEST, LARGEST)


def precisions_of(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each of *numbers* the place in PRECISIONS of the decimals that it needs, shape (len(numbers),).

    What a float of its size cannot hold does not count: 0.1 + 0.2 needs one decimal, and so does what 32 bits hold of it.
    """
    places = np.full(len(numbers), len(PRECISIONS) - 1, np.int64)
    sizes = np.minimum(np.abs(numbers), _WHOLE_FROM)
    # Of 64 bits off by no more than a few operations leave behind.
    noise = np.where(is_single(numbers), 2.0**-24, 2e-15)
    left = np.arange(len(numbers))
    for place, precision in enumerate(PRECISIONS[:-1]):
        scaled = sizes * 10.0**precision
        needs_more = np.abs(scaled - np.rint(scaled)) > scaled * noise
        places[left[~needs_more]] = place
        left, sizes, noise = left[needs_more], sizes[needs_more], noise[needs_more]
    return places


def types_of(cells: Sequence[Cell]) -> NDArray[np.uint8]:
    """The place in TYPES of each of *cells*, NaN as null, shape (len(cells),)."""
    if isinstance(cells, Coded):
        return cells.distinct.asked(types_of)[cells.codes]
    found = bytes(map(_type_of, cells))
    return np.frombuffer(found, np.uint8)


def _type_of(cell: Cell) -> int:
    is_null = isinstance(cell, float) and isnan(cell)
    return NULL_TYPE if is_null else _TYPE_OF.get(type(cell), OTHER_TYPE)


class ProfileMeter:
    """Takes the rows of a reference in their order, and tells the profile of every column."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        """*columns*, all of one role, need to be laid out, not counted."""
        self._columns = tuple(columns)
        self._parts = [_ColumnMeter(is_numeric=column.kind == "numeric") for column in columns]

    def add(self, table: Table) -> None:
        """Take the next rows; a column that *table* lacks is null in every row."""
        numbers = dict(zip(table.number_names, table.numbers, strict=True))
        cells = dict(zip(table.cell_names, table.cells, strict=True))
        for column, part in zip(self._columns, self._parts, strict=True):
            if column.name in cells:
                part.add_cells(cells[column.name])
            else:
                part.add_numbers(numbers.get(column.name, np.full(table.rows, np.nan)))

    def profiles(self) -> dict[tuple[Role, str], Profile]:
        """The profile of every column, by role and name."""
        both = zip(self._columns, self._parts, strict=True)
        return {(column.role, column.name): part.profile(column) for column, part in both}


class _ColumnMeter:
    def __init__(self, *, is_numeric: bool) -> None:
        self._is_numeric = is_numeric
        self._rows = 0
        self._types = np.zeros(len(TYPES), np.int64)
        self._precisions = np.zeros(len(PRECISIONS), np.int64)
        self._roundest = np.zeros(len(PRECISIONS))
        self._block = np.zeros(len(PRECISIONS), np.int64)
        self._kept: list[Text] = []
        self._kept_numbers = np.zeros(0)
        self._stride = 1
        self._last: list[Text] = []
        self._run = 0
        self._longest = 0
        self._repeats = 0

    def add_numbers(self, numbers: NDArray[np.float64]) -> None:
        known = ~np.isnan(numbers)
        self._types[[NULL_TYPE, NUMBER_TYPE]] += np.count_nonzero(~known), np.count_nonzero(known)
        both = np.concatenate([[np.nan], numbers])
        changes = (both[1:] != both[:-1]) & (known | ~np.isnan(both[:-1]))
        first: list[Text] = [*number_texts(numbers[:1])]
        self._add(numbers, changes, first, () if self._is_numeric else number_texts(numbers[self._thinned]))
        self._last = [*number_texts(numbers[-1:])] or self._last

    def add_cells(self, cells: Sequence[Cell]) -> None:
        self._types += np.bincount(types_of(cells), minlength=len(TYPES))
        texts = texts_of(cells)
        first = [*texts[:1]]
        self._add(numbers_of(cells)[0], _changes(texts), first, () if self._is_numeric else texts[self._thinned])
        self._last = [*texts[-1:]] or self._last

    def profile(self, column: ColumnReference) -> Profile:
        numbers = np.sort(as_shortest(bounded(self._kept_numbers)))
        distinct, counts = np.unique(numbers, return_counts=True)
        weighed = int(self._precisions.sum())
        ranked: Sequence[tuple[Text, int]]
        if self._is_numeric:
            often = np.lexsort((distinct, -counts))[:FREQUENT]
            ranked = list(zip(number_texts(distinct[often]), counts[often].tolist(), strict=True))
            total = len(numbers)
        else:
            texts = [text for text in self._kept if isinstance(text, str) and is_writable(text)]
            ranked = sorted(Counter(texts).items(), key=lambda entry: (-entry[1], entry[0]))[:FREQUENT]
            total = len(texts)
        is_few = len(distinct) <= FEW_VALUES
        at = np.linspace(0, len(numbers) - 1, QUANTILES if len(numbers) else 0).round().astype(np.intp)
        categories = () if column.kind == "numeric" else (*column.categories, *sorted(column.known))[:SPELLINGS]
        return Profile(
            rows=self._rows,
            types=tuple((self._types / max(self._rows, 1)).tolist()),
            precisions=tuple((np.cumsum(self._precisions) / weighed).tolist()) if weighed else (),
            roundest=tuple(np.maximum(self._roundest, _shares(self._block[np.newaxis])[0]).tolist()) if weighed else (),
            quantiles=tuple(numbers[at].tolist()),
            values=tuple(distinct.tolist()) if is_few else (),
            shares=tuple((counts / max(len(numbers), 1)).tolist()) if is_few else (),
            frequent=tuple((str(text), count / total) for text, count in ranked),
            repeat_share=self._repeats / max(self._rows - 1, 1),
            longest_run=self._longest,
            # Two categories of one spelling are told apart by their users: neither stands for the other.
            spellings={spelling(name): name for name in reversed(categories)},
        )

    @property
    def _thinned(self) -> slice:
        """Which of the next rows are kept."""
        return slice(-self._rows % self._stride, None, self._stride)

    def _add(
        self, numbers: NDArray[np.float64], changes: NDArray[np.bool_], first: Sequence[Text], kept: Sequence[Text]
    ) -> None:
        """*changes* says of each row but the first whether its value differs from the one before, *first* holds that one's."""
        if not len(numbers):
            return
        changes[0] = first != self._last
        starts = np.flatnonzero(changes)
        self._repeats += len(numbers) - len(starts)
        borders = np.concatenate([[-self._run], starts, [len(numbers)]])
        self._longest = max(self._longest, int(np.diff(borders).max()))
        self._run = int(borders[-1] - borders[-2])
        self._weigh(numbers)
        self._kept.extend(kept)
        self._kept_numbers = np.concatenate([self._kept_numbers, numbers[self._thinned]])
        while len(self._kept_numbers) > _KEPT:
            self._stride *= 2
            self._kept = self._kept[::2]
            self._kept_numbers = self._kept_numbers[::2]
        self._rows += len(numbers)

    def _weigh(self, numbers: NDArray[np.float64]) -> None:
        """Count the precisions of the next *numbers*, in all and in each block of rows."""
        weighed = np.flatnonzero(np.isfinite(numbers) & (numbers != 0))
        places = precisions_of(numbers[weighed])
        blocks = (self._rows % _BLOCK + np.arange(len(numbers))) // _BLOCK
        whole = (self._rows % _BLOCK + len(numbers)) // _BLOCK
        size = len(PRECISIONS)
        counts = np.bincount(blocks[weighed] * size + places, minlength=(whole + 1) * size).reshape(-1, size)
        self._precisions += counts.sum(axis=0)
        counts[0] += self._block
        self._roundest = np.maximum(self._roundest, _shares(counts[:whole]).max(axis=0, initial=0.0))
        self._block = counts[whole]


def _changes(texts: Sequence[Text]) -> NDArray[np.bool_]:
    """Which of *texts* differ from the one before; the first does."""
    if isinstance(texts, Coded):
        changes = np.ones(len(texts), np.bool_)
        changes[1:] = texts.codes[1:] != texts.codes[:-1]
        return changes
    return np.array([True, *(one != other for one, other in pairwise(texts))][: len(texts)])


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each of the blocks, shape (blocks, precisions), the share of its numbers that need at most so many decimals."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.cumsum(counts, axis=1) / np.maximum(totals, 1)
    return np.where(totals < _FEWEST_IN_BLOCK, 0.0, shares)


_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _ProfileFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rows: _Count
    types: Annotated[tuple[_Share, ...], msgspec.Meta(min_length=len(TYPES), max_length=len(TYPES))]
    precisions: tuple[_Share, ...]
    roundest: tuple[_Share, ...]
    quantiles: tuple[float, ...]
    values: Annotated[tuple[float, ...], msgspec.Meta(max_length=FEW_VALUES)]
    shares: tuple[_Share, ...]
    frequent: Annotated[tuple[tuple[str, _Share], ...], msgspec.Meta(max_length=FREQUENT)]
    repeat_share: _Share
    longest_run: _Count
    spellings: Annotated[dict[str, str], msgspec.Meta(max_length=SPELLINGS)]


def profile_content(profile: Profile) -> dict[str, object]:
    """*profile* as plain values, for JSON; `parsed_profile` reads them back to the last digit."""
    return {
        "rows": profile.rows,
        "types": list(profile.types),
        "precisions": list(profile.precisions),
        "roundest": list(profile.roundest),
        "quantiles": list(profile.quantiles),
        "values": list(profile.values),
        "shares": list(profile.shares),
        "frequent": [list(entry) for entry in profile.frequent],
        "repeat_share": profile.repeat_share,
        "longest_run": profile.longest_run,
        "spellings": dict(sorted(profile.spellings.items())),
    }


def parsed_profile(content: object) -> Profile:
    """The profile that `profile_content` gave; ReferenceDataError where *content* is none."""
    try:
        parsed = msgspec.convert(content, _ProfileFile)
    except msgspec.ValidationError as error:
        raise ReferenceDataError(f"holds no profile of a column: {error}") from None
    whole = {len(parsed.precisions), len(parsed.roundest)} in ({0}, {len(PRECISIONS)})
    if not whole or len(parsed.values) != len(parsed.shares) or len(parsed.quantiles) not in {0, QUANTILES}:
        raise ReferenceDataError("holds no profile of a column: its precisions or quantiles are not all there")
    for ascending in (parsed.precisions, parsed.quantiles, parsed.values):
        if not ((np.abs(ascending) <= LARGEST).all() and (np.diff(ascending) >= 0).all()):
            raise ReferenceDataError("holds no profile of a column: what should ascend does not")
    return Profile(**{name: getattr(parsed, name) for name in parsed.__struct_fields__})
