"""Rows that say again what was just said, and rows that only look alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.counting.repetition import repetition_filter
from dashlight.counting.rows import RowCounter, RowPane, merged_rows
from dashlight.records import Prediction, Table
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

Columns = Callable[..., dict[str, Column]]
Predictions = Callable[..., Prediction]
Traces = Callable[[Sequence[int] | range], NDArray[np.void]]


def numbers(rng: np.random.Generator, rows: int) -> dict[str, Column]:
    return {f"x{place}": rng.normal(size=rows) for place in range(6)} | {"flag": (rng.random(rows) < 0.1).tolist()}


def repeating(held: Mapping[str, Column], rows: slice) -> dict[str, Column]:
    """*held* with the first of these *rows* in all of them."""
    repeated: dict[str, Column] = {}
    for name, values in held.items():
        listed = list(values)
        listed[rows] = [listed[rows.start]] * len(listed[rows])
        repeated[name] = np.array(listed) if isinstance(values, np.ndarray) else listed
    return repeated


@pytest.fixture(scope="module")
def of_numbers() -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns(numbers(rng, 2000), {}, rng=rng, created_at=0.0)


def counted(counter: RowCounter, prediction: Prediction, traces: Traces) -> RowPane:
    counter.add(prediction, traces(range(1, prediction.features.rows + 1)))
    pane = counter.close()
    assert pane is not None
    return pane


def test_a_payload_sent_thirty_times_counts_once_everywhere(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    held = repeating(columns(np.random.default_rng(2), 100), slice(40, 70))

    pane = counted(RowCounter(reference, Policy()), prediction(held), traces)

    assert pane.counts.sum(1).tolist() == [71] * len(reference.columns)
    assert pane.repeated is not None
    assert pane.repeated.sum(1).tolist() == [29] * len(reference.columns)
    assert pane.row_count == 100
    assert pane.joint.pairs is not None
    assert pane.joint.pairs.rows == 71
    assert pane.joint.directions[""].rows == pane.joint.directions["embedding"].rows == 71
    assert pane.recent is not None
    assert [pane.recent.sides[role].rows for role in ("feature", "output")] == [71, 71]
    assert pane.repetition is not None
    assert (pane.repetition.rows, pane.repetition.exchanges, pane.repetition.left_out) == (100, 100, 29)
    (told,) = pane.repetition.payloads
    assert (told.rows, told.left_out, told.traces) == (30, 29, (f"{70:032x}",))


def test_it_counts_once_in_a_minute_over_batches_and_panes_and_again_in_the_next(
    of_numbers: Reference, prediction: Predictions, traces: Traces
) -> None:
    rng, counter = np.random.default_rng(3), RowCounter(of_numbers, Policy())
    probe = numbers(rng, 1)
    accepted: list[int] = []

    for _ in range(40):
        for _ in range(3):
            counter.add(prediction(numbers(rng, 20)), traces(range(1, 21)))
            counter.add(prediction(probe), traces([99]))
        pane = counter.close()
        assert pane is not None
        accepted.append(int(pane.counts[0].sum()) - 60)

    assert accepted[0] == 1
    # Of up to 756 rows in two minutes one in 2,000 likely comes up to three times; it came 36 times.
    assert sum(accepted) <= 12


def test_few_distinct_rows_are_alike_by_nature(prediction: Predictions, traces: Traces) -> None:
    rng = np.random.default_rng(4)

    def rows(count: int) -> dict[str, Column]:
        return {name: (rng.random(count) < 0.3).tolist() for name in ("a", "b", "c")}

    reference = build_reference_from_columns(rows(3000), {}, rng=rng, created_at=0.0)
    pane = counted(RowCounter(reference, Policy()), prediction(rows(500)), traces)

    assert repetition_filter(reference, pane_seconds=10.0) is None
    assert (pane.repetition, pane.repeated) == (None, None)
    assert int(pane.counts[0].sum()) == 500


def test_what_the_reference_has_often_may_come_often(prediction: Predictions, traces: Traces) -> None:
    rng = np.random.default_rng(5)
    popular = numbers(rng, 1)

    def rows(count: int) -> dict[str, Column]:
        held = numbers(rng, count)
        chosen = rng.random(count) < 0.2
        return {
            name: [popular[name][0] if is_popular else value for is_popular, value in zip(chosen, values, strict=True)]
            for name, values in held.items()
        }

    reference = build_reference_from_columns(rows(4000), {}, rng=rng, created_at=0.0)
    counter = RowCounter(reference, Policy())

    panes = [counted(counter, prediction(rows(200)), traces) for _ in range(30)]

    assert all(pane.repeated is None for pane in panes)


@pytest.mark.parametrize("stuck", [("x0",), ("x0", "x1", "x2", "x3", "x4", "x5")], ids=["one", "all numbers"])
def test_columns_that_are_stuck_make_rows_alike_and_are_not_taken_for_repeats_for_long(
    of_numbers: Reference, prediction: Predictions, traces: Traces, stuck: tuple[str, ...]
) -> None:
    rng = np.random.default_rng(6)

    def rows(count: int) -> dict[str, Column]:
        return numbers(rng, count) | {"city": rng.choice(list("abcdefgh"), count).tolist()}

    reference = build_reference_from_columns(rows(2000), {}, rng=rng, created_at=0.0)
    counter = RowCounter(reference, Policy())
    for _ in range(6):
        counted(counter, prediction(rows(100)), traces)

    broken = [
        counted(counter, prediction(rows(100) | {name: np.zeros(100) for name in stuck}), traces) for _ in range(3)
    ]

    assert sum(int(pane.counts[0].sum()) for pane in broken) >= 40


def test_rows_without_a_value_are_no_payload(of_numbers: Reference, prediction: Predictions, traces: Traces) -> None:
    counter = RowCounter(of_numbers, Policy())
    empty: dict[str, Column] = {name: [None] * 50 for name in ("x0", "x1", "flag")}

    pane = counted(counter, prediction(empty), traces)
    of_one = counted(counter, prediction({"x0": [1.5] * 50}), traces)

    assert (pane.repeated, of_one.repeated) == (None, None)


def test_outputs_follow_their_exchange_where_there_are_not_as_many(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    held = repeating(columns(np.random.default_rng(7), 12), slice(0, 8))
    asked = prediction(held)
    # Four rows an exchange, and one score for each of the three.
    exchange = np.repeat(np.arange(3), 4)
    scores = table_of_columns({"score": [0.1, 0.2, 0.3]})
    asked = replace(
        asked,
        features=replace(asked.features, exchange=exchange),
        outputs=replace(scores, exchange=np.arange(3)),
    )

    pane = counted(RowCounter(reference, Policy()), asked, traces)

    rows = dict(zip((column.name for column in reference.columns), pane.counts.sum(1).tolist(), strict=True))
    assert rows["age"] == 5
    # All rows of the second exchange said what the first had said.
    assert rows["score"] == 2
    assert pane.repetition is not None
    assert (pane.repetition.rows, pane.repetition.exchanges) == (12, 3)


def test_panes_of_several_processes_merge_and_what_one_knows_to_be_repeated_counts_nowhere(
    of_numbers: Reference, prediction: Predictions, traces: Traces
) -> None:
    rng = np.random.default_rng(8)
    workers = [RowCounter(of_numbers, Policy()) for _ in range(3)]
    storm = repeating(numbers(rng, 40), slice(0, 20))

    merged = merged_rows([counted(worker, prediction(storm), traces) for worker in workers])

    assert merged.repetition is not None
    assert merged.repeated is not None
    (told,) = merged.repetition.payloads
    assert told.left_out == int(merged.repeated[0].sum()) == 57

    for worker in workers:
        worker.know([told.hash])
    again = merged_rows([counted(worker, prediction(repeating(storm, slice(0, 20))), traces) for worker in workers])
    assert again.repeated is not None
    assert again.counts[0].sum() + again.repeated[0].sum() == 120
    fresh_worker = RowCounter(of_numbers, Policy())
    fresh_worker.know([told.hash])
    assert int(counted(fresh_worker, prediction(storm), traces).counts[0].sum()) == 20


def test_a_pane_of_nothing_but_repeats_is_still_told(
    of_numbers: Reference, prediction: Predictions, traces: Traces
) -> None:
    rng, counter = np.random.default_rng(9), RowCounter(of_numbers, Policy())
    row = numbers(rng, 1)
    counted(counter, prediction(row), traces)

    pane = counted(counter, prediction(row), traces)

    assert (int(pane.counts.sum()), pane.row_count) == (0, 1)
    assert pane.repetition is not None
    assert pane.repetition.left_out == 1


def test_columns_that_are_ignored_make_no_row_another(
    of_numbers: Reference, prediction: Predictions, traces: Traces
) -> None:
    rng = np.random.default_rng(10)
    storm = repeating(numbers(rng, 40), slice(0, 20)) | {"x5": rng.normal(size=40)}

    seen = counted(RowCounter(of_numbers, Policy(ignored=("x5",))), prediction(storm), traces)
    unseen = counted(RowCounter(of_numbers, Policy()), prediction(storm), traces)

    assert seen.repeated is not None
    assert unseen.repeated is None


def test_of_the_rows_of_one_batch_the_first_counts(of_numbers: Reference, traces: Traces) -> None:
    chosen = repetition_filter(of_numbers, pane_seconds=10.0)
    assert chosen is not None
    values = np.random.default_rng(11).normal(size=6)
    features = table_of_columns({f"x{place}": np.full(5, value) for place, value in enumerate(values)})
    asked = Prediction("/predict", "risk", "3", "plain", replace(features, exchange=np.arange(5)), EMPTY)

    parted = chosen.part(asked, lambda role, table: np.full((7, table.rows), 20, np.uint8), traces(range(1, 6)))

    assert parted.fresh.features.exchange.tolist() == [0]
    assert parted.repeated is not None
    assert parted.repeated.features.exchange.tolist() == [1, 2, 3, 4]


EMPTY = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
