"""How long labels take, and whether they take longer than they used to. Pure.

Delays are counted in bins of a fourth of a doubling. What is usual is learned in a span of time that is as long as all that
went before, once nearly all delays in it are shorter than what went before: else the long ones are missing still. From then
on the share of labels that take longer than nine of ten usually do is watched like a loss, in batches of a day. How much it
varies from day to day is learned in the first WARM_DAYS of them, in which nothing alarms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.hysteresis import Hysteresis, HysteresisState
from dashlight.judge.performance.loss_evidence import LossEvidence, LossEvidenceState
from dashlight.judge.performance.losses import PARTS, LossStrata, strata_of
from dashlight.labels.rows import Floats
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, refuse, within

DAY_SECONDS = 86_400.0
DELAY_BINS = 128
BINS_A_DOUBLING = 4
FIRST_SPAN_SECONDS = 3.5 * DAY_SECONDS
LEAST_LEARNED = 1_000
NEARLY_ALL = 0.99
USUAL_SHARE = 0.1
"""Of labels that take longer than usual, about."""
TOLERANCE = 0.05
"""By which that share may rise."""
WARM_DAYS = 14
RECENT_LABELS = 2_000.0
"""Labels after which one weighs 1/e in what is displayed."""
LEAST_BACK = 3
"""Days that must show that it is over, at least; else as many as it took to fire."""
MOST_BACK = 64


@dataclass(frozen=True, slots=True, eq=False)
class LabelLatenessState:
    """What a LabelLateness remembers."""

    recent: Floats
    """Delays of the last labels, older ones weighing less, shape (DELAY_BINS,)."""
    learning: Floats
    """Delays of the present span, likewise not weighed; of the span that was learned once it was."""
    began_at: float
    """When the first label came; -LATEST_AT: never. When the span began, and when the open day did, follow."""
    span_at: float
    day_at: float
    border: int
    """First bin of what takes longer than usual; -1 where that is not known."""
    open_rows: float
    open_late: float
    """Rows of the open day, and those that took longer."""
    evidence: LossEvidenceState | None
    days: int
    """That were judged."""
    took: int
    """Days from the first evidence to the alert; 0 where it does not fire. Since then, the last days' rows and late ones."""
    since: Floats
    quiet_at: float
    """When a day last ended without any evidence."""
    hysteresis: HysteresisState


