from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.decode.at_once import Reads
from dashlight.decode.batch import Decoder
from dashlight.decode.rows.selection import EVERYTHING, Selection
from dashlight.records import Exchange, Table

Make = Callable[..., Exchange]
READS = Reads("m", "1", EVERYTHING, {})

READ: dict[str, tuple[object, object]] = {
    "a number": ({"age": 40}, {"p": 0.5}),
    "a class": ({"age": 40}, {"label": "a", "score": 0.5}),
    "a class and truth": ({"age": 40}, {"churned": True}),
    "its model": ({"age": 40}, {"p": 0.5, "model": "risk", "version": "7"}),
    "inputs that come back": ({"age": 40}, {"p": 0.5, "age": 40}),
    "a number in a text": ({"age": 40}, {"p": "0.5"}),
    "what an answer says of itself": ({"age": 40}, {"p": 0.5, "status": "ok", "message": "done", "success": True}),
    "probabilities": ({"age": 40}, {"probabilities": [0.1, 0.2, 0.7]}),
    "a list": ({"instances": [{"age": 40}]}, {"predictions": [0.5]}),
}


def columns(table: Table) -> dict[str, Any]:
    numbers = dict(zip(table.number_names, table.numbers.tolist(), strict=True))
    return {**numbers, **dict(zip(table.cell_names, map(list, table.cells), strict=True))}


@pytest.mark.parametrize(("request_", "answer"), READ.values(), ids=READ)
def test_one_answer_is_read_as_it_is_in_a_batch(exchange: Make, request_: object, answer: object) -> None:
    decoder, one = Decoder(model="m", version="1"), exchange(request_, answer)
    alone = READS.at_once(one, decoder.lane_of(one))
    for _ in range(3):
        (prediction,) = decoder.decode([one] * 3).predictions

    planned = READS.at_once(one, decoder.lane_of(one))

    for found in (alone, planned):
        assert found is not None
        assert (found.model, found.version) == (prediction.model, prediction.version)
        assert columns(found.outputs) == {name: held[:1] for name, held in columns(prediction.outputs).items()}


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"instances": [{"age": 1}, {"age": 2}]}, {"predictions": [0.5, 0.75]}),
        ({"age": 40}, {"error": "no such model"}),
        ({"age": 40}, b"{"),
        (b"{", {"p": 0.5}),
        ({"age": 40}, b""),
        ({"age": 40}, {"p": 0.5, "success": False, "message": "failed"}),
    ],
    ids=["a batch", "a failure", "a broken answer", "a broken request", "no answer", "a failure that is confessed"],
)
def test_what_is_no_single_answer_is_left(exchange: Make, request_: object, answer: object) -> None:
    decoder = Decoder(model="m", version="1")
    usual = exchange({"age": 40}, {"p": 0.5, "success": True, "message": "fine"})
    decoder.decode([usual] * 3)
    one = exchange(request_, answer)

    assert READS.at_once(one, decoder.lane_of(one)) is None


def test_a_request_for_another_route_of_the_path_has_no_plan(exchange: Make) -> None:
    decoder = Decoder(model="m", version="1")
    decoder.decode([exchange({"age": 40}, {"p": 0.5})] * 3)

    lane = decoder.lane_of(exchange({"age": 40}, {"p": 0.5}))
    assert lane is not None
    assert lane.plan is not None
    assert decoder.lane_of(exchange({"age": 40}, {"p": 0.5}, route="/other")) is None


def test_columns_are_those_that_were_asked_for_by_their_new_names(exchange: Make) -> None:
    reads = Reads("m", "1", Selection(prediction=("p",)), {"p": "risk"})

    found = reads.at_once(exchange({"age": 40}, {"p": 0.5, "q": 2.0}), None)

    assert found is not None
    assert columns(found.outputs) == {"risk": [0.5]}
