"""Parents from headers, and the decision to sample, against the official ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.baggage import get_all
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dashlight.capture.trace_parent import (
    is_w3c_alone,
    propagated_context,
    propagated_parent,
    sampler_from,
    w3c_parent,
)
from dashlight.errors import SettingsError

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-03", id="random flag"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", id="not sampled"),
        pytest.param(f" 00-{TRACE}-{SPAN}-01 ", id="spaces around"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what-comes-later", id="later version"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", id="version 00 with more"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="forbidden version"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="no trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="no span"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}-01", id="capitals"),
        pytest.param("nonsense", id="nonsense"),
        pytest.param("", id="empty"),
    ],
)
def test_a_traceparent_is_read_as_the_official_propagator_reads_it(value: str) -> None:
    official = trace.get_current_span(
        TraceContextTextMapPropagator().extract({"traceparent": value, "tracestate": "a=1"})
    ).get_span_context()

    ours = w3c_parent([(b"traceparent", value.encode()), (b"tracestate", b"a=1")])

    assert (ours is not None) == official.is_valid
    if ours is not None:
        assert (ours.trace_id, ours.span_id, int(ours.trace_flags)) == (
            official.trace_id,
            official.span_id,
            int(official.trace_flags),
        )
        assert ours.trace_state == official.trace_state
        assert ours.is_remote


def test_two_traceparents_are_none() -> None:
    header = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())

    assert w3c_parent([header, header]) is None


def test_the_general_propagators_read_asgi_headers() -> None:
    context = propagated_context([(b"TraceParent", f"00-{TRACE}-{SPAN}-01".encode()), (b"x", b"y")])

    parent = propagated_parent(context)
    assert parent is not None
    assert parent.trace_id == int(TRACE, 16)
    assert propagated_parent(propagated_context([])) is None


@pytest.mark.parametrize(
    ("names", "alone"),
    [(None, True), ("tracecontext", True), ("b3,tracecontext", False), ("none", False), ("baggage", False)],
)
def test_only_w3c_is_read_by_the_short_way(names: str | None, alone: bool) -> None:  # noqa: FBT001
    assert is_w3c_alone({} if names is None else {"OTEL_PROPAGATORS": names}) is alone


@given(st.integers(1, 2**128 - 1), st.sampled_from(["0", "0.1", "0.5", "1", "1.0", ""]))
def test_a_ratio_samples_the_same_traces_as_the_sdk(trace_id: int, rate: str) -> None:
    ours = sampler_from({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": rate})

    official = TraceIdRatioBased(float(rate or 1)).should_sample(None, trace_id, "name")

    assert ours(trace_id, None) == (official.decision is Decision.RECORD_AND_SAMPLE)


@pytest.mark.parametrize(
    ("sampler", "without_parent", "sampled_parent", "unsampled_parent"),
    [
        ("", True, True, False),
        ("parentbased_always_off", False, True, False),
        ("always_on", True, True, True),
        ("always_off", False, False, False),
    ],
)
def test_a_sampler_heeds_its_parent_only_if_told_to(
    sampler: str,
    without_parent: bool,  # noqa: FBT001
    sampled_parent: bool,  # noqa: FBT001
    unsampled_parent: bool,  # noqa: FBT001
) -> None:
    sample = sampler_from({"OTEL_TRACES_SAMPLER": sampler})

    assert sample(7, None) is without_parent
    assert sample(7, SpanContext(7, 1, True, TraceFlags(1))) is sampled_parent
    assert sample(7, SpanContext(7, 1, True, TraceFlags(0))) is unsampled_parent


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_TRACES_SAMPLER", "sometimes"), ("OTEL_TRACES_SAMPLER_ARG", "2"), ("OTEL_TRACES_SAMPLER_ARG", "x")],
)
def test_a_mistake_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}='{value}'"):
        sampler_from({"OTEL_TRACES_SAMPLER": "traceidratio", variable: value})


@pytest.mark.parametrize(
    "state", [" " * 60_000, " " * 60_000 + ",", "a=1" + " " * 60_000 + "x", "a=" + "1" * 511], ids=len
)
def test_a_tracestate_that_is_long_or_mostly_spaces_is_left_out(state: str) -> None:
    headers = [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", state.encode())]

    ours, official = w3c_parent(headers), propagated_parent(propagated_context(headers))

    assert ours is not None
    assert official is not None
    assert ours.trace_id == official.trace_id == int(TRACE, 16)
    assert not ours.trace_state
    assert not official.trace_state


def test_spaces_in_a_tracestate_are_no_part_of_it() -> None:
    parent = w3c_parent(
        [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", b"a=1" + b" " * 9000 + b",\t  b=2")]
    )

    assert parent is not None
    assert dict(parent.trace_state) == {"a": "1", "b": "2"}


def test_a_header_longer_than_baggage_may_be_is_not_looked_at() -> None:
    context = propagated_context([(b"baggage", b"a=" + b"1" * 9000)])

    assert get_all(context) == {}
