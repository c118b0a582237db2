import numpy as np
import pytest

from dashlight.judge.slices.gain import LEAST_PRIOR_ROWS, MOST_PRIOR_ROWS, Counted, gain, prior_rows

PRIOR = 100.0


def counted(*numbers: object) -> Counted:
    return Counted(*(np.asarray(number, np.float64) for number in numbers))


WHOLE = counted(2_000, 250, 2_000, 200)


def test_of_slices_that_hold_one_another_the_one_with_the_clear_border_tells_most() -> None:
    # Of the 100 rows in the middle one 60 hurt; the first is a half of it, the last has 100 rows more that do not belong to it.
    found = gain(counted([50, 100, 200], [30, 60, 70], [50, 100, 200], [5, 10, 20]), WHOLE, PRIOR)

    assert int(np.argmax(found)) == 1


@pytest.mark.parametrize(
    "part",
    [(100, 12, 100, 10), (100, 2, 100, 10), (1_000, 125, 1_000, 100), (5, 5, 5, 0), (1_995, 250, 1_995, 199)],
    ids=["as all", "fell", "half of all", "too few rows", "too few in the rest"],
)
def test_a_slice_that_rose_no_more_tells_nothing(part: tuple[int, ...]) -> None:
    assert float(gain(counted(*part), WHOLE, PRIOR)) == pytest.approx(0.0, abs=0.1)


def test_a_slice_that_always_hurts_more_tells_little() -> None:
    usual = float(gain(counted(100, 60, 10_000, 5_500), counted(2_000, 250, 200_000, 20_000), PRIOR))
    unusual = float(gain(counted(100, 60, 10_000, 1_000), counted(2_000, 250, 200_000, 20_000), PRIOR))

    assert usual < 1.0
    assert unusual > 50.0


def test_where_nobody_knows_what_is_usual_rates_are_compared() -> None:
    assert float(gain(counted(100, 60, 0, 0), counted(2_000, 250, 0, 0), PRIOR)) > 30.0


def test_groups_lend_one_another_what_is_usual_unless_they_differ() -> None:
    whole = counted(0, 0, 4_000, 400)
    alike = counted([0] * 4, [0] * 4, [1_000] * 4, [95, 105, 102, 98])
    apart = counted([0] * 4, [0] * 4, [1_000] * 4, [10, 190, 20, 180])
    rare = counted([0] * 30, [0] * 30, [2] * 30, [1] + [0] * 29)

    assert prior_rows(alike, whole) == MOST_PRIOR_ROWS
    assert LEAST_PRIOR_ROWS <= prior_rows(apart, whole) < 30
    assert prior_rows(rare, counted(0, 0, 60, 1)) == MOST_PRIOR_ROWS
