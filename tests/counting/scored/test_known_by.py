from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.labels.ids import KEY_BYTES, as_text, entity_of, id_of_row, id_of_step, key_of
from dashlight.privacy.hashing import HashKey

Model = Callable[..., Any]
Make = Callable[..., Any]
NONE = bytes(KEY_BYTES)


def keys(array: Any) -> list[bytes]:
    return [each.tobytes() for each in array]


def test_a_row_is_known_by_our_id(model: Model, key: HashKey) -> None:
    rows = model().answered({"p": 0.5}, {"p": 0.25})

    assert keys(rows.keys) == [key_of(as_text(number), key) for number in (1, 2)]
    assert keys(rows.origins) == [number.to_bytes(16, "big") for number in (1, 2)]
    assert rows.predicted_at.tolist() == [1_700_000_001.0, 1_700_000_002.0]
    assert rows.other_keys is None


def test_rows_of_a_batch_are_numbered(model: Model, make_exchange: Make, key: HashKey) -> None:
    request = {"instances": [{"age": 1.5}, {"age": 2.5}]}

    rows = model().asked([make_exchange(request, {"predictions": [0.5, 1.5]}, number=7, trace_id=255)])

    assert keys(rows.keys) == [key_of(id_of_row(as_text(7), place), key) for place in (0, 1)]
    assert rows.places.tolist() == [0, 1]
    assert keys(rows.other_keys) == [key_of(f"{'0' * 30}ff:{place}", key) for place in (0, 1)]


def test_the_ids_of_a_payload_are_those_of_its_rows(model: Model, make_exchange: Make, key: HashKey) -> None:
    request = {"instances": [{"id": "a", "age": 1.5}, {"id": "b", "age": 2.5}]}

    rows = model().asked([make_exchange(request, {"predictions": [0.5, 1.5]}, trace_id=255)])

    assert keys(rows.other_keys) == [key_of("a", key), key_of("b", key)]


@pytest.mark.parametrize(
    ("request_", "headers", "wanted"),
    [
        ({"id": "mine", "age": 1.5}, [(b"x-bentoml-request-id", b"77")], "mine"),
        ({"age": 1.5}, [(b"x-bentoml-request-id", b"77")], "77"),
        ({"age": 1.5}, [(b"x-amzn-sagemaker-inference-id", b"sm-1")], "sm-1"),
        ({"age": 1.5}, [], f"{9:032x}"),
    ],
    ids=["the payload", "BentoML", "SageMaker", "the trace"],
)
def test_the_nearest_to_whoever_sends_labels_names_the_row(
    model: Model, make_exchange: Make, *, request_: object, headers: object, wanted: str, key: HashKey
) -> None:
    exchanges = [make_exchange(request_, {"p": 0.5}, number=at, trace_id=9, answer_headers=headers) for at in (1, 2)]
    watched = model()
    watched.asked(exchanges)  # by a plan from here on

    for batch in (exchanges[:1], exchanges[1:]):
        assert keys(watched.asked(batch).other_keys) == [key_of(wanted, key)]


def test_of_an_id_that_comes_twice_in_a_batch_the_first_keeps_it(model: Model, key: HashKey) -> None:
    watched = model()

    rows = watched.answered({"p": 0.5}, {"p": 0.25}, {"p": 0.75}, request={"id": "same", "age": 1.5})

    assert rows.row_count == 3
    assert keys(rows.other_keys) == [key_of("same", key), NONE, NONE]
    assert watched.scorer.troubles["doubled_id"] == 2


def test_steps_of_a_forecast_have_ids_of_their_own(model: Model, key: HashKey) -> None:
    rows = model().answered({"forecast": [1.5, 2.5]}, request={"id": "a", "age": 1.5})

    assert keys(rows.keys) == [key_of(id_of_step(as_text(1), step), key) for step in (1, 2)]
    assert keys(rows.other_keys) == [key_of(id_of_step("a", step), key) for step in (1, 2)]


def test_rows_that_say_nothing_do_not_shift_the_others(model: Model, make_exchange: Make, key: HashKey) -> None:
    request = {"instances": [{"id": "a", "age": 1.5}, {"id": "b", "age": 2.5}, {"id": "c", "age": 3.5}]}

    rows = model().asked([make_exchange(request, {"predictions": [{"p": 0.5}, {"p": None}, {"p": 0.75}]})])

    assert rows.places.tolist() == [0, 2]
    assert keys(rows.other_keys) == [key_of("a", key), key_of("c", key)]


def test_whom_a_row_is_about_is_kept_by_its_hash(model: Model, make_exchange: Make, key: HashKey) -> None:
    watched = model(entity="user_id")
    exchanges = [make_exchange({"user_id": at % 2, "age": 1.5}, {"p": 0.5}, number=at) for at in range(4)]
    watched.asked(exchanges)

    rows = watched.asked(exchanges)

    assert keys(rows.entities) == [entity_of(str(at % 2), key) for at in range(4)]


def test_of_a_batch_each_row_is_about_its_own(model: Model, make_exchange: Make, key: HashKey) -> None:
    request = {"instances": [{"user_id": "u", "age": 1.5}, {"user_id": "v", "age": 2.5}]}

    rows = model(entity="user_id").asked([make_exchange(request, {"predictions": [0.5, 1.5]})])

    assert keys(rows.entities) == [entity_of("u", key), entity_of("v", key)]


def test_no_id_is_kept_as_it_is(model: Model) -> None:
    rows = model(entity="user_id").answered({"p": 0.5}, request={"id": "mine-1234", "user_id": "alice", "age": 1.5})

    kept = b"".join(array.tobytes() for array in (rows.keys, rows.other_keys, rows.entities))
    assert b"mine-1234" not in kept
    assert b"alice" not in kept


named = st.sampled_from(
    ["p", "prediction", "probability", "probabilities", "label", "score", "forecast", "items", "id", "value", "class"]
)
cells = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(named, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_answered_all_that_is_said_of_a_row_is_said_of_each(
    model: Model, make_exchange: Make, pairs: list[tuple[object, object]]
) -> None:
    exchanges = [make_exchange(asked, told, number=at + 1, trace_id=at + 1) for at, (asked, told) in enumerate(pairs)]
    watched = model(entity="id")

    for _ in range(3):
        rows = watched.asked(exchanges)
        if rows is None:
            continue
        of_rows = [rows.keys, rows.origins, rows.places, rows.predicted_at, rows.scores, rows.predictions, rows.steps]
        of_rows += [
            each for each in (rows.probabilities, rows.items, rows.entities, rows.other_keys) if each is not None
        ]
        assert {len(each) for each in of_rows} == {rows.row_count}
        assert rows.row_count > 0
        assert len(set(keys(rows.keys))) == rows.row_count
        assert len(set(rows.classes)) == len(rows.classes)
        assert rows.predictions.max() < max(len(rows.classes), 1)
        assert rows.probabilities is None or rows.probabilities.shape[1] == len(rows.classes)
