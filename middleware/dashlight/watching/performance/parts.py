"""Parts of the labelled rows of one model: its segments, and rows with their bins in which a slice is looked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.coverage import label_coverage
from dashlight.judge.performance.estimates.estimator import Estimator
from dashlight.judge.performance.realised import RealisedWatch
from dashlight.judge.performance.segments.losses import SegmentedLossesState
from dashlight.judge.performance.segments.usual import reference_rows
from dashlight.labels.news import ScoredWindow
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.labels.store import WaitingCounts
from dashlight.records import Alert, Score
from dashlight.watching.performance.segments import SegmentedPerformance, segments_of
from dashlight.window.columns import Reference
from dashlight.window.performance.drawn_rows import DrawnRows, DrawnSample
from dashlight.window.performance.hours import Hours
from dashlight.window.reference.steps import Steps


class PerformanceParts:
    """What is known of parts of the rows, against one reference."""

    def __init__(
        self,
        policy: Policy,
        reference: Reference | None,
        whole: RealisedWatch,
        *,
        writer: AlertWriter,
        share: float,
        unit: Hours,
    ) -> None:
        """*whole* watches all rows, and takes each before this does; *share* is what performance has of the budget."""
        self._reference, self._whole = reference, whole
        self._drawn = DrawnRows(0 if reference is None else len(reference.columns))
        self._segments: SegmentedPerformance | None = None
        segmentation = segments_of(policy, reference)
        if reference is not None and segmentation is not None:
            self._segments = SegmentedPerformance(
                reference,
                segmentation,
                whole,
                writer=writer,
                panes=policy.panes_between_false_alarms,
                share=share,
                pane_seconds=policy.pane_seconds,
                settle_seconds=policy.positive_within_seconds,
                hour_seconds=unit.hour_seconds,
            )

    @property
    def state(self) -> SegmentedLossesState | None:
        """What outlives the process; None where nothing is a segment."""
        return None if self._segments is None else self._segments.state

    def restore(self, state: SegmentedLossesState | None) -> list[Alert]:
        """Go on from *state*; the alerts in force. ValueError where it does not fit."""
        if self._segments is None or state is None:
            return []
        self._segments.restore(state)
        return list(self._segments.losses.alerts)

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        return self._drawn.bytes + self.segments_bytes

    @property
    def segments_bytes(self) -> int:
        """Of it what segments take, which give way first."""
        return 0 if self._segments is None else self._segments.bytes

    def forget_segments(self, at: float, reason: str) -> Iterator[Alert]:
        """The alerts of segments, ended because these are watched no longer for this *reason*."""
        if self._segments is not None:
            yield from self._segments.losses.end(at, reason)
        self._segments = None

    def take(self, rows: LabelledRows, at: float) -> Iterator[Alert | None]:
        """Takes *rows* whose labels came until *at*; the alerts that changed. None comes where a break is welcome."""
        if self._reference is not None and rows.reference == self._reference.version:
            self._drawn.add(rows, self._whole.losses(rows))
        if self._segments is not None:
            yield from self._segments.take(rows, at)

    def know_silence(self, until_at: float) -> None:
        """As `RealisedWatch.know_silence`."""
        if self._segments is not None:
            self._segments.losses.know_silence(until_at)

    def close_pane(self, at: float, since_at: float) -> Iterator[Alert | None]:
        """Judges hours that ended *at*, and makes the figures of the window that began at *since_at*."""
        if self._segments is not None:
            yield from self._segments.close_pane(at, since_at)

    def estimate(self, window: ScoredWindow, estimator: Estimator, waiting: WaitingCounts | None) -> Steps[None]:
        """In steps: what is known of the predictions of a *window* in each segment; *waiting* are all, where known."""
        if self._segments is not None:
            since_at, until_at = window.since_at, window.until_at
            known = None if waiting is None else label_coverage(waiting, since_at=since_at, until_at=until_at)
            yield from self._segments.estimate(window, estimator, None if known is None else known[0])

    def scores(self) -> list[Score]:
        """All that is told of segments."""
        return [] if self._segments is None else self._segments.scores()

    def slice_rows(self, since_at: float) -> DrawnSample:
        """Labelled rows that were predicted *since_at* that moment: a uniform sample, at most MOST_GIVEN."""
        return self._drawn.since(since_at)

    def slice_reference(self) -> tuple[NDArray[np.uint8], Floats] | None:
        """The bins and the losses, 0 to 1, of the reference's rows: shapes (columns, rows) and (rows,); None: nobody knows."""
        known = None if self._reference is None else reference_rows(self._reference)
        if known is None:
            return None
        is_known = np.isfinite(known.losses)
        return known.codes[:, is_known], known.losses[is_known]
