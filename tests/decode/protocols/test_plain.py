import pytest

from dashlight.decode.protocols.plain import PROTOCOL
from dashlight.decode.rows.budget import MAX_ROWS
from dashlight.decode.rows.reading import ABSENT, Content, Place, Reading
from dashlight.records import Cell

NOWHERE = Place(is_prediction=True, protocol="", model="", version="", why="")


def content(value: object) -> Content:
    return Content(b"", "application/json", (), value)


def read(request: object, answer: object = ABSENT, place: Place = NOWHERE) -> Reading:
    return PROTOCOL.read(content(request), None if answer is ABSENT else content(answer), place)


@pytest.mark.parametrize(
    ("request_", "answer", "names", "values"),
    [
        pytest.param({"age": 39, "city": "Oslo"}, {"y": 1}, ("age", "city"), [[39, "Oslo"]], id="an object"),
        pytest.param([{"x": 1}, {"x": 2}], [0, 1], ("x",), [[1], [2]], id="a list of objects"),
        pytest.param({"rows": [{"x": 1}, {"x": 2}]}, [0, 1], ("x",), [[1], [2]], id="objects under one key"),
        pytest.param({"items": [{"x": 1}]}, [0], ("x",), [[1]], id="objects under any one key"),
        pytest.param([[1, 2], [3, 4]], [0, 1], ("0", "1"), [[1, 2], [3, 4]], id="a matrix"),
        pytest.param({"data": [[1, 2]]}, {"y": 1}, ("data[0]", "data[1]"), [[1, 2]], id="a matrix under one key"),
        pytest.param({"features": [5.1, 3.5]}, {"y": 1}, ("features[0]", "features[1]"), [[5.1, 3.5]], id="a vector"),
        pytest.param([5.1, 3.5], {"y": 1}, ("0", "1"), [[5.1, 3.5]], id="a bare vector"),
        pytest.param({"x": [1, 2, 5]}, {"y": [3, 4, 6]}, ("x",), [[1], [2], [5]], id="a vector with as many answers"),
        pytest.param([1, 2], [3, 4], ("0",), [[1], [2]], id="a bare vector with as many answers"),
        pytest.param([1], [3], ("0",), [[1]], id="one number, one answer"),
        pytest.param(["fine", "awful"], ABSENT, ("0",), [["fine"], ["awful"]], id="texts are a batch"),
        pytest.param({"texts": ["a", "b"]}, ["P", "N"], ("texts",), [["a"], ["b"]], id="texts under one key"),
        pytest.param({"inputs": "I like it", "parameters": {"k": 2}}, ABSENT, ("inputs",), [["I like it"]], id="a text"),
        pytest.param({"inputs": ["a", "b"], "normalize": True}, ABSENT, ("inputs",), [["a"], ["b"]], id="texts, beside"),
        pytest.param({"x": [1, 2], "z": ["a", "b"]}, [3, 4], ("x", "z"), [[1, "a"], [2, "b"]], id="columns"),
        pytest.param({"x": [1], "z": ["a"]}, {"y": 1}, ("x", "z"), [[1, "a"]], id="columns of one row"),
        pytest.param(
            {"x": [1, 2], "z": ["a", "b"]}, {"y": 1}, ("x[0]", "x[1]", "z[0]", "z[1]"), [[1, 2, "a", "b"]], id="vectors"
        ),
        pytest.param({"x": [], "z": []}, [], (), [[]], id="empty vectors"),
        pytest.param({"inputs": {"x": [1, 2]}}, ABSENT, ("x",), [[1], [2]], id="columns under inputs"),
        pytest.param({"data": {"x": [1], "z": [2]}}, ABSENT, ("x", "z"), [[1, 2]], id="columns under another key"),
        pytest.param({"data": {"age": 3, "s": "x"}}, ABSENT, ("data.age", "data.s"), [[3, "x"]], id="an object under it"),
        pytest.param({"inputs": {"x": [1, 2], "n": 1}}, ABSENT, ("inputs.x[0]", "inputs.x[1]", "inputs.n"), [[1, 2, 1]],
                     id="an object with a list under inputs"),
        pytest.param({"a": 1, "items": [{"q": 2}]}, ABSENT, ("a", "items"), [[1, [{"q": 2}]]], id="a table in a row"),
        pytest.param({"data": [1, 2], "k": 3}, ABSENT, ("data[0]", "data[1]", "k"), [[1, 2, 3]], id="a vector, beside"),
        pytest.param({"data": [[1]], "m": {"a": 1}}, ABSENT, ("data", "m.a"), [[[[1]], 1]], id="a matrix and an object"),
        pytest.param({"q": "x", "params": {"k": 1}}, ABSENT, ("q", "params.k"), [["x", 1]], id="params of something else"),
        pytest.param([], [], (), [], id="an empty batch"),
        pytest.param({"data": []}, [], (), [], id="an empty batch under one key"),
        pytest.param({}, ABSENT, (), [[]], id="an empty object"),
        pytest.param(4.0, 16.0, ("0",), [[4.0]], id="a number"),
        pytest.param("text", "answer", ("0",), [["text"]], id="a text alone"),
        pytest.param({"k" * 300: [1, 2]}, ABSENT, (), [[]], id="a key too long for a name"),
    ],
)  # fmt: skip
def test_requests_of_every_layout_become_rows(
    request_: object, answer: object, names: tuple[str, ...], values: list[list[Cell]]
) -> None:
    features = read(request_, answer).features

    assert features.names == names
    assert [list(row) for row in features.values] == values


