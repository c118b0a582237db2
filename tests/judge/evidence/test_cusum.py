import numpy as np
import pytest

from dashlight.judge.evidence.cusum import AGE_LIMIT, CAP_NATS, Cusum


@pytest.fixture
def cusum() -> Cusum[np.float64]:
    """Two bets on each of three things, with thresholds of 5, 10 and 20 nats."""
    return Cusum(-np.array([5.0, 10.0, 20.0]), bets=2)


def win(cusum: Cusum[np.float64], gain: float, panes: int = 1) -> None:
    for _ in range(panes):
        cusum.add(np.full((2, 3), gain))
        cusum.settle()
        cusum.cap()


def test_what_bets_win_adds_up_from_less_the_threshold(cusum: Cusum[np.float64]) -> None:
    win(cusum, 2.0, panes=3)

    assert cusum.margins.tolist() == [[1.0, -4.0, -14.0]] * 2
    assert cusum.leading_age() == 3


def test_a_bet_that_lost_all_begins_anew(cusum: Cusum[np.float64]) -> None:
    win(cusum, 1.0, panes=2)
    win(cusum, -50.0)

    assert (cusum.margins == cusum.floor).all()
    assert not cusum.age.any()
    assert cusum.leading_age(0) == 1


def test_evidence_beyond_the_cap_is_forgotten(cusum: Cusum[np.float64]) -> None:
    win(cusum, 15.0)

    assert cusum.margins[0].tolist() == [CAP_NATS, 5.0, -5.0]


def test_of_several_leading_bets_the_youngest_tells_the_age(cusum: Cusum[np.float64]) -> None:
    cusum.add(np.array([[0.1, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    cusum.settle()
    win(cusum, 100.0)

    assert list(cusum.age[:, 0]) == [2, 1]
    assert cusum.leading_age(0) == 1


def test_part_of_the_bets_can_be_settled_at_a_time(cusum: Cusum[np.float64]) -> None:
    cusum.add(np.full((1, 3), 3.0), slice(0, 1))
    cusum.settle(slice(0, 1))

    assert cusum.margins.tolist() == [[-2.0, -7.0, -17.0], [-5.0, -10.0, -20.0]]
    assert cusum.age.sum(axis=1).tolist() == [3, 0]


def test_a_thing_that_is_reset_forgets_and_the_others_do_not(cusum: Cusum[np.float64]) -> None:
    win(cusum, 2.0)
    cusum.reset([0])

    assert cusum.margins[0].tolist() == [-5.0, -8.0, -18.0]
    assert list(cusum.age[0]) == [0, 1, 1]


def test_an_age_never_begins_again_at_zero() -> None:
    cusum = Cusum(np.array([-1.0]), bets=1)
    cusum.add(np.array([[0.5]]))

    for _ in range(3 * AGE_LIMIT):
        cusum.settle()

    assert cusum.leading_age() >= AGE_LIMIT
