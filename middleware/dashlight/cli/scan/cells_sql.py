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
"""Added to the number of the shape of a plain number or moment: as programs write them, and as DuckDB reads them too."""

_READ: Final[dict[DecimalMark, str]] = {".": numbers.POINTED, ",": numbers.COMMAED}
_OTHER: Final[dict[DecimalMark, DecimalMark]] = {".": ",", ",": "."}
_PLAIN_WHOLE = "[-+]?(?:0|[1-9][0-9]{0,14})"
_PLAIN_NUMBER = f"{_PLAIN_WHOLE}(?:[.][0-9]*)?"
_PLAIN_OPEN = "[-+]?[1-9][0-9]{0,2}[.][0-9]{3}"
_PLAIN_MOMENT = (
    "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    "(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?Z?)?"
)
_PLAIN_TRUTH = f"(?i:{'|'.join(TRUTHS)})"

_NUMBER_GROUPS = ("before", "behind", "digits", "bracketed")
_TIME_GROUPS = ("y", "m", "d", "clock", "zone", "one", "mark", "other", "last", "late_clock", "late_zone")


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
        WHEN {_full(cell, _PLAIN_TRUTH)} AND lower({cell}) {_among(TRUTHS)} THEN {SHAPES.index("truth")}
        WHEN {_full(cell, _PLAIN_MOMENT)} THEN {SHAPES.index("moment") + PLAIN}
        WHEN NOT {_full(cell, _NO_TEXT)} THEN {text}
        WHEN {bare} = '' THEN {empty}
        WHEN length({bare}) > {MOST_CHARACTERS} THEN {text}
        {words} {patterns} ELSE {text} END AS UTINYINT)"""


def bare_cell(cell: str) -> str:
    """The text *cell* without outer blanks, empty where it is null."""
    return f"coalesce({_bare(cell)}, '')"


def parts(cell: str, writing: Writing) -> str:
    """The groups of the text *cell* in a column of numbers or times: a structure that `value` reads, null where it is plain."""
    bare = _bare(cell)
    if writing.kind == "number":
        short = f"CASE WHEN length({bare}) > {numbers.MOST_CHARACTERS} THEN '' ELSE {bare} END"
        marks = (writing.decimal, _OTHER[writing.decimal])
        first, second = (_groups(short, _READ[mark], _NUMBER_GROUPS) for mark in marks)
        plain = _PLAIN_NUMBER if writing.decimal == "." else _PLAIN_WHOLE
        return f"CASE WHEN {_full(cell, plain)} THEN NULL WHEN {_full(bare, _READ[marks[0]])} THEN {first} ELSE {second} END"
    either = f"{times.YEAR_FIRST}|{times.YEAR_LAST}"
    return f"CASE WHEN NOT {_full(cell, _PLAIN_MOMENT)} THEN {_groups(bare, either, _TIME_GROUPS)} END"


def value(cell: str, writing: Writing, groups: str) -> str:
    """The value of the text *cell* in a column that writes so: a number, seconds, a truth value or a text; null for none.

    An odd cell, and a number too large for a double, is null too: `odd` tells them apart. *groups* are its `parts`.
    """
    if writing.kind == "number":
        return _number(cell, writing.decimal, groups)
    if writing.kind == "time":
        return _time(cell, writing, groups)
    if writing.kind == "boolean":
        trues = [word for word, truth in TRUTHS.items() if truth]
        falses = [word for word, truth in TRUTHS.items() if not truth]
        word = f"lower({_bare(cell)})"
        return f"CASE WHEN {word} {_among(trues)} THEN true WHEN {word} {_among(falses)} THEN false END"
    return f"CASE WHEN {cell} {_among(writing.nulls)} THEN NULL ELSE {cell} END" if writing.nulls else cell


def plain_value(cell: str, writing: Writing) -> str:
    """`value` where all cells of a column of numbers or times are plain, or empty."""
    return f"TRY_CAST({cell} AS DOUBLE)" if writing.kind == "number" else _plain_moment(cell)


def odd(cell: str, found: str, writing: Writing) -> str:
    """The text *cell* where it is odd in a column that writes so, else null; *found* is its `value`."""
    nothing = NULLS if writing.kind == "boolean" else {*NULLS, *WORDED_NULLS}
    return (
        f"CASE WHEN {found} IS NULL AND {bare_cell(cell)} <> '' AND NOT lower({_bare(cell)}) {_among(nothing)}"
        f" THEN {cell} END"
    )


def _number(cell: str, decimal: DecimalMark, groups: str) -> str:
    bare = _bare(cell)
    written = " ".join(
        f"WHEN {_full(bare, _READ[mark])} THEN {_written(groups, mark)}" for mark in (decimal, _OTHER[decimal])
    )
    return f"CASE WHEN {groups} IS NULL THEN CAST({cell} AS DOUBLE) {written} END"


def _written(groups: str, mark: DecimalMark) -> str:
    before, behind, digits, bracketed = (f"{groups}.{name}" for name in _NUMBER_GROUPS)
    text = f"CASE WHEN {digits} = '' THEN {bracketed} ELSE {digits} END"
    number = (
        f"TRY_CAST(replace(regexp_replace({text}, {literal(numbers.NOT_DIGITS[mark])}, '', 'g'), ',', '.') AS DOUBLE)"
    )
    minus = _among(["-", "\u2212"])
    sign = f"CASE WHEN {bracketed} <> '' OR {before} {minus} OR {behind} {minus} THEN -1 ELSE 1 END"
    return f"nullif({number}, 'infinity'::DOUBLE) * {sign}"


def _time(cell: str, writing: Writing, groups: str) -> str:
    year, month, day, clock, zone, one, mark, other, last, late_clock, late_zone = (
        f"{groups}.{name}" for name in _TIME_GROUPS
    )
    iso = _seconds(f"{year} || '-' || {_two(month)} || '-' || {_two(day)}", clock, zone)
    open_one = {"dmy": "true", "mdy": "false", "ymd": "NULL"}[writing.dates]
    is_day_first = (
        f"CASE WHEN {mark} = '.' OR CAST({one} AS INTEGER) > 12 THEN true"
        f" WHEN CAST({other} AS INTEGER) <= 12 THEN {open_one} ELSE false END"
    )
    day_first, month_first = (
        f"{last} || '-' || {_two(second)} || '-' || {_two(first)}" for first, second in ((one, other), (other, one))
    )
    date = f"CASE {is_day_first} WHEN true THEN {day_first} WHEN false THEN {month_first} END"
    return (
        f"CASE WHEN {groups} IS NULL THEN {_plain_moment(cell)}"
        f" WHEN {year} <> '' THEN {iso} WHEN {last} <> '' THEN {_seconds(date, late_clock, late_zone)} END"
    )


def _plain_moment(cell: str) -> str:
    return f"epoch_us(TRY_CAST(rtrim({cell}, 'Z') AS TIMESTAMP)) / 1e6"


def _seconds(date: str, clock: str, zone: str) -> str:
    """Seconds of the *date*, written as in ISO 8601, and of a clock and a zone."""
    whole = f"CASE WHEN {clock} = '' THEN '00:00' WHEN {clock}[2] = ':' THEN '0' || {clock} ELSE {clock} END"
    full = f"replace({whole}, ',', '.') || CASE WHEN length({whole}) = 5 THEN ':00' ELSE '' END"
    digits = f"replace({zone}[2:], ':', '')"
    minutes = f"CASE WHEN length({digits}) = 4 THEN CAST({digits}[3:4] AS INTEGER) ELSE 0 END"
    offset = (
        f"CASE WHEN {zone}[1] NOT IN ('+', '-') OR {zone} = '' THEN 0"
        f" ELSE (3600 * CAST({digits}[1:2] AS INTEGER) + 60 * {minutes}) * CASE {zone}[1] WHEN '-' THEN -1 ELSE 1 END END"
    )
    return f"epoch_us(TRY_CAST({date} || ' ' || {full} AS TIMESTAMP)) / 1e6 - {offset}"


def _two(digits: str) -> str:
    return f"lpad({digits}, 2, '0')"


def _bare(cell: str) -> str:
    return f"trim({cell}, {literal(BLANKS)})"


def _full(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _groups(text: str, pattern: str, names: Collection[str]) -> str:
    return f"regexp_extract({text}, {literal(f'^(?:{pattern})$')}, [{', '.join(map(literal, names))}])"


def _among(words: Collection[str]) -> str:
    return f"IN ({', '.join(literal(word) for word in sorted(words))})"
