"""Whether labels come as they used to: that they stop, take longer, or belong to no prediction. Pure.

Stopping and lateness each have half of FEED_PART of the budget of performance. That labels belong to no prediction is told
once, beside the budget: it is no matter of chance.
"""

from dataclasses import dataclass

import numpy as np

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase
from dashlight.judge.performance.label_lateness import DAY_SECONDS, LabelLateness, LabelLatenessState
from dashlight.judge.performance.label_silence import HOUR_SECONDS, LabelSilence, LabelSilenceState
from dashlight.judge.words import percent, span
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.records import Alert, Score
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, refuse, within

FEED_PART = 0.10
"""Of the budget of performance."""
SILENT, LATE = "labels", "label_delay"
LEAST_UNKNOWN = 100
MOSTLY = 0.5
"""Share of labels without a prediction from which on their ids are said to be wrong."""
SELDOM = 0.1
"""Below which it is forgotten that it was said."""
SETTLED_SECONDS = 60.0
"""After the first label: a prediction is written a moment after its answer, and quick labels come before."""
EARLIER_HALF, MOST = 0.5, 0.9


@dataclass(frozen=True, slots=True, eq=False)
class LabelFeedState:
    """What a LabelFeed remembers."""

    silence: LabelSilenceState
    lateness: LabelLatenessState
    silent: Alert | None
    """As it was last told; None where none is in force."""
    late: Alert | None
    silent_for: int
    """Steps for which labels have been silent."""
    known: float
    """Labels of about the last day that found their prediction; those that did not."""
    unknown: float
    taken_at: float
    """When labels were last counted; -LATEST_AT: never."""
    began_at: float
    """When the first came that found none or one; LATEST_AT: never."""
    is_told: bool
    """Whether it was said that most have no prediction."""


