"""Where a trace comes from: the caller's context in the headers, and the decision to sample."""

import logging
import re
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, TraceFlags

from dashlight.capture.plugins import Describe, Sampler, offered_sampler, undescribed
from dashlight.capture.trace_headers import trace_state
from dashlight.records import Headers

logger = logging.getLogger(__name__)


_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_LOW_64_BITS = (1 << 64) - 1
_KNOWN_SAMPLERS: Mapping[str, float | None] = {"always_on": 1.0, "always_off": 0.0, "traceidratio": None}
_DEFAULT_SAMPLER = "parentbased_always_on"


def w3c_parent(headers: Headers) -> SpanContext | None:
    """The caller's span by W3C trace context, without the cost of the general propagator.

    Source: https://www.w3.org/TR/trace-context-2/ ; an unknown version is read as version 00, `ff` is refused.
    """
    found = None
    state: list[bytes] = []
    for name, value in headers:
        if name == b"traceparent":
            if found is not None:
                return None
            found = value
        elif name == b"tracestate":
            state.append(value)
    match = _TRACEPARENT.fullmatch(found.strip()) if found is not None else None
    if match is None or match[1] == b"ff" or (match[1] == b"00" and len(match[0]) != 55):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    if not trace_id or not span_id:
        return None
    return SpanContext(trace_id, span_id, True, TraceFlags(int(match[4], 16)), trace_state(state))


def propagated_parent(context: Context) -> SpanContext | None:
    """The span that *context* holds, if it is a valid one."""
    found = trace.get_current_span(context).get_span_context()
    return found if found.is_valid else None


def sampler_from(environ: Mapping[str, str]) -> Sampler:
    """The sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG ask for; parentbased_always_on if unset.

    A sampler that no package offers and an argument that is no share are each one warning, and the default.
    """
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or _DEFAULT_SAMPLER
    argument = environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
    if name.removeprefix("parentbased_") not in _KNOWN_SAMPLERS:
        try:
            return offered_sampler(name, argument)
        except LookupError as error:
            logger.warning("OTEL_TRACES_SAMPLER: %s; %s is used", error, _DEFAULT_SAMPLER)
            name = _DEFAULT_SAMPLER
    rate = _KNOWN_SAMPLERS[name.removeprefix("parentbased_")]
    if rate is None:
        rate = _rate(argument or "1.0")
    # As the SDK decides: the low 64 bits of the trace id against the share of their range.
    bound = round(rate * (1 << 64))
    follow_parent = name.startswith("parentbased_")

    def sample(trace_id: int, parent: SpanContext | None, _describe: Describe = undescribed) -> bool:
        if follow_parent and parent is not None:
            return bool(parent.trace_flags & TraceFlags.SAMPLED)
        return trace_id & _LOW_64_BITS < bound

    return sample


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if 0 <= rate <= 1:
        return rate
    logger.warning("OTEL_TRACES_SAMPLER_ARG=%r: expected a number from 0 to 1; 1.0 is used", text)
    return 1.0
