"""Batches of predictions in a SQLite file: written, found by their keys, and read.

A batch holds its rows in the order in which they came, and its keys sorted, with the row of each: a key is searched for
once in each batch. So that these do not become many, batches of one size are merged into one of the next (O'Neil et al.,
"The log-structured merge-tree", 1996), until they are full: a row costs a few copies of 50 bytes, where a random id in an index
costs a page. Both lie in parts of a thousand rows: to read one row is to read one part of each.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout, halves, joined, known_by, taken
from dashlight.labels.rows import KEY_BYTES, ModelKey, ScoredRows
from dashlight.store.labels.packing import keys_of, layout_of, packed_layout, packed_rows, rows_of
from dashlight.store.labels.sqlite_codes import with_codes
from dashlight.store.labels.sqlite_parts import (
    COLUMNS,
    ENTITIES,
    KEYS,
    PART_ROWS,
    key_at,
    parts_of,
    row_of,
    rows_about,
    sorted_parts,
    split,
    write_parts,
)

_CACHE_BYTES: Final = 16 << 20
"""Of halves of keys that are kept in memory: of two million predictions. Those beyond are read each time."""
_FEW_KEYS: Final = 8
"""So many are searched for in parts, where the keys of a batch are not in memory; for more all of its keys are read."""


class RowPlace(NamedTuple):
    """Where a prediction is."""

    batch: int
    row: int


class Batches:
    """What this process knows of the batches in one file: layouts, and keys that it has read. For one thread at a time.

    Nothing is read that the same transaction wrote: numbers of what is undone are given anew.
    """

    def __init__(self) -> None:
        self._layouts: dict[int, RowLayout] = {}
        self._prefixes: dict[int, NDArray[np.uint64]] = {}
        self._cached_bytes = self._generation = 0

    def of_generation(self, generation: int) -> Batches:
        """This, with nothing in it of another file than that of this *generation*."""
        if generation != self._generation:
            self._generation, self._cached_bytes = generation, 0
            self._layouts.clear()
            self._prefixes.clear()
        return self

    def layout_id(self, connection: sqlite3.Connection, layout: RowLayout) -> tuple[int, int]:
        """Number of *layout* and of its model, given to them where they have none."""
        content = packed_layout(layout)
        known = connection.execute("SELECT id, model FROM layouts WHERE content = ?", (content,)).fetchone()
        if known is None:
            model = self.model_id(connection, layout.model)
            connection.execute("INSERT INTO layouts (model, content) VALUES (?, ?)", (model, content))
            return self.layout_id(connection, layout)
        return known[0], known[1]

    def model_id(self, connection: sqlite3.Connection, model: ModelKey) -> int:
        """Number of *model*, given to it where it has none."""
        name = model_name(model)
        connection.execute("INSERT OR IGNORE INTO models (name, level) VALUES (?, 0)", (name,))
        return int(connection.execute("SELECT id FROM models WHERE name = ?", (name,)).fetchone()[0])

    def layout(self, connection: sqlite3.Connection, number: int) -> RowLayout:
        """The layout of that *number*."""
        if number not in self._layouts:
            row = connection.execute("SELECT content FROM layouts WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise StateError("corrupt", "a batch of predictions has no layout")
            self._layouts[number] = layout_of(row[0])
        return self._layouts[number]

    def insert(self, connection: sqlite3.Connection, layout: int, rows: ScoredRows) -> int:
        """Writes *rows*, at most MOST_ROWS, without their codes; the batch."""
        keys, places = known_by(rows)
        first_at, last_at = float(rows.predicted_at.min()), float(rows.predicted_at.max())
        cursor = connection.execute(
            "INSERT INTO batches (layout, rows, first_at, last_at, keys, has_entities) VALUES (?, ?, ?, ?, ?, ?)",
            (layout, rows.row_count, first_at, last_at, len(keys), rows.entities is not None),
        )
        batch = int(cursor.lastrowid or 0)
        begins = range(0, rows.row_count, PART_ROWS)
        parts = (taken(rows, np.arange(begin, min(begin + PART_ROWS, rows.row_count))) for begin in begins)
        write_parts(connection, batch, COLUMNS, [packed_rows(part) for part in parts])
        write_parts(connection, batch, KEYS, sorted_parts(keys, places))
        if rows.entities is not None:
            write_parts(connection, batch, ENTITIES, sorted_parts(rows.entities, np.arange(rows.row_count)))
        return batch

    def find(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[int, RowPlace]:
        """By number of the key where its prediction is, the newest of several; without those that are nowhere."""
        found: dict[int, RowPlace] = {}
        if not keys:
            return found
        wanted, _ = halves(np.frombuffer(b"".join(keys), f"V{KEY_BYTES}"))
        batches = connection.execute("SELECT id, keys FROM batches ORDER BY id DESC").fetchall()
        self._tidy([batch for batch, _ in batches])
        for batch, key_count in batches:
            if len(keys) <= _FEW_KEYS and not self._has_room_for(batch, key_count):
                for number, key in enumerate(keys):
                    row = None if number in found else row_of(connection, batch, key_count, key)
                    if row is not None:
                        found[number] = RowPlace(batch, row)
                continue
            prefixes = self._prefixes_of(connection, batch)
            lasts = prefixes.searchsorted(wanted, side="right") - 1
            for number in (prefixes[lasts] == wanted).nonzero()[0].tolist():
                place = int(lasts[number])
                while number not in found and place >= 0 and prefixes[place] == wanted[number]:
                    key, row = key_at(connection, batch, place)
                    if key == keys[number]:
                        found[number] = RowPlace(batch, row)
                    place -= 1
        return found

    def find_entity(
        self, connection: sqlite3.Connection, entity: bytes, *, since_at: float, until_at: float
    ) -> RowPlace | None:
        """The latest prediction about *entity* from *since_at* up to and with *until_at*."""
        best_at, best = -np.inf, None
        query = "SELECT id, last_at FROM batches WHERE has_entities AND last_at >= ? AND first_at <= ? ORDER BY last_at DESC"
        for batch, last_at in connection.execute(query, (since_at, until_at)).fetchall():
            if last_at < best_at:
                break
            rows = rows_about(connection, batch, entity)
            if not len(rows):
                continue
            at = self.rows_in(connection, batch, rows).predicted_at
            at = np.where((since_at <= at) & (at <= until_at), at, -np.inf)
            latest = len(at) - 1 - int(np.argmax(at[::-1]))
            if at[latest] > best_at:
                best_at, best = float(at[latest]), RowPlace(batch, int(rows[latest]))
        return best

    def load(self, connection: sqlite3.Connection, batch: int) -> ScoredRows:
        """All rows of *batch*, without codes and second keys."""
        return self._load(connection, batch, None)

    def load_with_all_keys(self, connection: sqlite3.Connection, batch: int) -> ScoredRows:
        """All rows of *batch*, without codes; second keys are those among the sorted ones that are no first one."""
        rows = self.load(connection, batch)
        parts = [split(content) for content in parts_of(connection, batch, KEYS)]
        if not parts:
            raise StateError("corrupt", "a batch of predictions has no keys")
        keys = keys_of(b"".join(keys for keys, _ in parts))
        places = np.concatenate([places for _, places in parts]).astype(np.intp)
        if len(keys) == rows.row_count:
            return rows
        if int(places.max()) >= rows.row_count:
            raise StateError("corrupt", "the keys of a batch of predictions are of other rows")
        is_other = keys != rows.keys[places]
        others = np.zeros(rows.row_count, keys.dtype)
        others[places[is_other]] = keys[is_other]
        return replace(rows, other_keys=others)

    def rows_in(self, connection: sqlite3.Connection, batch: int, rows: NDArray[np.intp]) -> ScoredRows:
        """The *rows* of *batch*, in that order, without codes; it reads the parts alone in which they are."""
        parts, part_of_row = np.unique(rows // PART_ROWS, return_inverse=True)
        return taken(self._load(connection, batch, parts.tolist()), part_of_row * PART_ROWS + rows % PART_ROWS)

    def rows_at(
        self, connection: sqlite3.Connection, places: Mapping[int, RowPlace]
    ) -> list[tuple[list[int], ScoredRows]]:
        """The rows at *places*, by number, with their codes: those of each batch together, with their numbers."""
        by_batch: dict[int, list[int]] = {}
        for number, place in places.items():
            by_batch.setdefault(place.batch, []).append(number)
        found: list[tuple[list[int], ScoredRows]] = []
        for batch, numbers in by_batch.items():
            rows = np.array([places[each].row for each in numbers], np.intp)
            found.append((numbers, with_codes(connection, batch, self.rows_in(connection, batch, rows), rows)))
        return found

    def _load(self, connection: sqlite3.Connection, batch: int, parts: Sequence[int] | None) -> ScoredRows:
        """The rows in *parts*, None: in all."""
        found = connection.execute("SELECT layout FROM batches WHERE id = ?", (batch,)).fetchone()
        if found is None:
            raise StateError("corrupt", "a batch of predictions is not there")
        layout = self.layout(connection, found[0])
        sets = [rows_of(content, layout) for content in parts_of(connection, batch, COLUMNS, parts)]
        if not sets:
            raise StateError("corrupt", "a batch of predictions has no rows")
        return joined(sets)

    def _prefixes_of(self, connection: sqlite3.Connection, batch: int) -> NDArray[np.uint64]:
        known = self._prefixes.get(batch)
        if known is None:
            keys = b"".join(split(content)[0] for content in parts_of(connection, batch, KEYS))
            known, _ = halves(keys_of(keys))
            if not len(known):
                raise StateError("corrupt", "a batch of predictions has no keys")
            if self._cached_bytes + known.nbytes <= _CACHE_BYTES:
                self._prefixes[batch] = known
                self._cached_bytes += known.nbytes
        return known

    def _has_room_for(self, batch: int, key_count: int) -> bool:
        """Whether the keys of *batch* are in memory, or can be."""
        return batch in self._prefixes or self._cached_bytes + 8 * key_count <= _CACHE_BYTES

    def _tidy(self, batches: Sequence[int]) -> None:
        """Forgets the keys of batches that are gone."""
        for gone in self._prefixes.keys() - set(batches):
            self._cached_bytes -= self._prefixes.pop(gone).nbytes


def model_name(model: ModelKey) -> str:
    """The text by which *model* is known."""
    return json.dumps(model)
