"""Rows of a set as the estimator takes them: a reference that knows labels, and windows of scored rows."""

from dataclasses import replace

import numpy as np
from benchmarks.estimates_sets import LabelledSet, Part

from dashlight.judge.performance.estimates.estimate import PerformanceEstimate
from dashlight.judge.performance.estimates.estimator import MOST_OUTSIDE, Estimator
from dashlight.labels.rows import ScoredRows, Task
from dashlight.window.columns import Reference
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.reference.performance.calibration import calibration_of
from dashlight.window.reference.steps import finished

_CLASSES = ("0", "1")


def estimator_of(
    labelled: LabelledSet, sample: Part, *, adapts: bool = False, most_outside: float = MOST_OUTSIDE
) -> Estimator:
    """The estimator of a set that keeps *sample* of its reference side by side; scores are calibrated on all of it."""
    return Estimator(_known(labelled, sample), adapts=adapts, most_outside=most_outside)


def estimated(estimator: Estimator, labelled: LabelledSet, window: Part) -> PerformanceEstimate:
    """The estimate of one window."""
    return finished(estimator.estimate([scored(labelled, window)]))


def scored(labelled: LabelledSet, window: Part) -> ScoredRows:
    """*window* without its labels."""
    rows = window.row_count
    return ScoredRows(
        model=("", "", ""),
        task=task_of(labelled),
        classes=_CLASSES if task_of(labelled) == "binary" else (),
        keys=np.zeros(rows, "V16"),
        origins=np.zeros(rows, "V16"),
        places=np.zeros(rows, np.int32),
        predicted_at=np.zeros(rows),
        scores=window.scores,
        predictions=window.predictions,
        steps=np.zeros(rows, np.int32),
        reference=labelled.reference.version,
        sampled=np.arange(rows),
        codes=window.codes,
    )


def task_of(labelled: LabelledSet) -> Task:
    """Of numbers nobody predicts a class."""
    return "regression" if (labelled.before.predictions < 0).all() else "binary"


def _known(labelled: LabelledSet, sample: Part) -> Reference:
    task, before = task_of(labelled), labelled.before
    performance = PerformanceReference(
        task=task,
        classes=_CLASSES if task == "binary" else (),
        label="label",
        score="score",
        prediction="prediction",
        rows=before.row_count,
        scores=sample.scores,
        predictions=sample.predictions,
        labels=sample.labels,
        losses=(),
        calibration=calibration_of(before.scores, before.labels, np.random.default_rng(0))
        if task == "binary"
        else None,
    )
    return replace(labelled.reference, sample=sample.codes, performance=performance)
