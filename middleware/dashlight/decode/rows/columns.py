"""From JSON rows to named columns, all of one length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import msgspec

from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_SPREAD, check_cells
from dashlight.decode.rows.flattening import Flattening, LeftOut, are_columns, is_one_cell
from dashlight.decode.rows.jsonvalue import NESTED_TYPES
from dashlight.decode.rows.lists.element_names import complete, element_names, without_lone_places
from dashlight.decode.rows.lists.findings import lists_of_things
from dashlight.decode.rows.redact import cells_without_credentials
from dashlight.records import Cell, Role
from dashlight.window.facets.list_names import is_list_name

_ROW_ID_FIRST = ("id", "uid", "uuid", "guid", "row_id", "custom_id")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The rows of one side of an exchange, and what became of the rest of it."""

    names: tuple[str, ...] = ()
    values: Sequence[Sequence[Cell]] = ()
    """Row by row, as they came: ints stay ints; None where null or missing."""
    row_ids: tuple[Cell, ...] = ()
    """One for each row, or none."""
    left_out: Mapping[str, LeftOut] = field(default_factory=dict[str, LeftOut])
    flags: frozenset[str] = frozenset()
    """Of missing_key, ragged, over_limit, shape_mismatch, error_in_200, keyed_by_row, and sparse: where a column that is not there is 0."""
    dropped_count: int = 0
    """Columns and rows beyond the limits."""
    ids: Mapping[str, Sequence[Cell]] = field(default_factory=dict[str, Sequence[Cell]])
    """What was left out as an id, one for each row: a column for those who ask for it by name."""


# A msgspec structure for the reason that records.Exchange is one: two are made for every event.
class Row(msgspec.Struct, frozen=True, gc=False):
    """A sheet of one row, of which nothing else is asked."""

    cells: dict[str, Cell]
    """By column."""

    @property
    def names(self) -> tuple[str, ...]:
        """As a sheet has them."""
        return tuple(self.cells)

    @property
    def values(self) -> Sequence[Sequence[Cell]]:
        """Likewise."""
        return (tuple(self.cells.values()),)


def tabulate(elements: Sequence[object], *, name: str, role: Role) -> Sheet:
    """The rows of a list: objects, lists of scalars, or single cells.

    Args:
        elements: One for each row.
        name: What the list is called; names the columns that have no names of their own. Empty: `0`, `1`, ...
        role: Whether this is what the model was given or what it answered.
    """
    kept = elements[:MAX_ROWS]
    kinds = set(map(type, kept))
    if kinds == {dict}:
        sheet = _records(cast("Sequence[dict[str, object]]", kept), role)
    elif kinds == {list} and role == "output" and (found := lists_of_things(kept, name)) is not None:
        sheet, kept = _records(found, role), kept[: len(found)]
    elif kinds == {list}:
        sheet = _vectors(cast("Sequence[list[object]]", kept), name, role)
    elif kept:
        sheet = _single(kept, name)
    else:
        sheet = Sheet()
    return _bounded(sheet, len(elements) - len(kept))


def one_row(row: Mapping[str, object], role: Role) -> Sheet:
    """The columns of one object."""
    return _bounded(_records((row,), role), 0)


def transposed(columns: Mapping[str, Sequence[object]], role: Role) -> Sheet:
    """The rows of an object whose values are columns of one length."""
    length = min(map(len, columns.values()))
    heads = [column[:MAX_ROWS] for column in columns.values()]
    if role == "feature":
        heads = list(map(_unwrapped, heads))
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*heads, strict=True)]
    return _bounded(_records(rows, role), length - len(rows))


def _unwrapped(column: Sequence[object]) -> Sequence[object]:
    """The elements of the lists of one scalar each that *column* is made of; *column* itself where it is not."""
    if set(map(type, column)) != {list}:
        return column
    lists = cast("Sequence[list[object]]", column)
    if set(map(len, lists)) != {1}:
        return column
    elements = [each[0] for each in lists]
    return column if NESTED_TYPES & set(map(type, elements)) else elements


def cut(sheet: Sheet, dropped: int) -> Sheet:
    """*sheet*, where so many columns and rows more were *dropped*."""
    if not dropped:
        return sheet
    return replace(sheet, flags=sheet.flags | {"over_limit"}, dropped_count=sheet.dropped_count + dropped)


