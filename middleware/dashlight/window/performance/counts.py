"""PerformanceCounts: all that adds up of the labelled rows of one model, whatever its task."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import MOST_ITEMS, Floats, LabelledRows, Task
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.classified import Classified, classified, is_of_two, no_classified
from dashlight.window.performance.numeric import MOST_NUMBER, Numeric, is_numeric_row, no_numeric, numeric
from dashlight.window.performance_reference import PerformanceReference

MOST_GRADES = 32
PLACES: Final = MOST_ITEMS + 2
"""Not chosen, each place that is kept, and all below."""


@dataclass(frozen=True, slots=True, eq=False)
class Grades:
    """How often which grade was given."""

    values: Floats
    """Shape (grades,), ascending; empty once there were more than MOST_GRADES: then only the mean is known."""
    counts: NDArray[np.int64]
    count: int
    total: float
    """Sum of all grades."""
    squares: float

    def __add__(self, other: "Grades") -> "Grades":
        """Those of both."""
        count, total, squares = self.count + other.count, self.total + other.total, self.squares + other.squares
        if any(part.count and not part.values.size for part in (self, other)):
            return Grades(np.zeros(0), np.zeros(0, np.int64), count, total, squares)
        values, place = np.unique(np.concatenate([self.values, other.values]), return_inverse=True)
        if values.size > MOST_GRADES:
            return Grades(np.zeros(0), np.zeros(0, np.int64), count, total, squares)
        counts = np.zeros(values.size, np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return Grades(values, counts, count, total, squares)

    def checked(self) -> "Grades":
        """Itself, as read from a state; ValueError where no grades lead to it."""
        size = within("grades", self.values.size, 0, MOST_GRADES)
        values = fitted("grades", self.values, like=np.zeros(size), least=-MOST_NUMBER, most=MOST_NUMBER)
        refuse("grades that do not ascend", where=bool((np.diff(values) <= 0).any()))
        counts = fitted("counts of grades", self.counts, like=np.zeros(size, np.int64), least=1, most=MOST_COUNT)
        within("graded rows", self.count)
        refuse("grades of other rows", where=bool(size) and int(counts.sum()) != self.count)
        within("sum of grades", self.total, -MOST_COUNT * MOST_NUMBER, MOST_COUNT * MOST_NUMBER)
        within("squares of grades", self.squares, 0.0, MOST_COUNT * MOST_NUMBER**2)
        return replace(self, values=values, counts=counts)


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceCounts:
    """Counts of labelled rows of one model; plain data, and its own state.

    `+` adds those of rows of one task and the same classes: counts exactly and in any order, sums to rounding; score cells
    likewise until there are very many different scores (see ScoreCells).
    """

    task: Task
    classes: tuple[str, ...]
    rows: int
    """Labelled rows in it."""
    implied: int
    """Of them, whose label nobody told: it was implied by silence."""
    left_out: int
    """Rows that are not in it: label, or prediction of a number, that is none, or too large."""
    classified: Classified | None
    """Of a binary or multiclass task; likewise the others."""
    numeric: Numeric | None
    places: NDArray[np.int64] | None
    """Of a ranking, shape (PLACES,): rows by the place of the item that was chosen, 0: none was."""
    grades: Grades | None
    """Of a text."""

    def __add__(self, other: "PerformanceCounts") -> "PerformanceCounts":
        """The counts of both.

        Raises:
            ValueError: they are of another task or of other classes.
        """
        if (self.task, self.classes) != (other.task, other.classes):
            raise ValueError(f"counts of {self.task} and {other.task}: expected one task and the same classes")
        return PerformanceCounts(
            self.task,
            self.classes,
            *(
                _sum_of(getattr(self, field.name), getattr(other, field.name))
                for field in fields(PerformanceCounts)[2:]
            ),
        )

    def without_cells(self) -> "PerformanceCounts":
        """The same without score cells and quantiles, in a few kilobytes."""
        return replace(
            self,
            classified=None if self.classified is None else self.classified.without_cells(),
            numeric=None if self.numeric is None else self.numeric.without_cells(),
        )

    @property
    def bytes(self) -> int:
        """Memory that its arrays take."""
        return array_bytes(self)

    def checked(self) -> "PerformanceCounts":
        """Itself, as read from a state; ValueError where no rows lead to it."""
        empty = no_counts(self.task, self.classes)
        for name in ("rows", "implied", "left_out"):
            within(f"{name} of performance", getattr(self, name))
        refuse("more implied labels than rows", where=self.implied > self.rows)
        for name in ("classified", "numeric", "places", "grades"):
            is_there, is_wanted = (getattr(each, name) is not None for each in (self, empty))
            refuse(f"{name} of a {self.task} task", where=is_there != is_wanted)
        places = self.places
        if places is not None:
            places = fitted("rows by place", places, like=np.zeros(PLACES, np.int64), least=0, most=MOST_COUNT)
        return replace(
            self,
            classified=None
            if self.classified is None
            else self.classified.checked(len(self.classes), is_binary=is_of_two(self.task, self.classes)),
            numeric=None if self.numeric is None else self.numeric.checked(),
            places=places,
            grades=None if self.grades is None else self.grades.checked(),
        )


def no_counts(task: Task, classes: tuple[str, ...]) -> PerformanceCounts:
    """Of no rows of a model."""
    is_class = task in ("binary", "multiclass")
    return PerformanceCounts(
        task,
        classes,
        rows=0,
        implied=0,
        left_out=0,
        classified=no_classified(len(classes), is_binary=is_of_two(task, classes)) if is_class else None,
        numeric=no_numeric() if task == "regression" else None,
        places=np.zeros(PLACES, np.int64) if task == "ranking" else None,
        grades=_grades(np.zeros(0)) if task == "text" else None,
    )


def counted(rows: LabelledRows) -> PerformanceCounts:
    """The counts of *rows*; those that cannot be compared are `left_out`."""
    with np.errstate(all="ignore"):
        usable = is_numeric_row(rows) if rows.task == "regression" else np.abs(rows.labels) <= MOST_NUMBER
        left_out = int(np.count_nonzero(~usable))
        rows = chosen_rows(rows, usable) if left_out else rows
        counts = replace(
            no_counts(rows.task, rows.classes),
            rows=rows.row_count,
            implied=int(np.count_nonzero(rows.is_implied)),
            left_out=left_out,
        )
        return _COUNTING[rows.task](counts, rows)


def counts_of_reference(reference: PerformanceReference) -> PerformanceCounts:
    """The counts of the rows of *reference* whose label is known, counted as live ones are."""
    return counted(rows_of_reference(reference))


def rows_of_reference(reference: PerformanceReference) -> LabelledRows:
    """The rows of *reference* whose label is known, as if they were live ones."""
    is_known = ~np.isnan(reference.labels)
    count = int(np.count_nonzero(is_known))
    moments = np.zeros(count)
    return LabelledRows(
        model=("", "", ""),
        task=reference.task,
        classes=reference.classes,
        predicted_at=moments,
        labelled_at=moments,
        scores=reference.scores[is_known],
        predictions=reference.predictions[is_known],
        labels=reference.labels[is_known],
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
    )


def chosen_rows(rows: LabelledRows, which: NDArray[Any]) -> LabelledRows:
    """Those of *rows* that *which* names, by place or as a mask, without bins."""
    return replace(
        rows,
        probabilities=None if rows.probabilities is None else rows.probabilities[which],
        segments=None if rows.segments is None else rows.segments[:, which],
        sampled=None,
        codes=None,
        origins=None,
        **{name: getattr(rows, name)[which] for name in _BY_ROW},
    )


def _classes(counts: PerformanceCounts, rows: LabelledRows) -> PerformanceCounts:
    return replace(counts, classified=classified(rows))


def _numbers(counts: PerformanceCounts, rows: LabelledRows) -> PerformanceCounts:
    return replace(counts, numeric=numeric(rows))


def _ranking(counts: PerformanceCounts, rows: LabelledRows) -> PerformanceCounts:
    places = np.clip(rows.labels, 0, PLACES - 1).astype(np.intp)
    return replace(counts, places=np.bincount(places, minlength=PLACES).astype(np.int64))


def _text(counts: PerformanceCounts, rows: LabelledRows) -> PerformanceCounts:
    return replace(counts, grades=_grades(rows.labels))


def _grades(grades: Floats) -> Grades:
    values, given = np.unique(grades, return_counts=True)
    if values.size > MOST_GRADES:
        values, given = values[:0], given[:0]
    return Grades(values, given.astype(np.int64), grades.size, float(grades.sum()), float((grades**2).sum()))


def _sum_of(one: Any, other: Any) -> Any:
    return None if one is None else one + other


def array_bytes(value: object) -> int:
    """Memory that all arrays in *value* take: of a dataclass, or a tuple of some."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple):
        return sum(map(array_bytes, cast("tuple[object, ...]", value)))
    if is_dataclass(value):
        return sum(array_bytes(getattr(value, field.name)) for field in fields(value))
    return 0


_BY_ROW = ("predicted_at", "labelled_at", "scores", "predictions", "labels", "steps", "is_implied")
_COUNTING: Final[dict[Task, Callable[[PerformanceCounts, LabelledRows], PerformanceCounts]]] = {
    "binary": _classes,
    "multiclass": _classes,
    "regression": _numbers,
    "ranking": _ranking,
    "text": _text,
}
