"""Predictions that wait for their labels in a SQLite file, which the processes of a machine share."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from dashlight.clock import Clock
from dashlight.labels.label import Fate, Label
from dashlight.labels.row_sets import RowLayout, joined, taken
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.labels.store import NOTHING_OPENED, Met, WaitingCounts
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.joining import counts_of
from dashlight.store.labels.sqlite_batches import Batches
from dashlight.store.labels.sqlite_file import FILE, SqliteFile
from dashlight.store.labels.sqlite_joins import Joins
from dashlight.store.labels.sqlite_reads import labelled_since, newest_unlabelled, sample_between, waiting_since
from dashlight.store.labels.sqlite_tending import Tending
from dashlight.store.labels.tiers import MOST_ROWS
from dashlight.store.labels.writing import MOST_BYTES, WRITE_SECONDS, WriteQueue


def _nothing() -> None:
    pass


class SqliteLabelStore:
    """A `labels.store.LabelStore` in the file at *path*. Several processes may have it open."""

    def __init__(
        self,
        path: Path | None,
        *,
        hash_key: HashKey,
        label_window: float,
        most_bytes: int,
        clock: Clock,
        on_thread: Callable[[], None] = _nothing,
        write_seconds: float = WRITE_SECONDS,
        most_waiting_bytes: int = MOST_BYTES,
    ) -> None:
        """*path* None: a temporary file, which goes with this process. *label_window* is in seconds; *most_bytes* of the file; *on_thread* is called first on the thread that writes."""
        self._clock = clock
        self._own_directory = None if path is not None else Path(tempfile.mkdtemp(prefix="dashlight-labels-"))
        self._owner = os.getpid()
        path = path or Path(self._own_directory or "") / FILE
        # A million rows a second: what a file numbers that is made later, always follows.
        began_at = int(clock.now()) << 20
        self._writing = SqliteFile(path, began_at=began_at)
        self._reading = SqliteFile(path, began_at=began_at)
        self._troubles: Counter[str] = Counter()
        self._joins = Joins(hash_key, label_window)
        # A file of its own, so that nobody waits for it longer than for one of its transactions.
        self._tended = SqliteFile(path, began_at=began_at)
        self._tending = Tending(self._tended, clock=clock, label_window=label_window, most_bytes=most_bytes)
        self._queue = WriteQueue(
            str(path), self._write, self._tending.step, clock=clock, on_thread=on_thread, write_seconds=write_seconds,
            most_bytes=most_waiting_bytes,
        )  # fmt: skip
        self._begin()

    def _begin(self) -> None:
        self._write_lock, self._read_lock = threading.Lock(), threading.Lock()
        self._write_batches, self._read_batches = Batches(), Batches()

    def keep(self, rows: ScoredRows) -> None:
        """Takes predictions; they are written by the store's own thread."""
        if rows.row_count:
            self._queue.put(rows)

    def label(
        self, labels: Sequence[Label], at: float, *, opened: Mapping[int, ScoredRows] = NOTHING_OPENED
    ) -> Sequence[Fate]:
        """Takes labels that came *at*; what became of each. StateError where nothing can be stored for the moment."""
        troubles: Counter[str] = Counter()
        with self._write_lock, self._writing.transaction(is_writing=True) as connection:
            fates = self._joins.label(
                connection,
                self._write_batches.of_generation(self._writing.generation),
                labels,
                at=at,
                opened=opened,
                troubles=troubles,
            )
        self._troubles.update(troubles)
        return fates

    def imply(self, model: ModelKey, *, before_at: float, most_rows: int, since_at: float = 0.0) -> int:
        """Takes predictions made from *since_at* to *before_at* that have no label for negative; how many it took."""
        with self._write_lock, self._writing.transaction(is_writing=True) as connection:
            return self._joins.imply(
                connection,
                self._write_batches.of_generation(self._writing.generation),
                model,
                since_at=since_at,
                before_at=before_at,
                most_rows=most_rows,
                at=self._clock.now(),
            )

    def met(self, cursor: int, *, most_rows: int) -> Met:
        """What has met since *cursor*, the oldest first."""
        with self._read_lock, self._reading.transaction(is_writing=False) as connection:
            return labelled_since(
                connection, self._read_batches.of_generation(self._reading.generation), cursor, most_rows=most_rows
            )

    def waiting(self, model: ModelKey, *, since_at: float) -> WaitingCounts:
        """Predictions made from *since_at* on, with and without a label, by whole hours."""
        with self._read_lock, self._reading.transaction(is_writing=False) as connection:
            return counts_of(waiting_since(connection, model, since_at=since_at))

    def unlabelled(self, model: ModelKey, *, since_at: float, most_rows: int) -> ScoredRows | None:
        """The newest predictions without a label."""
        with self._read_lock, self._reading.transaction(is_writing=False) as connection:
            return newest_unlabelled(
                connection,
                self._read_batches.of_generation(self._reading.generation),
                model,
                since_at=since_at,
                most_rows=most_rows,
            )

    def scored(self, model: ModelKey, *, since_at: float, until_at: float, most_rows: int) -> Sequence[ScoredRows]:
        """Predictions from *since_at* up to *until_at*, drawn uniformly where there are more than *most_rows*."""
        with self._read_lock, self._reading.transaction(is_writing=False) as connection:
            return sample_between(
                connection,
                self._read_batches.of_generation(self._reading.generation),
                model,
                since_at=since_at,
                until_at=until_at,
                most_rows=most_rows,
            )

    def troubles(self) -> Mapping[str, int]:
        """What was lost, and what went wrong, by reason, since the start."""
        refused = sum(file.refused_count for file in (self._writing, self._reading, self._tended))
        counted = self._troubles + self._queue.troubles + self._tending.troubles
        return {**counted, **({"file_refused": refused} if refused else {})}

    def flush(self, timeout_seconds: float) -> None:
        """Writes what is waiting."""
        self._queue.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Writes what is waiting, and ends the thread."""
        if self._queue.close(timeout_seconds):  # else the thread has it still
            self._tended.close()
        with self._write_lock:
            self._writing.close()
        with self._read_lock:
            self._reading.close()
        if self._own_directory is not None and self._owner == os.getpid():
            shutil.rmtree(self._own_directory, ignore_errors=True)

    def forget(self) -> None:
        """Lets go of what belongs to the parent process."""
        self._queue.forget()
        for file in (self._writing, self._reading, self._tended):
            file.forget()
        self._begin()

    def _write(self, sets: Sequence[ScoredRows]) -> None:
        by_layout: dict[RowLayout, list[ScoredRows]] = {}
        for rows in sets:
            by_layout.setdefault(RowLayout.of(rows), []).append(rows)
        troubles: Counter[str] = Counter()
        with self._write_lock, self._writing.transaction(is_writing=True) as connection:
            for layout, alike in by_layout.items():
                rows = joined(alike)
                for begin in range(0, rows.row_count, MOST_ROWS):
                    part = taken(rows, np.arange(begin, min(begin + MOST_ROWS, rows.row_count)))
                    self._joins.keep(
                        connection,
                        self._write_batches.of_generation(self._writing.generation),
                        layout,
                        part,
                        at=self._clock.now(),
                        troubles=troubles,
                    )
        self._troubles.update(troubles)
