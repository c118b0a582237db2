import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.directions.bets import SIZES, Direction, DirectionPane, direction_along, observed, undirected
from dashlight.judge.directions.learning import MEMORIES
from dashlight.judge.directions.null import Along

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


def test_panes_under_different_directions_add_up_under_the_number_of_the_oldest() -> None:
    first = observed(direction(along()), np.full((1, 2), 9.0))
    other = DirectionPane(4, 5, 2 * first.total, 3 * first.gains, 4 * first.scores)

    for both in (first + other, other + first):
        assert (both.direction, both.rows) == (3, 6)
        assert both.total == pytest.approx(3 * first.total)
        assert both.gains == pytest.approx(4 * first.gains)
        assert both.scores == pytest.approx(5 * first.scores)


def test_whoever_has_not_heard_of_a_direction_sums_the_rows_and_bets_nothing() -> None:
    rows = np.random.default_rng(2).standard_normal((50, 3)) + 4.0

    pane = observed(undirected(3), rows)

    assert (pane.direction, pane.rows) == (0, 50)
    assert pane.total == pytest.approx(rows.sum(0))
    assert pane.gains.tolist() == [[0.0] * len(SIZES)] * len(MEMORIES)
    assert pane.scores.tolist() == [0.0] * len(MEMORIES)
