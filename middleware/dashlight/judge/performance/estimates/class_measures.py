"""Estimated measures of a window of classes, by calibrated scores."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashlight.judge.performance.estimates.calibration import Calibration
from dashlight.judge.performance.estimates.estimate import EstimatedMeasure, EstimateMethod
from dashlight.judge.performance.estimates.expected import Expected, binary_measures, confusion_measures, told
from dashlight.judge.performance.estimates.scored import WindowRows, is_positive
from dashlight.labels.rows import Floats
from dashlight.window.reference.steps import Steps

_OF_THE_CONFUSION_MATRIX = frozenset({"accuracy", "precision", "recall", "f1"})


def of_two(rows: WindowRows, plain: Calibration, adapted: Calibration | None) -> Steps[tuple[EstimatedMeasure, ...]]:
    """All measures of a binary task; those of the confusion matrix by the *adapted* calibration where there is one."""
    predicted = is_positive(rows.scores, rows.predictions)
    chances = plain.chances(rows.scores)
    yield
    measures = binary_measures(rows.scores, predicted, chances)
    yield
    of_plain = told(measures, rows.scores, chances, plain.evidence, "cbpe")
    yield
    if adapted is None:
        return of_plain
    chances = adapted.chances(rows.scores)
    measures = binary_measures(rows.scores, predicted, chances)
    yield
    of_adapted = told(measures, rows.scores, chances, adapted.evidence, "adapted")
    return (
        *(each for each in of_adapted if each.name in _OF_THE_CONFUSION_MATRIX),
        *(each for each in of_plain if each.name not in _OF_THE_CONFUSION_MATRIX),
    )


def of_many(
    rows: WindowRows, words: Sequence[str], plain: Calibration, adapted: Calibration | None
) -> Steps[tuple[EstimatedMeasure, ...]]:
    """Accuracy, and where the probabilities of all classes were told precision, recall and F1 of each.

    The score of a row is the probability of its top class, and so is what is calibrated. The chance that the top class is
    wrong is shared out among the others as the model did. *words* is what each class may be called.
    """
    method: EstimateMethod = "cbpe" if adapted is None else "adapted"
    calibration = adapted or plain
    right = calibration.chances(rows.scores)
    yield
    accuracy = Expected("accuracy", float(right.mean()), np.full(len(right), 1 / len(right)))
    measures = list(told([accuracy], rows.scores, right, calibration.evidence, method))
    if rows.probabilities is not None and rows.probabilities.shape[1] == len(words):
        chances = _chances(right, rows, rows.probabilities)
        for place, name in enumerate(words):
            yield
            of_class = confusion_measures(rows.predictions == place, chances[:, place])
            of_class = [replace(each, name=f"{each.name}[{name}]") for each in of_class]
            measures += told(of_class, rows.scores, chances[:, place], calibration.evidence, method)
    return tuple(measures)


def _chances(right: Floats, rows: WindowRows, probabilities: Floats) -> Floats:
    """The chance of each class in each row, shape (rows, classes)."""
    every, has_class = np.arange(len(right)), rows.predictions >= 0
    others: Floats = np.nan_to_num(probabilities, nan=0.0).clip(0.0)
    top = np.maximum(rows.predictions, 0)
    others[every[has_class], top[has_class]] = 0.0
    total = others.sum(axis=1, keepdims=True)
    others = np.divide(others, total, out=np.zeros_like(others), where=total > 0)
    others *= 1 - right[:, np.newaxis]
    others[every[has_class], top[has_class]] = right[has_class]
    return others
