"""The limits of OpenTelemetry's variables, in the spans that are encoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import SpanLimits as SdkLimits

from dashlight.capture.own_span import LeanSpan
from dashlight.deliver.encoding.span_limits import span_limits
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.records import Exchange
from dashlight.types import SpanLimits

Exchanges = Callable[..., Exchange]


def encoded(exchange: Exchange, limits: SpanLimits) -> Any:
    """The one span, as the official schema reads it."""
    encoder = SpanEncoder({}, "dashlight", "0", limits=limits)
    request = ExportTraceServiceRequest.FromString(encoder.request([encoder.span(exchange, model="m" * 50)]))
    return request.resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_ATTRIBUTE_COUNT_LIMIT": "7", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "9"},
        {
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1", "OTEL_SPAN_EVENT_COUNT_LIMIT": "2", "OTEL_SPAN_LINK_COUNT_LIMIT": "3",
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "4", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "5",
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "6", "OTEL_ATTRIBUTE_COUNT_LIMIT": "70",
        },
        {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": " 0 ", "OTEL_SPAN_EVENT_COUNT_LIMIT": "0"},
    ],
    ids=["unset", "general", "special", "none at all"],
)  # fmt: skip
def test_limits_are_read_as_the_sdk_reads_them(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    official = SdkLimits()

    found, mistakes = span_limits(environ)

    assert mistakes == ()
    assert (found.attributes, found.events, found.links) == (
        official.max_span_attributes, official.max_events, official.max_links,
    )  # fmt: skip
    assert (found.event_attributes, found.link_attributes, found.value_length) == (
        official.max_event_attributes, official.max_link_attributes, official.max_span_attribute_length,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["many", "-1", "1.5", "\u0661"])
def test_a_limit_that_is_no_number_is_told_once_and_the_default_stands(text: str) -> None:
    found, mistakes = span_limits({"OTEL_ATTRIBUTE_COUNT_LIMIT": text})

    assert found == SpanLimits()
    assert mistakes == (f"OTEL_ATTRIBUTE_COUNT_LIMIT={text!r}: expected a whole number; the default is used",)


def test_what_the_app_sets_beyond_the_limits_is_counted(exchange: Exchanges) -> None:
    limits = SpanLimits(attributes=40, events=2, links=1, event_attributes=1, link_attributes=0)
    lean = LeanSpan(1, 2, 1, None, limits)
    for number in range(50):
        lean.set_attribute(f"own.{number}", number)
        lean.add_event("step", {"a": 1, "b": 2})
        lean.add_link(lean.get_span_context(), {"a": 1})
    lean.set_attribute("own.0", "last")

    span = encoded(exchange(own_span=lean.sealed()), limits)

    assert len(span.attributes) == 40
    assert (len(span.events), span.dropped_events_count) == (2, 48)
    assert (len(span.links), span.dropped_links_count) == (1, 49)
    assert {event.dropped_attributes_count for event in span.events} == {1}
    assert span.links[0].dropped_attributes_count == 1
    assert span.dropped_attributes_count >= 10
    assert "last" in {each.value.string_value for each in span.attributes}


@pytest.mark.parametrize(("count", "length"), [(128, 3), (4, None), (0, None), (5, 0)])
def test_our_own_attributes_keep_the_limits_too(exchange: Exchanges, count: int, length: int | None) -> None:
    whole = encoded(exchange(own_span=LeanSpan(1, 2, 1, None).sealed()), SpanLimits())
    limits = SpanLimits(attributes=count, value_length=length)

    span = encoded(exchange(own_span=LeanSpan(1, 2, 1, None, limits).sealed()), limits)

    texts = [each.value.string_value for each in span.attributes]
    assert len(span.attributes) == min(count, len(whole.attributes))
    assert span.dropped_attributes_count == max(0, len(whole.attributes) - count)
    assert length is None or max(map(len, texts)) <= length
