from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.evidence.effects import Effects, back_inside, effects, established, strength
from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.null import Null, null_of
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_BINS, EVENT_COUNT
from dashlight.window.layout import BINS, NULL, STRUCTURAL_BINS

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
GATE = 0.1
UPPER_HALF = EVENT_BINS.index((STRUCTURAL_BINS + 16, STRUCTURAL_BINS + 32))


@pytest.fixture
def found(columns_of: MakeColumns) -> Null:
    """One column of 10,000 rows, the same number in each of 32 bins."""
    rng = np.random.default_rng(150)
    return null_of(columns_of({"x": rng.permutation(10_000) / 10_000}, ordered=False))


def firing(ups: list[int], downs: list[int], functionals: list[int]) -> Firing:
    return Firing(np.array(ups, np.intp), np.array(downs, np.intp), np.array(functionals, np.intp), age=1)


def measured(sizes: list[list[float]], errors: float, gates: float = GATE, natural: float = 0.0) -> Effects:
    table = np.array(sizes)
    width = table.shape[1]
    return Effects(
        detectors=np.arange(width),
        sizes=table,
        errors=np.full(table.shape, errors),
        gates=np.full(width, gates),
        natural=np.full(width, natural),
    )


def test_an_effect_counts_in_the_direction_that_its_detector_claims(found: Null) -> None:
    window = np.zeros((1, BINS), np.int64)
    window[0, STRUCTURAL_BINS + 16 :] = 100  # all in the upper half

    seen = effects(found, 0, firing([UPPER_HALF], [UPPER_HALF], [0, 1]), window, gate=GATE)

    # From one half to all: h = pi / 2. The mean normal score of an upper half is sqrt(2 / pi).
    assert seen.sizes[0, :2] == pytest.approx([np.pi / 2, -np.pi / 2], abs=0.01)
    assert seen.sizes[0, 2:] == pytest.approx([0.8, -0.8], abs=0.05)
    assert seen.detectors.tolist() == [UPPER_HALF, UPPER_HALF, EVENT_COUNT, EVENT_COUNT + 1]


def test_errors_shrink_with_the_rows_down_to_that_of_the_reference(found: Null) -> None:
    windows = np.zeros((3, BINS), np.int64)
    windows[:, 10] = [0, 100, 10**9]

    seen = effects(found, 0, firing([UPPER_HALF], [], []), windows, gate=GATE)

    assert seen.errors[:, 0] == pytest.approx([1.0, (1 / 100 + 1e-4) ** 0.5, 0.01], rel=1e-3)


def test_bad_values_matter_at_half_the_size(found: Null) -> None:
    seen = effects(found, 0, firing([NULL, UPPER_HALF], [], []), np.ones((1, BINS), np.int64), gate=GATE)

    assert seen.gates.tolist() == [GATE / 2, GATE]


@pytest.mark.parametrize(
    ("size", "error", "sure"),
    [(0.2, 0.02, True), (0.2, 0.06, False), (0.11, 0.02, False), (0.13, 0.02, True), (-0.5, 0.02, False)],
    ids=["large", "as likely noise", "as likely inside", "just beyond", "the other way"],
)
def test_an_effect_is_established_when_it_is_clear_of_noise_and_of_the_gate(
    *, size: float, error: float, sure: bool
) -> None:
    assert established(measured([[size]], error)).tolist() == [[sure]]


@pytest.mark.parametrize(
    ("since", "sure"),
    [(0.12, True), (0.105, False), (0.0, False)],
    ids=["lasting", "perhaps lasting", "not lasting"],
)
def test_an_effect_just_beyond_the_gate_must_be_there_in_most_rows_since_the_change_began(
    *, since: float, sure: bool
) -> None:
    seen = measured([[0.13], [since]], errors=0.02)

    assert established(seen, 1)[0].tolist() == [sure]


def test_an_effect_far_beyond_the_gate_need_not_have_lasted() -> None:
    assert established(measured([[0.2], [0.0]], errors=0.02), 1).tolist() == [[True], [False]]


def test_the_strongest_effect_is_furthest_beyond_its_own_gate() -> None:
    seen = Effects(
        detectors=np.arange(2),
        sizes=np.array([[0.3, 0.2]]),
        errors=np.full((1, 2), 0.02),
        gates=np.array([0.1, 0.05]),
        natural=np.zeros(2),
    )

    assert strength(seen)[0, 1] > strength(seen)[0, 0]


@pytest.mark.parametrize(
    ("size", "error", "over"),
    [
        (0.0, 0.03, True),
        (0.0, 0.05, False),
        (0.06, 0.005, True),
        (0.09, 0.005, False),
        (-0.3, 0.03, True),
    ],
    ids=["gone", "cannot tell", "small", "not small enough", "the other way"],
)
def test_a_small_drift_is_over_when_it_is_surely_below_three_quarters_of_the_gate(
    *, size: float, error: float, over: bool
) -> None:
    assert back_inside(measured([[0.12], [size]], error)).tolist() == [over]


@pytest.mark.parametrize(
    ("size", "error", "over"),
    [(0.05, 0.1, True), (0.5, 0.1, False), (0.25, 0.1, False), (0.05, 0.25, False)],
    ids=["gone", "still there", "less, but still a drift", "cannot tell"],
)
def test_a_large_drift_is_over_when_half_of_it_is_surely_gone_and_no_drift_is_left(
    *, size: float, error: float, over: bool
) -> None:
    assert back_inside(measured([[1.0], [size]], error)).tolist() == [over]


def test_a_lesser_detector_need_not_be_proven_back_but_must_not_be_out() -> None:
    seen = measured([[1.0, 0.3], [0.0, 0.1], [0.0, 0.5]], errors=0.1)

    assert back_inside(seen).tolist() == [True, False]


def test_what_the_season_explains_is_inside() -> None:
    seen = measured([[1.0], [0.4]], errors=0.02, natural=0.4)

    assert back_inside(seen).tolist() == [True]


def test_every_window_is_judged_by_itself() -> None:
    seen = measured([[1.0], [1.0], [0.1], [0.0]], errors=0.1)

    assert back_inside(seen).tolist() == [False, True, True]
