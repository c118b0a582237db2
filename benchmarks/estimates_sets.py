"""Sets whose labels are known, as estimates without labels need them: NannyML's, and others on which constants are chosen.

NannyML's (https://github.com/NannyML/nannyml, Apache-2.0) are read out of its wheel, which is not imported.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.offline.reference import reference_of
from dashlight.offline.tables import table_of
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.tables import Column

SetName: TypeAlias = Literal["car_loan", "employment_MA", "california"]
SETS: tuple[SetName, ...] = ("car_loan", "employment_MA", "california")

_FOLDER = "nannyml/datasets/data/"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows of a set: the bins of their features, what the model said, what was true."""

    codes: NDArray[np.uint8]
    """Shape (columns, rows)."""
    scores: Floats
    predictions: NDArray[np.int32]
    labels: Floats

    def rows(self, places: slice | NDArray[np.intp]) -> Part:
        """Some of its rows."""
        return Part(self.codes[:, places], self.scores[places], self.predictions[places], self.labels[places])

    @property
    def row_count(self) -> int:
        """Rows in it."""
        return len(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """A reference and what came after it; the bins of both are those of the reference."""

    reference: Reference
    """Of the features."""
    before: Part
    after: Part
    chunk_rows: int
    """Rows of a window; 0 where there are none by themselves."""


def binned(before: Mapping[str, Column], *parts: Mapping[str, Column]) -> tuple[Reference, list[NDArray[np.uint8]]]:
    """The reference of the columns *before*, and the bins of these and of *parts*."""
    reference = reference_of(dict(before), None, ordered=False, created_at=0.0)
    binner = Binner(reference.columns)
    return reference, [binner.codes(table_of(part, len(next(iter(part.values()))))) for part in (before, *parts)]


def nannyml_set(name: SetName, wheel: zipfile.ZipFile) -> LabelledSet:
    """One of the three sets of NannyML on which figures of its own are known."""
    if name == "employment_MA":
        before, after, truth = (
            _parquet(wheel, f"employment_MA_{part}.pq") for part in ("reference", "analysis", "analysis_target")
        )
        return _set(before, after, truth, Roles("employed", "predicted_probability", "prediction"), 5000)
    if name == "car_loan":
        before, after, truth = (
            _csv(wheel, f"synthetic_car_loan_{part}.csv") for part in ("reference", "analysis", "analysis_target")
        )
        return _set(before, after, truth, Roles("repaid", "y_pred_proba", "y_pred"), 5000)
    before, after, truth = (
        _csv(wheel, f"california_housing_{part}.csv") for part in ("reference", "analysis", "analysis_gt")
    )
    return _set(before, after, truth, Roles("clf_target", "y_pred_proba", "y_pred"), 600)


def nannyml_regression(wheel: zipfile.ZipFile) -> LabelledSet:
    """NannyML's prices of cars: scores and predictions are numbers."""
    before, after, truth = (
        _csv(wheel, f"regression_synthetic_{part}.csv") for part in ("reference", "analysis", "analysis_targets")
    )
    return _set(before, after, truth, Roles("y_true", "y_pred", ""), 6000)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns of a set are no features."""

    label: str
    score: str
    prediction: str


def _set(
    before: Mapping[str, Column], after: Mapping[str, Column], truth: Mapping[str, Column], roles: Roles, chunk: int
) -> LabelledSet:
    none = {"id", "timestamp", "year", roles.label, roles.score, roles.prediction}
    features = [name for name in before if name not in none]
    reference, (codes, codes_after) = binned(
        {name: before[name] for name in features}, {name: after[name] for name in features}
    )
    at = {number: place for place, number in enumerate(_numbers(truth["id"]))} if "id" in truth else {}
    ids = _numbers(after["id"])
    order = np.array([at[number] for number in ids], np.intp) if at else np.arange(len(ids))
    return LabelledSet(
        reference,
        _part(codes, before, _array(before[roles.label]), roles),
        _part(codes_after, after, _array(truth[roles.label])[order], roles),
        chunk,
    )


def _part(codes: NDArray[np.uint8], columns: Mapping[str, Column], labels: Floats, roles: Roles) -> Part:
    scores = _array(columns[roles.score])
    predictions = _array(columns[roles.prediction]) if roles.prediction else np.full(len(scores), -1.0)
    return Part(codes, scores, predictions.astype(np.int32), labels)


def _array(column: Column) -> Floats:
    return np.asarray(column, np.float64)


def _numbers(column: Column) -> list[int]:
    return [int(value) for value in _array(column).tolist()]


def _csv(wheel: zipfile.ZipFile, name: str) -> dict[str, Column]:
    rows = list(csv.DictReader(io.StringIO(wheel.read(_FOLDER + name).decode())))
    return {column: parsed([row[column] for row in rows]) for column in rows[0]}


def _parquet(wheel: zipfile.ZipFile, name: str) -> dict[str, Column]:
    table = cast("Any", pyarrow.parquet).read_table(io.BytesIO(wheel.read(_FOLDER + name)))
    columns: Mapping[str, list[object]] = table.to_pydict()
    return {
        column: parsed([None if value is None else str(value) for value in values])
        for column, values in columns.items()
    }


def parsed(texts: Sequence[str | None]) -> Column:
    """Numbers, NaN where there is none, if all are; else words, None where there is none."""
    try:
        return np.array([float(text) if text else np.nan for text in texts], np.float64)
    except ValueError:
        return [text or None for text in texts]
