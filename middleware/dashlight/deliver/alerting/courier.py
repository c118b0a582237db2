"""The threads that bring notices where they are owed: one a route, so that a slow one delays no other."""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable, Sequence

from dashlight.clock import Clock, SystemClock
from dashlight.deliver.alerting.owed import Owed, Verdict
from dashlight.deliver.alerting.route import Interruptible, Route, Tallying
from dashlight.deliver.transport.health import Health
from dashlight.deliver.transport.retry import PROBE_SECONDS, backoff_seconds
from dashlight.deliver.untraced import suppress_instrumentation
from dashlight.errors import traced
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice

_STUMBLE_SECONDS = 1.0
"""After a mistake of our own."""
_LEAST_PAUSE_SECONDS = 1.0
"""Between two repetitions."""
_logger = logging.getLogger(__name__)


class Courier:
    """Brings one route what is owed to it, the oldest first, for as long as it takes.

    `step` neither sleeps nor waits: it is for the thread of the route alone, all else for any.
    """

    def __init__(
        self, route: Route, owed: Owed, *, clock: Clock, jitter: Callable[[], float], settled: Callable[[], None]
    ) -> None:
        """*settled* is called after every attempt."""
        self.route = route
        self._owed = owed
        self._clock = clock
        self._jitter = jitter
        self._settled = settled
        self._health = Health(f"alerts for {route.name}")
        self._wait_until = self._repeat_at = float("-inf")
        self._failures = 0
        self._chances: int | None = None
        self._nudge = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._has_stumbled = self._is_interrupted = False

    def wake(self) -> None:
        """Looks at once whether something is owed; starts the thread where it does not run."""
        if self._is_interrupted and not self._stopping and isinstance(self.route, Interruptible):
            self.route.resume()
            self._is_interrupted = False
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._run, name=f"dashlight-alerts-{self.route.name}", daemon=True)
            self._thread.start()
        self._nudge.set()

    def hurry(self) -> None:
        """Tries now what waits for another attempt: a route that has been failing gets one chance, another as many as there is time for."""
        self._chances = 1 if self._health.troubled else None
        self._wait_until = float("-inf")
        self._nudge.set()

    def interrupt(self) -> None:
        """Has a route that may take long give up until it is woken; nothing is to be waited for then."""
        if isinstance(self.route, Interruptible):
            self._is_interrupted = True
            self.route.interrupt()

    @property
    def is_settled(self) -> bool:
        """Whether waiting longer would bring nothing."""
        return (
            self._is_interrupted or self._chances == 0 or self._thread is None or not self._owed.count(self.route.name)
        )

    def stop(self) -> None:
        """Ends the thread after the attempt that is under way."""
        self._stopping = True
        self._nudge.set()

    def join(self, timeout_seconds: float) -> None:
        """Waits for its end."""
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def step(self) -> float:
        """One attempt, if one is due; seconds until the next may be."""
        now = self._clock.monotonic()
        if not self._owed.is_open:
            self._wait_until = self._repeat_at = float("-inf")
            return math.inf
        if now < self._wait_until:
            return self._wait_until - now
        notice = self._owed.next(self.route.name)
        if notice is not None:
            self._attempt(notice)
            return 0.0
        if now >= self._repeat_at:
            at = self._clock.now()
            again_at = self.route.repeat(self._owed.in_force(), at)
            # By the clock that cannot be set: what is in force must not fall silent until the other one has caught up.
            self._repeat_at = math.inf if again_at is None else now + max(again_at - at, _LEAST_PAUSE_SECONDS)
        return max(self._repeat_at - self._clock.monotonic(), 0.0)

    def _attempt(self, notice: Notice) -> None:
        try:
            verdict = self.route.deliver(notice)
        except Exception as mistake:
            self._tell(mistake)
            verdict = Verdict("retry", reason=f"a mistake of Dashlight's own: {type(mistake).__name__}")
        self._owed.settle(self.route.name, notice.id, verdict)
        self._take(verdict, notice)
        self._settled()

    def _take(self, verdict: Verdict, notice: Notice) -> None:
        now = self._clock.monotonic()
        if verdict.outcome in {"delivered", "rejected"}:
            self._failures = 0
            self._repeat_at = float("-inf")
            if verdict.outcome == "delivered":
                self._health.delivered()
            else:
                _logger.error(
                    "an alert was rejected by %s for good (%s): %s", self.route.name, verdict.reason, notice.key
                )
            return
        if self._chances is not None:
            self._chances = max(self._chances - 1, 0)
        if verdict.outcome == "misconfigured":
            self._health.misconfigured(verdict.reason, at=now)
            self._wait_until = now + PROBE_SECONDS
            return
        self._health.failed(verdict.reason)
        wait_seconds = verdict.retry_after_seconds
        if wait_seconds is None:
            wait_seconds = backoff_seconds(self._failures, jitter=self._jitter())
        self._failures += 1
        self._wait_until = now + wait_seconds

    def _run(self) -> None:
        suppress_instrumentation()
        while not self._stopping:
            try:
                wait_seconds = self.step()
            except Exception as mistake:  # of a repetition: what is owed comes all the same
                self._tell(mistake)
                self._repeat_at = self._clock.monotonic() + PROBE_SECONDS
                wait_seconds = _STUMBLE_SECONDS
            if wait_seconds > 0:
                self._nudge.wait(min(wait_seconds, threading.TIMEOUT_MAX) if math.isfinite(wait_seconds) else None)
                self._nudge.clear()
        self.route.close()

    def _tell(self, mistake: Exception) -> None:
        if not self._has_stumbled:
            self._has_stumbled = True
            # No message: it may hold the address, which is a secret.
            _logger.error("the way to %s stumbled and goes on: %s", self.route.name, traced(mistake))


class Couriers:
    """The couriers of a process. Their threads begin when it judges; a forked process makes itself new ones."""

    def __init__(
        self,
        routes: Sequence[Route],
        owed: Owed,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.owed = owed
        """What they deliver."""
        self._clock = clock or SystemClock()
        self._progress = threading.Condition()
        self._couriers = [
            Courier(route, owed, clock=self._clock, jitter=jitter, settled=self._tell_progress) for route in routes
        ]

    def wake(self) -> None:
        """Has every courier look what is owed; only where this process judges."""
        for courier in self._couriers:
            courier.wake()

    def interrupt(self) -> None:
        """Has what may take long give up: this process judges no more."""
        for courier in self._couriers:
            courier.interrupt()

    def drain(self, timeout_seconds: float) -> int:
        """Delivers what it can within *timeout_seconds* and tells how much is still owed.

        For a route that has been failing it waits no longer than one attempt takes.
        """
        for courier in self._couriers:
            courier.hurry()
        with self._progress:
            self._progress.wait_for(lambda: all(each.is_settled for each in self._couriers), timeout_seconds)
        return sum(self.owed.counts().values())

    def close(self, timeout_seconds: float) -> None:
        """Delivers what it can and ends the threads within *timeout_seconds*; what is still owed then stays so."""
        end_at = self._clock.monotonic() + timeout_seconds
        self.interrupt()
        self.drain(timeout_seconds)
        for courier in self._couriers:
            courier.stop()
        for courier in self._couriers:
            courier.join(max(end_at - self._clock.monotonic(), 0.0))

    def fates(self) -> dict[SignalFate, int]:
        """What became of notices since the start, and of what routes count besides."""
        found = self.owed.fates()
        for courier in self._couriers:
            if isinstance(courier.route, Tallying):
                found.update(courier.route.fates())
        return found

    def _tell_progress(self) -> None:
        with self._progress:
            self._progress.notify_all()
