"""Who makes the span of a request: the app, the OpenTelemetry SDK, or Dashlight itself."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec
from opentelemetry import trace
from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import INVALID_SPAN, Span, SpanContext, SpanKind, Status, StatusCode

from dashlight.capture.inside import Inside
from dashlight.capture.own_span import USUAL_LIMITS, LeanSpan
from dashlight.capture.plugins import W3C, Describe, Propagation, Sampler
from dashlight.capture.request_context import Claim, claimed, left_over
from dashlight.capture.trace_parent import propagated_parent, w3c_parent
from dashlight.records import Headers
from dashlight.types import SpanLimits

Choice: TypeAlias = Literal["enrich", "inner", "server", "own", "none"]

_RANDOM_TRACE_ID = 0x02
_SPAN_ID_BITS = 64
_SPAN_ID_MASK = (1 << _SPAN_ID_BITS) - 1


ENDED: Final = object()
"""The mark of a request for which it is too late to hand anything over."""
Told: TypeAlias = tuple[int, str]
"""The status that the server around gives the client instead of the app, or 0; the type of the exception that the
server has made an answer of, or empty."""


# A msgspec structure for the same reason as Exchange: it is made for every request.
class Opened(msgspec.Struct):
    """The span side of one request: who made it, its ids, and the token to undo the context."""

    choice: Choice
    trace_id: int
    span_id: int
    trace_flags: int
    lean: LeanSpan | None = None
    host: Span | None = None
    token: Any = None
    inside: Inside | None = None
    handed: Any = None
    """What an adapter has handed over; ENDED once the exchange is on its way."""
    told: Told | None = None
    """What an adapter knows of the end that does not pass the middleware."""
    claim: Claim | None = None
    """The mark in its context."""

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A server that sends the scope to another process, as Ray Serve does, sends a word in place of it."""
        return str, ("watched",)


class Spans:
    """Decides for each request, by DASHLIGHT_SPANS and by what is configured around and inside the app.

    `auto` enriches a span that is current or that the app inside makes; else opens one SDK span if a provider is
    configured; else one of our own if it can be exported; else there are only ids for correlation. Where an adapter
    knows that the server's own spans go nowhere, one of our own takes their place and their ids.
    """

    def __init__(
        self,
        source: Literal["auto", "enrich", "server", "own", "off"],
        *,
        exported: bool,
        sampler: Sampler,
        version: str,
        propagation: Propagation = W3C,
        limits: SpanLimits = USUAL_LIMITS,
    ) -> None:
        self._source = source
        self._exported = exported
        self._sampler = sampler
        self._propagation = propagation
        self._limits = limits
        self._version = version
        self._tracer: trace.Tracer | None = None
        self._inside = Inside(None)
        self._provider: object = None
        self._adopts = False

    def adopt(self, *, adopts: bool) -> bool:
        """Whether, from now on, spans of our own stand for current ones: if that is asked for and they can be exported."""
        self._adopts = adopts and self._exported and self._source == "auto"
        return self._adopts

    def look_around(self, app: object) -> None:
        """Notes whether a TracerProvider is configured by now; *app* is the one of requests that name none.

        Costs microseconds: called when the first request comes and from the analysis thread, not for every request.
        """
        provider = trace.get_tracer_provider()
        if provider is self._provider:
            return
        self._provider = provider
        if isinstance(provider, trace.ProxyTracerProvider):
            self._tracer = None
            return
        self._inside = Inside(app)
        self._tracer = provider.get_tracer("dashlight", self._version)

    def note_inner(self, current: Span, opened: Opened) -> None:
        """Learns that the app inside makes server spans after all, from the first one seen below ours."""
        parent = getattr(current, "parent", None)
        below = getattr(current, "kind", None) is SpanKind.SERVER and getattr(parent, "span_id", 0) == opened.span_id
        if below and opened.inside is not None:
            opened.inside.learn()

    def open(
        self,
        headers: Headers,
        raw_headers: Headers,
        describe: Describe,
        inside: Inside | None = None,
        *,
        here: bool = False,
    ) -> Opened:
        """The span of a request that begins now.

        *headers* are the kept ones, *raw_headers* all of them (for propagators that name none); *describe* gives
        name and first attributes of a span that the SDK has to make; *inside* is what is known of the app within.
        *here*: the current span is the request's own, even where it has ended.
        """
        before = get_current()
        current = trace.get_current_span(before)
        if here or current is INVALID_SPAN or (cleared := left_over(current)) is None:
            return self._opened(before, headers, raw_headers, describe, inside)
        opened = self._opened(cleared, headers, raw_headers, describe, inside)
        if opened.token is None:
            # The app's own spans must not hang below those of another request either.
            opened.token = attach(cleared)
        return opened

    def _opened(
        self,
        before: Context,
        headers: Headers,
        raw_headers: Headers,
        describe: Describe,
        inside: Inside | None,
    ) -> Opened:
        """As open, of a request that begins in the context *before*."""
        source = self._source
        current = trace.get_current_span(before)
        if source in {"auto", "enrich"} and current is not INVALID_SPAN:
            found = current.get_span_context()
            if found.is_valid:
                if self._adopts:
                    return self._adopted(before, found, headers, raw_headers, describe)
                return Opened("enrich", found.trace_id, found.span_id, int(found.trace_flags), host=current)
        tracer = self._tracer
        if tracer is not None and source in {"auto", "server", "enrich"}:
            inside = inside or self._inside
            if source == "enrich" or inside.traces_itself(self._provider):
                return _inner(before, headers)
            opened = _server(tracer, before, self._caller(before, headers, raw_headers), describe, inside)
            return opened or _correlated("none", headers)
        if self._exported and source in {"auto", "own"}:
            return self._own(before, headers, raw_headers, describe)
        return _correlated("none", headers)

    def _caller(self, before: Context, headers: Headers, raw_headers: Headers) -> Context | None:
        """The caller's context; None where it sent none, so that there is nothing to parse: most requests."""
        propagation = self._propagation
        if propagation.needs_all_headers:
            return propagation.extract(raw_headers, before)
        names = propagation.header_names
        for name, _ in headers:
            if name in names:
                return propagation.extract(headers, before)
        return None

    def _own(self, before: Context, headers: Headers, raw_headers: Headers, describe: Describe) -> Opened:
        parent: SpanContext | None = None
        context = self._caller(before, headers, raw_headers)
        if context is not None:
            parent = propagated_parent(context)
        elif self._source == "own":
            # `auto` would have enriched a current span and not come here.
            found = trace.get_current_span(before).get_span_context()
            parent = found if found.is_valid else None
        drawn = random.getrandbits(192)
        span_id = drawn & _SPAN_ID_MASK or 1
        if parent is None:
            trace_id = drawn >> _SPAN_ID_BITS
            flags = _RANDOM_TRACE_ID | self._sampler(trace_id, None, describe)
        else:
            trace_id = parent.trace_id
            flags = int(parent.trace_flags) & _RANDOM_TRACE_ID | self._sampler(trace_id, parent, describe)
        return _lean(
            LeanSpan(trace_id, span_id, flags, parent, self._limits), before, before if context is None else context
        )

    def _adopted(
        self, before: Context, found: SpanContext, headers: Headers, raw_headers: Headers, describe: Describe
    ) -> Opened:
        """A span of our own with the ids of the app's, which nobody exports, below the caller's.

        It is sampled by our rule and becomes the current one: what is below it, here and in the services that are
        called from here, follows the app's otherwise, which is not sampled.
        """
        context = self._caller(before, headers, raw_headers)
        parent = propagated_parent(context) if context is not None else None
        if parent is not None and (parent.trace_id != found.trace_id or parent.span_id == found.span_id):
            parent = None
        flags = int(found.trace_flags) & _RANDOM_TRACE_ID | self._sampler(found.trace_id, parent, describe)
        # Where no request is current there is no span of the app's around one either.
        return _lean(LeanSpan(found.trace_id, found.span_id, flags, parent, self._limits), Context(), before)


