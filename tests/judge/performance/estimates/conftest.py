"""References that know labels, and windows of scored rows, made of bins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.labels.rows import LabelledRows, ScoredRows
from dashlight.offline.reference import reference_of
from dashlight.offline.tables import table_of
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.reference.isotonic import isotonic

MODEL = ("/predict", "risk", "1")


@dataclass(frozen=True)
class World:
    """A model, and the rows that it is asked for."""

    reference: Reference
    binner: Binner

    def with_performance(self, known: "Rows", **overrides: Any) -> Reference:
        given: dict[str, Any] = {
            "task": "binary",
            "classes": ("no", "yes"),
            "label": "y",
            "score": "s",
            "prediction": "",
            "rows": len(known.labels),
            "scores": known.scores,
            "predictions": known.predictions,
            "labels": known.labels,
            "losses": (),
            "calibration": isotonic(known.scores, known.labels),
            **overrides,
        }
        return replace(
            self.reference,
            sample=self.binner.codes(table_of(known.columns, len(known.labels))),
            performance=PerformanceReference(**given),
        )

    def window(self, rows: "Rows", **overrides: Any) -> ScoredRows:
        count = len(rows.scores)
        given: dict[str, Any] = {
            "model": MODEL,
            "task": "binary",
            "classes": ("no", "yes"),
            "keys": np.zeros(count, "V16"),
            "origins": np.zeros(count, "V16"),
            "places": np.zeros(count, np.int32),
            "predicted_at": np.zeros(count),
            "scores": rows.scores,
            "predictions": rows.predictions,
            "steps": np.zeros(count, np.int32),
            "reference": self.reference.version,
            "sampled": np.arange(count),
            "codes": self.binner.codes(table_of(rows.columns, count)),
            **overrides,
        }
        return ScoredRows(**given)


@dataclass(frozen=True)
class Rows:
    """Rows with what the model said of them and what was true."""

    columns: dict[str, Any]
    scores: NDArray[np.float64]
    predictions: NDArray[np.int32]
    labels: NDArray[np.float64]

    def labelled(self, **overrides: Any) -> LabelledRows:
        count = len(self.labels)
        given: dict[str, Any] = {
            "model": MODEL,
            "task": "binary",
            "classes": ("no", "yes"),
            "predicted_at": np.zeros(count),
            "labelled_at": np.zeros(count),
            "scores": self.scores,
            "predictions": self.predictions,
            "labels": self.labels,
            "steps": np.zeros(count, np.int32),
            "is_implied": np.zeros(count, np.bool_),
            **overrides,
        }
        return LabelledRows(**given)


MakeRows = Callable[..., Rows]


@pytest.fixture
def make_rows() -> MakeRows:
    """Loans: the chance is a function of age and income; the model forgets the city, which moves it as well."""

    def made(
        count: int = 4000,
        *,
        seed: int = 0,
        age: float = 40.0,
        cities: tuple[str, ...] = ("Bonn", "Kiel", "Ulm"),
        ulm: float = 1 / 3,
    ) -> Rows:
        rng = np.random.default_rng(seed)
        ages = rng.normal(age, 8, count)
        incomes = rng.normal(0, 1, count)
        share = [(1 - ulm) / 2, (1 - ulm) / 2, ulm]
        names = rng.choice(cities, count, p=share)
        odds = (ages - 40) / 8 + incomes
        scores = 1 / (1 + np.exp(-1.5 * odds))  # more sure of itself than it may be
        chances = 1 / (1 + np.exp(-(odds * np.where(names == cities[-1], 0.3, 1.5))))
        labels = (rng.random(count) < chances).astype(np.float64)
        return Rows(
            {"age": ages, "income": incomes, "city": names.tolist()}, scores, (scores >= 0.5).astype(np.int32), labels
        )

    return made


@pytest.fixture
def world(make_rows: MakeRows) -> World:
    reference = reference_of(make_rows().columns, None, ordered=False, created_at=0.0)
    return World(reference, Binner(reference.columns))
