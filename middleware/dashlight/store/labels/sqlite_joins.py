"""Predictions and labels on their way into a SQLite file, within a transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.ids import entity_of, key_of
from dashlight.labels.label import JOINED_LATER, Fate, Label
from dashlight.labels.row_sets import RowLayout, known_by, labelled, taken
from dashlight.labels.rows import LabelledRows, ModelKey, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.joining import (
    MOST_ORPHANS,
    NEGATIVE,
    TASKS_WITH_A_NEGATIVE,
    Joined,
    Rules,
    cells_of,
    grouped,
    hours_of,
    join,
    orphan_of,
    packed_orphan,
    span_of,
    until_of,
)
from dashlight.store.labels.packing import packed_labelled
from dashlight.store.labels.sampling import drawn
from dashlight.store.labels.sqlite_batches import Batches, RowPlace
from dashlight.store.labels.sqlite_codes import with_codes, write_codes

_AT_ONCE: Final = 500
"""Values of one query."""


class Joins:
    """Joins labels with predictions, whichever comes first."""

    def __init__(self, key: HashKey, label_window: float) -> None:
        self._key, self._label_window = key, label_window

    def keep(
        self,
        connection: sqlite3.Connection,
        batches: Batches,
        layout: RowLayout,
        rows: ScoredRows,
        *,
        at: float,
        troubles: Counter[str],
    ) -> None:
        """Writes *rows*, of one batch, and joins those whose labels were here before them."""
        number, model = batches.layout_id(connection, layout)
        batch = batches.insert(connection, number, rows)
        _count(connection, model, [(*cell, 0) for cell in cells_of(rows)])
        if rows.sampled is not None and rows.codes is not None and layout.code_count:
            (level,) = connection.execute("SELECT level FROM models WHERE id = ?", (model,)).fetchone()
            write_codes(connection, batch, level, *drawn(rows.keys, rows.sampled, rows.codes, level))
        places, labels = _orphans_of(connection, rows)
        if labels:
            found = taken(rows, np.array(places, np.intp))
            for fate in self._join(connection, batches, found, labels, at=at, troubles=troubles):
                troubles[f"{JOINED_LATER}{fate}"] += 1
        implied_before = _implied_before(connection, model)
        if layout.task in TASKS_WITH_A_NEGATIVE and rows.predicted_at.min() < implied_before:
            self._imply(connection, number, rows, rows.predicted_at < implied_before, at=at)

    def label(
        self,
        connection: sqlite3.Connection,
        batches: Batches,
        labels: Sequence[Label],
        *,
        at: float,
        opened: Mapping[int, ScoredRows],
        troubles: Counter[str],
    ) -> list[Fate]:
        """Joins *labels* with their predictions; what became of each."""
        fates: list[Fate] = ["unknown"] * len(labels)
        keys = {number: key_of(label.id, self._key) for number, label in enumerate(labels) if label.id}
        keys.update({number: rows.keys[0].tobytes() for number, rows in opened.items()})
        found = batches.find(connection, list(keys.values()))
        numbers = list(keys)
        places: dict[int, RowPlace] = {numbers[each]: place for each, place in found.items()}
        for number, label in enumerate(labels):
            if number not in opened and not label.id and label.entity:
                since_at, until_at = span_of(label, at, self._label_window)
                entity = entity_of(label.entity, self._key)
                place = batches.find_entity(connection, entity, since_at=since_at, until_at=until_at)
                if place is not None:
                    places[number] = place
        stored = batches.rows_at(connection, places)
        # How many predictions there were whose ids are sealed, nobody knows.
        sealed = [([number], rows) for number, rows in opened.items() if number not in places]
        for groups, is_counted in ((stored, True), (sealed, False)):
            for group, rows in grouped(groups):
                given = [labels[each] for each in group]
                came_to = self._join(connection, batches, rows, given, at=at, troubles=troubles, is_counted=is_counted)
                for number, fate in zip(group, came_to, strict=True):
                    fates[number] = fate
        orphans = [
            (keys[number], labels[number]) for number in numbers if number not in places and number not in opened
        ]
        _wait(connection, orphans, at=at, troubles=troubles)
        return fates

    def imply(
        self,
        connection: sqlite3.Connection,
        batches: Batches,
        model: ModelKey,
        *,
        since_at: float,
        before_at: float,
        most_rows: int,
        at: float,
    ) -> int:
        """Takes predictions made from *since_at* to *before_at* that have no label for negative, the oldest first; how many."""
        model_id = batches.model_id(connection, model)
        implied_before = _implied_before(connection, model_id)
        if before_at <= implied_before or most_rows < 1:
            return 0
        found: list[tuple[int, ScoredRows]] = []
        until_at = before_at
        for batch, number, first_at in connection.execute(
            "SELECT batches.id, layout, first_at FROM batches JOIN layouts ON layouts.id = layout"
            " WHERE layouts.model = ? AND first_at < ? AND last_at >= ? ORDER BY first_at",
            (model_id, before_at, implied_before),
        ).fetchall():
            if first_at >= until_at:
                break
            if batches.layout(connection, number).task not in TASKS_WITH_A_NEGATIVE:
                continue
            rows = with_codes(connection, batch, batches.load(connection, batch))
            is_due = (rows.predicted_at >= max(implied_before, since_at)) & (rows.predicted_at < until_at)
            rows = taken(rows, np.flatnonzero(is_due))
            rows = taken(rows, np.flatnonzero(~is_labelled(connection, rows)))
            found.append((number, rows))
            until_at = until_of([rows for _, rows in found], before_at=before_at, most_rows=most_rows)
        count = 0
        for number, rows in found:
            count += self._imply(connection, number, rows, rows.predicted_at < until_at, at=at)
        connection.execute("UPDATE models SET implied_before = ? WHERE id = ?", (until_at, model_id))
        return count

    def _imply(
        self,
        connection: sqlite3.Connection,
        layout: int,
        rows: ScoredRows,
        is_chosen: NDArray[np.bool_],
        *,
        at: float,
    ) -> int:
        """Hands out the chosen of *rows*, but for those with a label, as negatives."""
        chosen = taken(rows, np.flatnonzero(is_chosen))
        chosen = taken(chosen, np.flatnonzero(~is_labelled(connection, chosen)))
        if chosen.row_count:
            moments = np.full(chosen.row_count, at)
            _hand_out(
                connection, layout, labelled(chosen, np.full(chosen.row_count, NEGATIVE), moments, is_implied=True), at
            )
        return chosen.row_count

    def _join(
        self,
        connection: sqlite3.Connection,
        batches: Batches,
        rows: ScoredRows,
        labels: Sequence[Label],
        *,
        at: float,
        troubles: Counter[str],
        is_counted: bool = True,
    ) -> Sequence[Fate]:
        layout, model = batches.layout_id(connection, RowLayout.of(rows))
        known = _labels_of(connection, rows)
        rules = Rules(at, self._label_window, _implied_before(connection, model), self._key)
        met: Joined = join(rows, labels, known, rules)
        troubles.update(met.troubles)
        if met.rows is not None:
            connection.executemany(
                "INSERT INTO labelled VALUES (?, ?, ?)",
                zip(met.hours, met.keys, met.rows.labels.tolist(), strict=True),
            )
            if is_counted:
                _count(connection, model, [(hour, tenth, 0, count) for hour, tenth, count in cells_of(met.rows)])
            _hand_out(connection, layout, met.rows, at)
        return met.fates


def is_labelled(connection: sqlite3.Connection, rows: ScoredRows) -> NDArray[np.bool_]:
    """Whether each of *rows* has a label."""
    known = _labels_of(connection, rows)
    return np.array([key.tobytes() in known for key in rows.keys], np.bool_)


def _labels_of(connection: sqlite3.Connection, rows: ScoredRows) -> dict[bytes, float]:
    """The labels that *rows* have, by key."""
    by_hour: dict[int, list[bytes]] = {}
    for hour, key in zip(hours_of(rows.predicted_at).tolist(), rows.keys, strict=True):
        by_hour.setdefault(hour, []).append(key.tobytes())
    known: dict[bytes, float] = {}
    for hour, keys in by_hour.items():
        for begin in range(0, len(keys), _AT_ONCE):
            part = keys[begin : begin + _AT_ONCE]
            query = f"SELECT key, value FROM labelled WHERE hour = ? AND key IN ({','.join('?' * len(part))})"  # noqa: S608
            known.update(connection.execute(query, (hour, *part)).fetchall())
    return known


def _implied_before(connection: sqlite3.Connection, model: int) -> float:
    (implied_before,) = connection.execute("SELECT implied_before FROM models WHERE id = ?", (model,)).fetchone()
    return -np.inf if implied_before is None else float(implied_before)


def _hand_out(connection: sqlite3.Connection, layout: int, rows: LabelledRows, at: float) -> None:
    """Numbers *rows*, so that `met` gives them."""
    (number,) = connection.execute("SELECT next FROM numbers").fetchone()
    connection.execute("UPDATE numbers SET next = ?", (number + rows.row_count,))
    connection.execute(
        "INSERT INTO met VALUES (?, ?, ?, ?, ?)", (number, rows.row_count, layout, at, packed_labelled(rows))
    )


def _count(connection: sqlite3.Connection, model: int, cells: Sequence[tuple[int, int, int, int]]) -> None:
    connection.executemany(
        "INSERT INTO counts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET predictions = predictions + excluded.predictions, labelled = labelled + excluded.labelled",
        [(model, *cell) for cell in cells],
    )


def _wait(
    connection: sqlite3.Connection, orphans: Sequence[tuple[bytes, Label]], *, at: float, troubles: Counter[str]
) -> None:
    """Has labels wait whose predictions are not here; those beyond MOST_ORPHANS are counted."""
    if not orphans:
        return
    (waiting,) = connection.execute("SELECT count(*) FROM orphans").fetchone()
    fitting = orphans[: max(MOST_ORPHANS - waiting, 0)]
    if len(fitting) < len(orphans):
        troubles["orphans_not_kept"] += len(orphans) - len(fitting)
    connection.executemany(
        "INSERT OR IGNORE INTO orphans VALUES (?, ?, ?)",
        [(key, content, at) for key, label in fitting if (content := packed_orphan(label, at))],
    )


def _orphans_of(connection: sqlite3.Connection, rows: ScoredRows) -> tuple[list[int], list[Label]]:
    """Labels that wait for some of *rows*, and for which; they wait no longer."""
    if connection.execute("SELECT 1 FROM orphans LIMIT 1").fetchone() is None:
        return [], []
    places: list[int] = []
    labels: list[Label] = []
    all_keys, all_places = known_by(rows)
    keys = [key.tobytes() for key in all_keys]
    for begin in range(0, len(keys), _AT_ONCE):
        part = keys[begin : begin + _AT_ONCE]
        query = f"SELECT key, content FROM orphans WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
        for key, content in connection.execute(query, part).fetchall():
            places.append(int(all_places[keys.index(key, begin)]))
            labels.append(orphan_of(content))
            connection.execute("DELETE FROM orphans WHERE key = ?", (key,))
    return places, labels
