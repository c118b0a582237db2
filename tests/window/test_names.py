"""Counts by name in rows of fixed length."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.names import OTHER, Names

FOUND = st.lists(st.lists(st.sampled_from("abcdefg")))


def test_names_are_told_the_most_frequent_first_without_those_that_did_not_occur() -> None:
    names = Names(3)
    names.count(["x"])

    assert list(names.named(names.count(["a", "b", "b"])).items()) == [("b", 2), ("a", 1)]


def test_a_mapping_counts_as_what_it_says() -> None:
    names = Names(3)

    assert names.named(names.count({"a": 4, "b": 1})) == {"a": 4, "b": 1}


def test_names_beyond_the_limit_share_a_place() -> None:
    names = Names(2)

    assert names.named(names.count(["a", "b", "c", "d", "a"])) == {"a": 2, "b": 1, OTHER: 2}


def test_what_was_other_before_is_so_again_and_takes_no_place() -> None:
    names = Names(2)

    assert names.named(names.count({OTHER: 5, "a": 2, "b": 1, "c": 1})) == {OTHER: 6, "a": 2, "b": 1}


@given(FOUND)
def test_rows_add(found: list[list[str]]) -> None:
    names = Names(7)

    total = sum((names.count(each) for each in found), start=names.count([]))

    assert names.named(total) == Counter(name for each in found for name in each)
