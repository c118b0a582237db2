from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.evidence.bets import EventBets, event_bets, functional_bets, live_bets
from dashlight.judge.evidence.null import Null, null_of
from dashlight.judge.evidence.null_bounds import LARGEST_CLUMP, SIZES, NullBounds, null_bounds
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_BINS, EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import ABOVE, BELOW, NULL, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
UP, DOWN = 0, 1


def borders_of(found: Null) -> NullBounds:
    columns = len(found.rows)
    thresholds = np.full((columns, EVENT_COUNT), 21.0)
    return null_bounds(found, thresholds, thresholds[:, :FUNCTIONAL_COUNT], panes=259_200.0)


def events_of(found: Null) -> EventBets:
    return event_bets(found, borders_of(found), live_bets(found))


def scores_of(found: Null) -> NDArray[np.float64]:
    """Shape (columns, BINS, FUNCTIONAL_COUNT, sizes)."""
    return functional_bets(found, borders_of(found), live_bets(found))


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    """A number, few categories, very many, a boolean and free text."""
    rng = np.random.default_rng(130)
    made = columns_of(
        {
            "number": rng.standard_normal(4000),
            "few": rng.choice(list("abc"), 4000).tolist(),
            "many": [f"c{int(place)}" for place in rng.zipf(1.3, 4000) % 500],
            "flag": rng.choice([True, False], 4000).tolist(),
            "text": [f"remark number {place}" for place in range(4000)],
        },
        ordered=False,
    )
    return tuple(column for column in made if not column.of)


@pytest.fixture
def found(columns: tuple[ColumnReference, ...]) -> Null:
    return null_of(columns)


def test_no_bet_on_an_event_gains_anywhere_inside_its_border(found: Null) -> None:
    stakes, limits = events_of(found), borders_of(found)

    for part in np.linspace(0, 1, 5):
        up, down = part * limits.event_high, 1 - part * (1 - limits.event_low)
        share = np.stack([up, down])
        mean = share * np.exp(stakes.inside) + (1 - share) * np.exp(stakes.outside)
        assert mean.max() <= 1 + 1e-9


def test_every_bet_on_an_event_gains_beyond_its_border(found: Null) -> None:
    stakes, limits = events_of(found), borders_of(found)
    angles = 2 * np.arcsin(np.sqrt(np.stack([limits.event_high, limits.event_low])))
    steps = np.multiply.outer([1.0, -1.0], SIZES)[:, :, np.newaxis, np.newaxis]
    beyond = np.sin(np.clip((angles + steps) / 2, 0, np.pi / 2)) ** 2

    growth = beyond * stakes.inside + (1 - beyond) * stakes.outside

    clear = (stakes.inside != 0) & (beyond > 0.001) & (beyond < 0.999)
    assert clear.sum() > 1000
    assert (growth[clear] > 0).all()


def test_no_bet_on_a_functional_gains_without_drift(found: Null) -> None:
    assert live_bets(found).functionals[0].sum() == FUNCTIONAL_COUNT

    mean = np.einsum("ck,ckfs->cfs", found.shares, np.exp(scores_of(found)))

    assert mean.max() <= 1 + 1e-9


def test_no_bet_on_a_functional_gains_within_the_slack(found: Null) -> None:
    rng = np.random.default_rng(131)
    scores = scores_of(found)
    root = np.sqrt(found.shares[0])

    for _ in range(200):
        direction = rng.standard_normal(len(root)) * root
        direction -= root * (root @ direction)
        near = (np.cos(0.005) * root + np.sin(0.005) * direction / np.linalg.norm(direction)) ** 2
        assert np.einsum("k,kfs->fs", near, np.exp(scores[0])).max() <= 1 + 1e-9


def test_a_shift_gains_on_the_functional_that_sees_it(found: Null) -> None:
    scores = scores_of(found)
    tilted = found.shares[0] * np.exp(found.functionals[0, 0])
    tilted /= tilted.sum()

    growth = np.einsum("k,kfs->fs", tilted, scores[0]).max(axis=1)

    # The first functional is "higher", the second "lower".
    assert growth[0] > 0.1
    assert growth[1] < 0


def test_only_numbers_have_functionals(found: Null) -> None:
    assert live_bets(found).functionals.any(axis=1).tolist() == [True, False, False, False, False]


def test_a_number_of_few_values_has_no_functionals(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(132)
    found = null_of(columns_of({"stars": rng.integers(1, 5, 2000).astype(float)}))

    assert not live_bets(found).functionals.any()


def test_each_kind_of_column_bets_on_the_bad_values_that_it_can_have(found: Null) -> None:
    live = live_bets(found).events[UP]

    bets = [np.flatnonzero(row[:STRUCTURAL_BINS]).tolist() for row in live]

    assert bets == [
        [NULL, TYPE_ERROR, BELOW, ABOVE],
        [NULL, TYPE_ERROR, UNSEEN],
        [NULL, TYPE_ERROR, UNSEEN],
        [NULL, TYPE_ERROR, UNSEEN],
        [NULL, TYPE_ERROR],
    ]


def test_free_text_bets_on_nothing_but_bad_values(found: Null) -> None:
    assert not live_bets(found).events[:, 4, STRUCTURAL_BINS:].any()


def test_nobody_is_alarmed_by_fewer_bad_values(found: Null) -> None:
    assert not live_bets(found).events[DOWN, :, TYPE_ERROR:STRUCTURAL_BINS].any()


def test_fewer_missing_values_are_a_drift_where_they_are_usual(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(133)
    values = np.where(rng.random(3000) < 0.3, np.nan, rng.standard_normal(3000))

    assert live_bets(null_of(columns_of({"x": values}))).events[DOWN, 0, NULL]


def test_the_budget_is_not_shared_with_copies_of_the_same_event(found: Null) -> None:
    few = live_bets(found).events[UP, 1]

    # Three categories: each alone, and no two of them by any wider interval that means the same.
    held = {
        tuple(bin_ for bin_ in range(*EVENT_BINS[event]) if bin_ < STRUCTURAL_BINS + 3) for event in np.flatnonzero(few)
    }
    assert held - {(NULL,), (TYPE_ERROR,), (UNSEEN,)} == {(4,), (5,), (6,), (4, 5), (5, 6)}
    assert few[STRUCTURAL_BINS:].sum() == 5


def test_bursts_of_what_is_rare_are_not_taken_for_many_rows(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(134)
    sticky = null_of(columns_of({"x": np.repeat(rng.standard_normal(1000), 20)}))

    phi = sticky.variation.phi[0, ABOVE]
    largest = events_of(sticky).inside[UP, :, 0, ABOVE].max()

    assert phi > 10
    assert largest * phi == pytest.approx(LARGEST_CLUMP)


def test_there_are_bets_of_every_size(found: Null) -> None:
    assert events_of(found).inside.shape[1] == len(SIZES)
    assert scores_of(found).shape[-1] == len(SIZES)
