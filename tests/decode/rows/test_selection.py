from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.rows.budget import MAX_COLUMNS
from dashlight.decode.rows.columns import Sheet, one_row, tabulate
from dashlight.decode.rows.selection import EVERYTHING, Selection, selected, with_named_ids
from dashlight.privacy.names import REDACTED
from dashlight.records import Cell


def rows(values: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    return [list(row) for row in values]


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("age", None),
        ("income_net", None),
        ("income_gross", "ignored"),
        ("pixels[3]", None),
        ("city", "not_listed"),
    ],
    ids=["by name", "by glob", "ignoring wins", "an element by its vector", "not listed"],
)
def test_of_listed_features_only_those_are_kept_that_are_not_ignored(name: str, fate: str | None) -> None:
    selection = Selection(features=("age", "income_*", "pixels"), ignore=("*gross",))

    assert selection.fate(name, "feature") == fate


def test_each_side_has_a_list_of_its_own_and_ignoring_is_for_both() -> None:
    selection = Selection(prediction=("label",), ignore=("x",))

    assert selection.fate("score", "feature") is None
    assert selection.fate("score", "output") == "not_listed"
    assert selection.fate("x", "feature") == "ignored"
    assert selection.fate("x", "output") == "ignored"


def test_the_name_of_an_element_is_no_glob() -> None:
    selection = Selection(features=("x[1]",))

    assert selection.fate("x[1]", "feature") is None
    assert selection.fate("x[2]", "feature") == "not_listed"


def test_an_id_that_is_listed_becomes_a_column_and_a_credential_never_does() -> None:
    sheet = tabulate(
        [
            {"shop_id": 3, "age": 1, "api_key": "s", "user": {"id": "u"}},
            {"age": 2, "api_key": "t", "user": {"id": "v"}},
        ],
        name="",
        role="feature",
    )

    chosen = selected(sheet, "feature", Selection(features=("shop_id", "api_key", "user.*")))

    assert chosen.names == ("shop_id", "user.id")
    assert rows(chosen.values) == [[3, "u"], [None, "v"]]
    assert chosen.left_out == {"api_key": "credential", "age": "not_listed"}


def test_an_id_that_is_ignored_stays_out() -> None:
    sheet = one_row({"shop_id": 3, "age": 1}, "feature")

    assert with_named_ids(sheet, "feature", Selection(features=("*",), ignore=("shop_id",))) is sheet
    assert with_named_ids(sheet, "feature", EVERYTHING) is sheet
    assert with_named_ids(sheet, "output", Selection(features=("*",))) is sheet


def test_credentials_within_a_listed_id_are_replaced() -> None:
    sheet = one_row({"id": {"password": "p", "n": 1}, "x": 1}, "feature")

    assert rows(with_named_ids(sheet, "feature", Selection(features=("*",))).values) == [
        [1, {"password": REDACTED, "n": 1}]
    ]


def test_without_a_list_nothing_is_touched() -> None:
    sheet = one_row({"id": 1, "x": 1}, "feature")

    assert selected(sheet, "feature", EVERYTHING) is sheet
    assert selected(sheet, "feature", Selection(prediction=("y",))) is sheet


def test_listed_ids_find_no_more_room_than_other_columns() -> None:
    sheet = one_row({"a_id": 1, **{f"x{at}": at for at in range(MAX_COLUMNS)}}, "feature")

    assert len(with_named_ids(sheet, "feature", Selection(features=("*",))).names) == MAX_COLUMNS


NAMES = st.lists(st.sampled_from(["a", "b", "c_id", "d_id", "x[0]", "x[1]"]), unique=True)
GLOBS = st.lists(st.sampled_from(["*", "a", "*_id", "x", "x[0]", "?"]), max_size=3).map(tuple)


@given(NAMES, GLOBS, GLOBS)
def test_what_is_chosen_is_what_has_no_fate(
    names: list[str], features: tuple[str, ...], ignore: tuple[str, ...]
) -> None:
    selection = Selection(features=features, ignore=ignore)
    plain = [name for name in names if not name.endswith("_id")]
    ids = {name: (name,) for name in names if name.endswith("_id")}

    chosen = selected(Sheet(tuple(plain), [tuple(plain)], ids=ids), "feature", selection)

    assert set(chosen.names) == {
        name for name in names if selection.fate(name, "feature") is None and (name in plain or features)
    }
    assert tuple(chosen.values[0]) == chosen.names