class LabelFeed:
    """Watches how the labels of one model come."""

    def __init__(self, *, writer: AlertWriter, panes: float, share: float, pane_seconds: float) -> None:
        """*panes* is the mean number of panes between false alarms, of whose budget performance has the *share*."""
        seconds = panes * pane_seconds / (share * FEED_PART / 2)
        self._writer = writer
        self._silence = LabelSilence(seconds / HOUR_SECONDS)
        self._lateness = LabelLateness(seconds / DAY_SECONDS)
        self._silent, self._late = LifeCycle(), LifeCycle()
        self._silent_for = 0
        self._known = self._unknown = 0.0
        self._taken_at, self._began_at = -LATEST_AT, LATEST_AT
        self._is_told = False

    @property
    def state(self) -> LabelFeedState:
        """What outlives the process."""
        return LabelFeedState(
            silence=self._silence.state,
            lateness=self._lateness.state,
            silent=self._silent.alert,
            late=self._late.alert,
            silent_for=self._silent_for,
            known=self._known,
            unknown=self._unknown,
            taken_at=self._taken_at,
            began_at=self._began_at,
            is_told=self._is_told,
        )

    def restore(self, state: LabelFeedState) -> None:
        """Go on from *state*; ValueError where no labels lead to it."""
        self._silence.restore(state.silence)
        self._lateness.restore(state.lateness)
        for told, name in ((state.silent, SILENT), (state.late, LATE)):
            refuse("an alert of something else", where=told is not None and told.key != self._writer.key(name))
        self._silent.restore(state.silent)
        self._late.restore(state.late)
        refuse("an alert that is not the state's", where=self._late.is_firing != self._lateness.is_firing)
        self._silent_for = within("steps of silence", state.silent_for)
        self._known = within("labels", state.known)
        self._unknown = within("labels without a prediction", state.unknown)
        self._taken_at = within("when labels came", state.taken_at, -LATEST_AT, LATEST_AT)
        self._began_at = within("the first label", state.began_at, -LATEST_AT, LATEST_AT)
        self._is_told = state.is_told

    def take(self, rows: LabelledRows | None, at: float, *, predictions: int, unknown: int = 0) -> list[Alert]:
        """Take a pane: *rows* whose labels came until *at*, how many *predictions* were made, and how many labels had none.

        Of *unknown* labels those are taken off that had none in a pane before, and have found it since: it may be negative.
        Rows to which silence gave a label are no news of the feed. Returns the news of its alerts.
        """
        said = np.zeros(0, np.bool_) if rows is None else ~rows.is_implied
        delays = np.zeros(0) if rows is None else (rows.labelled_at - rows.predicted_at)[said]
        self._count(len(delays), unknown, at)
        news = self._judge_delays(delays, at)
        usual = self._lateness.quantile(EARLIER_HALF), self._lateness.quantile(MOST)
        last_at = self._silence.last_at
        self._silence.take(at, labels=len(delays) + max(unknown, 0), predictions=predictions, delays=usual)
        return news + self._judge_silence(at, last_at)

    def take_finding(self) -> str:
        """That most labels belong to no prediction, in a sentence, once; empty where there is nothing to say."""
        total = self._known + self._unknown
        share = self._unknown / max(total, 1.0)
        if self._is_told:
            self._is_told = share >= SELDOM
            return ""
        is_young = self._taken_at - self._began_at < SETTLED_SECONDS
        if is_young or self._unknown < LEAST_UNKNOWN or share < MOSTLY:
            return ""
        self._is_told = True
        return (
            f"{percent(share)} of the labels of about a day have the id of no prediction: it is likely another id than "
            "that of the prediction"
        )

    def scores(self) -> list[Score]:
        """How long labels take, of about the last 2,000; none where none came."""
        rows = self._lateness.rows
        if not rows:
            return []
        names = {"label_delay_median_seconds": 0.5, "label_delay_p90_seconds": 0.9}
        found = [(name, self._lateness.quantile(share)) for name, share in names.items()]
        return [Score(None, None, name, value, value, value, rows) for name, value in found]

    def _count(self, known: int, unknown: int, at: float) -> None:
        kept = float(np.exp(-max(at - self._taken_at, 0.0) / DAY_SECONDS))
        self._known = min(self._known * kept + known, MOST_COUNT)
        self._unknown = min(max(self._unknown * kept + unknown, 0.0), MOST_COUNT)
        self._taken_at = at
        if known or unknown:
            self._began_at = min(self._began_at, at)

    def _judge_delays(self, delays: Floats, at: float) -> list[Alert]:
        lateness = self._lateness
        since_at = lateness.quiet_at
        state = lateness.take(delays, at)
        if state == "resolved":
            return self._late.end(at, "labels come as soon as they used to")
        if state != "firing" or self._late.is_firing:
            return []
        border, usual = lateness.usual

        def describe(phase: Phase) -> Alert:
            share = lateness.late_share
            summary = f"labels come later than usual: {percent(share)} took over {span(border)}, {percent(usual)} did"
            return self._writer.write(LATE, phase=phase, summary=summary, rows=lateness.rows, score=share - usual)

        return self._late.step(Phase("firing", at, since_at), describe)

    def _judge_silence(self, at: float, last_at: float) -> list[Alert]:
        silence = self._silence
        if silence.times < 1:
            self._silent_for = 0
            return self._silent.end(at, f"labels come again after {span(max(at - last_at, 1.0))}")
        self._silent_for += 1

        def describe(phase: Phase) -> Alert:
            missed, longest = round(silence.gap), round(silence.longest)
            summary = (
                f"no label for {span(max(at - silence.last_at, 1.0))}: {missed:,} hours in which labels usually come; "
                f"the longest pause was of {longest:,}"
            )
            return self._writer.write(SILENT, phase=phase, summary=summary, rows=0, score=at - silence.last_at)

        return self._silent.step(Phase("firing", at, silence.last_at), describe, fired_for=self._silent_for)
