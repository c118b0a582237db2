"""The rows of training data as performance needs them: what was predicted, how likely, and what was true."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.labels.rows import MOST_CLASSES, NO_CLASS, Floats
from dashlight.window.reference.performance.told_values import ToldValues

KnownTask: TypeAlias = Literal["binary", "multiclass", "regression"]
"""The tasks of which a reference knows the performance."""

THRESHOLD = 0.5
"""Of the probability from which the positive class counts as predicted where no column says what was."""
FEWEST_CLASSES = 2

_TRUE, _FALSE = frozenset({"true", "1", "yes", "y", "t"}), frozenset({"false", "0", "no", "n", "f", "-1"})
_MOST_SHOWN = 3

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTraining:
    """Rows in the order of the reference's; what nobody knows is NaN or NO_CLASS."""

    task: KnownTask
    classes: tuple[str, ...]
    """As in PerformanceReference; likewise the three that follow."""
    label: str
    score: str
    prediction: str
    scores: Floats
    """Shape (rows,): as in ScoredRows."""
    predictions: NDArray[np.int32]
    labels: Floats
    """As in LabelledRows."""
    notes: tuple[str, ...] = ()
    """Remarks on how it was understood, a sentence each."""

    def taken(self, rows: NDArray[np.bool_]) -> "LabelledTraining":
        """Its *rows*, a mask; of those that it does not reach nothing is known."""
        places = np.flatnonzero(rows)
        return replace(
            self,
            scores=at_rows(self.scores, places, np.nan),
            predictions=at_rows(self.predictions, places, NO_CLASS),
            labels=at_rows(self.labels, places, np.nan),
        )


def at_rows(values: NDArray[Number], rows: NDArray[np.intp], unknown: float) -> NDArray[Number]:
    """*values* at *rows*, *unknown* beyond their end."""
    return np.append(values, np.array(unknown, values.dtype))[np.minimum(rows, len(values))]


def labelled_training(
    label: str,
    columns: Mapping[str, ToldValues],
    *,
    score: str = "",
    predictions: Sequence[str] = (),
    task: KnownTask | None = None,
    positive: str = "",
) -> LabelledTraining:
    """What the columns of training data say of each row's label, score and prediction.

    Args:
        label: Name of the column of true answers.
        columns: The values of that one, of *score* and of *predictions*, by name.
        score: Column of the score: the probability of the positive class, of the top class, or the number predicted. Empty:
            the first of *predictions* that can be it.
        predictions: Columns that the model predicted; the first that can be the class predicted is it.
        task: What is predicted. None: two different labels are binary, a few texts or whole numbers that are predicted as
            such are classes, and anything else is a number.
        positive: The positive class of two. Empty: `true`, `1` or `yes` beside its contrary, else that with the higher
            mean score.

    Raises:
        ReferenceDataError: a column cannot be what it is said to be.
    """
    labels = columns[label]
    given = {name: columns[name] for name in predictions if name not in {score, label}}
    names = labels.names(MOST_CLASSES)
    _check_label(label, names)
    if score and not columns[score].is_numeric:
        raise ReferenceDataError(
            f"has no numbers in column {score!r} (--score), which should hold the score of each row"
        )
    decided = task or _task_of(labels, names, given.values())
    if positive and decided != "binary":
        raise ReferenceDataError(f"cannot have a positive class: column {label!r} (--label) makes the task {decided}")
    if decided == "regression":
        return _regression(label, labels, score or _first_numeric(given), columns)
    return _classification(decided, label, labels, names, score=score, given=given, columns=columns, positive=positive)


def _check_label(label: str, names: Collection[str]) -> None:
    if not names:
        raise ReferenceDataError(f"has no value in column {label!r} (--label): no row is labelled")
    if len(names) == 1:
        raise ReferenceDataError(
            f"has the same label, {next(iter(names))!r}, in all rows of column {label!r} (--label) that have one"
        )


def _task_of(labels: ToldValues, names: Sequence[str], given: Collection[ToldValues]) -> KnownTask:
    if len(names) == FEWEST_CLASSES:
        return "binary"
    if not labels.is_numeric:
        return "multiclass"
    known = labels.numbers[~np.isnan(labels.numbers)]
    is_whole = len(names) <= MOST_CLASSES and bool((known == np.rint(known)).all())
    return "multiclass" if is_whole and any(_predicts(each, names) for each in given) else "regression"


def _predicts(values: ToldValues, names: Sequence[str]) -> bool:
    """Whether at least half of *values* are among *names*: a class that was predicted, rather than how likely it was."""
    known = values.is_known
    return bool(known.any()) and float((values.places_among(names) != NO_CLASS)[known].mean()) >= 0.5


