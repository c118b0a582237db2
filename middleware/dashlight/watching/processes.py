"""The processes of a machine, as they tell of themselves with every pane, and the limits on what they have in flight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashlight.counting.machine import ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.judge.traffic.rules import OF_PROCESS
from dashlight.judge.traffic.scores import quantities_of_process
from dashlight.judge.traffic.thresholds import CrossingState, ThresholdJudge
from dashlight.records import Alert
from dashlight.window.fitting import moment, within


class Processes:
    """How the processes stood when the last pane ended."""

    def __init__(self, policy: Policy) -> None:
        self._in_flight = ThresholdJudge([rule for rule in policy.rules if rule.quantity in OF_PROCESS])
        self.statuses: Mapping[str, ProcessStatus] = {}
        """Of those whose pane was in the last one."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.statuses)

    def __len__(self) -> int:
        return len(self.statuses)

    @property
    def crossings(self) -> tuple[CrossingState, ...]:
        """What outlives the process, beside the statuses."""
        return self._in_flight.state

    def restore(self, statuses: Mapping[str, ProcessStatus], crossings: tuple[CrossingState, ...]) -> None:
        """Goes on from there; ValueError where it cannot be true."""
        self.statuses = dict(statuses)
        for status in self.statuses.values():
            within("requests in flight", status.in_flight_count)
            within("requests that wait", status.waiting_count)
            within("exchanges that ended", status.answered_count)
            within("share of exchanges", status.rate, 0.0, 1.0)
            moment("end of a pane", status.ended_at)
        self._in_flight.restore(crossings)

    def judge(self, at: float) -> list[Alert]:
        """The alerts of limits on requests in flight whose state changed."""
        # A process that hangs is not well because others answer.
        stuck = [status.waiting_count for status in self.statuses.values() if not status.answered_count]
        measured = quantities_of_process(in_flight=self.in_flight_count, unanswered=sum(stuck))
        return self._in_flight.update(measured, at)

    @property
    def in_flight_count(self) -> int:
        """Requests that had begun and not ended, in all processes."""
        return sum(status.in_flight_count for status in self.statuses.values())

    @property
    def rate(self) -> float:
        """Share of the exchanges that is analysed, on average over the processes."""
        rates = [status.rate for status in self.statuses.values()]
        return sum(rates) / len(rates) if rates else 1.0
