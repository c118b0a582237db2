"""Separated values: with a header where the first line has words over numbers, else rows without names."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, cast

import msgspec

from dashlight.decode.cells.grammar import likely_mark, value_of, writing_of
from dashlight.decode.cells.nulls import BLANKS
from dashlight.decode.cells.numbers import PLAIN, plain_number
from dashlight.decode.cells.shapes import NOTHING, NUMBERS, TIMES, CellCounts, Shape, shape_of
from dashlight.decode.formats.bodies import counted
from dashlight.decode.formats.slow_numbers import has_slow_numbers
from dashlight.decode.rows.budget import MAX_COLUMNS, MAX_ROWS
from dashlight.decode.rows.reasons import undecodable
from dashlight.privacy.names import MAX_NAME_LENGTH
from dashlight.records import Cell
from dashlight.window.columns import DecimalMark, Writing

MAX_WIDTH: Final = 1 << 14
"""Values of one line that are not all numbers; nobody asks a model with more in CSV."""

_NUMERIC = b"0123456789+-.eE,\r "
_MARKS: Final = ("\t", ";", "|")
"""What may part fields instead of commas."""
_LINES_THAT_TELL: Final = 8
_TRUTHS = {"true": True, "false": False}
"""Other words for them may be words here and truth values there: that is for the reference to say."""
_WORDS: Final[frozenset[Shape]] = frozenset({"text", "truth", "worded_null"})
_MARKED: Final[frozenset[Shape]] = frozenset({"point", "comma", "open_comma", "open_point", "whole"})
_TELLING: Final = _MARKED | NOTHING
"""What may be a number or null in its column although it is none by itself."""


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
    """The value that *text* stands for wherever it is: a number as programs write it, true or false, null; else the text."""
    plain = PLAIN.fullmatch(text)
    if plain is not None:
        return int(text) if plain[1] is None else float(text)
    bare = text.strip(BLANKS)
    number = plain_number(bare) if "," not in bare else None
    if number is not None:
        return number
    return _TRUTHS.get(bare.lower(), text) if bare else None


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
    return "," not in line or all(
        "," not in field or shape_of(field.strip(BLANKS)) in _MARKED for field in line.split(mark)
    )


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
        has_header = _begins_with_names(texts)
    rows = texts[has_header:]
    # The same text is the same cell: short ones, of which there may be many, are looked at once.
    seen: dict[str, Cell] = {text: cell_of(text) for text in set(chain.from_iterable(rows))}
    values = [[seen[text] for text in row] for row in rows]
    # Of named columns no more are kept.
    _read_by_column(rows, values, seen, separator, width=MAX_COLUMNS + 1 if has_header else MAX_WIDTH)
    if not has_header:
        return list(values)
    names = _unique(texts[0])
    return [_named(names, row) for row in values]


def _read_by_column(
    rows: Sequence[Sequence[str]], values: Sequence[list[Cell]], seen: Mapping[str, Cell], separator: str, *, width: int
) -> None:
    """Reads anew, in *values*, the columns of *rows* of which a text says something else there than what *seen* has for it.

    Of the first *width* columns.
    """
    shapes: dict[str, Shape] = {
        text: shape_of(text.strip(BLANKS)) for text, cell in seen.items() if isinstance(cell, str)
    }
    if "comma" in shapes.values():  # then 1.250 may be thousands
        shapes.update((text, shape_of(text.strip(BLANKS))) for text in seen.keys() - shapes.keys())
    likely = likely_mark([CellCounts(shapes=Counter[Shape](shapes.values()))], separator=separator)
    wanted = _TELLING if separator != "," or likely == "," else _TELLING - {"open_comma"}
    told = {
        text for text, shape in shapes.items() if shape in wanted and (isinstance(seen[text], str) or likely == ",")
    }
    places = {at for row in rows for at, text in enumerate(row[:width]) if text in told} if told else set[int]()
    known: dict[Writing, dict[str, Cell]] = {}
    for at in sorted(places):
        column = [row[at] for row in rows if at < len(row)]
        if not shapes.keys() >= set(column):
            shapes.update((text, shape_of(text.strip(BLANKS))) for text in column if text not in shapes)
        counts = Counter([shapes[text] for text in column])
        if counts.keys() <= NOTHING:
            continue
        truths = {text.strip(BLANKS).lower() for text in column if shapes[text] == "truth"} if counts["truth"] else ()
        writing = _writing_of(frozenset(counts.items()), frozenset(truths), likely)
        if writing.kind in {"number", "boolean"}:
            cells = known.setdefault(writing, {})
            cells.update((text, value_of(text, writing)) for text in column if text not in cells)
            for row, told_row in zip(values, rows, strict=True):
                if at < len(row):
                    row[at] = cells[told_row[at]]


@lru_cache(maxsize=256)
def _writing_of(shapes: frozenset[tuple[Shape, int]], truths: frozenset[str], likely: DecimalMark) -> Writing:
    # Many columns of a body are alike.
    counts = CellCounts(sum(count for _, count in shapes), Counter(dict(shapes)), truths=Counter(truths))
    return writing_of(counts, likely=likely, most_odd_share=0)


def _begins_with_names(rows: Sequence[Sequence[str]]) -> bool:
    if len(rows) < 2:
        return False
    return any(_is_word(above) and _is_number(below) for above, below in zip(rows[0], rows[1], strict=False))


def _is_word(text: str) -> bool:
    return isinstance(cell_of(text), str) and shape_of(text.strip(BLANKS)) in _WORDS


def _is_number(text: str) -> bool:
    return shape_of(text.strip(BLANKS)) in NUMBERS | TIMES


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
