import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as untyped

from dashlight.judge.performance.estimates.expected import binary_measures, score_evidence, told
from dashlight.window.reference.isotonic import isotonic, isotonic_at

metrics: Any = untyped
NANNYML: dict[str, Any] = json.loads(Path(__file__).with_name("nannyml.json").read_text())["sets"]


def spread(counted: list[list[int]]) -> list[NDArray[np.int64]]:
    """Columns of the rows that *counted* says how often there are."""
    table = np.array(counted)
    return list(np.repeat(table[:, :-1], table[:, -1], axis=0).T)


def estimated(scores: NDArray[Any], predicted: NDArray[Any], chances: NDArray[Any]) -> dict[str, float]:
    return {each.name: each.value for each in binary_measures(scores, predicted, chances)}


@pytest.mark.parametrize("name", list(NANNYML))
@pytest.mark.parametrize("place", range(3))
def test_estimates_are_those_of_nannyml_on_its_own_sets(name: str, place: int) -> None:
    scores, _, labels = spread(NANNYML[name]["reference"])
    calibration = isotonic(scores / 100, labels.astype(np.float64))
    chunk = NANNYML[name]["chunks"][place]
    of_chunk, predicted = spread(chunk["rows"])

    ours = estimated(of_chunk / 100, predicted == 1, isotonic_at(of_chunk / 100, calibration))

    assert {metric: ours[metric] for metric in ("accuracy", "roc_auc", "f1")} == pytest.approx(
        {metric: chunk[metric] for metric in ("accuracy", "roc_auc", "f1")}, abs=1e-6
    )


def test_of_labels_that_are_certain_the_measures_are_the_realised_ones() -> None:
    rng = np.random.default_rng(1)
    scores = np.round(rng.random(500), 2)
    labels = (rng.random(500) < scores).astype(np.float64)
    predicted = scores >= 0.6

    assert estimated(scores, predicted, labels) == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(labels, predicted),
            "precision": metrics.precision_score(labels, predicted),
            "recall": metrics.recall_score(labels, predicted),
            "f1": metrics.f1_score(labels, predicted),
            "roc_auc": metrics.roc_auc_score(labels, scores),
            "brier": metrics.brier_score_loss(labels, scores),
            "log_loss": metrics.log_loss(labels, np.clip(scores, 1e-15, 1 - 1e-15)),
        }
    )


def test_slopes_are_those_of_the_measures() -> None:
    rng = np.random.default_rng(2)
    scores, chances = np.round(rng.random(40), 1), rng.random(40)
    predicted = scores >= 0.5
    before = binary_measures(scores, predicted, chances)
    nudge = 1e-6

    for row in range(40):
        nudged = chances.copy()
        nudged[row] += nudge
        after = binary_measures(scores, predicted, nudged)
        moved = [(b.value - a.value) / nudge for a, b in zip(before, after, strict=True)]
        assert moved == pytest.approx([each.slopes[row] for each in before], abs=1e-4)


def test_realised_values_are_inside_the_interval_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    inside = Counter[str]()
    for _ in range(200):
        known, scores = rng.random(1000), rng.random(400)
        labels = (rng.random(1000) < known).astype(np.float64)
        chances = np.clip(isotonic_at(scores, isotonic(known, labels)), 0, 1)
        predicted = scores >= 0.5
        measures = told(
            binary_measures(scores, predicted, chances), scores, chances, score_evidence(known, None, 1000), "cbpe"
        )
        truth = estimated(scores, predicted, (rng.random(400) < scores).astype(np.float64))
        for each in measures:
            inside[each.name] += each.low <= truth[each.name] <= each.high

    assert len(inside) == 7
    assert {name: count for name, count in inside.items() if not 180 <= count <= 200} == {}


@given(
    rows=st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0, 1)), min_size=1, max_size=30),
)
def test_whatever_the_rows_are_every_measure_is_within_its_range(rows: list[tuple[float, bool, float]]) -> None:
    scores, predicted, chances = (np.array(column) for column in zip(*rows, strict=True))

    measures = told(
        binary_measures(scores, predicted, chances), scores, chances, score_evidence(scores, None, len(rows)), "cbpe"
    )

    assert [
        each for each in measures if not 0 <= each.low <= each.value + 1e-9 or not each.value - 1e-9 <= each.high
    ] == []
    assert [each for each in measures if each.name != "log_loss" and each.high > 1] == []


def test_where_nothing_is_predicted_positive_there_is_no_precision() -> None:
    measures = estimated(np.array([0.1, 0.2]), np.array([False, False]), np.array([0.0, 0.0]))

    assert measures.keys() == {"accuracy", "brier", "log_loss"}


def test_scores_that_are_no_probabilities_have_no_brier_score() -> None:
    measures = estimated(np.array([-3.0, 1e300]), np.array([False, True]), np.array([0.1, 0.9]))

    assert measures.keys() == {"accuracy", "precision", "recall", "f1", "roc_auc"}
