"""A reference learned from the first rows of traffic, where nobody gave one."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from dashlight.privacy.hashing import HashKey
from dashlight.records import Cell, Prediction, Role, Table
from dashlight.window.columns import LeftOutColumn, Reference, Writing
from dashlight.window.facets.image_facets import bounded_image, is_image
from dashlight.window.facets.label_counts import completed
from dashlight.window.facets.list_kinds import MOST_HORIZON, bounded_list
from dashlight.window.facets.text_facets import MOST_CHARACTERS
from dashlight.window.facets.vector_facets import MOST_WIDTH
from dashlight.window.inspection.facts import ColumnFacts
from dashlight.window.inspection.facts_meter import FactsMeter
from dashlight.window.inspection.left_out import left_out
from dashlight.window.reference.build import reference_steps
from dashlight.window.reference.chunks import Chunk, parts_of
from dashlight.window.reference.steps import Steps
from dashlight.window.tables import joined, taken, without_nulls
from dashlight.window.values import WRONG, is_listed, number_of

COLUMN_LIMIT = 256
"""Columns learned of each role: a client that invents names must not fill the memory."""

_NO_WRITINGS: Mapping[str, Writing] = {}
_TEXTS_KEPT = 50_000
"""Different items of lists that are kept once each; of more all are forgotten."""
_NUMBER_BYTES = 8
_ARRAY_BYTES = 160
"""Of an array beside its elements, and about what is kept of an image."""
_MOST_CHARACTER_BYTES = 3
"""Of a character that is not ASCII, but for the rare ones beyond the basic plane."""


class Learning:
    """Collects the rows of predictions until there are *rows_wanted*; their order is taken for time order."""

    def __init__(self, rows_wanted: int, column_limit: int = COLUMN_LIMIT) -> None:
        self.rows_wanted = rows_wanted
        """Rows at which it is full; more may be wanted later."""
        self._column_limit = column_limit
        self._tables: dict[Role, list[Table]] = {"feature": [], "output": []}
        self._names: dict[Role, dict[str, None]] = {"feature": {}, "output": {}}
        self._rows: dict[Role, int] = {"feature": 0, "output": 0}
        self._texts: dict[str, str] = {}

    def add(self, prediction: Prediction, *, most_bytes: float = math.inf) -> int:
        """Keep the first rows of *prediction* that *most_bytes* hold; how many bytes, about. ValueError once there are enough."""
        return self.take({"feature": prediction.features, "output": prediction.outputs}, most_bytes=most_bytes)

    def take(self, rows: Chunk, *, most_bytes: float = math.inf) -> int:
        """Keep the first of *rows*, by role, that *most_bytes* hold; how many bytes, about. ValueError once there are enough."""
        if self.is_full:
            raise ValueError("the rows wanted are there: ask for the reference")
        kept: Chunk = {role: self._bounded_table(role, table) for role, table in rows.items()}
        size = sum(map(size_of, kept.values()))
        while size > most_bytes:
            # As many of one role as of the other: they belong together. The first may be the larger ones: measured anew.
            share = most_bytes / size
            kept = {role: taken(table, np.arange(int(table.rows * share))) for role, table in kept.items()}
            size = sum(map(size_of, kept.values()))
        for role, table in kept.items():
            self._tables[role].append(table)
            self._rows[role] += table.rows
        return size

    @property
    def rows(self) -> int:
        """Rows so far, of *rows_wanted*."""
        return max(self._rows.values())

    @property
    def is_full(self) -> bool:
        """Whether the reference can be made."""
        return self.rows >= self.rows_wanted

    @property
    def chunk(self) -> Chunk:
        """The rows collected, by role."""
        whole: Chunk = {role: completed(joined(tables)) for role, tables in self._tables.items() if tables}
        # What no answer ever said is no output.
        return {role: without_nulls(table) if role == "output" else table for role, table in whole.items()}

    def replace(self, rows: Chunk) -> None:
        """Keep *rows*, which were made of its chunk, instead of those that it has."""
        self._tables = {role: [table] for role, table in rows.items()}

    def keep_last(self, rows: int) -> None:
        """Forget all but the last *rows* of each role."""
        for role, table in self.chunk.items():
            kept = taken(table, np.arange(max(table.rows - rows, 0), table.rows))
            self._tables[role], self._rows[role] = [kept], kept.rows

    def reference(
        self,
        *,
        rng: np.random.Generator,
        created_at: float,
        model: str = "",
        keep: Collection[str] = (),
        writings: Mapping[str, Writing] = _NO_WRITINGS,
        key: HashKey | None = None,
    ) -> Steps[Reference]:
        """The reference of the rows collected, of which *writings* were texts, in steps; ReferenceDataError where there are none.

        Counters, ids and moments are left out, but for those that *keep*, globs, names. Hashes of payloads
        are made under *key*.
        """
        chunk = self.chunk
        return reference_steps(
            lambda: parts_of(chunk),
            rng=rng,
            created_at=created_at,
            source="learned",
            model=model,
            least_rows=1,
            keep=keep,
            writings=writings,
            key=key,
        )

    def left_out(self, keep: Collection[str] = ()) -> tuple[LeftOutColumn, ...]:
        """Columns of the rows collected that a reference of them does without: counters, ids, moments; not those that *keep* names."""
        facts: list[ColumnFacts] = []
        for role, table in self.chunk.items():
            meter = FactsMeter(role)
            meter.add(table)
            facts += meter.facts(dict(zip(table.cell_names, map(_distinct_share, table.cells), strict=True))).values()
        return tuple(left_out(facts, times=(), is_learned=True, keep=keep))

    def _bounded_table(self, role: Role, table: Table) -> Table:
        numeric = self._admitted(role, table.number_names)
        worded = self._admitted(role, table.cell_names)
        return Table(
            rows=table.rows,
            number_names=tuple(table.number_names[place] for place in numeric),
            numbers=table.numbers[numeric],  # a copy, so that the batch can go
            cell_names=tuple(table.cell_names[place] for place in worded),
            cells=tuple([self._bounded(cell) for cell in table.cells[place]] for place in worded),
            exchange=table.exchange,
            is_sparse=table.is_sparse,
        )

    def _admitted(self, role: Role, names: Sequence[str]) -> list[int]:
        known = self._names[role]
        admitted: list[int] = []
        for place, name in enumerate(names):
            if name in known or len(known) < self._column_limit:
                known[name] = None
                admitted.append(place)
        return admitted

    def _bounded(self, cell: Cell) -> Cell:
        if isinstance(cell, str):
            return cell[:MOST_CHARACTERS]
        if is_listed(cell) and len(cell) <= MOST_WIDTH:
            return self._list(cell)
        if is_image(cell):
            return bounded_image(cell)
        # What is no single value counts as a type error whatever it holds.
        return WRONG if number_of(cell) is None and not isinstance(cell, bool) else cell

    def _list(self, cell: Sequence[Any]) -> Cell:
        """A list of numbers in little room, one of items or of steps as these; anything else is as wrong here as later."""
        try:
            numbers = np.asarray(cell)
        except ValueError:  # lists of several lengths inside
            return WRONG
        if numbers.ndim == 1 and numbers.dtype.kind in "iuf":
            # Of vectors a float is exact enough; ids and the values of forecasts are kept as they are.
            return numbers.astype(np.float32) if len(numbers) > MOST_HORIZON else numbers
        kept = bounded_list(cell)
        if not is_listed(kept) or isinstance(kept, np.ndarray):
            return kept
        # Lists hold the same items again and again: each is kept once.
        return tuple(self._once(each) if isinstance(each, str) else each for each in kept)

    def _once(self, text: str) -> str:
        if len(self._texts) >= _TEXTS_KEPT:
            self._texts.clear()
        return self._texts.setdefault(text, text)


def _distinct_share(cells: Sequence[Cell]) -> float:
    texts = [cell for cell in cells if isinstance(cell, str)]
    return len(set(texts)) / max(len(texts), 1)


def size_of(table: Table) -> int:
    """Bytes that *table* holds, about: frozen it takes no more unless its texts are of rare characters."""
    return _NUMBER_BYTES * (table.numbers.size + table.rows) + sum(sum(map(_cell_size, cells)) for cells in table.cells)


def _cell_size(cell: Cell) -> int:
    if isinstance(cell, str):
        return _NUMBER_BYTES + len(cell) * (1 if cell.isascii() else _MOST_CHARACTER_BYTES)
    if isinstance(cell, np.ndarray):
        return _ARRAY_BYTES + cell.nbytes
    if is_listed(cell):
        return _NUMBER_BYTES + sum(map(_cell_size, cell))
    return _ARRAY_BYTES if isinstance(cell, Mapping) else _NUMBER_BYTES
