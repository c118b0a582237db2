"""What keeps a SQLite file of predictions small and quick: batches are merged, the oldest go, and the file shrinks."""

from __future__ import annotations

from collections import Counter
from typing import Final

from dashlight.clock import Clock
from dashlight.labels.row_sets import joined
from dashlight.store.labels.joining import HOUR_SECONDS, MET_SECONDS, ORPHAN_SECONDS
from dashlight.store.labels.packing import codes_of, packed_codes
from dashlight.store.labels.sampling import MOST_DRAWN, MOST_LEVEL, is_drawn
from dashlight.store.labels.sqlite_batches import Batches
from dashlight.store.labels.sqlite_codes import join_codes
from dashlight.store.labels.sqlite_file import SqliteFile
from dashlight.store.labels.sqlite_parts import remove
from dashlight.store.labels.tiers import StoredBatch, mergeable

_TEND_SECONDS: Final = 30.0
"""Between two looks for what is too old or too much."""
_MOST_AT_ONCE: Final = 8
"""Batches, or thousands of labels, that one transaction lets go."""
_PAGES_AT_ONCE: Final = 1024
"""Pages that one transaction gives back: 4 MiB."""
_SPAN_SHARE: Final = 16
"""So much of the label window a merged batch may span: what is too old goes by the batch."""


class Tending:
    """Tends one file, a short transaction at a time, so that nobody waits for long. For the thread that writes."""

    def __init__(self, file: SqliteFile, *, clock: Clock, label_window: float, most_bytes: int) -> None:
        self._file, self._clock = file, clock
        self._label_window, self._most_bytes = label_window, most_bytes
        self._batches = Batches()
        self._looked_at = float("-inf")
        self.troubles: Counter[str] = Counter()

    def step(self) -> None:
        """Merges where there is something to merge; now and then lets go of what is too old or too much."""
        self._merge()
        if self._clock.monotonic() - self._looked_at >= _TEND_SECONDS:
            self._looked_at = self._clock.monotonic()
            self._expire(self._clock.now())
            self._thin_samples()
            self._shrink()

    def _merge(self) -> None:
        """Makes one batch of several, where there are many of a size: they are read first, so that others can write meanwhile."""
        with self._file.transaction(is_writing=False) as connection:
            generation = self._file.generation
            batches = self._batches.of_generation(generation)
            found = connection.execute("SELECT id, layout, rows, first_at, last_at FROM batches ORDER BY id").fetchall()
            chosen = mergeable((StoredBatch(*row) for row in found), most_seconds=self._label_window / _SPAN_SHARE)
            # Within one transaction: another process may merge them as soon as it has ended.
            sets = [batches.load_with_all_keys(connection, batch) for batch in chosen]
        if not sets:
            return
        layout = next(layout for batch, layout, *_ in found if batch == chosen[0])
        marks = ",".join("?" * len(chosen))
        rows = joined(sets)
        with self._file.transaction(is_writing=True) as connection:
            still_there = f"SELECT count(*) FROM batches WHERE id IN ({marks})"  # noqa: S608
            are_there = connection.execute(still_there, chosen).fetchone()[0] == len(chosen)
            if not are_there or self._file.generation != generation:
                return  # another process merged some of them, let them go, or began another file
            begins = dict(
                zip(chosen, [sum(each.row_count for each in sets[:n]) for n in range(len(sets))], strict=True)
            )
            parts = connection.execute(
                f"SELECT batch, level, content FROM codes WHERE batch IN ({marks}) ORDER BY batch, part",  # noqa: S608
                chosen,
            ).fetchall()
            for batch in chosen:
                remove(connection, batch)
            merged = batches.insert(connection, layout, rows)
            join_codes(connection, merged, begins, parts)

    def _expire(self, at: float) -> None:
        before_at = at - self._label_window
        before_hour = int(before_at // HOUR_SECONDS)
        while self._let_go("SELECT id, rows FROM batches WHERE last_at < ? ORDER BY last_at LIMIT ?", before_at):
            pass
        with self._file.transaction(is_writing=True) as connection:
            connection.execute("DELETE FROM counts WHERE hour < ?", (before_hour,))
            connection.execute("DELETE FROM orphans WHERE came_at < ?", (at - ORPHAN_SECONDS,))
            connection.execute("DELETE FROM met WHERE came_at < ?", (at - MET_SECONDS,))
        self._delete_labelled(before_hour)
        while self._bytes() > self._most_bytes:
            gone = self._let_go("SELECT id, rows FROM batches WHERE ? ORDER BY last_at LIMIT ?", 1.0)
            self.troubles["gave_way"] += gone
            if not gone:
                break

    def _let_go(self, query: str, argument: float) -> int:
        """Removes some of the batches that *query* finds; how many rows they had."""
        with self._file.transaction(is_writing=True) as connection:
            found = connection.execute(query, (argument, _MOST_AT_ONCE)).fetchall()
            for batch, _ in found:
                remove(connection, batch)
        return sum(rows for _, rows in found)

    def _delete_labelled(self, before_hour: int) -> None:
        while True:
            with self._file.transaction(is_writing=True) as connection:
                removed = connection.execute(
                    "DELETE FROM labelled WHERE (hour, key) IN (SELECT hour, key FROM labelled WHERE hour < ? LIMIT ?)",
                    (before_hour, 1000 * _MOST_AT_ONCE),
                ).rowcount
            if not removed:
                return

    def _thin_samples(self) -> None:
        """Raises the level of models that have drawn too many, and drops what is drawn no more."""
        with self._file.transaction(is_writing=True) as connection:
            crowded = connection.execute(
                "SELECT layouts.model, sum(codes.rows * 1.0 / (1 << (models.level - codes.level))) AS drawn"
                " FROM codes JOIN batches ON batches.id = batch JOIN layouts ON layouts.id = layout"
                " JOIN models ON models.id = layouts.model GROUP BY layouts.model HAVING drawn > ?",
                (MOST_DRAWN,),
            ).fetchall()
            for model, _ in crowded:
                connection.execute("UPDATE models SET level = min(level + 1, ?) WHERE id = ?", (MOST_LEVEL, model))
        while True:
            with self._file.transaction(is_writing=True) as connection:
                behind = connection.execute(
                    "SELECT batch, part, codes.content, models.level FROM codes JOIN batches ON batches.id = batch"
                    " JOIN layouts ON layouts.id = layout JOIN models ON models.id = layouts.model"
                    " WHERE codes.level < models.level LIMIT 1"
                ).fetchone()
                if behind is None:
                    return
                batch, part, content, level = behind
                sampled, codes = codes_of(content)
                stays = is_drawn(self._batches.rows_in(connection, batch, sampled).keys, 0.5**level)
                connection.execute(
                    "UPDATE codes SET level = ?, rows = ?, content = ? WHERE batch = ? AND part = ?",
                    (level, int(stays.sum()), packed_codes(sampled[stays], codes[:, stays]), batch, part),
                )

    def _shrink(self) -> None:
        while True:
            with self._file.transaction(is_writing=True) as connection:
                (free,) = connection.execute("PRAGMA freelist_count").fetchone()
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                # A tenth stays, for what comes next.
                if free <= max(pages // 10, 256):
                    return
                connection.execute(f"PRAGMA incremental_vacuum({min(_PAGES_AT_ONCE, free)})").fetchall()

    def _bytes(self) -> int:
        with self._file.transaction(is_writing=False) as connection:
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * page_bytes)
