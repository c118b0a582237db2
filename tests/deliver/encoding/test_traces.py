from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.records import Exchange, OwnSpan

RESOURCE = {"service.name": "fraud", "telemetry.sdk.language": "python"}
STARTED_AT, ENDED_AT = 1_790_000_000_250_000_000, 1_790_000_000_750_000_000
TRACE_ID, SPAN_ID = 0xABCDEF0123456789ABCDEF0123456789, 0x1122334455667788
ATTRIBUTES: Mapping[str, Any] = {
    "http.request.method": "POST",
    "http.route": "/predict/{name}",
    "http.response.status_code": 200,
    "http.request.body.size": 300,
    "http.response.body.size": 20_000,
    "url.path": "/predict/{name}",
    "url.scheme": "http",
    "server.address": "10.0.0.7",
    "server.port": 8000,
    "network.protocol.version": "1.1",
    "dashlight.event.id": "01901234-5678-7abc-8def-0123456789ab",
    "dashlight.outcome": "ok",
}


class GivenIds(IdGenerator):
    """Hands out the ids of the exchange."""

    def generate_trace_id(self) -> int:
        """The trace id."""
        return TRACE_ID

    def generate_span_id(self) -> int:
        """The span id."""
        return SPAN_ID


def from_the_sdk(
    name: str = "POST /predict/{name}",
    *,
    attributes: Mapping[str, Any] = ATTRIBUTES,
    parent: SpanContext | None = None,
    set_on_it: Callable[[Any], None] = lambda _span: None,
) -> ExportTraceServiceRequest:
    """The request that the official exporter makes of a span that the official SDK made."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource(RESOURCE), id_generator=GivenIds(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    context = set_span_in_context(NonRecordingSpan(parent)) if parent is not None else None
    span = provider.get_tracer("dashlight", "0.1").start_span(
        name, kind=SpanKind.SERVER, attributes=attributes, start_time=STARTED_AT, context=context
    )
    set_on_it(span)
    span.end(ENDED_AT)
    request: ExportTraceServiceRequest = encode_spans(kept.get_finished_spans())
    return request


def ours(exchange: Exchange, **decoded: Any) -> ExportTraceServiceRequest:
    encoder = SpanEncoder(RESOURCE, "dashlight", "0.1")
    return read(encoder.request([encoder.span(exchange, **decoded)]))


def read(request: bytes) -> ExportTraceServiceRequest:
    found: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(request)
    return found


def in_order(request: ExportTraceServiceRequest) -> list[str]:
    """Every field of the request in words, with attributes sorted: their order means nothing."""
    for of_resource in request.resource_spans:
        of_resource.resource.attributes.sort(key=lambda pair: pair.key)
        for span in of_resource.scope_spans[0].spans:
            span.attributes.sort(key=lambda pair: pair.key)
    return str(request).splitlines()


def the_span(request: ExportTraceServiceRequest) -> Span:
    [span] = spans(request)
    return span


def spans(request: ExportTraceServiceRequest) -> list[Span]:
    return list(request.resource_spans[0].scope_spans[0].spans)


def attributes(span: Span) -> dict[str, object]:
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in span.attributes}


def test_a_span_equals_the_one_of_the_official_sdk_and_exporter(exchange: Callable[..., Exchange]) -> None:
    assert in_order(ours(exchange())) == in_order(from_the_sdk())


@pytest.mark.parametrize("is_remote", [True, False], ids=["remote", "local"])
def test_a_span_with_a_parent_equals_the_official_one(exchange: Callable[..., Exchange], *, is_remote: bool) -> None:
    state = TraceState.from_header(["vendor=1,other=2"])
    parent = SpanContext(TRACE_ID, 0x99, is_remote=is_remote, trace_flags=TraceFlags(1), trace_state=state)
    own = OwnSpan(parent_id=0x99, trace_state="vendor=1,other=2", parent_is_remote=is_remote)

    found = ours(exchange(own_span=own))

    assert in_order(found) == in_order(from_the_sdk(parent=parent))


def test_a_span_with_a_parent_without_a_state_equals_the_official_one(exchange: Callable[..., Exchange]) -> None:
    parent = SpanContext(TRACE_ID, 0x99, is_remote=True, trace_flags=TraceFlags(1))

    found = ours(exchange(own_span=OwnSpan(parent_id=0x99, parent_is_remote=True)))

    assert in_order(found) == in_order(from_the_sdk(parent=parent))


def test_what_the_application_set_equals_the_official_span(exchange: Callable[..., Exchange]) -> None:
    def set_on_it(span: Any) -> None:
        span.update_name("scoring")
        span.set_attribute("http.route", "/mine")
        span.set_attribute("tags", ["a", "b"])
        span.add_event("cache miss", {"key": "k1", "size": 3}, timestamp=STARTED_AT + 1)
        span.add_link(SpanContext(5, 6, is_remote=False), {"why": "batch"})
        span.add_link(SpanContext(7, 8, is_remote=True))
        span.set_status(Status(StatusCode.ERROR, "no model"))

    own = OwnSpan(
        name="scoring",
        attributes={"http.route": "/mine", "tags": ["a", "b"]},
        events=[("cache miss", STARTED_AT + 1, {"key": "k1", "size": 3})],
        links=[(5, 6, 0, "", {"why": "batch"}), (7, 8, 0x200, "", {})],
        status_code=2,
        status_description="no model",
    )

    found = ours(exchange(own_span=own))

    assert in_order(found) == in_order(from_the_sdk(set_on_it=set_on_it))


def test_a_failure_equals_the_official_span(exchange: Callable[..., Exchange]) -> None:
    expected = from_the_sdk(
        attributes={
            **ATTRIBUTES,
            "http.response.status_code": 503,
            "error.type": "503",
            "dashlight.outcome": "error",
        },
        set_on_it=lambda span: span.set_status(Status(StatusCode.ERROR)),
    )

    found = ours(exchange(status=503, outcome="error"))

    assert in_order(found) == in_order(expected)


def test_success_by_the_application_s_word_stands_against_a_500(exchange: Callable[..., Exchange]) -> None:
    found = the_span(ours(exchange(status=500, own_span=OwnSpan(status_code=1))))

    assert found.status.code == 1


def test_decoded_facts_are_attributes_and_stay_apart(exchange: Callable[..., Exchange]) -> None:
    encoder = SpanEncoder(RESOURCE, "dashlight", "0.1")
    spans = [
        encoder.span(exchange(), model="fraud", version="3", rows=16),
        encoder.span(exchange(), model="fraud", version="4", rows=1),
        encoder.span(exchange(), model="fraud", version="3", rows=16),
    ]

    found = ExportTraceServiceRequest.FromString(encoder.request(spans)).resource_spans[0].scope_spans[0].spans

    facts = ("dashlight.model.name", "dashlight.model.version", "dashlight.rows")
    assert [tuple(attributes(span)[fact] for fact in facts) for span in found] == [
        ("fraud", "3", 16),
        ("fraud", "4", 1),
        ("fraud", "3", 16),
    ]


def test_further_attributes_lose_against_the_application_s(exchange: Callable[..., Exchange]) -> None:
    own = OwnSpan(attributes={"gen_ai.usage.output_tokens": 9})

    found = attributes(
        the_span(ours(exchange(own_span=own), extra={"gen_ai.usage.output_tokens": 7, "gen_ai.usage.input_tokens": 5}))
    )

    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (5, 9)


def test_an_attribute_of_no_plain_form_costs_itself_alone(exchange: Callable[..., Exchange]) -> None:
    found = attributes(the_span(ours(exchange(own_span=OwnSpan(attributes={"a": object(), "b": 1})))))

    assert "a" not in found
    assert found["b"] == 1


@pytest.mark.parametrize("own", [OwnSpan(), OwnSpan(attributes={"a": 1})], ids=["untouched", "touched"])
def test_a_request_cut_short_says_so(exchange: Callable[..., Exchange], own: OwnSpan) -> None:
    found = attributes(the_span(ours(exchange(request_bytes=301, own_span=own))))

    assert found["dashlight.request.truncated"] is True


def test_a_request_in_pieces_is_whole(exchange: Callable[..., Exchange]) -> None:
    found = attributes(the_span(ours(exchange(request_chunks=(b"x" * 100, b"x" * 200)))))

    assert "dashlight.request.truncated" not in found


def test_nothing_of_the_query_is_sent(exchange: Callable[..., Exchange]) -> None:
    assert b"secret" not in SpanEncoder(RESOURCE, "dashlight", "0.1").span(exchange())


def test_nothing_of_a_path_is_sent_but_its_route(exchange: Callable[..., Exchange]) -> None:
    templated = attributes(the_span(ours(exchange(path="/people/maria", route="/people/{name}"))))
    unmatched = attributes(the_span(ours(exchange(path="/people/maria", route="unmatched"))))

    assert templated["url.path"] == "/people/{name}"
    assert unmatched["url.path"] == "/[redacted]"


def test_an_agent_that_says_who_it_is_is_not_told(exchange: Callable[..., Exchange]) -> None:
    agent = attributes(the_span(ours(exchange(request_headers=[(b"user-agent", b"bot (maria@example.com)")]))))

    assert agent["user_agent.original"] == "[redacted]"


def test_an_exchange_without_a_span_of_ours_has_none_to_encode(exchange: Callable[..., Exchange]) -> None:
    with pytest.raises(ValueError, match="not Dashlight's"):
        SpanEncoder(RESOURCE, "dashlight", "0.1").span(exchange(own_span=None))


def test_many_spans_travel_in_one_request(exchange: Callable[..., Exchange]) -> None:
    encoder = SpanEncoder(RESOURCE, "dashlight", "0.1")
    spans = [encoder.span(exchange(span_id=number)) for number in range(1, 600)]

    found = ExportTraceServiceRequest.FromString(encoder.request(spans)).resource_spans[0].scope_spans[0].spans

    assert [int.from_bytes(span.span_id, "big") for span in found] == list(range(1, 600))


def test_the_collector_s_rejections_are_read() -> None:
    answer = ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=3, error_message="too old")
    )

    assert SpanEncoder(RESOURCE, "dashlight", "0.1").rejected_count(answer.SerializeToString()) == 3


def test_links_are_encoded_as_the_official_exporter_does(exchange: Callable[..., Exchange]) -> None:
    linked = SpanContext(5, 6, is_remote=False, trace_flags=TraceFlags(1), trace_state=TraceState([("k", "v")]))

    found = ours(exchange(own_span=OwnSpan(links=[(5, 6, 1, "k=v", {})])))

    expected = from_the_sdk(set_on_it=lambda span: span.add_link(Link(linked).context))
    assert in_order(found) == in_order(expected)


CALLED = ((b"host", b"Model.Example:9000"), (b"user-agent", b"curl/8.5 caf\xe9"))


@pytest.mark.parametrize("own", [OwnSpan(), OwnSpan(attributes={"tenant": "7"})], ids=["untouched", "touched"])
def test_a_span_says_what_was_called_and_by_what(exchange: Callable[..., Exchange], own: OwnSpan) -> None:
    encoder = SpanEncoder(RESOURCE, "dashlight", "0.1")
    asked = [
        exchange(own_span=own, request_headers=CALLED),
        exchange(own_span=own, request_headers=CALLED, client_address="10.0.0.9"),
        exchange(own_span=own, request_headers=(), server=("10.0.0.1", 80)),
        exchange(own_span=own, request_headers=((b"host", b"other"), (b"user-agent", b"x" * 5000))),
    ]

    found = [attributes(span) for span in spans(read(encoder.request([encoder.span(each) for each in asked])))]

    assert [each.get("server.address") for each in found] == ["model.example", "model.example", "10.0.0.1", "other"]
    assert [each.get("server.port") for each in found] == [9000, 9000, 80, None]
    assert [each.get("client.address") for each in found] == [None, "10.0.0.9", None, None]
    assert [each.get("user_agent.original") for each in found] == ["curl/8.5 caf\u00e9"] * 2 + [None, "x" * 256]
