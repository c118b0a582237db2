from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.reference.categories import CategorySurvey, counts_block, counts_row
from dashlight.window.values import WRONG


def survey(*parts: list[str], free_text_allowed: bool = True) -> CategorySurvey:
    made = CategorySurvey(free_text_allowed=free_text_allowed)
    row = 0
    for part in parts:
        made.add(part, row)
        row += len(part)
    return made


def test_categories_come_by_frequency() -> None:
    assert survey(["b"] * 20, ["a"] * 50, ["c"] * 100).layout().categories == ("c", "a", "b")


def test_categories_that_are_as_frequent_as_the_next_stand_in_an_order_that_chance_does_not_make() -> None:
    rng = np.random.default_rng(1)
    orders = {
        survey([f"c{place:02}" for place in range(20) for _ in range(rows)]).layout().categories
        for rows in (100, 101)
        for _ in range(5)
    }
    orders |= {survey([f"c{place:02}" for place in rng.integers(0, 20, 2000)]).layout().categories for _ in range(5)}

    assert len(orders) == 1


def test_nulls_and_what_is_no_text_are_no_categories() -> None:
    made = CategorySurvey(free_text_allowed=True)
    made.add(["a", None, WRONG], 0)

    assert made.layout().categories == ("a",)


def test_of_more_categories_than_bins_the_rows_of_every_other_block_choose_thirty_one() -> None:
    choosing = [f"a{place:02}" for place in range(31) for _ in range(3)] + ["a00"] * 7
    counted = [f"b{place:02}" for place in range(50) for _ in range(2)]

    layout = survey(choosing, counted).layout()

    assert layout.categories[0] == "a00"
    assert set(layout.categories) == {f"a{place:02}" for place in range(31)}
    assert layout.known == {f"b{place:02}" for place in range(50)}


@given(st.lists(st.integers(0, 10_000), max_size=300))
def test_the_blocks_that_are_counted_are_those_that_do_not_choose(rows: list[int]) -> None:
    counted = counts_row(np.array(rows, np.int64))

    assert counted.tolist() == [counts_block(row // 100) for row in rows]


def test_rows_of_categories_that_occur_in_one_block_only_are_counted() -> None:
    first = ["often"] * 98 + ["once", "twice"]
    second = ["often"] * 97 + ["burst"] * 3
    third = ["often"] * 99 + ["twice"]

    assert survey(first, second, third).layout().single_block_rows == 1 + 3


@given(st.lists(st.sampled_from("abcdefgh"), max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_how_the_rows_are_cut_into_tables_makes_no_difference(texts: list[str], cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(texts)]
    parts = [texts[start:stop] for start, stop in pairwise(borders)]

    whole = survey(texts).layout()
    blocks = {text: {row // 100 for row, other in enumerate(texts) if other == text} for text in texts}
    counts = Counter(texts)

    assert survey(*parts).layout() == whole
    assert whole.single_block_rows == sum(counts[text] for text, of_text in blocks.items() if len(of_text) == 1)


@pytest.mark.parametrize(
    ("texts", "is_free_text"),
    [
        pytest.param([f"t{row}" for row in range(1001)], True, id="many rows, all distinct"),
        pytest.param([f"t{row}" for row in range(1000)], False, id="no more than a thousand rows, short"),
        pytest.param([f"{row} " + "word " * 10 for row in range(200)], True, id="few rows, distinct and long"),
        pytest.param([f"t{row % 600}" for row in range(1200)], False, id="half of them distinct"),
        pytest.param([f"t{row % 601}" for row in range(1200)], True, id="more than half of them distinct"),
        pytest.param(["long " * 20] * 2000, False, id="long but always the same"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_texts_that_mostly_differ_are_free_text(texts: list[str], is_free_text: bool) -> None:  # noqa: FBT001
    assert survey(texts).is_free_text is is_free_text


def test_a_column_that_somebody_calls_categorical_is_no_free_text() -> None:
    assert not survey([f"t{row}" for row in range(2000)], free_text_allowed=False).is_free_text


def test_free_text_is_followed_no_further_than_memory_allows() -> None:
    made = survey([f"t{row}" for row in range(100_000)])

    assert made.is_free_text
    assert made.layout().categories == ()
    assert len(made._tallies) == 0


def test_of_too_many_categories_the_frequent_ones_are_remembered() -> None:
    row_ids = iter(range(10**9))
    texts = [text for _ in range(60_000) for text in ("frequent", "second", f"t{next(row_ids)}")]
    texts = [text if text != "second" or place % 2 else "frequent" for place, text in enumerate(texts)]

    made = survey(texts, free_text_allowed=False)
    layout = made.layout()

    assert layout.categories[:2] == ("frequent", "second")
    assert len(layout.known) == 10_000
    assert len(made._tallies) <= 40_100


def test_only_possible_categories_are_laid_out_where_these_are_given() -> None:
    layout = survey(["true", "true", "oops", "false"]).layout({"true", "false"})

    assert (layout.categories, layout.single_block_rows) == (("true", "false"), 3)
