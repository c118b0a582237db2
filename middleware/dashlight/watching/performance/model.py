"""How good the predictions of one model are: measured as its labels come, and estimated until they do."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypedDict

from dashlight.counting.policy import Policy
from dashlight.judge.alerts import AlertWriter, ended
from dashlight.judge.implied_negatives import ImpliedNegatives
from dashlight.judge.performance.estimates.estimate import PerformanceEstimate
from dashlight.judge.performance.estimates.estimator import Estimator
from dashlight.judge.performance.estimates.known import ENOUGH_LABELS
from dashlight.judge.performance.estimates.record import EstimateRecord
from dashlight.judge.performance.feed import LabelFeed
from dashlight.judge.performance.parted import PARTED, PartedWatch
from dashlight.judge.performance.realised import REALISED, RealisedWatch
from dashlight.judge.performance.segments.losses import SEGMENTS_PART
from dashlight.labels.news import ScoredWindow
from dashlight.labels.rows import LabelledRows, ModelKey
from dashlight.labels.store import WaitingCounts
from dashlight.records import Alert, Score
from dashlight.watching.performance.figures import (
    ShownPerformance,
    ShownTimes,
    coverage_figures,
    estimate_figures,
    realised_figures,
    realised_values,
)
from dashlight.watching.performance.parts import PerformanceParts
from dashlight.watching.performance.state import PerformanceState
from dashlight.window.columns import Reference
from dashlight.window.fitting import refuse
from dashlight.window.performance.counts import counts_of_reference
from dashlight.window.performance.course import PerformanceCourse
from dashlight.window.performance.hours import hours_of
from dashlight.window.performance.newest_rows import NewestRows
from dashlight.window.reference.steps import Steps

_OTHER = "the labels are of another task, or of other classes, than those of the reference: what is usual is learned from them"


class _Budget(TypedDict):
    writer: AlertWriter
    panes: float
    share: float
    pane_seconds: float


class PerformanceWatch:
    """Measures and judges the predictions of one model whose labels have come, whichever processes made them."""

    def __init__(self, key: ModelKey, policy: Policy, reference: Reference | None, *, share: float) -> None:
        """*reference* is what the model is compared with, where it is known; *share* its part of the budget of false alarms."""
        self._policy = policy
        self._reference = reference
        self._unit = hours_of(policy.window_seconds, policy.label_window_seconds)
        self._spans = ShownTimes(policy.window_seconds, policy.label_window_seconds, self._unit)
        self._course = PerformanceCourse(policy.label_window_seconds, self._unit)
        self._record = EstimateRecord()
        self.newest = NewestRows()
        """For metrics of somebody's own; of this life of the process alone."""
        self._own: Sequence[Score] = ()
        self._latest: deque[LabelledRows] = deque()
        """At least ENOUGH_LABELS, where so many came in this life of the process."""
        self._estimate: PerformanceEstimate | None = None
        self._waiting: WaitingCounts | None = None
        self._in_force: dict[str, Alert] = {}
        self._shown: tuple[float, ShownPerformance] | None = None
        """What was made last, and when; None once something new has come."""
        self._findings: tuple[str, ...] = ()
        self._is_other = False
        within = policy.positive_within_seconds
        self.implied = ImpliedNegatives(within) if within else None
        """Whose silence is a label; None where nobody's is."""
        self._rows: list[LabelledRows] = []
        """Of the pane that is judged."""
        endpoint, model, version = key
        self._share = share
        self._budget: _Budget = {
            "writer": AlertWriter("performance", model=model, version=version, endpoint=endpoint),
            "panes": policy.panes_between_false_alarms,
            "share": share * (1 - SEGMENTS_PART) if policy.segments else share,
            "pane_seconds": policy.pane_seconds,
        }
        self._feed = LabelFeed(**self._budget)
        self._set_up_losses()

    @property
    def _compared(self) -> Reference | None:
        return None if self._is_other else self._reference

    def _set_up_losses(self) -> None:
        policy, reference = self._policy, self._compared
        known = None if reference is None else reference.performance
        hour_seconds, settle_seconds = self._unit.hour_seconds, policy.positive_within_seconds
        self._realised = RealisedWatch(known, **self._budget, settle_seconds=settle_seconds, hour_seconds=hour_seconds)
        self._parted = PartedWatch(known, **self._budget, settle_seconds=settle_seconds, hour_seconds=hour_seconds)
        self._estimator = None if reference is None else Estimator(reference, importance=policy.importance)
        self._usual = None if known is None else counts_of_reference(known)
        writer = self._budget["writer"]
        self.parts = PerformanceParts(
            policy, reference, self._realised, writer=writer, share=self._share, unit=self._unit
        )

    @property
    def state(self) -> PerformanceState:
        """What outlives the process."""
        return PerformanceState(
            reference="" if self._reference is None else self._reference.version,
            is_other=self._is_other,
            hour_seconds=self._unit.hour_seconds,
            course=self._course.state,
            realised=self._realised.state,
            parted=self._parted.state,
            feed=self._feed.state,
            estimated=self._record.state,
            implied=None if self.implied is None else self.implied.state,
            segments=self.parts.state,
        )

    def restore(self, state: PerformanceState) -> None:
        """Goes on from *state*; ValueError where it does not fit. Where the reference is another one by now, what was measured stays."""
        refuse("performance by other hours", where=state.hour_seconds != self._unit.hour_seconds)
        self._course.restore(state.course)
        self._feed.restore(state.feed)
        refuse("silence that is a label, or is none", where=(self.implied is None) != (state.implied is None))
        if self.implied is not None and state.implied is not None:
            self.implied.restore(state.implied)
        self._record.restore(state.estimated)
        alerts = [each.watch.alert for each in (state.realised, state.parted) if each.watch is not None]
        if state.reference == ("" if self._reference is None else self._reference.version):
            self._is_other = state.is_other
            self._set_up_losses()
            self._realised.restore(state.realised)
            self._parted.restore(state.parted)
            alerts += self.parts.restore(state.segments)
        else:
            alerts = []
        self._in_force = {
            alert.key: alert for alert in (*alerts, state.feed.silent, state.feed.late) if alert is not None
        }

    def compare_with(self, reference: Reference | None, at: float) -> Iterator[Alert]:
        """Compares with *reference* from now on; the alerts that end with the one before. What was measured stays."""
        self._reference, self._is_other, self._shown, self._estimate = reference, False, None, None
        yield from self._end_losses(at, "the reference was replaced")
        self._set_up_losses()

    @property
    def size_bytes(self) -> int:
        """Memory that its counts take."""
        return self._course.bytes + self.parts.bytes

    def take(self, rows: LabelledRows, at: float) -> Iterator[Alert | None]:
        """Counts and judges predictions whose labels came up to the moment *at*."""
        self._shown = None
        self._rows.append(rows)
        self._course.add(rows, at)
        self.newest.add(rows)
        self._latest.append(rows)
        while sum(each.row_count for each in self._latest) - self._latest[0].row_count >= ENOUGH_LABELS:
            self._latest.popleft()
        if self.implied is not None:
            self.implied.note_labels(rows)
        known = None if self._compared is None else self._compared.performance
        if known is not None and (
            known.task != rows.task or (known.task == "binary" and known.classes != rows.classes)
        ):
            yield from self._end_losses(at, _OTHER)
            self._is_other = True
            self._set_up_losses()
        self._know_silence()
        yield from self._observed(self._realised.take(rows, at))
        if self._estimator is not None:
            yield from self._observed(self._parted.take(rows, self._estimator.expected_losses(rows), at))
        yield from self._observed(self.parts.take(rows, at))

    def know(self, waiting: WaitingCounts | None, own: Sequence[Score] | None) -> None:
        """Takes how many predictions there are and how many of them have labels by now, and what metrics gave; None: no news."""
        if waiting is not None:
            self._waiting, self._shown = waiting, None
        if own is not None:
            self._own = own

    def estimate(self, window: ScoredWindow) -> Steps[None]:
        """In steps: estimates how good the predictions of a *window* are, whether labels of it have come or not."""
        if self._estimator is None:
            return
        estimate = yield from self._by_labels(self._estimator).estimate(window.rows)
        if not window.is_day:
            self._estimate = estimate
            yield from self.parts.estimate(window, self._by_labels(self._estimator), self._waiting)
            return
        self._record.keep(window.since_at, window.until_at, estimate)
        for each in self._record.windows:
            yield
            self._record.settle(
                each.ended_at, realised_values(self._course.by_prediction(each.began_at, each.ended_at))
            )

    def _by_labels(self, estimator: Estimator) -> Estimator:
        """What goes by the labels that came, where the reference has none."""
        is_silent = self._reference is None or self._reference.performance is None
        return estimator.with_labels(list(self._latest)) if is_silent and self._latest else estimator

    def close_pane(self, at: float, *, predictions: int = 0, unknown: int = 0) -> Iterator[Alert | None]:
        """Judges hours that ended with the pane that ended *at*; the alerts whose state changed.

        *predictions* were made in it, and *unknown* labels came that belong to no prediction.
        """
        self._know_silence()
        yield from self._observed(self._realised.take(None, at))
        yield from self._observed(self._parted.take(None, None, at))
        yield from self._observed(self.parts.close_pane(at, self._spans.since(at)))
        if self.implied is not None:
            self.implied.note_predictions(at, predictions)
        rows, self._rows = self._rows, []
        # The last of several takes the predictions, and the hours, of the pane.
        for each in rows[:-1]:
            yield from self._observed(self._feed.take(each, at, predictions=0))
        last = rows[-1] if rows else None
        yield from self._observed(self._feed.take(last, at, predictions=predictions, unknown=unknown))

    def _know_silence(self) -> None:
        """Before negatives are decided the positives of the same time would be judged alone."""
        if self.implied is not None:
            self._realised.know_silence(self.implied.decided_at)
            self._parted.know_silence(self.implied.decided_at)
            self.parts.know_silence(self.implied.decided_at)

    def _end_losses(self, at: float, reason: str) -> Iterator[Alert]:
        for part in (REALISED, PARTED):
            alert = self._in_force.pop(self._budget["writer"].key(part), None)
            if alert is not None:
                yield ended(alert, at, reason)
        yield from self.forget_segments(at, reason)

    def forget_segments(self, at: float, reason: str) -> Iterator[Alert]:
        """The alerts of segments, ended because these are watched no longer for this *reason*."""
        for alert in self.parts.forget_segments(at, reason):
            self._in_force.pop(alert.key, None)
            yield alert

    def withdraw(self, at: float, reason: str) -> Iterator[Alert]:
        """The alerts in force, ended because for this *reason* nothing is judged any more."""
        in_force, self._in_force = self._in_force, {}
        yield from (ended(alert, at, reason) for alert in in_force.values())

    @property
    def in_force(self) -> Iterator[str]:
        """Keys of the alerts that are pending or firing."""
        yield from self._in_force

    def scores(self, at: float) -> list[Score]:
        """The measures of the window that ends *at*, and what is known of its labels and of its estimate."""
        return [
            *self._figures(at).scores,
            *self._realised.scores(),
            *self._parted.scores(),
            *self._feed.scores(),
            *coverage_figures(self._waiting, at),
            *estimate_figures(self._estimate, self._record),
            *self.parts.scores(),
            *self._own,
        ]

    def news(self, at: float) -> Iterator[str]:
        """What is to be said that was not said before: why something is not known, what moved."""
        reason = self._estimate.detail if self._estimate is not None and self._estimate.reason is not None else ""
        named = [f"no estimate: {reason}" if reason else "", self._realised.finding, self._parted.finding]
        named.append(self._feed.take_finding())
        found = (*filter(None, named), *self._figures(at).words)
        known, self._findings = {_gist(each) for each in self._findings}, found
        yield from (sentence for sentence in found if _gist(sentence) not in known)

    def _figures(self, at: float) -> ShownPerformance:
        # Made anew where something came, or an hour began: labels leave the window hour by hour.
        since_at = self._spans.since(at)
        if self._shown is None or self._shown[0] != since_at:
            made = realised_figures(self._course, self._waiting, self._usual, self._spans, at)
            self._shown = since_at, made
        return self._shown[1]

    def _observed(self, alerts: Iterable[Alert | None]) -> Iterator[Alert | None]:
        for alert in alerts:
            if alert is None:
                pass
            elif alert.state in {"pending", "firing"}:
                self._in_force[alert.key] = alert
            else:
                self._in_force.pop(alert.key, None)
            yield alert


def _gist(sentence: str) -> str:
    """*sentence* without its numbers, which change without being news."""
    return "".join(character for character in sentence if not character.isdigit())
