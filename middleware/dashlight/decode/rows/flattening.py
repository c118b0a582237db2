"""One row flattened: dotted names, elements of lists; ids and credentials left out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, TypeAlias, cast

from dashlight.decode.rows.budget import (
    CELLS_PER_WORK,
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_KEYS_READ,
    MAX_SPREAD,
    WORK_PER_LIST,
    WORK_PER_LONE,
    WORK_PER_NODE,
    WORK_PER_VECTOR,
    TableBudget,
)
from dashlight.decode.rows.jsonvalue import NESTED_TYPES, NUMBER_TYPES, is_object
from dashlight.decode.rows.lists.element_names import element_names
from dashlight.decode.rows.lists.findings import OneCell, found_in, plain
from dashlight.decode.rows.lists.parallel import merged
from dashlight.decode.rows.redact import cells_without_credentials
from dashlight.privacy.names import MAX_NAME_LENGTH, is_credential
from dashlight.records import Cell, Role
from dashlight.window.facets.list_names import (
    is_embedding_name,
    is_forecast_name,
    is_list_name,
    is_ranking_name,
    is_time_name,
)

LeftOut: TypeAlias = Literal["id", "credential", "parameter", "answer", "not_listed", "ignored"]
"""Why a key became no column; `answer` is a fact of a whole answer beside its rows, the last two are asked for."""

_HOLDING_TYPES: Final = NESTED_TYPES | {OneCell}

_MAX_REMEMBERED_KEYS = 4096
"""Characters of the keys of one object; longer ones are looked at anew, so that the cache stays small."""
_ID = re.compile(
    r"(?i:(?:.*_)?(?:id|uid|uuid|guid|pk|(?:row|record|request|custom)id))|.*[a-z](?:Id|ID|Uid|UID|Uuid|UUID|Guid|GUID)"
)
_FILE_NAME = re.compile(r"(?i)file_?name")
"""Of an upload, which comes back beside its row."""
# In an answer these are what the model said.
_CLASS_ID = re.compile(r"(?i)(?:.+_)?(?:class|label|category|cluster|topic|species|segment)_?id")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What becomes of the keys of an object."""

    keys: tuple[str, ...]
    names: tuple[str | None, ...]
    """What a column of each is called; None: its key is too long for one."""
    reasons: Mapping[str, LeftOut]
    """Why names become no columns."""


