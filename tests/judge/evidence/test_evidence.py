from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from dashlight.judge.evidence.cusum import CAP_NATS
from dashlight.judge.evidence.evidence import Evidence
from dashlight.judge.evidence.null import null_of, shifted
from dashlight.judge.evidence.null_bounds import SIZES, shares_bet_on
from dashlight.judge.evidence.score_tables import EvidenceTables, evidence_tables
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_BINS, EVENT_COUNT, FUNCTIONAL_COUNT, event_counts
from dashlight.window.layout import NULL
from dashlight.window.panes import merge
from dashlight.window.tables import table_of_columns

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
PANES = 1000.0


def table(rng: np.random.Generator, rows: int) -> Mapping[str, object]:
    return {
        "number": rng.standard_normal(rows),
        "skewed": np.where(rng.random(rows) < 0.05, np.nan, rng.exponential(size=rows)),
        "many": [f"c{int(place)}" for place in rng.zipf(1.5, rows) % 300],
    }


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    return columns_of(table(np.random.default_rng(140), 4000))


@pytest.fixture
def panes(columns: tuple[ColumnReference, ...], panes_of: MakePanes) -> NDArray[np.int64]:
    """Thirty panes of 100 rows; from the eleventh on the number is half a deviation higher."""
    values = dict(table(np.random.default_rng(141), 3000))
    values["number"] = np.asarray(values["number"]) + np.where(np.arange(3000) < 1000, 0.0, 0.5)
    return panes_of(columns, values, 100)


def tables_of(columns: tuple[ColumnReference, ...], weights: list[float] | None = None) -> EvidenceTables:
    return evidence_tables(null_of(columns), np.array(weights or [1 / len(columns)] * len(columns)), panes=PANES)


def evidence_of(columns: tuple[ColumnReference, ...], weights: list[float] | None = None) -> Evidence:
    return Evidence(tables_of(columns, weights))


