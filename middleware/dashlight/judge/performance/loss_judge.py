"""Labelled rows of one model, against a reference that knows their losses or against what was learned of the first. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.alarm_words import LossMeasure
from dashlight.judge.performance.loss_cohorts import MOST_COHORTS
from dashlight.judge.performance.loss_evidence import LEVEL
from dashlight.judge.performance.loss_learning import LEARNED_BINS, LEARNED_ROWS, LossLearning, LossLearningState
from dashlight.judge.performance.loss_watch import LossNews, LossSetting, LossWatch, LossWatchState
from dashlight.judge.performance.losses import LossScale, LossStrata, raw_losses, scale_of
from dashlight.labels.rows import Floats, LabelledRows, Task
from dashlight.records import Alert
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.hours import HOUR_SECONDS
from dashlight.window.performance_reference import LossName, PerformanceReference, ReferenceLoss

PREFERRED: Mapping[Task, tuple[LossName, ...]] = {
    "binary": ("error", "squared_error"),
    "multiclass": ("error",),
    "regression": ("absolute_error",),
    "ranking": (),
    "text": (),
}
"""Of several losses in a reference the first of these is watched; without any they are learned."""
LARGEST_RAW = 1e300
"""A prediction that is infinite is off by this."""
RISE = 0.05
"""Of the loss: labels that it takes to show so much are told."""


@dataclass(frozen=True, slots=True)
class LossPlan:
    """What is watched, and within which budget."""

    part: str
    """Last part of the alert's key."""
    batches: float
    """Mean number of batches between false alarms."""
    settle_seconds: float = 0.0
    """Age of a prediction from which on all labels of its time may have come."""
    hour_seconds: float = HOUR_SECONDS
    """A batch is judged once in so long."""
    segment: str = ""
    """As in LossSetting; likewise what follows."""
    level: float = LEVEL
    most_cohorts: int = MOST_COHORTS


@dataclass(frozen=True, slots=True, eq=False)
class LearnedLoss:
    """What the first labels said of usual losses; arrays by bin of the score, of shape (bins,)."""

    edges: Floats
    """Shape (bins - 1,)."""
    scale: float
    origin: float
    offsets: Floats
    """By how much losses are above what was expected."""
    means: Floats
    variances: Floats
    errors: Floats
    rows: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LossJudgeState:
    """What a LossJudge remembers."""

    task: str
    """Empty before the first labels, where no reference says it."""
    learning: LossLearningState | None
    learned: LearnedLoss | None
    watch: LossWatchState | None
    has_negatives: bool
    left_out: int


