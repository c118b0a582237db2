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
