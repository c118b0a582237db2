import numpy as np
import pytest

from dashlight.judge.directions.watch import DirectionWatch, PaneScores

GATE = 0.14


def scores(effect: float, *, is_evident: bool = True, rows_of_evidence: int = 400, phi: float = 1.0) -> PaneScores:
    """After a pane of 100 rows whose mean score lies *effect* from that of no drift."""
    return PaneScores(
        is_evident=is_evident,
        rows=100,
        rows_of_evidence=rows_of_evidence,
        scores=np.array([100 * effect, 0.0]),
        phi=np.array([phi, 1.0]),
        reference_variance=np.array([1e-4, 0.0]),
        natural=np.zeros(2),
    )


def states(watch: DirectionWatch, effect: float, panes: int, *, is_evident: bool = True) -> list[str]:
    return [watch.step(scores(effect, is_evident=is_evident)) for _ in range(panes)]


@pytest.fixture
def watch() -> DirectionWatch:
    return DirectionWatch(2, gate=GATE)


def test_without_evidence_nothing_fires_however_large_the_effect(watch: DirectionWatch) -> None:
    assert states(watch, 1.0, 20, is_evident=False) == ["inactive"] * 20


def test_evidence_of_a_small_effect_is_pending_and_passes(watch: DirectionWatch) -> None:
    assert states(watch, 0.1, 50) == ["pending"] * 50
    assert states(watch, 0.0, 1, is_evident=False) == ["inactive"]


def test_an_effect_that_is_surely_beyond_the_gate_fires(watch: DirectionWatch) -> None:
    assert states(watch, 0.35, 3) == ["pending", "firing", "firing"]


def test_rows_that_hang_together_must_be_more(watch: DirectionWatch) -> None:
    found = [watch.step(scores(0.35, phi=10.0)) for _ in range(40)]

    # 4 sqrt(10 / n) is below 0.35 from 1,300 rows.
    assert 12 < found.index("firing") < 25


def test_it_tells_the_effect_and_its_rows(watch: DirectionWatch) -> None:
    states(watch, 0.5, 6, is_evident=False)
    states(watch, 0.5, 1)

    effect, rows = watch.effect

    assert effect == pytest.approx(0.5)
    assert 600 <= rows <= 700


def test_it_is_over_after_about_as_many_rows_as_it_took_to_fire(watch: DirectionWatch) -> None:
    assert states(watch, 0.5, 10)[-1] == "firing"

    ended = [watch.step(scores(0.0)) for _ in range(20)]

    assert 3 <= ended.index("resolved") <= 8
    assert "firing" not in ended[ended.index("resolved") :]


def test_it_is_not_over_as_long_as_it_lasts(watch: DirectionWatch) -> None:
    assert states(watch, 0.5, 500) == ["firing"] * 500
    assert watch.hysteresis.fired_for == 499


def test_what_the_season_explains_is_back(watch: DirectionWatch) -> None:
    states(watch, 0.5, 20)
    seasonal = scores(0.25)
    calm = PaneScores(
        is_evident=True,
        rows=100,
        rows_of_evidence=400,
        scores=seasonal.scores,
        phi=seasonal.phi,
        reference_variance=seasonal.reference_variance,
        natural=np.array([0.3, 0.0]),
    )

    assert "resolved" in [watch.step(calm) for _ in range(20)]


def test_it_is_over_where_neither_evidence_nor_effect_is_left(watch: DirectionWatch) -> None:
    assert states(watch, 0.3, 10)[-1] == "firing"

    # Half of the effect is left, too much to be inside; nobody bets on it any more, and it is not sure.
    assert "resolved" not in states(watch, 0.15, 3)
    assert "resolved" in states(watch, 0.12, 30, is_evident=False)


def test_what_fires_again_soon_needs_more_rows_to_be_over(watch: DirectionWatch) -> None:
    lasted: list[int] = []
    for _ in range(5):
        states(watch, 0.6, 6)
        ended = next(pane for pane in range(1000) if watch.step(scores(0.0)) == "resolved")
        lasted.append(ended)

    assert lasted == sorted(lasted)
    assert lasted[-1] >= 3 * lasted[0]


def test_what_fires_again_much_later_is_over_as_soon_as_the_first_time(watch: DirectionWatch) -> None:
    lasted: list[int] = []
    for _ in range(3):
        states(watch, 0.6, 6)
        lasted.append(states(watch, 0.0, 300).index("resolved"))

    assert lasted[0] == lasted[1] == lasted[2]
