"""What `dashlight reference build` learns of the model's own performance: the columns that tell it, and what they say."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from dashlight.cli.progress import Report
from dashlight.cli.training import TrainingFile, listed
from dashlight.decode.cells.truths import TRUTHS
from dashlight.errors import ReferenceDataError
from dashlight.window.reference.performance.labelled_training import KnownTask, LabelledTraining, labelled_training
from dashlight.window.reference.performance.told_values import MOST_ROWS, ToldValues, told_values


@dataclass(frozen=True, slots=True)
class ToldColumns:
    """Which columns of the training data say what was predicted, and what was true."""

    label: str
    score: str
    """Empty where nobody named it."""
    predictions: tuple[str, ...]
    task: KnownTask | None
    positive: str
    further_labels: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that are read."""
        return tuple(dict.fromkeys(name for name in (self.label, self.score, *self.predictions) if name))

    @property
    def is_asked_for(self) -> bool:
        """Whether somebody said more than that the label is to be left out, and so wants to know."""
        return bool(self.score or self.task or self.positive)


def add_options(build: argparse.ArgumentParser) -> None:
    """Adds the options of *build* that say more of the label."""
    build.add_argument(
        "--score", metavar="COL", default="", help="column of the predicted probability, or of the predicted number"
    )
    build.add_argument(
        "--positive",
        metavar="CLASS",
        default="",
        help="the positive one of two labels (true, 1, yes, or of higher score)",
    )
    build.add_argument(
        "--task", choices=get_args(KnownTask), default=None, help="what is predicted, where the label leaves it open"
    )


def told_columns(file: TrainingFile, arguments: argparse.Namespace) -> ToldColumns | None:
    """The columns that *arguments* name; None where there is no label. ReferenceDataError for names that cannot be meant."""
    labels: Sequence[str] = arguments.label
    score: str = arguments.score
    for option in ("score", "positive", "task"):
        if getattr(arguments, option) and not labels:
            raise ReferenceDataError(
                f"cannot be measured by --{option} alone: name the column of true answers with --label"
            )
    if score and score not in file.names:
        raise ReferenceDataError(f"has no column {score!r} (--score); it has {listed(file.names)}")
    if not labels:
        return None
    for name, option in ((labels[0], "--label"), (score, "--score")):
        if name in file.unusable:
            raise ReferenceDataError(f"holds no single values in column {name!r} ({option})")
    predictions = [name for name in arguments.prediction if name not in file.unusable]
    return ToldColumns(labels[0], score, tuple(predictions), arguments.task, arguments.positive, tuple(labels[1:]))


def own_performance(
    file: TrainingFile, told: ToldColumns, *, step: Callable[[str], Report]
) -> tuple[LabelledTraining | None, list[str]]:
    """What *file*, after its `look` at their names, says by the columns *told*, and remarks, a sentence each.

    None where it does not tell how good the model was, though nobody asked; ReferenceDataError where somebody did.
    """
    values, rows = told_values(file.tables(told.names, step("Reading labels")), told.names)
    values = {name: each.respelled(_truths_as_written(file, told.label)) for name, each in values.items()}
    notes = remarks(told, values, rows)
    try:
        _check_no_times(file, (told.label, told.score))
        training = labelled_training(
            told.label,
            values,
            score=told.score,
            predictions=told.predictions,
            task=told.task,
            positive=told.positive,
        )
    except ReferenceDataError as error:
        if told.is_asked_for:
            raise
        return None, [*notes, f"The model's own performance is not measured: the data {error}."]
    return training, [*notes, *training.notes]


def remarks(told: ToldColumns, values: Mapping[str, ToldValues], rows: int) -> list[str]:
    """What to know of the *values* of the columns *told*, of so many *rows*, a sentence each."""
    notes: list[str] = []
    if told.further_labels:
        notes.append(f"Of several labels {told.label!r}, the first, is what performance is measured by.")
    if rows > MOST_ROWS:
        notes.append(f"Performance is measured on the first {MOST_ROWS:,} of {rows:,} rows.")
    known = values[told.label].is_known
    if not known.all():
        missing = len(known) - int(known.sum())
        notes.append(f"Rows without a value in column {told.label!r} (--label): {missing:,} of {len(known):,}.")
    return notes


def _truths_as_written(file: TrainingFile, label: str) -> Mapping[str, str]:
    """How the column *label* writes `true` and `false`, where by other words: as labels to come will."""
    counts = file.counts.get(label)
    if counts is None or "truth" not in counts.first:
        return {}
    words = {("true" if TRUTHS[word] else "false"): word for word, _ in reversed(counts.truths.most_common())}
    _, example = counts.first["truth"]
    example = example.strip()
    case = str.upper if example.isupper() else str.capitalize if example[:1].isupper() else str.lower
    return {truth: case(word) for truth, word in words.items() if word != truth}


def _check_no_times(file: TrainingFile, names: Sequence[str]) -> None:
    for name in names:
        if name in file.writings and file.writings[name].kind == "time":
            raise ReferenceDataError(f"has times in column {name!r}, where a label or a score is wanted")
