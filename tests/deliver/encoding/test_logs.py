from __future__ import annotations

import math
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from dashlight.deliver.encoding.events import Event
from dashlight.deliver.encoding.logs import LogEncoder

RESOURCE = {"service.name": "fraud"}


def event(**overrides: Any) -> Event:
    fields: dict[str, Any] = {
        "name": "dashlight.alert",
        "at": 1_790_000_000.25,
        "id": "01901234-5678-7abc-8def-0123456789ab",
        "seq": 7,
        "severity": 13,
        "attributes": {"a": 1, "causes": [{"event": "x", "share": 0.5}]},
        "body": "amount moved",
        "trace_id": 0xABC,
        "span_id": 0xDEF,
        "trace_flags": 1,
    }
    return Event(**{**fields, **overrides})


def record(one: Event) -> LogRecord:
    encoder = LogEncoder(RESOURCE, "dashlight", "0.1", epoch=99)
    request = ExportLogsServiceRequest.FromString(encoder.request([encoder.event(one, observed_at=1_790_000_000.5)]))
    [found] = request.resource_logs[0].scope_logs[0].log_records
    assert isinstance(found, LogRecord)
    return found


def attributes(found: LogRecord) -> dict[str, Any]:
    return {pair.key: pair.value for pair in found.attributes}


def test_an_event_is_read_back_by_the_official_classes() -> None:
    found = record(event())

    assert found.event_name == "dashlight.alert"
    assert (found.time_unix_nano, found.observed_time_unix_nano) == (
        1_790_000_000_250_000_000,
        1_790_000_000_500_000_000,
    )
    assert (found.severity_number, found.severity_text) == (13, "WARN")
    assert found.body.string_value == "amount moved"
    assert (found.trace_id.hex(), found.span_id.hex(), found.flags) == ("0" * 29 + "abc", "0" * 13 + "def", 1)


def test_attributes_keep_their_shape() -> None:
    found = attributes(record(event()))

    assert found["a"].int_value == 1
    [cause] = found["causes"].array_value.values
    assert {pair.key: pair.value.WhichOneof("value") for pair in cause.kvlist_value.values} == {
        "event": "string_value",
        "share": "double_value",
    }
    assert (found["dashlight.event.id"].string_value, found["dashlight.event.seq"].int_value) == (
        "01901234-5678-7abc-8def-0123456789ab",
        7,
    )
    assert found["dashlight.event.epoch"].int_value == 99
    assert "dashlight.event.truncated" not in found


@pytest.mark.parametrize("seq", [None, 0, 127, 128, 2047, 2048, 16_384, 2_097_152, 2**40, 2**62])
@pytest.mark.parametrize("id_", ["01901234-5678-7abc-8def-0123456789ab", "short", "ä" * 36])
def test_what_tells_events_apart_stands_first_whatever_its_size(seq: int | None, id_: str) -> None:
    found = record(event(seq=seq, id=id_))

    told = [(pair.key, pair.value.string_value or pair.value.int_value) for pair in found.attributes[:3]]
    numbered = [] if seq is None else [("dashlight.event.seq", seq)]
    assert told[: 2 + len(numbered)] == [("dashlight.event.id", id_), *numbered, ("dashlight.event.epoch", 99)]


@pytest.mark.parametrize("size", [1, 126, 127, 128, 2047, 2048, 8000])
def test_a_body_of_any_length_is_read_back(size: int) -> None:
    assert record(event(body="x" * size)).body.string_value == "x" * size


def test_an_event_outside_any_trace_has_no_ids_and_no_body_if_it_says_nothing() -> None:
    found = record(event(trace_id=0, span_id=0, body=""))

    assert (found.trace_id, found.span_id, found.flags, found.HasField("body")) == (b"", b"", 0, False)


def test_values_that_poison_the_sdk_s_batches_arrive() -> None:
    deep: Any = 1
    for _ in range(2000):
        deep = [deep]
    odd = {"surrogate": "\ud800", "large": 2**70, "nan": math.nan, "deep": deep}

    found = attributes(record(event(attributes=odd, body="\ud800")))

    assert found["surrogate"].string_value == "\ufffd"
    assert found["large"].string_value == "1180591620717411303424"
    assert math.isnan(found["nan"].double_value)
    assert found["dashlight.event.truncated"].bool_value


def test_an_event_stays_below_256_kilobytes_and_says_that_it_was_cut() -> None:
    large = {f"column {number}": "x" * 5000 for number in range(500)}
    encoder = LogEncoder(RESOURCE, "dashlight", "0.1", epoch=99)

    written = encoder.event(event(attributes=large), observed_at=0.0)

    assert len(written) < 256 * 1024
    assert attributes(record(event(attributes=large)))["dashlight.event.truncated"].bool_value


def test_an_event_with_a_value_of_no_plain_form_is_refused() -> None:
    encoder = LogEncoder(RESOURCE, "dashlight", "0.1", epoch=99)

    with pytest.raises(TypeError, match="object"):
        encoder.event(event(attributes={"a": object()}), observed_at=0.0)


def test_the_collector_s_rejections_are_read() -> None:
    answer = ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=2))

    found = LogEncoder(RESOURCE, "dashlight", "0.1", epoch=99).rejected_count(answer.SerializeToString())

    assert found == 2