def test_what_stands_beside_the_rows_is_a_column_or_a_parameter() -> None:
    reading = read({"instances": [[1.0]], "threshold": 0.5, "parameters": {"k": 2}, "request_id": "r-1"}, [0])

    assert reading.params == {"parameters": {"k": 2}}
    assert reading.features.names == ("instances", "threshold")
    assert reading.request_id == "r-1"
    assert reading.features.left_out == {"parameters": "parameter", "request_id": "id"}


def test_ids_beside_a_single_column_are_the_ids_of_the_row() -> None:
    reading = read({"order_id": "o-9", "x": 5})

    assert reading.features.names == ("x",)
    assert reading.features.row_ids == ("o-9",)
    assert reading.features.left_out == {"order_id": "id"}


def test_credentials_beside_columns_are_left_out() -> None:
    reading = read({"x": [1, 2], "z": [3, 4], "token": "secret"}, [5, 6])

    assert reading.features.names == ("x", "z")
    assert reading.features.left_out == {"token": "credential"}


def test_answers_are_joined_by_id() -> None:
    reading = read([{"id": 1, "x": 0.5}, {"id": 2, "x": 0.6}], [{"id": 2, "s": 0.2}, {"id": 1, "s": 0.1}])

    assert reading.features.row_ids == (1, 2)
    assert reading.outputs is not None
    assert [list(row) for row in reading.outputs.values] == [[0.1], [0.2]]


@pytest.mark.parametrize(
    ("place", "answer", "model", "version"),
    [
        (NOWHERE, {"y": 1, "model": "a", "version": "7"}, "a", "7"),
        (NOWHERE, {"y": 1}, "", ""),
        (
            Place(is_prediction=True, protocol="", model="b", version="8", why=""),
            {"y": 1, "model": "a", "version": "7"},
            "b",
            "8",
        ),
    ],
    ids=["the answer", "nobody", "the path before the answer"],
)
def test_path_and_answer_say_the_model(place: Place, answer: object, model: str, version: str) -> None:
    reading = read({"x": 1}, answer, place)

    assert (reading.model, reading.version) == (model, version)


def test_without_an_answer_there_are_no_outputs() -> None:
    assert read({"x": 1, "request_id": 4}).outputs is None
    assert read({"x": 1, "request_id": 4}).request_id == "4"


def test_the_fallback_claims_every_value() -> None:
    assert PROTOCOL.claims({})
    assert not PROTOCOL.claims(ABSENT)


def test_a_data_frame_has_as_many_rows_as_any_table_and_the_rest_is_counted() -> None:
    frame = {"columns": ["a", "b"], "data": [[at, at] for at in range(MAX_ROWS + 5)]}
    features = read(frame).features

    assert (features.names, len(features.values), features.dropped_count) == (("a", "b"), MAX_ROWS, 5)
    assert features.values[-1] == (MAX_ROWS - 1, MAX_ROWS - 1)
