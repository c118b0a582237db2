"""The delivery thread: the only one that talks to collectors."""

import logging
import math
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from dashlight.clock import Clock, SystemClock
from dashlight.deliver.destination import LINGER_SECONDS, Destination, Format
from dashlight.deliver.encoding.events import Event
from dashlight.deliver.outbox import MOST_BYTES, MOST_URGENT_BYTES, Counts, Outbox
from dashlight.deliver.transport.answer import Send
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.untraced import suppress_instrumentation
from dashlight.metrics.figures import Figures
from dashlight.metrics.losses import SignalFate

MOST_EVENT_BYTES = 256 * 1024
MOST_ASIDE_BYTES = 16 * 2**20
# After a mistake of our own in the thread.
_STUMBLE_SECONDS = 0.1

_logger = logging.getLogger(__name__)


class MetricFormat(Format, Protocol):
    """A format that also writes metrics."""

    def metrics(self, figures: Figures) -> bytes:
        """All of *figures*, ready for `request`."""
        ...


class EventFormat(Format, Protocol):
    """A format that also writes events."""

    def event(self, event: Event, *, observed_at: float) -> bytes:
        """One event, ready for `request`."""
        ...


Connect: TypeAlias = Callable[[Endpoint], Send]


def _connect(endpoint: Endpoint) -> Send:
    # Loads httpcore, which the app should not pay for before there is something to send.
    from dashlight.deliver.transport.http import HttpSender  # noqa: PLC0415

    return HttpSender(endpoint)