@dataclass(slots=True)
class Flattening:
    """The rows of a table, flattened one by one: what they hold, and what became no column."""

    role: Role
    rows: list[dict[str, Cell]] = field(default_factory=list[dict[str, Cell]])
    left_out: dict[str, LeftOut] = field(default_factory=dict[str, LeftOut])
    ids: dict[str, dict[int, Cell]] = field(default_factory=dict[str, dict[int, Cell]])
    """By name, those of the rows that have one, by their place."""
    _dropped: int = 0
    _seen: set[str] = field(default_factory=set[str])
    _budget: TableBudget = field(default_factory=TableBudget)
    _plans: dict[str, _Plan] = field(default_factory=dict[str, _Plan])
    """Of the last object under each prefix: the next mostly has the same keys."""
    _unsearched: list[tuple[dict[str, Cell], str]] = field(default_factory=list[tuple[dict[str, Cell], str]])
    """Rows, and the name of a cell in each that may hold credentials: they are looked for in all at once."""

    def add(self, row: Mapping[str, object]) -> bool:
        """Flatten *row*; whether there is room for another one."""
        cells: dict[str, Cell] = {}
        self._flatten(cells, "", row)
        self.rows.append(cells)
        self._seen.update(cells)
        self._budget.take(WORK_PER_NODE - len(cells) // CELLS_PER_WORK)
        is_full = len(self._seen) >= MAX_COLUMNS and len(self.rows) * MAX_COLUMNS >= MAX_CELLS
        return not is_full and not self._budget.is_spent

    def end(self) -> int:
        """Replace the credentials in the cells of all rows; the number of columns for which there was no room."""
        given = [row[name] for row, name in self._unsearched]
        cleaned = cells_without_credentials(given)
        if cleaned is not given:
            for (row, name), cell in zip(self._unsearched, cleaned, strict=True):
                row[name] = cell
        return self._dropped

    def _flatten(self, cells: dict[str, Cell], prefix: str, node: Mapping[str, object]) -> None:
        """Put the scalars of *node* into *cells*."""
        if self.role == "output" and (told := merged(node)) is not node:
            node = told
            self._budget.take(WORK_PER_LIST)
        keys = tuple(node)
        plan = self._plans.get(prefix)
        if plan is None or plan.keys != keys:
            plan = self._plans[prefix] = _plan(prefix, keys, self.role)
            self._budget.take(WORK_PER_VECTOR)
        reasons = plan.reasons
        self._dropped += len(keys) - len(plan.names)
        for name, value in zip(plan.names, node.values(), strict=False):
            if name is None or len(cells) >= MAX_COLUMNS:
                self._dropped += 1
            elif name in reasons:
                self._leave_out(name, reasons[name], value)
            elif type(value) not in _HOLDING_TYPES:
                cells[name] = value
            elif is_object(value):
                self._budget.take(WORK_PER_NODE)
                if value:
                    self._flatten(cells, f"{name}.", value)
            else:
                self._spread(cells, name, cast("list[object]", value))

    def _leave_out(self, name: str, reason: LeftOut, value: object) -> None:
        if len(self.left_out) < MAX_COLUMNS:
            self.left_out[name] = reason
            if reason == "id":
                self.ids.setdefault(name, {})[len(self.rows)] = value

    def _spread(self, cells: dict[str, Cell], name: str, items: list[object]) -> None:
        if type(items) is OneCell:
            cells[name] = plain(items)
            return
        if _is_lone(items, name, self.role):
            self._budget.take(WORK_PER_LONE)
            cells[f"{name}[0]"] = items[0]
            return
        if self.role == "output":
            # Names and elements are looked at more closely.
            self._budget.take(WORK_PER_VECTOR)
        room = MAX_COLUMNS - len(cells)
        if self.role == "output" and (found := found_in(name, items)) is not None:
            self._budget.take(WORK_PER_LIST)
            cells.update(islice(((key, plain(cell)) for key, cell in found.items()), room))
            self._dropped += max(0, len(found) - room)
        elif is_one_cell(items, name, self.role):
            self._keep(cells, name, items)
        else:
            self._budget.take(WORK_PER_VECTOR)
            cells.update(zip(element_names(name, min(len(items), room)), items, strict=False))
            self._dropped += max(0, len(items) - room)

    def _keep(self, cells: dict[str, Cell], name: str, items: list[object]) -> None:
        """Put *items* into *cells* as one of them."""
        self._budget.take(WORK_PER_NODE)
        if self.role == "output" and len(items) == 1 and isinstance(items[0], str) and not is_list_name(name):
            cells[name] = items[0]
            return
        cells[name] = items
        if not NESTED_TYPES.isdisjoint(map(type, items)):
            self._budget.take(WORK_PER_NODE)
            self._unsearched.append((cells, name))


def apart(node: Mapping[str, object], role: Role) -> Mapping[str, LeftOut]:
    """The keys of *node* that become no columns, and why.

    Keys too long for a name, and those behind the first MAX_KEYS_READ, are not looked at and become none either.
    """
    keys = tuple(node) if len(node) <= MAX_KEYS_READ else tuple(islice(node, MAX_KEYS_READ))
    if sum(map(len, keys)) <= _MAX_REMEMBERED_KEYS:
        return _apart(keys, role)
    return _apart.__wrapped__(keys, role)


def are_columns(keys: tuple[str, ...], role: Role) -> bool:
    """Whether each of *keys* becomes a column where it holds a scalar."""
    return sum(map(len, keys)) <= _MAX_REMEMBERED_KEYS and _are_columns(keys, role)


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


def _plan(prefix: str, keys: tuple[str, ...], role: Role) -> _Plan:
    reasons = apart(dict.fromkeys(keys), role)
    # Before anything is built or remembered of it: a key may be as long as the body.
    names = tuple(prefix + key if len(prefix) + len(key) <= MAX_NAME_LENGTH else None for key in keys[:MAX_KEYS_READ])
    return _Plan(keys, names, {prefix + key: reason for key, reason in reasons.items()})


@lru_cache(maxsize=512)
def _are_columns(keys: tuple[str, ...], role: Role) -> bool:
    return len(keys) <= MAX_COLUMNS and max(map(len, keys), default=0) <= MAX_NAME_LENGTH and not _apart(keys, role)


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


def _is_lone(items: list[object], name: str, role: Role) -> bool:
    """Whether *items* is a single scalar of which nothing else is to be told: it becomes `x[0]`."""
    if len(items) != 1 or type(items[0]) in NESTED_TYPES:
        return False
    return role == "feature" or (not isinstance(items[0], str) and not _is_said(name))


@lru_cache(maxsize=512)
def _is_said(name: str) -> bool:
    """Whether *name* says that a list of numbers under it is more than its elements."""
    is_one = is_embedding_name(name) or is_forecast_name(name) or is_time_name(name)
    return is_one or is_ranking_name(name)
