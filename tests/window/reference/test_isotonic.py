import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from dashlight.window.reference.isotonic import isotonic, isotonic_at

_ROWS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=60).filter(
    lambda rows: any(weight for *_, weight in rows)
)


@given(_ROWS)
def test_the_fit_is_that_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    scores, values, weights = np.array(rows, np.float64).T
    points = np.linspace(-1, 13, 57)

    ours = isotonic_at(points, isotonic(scores, values, weights))

    weighted = weights > 0
    theirs = IsotonicRegression(out_of_bounds="clip").fit(
        scores[weighted], values[weighted], sample_weight=weights[weighted]
    )
    assert ours == pytest.approx(theirs.predict(points), abs=1e-12)


def test_the_fit_of_many_rows_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(20_000)
    values = (rng.random(20_000) < scores**2).astype(np.float64)

    ours = isotonic_at(scores, isotonic(scores, values))

    theirs = IsotonicRegression(out_of_bounds="clip").fit(scores, values).predict(scores)
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_knots_ascend_and_levels_do_not_fall() -> None:
    rng = np.random.default_rng(2)

    knots, levels = isotonic(np.round(rng.random(500), 2), rng.random(500))

    assert (np.diff(knots) > 0).all()
    assert (np.diff(levels) >= 0).all()


def test_a_weight_counts_as_so_many_rows() -> None:
    scores, values = np.array([0.1, 0.2, 0.3, 0.3]), np.array([1.0, 0.0, 1.0, 0.0])
    counts = np.array([1, 3, 2, 1])

    weighted = isotonic(scores, values, counts.astype(np.float64))
    repeated = isotonic(np.repeat(scores, counts), np.repeat(values, counts))

    assert weighted[0].tolist() == repeated[0].tolist()
    assert weighted[1] == pytest.approx(repeated[1])


def test_no_rows_give_no_knots() -> None:
    knots, levels = isotonic(np.empty(0), np.empty(0))

    assert len(knots) == len(levels) == 0


def test_a_score_that_is_missing_has_no_fit() -> None:
    fit = isotonic(np.array([0.0, 1.0]), np.array([0.0, 1.0]))

    assert np.isnan(isotonic_at(np.array([np.nan]), fit)).all()


@pytest.mark.parametrize(
    "values",
    [
        np.append(np.arange(300.0), -1e6),
        np.append(np.arange(300.0), [250.5, 249.0, 400.0]),
        np.arange(300.0)[::-1],
        np.tile([1.0, 0.0], 150) + np.arange(300) / 50,
        -np.floor(np.sqrt(np.arange(300.0))),
    ],
    ids=["one drop below all", "a drop below some", "falling", "to and fro", "down in stairs"],
)
def test_drops_of_any_reach_are_pooled(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    scores = np.arange(float(len(values)))

    ours = isotonic_at(scores, isotonic(scores, values))

    assert ours == pytest.approx(IsotonicRegression().fit(scores, values).predict(scores), abs=1e-9)
