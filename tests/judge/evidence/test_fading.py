import numpy as np
import pytest

from dashlight.judge.evidence.fading import FadingRows


def test_a_long_scale_is_worth_twice_its_span() -> None:
    fading = FadingRows(np.array([100.0, 1000.0]))
    for _ in range(20_000):
        fading.add(1)

    assert fading.rows == pytest.approx([200, 2000], rel=0.01)
    assert fading.weight == pytest.approx([100, 1000], rel=0.01)
    assert fading.worth == pytest.approx([2, 2], rel=0.01)


def test_few_rows_weigh_about_one_each() -> None:
    fading = FadingRows(np.array([1e6]))

    kept = fading.add(10)
    fading.add(10)

    assert kept == pytest.approx([1.0], abs=1e-4)
    assert fading.weight == pytest.approx([20.0], rel=1e-3)


def test_what_is_cleared_remembers_nothing() -> None:
    fading = FadingRows(np.array([100.0]))
    fading.add(10)
    fading.clear()

    assert fading.rows == fading.worth == 0
