from __future__ import annotations

import json
from typing import Any

from dashlight.deliver.encoding.cloudevents import CloudEventEncoder
from dashlight.deliver.encoding.events import Event

RESOURCE = {"service.namespace": "shop", "service.name": "fraud check", "service.instance.id": "a/b"}
ID = "01901234-5678-7abc-8def-0123456789ab"


def written(**overrides: Any) -> bytes:
    fields: dict[str, Any] = {
        "name": "dashlight.prediction",
        "at": 1_790_000_000.25,
        "id": ID,
        "seq": 7,
        "severity": 9,
        "attributes": {"a": [1, float("nan")]},
    }
    return CloudEventEncoder(RESOURCE, epoch=99).event(Event(**{**fields, **overrides}), observed_at=1_790_000_000.5)


def test_an_event_has_what_the_specification_requires_and_its_data() -> None:
    assert json.loads(written(trace_id=0xABC, span_id=0xDEF, trace_flags=1, body="a line")) == {
        "specversion": "1.0",
        "id": ID,
        "source": "/dashlight/shop/fraud%20check/a%2Fb",
        "type": "io.dashlight.prediction.v1",
        "time": "2026-09-21T14:13:20.250000Z",
        "datacontenttype": "application/json",
        "traceparent": f"00-{'0' * 29}abc-{'0' * 13}def-01",
        "data": {
            "observed_at": 1_790_000_000.5,
            "severity": 9,
            "severity_text": "INFO",
            "body": "a line",
            "attributes": {
                "dashlight.event.id": ID,
                "dashlight.event.seq": 7,
                "dashlight.event.epoch": 99,
                "a": [1, "NaN"],
            },
            "resource": RESOURCE,
            "truncated": False,
        },
    }


def test_without_a_trace_there_is_no_traceparent() -> None:
    assert "traceparent" not in json.loads(written(trace_id=5))


def test_what_was_cut_says_so() -> None:
    assert json.loads(written(attributes={"text": "x" * 10_000}))["data"]["truncated"] is True


def test_a_request_is_one_array() -> None:
    encoder = CloudEventEncoder(RESOURCE, epoch=1)

    assert json.loads(encoder.request([b'{"id": "1"}', b'{"id": "2"}'])) == [{"id": "1"}, {"id": "2"}]
    assert encoder.content_type == "application/cloudevents-batch+json"
    assert encoder.rejected_count(b"anything") == 0
