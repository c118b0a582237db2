"""Which column of a file says what of a label."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from dashlight.errors import ReferenceDataError
from dashlight.labels.entry import IDS, ROWS, VALUES, Entry

_SHOWN: Final = 20
_BESIDE: Final = ("at", "row", "step")


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Names of columns as an operator gives them; empty: by the usual names."""

    identifier: str = ""
    label: str = ""
    at: str = ""
    entity: str = ""
    """Where there is no id: whom a prediction was about."""
    within: str = ""
    """How long before *at* such a prediction was made at most."""

    def checked(self, names: Collection[str]) -> None:
        """ReferenceDataError where a file with the columns *names* has not what is wanted."""
        for name in filter(None, (self.identifier, self.label, self.at, self.entity)):
            if name not in names:
                raise ReferenceDataError(f"has no column {name!r}: it has {_listed(names)}")
        if not self.entity and not self.identifier and not set(IDS) & set(names) and "entity" not in names:
            raise ReferenceDataError(
                f"has no column prediction_id or id: name it with --id, or --join and --within; it has {_listed(names)}"
            )
        if not self.label and not {*VALUES, ROWS} & set(names):
            raise ReferenceDataError(f"has no column label or value: name it with --label; it has {_listed(names)}")

    def entry(self, row: Mapping[str, object]) -> Entry | None:
        """What is sent of *row*; None where it has no label (yet)."""
        label = _cell(row, self.label) if self.label else _first(row, VALUES)
        if label is None and (self.label or row.get(ROWS) is None):
            return None
        entry: dict[str, object] = {name: _cell(row, name) for name in _BESIDE}
        if label is None:
            entry[ROWS] = row[ROWS]
        else:
            entry["label"] = label
        if self.at:
            entry["at"] = _cell(row, self.at)
        if self.entity:
            entry |= {"entity": _spelled(_cell(row, self.entity)), "within": self.within}
        else:
            entry["prediction_id"] = _spelled(_cell(row, self.identifier) if self.identifier else _first(row, IDS))
            if not self.identifier:
                entry |= {name: _cell(row, name) for name in ("entity", "within")}
        return {name: value for name, value in entry.items() if value is not None}


def _first(row: Mapping[str, object], names: Collection[str]) -> object:
    return next((value for name in names if (value := _cell(row, name)) is not None), None)


def _cell(row: Mapping[str, object], name: str) -> object:
    value = row.get(name)
    return None if value == "" or (isinstance(value, float) and math.isnan(value)) else value


def _spelled(value: object) -> object:
    """An id: a whole number that stands among missing ones is a float in many files."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown or "none"
