"""What leaves the process of what the judges found, beside what routes are owed: lines of the log, and scores."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from dashlight.capture.ids import prediction_id
from dashlight.deliver.alerting.owed import DELIVERED, LOG, Owed
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import scores_event
from dashlight.judge.words import printable
from dashlight.records import Notice
from dashlight.watching.endpoint import Snapshot

logger = logging.getLogger("dashlight")

_MOST_SCORES_SENT = 400
"""Scores that an event holds; those of a model with more columns leave in several."""


class AlertPublisher:
    """Logs what is owed to the log, makes events of scores, and hands them to delivery."""

    def __init__(self, delivery: Delivery, owed: Owed, *, numbers: Iterator[int]) -> None:
        """*numbers* are those of the events of this process, in the order in which they are made."""
        self._delivery = delivery
        self._owed = owed
        self._numbers = numbers
        self._logged_counts: dict[str, int] = {}
        """By incident that is not over, how many alerts it had when it was logged last."""

    def log(self) -> None:
        """Logs each transition of an incident that is not logged yet, in one line; its growth where it has doubled."""
        while (notice := self._owed.next(LOG)) is not None:
            if notice.transition != "changed" or notice.alert_count >= 2 * self._logged_counts.get(notice.key, 1):
                _log(notice)
                self._logged_counts[notice.key] = notice.alert_count
            if notice.transition == "resolved":
                del self._logged_counts[notice.key]
            self._owed.settle(LOG, notice.id, DELIVERED)

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


def _log(notice: Notice) -> None:
    # The name of a model may come from an answer.
    where = " ".join(printable(part) for part in (notice.model, notice.endpoint) if part) or "this process"
    # What grows has woken whoever it wakes.
    level = logging.WARNING if notice.transition == "firing" else logging.INFO
    logger.log(level, "%s: %s: %s", notice.transition, where, notice.summary)