class Delivery:
    """Takes spans, events and metrics from any thread and delivers them from its own, each kind to its own destination.

    *spans*, *events* and *metrics* say where to and in what format, None for nowhere. A forked process makes itself a new one:
    threads stay behind in the parent.
    """

    def __init__(
        self,
        *,
        spans: tuple[Endpoint, Format] | None = None,
        events: tuple[Endpoint, EventFormat] | None = None,
        metrics: tuple[Endpoint, MetricFormat] | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        connect: Connect = _connect,
        outbox_bytes: int = 2 * (MOST_BYTES + MOST_URGENT_BYTES),
        aside_bytes: int = MOST_ASIDE_BYTES,
    ) -> None:
        """*outbox_bytes* bounds what waits in all outboxes, *aside_bytes* what is yet to be encoded."""
        self._clock = clock or SystemClock()
        self._event_format = events[1] if events is not None else None
        self._metric_format = metrics[1] if metrics is not None else None
        # Spans and events have a half each, and of that alerts a fifth.
        bounds = {"most_bytes": outbox_bytes * 2 // 5, "most_urgent_bytes": outbox_bytes // 10}
        self._outboxes = {"spans": Outbox(**bounds), "events": Outbox(**bounds)}
        if metrics is not None:
            self._outboxes["metrics"] = Outbox()
        self._destinations = [
            Destination(
                f"{name} for {endpoint.shown}",
                form,
                outbox=self._outboxes[name],
                connect=partial(connect, endpoint),
                clock=self._clock,
                jitter=jitter,
                new_key=lambda: str(uuid.uuid4()),
                latest_only=name == "metrics",
            )
            for name, (endpoint, form) in _named(spans=spans, events=events, metrics=metrics)
        ]
        self.takes_spans = spans is not None
        self.takes_events = events is not None
        self._nudge = threading.Event()
        self._progress = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._asides: deque[tuple[Callable[[], None], int]] = deque()
        self._aside_lock = threading.Lock()
        self._aside_bytes = aside_bytes

    def start(self) -> None:
        """Starts the thread, unless it runs or there is nowhere to deliver to."""
        if self._thread is None and self._destinations:
            self._thread = threading.Thread(target=self._run, name="dashlight-delivery", daemon=True)
            self._thread.start()

    def aside(self, work: Callable[[], None], *, size_bytes: int, at_once: bool = False) -> None:
        """Has *work*, such as encoding, done on the delivery thread; here, where that does not run or is behind.

        *size_bytes* is what the work holds on to; no more than *aside_bytes* of it wait. *at_once* has it done here
        in any case, behind what waits: never do two threads work at the same time.
        """
        self._asides.append((work, size_bytes))
        held_bytes = sum(size for _, size in tuple(self._asides))
        if at_once or self._thread is None or held_bytes > self._aside_bytes:
            self._do_asides()
        else:
            self._nudge.set()

    def send_spans(self, spans: Sequence[bytes], *, since_at: float = math.inf) -> None:
        """Takes encoded spans for delivery; those that find no room are counted.

        *since_at*, here and in send_event: since when there is something to tell, in seconds since the epoch. So long it
        has waited for company already.
        """
        if not self.takes_spans:
            self._outboxes["spans"].turn_away("disabled", count=len(spans))
        elif spans:
            self._outboxes["spans"].put(spans, at=self._monotonic(since_at))
            self._nudge.set()

    def lose_span(self) -> None:
        """Counts a span that could not be encoded."""
        self._outboxes["spans"].turn_away("unencodable")

    def send_event(self, event: Event, *, since_at: float = math.inf) -> None:
        """Encodes an event and takes it for delivery; one that cannot be encoded or finds no room is counted."""
        outbox = self._outboxes["events"]
        if self._event_format is None:
            outbox.turn_away("disabled")
            return
        try:
            payload = self._event_format.event(event, observed_at=self._clock.now())
        except Exception:
            _logger.debug("an event cannot be encoded", exc_info=True)
            outbox.turn_away("unencodable")
            return
        if len(payload) > MOST_EVENT_BYTES:
            outbox.turn_away("too_large")
            return
        outbox.put([payload], at=self._monotonic(since_at), urgent=event.urgent)
        self._nudge.set()

    def _monotonic(self, since_at: float) -> float:
        """The moment *since_at* on the monotonic clock, within a time to linger: the other clock may be set."""
        waited_seconds = min(max(0.0, self._clock.now() - since_at), LINGER_SECONDS)
        return self._clock.monotonic() - waited_seconds

    def send_metrics(self, figures: Figures) -> None:
        """Encodes figures and takes them for delivery in place of older ones that still wait; nothing if not wanted."""
        if self._metric_format is None:
            return
        outbox = self._outboxes["metrics"]
        try:
            payload = self._metric_format.metrics(figures)
        except Exception:
            _logger.debug("figures cannot be encoded", exc_info=True)
            outbox.turn_away("unencodable")
            return
        outbox.replace(payload, at=self._clock.monotonic())
        self._nudge.set()

    def counts(self) -> dict[str, Counts]:
        """Where all `spans`, all `events` and, where they are delivered, all `metrics` are that were ever given."""
        return {name: outbox.counts() for name, outbox in self._outboxes.items()}

    def fates(self) -> dict[SignalFate, int]:
        """What was delivered and what was lost of each signal since the start, where anything was.

        What was given although there is nowhere to deliver to is no loss.
        """
        found: dict[SignalFate, int] = {}
        for signal, counts in self.counts().items():
            found[SignalFate(signal, "delivered")] = counts.delivered
            found[SignalFate(signal, "replaced")] = counts.dropped.get("replaced", 0)
            for reason, count in counts.dropped.items():
                if reason not in {"disabled", "replaced"}:
                    found[SignalFate(signal, "dropped", reason)] = count
            found[SignalFate(signal, "rejected")] = counts.rejected
        return {key: count for key, count in found.items() if count}

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is here at once, waits at most *timeout_seconds* for it, and tells how much is still pending.

        For a collector that has been failing already it waits no longer than one attempt takes.
        """
        self._do_asides()
        self._hurry(self._is_settled, timeout_seconds)
        return self._pending_count()

    def close(self, timeout_seconds: float) -> None:
        """Takes nothing new, delivers what it can within *timeout_seconds*, alerts first, and drops the rest, counted.

        For a collector that has been failing already it waits no longer than one attempt takes.
        """
        end_at = self._clock.monotonic() + timeout_seconds
        self._do_asides()
        for outbox in self._outboxes.values():
            outbox.close()
        self._hurry(self._is_settled, timeout_seconds)
        self._stopping = True
        self._nudge.set()
        if self._thread is not None:
            self._thread.join(max(end_at - self._clock.monotonic(), 0.0))
        for outbox in self._outboxes.values():
            outbox.abandon()

    def _hurry(self, is_done: Callable[[], bool], timeout_seconds: float) -> None:
        for destination in self._destinations:
            destination.hurry()
        self._nudge.set()
        if self._thread is not None:
            with self._progress:
                self._progress.wait_for(is_done, timeout_seconds)

    def _is_settled(self) -> bool:
        """Whether waiting longer would bring nothing."""
        return all(each.has_given_up or not each.outbox.counts().pending for each in self._destinations)

    def _pending_count(self) -> int:
        return sum(outbox.counts().pending for outbox in self._outboxes.values())

    def _run(self) -> None:
        suppress_instrumentation()
        while not self._stopping:
            try:
                self._turn()
            except Exception:
                _logger.exception("the delivery thread stumbled and goes on")
                self._nudge.wait(_STUMBLE_SECONDS)
        for destination in self._destinations:
            destination.close()

    def _do_asides(self) -> None:
        """Does what was put aside; one thread at a time, and in the order in which it came."""
        with self._aside_lock:
            while self._asides:
                work, _ = self._asides.popleft()
                work()

    def _turn(self) -> None:
        """Waits until something is due, then one step for each destination that is."""
        self._do_asides()
        due_at = min(destination.due_at() for destination in self._destinations)
        wait_seconds = due_at - self._clock.monotonic()
        if wait_seconds > 0:
            self._nudge.wait(wait_seconds if math.isfinite(wait_seconds) else None)
            # Cleared before the outboxes are looked at again: what is put from now on sets it anew.
            self._nudge.clear()
            return
        for destination in self._destinations:
            destination.step()
        with self._progress:
            self._progress.notify_all()


def _named(
    *,
    spans: tuple[Endpoint, Format] | None,
    events: tuple[Endpoint, EventFormat] | None,
    metrics: tuple[Endpoint, MetricFormat] | None,
) -> Iterator[tuple[str, tuple[Endpoint, Format]]]:
    if spans is not None:
        yield "spans", spans
    if events is not None:
        yield "events", events
    if metrics is not None:
        yield "metrics", metrics
