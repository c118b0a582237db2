from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.decode.rows.budget import MAX_ROWS
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
PATH = "/seldon/ns/dep/api/v1.0/predictions"


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "names", "values"),
    [
        pytest.param({"data": {"names": ["a", "b"], "ndarray": [[1.0, 2.0], [3.0, 4.0]]}}, ("a", "b"),
                     [[1.0, 2.0], [3.0, 4.0]], id="an array with names"),
        pytest.param({"data": {"names": ["a"], "ndarray": [[1, "x"], [3, "y"]]}}, ("a", "1"), [[1, "x"], [3, "y"]],
                     id="fewer names than columns"),
        pytest.param({"data": {"ndarray": [[1, 2]]}}, ("0", "1"), [[1, 2]], id="an array without names"),
        pytest.param({"data": {"names": ["a", "b"], "ndarray": [1, 2]}}, ("a", "b"), [[1, 2]], id="a row with names"),
        pytest.param({"data": {"names": ["a"], "ndarray": [1, 2]}}, ("a",), [[1], [2]], id="a column with its name"),
        pytest.param({"data": {"ndarray": [1, 2, 3]}}, ("0", "1", "2"), [[1, 2, 3]], id="a vector"),
        pytest.param({"data": {"names": ["text"], "ndarray": ["fine", "awful"]}}, ("text",), [["fine"], ["awful"]],
                     id="texts"),
        pytest.param({"data": {"names": ["a"], "ndarray": [{"x": 1}]}}, ("x",), [[1]], id="objects"),
        pytest.param({"data": {"names": ["a", "b"], "tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}}, ("a", "b"),
                     [[1, 2], [3, 4]], id="a tensor"),
        pytest.param({"data": {"tensor": {"values": [1, 2]}}}, ("0", "1"), [[1, 2]], id="a tensor without a shape"),
        pytest.param({"data": {"tensor": {"shape": [2], "values": [1, 2]}}}, ("0", "1"), [[1, 2]],
                     id="a tensor of one dimension"),
        pytest.param({"data": {"tensor": {"shape": [1, 2, 2], "values": [1, 2, 3, 4]}}}, ("0", "1", "2", "3"),
                     [[1, 2, 3, 4]], id="a tensor of three dimensions"),
        pytest.param({"data": {"tftensor": {"dtype": "DT_FLOAT", "floatVal": [1, 2],
                                            "tensorShape": {"dim": [{"size": "1"}, {"size": 2}]}}}}, ("0", "1"),
                     [[1, 2]], id="a tensor of TensorFlow"),
        pytest.param({"data": {"tftensor": {"int64Val": ["1", "2"]}}}, ("0", "1"), [["1", "2"]],
                     id="a tensor of TensorFlow without a shape"),
        pytest.param({"strData": "fine"}, ("strData",), [["fine"]], id="a text"),
        pytest.param({"binData": "aGVsbG8="}, ("binData",), [[{"bytes": 5}]], id="bytes"),
        pytest.param({"jsonData": {"age": 3, "city": "Oslo"}}, ("age", "city"), [[3, "Oslo"]], id="an object"),
        pytest.param({"jsonData": [[1, 2], [3, 4]]}, ("jsonData[0]", "jsonData[1]"), [[1, 2], [3, 4]], id="any JSON"),
        pytest.param({"jsonData": 4}, ("jsonData",), [[4]], id="a number"),
        pytest.param({"data": {"ndarray": []}}, (), [], id="nothing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [PATH, "/api/v0.1/predictions", "/predict"])
def test_messages_become_rows(
    exchange: Make, request_: object, names: tuple[str, ...], values: Rows, path: str
) -> None:
    decoded = decode_exchange(exchange(request_, {"data": {"ndarray": [[0.5]]}}, path=path))

    assert decoded.protocol == "seldon_v1"
    assert features(decoded) == (names, values)


@pytest.mark.parametrize(
    ("tensor", "values"),
    [
        ({"shape": [3], "values": [1]}, [[1]]),
        ({"shape": [3, 2], "values": [1, 2, 3, 4]}, [[1, 2], [3, 4]]),
        ({"shape": [2, 3], "values": [1, 2, 3, 4]}, [[1, 2, 3, 4]]),
        ({"shape": [10**6, 10**6], "values": [1]}, [[1]]),
        ({"shape": [0, 0], "values": [1, 2]}, [[1, 2]]),
        ({"shape": ["x"], "values": [1, 2]}, [[1, 2]]),
        ({"shape": 3, "values": [1, 2]}, [[1, 2]]),
    ],
    ids=str,
)
def test_a_shape_that_does_not_fit_is_flagged(exchange: Make, tensor: object, values: Rows) -> None:
    decoded = decode_exchange(exchange({"data": {"tensor": tensor}}, {"data": {"ndarray": [[0.5]]}}, path=PATH))

    assert features(decoded)[1] == values
    assert "shape_mismatch" in decoded.flags


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        ({"data": {"names": ["t:0", "t:1"], "ndarray": [[0.1, 0.9], [0.6, 0.4]]}}, ("t:0", "t:1"),
         [[0.1, 0.9], [0.6, 0.4]]),
        ({"data": {"names": ["p"], "tensor": {"shape": [2, 1], "values": [0.1, 0.6]}}}, ("p",), [[0.1], [0.6]]),
        ({"data": {"ndarray": ["a", "b"]}}, ("0",), [["a"], ["b"]]),
        ({"data": {"ndarray": [0.1, 0.6]}}, ("0",), [[0.1], [0.6]]),
        ({"strData": "fine"}, ("strData",), [["fine"]]),
        ({"jsonData": {"label": ["a", "b"]}}, ("label",), [["a"], ["b"]]),
        ({"meta": {}, "labels": ["a", "b"]}, ("labels",), [["a"], ["b"]]),
        ([1, 2], ("prediction",), [[1], [2]]),
    ],
    ids=["an array", "a tensor", "texts", "numbers", "a text", "any JSON", "other keys", "no message"],
)  # fmt: skip
def test_answers_become_outputs(exchange: Make, answer: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange({"data": {"ndarray": [[1, 2], [3, 4]]}}, answer, path=PATH))

    assert outputs(decoded) == (names, values)


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ({"clf": "registry:5000/iris:1.0"}, "1.0"),
        ({"clf": "registry:5000/iris"}, ""),
        ({"clf": "iris"}, ""),
        ({"clf": 3}, ""),
        ({"a": "x:1", "b": "y:2"}, ""),
    ],
    ids=str,
)
def test_path_and_meta_name_model_version_and_request(exchange: Make, path: object, version: str) -> None:
    answer = {"meta": {"puid": "p1", "tags": {"k": 1}, "requestPath": path}, "data": {"ndarray": [[0.5]]}}

    decoded = decode_exchange(exchange({"data": {"ndarray": [[1]]}}, answer, path=PATH))

    assert (decoded.model, decoded.version, decoded.request_id) == ("dep", version, "p1")
    assert outputs(decoded) == (("0",), [[0.5]])


