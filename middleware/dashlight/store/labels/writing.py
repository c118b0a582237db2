"""A queue of predictions and the thread that writes them: whoever puts some there never waits."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence

from dashlight.clock import Clock
from dashlight.errors import StateError, traced
from dashlight.labels.rows import ScoredRows

MOST_BYTES = 32 << 20
"""Of predictions that were not written yet."""
MOST_AT_ONCE = 16_384
"""Rows of one write."""
WRITE_SECONDS = 1.0
"""How long predictions wait for others to be written with them."""
IDLE_SECONDS = 30.0
"""Between two looks at a store into which nothing is written."""
_FEWEST_AT_ONCE = 4096
"""Rows that do not wait for others."""
_LONGEST_PAUSE_SECONDS = 30.0
"""Between two tries, where it cannot be written."""

logger = logging.getLogger(__name__)


class WriteQueue:
    """Predictions on their way into a store. `put` may be called from any thread."""

    def __init__(
        self,
        where: str,
        write: Callable[[Sequence[ScoredRows]], None],
        tend: Callable[[], None],
        *,
        clock: Clock,
        on_thread: Callable[[], None],
        most_bytes: int = MOST_BYTES,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        """*where* names the store in the log.

        Args:
            where: The store, in words.
            write: Writes rows, all or none of them; StateError where it cannot for the moment.
            tend: Called after each write, and twice a minute while there is nothing to write; likewise.
            clock: Moments.
            on_thread: Called first on the thread.
            most_bytes: Of rows that wait.
            write_seconds: How long rows wait for others.
        """
        self._where, self._write, self._tend, self._clock, self._on_thread = where, write, tend, clock, on_thread
        self._most_bytes, self._write_seconds = most_bytes, write_seconds
        self.troubles: Counter[str] = Counter()
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[ScoredRows] = deque()
        self._waiting_bytes = self._waiting_rows = 0
        self._is_hurried = self._is_ending = self._is_writing = self._is_failing = False
        self._thread: threading.Thread | None = None
        self._said_lost = self._said_failing = False
        self._failures = self._failures_before_end = self._alone = 0

    def put(self, rows: ScoredRows) -> None:
        """Takes *rows*, or counts them as lost where too many wait."""
        size = bytes_of(rows)
        with self._changed:
            if self._is_ending or self._waiting_bytes + size > self._most_bytes:
                self._lose(rows.row_count)
                return
            is_first = not self._waiting
            self._waiting.append(rows)
            self._waiting_bytes += size
            self._waiting_rows += rows.row_count
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dashlight-store", daemon=True)
                self._thread.start()
            elif is_first or self._waiting_rows >= _FEWEST_AT_ONCE:
                self._changed.notify_all()

    def flush(self, timeout_seconds: float) -> None:
        """Writes what waits at once, and returns when that is done or has failed, at most after *timeout_seconds*."""
        with self._changed:
            if self._thread is not None:
                self._is_hurried = True
                failures = self._failures
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: not (self._waiting or self._is_writing) or self._failures > failures,
                    max(timeout_seconds, 0.0),
                )

    def close(self, timeout_seconds: float) -> bool:
        """Writes what waits, and ends the thread; what is not written by then is counted as lost. Whether it has ended."""
        with self._changed:
            self._is_ending = self._is_hurried = True
            self._failures_before_end = self._failures
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(max(timeout_seconds, 0.0))
        with self._changed:
            if self._waiting_rows:
                self._lose(self._waiting_rows)
                self._waiting.clear()
                self._waiting_bytes = self._waiting_rows = 0
        return thread is None or not thread.is_alive()

    def forget(self) -> None:
        """Begins anew, without the parent's rows, thread and locks."""
        self.troubles.clear()
        self._begin()

    def _lose(self, row_count: int) -> None:
        self.troubles["not_kept"] += row_count
        if not self._said_lost:
            self._said_lost = True
            logger.warning(
                "predictions are not kept for their labels: more come than %s takes (said once, counted from now on)",
                self._where,
            )

    def _run(self) -> None:
        self._on_thread()
        pause_seconds = self._write_seconds
        while not (self._is_ending and (not self._waiting or self._failures > self._failures_before_end)):
            taken = self._due(pause_seconds)
            try:
                if taken:
                    self._write(taken)
                    self._wrote(taken)
                self._tend()
                pause_seconds = self._write_seconds
                self._recover()
            except StateError as error:
                pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
                self._fail(taken, str(error))
            except Exception as error:
                self.troubles["stumbled"] += 1
                if self.troubles["stumbled"] == 1:
                    logger.error("predictions could not be written: %s", traced(error))  # noqa: TRY400 - no message
                self._part(taken)
        with self._changed:
            self._changed.notify_all()

    def _due(self, wait_seconds: float) -> list[ScoredRows]:
        """Rows to write, at most about MOST_AT_ONCE, after a wait for more of them."""
        with self._changed:
            if not self._waiting:
                self._changed.wait_for(self._is_wanted, IDLE_SECONDS)
            if self._waiting:
                self._changed.wait_for(self._is_due, wait_seconds)
            taken: list[ScoredRows] = []
            rows = 0
            most = 0 if self._alone else MOST_AT_ONCE
            self._alone = max(self._alone - 1, 0)
            while self._waiting and (not taken or rows + self._waiting[0].row_count <= most):
                taken.append(self._waiting.popleft())
                rows += taken[-1].row_count
            self._waiting_rows -= rows
            self._is_writing = bool(taken)
            if not self._waiting:
                self._is_hurried = self._is_ending
            return taken

    def _is_wanted(self) -> bool:
        return bool(self._waiting) or self._is_hurried or self._is_ending

    def _is_due(self) -> bool:
        if self._is_hurried or self._is_ending:
            return True
        return self._waiting_rows >= _FEWEST_AT_ONCE and not self._is_failing

    def _wrote(self, taken: Sequence[ScoredRows]) -> None:
        with self._changed:
            self._waiting_bytes -= sum(map(bytes_of, taken))
            self._is_writing = False
            self._is_failing = False
            self._changed.notify_all()

    def _recover(self) -> None:
        with self._changed:
            self._is_failing = False
            self._changed.notify_all()
        if self._said_failing:
            self._said_failing = False
            logger.info("%s takes predictions again", self._where)

    def _part(self, taken: Sequence[ScoredRows]) -> None:
        """After a mistake of ours: what was taken is tried one by one, and what alone fails is lost."""
        with self._changed:
            if not self._is_writing:
                return
            if len(taken) > 1:
                self._alone = len(taken)
                self._waiting.extendleft(reversed(taken))
                self._waiting_rows += sum(each.row_count for each in taken)
            else:
                self.troubles["not_kept"] += sum(each.row_count for each in taken)
                self._waiting_bytes -= sum(map(bytes_of, taken))
            self._is_hurried = self._is_hurried or bool(self._alone)
            self._is_writing = False
            self._changed.notify_all()

    def _fail(self, taken: Sequence[ScoredRows], why: str) -> None:
        with self._changed:
            self.troubles["write_failed"] += 1
            self._failures += 1
            if self._is_writing:
                self._waiting.extendleft(reversed(taken))
                self._waiting_rows += sum(each.row_count for each in taken)
            self._is_writing, self._is_failing, self._is_hurried = False, True, self._is_ending
            self._changed.notify_all()
        if not self._said_failing:
            self._said_failing = True
            logger.warning("%s takes no predictions for the moment, they wait: %s", self._where, why)


def bytes_of(rows: ScoredRows) -> int:
    """About how much memory *rows* take."""
    wide = (rows.probabilities, rows.items, rows.entities, rows.segments, rows.codes, rows.sampled)
    return 1024 + 60 * rows.row_count + sum(0 if each is None else each.nbytes for each in wide)
