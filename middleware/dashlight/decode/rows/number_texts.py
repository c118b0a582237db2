"""Outputs that are numbers and come as text: `12150.57`, `$1,250.00`, `12,5 %`. How is decided once for a column."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, TypeAlias

import numpy as np

from dashlight.decode.rows.columns import Sheet
from dashlight.records import Cell, Prediction, Table

Writing: TypeAlias = Literal["point", "comma", "text"]
"""How a column writes its numbers, by its decimal mark; `text`: it holds none."""
MAX_COLUMNS_KNOWN: Final = 4096
"""Columns whose writing is remembered; of more all are forgotten."""

_LONGEST = 40
_MARKS = r"(?:US|CA|AU|A|C)?\$|[\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9]|(?:USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CAD|AUD|kr|R\$|Rs\.?|zl)"
_NUMBER = re.compile(
    rf"(?P<sign>[-+\u2212(]?) ?(?:{_MARKS})? ?(?P<after>[-+\u2212(]?)"
    rf"(?P<digits>[.,]?[0-9][0-9.,' \u00a0]{{0,30}})(?P<power>[eE][-+]?[0-9]{{1,3}})?"
    rf" ?(?:%|{_MARKS})?(?P<close>\)?)"
)
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,14})?")
"""As JSON would write them: most are, and need no closer look."""
_CODE = re.compile(r"0[0-9]")
"""How a code begins that is no number: 007."""
_GROUPED = {mark: re.compile(rf"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}}){{1,9}}") for mark in ",."}
# Lakhs and crores: 1,25,000.
_GROUPED[","] = re.compile(rf"{_GROUPED[','].pattern}|[0-9]{{1,2}}(?:,[0-9]{{2}}){{1,8}},[0-9]{{3}}")
_PARTING: Final = frozenset("' \u00a0")
"""They part thousands wherever they are used."""
_LESS = frozenset({"-", "\u2212", "("})
"""Signs of what is below 0; accounts put it into brackets."""
_GROUP = 4
"""A mark and three digits: it may part thousands."""
_MOST_ASKED = 1 << 10
_MOST_DIGITS = 15
_NO_VALUE = frozenset({"", "nan", "none", "null", "n/a", "na", "-"})
# What stands under these names is a text or the name of a class, also where it is made of digits.
_WORDED = re.compile(
    r"(?i)(?:.{0,100}[^a-z])?(?:labels?|class(?:es)?|categor(?:y|ies)|clusters?|code|name|text|content|completion|summary"
    r"|translation|answer|reply|message|title|description|version|zip|phone|date|time|token_str|word|entity|key)"
)


class NumberTexts:
    """How each column of each model writes its numbers, from the first time that it did."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], Writing] = {}

    def read(self, prediction: Prediction) -> Prediction:
        """*prediction* with numbers in place of the texts that are some, among its outputs."""
        key = (prediction.endpoint, prediction.model, prediction.version)
        outputs = self.read_table(prediction.outputs, key)
        return prediction if outputs is prediction.outputs else replace(prediction, outputs=outputs)

    def read_table(self, outputs: Table, model: tuple[str, str, str] = ("", "", "")) -> Table:
        """*outputs* likewise; *model* is the endpoint, the model and its version."""
        found: dict[str, Sequence[Cell]] = {}
        for name, cells in zip(outputs.cell_names, outputs.cells, strict=True):
            if str not in set(map(type, cells)) or is_worded(name):
                continue
            key = (*model, name)
            writing = self._known.get(key) or writing_of(cells)
            if writing is None:
                continue
            if len(self._known) >= MAX_COLUMNS_KNOWN:
                self._known.clear()
            self._known[key] = writing
            if writing != "text":
                found[name] = numbers_in(cells, writing)
        if not found:
            return outputs
        whole = {name for name, cells in found.items() if {int, float, type(None)}.issuperset(map(type, cells))}
        kept = [at for at, name in enumerate(outputs.cell_names) if name not in whole]
        numbers = [np.array(found[name], np.float64) for name in outputs.cell_names if name in whole]
        return replace(
            outputs,
            number_names=(*outputs.number_names, *(name for name in outputs.cell_names if name in whole)),
            numbers=np.concatenate([outputs.numbers, *(column.reshape(1, -1) for column in numbers)]),
            cell_names=tuple(outputs.cell_names[at] for at in kept),
            cells=tuple(found.get(outputs.cell_names[at], outputs.cells[at]) for at in kept),
        )