class LossJudge:
    """Judges the losses of one model; without a reference it learns the usual ones first."""

    def __init__(
        self,
        reference: PerformanceReference | None,
        plan: LossPlan,
        writer: AlertWriter,
        news: LossNews,
        usual: tuple[LossScale, LossStrata] | None = None,
    ) -> None:
        """*news* says how a change is told; *usual* are the losses of a part of the rows, where it is only these.

        Of a *reference* with a segment in the plan, but without *usual* losses, these are learned.
        """
        self._plan, self._writer, self._news = plan, writer, news
        self._told_task = None if reference is None else reference.task
        self.task: Task | None = self._told_task
        """None where nobody said it so far."""
        self._learning: LossLearning | None = None
        self._learned: LearnedLoss | None = None
        self.watch: LossWatch | None = None
        """None as long as it learns."""
        self._has_negatives = plan.settle_seconds > 0  # for then silence is a negative, and positives wait for it
        self.left_out = 0
        """Rows without a loss: neither a score nor a prediction that says what was meant, or no number as label."""
        loss = None if reference is None or plan.segment else watched_loss(reference)
        self._given = usual if loss is None else scale_of(loss)
        if reference is not None and self._given is not None:
            self.watch = self._watching(reference.task, *self._given)

    @property
    def state(self) -> LossJudgeState:
        """What outlives the process."""
        return LossJudgeState(
            task=self.task or "",
            learning=None if self._learning is None else self._learning.state,
            learned=self._learned,
            watch=None if self.watch is None else self.watch.state,
            has_negatives=self._has_negatives,
            left_out=self.left_out,
        )

    def restore(self, state: LossJudgeState) -> None:
        """Go on from *state*, of a judge with the same reference; ValueError where no rows lead to it."""
        refuse(f"a task of {state.task}", where=state.task not in {"", *get_args(Task)})
        tasks: dict[str, Task] = {each: each for each in get_args(Task)}
        self.task = tasks.get(state.task)
        is_told = self._told_task is not None
        refuse("a task of another reference", where=is_told and self._told_task != state.task)
        is_given = self._given is not None
        parts = (state.learning is not None) + (state.learned is not None) + is_given
        refuse(
            "what is learned, beside what is known", where=parts > 1 or (bool(state.task) and not is_told and not parts)
        )
        refuse("evidence on what is not known", where=(state.watch is None) != (state.learned is None and not is_given))
        refuse("a task that nobody knows", where=self.task is None and parts > 0)
        self._has_negatives = state.has_negatives
        self.left_out = within("rows left out", state.left_out)
        if self.task is not None and state.learning is not None:
            self._learning = LossLearning(_loss_of(self.task), hour_seconds=self._plan.hour_seconds)
            self._learning.restore(state.learning)
        if self.task is not None and state.learned is not None:
            _check(state.learned)
            self._learned = state.learned
            self.watch = self._watching(self.task, *_known(self.task, state.learned))
        if self.watch is not None and state.watch is not None:
            self.watch.restore(state.watch)

    @property
    def learned_rows(self) -> int:
        """Rows from which it learned, or learns, what is usual; 0 where a reference says it."""
        if self._learned is not None:
            return round(float(self._learned.rows.sum()))
        return 0 if self._learning is None else self._learning.rows

    @property
    def labels_needed(self) -> float:
        """Labels that it takes: to know what is usual, or else until a rise of the loss by RISE would show; inf: never."""
        if self.watch is None:
            return float(max(LEARNED_ROWS - self.learned_rows, 0))
        return self.watch.evidence.labels_needed(RISE)

    @property
    def is_one_sided(self) -> bool:
        """Whether all labels so far were of the positive class of two, which say nothing of how good the model is."""
        return self.task == "binary" and not self._has_negatives

    def know_silence(self, until_at: float) -> None:
        """Silence of predictions made before *until_at* is a label by now, or never will be: later ones wait for it."""
        if self.watch is not None:
            self.watch.know_silence(until_at)

    def losses(self, rows: LabelledRows) -> Floats:
        """What each of *rows* lost, 0 to 1, shape (rows,); NaN where it is not known, or not yet how losses are measured."""
        if self.watch is None or rows.task != self.task:
            return np.full(rows.row_count, np.nan)
        scale = self.watch.setting.measure.scale
        return scale.losses(np.minimum(raw_losses(rows, scale.name), LARGEST_RAW))

    def take(self, rows: LabelledRows | None, expected: Floats | None, at: float) -> list[Alert]:
        """Take *rows* whose labels came until *at*, and of each the loss that its score leads to expect.

        Without *expected* the usual loss of the row's bin is expected. None instead of rows lets an hour end. Rows of which
        nothing is expected (NaN) are left out.
        """
        if rows is None or not rows.row_count:
            nothing = np.zeros(0)
            return [] if self.watch is None else self.watch.take(nothing, np.zeros(0, np.intp), nothing, (nothing, at))
        if self.task is None:
            self.task = rows.task
        if self.watch is None and self._learning is None:
            self._learning = LossLearning(_loss_of(self.task), hour_seconds=self._plan.hour_seconds)
        if self.task == "binary" and not self._has_negatives:
            self._has_negatives = bool((rows.labels == 0).any())
            if not self._has_negatives:
                self.left_out += rows.row_count
                return []
        name = self.watch.setting.measure.scale.name if self.watch is not None else _loss_of(self.task)
        raw = np.minimum(raw_losses(rows, name), LARGEST_RAW)
        used = np.isfinite(raw) & np.isfinite(rows.predicted_at)
        if expected is not None:
            used &= np.isfinite(expected)
            expected = np.clip(expected[used], 0.0, 1.0)
        if self.watch is None:
            self._learn(rows.scores[used], raw[used], expected, at)
            return []
        scale = self.watch.setting.measure.scale
        bins = scale.bins_of(rows.scores[used])
        binned = bins >= 0
        self.left_out += rows.row_count - int(binned.sum())
        bins, losses = bins[binned], scale.losses(raw[used][binned])
        offsets = self._learned.offsets if self._learned is not None else np.zeros(scale.bins)
        usual = self.watch.setting.strata.means[bins] if expected is None else expected[binned] + offsets[bins]
        times = np.clip(rows.predicted_at[used][binned], -LATEST_AT / 2, at), at
        return self.watch.take(losses, bins, np.clip(usual, 0.0, 1.0), times)

    def _learn(self, scores: Floats, raw: Floats, expected: Floats | None, at: float) -> None:
        """Learn from rows; once enough is known they are judged."""
        learning = self._learning
        if learning is None or self.task is None:
            return
        if not learning.take(scores, raw, np.zeros(len(raw)) if expected is None else expected, at):
            return
        scale = learning.scale
        if scale is None:
            return
        offsets, strata = learning.usual()
        self._learned = LearnedLoss(
            edges=scale.edges,
            scale=scale.scale,
            origin=scale.origin,
            offsets=offsets,
            means=strata.means,
            variances=strata.variances,
            errors=strata.errors,
            rows=strata.rows,
        )
        self._learning = None
        self.watch = self._watching(self.task, scale, strata)

    def _watching(self, task: Task, scale: LossScale, strata: LossStrata) -> LossWatch:
        plan = self._plan
        setting = LossSetting(
            LossMeasure(task, scale),
            strata,
            plan.part,
            plan.batches,
            plan.settle_seconds,
            plan.hour_seconds,
            plan.segment,
            plan.level,
            plan.most_cohorts,
        )
        return LossWatch(setting, self._writer, self._news)


