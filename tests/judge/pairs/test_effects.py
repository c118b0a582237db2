import numpy as np
import pytest

from dashlight.judge.pairs.dependence import Margin
from dashlight.judge.pairs.effects import SPANS, PairEffects, PairMeasure, PairScales, back_inside, beyond, is_real
from dashlight.window.columns import PairReference
from dashlight.window.layout import BINS
from dashlight.window.pairs import PairCounts


def reference(share: float, *, trials: float = 1e9, phi: float = 1.0) -> PairReference:
    return PairReference(
        ("a", "b"),
        np.arange(2),
        np.zeros((2, BINS), np.int8),
        *(np.array([number], np.float32) for number in (share, trials, phi, 0.0)),
    )


def pane(agreeing: float, informative: float, rows: int, sides: list[list[float]]) -> PairCounts:
    return PairCounts(
        np.array([agreeing], np.float32), np.array([informative], np.float32), np.array(sides, np.float32), rows
    )


EVEN = Margin(np.full(2, 0.3), np.full(2, 0.3))
THIRDS = [[30.0, 30.0], [30.0, 30.0]]


def test_steady_counts_are_worth_twice_the_span() -> None:
    scales = PairScales(2)
    for _ in range(3000):
        scales.add(pane(5, 9, 25, THIRDS))

    assert scales.fading.rows[:5] == pytest.approx(2 * SPANS[:5], rel=0.02)
    assert scales.agreeing[:, 0] / scales.informative[:, 0] == pytest.approx(np.full(8, 5 / 9), rel=1e-4)


def test_the_worth_of_a_scale_is_the_variance_that_it_has() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(400):
        scales = PairScales(2)
        for agreeing in rng.binomial(40, 0.5, 60):
            scales.add(pane(agreeing, 40, 100, THIRDS))
        shares.append(scales.agreeing[1, 0] / scales.informative[1, 0])
    errors = PairMeasure(reference(0.5), EVEN).effects(scales, np.array([0])).errors

    assert errors[1, 0] == pytest.approx(2 * np.std(shares), rel=0.1)


def test_a_column_that_moved_by_itself_leaves_no_effect() -> None:
    rng = np.random.default_rng(2)
    values = rng.standard_normal((2, 200_000))
    values[1] = 0.6 * values[0] + 0.8 * values[1]

    def counted(shift: float) -> PairCounts:
        moved = values + np.array([[shift], [0.0]])
        signs = (moved > 0.5244).astype(int) - (moved < -0.5244)
        product = signs[0] * signs[1]
        sides = [[float((signs[place] == sign).sum()) for place in range(2)] for sign in (-1, 1)]
        return pane((product > 0).sum(), np.abs(product).sum(), values.shape[1], sides)

    usual = counted(0.0)
    measure = PairMeasure(reference(float(usual.agreeing[0] / usual.informative[0])), EVEN)
    scales = PairScales(2)
    scales.add(counted(1.0))
    found = measure.effects(scales, np.array([0]))

    assert np.abs(found.current - found.reference).min() > 0.1
    assert np.abs(found.sizes).max() < 0.03


def test_an_effect_is_measured_in_cohens_h_with_its_error() -> None:
    scales = PairScales(2)
    scales.add(pane(300, 400, 1000, [[300.0, 300.0], [300.0, 300.0]]))

    found = PairMeasure(reference(0.5, trials=1000, phi=4.0), EVEN).effects(scales, np.array([0]))

    assert found.sizes == pytest.approx(np.full((8, 1), 2 * np.arcsin(np.sqrt(0.75)) - np.pi / 2), abs=1e-3)
    assert found.errors == pytest.approx(np.full((8, 1), np.sqrt(4 * (1 / 400 + 1 / 1000))))


def test_only_scales_that_forgot_what_was_before_are_witnesses() -> None:
    scales = PairScales(2)

    assert scales.between(300, 2000).tolist() == [1, 2]
    assert scales.between(300, 400).tolist() == []
    assert scales.between(1e9, 1e9).tolist() == [7]


def effects_of(sizes: list[float], errors: list[float]) -> PairEffects:
    half = np.full((1, len(sizes)), 0.5)
    return PairEffects(half[0], half, half, np.array([sizes]), np.array([errors]))


def test_an_effect_is_real_beyond_four_errors_and_counts_beyond_the_gate() -> None:
    found = effects_of([0.5, -0.5, 0.5, 0.15], [0.1, 0.1, 0.13, 0.02])

    assert is_real(found).tolist() == [[True, True, False, True]]
    assert beyond(found, 0.14).tolist() == [[True, True, True, False]]


def test_what_fired_is_gone_below_the_gate_or_below_half_of_it() -> None:
    found = effects_of([0.02, 0.2, 0.2, 0.2, -0.1, -0.6, 0.3, 0.1], [0.02, 0.02, 0.1, 0.1, 0.05, 0.02, 0.02, 0.02])

    gone = back_inside(found, np.array([0.3, 0.3, 0.9, 0.6, -0.6, 0.6, 0.0, 0.0]), 0.14)

    assert gone.tolist() == [[True, False, True, False, True, False, False, True]]
