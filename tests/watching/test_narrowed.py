from __future__ import annotations

import numpy as np
import pytest

from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter
from dashlight.records import Prediction, Role, Table
from dashlight.watching.memory import comparison_bytes
from dashlight.watching.narrowed import narrowed
from dashlight.watching.rows import Comparison
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

NOTHING = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
ROLES: dict[str, Role] = {"score": "output"}


def columns(rng: np.random.Generator, rows: int, *, shift: float = 0.0) -> dict[str, Column]:
    base = rng.normal(size=rows)
    held: dict[str, Column] = {f"c{number}": base * 0.5 + rng.normal(shift, 1, rows) for number in range(30)}
    return {
        "note": [" ".join(rng.choice(["rain", "sun", "wind", "cloud", "storm"], 8)) for _ in range(rows)],
        **held,
        "score": rng.random(rows),
    }


@pytest.fixture(scope="module")
def held() -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns(columns(rng, 2500), ROLES, rng=rng, created_at=0.0)


def names(reference: Reference) -> list[str]:
    return [column.name for column in reference.columns if not column.of]


def test_a_reference_that_fits_stays_what_it_is(held: Reference) -> None:
    assert narrowed(held, {}, most_bytes=comparison_bytes(held)) is held


@pytest.mark.parametrize("part", [0.9, 0.5, 0.2, 0.1])
def test_what_is_left_of_a_reference_fits_and_the_rest_is_said_to_be_left_out(held: Reference, part: float) -> None:
    narrow = narrowed(held, {}, most_bytes=int(part * comparison_bytes(held)))

    assert comparison_bytes(narrow) <= part * comparison_bytes(held)
    assert narrow.version == held.version
    assert "score" in names(narrow)
    left_out = [each.name for each in narrow.left_out if each.why == "memory"]
    assert sorted([*names(narrow), *left_out]) == sorted(names(held))


def test_outputs_stay_first_then_what_matters_most_then_the_first_columns(held: Reference) -> None:
    narrow = narrowed(held, {"note": 0.0, "c29": 2.0}, most_bytes=1_100_000)

    kept = names(narrow)
    assert kept == [*(f"c{number}" for number in range(len(kept) - 2)), "c29", "score"]
    assert len(kept) > 3


def test_what_is_measured_of_a_text_goes_with_it(held: Reference) -> None:
    with_text = narrowed(held, {"note": 9.0}, most_bytes=3_000_000)
    without = narrowed(held, {"note": 0.0}, most_bytes=1_000_000)

    facets = {column.name for column in held.columns if column.of == "note"}
    assert facets
    assert facets < {column.name for column in with_text.columns}
    assert "note" in {direction.name for direction in with_text.directions}
    assert not facets & {column.name for column in without.columns}
    assert "note" not in {direction.name for direction in without.directions}


def test_pairs_and_joint_rows_are_those_of_the_columns_that_are_left(held: Reference) -> None:
    narrow = narrowed(held, {}, most_bytes=1_000_000)

    assert narrow.pairs is not None
    assert held.pairs is not None
    kept = [name for name in held.pairs.names if name in names(narrow)]
    assert list(narrow.pairs.names) == kept
    assert [narrow.columns[place].name for place in narrow.pairs.places] == kept
    whole = dict(zip(_pairs(held.pairs.names), held.pairs.shares.tolist(), strict=True))
    left = dict(zip(_pairs(narrow.pairs.names), narrow.pairs.shares.tolist(), strict=True))
    assert left == {pair: share for pair, share in whole.items() if set(pair) <= set(kept)}
    joint = next(direction for direction in narrow.directions if not direction.name)
    assert joint.covariance.shape == (joint.dims, joint.dims)
    assert joint.dims == len([column for column in narrow.columns if column.kind == "numeric" and not column.of])


def _pairs(of: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(first, second) for place, first in enumerate(of) for second in of[place + 1 :]]


def test_a_drift_in_what_is_left_is_found(held: Reference) -> None:
    narrow = narrowed(held, {}, most_bytes=1_000_000)
    counter, comparison = RowCounter(narrow, Policy()), Comparison(narrow, Policy(), endpoint="/predict")
    rng = np.random.default_rng(3)
    found: set[str | None] = set()

    for pane in range(40):
        made = columns(rng, 60, shift=1.0 if pane >= 15 else 0.0)
        features = table_of_columns({name: values for name, values in made.items() if name != "score"})
        outputs = table_of_columns({"score": made["score"]})
        counter.add(Prediction("/predict", "m", "1", "plain", features, outputs), np.zeros(60, "V16"))
        alerts = comparison.close_pane(counter.close(), 10.0 * pane)
        counter.follow(comparison.directions)
        found |= {alert.column for alert in alerts if alert.state == "firing" and alert.source == "drift"}
        assert pane >= 15 or not found

    assert {"c0", "c1"} <= found
    assert comparison.unknown_columns == ()


def test_the_rows_kept_are_those_of_the_columns_that_are_left(held: Reference) -> None:
    narrow = narrowed(held, {}, most_bytes=1_000_000)

    assert held.sample is not None
    assert narrow.sample is not None
    before = {(column.role, column.name): codes for column, codes in zip(held.columns, held.sample, strict=True)}
    assert len(narrow.columns) < len(held.columns)
    for column, codes in zip(narrow.columns, narrow.sample, strict=True):
        assert codes.tolist() == before[column.role, column.name].tolist()
