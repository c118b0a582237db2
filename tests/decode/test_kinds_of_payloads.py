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
from dashlight.window.facets.label_counts import completed
from dashlight.window.reference.learning import Learning

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
        ({"is_success": True, "message": "", "y": 1}, {"is_success": False, "message": "no text", "y": -1}),
        ({"out": {"isSuccess": True, "message": "", "y": 1}}, {"out": {"isSuccess": False, "message": "x", "y": -1}}),
        ({"Error": None, "Prediction": 1}, {"Error": "no text", "Prediction": -1}),
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
        pytest.param(
            400, {"type": "about:blank", "status": 400, "detail": "Invalid request content."}, (), id="Spring's"
        ),
        pytest.param(400, {"message": "no", "errors": {"a": "None is no integer"}}, ("a",), id="Flask-RESTX"),
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


FOUND = [{"entity_group": "PER", "score": 0.98, "word": "Bo", "start": 0, "end": 2},
         {"entity_group": "LOC", "score": 0.5, "word": "Rome", "start": 13, "end": 17}]  # fmt: skip
BOXES = [{"class": "leaf", "confidence": 0.8, "x": 3, "y": 4, "width": 4, "height": 4},
         {"class": "leaf", "confidence": 0.4, "x": 1.5, "y": 1.5, "width": 3, "height": 3}]  # fmt: skip
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9"
STREAM = {"content-type": "application/octet-stream"}


