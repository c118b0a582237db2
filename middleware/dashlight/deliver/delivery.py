"""Takes spans, events and metrics from any thread; a thread for each kind delivers them."""

import logging
import math
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeAlias

from dashlight.clock import Clock, SystemClock
from dashlight.deliver.destination import LINGER_SECONDS, Destination
from dashlight.deliver.encoding.events import PREDICTION, Event
from dashlight.deliver.formats import Format
from dashlight.deliver.outbox import MOST_BYTES, Counts, Outbox
from dashlight.deliver.sending_thread import SendingThread
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.transport.answer import Send
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import traced
from dashlight.metrics.figures import Figures
from dashlight.metrics.losses import SignalFate

MOST_EVENT_BYTES = 256 * 1024
MOST_ASIDE_BYTES = 16 * 2**20
_SPOOLED_SIGNALS = ("spans", "events")
"""Of metrics only the latest are worth anything."""
_MOST_SHELVING_SHARE, _MOST_SHELVING_SECONDS = 0.2, 1.0
"""Of the time for the end, and at most: what writing to disk may take."""

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
    """Takes spans, events and metrics from any thread and delivers each kind to its own destination, from its own thread.

    *spans*, *events* and *metrics* say where to and in what format, None for nowhere. Spans and events that cannot be
    delivered now wait in *spool*; without it, in memory. A forked process makes itself a new one: threads stay behind in the
    parent, and so does what is open; `forget` closes the child's copies.
    """

    def __init__(
        self,
        *,
        spans: tuple[Endpoint, Format] | None = None,
        events: tuple[Endpoint, EventFormat] | None = None,
        metrics: tuple[Endpoint, MetricFormat] | None = None,
        spool: Spool | None = None,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        connect: Connect = _connect,
        outbox_bytes: int = 2 * MOST_BYTES,
        aside_bytes: int = MOST_ASIDE_BYTES,
    ) -> None:
        """*outbox_bytes* bounds what waits in all outboxes, *aside_bytes* what is yet to be encoded."""
        self._clock = clock or SystemClock()
        self._event_format = events[1] if events is not None else None
        self._metric_format = metrics[1] if metrics is not None else None
        self._outboxes = {signal: Outbox(most_bytes=outbox_bytes // 2) for signal in _SPOOLED_SIGNALS}
        if metrics is not None:
            self._outboxes["metrics"] = Outbox()
        self.made_count = 0
        """Events that are of no exchange: scores, reports."""
        self._spool = spool
        self._asides: deque[tuple[Callable[[], None], int]] = deque()
        self._aside_lock = threading.Lock()
        self._aside_bytes = aside_bytes
        asked = {"spans": spans, "events": events, "metrics": metrics}
        wanted = {name: where for name, where in asked.items() if where is not None}
        self._threads = {
            name: SendingThread(
                name,
                Destination(
                    f"{name} for {endpoint.shown}",
                    form,
                    outbox=self._outboxes[name],
                    connect=partial(connect, endpoint),
                    clock=self._clock,
                    jitter=jitter,
                    new_key=lambda: str(uuid.uuid4()),
                    backlog=self._backlog(name, form),
                    latest_only=name == "metrics",
                ),
                clock=self._clock,
                before=self._do_asides if name == "spans" else _nothing,
            )
            for name, (endpoint, form) in wanted.items()
        }
        self.takes_spans = spans is not None
        self.takes_events = events is not None

    def start(self) -> None:
        """Starts the threads, unless they run: one for each destination."""
        for thread in self._threads.values():
            thread.start()

    def aside(self, work: Callable[[], None], *, size_bytes: int, at_once: bool = False) -> None:
        """Has *work*, such as encoding, done on the thread of spans; here, where that does not run or is behind.

        *size_bytes* is what the work holds on to; no more than *aside_bytes* of it wait. *at_once* has it done here
        in any case, behind what waits: never do two threads work at the same time.
        """
        self._asides.append((work, size_bytes))
        held_bytes = sum(size for _, size in tuple(self._asides))
        thread = self._threads.get("spans")
        if at_once or thread is None or not thread.is_running or held_bytes > self._aside_bytes:
            self._do_asides()
        else:
            thread.nudge()

    def send_spans(self, spans: Sequence[bytes], *, since_at: float = math.inf) -> None:
        """Takes encoded spans for delivery; those that find no room are counted.

        *since_at*, here and in send_events: since when there is something to tell, in seconds since the epoch. So long it
        has waited for company already.
        """
        if not self.takes_spans:
            self._outboxes["spans"].turn_away("disabled", count=len(spans))
        elif spans:
            self._outboxes["spans"].put(spans, at=self._monotonic(since_at))
            self._threads["spans"].nudge()

    def lose_span(self) -> None:
        """Counts a span that could not be encoded."""
        self._outboxes["spans"].turn_away("unencodable")

    def lose_event(self) -> None:
        """Counts the event of an exchange that could not be made, by a mistake of ours."""
        self._outboxes["events"].turn_away("mistake")

    def send_event(self, event: Event, *, since_at: float = math.inf) -> None:
        """As `send_events`, of one."""
        self.send_events((event,), since_at=since_at)

    def send_events(self, events: Sequence[Event], *, since_at: float = math.inf) -> None:
        """Encodes events and takes them for delivery; those that cannot be encoded or find no room are counted."""
        outbox, form = self._outboxes["events"], self._event_format
        if form is None:
            outbox.turn_away("disabled", count=len(events))
            return
        # Before the outbox knows of them, see Accounting.
        self.made_count += sum(event.name != PREDICTION for event in events)
        at, payloads = self._clock.now(), list[bytes]()
        for event in events:
            try:
                payload = form.event(event, observed_at=at)
            except Exception as error:
                _logger.debug("an event cannot be encoded: %s", traced(error))
                outbox.turn_away("unencodable")
                continue
            if len(payload) <= MOST_EVENT_BYTES:
                payloads.append(payload)
            else:
                outbox.turn_away("too_large")
        outbox.put(payloads, at=self._monotonic(since_at))
        self._threads["events"].nudge()

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
        except Exception as error:
            _logger.debug("figures cannot be encoded: %s", traced(error))
            outbox.turn_away("unencodable")
            return
        outbox.replace(payload, at=self._clock.monotonic())
        self._threads["metrics"].nudge()

    def counts(self) -> dict[str, Counts]:
        """Where all `spans`, all `events` and, where they are delivered, all `metrics` are that were ever given."""
        return {name: outbox.counts() for name, outbox in self._outboxes.items()}

    def troubles(self) -> dict[str, str]:
        """Why nothing arrives at the moment, by signal, where that is so."""
        found = {name: thread.destination.health.trouble for name, thread in self._threads.items()}
        return {name: trouble for name, trouble in found.items() if trouble}

    @property
    def spool_troubles(self) -> dict[SignalFate, int]:
        """What went wrong with the files of the spool, since the start."""
        # Copied first: a thread may just add a kind.
        troubles = tuple(self._spool.troubles.items()) if self._spool is not None else ()
        return {SignalFate("files", "dropped", kind, "spool"): count for kind, count in troubles}

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
        return {key: count for key, count in {**found, **self.spool_troubles}.items() if count}

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is here at once, waits at most *timeout_seconds* for it, and tells how much is still pending.

        For a collector that has been failing already it waits no longer than one attempt takes. What could not be sent is
        then put on disk, for the server may end without telling anybody; what is there is not pending.
        """
        self._do_asides()
        self._hurry(timeout_seconds)
        for thread in self._threads.values():
            thread.destination.shelve()
        return sum(outbox.counts().pending for outbox in self._outboxes.values())

    def close(self, timeout_seconds: float) -> None:
        """Takes nothing new, delivers what it can within *timeout_seconds*, and puts the rest on disk, or drops it, counted.

        For a collector that has been failing already it waits no longer than one attempt takes.
        """
        end_at = self._clock.monotonic() + timeout_seconds
        self._do_asides()
        for outbox in self._outboxes.values():
            outbox.close()
        # Of the time for writing to disk none is given to a collector.
        kept_back = (
            min(_MOST_SHELVING_SHARE * timeout_seconds, _MOST_SHELVING_SECONDS) if self._spool is not None else 0.0
        )
        self._hurry(timeout_seconds - kept_back, is_ending=True)
        for thread in self._threads.values():
            thread.stop()
        for thread in self._threads.values():
            thread.join(end_at - kept_back - self._clock.monotonic())
        for thread in self._threads.values():
            thread.destination.shelve(is_ending=True)
        if self._spool is not None:
            self._spool.close()
        for outbox in self._outboxes.values():
            outbox.abandon()

    def forget(self) -> None:
        """Closes what is the parent's: what a forked child does at once."""
        if self._spool is not None:
            self._spool.forget()

    def _backlog(self, name: str, form: Format) -> Backlog | None:
        if self._spool is None or name not in _SPOOLED_SIGNALS:
            return None
        return Backlog(self._spool, signal=name, content_type=form.content_type, account=self._outboxes[name])

    def _hurry(self, timeout_seconds: float, *, is_ending: bool = False) -> None:
        end_at = self._clock.monotonic() + timeout_seconds
        for thread in self._threads.values():
            thread.hurry(is_ending=is_ending)
        for thread in self._threads.values():
            thread.wait(end_at - self._clock.monotonic())

    def _do_asides(self) -> None:
        """Does what was put aside; one thread at a time, and in the order in which it came."""
        with self._aside_lock:
            while self._asides:
                work, _ = self._asides.popleft()
                work()


def _nothing() -> None:
    """Where nothing is put aside."""
