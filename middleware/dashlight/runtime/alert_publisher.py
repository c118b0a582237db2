"""What leaves the process of what the judges found: alerts, in the log and as events, and scores."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from dashlight.capture.ids import prediction_id
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import alert_event, scores_event
from dashlight.judge.words import listed, printable
from dashlight.records import Alert
from dashlight.watching.endpoint import Snapshot

logger = logging.getLogger("dashlight")

_MOST_SCORES_SENT = 400
"""Scores that an event holds; those of a model with more columns leave in several."""


class AlertPublisher:
    """Logs alerts, makes events of alerts and scores, and hands them to delivery."""

    def __init__(self, delivery: Delivery, *, trace_url: str, numbers: Iterator[int]) -> None:
        """*numbers* are those of all events of this process, in the order in which they are made."""
        self._delivery = delivery
        self._trace_url = trace_url
        self._numbers = numbers

    def publish(self, alerts: Iterable[Alert]) -> None:
        """Log and send alerts whose state changed."""
        for alert in alerts:
            self._log(alert)
            identifier = prediction_id(alert.at)
            event = alert_event(alert, identifier=identifier, seq=next(self._numbers), trace_url=self._trace_url)
            self._delivery.send_event(event)

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

    def _log(self, alert: Alert) -> None:
        # The name of a model may come from an answer.
        where = " ".join(printable(part) for part in (alert.model, alert.endpoint) if part) or "this process"
        if alert.state == "firing":
            beside = f" (together with {listed(alert.moved_with)})" if alert.moved_with else ""
            logger.warning("firing: %s: %s%s", where, alert.summary, beside)
        elif alert.state == "resolved":
            logger.info("resolved: %s: %s", where, alert.summary)
