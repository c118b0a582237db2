"""What a reference knows of performance as plain values that fit into JSON, and back."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.labels.rows import MOST_CLASSES, NO_CLASS, Floats
from dashlight.window.performance_reference import LossName, PerformanceReference, ReferenceLoss
from dashlight.window.reference.packed import packed, unpacked
from dashlight.window.reference.performance.labelled_training import FEWEST_CLASSES, KnownTask
from dashlight.window.reference.performance.losses import LOSSES

MOST_BINS = 100
"""Of the score; what is made has ten."""
MOST_KNOTS = 500_000
"""Of a calibration; of labels of 0 and 1 an isotonic fit has a few hundred a million rows."""

_NUMBER_BYTES = 8
_SLACK = 1e-6
"""Of sums of losses against the rows that they are of: adding up rounds."""

_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _LossFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: LossName
    scale: float
    edges: Annotated[list[float], msgspec.Meta(max_length=MOST_BINS - 1)]
    rows: list[_Count]
    sums: list[float]
    squares: list[float]


class _CalibrationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scores: str
    shares: str


class _PerformanceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    task: KnownTask
    classes: Annotated[list[str], msgspec.Meta(max_length=MOST_CLASSES)]
    label: str
    score: str
    prediction: str
    rows: _Count
    scores: str
    predictions: str
    labels: str
    losses: Annotated[list[_LossFile], msgspec.Meta(max_length=len(get_args(LossName)))]
    calibration: _CalibrationFile | None


def performance_content(performance: PerformanceReference) -> dict[str, object]:
    """*performance* as plain values; of single rows `packed` arrays."""
    calibration = performance.calibration
    return {
        "task": performance.task,
        "classes": list(performance.classes),
        "label": performance.label,
        "score": performance.score,
        "prediction": performance.prediction,
        "rows": int(performance.rows),
        "scores": packed(performance.scores, "<f8"),
        "predictions": packed(performance.predictions, "<i1"),
        "labels": packed(performance.labels, "<f8"),
        "losses": [
            {
                "name": loss.name,
                "scale": float(loss.scale),
                "edges": loss.edges.tolist(),
                "rows": loss.rows.tolist(),
                "sums": loss.sums.tolist(),
                "squares": loss.squares.tolist(),
            }
            for loss in performance.losses
        ],
        "calibration": calibration
        and {"scores": packed(calibration[0], "<f8"), "shares": packed(calibration[1], "<f8")},
    }


def parsed_performance(content: Mapping[str, object], sampled: int) -> PerformanceReference:
    """What *content* says beside a sample of so many rows; ReferenceDataError, in one sentence, where that cannot be."""
    try:
        file = msgspec.convert(content, _PerformanceFile)
    except msgspec.ValidationError as error:
        raise _impossible(str(error)) from None
    calibration = file.calibration
    made = PerformanceReference(
        task=file.task,
        classes=tuple(file.classes),
        label=file.label,
        score=file.score,
        prediction=file.prediction,
        rows=file.rows,
        scores=_of_rows(file.scores, "scores", "<f8", sampled).astype(np.float64),
        predictions=_of_rows(file.predictions, "predictions", "<i1", sampled).astype(np.int32),
        labels=_of_rows(file.labels, "labels", "<f8", sampled).astype(np.float64),
        losses=tuple(_loss(file.task, loss) for loss in file.losses),
        calibration=None
        if calibration is None
        else (
            _numbers(calibration.scores, "calibration", "<f8", MOST_KNOTS).astype(np.float64),
            _numbers(calibration.shares, "calibration", "<f8", MOST_KNOTS).astype(np.float64),
        ),
    )
    for problem in (_classes_problem(made), _rows_problem(made), _losses_problem(made), _calibration_problem(made)):
        if problem:
            raise _impossible(problem)
    return made


def _of_rows(text: str, name: str, kind: str, rows: int) -> NDArray[Any]:
    numbers = _numbers(text, name, kind, rows)
    if len(numbers) != rows:
        raise _impossible(f"{len(numbers)} {name} beside a sample of {rows} rows")
    return numbers


def _numbers(text: str, name: str, kind: str, most: int) -> NDArray[Any]:
    try:
        return unpacked(text, kind, most_bytes=most * _NUMBER_BYTES)
    except ValueError as error:
        raise _impossible(f"its {name} are {error}") from None


def _loss(task: KnownTask, loss: _LossFile) -> ReferenceLoss:
    edges, sums, squares = (np.array(each, np.float64) for each in (loss.edges, loss.sums, loss.squares))
    rows = np.array(loss.rows, np.int64)
    if {len(rows), len(sums), len(squares)} != {len(edges) + 1}:
        raise _impossible(f"the {loss.name} of other bins than its {len(edges)} edges part")
    if not (np.diff(edges) > 0).all():
        raise _impossible(f"edges of the {loss.name} that do not ascend")
    if not loss.scale > 0 or (task != "regression" and loss.scale != 1):
        raise _impossible(f"a scale of the {loss.name} of {loss.scale:g}")
    # A loss lies from 0 to 1, and so its square is no larger.
    slack = _SLACK * (rows + 1)
    if not ((squares >= 0) & (squares <= sums + slack) & (sums <= rows + slack)).all():
        raise _impossible(f"more {loss.name} than rows")
    return ReferenceLoss(loss.name, loss.scale, edges, rows, sums, squares)


def _classes_problem(made: PerformanceReference) -> str | None:
    classes = made.classes
    if len(set(classes)) < len(classes):
        return "a class that occurs twice"
    fits = {
        "binary": len(classes) == FEWEST_CLASSES,
        "multiclass": len(classes) >= FEWEST_CLASSES,
        "regression": not classes,
    }
    return None if fits[made.task] else f"{len(classes)} classes of a task that is {made.task}"


def _rows_problem(made: PerformanceReference) -> str | None:
    if made.task == "regression":
        if (made.predictions != NO_CLASS).any():
            return "a class that is predicted, though there are none"
        return "a score or a label that is infinite" if _infinite(made.scores) or _infinite(made.labels) else None
    if not ((made.predictions >= NO_CLASS) & (made.predictions < len(made.classes))).all():
        return "a prediction that is none of its classes"
    labels = made.labels[~np.isnan(made.labels)]
    if not np.isin(labels, np.arange(NO_CLASS, len(made.classes))).all():
        return "a label that is none of its classes"
    return None if _are_shares(made.scores[~np.isnan(made.scores)]) else "a score outside 0 to 1"


def _losses_problem(made: PerformanceReference) -> str | None:
    names = [loss.name for loss in made.losses]
    if len(set(names)) < len(names) or not set(LOSSES.get(made.task, ())).issuperset(names):
        return f"losses that a task that is {made.task} has not, or one of them twice"
    if any(int(loss.rows.sum()) > made.rows for loss in made.losses):
        return f"losses of more rows than the {made.rows} that have a label"
    return None


def _calibration_problem(made: PerformanceReference) -> str | None:
    if made.calibration is None:
        return None
    scores, shares = made.calibration
    if made.task != "binary":
        return f"a calibration of a task that is {made.task}"
    if not len(scores) or len(scores) != len(shares):
        return "a calibration of other scores than shares"
    if not _are_shares(scores) or not _are_shares(shares):
        return "a calibration outside 0 to 1"
    if not (np.diff(scores) > 0).all() or not (np.diff(shares) >= 0).all():
        return "a calibration that does not ascend"
    return None


def _are_shares(numbers: Floats) -> bool:
    return bool(((numbers >= 0) & (numbers <= 1)).all())


def _infinite(numbers: Floats) -> bool:
    return bool(np.isinf(numbers).any())


def _impossible(what: str) -> ReferenceDataError:
    return ReferenceDataError(f"says of its performance what cannot be: {what}")
