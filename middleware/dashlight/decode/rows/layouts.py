"""The layouts in which protocols put rows into JSON: lists, columns, columns beside data, parameters beside both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from dashlight.decode.rows.budget import MAX_COLUMNS, MAX_ROWS
from dashlight.decode.rows.columns import Sheet, one_row, tabulate, transposed
from dashlight.decode.rows.flattening import LeftOut
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, fields_of, is_list, is_object
from dashlight.decode.rows.redact import without_credentials
from dashlight.privacy.names import MAX_NAME_LENGTH, is_credential
from dashlight.records import Cell, Role

_MOST_LEVELS = 3
_MOST_KEYS = 64
PARAMETERS_KEYS: Final = frozenset({"parameters", "params", "options"})
"""Keys that hold parameters wherever they stand beside rows."""


def rows_in(value: object, *, name: str, answer_length: int | None, role: Role = "feature") -> Sheet:
    """The rows in *value*: a list of them, an object of columns, the object of one row, or a single cell.

    Args:
        value: What stands under the key that a protocol keeps for its rows.
        name: What columns without names of their own are called.
        answer_length: How many rows the answer has, None where that cannot be told.
        role: Whether this is what the model was given or what it answered.
    """
    if is_list(value):
        return listed_rows(value, name=name, answer_length=answer_length, role=role)
    if not is_object(value):
        return Sheet((name or "0",), [(value,)])
    if value and all(is_list(column) and not column for column in value.values()):
        return Sheet()
    columns = columns_in(value, answer_length, is_certain=True)
    return one_row(value, role) if columns is None else transposed(columns, role)


def listed_rows(items: Sequence[object], *, name: str, answer_length: int | None, role: Role = "feature") -> Sheet:
    """A row for each of *items*; numbers alone are one row, unless there are as many answers."""
    is_numbers = bool(items) and {str, list, dict}.isdisjoint(map(type, items))
    if is_numbers and not (answer_length == len(items) > 1):
        return tabulate([list(items)], name=name, role=role)
    return tabulate(items, name=name, role=role)


def columns_in(
    fields: Mapping[str, object], answer_length: int | None, *, is_certain: bool = False
) -> Mapping[str, list[object]] | None:
    """*fields* where each is a column: lists of one length, which is the answer's too, or 1.

    *is_certain* where the protocol says that these are columns: then they are whatever their length.
    """
    if set(map(type, fields.values())) != {list}:
        return None
    columns = {key: value for key, value in fields.items() if is_list(value)}
    lengths = set(map(len, columns.values()))
    if len(lengths) != 1 or lengths == {0}:
        return None
    return columns if is_certain or (len(columns) > 1 and not lengths.isdisjoint({1, answer_length})) else None


def split_rows(frame: Mapping[str, object], *, role: Role = "feature") -> Sheet | None:
    """The rows of a table whose `columns`, `index` and `data` stand beside one another, as pandas splits it.

    Columns and index may be missing. None where there is no list of data.
    """
    data = frame.get("data")
    if not is_list(data):
        return None
    sheet = named_rows(data, frame.get("columns"), role=role)
    index = frame.get("index")
    if is_list(index) and len(index) == len(data) and all(isinstance(label, str | int) for label in index):
        return replace(sheet, row_ids=tuple(index[: len(sheet.values)]))
    return sheet


def named_rows(data: Sequence[object], names: object, *, role: Role) -> Sheet:
    """The rows of *data* under *names*; elements that have none are called by their place.

    Data of one dimension is one row where it has as many elements as there are names, and a column otherwise.
    """
    if not is_list(names) or not names or not data:
        return tabulate(data, name="", role=role)
    called = [_name(name) for name in names[:MAX_COLUMNS]]
    if any(map(is_list, data)):
        rows = [row if is_list(row) else [row] for row in data[:MAX_ROWS]]
    elif any(map(is_object, data)):
        return tabulate(data, name="", role=role)
    else:
        rows = [list(data)] if len(data) == len(names) > 1 else [[cell] for cell in data[:MAX_ROWS]]
    width = max(map(len, rows))
    called += [str(at) for at in range(len(called), min(width, MAX_COLUMNS))]
    records = [dict(zip(called, row, strict=False)) for row in rows]
    sheet = tabulate(records, name="", role=role)
    flags = sheet.flags - {"missing_key"} | ({"ragged"} if "missing_key" in sheet.flags else set[str]())
    dropped = len(data) - len(rows) if len(data) > MAX_ROWS else 0
    dropped += max(0, width - MAX_COLUMNS)
    if dropped:
        flags |= {"over_limit"}
    return replace(sheet, flags=frozenset(flags), dropped_count=sheet.dropped_count + dropped)


def length_of_answer(value: object) -> int | None:
    """How many rows the answer *value* has, where that can be told without knowing the question."""
    if is_list(value):
        return len(value)
    lengths = set(map(len, lists_in(value).values()))
    return lengths.pop() if len(lengths) == 1 else None


def lists_in(value: object) -> Mapping[str, list[object]]:
    """The lists under the keys of *value*; where there are none, those in the objects under its keys, two levels deep at most.

    Their names are dotted.
    """
    level = {"": fields_of(value)}
    for _ in range(_MOST_LEVELS):
        children = {
            f"{above}{key}": child
            for above, fields in level.items()
            for key, child in islice(fields.items(), _MOST_KEYS)
            if type(child) in NESTED_TYPES and len(above) + len(key) <= MAX_NAME_LENGTH
        }
        lists = {name: child for name, child in children.items() if is_list(child)}
        if lists:
            return lists
        level = {f"{name}.": fields_of(child) for name, child in islice(children.items(), _MOST_KEYS)}
    return {}


def parameters_beside(fields: Mapping[str, object], rows_keys: frozenset[str]) -> Mapping[str, Cell]:
    """What stands beside the rows: parameters, those of an object of them by their own names; no credentials."""
    found: dict[str, Cell] = {}
    for key, value in fields.items():
        if key in rows_keys or len(found) >= MAX_COLUMNS:
            continue
        children = value if key in PARAMETERS_KEYS and is_object(value) else {key: value}
        for name, child in children.items():
            if len(name) <= MAX_NAME_LENGTH and not is_credential(name):
                found[name] = without_credentials(child)
    return found


def beside(sheet: Sheet, fields: Mapping[str, object], rows_keys: frozenset[str]) -> Sheet:
    """*sheet*, where the keys of *fields* beside *rows_keys* are told to be left out, and why."""
    left_out: dict[str, LeftOut] = {
        key: "credential" if is_credential(key) else "parameter"
        for key in fields
        if key not in rows_keys and len(key) <= MAX_NAME_LENGTH
    }
    for key in PARAMETERS_KEYS & left_out.keys():
        left_out.update(
            {
                f"{key}.{name}": "credential"
                for name in list(fields_of(fields[key]))[:MAX_COLUMNS]
                if is_credential(name)
            }
        )
    return replace(sheet, left_out={**sheet.left_out, **left_out}) if left_out else sheet


def _name(name: object) -> str:
    """The name of a column; that of one with several levels is dotted, as nested keys are."""
    if is_list(name):
        return ".".join(map(str, name[:8]))[: MAX_NAME_LENGTH + 1]
    return str(name)[: MAX_NAME_LENGTH + 1]
