"""Evidence that losses rose beyond a bound."""

import numpy as np
import pytest

from dashlight.judge.performance.loss_evidence import TOLERANCE, LossEvidence
from dashlight.judge.performance.loss_variation import LossVariation
from dashlight.judge.performance.losses import LossStrata, strata_of, tally
from dashlight.labels.rows import Floats

RISKS = np.array([0.02, 0.05, 0.1, 0.2])


def known(risks: Floats) -> LossStrata:
    """Strata whose risks are as good as known."""
    return LossStrata(risks, risks * (1 - risks), np.zeros(len(risks)), np.full(len(risks), 1e12))


def batch(rng: np.random.Generator, risks: Floats, rows: int, *, expected: Floats, bins: slice = slice(None)) -> Floats:
    places = rng.choice(np.arange(len(risks))[bins], rows)
    losses = (rng.random(rows) < risks[places]).astype(np.float64)
    nothing = np.zeros(rows, np.intp)
    counted: Floats = tally(losses, places, nothing, expected=expected[places], shape=(1, len(risks)))[0]
    return counted


def batches_until(
    evidence: LossEvidence, rng: np.random.Generator, risks: Floats, rows: int, *, expected: Floats = RISKS
) -> int:
    """Batches of so many *rows* until there is evidence, 200 at most."""
    for count in range(1, 151):
        if evidence.update(batch(rng, risks, rows, expected=expected), learns=False) >= 0:
            return count
    return 150


@pytest.mark.parametrize("rows", [5, 300])
def test_at_the_very_bound_false_alarms_are_as_rare_as_promised(rows: int) -> None:
    promised = 20.0
    lengths: list[int] = []
    for seed in range(60):
        rng, evidence = np.random.default_rng(seed), LossEvidence(known(RISKS), batches=promised)
        lengths.append(batches_until(evidence, rng, RISKS + TOLERANCE, rows))

    assert np.mean(lengths) >= promised


def test_what_is_not_worse_hardly_alarms_however_the_reference_was_drawn() -> None:
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        rows = np.full(4, 500.0)
        wrong = rng.binomial(500, RISKS).astype(np.float64)
        strata = strata_of(rows, wrong, wrong)
        evidence = LossEvidence(strata, batches=1000.0)
        alarms += batches_until(evidence, rng, RISKS, 200, expected=strata.means) < 150

    assert alarms <= 1


def test_evidence_of_today_is_not_held_back_by_years_without_any() -> None:
    def until(quiet: int) -> float:
        took: list[int] = []
        for seed in range(11):
            rng, evidence = np.random.default_rng(seed), LossEvidence(known(RISKS), batches=10_000.0)
            for _ in range(quiet):
                evidence.update(batch(rng, RISKS, 100, expected=RISKS))
            took.append(batches_until(evidence, rng, RISKS + 0.05, 100))
        return float(np.median(took))

    assert until(500) <= 1.25 * until(50)


@pytest.mark.parametrize("bins", [slice(None), slice(0, 1), slice(3, 4)])
def test_what_became_worse_in_all_bins_or_in_one_is_seen(bins: slice) -> None:
    rng, evidence = np.random.default_rng(3), LossEvidence(known(RISKS), batches=10_000.0)
    for _ in range(50):
        evidence.update(batch(rng, RISKS, 100, expected=RISKS))
    worse = RISKS.copy()
    worse[bins] += 0.3

    assert batches_until(evidence, rng, worse, 100) <= 10


def test_another_mix_of_scores_is_no_evidence() -> None:
    rng, evidence = np.random.default_rng(4), LossEvidence(known(RISKS), batches=100.0)
    for _ in range(100):
        evidence.update(batch(rng, RISKS, 200, expected=RISKS))

    hard = [evidence.update(batch(rng, RISKS, 200, expected=RISKS, bins=slice(3, 4))) for _ in range(200)]

    assert max(hard) < 0


def test_rows_that_share_their_luck_are_worth_fewer() -> None:
    rng, variation = np.random.default_rng(5), LossVariation()
    for _ in range(200):
        excess = float(20 * (rng.binomial(10, 0.1) - 1.0))
        variation.add(rows=200, excess=excess, variance=200 * 0.09)

    assert 12 < variation.phi(200, 0.09) < 32
    assert variation.phi(2000, 0.09) > variation.phi(200, 0.09)


def test_rows_that_are_independent_are_soon_worth_as_many() -> None:
    rng, variation = np.random.default_rng(6), LossVariation()
    before = variation.phi(100, 0.09)
    for _ in range(200):
        variation.add(rows=100, excess=float(rng.binomial(100, 0.1) - 10.0), variance=100 * 0.09)

    assert before > 1.2
    assert variation.phi(100, 0.09) < 1.1


def varied(rng: np.random.Generator, days: int, spread: float) -> LossVariation:
    """So many days of 100 rows an hour, whose risk varies from day to day."""
    variation = LossVariation()
    for _ in range(days):
        risk = 0.1 + rng.normal(0, spread)
        for _ in range(24):
            variation.add(rows=100, excess=float(rng.binomial(100, risk) - 10.0), variance=100 * 0.09)
    return variation


def test_luck_that_lasts_for_a_day_is_told_from_luck_that_lasts_for_an_hour() -> None:
    rng = np.random.default_rng(8)

    assert varied(rng, 20, 0.03).phi(100, 0.09) > 5
    assert varied(rng, 20, 0.0).phi(100, 0.09) < 1.2


def test_a_change_for_good_is_not_taken_for_luck() -> None:
    rng, variation = np.random.default_rng(9), LossVariation()
    for hour in range(20 * 24):
        risk = 0.1 if hour < 10 * 24 + 7 else 0.15
        variation.add(rows=100, excess=float(rng.binomial(100, risk) - 10.0), variance=100 * 0.09)

    assert variation.phi(100, 0.09) < 2


def test_losses_between_two_points_of_the_grid_keep_their_mean() -> None:
    rng = np.random.default_rng(7)
    losses, nothing = rng.random(1000), np.zeros(1000, np.intp)

    counted = tally(losses, nothing, nothing, expected=losses, shape=(1, 1))[0, 0]

    assert counted[:-1].sum() == pytest.approx(1000)
    assert counted[:-1] @ np.linspace(0, 1, 33) == pytest.approx(losses.sum())
    assert counted[-1] == pytest.approx(losses.sum())


def test_an_empty_batch_says_nothing() -> None:
    evidence = LossEvidence(known(RISKS), batches=100.0)

    assert evidence.update(np.zeros((4, 34))) == evidence.margin
    assert not evidence.state.mix.any()


def test_the_labels_that_it_takes_are_about_those_that_it_took() -> None:
    evidence, took = LossEvidence(known(RISKS), batches=10_000.0), list[int]()
    for seed in range(20):
        rng, fresh = np.random.default_rng(seed), LossEvidence(known(RISKS), batches=10_000.0)
        for _ in range(50):
            fresh.update(batch(rng, RISKS, 50, expected=RISKS))
        took.append(50 * batches_until(fresh, rng, RISKS + 0.05, 50))

    assert 0.5 < evidence.labels_needed(0.05) / np.median(took) < 2
    assert evidence.labels_needed(0.005) == float("inf")
