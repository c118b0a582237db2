"""The lean span, as the application and its children see it."""

from __future__ import annotations

from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags, TraceState

from dashlight.capture.own_span import LeanSpan
from dashlight.records import OwnSpan

PARENT = SpanContext(0xA, 0xB, True, TraceFlags(3), TraceState([("vendor", "x")]))


class SpanContextError(Exception):
    """An exception with a module in its name."""


def test_an_sdk_child_hangs_below_the_lean_span() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    lean = LeanSpan(0x1234, 0x56, 1, None)

    with trace.use_span(lean):
        provider.get_tracer("app").start_span("child").end()

    (child,) = exporter.get_finished_spans()
    assert child.parent is not None
    assert (child.parent.span_id, child.parent.trace_id) == (0x56, 0x1234)


def test_outgoing_propagation_carries_its_ids() -> None:
    carrier: dict[str, str] = {}

    with trace.use_span(LeanSpan(0x1234, 0x56, 1, PARENT)):
        propagate.inject(carrier)

    assert carrier["traceparent"] == f"00-{0x1234:032x}-{0x56:016x}-01"
    assert carrier["tracestate"] == "vendor=x"


def test_a_span_nobody_touched_is_exported_plain() -> None:
    assert LeanSpan(1, 2, 1, None).sealed() == OwnSpan()


def test_a_remote_parent_is_remembered() -> None:
    assert LeanSpan(1, 2, 1, PARENT).sealed() == OwnSpan(parent_id=0xB, trace_state="vendor=x", parent_is_remote=True)


def test_what_the_application_sets_is_kept() -> None:
    span = LeanSpan(1, 2, 1, None)

    span.set_attribute("a", 1)
    span.set_attributes({"b": "x"})
    span.add_event("cache_miss", {"key": "k"}, 7)
    span.add_link(PARENT, {"why": "batch"})
    span.update_name("renamed")
    span.set_status(StatusCode.ERROR, "no luck")
    span.end()

    assert span.sealed() == OwnSpan(
        name="renamed",
        attributes={"a": 1, "b": "x"},
        events=[("cache_miss", 7, {"key": "k"})],
        links=[(0xA, 0xB, 0x203, "vendor=x", {"why": "batch"})],
        status_code=2,
        status_description="no luck",
    )


def test_ok_is_final_and_unset_changes_nothing() -> None:
    span = LeanSpan(1, 2, 1, None)

    span.set_status(Status(StatusCode.OK))
    span.set_status(StatusCode.ERROR, "late")
    span.set_status(StatusCode.UNSET)

    sealed = span.sealed()
    assert sealed is not None
    assert (sealed.status_code, sealed.status_description) == (1, "")


def test_an_exception_becomes_the_event_that_the_sdk_makes() -> None:
    lean = LeanSpan(1, 2, 1, None)
    sdk = TracerProvider().get_tracer("app").start_span("sdk")
    errors = [ValueError("bad"), SpanContextError("own")]

    for error in errors:
        lean.record_exception(error, {"more": 1}, 5)
        sdk.record_exception(error, {"more": 1}, 5)

    sealed = lean.sealed()
    assert sealed is not None
    assert [(name, at, dict(attributes)) for name, at, attributes in sealed.events] == [
        (event.name, event.timestamp, dict(event.attributes or {}))
        for event in sdk.events  # type: ignore[attr-defined]
    ]


def test_a_span_that_is_not_sampled_records_nothing() -> None:
    span = LeanSpan(1, 2, 0, PARENT)

    span.set_attribute("a", 1)
    span.set_attributes({"a": 1})
    span.add_event("e")
    span.add_link(PARENT)
    span.update_name("n")
    span.set_status(StatusCode.OK)

    assert not span.is_recording()
    assert span.sealed() is None
    assert not span.get_span_context().trace_flags.sampled
