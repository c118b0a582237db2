"""The Monitor of a process: the request path on one side, the analysis thread on the other."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from dashlight.capture.capture import Capture
from dashlight.capture.excluded import Excluded
from dashlight.capture.tee import Tee
from dashlight.clock import Clock
from dashlight.deliver.untraced import suppress_instrumentation
from dashlight.errors import DashlightError, traced
from dashlight.metrics.losses import BODIES_DROPPED, INBOX_FULL, SignalFate
from dashlight.records import Exchange
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.cpu_budget import CpuBudget
from dashlight.runtime.monitor_plan import MonitorPlan
from dashlight.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

_SLICE = 256
"""Exchanges analysed before the GIL is given away; numpy lets go of it several times within. Fewer would cost more:
each call has a price of its own, and so has each change of threads."""
_PAUSE_SECONDS = 0.0001
_IDLE_SECONDS = 0.25
"""How long the analysis thread sleeps at most where nothing wakes it."""
_REDUCED_SECONDS = 0.25
_WARM_UP_ROUNDS = 3
"""Rounds with exchanges that teach the budget nothing: plans are being made and pages touched for the first time."""
_TOLD_RATE = 0.9
"""Below this rate of analysis the operator is told."""


class Monitor:
    """Watches the exchanges of one process.

    `open` is all that the request path calls. A daemon thread does the rest, within the CPU budget; if it cannot
    start, the app goes on unwatched and the reason is logged once.
    """

    def __init__(self, capture: Capture, plan: MonitorPlan, clock: Clock) -> None:
        self.capture = capture
        self.refusal: DashlightError | None = None
        """The mistake in settings or reference for which the analysis did not start."""
        self.ready = threading.Event()
        """Set once the analysis runs, or has failed to start."""
        self.answers = plan.answers
        """What answers below DASHLIGHT_PATH; None where nothing does."""
        self.labels = plan.labels
        """Where labels wait that the app gives."""
        self._plan = plan
        self._clock = clock
        self._budget = CpuBudget(plan.cpu_share)
        self._watching = True
        self._stopping = False
        self._flushing = self._leaving = False
        self._busy_rounds = 0
        self._cpu_seconds = 0.0
        """CPU time of the thread when the last round ended."""
        self._reduced = False
        self._failures: set[str] = set()
        self._analysis: Analysis | None = None
        self._rounds = threading.Condition()
        self._round_count = 0
        self._thread = threading.Thread(target=self._run, name="dashlight-analysis", daemon=True)

    def start(self) -> None:
        """Starts the analysis thread."""
        self._thread.start()

    def open(self, scope: Scope, receive: Receive, send: Send, *, here: bool = False) -> Tee | Excluded | None:
        """What stands around a request that begins; None where monitoring is off. *here*: it belongs to the current span."""
        try:
            if not self._watching:
                return None
            excluded = self._plan.excluded
            if excluded is not None and excluded.search(scope["path"]):
                return Excluded(self.capture, scope, receive, send)
            return self._plan.tee(self.capture, scope, receive, send, here=here)
        except Exception as error:
            self.capture.count_failure(error)
            self.capture.lose()
            return None

    def flush(self, timeout_seconds: float | None = None, *, leaving: bool = False) -> int:
        """Waits until what has been captured so far is analysed and sent; returns how much is still waiting.

        *leaving*: the server shuts down, and may end without telling anybody.
        """
        limit = self._plan.shutdown_seconds if timeout_seconds is None else timeout_seconds
        deadline = self._clock.monotonic() + limit
        if not self.ready.wait(limit) or self._analysis is None:
            self._tell_unread(is_ending=leaving)
            return len(self.capture.inbox)
        self._flushing = True
        # Two rounds: one may be half done with what it had found.
        self._wait_for_rounds(2, deadline)
        if leaving:
            self._leaving = True
            self._wait_for_rounds(1, deadline)
        self._flushing = False
        # After their predictions, which were decoded meanwhile.
        pending = self.labels.flush(max(0.0, deadline - self._clock.monotonic()) / 2)
        pending += self._analysis.flush(max(0.0, deadline - self._clock.monotonic()))
        if leaving:
            self._analysis.tell_lost()
        return len(self.capture.inbox) + pending

    def _wait_for_rounds(self, count: int, deadline: float) -> None:
        with self._rounds:
            wanted = self._round_count + count
            while self._round_count < wanted and self._thread.is_alive() and self._clock.monotonic() < deadline:
                self.capture.inbox.wake.set()
                self._rounds.wait(0.05)

    def close(self) -> None:
        """Flushes within DASHLIGHT_SHUTDOWN_TIMEOUT and ends the threads."""
        self._watching = False
        deadline = self._clock.monotonic() + self._plan.shutdown_seconds
        self._stopping = True
        self.capture.inbox.wake.set()
        self._thread.join(self._plan.shutdown_seconds)
        self.labels.close(max(0.0, deadline - self._clock.monotonic()) / 2)
        if self._analysis is not None:
            self._analysis.close(max(0.0, deadline - self._clock.monotonic()))
        self._tell_unread(is_ending=True)

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self.labels.forget()
        if self._analysis is not None:
            self._analysis.forget()

    def _tell_unread(self, *, is_ending: bool) -> None:
        if is_ending and len(self.capture.inbox) and not self.ready.is_set():
            logger.warning("%d requests could not be analysed in time: Dashlight is starting", len(self.capture.inbox))

    def _run(self) -> None:
        suppress_instrumentation()
        try:
            self._analysis = analysis = self._plan.prepare()
        except DashlightError as mistake:
            self.refusal = mistake
            logger.error("monitoring is off: %s", mistake)  # noqa: TRY400 - the operator's mistake, not a crash
        except Exception as error:
            logger.error("monitoring is off: the analysis could not start: %s", traced(error))  # noqa: TRY400 - no message
        else:
            self.ready.set()
            self._analyse(analysis)
            return
        self._watching = False
        self.ready.set()

    def _analyse(self, analysis: Analysis) -> None:
        idle_seconds = _IDLE_SECONDS
        last = pane_ends_at = self._clock.monotonic()
        # What was spent on starting is no analysis.
        self._cpu_seconds = time.thread_time()
        while True:
            self.capture.inbox.wake.wait(idle_seconds)
            if self._reduced and not self._stopping and not self._flushing:
                # Under overload fewer and larger rounds: what a round costs by itself falls on more exchanges. The end of
                # a pane does not wait: others do for it.
                time.sleep(min(_REDUCED_SECONDS, max(0.0, pane_ends_at - self._clock.monotonic())))
            self.capture.inbox.wake.clear()
            stopping = self._stopping
            now = self._clock.monotonic()
            try:
                next_pane_seconds = self._round(analysis, now - last)
                pane_ends_at = self._clock.monotonic() + next_pane_seconds
                idle_seconds = min(_IDLE_SECONDS, next_pane_seconds)
                if self._leaving or stopping:
                    self._leaving = False
                    analysis.leave()
            except Exception as error:
                self._tell_once(error)
            last = now
            with self._rounds:
                self._round_count += 1
                self._rounds.notify_all()
            if stopping:
                return

    def _round(self, analysis: Analysis, wall_seconds: float) -> float:
        """Takes what is in the inbox, analyses all of it or a sample, counts all of it; seconds to the next pane."""
        self._plan.look_around()
        self._tell_captured()
        due_at = math.inf if self._stopping or self._flushing else time.perf_counter()
        taken = self.capture.inbox.take(len(self.capture.inbox), due_at=due_at)
        rate = self._budget.rate
        readable = [each for each in taken if not each.is_bodiless]
        # Drawn over the whole round, so that those chosen are still analysed many at a time.
        chosen = readable if rate >= 1 else [each for each in readable if random.random() < rate]
        failures: dict[int, str] = {}
        analysing = time.thread_time()
        for part in _slices(chosen):
            failures.update(self._analysed(analysis, part))
        analysed_cpu_seconds = time.thread_time() - analysing
        for part in _slices(taken):
            self._count(partial(analysis.count, part, failures))
        for part in _slices(self.capture.inbox.take_excluded()):
            self._count(partial(analysis.count_excluded, part))
        judging = time.thread_time()
        next_pane_seconds = self._tick(analysis)
        cpu_seconds = time.thread_time()
        judging_cpu_seconds = cpu_seconds - judging
        spent_seconds, self._cpu_seconds = cpu_seconds - self._cpu_seconds, cpu_seconds
        if chosen:
            self._busy_rounds += 1
        if self._busy_rounds > _WARM_UP_ROUNDS:
            self._budget.note(
                wall_seconds=wall_seconds,
                exchanges=len(taken),
                # Everything else that the thread has done since the round before.
                exact_cpu_seconds=spent_seconds - analysed_cpu_seconds - judging_cpu_seconds,
                analysed=len(chosen),
                analysed_cpu_seconds=analysed_cpu_seconds,
                judging_cpu_seconds=judging_cpu_seconds,
            )
            self._tell_rate()
        return next_pane_seconds

    def _analysed(self, analysis: Analysis, chosen: Sequence[Exchange]) -> Mapping[int, str]:
        """The failures found inside; a mistake of ours must not cost the exact counts as well."""
        try:
            return analysis.analyse(chosen) if chosen else {}
        except Exception as error:
            self._tell_once(error)
            return {}

    def _count(self, count: Callable[[], None]) -> None:
        """Counts one slice; a mistake of ours in it must not cost the others."""
        try:
            count()
        except Exception as error:
            self._tell_once(error)

    def _tick(self, analysis: Analysis) -> float:
        inbox = self.capture.inbox
        # Copied first: a request may just add a kind.
        mistakes = {SignalFate("exchanges", "mistake", kind): n for kind, n in tuple(self.capture.failures.items())}
        labels = self.labels.losses()
        return analysis.tick(
            self._clock.now(),
            lost={INBOX_FULL: inbox.dropped_count, BODIES_DROPPED: inbox.bodiless_count, **mistakes, **labels},
            in_flight_count=inbox.in_flight_count,
            rate=self._budget.rate,
            waiting_count=inbox.waiting_count,
        )

    def _tell_rate(self) -> None:
        rate = self._budget.rate
        if rate < _TOLD_RATE and not self._reduced:
            self._reduced = True
            logger.warning(
                "analysing %.1f %% of the exchanges to stay within DASHLIGHT_CPU; counts, errors and latency stay exact",
                100 * rate,
            )
        elif rate >= 1 and self._reduced:
            self._reduced = False
            logger.info("analysing every exchange again")

    def _tell_captured(self) -> None:
        """What was lost on the request path, by our own mistakes also, is counted there and told from here: once for each kind."""
        for kind in tuple(self.capture.failures):
            if kind not in self._failures:
                self._failures.add(kind)
                logger.error("lost on the request path: %s; the app did not notice", kind)

    def _tell_once(self, error: Exception) -> None:
        """A mistake of ours costs a slice of statistics, never the thread."""
        self.capture.count_failure(error)
        if type(error).__name__ not in self._failures:
            self._failures.add(type(error).__name__)
            logger.error("a slice of exchanges could not be analysed: %s", traced(error))


def _slices(exchanges: Sequence[Exchange]) -> Iterator[Sequence[Exchange]]:
    """*exchanges* a slice at a time; between two of them the event loop gets its turn."""
    for begin in range(0, len(exchanges), _SLICE):
        if begin:
            time.sleep(_PAUSE_SECONDS)
        yield exchanges[begin : begin + _SLICE]
