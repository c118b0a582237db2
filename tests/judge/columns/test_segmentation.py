import re
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dashlight.judge.columns.segmentation import MOST_GROUPS, segmentation_of, segments_missed
from dashlight.privacy.hashing import HashKey
from dashlight.records import Role
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.disclosure import protected, with_shown
from dashlight.window.layout import ABOVE, BELOW, NULL, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN
from dashlight.window.parts.segments import MOST_SEGMENT_COLUMNS, MOST_VALUES, NO_SEGMENT
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

HOSTILE = ["\x1b[31mred\r\n", "y" * 10_000, "x" * 100 + "a", "x" * 100 + "b", "\u202edlrow", "other", "x y (#2)", "a=b"]


def built(columns: Mapping[str, Column], **roles: Role) -> Reference:
    return build_reference_from_columns(columns, roles, rng=np.random.default_rng(0), created_at=0.0)


def cycled(values: Sequence[object], rows: int = 2000) -> list[object]:
    return [values[row % len(values)] for row in range(rows)]


def values_of(reference: Reference, name: str) -> tuple[str, ...]:
    return segmentation_of(reference, [name]).columns[0].values


def test_each_category_with_a_bin_is_a_segment_and_the_rest_are_other() -> None:
    often = [f"c{place:02}" for place in range(31)]
    reference = with_shown(built({"carrier": cycled([*often * 3, "r1", "r2"])}), ["carrier"])

    column = segmentation_of(reference, ["carrier"]).columns[0]

    assert sorted(column.values) == [*often, "other"]
    assert len(column.values) == MOST_VALUES
    assert column.values[-1] == "other"
    assert column.groups[STRUCTURAL_BINS] == 0
    assert column.groups[[UNSEEN, -1]].tolist() == [31, 31]
    assert column.groups[[NULL, TYPE_ERROR]].tolist() == [NO_SEGMENT] * 2


def test_a_truth_value_has_two_segments() -> None:
    column = segmentation_of(built({"is_new": cycled([True, True, False])}), ["is_new"]).columns[0]

    assert column.values == ("true", "false")


def test_neighbouring_numbers_are_grouped_into_about_equal_parts_of_the_reference() -> None:
    numbers = np.random.default_rng(0).normal(0, 1, 8000)
    column = segmentation_of(built({"amount": numbers}), ["amount"]).columns[0]
    reference = built({"amount": numbers})

    mass = np.bincount(column.groups[STRUCTURAL_BINS:], reference.columns[0].counts[STRUCTURAL_BINS:], MOST_GROUPS)

    assert len(column.values) == MOST_GROUPS
    assert mass.min() > 0.8 * 8000 / MOST_GROUPS
    assert (np.diff(column.groups[STRUCTURAL_BINS:].astype(int)) >= 0).all()
    assert column.groups[[BELOW, ABOVE]].tolist() == [0, MOST_GROUPS - 1]
    assert column.values[0].startswith("below ")
    assert " to " in column.values[1]
    assert column.values[-1].startswith("from ")
    assert column.values[-1].endswith(" on")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 1], ("below 1", "from 1 on")),
        ([1, 2, 3], ("below 2", "2", "from 3 on")),
        ([0.25, 0.75], ("below 0.5", "from 0.5 on")),
    ],
    ids=["flag", "whole numbers", "halves"],
)
def test_groups_of_few_numbers_are_told_by_them(numbers: Sequence[float], expected: tuple[str, ...]) -> None:
    assert values_of(built({"n": np.array(cycled(numbers), np.float64)}), "n") == expected


def test_a_number_that_nearly_all_rows_have_is_a_segment_of_its_own() -> None:
    numbers = np.where(np.arange(4000) % 10 > 0, 0.0, np.random.default_rng(0).gamma(2.0, 50.0, 4000))

    values = values_of(built({"loss": numbers}), "loss")

    assert 2 <= len(values) <= MOST_GROUPS
    assert len(set(values)) == len(values)


@settings(max_examples=60, deadline=None)
@given(numbers=st.lists(st.integers(-400, 400), min_size=3, max_size=60), asked=st.integers(-500, 500))
def test_a_whole_number_is_in_the_segment_whose_words_say_so(numbers: list[int], asked: int) -> None:
    reference = built({"n": np.array(cycled(numbers, 1200), np.float64)})
    segmentation = segmentation_of(reference, ["n"])
    assume(segmentation.columns)
    table = table_of_columns({"n": np.array([float(asked)])})

    code = int(segmentation.codes(Binner(reference.columns).codes(table))[0, 0])

    assert holds(segmentation.columns[0].values[code], asked)