class LabelLateness:
    """The delays of the labels of one model."""

    def __init__(self, days_between: float) -> None:
        """*days_between*: mean number of days between false alarms."""
        self._days_between = days_between
        self._recent, self._learning = np.zeros(DELAY_BINS), np.zeros(DELAY_BINS)
        self._began_at = self._span_at = self._day_at = self.quiet_at = -LATEST_AT
        self._border = -1
        self._open_rows = self._open_late = 0.0
        self._strata: LossStrata | None = None
        self._evidence: LossEvidence | None = None
        self._days, self._took = 0, 0
        self._since: Floats = np.zeros((0, 2))
        self._hysteresis = Hysteresis()

    @property
    def state(self) -> LabelLatenessState:
        """What is remembered: the arrays themselves."""
        return LabelLatenessState(
            recent=self._recent,
            learning=self._learning,
            began_at=self._began_at,
            span_at=self._span_at,
            day_at=self._day_at,
            border=self._border,
            open_rows=self._open_rows,
            open_late=self._open_late,
            evidence=None if self._evidence is None else self._evidence.state,
            days=self._days,
            took=self._took,
            since=self._since,
            quiet_at=self.quiet_at,
            hysteresis=self._hysteresis.state,
        )

    def restore(self, state: LabelLatenessState) -> None:
        """Go on from *state*; ValueError where no labels lead to it."""
        self._recent = fitted("recent delays", state.recent, like=self._recent, least=0, most=MOST_COUNT)
        self._learning = fitted("delays", state.learning, like=self._learning, least=0, most=MOST_COUNT)
        moments = (state.began_at, state.span_at, state.day_at, state.quiet_at)
        self._began_at, self._span_at, self._day_at, self.quiet_at = (
            within("a moment of labels", at, -LATEST_AT, LATEST_AT) for at in moments
        )
        self._border = within("border of delays", state.border, -1, DELAY_BINS)
        refuse("evidence on what is not known", where=(state.border == -1) != (state.evidence is None))
        self._open_rows = within("labels of a day", state.open_rows)
        self._open_late = within("late labels", state.open_late, 0, state.open_rows)
        if state.evidence is not None:
            refuse("delays learned of no label", where=not state.learning.any())
            self._begin(state.border).restore(state.evidence)
        self._days = within("days", state.days)
        self._hysteresis.restore(state.hysteresis)
        is_firing = self.is_firing
        self._took = within(
            "days until it fired", state.took, LEAST_BACK if is_firing else 0, MOST_BACK if is_firing else 0
        )
        count = within("days since it fired", len(state.since), 0, MOST_BACK if is_firing else 0)
        self._since = fitted("days since it fired", state.since, like=np.empty((count, 2)), least=0, most=MOST_COUNT)

    @property
    def is_firing(self) -> bool:
        """Whether labels take too long."""
        return self._hysteresis.alert_state == "firing"

    @property
    def rows(self) -> int:
        """Recent labels, as far as they count."""
        return round(float(self._recent.sum()))

    def quantile(self, share: float) -> float:
        """The delay in seconds that this *share* of recent labels does not exceed; 0 without any."""
        return _quantile(self._recent, share)

    @property
    def usual(self) -> tuple[float, float]:
        """The delay that is long, in seconds, and the share of labels that usually take longer."""
        return _seconds(self._border), float(self._learning[self._border :].sum() / max(self._learning.sum(), 1.0))

    @property
    def late_share(self) -> float:
        """The share of recent labels that took longer than usual."""
        return float(self._recent[self._border :].sum() / max(float(self._recent.sum()), 1e-12))

    def take(self, delays: Floats, at: float) -> str:
        """Take the *delays* of labels that came until *at*: `firing`, `resolved` or `inactive` after it."""
        if len(delays):
            if self._began_at == -LATEST_AT:
                self._began_at = self._span_at = self._day_at = at
            places = _bins_of(delays)
            counts = np.bincount(places, minlength=DELAY_BINS).astype(np.float64)
            self._recent = self._recent * np.exp(-len(delays) / RECENT_LABELS) + counts
            if self._border < 0:
                self._learning = self._learning + counts
            else:
                self._open_rows += len(delays)
                self._open_late += float((places >= self._border).sum())
        if self._began_at == -LATEST_AT:
            return "inactive"
        if self._border < 0:
            self._learn(at)
            return "inactive"
        if at - self._day_at < DAY_SECONDS:
            return "firing" if self.is_firing else "inactive"
        return self._end_day(at)

    def _learn(self, at: float) -> None:
        before = self._span_at - self._began_at
        if at - self._span_at < max(before, FIRST_SPAN_SECONDS):
            return
        is_complete = before > 0 and self._learning.sum() >= LEAST_LEARNED
        if is_complete and _quantile(self._learning, NEARLY_ALL) <= before:
            above = self._learning[::-1].cumsum()[::-1] / self._learning.sum()
            border = int(np.flatnonzero(above > USUAL_SHARE)[-1]) + 1
            self._begin(border)
            self._border, self._day_at, self.quiet_at = border, at, at
        else:
            self._learning = np.zeros(DELAY_BINS)
            self._span_at = at

    def _begin(self, border: int) -> LossEvidence:
        rows = np.array([self._learning.sum()])
        late = np.array([self._learning[border:].sum()])
        self._strata = strata_of(rows, late, late)
        self._evidence = LossEvidence(self._strata, batches=self._days_between, tolerance=TOLERANCE)
        return self._evidence

    def _end_day(self, at: float) -> str:
        rows, late = self._open_rows, self._open_late
        self._open_rows = self._open_late = 0.0
        self._day_at = at
        evidence, strata = self._evidence, self._strata
        if not rows or evidence is None or strata is None:
            return "firing" if self.is_firing else "inactive"
        self._days += 1
        counted = np.zeros((1, PARTS))
        counted[0, 0], counted[0, -2], counted[0, -1] = rows - late, late, rows * strata.means[0]
        margin = evidence.update(counted, learns=not self.is_firing)
        if self._days <= WARM_DAYS:
            evidence.reset()
            self.quiet_at = at
            return "inactive"
        if self.is_firing:
            self._since = np.concatenate([self._since, np.array([[rows, late]])])[-MOST_BACK:]
        state = self._hysteresis.step(
            self._days, is_evident=margin >= 0, fires=lambda: True, gone_for=lambda: self._gone_for(strata)
        )
        if state == "firing" and not self._took:
            self._took = int(np.clip((at - self.quiet_at) / DAY_SECONDS, LEAST_BACK, MOST_BACK))
        if state == "resolved":
            evidence.reset()
            self._took, self._since = 0, np.zeros((0, 2))
        if state == "inactive" and late <= rows * (strata.means[0] + TOLERANCE):
            self.quiet_at = at
        return state

    def _gone_for(self, strata: LossStrata) -> float | None:
        needed = min(self._took * self._hysteresis.patience, MOST_BACK)
        if len(self._since) < needed:
            return None
        rows, late = self._since[-needed:].sum(0).tolist()
        return float(needed) if late <= rows * (strata.means[0] + TOLERANCE) else None


def _bins_of(delays: Floats) -> NDArray[np.intp]:
    """The bin of each delay; one that is negative or no number counts as none."""
    at_least = np.nan_to_num(np.maximum(delays, 0.0), nan=0.0, posinf=LATEST_AT)
    places: NDArray[np.intp] = (BINS_A_DOUBLING * np.log2(1 + at_least)).astype(np.intp)
    return np.minimum(places, DELAY_BINS - 1)


def _seconds(place: int) -> float:
    """Where the bin at *place* begins."""
    return float(2 ** (place / BINS_A_DOUBLING) - 1)


def _quantile(counts: Floats, share: float) -> float:
    total = float(counts.sum())
    if total <= 0:
        return 0.0
    place = int(np.searchsorted(counts.cumsum(), share * total))
    return _seconds(min(place, DELAY_BINS - 1) + 1)
