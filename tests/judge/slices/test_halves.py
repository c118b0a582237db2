import numpy as np
import pytest

from dashlight.judge.slices.halves import MOST_USUAL_SEARCHED, halves_of
from dashlight.judge.slices.rows import HurtRows


def numbered(rows: int) -> HurtRows:
    """Rows that say by their loss which they are."""
    return HurtRows(np.zeros((2, rows), np.uint8), np.arange(rows) / max(rows, 1))


def test_no_row_is_in_both_halves_and_none_is_lost() -> None:
    searched, confirming = halves_of(numbered(4_000), numbered(10_000))

    assert sorted([*searched.now.hurt, *confirming.now.hurt]) == numbered(4_000).hurt.tolist()
    assert sorted([*searched.usual.hurt, *confirming.usual.hurt]) == numbered(10_000).hurt.tolist()
    assert searched.now.row_count == pytest.approx(2_000, abs=2)
    assert searched.usual.row_count == pytest.approx(2_000, abs=2)


def test_of_many_rows_of_before_most_confirm() -> None:
    searched, _ = halves_of(numbered(10), numbered(100_000))

    assert searched.usual.row_count == pytest.approx(MOST_USUAL_SEARCHED, abs=2)


@pytest.mark.parametrize("rhythm", [2, 3, 5, 7])
def test_a_rhythm_of_the_rows_is_in_both_halves(rhythm: int) -> None:
    now = HurtRows((np.arange(4_000) % rhythm == 0).astype(np.uint8)[np.newaxis], np.zeros(4_000))

    searched, confirming = halves_of(now, None)

    for half in (searched, confirming):
        assert half.now.codes.mean() == pytest.approx(1 / rhythm, abs=0.01)


def test_losses_hurt_above_the_quantile_that_tells_best() -> None:
    rng = np.random.default_rng(1)
    usual = HurtRows(np.zeros((1, 4_000), np.uint8), rng.random(4_000))
    now = HurtRows(np.zeros((1, 4_000), np.uint8), np.where(rng.random(4_000) < 0.1, 1.0, rng.random(4_000)))

    searched, confirming = halves_of(now, usual)

    assert confirming.usual_hurts.mean() == pytest.approx(0.05, abs=0.02)
    assert searched.hurts.mean() == pytest.approx(0.145, abs=0.03)


def test_losses_of_which_nothing_is_usual_hurt_in_the_highest_fifth() -> None:
    searched, confirming = halves_of(numbered(4_000), None)

    assert searched.hurts.mean() == pytest.approx(0.2, abs=0.01)
    assert confirming.hurts.mean() == pytest.approx(0.2, abs=0.01)
