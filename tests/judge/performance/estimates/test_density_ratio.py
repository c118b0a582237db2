from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import linear_model as untyped

from dashlight.judge.performance.estimates.density_ratio import RatioSettings, density_ratios, effective_share
from dashlight.judge.performance.estimates.one_hot import OneHot
from dashlight.window.layout import BINS
from dashlight.window.reference.steps import finished

Codes = NDArray[np.uint8]
linear_model: Any = untyped


def codes_of(rng: np.random.Generator, rows: int, tilt: float = 0.0) -> Codes:
    shares = np.exp(tilt * np.arange(6))
    return np.stack([rng.choice(6, rows, p=shares / shares.sum()), rng.choice(6, rows)]).astype(np.uint8) + 4


def one_hot(codes: Codes) -> NDArray[np.float64]:
    return np.hstack([np.eye(BINS)[column] for column in codes])


def test_ratios_are_those_of_a_logistic_regression_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    reference, current = codes_of(rng, 3000), codes_of(rng, 1001, tilt=0.3)
    expected = np.empty(3000)
    for fold in (0, 1):
        seen, others = reference[:, 1 - fold :: 2], current[:, 1 - fold :: 2]
        model = linear_model.LogisticRegression(C=1 / 10, tol=1e-10, max_iter=1000).fit(
            one_hot(np.hstack([seen, others])), np.repeat([0, 1], [seen.shape[1], others.shape[1]])
        )
        odds = model.decision_function(one_hot(reference[:, fold::2]))
        expected[fold::2] = np.exp(odds) * seen.shape[1] / others.shape[1]

    ratios = finished(density_ratios(reference, current, RatioSettings(10.0, 1e9)))

    assert ratios == pytest.approx(expected / expected.mean(), rel=1e-3)


def test_rows_alike_count_alike() -> None:
    rng = np.random.default_rng(1)

    ratios = finished(density_ratios(codes_of(rng, 5000), codes_of(rng, 5000), RatioSettings(10.0, 10.0)))

    assert effective_share(ratios) > 0.98
    assert ratios.mean() == pytest.approx(1.0)


def test_no_row_counts_more_than_the_limit_says_where_the_two_are_parted() -> None:
    rng = np.random.default_rng(2)
    reference, current = codes_of(rng, 1000), codes_of(rng, 1000)
    reference[0], current[0] = 4, 5
    reference[0, ::100] = 5

    ratios = finished(density_ratios(reference, current, RatioSettings(10.0, 5.0)))

    assert np.isfinite(ratios).all()
    assert ratios.max() / ratios[ratios < ratios.max()].max() > 1


def test_the_effective_share_is_one_of_equal_weights_and_one_row_of_a_single_one() -> None:
    assert effective_share(np.ones(10)) == pytest.approx(1.0)
    assert effective_share(np.eye(10)[0]) == pytest.approx(0.1)


def test_a_ridge_regression_is_solved_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(3)
    codes = codes_of(rng, 500)
    values = codes[0] + rng.standard_normal(500)
    rows = OneHot([codes])
    penalty = np.full(rows.width, 3.0)
    penalty[0] = 1e-9
    right = finished(rows.transposed(values - values.mean()))

    weights = finished(rows.solved(right, np.ones(500), penalty))

    model = linear_model.Ridge(alpha=3.0).fit(one_hot(codes), values)
    assert finished(rows.times(weights)) + values.mean() == pytest.approx(model.predict(one_hot(codes)), abs=1e-4)


def test_the_work_is_done_in_many_small_steps() -> None:
    rng = np.random.default_rng(4)

    steps = sum(1 for _ in density_ratios(codes_of(rng, 2000), codes_of(rng, 500, tilt=0.2), RatioSettings(10.0, 10.0)))

    assert steps > 100


def test_where_nothing_holds_the_classifier_back_the_ratios_are_numbers_all_the_same() -> None:
    rng = np.random.default_rng(5)
    reference, current = codes_of(rng, 2000), codes_of(rng, 2000)
    reference[0], current[0] = 4, 5
    reference[1, 1000:], current[1, 1000:] = 4, 5

    ratios = finished(density_ratios(reference, current, RatioSettings(1e-9, 5.0)))

    assert np.isfinite(ratios).all()
    assert (ratios >= 0).all()


def test_a_system_that_hardly_holds_together_is_left_after_a_number_of_rounds() -> None:
    rng = np.random.default_rng(6)
    rows = OneHot([rng.integers(0, BINS, (30, 4000)).astype(np.uint8)])

    steps = rows.solved(
        rng.standard_normal(rows.width), np.exp(8 * rng.standard_normal(4000)), np.full(rows.width, 1e-9)
    )

    assert np.isfinite(finished(steps)).all()
