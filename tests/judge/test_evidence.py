from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.bands import bands
from dashlight.judge.evidence import CAP_NATS, Evidence
from dashlight.judge.stakes import event_stakes, functional_stakes
from dashlight.window.events import EVENT_BINS, event_counts
from dashlight.window.layout import NULL, STRUCTURAL_BINS
from dashlight.window.reference import ColumnReference

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


def evidence_of(columns: tuple[ColumnReference, ...], weights: list[float] | None = None) -> Evidence:
    return Evidence(bands(columns), np.array(weights or [1 / len(columns)] * len(columns)), panes=PANES)


def margins_of(evidence: Evidence, panes: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.array([evidence.update(counts) for counts in panes])


def test_evidence_is_the_sum_of_scores_kept_between_nothing_and_the_cap(
    columns: tuple[ColumnReference, ...], panes: NDArray[np.int64]
) -> None:
    found = bands(columns)
    events, functionals = event_stakes(found), functional_stakes(found)
    live = [events.live[:, :, :STRUCTURAL_BINS], events.live[:, :, STRUCTURAL_BINS:], functionals.live]
    wealth, other = np.zeros(events.inside.shape), np.zeros((3, *functionals.scores.shape[2:]))
    expected = []
    for counts in panes:
        held = event_counts(counts.astype(float), found.unseen_is_other)
        rows = counts.sum(1)[:, np.newaxis]
        wealth = np.maximum(wealth + events.inside * held + events.outside * (rows - held), 0)
        other = np.maximum(other + np.einsum("ck,ckfs->cfs", counts, functionals.scores), 0)
        margins = []
        for column in range(3):
            shares = [0.25, 0.35, 0.40] if functionals.live[column].any() else [0.25, 0.75, 0.0]
            bets = [live[0][:, column].sum() * 4, live[1][:, column].sum() * 4, live[2][column].sum() * 4]
            threshold = [
                np.log(PANES * 3 * max(count, 1) / max(share, 1e-9)) for share, count in zip(shares, bets, strict=True)
            ]
            least = np.where(np.arange(len(EVENT_BINS)) < STRUCTURAL_BINS, threshold[0], threshold[1])
            wealth[:, :, column] = np.minimum(wealth[:, :, column], least + CAP_NATS)
            other[column] = np.minimum(other[column], threshold[2] + CAP_NATS)
            on = np.repeat(events.live[:, np.newaxis, column], 4, axis=1)
            by_event = np.where(on, wealth[:, :, column] - least, -np.inf).max()
            margins.append(
                max(by_event, (other[column] - threshold[2]).max() if functionals.live[column].any() else -np.inf)
            )
        expected.append(margins)

    measured = margins_of(evidence_of(columns), panes)

    assert measured == pytest.approx(np.array(expected), abs=1e-3)
    assert measured[-1, 0] == pytest.approx(CAP_NATS)


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

    assert heavy[:, 0] - light[:, 0] == pytest.approx(np.log(4), abs=1e-3)


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


def test_without_drift_the_mean_of_what_a_bet_turns_into_is_at_most_one(columns_of: MakeColumns) -> None:
    # Rows of the uniform distribution of which the reference is a sample, in the reference's bins.
    rng = np.random.default_rng(143)
    (column,) = columns_of({"x": rng.random(3000)})
    found = bands([column])
    column_rows = 25
    borders = np.concatenate([[column.low], column.edges, [column.high]])
    shares = np.concatenate([[0.0, 0.0, column.low, 1 - column.high], np.diff(borders)])
    counts = rng.multinomial(column_rows, shares, 20_000)
    events, functionals = event_stakes(found), functional_stakes(found)
    held = event_counts(counts[:, np.newaxis].astype(float), found.unseen_is_other)[:, 0]

    outcomes = np.exp(
        np.einsum("te,dse->tdse", held, events.inside[:, :, 0])
        + np.einsum("te,dse->tdse", column_rows - held, events.outside[:, :, 0])
    )
    by_functional = np.exp(np.einsum("tk,kfs->tfs", counts, functionals.scores[0]))

    errors = outcomes.std(0) / np.sqrt(len(counts))
    assert (outcomes.mean(0) <= 1 + 4 * errors).all()
    assert (by_functional.mean(0) <= 1 + 4 * by_functional.std(0) / np.sqrt(len(counts))).all()
