import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.rows.budget import MAX_CELLS, MAX_COLUMNS, MAX_ROWS
from dashlight.decode.rows.columns import Sheet, one_row, tabulate, transposed, with_beside
from dashlight.decode.rows.flattening import apart
from dashlight.decode.rows.lists.element_names import element_names
from dashlight.errors import DecodeError
from dashlight.privacy.names import REDACTED
from dashlight.records import Cell, Role


def rows(values: object) -> list[list[Cell]]:
    return [list(row) for row in values]  # type: ignore[attr-defined]


def test_the_keys_of_objects_are_columns() -> None:
    sheet = tabulate([{"x": 0.5, "kind": "a"}, {"x": -1, "kind": None}], name="", role="feature")

    assert sheet.names == ("x", "kind")
    assert rows(sheet.values) == [[0.5, "a"], [-1, None]]
    assert sheet.flags == frozenset()
    assert sheet.dropped_count == 0


def test_keys_in_another_order_are_the_same_columns() -> None:
    sheet = tabulate([{"x": 1, "y": 2}, {"y": 3, "x": 4}], name="", role="feature")

    assert sheet.names == ("x", "y")
    assert rows(sheet.values) == [[1, 2], [4, 3]]
    assert sheet.flags == frozenset()


def test_a_key_that_some_rows_lack_is_null_there() -> None:
    sheet = tabulate([{"x": 1}, {"y": "b"}, {}], name="", role="feature")

    assert sheet.names == ("x", "y")
    assert rows(sheet.values) == [[1, None], [None, "b"], [None, None]]
    assert sheet.flags == {"missing_key"}


def test_nested_objects_have_dotted_names() -> None:
    sheet = one_row({"a": {"b": 1, "c": {"d": "x"}}, "e": {}, "f": 2}, "feature")

    assert sheet.names == ("a.b", "a.c.d", "f")
    assert rows(sheet.values) == [[1, "x", 2]]


def test_a_short_list_of_scalars_is_spread_and_a_long_one_is_one_cell() -> None:
    short, long = [1.5] * 3, [0.5] * 257

    sheet = one_row({"short": short, "long": long, "texts": ["a", "b"], "none": []}, "feature")

    assert sheet.names == ("short[0]", "short[1]", "short[2]", "long", "texts[0]", "texts[1]")
    assert rows(sheet.values) == [[1.5, 1.5, 1.5, long, "a", "b"]]


def test_lists_of_different_length_are_ragged() -> None:
    sheet = tabulate([{"x": [1, 2]}, {"x": [3]}], name="", role="feature")

    assert sheet.names == ("x[0]", "x[1]")
    assert rows(sheet.values) == [[1, 2], [3, None]]
    assert sheet.flags == {"ragged"}


def test_a_list_of_objects_in_a_row_is_one_cell_without_its_credentials() -> None:
    sheet = one_row({"items": [{"sku": "A", "token": "x"}], "m": [[1], [2]]}, "feature")

    assert sheet.names == ("items", "m")
    assert rows(sheet.values) == [[[{"sku": "A", "token": REDACTED}], [[1], [2]]]]


def test_a_list_of_texts_in_an_answer_is_one_ranking() -> None:
    sheet = one_row({"films": ["Antz", "Toy Story"], "p": [0.1, 0.9]}, "output")

    assert sheet.names == ("films", "p[0]", "p[1]")
    assert rows(sheet.values) == [[["Antz", "Toy Story"], 0.1, 0.9]]


def test_ids_and_credentials_are_left_out_by_name() -> None:
    sheet = one_row(
        {"order_id": "o-9", "uuid": "u", "customer": {"id": 3, "age": 5}, "password": "x", "userId": 1, "ok": 2},
        "feature",
    )

    assert sheet.names == ("customer.age", "ok")
    assert sheet.left_out == {
        "order_id": "id",
        "uuid": "id",
        "customer.id": "id",
        "password": "credential",
        "userId": "id",
    }
    assert sheet.row_ids == ("u",)


