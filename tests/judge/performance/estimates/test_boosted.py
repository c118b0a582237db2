import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.boosted import MOST_COLUMNS, boosted_trees
from dashlight.window.reference.steps import finished


def rows(seed: int, count: int = 4000) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(4, 14, (3, count)).astype(np.uint8)


def test_what_two_columns_say_only_together_is_learned() -> None:
    def truth(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        alike = (codes[0] > 8) == (codes[1] > 8)
        return np.where(alike, 1.0, 3.0)

    noise = np.random.default_rng(0).standard_normal(4000)
    model = finished(boosted_trees(rows(1), truth(rows(1)) + noise, np.ones(3, np.bool_)))

    assert finished(model.at(rows(2))) == pytest.approx(truth(rows(2)), abs=0.5)


def test_categories_are_put_in_the_order_of_their_means() -> None:
    codes = rows(3)
    truth = (codes[0] % 2).astype(np.float64)

    model = finished(boosted_trees(codes, truth, np.zeros(3, np.bool_)))

    assert finished(model.at(codes)) == pytest.approx(truth, abs=0.02)


def test_what_is_above_the_range_is_taken_for_the_largest_and_not_for_null() -> None:
    codes = rows(4)
    model = finished(boosted_trees(codes, codes[0].astype(np.float64), np.ones(3, np.bool_)))
    above, largest = codes.copy(), codes.copy()
    above[0], largest[0] = 3, 13

    assert finished(model.at(above)).tolist() == finished(model.at(largest)).tolist()


def test_the_mean_of_what_it_says_of_its_own_rows_is_theirs() -> None:
    values = np.random.default_rng(5).exponential(size=4000)

    model = finished(boosted_trees(rows(5), values, np.ones(3, np.bool_)))

    assert finished(model.at(rows(5))).mean() == pytest.approx(values.mean(), abs=0.005)


def test_of_very_many_columns_those_that_tell_something_are_asked() -> None:
    codes = np.random.default_rng(7).integers(4, 14, (200, 1000)).astype(np.uint8)
    truth = (codes[150] > 8) * 1.0

    model = finished(boosted_trees(codes, truth, np.ones(200, np.bool_)))

    assert len({column for tree in model.trees for column in tree.columns.tolist()}) <= MOST_COLUMNS
    assert finished(model.at(codes)) == pytest.approx(truth, abs=0.1)


def test_it_is_fitted_in_many_small_steps() -> None:
    assert sum(1 for _ in boosted_trees(rows(6, 100), np.ones(100), np.ones(3, np.bool_))) > 500
