from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from dashlight.judge.bands import bands, hellinger_supremum, share_bounds, shifted
from dashlight.window.events import EVENT_BINS, EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import ABOVE, BINS, STRUCTURAL_BINS
from dashlight.window.reference import ColumnReference

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MIDDLE = EVENT_BINS.index((STRUCTURAL_BINS + 8, STRUCTURAL_BINS + 24))


@pytest.mark.parametrize(("held", "rows"), [(0, 50), (1, 1000), (300, 1000), (1000, 1000)])
def test_bounds_of_a_share_are_those_of_clopper_and_pearson(held: int, rows: int) -> None:
    level = 1e-5

    low, high = share_bounds(np.array(held / rows), np.array(float(rows)), np.array(level))

    assert low == pytest.approx(beta.ppf(level, held, rows - held + 1) if held else 0.0, rel=1e-4)
    assert high == pytest.approx(beta.isf(level, held + 1, rows - held) if held < rows else 1.0, rel=1e-4)


@given(st.floats(0, 1), st.floats(-1, 1))
def test_a_share_is_shifted_by_cohens_h(share: float, distance: float) -> None:
    moved = float(shifted(np.array(share), distance))

    if 0 < moved < 1:
        assert 2 * np.arcsin(np.sqrt(moved)) - 2 * np.arcsin(np.sqrt(share)) == pytest.approx(distance, abs=1e-9)
    else:
        assert moved in {0.0, 1.0}


def test_the_supremum_of_an_indicator_is_its_shifted_share() -> None:
    shares = np.full(BINS, 1 / BINS)
    scores = np.where(np.arange(BINS) < 9, 1.0, 0.0)

    found = hellinger_supremum(shares, scores, np.array(0.3))

    assert found == pytest.approx(float(shifted(np.array(0.25), 0.3)), rel=1e-6)


def test_nothing_in_the_ball_has_a_larger_mean_than_the_supremum() -> None:
    rng = np.random.default_rng(120)
    shares, scores = rng.dirichlet(np.ones(BINS)), rng.standard_normal(BINS)
    distance = 0.2
    largest = float(hellinger_supremum(shares, scores, np.array(distance)))

    means = []
    for _ in range(3000):
        direction = rng.standard_normal(BINS)
        direction -= np.sqrt(shares) * (np.sqrt(shares) @ direction)
        angle = distance / 2 * rng.random() ** 0.02
        root = np.cos(angle) * np.sqrt(shares) + np.sin(angle) * direction / np.linalg.norm(direction)
        if (root >= 0).all():
            means.append(root**2 @ scores)

    assert len(means) > 100
    assert max(means) <= largest


def test_a_longer_reference_has_narrower_bands(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(121)
    found = [bands(columns_of({"x": rng.standard_normal(rows)})) for rows in (1000, 10_000, 100_000)]

    widths = [float(each.event_high[0, MIDDLE] - each.event_low[0, MIDDLE]) for each in found]

    assert widths == sorted(widths, reverse=True)
    assert [float(each.functional_high[0, 0]) for each in found] == sorted(
        (float(each.functional_high[0, 0]) for each in found), reverse=True
    )


def test_a_band_is_never_narrower_than_the_slack(columns_of: MakeColumns) -> None:
    found = bands(columns_of({"x": np.arange(1_000_000.0)}, ordered=False), slack=0.1)

    held = found.event_shares[0, MIDDLE]
    assert found.event_high[0, MIDDLE] == pytest.approx(float(shifted(held, 0.1)))
    assert found.event_low[0, MIDDLE] == pytest.approx(float(shifted(held, -0.1)))


def test_bands_hold_the_truth_with_the_promised_probability(columns_of: MakeColumns) -> None:
    # Two hundred references of 1,000 rows; one half of a uniform column is an event whose truth is known.
    rng = np.random.default_rng(122)
    wrong = 0
    for _ in range(200):
        column = columns_of({"x": rng.random(1000)}, ordered=False)[0]
        found = bands([column], delta=0.05)
        borders = np.concatenate([[column.low], column.edges, [column.high]])
        for event, (first, stop) in enumerate(EVENT_BINS):
            if first >= STRUCTURAL_BINS:
                true = borders[min(stop - 4, len(column.edges) + 1)] - borders[min(first - 4, len(column.edges) + 1)]
                wrong += not found.event_low[0, event] <= true <= found.event_high[0, event]
                break

    # At most one in twenty for all events together, so hardly ever for a single one.
    assert wrong == 0


def test_memory_widens_the_band_and_so_does_a_season(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(123)
    plain = columns_of({"x": rng.standard_normal(20_000)})[0]
    growing = [1 + 0.01 * part.block_rows for part in plain.variation]
    slow = replace(
        plain,
        variation=tuple(
            replace(part, events=np.full(EVENT_COUNT, ratio), functionals=np.full(FUNCTIONAL_COUNT, ratio))
            for part, ratio in zip(plain.variation, growing, strict=True)
        ),
    )
    sticky = replace(
        plain, variation=tuple(replace(part, events=np.full(EVENT_COUNT, 30.0)) for part in plain.variation)
    )

    highs = [float(bands([column]).event_high[0, MIDDLE]) for column in (plain, slow, sticky)]

    assert highs[1] > highs[0] + 0.05
    assert highs[2] > highs[0] + 0.05


def test_what_never_happened_may_happen(columns_of: MakeColumns) -> None:
    found = bands(columns_of({"x": np.arange(5000.0)}, ordered=False))

    # One of 5,001 rows lies above the largest of 5,000, by exchangeability.
    assert found.shares[0, ABOVE] == pytest.approx(1 / 5001, rel=0.01)
    assert 0 < found.event_high[0, ABOVE] < 0.01


def test_no_columns_have_no_bands() -> None:
    assert bands([]).event_high.shape == (0, EVENT_COUNT)