def watched_loss(reference: PerformanceReference) -> ReferenceLoss | None:
    """The loss of *reference* that is watched; None where it has none of use."""
    known = {loss.name: loss for loss in reference.losses if loss.rows.sum() > 0}
    return next((known[name] for name in PREFERRED[reference.task] if name in known), None)


def _loss_of(task: Task) -> LossName:
    return "error" if task in {"binary", "multiclass", "ranking"} else "absolute_error"


def _known(task: Task, learned: LearnedLoss) -> tuple[LossScale, LossStrata]:
    scale = LossScale(_loss_of(task), learned.edges, scale=learned.scale, origin=learned.origin)
    return scale, LossStrata(learned.means, learned.variances, learned.errors, learned.rows)


def _check(learned: LearnedLoss) -> None:
    """Raises ValueError where *learned*, read from a file, cannot be."""
    edges = fitted("edges of scores", learned.edges, like=np.empty(len(learned.edges)))
    within("edges of scores", len(edges), 0, LEARNED_BINS - 1)
    refuse("edges that do not ascend", where=bool((np.diff(edges) <= 0).any()))
    like = np.empty(len(edges) + 1)
    within("scale of losses", learned.scale, 1e-300, LARGEST_RAW)
    within("origin of losses", learned.origin, -LARGEST_RAW, LARGEST_RAW)
    fitted("offsets of losses", learned.offsets, like=like, least=-1, most=1)
    fitted("means of losses", learned.means, like=like, least=0, most=1)
    fitted("variances of losses", learned.variances, like=like, least=1e-9, most=1)
    fitted("errors of losses", learned.errors, like=like, least=0, most=MOST_COUNT)
    fitted("rows of losses", learned.rows, like=like, least=0, most=MOST_COUNT)