def _correlated(choice: Choice, headers: Headers) -> Opened:
    """Ids alone: the caller's if it sent any, else fresh ones by which events and alerts can be joined."""
    parent = w3c_parent(headers)
    if parent is not None:
        return Opened(choice, parent.trace_id, parent.span_id, int(parent.trace_flags))
    drawn = random.getrandbits(192)
    return Opened(choice, drawn >> _SPAN_ID_BITS, drawn & _SPAN_ID_MASK, 0)


def _inner(before: Context, headers: Headers) -> Opened:
    """Ids, and a mark by which the spans of the app inside are known again where they stay current too long."""
    opened = _correlated("inner", headers)
    opened.claim = Claim(before, 0)
    opened.token = attach(claimed(before, opened.claim))
    return opened


def _lean(span: LeanSpan, before: Context, context: Context) -> Opened:
    """*span* as the current one in *context*, for a request that began in *before*."""
    claim = Claim(before, span.span_id, is_lean=True)
    token = attach(claimed(context, claim, span))
    return Opened("own", span.trace_id, span.span_id, span.trace_flags, span, token=token, claim=claim)


def _server(
    tracer: trace.Tracer,
    before: Context,
    context: Context | None,
    describe: Describe,
    inside: Inside,
) -> Opened | None:
    """A span through the app's provider; None where that makes none, as under OTEL_SDK_DISABLED."""
    name, attributes = describe()
    context = before if context is None else context
    span = tracer.start_span(name, context=context, kind=SpanKind.SERVER, attributes=attributes)
    ids = span.get_span_context()
    if not ids.is_valid:
        return None
    claim = Claim(before, ids.span_id)
    token = attach(claimed(context, claim, span))
    flags = int(ids.trace_flags)
    return Opened("server", ids.trace_id, ids.span_id, flags, host=span, token=token, inside=inside, claim=claim)


def finish_server_span(
    span: Span, *, name: str, attributes: Mapping[str, Any], failed: bool, ended_ns: int | None = None
) -> None:
    """Ends the SDK span of a request, now or with the end that it had, with what is known at its last message."""
    span.update_name(name)
    span.set_attributes(attributes)
    if failed:
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended_ns)
