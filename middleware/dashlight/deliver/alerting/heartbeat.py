"""A heartbeat: while it comes, this machine's models are judged; its silence is the alarm.

It is made of panes and of nothing else. There is no clock that would beat on while the analysis is dead: a beat leaves only
after a pane was judged since the beat before.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from dashlight.clock import Clock
from dashlight.deliver.alerting.attempts import Attempts, verdict
from dashlight.deliver.alerting.document import AlertContext, time_text
from dashlight.deliver.encoding.cloudevents import timestamp
from dashlight.deliver.transport.health import Health
from dashlight.deliver.untraced import suppress_instrumentation
from dashlight.errors import traced
from dashlight.metrics.losses import SignalFate

HeartbeatKind: TypeAlias = Literal["alertmanager", "webhook"]

INTERVAL_SECONDS = 60.0
_EARLY_SECONDS = 6.0
"""By which a beat may come early, so that a pane need not wait for the next one."""
RETRY_SECONDS = 10.0
LASTS_INTERVALS = 4
"""An alert that is not told again ends after so many intervals."""
ALERT_NAME = "DashlightHeartbeat"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pane that was judged."""

    at: float
    """When it ended, seconds since the epoch."""
    worker_count: int
    """Processes whose rows are judged."""
    firing_count: int
    """Alerts in force."""


class Heartbeat:
    """Beats at one address once a minute, or once a pane where that is longer, on a thread of its own."""

    def __init__(
        self,
        name: str,
        kind: HeartbeatKind,
        attempts: Attempts,
        *,
        context: AlertContext,
        clock: Clock,
        pane_seconds: float,
    ) -> None:
        self._name = name
        self._kind = kind
        self._attempts = attempts
        self._context = context
        self._clock = clock
        self._interval_seconds = max(INTERVAL_SECONDS, pane_seconds)
        self._health = Health(f"heartbeats for {name}")
        self._pulse: Pulse | None = None
        """The latest pane that no beat has told of."""
        self._pulse_by = self._due_by = float("-inf")
        """Moments of the monotonic clock: when the pulse came, and when the next beat may leave."""
        self._began_at = 0.0
        self._counts = {"delivered": 0, "undelivered": 0}
        self._nudge = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def tell(self, pulse: Pulse) -> None:
        """Notes that a pane was judged; the thread starts with the first one."""
        self._pulse, self._pulse_by = pulse, self._clock.monotonic()
        self._began_at = self._began_at or pulse.at
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="dashlight-heartbeat", daemon=True)
            self._thread.start()
        self._nudge.set()

    def step(self) -> float | None:
        """One attempt, if one is due; seconds until it is worth trying again, None: with the next pane."""
        pulse, now = self._pulse, self._clock.monotonic()
        if pulse is None or now < self._due_by:
            return None
        if now - self._pulse_by > self._interval_seconds:
            # It says no longer that anything is judged now.
            self._pulse = None
            return None
        answer = self._attempts.post(self._body(pulse), key=f"{self._context.instance}.{pulse.at:.3f}")
        found = verdict(answer, at=self._clock.now())
        if found.outcome == "delivered":
            self._counts["delivered"] += 1
            self._health.delivered()
            self._due_by = now + self._interval_seconds - _EARLY_SECONDS
            if self._pulse is pulse:
                self._pulse = None
            return None
        self._counts["undelivered"] += 1
        if found.outcome == "retry":
            self._health.failed(answer)
        else:
            self._health.misconfigured(answer, at=now)
        self._due_by = now + RETRY_SECONDS
        return RETRY_SECONDS

    def fates(self) -> Mapping[SignalFate, int]:
        """How many arrived, and how many attempts were in vain."""
        told = {
            SignalFate("heartbeats", "delivered"): self._counts["delivered"],
            SignalFate("heartbeats", "dropped", "undelivered"): self._counts["undelivered"],
        }
        return {fate: count for fate, count in told.items() if count}

    def close(self) -> None:
        """Ends the thread after the attempt that is under way. There is no last beat: the silence is meant."""
        self._stopping = True
        self._nudge.set()

    def _run(self) -> None:
        suppress_instrumentation()
        wait_seconds: float | None = None
        while not self._stopping:
            self._nudge.wait(wait_seconds)
            self._nudge.clear()
            try:
                wait_seconds = self.step()
            except Exception as error:
                # No message: it may hold the address, which is a secret.
                _logger.error("the heartbeat for %s stumbled and goes on: %s", self._name, traced(error))  # noqa: TRY400
                self._counts["undelivered"] += 1
                wait_seconds = RETRY_SECONDS
        self._attempts.close()

    def _body(self, pulse: Pulse) -> bytes:
        context = self._context
        told = {
            "judged_at": time_text(pulse.at),
            "workers": str(pulse.worker_count),
            "alerts_in_force": str(pulse.firing_count),
        }
        if self._kind == "webhook":
            named = {"heartbeat": "dashlight", "service": context.service, "instance": context.instance}
            return msgspec.json.encode({**named, **told})
        labels = {
            "alertname": ALERT_NAME,
            "severity": "none",
            "service": context.service,
            "service_instance_id": context.instance,
        }
        alert = {
            "labels": {name: text for name, text in labels.items() if text},
            "annotations": {"summary": "Dashlight judges; tell somebody when this ends", **told},
            "startsAt": timestamp(min(self._began_at, pulse.at)),
            "endsAt": timestamp(self._clock.now() + LASTS_INTERVALS * self._interval_seconds),
        }
        return msgspec.json.encode([alert])
