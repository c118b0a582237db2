"""How good the predictions of one model are in each segment: figures of the labels, alerts, and what is estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from dashlight.counting.policy import Policy
from dashlight.judge.alerts import AlertWriter
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.performance.estimates.estimator import LEAST_ROWS, Estimator
from dashlight.judge.performance.measure import Measure
from dashlight.judge.performance.measures import measures
from dashlight.judge.performance.realised import RealisedWatch
from dashlight.judge.performance.segments.coverage import figures_of_all, predictions_by_segment
from dashlight.judge.performance.segments.losses import SegmentedLosses, SegmentedLossesState
from dashlight.judge.performance.segments.newest import NewestSegmented
from dashlight.judge.performance.segments.usual import reference_rows, usual_by_segment
from dashlight.labels.news import ScoredWindow
from dashlight.labels.row_sets import taken
from dashlight.labels.rows import LabelledRows, ScoredRows
from dashlight.records import Alert, Score
from dashlight.watching.performance.figures import BY_PREDICTION
from dashlight.window.columns import Reference
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance.counts import chosen_rows, counted
from dashlight.window.reference.steps import Steps

MAIN = frozenset({"accuracy", "recall", "precision", "roc_auc", "brier", "mae", "rmse", "ctr", "mrr", "mean_grade"})
"""Measures that are told of each segment."""
_OF_ALL = {"label_coverage": "", "not_comparable": BY_PREDICTION}
"""What is told beside measures, and how its name ends."""
_SECONDS_BETWEEN = 60.0
"""Figures are made anew so often at most, or once a window where that is shorter."""


def segments_of(policy: Policy, reference: Reference | None) -> Segmentation | None:
    """What is a segment of a model with this *reference*; None where nothing is, or nobody knows yet."""
    if not policy.segments or reference is None:
        return None
    segmentation = segmentation_of(reference, policy.segments)
    return segmentation if segmentation.count else None


class SegmentedPerformance:
    """Measures and judges the labelled predictions of each segment."""

    def __init__(
        self,
        reference: Reference,
        segmentation: Segmentation,
        whole: RealisedWatch,
        *,
        writer: AlertWriter,
        panes: float,
        share: float,
        pane_seconds: float,
        settle_seconds: float,
        hour_seconds: float,
    ) -> None:
        """*whole* watches all rows, and takes each before this does; *share* is what performance has of the budget."""
        self._reference, self._segmentation = reference, segmentation
        self.losses = SegmentedLosses(
            reference.performance,
            usual_by_segment(reference, segmentation),
            segmentation,
            whole,
            writer=writer,
            panes=panes,
            share=share,
            pane_seconds=pane_seconds,
            settle_seconds=settle_seconds,
            hour_seconds=hour_seconds,
        )
        self._newest = NewestSegmented()
        self._usual: dict[int, Mapping[str, float]] | None = None
        self._figures: list[Score] = []
        self._estimates: list[Score] = []
        self._made_at = float("-inf")
        self._is_news = False

    @property
    def state(self) -> SegmentedLossesState:
        """What outlives the process: what is judged. Figures are of labels that came in this life of it."""
        return self.losses.state

    def restore(self, state: SegmentedLossesState) -> None:
        """Go on from *state*; ValueError where it does not fit."""
        self.losses.restore(state)

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return self.losses.bytes + self._newest.bytes

    def take(self, rows: LabelledRows, at: float) -> Iterator[Alert | None]:
        """Takes *rows* whose labels came until *at*; the alerts that changed. None comes where a break is welcome."""
        if self.losses.covers(rows):
            self._newest.add(rows)
            self._is_news = True
        yield from self.losses.take(rows, at)

    def close_pane(self, at: float, since_at: float) -> Iterator[Alert | None]:
        """Judges hours that ended *at*, and makes the figures of the window that began at *since_at*."""
        yield from self.losses.take(None, at)
        pause_seconds = min(_SECONDS_BETWEEN, at - since_at)
        if not (self._is_news or self._figures) or 0 <= at - self._made_at < pause_seconds:
            return
        self._made_at, self._is_news = at, False
        if self._usual is None:
            self._usual = {}
            yield from self._know_usual(self._usual)
        names, found = self._segmentation.names, list[Score]()
        for number, rows in self._newest.since(since_at, self._segmentation):
            usual = self._usual.get(number, {})
            count = float(rows.row_count)
            found.append(Score(None, None, "labels", count, count, count, rows.row_count, segment=names[number]))
            found += [
                _score(each, each.name, usual.get(each.name), names[number])
                for each in measures(counted(rows))
                if each.name in MAIN
            ]
            yield None
        self._figures = found

    def estimate(self, window: ScoredWindow, estimator: Estimator, predictions: int | None) -> Steps[None]:
        """In steps: what the labels of a *window*, of so many *predictions*, say of each segment, and what is estimated."""
        names, found = self._segmentation.names, list[Score]()
        columns = tuple(column.name for column in self._segmentation.columns)
        here = [
            part
            for part in window.rows
            if (part.reference, part.segmented_by) == (self._segmentation.reference, columns)
            and part.segments is not None
        ]
        elsewhere = sum(part.row_count for part in window.rows) - sum(part.row_count for part in here)
        # Labels that came before this process began are not among the newest.
        if not elsewhere and self._newest.complete_since_at <= window.since_at:
            counts = predictions_by_segment(here, self._segmentation, total=predictions)
            of_window = dict(
                self._newest.since(window.since_at, self._segmentation, predicted_until_at=window.until_at)
            )
            yield
            for number, labelled in of_window.items():
                found += [
                    _score(each, each.name + _OF_ALL.get(each.name, BY_PREDICTION), None, names[number])
                    for each in figures_of_all(labelled, counts[number])
                    if each.name in MAIN | _OF_ALL.keys()
                ]
                yield
        for place, column in enumerate(self._segmentation.columns):
            for value in range(len(column.values)):
                parts = [_in_segment(part, place, value) for part in here]
                rows = sum(part.row_count for part in parts)
                if rows < LEAST_ROWS:
                    continue
                estimate = yield from estimator.estimate([part for part in parts if part.row_count])
                for each in estimate.measures:
                    if each.name in MAIN:
                        name = f"estimated_{each.name}"
                        found.append(
                            Score(
                                None,
                                None,
                                name,
                                each.value,
                                each.low,
                                each.high,
                                estimate.rows,
                                segment=names[column.first + value],
                            )
                        )
                yield
        if elsewhere:
            count = float(elsewhere)
            found.append(Score(None, None, "predictions_without_segment", count, count, count, elsewhere))
        self._estimates = found

    def scores(self) -> list[Score]:
        """All that is told of segments."""
        return [*self._figures, *self.losses.scores(), *self._estimates]

    def _know_usual(self, usual: dict[int, Mapping[str, float]]) -> Iterator[None]:
        """The measures of the reference's own rows in each segment."""
        known = reference_rows(self._reference)
        if known is None:
            return
        codes = known.segments(self._reference, self._segmentation)
        for column, of_rows in zip(self._segmentation.columns, codes, strict=True):
            for value in range(len(column.values)):
                rows = chosen_rows(known.rows, np.flatnonzero(of_rows == value))
                if rows.row_count:
                    usual[column.first + value] = {each.name: each.value for each in measures(counted(rows))}
                yield None


def _in_segment(rows: ScoredRows, place: int, value: int) -> ScoredRows:
    segments = rows.segments
    return rows if segments is None else taken(rows, np.flatnonzero(segments[place] == value))


def _score(measure: Measure, name: str, usual: float | None, segment: str) -> Score:
    low, high = (float(each) if np.isfinite(each) else measure.value for each in (measure.low, measure.high))
    made = Score(None, None, name, measure.value, low, high, measure.rows, usual)
    return replace(made, segment=segment)
