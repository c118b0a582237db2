"""Whether the model became worse in a segment: the realised loss of each against what is usual there. Pure.

All segments share SEGMENTS_PART of the budget of performance, so that what they have is taken off the rest's. The bound of each
holds for all of them together, at LEVEL over the draw of the reference, the tolerance included. While the alert of all rows is
in force, that of a segment begins only where it surely lost more than all rows did; when it ends, what the others lost meanwhile
is over with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from dashlight.judge.alerts import AlertWriter, ended
from dashlight.judge.performance.alarm_words import LossMeasure, rest_words
from dashlight.judge.performance.loss_cohorts import LossChange
from dashlight.judge.performance.loss_evidence import LEVEL, TOLERANCE
from dashlight.judge.performance.loss_judge import LossJudge, LossJudgeState, LossPlan
from dashlight.judge.performance.loss_watch import LossNews, batches_between
from dashlight.judge.performance.losses import LossScale, LossStrata
from dashlight.judge.performance.realised import REALISED, RealisedWatch
from dashlight.labels.rows import LabelledRows
from dashlight.records import Alert, Score
from dashlight.window.fitting import refuse, within
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance.counts import array_bytes, chosen_rows
from dashlight.window.performance.hours import HOUR_SECONDS
from dashlight.window.performance_reference import PerformanceReference

SEGMENTS_PART = 0.1
"""Of the budget of performance."""
MOST_COHORTS = 64
"""Hours of a segment that are kept apart."""
SURELY = 4.0
"""Standard errors by which a segment must have lost more than all rows did: since when is chosen to make it most."""
_LEAST_REST = 30.0
"""Labels of all other rows, to say how these do."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedLossesState:
    """What SegmentedLosses remember."""

    reference: str
    """Version of the reference by which rows are in segments."""
    names: tuple[str, ...]
    """Of the segments, as `carrier=UA`."""
    judges: tuple[LossJudgeState, ...]
    """Of each."""
    unattributed: int


