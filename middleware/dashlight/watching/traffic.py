"""The traffic of one endpoint under watch: learned, then judged; its silence; and the traces that show what alerts say."""

import logging
from collections.abc import Iterator

from dashlight.counting.exchanges.kinds import trace_name
from dashlight.counting.policy import Policy
from dashlight.judge.traffic.course import TrafficCourse
from dashlight.judge.traffic.events import QUANTILES, Quantity
from dashlight.judge.traffic.judge import Recent
from dashlight.judge.traffic.rules import Rule
from dashlight.judge.traffic.silence import SilenceJudge
from dashlight.judge.words import percent, printable
from dashlight.records import Alert, Score
from dashlight.watching.state import EndpointState
from dashlight.window.outcome_panes import OutcomePanes
from dashlight.window.outcomes import OutcomeCounts
from dashlight.window.trace_ids import TraceIds

logger = logging.getLogger(__name__)

_SILENCE_PART = 0.25
"""Of an endpoint's traffic: for its falling silent."""
MOST_EXCLUDED = 0.05
"""Share of the rows that may be left out because of who asks without a word: nobody hides by a header."""
_EXCLUDED_SECONDS, _LEAST_ROWS = 3600.0, 100
"""It is measured over so long, on so many rows at least."""


class TrafficWatch:
    """Judges the outcomes of one endpoint, and remembers exchanges that show what alerts are about."""

    def __init__(self, name: str, policy: Policy, *, share: float) -> None:
        """*share* is the part of the budget of false alarms that the traffic of this endpoint has."""
        self._name, self._pane_seconds = printable(name), policy.pane_seconds
        budget = policy.panes_between_false_alarms
        self.course = TrafficCourse(
            rows=policy.reference_rows,
            panes=budget,
            share=share * (1 - _SILENCE_PART),
            tolerance=policy.tolerance,
            endpoint=name,
        )
        self.silence = SilenceJudge(
            pane_seconds=policy.pane_seconds, panes=budget, share=share * _SILENCE_PART, endpoint=name
        )
        self.outcomes = OutcomePanes()
        self.traces = TraceIds()
        self.told_unsteady = False
        """Whether it was told that what is learned keeps changing."""
        self.told_excluded = False
        """Whether it was told that many rows are left out because of who asks."""

    def restore(self, state: EndpointState) -> None:
        """Goes on from *state*; ValueError where it does not fit."""
        self.outcomes.restore(state.outcomes)
        self.course.restore(state.course)
        self.silence.restore(state.silence)
        self.traces.restore(state.traces)
        self.told_unsteady = state.told_unsteady
        self.told_excluded = state.told_excluded

    @property
    def in_force(self) -> frozenset[str]:
        """Names of the quantities whose alert is pending or firing."""
        return frozenset() if self.course.judge is None else self.course.judge.in_force

    def judge(self, pane: OutcomeCounts, at: float) -> Iterator[Alert]:
        """Learns from the *pane* that ended *at*, or judges it: the alerts whose state changed."""
        if pane.excluded_rows and not self.told_excluded:
            self._tell_excluded()
        course = self.course
        was_learning = course.judge is None
        yield from course.update(pane, at, Recent(self.outcomes.since, self._traces_of))
        if course.was_unsteady and not self.told_unsteady:
            self.told_unsteady = True
            why = "more of it fails or is refused than can be usual" if course.is_failing else "it keeps changing"
            logger.warning("%s: the traffic is not learned yet, for %s; the default limits watch", self._name, why)
        if was_learning and course.judge is not None:
            exchanges = course.judge.reference.total.exchanges
            logger.info("%s: learned from %d exchanges what the traffic is like", self._name, exchanges)

    def _tell_excluded(self) -> None:
        counts = self.outcomes.window(max(round(_EXCLUDED_SECONDS / self._pane_seconds), 1))
        share = counts.excluded_rows / counts.rows
        if counts.rows >= _LEAST_ROWS and share > MOST_EXCLUDED:
            self.told_excluded = True
            told = self._name, percent(share)
            logger.warning(
                "%s: %s of the rows come by agents of DASHLIGHT_EXCLUDED_AGENTS and are not judged; told once", *told
            )

    def traces_of_rule(self, rule: Rule, since_at: float) -> tuple[str, ...]:
        """Trace ids of exchanges after *since_at* that show what crosses *rule*."""
        return self.traces.since(since_at, *self.traces.like(trace_name(rule)))

    def scores(self) -> list[Score]:
        """How far learning is, and what is known of silence."""
        return [*self.course.scores(), *self.silence.scores()]

    def _traces_of(self, quantity: Quantity, since_at: float) -> tuple[str, ...]:
        """Trace ids of exchanges that show what an alert is about, of the slow ones the slowest first."""
        names = [f"{quantity.name} {quantile}" for quantile in reversed(QUANTILES)]
        names += [f"{quantity.name} {quantity.kind}" if quantity.kind else quantity.name]
        return self.traces.since(since_at - self._pane_seconds, *names)
