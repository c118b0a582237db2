"""Events -> OTLP log records with an event name."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from struct import Struct

from dashlight.deliver.encoding import envelope
from dashlight.deliver.encoding.events import SEVERITY_TEXTS, Event, own_attributes
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.deliver.encoding.protobuf import (
    attribute,
    fixed32_field,
    key_value,
    length_delimited,
    varint_field,
)
from dashlight.deliver.encoding.usual_attributes import usual_attributes

_ATTRIBUTES = 6
_TIMES = Struct("<1sQ1sQ")
"""When it was, and when it was seen: the fields 1 and 11, fixed64."""
_SEVERITIES = {
    number: varint_field(2, number=number) + length_delimited(3, text.encode())
    for number, text in SEVERITY_TEXTS.items()
}
_FLAGS = tuple(fixed32_field(8, number=flags) for flags in range(256))
_TRUNCATED = key_value(_ATTRIBUTES, "dashlight.event.truncated", value=True)


class LogEncoder:
    """Writes events as log records, and the requests that carry them."""

    content_type = envelope.CONTENT_TYPE
    speaks_otlp = True

    def __init__(self, resource: Mapping[str, object], scope_name: str, scope_version: str, *, epoch: int) -> None:
        self.envelope = envelope.Envelope(resource, scope_name, scope_version)
        self._epoch = epoch

    def event(self, event: Event, *, observed_at: float) -> bytes:
        """One log record, ready for `request`.

        Structured data stands in the attributes, the body is for people: so the conventions want it. What was cut
        to size is marked with `dashlight.event.truncated`.

        Raises:
            TypeError: an attribute that has no plain form.
        """
        budget = Budget()
        described = {**own_attributes(event, epoch=self._epoch), **event.attributes}
        attributes = usual_attributes(_ATTRIBUTES, described, budget)
        if attributes is None:
            attributes = b"".join(
                [attribute(_ATTRIBUTES, name, value=value, budget=budget) for name, value in described.items()]
            )
        body = plain_text(event.body, Budget()).encode()
        return envelope.framed(
            b"".join(
                (
                    _TIMES.pack(b"\x09", round(event.at * 1e6) * 1000, b"\x59", round(observed_at * 1e6) * 1000),
                    _SEVERITIES[event.severity],
                    length_delimited(5, length_delimited(1, body)) if body else b"",
                    attributes,
                    _TRUNCATED if budget.cut else b"",
                    _FLAGS[event.trace_flags & 0xFF] if event.trace_id else b"",
                    b"\x4a\x10" + event.trace_id.to_bytes(16, "big") if event.trace_id else b"",
                    b"\x52\x08" + event.span_id.to_bytes(8, "big") if event.span_id else b"",
                    _event_name(event.name),
                )
            )
        )

    def request(self, events: Sequence[bytes]) -> bytes:
        """The ExportLogsServiceRequest that carries *events*."""
        return self.envelope.around(events)

    def rejected_count(self, answer: bytes) -> int:
        """Events that the collector says it did not take."""
        return envelope.rejected_count(answer)


@lru_cache(maxsize=16)
def _event_name(name: str) -> bytes:
    return length_delimited(12, name.encode())
