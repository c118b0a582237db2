import numpy as np
import pytest

from dashlight.judge.slices.figures import Mean, detectable_lift, explained, mean_of
from dashlight.judge.slices.halves import Half
from dashlight.judge.slices.rows import HurtRows


def half(rows: int, usual_rows: int, usual_hurt: int) -> Half:
    now, usual = (HurtRows(np.zeros((1, count), np.uint8), np.zeros(count)) for count in (rows, usual_rows))
    return Half(now, usual, np.zeros(rows, np.bool_), np.arange(usual_rows) < usual_hurt)


def mean(value: float, rows: int) -> Mean:
    return Mean(value, value * (1 - value) / rows, rows)


def test_the_excess_of_a_slice_alone_is_all_of_it() -> None:
    part = explained(mean(0.6, 100), mean(0.1, 1_000), mean(0.1, 1_900), mean(0.1, 19_000))

    assert part.value == 1.0
    assert 0.6 < part.low < 0.9
    assert part.high == 1.0


def test_half_of_the_excess_is_half() -> None:
    part = explained(mean(0.6, 1_000), mean(0.1, 10_000), mean(0.15, 10_000), mean(0.1, 100_000))

    assert part.value == pytest.approx(0.5)
    assert part.low < 0.5 < part.high
    assert part.high - part.low < 0.15


def test_an_excess_that_may_be_none_leaves_it_open() -> None:
    part = explained(mean(0.11, 100), mean(0.1, 1_000), mean(0.1, 1_900), mean(0.1, 19_000))

    assert (part.low, part.high) == (0.0, 1.0)


def test_the_interval_holds_the_truth_in_about_95_of_100() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(1_000):
        hurt = [rng.binomial(rows, rate) / rows for rows, rate in ((200, 0.4), (400, 0.1), (1_800, 0.14), (3_600, 0.1))]
        part = explained(mean(hurt[0], 200), mean(hurt[1], 400), mean(hurt[2], 1_800), mean(hurt[3], 3_600))
        inside += part.low <= 200 * 0.3 / (200 * 0.3 + 1_800 * 0.04) <= part.high

    assert 920 <= inside <= 980


def test_the_mean_of_no_rows_is_unknown_and_no_mean_is_sure() -> None:
    assert np.isnan(mean_of(np.zeros(0)).value)
    assert mean_of(np.zeros(10)).variance > 0
    assert mean_of(np.linspace(0, 1, 101)).variance == pytest.approx(0.085 / 101, rel=0.01)


def test_what_could_have_been_found_shrinks_with_rows_and_grows_with_columns() -> None:
    few, many = (
        detectable_lift(half(rows, rows, rows // 10), half(rows, rows, rows // 10), 10_000) for rows in (500, 2_000)
    )
    wide = detectable_lift(half(2_000, 2_000, 200), half(2_000, 2_000, 200), 1_000_000)

    assert many < wide < few
    assert 0.2 < many < 0.5
    assert detectable_lift(half(50, 50, 5), half(50, 50, 5), 10_000) == float("inf")
    assert detectable_lift(half(2_000, 0, 0), half(2_000, 0, 0), 10_000) < many
