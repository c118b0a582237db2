"""What is read of predictions and labels in a SQLite file, within a transaction."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.row_sets import in_time, joined, taken
from dashlight.labels.rows import LabelledRows, ModelKey, ScoredRows
from dashlight.labels.store import Met
from dashlight.store.labels.joining import HOUR_SECONDS, TASKS_WITH_A_NEGATIVE
from dashlight.store.labels.packing import labelled_of
from dashlight.store.labels.sampling import is_drawn
from dashlight.store.labels.sqlite_batches import Batches, model_name
from dashlight.store.labels.sqlite_codes import with_codes
from dashlight.store.labels.sqlite_joins import is_labelled
from dashlight.store.labels.tiers import MOST_ROWS


def labelled_since(connection: sqlite3.Connection, batches: Batches, cursor: int, *, most_rows: int) -> Met:
    """At most *most_rows* of what has met since *cursor*. Of another file, whose numbers are higher: from its beginning."""
    (next_number,) = connection.execute("SELECT next FROM numbers").fetchone()
    if cursor > next_number:
        cursor = 0
    found: list[LabelledRows] = []
    rows = 0
    for number, count, layout, content in connection.execute(
        "SELECT number, rows, layout, content FROM met WHERE number > ? ORDER BY number", (cursor - 1 - 4 * MOST_ROWS,)
    ):
        begin = max(cursor - number, 0)
        if begin >= count:
            continue
        end = min(count, begin + most_rows - rows)
        if end <= begin:
            break
        found.append(labelled_of(content, batches.layout(connection, layout), begin=begin, end=end))
        rows += end - begin
        cursor = number + end
    (last,) = connection.execute("SELECT coalesce(max(number + rows), 0) FROM met").fetchone()
    return Met(tuple(found), cursor, cursor >= last)


def waiting_since(
    connection: sqlite3.Connection, model: ModelKey, *, since_at: float
) -> Sequence[tuple[int, int, int, int]]:
    """Hour, tenth of the score, predictions and labelled ones, from the hour on in which *since_at* lies."""
    since_hour = math.floor(max(since_at, 0.0) / HOUR_SECONDS)
    return connection.execute(
        "SELECT hour, tenth, predictions, labelled FROM counts JOIN models ON models.id = model"
        " WHERE name = ? AND hour >= ? ORDER BY hour, tenth",
        (model_name(model), since_hour),
    ).fetchall()


def newest_unlabelled(
    connection: sqlite3.Connection, batches: Batches, model: ModelKey, *, since_at: float, most_rows: int
) -> ScoredRows | None:
    """The newest predictions without a label, the newest first; of the layout of the newest of them."""
    found: list[ScoredRows] = []
    rows_found, first_layout = 0, None
    for batch, layout, implied_before in _batches_of(connection, model, since_at, np.inf):
        if rows_found >= most_rows:
            break
        if first_layout not in (None, layout):
            continue
        rows = batches.load(connection, batch)
        floor_at = since_at
        if implied_before is not None and rows.task in TASKS_WITH_A_NEGATIVE:
            floor_at = max(floor_at, implied_before)
        is_open = (rows.predicted_at >= floor_at) & ~is_labelled(connection, rows)
        if is_open.any():
            first_layout = layout
            rows = taken(rows, np.flatnonzero(is_open))
            found.append(rows)
            rows_found += rows.row_count
    if not found:
        return None
    rows = joined(found)
    return taken(rows, np.argsort(-rows.predicted_at, kind="stable")[:most_rows])


def sample_between(
    connection: sqlite3.Connection,
    batches: Batches,
    model: ModelKey,
    *,
    since_at: float,
    until_at: float,
    most_rows: int,
) -> list[ScoredRows]:
    """Predictions from *since_at* up to *until_at*; where there are more than *most_rows*, a uniform share of about so many."""
    chosen = _batches_of(connection, model, since_at, until_at)
    row_count = 0
    for batch, _, _ in chosen:
        count, first_at, last_at = connection.execute(
            "SELECT rows, first_at, last_at FROM batches WHERE id = ?", (batch,)
        ).fetchone()
        if first_at < since_at or last_at >= until_at:
            count = int(_is_within(batches.load(connection, batch), since_at, until_at).sum())
        row_count += count
    share = most_rows / max(row_count, 1)
    found: dict[int, list[ScoredRows]] = {}
    for batch, layout, _ in reversed(chosen):
        rows = with_codes(connection, batch, batches.load(connection, batch))
        rows = taken(rows, np.flatnonzero(_is_within(rows, since_at, until_at) & is_drawn(rows.keys, share)))
        if rows.row_count:
            found.setdefault(layout, []).append(rows)
    return [part for alike in found.values() for part in _alike(alike)]


def _is_within(rows: ScoredRows, since_at: float, until_at: float) -> NDArray[np.bool_]:
    return (rows.predicted_at >= since_at) & (rows.predicted_at < until_at)


def _alike(sets: Sequence[ScoredRows]) -> list[ScoredRows]:
    """*sets* of one layout as one, those with bins and those without apart."""
    with_codes = [each for each in sets if each.codes is not None]
    without = [each for each in sets if each.codes is None]
    return [in_time(joined(each)) for each in (with_codes, without) if each]


def _batches_of(
    connection: sqlite3.Connection, model: ModelKey, since_at: float, until_at: float
) -> list[tuple[int, int, float | None]]:
    """StoredBatch, layout and the moment before which all is decided, the newest first."""
    return connection.execute(
        "SELECT batches.id, layout, implied_before FROM batches JOIN layouts ON layouts.id = layout"
        " JOIN models ON models.id = layouts.model WHERE name = ? AND last_at >= ? AND first_at < ?"
        " ORDER BY last_at DESC, batches.id DESC",
        (model_name(model), since_at, until_at),
    ).fetchall()
