import numpy as np
import pytest
from scipy.stats import multivariate_normal

from dashlight.judge.pairs.dependence import Margin, agreement, below_both, correlations


def margin(low: float, high: float) -> Margin:
    return Margin(np.array([low]), np.array([high]))


@pytest.mark.parametrize("correlation", [-0.9, -0.3, 0.0, 0.5, 0.95])
@pytest.mark.parametrize(("first", "second"), [(0.0, 0.0), (-1.2, 0.4), (0.5, 2.0), (-3.0, -2.0)])
def test_the_probability_of_a_corner_is_that_of_scipy(first: float, second: float, correlation: float) -> None:
    wanted = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([first, second])

    found = below_both(np.array([first]), np.array([second]), np.array([correlation]))

    assert found == pytest.approx([wanted], abs=2e-5)


@pytest.mark.parametrize(
    ("margins", "correlation", "shift"),
    [((0.3, 0.3), 0.6, 0.0), ((0.3, 0.3), -0.4, 1.0), ((0.1, 0.5), 0.8, 0.5), ((0.6, 0.4), 0.3, -1.0)],
    ids=["as ever", "one moved far", "uneven", "a flag"],
)
def test_agreement_is_that_of_simulated_rows(margins: tuple[float, float], correlation: float, shift: float) -> None:
    rng = np.random.default_rng(1)
    first, noise = rng.standard_normal((2, 400_000))
    second = correlation * first + np.sqrt(1 - correlation**2) * noise
    cuts = np.quantile(rng.standard_normal(400_000), [margins[0], 1 - margins[1]])
    signs = [(column > cuts[1]).astype(int) - (column < cuts[0]) for column in (first + shift, second)]
    product = signs[0] * signs[1]

    found = agreement(np.array([correlation]), margin((signs[0] < 0).mean(), (signs[0] > 0).mean()), margin(*margins))

    assert found == pytest.approx([(product > 0).sum() / np.abs(product).sum()], abs=0.005)


@pytest.mark.parametrize("correlation", [-0.97, -0.5, 0.0, 0.2, 0.9])
def test_a_correlation_is_found_again_from_its_agreement(correlation: float) -> None:
    share = agreement(np.array([correlation]), margin(0.3, 0.3), margin(0.2, 0.4))

    assert correlations(share, margin(0.3, 0.3), margin(0.2, 0.4)) == pytest.approx([correlation], abs=0.001)


def test_pairs_that_always_or_never_agree_depend_as_strongly_as_can_be() -> None:
    found = correlations(
        np.array([1.0, 0.0]), Margin(np.full(2, 0.3), np.full(2, 0.3)), Margin(np.full(2, 0.3), np.full(2, 0.3))
    )

    assert found == pytest.approx([0.99, -0.99], abs=0.001)


def test_a_column_without_any_rows_on_a_side_gives_a_number_all_the_same() -> None:
    assert np.isfinite(agreement(np.array([0.5]), margin(0.0, 0.0), margin(1.0, 0.0))).all()
