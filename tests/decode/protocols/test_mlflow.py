from collections.abc import Callable

import pytest

from dashlight.decode.exchange import Decoded, decode_exchange
from dashlight.records import Cell, Exchange

Make = Callable[..., Exchange]
Rows = list[list[Cell]]
PATH = "/invocations"
SPLIT = {"columns": ["alcohol", "ph", "style"], "index": [7, 9], "data": [[12.8, 3.1, "red"], [9.4, None, "white"]]}


def features(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.features is not None
    return (decoded.features.names, [list(row) for row in decoded.features.values])


def outputs(decoded: Decoded) -> tuple[tuple[str, ...], Rows]:
    assert decoded.outputs is not None
    return (decoded.outputs.names, [list(row) for row in decoded.outputs.values])


@pytest.mark.parametrize(
    ("request_", "names", "values"),
    [
        pytest.param({"dataframe_split": SPLIT}, ("alcohol", "ph", "style"), [[12.8, 3.1, "red"], [9.4, None, "white"]],
                     id="split"),
        pytest.param({"dataframe_split": {"data": [[1, 2], [3, 4]]}}, ("0", "1"), [[1, 2], [3, 4]],
                     id="split without names"),
        pytest.param({"dataframe_split": {"columns": ["a", "b"], "data": [[1], [3, 4, 5]]}}, ("a", "b", "2"),
                     [[1, None, None], [3, 4, 5]], id="split and ragged"),
        pytest.param({"dataframe_split": {"columns": [["a", 1], ["a", 2]], "data": [[1, 2], [3, 4]]}},
                     ("a.1", "a.2"), [[1, 2], [3, 4]], id="names of two levels"),
        pytest.param({"dataframe_split": {"columns": ["a", "api_key"], "data": [[1, "s"], [2, "s"]]}}, ("a",),
                     [[1], [2]], id="a credential among the names"),
        pytest.param({"dataframe_split": {"columns": ["a"], "data": []}}, (), [], id="an empty table"),
        pytest.param({"dataframe_records": [{"a": 1, "b": None}, {"a": 2}]}, ("a", "b"), [[1, None], [2, None]],
                     id="records"),
        pytest.param({"instances": [[1, 2], [3, 4]]}, ("0", "1"), [[1, 2], [3, 4]], id="instances"),
        pytest.param({"inputs": {"x": [1.0, 2.0], "z": ["a", "b"]}}, ("x", "z"), [[1.0, "a"], [2.0, "b"]],
                     id="inputs of columns"),
        pytest.param({"inputs": {"q": "x", "n": 3}}, ("q", "n"), [["x", 3]], id="inputs of one row"),
        pytest.param({"inputs": [[1, 2], [3, 4]]}, ("inputs[0]", "inputs[1]"), [[1, 2], [3, 4]], id="a tensor"),
        pytest.param({"inputs": [5, 6]}, ("inputs",), [[5], [6]], id="numbers with as many answers"),
        pytest.param({"inputs": [5, 6, 7]}, ("inputs[0]", "inputs[1]", "inputs[2]"), [[5, 6, 7]], id="a vector"),
        pytest.param({"inputs": ["fine", "awful"]}, ("inputs",), [["fine"], ["awful"]], id="texts"),
        pytest.param({"inputs": "fine"}, ("inputs",), [["fine"]], id="a text"),
        pytest.param({"instances": [{"image": {"b64": "aGk="}}]}, ("image",), [[{"bytes": 2}]], id="bytes"),
    ],
)  # fmt: skip
def test_scoring_requests_become_rows(exchange: Make, request_: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange(request_, {"predictions": [6.1, 5.2]}, path=PATH))

    assert decoded.protocol == "mlflow"
    assert features(decoded) == (names, values)


def test_a_split_table_may_be_bare(exchange: Make) -> None:
    decoded = decode_exchange(exchange(SPLIT, [6.1, 5.2], path=PATH))

    assert decoded.protocol == "mlflow"
    assert features(decoded)[0] == ("alcohol", "ph", "style")
    assert outputs(decoded) == (("prediction",), [[6.1], [5.2]])


@pytest.mark.parametrize(
    ("inputs", "answer", "names", "values"),
    [
        ("fine", [{"label": "N", "score": 0.1}, {"label": "P", "score": 0.9}], ("label", "score"), [["P", 0.9]]),
        ("fine", {"sequence": "fine", "labels": ["x", "y"], "scores": [0.2, 0.8]}, ("label", "score"), [["y", 0.8]]),
        (["a", "b"], [[0.5] * 384, [0.7] * 384], ("embedding",), [[[0.5] * 384], [[0.7] * 384]]),
    ],
    ids=["labels", "zero-shot", "embeddings"],
)
def test_texts_whose_answer_is_not_wrapped_were_asked_of_hugging_face(
    exchange: Make, inputs: object, answer: object, names: tuple[str, ...], values: Rows
) -> None:
    decoded = decode_exchange(exchange({"inputs": inputs}, answer, path=PATH))

    assert outputs(decoded) == (names, values)


@pytest.mark.parametrize(
    ("predictions", "names", "values"),
    [
        ([6.1, 5.2], ("predictions",), [[6.1], [5.2]]),
        ([{"0": 6.1}, {"0": 5.2}], ("0",), [[6.1], [5.2]]),
        ([{"label": 0, "p": [0.9, 0.1]}, {"label": 1, "p": [0.2, 0.8]}], ("label", "p[0]", "p[1]"),
         [[0, 0.9, 0.1], [1, 0.2, 0.8]]),
        ([[0.9, 0.1], [0.2, 0.8]], ("predictions[0]", "predictions[1]"), [[0.9, 0.1], [0.2, 0.8]]),
        ({"label": [0, 1], "p": [0.9, 0.8]}, ("label", "p"), [[0, 0.9], [1, 0.8]]),
        ("text", ("predictions",), [["text"]]),
    ],
    ids=["a list", "a series", "a data frame", "an array", "columns", "a scalar"],
)  # fmt: skip
def test_predictions_become_outputs(exchange: Make, predictions: object, names: tuple[str, ...], values: Rows) -> None:
    decoded = decode_exchange(exchange({"dataframe_split": SPLIT}, {"predictions": predictions}, path=PATH))

    assert outputs(decoded) == (names, values)


def test_the_index_of_a_split_table_holds_the_ids_of_its_rows(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"dataframe_split": SPLIT}, {"predictions": [1, 2]}, path=PATH))

    assert decoded.row_ids == (7, 9)
    assert decoded.flags == {"null"}