@pytest.mark.parametrize(
    "key", ["id", "ID", "_id", "row_id", "requestId", "uuid", "trace_UUID", "sessionGuid", "PassengerID"]
)
def test_identifiers_are_known_by_name(key: str) -> None:
    assert apart({key: 1}, "feature") == {key: "id"}


@pytest.mark.parametrize("key", ["paid", "Madrid", "valid", "acid", "idea", "ids", "humid", "covid19", "grid"])
def test_names_that_only_end_like_identifiers_are_columns(key: str) -> None:
    assert apart({key: 1}, "feature") == {}


@pytest.mark.parametrize("key", ["class_id", "labelId", "predicted_category_id", "cluster_id"])
def test_the_id_of_a_class_is_what_a_model_answers(key: str) -> None:
    assert apart({key: 1}, "output") == {}
    assert apart({key: 1}, "feature") == {key: "id"}


@pytest.mark.parametrize(
    ("elements", "ids"),
    [
        ([{"id": 1, "x": 0}, {"id": 2, "x": 0}], (1, 2)),
        ([{"b_id": 1, "a_id": "z"}], (1,)),
        ([{"b_id": 1, "ID": "z"}], ("z",)),
        ([{"id": 1}, {"x": 2}], ()),
        ([{"id": [1]}], ()),
        ([{"a": {"id": 1}}], ()),
        ([{"x": 1}], ()),
    ],
    ids=["id", "the first of several", "id before others", "missing once", "no scalar", "nested", "none"],
)
def test_rows_have_ids_where_each_says_one(elements: list[object], ids: tuple[Cell, ...]) -> None:
    assert tabulate(elements, name="", role="feature").row_ids == ids


def test_a_matrix_has_columns_by_place() -> None:
    named = tabulate([[1, 2], [3, 4]], name="data", role="feature")
    unnamed = tabulate([[1, 2], [3, 4]], name="", role="feature")

    assert named.names == ("data[0]", "data[1]")
    assert unnamed.names == ("0", "1")
    assert rows(named.values) == rows(unnamed.values) == [[1, 2], [3, 4]]


def test_the_shorter_rows_of_a_matrix_are_padded() -> None:
    sheet = tabulate([[1], [2, 3], []], name="", role="feature")

    assert rows(sheet.values) == [[1, None], [2, 3], [None, None]]
    assert sheet.flags == {"ragged"}


@pytest.mark.parametrize(
    "elements",
    [[[0.5] * 257, [0.25] * 257], [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[{"a": 1}], [{"a": 2}]]],
    ids=["wide", "of matrices", "of objects"],
)
def test_a_matrix_of_wide_or_nested_rows_is_one_vector_column(elements: list[object]) -> None:
    sheet = tabulate(elements, name="pixels", role="feature")

    assert sheet.names == ("pixels",)
    assert rows(sheet.values) == [[element] for element in elements]


def test_rows_of_an_answer_that_are_lists_of_texts_are_rankings() -> None:
    sheet = tabulate([["a", "b"], ["c"]], name="films", role="output")

    assert sheet.names == ("films",)
    assert rows(sheet.values) == [[["a", "b"]], [["c"]]]


@pytest.mark.parametrize("elements", [["fine", "awful"], [1, "a"], [{"a": 1}, [2]], [None, True]], ids=str)
def test_other_elements_are_one_cell_each(elements: list[object]) -> None:
    sheet = tabulate(elements, name="", role="feature")

    assert sheet.names == ("0",)
    assert rows(sheet.values) == [[element] for element in elements]


def test_no_rows_have_no_columns() -> None:
    sheet = tabulate([], name="x", role="feature")

    assert (sheet.names, list(sheet.values)) == ((), [])


def test_columns_of_one_length_become_rows() -> None:
    sheet = transposed({"x": [1.0, 2.0], "z": ["a", "b"]}, "feature")

    assert sheet.names == ("x", "z")
    assert rows(sheet.values) == [[1.0, "a"], [2.0, "b"]]


