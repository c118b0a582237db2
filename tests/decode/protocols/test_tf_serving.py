from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
PREDICT = "/v1/models/fish:predict"
EXAMPLES = [{"legs": 4, "tail": 1}, {"legs": 2, "tail": 0}]


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "names", "values"),
    [
        pytest.param({"signature_name": "s", "instances": [{"len": 10.5, "kind": "cod"}, {"len": 4, "kind": "pike"}]},
                     ("len", "kind"), [[10.5, "cod"], [4, "pike"]], id="rows"),
        pytest.param({"signature_name": "s", "instances": [1.0, 2.0, 5.0]}, ("0",), [[1.0], [2.0], [5.0]],
                     id="numbers, each a row"),
        pytest.param({"inputs": {"a": [1, 2], "b": [[1, 2], [3, 4]]}}, ("a", "b[0]", "b[1]"), [[1, 1, 2], [2, 3, 4]],
                     id="columns of one length"),
        pytest.param({"inputs": {"a": [1, 2, 3]}}, ("a",), [[1], [2], [3]], id="a single column"),
        pytest.param({"inputs": {"a": [1, 2], "b": [3, 4, 5]}}, ("a[0]", "a[1]", "b[0]", "b[1]", "b[2]"),
                     [[1, 2, 3, 4, 5]], id="columns of several lengths are one row"),
        pytest.param({"inputs": {"a": [1, 2], "b": 3}}, ("a[0]", "a[1]", "b"), [[1, 2, 3]],
                     id="a column and a number are one row"),
        pytest.param({"inputs": {"a": [], "b": []}}, (), [], id="no rows in columns"),
        pytest.param({"inputs": [[1, 2], [3, 4]]}, ("inputs[0]", "inputs[1]"), [[1, 2], [3, 4]], id="the only column"),
        pytest.param({"inputs": [1.0, 2.0]}, ("inputs",), [[1.0], [2.0]], id="numbers of the only column"),
        pytest.param({"inputs": 3.5}, ("inputs",), [[3.5]], id="a number"),
        pytest.param({"instances": [{"image": {"b64": "aGVsbG8="}, "c": 1}, {"image": {"b64": "aGk="}, "c": 2}]},
                     ("image", "c"), [[{"bytes": 5}, 1], [{"bytes": 2}, 2]], id="bytes in rows"),
        pytest.param({"instances": [{"b64": "aGVsbG8="}, {"b64": "aGk="}]}, ("0",), [[{"bytes": 5}], [{"bytes": 2}]],
                     id="rows that are bytes"),
        pytest.param({"inputs": {"image": [{"b64": "aGVsbG8="}, {"b64": "aGk="}]}}, ("image",),
                     [[{"bytes": 5}], [{"bytes": 2}]], id="bytes in a column"),
        pytest.param({"signature_name": "s", "instances": [{"user_id": 7, "password": "x", "a": 1}]}, ("a",), [[1]],
                     id="ids and credentials"),
    ],
)  # fmt: skip
def test_predict_requests_become_rows(exchange: Make, request_: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange(request_, {"predictions": [1]}, path=PREDICT))

    assert decoded.protocol == "tf_serving"
    assert features(decoded) == (names, values)
    assert decoded.model == "fish"


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        pytest.param({"outputs": {"x": [1, 2], "p": [[0.1, 0.9], [0.6, 0.4]]}}, ("x", "p[0]", "p[1]"),
                     [[1, 0.1, 0.9], [2, 0.6, 0.4]], id="columns"),
        pytest.param({"outputs": [[0.5], [0.7]]}, ("outputs",), [[0.5], [0.7]], id="vectors of the only column"),
        pytest.param({"outputs": [0.5, 0.7]}, ("outputs",), [[0.5], [0.7]], id="numbers of the only column"),
        pytest.param({"predictions": [{"c": "a"}, {"c": "b"}]}, ("c",), [["a"], ["b"]], id="rows"),
        pytest.param(b'{"outputs": [NaN, -Infinity]}', ("outputs",), [[pytest.approx(float("nan"), nan_ok=True)],
                     [float("-inf")]], id="no finite numbers"),
    ],
)  # fmt: skip
def test_answers_become_outputs(exchange: Make, answer: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange({"inputs": {"a": [1, 2]}}, answer, path=PREDICT))

    assert outputs(decoded) == (names, values)


def test_the_only_row_may_be_answered_with_a_vector(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"inputs": {"a": [1], "b": [2]}}, {"outputs": [0.2, 0.8]}, path=PREDICT))

    assert outputs(decoded) == (("outputs[0]", "outputs[1]"), [[0.2, 0.8]])


@pytest.mark.parametrize("key", ["results", "result"])
def test_examples_share_their_context_and_are_classified_by_the_best_score(exchange: Make, key: str) -> None:
    answer = {key: [[["cat", 0.7], ["bird", 0.3]], [["cat", 0.1], ["bird", 0.9]]]}
    request = {"signature_name": "s", "context": {"season": "winter"}, "examples": EXAMPLES}

    decoded = decode_exchange(exchange(request, answer, path="/v1/models/animals/versions/2:classify"))

    assert features(decoded) == (("season", "legs", "tail"), [["winter", 4, 1], ["winter", 2, 0]])
    assert outputs(decoded) == (("label", "score"), [["cat", 0.7], ["bird", 0.9]])
    assert (decoded.model, decoded.version) == ("animals", "2")
    assert decoded.params == {"signature_name": "s"}


@pytest.mark.parametrize(
    ("answer", "name", "values"),
    [
        ({"result": [0.5, 0.7]}, "result", [[0.5], [0.7]]),
        ({"results": [0.5, 0.7]}, "results", [[0.5], [0.7]]),
        ({"results": [[["cat"]], [["dog"]]]}, "results", [[[["cat"]]], [[["dog"]]]]),
    ],
    ids=["as documented", "as the example has it", "no pairs"],
)
def test_examples_are_regressed(exchange: Make, answer: object, name: str, values: Rows) -> None:
    decoded = decode_exchange(exchange({"examples": EXAMPLES}, answer, path="/v1/models/animals:regress"))

    assert features(decoded) == (("legs", "tail"), [[4, 1], [2, 0]])
    assert outputs(decoded) == ((name,), values)


def test_a_context_is_not_multiplied_beyond_the_limit_of_cells(exchange: Make) -> None:
    request = {"context": {"a": [0.5] * 20_000, "b": {"c": 1}}, "examples": [{"x": 1}] * 100}

    decoded = decode_exchange(exchange(request, {"results": []}, path="/v1/models/animals:regress"))

    assert decoded.rows == 6
    assert "over_limit" in decoded.flags


def test_an_error_fails_the_prediction_and_keeps_its_rows(exchange: Make) -> None:
    decoded = decode_exchange(
        exchange({"inputs": [[1.0]]}, {"error": "no such servable: fish"}, path=PREDICT, status=404)
    )

    assert features(decoded) == (("inputs",), [[1.0]])
    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == ("client", "no such servable: fish")


@pytest.mark.parametrize("request_", [{"signature_name": "s"}, {"examples": {"a": 1}}, [1]], ids=str)
def test_a_body_of_another_layout_is_refused(exchange: Make, request_: object) -> None:
    decoded = decode_exchange(exchange(request_, {"y": 1}, path="/v1/models/fish:classify"))

    assert decoded.undecodable == "unknown_layout"
