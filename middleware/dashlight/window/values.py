"""What a decoded value counts as: nothing, a number, a truth value, a text, or none of these.

The layout of the reference and the binning of traffic both ask here, so that they cannot disagree.
"""

import math
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeGuard, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell

CATEGORY_CHARACTERS = 200
"""A longer text counts as its beginning: a reference must stay bounded whatever it is fed."""

_EXACT_INTEGERS = 2.0**53
_LARGEST_SINGLE = 3e38
_DIGITS = 12
"""Significant ones, of a number of 64 bits: what arithmetic leaves behind is smaller."""
_FEWEST_SINGLE_DIGITS, _MOST_SINGLE_DIGITS = 6, 9
"""By so many digits numbers of 32 bits are told apart: FLT_DIG, FLT_DECIMAL_DIG."""
_EXACT_TENS = 22
"""The last power of ten that a float holds exactly: divided by a larger one, a number is off in its last bit."""
_SMALLEST = 1e-290
"""Smaller ones cannot be scaled to their digits."""
_pack, _unpack = struct.Struct("<f").pack, struct.Struct("<f").unpack


class _Wrong(Enum):
    WRONG = "wrong"


WRONG: Final = _Wrong.WRONG
"""Stands for a list, a dict, bytes or anything else that is no single value."""
Text: TypeAlias = str | Literal[_Wrong.WRONG] | None

_TRUTHS: dict[bool | None, Text] = {True: "true", False: "false", None: None}


Value = TypeVar("Value", covariant=True)  # noqa: PLC0105  # named for what it is


class Distinct(Generic[Value]):
    """The distinct values of a column; what is asked of them is asked once of each, also where more come later."""

    __slots__ = ("_answers", "_mapped", "values")

    def __init__(self, values: Sequence[Value] = ()) -> None:
        """*values* may be a list to which its owner appends."""
        self.values = values
        self._answers: dict[object, NDArray[Any]] = {}
        self._mapped: dict[object, _Mapped] = {}

    def asked(self, question: Callable[[Sequence[Value]], NDArray[Any]], key: object = None) -> NDArray[Any]:
        """What *question* answers of the values, shape (len(values),); it is known by *key*, or is always the same function."""
        known = self._answers.get(key or question)
        done = 0 if known is None else len(known)
        if known is None or done < len(self.values):
            more = question(self.values[done:])
            known = self._answers[key or question] = more if known is None else np.concatenate([known, more])
        return known

    def mapped(self, question: Callable[[Sequence[Value]], Sequence[Any]]) -> "tuple[NDArray[np.intp], Distinct[Any]]":
        """The place of what each of the values becomes by *question* among all that is distinct of these, and those."""
        mapped = self._mapped.setdefault(question, _Mapped())
        mapped.extend(question(self.values[len(mapped.places) :]))
        return mapped.places, mapped.distinct


class _Mapped:
    def __init__(self) -> None:
        self.places: NDArray[np.intp] = np.zeros(0, np.intp)
        self._place_of: dict[object, int] = {}
        self._values: list[object] = []
        self.distinct: Distinct[Any] = Distinct(self._values)

    def extend(self, values: Sequence[object]) -> None:
        if not values:
            return
        found: list[int] = []
        for value in values:
            place = self._place_of.setdefault(value, len(self._values))
            if place == len(self._values):
                self._values.append(value)
            found.append(place)
        self.places = np.concatenate([self.places, np.array(found, np.intp)])


class Coded(Sequence[Value], Generic[Value]):
    """Cells in order as numbers into the distinct ones: what is asked of a value is asked once for all its rows."""

    __slots__ = ("codes", "distinct")

    def __init__(self, codes: NDArray[np.intp], values: "Sequence[Value] | Distinct[Value]") -> None:
        """*codes*, shape (rows,), are places in *values*; a value may stand there twice, or stand for no row."""
        self.codes = codes
        self.distinct: Distinct[Value] = values if isinstance(values, Distinct) else Distinct(values)

    @property
    def values(self) -> Sequence[Value]:
        """The distinct ones."""
        return self.distinct.values

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, place: int) -> Value: ...
    @overload
    def __getitem__(self, place: slice) -> "Coded[Value]": ...
    def __getitem__(self, place: int | slice) -> "Value | Coded[Value]":
        if isinstance(place, slice):
            return Coded(self.codes[place], self.distinct)
        return self.values[int(self.codes[place])]

    def __iter__(self) -> Iterator[Value]:
        return map(self.values.__getitem__, self.codes.tolist())

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows of each of *values*."""
        return np.bincount(self.codes, minlength=len(self.values)).astype(np.int64, copy=False)


def number_of(cell: Cell) -> float | None:
    """The number that *cell* is, NaN where it is null, None where it is no number (a bool and a numeric text are none)."""
    if cell is None:
        return float("nan")
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    try:
        return float(cell)
    except OverflowError:  # an integer of more than 308 digits
        return float("inf") if cell > 0 else float("-inf")


def is_null(cell: Cell) -> bool:
    """Whether *cell* is null: None or NaN."""
    number = number_of(cell)
    return number is not None and number != number  # noqa: PLR0124  # NaN alone differs from itself


def is_listed(cell: Cell) -> TypeGuard[Sequence[Any]]:
    """Whether *cell* holds several values in order."""
    return isinstance(cell, list | tuple) or (isinstance(cell, np.ndarray) and cell.ndim > 0)


def numbers_of(cells: Sequence[Cell]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """*cells* as numbers, NaN where null or no number, and which of them are neither: both of shape (len(cells),)."""
    if isinstance(cells, Coded):
        return cells.distinct.asked(_numbers)[cells.codes], cells.distinct.asked(_are_wrong)[cells.codes]
    found = [number_of(cell) for cell in cells]
    wrong = np.array([number is None for number in found], np.bool_)
    return np.array([np.nan if number is None else number for number in found], np.float64), wrong


def text_of(cell: Cell) -> Text:
    """The category that *cell* counts as: a text as it is, 5, 5.0 and "5.0" all `5`, true `true`; None where it is null."""
    if isinstance(cell, str):
        return whole_text(cell[:CATEGORY_CHARACTERS])
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    number = number_of(cell)
    return WRONG if number is None else number_text(number)


def whole_text(text: str) -> str:
    """*text* without the `.0` of a whole number; a zero before it, as codes have it, keeps it what it is."""
    if not text.endswith(".0"):
        return text
    digits = text[:-2]
    number = digits.removeprefix("-")
    is_whole = number.isascii() and number.isdigit() and (number[0] != "0" or digits == "0")
    return digits if is_whole else text


def is_writable(text: str) -> bool:
    """Whether *text* can be written to a file: half of a surrogate pair, which JSON can bring, cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def texts_of(cells: Sequence[Cell]) -> Sequence[Text]:
    """The category that each of *cells* counts as; of coded cells no two values are of one category."""
    if isinstance(cells, Coded):
        places, texts = cells.distinct.mapped(texts_of)
        return Coded(places[cells.codes], texts)
    kinds = set(map(type, cells))
    if kinds <= {str, type(None)} and _longest(cells) <= CATEGORY_CHARACTERS:
        return [cell if cell is None else whole_text(cell) for cell in cells]  # type: ignore[arg-type]  # the line above proves it
    return [text_of(cell) for cell in cells]