@pytest.mark.parametrize("flag", ["FAILURE", 1])
@pytest.mark.parametrize(("status", "kind"), [(200, "model"), (400, "client"), (500, "server")])
def test_a_failure_is_told_by_its_status(exchange: Make, flag: object, status: int, kind: str) -> None:
    answer = {"status": {"code": -1, "info": "bad data", "reason": "MICROSERVICE_BAD_DATA", "status": flag}}

    decoded = decode_exchange(exchange({"data": {"ndarray": [[1]]}}, answer, path=PATH, status=status))

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == (kind, "MICROSERVICE_BAD_DATA; bad data")
    assert decoded.outputs is None
    assert ("error_in_200" in decoded.flags) == (status == 200)


@pytest.mark.parametrize("flag", ["SUCCESS", 0, True, None])
def test_a_success_is_none(exchange: Make, flag: object) -> None:
    answer = {"status": {"code": 200, "status": flag}, "data": {"ndarray": [[0.5]]}}

    decoded = decode_exchange(exchange({"data": {"ndarray": [[1]]}}, answer, path=PATH))

    assert decoded.error is None
    assert outputs(decoded) == (("0",), [[0.5]])


@pytest.mark.parametrize("request_", [{"x": 1}, {"data": {"ndarray": 3}}, {"data": {}}, [1]], ids=str)
def test_a_message_without_data_is_refused(exchange: Make, request_: object) -> None:
    assert decode_exchange(exchange(request_, {"y": 1}, path=PATH)).undecodable == "unknown_layout"


@pytest.mark.parametrize("request_", [{"data": [[1]]}, {"data": {"x": 1}}, {"strData": 3, "x": 1}], ids=str)
def test_elsewhere_other_data_is_plain_json(exchange: Make, request_: object) -> None:
    assert decode_exchange(exchange(request_, {"y": 1})).protocol == "plain"


def test_feedback_asks_no_model(exchange: Make) -> None:
    path = "/seldon/ns/dep/api/v1.0/feedback"

    assert not decode_exchange(exchange({"reward": 1}, {"meta": {}}, path=path)).is_prediction


def test_rows_of_a_tensor_beyond_the_limit_are_counted_only(exchange: Make) -> None:
    values = list(range(2 * (MAX_ROWS + 5)))

    decoded = decode_exchange(
        exchange({"data": {"tensor": {"shape": [MAX_ROWS + 5, 2], "values": values}}}, {}, path="/api/v1.0/predictions")
    )

    assert decoded.features is not None
    assert len(decoded.features.values) == MAX_ROWS
    assert decoded.features.dropped_count == 5