def test_columns_beyond_the_limit_are_counted() -> None:
    scalars = one_row({f"c{at}": at for at in range(MAX_COLUMNS + 10)}, "feature")
    mixed = one_row({"a": 1, "b": [0] * MAX_COLUMNS, "c": {"d": 2, "e": [3]}}, "feature")

    assert (len(scalars.names), scalars.dropped_count, set(scalars.flags)) == (MAX_COLUMNS, 10, {"over_limit"})
    assert (len(mixed.names), mixed.dropped_count) == (MAX_COLUMNS, 2)


def test_a_union_of_columns_beyond_the_limit_is_counted() -> None:
    sheet = tabulate([{f"a{at}": at} for at in range(MAX_COLUMNS + 5)], name="", role="feature")

    assert len(sheet.names) == MAX_COLUMNS
    assert sheet.dropped_count == 5


def test_rows_beyond_the_limits_are_counted() -> None:
    many = tabulate([1.0] * (MAX_ROWS + 3), name="", role="feature")
    wide = tabulate([[0] * 200] * 2000, name="", role="feature")
    sparse = tabulate([{f"a{at % 256}": 1} for at in range(2000)], name="", role="feature")
    objects = tabulate([{f"a{at}": 1 for at in range(200)}] * 2000, name="", role="feature")
    columns = transposed({"x": [1] * (MAX_ROWS + 7)}, "feature")

    assert (len(many.values), many.dropped_count) == (MAX_ROWS, 3)
    assert (len(wide.values), wide.dropped_count) == (MAX_CELLS // 200, 2000 - MAX_CELLS // 200)
    assert (len(sparse.values), sparse.dropped_count) == (MAX_CELLS // 256, 2000 - MAX_CELLS // 256)
    assert (len(objects.values), objects.dropped_count) == (MAX_CELLS // 200, 2000 - MAX_CELLS // 200)
    assert (len(columns.values), columns.dropped_count) == (MAX_ROWS, 7)


def test_names_that_are_too_long_are_no_columns() -> None:
    sheet = one_row({"x" * 201: 1, "a": {"b" * 199: 2, "c": 3}, "d": 4}, "feature")

    assert sheet.names == ("a.c", "d")
    assert sheet.dropped_count == 2


def test_keys_too_many_to_be_remembered_are_judged_all_the_same() -> None:
    row = {f"{'k' * 100}{at}": at for at in range(100)} | {"id": 7}

    sheet = one_row(row, "feature")

    assert len(sheet.names) == 100
    assert sheet.left_out == {"id": "id"}


def test_what_is_left_out_is_bounded_too() -> None:
    assert len(one_row({f"a{at}_id": at for at in range(1000)}, "feature").left_out) == MAX_COLUMNS


def test_elements_are_named_by_their_place() -> None:
    assert element_names("x", 2) == ("x[0]", "x[1]")
    assert element_names("", 2) == ("0", "1")


cells = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
values = st.recursive(
    cells, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(st.lists(values, max_size=5), st.sampled_from(["", "x"]))
def test_every_list_becomes_rows_of_one_width_with_unique_names(elements: list[object], name: str) -> None:
    sheet = tabulate(elements, name=name, role="feature")

    assert len(sheet.values) == len(elements)
    assert len(set(sheet.names)) == len(sheet.names)
    assert all(len(row) == len(sheet.names) for row in sheet.values)


def test_ids_are_kept_beside_the_rows() -> None:
    sheet = tabulate([{"x": 1, "id": 7, "a": {"shop_id": "s"}}, {"x": 2, "a": {}}], name="", role="feature")

    assert sheet.names == ("x",)
    assert dict(sheet.ids) == {"id": [7, None], "a.shop_id": ["s", None]}


def test_ids_of_rows_beyond_the_limits_go_with_them() -> None:
    many = tabulate([{"x": 1, "id": at} for at in range(MAX_ROWS + 5)], name="", role="feature")
    wide = tabulate(
        [{f"x{at}_{side}": 1 for at in range(200)} | {"id": 1} for side in range(2)] * 400, name="", role="feature"
    )

    for sheet in (many, wide):
        assert sheet.dropped_count
        assert len(sheet.ids["id"]) == len(sheet.values)


def test_ids_beside_the_rows_belong_to_them_where_they_are_as_many() -> None:
    fields = {"rows": [1, 2], "shop_id": [5, 6], "user_id": 7, "top": 3}
    two = with_beside(Sheet(("r",), [(1,), (2,)]), fields, {"shop_id": "id", "user_id": "id", "top": "parameter"})
    one = with_beside(Sheet(("r",), [(1,)], left_out={"id": "id"}), fields, {"user_id": "id"})

    assert dict(two.ids) == {"shop_id": [5, 6]}
    assert two.left_out == {"shop_id": "id", "user_id": "id", "top": "parameter"}
    assert dict(one.ids) == {"user_id": (7,)}
    assert one.left_out == {"id": "id", "user_id": "id"}


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("embedding", [0.5] * 64),
        ("forecast", [1.5, 2.5]),
        ("result.yhat", [1.5, None]),
        ("timestamps", [60, 120]),
        ("recommendations", [7, 9]),
    ],
)
def test_a_list_of_an_answer_is_one_cell_where_its_name_says_what_it_is(name: str, items: list[object]) -> None:
    assert one_row({name: items}, "output").names == (name,)
    assert len(one_row({name: items}, "feature").names) == len(items)
    assert tabulate([items, items], name=name, role="output").names == (name,)


@pytest.mark.parametrize(("name", "items"), [("recommendations", [0.5, 1]), ("forecast", [True, False])])
def test_other_lists_under_such_a_name_are_spread(name: str, items: list[object]) -> None:
    assert one_row({name: items}, "output").names == tuple(f"{name}[{place}]" for place in range(len(items)))


def test_rows_behind_the_last_that_has_room_are_counted_and_not_looked_at() -> None:
    sheet = tabulate([{f"a{at % 300}": at} for at in range(MAX_ROWS)], name="", role="feature")

    assert len(sheet.names) == MAX_COLUMNS
    assert len(sheet.values) == MAX_CELLS // MAX_COLUMNS
    assert sheet.dropped_count == 300 - MAX_COLUMNS + MAX_ROWS - MAX_CELLS // MAX_COLUMNS


def test_a_table_that_is_hardly_filled_is_too_complex() -> None:
    rows = [{f"a{at}": at} for at in range(MAX_COLUMNS)] + [{"a0": 1}] * 700

    with pytest.raises(DecodeError, match="too_complex"):
        tabulate(rows, name="", role="feature")


@pytest.mark.parametrize("role", ["feature", "output"])
@pytest.mark.parametrize(
    "row",
    [{"a": [[1]]}, {"a": [1], "b": [2]}, {"a": {"b": {"c": 1}}}, {"a": [{"pwd": 1}]}, {"boxes": [[1, 1, 2, 2]]}],
    ids=["a list in a list", "two lists", "objects", "credentials", "boxes"],
)
def test_rows_that_take_long_are_cut_and_the_others_counted(row: object, role: Role) -> None:
    whole, large = (tabulate([row] * count, name="", role=role) for count in (1_000, MAX_ROWS))

    assert (len(whole.values), whole.dropped_count) == (1_000, 0)
    assert 1_000 < len(large.values) < MAX_ROWS
    assert len(large.values) + large.dropped_count == MAX_ROWS
    assert "over_limit" in large.flags


def test_usual_rows_with_lists_in_them_are_all_read() -> None:
    row = {"age": 4, "city": "x", "at": [59.9, 10.7], "user": {"kind": "a", "days": 3}, "x": [1], "y": 2.5, "z": 1}

    # 256 KiB hold fewer of them.
    assert len(tabulate([row] * 2_500, name="", role="feature").values) == 2_500
    columns = {name: [[0.5]] * MAX_ROWS for name in "abcdefghij"}
    assert len(transposed(columns, "feature").values) == MAX_ROWS


def test_lists_of_one_number_in_every_row_are_columns_whatever_else_a_column_holds() -> None:
    sheet = transposed({"a": [[1], [2]], "b": [[1], [2, 3]], "c": [[[1]], [[2]]], "d": ["x", ["y"]]}, "feature")

    assert sheet.names[:2] == ("a", "b[0]")
    assert [row[0] for row in sheet.values] == [1, 2]
