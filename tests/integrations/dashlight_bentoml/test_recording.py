"""Blocks of `bentoml.monitor`: rows of a prediction, whatever goes wrong between their beginning and their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dashlight_bentoml.call import Call, current
from dashlight_bentoml.recording import NO_BATCH, OUTSIDE, TARGET, UNEQUAL, UNKNOWN_ROLE, Recording
from dashlight_bentoml.values import MOST_ROWS


def logged(recording: Recording, *columns: tuple[str, str, list[object]]) -> None:
    recording.begin()
    for name, role, values in columns:
        recording.log_all(values, name, role)
    recording.end()


def test_a_block_by_itself_is_a_prediction_of_the_monitor(collected: Any) -> None:
    recording = Recording("prices")

    recording.begin()
    recording.log(40, "age", "feature")
    recording.log([0.1, 0.9], "shares", "feature")
    recording.log("yes", "answer", "prediction")
    recording.end()

    event = collected.event()
    assert event["dashlight.inputs"] == {"age": 40, "shares[0]": 0.1, "shares[1]": 0.9}
    assert event["dashlight.outputs"] == {"answer": "yes"}
    assert (event["dashlight.model.name"], event["http.route"]) == ("prices", "/monitor/prices")


def test_a_batch_is_rows(collected: Any) -> None:
    logged(Recording("prices"), ("age", "feature", [1, 2]), ("answer", "prediction", ["x", "y"]))

    event = collected.event()
    assert (event["dashlight.inputs"], event["dashlight.outputs"]) == ({"age": [1, 2]}, {"answer": ["x", "y"]})


def test_of_a_long_batch_some_rows_are_kept_and_those_whole(collected: Any) -> None:
    numbers: list[object] = list(range(3 * MOST_ROWS))

    logged(Recording("prices"), ("a", "feature", numbers), ("b", "prediction", numbers))

    assert collected.event()["dashlight.rows"] == MOST_ROWS


def test_predictions_without_features_are_told_alone(collected: Any) -> None:
    logged(Recording("prices"), ("answer", "prediction", ["x"]))

    assert collected.event()["dashlight.outputs"] == {"answer": "x"}


def test_an_exception_inside_a_block_costs_that_block_alone(collected: Any) -> None:
    recording = Recording("prices")

    recording.begin()
    recording.log(1, "age", "feature")
    logged(recording, ("age", "feature", [2]))

    assert collected.event()["dashlight.inputs"] == {"age": 2}


@pytest.mark.parametrize(
    ("columns", "losses"),
    [
        ([], {}),
        ([("a", "feature", [1, 2]), ("b", "prediction", [1])], {UNEQUAL: 1}),
        ([("a", "target", [1])], {TARGET: 1}),
        ([("a", "feeling", [1])], {UNKNOWN_ROLE: 1}),
        ([("a", "feature", 1)], {NO_BATCH: 1}),
    ],
    ids=["nothing", "unequal lengths", "labels", "an unknown role", "a batch that is none"],
)
def test_what_makes_no_rows_is_counted_and_raises_nothing(
    collected: Any, columns: list[Any], losses: dict[str, int]
) -> None:
    logged(Recording("prices"), *columns)

    assert collected.events() == []
    assert collected.losses == losses


def test_outside_of_a_block_nothing_is_taken(collected: Any) -> None:
    recording = Recording("prices")

    recording.log(1, "age", "feature")
    recording.end()

    assert collected.losses == {OUTSIDE: 1}


def test_what_cannot_be_read_costs_its_block_alone(collected: Any) -> None:
    class Broken:
        def __iter__(self) -> Iterator[object]:
            raise LookupError

    recording = Recording("prices")
    recording.begin()
    recording.log_all(Broken(), "a", "feature")
    recording.end()

    assert collected.losses == {"LookupError": 1}


def test_within_a_task_its_rows_are_those_of_the_task_and_of_another_monitor_a_prediction_apart(collected: Any) -> None:
    call = Call({"type": "http", "method": "POST", "path": "/w/submit", "headers": [], "endpoint": 1}, None,
                model="m", version="", is_task=True)  # fmt: skip
    call.give(inputs={"x": 1.0})
    current.set(call)

    first, second = Recording("one"), Recording("two")
    logged(first, ("a", "feature", [1]))
    logged(first, ("a", "feature", [2]))
    logged(second, ("b", "feature", [3]))
    call.give(outputs=[0.5, 0.25])
    call.conclude("/w", 200)
    current.set(None)

    told = {event["http.route"]: event["dashlight.inputs"] for event in collected.events()}
    assert told == {"/w": {"a": [1, 2]}, "/monitor/two": {"b": 3}}
