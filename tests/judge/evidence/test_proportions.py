import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from dashlight.judge.evidence.proportions import ProportionBank, Proportions, proportion_bets

Floats = NDArray[np.float64]


def known(shares: Floats, trials: float, *, phi: float = 1.0, tau: float = 0.0) -> Proportions:
    shape = shares.shape
    return Proportions(shares, np.full(shape, trials), np.full(shape, phi), np.full(shape, tau))


def both(count: int) -> NDArray[np.bool_]:
    return np.ones(count, np.bool_)


def bank_of(reference: Proportions, *, panes: float = 1000.0, weight: float = 1.0) -> ProportionBank:
    count = len(reference.shares)
    weights = np.full(count, weight / max(count, 1))
    return ProportionBank(reference, weights=weights, panes=panes, up=both(count), down=both(count))


@given(
    share=st.floats(0.0, 1.0),
    trials=st.integers(1, 100_000),
    phi=st.floats(1.0, 50.0),
    tau=st.floats(0.0, 0.2),
    between=st.floats(0.0, 1.0),
)
def test_a_bet_gains_nothing_on_average_inside_its_border(
    share: float, trials: int, phi: float, tau: float, between: float
) -> None:
    reference = known(np.array([share]), trials, phi=phi, tau=tau)

    stakes = proportion_bets(reference, np.ones((6, 1), np.bool_), thresholds=np.array([20.0]))
    true = share + between * (stakes.borders - share)
    factor = true * np.exp(stakes.inside) + (1 - true) * np.exp(stakes.outside)

    assert np.isfinite(factor).all()
    assert (factor <= 1 + 1e-9).all()


def mean_wealth(share: float, rows: int, size: float, *, believed: float) -> float:
    rng = np.random.default_rng(12)
    draws, threshold = 200_000, 1.5
    reference = known(rng.binomial(rows, share, draws) / rows, believed)
    asked = np.repeat([[True], [False]], draws, axis=1)
    stream = int(2 * threshold / size**2)
    seen = rng.binomial(stream, share, draws)
    stakes = proportion_bets(reference, asked, thresholds=np.full(draws, threshold), sizes=[size], slack=0.0)
    return float(np.exp(seen * stakes.inside[0] + (stream - seen) * stakes.outside[0]).mean())


@pytest.mark.parametrize("size", [0.1, 0.3], ids=["small bets", "large bets"])
@pytest.mark.parametrize("rows", [1000, 10_000], ids=["small reference", "large reference"])
@pytest.mark.parametrize("share", [0.5, 0.15], ids=["half", "a seventh"])
def test_wealth_averages_at_most_one_over_references_and_streams(share: float, rows: int, size: float) -> None:
    wealth = mean_wealth(share, rows, size, believed=rows)

    assert wealth <= 1.08  # a normal approximation where the share is not one half


def test_a_reference_taken_for_exact_would_pay_too_much() -> None:
    assert mean_wealth(0.5, 1000, 0.1, believed=1e12) == pytest.approx(np.exp(300**2 * 0.1**2 / 1000 / 2), rel=0.1)


@given(
    share=st.floats(0.0, 1.0),
    trials=st.integers(1, 100_000),
    phi=st.floats(1.0, 50.0),
    tau=st.floats(0.0, 0.2),
    between=st.floats(0.0, 1.0),
)
def test_neither_does_it_where_a_wrong_reference_is_one_alarm(
    share: float, trials: int, phi: float, tau: float, between: float
) -> None:
    reference = known(np.array([share]), trials, phi=phi, tau=tau)

    stakes = proportion_bets(reference, np.ones((6, 1), np.bool_), thresholds=np.array([18.0]), panes=1e5)
    true = share + between * (stakes.borders - share)
    factor = true * np.exp(stakes.inside) + (1 - true) * np.exp(stakes.outside)

    assert np.isfinite(factor).all()
    assert (factor <= 1 + 1e-9).all()
    assert (stakes.borders[:3] >= np.clip(share, 1e-9, 1 - 1e-9)).all()
    assert (stakes.borders[3:] <= np.clip(share, 1e-9, 1 - 1e-9)).all()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.005])
