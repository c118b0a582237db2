"""What leaves the process of what the judges found: alerts by their routes and in the log, heartbeats, and scores."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dashlight.capture.ids import prediction_id
from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.heartbeat import Heartbeat, Pulse
from dashlight.deliver.alerting.owed import DELIVERED, LOG
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import scores_event
from dashlight.deliver.encoding.slices import slice_told
from dashlight.deliver.encoding.version_events import version_decided_event
from dashlight.judge.versions.report import VersionReport
from dashlight.judge.words import printable
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice
from dashlight.runtime.loss_log import tell_owed
from dashlight.watching.endpoint import Snapshot
from dashlight.workers.closing import Turn

logger = logging.getLogger("dashlight")

_MOST_SCORES_SENT = 400
"""Scores that an event holds; those of a model with more columns leave in several."""


class AlertPublisher:
    """Logs what is owed to the log, wakes the couriers of what is owed to routes, and sends heartbeats and scores."""

    def __init__(
        self,
        delivery: Delivery,
        couriers: Couriers,
        heartbeats: Sequence[Heartbeat],
        *,
        numbers: Iterator[int],
        shutdown_seconds: float,
    ) -> None:
        """*couriers* deliver what is owed, at the end for half of *shutdown_seconds*.

        *heartbeats* hear of every pane that was judged. *numbers* are those of the events of this process, in the order
        in which they are made.
        """
        self._delivery = delivery
        self._couriers, self._owed = couriers, couriers.owed
        self._heartbeats = heartbeats
        self._numbers = numbers
        self._drain_seconds = shutdown_seconds / 2
        self._logged_counts: dict[str, int] = {}
        """By incident that is not over, how many alerts it had when it was logged last."""
        self._located: set[str] = set()
        """Those of which the log says where they hurt."""

    def tell(self, turn: Turn, at: float) -> None:
        """Tells what came of a *turn* that ended *at*."""
        self.log()
        self._couriers.wake()
        for heartbeat in self._heartbeats if turn.has_pane else ():
            heartbeat.tell(Pulse(at, len(turn.watch.processes), len(turn.watch.in_force)))

    @property
    def owed_counts(self) -> Mapping[str, int]:
        """Alerts that each route has not answered for."""
        return self._owed.counts()

    def fates(self) -> dict[SignalFate, int]:
        """What became of alerts and heartbeats since the start."""
        found = dict(self._couriers.fates())
        for heartbeat in self._heartbeats:
            found |= {fate: found.get(fate, 0) + more for fate, more in heartbeat.fates().items()}
        return found

    def flush(self, timeout_seconds: float) -> int:
        """Waits for what is owed, at most so long; how much still is."""
        return self._couriers.drain(timeout_seconds)

    def leave(self) -> Mapping[str, int]:
        """Delivers at once what it can of what is owed; how much each route is still owed."""
        self._couriers.interrupt()
        self._couriers.drain(self._drain_seconds)
        return self._owed.counts()

    def close(self, timeout_seconds: float) -> None:
        """Delivers what it can within *timeout_seconds*, and stops."""
        for heartbeat in self._heartbeats:
            heartbeat.close()
        self._couriers.close(timeout_seconds)
        tell_owed(self._owed.counts(), is_kept=False)

    def log(self) -> None:
        """Logs each transition of an incident that is not logged yet, in one line; its growth where it has doubled, or a slice was found."""
        while (notice := self._owed.next(LOG)) is not None:
            found = slice_told(notice.alerts)
            is_located = found is not None and found.state == "found" and notice.key not in self._located
            has_grown = notice.alert_count >= 2 * self._logged_counts.get(notice.key, 1)
            if notice.transition != "changed" or has_grown or is_located:
                _write(notice)
                self._logged_counts[notice.key] = notice.alert_count
                self._located |= {notice.key} if is_located else set()
            if notice.transition == "resolved":
                del self._logged_counts[notice.key]
                self._located.discard(notice.key)
            self._owed.settle(LOG, notice.id, DELIVERED)

    def send_decided(self, reports: Iterable[VersionReport]) -> None:
        """Sends what was decided of two versions."""
        for report in reports if self._delivery.takes_events else ():
            identifier = prediction_id(report.decided_at)
            self._delivery.send_event(version_decided_event(report, identifier=identifier, seq=next(self._numbers)))

    def send_scores(self, snapshots: Iterable[Snapshot], *, endpoint: str, at: float) -> None:
        """Send the scores of one endpoint at the moment *at*."""
        if not self._delivery.takes_events:
            return
        for snapshot in snapshots:
            for first in range(0, len(snapshot.scores), _MOST_SCORES_SENT):
                event = scores_event(
                    snapshot.scores[first : first + _MOST_SCORES_SENT],
                    at=at,
                    identifier=prediction_id(at),
                    seq=next(self._numbers),
                    endpoint=endpoint,
                    model=snapshot.model,
                    version=snapshot.version,
                    state=snapshot.state,
                )
                self._delivery.send_event(event)


def _write(notice: Notice) -> None:
    # The name of a model may come from an answer.
    where = " ".join(printable(part) for part in (notice.model, notice.endpoint) if part) or "this process"
    # What grows has woken whoever it wakes.
    level = logging.WARNING if notice.transition == "firing" else logging.INFO
    logger.log(level, "%s: %s: %s", notice.transition, where, notice.summary)
