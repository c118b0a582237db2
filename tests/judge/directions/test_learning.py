import numpy as np
import pytest

from dashlight.judge.directions.learning import FURTHEST, MEMORIES, THRESHOLD, Learned
from dashlight.window.columns import DirectionReference
from dashlight.window.reference.directions import RowsMeter


def reference_of(covariance: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> DirectionReference:
    rng = np.random.default_rng(8)
    meter = RowsMeter(len(covariance), rng=rng)
    meter.add(rng.multivariate_normal(np.full(len(covariance), 5.0), covariance, 8000))
    reference = meter.reference()
    assert reference is not None
    return reference


@pytest.fixture
def reference() -> DirectionReference:
    return reference_of(np.eye(4))


def taught(reference: DirectionReference, shift: list[float], *, panes: int = 3, memory_rows: float = 1.0) -> Learned:
    """Learned from panes of 100 rows of which each dimension's mean lies *shift* deviations from the centre."""
    learned = Learned(reference, memory_rows=memory_rows)
    for _ in range(panes):
        learned.add(100 * (reference.centre + np.array(shift) * reference.spread), 100)
    return learned


def test_nothing_learned_is_no_direction(reference: DirectionReference) -> None:
    assert not Learned(reference, memory_rows=1.0).weights().any()


def test_what_chance_explains_is_left_out(reference: DirectionReference) -> None:
    learned = taught(reference, [0.5, 0.03, -0.02, -0.3], panes=1)

    by_chance = THRESHOLD / np.sqrt(100)
    assert learned.shift(0) == pytest.approx([0.5 - by_chance, 0, 0, -(0.3 - by_chance)])
    weights = learned.weights()
    assert weights.shape == (len(MEMORIES), 4)
    assert weights[0, 0] > 1.3 * -weights[0, 3] > 0
    assert np.abs(weights[:, 1:3]).max() < 0.02


def test_a_memory_forgets_after_its_rows(reference: DirectionReference) -> None:
    learned = taught(reference, [0.5, 0, 0, 0], panes=20)

    for _ in range(9):
        learned.add(100 * reference.centre, 100)

    # exp(-900 / 300) and exp(-900 / 1500) of the shift are left, the latter of a memory that was three quarters full.
    assert learned.shift(0)[0] == pytest.approx(0.0, abs=1e-9)
    assert 0.2 < learned.shift(1)[0] < 0.3


def test_rows_that_hang_together_are_learned_with_a_gap_and_more_doubt(reference: DirectionReference) -> None:
    learned = taught(reference, [0.5, 0, 0, 0], panes=2, memory_rows=100.0)
    assert not learned.weights().any()

    learned.add(100 * (reference.centre + np.array([0.9, 0, 0, 0])), 100)

    # Of 300 rows the last 150 wait, so the first pane is learned: of one row's worth.
    assert not learned.shift(0).any()
    for _ in range(10):
        learned.add(100 * (reference.centre + np.array([2.0, 0, 0, 0])), 100)
    assert learned.shift(0)[0] > 0.9


def test_dimensions_that_move_alike_count_once() -> None:
    alike = np.eye(3)
    alike[0, 1] = alike[1, 0] = 0.95
    learned = taught(reference_of(alike), [0.4, 0.4, 0.4], panes=20)

    together, alone = learned.weights()[1, 0] + learned.weights()[1, 1], learned.weights()[1, 2]

    # Fisher: 0.4 / 1.95 each, against 0.4.
    assert together == pytest.approx(alone, rel=0.15)


def test_what_is_forgotten_is_gone(reference: DirectionReference) -> None:
    learned = taught(reference, [1.0, 1.0, 1.0, 1.0], panes=9, memory_rows=20.0)

    learned.forget()

    assert not learned.weights().any()
    learned.add(100 * reference.centre, 100)
    assert not learned.weights().any()


@pytest.mark.parametrize("huge", [1e9, 1e30, 1e150])
def test_a_row_of_huge_numbers_is_soon_forgotten(reference: DirectionReference, huge: float) -> None:
    learned = Learned(reference, memory_rows=1.0)
    learned.add(100 * reference.centre + np.array([huge, huge / 4, 0, 0]), 100)

    assert learned.shift(1) == pytest.approx([FURTHEST, FURTHEST / 4, 0, 0], rel=0.05, abs=0.1)
    for _ in range(40):
        learned.add(100 * (reference.centre + np.array([0, 0, 0.5, 0])), 100)
    assert np.abs(learned.weights()[0]).argmax() == 2