def holds(words: str, number: int) -> bool:
    if words.startswith("below "):
        return number < int(words.removeprefix("below "))
    if words.startswith("from "):
        return number >= int(words.removeprefix("from ").removesuffix(" on"))
    low, _, high = words.partition(" to ")
    return int(low) <= number <= int(high or low)


def test_numbers_that_may_be_somebodys_own_are_rounded_and_segments_stay_apart() -> None:
    numbers = 19_800_101.0 + np.arange(4000)

    values = values_of(built({"born": numbers}), "born")

    assert len(set(values)) == len(values)
    assert not any(re.search(r"1980\d*[1-9]", value.replace(",", "")) for value in values)


def test_categories_that_may_not_be_told_are_numbered() -> None:
    values = values_of(built({"name": cycled(["Ann", "Bob", "Bob"])}), "name")

    assert values == ("value #1 (of 2 known)", "value #2 (of 2 known)", "other")


def test_a_hashed_reference_has_the_same_segments_without_a_word_of_it() -> None:
    reference = built({"name": cycled(["Ann", "Bob", "Bob"])})

    hashed = segmentation_of(protected(reference, HashKey(b"k" * 32)), ["name"]).columns[0]

    assert hashed.groups.tolist() == segmentation_of(reference, ["name"]).columns[0].groups.tolist()
    assert not any("Ann" in value or "Bob" in value for value in hashed.values)


def test_hostile_categories_are_printable_short_and_told_apart() -> None:
    reference = with_shown(built({"carrier": cycled(HOSTILE)}), ["*"])

    segmentation = segmentation_of(reference, ["carrier"])

    values = segmentation.columns[0].values
    assert len(set(values)) == len(values) == len(HOSTILE) + 1
    assert all(value.isprintable() and len(value) < 80 and value.strip() for value in values)
    assert values[-1] == "other"
    assert len(set(segmentation.names)) == segmentation.count


def test_names_without_segments_and_too_many_are_told() -> None:
    numbers = {f"n{place}": np.arange(400.0) % 7 for place in range(MOST_SEGMENT_COLUMNS + 2)}
    reference = built(
        {
            **numbers,
            "comment": cycled([f"words {place} of a long text that is new" for place in range(400)], 400),
            "score": np.arange(400.0),
            "empty": [None] * 400,
            "always": [7.0] * 400,
            "never": [False] * 400,
        },
        score="output",
    )

    segmentation = segmentation_of(reference, ["gone", "score", "comment", "empty", "always", "never", *numbers, "n0"])

    assert segmentation.missing == ("gone", "score", "comment", "empty", "always", "never")
    assert [column.name for column in segmentation.columns] == list(numbers)[:MOST_SEGMENT_COLUMNS]
    assert segmentation.left_out == ("n8", "n9")
    assert segments_missed(segmentation) == (
        "DASHLIGHT_SEGMENTS: no feature of the reference whose values can be segments: gone, score, comment, empty, always, never; "
        "more than 8 columns, so without: n8, n9"
    )
    assert segments_missed(segmentation_of(reference, ["n0"])) == ""


def test_segments_are_numbered_column_by_column_among_the_features() -> None:
    reference = built(
        {"score": np.arange(400.0), "city": cycled(["a", "a", "b"], 400), "size": np.arange(400.0) % 2}, score="output"
    )

    segmentation = segmentation_of(with_shown(reference, ["*"]), ["size", "city"])

    assert [(column.name, column.first) for column in segmentation.columns] == [("size", 0), ("city", 2)]
    assert segmentation.names == ("size=below 1", "size=from 1 on", "city=a", "city=b", "city=other")
    features = [column.name for column in reference.columns if column.role == "feature"]
    assert [features[column.place] for column in segmentation.columns] == ["size", "city"]


def test_the_bins_of_rows_say_in_which_segments_they_are() -> None:
    reference = built({"city": cycled(["a", "b", "b"]), "size": np.arange(2000.0) % 2})
    columns = {column.name: at for at, column in enumerate(reference.columns)}
    bins = np.full((2, 4), STRUCTURAL_BINS, np.uint8)
    bins[columns["city"]] = [STRUCTURAL_BINS, STRUCTURAL_BINS + 1, NULL, UNSEEN]
    bins[columns["size"]] = [BELOW, ABOVE, TYPE_ERROR, STRUCTURAL_BINS]

    codes = segmentation_of(reference, ["city", "size"]).codes(bins)

    assert codes.tolist() == [[0, 1, NO_SEGMENT, 2], [0, 1, NO_SEGMENT, 0]]
