"""From the first exchanges of an endpoint to the judge of its traffic: learned from what is steady, then watched. Pure.

While nothing is evident the reference goes on growing, by doubling: all that came since joins it where it looks like what
is held. Where it does not, the reference stays what it was, and as much again has to come, which is then compared together
with what was refused: what lasts is refused for ever, however slowly it came, and what was chance is not.
"""

import numpy as np

from dashlight.judge.evidence.null import SEASON_DEVIATIONS, Floats
from dashlight.judge.traffic.events import TrafficEvents
from dashlight.judge.traffic.judge import Recent, TrafficJudge
from dashlight.judge.traffic.overdispersion import DAY_SECONDS, is_steady, ratio_of_neighbours
from dashlight.records import Alert, Score
from dashlight.window.outcomes import OutcomeCounts
from dashlight.window.reference.traffic import TrafficLearning, TrafficReference

GROWS_TIMES = 8
"""Times the exchanges first learned from up to which the reference grows; and on until it has seen a day."""
QUIET_NATS = 11.0
"""Nats below the threshold above which there may be a change that is not evident yet: nothing is learned then."""
WORSE = 2.0
"""Standard errors by which an event may be more frequent than in the reference for what came since to join it: what is
refused wrongly costs power, an incident that is learned is never seen."""
GROWING_GATE = 0.5
"""Part of its gate by which an event may differ within a reference that grows."""


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
        if self._judge is None:
            share = min(1.0, rows / self._kept.rows_wanted)
            found = [Score(None, None, "traffic_reference_learned", share, share, share, rows)]
        else:
            held = float(rows)
            found = [Score(None, None, "traffic_reference_exchanges", held, held, held, rows)]
        if self.is_unsteady or (self._judge is None and self.was_unsteady):
            found.append(Score(None, None, "traffic_reference_unsteady", 1.0, 1.0, 1.0, rows))
        if self.refused:
            refused = float(self.refused)
            found.append(Score(None, None, "traffic_reference_refused", refused, refused, refused, rows))
        return found

    def _finish(self, learning: TrafficLearning) -> None:
        reference = learning.reference()
        events = TrafficEvents(reference.total)
        if not _is_steady(reference, events, events.gates(float(np.sqrt(self._tolerance)))):
            self.was_unsteady = True
            if not learning.is_last_try:
                learning.forget_oldest()
                return
            self.is_unsteady = True
        self._begin(learning, reference)

    def _grow(self, judge: TrafficJudge, growing: TrafficLearning, pane: OutcomeCounts) -> None:
        kept = self._kept
        if judge.has_alerts:
            # An incident began before it was evident: nothing of what came since the reference is certain.
            if growing.rows > kept.rows:
                self._growing, self._times = kept.copy(), 2
            return
        growing.add(pane)
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

    def _begin(self, learning: TrafficLearning, reference: TrafficReference) -> None:
        """Judge by *reference* from now on."""
        self._kept, self._times = learning, 2
        is_enough = learning.rows >= GROWS_TIMES * learning.rows_wanted and reference.seconds >= DAY_SECONDS
        self._growing = None if is_enough else learning.copy()
        self._judge = TrafficJudge(
            reference, panes=self._panes, share=self._share, tolerance=self._tolerance, endpoint=self._endpoint
        )


def _is_steady(reference: TrafficReference, events: TrafficEvents, limits: Floats) -> bool:
    return is_steady(np.array([events.count(block) for block in reference.blocks]), limits)
