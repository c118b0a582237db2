"""Rows to learn a reference from, as they travel: frozen once, so that whoever keeps or passes them on copies bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.cells import WrittenCell, read_cells, written_cells
from dashlight.counting.memory import Room
from dashlight.errors import StateError
from dashlight.privacy.hashing import HashKey
from dashlight.privacy.sealing import seal, unseal
from dashlight.records import Prediction, Role, Table
from dashlight.store.layout import Layout
from dashlight.window.reference.chunks import Chunk
from dashlight.window.reference.learning import size_of
from dashlight.window.tables import taken

MOST_PANE_BYTES = 8 << 20
"""Of the rows that one process keeps in one pane, of all its models together."""
PART_BYTES = 1 << 20
"""Of rows that are frozen in one go: no other thread runs meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of one role as plain data: the fields of a Table."""

    rows: int
    number_names: tuple[str, ...]
    numbers: NDArray[np.float64]
    cell_names: tuple[str, ...]
    cells: tuple[list[WrittenCell], ...]
    exchange: NDArray[np.int64]
    is_sparse: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class KeptRows:
    """Rows of one process.

    They are written to bytes once, when they are counted. A checkpoint holds them pane after pane: were they texts in
    lists, writing it would walk over each of them every time, while no other thread runs. An array of bytes is copied.
    """

    rows: Mapping[Role, int]
    """How many of each role."""
    frozen: NDArray[np.uint8]

    @classmethod
    def of(cls, chunk: Chunk, key: HashKey | None = None) -> KeptRows:
        """The rows of *chunk*, sealed under *key*: they hold texts, and go into files."""
        frozen = b"".join(_LAYOUT.freeze({role: _written(table) for role, table in chunk.items()}))
        frozen = frozen if key is None else seal(frozen, key)
        return cls({role: table.rows for role, table in chunk.items()}, np.frombuffer(frozen, np.uint8))

    @classmethod
    def parts_of(cls, chunk: Chunk, key: HashKey | None = None) -> tuple[KeptRows, ...]:
        """The rows of *chunk* in parts of about PART_BYTES, in their order."""
        parts = max(1, round(sum(map(size_of, chunk.values())) / PART_BYTES))
        pieces = {role: np.array_split(np.arange(table.rows), parts) for role, table in chunk.items()}
        return tuple(
            cls.of({role: taken(table, pieces[role][part]) for role, table in chunk.items()}, key)
            for part in range(parts)
        )

    def chunk(self, key: HashKey | None = None) -> Chunk:
        """The rows again, sealed under *key*; StateError where the bytes are no rows, or not as many as they are said to be."""
        try:
            frozen = self.frozen.data if key is None else unseal(self.frozen.tobytes(), key)
        except ValueError as error:
            raise StateError("corrupt", f"rows {error}") from None
        chunk: Chunk = {role: _read(rows) for role, rows in _LAYOUT.thaw(frozen).items()}
        rows = {role: table.rows for role, table in chunk.items()}
        if rows != self.rows:
            raise StateError("corrupt", f"rows by role of {rows}: expected {dict(self.rows)}")
        return chunk

    @property
    def row_count(self) -> int:
        """Rows of the role that has most."""
        return max(self.rows.values(), default=0)

    @property
    def size_bytes(self) -> int:
        """What they hold, and what they cost in a file."""
        return self.frozen.nbytes

    def apart(self) -> KeptRows:
        """The same in memory of its own: what was read of a file would else keep all of it."""
        return KeptRows(self.rows, self.frozen.copy())


class LearningRoom:
    """How much the models of one process may keep in the pane that runs, and how much those that are counted may take."""

    def __init__(self, most_bytes: int = MOST_PANE_BYTES, *, models_bytes: int = 1 << 62) -> None:
        self.models: Room[tuple[str, ...]] = Room(models_bytes)
        """By endpoint, model, its version and that of the reference."""
        self.left_out_rows = 0
        """Rows of the pane that runs, of models that there is no memory for."""
        self._most_bytes = self.left_bytes = most_bytes
        self.is_full = False
        """Whether rows had to be left out: then no more are looked at in this pane."""
        self._left_out = 0
        self.uncompared_rows = 0
        """Rows of the pane that runs whose reference this process cannot find: they are neither compared nor kept."""

    def take(self, size_bytes: int) -> None:
        """Notes that rows of this size are kept."""
        self.left_bytes -= size_bytes

    def leave_out(self, rows: int) -> None:
        """Counts *rows* for which there was no room."""
        if rows:
            self.is_full = True
            self._left_out += rows

    def empty(self) -> int:
        """Begins a pane; how many rows were left out of the one that ends."""
        left_out, self._left_out = self._left_out, 0
        self.left_bytes, self.is_full = self._most_bytes, False
        return left_out


def _written(table: Table) -> _Rows:
    cells = tuple(written_cells(cells) for cells in table.cells)
    exchange = table.exchange.astype(np.int64, copy=False)
    return _Rows(table.rows, table.number_names, table.numbers, table.cell_names, cells, exchange, table.is_sparse)


def _read(rows: _Rows) -> Table:
    cells = tuple(read_cells(cells) for cells in rows.cells)
    return Table(rows.rows, rows.number_names, rows.numbers, rows.cell_names, cells, rows.exchange, rows.is_sparse)


def _check(chunk: dict[Role, _Rows]) -> None:
    for rows in chunk.values():
        names = rows.number_names + rows.cell_names
        if len(set(names)) < len(names):
            raise ValueError("a column that occurs twice")
        shapes = rows.numbers.shape, rows.exchange.shape, len(rows.cells), {rows.rows, *map(len, rows.cells)}
        if shapes != ((len(rows.number_names), rows.rows), (rows.rows,), len(rows.cell_names), {rows.rows}):
            raise ValueError("columns of different lengths")
        if (rows.exchange < -1).any():
            raise ValueError("an exchange before the first")


_LAYOUT: Layout[dict[Role, _Rows]] = Layout("rows", 1, dict[Role, _Rows], _check)


def bounded_rows(rows: Iterable[KeptRows], most_bytes: int) -> tuple[KeptRows, ...]:
    """The first of *rows*, of no more than *most_bytes*."""
    held = tuple(rows)
    sizes = itertools.accumulate(each.size_bytes for each in held)
    return held[: sum(size <= most_bytes for size in sizes)]


def outputs_of(prediction: Prediction) -> Prediction:
    """*prediction* without its features."""
    nothing = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
    return replace(prediction, features=nothing)
