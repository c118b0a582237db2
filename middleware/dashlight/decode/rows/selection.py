"""Which columns are asked for, where names alone do not tell: DASHLIGHT_FEATURES, _PREDICTION and _IGNORE."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS
from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.flattening import LeftOut
from dashlight.decode.rows.redact import cells_without_credentials
from dashlight.records import Cell, Role


@dataclass(frozen=True, slots=True)
class Selection:
    """Globs of column names. `x` also means the elements `x[0]`, `x[1]`, ... of a vector."""

    features: tuple[str, ...] = ()
    """The only features that become columns; empty: all that the rules find."""
    prediction: tuple[str, ...] = ()
    """The only outputs that do; likewise."""
    ignore: tuple[str, ...] = ()
    """No column at all, whatever the other two say."""
    cluster: str = ""
    """A feature by which rows hang together: it is kept, an id too, unless it is ignored."""
    entity: str = ""
    """A feature that says whom a prediction is about: its values go with the ids, whether it is kept or not."""

    def fate(self, name: str, role: Role) -> LeftOut | None:
        """Why the column *name* is left out; None where it is kept."""
        if _is_listed(name, self.ignore):
            return "ignored"
        if self._is_cluster(name, role):
            return None
        listed = self._listed(role)
        return "not_listed" if listed and not _is_listed(name, listed) else None

    def asks_for(self, name: str, role: Role) -> bool:
        """Whether *name* is listed, so that it becomes a column although it looks like an id."""
        is_named = self._is_cluster(name, role) or _is_listed(name, self._listed(role))
        return is_named and not _is_listed(name, self.ignore)

    def _is_cluster(self, name: str, role: Role) -> bool:
        return role == "feature" and name == self.cluster != ""

    def _listed(self, role: Role) -> tuple[str, ...]:
        return self.features if role == "feature" else self.prediction


EVERYTHING: Final = Selection()
"""What the rules find, and nothing else."""


def with_named_ids(sheet: Sheet, role: Role, selection: Selection) -> Sheet:
    """*sheet* with the ids that are asked for by name as columns behind the others. Never a credential."""
    named = [name for name in sheet.ids if selection.asks_for(name, role) and name not in sheet.names]
    # Within the bounds of a sheet.
    named = named[: max(0, min(MAX_COLUMNS, MAX_CELLS // max(1, len(sheet.values))) - len(sheet.names))]
    if not named:
        return sheet
    columns = [cells_without_credentials(sheet.ids[name]) for name in named]
    values: list[Sequence[Cell]] = [(*row, *(column[at] for column in columns)) for at, row in enumerate(sheet.values)]
    left_out = {name: reason for name, reason in sheet.left_out.items() if name not in named}
    ids = {name: column for name, column in sheet.ids.items() if name not in named}
    return replace(sheet, names=(*sheet.names, *named), values=values, left_out=left_out, ids=ids)


def selected(sheet: Sheet, role: Role, selection: Selection) -> Sheet:
    """*sheet* with the columns of *selection* alone; the others are told in `left_out`."""
    if selection == EVERYTHING:
        return sheet
    whole = with_named_ids(sheet, role, selection)
    fates = {name: fate for name in whole.names if (fate := selection.fate(name, role)) is not None}
    if not fates:
        return whole
    places = [at for at, name in enumerate(whole.names) if name not in fates]
    return replace(
        whole,
        names=tuple(whole.names[at] for at in places),
        values=[tuple(row[at] for at in places) for row in whole.values],
        left_out={**whole.left_out, **fates},
    )


def _is_listed(name: str, globs: Sequence[str]) -> bool:
    # A bracket opens a set in a glob, and stands for itself in the name of a vector's element.
    stem = name.partition("[")[0]
    return any(name == glob or fnmatchcase(name, glob) or fnmatchcase(stem, glob) for glob in globs)
