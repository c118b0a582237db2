"""Labels that the app gives by `dashlight.label`: they wait here until a thread has handed them to the store."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from dashlight.deliver.untraced import suppress_instrumentation
from dashlight.errors import StateError, traced
from dashlight.metrics.losses import SignalFate

if TYPE_CHECKING:
    from dashlight.labels.label import Fate, Label

Take: TypeAlias = "Callable[[Sequence[Label], float], Sequence[Fate]]"

logger = logging.getLogger("dashlight")

MOST_WAITING: Final = 10_000
LABELS_OFF: Final = SignalFate("labels", "dropped", "off")
QUEUE_FULL: Final = SignalFate("labels", "dropped", "queue_full")
NOT_STORED: Final = SignalFate("labels", "dropped", "not_stored")
_MOST_AT_ONCE = 1000
_IDLE_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_MOST_MISTAKES = 3


class LabelQueue:
    """Labels that wait for the store: `put` returns at once, from any thread and on the event loop; a thread stores them.

    Where the store cannot take them for the moment they are kept and offered again. What is lost is counted, and logged once.
    """

    def __init__(self, *, is_on: bool = False, now: Callable[[], float] = time.time) -> None:
        """*is_on*: whether labels are wanted (DASHLIGHT_LABELS)."""
        self.fates: Counter[Fate] = Counter()
        """What became of those that were stored."""
        self.given: deque[tuple[str, float]] = deque(maxlen=MOST_WAITING)
        """Ids of predictions whose labels were given lately, and when; taken out by whoever keeps predictions."""
        self._is_on = is_on
        self._now = now
        self._waiting: deque[Label] = deque()
        self._losses: Counter[SignalFate] = Counter()
        self._storing_count = 0
        """Taken out of the queue, and not stored yet."""
        self._wake = threading.Event()
        self._stored = threading.Condition()
        self._stopping = False
        self._told_failure = ""
        self._mistake_count = 0
        """How often the same labels could not be stored by a mistake of ours."""
        self._take: Take | None = None
        self._thread: threading.Thread | None = None

    @property
    def waiting_count(self) -> int:
        """Labels that are not stored yet."""
        return len(self._waiting) + self._storing_count

    def put(self, label: Label) -> bool:
        """Whether *label* waits for the store now; False: it is lost and counted."""
        if not self._is_on:
            if not self._losses[LABELS_OFF]:
                logger.warning("labels given by dashlight.label are lost: set DASHLIGHT_LABELS=true")
            self._losses[LABELS_OFF] += 1
            return False
        if self._stopping or len(self._waiting) >= MOST_WAITING:
            self.lose(1)
            return False
        if label.id:
            self.given.append((label.id, self._now()))
        self._waiting.append(label)
        self._wake.set()
        return True

    def lose(self, count: int) -> None:
        """Counts labels for which there was no room, here or before there was a Monitor."""
        if not self._losses[QUEUE_FULL]:
            logger.warning("labels given by dashlight.label are lost: they come faster than they can be stored")
        self._losses[QUEUE_FULL] += count

    def open(self, take: Take) -> None:
        """Hands labels to *take* from now on, on a thread, for it may wait for a disk."""
        self._take = take
        self._thread = threading.Thread(target=self._run, name="dashlight-labels", daemon=True)
        self._thread.start()

    def losses(self) -> Mapping[SignalFate, int]:
        """What was lost since the start."""
        return dict(self._losses)

    def flush(self, timeout_seconds: float) -> int:
        """Waits until what is here is stored; returns how many labels still wait."""
        end_at = time.monotonic() + timeout_seconds
        with self._stored:
            while self.waiting_count and self._is_alive() and (left := end_at - time.monotonic()) > 0:
                self._wake.set()
                self._stored.wait(min(left, 0.05))
        return self.waiting_count

    def close(self, timeout_seconds: float) -> None:
        """Stores what is here and ends the thread; what is left is lost, counted and logged."""
        lost_count = self.flush(timeout_seconds)
        self._stopping = True
        self._wake.set()
        if lost_count:
            self._waiting.clear()
            self._losses[NOT_STORED] += lost_count
            logger.warning("labels lost at the end, which could not be stored: %d", lost_count)

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self._stopping = True
        self._waiting.clear()

    def _is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        suppress_instrumentation()
        while not self._stopping:
            self._wake.wait(_IDLE_SECONDS)
            self._wake.clear()
            while self._waiting and not self._stopping:
                if not self._store():
                    time.sleep(_RETRY_SECONDS)

    def _store(self) -> bool:
        """Whether the next labels are stored; they wait again where they are not."""
        # Counted as being stored before they are taken out: never in neither place.
        self._storing_count = count = min(len(self._waiting), _MOST_AT_ONCE)
        labels: list[Label] = []
        with suppress(IndexError):  # whoever closes lets go of all
            labels += (self._waiting.popleft() for _ in range(count))
        try:
            fates = self._take(labels, self._now()) if self._take is not None else ()
        except Exception as error:
            # A disk that is full and a server that is away will be well again; a mistake of ours is there each time.
            self._mistake_count += not isinstance(error, OSError | StateError)
            if self._mistake_count < _MOST_MISTAKES:
                self._waiting.extendleft(reversed(labels))
            else:
                self._mistake_count = 0
                self._losses[NOT_STORED] += len(labels)
            if type(error).__name__ != self._told_failure:
                self._told_failure = type(error).__name__
                logger.error("labels wait, for they cannot be stored: %s", traced(error))  # noqa: TRY400 - no message
            return False
        else:
            self._told_failure, self._mistake_count = "", 0
            self.fates.update(fates)
            return True
        finally:
            with self._stored:
                self._storing_count = 0
                self._stored.notify_all()
