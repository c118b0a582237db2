from collections.abc import Callable, Sequence

import pytest

from dashlight.decode.batch import Decoder
from dashlight.decode.identities import Identities, identities
from dashlight.decode.rows.matching.prediction_ids import LONGEST_ID, id_text
from dashlight.records import Exchange

Make = Callable[..., Exchange]
BIG = 1_234_567_890_123_456_789
"""No float tells it from the next whole number."""


def found(exchanges: Sequence[Exchange], entity: str = "") -> Identities:
    return identities(Decoder(model="m", version="1", entity=entity).decode(exchanges), entity=entity)


def found_fast(exchanges: Sequence[Exchange], entity: str = "") -> Identities:
    """Of exchanges that a plan reads."""
    decoder = Decoder(model="m", version="1", entity=entity)
    decoder.decode(exchanges)
    batch = decoder.decode(exchanges)
    assert [planned.places for planned in batch.planned] == [list(range(len(exchanges)))]
    return identities(batch, entity=entity)


ONE_ROW: list[tuple[object, object, str]] = [
    ({"id": "a", "age": 3}, {"p": 0.5}, "a"),
    ({"transaction_id": "tx", "age": 3}, {"p": 0.5}, "tx"),
    ({"transactionId": "tx", "age": 3}, {"p": 0.5}, "tx"),
    ({"request-id": "r", "age": 3}, {"p": 0.5}, "r"),
    ({"age": 3}, {"prediction_id": "p1", "p": 0.5}, "p1"),
    ({"id": "asked", "age": 3}, {"id": "told", "p": 0.5}, "told"),
    ({"customer_id": "c", "order_id": "o", "age": 3}, {"p": 0.5}, "o"),
    ({"transaction": {"id": "tx"}, "age": 3}, {"p": 0.5}, "tx"),
    ({"id": BIG, "age": 3}, {"p": 0.5}, str(BIG)),
    ({"id": 17, "age": 3}, {"p": 0.5}, "17"),
    ({"id": "r", "prediction_id": "p", "age": 3}, {"p": 0.5}, "p"),
]


@pytest.mark.parametrize("read", [found, found_fast], ids=["the general way", "by a plan"])
@pytest.mark.parametrize(
    ("request_", "answer", "wanted"), ONE_ROW, ids=[str(each[0]) + str(each[1]) for each in ONE_ROW]
)
def test_the_payload_names_its_prediction(
    exchange: Make, read: Callable[..., Identities], request_: object, answer: object, wanted: str
) -> None:
    rows = read([exchange(request_, answer)] * 2).rows

    assert {place: list(each) for place, each in rows.items()} == {0: [wanted], 1: [wanted]}


@pytest.mark.parametrize("read", [found, found_fast], ids=["the general way", "by a plan"])
@pytest.mark.parametrize(
    "request_",
    [
        {"customer_id": "c", "age": 3},
        {"user": {"id": "u"}, "age": 3},
        {"userId": 4, "age": 3},
        {"id": None, "age": 3},
        {"id": 1.5, "age": 3},
        {"id": "x" * (LONGEST_ID + 1), "age": 3},
        {"age": 3},
    ],
    ids=["a customer", "within a user", "a user by number", "null", "a fraction", "too long", "none"],
)
def test_what_comes_again_or_cannot_be_told_is_no_id_of_a_prediction(
    exchange: Make, read: Callable[..., Identities], request_: object
) -> None:
    assert not read([exchange(request_, {"p": 0.5})]).rows


@pytest.mark.parametrize(
    "request_",
    [
        {"dataframe_split": {"columns": ["age"], "index": [0, 1], "data": [[1.5], [2.5]]}},
        {"input_data": {"columns": ["age"], "index": [0, 1], "data": [[1.5], [2.5]]}},
        {"instances": [{"row": 0, "age": 1.5}, {"row": 1, "age": 2.5}]},
    ],
    ids=["MLflow", "Azure", "numbered rows"],
)
def test_numbers_of_rows_within_a_request_are_no_ids(exchange: Make, request_: object) -> None:
    assert not found([exchange(request_, {"predictions": [0.5, 0.75]})]).rows


def test_every_row_of_a_batch_has_its_own(exchange: Make) -> None:
    rows = [{"id": f"r{at}", "age": at} for at in range(3)]

    ids = found([exchange({"instances": rows}, {"predictions": [0.1, 0.2, 0.3]}), exchange({"age": 1}, {"p": 0.1})])

    assert {place: list(each) for place, each in ids.rows.items()} == {0: ["r0", "r1", "r2"]}


def test_answers_in_another_order_go_with_their_ids(exchange: Make) -> None:
    rows = [{"id": "a", "age": 1}, {"id": "b", "age": 2}]
    answer = {"predictions": [{"id": "b", "p": 0.2}, {"id": "a", "p": 0.1}]}

    decoder = Decoder(model="m", version="1")
    batch = decoder.decode([exchange({"instances": rows}, answer)])

    assert batch.predictions[0].outputs.numbers.tolist() == [[0.1, 0.2]]
    assert list(identities(batch).rows[0]) == ["a", "b"]


def test_where_rows_are_not_as_many_nobody_says_which_id_is_whose(exchange: Make) -> None:
    rows = [{"id": f"r{at}", "age": at} for at in range(3)]

    assert not found([exchange({"instances": rows}, {"predictions": [0.1, 0.2]})]).rows


def test_an_id_that_is_asked_for_as_a_column_is_an_id_still(exchange: Make) -> None:
    decoder = Decoder(model="m", version="1", features=("id", "age"))

    batch = decoder.decode([exchange({"id": "a", "age": 3}, {"p": 0.5})])

    assert "id" in batch.predictions[0].features.cell_names
    assert list(identities(batch).rows[0]) == ["a"]


@pytest.mark.parametrize("read", [found, found_fast], ids=["the general way", "by a plan"])
def test_whom_a_prediction_is_about_is_told_also_where_it_is_no_column(
    exchange: Make, read: Callable[..., Identities]
) -> None:
    exchanges = [exchange({"user_id": at, "age": at}, {"p": 0.5}) for at in range(3)]

    assert {place: list(each) for place, each in read(exchanges, "user_id").entities.items()} == {
        0: ["0"],
        1: ["1"],
        2: ["2"],
    }
    assert read(exchanges).entities == {}


def test_servers_name_a_whole_exchange(exchange: Make) -> None:
    tensor = {"name": "x", "shape": [2, 1], "datatype": "FP64", "data": [1.0, 2.0]}
    answer = {"id": "v2", "model_name": "m", "outputs": [{**tensor, "name": "y"}]}
    chat = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}
    completion = {
        "id": "chatcmpl-9",
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    }

    ids = found(
        [
            exchange({"inputs": [tensor]}, answer, path="/v2/models/m/infer"),
            exchange(chat, completion, path="/v1/chat/completions"),
        ]
    )

    assert ids.whole == {0: "v2", 1: "chatcmpl-9"}


@pytest.mark.parametrize("cell", [True, False, None, [], {}, b"x", 10**40, float("nan"), float("inf")], ids=repr)
def test_what_nobody_writes_as_an_id_is_none(cell: object) -> None:
    assert id_text(cell) == ""
