"""Events -> OTLP log records with an event name."""

from collections.abc import Mapping, Sequence

from dashlight.deliver.encoding import envelope
from dashlight.deliver.encoding.events import SEVERITY_TEXTS, Event, own_attributes
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.deliver.encoding.protobuf import (
    attribute,
    fixed32_field,
    fixed64_field,
    key_value,
    length_delimited,
    varint_field,
)
from dashlight.deliver.encoding.usual_attributes import usual_attributes

_ATTRIBUTES = 6
_TRUNCATED = key_value(_ATTRIBUTES, "dashlight.event.truncated", value=True)


class LogEncoder:
    """Writes events as log records, and the requests that carry them."""

    content_type = envelope.CONTENT_TYPE
    speaks_otlp = True

    def __init__(self, resource: Mapping[str, object], scope_name: str, scope_version: str, *, epoch: int) -> None:
        self._envelope = envelope.Envelope(resource, scope_name, scope_version)
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
                    fixed64_field(1, number=round(event.at * 1e6) * 1000),
                    fixed64_field(11, number=round(observed_at * 1e6) * 1000),
                    varint_field(2, number=event.severity),
                    length_delimited(3, SEVERITY_TEXTS[event.severity].encode()),
                    length_delimited(5, length_delimited(1, body)) if body else b"",
                    attributes,
                    _TRUNCATED if budget.cut else b"",
                    fixed32_field(8, number=event.trace_flags & 0xFF) if event.trace_id else b"",
                    length_delimited(9, event.trace_id.to_bytes(16, "big")) if event.trace_id else b"",
                    length_delimited(10, event.span_id.to_bytes(8, "big")) if event.span_id else b"",
                    length_delimited(12, event.name.encode()),
                )
            )
        )

    def request(self, events: Sequence[bytes]) -> bytes:
        """The ExportLogsServiceRequest that carries *events*."""
        return self._envelope.around(events)

    def rejected_count(self, answer: bytes) -> int:
        """Events that the collector says it did not take."""
        return envelope.rejected_count(answer)
