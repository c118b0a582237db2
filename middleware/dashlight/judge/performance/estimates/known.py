"""What is known of how good the model was, as estimates need it: from the reference's labels, or from labels that came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import NO_CLASS, Floats, LabelledRows, Task
from dashlight.window.columns import MOST_SAMPLED, Reference

ENOUGH_LABELS = 1000
"""Of labels that came, before anything is estimated by them: the error of a share of one half is then 1.6 %."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownRows:
    """Rows whose score and label are known."""

    task: Task
    classes: tuple[str, ...]
    rows: float
    """How many such rows there were in all, of which these were drawn."""
    scores: Floats
    """Shape (rows,), finite."""
    outcomes: Floats
    """Shape (rows,): of a binary task whether the positive class is true, of many classes whether the top one is, 0 or 1; of a
    regression the number."""
    sampled: NDArray[np.intp] | None
    """Shape (rows,): their places in the reference's sample; None where they are none of it."""
    calibration: tuple[Floats, Floats] | None
    """As in PerformanceReference; None also where it is still to be fitted."""
    is_calibrated: bool
    """Whether *calibration* is the last word."""


def known_of_reference(reference: Reference) -> KnownRows | None:
    """What the reference's own labels say; None where it has none."""
    performance = reference.performance
    if performance is None:
        return None
    scores, labels = performance.scores, performance.labels
    outcomes = _outcomes(performance.task, performance.predictions, labels)
    is_known = np.isfinite(scores) & np.isfinite(outcomes)
    labelled_count = int(np.isfinite(outcomes).sum())
    aligned = reference.sample is not None and reference.sample.shape[1] == len(scores)
    return KnownRows(
        performance.task,
        performance.classes,
        performance.rows * int(is_known.sum()) / max(labelled_count, 1),
        scores[is_known],
        outcomes[is_known],
        np.flatnonzero(is_known) if aligned else None,
        performance.calibration,
        is_calibrated=performance.task == "binary",
    )


def known_of_labels(parts: Sequence[LabelledRows]) -> KnownRows | None:
    """What labels that came say, the newest MOST_SAMPLED of them; None where there are none, or not of one task."""
    if len({(part.task, part.classes) for part in parts}) != 1:
        return None
    scores = np.concatenate([part.scores for part in parts])
    predictions = np.concatenate([part.predictions for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    outcomes = _outcomes(parts[0].task, predictions, labels)
    places = np.flatnonzero(np.isfinite(scores) & np.isfinite(outcomes))[-MOST_SAMPLED:]
    return KnownRows(
        parts[0].task,
        parts[0].classes,
        float(len(places)),
        scores[places],
        outcomes[places],
        None,
        None,
        is_calibrated=False,
    )


def _outcomes(task: Task, predictions: NDArray[np.int32], labels: Floats) -> Floats:
    """NaN where the label is unknown, or none of the classes of a binary task."""
    if task == "binary":
        return np.where(np.isin(labels, (0.0, 1.0)), labels, np.nan)
    if task == "multiclass":
        return np.where(
            np.isfinite(labels) & (predictions != NO_CLASS), (labels == predictions).astype(np.float64), np.nan
        )
    return labels