def truths_of(cells: Sequence[Cell]) -> list[Text]:
    """Each of *cells* as `true` or `false`; a number and a text are neither, whatever they say, for "false" is true."""
    return [_TRUTHS[cell] if isinstance(cell, bool | None) else WRONG for cell in cells]


def number_text(number: float) -> str | None:
    """How a number is written as a category: without a point where it is whole; None where it is NaN.

    What a number lost on its way, beyond twelve digits or beyond 32 bits, makes no other category of it.
    """
    if number != number:  # noqa: PLR0124  # NaN alone differs from itself
        return None
    if number.is_integer() and abs(number) < _EXACT_INTEGERS:
        return str(int(number))
    if not math.isfinite(number):
        return repr(number)
    short = float(f"{number:.7g}")
    if abs(number) < _LARGEST_SINGLE and _pack(short) == _pack(number) and _unpack(_pack(number))[0] == number:
        return repr(short)
    return repr(float(f"{number:.12g}"))


def number_texts(numbers: NDArray[np.float64]) -> list[str | None]:
    """How each of *numbers* is written as a category."""
    distinct, place = np.unique(numbers, return_inverse=True)
    written = [number_text(number) for number in distinct.tolist()]
    return [written[at] for at in place.tolist()]


def is_single(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of *numbers* are exactly of 32 bits and not whole: those of 64 bits are so by a rare chance."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: NDArray[np.bool_] = (numbers.astype(np.float32) == numbers) & (np.rint(numbers) != numbers)
    return found


def as_shortest(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """*numbers* as they were written before they went through a format, shape (len(numbers),).

    One that is exactly of 32 bits is the shortest number that is the same in 32 bits (5.1 where 5.099999904632568 came);
    of another twelve digits count, so that 0.1 + 0.2 is 0.3. Whole numbers, infinite ones and NaN stay as they are.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        places = np.flatnonzero((np.rint(numbers) != numbers) & (np.abs(numbers) > _SMALLEST))
        broken = numbers[places]
        single = broken.astype(np.float32)
        is_single = single == broken
    if not len(places):
        return numbers
    short = _rounded(broken, _DIGITS)
    singles = broken[is_single]
    for digits in range(_MOST_SINGLE_DIGITS, _FEWEST_SINGLE_DIGITS - 1, -1) if len(singles) else ():
        shorter = _rounded(broken[is_single], digits)
        singles = np.where(shorter.astype(np.float32) == single[is_single], shorter, singles)
    short[is_single] = singles
    found = numbers.copy()
    found[places] = short
    return found


def _rounded(numbers: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """*numbers*, none of them 0, to so many significant digits."""
    decimals = digits - 1 - np.floor(np.log10(np.abs(numbers)))
    up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
    found: NDArray[np.float64] = np.rint(numbers * up / down) * down / up
    far = np.flatnonzero(decimals > _EXACT_TENS)
    found[far] = [float(f"{number:.{digits}g}") for number in numbers[far].tolist()]
    return found


def types_among(cells: Sequence[Cell]) -> Counter[type]:
    """How many of *cells* are of each type."""
    if not isinstance(cells, Coded):
        return Counter(map(type, cells))
    places, types = cells.distinct.mapped(_types)
    counts = np.bincount(places[cells.codes], minlength=len(types.values)).tolist()
    return Counter({type_: count for type_, count in zip(types.values, counts, strict=True) if count})


def _numbers(cells: Sequence[Cell]) -> NDArray[np.float64]:
    return numbers_of(cells)[0]


def _are_wrong(cells: Sequence[Cell]) -> NDArray[np.bool_]:
    return numbers_of(cells)[1]


def _types(cells: Sequence[Cell]) -> list[type]:
    return list(map(type, cells))


def _longest(cells: Iterable[Cell]) -> int:
    return max((len(cell) for cell in cells if isinstance(cell, str)), default=0)
