"""Performance of a window whose labels are still missing: an estimate with its interval, or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.adapted import RATIO, is_worthwhile
from dashlight.judge.performance.estimates.calibration import Calibration, calibration_of
from dashlight.judge.performance.estimates.class_measures import of_many, of_two
from dashlight.judge.performance.estimates.density_ratio import density_ratios, effective_share
from dashlight.judge.performance.estimates.direct_loss import DirectLoss, fitted_direct_loss
from dashlight.judge.performance.estimates.estimate import NoEstimate, PerformanceEstimate
from dashlight.judge.performance.estimates.expected_losses import losses_by_bin, losses_of_two
from dashlight.judge.performance.estimates.known import ENOUGH_LABELS, KnownRows, known_of_labels, known_of_reference
from dashlight.judge.performance.estimates.one_hot import Codes
from dashlight.judge.performance.estimates.scored import WindowRows, is_positive, window_rows
from dashlight.judge.performance.estimates.support import Outside, Support, missing_pairs
from dashlight.labels.rows import Floats, LabelledRows, ScoredRows
from dashlight.window.columns import Reference, is_numeric
from dashlight.window.performance_reference import LossName
from dashlight.window.reference.steps import Steps

LEAST_ROWS = 50
"""Of a window: with fewer the interval of an accuracy is wider than 10 %."""
LEAST_KNOWN = 200
"""Rows of a reference whose label is known, as many as a reference has at least."""
MOST_OUTSIDE = 0.1
"""Share of a window's rows outside the reference above which nothing is estimated: they alone could move an accuracy by that."""
ADAPTS = False
"""Whether scores are calibrated anew for windows whose inputs have moved: see docs/estimates.md."""


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """What is made of the reference once, in steps."""

    support: Support
    adapted: Codes | None
    """The bins of rows that are weighed; None where none are."""
    direct: DirectLoss | None


