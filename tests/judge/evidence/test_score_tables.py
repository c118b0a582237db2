from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.evidence.null import null_of
from dashlight.judge.evidence.score_tables import LAYERS, EvidenceTables, evidence_steps, evidence_tables
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_COUNT
from dashlight.window.layout import STRUCTURAL_BINS

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
PANES = 1000.0


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    rng = np.random.default_rng(250)
    return columns_of({"number": rng.standard_normal(4000), "few": rng.choice(list("abcd"), 4000).tolist()})


def test_the_weights_of_all_detectors_sum_to_the_budget(columns: tuple[ColumnReference, ...]) -> None:
    tables = evidence_tables(null_of(columns), np.array([0.3, 0.2]), panes=PANES)

    weights = PANES * np.exp(tables.floor.astype(np.float64))
    sizes = LAYERS // 2
    by_event = (weights[:, :EVENT_COUNT] * tables.live.events.sum(0) * sizes).sum()
    by_functional = (weights[:, EVENT_COUNT] * tables.live.functionals.sum(1) * sizes).sum()

    assert by_event + by_functional == pytest.approx(0.5, rel=1e-4)


def test_a_column_without_functionals_gives_their_part_to_its_intervals(columns: tuple[ColumnReference, ...]) -> None:
    tables = evidence_tables(null_of(columns), np.array([0.5, 0.5]), panes=PANES)

    weights = PANES * np.exp(tables.floor.astype(np.float64)) * (LAYERS // 2)
    intervals = (weights[:, STRUCTURAL_BINS:EVENT_COUNT] * tables.live.events.sum(0)[:, STRUCTURAL_BINS:]).sum(1)

    assert intervals == pytest.approx([0.5 * 0.35, 0.5 * 0.75], rel=1e-3)


def test_a_column_of_no_weight_can_never_alarm(columns: tuple[ColumnReference, ...]) -> None:
    assert (evidence_tables(null_of(columns), np.array([0.0, 1.0]), panes=PANES).floor[0] < -1e29).all()


def test_tables_like_others_have_their_bets_and_thresholds(
    columns: tuple[ColumnReference, ...], columns_of: MakeColumns
) -> None:
    usual = evidence_tables(null_of(columns), np.array([0.5, 0.5]), panes=PANES)
    few = columns_of({"number": np.arange(3.0).repeat(100), "few": ["a", "b", "c"] * 100})

    alike = evidence_tables(null_of(few), np.array([0.5, 0.5]), panes=PANES, like=usual)

    assert (alike.floor == usual.floor).all()
    assert alike.live is usual.live


def test_no_columns_have_empty_tables() -> None:
    assert evidence_tables(null_of([]), np.zeros(0), panes=PANES).floor.shape[0] == 0


def test_tables_that_are_made_in_steps_of_some_columns_are_the_same(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(7)
    columns = columns_of({f"x{place}": rng.gamma(1 + place / 10, 1, 600) for place in range(40)})
    weights = np.linspace(0.0, 1.0, 40) / 20
    steps, made = evidence_steps(null_of(columns), weights, panes=PANES), 0
    whole = evidence_tables(null_of(columns), weights, panes=PANES)

    while True:
        try:
            next(steps)
            made += 1
        except StopIteration as end:
            parts: EvidenceTables = end.value
            break

    assert made == 3
    for name in ("each", "inside", "scores", "other", "floor"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    np.testing.assert_array_equal(parts.live.events, whole.live.events)
    np.testing.assert_array_equal(parts.live.functionals, whole.live.functionals)
