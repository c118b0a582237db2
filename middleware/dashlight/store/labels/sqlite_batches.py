"""Batches of predictions in a SQLite file: written, found by their keys, merged, and let go.

A batch holds its rows in the order in which they came, and its keys sorted, with the row of each: a key is searched for
once in each batch. So that these do not become many, batches of one size are merged into one of the next (O'Neil et al.,
"The log-structured merge-tree", 1996), until they are full: a row costs a few copies of 50 bytes, where a random id in an index
costs a page.
"""

from __future__ import annotations

import json
import math
import sqlite3
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout, halves, taken
from dashlight.labels.rows import KEY_BYTES, ModelKey, ScoredRows
from dashlight.store.labels.packing import keys_of, layout_of, packed_layout, packed_rows, rows_of

MOST_ROWS: Final = 32_768
"""Of one batch."""
_CACHE_BYTES: Final = 16 << 20
"""Of halves of keys that are kept in memory: of two million predictions."""
_FAN_IN: Final = 8
"""Batches of one size that become one of the next."""
_ORDER = np.dtype("<u2")


class RowPlace(NamedTuple):
    """Where a prediction is."""

    batch: int
    row: int


class StoredBatch(NamedTuple):
    """A batch without its columns."""

    id: int
    layout: int
    rows: int
    first_at: float
    last_at: float


