from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
PATH = "/score"
BLUE = {"content-type": "application/json", "azureml-model-deployment": "blue"}
SPLIT = {"columns": ["age", "bmi"], "index": [0, 1], "data": [[59, 32.1], [48, 21.6]]}


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "names", "values"),
    [
        ({"input_data": SPLIT}, ("age", "bmi"), [[59, 32.1], [48, 21.6]]),
        ({"input_data": {"columns": ["text"], "data": [["a"], ["b"]]}}, ("text",), [["a"], ["b"]]),
        ({"input_data": [[1, 2], [3, 4]]}, ("input_data[0]", "input_data[1]"), [[1, 2], [3, 4]]),
        ({"input_data": [{"a": 1}, {"a": 2}]}, ("a",), [[1], [2]]),
        ({"input_data": ["a", "b"]}, ("input_data",), [["a"], ["b"]]),
        ({"input_data": {"a": [1, 2], "b": [3, 4]}}, ("a", "b"), [[1, 3], [2, 4]]),
        ({"Inputs": {"data": [{"a": 1}, {"a": 2}]}, "GlobalParameters": {"method": "predict"}}, ("a",), [[1], [2]]),
        ({"Inputs": [{"a": 1}, {"a": 2}], "GlobalParameters": 1.0}, ("a",), [[1], [2]]),
        ({"Inputs": {"input1": [{"a": 1}, {"a": 2}]}, "GlobalParameters": {}}, ("a",), [[1], [2]]),
        ({"data": [[1, 2], [3, 4]]}, ("data[0]", "data[1]"), [[1, 2], [3, 4]]),
        ({"data": [{"a": 1}, {"a": 2}], "method": "predict"}, ("a",), [[1], [2]]),
    ],
    ids=["split", "split without index", "a matrix", "records", "texts", "columns", "AutoML", "AutoML, bare",
         "the designer's", "older", "older with a method"],
)  # fmt: skip
def test_requests_become_rows(exchange: Make, request_: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange(request_, [0, 1], path=PATH, answer_headers=BLUE))

    assert decoded.protocol == "azureml"
    assert features(decoded) == (names, values)
    assert outputs(decoded) == (("prediction",), [[0], [1]])
    assert decoded.version == "blue"


def test_an_object_of_scalars_is_one_row(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"input_data": {"a": 1, "b": "x"}, "k": 2}, {"y": 0.5}, path=PATH))

    assert features(decoded) == (("a", "b"), [[1, "x"]])
    assert outputs(decoded) == (("y",), [[0.5]])
    assert decoded.params == {"k": 2}


def test_the_index_holds_the_ids_of_the_rows(exchange: Make) -> None:
    assert decode_exchange(exchange({"input_data": SPLIT}, [1.5, 2.5], path=PATH)).row_ids == (0, 1)


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        ({"result": [0, 1]}, ("result",), [[0], [1]]),
        ({"Results": [0, 1]}, ("prediction",), [[0], [1]]),
        (b'"[0, 1]"', ("prediction",), [[0], [1]]),
        (b'"{\\"result\\": [0, 1]}"', ("result",), [[0], [1]]),
        (b'"{cut"', ("prediction",), [["{cut"]]),
        (b'"fine"', ("prediction",), [["fine"]]),
    ],
    ids=["an object", "AutoML", "a list in a text", "an object in a text", "a text like an object", "a text"],
)
def test_answers_become_outputs(exchange: Make, answer: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange({"input_data": SPLIT}, answer, path=PATH))

    assert outputs(decoded) == (names, values)


@pytest.mark.parametrize(
    ("asked", "values", "text"),
    [
        ("hi there", [["hi there"]], "hi there"),
        (["hi there"], [["hi there"]], "hi there"),
        (["hi", "you"], [["hi"], ["you"]], "hi"),
        ([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"},
          {"role": "user", "content": [{"type": "text", "text": "last"}]}], [["last"]], "last"),
    ],
    ids=["a text", "a list of one", "texts", "a conversation"],
)  # fmt: skip
def test_a_text_with_parameters_asks_a_language_model(exchange: Make, asked: object, values: Rows, text: str) -> None:
    request = {"input_data": {"input_string": asked, "parameters": {"temperature": 0.2}}}

    decoded = decode_exchange(exchange(request, {"output": "yo"}, path=PATH))

    assert features(decoded) == (("input_string",), values)
    assert outputs(decoded)[0] == ("output",)
    assert decoded.params == {"temperature": 0.2}
    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == (text, "yo")


def test_what_is_no_text_was_not_written(exchange: Make) -> None:
    request = {"input_data": {"input_string": "hi"}}

    written = decode_exchange(exchange(request, {"output": 3}, path=PATH)).generation
    failed = decode_exchange(exchange(request, {"detail": "no"}, path=PATH, status=500)).generation

    assert written is not None
    assert failed is not None
    assert (written.output_text, failed.output_text) == ("", "")


@pytest.mark.parametrize(
    ("status", "answer", "type_", "kind", "detail"),
    [
        (424, b"Traceback: boom", "text/plain", "server", "Traceback: boom"),
        (200, b'"{\\"error\\": \\"no model\\"}"', "application/json", "model", "no model"),
        (400, {"message": "bad input"}, "application/json", "client", "bad input"),
    ],
    ids=["the model raised", "inside a text inside a 200", "JSON"],
)
@pytest.mark.parametrize("request_", [{"input_data": SPLIT}, {"data": [[1]]}], ids=["split", "older"])
def test_failures_are_told(
    exchange: Make, *, request_: object, status: int, answer: object, type_: str, kind: str, detail: str
) -> None:
    decoded = decode_exchange(
        exchange(request_, answer, path=PATH, status=status, answer_headers={"content-type": type_})
    )

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == (kind, detail)
    assert decoded.outputs is None
    assert decoded.features is not None


def test_the_header_alone_names_the_deployment_of_plain_json(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"age": 3}, {"y": 1}, path="/predict", answer_headers=BLUE), version="0")

    assert (decoded.protocol, decoded.version) == ("azureml", "blue")
    assert features(decoded) == (("age",), [[3]])


@pytest.mark.parametrize("request_", [{"age": 3}, {"data": 3}, {"data": [1], "k": 2}, {"input_data": 3}], ids=str)
def test_other_bodies_under_its_path_are_plain_json(exchange: Make, request_: object) -> None:
    assert decode_exchange(exchange(request_, {"y": 1}, path=PATH)).protocol == "plain"


def test_the_designers_inputs_and_outputs_have_names(exchange: Make) -> None:
    asked = {"Inputs": {"WebServiceInput0": [{"a": 1}, {"a": 2}]}, "GlobalParameters": {}}
    answer = {"Results": {"WebServiceOutput0": [{"a": 1, "Scored Labels": 1}, {"a": 2, "Scored Labels": 0}]}}

    decoded = decode_exchange(exchange(asked, answer, path=PATH))

    assert features(decoded) == (("a",), [[1], [2]])
    assert outputs(decoded) == (("Scored Labels",), [[1], [0]])