class Estimator:
    """Estimates the performance of one model from what its reference knows."""

    def __init__(
        self,
        reference: Reference,
        *,
        importance: Mapping[str, float] | None = None,
        adapts: bool = ADAPTS,
        most_outside: float = MOST_OUTSIDE,
    ) -> None:
        """Cheap: what takes long is made by the first `estimate`.

        Args:
            reference: Of the model; neighbours among its rows side by side go to different halves where one half is fitted to.
            importance: By the name of a column: what has 0, or is of a column that has, does not count.
            adapts: Whether scores are calibrated anew for windows whose inputs have moved.
            most_outside: Share of a window's rows outside the reference above which nothing is estimated, 0 to 1.
        """
        importance = importance or {}
        self._importance, self._adapts, self._reference = importance, adapts, reference
        self._most_outside = most_outside
        weights = [importance.get(column.name, importance.get(column.of, 1.0)) for column in reference.columns]
        counted = [
            place for place, column in enumerate(reference.columns) if column.role == "feature" and weights[place]
        ]
        # The most important first: of these pairs are looked at.
        counted.sort(key=lambda place: -weights[place])
        self._columns = [reference.columns[place] for place in counted]
        self._counted = np.array(counted, np.intp)
        self._prepared: _Prepared | None = None
        self._is_of_labels = False
        self._take(known_of_reference(reference))

    def with_labels(self, rows: Sequence[LabelledRows]) -> "Estimator":
        """One that goes by labels that came, for a reference that has none; *rows* are of its model, the oldest first.

        Their bins are not known: it calibrates by them, and a regression's errors follow its prediction alone. It says so in
        `PerformanceEstimate.detail`, and estimates nothing with fewer than ENOUGH_LABELS.
        """
        estimator = Estimator(
            self._reference, importance=self._importance, adapts=False, most_outside=self._most_outside
        )
        estimator._is_of_labels = True
        estimator._take(known_of_labels(rows))
        return estimator

    def estimate(self, scored: Sequence[ScoredRows], words: Sequence[str] = ()) -> Steps[PerformanceEstimate]:
        """What is estimated of the window that the rows *scored* are, all of one model.

        *words* is what each class may be called in names of measures; where it is empty they are called what they are.
        """
        rows = window_rows(scored, self._reference.version, len(self._reference.columns))
        known, count = self._known, len(rows.scores)
        reason = self._lacks(scored, count)
        if known is None or reason is not None:
            return PerformanceEstimate(count, reason=reason, detail=self._in_words(reason, count))
        prepared = yield from self._made(known)
        outside: Outside | None = None
        if rows.coded_rows >= LEAST_ROWS and len(self._counted):
            outside = yield from prepared.support.outside(rows.all_codes[self._counted])
            if outside.share > self._most_outside:
                return PerformanceEstimate(
                    count,
                    outside_share=outside.share,
                    outside_columns=outside.columns,
                    reason="outside_reference",
                    detail=_outside_in_words(outside),
                )
        if prepared.direct is not None:
            estimate = yield from self._of_numbers(rows, known, prepared.direct)
        else:
            estimate = yield from self._of_classes(rows, known, prepared, words)
        if outside is None or not estimate.measures:
            return estimate
        return replace(estimate, outside_share=outside.share, outside_columns=outside.columns)

    def expected_losses(self, rows: LabelledRows, name: LossName | None = None) -> Floats:
        """The loss that each row was expected to have before its label came, 0 to 1: shape (rows,).

        By default the error of classes, the absolute error of numbers, as ReferenceLoss has them. Of a binary task the
        calibrated score says it, else the mean of the reference's rows whose score is in the same bin. NaN where the
        reference does not know that loss.
        """
        name = name or ("absolute_error" if rows.task == "regression" else "error")
        if rows.task == "binary" and self._calibration is not None and name != "absolute_error":
            predicted = is_positive(rows.scores, rows.predictions)
            expected = losses_of_two(name, rows.scores, predicted, self._calibration.chances(rows.scores))
        elif rows.task == "multiclass" and self._calibration is not None and name == "error":
            expected = 1 - self._calibration.chances(rows.scores)
        else:
            expected = np.full(rows.row_count, np.nan)
        performance = self._reference.performance
        loss = next((each for each in performance.losses if each.name == name), None) if performance else None
        if loss is None:
            return expected
        return np.where(np.isnan(expected), losses_by_bin(loss, rows.scores), expected)

    def _take(self, known: KnownRows | None) -> None:
        self._known = known
        has_chances = known is not None and known.task != "regression" and len(known.scores) > 0
        self._calibration: Calibration | None = calibration_of(known) if known is not None and has_chances else None

    def _lacks(self, scored: Sequence[ScoredRows], count: int) -> NoEstimate | None:
        known = self._known
        if known is None:
            return "few_labels" if self._is_of_labels else "no_labels"
        if known.task not in {"binary", "multiclass", "regression"} or any(part.task != known.task for part in scored):
            return "unknown_task"
        if any(part.classes != known.classes for part in scored):
            return "other_classes"
        if not len(known.scores):
            return "no_scores"
        if len(known.scores) < (ENOUGH_LABELS if self._is_of_labels else LEAST_KNOWN):
            return "few_labels"
        if count < LEAST_ROWS:
            return "no_scores" if count == 0 and any(part.row_count for part in scored) else "few_rows"
        return None

    def _in_words(self, reason: NoEstimate | None, count: int) -> str:
        known = 0 if self._known is None else len(self._known.scores)
        words: Mapping[NoEstimate | None, str] = {
            "no_labels": "the reference says nothing of labels",
            "few_labels": f"{known:,} labels are known: expected at least {ENOUGH_LABELS if self._is_of_labels else LEAST_KNOWN:,}",
            "no_scores": "no row tells a score",
            "few_rows": f"{count} rows in the window: expected at least {LEAST_ROWS}",
            "other_classes": "the classes are named or ordered otherwise than those that labels are known of",
            "unknown_task": "nothing is estimated of this task, or it is another than the reference's",
        }
        return words.get(reason, "")

    def _made(self, known: KnownRows) -> Steps[_Prepared]:
        if self._prepared is None:
            sample = self._reference.sample
            pairs: dict[tuple[int, int], NDArray[np.bool_]] = {}
            if sample is not None and sample.shape[1]:
                pairs = yield from missing_pairs(self._columns, sample[self._counted])
            adapted, direct = None, None
            if known.task == "regression":
                codes = self._known_codes(known)
                has_order = is_numeric(self._columns)[: len(codes)]
                direct = yield from fitted_direct_loss(codes, has_order, known.scores, known.outcomes)
            elif known.sampled is not None and len(self._counted) and self._adapts:
                adapted = self._known_codes(known)
            self._prepared = _Prepared(Support(self._columns, pairs), adapted, direct)
        return self._prepared

    def _known_codes(self, known: KnownRows) -> Codes:
        """The bins of the columns that count, of rows that are known; of none where these are not in the sample."""
        if known.sampled is None or self._reference.sample is None:
            return np.empty((0, len(known.scores)), np.uint8)
        return self._reference.sample[np.ix_(self._counted, known.sampled)]

    def _of_classes(
        self, rows: WindowRows, known: KnownRows, prepared: _Prepared, words: Sequence[str]
    ) -> Steps[PerformanceEstimate]:
        plain, adapted, share = self._calibration or calibration_of(known), None, None
        if prepared.adapted is not None and rows.coded_rows >= LEAST_ROWS:
            weights = yield from density_ratios(prepared.adapted, rows.all_codes[self._counted], RATIO)
            share = effective_share(weights)
            if is_worthwhile(weights):
                adapted = calibration_of(known, weights)
        if known.task == "binary":
            measures = yield from of_two(rows, plain, adapted)
        else:
            measures = yield from of_many(rows, words or known.classes, plain, adapted)
        return PerformanceEstimate(len(rows.scores), measures, effective_share=share, detail=self._source())

    def _of_numbers(self, rows: WindowRows, known: KnownRows, direct: DirectLoss) -> Steps[PerformanceEstimate]:
        count = len(rows.scores)
        if known.sampled is None:
            codes, scores = np.empty((0, count), np.uint8), rows.scores
        else:
            codes, scores = rows.codes[self._counted], rows.scores[rows.coded]
        if not len(scores):
            return PerformanceEstimate(count, reason="no_bins", detail="no row of the window has kept its bins")
        measures = yield from direct.measures(codes, scores, count)
        return PerformanceEstimate(count, measures, detail=self._source())

    def _source(self) -> str:
        if not self._is_of_labels or self._known is None:
            return ""
        return f"by {len(self._known.scores):,} labels that came: the reference has none"


def _outside_in_words(outside: Outside) -> str:
    by = ", ".join(f"{name} {share:.0%}" for name, share in outside.columns if share >= 0.01)
    return f"{outside.share:.0%} of the rows lie outside the reference ({by}): nothing is known of such rows"
