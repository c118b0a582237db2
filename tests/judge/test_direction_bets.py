import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.direction_bets import SIZES, Direction, DirectionPane, direction_along, observed
from dashlight.judge.direction_null import Along

Floats = NDArray[np.float64]


def along(*, variance: float = 1e-3, tau: float = 0.0, phi: float = 1.0, measured: bool = True) -> Along:
    return Along(
        units=np.array([[0.6, 0.8]]),
        mean=np.array([0.05]),
        variance=np.array([variance]),
        phi=np.array([phi]),
        tau=np.array([tau]),
        is_measured=np.array([measured]),
    )


def direction(found: Along, *, nats: float = 16.0) -> Direction:
    return direction_along(
        3,
        found,
        learned=np.array([1]),
        memories=2,
        centre=np.array([10.0, 0.0]),
        spread=np.array([2.0, 1.0]),
        nats=nats,
    )


def test_a_margin_is_the_error_of_the_mean_by_the_nats_and_the_size() -> None:
    found = direction(along(tau=0.1))

    # 16 * 0.001 / 0.2 and / 0.5, and 2.5 tau.
    assert SIZES == (0.2, 0.5)
    assert found.borders[1] == pytest.approx([0.05 + 0.08 + 0.25, 0.05 + 0.032 + 0.25])
    assert found.stakes[1] == pytest.approx([0.2 / 1.04, 0.9 / (3 + 0.332)])
    assert found.stakes[0].tolist() == [0.0, 0.0]


def test_a_well_known_mean_keeps_the_slack() -> None:
    assert direction(along(variance=1e-9)).borders[1] == pytest.approx([0.07, 0.07])


@pytest.mark.parametrize(
    "found", [along(measured=False), along(variance=0.2), along(tau=1.3)], ids=["unmeasured", "unknown mean", "season"]
)
def test_what_cannot_be_told_is_not_bet_on(found: Along) -> None:
    assert direction(found).stakes[1, 0] == 0.0


def test_a_row_scores_by_its_place_along_the_direction() -> None:
    found = direction(along(phi=4.0))
    rows = np.array([[12.0, 0.5], [10.0, 0.0], [100.0, 0.0], [-100.0, 0.0]])

    pane = observed(found, rows)

    scores = np.array([0.6 + 0.4, 0.0, 3.0, -3.0])
    expected = np.log(1 + np.subtract.outer(scores, found.borders[1]) * found.stakes[1]).sum(0) / 4
    assert (pane.direction, pane.rows) == (3, 4)
    assert pane.total.tolist() == [22.0, 0.5]
    assert pane.gains[1] == pytest.approx(expected)
    assert pane.scores == pytest.approx([0.0, (scores - 0.05).sum()])
    assert pane.gains[0].tolist() == [0.0, 0.0]


def test_rows_that_are_not_finite_do_not_count() -> None:
    rows = np.array([[12.0, 0.5], [np.nan, 0.0], [np.inf, 1.0], [1e300, 1.0]])

    spoiled, clean = observed(direction(along()), rows), observed(direction(along()), rows[:1])

    assert spoiled.rows == 1
    assert spoiled.gains.tolist() == clean.gains.tolist()


def test_no_rows_are_an_empty_pane() -> None:
    pane = observed(direction(along()), np.zeros((0, 2)))

    assert pane.rows == 0
    assert not pane.gains.any()


def test_panes_of_two_workers_are_the_pane_of_one() -> None:
    found = direction(along())
    rows = np.random.default_rng(1).standard_normal((90, 2)) + np.array([10.0, 0.3])

    whole: DirectionPane = observed(found, rows)
    parts = observed(found, rows[:20]) + observed(found, rows[20:])

    assert parts.rows == 90
    assert parts.total == pytest.approx(whole.total)
    assert parts.gains == pytest.approx(whole.gains)
    assert parts.scores == pytest.approx(whole.scores)


def test_panes_under_different_directions_do_not_add_up() -> None:
    first = observed(direction(along()), np.zeros((1, 2)))
    other = DirectionPane(4, 1, first.total, first.gains, first.scores)

    with pytest.raises(ValueError, match="directions 3 and 4"):
        first + other
