"""The headers of a trace as propagators are shown them: nothing in them takes longer than their length says."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import TraceState

from dashlight.records import Headers

_MAX_STATE_BYTES = 512
"""Of `tracestate`; nobody has to hand on more."""
_MAX_VALUE_BYTES = 8192
"""Of any header that a propagator reads: what W3C allows for `baggage`."""


class HeadersGetter(Getter[Headers]):
    """Reads ASGI headers for the propagators; those that are too long are not there."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        """All values of the header *key*, without spaces that mean nothing; None where there is none."""
        wanted = key.lower().encode("latin-1")
        found = [value for name, value in carrier if name.lower() == wanted]
        if wanted == b"tracestate":
            return _states(found) or None
        return [_tidy(value) for value in found if len(value) <= _MAX_VALUE_BYTES] or None

    def keys(self, carrier: Headers) -> list[str]:
        """The names of all headers."""
        return [name.decode("latin-1") for name, _ in carrier]


def trace_state(values: Sequence[bytes]) -> TraceState:
    """What the `tracestate` headers say, empty where they are too long."""
    return TraceState.from_header(_states(values))


def _states(values: Sequence[bytes]) -> list[str]:
    """The entries of each tracestate without the spaces around them; nothing where they are too long.

    Many versions of OpenTelemetry look for commas in a time that is quadratic in a run of spaces.
    """
    tidied = [",".join(member.strip() for member in value.decode("latin-1").split(",")) for value in values]
    return tidied if sum(map(len, tidied)) <= _MAX_STATE_BYTES else []


def _tidy(value: bytes) -> str:
    """*value* of any other header with single spaces, for the same reason: in none of them they mean anything."""
    return " ".join(value.decode("latin-1").split())