def test_where_a_wrong_reference_is_one_alarm_a_large_bet_on_a_rare_event_begins_closer(share: float) -> None:
    reference = known(np.array([share]), 5000)
    asked, thresholds = np.ones((6, 1), np.bool_), np.array([17.0])

    each, once = (
        proportion_bets(reference, asked, thresholds=thresholds, slack=0.0, panes=panes) for panes in (None, 259_200)
    )

    assert once.borders[2, 0] < 0.75 * each.borders[2, 0]


def test_wrong_references_and_chance_together_alarm_about_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(11)
    count, panes, rows = 3000, 500, 40
    onsets = 0
    for true in (0.5, 0.1, 0.01, 0.002):
        shares = rng.binomial(1000, true, count) / 1000
        weights = np.full(count, 1 / count)
        shares = np.where(shares > 0, shares, 0.0005)
        yes = both(count)
        bank = ProportionBank(known(shares, 1000), weights=weights, panes=panes, up=yes, down=~yes, once=True)
        fired = np.zeros(count, np.bool_)
        for _ in range(panes):
            fired |= bank.update(rng.binomial(rows, true, count), np.full(count, rows)) >= 0
        onsets += int(fired.sum())

    # Of each share one by chance, and one by a reference that is wrong for ever.
    assert onsets <= 8 + 2 * np.sqrt(8)


def test_without_drift_alarms_are_no_more_frequent_than_promised() -> None:
    rng = np.random.default_rng(7)
    count, panes, rows = 3000, 500, 40
    onsets = 0
    for true in (0.5, 0.1, 0.01):
        shares = rng.binomial(800, true, count) / 800
        bank = bank_of(known(shares, 800), panes=panes)
        fired = np.zeros(count, np.bool_)
        for _ in range(panes):
            fired |= bank.update(rng.binomial(rows, true, count), np.full(count, rows)) >= 0
        onsets += int(fired.sum())

    assert onsets <= 3 + 2 * np.sqrt(3)


@pytest.mark.parametrize(
    ("before", "after", "panes"),
    [(0.5, 0.60, 35), (0.5, 0.35, 20), (0.05, 0.10, 25), (0.001, 0.03, 10), (0.98, 0.90, 20)],
    ids=["up a little", "down", "twice as often", "something new", "less than nearly always"],
)
def test_a_moved_share_is_found_soon_and_named(before: float, after: float, panes: int) -> None:
    rng = np.random.default_rng(3)
    count = 50
    bank = bank_of(known(np.full(count, before), 10_000), panes=1e5)
    now = np.where(np.arange(count) == 17, after, before)
    needed = 0
    while bank.margins.max() < 0 and needed < panes:
        bank.update(rng.binomial(100, now), np.full(count, 100.0))
        needed += 1

    assert bank.margins[17] >= 0
    assert needed - 3 <= bank.age(17) <= needed
    assert (np.delete(bank.margins, 17) < 0).all()


