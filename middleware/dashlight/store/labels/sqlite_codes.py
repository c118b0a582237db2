"""The bins of drawn predictions in a SQLite file, in parts of the same rows as their columns: those of one row are read alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.labels.rows import ScoredRows
from dashlight.store.labels.packing import codes_of, packed_codes
from dashlight.store.labels.sampling import drawn
from dashlight.store.labels.sqlite_parts import PART_ROWS


def write_codes(
    connection: sqlite3.Connection, batch: int, level: int, sampled: NDArray[np.intp], codes: NDArray[np.uint8]
) -> None:
    """Writes the *codes* of the *sampled* rows of *batch*, ascending, which were drawn at *level*."""
    parts = sampled // PART_ROWS
    for part in np.unique(parts).tolist():
        chosen = np.flatnonzero(parts == part)
        content = packed_codes(sampled[chosen], codes[:, chosen])
        connection.execute("INSERT INTO codes VALUES (?, ?, ?, ?, ?)", (batch, part, level, len(chosen), content))


def with_codes(
    connection: sqlite3.Connection, batch: int, rows: ScoredRows, numbers: NDArray[np.intp] | None = None
) -> ScoredRows:
    """*rows* of *batch* with the bins of those that are drawn; *numbers* are theirs in it, None: they are all of it."""
    query, arguments = "batch = ?", [batch]
    if numbers is not None:
        parts: list[int] = np.unique(numbers // PART_ROWS).tolist()
        query, arguments = f"{query} AND part IN ({','.join('?' * len(parts))})", [batch, *parts]
    found = connection.execute(f"SELECT content FROM codes WHERE {query} ORDER BY part", arguments).fetchall()  # noqa: S608
    if not found:
        return rows
    (level,) = connection.execute(
        "SELECT level FROM batches JOIN layouts ON layouts.id = layout JOIN models ON models.id = model WHERE batches.id = ?",
        (batch,),
    ).fetchone()
    sampled, codes = _together([codes_of(content) for (content,) in found])
    if numbers is not None:
        places = np.minimum(np.searchsorted(sampled, numbers), max(len(sampled) - 1, 0))
        is_there = sampled[places] == numbers if len(sampled) else np.zeros(len(numbers), np.bool_)
        sampled, codes = np.flatnonzero(is_there), codes[:, places[is_there]]
    elif len(sampled) and sampled[-1] >= rows.row_count:
        raise StateError("corrupt", "a sample of predictions is of other rows")
    sampled, codes = drawn(rows.keys, sampled, codes, level)
    return replace(rows, sampled=sampled, codes=codes)


def join_codes(
    connection: sqlite3.Connection,
    merged: int,
    begins: Mapping[int, int],
    parts: Sequence[tuple[int, int, bytes]],
) -> None:
    """Gives the batch *merged* the codes of those of which it was made: *parts* are of batches, with a level each.

    *begins* says at which of its rows each of these batches begins.
    """
    if not parts:
        return
    level = min(level for _, level, _ in parts)
    found = [(begins[batch], *codes_of(content)) for batch, _, content in parts]
    write_codes(connection, merged, level, *_together([(begin + sampled, codes) for begin, sampled, codes in found]))


def _together(
    parts: Sequence[tuple[NDArray[np.intp], NDArray[np.uint8]]],
) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """The rows of *parts* with their codes, in order."""
    try:
        return np.concatenate([sampled for sampled, _ in parts]), np.concatenate([codes for _, codes in parts], axis=1)
    except ValueError:
        raise StateError("corrupt", "a sample of predictions has bins of several references") from None
