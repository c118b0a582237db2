"""Payloads of kinds that were read wrongly, an example and variations of each: the table to make of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Exchange

Make = Callable[..., Exchange]
Rows = list[dict[str, Any]]
PROBLEM = {"content-type": "application/problem+json"}
MSGPACK = {"content-type": "application/msgpack"}


def arrow_stream(columns: Mapping[str, Sequence[Any]]) -> bytes:
    table: Any = pa.table(dict(columns))
    buffer: Any = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    written: bytes = buffer.getvalue().to_pybytes()
    return written


def rows(sheet: Sheet | None) -> Rows | None:
    """The rows of *sheet* by name; None where there is none."""
    return None if sheet is None else [dict(zip(sheet.names, row, strict=True)) for row in sheet.values]


@pytest.mark.parametrize(
    ("request_body", "headers", "reason"),
    [
        pytest.param(b'{"a": 1, "b": ', None, "invalid_json", id="JSON"),
        pytest.param(b'{"a": 1}\n{"a"', {"content-type": "application/jsonlines"}, "invalid_json", id="lines of JSON"),
        pytest.param(msgspec.msgpack.encode([1, 2])[:-1], MSGPACK, "invalid_body", id="msgpack"),
        pytest.param(
            b"--B\r\nContent-Disposition: form-data; name=x\r\n\r\n1",
            {"content-type": "multipart/form-data; boundary=B"},
            "invalid_body",
            id="a form of parts",
        ),
    ],
)
@pytest.mark.parametrize("missing", [0, 9], ids=["all kept", "a part kept"])
def test_truncated_is_what_we_cut_alone(
    exchange: Make, request_body: bytes, headers: Mapping[str, str] | None, reason: str, missing: int
) -> None:
    decoded = decode_exchange(exchange(request_body, {"y": 1}, headers=headers, missing_bytes=missing, status=422))

    assert decoded.undecodable == ("truncated" if missing else reason)
    assert ("truncated" in decoded.flags) == (missing > 0)


@pytest.mark.parametrize(
    ("request_body", "headers"),
    [
        pytest.param(
            msgspec.msgpack.encode([{"a": b"\x00\xff", "n": 1}, {"a": b"", "n": 2}, {"a": b"ab", "n": 3}]),
            MSGPACK,
            id="msgpack",
        ),
        pytest.param(
            msgspec.msgpack.encode({"rows": [{"a": b"text", "n": 1}, {"a": b"\xff", "n": 2}, {"a": b"", "n": 3}]}),
            MSGPACK,
            id="msgpack under a key",
        ),
        pytest.param(
            arrow_stream({"a": [b"ab", b"", b"\xff"], "n": [1, 2, 3]}),
            {"content-type": "application/vnd.apache.arrow.stream"},
            id="a column of Arrow",
        ),
    ],
)
def test_bytes_stay_bytes_whatever_they_are(exchange: Make, request_body: bytes, headers: Mapping[str, str]) -> None:
    decoded = decode_exchange(exchange(request_body, [1, 2, 3], headers=headers))

    assert [set(row["a"]) for row in rows(decoded.features) or []] == [{"bytes"}] * 3
    assert "mixed_type" not in decoded.flags


@pytest.mark.parametrize(
    ("healthy", "answer"),
    [
        ({"result": {"label": 1, "score": 0.5}}, {"result": {"error": "text is empty", "label": -1, "score": 0.0}}),
        (
            {"prediction": {"success": True, "message": "", "score": 0.5}},
            {"prediction": {"success": False, "message": "no text", "score": 0.0}},
        ),
        (
            {"data": {"status": "fine", "detail": "", "label": "a"}},
            {"data": {"status": "error", "detail": "no text", "label": ""}},
        ),
        ({"out": {"ok": True, "reason": "", "y": 1}}, {"out": {"ok": False, "reason": "no text", "y": -1}}),
        ({"predictions": [{"errorMessage": None, "y": 1}]}, {"predictions": [{"errorMessage": "no text", "y": -1}]}),
        ([{"error": None, "y": 1}], [{"error": {"code": 3, "message": "no text"}, "y": -1}]),
        ({"status": 200, "message": "", "y": 1}, {"status": 500, "message": "no model", "y": -1}),
        ({"success": True, "y": 1}, {"success": False, "y": -1}),
    ],
    ids=str,
)
@pytest.mark.parametrize("usual", [0, 40], ids=["alone", "with a plan"])
def test_a_failure_is_found_in_the_first_two_levels_of_an_answer(
    exchange: Make, healthy: Any, answer: Any, usual: int
) -> None:
    decoder = Decoder(model="", version="")
    for _ in range(2):
        decoder.decode([exchange({"text": "x"}, healthy)] * usual)

    decoded = decode_exchange(exchange({"text": "x"}, answer))
    batch = decoder.decode([exchange({"text": "x"}, answer)])

    assert decoded.error is not None
    assert decoded.error.kind == "model"
    assert decoded.outputs is None
    assert batch.failures == [(0, "model")]
    assert [prediction.outputs.rows for prediction in batch.predictions] == []


@pytest.mark.parametrize(
    "answer",
    [
        {"result": {"success": False, "probability": 0.2}},
        {"result": {"error": 0.03, "value": 1.5}},
        {"result": {"error": "none", "value": 1.5}},
        {"result": {"ok": False, "confidence": 0.9}},
    ],
    ids=str,
)
def test_what_a_model_says_of_success_is_no_failure_without_a_message(exchange: Make, answer: Any) -> None:
    assert decode_exchange(exchange({"text": "x"}, answer)).error is None


def test_rows_of_a_batch_that_failed_alone_are_no_answers(exchange: Make) -> None:
    answers = [{"label": 1, "score": 0.9}, {"error": "empty", "label": -1, "score": 0.0}, {"label": 0, "score": 0.8}]

    decoded = decode_exchange(exchange([{"x": "a"}, {"x": ""}, {"x": "c"}], {"predictions": answers}))

    assert rows(decoded.outputs) == [
        {"label": 1, "score": 0.9},
        {"label": None, "score": None},
        {"label": 0, "score": 0.8},
    ]
    assert "error_in_200" in decoded.flags


@pytest.mark.parametrize(
    ("status", "answer", "fields"),
    [
        pytest.param(
            422, {"title": "Unprocessable Content", "status": 422, "detail": "a must not be null"}, (), id="9457"
        ),
        pytest.param(
            422,
            {"type": "/problems/input", "title": "No.", "errors": [{"detail": "must be positive", "pointer": "#/a"}]},
            ("a",),
            id="9457 with pointers",
        ),
        pytest.param(
            400,
            {"title": "Your request is invalid.", "invalid-params": [{"name": "a", "reason": "must be positive"}]},
            ("a",),
            id="7807 with parameters",
        ),
        pytest.param(400, {"title": "Bad", "status": 400, "errors": {"Age": ["is required"]}}, ("Age",), id="ASP.NET"),
        pytest.param(422, {"errors": {"json": {"a": ["Missing data."]}}}, ("a",), id="marshmallow"),
        pytest.param(
            400,
            {"status_code": 400, "detail": "Validation failed", "extra": [{"message": "no int", "key": "a"}]},
            ("a",),
            id="Litestar",
        ),
        pytest.param(422, [{"loc": ["body", 1, "a"], "msg": "no int", "type": "int"}], ("a",), id="a bare list"),
    ],
)
def test_what_a_validator_refused_is_a_validation(
    exchange: Make, status: int, answer: Any, fields: Sequence[str]
) -> None:
    decoded = decode_exchange(exchange({"a": None}, answer, status=status, answer_headers=PROBLEM))

    assert decoded.error is not None
    assert (decoded.error.kind, decoded.error.fields) == ("validation", tuple(fields))


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, {"title": "Not Found", "status": 404}),
        (400, {"title": "Bad Request", "status": 400}),
        (429, {"errors": {"a": ["x"]}}),
    ],
    ids=["not found", "a bad request", "a limit"],
)
def test_other_problems_of_clients_are_no_validation(exchange: Make, status: int, answer: Any) -> None:
    decoded = decode_exchange(exchange({"a": 1}, answer, status=status, answer_headers=PROBLEM))

    assert decoded.error is not None
    assert decoded.error.kind == "client"


@pytest.mark.parametrize(
    ("path", "asked", "answer", "features", "model"),
    [
        pytest.param("/v1/models/credit:explain", {"instances": [[52, 3]]}, {"explanations": [[0.1, 0.9]]},
                     [{"0": 52, "1": 3}], "credit", id="KServe"),
        pytest.param("/v2/models/credit/explain",
                     {"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [5]}]},
                     {"outputs": [{"name": "e", "shape": [1], "datatype": "BYTES", "data": ["{}"]}]},
                     [{"x": 5}], "credit", id="Open Inference"),
        pytest.param("/v1/projects/p/locations/l/endpoints/7:explain", {"instances": [{"age": 4}]},
                     {"explanations": [{}], "predictions": [1]}, [{"age": 4}], "", id="Vertex AI"),
        pytest.param("/explain", {"age": 4}, {"shap_values": [0.1]}, [{"age": 4}], "", id="an app of its own"),
    ],
)  # fmt: skip
def test_an_explanation_has_features_and_no_outputs(
    exchange: Make, *, path: str, asked: Any, answer: Any, features: Rows, model: str
) -> None:
    decoded = decode_exchange(exchange(asked, answer, path=path))
    batch = Decoder(model="", version="").decode([exchange(asked, answer, path=path)] * 40)

    assert decoded.is_prediction
    assert (rows(decoded.features), decoded.outputs, decoded.model) == (features, None, model)
    assert [(each.features.rows, each.outputs.rows) for each in batch.predictions] == [(40, 0)]


@pytest.mark.parametrize(
    ("method", "path", "query", "asked", "answer", "features", "outputs"),
    [
        pytest.param("GET", "/summarize", b"text=a+long+text&min_length=3", b"", b"short",
                     [{"text": "a long text", "min_length": "3"}], [{"prediction": "short"}], id="GET"),
        pytest.param("GET", "/translate", b"q=Tag", b"", b"day", [{"q": "Tag"}], [{"prediction": "day"}], id="one field"),
        pytest.param("GET", "/price", b"rooms=3", b"", b"12.5", [{"rooms": "3"}], [{"prediction": 12.5}], id="a number"),
        pytest.param("POST", "/summarize", b"", {"text": "a long text"}, b"short",
                     [{"text": "a long text"}], [{"prediction": "short"}], id="POST"),
        pytest.param("POST", "/summarize", b"text=long", b"", b"short",
                     [{"text": "long"}], [{"prediction": "short"}], id="POST with a query alone"),
    ],
)  # fmt: skip
def test_plain_text_is_the_answer_to_a_request_with_features(
    exchange: Make, *, method: str, path: str, query: bytes, asked: Any, answer: bytes, features: Rows, outputs: Rows
) -> None:
    text = {"content-type": "text/plain; charset=utf-8"}
    decoded = decode_exchange(exchange(asked, answer, method=method, path=path, query=query, answer_headers=text))

    assert decoded.is_prediction
    assert (rows(decoded.features), rows(decoded.outputs)) == (features, outputs)


@pytest.mark.parametrize("path", ["/health", "/ping", "/metrics", "/healthz", "/metrics/"])
def test_plain_text_of_the_plumbing_is_no_prediction(exchange: Make, path: str) -> None:
    text = {"content-type": "text/plain"}

    assert not decode_exchange(
        exchange(b"", b"ok", method="GET", path=path, query=b"v=1", answer_headers=text)
    ).is_prediction
