"""Parts of batches in a SQLite file: a thousand rows, or a thousand keys in order, each."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.row_sets import halves
from dashlight.labels.rows import KEY_BYTES
from dashlight.store.labels.packing import keys_of

PART_ROWS: Final = 1024
"""Rows or keys of a part."""
COLUMNS, KEYS, ENTITIES = range(3)
"""What a part holds."""
_KIND_BITS, _BATCH_BITS = 6, 8
"""A part is numbered by its batch, its kind, and its place there: at most 64, as many as the keys of a full batch fill."""
_ORDER = np.dtype("<u2")


def remove(connection: sqlite3.Connection, batch: int) -> bool:
    """Removes *batch* with all that belongs to it; whether it was there."""
    connection.execute("DELETE FROM codes WHERE batch = ?", (batch,))
    connection.execute("DELETE FROM parts WHERE id >= ? AND id < ?", (batch << _BATCH_BITS, (batch + 1) << _BATCH_BITS))
    return connection.execute("DELETE FROM batches WHERE id = ?", (batch,)).rowcount == 1


def sorted_parts(keys: NDArray[np.void], rows: NDArray[np.intp]) -> list[bytes]:
    """*keys* in order, a part after the other: keys, then the row of each, which is the one at its place in *rows*."""
    first, second = halves(keys)
    order = np.lexsort((second, first))
    return [
        keys[part].tobytes() + rows[part].astype(_ORDER).tobytes()
        for part in (order[begin : begin + PART_ROWS] for begin in range(0, len(order), PART_ROWS))
    ]


def write_parts(connection: sqlite3.Connection, batch: int, kind: int, contents: Sequence[bytes]) -> None:
    """Writes *contents* as the parts of one kind."""
    begin = _part_id(batch, kind, 0)
    connection.executemany("INSERT INTO parts VALUES (?, ?)", enumerate(contents, begin))


def parts_of(
    connection: sqlite3.Connection, batch: int, kind: int, numbers: Sequence[int] | None = None
) -> list[bytes]:
    """Those parts of one kind, None: all, in their order."""
    begin = _part_id(batch, kind, 0)
    if numbers is None:
        query, arguments = "id >= ? AND id < ?", [begin, begin + (1 << _KIND_BITS)]
    else:
        query, arguments = f"id IN ({','.join('?' * len(numbers))})", [begin + each for each in numbers]
    found = connection.execute(f"SELECT content FROM parts WHERE {query} ORDER BY id", arguments).fetchall()  # noqa: S608
    if numbers is not None and len(found) != len(numbers):
        raise StateError("corrupt", "a part of a batch of predictions is not there")
    return [content for (content,) in found]


def _part_id(batch: int, kind: int, number: int) -> int:
    return batch << _BATCH_BITS | kind << _KIND_BITS | number


def split(content: bytes) -> tuple[bytes, NDArray[np.uint16]]:
    """Keys of a part, and the rows that have them."""
    count, rest = divmod(len(content), KEY_BYTES + _ORDER.itemsize)
    if rest:
        raise StateError("corrupt", "the keys of a batch of predictions are cut")
    return content[: count * KEY_BYTES], np.frombuffer(content, _ORDER, offset=count * KEY_BYTES)


def key_at(connection: sqlite3.Connection, batch: int, place: int) -> tuple[bytes, int]:
    """The key at that *place* of the sorted ones, and its row."""
    (content,) = parts_of(connection, batch, KEYS, [place // PART_ROWS])
    keys, rows = split(content)
    place %= PART_ROWS
    return keys[place * KEY_BYTES : (place + 1) * KEY_BYTES], int(rows[place])


def row_of(connection: sqlite3.Connection, batch: int, key_count: int, key: bytes) -> int | None:
    """The last row of *batch* with that *key*. Keys are hashes: about where one lies is known before they are read."""

    def first(number: int) -> bytes:
        return split(parts_of(connection, batch, KEYS, [number])[0])[0][:KEY_BYTES]

    last = (key_count - 1) // PART_ROWS
    number = min((int.from_bytes(key[:8], "big") * key_count >> 64) // PART_ROWS, last)
    while number and key < first(number):
        number -= 1
    keys, rows = split(parts_of(connection, batch, KEYS, [number])[0])
    while number < last and key >= keys[-KEY_BYTES:] and key >= first(number + 1):
        number += 1
        keys, rows = split(parts_of(connection, batch, KEYS, [number])[0])
    place = bisect_right(range(len(rows)), key, key=lambda each: keys[each * KEY_BYTES : (each + 1) * KEY_BYTES]) - 1
    is_here = place >= 0 and keys[place * KEY_BYTES : (place + 1) * KEY_BYTES] == key
    return int(rows[place]) if is_here else None


def rows_about(connection: sqlite3.Connection, batch: int, entity: bytes) -> NDArray[np.intp]:
    """The rows of *batch* about *entity*."""
    found: list[NDArray[np.intp]] = []
    for content in parts_of(connection, batch, ENTITIES):
        keys, rows = split(content)
        if keys[:KEY_BYTES] > entity:
            break
        if keys[-KEY_BYTES:] >= entity:
            first, second = halves(keys_of(keys))
            (wanted_first,), (wanted_second,) = halves(keys_of(entity))
            found.append(rows[(first == wanted_first) & (second == wanted_second)].astype(np.intp))
    return np.concatenate(found) if found else np.zeros(0, np.intp)
