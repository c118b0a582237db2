"""Parents from headers, and the decision to sample, against the official ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from dashlight.capture.plugins import W3C
from dashlight.capture.trace_parent import (
    propagated_parent,
    sampler_from,
    w3c_parent,
)

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
    context = W3C.extract([(b"TraceParent", f"00-{TRACE}-{SPAN}-01".encode()), (b"x", b"y")])

    parent = propagated_parent(context)
    assert parent is not None
    assert parent.trace_id == int(TRACE, 16)
    assert propagated_parent(W3C.extract([])) is None


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


@pytest.mark.parametrize("rate", ["2", "x", "-0.1", "nan"])
def test_an_argument_that_is_no_share_means_all(rate: str) -> None:
    sample = sampler_from({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": rate})

    assert all(sample(number << 56, None) for number in range(1, 256))
