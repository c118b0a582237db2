from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.judge.slices.words import (
    bin_words,
    condition_name,
    condition_words,
    everywhere_words,
    found_words,
    looked_at_words,
    none_words,
)
from dashlight.records import Slice
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR

Make = Callable[..., ColumnReference]
FIRST = STRUCTURAL_BINS
FOUND = Slice(
    "found", rows=4_000, share=0.07, rate=0.61, usual_rate=0.1, rest_rate=0.11, rest_usual_rate=0.1, explained=0.83,
    explained_low=0.74, explained_high=0.92,
)  # fmt: skip


@pytest.mark.parametrize(
    ("bins", "words"),
    [
        (range(FIRST + 19, FIRST + 24), "19 to 23"),
        ([FIRST + 5], "5"),
        ([BELOW, FIRST, FIRST + 1], "at most 1"),
        ([ABOVE, *range(FIRST + 20, BINS)], "at least 20"),
        ([NULL], "missing"),
        ([TYPE_ERROR], "wrong type"),
        ([BELOW], "< 0"),
        ([ABOVE], "> 31"),
        ([NULL, FIRST + 5], "5 or missing"),
        ([BELOW, ABOVE, *range(FIRST, BINS)], "any number"),
    ],
)
def test_numbers_are_told_as_ranges(numeric: Make, bins: list[int], words: str) -> None:
    assert condition_words(numeric("hour"), bins) == words


@pytest.mark.parametrize(
    ("bins", "words", "name"),
    [
        ([FIRST], "UA", "carrier=UA"),
        ([FIRST, FIRST + 1], "UA or AA", "carrier UA or AA"),
        ([bin_ for bin_ in range(BINS) if bin_ != FIRST], "not UA", "carrier not UA"),
        ([NULL], "missing", "carrier missing"),
        (range(FIRST, FIRST + 5), "c0 or c1 or c2 or 2 more", "carrier c0 or c1 or c2 or 2 more"),
    ],
)
def test_categories_are_told_by_name(categorical: Make, bins: list[int], words: str, name: str) -> None:
    column = categorical("carrier", [f"c{place}" for place in range(8)] if len(bins) == 5 else ("UA", "AA", "DL", "WN"))

    assert bin_words([column])(0, bins) == words
    assert condition_name(column, bins, words) == name


def test_categories_that_may_not_be_told_are_told_by_number(categorical: Make) -> None:
    column = replace(categorical("carrier"), shown=False)

    assert condition_words(column, [FIRST + 1]) == "value #2 (of 4 known)"


@pytest.mark.parametrize(
    ("rose", "fell", "rest"), [(False, False, "is as before"), (True, False, "rose as well"), (False, True, "fell")]
)
def test_a_slice_is_told_with_its_rest(rose: bool, fell: bool, rest: str) -> None:  # noqa: FBT001
    words = found_words(["carrier=UA", "hour 19 to 23"], FOUND, rest_rose=rose, rest_fell=fell)

    assert words == (
        "; it is carrier=UA and hour 19 to 23 (7 % of the rows): 61 % there, usually 10 %; "
        f"the rest {rest} (11 %, usually 10 %); that explains 83 % (74 to 92 %) of it"
    )


def test_no_slice_is_told_with_what_would_have_been_found() -> None:
    none = replace(FOUND, state="none", detectable_lift=0.23)

    assert none_words(none, 0.1, "") == "; no slice found; one of 5 % would have needed a lift from 10 % to 33 %"
    assert none_words(replace(none, detectable_lift=np.inf), 0.1, "") == (
        "; no slice found: 4,000 rows are too few to find one of 5 %"
    )
    assert everywhere_words(none) == "; it is everywhere: 11 % of the rows hurt, usually 10 %"
    assert looked_at_words(100, 500) == " (of 500 columns 100 were looked at in pairs)"
    assert looked_at_words(40, 40) == ""