class Batches:
    """What this process knows of the batches in one file: layouts, and keys that it has read. For one thread at a time.

    Nothing is read that the same transaction wrote: numbers of what is undone are given anew.
    """

    def __init__(self) -> None:
        self._layouts: dict[int, RowLayout] = {}
        self._prefixes: OrderedDict[tuple[int, bool], NDArray[np.uint64]] = OrderedDict()
        self._cached_bytes = 0

    def clear(self) -> None:
        """Forgets all: another file is meant."""
        self.__init__()  # type: ignore[misc]

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
        keys, order = _sorted(rows.keys)
        entities, entity_order = (None, None) if rows.entities is None else _sorted(rows.entities)
        first_at, last_at = float(rows.predicted_at.min()), float(rows.predicted_at.max())
        cursor = connection.execute(
            "INSERT INTO batches (layout, rows, first_at, last_at, keys, key_order, entities, entity_order, columns)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (layout, rows.row_count, first_at, last_at, keys, order, entities, entity_order, packed_rows(rows)),
        )
        return int(cursor.lastrowid or 0)

    def find(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[int, RowPlace]:
        """By number of the key where its prediction is, the newest of several; without those that are nowhere."""
        found: dict[int, RowPlace] = {}
        if not keys:
            return found
        wanted, _ = halves(np.frombuffer(b"".join(keys), f"V{KEY_BYTES}"))
        for (batch,) in connection.execute("SELECT id FROM batches ORDER BY id DESC").fetchall():
            prefixes = self._prefixes_of(connection, batch, is_entity=False)
            begins = np.searchsorted(prefixes, wanted)
            hits = np.flatnonzero(prefixes[np.minimum(begins, len(prefixes) - 1)] == wanted)
            new = [int(each) for each in hits.tolist() if each not in found]
            if not new:
                continue
            sorted_keys, order = self._keys(connection, batch, is_entity=False)
            for number in new:
                begin, end = _span_of(sorted_keys, keys[number])
                if begin < end:
                    found[number] = RowPlace(batch, int(order[end - 1]))
        return found

    def find_entity(
        self, connection: sqlite3.Connection, entity: bytes, *, since_at: float, until_at: float
    ) -> RowPlace | None:
        """The latest prediction about *entity* from *since_at* up to and with *until_at*."""
        best_at, best = -np.inf, None
        (wanted,), _ = halves(np.frombuffer(entity, f"V{KEY_BYTES}"))
        query = (
            "SELECT id FROM batches WHERE entities IS NOT NULL AND last_at >= ? AND first_at <= ? ORDER BY last_at DESC"
        )
        for (batch,) in connection.execute(query, (since_at, until_at)).fetchall():
            prefixes = self._prefixes_of(connection, batch, is_entity=True)
            begin = int(np.searchsorted(prefixes, wanted))
            if begin == len(prefixes) or prefixes[begin] != wanted:
                continue
            sorted_entities, order = self._keys(connection, batch, is_entity=True)
            rows = order[slice(*_span_of(sorted_entities, entity))].astype(np.intp)
            at = self.load(connection, batch).predicted_at[rows]
            at = np.where((since_at <= at) & (at <= until_at), at, -np.inf)
            if not len(rows):
                continue
            latest = len(at) - 1 - int(np.argmax(at[::-1]))
            if at[latest] > best_at:
                best_at, best = float(at[latest]), RowPlace(batch, int(rows[latest]))
        return best

    def load(self, connection: sqlite3.Connection, batch: int) -> ScoredRows:
        """All rows of *batch*, without codes."""
        found = connection.execute(
            "SELECT layout, keys, key_order, entities, entity_order, columns FROM batches WHERE id = ?", (batch,)
        ).fetchone()
        if found is None:
            raise StateError("corrupt", "a batch of predictions is not there")
        layout, keys, order, entities, entity_order, columns = found
        return rows_of(
            columns,
            self.layout(connection, layout),
            _unsorted(keys, order),
            None if entities is None else _unsorted(entities, entity_order),
        )

    def rows_at(
        self, connection: sqlite3.Connection, places: Mapping[int, RowPlace]
    ) -> list[tuple[list[int], ScoredRows]]:
        """The rows at *places*, by number: those of each batch together, with their numbers."""
        by_batch: dict[int, list[int]] = {}
        for number, place in places.items():
            by_batch.setdefault(place.batch, []).append(number)
        return [
            (numbers, taken(self.load(connection, batch), np.array([places[each].row for each in numbers], np.intp)))
            for batch, numbers in by_batch.items()
        ]

    def _prefixes_of(self, connection: sqlite3.Connection, batch: int, *, is_entity: bool) -> NDArray[np.uint64]:
        known = self._prefixes.pop((batch, is_entity), None)
        if known is None:
            keys, _ = self._keys(connection, batch, is_entity=is_entity)
            known, _ = halves(keys)
            self._cached_bytes += known.nbytes
        self._prefixes[batch, is_entity] = known
        while self._cached_bytes > _CACHE_BYTES:
            _, oldest = self._prefixes.popitem(last=False)
            self._cached_bytes -= oldest.nbytes
        return known

    def _keys(
        self, connection: sqlite3.Connection, batch: int, *, is_entity: bool
    ) -> tuple[NDArray[np.void], NDArray[np.uint16]]:
        names = "entities, entity_order" if is_entity else "keys, key_order"
        keys, order = connection.execute(f"SELECT {names} FROM batches WHERE id = ?", (batch,)).fetchone()  # noqa: S608
        return keys_of(keys), np.frombuffer(order, _ORDER)


def mergeable(batches: Iterable[StoredBatch], *, most_seconds: float) -> list[int]:
    """Batches, in the order in which they came, that are to become one; empty where there are too few of a size."""
    by_size: dict[tuple[int, int], list[StoredBatch]] = {}
    for batch in batches:
        if batch.rows < MOST_ROWS // 2:
            by_size.setdefault((batch.layout, int(math.log(max(batch.rows, 1), _FAN_IN))), []).append(batch)
    for (_, _), alike in sorted(by_size.items()):
        if len(alike) < _FAN_IN:
            continue
        chosen: list[StoredBatch] = []
        rows = 0
        for batch in alike:
            is_near = not chosen or abs(batch.last_at - chosen[0].first_at) <= most_seconds
            if rows + batch.rows > MOST_ROWS or not is_near:
                if len(chosen) > 1:
                    break
                chosen, rows = [], 0
            chosen.append(batch)
            rows += batch.rows
        if len(chosen) > 1:
            return [batch.id for batch in chosen]
    return []


def model_name(model: ModelKey) -> str:
    """The text by which *model* is known."""
    return json.dumps(model)


def _sorted(keys: NDArray[np.void]) -> tuple[bytes, bytes]:
    first, second = halves(keys)
    order = np.lexsort((second, first))
    return keys[order].tobytes(), order.astype(_ORDER).tobytes()


def _unsorted(keys: bytes, order: bytes) -> NDArray[np.void]:
    by_rank = keys_of(keys)
    ranks = np.frombuffer(order, _ORDER)
    if len(by_rank) != len(ranks) or (len(ranks) and int(ranks.max()) >= len(ranks)):
        raise StateError("corrupt", "the keys of a batch of predictions are out of order")
    in_order = np.empty_like(by_rank)
    in_order[ranks] = by_rank
    return in_order


def _span_of(keys: NDArray[np.void], key: bytes) -> tuple[int, int]:
    """From where up to where the sorted *keys* are *key*."""

    def at(place: int) -> bytes:
        return bytes(keys[place].tobytes())

    places = range(len(keys))
    return bisect_left(places, key, key=at), bisect_right(places, key, key=at)
