"""Requests that were read as another number of rows than they have, an example and variations of each."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dashlight.decode.exchange import decode_exchange
from dashlight.records import Exchange

Make = Callable[..., Exchange]
ROWS = [[4, "x"], [5, "y"]]
INDEXED = {"age": {"0": 4, "1": 5}, "city": {"0": "x", "1": "y"}}


@pytest.mark.parametrize(
    ("asked", "beside"),
    [
        pytest.param({"columns": ["age", "city"], "data": ROWS}, (), id="split"),
        pytest.param({"data": ROWS, "index": [0, 1], "columns": ["age", "city"]}, (), id="split with its index"),
        pytest.param({"feature_names": ["age", "city"], "values": ROWS, "t": 0.5}, ("t",), id="named features"),
        pytest.param({"df": {"columns": ["age", "city"], "data": ROWS}, "t": 0.5}, ("t",), id="split under a key"),
        pytest.param({"df": {"columns": ["age", "city"], "index": [0, 1], "data": ROWS}}, (), id="the only argument"),
        pytest.param({"data": {"table": {"columns": ["age", "city"], "rows": ROWS}}}, (), id="split two levels deep"),
        pytest.param(
            {"a": {"b": {"df": {"columns": ["age", "city"], "data": ROWS}}}}, (), id="split three levels deep"
        ),
        pytest.param(
            {"q": {"df": {"columns": ["age", "city"], "data": ROWS}}, "t": 0.5}, ("t",), id="deep, beside a value"
        ),
        pytest.param(
            {"data": {"rows": [{"age": 4, "city": "x"}, {"age": 5, "city": "y"}]}}, (), id="records two levels deep"
        ),
        pytest.param(
            {"q": {"people": [{"age": 4, "city": "x"}, {"age": 5, "city": "y"}]}}, (), id="records under any keys"
        ),
        pytest.param({"data": {"table": {"age": [4, 5], "city": ["x", "y"]}}}, (), id="columns two levels deep"),
        pytest.param(INDEXED, (), id="columns by their index"),
        pytest.param({"t": 0.5, "df": INDEXED}, ("t",), id="columns by their index under a key"),
        pytest.param({"df": {"age": [4, 5], "city": ["x", "y"]}, "t": 0.5}, ("t",), id="columns beside a value"),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [
        [0.1, 0.9],
        {"predictions": [0.1, 0.9]},
        {"data": {"predictions": [0.1, 0.9]}},
        {"code": 0, "msg": "ok", "data": {"out": {"y": [0.1, 0.9]}}},
        {"data": {"table": {"columns": ["p"], "rows": [[0.1], [0.9]]}}},
        {"columns": ["p"], "data": [[0.1], [0.9]]},
        {"model": "m", "result": {"columns": ["p"], "data": [[0.1], [0.9]]}},
    ],
    ids=[
        "bare",
        "under a key",
        "two levels deep",
        "three levels deep",
        "a table two levels deep",
        "a table",
        "beside a fact",
    ],
)
def test_a_data_frame_is_a_row_for_each_of_its_rows(
    exchange: Make, *, asked: Any, beside: Sequence[str], answer: Any
) -> None:
    decoded = decode_exchange(exchange(asked, answer))

    assert decoded.features is not None
    assert decoded.features.names == ("age", "city", *beside)
    assert [list(row[:2]) for row in decoded.features.values] == ROWS
    assert decoded.outputs is not None
    assert [list(row) for row in decoded.outputs.values] == [[0.1], [0.9]]


@pytest.mark.parametrize(
    ("asked", "answer", "rows"),
    [
        ({"data": {"rows": [{"a": 1}]}}, {"y": 0.5}, 1),
        ({"data": {"rows": [{"a": 1}]}}, [0.5], 1),
        ({"session": {"data": [{"a": 1}, {"a": 2}]}}, {"y": 0.5}, 1),
        ({"customer": {"orders": [{"a": 1}, {"a": 2}]}}, {"y": 0.5}, 1),
        ({"customer": {"orders": [{"a": 1}, {"a": 2}]}}, {"y": [0.5, 0.25]}, 2),
        ({"customer": {"orders": [{"a": 1}, {"a": 2}]}}, {"p": [0.5, 0.25, 0.25]}, 1),
    ],
    ids=["one row", "one in a list", "a history", "orders", "orders with an answer each", "classes of one"],
)
def test_a_list_further_down_is_rows_where_there_are_as_many_answers(
    exchange: Make, asked: Any, answer: Any, rows: int
) -> None:
    assert decode_exchange(exchange(asked, answer)).rows == rows


@pytest.mark.parametrize("rows", [1, 2], ids=str)
def test_columns_of_an_answer_are_called_alike_however_many_rows_there_are(exchange: Make, rows: int) -> None:
    asked, probabilities = [{"a": 1}] * rows, [0.5] * rows

    def names(answer: object) -> tuple[str, ...]:
        outputs = decode_exchange(exchange(asked, answer)).outputs
        assert outputs is not None
        assert len(outputs.values) == rows
        return outputs.names

    assert names({"data": {"y": probabilities}}) == ("data.y",)
    assert names({"out": {"y": probabilities, "z": probabilities}, "took_ms": 3}) == ("out.y", "out.z")
    assert names({"data": {"table": {"columns": ["p", "q"], "rows": [[1, 2]] * rows}}}) == ("p", "q")


@pytest.mark.parametrize("rows", [1, 2, 3], ids=str)
def test_names_beside_rows_are_names_however_many_rows_there_are(exchange: Make, rows: int) -> None:
    asked = {"columns": ["a", "b"], "rows": [[at, at] for at in range(rows)], "t": 0.5}

    decoded = decode_exchange(exchange(asked, {"predictions": [0.5] * rows}))

    assert decoded.features is not None
    assert (decoded.features.names, decoded.rows) == (("a", "b", "t"), rows)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"columns": [1, 2], "data": ROWS}, id="names that are numbers"),
        pytest.param({"columns": ["a"], "data": ROWS}, id="rows of another width"),
        pytest.param({"features": {"a": 1}, "data": ROWS}, id="no list of names"),
    ],
)
def test_what_is_no_data_frame_is_read_as_before(exchange: Make, asked: Any) -> None:
    decoded = decode_exchange(exchange(asked, {"y": 1}))

    assert decoded.features is not None
    assert not {"age", "city"} & set(decoded.features.names)


@pytest.mark.parametrize(
    ("asked", "answer", "outputs"),
    [
        pytest.param({"id": "a7", "history": [4, 4.5, 5]}, {"forecast": [5, 6, 7], "lower": [4, 5, 6]},
                     ("forecast", "lower"), id="a forecast with a bound"),
        pytest.param({"history": [4, 4.5, 5], "store": "x"}, {"forecast": [5, 6, 7]}, ("forecast",), id="beside a text"),
        pytest.param({"y": [4, 4.5, 5]}, {"yhat": [5, 6, 7]}, ("yhat",), id="the answer alone says it"),
        pytest.param({"y": [4, 4.5, 5], "ds": ["a", "b", "c"]}, {"yhat": [5, 6, 7]}, ("yhat",), id="with moments"),
        pytest.param({"past_values": [4, 4.5, 5]}, [5, 6, 7], ("prediction[0]", "prediction[1]", "prediction[2]"),
                     id="the request alone says it"),
        pytest.param({"request": {"history": [4, 4.5, 5], "horizon": 3}}, {"forecast": [5, 6, 7]}, ("forecast",),
                     id="nested"),
    ],
)  # fmt: skip
def test_a_forecast_of_as_many_steps_as_its_history_is_one_row(
    exchange: Make, asked: Any, answer: Any, outputs: Sequence[str]
) -> None:
    decoded = decode_exchange(exchange(asked, answer))

    assert decoded.rows == 1
    assert decoded.outputs is not None
    assert decoded.outputs.names == outputs


@pytest.mark.parametrize(
    "asked",
    [{"x": [1.5, 2.5]}, [{"x": 1}, {"x": 2}], {"history": [[1, 2], [3, 4]]}, {"age": [4, 5], "city": ["x", "y"]}],
    ids=str,
)
def test_other_lists_with_as_many_answers_are_a_row_each(exchange: Make, asked: Any) -> None:
    assert decode_exchange(exchange(asked, {"predictions": [1.5, 2.5]})).rows == 2


def test_labels_to_choose_from_belong_to_one_row(exchange: Make) -> None:
    asked = {"sequence": "x", "candidate_labels": ["a", "b"]}

    decoded = decode_exchange(exchange(asked, {"sequence": "x", "labels": ["b", "a"], "scores": [0.7, 0.3]}))

    assert decoded.rows == 1
    assert decoded.outputs is not None
    assert {"labels", "scores[a]", "scores[b]"} <= set(decoded.outputs.names)
