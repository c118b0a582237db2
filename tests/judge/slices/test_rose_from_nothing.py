"""A slice of what hardly ever happened before, or of rows that hardly were there."""

from bisect import bisect_left

import numpy as np
import pytest
from scipy.stats import binom

from dashlight.judge.slices.exact_test import rose_more
from dashlight.judge.slices.figures import CONFIRMED_P
from dashlight.judge.slices.gain import Counted


def counted(rows: float, hurt: float, usual_rows: float, usual_hurt: float) -> Counted:
    return Counted(*(np.asarray(number, np.float64) for number in (rows, hurt, usual_rows, usual_hurt)))


@pytest.mark.parametrize("usual_hurt", [0, 1, 3])
def test_what_never_failed_and_now_fails_in_a_slice_is_confirmed(usual_hurt: int) -> None:
    part, whole = counted(100, 40, 90, 0), counted(720, 40 + usual_hurt, 700, usual_hurt)

    assert rose_more(part, whole) < CONFIRMED_P


def test_a_value_that_nobody_ever_sent_is_confirmed_by_how_the_rest_does() -> None:
    part, whole = counted(50, 50, 0, 0), counted(700, 65, 700, 15)

    assert rose_more(part, whole) < CONFIRMED_P


def test_what_fails_everywhere_where_nothing_failed_is_no_slice() -> None:
    part, whole = counted(100, 12, 90, 0), counted(720, 80, 700, 0)

    assert rose_more(part, whole) > 0.1


@pytest.mark.parametrize("rest_usual_hurt", [0, 1])
def test_a_slice_that_may_always_have_failed_as_often_is_not_confirmed(rest_usual_hurt: int) -> None:
    part, whole = counted(100, 12, 12, 1), counted(720, 12, 700, 1 + rest_usual_hurt)

    assert rose_more(part, whole) > 0.1


def test_what_nobody_saw_fail_and_now_mostly_does_is_confirmed() -> None:
    assert rose_more(counted(100, 60, 100, 0), counted(700, 60, 700, 0)) < CONFIRMED_P


def test_the_more_rows_of_a_slice_never_failed_the_surer_it_is() -> None:
    p = [rose_more(counted(100, 40, rows, 0), counted(720, 40, 620 + rows, 0)) for rows in (2, 5, 10, 20, 40, 80)]

    assert p[:4] == sorted(p[:4], reverse=True)
    assert p[1] > CONFIRMED_P > p[-1]


def test_one_more_row_that_usually_hurts_changes_little() -> None:
    p = [rose_more(counted(100, 40, 90, 0), counted(720, 40 + rest, 700, rest)) for rest in range(40)]

    assert np.abs(np.diff(np.log(p))).max() < np.log(10)


@pytest.mark.parametrize(("usual", "rest_now"), [(0.001, 0.001), (0.001, 0.05), (0.005, 0.1)])
def test_slices_that_rose_as_the_rest_did_are_hardly_ever_confirmed(usual: float, rest_now: float) -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(2_000):
        now, now_rest = rng.binomial(80, rest_now), rng.binomial(600, rest_now)
        before, before_rest = rng.binomial(70, usual), rng.binomial(560, usual)
        part = counted(80, now, 70, before)
        found += rose_more(part, counted(680, now + now_rest, 630, before + before_rest)) <= 0.01

    assert found <= 0.01 * 2_000


@pytest.mark.parametrize("rows", [12, 70, 400])
@pytest.mark.parametrize(
    ("usual", "usual_rest", "times"),
    [
        (0.05, 0.005, 1),
        (0.2, 0.005, 1),
        (0.02, 0.005, 5),
        (0.05, 0.005, 5),
        (0.2, 0.02, 2),
        (0.3, 0.1, 1.8),
        (0.03, 0.1, 1.8),
    ],
)
@pytest.mark.parametrize("alike", ["by as much", "by as many times", "by the same odds"])
def test_slices_that_rose_alike_whichever_way_are_confirmed_less_often_than_the_level(
    alike: str, usual: float, usual_rest: float, times: float, rows: int
) -> None:
    rng, rest = np.random.default_rng(4), times * usual_rest
    odds = usual / (1 - usual) * rest / (1 - rest) / usual_rest * (1 - usual_rest)
    now = {
        "by as much": usual + rest - usual_rest,
        "by as many times": times * usual,
        "by the same odds": odds / (1 + odds),
    }
    false = 0.0
    for before in range(rows + 1):
        # Of all that may be seen of what is usual in the slice, how many of its rows have to hurt for it to be confirmed.
        seen = float(binom.pmf(before, rows, usual))
        for _ in range(2 if seen > 1e-6 else 0):
            hurt_rest, before_rest = rng.binomial(600, rest), rng.binomial(560, usual_rest)
            needed = bisect_left(
                range(81),
                -CONFIRMED_P,
                key=lambda hurt: (
                    -rose_more(
                        counted(80, hurt, rows, before),
                        counted(680, hurt + hurt_rest, 560 + rows, before + before_rest),
                    )
                ),
            )
            false += seen / 2 * float(binom.sf(needed - 1, 80, now[alike]))

    # Where much usually hurts, what is not known of the rates is far from normal: in the tail p is up to three times too small.
    assert false <= (4 if usual == 0.3 and alike == "by as many times" else 1) * CONFIRMED_P


def test_p_is_hardly_ever_smaller_than_it_says_where_little_is_usual_and_groups_differ() -> None:
    # Of what is usual in groups as different as is taken for granted: two in three are within 3.5 times of one another.
    rng, found = np.random.default_rng(5), 0
    for _ in range(2_000):
        usual = 0.01 * np.exp(rng.normal(0, 1.25))
        hurt, hurt_rest = rng.binomial(80, min(5 * usual, 1.0)), rng.binomial(600, 0.05)
        before, before_rest = rng.binomial(30, usual), rng.binomial(560, 0.01)
        part = counted(80, hurt, 30, before)
        found += rose_more(part, counted(680, hurt + hurt_rest, 590, before + before_rest)) <= 0.05

    assert found <= 0.05 * 2_000
