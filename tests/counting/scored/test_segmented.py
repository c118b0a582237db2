from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter
from dashlight.counting.scored.binned import Binned
from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.counting.scored.segmented import RowSegments
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange, Prediction, Table
from dashlight.window.columns import LargestCluster, Reference
from dashlight.window.disclosure import with_shown
from dashlight.window.parts.segments import NO_SEGMENT
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

CITIES = ["Kiel", "Ulm"]


@pytest.fixture(scope="module")
def cities() -> Reference:
    rng = np.random.default_rng(1)
    held: dict[str, Column] = {
        "city": [CITIES[at] for at in (rng.random(1500) < 0.3).astype(int)],
        "age": rng.normal(40, 10, 1500),
        "p": rng.random(1500),
    }
    return with_shown(build_reference_from_columns(held, {"p": "output"}, rng=rng, created_at=0.0), ["city"])


def table(held: dict[str, Column], exchange: Sequence[int]) -> Table:
    return replace(table_of_columns(held), exchange=np.asarray(exchange, np.intp))


def asked(cities: Sequence[object], of_features: Sequence[int], of_outputs: Sequence[int]) -> Prediction:
    count = len(cities)
    return Prediction(
        "/predict",
        "risk",
        "3",
        "plain",
        table({"city": list(cities), "age": np.arange(30.0, 30 + count)}, of_features),
        table({"p": np.linspace(0.1, 0.9, len(of_outputs))}, of_outputs),
    )


def binned_of(reference: Reference, prediction: Prediction, keys: Sequence[int] | None = None) -> Binned:
    found: list[Binned] = []
    traces = np.zeros(100, "V16")
    RowCounter(reference, Policy()).add(prediction, traces, keys, binned=found)
    return found[0]


def words(reference: Reference, codes: NDArray[np.uint8]) -> list[str]:
    values = segmentation_of(reference, ["city"]).columns[0].values
    return ["" if code == NO_SEGMENT else values[code] for code in codes[0].tolist()]


@pytest.mark.parametrize(
    ("of_features", "of_outputs", "expected"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], ["Kiel", "Ulm", "", "other"]),
        ([0, 0, 0, 0], [0, 0, 0, 0], ["Kiel", "Ulm", "", "other"]),
        ([0, 0, 1, 2], [0, 1, 2, 3], ["", "", "other", ""]),
        ([0, 1, 2, 3], [0, 0, 0, 1, 1], ["Kiel", "Kiel", "Kiel", "Ulm", "Ulm"]),
    ],
    ids=["rows", "a batch", "fewer answers", "more answers"],
)
def test_rows_are_in_the_segment_of_their_features_or_of_their_exchange(
    cities: Reference, of_features: list[int], of_outputs: list[int], expected: list[str]
) -> None:
    prediction = asked(["Kiel", "Ulm", None, "Rome"], of_features, of_outputs)

    found = RowSegments(["city", "gone"]).of(prediction, binned_of(cities, prediction), np.arange(len(of_outputs)))

    assert found is not None
    assert found[0] == ("city",)
    assert words(cities, found[1]) == expected


def test_rows_that_did_not_count_are_in_none(cities: Reference) -> None:
    prediction = asked(["Kiel"] * 20, range(20), range(20))
    of_few = replace(cities, largest_cluster=LargestCluster(share=0.1, rows=2))

    binned = binned_of(of_few, prediction, keys=[7] * 20)
    found = RowSegments(["city"]).of(prediction, binned, np.arange(20))

    assert binned.rows is not None
    assert found is not None
    assert np.flatnonzero(found[1][0] != NO_SEGMENT).tolist() == binned.rows.tolist()


def test_where_no_column_has_segments_nothing_is_said(cities: Reference) -> None:
    prediction = asked(["Kiel", "Ulm"], [0, 1], [0, 1])

    assert RowSegments(()).of(prediction, binned_of(cities, prediction), np.arange(2)) is None


def test_what_waits_for_its_label_says_in_which_segments_it_is(
    cities: Reference, make_exchange: Callable[..., Exchange]
) -> None:
    prediction = asked(["Kiel", "Ulm", None], [0, 1, 2], [0, 1, 2])
    exchanges = [make_exchange({}, {}, number=at + 1) for at in range(3)]
    scorer = Scorer(Scoring(HashKey(b"k" * 32), segments=("city", "age"), is_quiet=True))

    rows = scorer.score(prediction, exchanges, binned=binned_of(cities, prediction))
    without = scorer.score(prediction, exchanges)

    assert rows is not None
    assert rows.segments is not None
    assert rows.segmented_by == ("city", "age")
    assert rows.reference == cities.version
    assert words(cities, rows.segments) == ["Kiel", "Ulm", ""]
    assert without is not None
    assert without.segments is None