def with_beside(sheet: Sheet, fields: Mapping[str, object], reasons: Mapping[str, LeftOut]) -> Sheet:
    """*sheet*, its rows under one of *fields*, and what became of the others; ids that are as many go with its rows."""
    rows = len(sheet.values)
    ids = dict(sheet.ids)
    for key, reason in reasons.items():
        value = fields[key] if reason == "id" else None
        if isinstance(value, list) and len(cast("list[object]", value)) == rows:
            ids[key] = cast("list[object]", value)
        elif reason == "id" and rows == 1:
            ids[key] = (value,)
    return replace(sheet, left_out={**sheet.left_out, **reasons}, ids=ids)


def _bounded(sheet: Sheet, rows_cut: int) -> Sheet:
    values = sheet.values[: MAX_CELLS // max(1, len(sheet.names))]
    dropped = sheet.dropped_count + rows_cut + len(sheet.values) - len(values)
    if not dropped:
        return sheet
    flags = sheet.flags | {"over_limit"}
    ids = {name: column[: len(values)] for name, column in sheet.ids.items()}
    return replace(
        sheet, values=values, row_ids=sheet.row_ids[: len(values)], ids=ids, flags=flags, dropped_count=dropped
    )


def _records(rows: Sequence[Mapping[str, object]], role: Role) -> Sheet:
    if (usual := _usual_records(rows, role)) is not None:
        return usual
    flattening = Flattening(role)
    flat, left_out = flattening.rows, flattening.left_out
    for row in rows:
        if not flattening.add(row):
            break
    dropped = flattening.end() + len(rows) - len(flat)
    complete(flat)
    row_ids = _row_ids(rows[: len(flat)], left_out) if left_out else ()
    ids = {name: [found.get(at) for at in range(len(flat))] for name, found in flattening.ids.items()}
    names = tuple(flat[0])
    values: list[Sequence[Cell]] = [list(cells.values()) for cells in flat if tuple(cells) == names]
    if len(values) == len(flat):
        return Sheet(without_lone_places(names), values, row_ids, left_out, dropped_count=dropped, ids=ids)
    union = dict.fromkeys(name for cells in flat for name in cells)
    names = tuple(union)[:MAX_COLUMNS]
    check_cells(min(len(flat) * len(names), MAX_CELLS), given=sum(map(len, flat)) + len(rows) - len(flat))
    values = [[cells.get(name) for name in names] for cells in flat[: MAX_CELLS // len(names)]]
    dropped += len(union) - len(names) + len(flat) - len(values)
    ids = {name: column[: len(values)] for name, column in ids.items()}
    gaps = [name for name in names if any(name not in cells for cells in flat)]
    flags = frozenset("ragged" if name.endswith("]") else "missing_key" for name in gaps)
    return Sheet(without_lone_places(names), values, row_ids, left_out, flags, dropped, ids)


def _usual_records(rows: Sequence[Mapping[str, object]], role: Role) -> Sheet | None:
    """The rows, in one go, where all have the same keys with scalars under them and every key is a column."""
    names = tuple(rows[0])
    if not are_columns(names, role):
        return None
    for row in rows:
        if tuple(row) != names or not NESTED_TYPES.isdisjoint(map(type, row.values())):
            return None
    return Sheet(names, [tuple(row.values()) for row in rows])


def _single(cells: Sequence[Cell], name: str) -> Sheet:
    """A column of *cells*."""
    return Sheet((name or "0",), [(cell,) for cell in cells_without_credentials(cells)])


def _vectors(rows: Sequence[list[object]], name: str, role: Role) -> Sheet:
    width = max(map(len, rows))
    if role == "output" and all(len(row) == 1 and isinstance(row[0], str) for row in rows) and not is_list_name(name):
        return Sheet((name or "0",), rows)
    if width > MAX_SPREAD or any(is_one_cell(row, name, role) for row in rows):
        return _single(rows, name)
    names = (name or "0",) if width == 1 else element_names(name, width)
    kept = rows[: MAX_CELLS // max(1, width)]
    dropped = len(rows) - len(kept)
    if all(len(row) == width for row in kept):
        return Sheet(names, kept, dropped_count=dropped)
    padded = [row + [None] * (width - len(row)) for row in kept]
    return Sheet(names, padded, flags=frozenset({"ragged"}), dropped_count=dropped)


def _row_ids(rows: Sequence[Mapping[str, object]], left_out: Mapping[str, LeftOut]) -> tuple[Cell, ...]:
    ids = [name for name, reason in left_out.items() if reason == "id" and "." not in name]
    by_lower = {name.lower(): name for name in reversed(ids)}
    key = next((by_lower[name] for name in _ROW_ID_FIRST if name in by_lower), ids[0] if ids else "")
    found = tuple(row.get(key) for row in rows)
    return found if all(isinstance(cell, str | int) for cell in found) else ()
