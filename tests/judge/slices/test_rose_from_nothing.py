"""A slice of what hardly ever happened before, or of rows that hardly were there."""

import numpy as np
import pytest

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
