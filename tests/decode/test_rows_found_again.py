"""Rows of an answer that are found again by what the request says of them, and inputs that come back with it."""

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Exchange

Make = Callable[..., Exchange]
Rows = list[dict[str, Any]]
TWO = {"rows": [{"id": 5, "x": 1}, {"id": 7, "x": 2}]}


def rows(sheet: Sheet | None) -> Rows | None:
    """The rows of *sheet* by name; None where there is none."""
    return None if sheet is None else [dict(zip(sheet.names, row, strict=True)) for row in sheet.values]


@pytest.mark.parametrize(
    ("asked", "answer", "outputs"),
    [
        (TWO, {"results": {"7": 0.6, "5": 0.5}}, [{"results": 0.5}, {"results": 0.6}]),
        (TWO, {"7": 0.6, "5": 0.5}, [{"prediction": 0.5}, {"prediction": 0.6}]),
        (TWO, {"predictions": {"7": {"p": 0.6}, "5": {"p": 0.5}}}, [{"p": 0.5}, {"p": 0.6}]),
        (TWO, {"results": {"7": 0.6}, "took_ms": 3}, [{"results": None}, {"results": 0.6}]),
        (
            TWO,
            {"score": {"7": 0.6, "5": 0.5}, "label": {"5": "a", "7": "b"}, "version": "1"},
            [{"score": 0.5, "label": "a"}, {"score": 0.6, "label": "b"}],
        ),
        ({"rows": [{"id": 5, "x": 1}]}, {"results": {"5": 0.5}}, [{"results": 0.5}]),
        ({"id": "a7", "x": 1}, {"predictions": {"a7": {"p": 0.5}}}, [{"p": 0.5}]),
        ({"instances": [{"uid": "b", "x": 1}, {"uid": "a", "x": 2}]}, {"a": 1, "b": 2}, [{"prediction": 2}, {"prediction": 1}]),
        (
            TWO,
            {"results": {"7": [{"label": "a", "score": 0.2}, {"label": "b", "score": 0.8}], "5": [{"label": "a", "score": 0.9}]}},
            [{"label": "a", "score": 0.9}, {"label": "b", "score": 0.8}],
        ),
        (TWO, {"results": {"7": {"error": "empty", "p": -1}, "5": {"p": 0.5}}}, [{"p": 0.5}, {"p": None}]),
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_keyed_by_row_ids_is_a_row_for_each(exchange: Make, asked: Any, answer: Any, outputs: Rows) -> None:
    assert rows(decode_exchange(exchange(asked, answer)).outputs) == outputs


@pytest.mark.parametrize("path", ["/predict", "/v1/models/m:predict", "/invocations"])
def test_an_answer_keyed_by_row_ids_is_read_alike_everywhere(exchange: Make, path: str) -> None:
    asked = {"instances": [{"id": 5, "x": 1}, {"id": 7, "x": 2}]}

    decoded = decode_exchange(exchange(asked, {"predictions": {"7": 0.6, "5": 0.5}}, path=path))

    assert rows(decoded.outputs) == [{"predictions": 0.5}, {"predictions": 0.6}]


@pytest.mark.parametrize("same", [True, False], ids=["one id", "an id each"])
def test_no_batch_has_a_column_for_each_id(exchange: Make, *, same: bool) -> None:
    decoder = Decoder(model="", version="")
    for start in (0, 64, 128):
        ids = [7 if same else at for at in range(start, start + 64)]
        batch = decoder.decode([exchange({"id": at, "x": 1}, {"results": {str(at): 0.5}}) for at in ids])

        assert [prediction.outputs.number_names for prediction in batch.predictions] == [("results",)]


def test_keys_that_are_no_ids_of_the_request_are_names(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"rows": [{"id": 5, "x": 1}, {"id": 7, "x": 2}]}, {"results": {"8": 1, "9": 2}}))

    assert decoded.outputs is not None
    assert decoded.outputs.names == ("results.8", "results.9")


