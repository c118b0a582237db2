"""What is written in one go is what the general way writes, byte by byte, and costs the budget as much."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.deliver.encoding.plain import Budget, is_usual, plain
from dashlight.deliver.encoding.protobuf import attribute
from dashlight.deliver.encoding.usual_attributes import (
    _BY_FIELD,
    MOST_BEGINNINGS,
    MOST_LAYOUTS,
    usual_attributes,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**65)
    | st.floats()
    | st.text(max_size=5)
    | st.text("ab", min_size=90, max_size=140)
)
names = st.text("abc.", max_size=3) | st.text(max_size=3) | st.text("n", min_size=150, max_size=250)
objects = st.dictionaries(
    names, scalars | st.lists(st.floats(), max_size=3) | st.lists(scalars, max_size=2), max_size=8
)
values = st.dictionaries(names, scalars | objects | st.lists(scalars, max_size=3), max_size=8)


def in_general(field: int, described: dict[str, Any], budget: Budget) -> bytes:
    return b"".join(attribute(field, name, value=value, budget=budget) for name, value in described.items())


@given(st.lists(values, max_size=3), st.sampled_from([1, 6, 9]), st.sampled_from([224 * 1024, 40_000, 33_000]))
def test_it_is_what_the_general_way_writes(described: list[dict[str, Any]], field: int, left_bytes: int) -> None:
    for each in described:
        budget, expected_budget = Budget(left_bytes), Budget(left_bytes)
        written = usual_attributes(field, each, budget)

        if written is None:
            assert budget.left_bytes == left_bytes
        else:
            assert written == in_general(field, each, expected_budget)
            assert budget.left_bytes == expected_budget.left_bytes
            assert not expected_budget.cut


USUAL: dict[str, dict[str, Any]] = {
    "nothing": {},
    "fractions": {"a": 1.5, "b": float("nan")},
    "a mixture": {"a": "text", "b": 3, "c": -1, "d": True, "e": None, "f": 2.5},
    "whole numbers where there were fractions": {"a": 1, "b": 2.5},
    "an object": {"a": {"x": 1.5, "y": "z"}, "b": 300},
    "a list of fractions": {"a": {"x": [1.5, 2.5]}},
}


@pytest.mark.parametrize("described", USUAL.values(), ids=USUAL.keys())
def test_the_usual_is_written_in_one_go(described: dict[str, Any]) -> None:
    assert usual_attributes(6, described, Budget()) == in_general(6, described, Budget())


@pytest.mark.parametrize("first", [1, True, 1.0, "1", 0, False, 0.0])
def test_what_is_equal_and_of_another_type_is_written_otherwise(first: Any) -> None:
    usual_attributes(6, {"same": first}, Budget())

    for value in (1, True, 1.0, "1", 0, False, 0.0, -0.0):
        described = {"same": value}
        assert usual_attributes(6, described, Budget()) == in_general(6, described, Budget())


@pytest.mark.parametrize(
    "kinds", [[1.5] * 2 + ["t"], [1.5] * 3 + ["t"] + [2.5] * 4, ["t"] + [1.5] * 5, [1, *[1.5] * 3, None, *[2.5] * 3]]
)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_value_of_another_type_than_at_first_is_written_as_what_it_is(kinds: list[Any], place: int) -> None:
    described = {f"{kinds}{at}"[-20:]: value for at, value in enumerate(kinds)}
    names = list(described)
    for value in (1, None, True, "other", 0.25):
        assert usual_attributes(6, described, Budget()) == in_general(6, described, Budget())
        described[names[min(place, len(names) - 1)]] = value


UNUSUAL: dict[str, dict[Any, Any]] = {
    "a long text": {"a": "x" * 200},
    "a text beyond ASCII": {"a": "ä"},
    "a long number": {"a": 2**63},
    "a name beyond ASCII": {"ä": 1},
    "a long name": {"a" * 201: 1},
    "many long names": {f"{'n' * 190}{at}": 1 for at in range(30)},
    "many values": {str(at): 1 for at in range(300)},
    "a name that is none": {3: 1},
    "a list of texts": {"a": ["x"]},
    "an object in an object": {"a": {"b": {"c": 1}}},
    "what has no plain form at once": {"a": b"x"},
}


@pytest.mark.parametrize("described", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_anything_else_is_left_to_the_general_way(described: dict[Any, Any]) -> None:
    budget = Budget()

    assert usual_attributes(6, described, budget) is None
    assert budget.left_bytes == Budget().left_bytes


@pytest.mark.parametrize("described", [{"a": 1.5}, {"a": {"b": [0.5] * 200}}], ids=["a number", "a list"])
def test_a_budget_that_may_run_out_is_left_to_the_general_way(described: dict[str, Any]) -> None:
    assert usual_attributes(6, described, Budget(33_000 if len(str(described)) > 99 else 32_000)) is None


def test_names_that_clients_invent_do_not_fill_the_memory() -> None:
    for at in range(MOST_BEGINNINGS + 10):
        usual_attributes(1, {f"name {at}": 1.5}, Budget())

    assert len(_BY_FIELD[1]) <= MOST_BEGINNINGS
    assert len(_BY_FIELD[1].layouts) <= MOST_LAYOUTS


def test_values_that_clients_invent_do_not_fill_the_memory() -> None:
    for at in range(MOST_BEGINNINGS + 10):
        usual_attributes(1, {"a": f"text {at}", "b": "long " * 15 + str(at), "c": at}, Budget())

    assert 0 < len(_BY_FIELD[1].written) <= MOST_BEGINNINGS
    assert max(len(value) for _, value in _BY_FIELD[1].written if isinstance(value, str)) < 32


@given(objects)
def test_what_needs_no_making_plain_is_plain_and_costs_as_much(described: dict[str, Any]) -> None:
    budget, expected_budget = Budget(), Budget()

    if is_usual(described, budget):
        assert plain(described, expected_budget) == described
        assert budget.left_bytes == expected_budget.left_bytes
    else:
        assert budget.left_bytes == Budget().left_bytes


@pytest.mark.parametrize(
    "described",
    [{"a": float("nan")}, {"a": float("inf")}, {"a": 2**63}, {"a": "ä"}, {"a": [1]}, {3: 1}, {"a": "x" * 9000}],
    ids=["NaN", "infinity", "a long number", "beyond ASCII", "a list", "a name that is none", "a long text"],
)
def test_what_has_to_be_made_plain_is_not_usual(described: dict[object, object]) -> None:
    assert not is_usual(described, Budget())
