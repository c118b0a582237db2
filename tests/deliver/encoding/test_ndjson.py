from __future__ import annotations

import json
import math
from typing import Any

from dashlight.deliver.encoding.events import Event
from dashlight.deliver.encoding.ndjson import NdjsonEncoder


def line(**overrides: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "name": "dashlight.prediction",
        "at": 1_790_000_000.25,
        "id": "01901234-5678-7abc-8def-0123456789ab",
        "seq": 7,
        "severity": 9,
        "attributes": {"a": [1, {"b": True}]},
    }
    encoder = NdjsonEncoder({"service.name": "fraud"}, epoch=99)
    written = encoder.event(Event(**{**fields, **overrides}), observed_at=1_790_000_000.5)
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    return dict(json.loads(written))


def test_an_event_is_one_line_that_is_complete_in_itself() -> None:
    assert line(trace_id=0xABC, span_id=0xDEF, body="hello\nworld") == {
        "name": "dashlight.prediction",
        "id": "01901234-5678-7abc-8def-0123456789ab",
        "at": 1_790_000_000.25,
        "observed_at": 1_790_000_000.5,
        "severity": 9,
        "severity_text": "INFO",
        "body": "hello\nworld",
        "trace_id": "0" * 29 + "abc",
        "span_id": "0" * 13 + "def",
        "attributes": {
            "dashlight.event.id": "01901234-5678-7abc-8def-0123456789ab",
            "dashlight.event.seq": 7,
            "dashlight.event.epoch": 99,
            "a": [1, {"b": True}],
        },
        "resource": {"service.name": "fraud"},
        "truncated": False,
    }


def test_numbers_that_json_does_not_know_are_words() -> None:
    found = line(attributes={"values": [math.nan, math.inf, -math.inf, 1.5]})

    assert found["attributes"]["values"] == ["NaN", "Infinity", "-Infinity", 1.5]


def test_bytes_are_base64_and_surrogates_are_replaced() -> None:
    found = line(attributes={"bytes": b"\xff\x00", "text": "a\ud800"})

    assert (found["attributes"]["bytes"], found["attributes"]["text"]) == ("/wA=", "a\ufffd")


def test_an_event_that_was_cut_says_so() -> None:
    assert line(attributes={"text": "x" * 10_000})["truncated"] is True


def test_lines_follow_one_another() -> None:
    encoder = NdjsonEncoder({}, epoch=1)

    assert encoder.request([b"{}\n", b"[]\n"]) == b"{}\n[]\n"


def test_an_answer_rejects_nothing() -> None:
    assert NdjsonEncoder({}, epoch=1).rejected_count(b"\x0a\x02\x08\x05") == 0
