"""Columns of a format with types of its own, in the one form in which all columns are held."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Held: TypeAlias = Literal["text", "number", "moment", "truth", "nothing", "unusable"]
"""What a column holds as it comes: text is read by the grammar of cells, numbers and moments (as seconds) are doubles. A file
may hold nothing in a column of which others say what it is."""

_NUMBER_TYPES = re.compile(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL\(.*")
_WHOLE_TYPES = re.compile(r"U?(?:TINY|SMALL|BIG)?INT(?:EGER)?")
_MOMENT_TYPES = re.compile(r"TIMESTAMP.*|DATE")
_WORD_TYPES = re.compile(r"VARCHAR|ENUM\(.*|UUID|TIME.*")


@dataclass(frozen=True, slots=True)
class TypedColumns:
    """Columns of a format with types of its own."""

    types: Mapping[str, str]
    spans: Mapping[str, float]
    """Of columns that hold spans of time as whole numbers: how many make a second."""
    held: Mapping[str, Held] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "held", {name: _held(type_) for name, type_ in self.types.items()})

    def expression(self, name: str, column: str, *, exact: bool = False) -> str:
        """The value of the column *name* as it is held, where DuckDB calls it *column*; *exact*: whole numbers as they are."""
        type_ = self.types[name]
        if exact and name not in self.spans and _WHOLE_TYPES.fullmatch(type_):
            return column
        held = self.held[name]
        if held == "text":
            return f"CAST({column} AS VARCHAR)"
        if held == "nothing":
            return "NULL"
        if type_ == "INTERVAL":
            return f"CAST(epoch({column}) AS DOUBLE)"
        if held == "moment":
            return f"epoch_us(CAST({column} AS {'TIMESTAMPTZ' if 'ZONE' in type_ else 'TIMESTAMP'})) / 1e6"
        if held == "number":
            return f"CAST({column} AS DOUBLE)" + (f" / {self.spans[name]!r}" if name in self.spans else "")
        return column


def _held(type_: str) -> Held:
    if type_.strip('"') == "NULL":
        return "nothing"
    if type_ == "BOOLEAN":
        return "truth"
    if type_ == "INTERVAL" or _NUMBER_TYPES.fullmatch(type_):
        return "number"
    if _MOMENT_TYPES.fullmatch(type_):
        return "moment"
    return "text" if _WORD_TYPES.fullmatch(type_) else "unusable"
