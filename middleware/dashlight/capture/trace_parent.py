"""Where a trace comes from: the caller's context in the headers, and the decision to sample."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import SpanContext, TraceFlags, TraceState

from dashlight.errors import SettingsError
from dashlight.records import Headers

Sampler: TypeAlias = Callable[[int, SpanContext | None], bool]
"""(trace id, parent or None) -> whether to sample."""

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_MAX_STATE_BYTES = 512
"""Of `tracestate`; nobody has to hand on more."""
_MAX_VALUE_BYTES = 8192
"""Of any header that a propagator reads: what W3C allows for `baggage`."""
_LOW_64_BITS = (1 << 64) - 1
_KNOWN_SAMPLERS = "always_on, always_off, traceidratio or their parentbased_ forms"


def w3c_parent(headers: Headers) -> SpanContext | None:
    """The caller's span by W3C trace context, without the cost of the general propagator.

    Source: https://www.w3.org/TR/trace-context-2/ ; an unknown version is read as version 00, `ff` is refused.
    """
    found = None
    state: list[str] = []
    for name, value in headers:
        if name == b"traceparent":
            if found is not None:
                return None
            found = value
        elif name == b"tracestate":
            state.append(_members(value))
    match = _TRACEPARENT.fullmatch(found.strip()) if found is not None else None
    if match is None or match[1] == b"ff" or (match[1] == b"00" and len(match[0]) != 55):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    if not trace_id or not span_id:
        return None
    return SpanContext(trace_id, span_id, True, TraceFlags(int(match[4], 16)), _state(state))


def _state(values: list[str]) -> TraceState:
    return TraceState.from_header(values) if sum(map(len, values)) <= _MAX_STATE_BYTES else TraceState()


def _members(value: bytes) -> str:
    """The entries of a tracestate without the spaces around them.

    Many versions of OpenTelemetry look for commas in a time that is quadratic in a run of spaces.
    """
    return ",".join(member.strip() for member in value.decode("latin-1").split(","))


def _tidy(value: bytes) -> str:
    """*value* of any other header with single spaces, for the same reason: in none of them they mean anything."""
    return " ".join(value.decode("latin-1").split())


def is_w3c_alone(environ: Mapping[str, str]) -> bool:
    """Whether OTEL_PROPAGATORS leaves trace context as the only source of a parent."""
    names = {name.strip() for name in environ.get("OTEL_PROPAGATORS", "tracecontext,baggage").split(",")}
    return names <= {"tracecontext", "baggage"} and "tracecontext" in names


def propagated_context(headers: Headers) -> Context:
    """The current context with the caller's parent span and baggage, by the propagators that OTEL_PROPAGATORS names."""
    return propagate.extract(headers, getter=_HEADERS)


def propagated_parent(context: Context) -> SpanContext | None:
    """The span that *context* holds, if it is a valid one."""
    found = trace.get_current_span(context).get_span_context()
    return found if found.is_valid else None


def sampler_from(environ: Mapping[str, str]) -> Sampler:
    """The sampler that OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG ask for; parentbased_always_on if unset.

    Raises:
        SettingsError: an unknown sampler, or an argument that is no number from 0 to 1.
    """
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_on"
    root_name = name.removeprefix("parentbased_")
    if root_name not in {"always_on", "always_off", "traceidratio"}:
        raise SettingsError("OTEL_TRACES_SAMPLER", name, _KNOWN_SAMPLERS)
    rate = {"always_on": 1.0, "always_off": 0.0}.get(root_name)
    if rate is None:
        rate = _rate(environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip() or "1.0")
    # As the SDK decides: the low 64 bits of the trace id against the share of their range.
    bound = round(rate * (1 << 64))
    follow_parent = name.startswith("parentbased_")

    def sample(trace_id: int, parent: SpanContext | None) -> bool:
        if follow_parent and parent is not None:
            return bool(parent.trace_flags & TraceFlags.SAMPLED)
        return trace_id & _LOW_64_BITS < bound

    return sample


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise SettingsError("OTEL_TRACES_SAMPLER_ARG", text, "a number from 0 to 1")
    return rate


class _HeadersGetter(Getter[Headers]):
    """Reads ASGI headers for the propagators."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        wanted = key.lower().encode("latin-1")
        found = [value for name, value in carrier if name.lower() == wanted]
        if wanted == b"tracestate":
            members = [_members(value) for value in found]
            return members if members and sum(map(len, members)) <= _MAX_STATE_BYTES else None
        return [_tidy(value) for value in found if len(value) <= _MAX_VALUE_BYTES] or None

    def keys(self, carrier: Headers) -> list[str]:
        return [name.decode("latin-1") for name, _ in carrier]


_HEADERS = _HeadersGetter()
