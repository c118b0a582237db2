"""How many more labels decide, and which: by formulas that are checked against what then comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.judge.performance.measure import Measure
from dashlight.judge.performance.measures import measures
from dashlight.judge.performance.wanted import (
    labels_until_decided,
    labels_until_evident,
    labels_until_narrow,
    wanted_labels,
)
from dashlight.judge.performance.weighting import weighted_measures
from dashlight.labels.rows import KEY_BYTES, LabelledRows, ScoredRows
from dashlight.window.performance.counts import PerformanceCounts, counted
from dashlight.window.performance.strata import STRATA, strata_of

Rows = Callable[..., LabelledRows]


def unlabelled(scores: Any, predicted_at: Any = None) -> ScoredRows:
    count = len(scores)
    keys = np.zeros(count, f"V{KEY_BYTES}")
    return ScoredRows(
        ("", "", ""), "binary", ("no", "yes"), keys, keys, np.zeros(count, np.int32),
        np.zeros(count) if predicted_at is None else np.asarray(predicted_at, float), np.asarray(scores, float),
        np.zeros(count, np.int32), np.zeros(count, np.int32),
    )  # fmt: skip


def accuracy(counts: PerformanceCounts) -> Measure:
    return next(each for each in measures(counts) if each.name == "accuracy")


@pytest.mark.parametrize("limit", [0.85, 0.93], ids=["below", "above"])
def test_so_many_more_labels_decide(labelled: Rows, limit: float) -> None:
    def of(rows: int) -> Measure:
        right = round(0.9 * rows)
        return accuracy(counted(labelled("binary", np.ones(rows), None, np.arange(rows) < right)))

    before = of(100)
    more = labels_until_decided(before, limit)

    assert more is not None
    assert more > 20
    after = of(round(1.15 * (100 + more)))
    assert not before.low > limit
    assert not before.high < limit
    assert after.low > limit or after.high < limit
    fewer = of(round(0.75 * (100 + more)))
    assert fewer.low <= limit <= fewer.high


def test_what_is_decided_needs_no_more() -> None:
    assert labels_until_decided(Measure("accuracy", 0.9, 0.88, 0.92, 800), 0.85) == 0


@pytest.mark.parametrize("limit", [0.9, 0.90001], ids=["at the limit", "next to it"])
def test_what_no_million_labels_decide_has_no_number(limit: float) -> None:
    assert labels_until_decided(Measure("accuracy", 0.9, 0.88, 0.92, 800), limit) is None


def test_an_open_interval_has_no_number() -> None:
    assert labels_until_narrow(Measure("mae", 2.0, 0.0, float("inf"), 1), 0.5) is None


def test_four_times_the_labels_halve_an_interval() -> None:
    assert labels_until_narrow(Measure("accuracy", 0.9, 0.88, 0.92, 800), 0.01) == 2400


@pytest.mark.parametrize(
    ("nats", "threshold", "labels", "more"),
    [
        (5.0, 15.0, 1000, 2000),
        (15.0, 15.0, 10, 0),
        (0.0, 15.0, 10, None),
        (-3.0, 15.0, 10, None),
        (1e-9, 15.0, 10, None),
    ],
    ids=["it grows", "it is there", "it stands", "it falls", "it hardly grows"],
)
def test_evidence_grows_on_as_it_did(nats: float, threshold: float, labels: int, more: int | None) -> None:
    assert labels_until_evident(nats, threshold, labels) == more


def test_labels_are_wanted_where_there_are_few_and_the_model_errs(labelled: Rows) -> None:
    scores = np.repeat([0.05, 0.55, 0.95], [400, 40, 5])
    wrong = (np.arange(445) % 2 == 0) & (scores == 0.55)
    counts = counted(labelled("binary", wrong, scores, np.zeros(445, int)))
    rows = unlabelled(np.tile([0.05, 0.55, 0.95], 200), np.arange(600))

    found = wanted_labels(rows, counts, np.full(STRATA, 1000), 60)

    share = np.bincount(found.strata, minlength=STRATA)
    assert share[0] == 0
    assert min(share[5], share[9]) > 10
    assert len(set(found.places.tolist())) == 60
    assert rows.predicted_at[found.places[found.strata == 9]].tolist() == sorted(
        rows.predicted_at[found.places[found.strata == 9]], reverse=True
    )


def test_wanted_labels_narrow_the_interval_more_than_the_newest_do(labelled: Rows) -> None:
    rng = np.random.default_rng(3)
    scores = rng.beta(1, 4, 20_000)
    labels = (rng.random(20_000) < np.where(scores > 0.4, 0.5, 0.02)).astype(int)
    predictions = (scores > 0.4).astype(int)
    by_score = np.bincount(strata_of(scores), minlength=STRATA).astype(np.int64)
    first = np.arange(400)
    counts = counted(labelled("binary", labels[first], scores[first], predictions[first]))
    rest = np.arange(400, 20_000)

    found = wanted_labels(unlabelled(scores[rest], rest), counts, by_score, 400)

    widths: list[float] = []
    for chosen in (rest[found.places], rest[-400:]):
        more = counted(labelled("binary", labels[chosen], scores[chosen], predictions[chosen]))
        both = (counts + more).classified
        assert both is not None
        weighted = weighted_measures(both, by_score)
        widths.append(weighted.measures[0].high - weighted.measures[0].low)
    assert widths[0] < 0.9 * widths[1]


def test_of_numbers_the_newest_are_wanted(labelled: Rows) -> None:
    counts = counted(labelled("regression", [1.0], [2.0]))
    rows = replace(unlabelled([10.0, 20.0, 30.0], [5, 9, 7]), task="regression")

    found = wanted_labels(rows, counts, np.zeros(STRATA, np.int64), 2)

    assert found.places.tolist() == [1, 2]


def test_before_the_first_label_any_tenth_is_wanted() -> None:
    found = wanted_labels(unlabelled([0.1, 0.9, 0.9]), None, np.zeros(STRATA, np.int64), 10)

    assert sorted(found.places.tolist()) == [0, 1, 2]
    assert wanted_labels(unlabelled([]), None, np.zeros(STRATA, np.int64), 10).places.size == 0
