"""From the first exchanges of an endpoint to the judge of its traffic: learned from what is steady, then watched. Pure.

Nothing is learned where a step parts what came, or where it fails more than the default limits allow: an outage during the
first minutes must not become what is usual. Those limits watch meanwhile.

While nothing is evident the reference goes on growing, by doubling: all that came since joins it where it looks like what
is held. Where it does not, the reference stays what it was, and as much again has to come, which is then compared together
with what was refused: what lasts is refused for ever, however slowly it came, and what was chance is not.
"""

from dataclasses import dataclass

import numpy as np

from dashlight.judge.evidence.null import SEASON_DEVIATIONS, Floats
from dashlight.judge.traffic.events import TrafficEvents
from dashlight.judge.traffic.floor import is_above_floor
from dashlight.judge.traffic.judge import Recent, TrafficJudge, TrafficJudgeState
from dashlight.judge.traffic.overdispersion import DAY_SECONDS, is_steady, ratio_of_neighbours
from dashlight.records import Alert, Score
from dashlight.window.fitting import refuse, within
from dashlight.window.outcomes import OutcomeCounts
from dashlight.window.reference.traffic import TrafficLearning, TrafficLearningState, TrafficReference

MOST_TIMES, MOST_TIMES_FAILING = 4, 16
"""Times the wanted exchanges after which the last of them are taken for the reference, steady or not; the second where it is
failures or refusals that keep changing. What is beyond the default limits is never taken."""
NEARLY = 0.99
"""The most that is told of learning before it is over."""
GROWS_TIMES = 8
"""Times the exchanges first learned from up to which the reference grows; and on until it has seen a day."""
QUIET_NATS = 11.0
"""Nats below the threshold above which there may be a change that is not evident yet: nothing is learned then."""
WORSE = 2.0
"""Standard errors by which an event may be more frequent than in the reference for what came since to join it: what is
refused wrongly costs power, an incident that is learned is never seen."""
GROWING_GATE = 0.5
"""Part of its gate by which an event may differ within a reference that grows."""


@dataclass(frozen=True, slots=True, eq=False)
class TrafficCourseState:
    """What outlives the process of a TrafficCourse."""

    kept: TrafficLearningState
    """What the reference is made of; before there is a judge, what was gathered so far."""
    growing: TrafficLearningState | None
    """None before there is a judge, and when the reference has grown enough."""
    judge: TrafficJudgeState | None
    times: int
    """At so many times what is kept it is asked next whether the reference may grow."""
    refused: int
    was_unsteady: bool
    is_unsteady: bool
    is_failing: bool