def _is_probability(values: ToldValues) -> bool:
    known = values.numbers[~np.isnan(values.numbers)]
    return values.is_numeric and bool(((known >= 0) & (known <= 1)).all())


def _first_numeric(given: Mapping[str, ToldValues]) -> str:
    name = next((name for name, values in given.items() if values.is_numeric), "")
    if not name:
        raise ReferenceDataError("has no column of predicted numbers to compare the label with: name it with --score")
    return name


def _regression(label: str, labels: ToldValues, score: str, columns: Mapping[str, ToldValues]) -> LabelledTraining:
    if not labels.is_numeric:
        raise ReferenceDataError(f"has texts in column {label!r} (--label), which should hold numbers for a regression")
    scores = columns[score].numbers
    nothing = np.full(len(scores), NO_CLASS, np.int32)
    return LabelledTraining("regression", (), label, score, score, scores, nothing, labels.numbers)


def _classification(
    task: KnownTask,
    label: str,
    labels: ToldValues,
    names: tuple[str, ...],
    *,
    score: str,
    given: Mapping[str, ToldValues],
    columns: Mapping[str, ToldValues],
    positive: str,
) -> LabelledTraining:
    if task == "binary" and len(names) != FEWEST_CLASSES:
        raise ReferenceDataError(f"has more than two different labels in column {label!r} (--label): {_listed(names)}")
    if len(names) > MOST_CLASSES:
        raise ReferenceDataError(
            f"has more than {MOST_CLASSES} different labels in column {label!r} (--label), such as {_listed(names)}"
        )
    prediction = next((name for name, values in given.items() if _predicts(values, names)), "")
    score = score or next(
        (name for name, values in given.items() if name != prediction and _is_probability(values)), ""
    )
    if not prediction and not (score and task == "binary"):
        wanted = "its probability with --score, or the class predicted" if task == "binary" else "the class predicted"
        raise ReferenceDataError(
            f"has no predictions to compare column {label!r} (--label) with: name {wanted} with --prediction"
        )
    scores = columns[score].numbers if score else np.full(len(labels.numbers), np.nan)
    if score and not _is_probability(columns[score]):
        raise ReferenceDataError(
            f"has scores outside 0 to 1 in column {score!r} (--score), from {np.nanmin(scores):g} to {np.nanmax(scores):g}, where"
            f" the label makes the task {task}: a probability is wanted, or --task regression"
        )
    if task == "multiclass":
        further = [name for name in given[prediction].names(MOST_CLASSES) if name not in names]
        classes = (*names, *further)[:MOST_CLASSES]
    else:
        classes = _in_order(names, labels, scores, positive=positive)
    places = labels.places_among(classes).astype(np.float64)
    truth = np.where(places == NO_CLASS, np.nan, places)
    notes: list[str] = []
    if prediction:
        predictions = given[prediction].places_among(classes)
        lost = int(((predictions == NO_CLASS) & given[prediction].is_known).sum())
        if lost:
            notes.append(
                f"Rows left out, whose prediction in column {prediction!r} is no label of column {label!r}: {lost:,} of"
                f" {len(predictions):,}."
            )
    else:
        predictions = np.where(np.isnan(scores), NO_CLASS, scores >= THRESHOLD).astype(np.int32)
    return LabelledTraining(task, classes, label, score, prediction, scores, predictions, truth, tuple(notes))


def _in_order(names: Sequence[str], labels: ToldValues, scores: Floats, *, positive: str) -> tuple[str, ...]:
    """The negative and the positive of two classes."""
    if positive:
        wanted = next((name for name in names if name.casefold() == positive.strip().casefold()), None)
        if wanted is None:
            raise ReferenceDataError(f"has no label {positive!r} (--positive): the labels are {_listed(names)}")
    else:
        wanted = _positive_of(names, labels, scores)
    return tuple(sorted(names, key=lambda name: name == wanted))


def _positive_of(names: Sequence[str], labels: ToldValues, scores: Floats) -> str:
    spelled = {name.casefold(): name for name in names}
    is_said = bool(spelled.keys() & _TRUE) and bool(spelled.keys() & _FALSE)
    if is_said:
        return next(name for folded, name in spelled.items() if folded in _TRUE)
    places = labels.places_among(names)
    known = ~np.isnan(scores)
    of_class = [scores[known & (places == place)] for place in range(len(names))]
    if all(map(len, of_class)):
        return names[int(np.argmax([each.mean() for each in of_class]))]
    return next((name for folded, name in spelled.items() if folded in _TRUE), max(names))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_MOST_SHOWN])
    return f"{shown} and more" if len(names) > _MOST_SHOWN else shown
