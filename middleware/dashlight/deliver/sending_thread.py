"""A thread that drives one destination: one that hangs delays no other."""

import logging
import math
import threading
from collections.abc import Callable

from dashlight.clock import Clock
from dashlight.deliver.destination import Destination
from dashlight.deliver.untraced import suppress_instrumentation
from dashlight.errors import traced

# After a mistake of our own in the thread.
_STUMBLE_SECONDS = 0.1

_logger = logging.getLogger(__name__)


class SendingThread:
    """Steps through *destination* whenever a step is due; *before* is called before each look."""

    def __init__(self, name: str, destination: Destination, *, clock: Clock, before: Callable[[], None]) -> None:
        self.destination = destination
        self.progress = threading.Condition()
        """Notified after each step."""
        self._clock = clock
        self._before = before
        self._nudge = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=f"dashlight-delivery-{name}", daemon=True)

    @property
    def is_running(self) -> bool:
        """Whether it was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Starts it, unless it runs."""
        if not self.is_running:
            self._thread.start()

    def nudge(self) -> None:
        """Has it look again: there is something new."""
        self._nudge.set()

    def hurry(self, *, is_ending: bool) -> None:
        """Has it send at once what is here."""
        self.destination.hurry(is_ending=is_ending)
        self.nudge()

    def wait(self, timeout_seconds: float) -> None:
        """Waits until waiting longer would bring nothing, at most *timeout_seconds*."""
        if self.is_running:
            with self.progress:
                self.progress.wait_for(self._is_settled, max(timeout_seconds, 0.0))

    def stop(self) -> None:
        """Has it end after the step that it is in."""
        self._is_stopping = True
        self.nudge()

    def join(self, timeout_seconds: float) -> None:
        """Waits for its end, at most *timeout_seconds*."""
        if self.is_running:
            self._thread.join(max(timeout_seconds, 0.0))

    def _is_settled(self) -> bool:
        return self.destination.has_given_up or not self.destination.outbox.counts().pending

    def _run(self) -> None:
        suppress_instrumentation()
        while not self._is_stopping:
            try:
                self._turn()
            except Exception as error:
                _logger.error("the delivery thread stumbled and goes on: %s", traced(error))  # noqa: TRY400 - no message
                self._nudge.wait(_STUMBLE_SECONDS)
        self.destination.close()

    def _turn(self) -> None:
        """Waits until a step is due, and makes it."""
        self._before()
        wait_seconds = self.destination.due_at() - self._clock.monotonic()
        if wait_seconds > 0:
            self._nudge.wait(wait_seconds if math.isfinite(wait_seconds) else None)
            # Cleared before the outbox is looked at again: what is put from now on sets it anew.
            self._nudge.clear()
            return
        self.destination.step()
        with self.progress:
            self.progress.notify_all()
