"""The draw of an exchange: decided by its trace id, so that every process and service decides the same of a trace.

As OpenTelemetry's consistent probability sampling has it, the lowest 56 bits of the trace id (or `rv` of `tracestate`) are
kept from a threshold on: whoever samples at a larger rate by this rule keeps all that a smaller one keeps.
Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dashlight.records import Exchange, Headers

_BITS: Final = 56
_MASK: Final = (1 << _BITS) - 1
_LOW_64_BITS: Final = (1 << 64) - 1
_RANDOMNESS: Final = b"rv:"
_DIGITS: Final = b"0123456789abcdef"
_MOST_STATE_BYTES: Final = 512


def never() -> bool:
    """False: the app's sampler follows no rule of its own."""
    return False


class Draw:
    """Draws a share of all exchanges.

    Where there is no trace, the random bits of the prediction id decide.
    """

    def __init__(self, rate: float, *, by_ratio: Callable[[], bool] = never) -> None:
        """As follows.

        Args:
            rate: Share that is drawn, 0 to 1.
            by_ratio: Whether the app's own sampler is OpenTelemetry's TraceIdRatioBased, as the SDK for Python has it: it
                keeps trace ids whose lowest 64 bits are below a bound. Then the draw follows that, so that it lies
                within what the app samples; unless `tracestate` says what decides.
        """
        self.rate = rate
        self._threshold = round((1 - rate) * (1 << _BITS))
        self._bound = round(rate * (1 << 64))
        self._by_ratio = by_ratio
        self._is_by_ratio = by_ratio()

    def look_around(self) -> None:
        """Asks anew how the app samples, for it may say so late. Once a batch: the answer takes longer than a draw."""
        self._is_by_ratio = self._by_ratio()

    def __call__(self, exchange: Exchange) -> bool:
        """Whether *exchange* is drawn."""
        trace_id = exchange.trace_id
        if not trace_id:
            return exchange.id & _MASK >= self._threshold
        for name, value in exchange.request_headers:
            if name == b"tracestate" and _RANDOMNESS in value:
                said = randomness_said(exchange.request_headers, trace_id)
                if said is not None:
                    return said >= self._threshold
        if self._is_by_ratio:
            return trace_id & _LOW_64_BITS < self._bound
        return trace_id & _MASK >= self._threshold


def randomness_said(headers: Headers, trace_id: int) -> int | None:
    """The 56 bits that `rv` of the `ot` entry of `tracestate` says of the trace *trace_id*; None where it says nothing.

    What is not of 14 hexadecimal digits, too long, or of another trace than the span has is not there.
    """
    parent = next((value for name, value in headers if name == b"traceparent"), b"")
    if b"%032x" % trace_id != parent.strip()[3:35]:
        return None
    states = [value for name, value in headers if name == b"tracestate"]
    if sum(map(len, states)) > _MOST_STATE_BYTES:
        return None
    for member in b",".join(states).split(b","):
        vendor, _, fields = member.strip().partition(b"=")
        if vendor == b"ot":
            for each in fields.split(b";"):
                digits = each.removeprefix(_RANDOMNESS)
                if len(digits) == 14 == len(each) - len(_RANDOMNESS) and not digits.strip(_DIGITS):
                    return int(digits, 16)
            return None
    return None
