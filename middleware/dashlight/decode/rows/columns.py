"""From JSON rows to named columns: dotted names, elements of lists, ids and credentials left out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, TypeAlias, cast

from dashlight.decode.rows.budget import check_cells
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, NUMBER_TYPES, is_object
from dashlight.decode.rows.lists.element_names import complete, element_names, without_lone_places
from dashlight.decode.rows.lists.findings import found_in, lists_of_things, plain
from dashlight.decode.rows.lists.parallel import merged
from dashlight.decode.rows.redact import MAX_NAME_LENGTH, is_credential, without_credentials
from dashlight.records import Cell, Role
from dashlight.window.facets.list_names import (
    is_embedding_name,
    is_forecast_name,
    is_list_name,
    is_ranking_name,
    is_time_name,
)

MAX_COLUMNS: Final = 256
"""Columns of one table; the rest is counted."""
MAX_SPREAD: Final = 256
"""A longer list of scalars stays one vector column; so does a shorter one of an answer that is an embedding, a forecast or
a ranking by its name."""
MAX_ROWS: Final = 10_000
"""Rows of one exchange; the rest is counted."""
MAX_CELLS: Final = 1 << 17
"""Cells of one table of one exchange: as many as 256 KiB of JSON can hold."""

LeftOut: TypeAlias = Literal["id", "credential", "parameter", "answer", "not_listed", "ignored"]
"""Why a key became no column; `answer` is a fact of a whole answer beside its rows, the last two are asked for."""

MAX_KEYS: Final = 1024
"""Keys of one object that are looked at; the rest is counted."""

_MAX_REMEMBERED_KEYS = 4096
"""Characters of the keys of one object; longer ones are looked at anew, so that the cache stays small."""
_ID = re.compile(
    r"(?i:(?:.*_)?(?:id|uid|uuid|guid|pk|(?:row|record|request|custom)id))|.*[a-z](?:Id|ID|Uid|UID|Uuid|UUID|Guid|GUID)"
)
_FILE_NAME = re.compile(r"(?i)file_?name")
"""Of an upload, which comes back beside its row."""
# In an answer these are what the model said.
_CLASS_ID = re.compile(r"(?i)(?:.+_)?(?:class|label|category|cluster|topic|species|segment)_?id")
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


@dataclass(slots=True)
class _Rest:
    """What became no column, while rows are read."""

    left_out: dict[str, LeftOut] = field(default_factory=dict[str, LeftOut])
    ids: dict[str, dict[int, Cell]] = field(default_factory=dict[str, dict[int, Cell]])
    """By name, those of the rows that have one, by their place."""
    row: int = 0  # the place of the one that is read
    keys: tuple[str, ...] = ()  # of the last object, and what is left out of it: the next mostly has the same
    reasons: Mapping[str, LeftOut] = field(default_factory=dict[str, LeftOut])


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
        sheet = _records(found, role)
    elif kinds == {list}:
        sheet = _vectors(cast("Sequence[list[object]]", kept), name, role)
    elif kept:
        sheet = Sheet((name or "0",), [(without_credentials(cell),) for cell in kept])
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
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*heads, strict=True)]
    return _bounded(_records(rows, role), length - len(rows))


def apart(node: Mapping[str, object], role: Role) -> Mapping[str, LeftOut]:
    """The keys of *node* that become no columns, and why.

    Keys too long for a name, and those behind the first MAX_KEYS, are not looked at and become none either.
    """
    keys = tuple(node) if len(node) <= MAX_KEYS else tuple(islice(node, MAX_KEYS))
    if sum(map(len, keys)) <= _MAX_REMEMBERED_KEYS:
        return _apart(keys, role)
    return _apart.__wrapped__(keys, role)


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


def is_one_cell(items: Sequence[object], name: str, role: Role) -> bool:
    """Whether a list called *name* stays one cell.

    It does where it holds others or is long. In an answer it does where it is empty, where it is a ranking, of texts or
    of whole numbers under such a name, and where its name says that its numbers are an embedding, a forecast, or the
    moments of one.
    """
    if len(items) > MAX_SPREAD or not NESTED_TYPES.isdisjoint(map(type, items)):
        return True
    if role != "output":
        return False
    kinds = set(map(type, items))
    if str in kinds or not items:
        return True
    said = is_embedding_name(name) or is_forecast_name(name) or is_time_name(name)
    return NUMBER_TYPES.issuperset(kinds) and (said or (kinds == {int} and is_ranking_name(name)))


@lru_cache(maxsize=512)
def _apart(keys: tuple[str, ...], role: Role) -> Mapping[str, LeftOut]:
    return {key: reason for key in keys if len(key) <= MAX_NAME_LENGTH and (reason := _fate(key, role)) is not None}


def _fate(key: str, role: Role) -> LeftOut | None:
    if is_credential(key):
        return "credential"
    if role == "output" and _FILE_NAME.fullmatch(key):
        return "id"
    if _ID.fullmatch(key) and not (role == "output" and _CLASS_ID.fullmatch(key)):
        return "id"
    return None


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
    rest = _Rest()
    left_out, dropped = rest.left_out, 0
    flat: list[dict[str, Cell]] = []
    seen: set[str] = set()
    for rest.row, row in enumerate(rows):
        cells: dict[str, Cell] = {}
        dropped += _flatten(cells, "", row, role, rest)
        flat.append(cells)
        seen.update(cells)
        if len(seen) >= MAX_COLUMNS and len(flat) * MAX_COLUMNS >= MAX_CELLS:
            # No room for another row.
            dropped += len(rows) - len(flat)
            break
    complete(flat)
    row_ids = _row_ids(rows, left_out) if left_out else ()
    ids = {name: [found.get(at) for at in range(len(flat))] for name, found in rest.ids.items()}
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
    if sum(map(len, names)) > _MAX_REMEMBERED_KEYS or not _are_usual(names, role):
        return None
    for row in rows:
        if tuple(row) != names or not NESTED_TYPES.isdisjoint(map(type, row.values())):
            return None
    return Sheet(names, [tuple(row.values()) for row in rows])


@lru_cache(maxsize=512)
def _are_usual(keys: tuple[str, ...], role: Role) -> bool:
    return len(keys) <= MAX_COLUMNS and max(map(len, keys), default=0) <= MAX_NAME_LENGTH and not _apart(keys, role)


def _flatten(cells: dict[str, Cell], prefix: str, node: Mapping[str, object], role: Role, rest: _Rest) -> int:
    """Put the scalars of *node* into *cells* and what is none into *rest*; the number of columns without room."""
    if role == "output":
        node = merged(node)
    if (keys := tuple(node)) != rest.keys:
        rest.keys, rest.reasons = keys, apart(node, role)
    reasons = rest.reasons
    dropped = max(0, len(node) - MAX_KEYS)
    for key, value in islice(node.items(), MAX_KEYS):
        # Before anything is built or remembered of it: a key may be as long as the body.
        if len(prefix) + len(key) > MAX_NAME_LENGTH or len(cells) >= MAX_COLUMNS:
            dropped += 1
        elif key in reasons:
            if len(rest.left_out) < MAX_COLUMNS:
                rest.left_out[prefix + key] = reasons[key]
                if reasons[key] == "id":
                    rest.ids.setdefault(prefix + key, {})[rest.row] = value
        elif type(value) not in NESTED_TYPES:
            cells[prefix + key] = plain(value)
        elif is_object(value):
            dropped += _flatten(cells, f"{prefix}{key}.", value, role, rest) if value else 0
        else:
            dropped += _spread(cells, prefix + key, cast("list[object]", value), role)
    return dropped


def _spread(cells: dict[str, Cell], name: str, items: list[object], role: Role) -> int:
    room = MAX_COLUMNS - len(cells)
    if role == "output" and (found := found_in(name, items)) is not None:
        cells.update(islice(((key, plain(cell)) for key, cell in found.items()), room))
        return max(0, len(found) - room)
    if is_one_cell(items, name, role):
        is_lone = role == "output" and len(items) == 1 and isinstance(items[0], str) and not is_list_name(name)
        cells[name] = items[0] if is_lone else without_credentials(items)
        return 0
    cells.update(zip(element_names(name, min(len(items), room)), items, strict=False))
    return max(0, len(items) - room)


def _vectors(rows: Sequence[list[object]], name: str, role: Role) -> Sheet:
    width = max(map(len, rows))
    if role == "output" and all(len(row) == 1 and isinstance(row[0], str) for row in rows) and not is_list_name(name):
        return Sheet((name or "0",), rows)
    if width > MAX_SPREAD or any(is_one_cell(row, name, role) for row in rows):
        return Sheet((name or "0",), [(without_credentials(row),) for row in rows])
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