class SegmentedLosses:
    """Watches the realised losses of the segments of one model."""

    def __init__(
        self,
        known: PerformanceReference | None,
        usual: Sequence[tuple[LossScale, LossStrata] | None],
        segmentation: Segmentation,
        whole: RealisedWatch,
        *,
        writer: AlertWriter,
        panes: float,
        share: float,
        pane_seconds: float,
        settle_seconds: float = 0.0,
        hour_seconds: float = HOUR_SECONDS,
    ) -> None:
        """*share* is what performance has of the budget; the rest as `RealisedWatch`.

        Args:
            known: What the reference knows of performance; None where it knows nothing, and all is learned.
            usual: What it knows of each segment, see `usual_by_segment`; None of what is learned.
            segmentation: What is a segment.
            whole: Watches all rows; takes each row before this does.
        """
        self._segmentation, self._whole = segmentation, whole
        self._names, self._columns = segmentation.names, tuple(column.name for column in segmentation.columns)
        count = max(segmentation.count, 1)
        batches = batches_between(panes, pane_seconds, share * SEGMENTS_PART / count, hour_seconds=hour_seconds)
        plan = LossPlan(REALISED, batches, settle_seconds, hour_seconds, most_cohorts=MOST_COHORTS)
        self._judges = [
            LossJudge(
                known,
                replace(plan, segment=name, level=_level(usual[number], count)),
                writer,
                self._news(number),
                usual[number],
            )
            for number, name in enumerate(self._names)
        ]
        self._was_whole_firing = False
        self.unattributed = 0
        """Rows of which nobody knows in which segments they are: by another reference, other segments, or a sealed id."""

    @property
    def state(self) -> SegmentedLossesState:
        """What outlives the process."""
        judges = tuple(judge.state for judge in self._judges)
        return SegmentedLossesState(self._segmentation.reference, self._names, judges, self.unattributed)

    def restore(self, state: SegmentedLossesState) -> None:
        """Go on from *state*; of other segments nothing. ValueError where no rows lead to it."""
        if (state.reference, state.names) != (self._segmentation.reference, self._names):
            return
        refuse("losses of other segments", where=len(state.judges) != len(self._judges))
        for judge, each in zip(self._judges, state.judges, strict=True):
            judge.restore(each)
        self._was_whole_firing = self._is_whole_firing
        self.unattributed = within("labels in no segment", state.unattributed)

    @property
    def bytes(self) -> int:
        """Memory that it takes, about."""
        return array_bytes(self.state)

    @property
    def alerts(self) -> Iterator[Alert]:
        """Those in force."""
        return (judge.watch.state.alert for judge in self._judges if judge.watch and judge.watch.state.alert)

    def know_silence(self, until_at: float) -> None:
        """As `RealisedWatch.know_silence`."""
        for judge in self._judges:
            judge.know_silence(until_at)

    def take(self, rows: LabelledRows | None, at: float) -> Iterator[Alert | None]:
        """Take *rows* whose labels came until *at*; None lets an hour end. The news, and None where a break is welcome."""
        self._follow_whole()
        if rows is None:
            for judge in self._judges:
                yield from judge.take(None, None, at)
            return
        segments = rows.segments
        if segments is None or not self.covers(rows):
            self.unattributed += rows.row_count
            return
        for column, codes in zip(self._segmentation.columns, segments, strict=True):
            values: list[int] = np.unique(codes[codes < len(column.values)]).tolist()
            for value in values:
                judge = self._judges[column.first + value]
                yield from judge.take(chosen_rows(rows, np.flatnonzero(codes == value)), None, at)
                yield None

    def covers(self, rows: LabelledRows) -> bool:
        """Whether it is known in which of these segments *rows* are."""
        is_same = (rows.reference, rows.segmented_by) == (self._segmentation.reference, self._columns)
        return is_same and rows.segments is not None and len(rows.segments) == len(self._columns)

    def end(self, at: float, reason: str) -> Iterator[Alert]:
        """The alerts in force, over since *at* for this *reason*."""
        return (ended(alert, at, reason) for alert in list(self.alerts))

    def scores(self) -> list[Score]:
        """The realised loss of about the last 2,000 labels of each segment, 0 to 1, and how many labels it takes."""
        found: list[Score] = []
        for name, judge in zip(self._names, self._judges, strict=True):
            watch = judge.watch
            if watch is None or not watch.rows:
                continue
            held, mean, usual, error = watch.recent.tolist()
            low, high = max(mean - 1.96 * error, 0.0), min(mean + 1.96 * error, 1.0)
            found.append(
                Score(None, None, "realised_loss", mean, low, high, round(held), reference=usual, segment=name)
            )
            if judge.labels_needed < float("inf"):
                needed = judge.labels_needed
                found.append(
                    Score(None, None, "labels_needed", needed, needed, needed, round(watch.rows), segment=name)
                )
        if self.unattributed:
            count = float(self.unattributed)
            found.append(Score(None, None, "labels_without_segment", count, count, count, self.unattributed))
        return found

    @property
    def _is_whole_firing(self) -> bool:
        return self._whole.watch is not None and self._whole.watch.is_firing

    def _follow_whole(self) -> None:
        """The end of the alert of all rows is the end of what was told by it: no segment that held its peace begins then."""
        is_over = self._was_whole_firing and not self._is_whole_firing
        self._was_whole_firing = self._is_whole_firing
        for judge in self._judges if is_over else ():
            if judge.watch is not None:
                judge.watch.begin_anew()

    def _news(self, number: int) -> LossNews:
        return LossNews(
            lambda measure, change: self._say(number, measure, change),
            self._beside,
            self._is_told,
        )

    def _say(self, number: int, measure: LossMeasure, change: LossChange) -> str:
        rows, losses, expected = change.sums.sum(0).tolist()
        said = f"{self._names[number]}: {measure.moved(expected / max(rows, 1e-12), losses / max(rows, 1e-12))}"
        learned = self._judges[number].learned_rows
        return f"{said}, learned from its first {learned:,} labels" if learned else said

    def _beside(self, measure: LossMeasure, change: LossChange) -> str:
        watch = self._whole.watch
        # Where the alert of all rows has ended since, nothing is known of these any more.
        if watch is None or watch.begins_at > change.since_at:
            return ""
        scale, own = watch.setting.measure.scale, measure.scale
        rows, losses, expected = change.sums.sum(0)
        raw = np.array([losses, expected]) * own.scale + rows * (own.origin - scale.origin)
        rest = watch.since(change.since_at) - np.array([rows, *(raw / scale.scale)])
        if rest[0] < _LEAST_REST:
            return ""
        strata = watch.setting.strata
        return rest_words(watch.setting.measure, rest, float(np.average(strata.variances, weights=strata.rows)))

    def _is_told(self, change: LossChange) -> bool:
        whole = self._whole.watch
        if whole is None or not whole.is_firing:
            return True
        rows, losses, expected = change.sums.sum(0).tolist()
        all_rows, all_losses, all_expected = whole.since(change.since_at).tolist()
        mean = losses / max(rows, 1e-12)
        more = mean - expected / max(rows, 1e-12) - (all_losses - all_expected) / max(all_rows, 1e-12)
        # No loss from 0 to 1 varies more than one that is 0 or 1.
        return bool(more > TOLERANCE + SURELY * (mean * (1 - mean) / max(rows, 1.0)) ** 0.5)


def _level(usual: tuple[LossScale, LossStrata] | None, count: int) -> float:
    """By which the reference may be luckier in one of *count* segments than its bound says, the tolerance apart."""
    if usual is None:
        return LEVEL / count
    _, strata = usual
    stakes = strata.rows / np.sqrt(strata.variances)
    error = float(np.sqrt(np.square(stakes * strata.errors).sum()) / stakes.sum())
    return min(float(ndtr(TOLERANCE / error - ndtri(1 - LEVEL / count))), LEVEL)
