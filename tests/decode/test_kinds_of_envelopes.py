"""Answers in an envelope that says how it went: the failures among them, and what of it is no output."""

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Exchange

Make = Callable[..., Exchange]
Rows = list[dict[str, Any]]


def rows(sheet: Sheet | None) -> Rows | None:
    """The rows of *sheet* by name; None where there is none."""
    return None if sheet is None else [dict(zip(sheet.names, row, strict=True)) for row in sheet.values]


@pytest.mark.parametrize(
    ("healthy", "answer"),
    [
        ({"code": 0, "msg": "ok", "data": 0.5}, {"code": 1, "msg": "failed", "data": None}),
        ({"code": 0, "msg": "ok", "data": {"y": 0.5}}, {"code": 1, "msg": "failed", "data": {"y": None}}),
        ({"code": 200, "message": "", "y": 1}, {"code": -1, "message": "no text", "y": None}),
        (
            {"errcode": 0, "msg": "", "y": 1, "request_id": "a", "took_ms": 3},
            {"errcode": 40013, "msg": "no text", "y": None, "request_id": "b", "took_ms": 4},
        ),
        ({"out": {"status_code": 0, "detail": "", "y": 1}}, {"out": {"status_code": 7, "detail": "x", "y": None}}),
        ({"status": "OK", "message": "", "y": 1}, {"status": "NOT_OK", "message": "no text", "y": None}),
        ({"status": "fine", "msg": "", "y": 1}, {"status": "exception", "msg": "no text", "y": -1}),
        ({"state": "fine", "reason": "", "y": 1}, {"state": "Failed", "reason": "no text", "y": 0}),
        ({"status": 0, "message": "", "y": 1}, {"status": -1, "message": "no text", "y": None}),
        ({"code": 0, "status": "ok", "msg": "", "y": 1}, {"code": 12, "status": "x", "msg": "no text", "y": None}),
        ({"code": 0, "msg": "ok", "data": 0.5}, {"code": 1, "msg": "failed"}),
        ({"error_code": "", "message": "", "y": 1}, {"error_code": "E102", "message": "no text", "y": None}),
        ({"code": "OK", "message": "fine", "y": 1}, {"code": "E102", "message": "no text", "y": None}),
        ({"code": "0000", "msg": "success", "y": 1}, {"code": "ERR-0042", "msg": "no text", "y": None}),
        ({"status_code": "OK", "detail": "fine", "y": 1}, {"status_code": "MODEL_NOT_FOUND", "detail": "x", "y": None}),
        ({"out": {"err_code": "0", "msg": "ok", "y": 1}}, {"out": {"err_code": "X7", "msg": "no text", "y": None}}),
        ({"code": "ok", "message": "fine", "y": 1}, {"code": "InvalidInput", "message": "no text"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("usual", [0, 40], ids=["alone", "with a plan"])
def test_an_envelope_without_an_output_is_a_failure(exchange: Make, healthy: Any, answer: Any, usual: int) -> None:
    decoder = Decoder(model="", version="")
    for _ in range(2):
        assert not decoder.decode([exchange({"text": "x"}, healthy)] * usual).failures

    decoded = decode_exchange(exchange({"text": "x"}, answer))
    batch = decoder.decode([exchange({"text": "x"}, answer)])

    assert decoded.error is not None
    assert decoded.error.kind == "model"
    assert decoded.outputs is None
    assert batch.failures == [(0, "model")]
    assert [prediction.outputs.rows for prediction in batch.predictions] == []


@pytest.mark.parametrize(
    ("answer", "outputs"),
    [
        ({"code": 0, "msg": "success", "data": {"y": 0.5}}, {"data.y": 0.5}),
        ({"code": 0, "data": {"y": 0.5}}, {"data.y": 0.5}),
        ({"code": 200, "y": 0.5}, {"y": 0.5}),
        ({"errno": 0, "errmsg": "ok", "y": 0.5, "message": ""}, {"y": 0.5}),
        ({"status": "ok", "y": 0.5}, {"y": 0.5}),
        ({"code": 0, "score": 0.5}, {"code": 0, "score": 0.5}),
        ({"code": 3, "score": 0.5}, {"code": 3, "score": 0.5}),
        ({"code": 1, "message": "well", "y": 0.5}, {"code": 1, "message": "well", "y": 0.5}),
        ({"error_code": "0000", "message": "", "y": 0.5}, {"y": 0.5}),
        ({"code": "E11", "description": "diabetes"}, {"code": "E11", "description": "diabetes"}),
        ({"code": "LOW_RISK", "message": "approved"}, {"code": "LOW_RISK", "message": "approved"}),
        ({"code": "E102", "message": "well", "y": 0.5}, {"code": "E102", "message": "well", "y": 0.5}),
        ({"code": 4019, "description": "hypertension"}, {"code": 4019, "description": "hypertension"}),
        (
            {"status": "NOT_OK", "reason": "scratch", "score": 0.9},
            {"status": "NOT_OK", "reason": "scratch", "score": 0.9},
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("usual", [0, 40], ids=["alone", "with a plan"])
def test_an_envelope_with_an_output_is_none(exchange: Make, answer: Any, outputs: Any, usual: int) -> None:
    decoder = Decoder(model="", version="")
    decoder.decode([exchange({"text": "x"}, answer)] * usual)

    decoded = decode_exchange(exchange({"text": "x"}, answer))
    (prediction,) = decoder.decode([exchange({"text": "x"}, answer)]).predictions

    assert decoded.error is None
    assert rows(decoded.outputs) == [outputs]
    assert {*prediction.outputs.number_names, *prediction.outputs.cell_names} == set(outputs)


@pytest.mark.parametrize(
    ("answer", "outputs"),
    [
        ({"prediction": 1, "warnings": [], "meta": {"processing_ms": 3}}, {"prediction": 1}),
        ({"y": 1, "metadata": {"latency_ms": 3, "elapsed": 0.1, "total_time_s": 3, "model": "m"}}, {"y": 1}),
        ({"y": 1, "info": {"elapsed": 0.1, "warnings": []}, "warnings": ["old client"]}, {"y": 1}),
        ({"y": 1, "image": {"width": 640, "height": 480}}, {"y": 1}),
        ({"y": 1, "image_size": [640, 480], "orig_shape": [640, 480]}, {"y": 1}),
        ({"y": 1, "inputImage": {"w": 640, "h": 480}, "imageWidth": 640, "img_height": 480}, {"y": 1}),
        ({"y": 1, "result": {"image": {"width": 640, "label": "a"}}}, {"y": 1, "result.image.label": "a"}),
        ({"width": 3.5, "height": 4.5}, {"width": 3.5, "height": 4.5}),
        ({"y": 1, "petal": {"width": 3.5}, "width": 2}, {"y": 1, "petal.width": 3.5, "width": 2}),
        (
            {"y": 1, "usage": {"prompt_tokens": 3, "total_tokens": 5}, "meta": {"billed_units": {"search_units": 1}}},
            {"y": 1},
        ),
        ({"y": 1, "usage": {"peak": 3}}, {"y": 1, "usage.peak": 3}),
        ({"y": 1, "done": True, "total_duration": 9, "prompt_eval_count": 2, "eval_duration": 3}, {"y": 1}),
        ({"y": 1, "meta": {"inferenceTimeMs": 3, "preprocess_ms": 1.5, "quality": 0.4}}, {"y": 1, "meta.quality": 0.4}),
        ({"y": 1, "timings": {"total": 0.2, "model": 0.1}}, {"y": 1}),
        ({"y": 1, "result": {"label": "a", "meta": {"runtime_ms": 3}}}, {"y": 1, "result.label": "a"}),
        ({"prediction": 1, "time": 0.3}, {"prediction": 1}),
        ({"time": 0.3, "label": "a", "score": 0.5}, {"label": "a", "score": 0.5}),
        ({"time": 12.5, "survival": 0.3}, {"time": 12.5, "survival": 0.3}),
        ({"warnings": []}, {"warnings": []}),
        ({"y": 1, "time_to_failure": 3.5, "latency_class": 2}, {"y": 1, "time_to_failure": 3.5, "latency_class": 2}),
    ],
    ids=str,
)
@pytest.mark.parametrize("usual", [0, 40], ids=["alone", "with a plan"])
def test_what_an_answer_repeats_or_took_is_no_output(exchange: Make, answer: Any, outputs: Any, usual: int) -> None:
    decoder = Decoder(model="", version="")
    decoder.decode([exchange({"x": 1}, answer)] * usual)

    decoded = decode_exchange(exchange({"x": 1}, answer))
    (prediction,) = decoder.decode([exchange({"x": 1}, answer)]).predictions

    assert rows(decoded.outputs) == [outputs]
    assert {*prediction.outputs.number_names, *prediction.outputs.cell_names} == set(outputs)