@given(st.lists(st.booleans(), min_size=60, max_size=60), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_the_worker_that_saw_them_matters(outcomes: list[bool], random: object) -> None:
    shuffled = np.random.default_rng(len(str(random))).permutation(outcomes)
    reference = known(np.array([0.4]), 2000)
    one, several = bank_of(reference), bank_of(reference)

    one.update(np.array([float(sum(outcomes))]), np.array([60.0]))
    workers = [shuffled[:10], shuffled[10:25], shuffled[25:]]
    several.update(
        np.sum([[float(part.sum())] for part in workers], axis=0),
        np.sum([[float(len(part))] for part in workers], axis=0),
    )

    assert one.margins == several.margins


def test_a_pane_without_trials_changes_nothing() -> None:
    bank = bank_of(known(np.array([0.5]), 10_000))
    bank.update(np.array([90.0]), np.array([100.0]))
    before = bank.margins.copy()

    bank.update(np.zeros(1), np.zeros(1))

    assert bank.margins == before
    assert bank.age(0) == 2


def test_an_event_of_weight_zero_or_of_no_direction_is_not_watched() -> None:
    reference = known(np.full(4, 0.5), 10_000)
    up, down = np.array([True, True, True, False]), np.array([True, False, False, False])

    bank = ProportionBank(reference, weights=np.array([0.0, 0.5, 0.25, 0.25]), panes=100, up=up, down=down)
    for _ in range(20):
        bank.update(np.array([100.0, 100.0, 0.0, 100.0]), np.full(4, 100.0))

    assert bank.margins[0] == -np.inf
    assert bank.margins[1] == 6.0
    assert bank.margins[2] == pytest.approx(-np.log(100 / (0.25 / 3)))
    assert bank.margins[3] == -np.inf


def test_the_budget_is_parted_over_the_bets_that_have_room() -> None:
    reference = known(np.array([0.5, 0.0]), 1e9)

    bank = ProportionBank(reference, weights=np.array([0.5, 0.5]), panes=1000, up=both(2), down=both(2))

    assert bank.thresholds == pytest.approx([np.log(1000 / 0.5 * 6), np.log(1000 / 0.5 * 3)])


def test_bets_that_a_small_reference_cannot_bear_are_not_made() -> None:
    asked = np.ones((6, 3), np.bool_)
    reference = Proportions(np.full(3, 0.5), np.array([0.0, 60.0, 1e6]), np.ones(3), np.zeros(3))

    stakes = proportion_bets(reference, asked, thresholds=np.full(3, 20.0))

    assert stakes.live[:3].T.tolist() == [[False] * 3, [False, True, True], [True] * 3]


def test_the_border_lies_beyond_slack_season_and_the_error_of_the_reference() -> None:
    reference = known(np.array([0.5]), 10_000, phi=4.0, tau=0.01)

    stakes = proportion_bets(reference, np.ones((6, 1), np.bool_), thresholds=np.array([20.0]))
    distance = 2 * np.arcsin(np.sqrt(stakes.borders[:, 0])) - np.pi / 2

    wanted = [0.02 + 0.025 + 20 * 4 / 10_000 / size for size in (0.1, 0.3, 0.8)]
    assert distance == pytest.approx([*wanted, *np.negative(wanted)])


@pytest.mark.parametrize("share", [0.0, 0.002, 0.998, 1.0], ids=["never", "seldom", "nearly always", "always"])
def test_where_little_occurred_the_border_is_that_of_clopper_and_pearson(share: float) -> None:
    reference = known(np.array([share]), 1000)

    stakes = proportion_bets(reference, np.ones((2, 1), np.bool_), thresholds=np.array([0.1]), sizes=[0.8], slack=0.0)

    held, level = share * 1000, 0.025
    high = stats.beta.isf(level, held + 1, 1000 - held) if share < 1 else 1.0
    low = stats.beta.ppf(level, held, 1001 - held) if share > 0 else 0.0
    assert stakes.borders[:, 0] == pytest.approx([high, low], abs=1e-6)


def test_trials_that_hang_together_count_as_fewer() -> None:
    panes = [0, 0]
    for place, phi in enumerate((1.0, 10.0)):
        bank = bank_of(known(np.array([0.5]), 100_000, phi=phi))
        while bank.margins[0] < 0:
            bank.update(np.array([7.0]), np.array([10.0]))
            panes[place] += 1

    assert 9 <= panes[1] / panes[0] <= 11


def test_evidence_that_is_reset_begins_anew() -> None:
    bank = bank_of(known(np.full(2, 0.5), 10_000))
    quiet = bank.margins.copy()
    for _ in range(5):
        bank.update(np.full(2, 100.0), np.full(2, 100.0))

    bank.reset([1])

    assert bank.margins.tolist() == [6.0, quiet[1]]
    assert (bank.age(0), bank.age(1)) == (5, 1)


def test_a_very_old_age_stays_old() -> None:
    bank = bank_of(known(np.array([0.5]), 10_000))
    for _ in range(66_000):
        bank.update(np.array([8.0]), np.array([10.0]))

    assert bank.age(0) > 30_000


@pytest.mark.parametrize("weights", [[-0.1, 0.5], [0.6, 0.6]], ids=["negative", "too many"])
def test_weights_that_are_no_parts_of_a_budget_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights must not be negative, and sum to at most 1"):
        ProportionBank(known(np.full(2, 0.5), 100), weights=np.array(weights), panes=100, up=both(2), down=both(2))


def test_a_bank_may_be_empty() -> None:
    bank = bank_of(known(np.zeros(0), 100))

    assert bank.update(np.zeros(0), np.zeros(0)).shape == (0,)
