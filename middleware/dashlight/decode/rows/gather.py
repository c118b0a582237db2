"""Rows and tables of a batch, gathered by endpoint and model into Predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.tables import joined, shielded, table_of
from dashlight.records import Cell, Prediction, Role, Table
from dashlight.window.facets.label_counts import completed

MOST_CELLS: Final = 1 << 18
"""Of one side of a Prediction that is mostly null. Rows that have few columns in common are parted beyond: joined, 10,000
names that a client makes up would take a hundred times what was sent."""
_CELLS_PER_VALUE: Final = 2
"""More of them than this, and it is mostly null."""

Kept: TypeAlias = Callable[[tuple[str, ...], Role], Sequence[int] | None]
"""The places of the columns to keep among those of such names on one side; None where all are kept."""


@dataclass(frozen=True, slots=True)
class Group:
    """What the rows of one Prediction have in common."""

    endpoint: str
    model: str
    version: str
    protocol: str


@dataclass(slots=True)
class _Rows:
    values: list[Sequence[Cell]] = field(default_factory=list[Sequence[Cell]])
    exchange: list[int] = field(default_factory=list[int])


class _Side:
    """The features or the outputs of one group in the making."""

    __slots__ = ("_names", "_row_count", "_rows", "_tables", "_value_count")

    def __init__(self) -> None:
        self._tables: list[Table] = []
        self._rows: dict[tuple[tuple[str, ...], bool], _Rows] = {}
        self._names: set[str] = set()
        self._row_count = self._value_count = 0

    def add_table(self, table: Table) -> None:
        self._tables.append(table)
        self._note((*table.number_names, *table.cell_names), table.rows)

    def has_room(self, sheet: Sheet) -> bool:
        """Whether *sheet* may be joined with what is here."""
        rows = self._row_count + len(sheet.values)
        if rows * (len(self._names) + len(sheet.names)) <= MOST_CELLS:
            return True
        values = self._value_count + len(sheet.values) * len(sheet.names)
        return not self._row_count or rows * len(self._names.union(sheet.names)) <= max(
            MOST_CELLS, _CELLS_PER_VALUE * values
        )

    def add_sheet(self, place: int, sheet: Sheet) -> None:
        self._note(sheet.names, len(sheet.values))
        # Rows of the same columns wait for one another, so that a column is looked at once.
        rows = self._rows.setdefault((sheet.names, "sparse" in sheet.flags), _Rows())
        rows.values.extend(sheet.values)
        rows.exchange.extend([place] * len(sheet.values))

    def _note(self, names: tuple[str, ...], row_count: int) -> None:
        self._names.update(names)
        self._row_count += row_count
        self._value_count += row_count * len(names)

    def table(self, role: Role, kept: Kept) -> Table:
        tables = list(self._tables)
        for (names, is_sparse), rows in self._rows.items():
            columns: Sequence[Sequence[Cell]] = list(zip(*rows.values, strict=True)) or [()] * len(names)
            chosen = kept(names, role)
            if chosen is not None:
                names = tuple(names[at] for at in chosen)  # noqa: PLW2901 - the columns go with them
                columns = [columns[at] for at in chosen]
            tables.append(table_of(names, columns, rows.exchange, is_sparse=is_sparse))
        return completed(shielded(joined(tables))) if tables else table_of((), (), ())


class Gathering:
    """The predictions of a batch in the making."""

    def __init__(self) -> None:
        self._groups: dict[Group, tuple[_Side, _Side]] = {}
        self._full: list[tuple[Group, tuple[_Side, _Side]]] = []

    def add_tables(self, group: Group, features: Table, outputs: Table) -> None:
        """Add rows that are tables already."""
        sides = self._sides(group)
        sides[0].add_table(features)
        sides[1].add_table(outputs)

    def add_features(self, group: Group, features: Table) -> None:
        """Add rows that are a table already, and were not answered."""
        self._sides(group)[0].add_table(features)

    def add_sheets(self, group: Group, place: int, features: Sheet, outputs: Sheet | None) -> None:
        """Add what the exchange at *place* was read as."""
        sides = self._sides(group)
        if not sides[0].has_room(features) or (outputs is not None and not sides[1].has_room(outputs)):
            # All of an exchange is in one.
            self._full.append((group, self._groups.pop(group)))
            sides = self._sides(group)
        sides[0].add_sheet(place, features)
        if outputs is not None:
            sides[1].add_sheet(place, outputs)

    def predictions(self, kept: Kept) -> list[Prediction]:
        """One for each group, in the order in which they were first met; several where one would be mostly null."""
        return [
            Prediction(
                endpoint=group.endpoint,
                model=group.model,
                version=group.version,
                protocol=group.protocol,
                features=features.table("feature", kept),
                outputs=outputs.table("output", kept),
            )
            for group, (features, outputs) in (*self._full, *self._groups.items())
        ]

    def _sides(self, group: Group) -> tuple[_Side, _Side]:
        sides = self._groups.get(group)
        if sides is None:
            sides = self._groups[group] = (_Side(), _Side())
        return sides
