"""Predictions that wait for their labels in a Redis, which the machines that serve one application share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from dashlight.clock import Clock
from dashlight.labels.label import Fate, Label
from dashlight.labels.row_sets import RowLayout, joined
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.labels.store import NOTHING_OPENED, Met, WaitingCounts
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.joining import counts_of
from dashlight.store.labels.redis_home import RedisHome
from dashlight.store.labels.redis_joins import RedisJoins
from dashlight.store.labels.redis_link import RedisLink
from dashlight.store.labels.redis_reads import labelled_since, newest_unlabelled, sample_between, waiting_since
from dashlight.store.labels.redis_tending import RedisTending
from dashlight.store.labels.writing import MOST_BYTES, WRITE_SECONDS, WriteQueue


def _nothing() -> None:
    pass


class RedisLabelStore:
    """A `labels.store.LabelStore` in a Redis. What it cannot reach waits, within a bound."""

    def __init__(
        self,
        url: str,
        *,
        application: str,
        authorities: str = "",
        hash_key: HashKey,
        label_window: float,
        most_bytes: int,
        clock: Clock,
        on_thread: Callable[[], None] = _nothing,
        write_seconds: float = WRITE_SECONDS,
        most_waiting_bytes: int = MOST_BYTES,
    ) -> None:
        """*application* is what the machines have in common; *authorities* a file of those who vouch for a `rediss://`; *label_window* is in seconds; *on_thread* is called first there.

        Raises:
            SettingsError: *url* is none of a Redis.
            MissingExtraError: redis is not installed.
        """
        self._clock = clock
        self._link = RedisLink(url, authorities=authorities)
        self._home = RedisHome(self._link, application, label_window=label_window, clock=clock)
        self._joins = RedisJoins(self._home, hash_key)
        self._tending = RedisTending(self._home, clock=clock, most_bytes=most_bytes)
        self._troubles: Counter[str] = Counter()
        self._queue = WriteQueue(
            self._link.shown,
            self._write,
            self._tending.step,
            clock=clock,
            on_thread=on_thread,
            write_seconds=write_seconds,
            most_bytes=most_waiting_bytes,
        )

    def keep(self, rows: ScoredRows) -> None:
        """Takes predictions; they are written by the store's own thread."""
        if rows.row_count:
            self._queue.put(rows)

    def label(
        self, labels: Sequence[Label], at: float, *, opened: Mapping[int, ScoredRows] = NOTHING_OPENED
    ) -> Sequence[Fate]:
        """Takes labels that came *at*; what became of each. StateError where the Redis does not answer."""
        troubles: Counter[str] = Counter()
        fates = self._joins.label(labels, at=at, opened=opened, troubles=troubles)
        self._troubles.update(troubles)
        return fates

    def imply(self, model: ModelKey, *, before_at: float, most_rows: int, since_at: float = 0.0) -> int:
        """Takes predictions made from *since_at* to *before_at* that have no label for negative; how many it took."""
        return self._joins.imply(
            model, since_at=since_at, before_at=before_at, most_rows=most_rows, at=self._clock.now()
        )

    def met(self, cursor: int, *, most_rows: int) -> Met:
        """What has met since *cursor*, the oldest first."""
        return labelled_since(self._home, cursor, most_rows=most_rows)

    def waiting(self, model: ModelKey, *, since_at: float) -> WaitingCounts:
        """Predictions made from *since_at* on, with and without a label, by whole hours."""
        return counts_of(waiting_since(self._home, model, since_at=since_at))

    def unlabelled(self, model: ModelKey, *, since_at: float, most_rows: int) -> ScoredRows | None:
        """The newest predictions without a label."""
        return newest_unlabelled(self._home, model, since_at=since_at, most_rows=most_rows)

    def scored(self, model: ModelKey, *, since_at: float, until_at: float, most_rows: int) -> Sequence[ScoredRows]:
        """Predictions from *since_at* up to *until_at*, drawn uniformly where there are more than *most_rows*."""
        return sample_between(self._home, model, since_at=since_at, until_at=until_at, most_rows=most_rows)

    def troubles(self) -> Mapping[str, int]:
        """What was lost, and what went wrong, by reason, since the start."""
        return dict(self._troubles + self._queue.troubles + self._tending.troubles)

    def flush(self, timeout_seconds: float) -> None:
        """Writes what is waiting."""
        self._queue.flush(timeout_seconds)

    def close(self, timeout_seconds: float) -> None:
        """Writes what is waiting, and ends the thread."""
        self._queue.close(timeout_seconds)
        self._link.close()

    def forget(self) -> None:
        """Lets go of what belongs to the parent process."""
        self._queue.forget()
        self._link.forget()
        self._home.forget()

    def _write(self, sets: Sequence[ScoredRows]) -> None:
        by_layout: dict[RowLayout, list[ScoredRows]] = {}
        for rows in sets:
            by_layout.setdefault(RowLayout.of(rows), []).append(rows)
        troubles: Counter[str] = Counter()
        for alike in by_layout.values():
            self._joins.keep(joined(alike), at=self._clock.now(), troubles=troubles)
        self._troubles.update(troubles)