@pytest.mark.parametrize(
    ("asked", "headers", "answer", "shorter", "outputs"),
    [
        pytest.param({"inputs": "Bo met Li in Rome"}, None, FOUND, FOUND[:1],
                     {"prediction.count": 2, "prediction.count[PER]": 1, "prediction.count[LOC]": 1,
                      "prediction.score.mean": 0.74, "prediction.score.lowest": 0.5}, id="spans of a text"),
        pytest.param({"inputs": ["Bo", "Rome"]}, None, [FOUND, FOUND[:1]], [FOUND[:1], FOUND],
                     {"prediction.count": 2, "prediction.count[PER]": 1, "prediction.count[LOC]": 1,
                      "prediction.score.mean": 0.74, "prediction.score.lowest": 0.5}, id="spans of texts"),
        pytest.param({"text": "Bo met Li"}, None,
                     {"ents": [{"text": "Bo", "label": "P", "start_char": 0, "end_char": 2}] * 2},
                     {"ents": [{"text": "Bo", "label": "P", "start_char": 0, "end_char": 2}]},
                     {"ents.count": 2, "ents.count[P]": 2}, id="spans without scores"),
        pytest.param(JPEG, STREAM,
                     {"boxes": [[1, 2, 5, 6], [0, 0, 3, 3]], "labels": ["leaf", "leaf"], "scores": [0.8, 0.4]},
                     {"boxes": [[1, 2, 5, 6]], "labels": ["leaf"], "scores": [0.8]},
                     {"count": 2, "count[leaf]": 2, "score.mean": 0.6, "score.lowest": 0.4,
                      "box.area": 12.5, "box.x": 2.25, "box.y": 2.75}, id="boxes side by side"),
        pytest.param(JPEG, STREAM, {"predictions": BOXES}, {"predictions": BOXES[:1]},
                     {"predictions.count": 2, "predictions.count[leaf]": 2, "predictions.score.mean": 0.6,
                      "predictions.score.lowest": 0.4, "predictions.box.area": 12.5, "predictions.box.x": 2.25,
                      "predictions.box.y": 2.75}, id="boxes in objects"),
        pytest.param({"instances": [{"b64": "AAAA"}]}, None,
                     {"predictions": [{"detection_boxes": [[0, 0, 1, 1], [0, 0, 0, 0]], "num_detections": 1.0,
                                       "detection_classes": [7.0, 1.0], "detection_scores": [0.9, 0.0]}]},
                     {"predictions": [{"detection_boxes": [[0, 0, 1, 1], [0, 0, 0, 0]], "num_detections": 1.0,
                                       "detection_classes": [7.0, 1.0], "detection_scores": [0.9, 0.0]}]},
                     {"count": 1, "count[7]": 1, "score.mean": 0.9, "score.lowest": 0.9, "box.area": 1, "box.x": 0.5,
                      "box.y": 0.5}, id="boxes of TensorFlow's detectors"),
        pytest.param({"user": 1}, None, {"items": [{"id": 3, "score": 0.9}, {"id": 5, "score": 0.4}]},
                     {"items": [{"id": 3, "score": 0.9}]},
                     {"items": ["3", "5"], "items.count": 2, "items.top_score": 0.9, "items.score_spread": 0.5},
                     id="a ranking"),
        pytest.param({"query": "x", "top": 2}, None,
                     {"results": [{"title": "a", "similarity": 0.75}, {"title": "b", "similarity": 0.5}]},
                     {"results": [{"title": "a", "similarity": 0.75}]},
                     {"results": ["a", "b"], "results.count": 2, "results.top_score": 0.75, "results.score_spread": 0.25},
                     id="a search"),
        pytest.param({"user": 1}, None, {"data": {"recommendations": [{"sku": "a", "score": 3}, {"sku": "b", "score": 1}]}},
                     {"data": {"recommendations": [{"sku": "a", "score": 3}]}},
                     {"data.recommendations": ["a", "b"], "data.recommendations.count": 2,
                      "data.recommendations.top_score": 3, "data.recommendations.score_spread": 2},
                     id="a nested ranking"),
        pytest.param({"user": 1}, None, [{"id": 3, "score": 0.9}, {"id": 5, "score": 0.4}], [{"id": 3, "score": 0.9}],
                     {"prediction": ["3", "5"], "prediction.count": 2, "prediction.top_score": 0.9,
                      "prediction.score_spread": 0.5}, id="a bare ranking"),
        pytest.param({"query": "x"}, None, {"hits": [{"_id": "a", "_score": 2.5}, {"_id": "b", "_score": 1}]}, {"hits": [{"_id": "a", "_score": 2.5}]},
                     {"hits": ["a", "b"], "hits.count": 2, "hits.top_score": 2.5,
                      "hits.score_spread": 1.5}, id="hits of a search engine"),
        pytest.param({"query": "x"}, None, {"hits": {"hits": [{"_index": "i", "_id": "a", "_score": 2.5}, {"_index": "i", "_id": "b", "_score": 1}]}}, {"hits": {"hits": [{"_index": "i", "_id": "a", "_score": 2.5}]}},
                     {"hits.hits": ["a", "b"], "hits.hits.count": 2, "hits.hits.top_score": 2.5,
                      "hits.hits.score_spread": 1.5}, id="nested hits of a search engine"),
        pytest.param({"user": 1}, None, {"found": [{"product": "a", "relevance": 0.75}, {"relevance": 0.5, "product": "b"}]}, {"found": [{"product": "a", "relevance": 0.75}]},
                     {"found": ["a", "b"], "found.count": 2, "found.top_score": 0.75,
                      "found.score_spread": 0.25}, id="products by relevance"),
        pytest.param({"vector": "x"}, None, {"neighbors": [{"id": 1, "dist": 0.25}, {"id": 7, "dist": 0.75}]}, {"neighbors": [{"id": 1, "dist": 0.25}]},
                     {"neighbors": ["1", "7"], "neighbors.count": 2, "neighbors.top_score": 0.25,
                      "neighbors.score_spread": 0.5}, id="neighbours by distance"),
        pytest.param({"user": 1}, None, [["a", 0.75], ["b", 0.5]], [["a", 0.75]],
                     {"prediction": ["a", "b"], "prediction.count": 2, "prediction.top_score": 0.75,
                      "prediction.score_spread": 0.25}, id="bare pairs"),
        pytest.param({"user": 1}, None, {"similar": [[7, 0.75], [9, 0.5]]}, {"similar": [[7, 1]]},
                     {"similar": ["7", "9"], "similar.count": 2, "similar.top_score": 0.75,
                      "similar.score_spread": 0.25}, id="pairs of numbers in a ranking"),
        pytest.param({"user": 1}, None, {"out": {"best": [["a", 0.75], ["b", 0.5]]}}, {"out": {"best": [["a", 0.75]]}},
                     {"out.best": ["a", "b"], "out.best.count": 2, "out.best.top_score": 0.75,
                      "out.best.score_spread": 0.25}, id="nested pairs"),
        pytest.param({"inputs": ["x", "y"]}, None, [[["a", 0.75], ["b", 0.5]], [["c", 0.5]]], [[["a", 0.75]], [["c", 0.5], ["d", 0.25]]],
                     {"prediction": ["a", "b"], "prediction.count": 2, "prediction.top_score": 0.75,
                      "prediction.score_spread": 0.25}, id="pairs for each row"),
        pytest.param({"vector": "a"}, None, {"ids": [3, 5], "distances": [0.25, 0.75]}, {"ids": [3], "distances": [0.25]},
                     {"ids": ["3", "5"], "ids.count": 2, "ids.top_score": 0.25, "ids.score_spread": 0.5},
                     id="neighbours side by side"),
        pytest.param({"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [1]}]}, None,
                     {"outputs": [{"name": "boxes", "shape": [1, 2, 4], "datatype": "FP32", "data": [1, 2, 5, 6, 0, 0, 3, 3]},
                                  {"name": "scores", "shape": [1, 2], "datatype": "FP32", "data": [0.75, 0.25]}]},
                     {"outputs": [{"name": "boxes", "shape": [1, 1, 4], "datatype": "FP32", "data": [1, 2, 5, 6]},
                                  {"name": "scores", "shape": [1, 1], "datatype": "FP32", "data": [0.75]}]},
                     {"count": 2, "score.mean": 0.5, "score.lowest": 0.25, "box.area": 12.5, "box.x": 2.25, "box.y": 2.75},
                     id="tensors of boxes"),
        pytest.param({"image": "x"}, None, [[1, 2, 5, 6, 0.75, 7], [0, 0, 3, 3, 0.25, 7]], [[1, 2, 5, 6, 0.75, 7]],
                     {"prediction.count": 2, "prediction.count[7]": 2, "prediction.score.mean": 0.5, "prediction.score.lowest": 0.25, "prediction.box.area": 12.5, "prediction.box.x": 2.25,
                      "prediction.box.y": 2.75}, id="rows of a detector"),
        pytest.param({"image": "x"}, None, {"output": [[[1, 2, 5, 6, 0.75, 7], [0, 0, 3, 3, 0.25, 7]]]}, {"output": [[[1, 2, 5, 6, 0.75, 7]]]},
                     {"output.count": 2, "output.count[7]": 2, "output.score.mean": 0.5, "output.score.lowest": 0.25, "output.box.area": 12.5, "output.box.x": 2.25,
                      "output.box.y": 2.75}, id="rows of a detector in a batch of one"),
        pytest.param({"instances": [{"image": "x"}, {"image": "y"}]}, None, {"predictions": [[[1, 2, 5, 6, 0.75, 7], [0, 0, 3, 3, 0.25, 7]], [[1, 2, 5, 6, 0.75, 7]]]},
                     {"predictions": [[[1, 2, 5, 6, 0.75, 7]], [[1, 2, 5, 6, 0.75, 7]]]},
                     {"predictions.count": 2, "predictions.count[7]": 2, "predictions.score.mean": 0.5, "predictions.score.lowest": 0.25, "predictions.box.area": 12.5, "predictions.box.x": 2.25,
                      "predictions.box.y": 2.75}, id="rows of a detector for each image"),
        pytest.param({"image": "x"}, None, {"detections": [[0.1, 0.2, 0.5, 0.6, 0.75, 7], [0, 0, 0.3, 0.3, 0.25, 7]]},
                     {"detections": [[0.1, 0.2, 0.5, 0.6, 0.75, 7]]},
                     {"detections.count": 2, "detections.count[7]": 2, "detections.score.mean": 0.5,
                      "detections.score.lowest": 0.25, "detections.box.area": 0.125, "detections.box.x": 0.225,
                      "detections.box.y": 0.275}, id="rows of a detector, as shares"),
        pytest.param({"image": "x"}, None, {"output": [[0, 1, 2, 5, 6, 7, 0.75], [0, 0, 0, 3, 3, 7, 0.25]]},
                     {"output": [[0, 1, 2, 5, 6, 7, 0.75]]},
                     {"output.count": 2, "output.count[7]": 2, "output.score.mean": 0.5, "output.score.lowest": 0.25, "output.box.area": 12.5, "output.box.x": 2.25,
                      "output.box.y": 2.75}, id="rows of a detector that begin with the image"),
        pytest.param({"image": "x"}, None, [["n02", "cat", 0.75], ["n03", "dog", 0.5]], [["n02", "cat", 0.75]],
                     {"prediction": ["cat", "dog"], "prediction.count": 2, "prediction.top_score": 0.75,
                      "prediction.score_spread": 0.25}, id="pairs behind a code"),
        pytest.param({"text": "x"}, None, {"best": [[0.75, "cat"], [0.5, "dog"]]}, {"best": [[0.75, "cat"]]},
                     {"best": ["cat", "dog"], "best.count": 2, "best.top_score": 0.75, "best.score_spread": 0.25},
                     id="pairs the other way round"),
        pytest.param({"series": "a"}, None, {"mean": [5.5, 6], "quantiles": {"0.1": [5, 5.2], "0.9": [6, 7]}},
                     {"mean": [5.5], "quantiles": {"0.1": [5], "0.9": [6]}},
                     {"mean": [5.5, 6], "quantiles.0.1": [5, 5.2], "quantiles.0.9": [6, 7]}, id="quantiles"),
        pytest.param({"id": "a7", "history": [4, 4.5, 5]}, None,
                     {"forecast": [5.5, 6], "lower": [5, 5.2], "upper": [6, 6.9]},
                     {"forecast": [5.5], "lower": [5], "upper": [6]},
                     {"forecast": [5.5, 6], "lower": [5, 5.2], "upper": [6, 6.9]}, id="a forecast with bounds"),
        pytest.param({"series": "a", "steps": 2}, None,
                     {"result": {"yhat": [5.5, 6], "p10": [5, 5.2], "p90": [6, 6.9], "ds": ["2026-01-01", "2026-01-02"]}},
                     {"result": {"yhat": [5.5], "p10": [5], "p90": [6], "ds": ["2026-01-01"]}},
                     {"result.yhat": [5.5, 6], "result.p10": [5, 5.2], "result.p90": [6, 6.9],
                      "result.ds": ["2026-01-01", "2026-01-02"]}, id="a nested forecast"),
    ],
)  # fmt: skip
def test_how_many_columns_there_are_does_not_depend_on_the_length_of_an_answer(
    exchange: Make,
    *,
    asked: Any,
    headers: Mapping[str, str] | None,
    answer: Any,
    shorter: Any,
    outputs: Mapping[str, Any],
) -> None:
    found = decode_exchange(exchange(asked, answer, headers=headers)).outputs
    fewer = decode_exchange(exchange(asked, shorter, headers=headers)).outputs

    assert found is not None
    assert fewer is not None
    row = dict(zip(found.names, found.values[0], strict=True))
    assert row.keys() == outputs.keys()
    assert {name: cell if isinstance(cell, list) else pytest.approx(cell) for name, cell in row.items()} == outputs
    assert {name for name in fewer.names if "count[" not in name} == {name for name in row if "count[" not in name}


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        pytest.param({"classes": ["yes", "no"], "scores": [0.1, 0.9]}, ("classes", "scores", "scores[no]", "scores[yes]"),
                     id="classes"),
        pytest.param({"labels": ["yes", "no"], "probabilities": [0.1, 0.9], "n": 1},
                     ("labels", "probabilities", "n", "probabilities[no]", "probabilities[yes]"), id="labels"),
        pytest.param({"class_ids": [1, 0], "confidences": [0.1, 0.9]},
                     ("class_ids", "confidences", "confidences[0]", "confidences[1]"), id="numbers of classes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("layout", ["rows", "one row", "nested"])
def test_parallel_classes_and_scores_are_the_best_and_each_by_its_name(
    exchange: Make, entry: Any, names: Sequence[str], layout: str
) -> None:
    asked, answer = {
        "rows": ({"instances": [{"age": "42"}, {"age": "19"}]}, {"predictions": [entry, entry]}),
        "one row": ({"age": 4}, entry),
        "nested": ({"age": 4}, {"result": entry}),
    }[layout]

    decoded = decode_exchange(exchange(asked, answer))

    prefix = "result." if layout == "nested" else ""
    assert decoded.outputs is not None
    assert decoded.outputs.names == tuple(prefix + name for name in names)
    best = next(iter(entry.values()))[1]
    assert [row[:2] for row in map(list, decoded.outputs.values)] == [[best, 0.9]] * (2 if layout == "rows" else 1)
    assert list(decoded.outputs.values[0])[-2:] == [0.9, 0.1]


@pytest.mark.parametrize(
    ("path", "asked", "answer", "features", "outputs"),
    [
        pytest.param("/v1/models/m:predict", {"inputs": {"kind": ["a", "b"], "x": [[1, 2], [3, 4]]}},
                     {"outputs": {"p": [[0.3], [0.8]]}}, ("kind", "x[0]", "x[1]"), ("p",), id="columns"),
        pytest.param("/v1/models/m:predict", {"inputs": {"kind": ["a"], "x": [[1, 2]]}}, {"outputs": {"p": [[0.3]]}},
                     ("kind", "x[0]", "x[1]"), ("p",), id="columns of one row"),
        pytest.param("/predict", {"instances": [{"x": [1]}, {"x": [2]}]}, {"predictions": [[0.3], [0.8]]},
                     ("x",), ("predictions",), id="rows"),
        pytest.param("/predict", {"instances": [{"x": [1]}]}, {"predictions": [[0.3]]}, ("x",), ("predictions",),
                     id="one row"),
        pytest.param("/predict", [{"x": 1}, {"x": 2}], [{"label": ["a"], "p": [1]}, {"label": ["b"], "p": [2]}],
                     ("x",), ("label", "p"), id="objects of lists"),
    ],
)  # fmt: skip
def test_a_list_of_one_in_every_row_is_its_element(
    exchange: Make, *, path: str, asked: Any, answer: Any, features: Sequence[str], outputs: Sequence[str]
) -> None:
    decoded = decode_exchange(exchange(asked, answer, path=path))

    assert decoded.features is not None
    assert decoded.outputs is not None
    assert (decoded.features.names, decoded.outputs.names) == (features, outputs)


@pytest.mark.parametrize(
    ("asked", "answer", "features", "outputs", "ids"),
    [
        pytest.param({"instances": [{"key": "k9", "x": 1}]}, {"predictions": [{"key": "k9", "class": 2}]},
                     [{"x": 1}], [{"class": 2}], ("k9",), id="key"),
        pytest.param([{"key": "a", "x": 1}, {"key": "b", "x": 2}], [{"key": "b", "y": 4}, {"key": "a", "y": 3}],
                     [{"x": 1}, {"x": 2}], [{"y": 3}, {"y": 4}], ("a", "b"), id="keys in another order"),
        pytest.param({"uid": "u1", "x": 1}, {"uid": "u1", "y": 2}, [{"x": 1}], [{"y": 2}], ("u1",), id="uid"),
        pytest.param({"rows": [{"custom_id": "c", "x": 1}]}, [{"custom_id": "c", "y": 2}], [{"x": 1}], [{"y": 2}],
                     ("c",), id="custom_id"),
        pytest.param([{"row_number": 7, "x": 1}], {"predictions": [{"row_number": 7, "y": 2}]}, [{"x": 1}], [{"y": 2}],
                     (7,), id="row_number"),
        pytest.param({"key": 3, "tempo": 120}, {"genre": "jazz"}, [{"key": 3, "tempo": 120}], [{"genre": "jazz"}], (),
                     id="a key that is not answered is a feature"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("usual", [1, 40], ids=["alone", "with a plan"])
def test_what_comes_back_under_the_name_of_a_key_is_a_row_id(
    exchange: Make, *, asked: Any, answer: Any, features: Rows, outputs: Rows, ids: Sequence[object], usual: int
) -> None:
    decoder = Decoder(model="", version="")
    decoder.decode([exchange(asked, answer)] * usual)

    decoded = decode_exchange(exchange(asked, answer))
    (prediction,) = decoder.decode([exchange(asked, answer)]).predictions

    assert (rows(decoded.features), rows(decoded.outputs), decoded.row_ids) == (features, outputs, ids)
    assert {*prediction.features.number_names, *prediction.features.cell_names} == features[0].keys()
    assert {*prediction.outputs.number_names, *prediction.outputs.cell_names} == outputs[0].keys()


PEOPLE = [{"age": 4, "city": "x"}, {"age": 5, "city": "y"}]
BENTOML = {"content-type": "application/json", "server": "BentoML Service/x"}


@pytest.mark.parametrize("headers", [None, BENTOML], ids=["plain", "BentoML"])
@pytest.mark.parametrize(
    ("asked", "answer", "features"),
    [
        pytest.param({"rows": PEOPLE, "threshold": 0.5}, [1, 2], [{**row, "threshold": 0.5} for row in PEOPLE], id="rows"),
        pytest.param({"rows": PEOPLE[:1], "threshold": 0.5}, [1], [{**PEOPLE[0], "threshold": 0.5}], id="one row"),
        pytest.param({"houses": PEOPLE, "currency": "EUR"}, {"prices": [1, 2]},
                     [{**row, "currency": "EUR"} for row in PEOPLE], id="any key"),
        pytest.param({"data": [[1, 2], [3, 4]], "scale": 2}, [1, 2],
                     [{"data[0]": 1, "data[1]": 2, "scale": 2}, {"data[0]": 3, "data[1]": 4, "scale": 2}], id="an array"),
        pytest.param({"x": [[1, 2]], "scale": 2}, [1], [{"x[0]": 1, "x[1]": 2, "scale": 2}], id="an array of one row"),
        pytest.param({"x": [7, 8, 9], "scale": 2}, [1, 2, 3], [{"x": x, "scale": 2} for x in (7, 8, 9)], id="a vector"),
        pytest.param({"x": [7], "scale": 2}, [1], [{"x": 7, "scale": 2}], id="a vector of one"),
        pytest.param({"a": [7, 8], "b": ["x", "y"], "scale": 2}, [1, 2],
                     [{"a": 7, "b": "x", "scale": 2}, {"a": 8, "b": "y", "scale": 2}], id="columns"),
        pytest.param({"houses": PEOPLE, "user": [7, 8]}, {"prices": [1, 2]},
                     [{**row, "user[0]": 7, "user[1]": 8} for row in PEOPLE], id="a vector as long as the table"),
        pytest.param({"user": [7, 8, 9], "houses": PEOPLE}, {"prices": [1, 2]},
                     [{**row, "user[0]": 7, "user[1]": 8, "user[2]": 9} for row in PEOPLE], id="a longer vector"),
        pytest.param({"houses": [[1], [2], [3]], "user": [7, 8]}, [1, 2, 3],
                     [{"houses": x, "user[0]": 7, "user[1]": 8} for x in (1, 2, 3)], id="a vector beside an array"),
        pytest.param({"houses": PEOPLE, "weights": [7, 8]}, [1, 2],
                     [{**{f"houses.{key}": value for key, value in row.items()}, "weights": weight}
                      for row, weight in zip(PEOPLE, (7, 8), strict=True)], id="a column beside a table"),
        pytest.param({"q": {"houses": PEOPLE, "currency": "EUR"}}, [1, 2],
                     [{**row, "currency": "EUR"} for row in PEOPLE], id="nested"),
        pytest.param({"q": {"houses": PEOPLE[:1], "currency": "EUR"}}, [1], [{**PEOPLE[0], "currency": "EUR"}],
                     id="nested, one row"),
    ],
)  # fmt: skip
def test_what_stands_beside_a_table_belongs_to_each_of_its_rows(
    exchange: Make, *, asked: Any, answer: Any, features: Rows, headers: Mapping[str, str] | None
) -> None:
    decoded = decode_exchange(exchange(asked, answer, answer_headers=headers))

    assert rows(decoded.features) == features
    assert decoded.outputs is not None
    assert (len(decoded.outputs.values), len(decoded.outputs.names)) == (len(features), 1)


@pytest.mark.parametrize(
    ("asked", "answer", "features"),
    [
        pytest.param({"user": 3, "history": PEOPLE}, {"score": 0.5}, [{"user": 3, "history": PEOPLE}], id="a history"),
        pytest.param({"x": [1, 2], "n": 3}, 5, [{"x[0]": 1, "x[1]": 2, "n": 3}], id="a vector of one row"),
    ],
)
def test_a_list_without_as_many_answers_belongs_to_one_row(
    exchange: Make, asked: Any, answer: Any, features: Rows
) -> None:
    assert rows(decode_exchange(exchange(asked, answer)).features) == features


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def form_of(*parts: tuple[str, str, bytes]) -> bytes:
    """A form of (name, file name or nothing, value)."""
    written = b""
    for name, file_name, value in parts:
        file = f'; filename="{file_name}"\r\nContent-Type: image/png' if file_name else ""
        written += f'--B\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + value + b"\r\n"
    return written + b"--B--\r\n"


@pytest.mark.parametrize(
    ("parts", "answer", "names", "count"),
    [
        pytest.param([("files", "a.png", PNG), ("files", "b.png", PNG), ("note", "", b"hi")],
                     {"predictions": ["cat", "dog"]}, ("files", "note"), 2, id="two files"),
        pytest.param([("files", "a.png", PNG), ("note", "", b"hi")], {"predictions": ["cat"]}, ("files", "note"), 1,
                     id="one file"),
        pytest.param([("note", "", b"hi"), *[("images", "a.png", PNG)] * 3], ["a", "b", "c"], ("images", "note"), 3,
                     id="three files"),
        pytest.param([("table", "t.csv", b"x,y\n1,a\n2,b\n"), ("threshold", "", b"0.5")], [1, 2],
                     ("x", "y", "threshold"), 2, id="a table"),
        pytest.param([("files", "a.png", PNG), ("files", "b.png", PNG), ("meta", "", b'{"lang": "en", "id": 7}')],
                     [{"filename": "a.png", "label": "a"}, {"filename": "b.png", "label": "b"}],
                     ("files", "meta.lang"), 2, id="an object beside"),
        pytest.param([("front", "a.png", PNG), ("back", "b.png", PNG), ("note", "", b"hi")], {"label": "cat"},
                     ("front", "back", "note"), 1, id="two fields"),
    ],
)  # fmt: skip
def test_files_of_one_name_are_rows_and_the_fields_belong_to_each(
    exchange: Make, *, parts: Sequence[tuple[str, str, bytes]], answer: Any, names: Sequence[str], count: int
) -> None:
    body = form_of(*parts).replace(b't.csv"\r\nContent-Type: image/png', b't.csv"\r\nContent-Type: text/csv')
    headers = {"content-type": "multipart/form-data; boundary=B"}
    decoded = decode_exchange(exchange(body, answer, headers=headers))

    assert decoded.features is not None
    assert (decoded.features.names, decoded.rows) == (tuple(names), count)
    assert decoded.outputs is not None
    assert (len(decoded.outputs.values), len(decoded.outputs.names)) == (count, 1)


@pytest.mark.parametrize("answer", [{"entities": []}, {"items": []}, {"predictions": []}, []], ids=str)
def test_a_row_in_which_nothing_was_found_is_an_empty_list(exchange: Make, answer: Any) -> None:
    decoded = decode_exchange(exchange({"text": "x"}, answer))

    assert decoded.outputs is not None
    assert list(map(list, decoded.outputs.values)) == [[[]]]


LIBSVM = {"content-type": "text/libsvm"}
CSV = {"content-type": "text/csv"}


@pytest.mark.parametrize(
    ("body", "headers", "answer", "answer_headers", "outputs"),
    [
        pytest.param(b"1 1:0.5 3:1\n0 2:1\n", LIBSVM, b"0.1,0.7", CSV, [[0.1], [0.7]], id="libsvm"),
        pytest.param(b"1 1:0.5 3:1\n0 2:1\n", LIBSVM, b"0.1\n0.7\n", CSV, [[0.1], [0.7]], id="a line a row"),
        pytest.param(b"1 1:0.5\n", LIBSVM, b"0.1", CSV, [[0.1]], id="one row"),
        pytest.param(b"1,2\n3,4\n5,6", CSV, b"0.1,0.2,0.3", CSV, [[0.1], [0.2], [0.3]], id="CSV"),
        pytest.param(b"1,2\n3,4", CSV, b"yes,no", CSV, [["yes"], ["no"]], id="labels"),
        pytest.param(b"1,2\n3,4", CSV, b"0.1,0.7", {"content-type": "text/plain"}, [[0.1], [0.7]], id="plain text"),
        pytest.param(b"1,2\n3,4", CSV, b"0.1,0.9\n0.8,0.2", CSV, [[0.1, 0.9], [0.8, 0.2]], id="two outputs"),
    ],
)
def test_a_line_with_a_cell_for_each_row_is_an_output_of_each(
    exchange: Make, *, body: bytes, headers: Any, answer: bytes, answer_headers: Any, outputs: list[list[object]]
) -> None:
    decoded = decode_exchange(exchange(body, answer, headers=headers, answer_headers=answer_headers))

    assert decoded.outputs is not None
    assert list(map(list, decoded.outputs.values)) == outputs
    assert ("sparse" in decoded.flags) == (headers is LIBSVM)


def test_what_a_sparse_row_leaves_out_is_0_in_a_batch_and_beside_a_reference(exchange: Make) -> None:
    bodies = [b"1 1:0.5\n", b"0 4:2\n"]
    (prediction,) = (
        Decoder(model="", version="")
        .decode([exchange(body, b"1", headers=LIBSVM, answer_headers=CSV) for body in bodies])
        .predictions
    )

    table = completed(prediction.features, {"1", "4", "9"})

    held = dict(zip(table.number_names, table.numbers.tolist(), strict=True))
    assert (held["1"], held["4"], held["9"]) == ([0.5, 0.0], [0.0, 2.0], [0.0, 0.0])


def test_labels_that_were_not_found_are_counted_as_0(exchange: Make) -> None:
    answers: list[Any] = [FOUND, FOUND[1:], []]
    (prediction,) = (
        Decoder(model="", version="")
        .decode([exchange({"inputs": "a"}, answer, path="/models/ner") for answer in answers])
        .predictions
    )

    table = completed(prediction.outputs, {"prediction.count", "prediction.count[ORG]"})

    held = dict(zip(table.number_names, table.numbers.tolist(), strict=True))
    assert held["prediction.count"] == [2, 1, 0]
    assert held["prediction.count[PER]"] == [1, 0, 0]
    assert held["prediction.count[ORG]"] == [0, 0, 0]
    assert table.cell_names == ()


@pytest.mark.parametrize(
    ("answer", "outputs"),
    [
        pytest.param({"errors": None, "model_version": "2.1", "predictions": 41.2}, {"predictions": 41.2}, id="errors"),
        pytest.param({"status": "success", "code": 200, "message": "Prediction successful", "result": {"y": 1}},
                     {"result.y": 1}, id="status"),
        pytest.param({"success": True, "error": "", "data": {"label": "a", "apiVersion": "v2"}}, {"data.label": "a"},
                     id="success"),
        pytest.param({"y": 0.5, "timestamp": "2026-01-02T03:04:05Z", "inference_time_ms": 12.5, "version": 3}, {"y": 0.5},
                     id="time"),
        pytest.param([{"y": 0.5, "created_at": 1_767_000_000, "took": 3, "error": None}], {"y": 0.5}, id="in a list"),
        pytest.param({"status": "approved", "score": 0.5}, {"status": "approved", "score": 0.5}, id="a verdict"),
        pytest.param({"error": 0.02, "y": 1}, {"error": 0.02, "y": 1}, id="an estimated error"),
        pytest.param({"time": 31.5, "distance": 7}, {"time": 31.5, "distance": 7}, id="a time that is predicted"),
        pytest.param({"status": "ok"}, {"status": "ok"}, id="nothing else"),
        pytest.param({"y": None, "z": 1}, {"y": None, "z": 1}, id="null this time"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("usual", [1, 40], ids=["alone", "with a plan"])
def test_what_an_answer_says_of_itself_is_no_output(
    exchange: Make, answer: Any, outputs: Mapping[str, Any], usual: int
) -> None:
    decoder = Decoder(model="", version="")
    decoder.decode([exchange({"x": 1}, answer)] * usual)

    decoded = decode_exchange(exchange({"x": 1}, answer))
    (prediction,) = decoder.decode([exchange({"x": 1}, answer)]).predictions

    assert rows(decoded.outputs) == [outputs]
    assert {*prediction.outputs.number_names, *prediction.outputs.cell_names} == outputs.keys()


def test_a_field_that_is_null_in_every_answer_is_not_learned(exchange: Make) -> None:
    learning = Learning(4)
    decoder = Decoder(model="", version="")
    for at in range(4):
        (prediction,) = decoder.decode([exchange({"x": at}, {"warning": None, "y": at})]).predictions
        learning.add(prediction)

    assert learning.chunk["output"].number_names == ("y",)


@pytest.mark.parametrize(
    ("answers", "name", "numbers"),
    [
        pytest.param([["12150.57"], ["7"], ["1e3"]], "prediction", [12150.57, 7, 1000], id="numbers"),
        pytest.param([{"price": "$1,250.00"}, {"price": "-$ 3"}, {"price": "999"}], "price", [1250, -3, 999], id="dollars"),
        pytest.param([{"price": "US$ 5.50"}, {"price": "US$1,250.00"}], "price", [5.5, 1250], id="dollars of a country"),
        pytest.param([{"price": "1.250,00 \u20ac"}, {"price": "1.250"}, {"price": "99,5"}], "price", [1250, 1250, 99.5],
                     id="decimal commas"),
        pytest.param([{"risk": "12.5%"}, {"risk": "7 %"}, {"risk": "N/A"}], "risk", [12.5, 7, None], id="percent"),
        pytest.param([{"price": "($1,200.00)"}, {"price": "$(3.5)"}, {"price": "(1)"}, {"price": "$7"}], "price",
                     [-1200, -3.5, -1, 7], id="what is owed, in brackets"),
        pytest.param([{"price": "(1.200,50 \u20ac)"}, {"price": "\u22123,5"}], "price", [-1200.5, -3.5],
                     id="owed in euros"),
        pytest.param([{"y": ".5"}, {"y": "-.25"}, {"y": "$.75"}, {"y": ".5%"}], "y", [0.5, -0.25, 0.75, 0.5],
                     id="nothing before the point"),
        pytest.param([{"y": ",5"}, {"y": "-,25 kr"}], "y", [0.5, -0.25], id="nothing before the comma"),
        pytest.param([{"y": "\u20b91,25,000.00"}, {"y": "Rs. 12,34,56,789"}, {"y": "1,25,000"}, {"y": "999"}], "y",
                     [125000, 123456789, 125000, 999], id="lakhs and crores"),
        pytest.param([{"y": "1 250.5 USD"}, {"y": "12"}, {"y": "no"}], "y", [1250.5, 12, "no"], id="a text later"),
    ],
)  # fmt: skip
def test_an_output_that_is_a_number_in_text_is_a_number_in_every_batch(
    exchange: Make, answers: Sequence[Any], name: str, numbers: Sequence[Any]
) -> None:
    decoder = Decoder(model="", version="")
    found: list[object] = []
    for answer in answers:
        (prediction,) = decoder.decode([exchange({"x": 1}, answer)]).predictions
        cells = dict(zip(prediction.outputs.cell_names, prediction.outputs.cells, strict=True))
        cells |= dict(zip(prediction.outputs.number_names, prediction.outputs.numbers.tolist(), strict=True))
        found.append(None if cells[name][0] != cells[name][0] else cells[name][0])

    assert found == numbers
    assert rows(decode_exchange(exchange({"x": 1}, answers[0])).outputs) == [{name: numbers[0]}]


@pytest.mark.parametrize(
    "answer",
    [
        {"label": "7"},
        {"zip": "12345"},
        {"y": "007"},
        {"y": "3 of 4"},
        {"y": "1.2.3"},
        {"y": "1" * 17},
        {"y": "(1"},
        {"y": "1)"},
        {"y": "-(1)"},
        {"y": "."},
        {"y": "1,2,3"},
        {"summary": "42"},
    ],
    ids=str,
)
def test_other_texts_stay_texts(exchange: Make, answer: Any) -> None:
    assert rows(decode_exchange(exchange({"x": 1}, answer)).outputs) == [answer]


@pytest.mark.parametrize(
    "answer",
    [
        {"labels": ["a", "b"], "class_ids": [1, 2], "scores": [0.2, 0.8]},
        {"boxes": [[1, 2, 5, 6]], "boxes_norm": [[0, 0, 1, 1]], "labels": ["a"], "class_ids": [1], "scores": [0.5]},
        {"forecast": [1, 2], "lower": [0, 1], "upper": [2, 3], "scores": [0.1, 0.2]},
        {"items": ["a", "b"], "ids": [1, 2], "scores": [0.2, 0.8], "distances": [1, 2]},
    ],
    ids=str,
)
def test_the_order_of_keys_makes_no_difference(exchange: Make, answer: Mapping[str, Any]) -> None:
    turned = dict(reversed(list(answer.items())))

    (first,), (second,) = (
        rows(decode_exchange(exchange({"x": 1}, each)).outputs) or [] for each in (dict(answer), turned)
    )

    assert first == second


@pytest.mark.parametrize("word", ["Bo", "Li"])
def test_words_of_a_text_never_become_names_of_columns(exchange: Make, word: str) -> None:
    answer = {"entities": [word, "Rome"], "types": ["PER", "LOC"], "scores": [0.9, 0.7]}

    outputs = decode_exchange(exchange({"text": "x"}, answer)).outputs

    assert outputs is not None
    assert outputs.names == (
        "entities.count", "entities.count[LOC]", "entities.count[PER]", "entities.score.mean", "entities.score.lowest",
    )  # fmt: skip


def vector(*numbers: float) -> dict[str, object]:
    return {f"prediction[{at}]": number for at, number in enumerate(numbers)}


@pytest.mark.parametrize(
    ("asked", "answer", "outputs"),
    [
        ([{"x": 1}, {"x": 2}], [["a", 0.9], ["b", 0.8]], [{"prediction": ["a", 0.9]}, {"prediction": ["b", 0.8]}]),
        ({"x": 1}, {"near": [{"label": "a", "distance": 0.9}, {"label": "b", "distance": 0.1}]},
         [{"label": "b", "distance": 0.1}]),
        ({"x": 1}, [[0.1, 0.2, 0.3, 0.4, 0.0, 0]], [vector(0.1, 0.2, 0.3, 0.4, 0.0, 0)]),
        ({"x": 1}, [[5, 6, 1, 2, 0.5, 7]], [vector(5, 6, 1, 2, 0.5, 7)]),
        ({"x": 1}, [[1, 2, 5, 6, 1.5, 7]], [vector(1, 2, 5, 6, 1.5, 7)]),
        ({"x": 1}, [[1, 2, 5, 6, 0.5, 7.5]], [vector(1, 2, 5, 6, 0.5, 7.5)]),
    ],
    ids=[
        "a pair for each row",
        "the nearest label is the best",
        "shares of six classes",
        "corners the wrong way round",
        "a score above 1",
        "six numbers of a vector",
    ],
)  # fmt: skip
def test_what_looks_like_a_ranking_and_is_none(exchange: Make, asked: Any, answer: Any, outputs: Rows) -> None:
    assert rows(decode_exchange(exchange(asked, answer)).outputs) == outputs