def margins_of(evidence: Evidence, panes: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.array([evidence.update(counts) for counts in panes])


def test_evidence_is_the_logarithm_of_the_summed_wealth_of_all_detectors(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    found, tables = null_of(columns), tables_of(columns)
    wealth = np.zeros((8, 3, EVENT_COUNT + len(SIZES)))
    expected: list[NDArray[np.float64]] = []
    for counts in panes:
        held = event_counts(counts.astype(float), found.unseen_is_other)
        rows = counts.sum(1)[:, np.newaxis]
        wealth[:, :, :EVENT_COUNT] += tables.inside[:, :, :EVENT_COUNT] * held + tables.each[:, :, :EVENT_COUNT] * rows
        scores = np.einsum("ck,ckf->fc", counts, tables.scores).reshape(FUNCTIONAL_COUNT, len(SIZES), 3)
        wealth[:, :, EVENT_COUNT:] += scores.transpose(0, 2, 1)
        wealth = np.maximum(wealth, 0)
        if (wealth + tables.floor >= -6).any():  # nearer than that, the cap and the sum are looked at
            wealth = np.minimum(wealth, CAP_NATS - tables.floor)
        expected.append(np.log(np.exp(wealth + tables.floor).sum(axis=(0, 2))))

    measured = margins_of(evidence_of(columns), panes)

    near = np.array(expected) > -4
    assert near.sum() > 15
    assert measured[near] == pytest.approx(np.minimum(expected, CAP_NATS)[near], abs=2e-3)
    assert (measured[~near] <= np.array(expected)[~near] + 1e-3).all()
    assert measured[-1, 0] == pytest.approx(CAP_NATS)


def test_evidence_that_no_detector_has_alone_is_told_by_the_leading_ones(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    evidence = evidence_of(columns)
    half = panes[15] // 8
    for _ in range(400):
        margin = evidence.update(half)[0]
        if margin >= 0:
            break

    firing = evidence.firing(0)

    # It is over its threshold by less than the sum over detectors adds.
    assert 0 <= margin < 3
    assert len(firing.ups) + len(firing.downs) + len(firing.functionals) > 0


def test_a_pane_may_be_scored_by_other_tables_that_share_the_state(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64], columns_of: MakeColumns
) -> None:
    usual = tables_of(columns)
    values = dict(table(np.random.default_rng(144), 4000))
    values["number"] = np.asarray(values["number"]) + 0.5
    moved = tuple(
        replace(column, counts=found) for column, found in zip(columns, counted_in(columns, values), strict=True)
    )
    at_night = evidence_tables(null_of(moved), np.full(3, 1 / 3), panes=PANES, like=usual)
    by_day, by_hour = Evidence(usual), Evidence(usual)

    day = np.array([by_day.update(counts) for counts in panes])
    hour = np.array([by_hour.update(counts, at_night if at >= 10 else None) for at, counts in enumerate(panes)])

    assert (at_night.floor == usual.floor).all()
    assert day[-1, 0] > 0 > hour[:, 0].max()


def counted_in(columns: tuple[ColumnReference, ...], values: Mapping[str, object]) -> NDArray[np.int64]:
    binner = Binner(columns)
    return binner.count(binner.codes(table_of_columns(values)))  # type: ignore[arg-type]


def test_merging_the_panes_of_workers_changes_nothing(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    parts = np.random.default_rng(145).binomial(panes, 0.3)

    whole, merged = evidence_of(columns), evidence_of(columns)

    for counts, part in zip(panes, parts, strict=True):
        assert (whole.update(counts) == merged.update(merge(part, counts - part))).all()


def test_strictly_increasing_maps_leave_the_evidence_unchanged(columns_of: MakeColumns, panes_of: MakePanes) -> None:
    rng = np.random.default_rng(146)
    reference, stream = rng.standard_normal(3000), rng.standard_normal(3000)
    stream = rng.choice(reference, 3000) + np.where(np.arange(3000) < 1500, 0, 0.0)
    found = []
    # None takes values so close together that single precision could not tell them apart.
    for mapped in (lambda x: x, np.exp, lambda x: 5 * x**3):
        columns = columns_of({"x": mapped(reference)})
        found.append(margins_of(evidence_of(columns), panes_of(columns, {"x": mapped(stream)}, 100)))

    assert found[1] == pytest.approx(found[0], abs=1e-4)
    assert found[2] == pytest.approx(found[0], abs=1e-4)


def test_a_hundred_columns_take_less_than_two_megabytes(columns_of: MakeColumns) -> None:
    (column,) = columns_of({"x": np.arange(1000.0)}, ordered=False)

    assert Evidence(tables_of((column,) * 100)).bytes < 2_000_000


def test_the_columns_may_come_in_any_order(columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]) -> None:
    order = [2, 0, 1]

    turned = margins_of(evidence_of(tuple(columns[place] for place in order)), panes[:, order])

    assert turned == pytest.approx(margins_of(evidence_of(columns), panes)[:, order], abs=1e-4)


def test_rows_may_come_in_any_order_and_from_several_workers(
    columns: tuple[ColumnReference, ...], panes_of: MakePanes
) -> None:
    rng = np.random.default_rng(142)
    values = {name: np.asarray(value, object) for name, value in table(rng, 1000).items()}
    order = np.concatenate([rng.permutation(100) + 100 * pane for pane in range(10)])

    def counted(rows: NDArray[np.intp], size: int) -> NDArray[np.int64]:
        return panes_of(columns, {name: list(value[rows]) for name, value in values.items()}, size)

    whole = counted(np.arange(1000), 100)
    workers = counted(order, 25).reshape(10, 4, *whole.shape[1:]).sum(1)

    assert (margins_of(evidence_of(columns), workers) == margins_of(evidence_of(columns), whole)).all()


def test_a_column_without_weight_is_not_watched(columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]) -> None:
    measured = margins_of(evidence_of(columns, [0.0, 0.5, 0.5]), panes)

    assert (measured[:, 0] < -1e6).all()
    assert (measured[:, 1:] > -50).all()


def test_a_column_with_more_weight_is_nearer_to_its_threshold(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    light, heavy = (margins_of(evidence_of(columns, [weight, 0.1, 0.1]), panes[:3]) for weight in (0.1, 0.4))

    # And its borders are nearer: a rarer false alarm needs a wider margin.
    assert heavy[0, 0] - light[0, 0] == pytest.approx(np.log(4), abs=0.1)
    assert (heavy[:, 0] - light[:, 0] > np.log(4) - 1e-3).all()


def test_the_detectors_that_saw_it_are_named_with_its_age(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    evidence = evidence_of(columns)
    fired = next(place for place, margins in enumerate(panes) if evidence.update(margins)[0] >= 0)

    firing = evidence.firing(0)

    # The change came with the eleventh pane.
    assert 10 <= fired < 16
    assert firing.age in {fired - 9, fired - 10}
    for counts in panes[fired + 1 :]:
        evidence.update(counts)
    upper_half, lower_half = EVENT_BINS.index((20, 36)), EVENT_BINS.index((4, 20))
    firing = evidence.firing(0)
    assert upper_half in firing.ups
    assert lower_half in firing.downs
    assert 0 in firing.functionals


def test_a_column_that_is_reset_forgets_and_the_others_do_not(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    evidence, other = evidence_of(columns), evidence_of(columns)
    margins_of(evidence, panes)
    margins_of(other, panes)

    evidence.reset(0)

    assert evidence.update(panes[0])[0] < -5
    assert evidence.update(panes[1])[1] == pytest.approx(margins_of(other, panes[:2])[1, 1])


def test_an_age_beyond_what_is_counted_stays_large(columns_of: MakeColumns, panes_of: MakePanes) -> None:
    columns = columns_of({"x": np.arange(500.0)}, ordered=False)
    evidence = evidence_of(columns)
    nulls = panes_of(columns, {"x": np.full(100, np.nan)}, 100)[0]
    nothing = np.zeros_like(nulls)
    evidence.update(nulls)

    for _ in range(2**16 + 100):
        evidence.update(nothing)

    assert evidence.firing(0).age >= 2**15
    assert NULL in evidence.firing(0).ups


def test_over_the_draw_of_the_reference_the_mean_of_what_a_bet_turns_into_is_at_most_one(
    columns_of: MakeColumns,
) -> None:
    # Forty references of 3,000 uniform rows, 4,000 panes of 25 rows against each, in the reference's own bins.
    rng = np.random.default_rng(143)
    events, functionals = [], []
    for _ in range(40):
        (column,) = columns_of({"x": rng.random(3000)})
        borders = np.concatenate([[column.low], column.edges, [column.high]])
        shares = np.concatenate([[0.0, 0.0, column.low, 1 - column.high], np.diff(borders)])
        counts = rng.multinomial(25, shares, 4000)
        tables = tables_of((column,))
        held = event_counts(counts[:, np.newaxis].astype(float), np.array([False]))[:, 0]
        scored = np.einsum("te,de->tde", held, tables.inside[:, 0, :EVENT_COUNT]) + 25 * tables.each[:, 0, :EVENT_COUNT]
        events.append(np.exp(scored).mean(0))
        functionals.append(np.exp(counts @ tables.scores[0]).mean(0))

    for means in (np.array(events), np.array(functionals)):
        assert (means.mean(0) <= 1 + 4 * means.std(0) / np.sqrt(len(means))).all()


@pytest.mark.parametrize(("rows", "share"), [(1, 0.3), (7, 0.3), (40, 0.02), (40, 0.98)])
def test_at_its_border_the_mean_of_what_a_bet_turns_into_is_one(*, rows: int, share: float) -> None:
    # All outcomes of so many rows, with the probabilities that the border gives them.
    limit = float(shifted(np.array(share), 0.05))
    bet_on = float(shares_bet_on(np.array(limit), 0.4, np.array(1.0)))
    held = np.arange(rows + 1)

    wealth = (bet_on / limit) ** held * ((1 - bet_on) / (1 - limit)) ** (rows - held)

    assert float(binom.pmf(held, rows, limit) @ wealth) == pytest.approx(1.0)
    assert float(binom.pmf(held, rows, share) @ wealth) < 1.0
