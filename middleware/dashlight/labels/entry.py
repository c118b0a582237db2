"""One entry of what clients send as labels: the labels that it means, or why it means none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from dashlight import units
from dashlight.clock import moment_in
from dashlight.errors import DecodeError
from dashlight.labels.ids import id_of_row, id_of_step
from dashlight.labels.label import Label, LabelValue

Entry: TypeAlias = Mapping[str, object]
"""By the names below: values of JSON, or the texts of a table."""

IDS: Final = ("prediction_id", "id")
VALUES: Final = ("label", "value")
NAMES: Final = (*IDS, *VALUES, "at", "row", "step", "entity", "within")
"""Of all that an entry may say; others are left alone."""
ROWS: Final = "labels"
"""The labels of a whole batch, one a row; null where there is none yet."""
MOST_CHARACTERS: Final = 1024
"""Of an id, an entity or a label."""
MOST_LABELS: Final = 50_000
"""Of one body: a list of numbers holds many in few bytes."""
TOO_MANY: Final = "too_many"
"""Reason of the DecodeError of what holds more."""
_MOST_NUMBER: Final = 2**31 - 1
"""Of a row or a step."""
_MOST_INTEGER: Final = 2**64
_MOST_TIME_CHARACTERS: Final = 40
_LARGEST_SKEW_SECONDS: Final = 86400.0
"""Of clocks, and of local times that are taken for UTC."""


def labels_of(entry: Entry, *, now: float) -> list[Label]:
    """The labels of *entry*: one, or one a row where it is a whole batch.

    A moment ahead of *now* by less than a day is *now*: clocks differ.

    Raises:
        DecodeError: it is no label; says what was expected, and nothing of what was found.
    """
    identifier = _text(_first(entry, IDS), "id")
    entity = "" if identifier else _text(entry.get("entity"), "entity")
    if not identifier and not entity:
        raise DecodeError("no_id", "expected prediction_id, or entity and within")
    at = _moment(entry.get("at"), now)
    row, step = _number(entry, "row", 0), _number(entry, "step", 1)
    if ROWS in entry and _first(entry, VALUES) is None:
        rows = entry[ROWS]
        if not isinstance(rows, list) or not identifier or row is not None:
            raise DecodeError("labels", "expected a list of labels, one a row, with prediction_id and without row")
        if len(cast("list[object]", rows)) > MOST_LABELS:
            raise DecodeError(TOO_MANY, f"expected at most {MOST_LABELS} labels in a request: send several requests")
        return [
            Label(_id_of(identifier, place, step), _value(value), at)
            for place, value in enumerate(cast("list[object]", rows))
            if value is not None
        ]
    value = _value(_first(entry, VALUES))
    if entity:
        if row is not None or step is not None:
            raise DecodeError("row", "expected prediction_id with row and step")
        return [Label("", value, at, entity, _within(entry.get("within")))]
    return [Label(_id_of(identifier, row, step), value, at)]


def _id_of(identifier: str, row: int | None, step: int | None) -> str:
    of_row = identifier if row is None else id_of_row(identifier, row)
    return of_row if step is None else id_of_step(of_row, step)


def _first(entry: Entry, names: tuple[str, ...]) -> object:
    return next((value for name in names if (value := entry.get(name)) is not None and value != ""), None)


def _text(value: object, name: str) -> str:
    """An id or an entity; numbers are spelled out."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_INTEGER:
        return str(value)
    if isinstance(value, str) and len(value) <= MOST_CHARACTERS:
        return value.strip()
    raise DecodeError(name, f"expected a text of at most {MOST_CHARACTERS} characters, or a whole number")


def _value(value: object) -> LabelValue:
    if value is None:
        raise DecodeError("no_label", "expected label")
    if isinstance(value, str) and len(value) <= MOST_CHARACTERS:
        return value
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < _MOST_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise DecodeError(
        "label", f"expected a class, a number, a truth value or a text of at most {MOST_CHARACTERS} characters"
    )


def _number(entry: Entry, name: str, least: int) -> int | None:
    value = entry.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        # Tables write 3.0 where the column has a number missing.
        digits = value.strip().removesuffix(".0")
        if len(digits) <= len(str(_MOST_NUMBER)) and digits.isascii() and digits.isdecimal():
            value = int(digits)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST_NUMBER:
        return value
    raise DecodeError(name, f"expected a whole number from {least} on")


def _moment(value: object, now: float) -> float | None:
    if value is None or value == "":
        return None
    at = math.nan
    if isinstance(value, str) and len(value) <= _MOST_TIME_CHARACTERS:
        at = moment_in(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST_INTEGER:
        at = float(value)
    if not at >= 0:
        raise DecodeError("at", "expected a time of ISO 8601, or seconds since the epoch")
    if at > now + _LARGEST_SKEW_SECONDS:
        raise DecodeError("at", "lies in the future; numbers are seconds since the epoch")
    return min(at, now)


def _within(value: object) -> float:
    seconds = 0.0
    if isinstance(value, str) and len(value) <= _MOST_TIME_CHARACTERS:
        try:
            seconds = units.seconds(value)
        except ValueError:
            seconds = 0.0
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value if 0 < value <= units.MOST_SECONDS else 0.0
    if not seconds > 0:
        raise DecodeError("within", "expected how long before at the prediction was made at most, such as 7d")
    return float(seconds)
