"""Data frames in JSON, in the layouts that pandas writes, as lists of records."""

from collections.abc import Mapping
from typing import Final

from dashlight.decode.rows.budget import MAX_ROWS
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, fields_of, is_list, is_object

_NAMES_KEYS: Final = ("columns", "column_names", "feature_names", "features")
_DATA_KEYS: Final = ("data", "rows", "values", "instances", "inputs")
_RECORDS_KEY: Final = "rows"
"""Whatever stands under it is read as rows."""


_MOST_LEVELS: Final = 3
"""Of objects around one another, a data frame in the innermost."""


def records_in(value: object) -> object:
    """*value* with records in place of a data frame of names and lists of cells, which it is, or has under one of its keys.

    The frame may stand some levels deeper, alone in what is around it: `{"data": {"table": {"columns": ..., "rows": ...}}}`.
    """
    if not is_object(value):
        return value
    if (whole := _split_below(value)) is not None:
        return whole
    nested = [key for key, child in value.items() if is_object(child)]
    records = _split_below(fields_of(value[nested[0]])) if len(nested) == 1 else None
    return value if records is None else {**value, nested[0]: records}


def _split_below(fields: Mapping[str, object]) -> list[object] | None:
    for _ in range(_MOST_LEVELS):
        split = _split(fields)
        if split is not None:
            return split[0] if split[1] == fields.keys() else None
        fields = fields_of(next(iter(fields.values()))) if len(fields) == 1 else {}
    return None


def framed(fields: Mapping[str, object], answer_length: int | None) -> Mapping[str, object]:
    """*fields* with records under `rows` in place of a data frame; as they are where they hold none.

    - names beside lists of as many cells: `{"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}`;
    - the same under one key, some levels deep, or an object of cells for each column: `{"df": {"a": {"0": 1, "1": 3}}}`, the latter bare too;
    - beside other values, under one key, a list for each column, if there are as many answers.
    """
    records = indexed_records(fields) or _split_below(fields)
    if records is not None:
        return {_RECORDS_KEY: records}
    found = _split(fields) or _under_one_key(fields, answer_length)
    if found is None:
        return fields
    records, keys = found
    rest = {key: value for key, value in fields.items() if key not in keys}
    return fields if _RECORDS_KEY in rest else {_RECORDS_KEY: records, **rest}


def indexed_records(value: object) -> list[object] | None:
    """The rows of an object of columns that are objects of cells by their place: `{"a": {"0": 1, "1": 3}}`."""
    columns = list(value.items()) if is_object(value) else []
    if not columns:
        return None
    index = list(fields_of(columns[0][1]))
    if index != [str(at) for at in range(len(index))] or not index:
        return None
    if any(list(fields_of(column)) != index for _, column in columns):
        return None
    return [{name: fields_of(column)[label] for name, column in columns} for label in index]


def _under_one_key(
    fields: Mapping[str, object], answer_length: int | None
) -> tuple[list[object], frozenset[str]] | None:
    nested = [key for key, value in fields.items() if type(value) in NESTED_TYPES]
    held = fields[nested[0]] if len(nested) == 1 else None
    if not is_object(held):
        return None
    records = _split_below(held) or indexed_records(held)
    if records is None and len(fields) > 1:
        records = _of_columns(held, answer_length)
    return None if records is None else (records, frozenset(nested))


def _split(fields: Mapping[str, object]) -> tuple[list[object], frozenset[str]] | None:
    names_key = next((key for key in _NAMES_KEYS if key in fields), None)
    data_key = next((key for key in _DATA_KEYS if key in fields), None)
    if names_key is None or data_key is None:
        return None
    names, data = fields[names_key], fields[data_key]
    if not is_list(names) or not is_list(data) or not names or not data:
        return None
    called = [name for name in names if isinstance(name, str)]
    rows = [row for row in data if is_list(row) and len(row) == len(called)]
    if len(called) < len(names) or len(rows) < len(data):
        return None
    index = fields.get("index")
    has_index = is_list(index) and len(index) == len(data)
    keys = {names_key, data_key, "index"} if has_index else {names_key, data_key}
    records: list[object] = [dict(zip(called, row, strict=True)) for row in rows[:MAX_ROWS]]
    # Those beyond are counted only: the last one again.
    return (records + records[-1:] * (len(rows) - len(records)), frozenset(keys))


def _of_columns(fields: Mapping[str, object], answer_length: int | None) -> list[object] | None:
    columns = {key: value for key, value in fields.items() if is_list(value)}
    if len(columns) < max(2, len(fields)) or set(map(len, columns.values())) != {answer_length}:
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] or None