@pytest.mark.parametrize(
    ("asked", "answer", "outputs"),
    [
        ({"text": "x"}, {"text": "x", "label": "a"}, [{"label": "a"}]),
        ({"customer": "c1", "age": 3}, {"customer": "c1", "age": 3, "p": 0.3}, [{"p": 0.3}]),
        ({"customer": "c1", "age": 3}, {"input": {"customer": "c1", "age": 3.0}, "p": 0.3}, [{"p": 0.3}]),
        ([{"x": 1}, {"x": 2}], [{"x": 1, "p": 0.1}, {"x": 2, "p": 0.2}], [{"p": 0.1}, {"p": 0.2}]),
        ([{"x": 1}, {"x": 2}], [{"x": 1, "p": 0.1}, {"x": 3, "p": 0.2}], [{"x": 1, "p": 0.1}, {"x": 3, "p": 0.2}]),
        ({"text": "helo"}, {"text": "hello", "edits": 1}, [{"text": "hello", "edits": 1}]),
        ({"x": 1}, {"x": True, "p": 1}, [{"x": True, "p": 1}]),
        ({"text": "x"}, {"text": "x"}, [{"text": "x"}]),
        ({"label": "a", "x": 1}, {"label": "a", "score": 0.5}, [{"label": "a", "score": 0.5}]),
    ],
    ids=str,
)
@pytest.mark.parametrize("usual", [1, 40], ids=["alone", "with a plan"])
def test_inputs_that_come_back_are_no_outputs(
    exchange: Make, *, asked: Any, answer: Any, outputs: Rows, usual: int
) -> None:
    decoder = Decoder(model="", version="")
    decoder.decode([exchange(asked, answer)] * usual)
    (prediction,) = decoder.decode([exchange(asked, answer)] * usual).predictions

    assert rows(decode_exchange(exchange(asked, answer)).outputs) == outputs
    assert {*prediction.outputs.number_names, *prediction.outputs.cell_names} == set(outputs[0])
    assert prediction.outputs.rows == usual * len(outputs)


def test_what_once_differed_from_an_input_is_an_output_from_then_on(exchange: Make) -> None:
    decoder = Decoder(model="", version="")
    seen: list[tuple[str, ...]] = []
    for answered in ("helo", "hello", "helo"):
        (prediction,) = decoder.decode([exchange({"text": "helo"}, {"text": answered, "edits": 1})]).predictions
        seen.append(prediction.outputs.cell_names)

    assert seen == [(), ("text",), ("text",)]


def test_an_answer_of_another_length_does_not_make_an_input_an_output(exchange: Make) -> None:
    decoder = Decoder(model="", version="")
    usual = exchange([{"t": "a"}, {"t": "b"}], [{"t": "a", "p": 1}, {"t": "b", "p": 2}])
    odd = exchange([{"t": "a"}, {"t": "b"}], [{"t": "b", "p": 2}, {"t": "c", "p": 2}, {"t": "d", "p": 2}])

    (prediction,) = decoder.decode([odd, usual]).predictions

    assert prediction.outputs.number_names == ("p",)
    assert prediction.outputs.cell_names == ()


def test_an_output_that_is_asked_for_stays_where_it_is_an_input(exchange: Make) -> None:
    decoder = Decoder(model="", version="", prediction=["text", "edits"])

    (prediction,) = decoder.decode([exchange({"text": "x"}, {"text": "x", "edits": 1})]).predictions

    assert prediction.outputs.cell_names == ("text",)


@pytest.mark.parametrize(
    ("asked", "answer", "outputs"),
    [
        ([{"customer": "a", "x": 1}, {"customer": "b", "x": 2}], [{"customer": "b", "y": 2}, {"customer": "a", "y": 1}],
         [{"y": 1}, {"y": 2}]),
        ({"instances": [{"text": "q"}, {"text": "r"}]}, {"predictions": [{"text": "r", "y": 2}, {"text": "q", "y": 1}]},
         [{"y": 1}, {"y": 2}]),
        ([{"account": 11}, {"account": 12}, {"account": 13}],
         {"results": [{"account": 13, "y": 3}, {"account": 11, "y": 1}, {"account": 12, "y": 2}]},
         [{"y": 1}, {"y": 2}, {"y": 3}]),
        ([{"rank": 1, "z": 1}, {"rank": 2, "z": 1}], [{"rank": 2}, {"rank": 1}], [{"rank": 2}, {"rank": 1}]),
        ([{"city": "a"}, {"city": "a"}], [{"city": "b", "y": 1}, {"city": "a", "y": 2}],
         [{"city": "b", "y": 1}, {"city": "a", "y": 2}]),
    ],
    ids=str,
)  # fmt: skip
def test_rows_are_found_again_by_the_inputs_that_come_back(
    exchange: Make, asked: Any, answer: Any, outputs: Rows
) -> None:
    assert rows(decode_exchange(exchange(asked, answer)).outputs) == outputs
