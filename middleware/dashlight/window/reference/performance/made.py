"""What a reference knows of performance, from its labelled rows."""

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import NO_CLASS
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.reference.performance.calibration import calibration_of
from dashlight.window.reference.performance.labelled_training import LabelledTraining, at_rows
from dashlight.window.reference.performance.losses import reference_losses


def performance_reference(
    training: LabelledTraining, sampled: NDArray[np.intp], rng: np.random.Generator
) -> PerformanceReference:
    """What *training* tells of the model, and of the rows *sampled*, those of `Reference.sample`; *rng* parts it into folds."""
    return PerformanceReference(
        task=training.task,
        classes=training.classes,
        label=training.label,
        score=training.score,
        prediction=training.prediction,
        rows=int((~np.isnan(training.labels)).sum()),
        scores=at_rows(training.scores, sampled, np.nan),
        predictions=at_rows(training.predictions, sampled, NO_CLASS),
        labels=at_rows(training.labels, sampled, np.nan),
        losses=reference_losses(training),
        calibration=calibration_of(training.scores, training.labels, rng) if training.task == "binary" else None,
    )
