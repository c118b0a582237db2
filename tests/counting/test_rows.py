"""Rows counted against a reference by one process, and by several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.counting.rows import MOST_EXEMPLARS, RowCounter, RowPane, merged_rows
from dashlight.judge.directions.bets import Direction
from dashlight.records import Prediction
from dashlight.store.layout import Layout
from dashlight.watching.rows import Comparison
from dashlight.window.columns import Reference
from dashlight.window.recent.pane import PANE_ROWS
from dashlight.window.tables import Column

Columns = Callable[..., dict[str, Column]]
Predictions = Callable[..., Prediction]
Traces = Callable[[Sequence[int] | range], NDArray[np.void]]


@pytest.fixture(scope="module")
def directions(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> Mapping[str, Direction]:
    """Directions that a judge learned from rows that drift."""
    comparison, rng = Comparison(reference, Policy()), np.random.default_rng(2)
    counter = comparison.counter()
    for pane in range(3):
        rows = columns(rng, 150, age=44.0)
        rows["embedding"] = (np.array(rows["embedding"]) + 0.3).tolist()
        counter.add(prediction(rows), traces(range(1, 151)))
        comparison.close_pane(counter.close(), 10.0 * pane)
    assert all(each.weights.any() for each in comparison.directions.values())
    return comparison.directions


def batches(columns: Columns, prediction: Predictions, sizes: Sequence[int], seed: int) -> list[Prediction]:
    """Predictions of so many rows; every third brings a column that nobody knows."""
    rng, found = np.random.default_rng(seed), list[Prediction]()
    for place, rows in enumerate(sizes):
        held = columns(rng, rows)
        found.append(prediction(held | {"height": rng.random(rows)} if place % 3 == 2 else held))
    return found


def counted(counter: RowCounter, held: Sequence[Prediction], traces: Traces) -> RowPane:
    for number, each in enumerate(held):
        counter.add(each, traces(range(1000 * number + 1, 1000 * number + 1 + each.features.rows)))
    pane = counter.close()
    assert pane is not None
    return pane


def recent_values(pane: RowPane) -> Counter[tuple[object, ...]]:
    """The rows of the features that are kept, as a multiset."""
    assert pane.recent is not None
    side = pane.recent.sides["feature"].sample
    return Counter(
        (*map(repr, side.numbers[:, row].tolist()), *side.types[:, row].tolist(), *side.texts[:, row])
        for row in range(side.rows)
    )


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    workers=st.integers(1, 5),
    deal=st.randoms(use_true_random=False),
    seed=st.integers(0, 1000),
)
def test_however_rows_are_dealt_to_processes_their_panes_add_up_to_that_of_one(  # noqa: PLR0917 - fixtures
    reference: Reference,
    columns: Columns,
    prediction: Predictions,
    traces: Traces,
    directions: Mapping[str, Direction],
    sizes: list[int],
    workers: int,
    deal: object,
    seed: int,
) -> None:
    held = batches(columns, prediction, sizes, seed)
    alone, several = RowCounter(reference, Policy()), [RowCounter(reference, Policy()) for _ in range(workers)]
    for counter in (alone, *several):
        counter.follow(directions)

    for each in held:
        for counter in (alone, deal.choice(several)):  # type: ignore[attr-defined]
            counter.add(each, traces(range(1, each.features.rows + 1)))
    whole = alone.close()
    merged = merged_rows([pane for counter in several if (pane := counter.close()) is not None])

    assert whole is not None
    assert merged.reference == whole.reference == reference.version
    assert merged.counts.tolist() == whole.counts.tolist()
    assert merged.counts[0].sum() == sum(sizes)
    assert merged.joint.pairs is not None
    assert whole.joint.pairs is not None
    for name in ("agreeing", "informative", "sides"):
        assert getattr(merged.joint.pairs, name).tolist() == getattr(whole.joint.pairs, name).tolist()
    assert merged.joint.directions.keys() == whole.joint.directions.keys() == {"", "comment", "embedding"}
    for name, along in whole.joint.directions.items():
        theirs = merged.joint.directions[name]
        assert (theirs.direction, theirs.rows) == (along.direction, along.rows) == (directions[name].number, sum(sizes))
        assert theirs.total == pytest.approx(along.total, abs=1e-9)
        assert theirs.gains == pytest.approx(along.gains, abs=1e-9)
        assert theirs.scores == pytest.approx(along.scores, abs=1e-9)
        assert along.gains.any()
    if sum(sizes) <= PANE_ROWS:
        assert recent_values(merged) == recent_values(whole)
    assert merged.recent is not None
    assert whole.recent is not None
    for role, side in whole.recent.sides.items():
        theirs_side = merged.recent.sides[role]
        assert (theirs_side.rows, theirs_side.sample.rows) == (side.rows, side.sample.rows)
        assert theirs_side.present.tolist() == side.present.tolist()
    assert {(seen.name, seen.rows) for seen in merged.recent.unknown} == {
        (seen.name, seen.rows) for seen in whole.recent.unknown
    }
    assert merged.unknown == whole.unknown


def test_panes_of_processes_merge_in_any_order_and_grouping(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    held = batches(columns, prediction, [40, 30, 20, 10], 3)
    one, two, three, four = (counted(RowCounter(reference, Policy()), [each], traces) for each in held)

    at_once = merged_rows([one, two, three, four])
    for other in (
        merged_rows([four, three, two, one]),
        merged_rows([merged_rows([one, two]), merged_rows([three, four])]),
    ):
        assert other.counts.tolist() == at_once.counts.tolist()
        assert recent_values(other) == recent_values(at_once)
        assert other.joint.directions[""].total == pytest.approx(at_once.joint.directions[""].total)


def test_without_rows_there_is_no_pane(reference: Reference) -> None:
    assert RowCounter(reference, Policy()).close() is None


def test_a_pane_begins_empty(reference: Reference, columns: Columns, prediction: Predictions, traces: Traces) -> None:
    counter, held = RowCounter(reference, Policy()), batches(columns, prediction, [5, 5, 7, 11], 4)
    first, second = counted(counter, held[:3], traces), counted(counter, held[3:], traces)
    fresh = counted(RowCounter(reference, Policy()), held[3:], traces)

    assert first.counts[0].sum() == 17
    assert first.unknown == ("height",)
    assert second.counts.tolist() == fresh.counts.tolist()
    assert (second.unknown, second.joint.directions[""].rows) == ((), 11)
    assert recent_values(second) == recent_values(fresh)
    assert first.counts[0].sum() == 17


def test_whoever_has_not_heard_of_directions_sums_rows_along_none(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    pane = counted(RowCounter(reference, Policy()), batches(columns, prediction, [50], 5), traces)

    for along in pane.joint.directions.values():
        assert (along.direction, along.rows) == (0, 50)
        assert not along.gains.any()
        assert along.total.any()


def test_directions_of_another_shape_or_name_are_not_followed(
    reference: Reference,
    columns: Columns,
    prediction: Predictions,
    traces: Traces,
    directions: Mapping[str, Direction],
) -> None:
    counter = RowCounter(reference, Policy())
    counter.follow({"": directions["embedding"], "unheard of": directions[""], "comment": directions["comment"]})

    pane = counted(counter, batches(columns, prediction, [50], 6), traces)

    assert {name: along.direction for name, along in pane.joint.directions.items()} == {
        "": 0,
        "embedding": 0,
        "comment": directions["comment"].number,
    }


def test_what_does_not_matter_is_in_no_pair_and_no_direction(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    importance = {column.name: 0.0 for column in reference.columns}
    (held,) = batches(columns, prediction, [50], 7)

    unimportant = counted(RowCounter(reference, Policy(importance=importance)), [held], traces)
    ignoring = counted(RowCounter(reference, Policy(ignored=("*",))), [held], traces)

    for pane in (unimportant, ignoring):
        assert pane.joint.pairs is None
        assert not any(along.total.any() for along in pane.joint.directions.values())
        assert pane.counts[0].sum() == 50


def test_vectors_with_a_hole_are_left_out_of_their_direction(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    held = columns(np.random.default_rng(8), 5)
    vectors = list(held["embedding"])
    vectors[1], vectors[3] = [float("nan")] * 16, None
    broken = [[float("nan")] * 16] * 5

    pane = counted(RowCounter(reference, Policy()), [prediction({**held, "embedding": vectors})], traces)
    nothing = counted(RowCounter(reference, Policy()), [prediction({**held, "embedding": broken})], traces)

    assert (pane.joint.directions["embedding"].rows, pane.joint.directions[""].rows) == (3, 5)
    assert "embedding" not in nothing.joint.directions


def test_of_many_processes_the_last_exemplars_are_kept(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    (held,) = batches(columns, prediction, [3], 9)
    panes = [counted(RowCounter(reference, Policy()), [held], traces) for _ in range(MOST_EXEMPLARS + 4)]

    assert len(merged_rows(panes).exemplars) == MOST_EXEMPLARS


def test_panes_of_columns_that_do_not_fit_do_not_merge(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    (held,) = batches(columns, prediction, [3], 10)
    other = counted(RowCounter(reference, Policy(ignored=("age",))), [held], traces)

    with pytest.raises(ValueError, match="column"):
        merged_rows([counted(RowCounter(reference, Policy()), [held], traces), other])


def test_a_pane_can_be_written_and_read(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    pane = counted(RowCounter(reference, Policy()), batches(columns, prediction, [50, 50], 11), traces)

    layout: Layout[RowPane] = Layout("rows", 1, RowPane)
    thawed = layout.thaw(b"".join(layout.freeze(pane)))

    assert thawed.counts.tolist() == pane.counts.tolist()
    assert recent_values(thawed) == recent_values(pane)
    assert thawed.joint.directions[""].total.tolist() == pane.joint.directions[""].total.tolist()
