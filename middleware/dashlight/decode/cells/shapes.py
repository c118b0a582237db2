"""What a cell looks like, and how often each look occurs in a column: all that a column is decided by."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from dashlight.decode.cells import numbers, times
from dashlight.decode.cells.nulls import BLANKS, NULLS, WORDED_NULLS
from dashlight.decode.cells.truths import TRUTHS

Shape: TypeAlias = Literal[
    "empty", "null", "worded_null", "truth", "whole", "open_comma", "open_point", "point", "comma", "infinite", "code",
    "moment", "day_first", "month_first", "open_day", "text",
]  # fmt: skip
"""Each cell is of one shape. `open`: the cell alone does not tell which mark is decimal, which number is the day."""

PATTERNS: Final[Mapping[Shape, str]] = {
    "whole": numbers.WHOLE,
    "open_comma": numbers.OPEN_COMMA,
    "open_point": numbers.OPEN_POINT,
    "point": numbers.POINTED,
    "comma": numbers.COMMAED,
    "infinite": numbers.INFINITE,
    "code": numbers.CODE,
    "moment": times.YEAR_FIRST,
    "day_first": f"{times.DAY_FIRST}|{times.DOTTED}",
    "month_first": times.MONTH_FIRST,
    "open_day": times.OPEN_DAY,
}
"""The first, in this order, that the whole of a bare cell matches is its shape. Before them come `empty`, `null`,
`worded_null` and `truth`, which are sets of words; what matches none is `text`."""
MOST_CHARACTERS: Final = numbers.MOST_CHARACTERS
"""A longer cell is a text."""
NUMBERS: Final[frozenset[Shape]] = frozenset({"whole", "open_comma", "open_point", "point", "comma", "infinite"})
TIMES: Final[frozenset[Shape]] = frozenset({"moment", "day_first", "month_first", "open_day"})
NOTHING: Final[frozenset[Shape]] = frozenset({"empty", "null", "worded_null"})
EXAMPLE_CHARACTERS: Final = 200

_POINTED = re.compile(numbers.POINTED)
_COMMAED = re.compile(numbers.COMMAED)
_CODE = re.compile(numbers.CODE)
_TIMES: Mapping[Shape, re.Pattern[str]] = {
    "moment": re.compile(PATTERNS["moment"]),
    "day_first": re.compile(PATTERNS["day_first"]),
    "month_first": re.compile(PATTERNS["month_first"]),
    "open_day": re.compile(PATTERNS["open_day"]),
}
_CURRENCY = re.compile(numbers.CURRENCY)
_DECIMALS = re.compile("-?(?:0|[1-9][0-9]{0,14})(?:([.,])[0-9]+)?")
_OPEN = re.compile("-?[1-9][0-9]{0,2}[.,][0-9]{3}")
_DIGITS = frozenset("0123456789-")
_WORDS: Mapping[str, Shape] = {
    **dict.fromkeys(NULLS, "null"),
    **dict.fromkeys(WORDED_NULLS, "worded_null"),
    **dict.fromkeys(TRUTHS, "truth"),
    **dict.fromkeys((sign + word for sign in ("", *numbers.SIGNS) for word in numbers.INFINITIES), "infinite"),
}
_NUMBER_LIKE = re.compile(f"(?:[-+(\u2212.,0-9]|{numbers.CURRENCY}).*[^a-km-qu-zACEGHIJMOQSTUVXZ]")
"""What numbers begin and end with. From this alone it is quicker to tell that a text is none."""
_TIME_LIKE = re.compile("[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?")


@dataclass(slots=True)
class CellCounts:
    """The cells of one column by their shape; its size does not depend on that of the column."""

    rows: int = 0
    shapes: Counter[Shape] = field(default_factory=Counter[Shape])
    """Cells of each."""
    first: dict[Shape, tuple[int, str]] = field(default_factory=dict[Shape, tuple[int, str]])
    """The first cell of each shape: its row, counted from 0, and its text."""
    nulls: Counter[str] = field(default_factory=Counter[str])
    """Bare spellings of `empty`, `null` and `worded_null`, with the cells of each."""
    truths: Counter[str] = field(default_factory=Counter[str])
    """Bare truth values in lower case, with the cells of each."""
    has_currency: bool = False
    """Whether a number had the sign of one; likewise the next."""
    has_percent: bool = False
    fewest_digits: int = 0
    """Characters of the shortest `whole` or `code`; 0 where there is none."""
    most_digits: int = 0

    def add(self, texts: Sequence[str]) -> None:
        """Counts the next cells of the column."""
        counts = Counter(texts)
        for text, count in counts.items():
            bare = text.strip(BLANKS)
            shape = shape_of(bare)
            self.shapes[shape] += count
            if shape not in self.first:
                self.first[shape] = (self.rows + texts.index(text), text[:EXAMPLE_CHARACTERS])
            if shape in NOTHING:
                self.nulls[bare] += count
            elif shape == "truth":
                self.truths[bare.lower()] += count
            elif shape in NUMBERS or shape == "code":
                self._add_number(bare, shape)
        self.rows += len(texts)

    def of(self, shapes: Collection[Shape]) -> int:
        """Cells of any of *shapes*."""
        return sum(count for shape, count in self.shapes.items() if shape in shapes)

    def _add_number(self, bare: str, shape: Shape) -> None:
        if shape in {"whole", "code"}:
            self.fewest_digits = min(self.fewest_digits or len(bare), len(bare))
            self.most_digits = max(self.most_digits, len(bare))
        if not bare.isascii() or not bare[0].isdecimal() or not bare[-1].isdecimal():
            self.has_percent = self.has_percent or numbers.PERCENT in bare
            self.has_currency = self.has_currency or _CURRENCY.search(bare) is not None


def shape_of(bare: str) -> Shape:
    """The shape of *bare*, a cell without outer blanks."""
    if not bare:
        return "empty"
    if len(bare) > MOST_CHARACTERS:
        return "text"
    # Most cells are plain numbers, amounts or words: these are not shown all patterns.
    plain = _DECIMALS.fullmatch(bare) if bare[0] in _DIGITS else None
    if plain is not None:
        return _marked(plain[1], is_open=_OPEN.fullmatch(bare) is not None)
    if numbers.AMOUNT.fullmatch(bare):
        return "point"
    known = _WORDS.get(bare.lower())
    if known is not None:
        return known
    if bare[0] in _DIGITS and _TIME_LIKE.fullmatch(bare):
        shapes: list[Shape] = [shape for shape, pattern in _TIMES.items() if pattern.fullmatch(bare)]
        return shapes[0] if shapes else "text"
    return _number_shape(bare) if _NUMBER_LIKE.fullmatch(bare) else "text"


def _number_shape(bare: str) -> Shape:
    pointed, commaed = _POINTED.fullmatch(bare), _COMMAED.fullmatch(bare)
    if pointed is not None and commaed is not None:
        digits: str = pointed[3] or pointed[4]
        return _marked("," if "," in digits else "." if "." in digits else None, is_open=True)
    if pointed is not None:
        return "point"
    return "comma" if commaed is not None else "code" if _CODE.fullmatch(bare) else "text"


def _marked(mark: str | None, *, is_open: bool) -> Shape:
    """The shape of a number with this *mark*, which alone may leave open what it is."""
    if mark is None:
        return "whole"
    if mark == ",":
        return "open_comma" if is_open else "comma"
    return "open_point" if is_open else "point"
