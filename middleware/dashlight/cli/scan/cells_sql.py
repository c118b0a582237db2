"""The grammar of cells as SQL, out of the same patterns: the shape of a cell, and its value by the column's writing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, get_args

from dashlight.cli.scan.database import literal
from dashlight.decode.cells import numbers, times
from dashlight.decode.cells.nulls import BLANKS, NULLS, WORDED_NULLS
from dashlight.decode.cells.shapes import MOST_CHARACTERS, PATTERNS, Shape
from dashlight.decode.cells.truths import TRUTHS
from dashlight.window.columns import DecimalMark, Writing

SHAPES: Final[tuple[Shape, ...]] = get_args(Shape)
PLAIN: Final = 32
"""Added to the number of the shape of a plain number, beside which no sign of a currency can stand."""

_READ: Final[dict[DecimalMark, str]] = {".": numbers.POINTED, ",": numbers.COMMAED}
_OTHER: Final[dict[DecimalMark, DecimalMark]] = {".": ",", ",": "."}
_PLAIN_WHOLE = "[-+]?(?:0|[1-9][0-9]{0,14})"
_PLAIN_NUMBER = f"{_PLAIN_WHOLE}(?:[.][0-9]*)?"
_PLAIN_OPEN = "[-+]?[1-9][0-9]{0,2}[.][0-9]{3}"
_PLAIN_MOMENT = (
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    "(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?)?"
)


def _escaped(word: str) -> str:
    return "".join(f"\\{character}" if character in r".\+*?()[]{}|^$" else character for character in word)


_WORDS = "|".join(_escaped(word) for word in sorted({*NULLS, *WORDED_NULLS, *TRUTHS}))
_NO_TEXT = f"[{BLANKS}]*(?:(?i:{_WORDS})|{'|'.join(f'(?:{pattern})' for pattern in PATTERNS.values())})?[{BLANKS}]*"
"""What all cells but texts match: one look for most words."""


def shape(cell: str) -> str:
    """The number in SHAPES of the shape of the text *cell*, PLAIN added where it is a plain number."""
    bare = _bare(cell)
    plain = {name: SHAPES.index(name) + PLAIN for name in ("whole", "open_point", "point")}
    known: tuple[tuple[Shape, Collection[str]], ...] = (
        ("null", NULLS), ("worded_null", WORDED_NULLS), ("truth", TRUTHS)
    )  # fmt: skip
    words = " ".join(f"WHEN lower({bare}) {_among(found)} THEN {SHAPES.index(name)}" for name, found in known)
    patterns = " ".join(f"WHEN {_full(bare, pattern)} THEN {SHAPES.index(name)}" for name, pattern in PATTERNS.items())
    text, empty = SHAPES.index("text"), SHAPES.index("empty")
    return f"""CAST(CASE
        WHEN {cell} IS NULL THEN {empty}
        WHEN {_full(cell, _PLAIN_NUMBER)} THEN CASE
            WHEN NOT contains({cell}, '.') THEN {plain["whole"]}
            WHEN {_full(cell, _PLAIN_OPEN)} THEN {plain["open_point"]} ELSE {plain["point"]} END
        WHEN NOT {_full(cell, _NO_TEXT)} THEN {text}
        WHEN {bare} = '' THEN {empty}
        WHEN length({bare}) > {MOST_CHARACTERS} THEN {text}
        {words} {patterns} ELSE {text} END AS UTINYINT)"""


def bare_cell(cell: str) -> str:
    """The text *cell* without outer blanks, empty where it is null."""
    return f"coalesce({_bare(cell)}, '')"


def value(cell: str, writing: Writing) -> str:
    """The value of the text *cell* in a column that writes so: a number, seconds, a truth value or a text; null for none.

    An odd cell, and a number too large for a double, is null too: `odd` tells them apart.
    """
    if writing.kind == "number":
        return _number(cell, writing.decimal)
    if writing.kind == "time":
        return _time(cell, writing)
    if writing.kind == "boolean":
        trues = [word for word, truth in TRUTHS.items() if truth]
        falses = [word for word, truth in TRUTHS.items() if not truth]
        word = f"lower({_bare(cell)})"
        return f"CASE WHEN {word} {_among(trues)} THEN true WHEN {word} {_among(falses)} THEN false END"
    return f"CASE WHEN {_full(cell, f'[{BLANKS}]*')} THEN NULL ELSE {cell} END"


def odd(cell: str, found: str, writing: Writing) -> str:
    """The text *cell* where it is odd in a column that writes so, else null; *found* is its `value`."""
    nothing = NULLS if writing.kind == "boolean" else {*NULLS, *WORDED_NULLS}
    return (
        f"CASE WHEN {found} IS NULL AND {bare_cell(cell)} <> '' AND NOT lower({_bare(cell)}) {_among(nothing)}"
        f" THEN {cell} END"
    )


def _number(cell: str, decimal: DecimalMark) -> str:
    bare = _bare(cell)
    plain = _PLAIN_NUMBER if decimal == "." else _PLAIN_WHOLE
    marks = (decimal, _OTHER[decimal])
    written = " ".join(f"WHEN {_full(bare, _READ[mark])} THEN {_written(bare, mark)}" for mark in marks)
    return (
        f"CASE WHEN {_full(cell, plain)} THEN CAST({cell} AS DOUBLE)"
        f" WHEN length({bare}) > {numbers.MOST_CHARACTERS} THEN NULL {written} END"
    )


def _written(bare: str, mark: DecimalMark) -> str:
    before, behind, digits, bracketed = (_group(bare, _READ[mark], group) for group in (1, 2, 3, 4))
    text = f"CASE WHEN {digits} = '' THEN {bracketed} ELSE {digits} END"
    number = (
        f"TRY_CAST(replace(regexp_replace({text}, {literal(numbers.NOT_DIGITS[mark])}, '', 'g'), ',', '.') AS DOUBLE)"
    )
    minus = _among(["-", "\u2212"])
    sign = f"CASE WHEN {bracketed} <> '' OR {before} {minus} OR {behind} {minus} THEN -1 ELSE 1 END"
    return f"nullif({number}, 'infinity'::DOUBLE) * {sign}"


def _time(cell: str, writing: Writing) -> str:
    bare = _bare(cell)
    year, month, day = (_group(bare, times.YEAR_FIRST, group) for group in (1, 2, 3))
    iso = _seconds(f"{year} || '-' || lpad({month}, 2, '0') || '-' || lpad({day}, 2, '0')", bare, times.YEAR_FIRST, 4)
    one, mark, other, last = (_group(bare, times.YEAR_LAST, group) for group in (1, 2, 3, 4))
    open_one = {"dmy": "true", "mdy": "false", "ymd": "NULL"}[writing.dates]
    day_first = (
        f"CASE WHEN {mark} = '.' OR CAST({one} AS INTEGER) > 12 THEN true"
        f" WHEN CAST({other} AS INTEGER) <= 12 THEN {open_one} ELSE false END"
    )
    ordered = [f"lpad({each}, 2, '0')" for each in (one, other)]
    dates = [f"{last} || '-' || {month} || '-' || {day}" for month, day in (ordered[::-1], ordered)]
    date = f"CASE {day_first} WHEN true THEN {dates[0]} WHEN false THEN {dates[1]} END"
    return (
        f"CASE WHEN {_full(cell, _PLAIN_MOMENT)} THEN epoch_us(TRY_CAST({cell} AS TIMESTAMP)) / 1e6"
        f" WHEN {_full(bare, times.YEAR_FIRST)} THEN {iso}"
        f" WHEN {_full(bare, times.YEAR_LAST)} THEN {_seconds(date, bare, times.YEAR_LAST, 5)} END"
    )


def _seconds(date: str, bare: str, pattern: str, clock_group: int) -> str:
    """Seconds of the *date*, written as in ISO 8601, and of the clock and zone of the cell *bare*."""
    clock, zone = _group(bare, pattern, clock_group), _group(bare, pattern, clock_group + 1)
    whole = f"CASE WHEN {clock} = '' THEN '00:00' WHEN {clock}[2] = ':' THEN '0' || {clock} ELSE {clock} END"
    full = f"replace({whole}, ',', '.') || CASE WHEN length({whole}) = 5 THEN ':00' ELSE '' END"
    digits = f"replace({zone}[2:], ':', '')"
    minutes = f"CASE WHEN length({digits}) = 4 THEN CAST({digits}[3:4] AS INTEGER) ELSE 0 END"
    offset = (
        f"CASE WHEN {zone}[1] NOT IN ('+', '-') OR {zone} = '' THEN 0"
        f" ELSE (3600 * CAST({digits}[1:2] AS INTEGER) + 60 * {minutes}) * CASE {zone}[1] WHEN '-' THEN -1 ELSE 1 END END"
    )
    return f"epoch_us(TRY_CAST({date} || ' ' || {full} AS TIMESTAMP)) / 1e6 - {offset}"


def _bare(cell: str) -> str:
    return f"trim({cell}, {literal(BLANKS)})"


def _full(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _group(text: str, pattern: str, group: int) -> str:
    return f"regexp_extract({text}, {literal(f'^(?:{pattern})$')}, {group})"


def _among(words: Collection[str]) -> str:
    return f"IN ({', '.join(literal(word) for word in sorted(words))})"
