from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, norm

from dashlight.judge.evidence.null import Null, null_of, shifted
from dashlight.judge.evidence.null_bounds import (
    SIZES,
    SLACK,
    NullBounds,
    hellinger_supremum,
    margins,
    null_bounds,
    share_bounds,
)
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_BINS, EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import BINS, NULL, STRUCTURAL_BINS

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MIDDLE = EVENT_BINS.index((STRUCTURAL_BINS + 8, STRUCTURAL_BINS + 24))
PANES = 259_200.0
NATS = 21.0


def borders_of(found: Null) -> NullBounds:
    columns = len(found.rows)
    return null_bounds(
        found, np.full((columns, EVENT_COUNT), NATS), np.full((columns, FUNCTIONAL_COUNT), NATS), panes=PANES
    )


@pytest.mark.parametrize(("held", "rows"), [(0, 50), (1, 1000), (300, 1000), (1000, 1000)])
def test_bounds_of_a_share_are_those_of_clopper_and_pearson(held: int, rows: int) -> None:
    level = 1e-5

    low, high = share_bounds(np.array(held / rows), np.array(float(rows)), np.array(level))

    assert low == pytest.approx(beta.ppf(level, held, rows - held + 1) if held else 0.0, rel=1e-4)
    assert high == pytest.approx(beta.isf(level, held + 1, rows - held) if held < rows else 1.0, rel=1e-4)


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


@pytest.mark.parametrize("errors", [0.003, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("size", SIZES)
def test_a_margin_keeps_the_alarms_that_a_wrong_reference_gives_within_the_bets_part(
    errors: float, size: float
) -> None:
    own = NATS - np.log(PANES)
    margin = float(margins(size, np.array(NATS), np.array(own), np.array(errors)))

    # Alarms within PANES panes, at most one for each draw of the reference's error.
    wrong = np.linspace(-12, 12, 200_001) * errors
    exponents = np.log(PANES) - NATS * (1 - 2 * (wrong - margin) / size)
    alarms = float(np.sum(np.exp(np.minimum(exponents, 0.0)) * norm.pdf(wrong / errors)) * (24 / 200_000))

    assert alarms <= 1.2 * np.exp(-own)


def test_the_two_margins_touch_where_one_takes_over() -> None:
    thresholds, own, errors = np.array(21.0), np.array(8.5), np.array(0.05)
    touching = 21.0 * 0.05 * np.sqrt(2 / 8.5)

    below, above = (float(margins(touching * part, thresholds, own, errors)) for part in (0.999, 1.001))

    assert below == pytest.approx(above, rel=0.01)
    assert above == pytest.approx(21.0 * 0.05**2 / touching, rel=0.01)


def test_a_longer_reference_has_closer_borders(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(121)
    found = [borders_of(null_of(columns_of({"x": rng.standard_normal(rows)}))) for rows in (500, 2000, 8000)]

    highs = np.array([each.event_high[:, 0, MIDDLE] for each in found])
    means = np.array([each.functional_high[:, 0, 0] for each in found])

    assert (np.diff(highs[:, :2], axis=0) < 0).all()
    assert (np.diff(means[1:, :3], axis=0) < 0).all()


def test_smaller_bets_begin_further_out(columns_of: MakeColumns) -> None:
    found = borders_of(null_of(columns_of({"x": np.random.default_rng(122).standard_normal(2000)})))

    assert (np.diff(found.event_high[:, 0, MIDDLE]) <= 0).all()
    assert (np.diff(found.event_low[:, 0, MIDDLE]) >= 0).all()
    assert found.event_high[0, 0, MIDDLE] > found.event_high[-1, 0, MIDDLE] + 0.01


def test_no_border_is_nearer_than_the_slack_and_what_is_tolerated(columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.arange(1_000_000.0)}, ordered=False)
    found = null_of(columns, tolerated=0.1)

    limits = borders_of(found)

    held = found.event_shares[0, MIDDLE]
    assert limits.event_high[-1, 0, MIDDLE] == pytest.approx(float(shifted(held, 0.1 + SLACK)))
    assert limits.event_low[-1, 0, MIDDLE] == pytest.approx(float(shifted(held, -0.1 - SLACK)))
    ball = float(hellinger_supremum(found.shares[0], found.functionals[0, 0], np.array(0.1)))
    assert limits.functional_high[-1, 0, 0] == pytest.approx(ball + SLACK * found.functional_deviations[0, 0], rel=1e-3)


def test_memory_moves_the_borders_out(columns_of: MakeColumns) -> None:
    plain = columns_of({"x": np.random.default_rng(123).standard_normal(20_000)})[0]
    sticky = replace(
        plain, variation=tuple(replace(part, events=np.full(EVENT_COUNT, 30.0)) for part in plain.variation)
    )

    highs = [borders_of(null_of([column])).event_high[0, 0, MIDDLE] for column in (plain, sticky)]

    assert highs[1] > highs[0] + 0.05


def test_what_a_short_reference_never_showed_is_not_taken_for_impossible(columns_of: MakeColumns) -> None:
    # Of 500 rows none was missing: one in a hundred may be, at exp(-5) by chance.
    found = null_of(columns_of({"x": np.arange(500.0)}, ordered=False))
    high = borders_of(found).event_high[:, 0, NULL]

    assert (high > 0.002).all()
    assert high[0] > high[-1]
    assert high[0] > 0.01
