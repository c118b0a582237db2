from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.records import Cell
from dashlight.window.facets.ranking_facets import PRESENT, RANKING_FACETS, items_of, ranking_facets
from dashlight.window.values import WRONG


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        pytest.param(["Antz", "Toy Story"], ["Antz", "Toy Story"], id="texts"),
        pytest.param(("a",), ["a"], id="tuple"),
        pytest.param([318, 50], ["318", "50"], id="whole numbers"),
        pytest.param([318, "x", 5.0], ["318", "x", "5"], id="mixed ids"),
        pytest.param(np.array([318, 50]), ["318", "50"], id="array"),
        pytest.param([{"id": 7, "score": 0.9}, {"id": "x"}], ["7", "x"], id="objects with ids"),
        pytest.param([{"filmId": 7}], ["7"], id="objects with ids of another name"),
        pytest.param([["a", 0.9], (7, 0.5)], ["a", "7"], id="pairs with scores"),
        pytest.param(["x" * 300], ["x" * 200], id="long text"),
        pytest.param(["x" * 300, 5], ["x" * 200, "5"], id="long text among others"),
        pytest.param([], [], id="empty"),
        pytest.param(None, None, id="null"),
        pytest.param(float("nan"), None, id="nan"),
        pytest.param(["a", None], None, id="null inside"),
        pytest.param([{"id": None}], None, id="null id"),
        pytest.param([1, float("nan")], None, id="nan inside"),
        pytest.param("a", WRONG, id="text"),
        pytest.param([True], WRONG, id="truth"),
        pytest.param([0.5], WRONG, id="number with a part"),
        pytest.param([10**40], WRONG, id="huge"),
        pytest.param(["a", -(10**400)], WRONG, id="huge among others"),
        pytest.param([["a"]], WRONG, id="nested"),
        pytest.param([["a", "b"]], WRONG, id="pair without a score"),
        pytest.param([{"score": 0.9}], WRONG, id="object without an item"),
        pytest.param([{5: 0.9}], WRONG, id="object with numbers for keys"),
        pytest.param(["a"] * 4097, WRONG, id="endless"),
    ],
)
def test_items_of_a_list_are_what_it_names(cell: Cell, items: object) -> None:
    assert items_of(cell) == items


def test_facets_of_rankings_are_lengths_and_shares() -> None:
    numbers, (firsts, chosen), left = ranking_facets([["a", "b", "a", "x"], None, [], 5, ["b"]], {"a", "b"})

    assert RANKING_FACETS == ("length", "unseen_share", "duplicate_share")
    nan = np.nan
    np.testing.assert_allclose(numbers, [[4, nan, 0, nan, 1], [0.25, nan, nan, nan, 0], [0.25, nan, nan, nan, 0]])
    assert firsts == ["a", None, None, None, "b"]
    assert chosen[0] in {"a", "b", "x"}
    assert chosen[1:] == [None, None, None, "b"]
    assert left == [PRESENT, None, PRESENT, WRONG, PRESENT]


def test_nothing_is_unseen_where_nobody_says_what_is_known() -> None:
    numbers, _, _ = ranking_facets([["a"]], None)

    assert np.isnan(numbers[1, 0])
    assert ranking_facets([], None)[0].shape == (3, 0)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5))
def test_the_item_chosen_is_one_of_the_list_and_hangs_on_it_alone(items: list[str]) -> None:
    _, (_, chosen), _ = ranking_facets([items, ["else"], list(items)], None)

    assert chosen[0] in items
    assert chosen[0] == chosen[2]


def test_every_place_of_a_list_is_chosen_about_equally_often() -> None:
    lists = [[f"{row} {place}" for place in range(5)] for row in range(5000)]

    _, (_, chosen), _ = ranking_facets(lists, None)

    places = Counter(str(item).split()[1] for item in chosen)
    # 1,000 expected of each, standard deviation 28.
    assert all(880 < count < 1120 for count in places.values())
    assert len(places) == 5
