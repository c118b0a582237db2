from __future__ import annotations

import pytest

from dashlight.collector.received import ReceivedError, items_of_cloud_events
from dashlight.deliver.encoding.cloudevents import CloudEventEncoder
from dashlight.deliver.encoding.events import Event


def test_an_event_of_ours_is_told_as_in_any_other_format() -> None:
    encoder = CloudEventEncoder({"service.name": "shop"}, epoch=1)
    event = Event("dashlight.prediction", 1_790_000_000.25, "id-1", 7, 9, {"a": 1}, "a line", trace_id=5, span_id=6)

    [item] = items_of_cloud_events(encoder.request([encoder.event(event, observed_at=1.0)]))

    assert (item["kind"], item["name"], item["id"], item["at"]) == (
        "event",
        "dashlight.prediction",
        "id-1",
        1_790_000_000.25,
    )
    assert (item["attributes"]["a"], item["body"], item["severity_text"]) == (1, "a line", "INFO")
    assert (item["trace_id"], item["span_id"]) == (f"{5:032x}", f"{6:016x}")
    assert item["resource"] == {"service.name": "shop"}


def test_an_event_of_others_is_told_as_it_stands() -> None:
    body = b'[{"specversion": "1.0", "id": "1", "source": "/x", "type": "com.example.y", "data": [1], "other": true}]'

    assert items_of_cloud_events(body) == [
        {
            "kind": "event",
            "name": "com.example.y",
            "id": "1",
            "source": "/x",
            "at": None,
            "trace_id": "",
            "span_id": "",
            "data": [1],
        }
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'[{"id": "1"}]', b'[{"specversion": "1.0", "id": 1}]', b"[" * 10_000, b"\xff"]
)
def test_what_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(ReceivedError, match="CloudEvents"):
        items_of_cloud_events(body)
