"""Separated values: with a header where the first line has words over numbers, else rows without names."""

import csv
import math
import re
from collections.abc import Sequence
from itertools import chain
from typing import Final, cast

import msgspec

from dashlight.decode.formats.bodies import counted
from dashlight.decode.formats.slow_numbers import has_slow_numbers
from dashlight.decode.rows.budget import MAX_COLUMNS, MAX_ROWS
from dashlight.decode.rows.reasons import undecodable
from dashlight.decode.rows.redact import MAX_NAME_LENGTH
from dashlight.records import Cell

MAX_WIDTH: Final = 1 << 14
"""Values of one line that are not all numbers; nobody asks a model with more in CSV."""

_NUMERIC = b"0123456789+-.eE,\r "
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# With a decimal comma; points part thousands.
_COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3}){1,9}|[0-9]{0,18}),[0-9]{1,30}(?:[eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3}){1,5}")
_POINTED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3}){1,9}\.[0-9]{1,30}")
_MARKS: Final = ("\t", ";", "|")
"""What may part fields instead of commas."""
_LINES_THAT_TELL: Final = 8
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}
# As pandas reads them.
_NULLS = frozenset({"", "null", "NULL", "None", "NA", "N/A", "n/a", "<NA>"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def read_csv(text: str, *, has_header: bool | None = None, separator: str = "") -> object:
    """The rows of *text*: objects where there is a header, lists where there is none.

    Args:
        text: The whole body.
        has_header: Where the sender says it; None: the first line is one if it has a word over a number.
        separator: Where it is known; else the first lines tell. Where it is no comma, a column may have decimal commas.

    Raises:
        DecodeError: empty_body, invalid_body or too_large.
    """
    if "\n" not in text:
        text = text.replace("\r", "\n")
    text = text.strip("\r\n")
    if not text.strip():
        raise undecodable("empty_body")
    # What is beyond the limit is counted, and not looked at.
    lines = text.split("\n", MAX_ROWS + 1)
    beyond = lines.pop().count("\n") + 1 if len(lines) > MAX_ROWS + 1 else 0
    separator = separator or _separator(lines[:_LINES_THAT_TELL])
    rows = _numbers(lines) if separator == "," and not has_header else None
    return counted(_rows(lines, separator, has_header) if rows is None else rows, beyond)


def cell_of(text: str) -> Cell:
    """The value that *text* stands for: a number, a truth value, null, or the text itself."""
    bare = text.strip()
    if _INTEGER.fullmatch(bare):
        return int(bare)
    if _NUMBER.fullmatch(bare):
        return float(bare)
    if bare in _NULLS:
        return None
    return _TRUTHS.get(bare, _NOT_FINITE.get(bare.lower(), text))


def _separator(lines: Sequence[str]) -> str:
    """What parts the fields of *lines*, the first ones of a body."""
    if not any(mark in line for line in lines for mark in _MARKS):
        return ","
    bare = ["".join(line.split('"')[::2]) for line in lines if line.strip()]
    counts = {mark: {line.count(mark) for line in bare} for mark in ("\t", ";", "|", ",")}
    for mark in _MARKS:
        if len(counts[mark]) > 1 or 0 in counts[mark]:
            continue
        if mark == "\t" or len(counts[","]) > 1 or all(_is_free_of_commas(line, mark) for line in bare):
            return mark
    return next((mark for mark in (",", *_MARKS) if mark in lines[0]), ",")


def _is_free_of_commas(line: str, mark: str) -> bool:
    """Whether all commas of *line* are decimal ones, where *mark* parts its fields."""
    return "," not in line or all("," not in field or _COMMA.fullmatch(field.strip()) for field in line.split(mark))


def _numbers(lines: Sequence[str]) -> list[object] | None:
    """The rows in one go where all is plain numbers, as JSON writes them too; None otherwise."""
    if "".join(lines).encode().translate(None, _NUMERIC):
        return None
    body = "],[".join(lines).encode()
    if has_slow_numbers(body):
        return None
    try:
        rows = msgspec.json.decode(b"[[" + body + b"]]", type=list[list[int | float]])
    except (ValueError, msgspec.MsgspecError):  # up to msgspec 0.20 it is none
        # Empty cells, `+5`, `.5`, `007`.
        return None
    return None if [] in rows else cast("list[object]", rows)


def _rows(lines: Sequence[str], separator: str, has_header: bool | None) -> list[object]:  # noqa: FBT001
    try:
        texts = [row for row in csv.reader((line + "\n" for line in lines), delimiter=separator) if row]
    except csv.Error as error:
        raise undecodable("invalid_body", str(error)[:80]) from None
    if max(map(len, texts)) > MAX_WIDTH:
        raise undecodable("too_large", f"a line of more than {MAX_WIDTH} values")
    if has_header is None:
        has_header = _begins_with_names(texts, has_commas=separator != ",")
    by_comma = set[int]() if separator == "," else _columns_with_commas(texts[has_header:])
    # The same text is the same cell: short ones, of which there may be many, are looked at once.
    seen: dict[str, Cell] = {text: cell_of(text) for text in set(chain.from_iterable(texts[has_header:]))}
    values = [[seen[text] for text in row] for row in texts[has_header:]]
    for at in by_comma:
        for row, told in zip(values, texts[has_header:], strict=True):
            if at < len(told):
                row[at] = _cell_with_comma(told[at], row[at])
    if not has_header:
        return list(values)
    names = _unique(texts[0])
    return [_named(names, row) for row in values]


def _begins_with_names(parsed: Sequence[Sequence[str]], *, has_commas: bool) -> bool:
    if len(parsed) < 2:
        return False
    return any(
        _is_word(above, has_commas=has_commas) and _is_number(below, has_commas=has_commas)
        for above, below in zip(parsed[0], parsed[1], strict=False)
    )


def _is_word(text: str, *, has_commas: bool) -> bool:
    return isinstance(cell_of(text), str) and not _is_number(text, has_commas=has_commas)


def _is_number(text: str, *, has_commas: bool) -> bool:
    return type(cell_of(text)) in {int, float} or (has_commas and _COMMA.fullmatch(text.strip()) is not None)


def _columns_with_commas(rows: Sequence[Sequence[str]]) -> set[int]:
    """Places of the columns that write numbers with a decimal comma: some of their cells, and none with a point behind it."""
    found = {at for row in rows for at, text in enumerate(row) if "," in text and _COMMA.fullmatch(text.strip())}
    if not found:
        return found
    return found - {at for row in rows for at in found if at < len(row) and _POINTED.fullmatch(row[at].strip())}


def _cell_with_comma(text: str, cell: Cell) -> Cell:
    """The value of *text* in a column of decimal commas, where *cell* is what it is elsewhere."""
    bare = text.strip()
    if _COMMA.fullmatch(bare):
        return float(bare.replace(".", "").replace(",", "."))
    return int(bare.replace(".", "")) if _GROUPED.fullmatch(bare) else cell


def _unique(header: Sequence[str]) -> list[str]:
    """Names of columns: stripped, those without one called by their place, the second `a` called `a.1` as by pandas."""
    names: dict[str, None] = {}
    for at, written in enumerate(header[: MAX_COLUMNS + 1]):
        name = written.strip()[: MAX_NAME_LENGTH + 1] or str(at)
        count = 0
        free = name
        while free in names:
            count += 1
            free = f"{name}.{count}"
        names[free] = None
    return list(names)


def _named(names: Sequence[str], row: Sequence[Cell]) -> dict[str, Cell]:
    named = dict(zip(names, row, strict=False))
    for at in range(len(names), min(len(row), MAX_COLUMNS + 1)):
        named[str(at)] = row[at]
    return named
