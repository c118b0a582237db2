from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.bands import Bands, bands
from dashlight.judge.stakes import LARGEST_CLUMP, SIZES, event_stakes, functional_stakes
from dashlight.window.events import EVENT_BINS, FUNCTIONAL_COUNT
from dashlight.window.layout import ABOVE, BELOW, NULL, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN
from dashlight.window.reference import ColumnReference

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
UP, DOWN = 0, 1


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    """A number, few categories, very many, a boolean and free text."""
    rng = np.random.default_rng(130)
    return columns_of(
        {
            "number": rng.standard_normal(4000),
            "few": rng.choice(list("abc"), 4000).tolist(),
            "many": [f"c{int(place)}" for place in rng.zipf(1.3, 4000) % 500],
            "flag": rng.choice([True, False], 4000).tolist(),
            "text": [f"remark number {place}" for place in range(4000)],
        },
        ordered=False,
    )


@pytest.fixture
def found(columns: tuple[ColumnReference, ...]) -> Bands:
    return bands(columns)


def test_no_bet_on_an_event_gains_anywhere_inside_its_band(found: Bands) -> None:
    stakes = event_stakes(found)

    for share in np.linspace(found.event_low, found.event_high, 5):
        mean = share * np.exp(stakes.inside) + (1 - share) * np.exp(stakes.outside)
        assert mean.max() <= 1 + 1e-9


def test_every_bet_on_an_event_gains_beyond_its_band(found: Bands) -> None:
    stakes = event_stakes(found)
    angles = [2 * np.arcsin(np.sqrt(border)) for border in (found.event_high, found.event_low)]
    beyond = np.sin(np.clip(np.array([angles[UP] + 0.3, angles[DOWN] - 0.3]) / 2, 0, np.pi / 2)) ** 2

    growth = beyond[:, np.newaxis] * stakes.inside + (1 - beyond[:, np.newaxis]) * stakes.outside

    # With h = 0.3 beyond the border, bets for 0.075 and 0.2 gain on average.
    clear = stakes.live & (beyond > 0.001) & (beyond < 0.999)
    assert clear.sum() > 200
    assert (growth[:, :2][np.repeat(clear[:, np.newaxis], 2, axis=1)] > 0).all()


def test_no_bet_on_a_functional_gains_without_drift(found: Bands) -> None:
    stakes = functional_stakes(found)
    assert stakes.live[0].sum() == FUNCTIONAL_COUNT

    mean = np.einsum("ck,ckfs->cfs", found.shares, np.exp(stakes.scores))

    assert mean.max() <= 1 + 1e-9


def test_no_bet_on_a_functional_gains_within_the_slack(found: Bands) -> None:
    rng = np.random.default_rng(131)
    stakes = functional_stakes(found)
    root = np.sqrt(found.shares[0])

    for _ in range(200):
        direction = rng.standard_normal(len(root)) * root
        direction -= root * (root @ direction)
        near = (np.cos(0.01) * root + np.sin(0.01) * direction / np.linalg.norm(direction)) ** 2
        assert np.einsum("k,kfs->fs", near, np.exp(stakes.scores[0])).max() <= 1 + 1e-9


def test_a_shift_gains_on_the_functional_that_sees_it(found: Bands) -> None:
    stakes = functional_stakes(found)
    tilted = found.shares[0] * np.exp(found.functionals[0, 0])
    tilted /= tilted.sum()

    growth = np.einsum("k,kfs->fs", tilted, stakes.scores[0]).max(axis=1)

    # The first functional is "higher", the second "lower".
    assert growth[0] > 0.1
    assert growth[1] < 0


def test_only_numbers_have_functionals(found: Bands) -> None:
    assert functional_stakes(found).live.any(axis=1).tolist() == [True, False, False, False, False]


def test_a_number_of_few_values_has_no_functionals(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(132)
    found = bands(columns_of({"stars": rng.integers(1, 5, 2000).astype(float)}))

    assert not functional_stakes(found).live.any()


def test_each_kind_of_column_bets_on_the_bad_values_that_it_can_have(found: Bands) -> None:
    live = event_stakes(found).live[UP]

    bets = [np.flatnonzero(row[:STRUCTURAL_BINS]).tolist() for row in live]

    assert bets == [
        [NULL, TYPE_ERROR, BELOW, ABOVE],
        [NULL, TYPE_ERROR, UNSEEN],
        [NULL, TYPE_ERROR, UNSEEN],
        [NULL, TYPE_ERROR, UNSEEN],
        [NULL, TYPE_ERROR],
    ]


def test_free_text_bets_on_nothing_but_bad_values(found: Bands) -> None:
    assert not event_stakes(found).live[:, 4, STRUCTURAL_BINS:].any()


def test_nobody_is_alarmed_by_fewer_bad_values(found: Bands) -> None:
    assert not event_stakes(found).live[DOWN, :, TYPE_ERROR:STRUCTURAL_BINS].any()


def test_fewer_missing_values_are_a_drift_where_they_are_usual(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(133)
    values = np.where(rng.random(3000) < 0.3, np.nan, rng.standard_normal(3000))

    assert event_stakes(bands(columns_of({"x": values}))).live[DOWN, 0, NULL]


def test_the_budget_is_not_shared_with_copies_of_the_same_event(found: Bands) -> None:
    few = event_stakes(found).live[UP, 1]

    # Three categories: each alone, and no two of them by any wider interval that means the same.
    held = {
        tuple(bin_ for bin_ in range(*EVENT_BINS[event]) if bin_ < STRUCTURAL_BINS + 3) for event in np.flatnonzero(few)
    }
    assert held - {(NULL,), (TYPE_ERROR,), (UNSEEN,)} == {(4,), (5,), (6,), (4, 5), (5, 6)}
    assert few[STRUCTURAL_BINS:].sum() == 5


def test_bursts_of_what_is_rare_are_not_taken_for_many_rows(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(134)
    sticky = bands(columns_of({"x": np.repeat(rng.standard_normal(1000), 20)}))

    phi = sticky.variation.phi[0, ABOVE]
    largest = event_stakes(sticky).inside[UP, :, 0, ABOVE].max()

    assert phi > 10
    assert largest * phi == pytest.approx(LARGEST_CLUMP)


def test_there_are_bets_of_every_size(found: Bands) -> None:
    assert event_stakes(found).inside.shape[1] == len(SIZES)
    assert functional_stakes(found).scores.shape[-1] == len(SIZES)
