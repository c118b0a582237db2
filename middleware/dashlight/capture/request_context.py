"""The OpenTelemetry context in which a request begins: never that of another request.

A server may begin a request in the context of the one before it on the same connection: uvicorn does where requests are
pipelined, and on asyncio's loop after every large body, for as long as the connection lasts
(https://github.com/python/cpython/issues/140947). The spans and the baggage that are current then are another request's.
"""

from __future__ import annotations

from contextvars import Token
from time import time_ns

from opentelemetry import trace
from opentelemetry.context import Context, attach, create_key, get_current
from opentelemetry.trace import INVALID_SPAN, Span

_CLAIM = create_key("dashlight.request")
# The API names it nowhere.
_SPAN = next(iter(trace.set_span_in_context(INVALID_SPAN, Context())))


class Claim:
    """Marks a context, and all that are made from it, as those of one request."""

    __slots__ = ("_before", "_ended_ns", "_is_lean", "_span_id")

    def __init__(self, before: Context, span_id: int, *, is_lean: bool = False) -> None:
        """As follows.

        Args:
            before: The context in which the request began.
            span_id: Of the span that we made for it; 0 for none.
            is_lean: Whether that is a lean span, with no SDK of the app's behind it.
        """
        self._before = before
        self._span_id = span_id
        self._is_lean = is_lean
        self._ended_ns: int | None = None

    def end(self) -> None:
        """The request has been answered: what is current here from now on is left over."""
        self._ended_ns = time_ns()

    def covers(self, current: Span) -> bool:
        """Whether *current* is of this request, so that another one must not take it for its own.

        An app that asks another in its process does so below a span of its own, while its request goes on: that
        span is none of ours, and stays. What began after the end is of whoever stands around us.
        """
        # Not by identity: without an SDK the app's own spans are copies of ours.
        if current.get_span_context().span_id == self._span_id:
            return True
        if self._ended_ns is None:
            return False
        started_ns = getattr(current, "start_time", None)
        return not self._is_lean if started_ns is None else started_ns <= self._ended_ns

    def cleared(self) -> Context:
        """The context in which the request began, without a span that has ended since."""
        return Context() if _has_ended(trace.get_current_span(self._before)) else self._before


def claimed(context: Context, claim: Claim, span: Span | None = None) -> Context:
    """*context* as that of a request, with *span* as the current one."""
    # In one step: each of OpenTelemetry's own copies all of it.
    return Context({**context, _CLAIM: claim} if span is None else {**context, _CLAIM: claim, _SPAN: span})


def left_over(current: Span) -> Context | None:
    """The context to begin in where *current* is the span of another request; None where it is not."""
    has_ended = _has_ended(current)
    claim = get_current().get(_CLAIM)
    if isinstance(claim, Claim) and (has_ended or claim.covers(current)):
        return claim.cleared()
    return Context() if has_ended else None


def begin_anew() -> Token[Context] | None:
    """Leaves the context of another request, for one that is not watched; returns what undoes it."""
    current = trace.get_current_span()
    before = None if current is INVALID_SPAN else left_over(current)
    return None if before is None else attach(before)


def _has_ended(span: Span) -> bool:
    return getattr(span, "end_time", None) is not None