@pytest.mark.parametrize("index", [[7], [[1, 2], [3, 4]], None], ids=["too short", "of two levels", "null"])
def test_an_index_that_names_no_rows_is_passed_over(exchange: Make, index: object) -> None:
    decoded = decode_exchange(exchange({"dataframe_split": {**SPLIT, "index": index}}, {"predictions": [1, 2]}))

    assert decoded.rows == 2
    assert decoded.row_ids == ()


def test_a_ragged_table_is_flagged_as_ragged(exchange: Make) -> None:
    request = {"dataframe_split": {"columns": ["a", "b"], "data": [[1], [3, 4]]}}

    assert decode_exchange(exchange(request, {"predictions": [1, 2]})).flags == {"null", "ragged"}


def test_parameters_are_told_without_credentials(exchange: Make) -> None:
    request = {"dataframe_records": [{"a": 1}], "params": {"k": 3, "api_key": "x", "deep": {"token": "y"}}}

    decoded = decode_exchange(exchange(request, {"predictions": [1]}, path=PATH))

    assert decoded.params == {"k": 3, "deep": {"token": "[redacted]"}}


def test_a_chat_is_one_row_of_the_last_question_and_its_answer_is_not_wrapped(exchange: Make) -> None:
    request = {
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Name a colour"}],
        "temperature": 0.1,
    }
    answer = {
        "id": "c1",
        "model": "m-small",
        "choices": [{"message": {"role": "assistant", "content": "Blue."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    }

    decoded = decode_exchange(exchange(request, answer, path=PATH))

    assert (decoded.protocol, decoded.rows) == ("mlflow", 1)
    assert outputs(decoded)[1][0][0] == "Blue."
    assert (decoded.model, decoded.request_id, decoded.params) == ("m-small", "c1", {"temperature": 0.1})
    assert decoded.generation is not None
    assert decoded.generation.input_text == "Name a colour"
    assert decoded.generation.output_text == "Blue."
    assert decoded.generation.finish == ("stop",)
    assert decoded.generation.usage == {"input": 9, "output": 4, "total": 13}


@pytest.mark.parametrize(
    ("request_", "answer", "rows", "asked", "written"),
    [
        ({"prompt": "Hi"}, {"choices": [{"text": "yo", "finish_reason": "length"}]}, 1, "Hi", "yo"),
        ({"input": "Hi"}, {"object": "response", "output": [{"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": "yo"}]}]}, 1, "Hi", "yo"),
    ],
    ids=["a completion", "a response"],
)  # fmt: skip
def test_other_questions_to_a_language_model_are_rows_too(
    exchange: Make, *, request_: object, answer: object, rows: int, asked: str, written: str
) -> None:
    decoded = decode_exchange(exchange(request_, answer, path=PATH))

    assert (decoded.protocol, decoded.rows) == ("mlflow", rows)
    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == (asked, written)


@pytest.mark.parametrize("texts", [["a", "b"], "a"], ids=["texts", "a text"])
def test_texts_may_be_asked_for_their_embeddings(exchange: Make, texts: object) -> None:
    rows = [[text] for text in texts]  # type: ignore[attr-defined]
    answer = {"data": [{"index": at, "embedding": [0.5, at]} for at in range(len(rows))]}

    decoded = decode_exchange(exchange({"input": texts}, answer, path=PATH))

    assert features(decoded) == (("input",), rows)
    assert outputs(decoded)[1] == [[[0.5, at]] for at in range(len(rows))]


def test_a_question_that_fails_is_still_told(exchange: Make) -> None:
    decoded = decode_exchange(exchange({"prompt": "Hi"}, {"error_code": "X", "message": "no"}, path=PATH, status=500))

    assert decoded.generation is not None
    assert (decoded.generation.input_text, decoded.generation.output_text) == ("Hi", "")


@pytest.mark.parametrize(
    ("status", "answer", "type_", "kind", "detail"),
    [
        (
            400,
            {"error_code": "BAD_REQUEST", "message": "no field"},
            "application/json",
            "client",
            "BAD_REQUEST; no field",
        ),
        (200, {"error_code": "INTERNAL", "message": "boom"}, "application/json", "model", "INTERNAL; boom"),
        (415, b"This predictor supports", "text/plain", "client", "This predictor supports"),
        (504, b"Timed out", "application/json", "server", "Timed out"),
    ],
    ids=["bad request", "inside a 200", "text", "text that calls itself JSON"],
)
def test_failures_are_told_in_the_servers_words(
    exchange: Make, *, status: int, answer: object, type_: str, kind: str, detail: str
) -> None:
    decoded = decode_exchange(
        exchange({"inputs": [[1]]}, answer, path=PATH, status=status, answer_headers={"content-type": type_})
    )

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.detail) == (kind, detail)


def test_a_body_with_none_of_the_keys_is_plain_json(exchange: Make) -> None:
    assert decode_exchange(exchange({"age": 3}, {"y": 1}, path=PATH)).protocol == "plain"


@pytest.mark.parametrize(
    "request_", [{"dataframe_split": 3}, {"dataframe_records": 3}, {"dataframe_split": {"data": 3}}], ids=str
)
def test_a_table_that_is_none_is_refused(exchange: Make, request_: object) -> None:
    assert decode_exchange(exchange(request_, {"y": 1}, path=PATH)).undecodable == "unknown_layout"
