import pytest

from dashlight.judge.evidence.hysteresis import MOST_PATIENCE, SOON, Hysteresis


@pytest.fixture
def hysteresis() -> Hysteresis:
    return Hysteresis()


def states(
    hysteresis: Hysteresis, panes: range, *, is_evident: bool = True, fires: bool = True, gone_for: float | None = None
) -> list[str]:
    return [
        hysteresis.step(pane, is_evident=is_evident, fires=lambda: fires, gone_for=lambda: gone_for) for pane in panes
    ]


def test_without_evidence_nothing_is_pending(hysteresis: Hysteresis) -> None:
    assert states(hysteresis, range(3), is_evident=False) == ["inactive"] * 3


def test_evidence_of_too_little_is_pending_and_passes(hysteresis: Hysteresis) -> None:
    assert states(hysteresis, range(2), fires=False) == ["pending", "pending"]
    assert states(hysteresis, range(2, 3), is_evident=False) == ["inactive"]


def test_what_fires_goes_on_until_it_is_surely_over(hysteresis: Hysteresis) -> None:
    assert states(hysteresis, range(3), is_evident=True) == ["firing"] * 3
    # Evidence that is gone is not enough.
    assert states(hysteresis, range(3, 5), is_evident=False) == ["firing"] * 2
    assert hysteresis.fired_for == 4
    assert states(hysteresis, range(5, 7), is_evident=False, gone_for=1.0) == ["resolved", "inactive"]
    assert hysteresis.fired_for == 0


def test_what_fires_again_soon_needs_twice_the_patience_up_to_a_limit(hysteresis: Hysteresis) -> None:
    patience: list[int] = []
    for pane in range(0, 20, 2):
        states(hysteresis, range(pane, pane + 1))
        patience.append(hysteresis.patience)
        states(hysteresis, range(pane + 1, pane + 2), gone_for=1.0)

    assert patience == [1, 2, 4, 8, 16, 32, MOST_PATIENCE, MOST_PATIENCE, MOST_PATIENCE, MOST_PATIENCE]


@pytest.mark.parametrize(("later", "patience"), [(SOON * 3, 2), (SOON * 3 + 1, 1)], ids=["soon", "late"])
def test_how_soon_is_soon_depends_on_what_resolved_it(hysteresis: Hysteresis, later: int, patience: int) -> None:
    states(hysteresis, range(1))
    states(hysteresis, range(1, 2), gone_for=3.0)

    states(hysteresis, range(1 + later, 2 + later))

    assert hysteresis.patience == patience