class TrafficCourse:
    """Learns what the traffic of one endpoint is like, then judges every pane against that."""

    def __init__(self, *, rows: int, panes: float, share: float, tolerance: float, endpoint: str = "") -> None:
        """*rows* is how many exchanges to learn from; the others are those of TrafficJudge."""
        self._kept = TrafficLearning(rows)
        """What the judge goes by; before there is one, what was gathered so far."""
        self._growing: TrafficLearning | None = None
        """That and what came after it; None before there is a judge, and when it has grown enough."""
        self._panes, self._share, self._tolerance, self._endpoint = panes, share, tolerance, endpoint
        self._judge: TrafficJudge | None = None
        self._times = 2
        """Times what is kept at which it is asked next whether the reference may grow."""
        self.refused = 0
        """How often what came since differed from the reference by too much to become part of it."""
        self.was_unsteady = False
        """Whether the exchanges to learn from changed while they came, so that it had to go on learning."""
        self.is_unsteady = False
        """Whether they did to the end: what was learned may be an incident."""
        self.is_failing = False
        """Whether it goes on learning because so much of what came failed or was refused."""

    @property
    def state(self) -> TrafficCourseState:
        """What outlives the process."""
        return TrafficCourseState(
            kept=self._kept.state,
            growing=None if self._growing is None else self._growing.state,
            judge=None if self._judge is None else self._judge.state,
            times=self._times,
            refused=self.refused,
            was_unsteady=self.was_unsteady,
            is_unsteady=self.is_unsteady,
            is_failing=self.is_failing,
        )

    def restore(self, state: TrafficCourseState) -> None:
        """Go on from *state*; ValueError where no panes lead to it."""
        self._kept.restore(state.kept)
        if state.judge is not None:
            refuse("a judge without a reference", where=not self._kept.rows)
            with np.errstate(all="ignore"):  # counts that contradict each other are refused by the judge
                judge = self._begin(self._kept, self._kept.reference())
            judge.restore(state.judge)
        refuse("a reference that grows where it must not", where=(state.growing is None) != (self._growing is None))
        if state.growing is not None and self._growing is not None:
            self._growing.restore(state.growing)
            refuse("a reference that shrinks", where=self._growing.rows < self._kept.rows)
        self._times = within("times to grow", state.times, 2)
        self.refused = within("how often growth was refused", state.refused)
        self.was_unsteady, self.is_unsteady = state.was_unsteady, state.is_unsteady
        self.is_failing = state.is_failing

    @property
    def judge(self) -> TrafficJudge | None:
        """None while it learns; another one whenever the reference has grown."""
        return self._judge

    def update(self, pane: OutcomeCounts, at: float, recent: Recent) -> list[Alert]:
        """Take the pane that ended *at*: learn from it, or judge it, and learn from it where nothing is evident."""
        if self._judge is not None:
            news = self._judge.update(pane, at, recent)
            if self._growing is not None and pane.exchanges:
                self._grow(self._judge, self._growing, pane)
            return news
        if pane.exchanges:
            self._kept.add(pane)
            if self._kept.is_full:
                self._finish(self._kept)
        return []

    def scores(self) -> list[Score]:
        """How far learning is; from how much was learned; and what of it kept changing."""
        rows = self._kept.rows
        share = min(self._kept.progress, NEARLY) if self._judge is None else 1.0
        scores = [Score(None, None, "traffic_reference_learned", share, share, share, rows)]
        if self._judge is not None:
            exchanges = float(rows)
            scores.append(Score(None, None, "traffic_reference_exchanges", exchanges, exchanges, exchanges, rows))
        if self.is_failing:
            scores.append(Score(None, None, "traffic_reference_failing", 1.0, 1.0, 1.0, rows))
        if self.is_unsteady or (self._judge is None and self.was_unsteady):
            scores.append(Score(None, None, "traffic_reference_unsteady", 1.0, 1.0, 1.0, rows))
        if self.refused:
            refused = float(self.refused)
            scores.append(Score(None, None, "traffic_reference_refused", refused, refused, refused, rows))
        return scores

    def _finish(self, learning: TrafficLearning) -> None:
        reference = learning.reference()
        events = TrafficEvents(reference.total)
        blocks = np.array([events.count(block) for block in reference.blocks])
        gates = events.gates(float(np.sqrt(self._tolerance)))
        self.is_failing = is_above_floor(reference.blocks)
        if self.is_failing or not is_steady(blocks, gates):
            self.was_unsteady = True
            failing = events.is_failure | events.is_refusal
            is_other = is_steady(blocks[:, :, failing], gates[failing])
            if self.is_failing or learning.tries < (MOST_TIMES if is_other else MOST_TIMES_FAILING):
                learning.forget_oldest()
                return
            self.is_unsteady = True
        self._begin(learning, reference)

    def _grow(self, judge: TrafficJudge, growing: TrafficLearning, pane: OutcomeCounts) -> None:
        kept = self._kept
        growing.add(pane)
        if judge.has_alerts or is_above_floor(growing.blocks):
            # An incident began before it was evident: nothing of what came since the reference is certain.
            self._growing, self._times = kept.copy(), 2
            return
        if growing.rows < self._times * kept.rows or judge.margin > -QUIET_NATS:
            return
        reference = growing.reference()
        if self._may_join(judge, reference):
            self._begin(growing, reference)
        else:
            self.refused += 1
            self._times *= 2

    def _may_join(self, judge: TrafficJudge, reference: TrafficReference) -> bool:
        """Whether what *reference* holds beyond that of *judge* looks like it: steady, and no event more frequent."""
        events, expected = judge.events, judge.expected
        natural = SEASON_DEVIATIONS * expected.tau
        limits = events.gates(float(np.sqrt(self._tolerance))) * GROWING_GATE + natural
        if not _is_steady(reference, events, limits):
            return False
        blocks = np.array([events.count(block) for block in reference.blocks])
        before, both = events.count(judge.reference.total), blocks.sum(axis=0)
        trials = np.maximum(np.stack([before[1], both[1] - before[1]]), 1.0)
        shares = np.clip(np.stack([before[0], both[0] - before[0]]) / trials, 0.0, 1.0)
        rise = np.diff(2 * np.arcsin(np.sqrt(shares)), axis=0)[0]
        # A short reference may have missed the bursts, which shows only now.
        phi = np.maximum(expected.phi, ratio_of_neighbours(blocks))
        return not bool(((rise > limits) & (rise - natural > WORSE * np.sqrt(phi * (1 / trials).sum(axis=0)))).any())

    def _begin(self, learning: TrafficLearning, reference: TrafficReference) -> TrafficJudge:
        """The judge by *reference*, which *learning* holds, from now on."""
        self._kept, self._times = learning, 2
        is_enough = learning.rows >= GROWS_TIMES * learning.rows_wanted and reference.seconds >= DAY_SECONDS
        self._growing = None if is_enough else learning.copy()
        self._judge = TrafficJudge(
            reference, panes=self._panes, share=self._share, tolerance=self._tolerance, endpoint=self._endpoint
        )
        return self._judge


def _is_steady(reference: TrafficReference, events: TrafficEvents, limits: Floats) -> bool:
    return is_steady(np.array([events.count(block) for block in reference.blocks]), limits)
