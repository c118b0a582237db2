"""A calibrated model of two classes that is wrong in one of ten rows, its reference, and labels that come hour by hour."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, LabelledRows, Task
from dashlight.window.performance_reference import PerformanceReference, ReferenceLoss

MakeRows: TypeAlias = Callable[..., LabelledRows]
HOUR = 3600.0
START = 1_790_000_000.0 // HOUR * HOUR


def rows_of(
    scores: Floats,
    labels: Floats,
    *,
    predicted_at: Floats,
    at: float,
    predictions: NDArray[np.int32] | None = None,
    task: Task = "binary",
    classes: tuple[str, ...] = ("no", "yes"),
) -> LabelledRows:
    count = len(labels)
    if predictions is None:
        predictions = (scores >= 0.5).astype(np.int32)
    return LabelledRows(
        model=("/predict", "risk", "1"),
        task=task,
        classes=classes,
        predicted_at=predicted_at,
        labelled_at=np.full(count, at),
        scores=scores,
        predictions=predictions,
        labels=labels,
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
    )


def scored(rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Scores of a model that is wrong with a probability of 0 to 0.2, and that probability."""
    wrong = rng.uniform(0.0, 0.2, count)
    return np.where(rng.random(count) < 0.5, wrong, 1 - wrong), wrong


@pytest.fixture
def labelled() -> MakeRows:
    """So many rows whose labels come *at*; the model is wrong by *rise* more often than its scores say."""

    def make(
        rng: np.random.Generator,
        count: int,
        *,
        at: float,
        rise: float = 0.0,
        delay: float = 0.0,
        only: tuple[float, float] = (0.0, 1.0),
    ) -> LabelledRows:
        scores, wrong = scored(rng, count)
        hit = (scores >= only[0]) & (scores < only[1])
        is_wrong = rng.random(count) < wrong + rise * hit
        labels = np.where(is_wrong, scores < 0.5, scores >= 0.5).astype(np.float64)
        predicted_at = at - delay - rng.uniform(0, HOUR, count)
        return rows_of(scores, labels, predicted_at=predicted_at, at=at)

    return make


def reference_of(scores: Floats, losses: Floats, *, task: Task = "binary", scale: float = 1.0) -> PerformanceReference:
    edges = np.quantile(scores, np.linspace(0, 1, 11)[1:-1])
    bins = np.searchsorted(edges, scores, side="right")
    loss = ReferenceLoss(
        name="error" if task == "binary" else "absolute_error",
        scale=scale,
        edges=edges,
        rows=np.bincount(bins, minlength=10),
        sums=np.bincount(bins, losses, minlength=10).astype(np.float64),
        squares=np.bincount(bins, losses**2, minlength=10).astype(np.float64),
    )
    return PerformanceReference(
        task=task,
        classes=("no", "yes") if task == "binary" else (),
        label="y",
        score="score",
        prediction="",
        rows=len(scores),
        scores=scores[:0],
        predictions=np.zeros(0, np.int32),
        labels=scores[:0],
        losses=(loss,),
    )


@pytest.fixture
def reference() -> PerformanceReference:
    """Of 10,000 rows."""
    rng = np.random.default_rng(900)
    scores, wrong = scored(rng, 10_000)
    return reference_of(scores, (rng.random(10_000) < wrong).astype(np.float64))


@pytest.fixture
def regression() -> PerformanceReference:
    """Of 5,000 rows of a number that is off by 2 in the mean; loss 1 stands for 10."""
    rng = np.random.default_rng(901)
    losses = np.minimum(rng.exponential(2.0, 5000), 10.0) / 10
    return reference_of(rng.normal(100, 20, 5000), losses, task="regression", scale=10.0)


@pytest.fixture
def make_rows() -> MakeRows:
    return rows_of


@pytest.fixture
def hours() -> Callable[[int], Sequence[float]]:
    """The ends of so many hours."""
    return lambda count: [START + HOUR * (hour + 1) for hour in range(count)]


@pytest.fixture
def budget() -> dict[str, Any]:
    """One false alarm in thirty days for a model, of which performance has a tenth."""
    return {"panes": 259_200.0, "share": 0.1, "pane_seconds": 10.0}