def with_numbers(outputs: Sheet) -> Sheet:
    """*outputs* of one exchange with numbers in place of the texts that are some."""
    columns: dict[int, Sequence[Cell]] = {}
    for at, name in enumerate(outputs.names):
        cells = [row[at] for row in outputs.values]
        writing = None if is_worded(name) or str not in set(map(type, cells)) else writing_of(cells)
        if writing is not None and writing != "text":
            columns[at] = numbers_in(cells, writing)
    if not columns:
        return outputs
    return replace(
        outputs,
        values=[
            tuple(columns[at][row] if at in columns else cell for at, cell in enumerate(cells))
            for row, cells in enumerate(outputs.values)
        ],
    )


def writing_of(cells: Iterable[Cell]) -> Writing | None:
    """How *cells* write numbers, by the first thousand; None where there is no text in them that says it."""
    marks = set[str]()
    texts = (cell for cell in cells if isinstance(cell, str) and not _is_nothing(cell))
    for text in islice(texts, _MOST_ASKED):
        marks.add(_decimal_mark(text))
        if "text" in marks:
            return "text"
    if not marks:
        return None
    return "comma" if "comma" in marks and "point" not in marks else "point"


def numbers_in(cells: Sequence[Cell], writing: Writing) -> list[Cell]:
    """*cells* with the numbers that their texts are; what is none stays a text, and what says that there is none is null."""
    return [_number(cell, writing) if isinstance(cell, str) else cell for cell in cells]


@lru_cache(maxsize=512)
def is_worded(name: str) -> bool:
    """Whether what stands under *name* is words, whatever they look like."""
    return _WORDED.fullmatch(name.rpartition(".")[2][:200]) is not None


def _is_nothing(text: str) -> bool:
    return len(text) <= _LONGEST and not text.isdecimal() and text.strip().lower() in _NO_VALUE


def _is_plain(text: str) -> bool:
    return len(text) <= _MOST_DIGITS and _PLAIN.fullmatch(text) is not None


def _decimal_mark(text: str) -> Literal["point", "comma", "either", "text"]:
    """Which decimal mark *text* must have been written with."""
    if _is_plain(text):
        point = text.find(".")
        if point < 0:
            return "either"
        if len(text) - point != _GROUP:
            return "point"
    found = _parts(text)
    if found is None:
        return "text"
    digits = found[1]
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:
        return "comma" if comma > point else "point"
    if comma < 0 and point < 0:
        return "either"
    mark = "," if comma >= 0 else "."
    if digits.count(mark) > 1:
        return "point" if mark == "," else "comma"
    if _GROUPED[mark].fullmatch(digits):
        return "either"
    return "comma" if mark == "," else "point"


def _number(text: str, writing: Writing) -> Cell:
    if _is_plain(text) and (writing == "point" or "." not in text):
        return float(text) if "." in text else int(text)
    if _is_nothing(text):
        return None
    found = _parts(text)
    if found is None:
        return text
    is_less, digits, power = found
    decimal, group = (",", ".") if writing == "comma" else (".", ",")
    whole, _, fraction = digits.partition(decimal)
    if group in whole and not _GROUPED[group].fullmatch(whole):
        return text
    plain = whole.replace(group, "")
    if not (plain or fraction).isdecimal() or (fraction and not fraction.isdecimal()):
        return text
    sign, plain = "-" if is_less else "", plain or "0"
    return float(f"{sign}{plain}.{fraction or '0'}{power}") if fraction or power else int(sign + plain)


def _parts(text: str) -> tuple[bool, str, str] | None:
    """Whether *text* is below 0, its digits with their marks, and its power of ten; None where it is no number."""
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None:
        return None
    sign, after, digits, power, close = found.groups("")
    signs = sign + after
    if _CODE.match(digits) or (signs == "(") != bool(close) or (len(signs) > 1 and "(" in signs):
        return None
    if not _PARTING.isdisjoint(digits):
        digits = re.sub(r"[' \u00a0]", "", digits)
    if len(digits) - digits.count(",") - digits.count(".") > _MOST_DIGITS:
        return None
    return (not _LESS.isdisjoint(signs), digits, power)
