"""Answers that hold what was asked under the id of its row: `{"results": {"7": 0.6, "5": 0.5}}`."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from dashlight.decode.rows.flattening import apart
from dashlight.decode.rows.jsonvalue import fields_of, is_object
from dashlight.records import Cell

KEYED: Final = "keyed_by_row"
"""Flag of rows whose ids were the keys: values of the request tell how the answer is read."""
_MOST_LOOKED_AT = 64


def lists_by_row(value: object, row_ids: Sequence[Cell], *, name: str) -> Mapping[str, list[object]] | None:
    """The lists in *value*, in the order of *row_ids*, whose keys are such ids; None where there are none.

    The keys are those of *value* itself, whose list is called *name*, or stand one level deeper, under one key or
    several: `{"scores": {"7": 0.6}, "labels": {"7": "a"}}`. Rows that were not answered are null.
    """
    if not row_ids or not is_object(value):
        return None
    ids = list(map(str, row_ids))
    known = set(ids)
    if len(known) < len(ids):
        return None
    if _are_ids(value, known):
        return {name: _in_order(value, ids)}
    reasons = apart(value, "output")
    inner = [key for key, held in islice(value.items(), _MOST_LOOKED_AT) if _are_ids(fields_of(held), known)]
    return {key: _in_order(fields_of(value[key]), ids) for key in inner if key not in reasons} or None


def _are_ids(fields: Mapping[str, object], ids: set[str]) -> bool:
    return 0 < len(fields) <= len(ids) and all(key in ids for key in fields)


def _in_order(fields: Mapping[str, object], ids: Sequence[str]) -> list[object]:
    answered = [fields.get(row_id) for row_id in ids]
    if any(map(is_object, answered)):
        return [answer if is_object(answer) else {} for answer in answered]
    return answered
