from collections.abc import Callable

import pytest

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
BENTO = {"content-type": "application/json", "server": "BentoML Service/Cancer", "x-bentoml-request-id": "c839"}


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "answer", "names", "values"),
    [
        pytest.param({"rooms": 3, "area": 71.5, "city": "Oslo"}, 4200000.0, ("rooms", "area", "city"),
                     [[3, 71.5, "Oslo"]], id="arguments"),
        pytest.param({"data": [[13.08, 15.71]]}, [[0.02, 0.98]], ("data[0]", "data[1]"), [[13.08, 15.71]],
                     id="an array"),
        pytest.param([[1, 2], [3, 4]], [0, 1], ("0", "1"), [[1, 2], [3, 4]], id="the only argument, bare"),
        pytest.param({"df": [{"a": 1}, {"a": 2}]}, [0, 1], ("a",), [[1], [2]], id="a data frame of records"),
        pytest.param({"df": {"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}}, [0, 1], ("a", "b"),
                     [[1, "x"], [2, "y"]], id="a data frame of columns"),
        pytest.param({"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}, [0, 1], ("a", "b"), [[1, 3], [2, 4]],
                     id="a bare data frame of columns"),
        pytest.param({"df": [{"a": 1}, {"a": 2}], "threshold": 0.5, "token": "x"}, [0, 1], ("a", "threshold"),
                     [[1, 0.5], [2, 0.5]],
                     id="a data frame beside a number"),
        pytest.param({"df": {"a": {"0": 1, "1": 2}}, "threshold": 0.5}, [0, 1], ("a", "threshold"),
                     [[1, 0.5], [2, 0.5]],
                     id="a data frame of columns beside a number"),
        pytest.param({"texts": ["a", "b"], "n": 3}, ["x", "y"], ("texts", "n"), [["a", 3], ["b", 3]],
                     id="texts beside a number"),
        pytest.param({"x": [1, 2], "n": 3}, 5, ("x[0]", "x[1]", "n"), [[1, 2, 3]], id="a vector beside a number"),
        pytest.param({"x": [7], "n": 3}, [5], ("x", "n"), [[7, 3]], id="a short vector beside a number"),
        pytest.param({"a": {"x": 1}, "b": {"x": 2}}, [0, 1], ("a.x", "b.x"), [[1, 2]], id="objects of other keys"),
        pytest.param({"a": {"0": 1, "1": 2}, "b": {"0": 3}}, 5, ("a.0", "a.1", "b.0"), [[1, 2, 3]],
                     id="objects of several keys"),
        pytest.param({"text": "abc"}, b"summary", ("text",), [["abc"]], id="a text"),
    ],
)  # fmt: skip
def test_arguments_become_rows(
    exchange: Make, request_: object, answer: object, names: tuple[str, ...], values: Rows
) -> None:
    headers = {**BENTO, "content-type": "text/plain"} if isinstance(answer, bytes) else BENTO

    decoded = decode_exchange(exchange(request_, answer, answer_headers=headers))

    assert decoded.protocol == "bentoml"
    assert decoded.request_id == "c839"
    assert features(decoded) == (names, values)


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        ([{"y": 1}, {"y": 2}], ("y",), [[1], [2]]),
        ({"y": {"0": 1, "1": 2}}, ("y",), [[1], [2]]),
        ({"y": {"0": 1, "1": 2, "2": 3}}, ("y.0", "y.1", "y.2"), [[1, 2, 3]]),
        ([0.5, 0.7], ("prediction",), [[0.5], [0.7]]),
    ],
    ids=["records", "columns of as many rows", "an object of more keys than rows", "a list"],
)
def test_what_is_returned_becomes_outputs(exchange: Make, answer: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange({"df": [{"a": 1}, {"a": 2}]}, answer, answer_headers=BENTO))

    assert outputs(decoded) == (names, values)


def test_arguments_beside_the_table_belong_to_each_row(exchange: Make) -> None:
    request = {"df": [{"a": 1}, {"a": 2}], "threshold": 0.5, "token": "x"}

    decoded = decode_exchange(exchange(request, [0, 1], answer_headers=BENTO))

    assert decoded.features is not None
    assert decoded.features.names == ("a", "threshold")
    assert decoded.features.left_out == {"token": "credential"}


def test_a_refused_argument_is_named_without_the_word_body(exchange: Make) -> None:
    answer = {
        "error": "1 validation error for Input",
        "detail": [{"type": "missing", "loc": ["data"], "msg": "Field required"}],
    }

    decoded = decode_exchange(exchange({}, answer, status=400, answer_headers=BENTO))

    assert decoded.error is not None
    assert decoded.error.kind == "validation"
    assert (decoded.error.fields, decoded.error.types) == (("data",), ("missing",))


def test_a_failed_method_is_the_servers_failure(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"x": 1}, {"error": "boom"}, status=500, answer_headers=BENTO))

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == ("server", "boom")


def test_plans_read_its_exchanges_under_its_name(exchange: Make) -> None:
    asked = [exchange({"rooms": at, "city": "Oslo"}, at + 0.5, answer_headers=BENTO) for at in range(40)]
    decoder = Decoder(model="m", version="1")

    first, second = decoder.decode(asked), decoder.decode(asked)

    for batch in (first, second):
        (prediction,) = batch.predictions
        assert prediction.protocol == "bentoml"
        assert prediction.features.rows == 40
        assert prediction.features.numbers.tolist() == [list(range(40))]
