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
from dashlight.deliver.encoding.varint import varint

_ATTRIBUTES = 6
_TIMES = Struct("<1sQ1sQ")
"""When it was, and when it was seen: the fields 1 and 11, fixed64."""
_SEVERITIES = {
    number: varint_field(2, number=number) + length_delimited(3, text.encode())
    for number, text in SEVERITY_TEXTS.items()
}
_FLAGS = tuple(fixed32_field(8, number=flags) for flags in range(256))
_ID_LENGTH = 36
_ID = key_value(_ATTRIBUTES, "dashlight.event.id", value="-" * _ID_LENGTH)[:-_ID_LENGTH]
_SEQ = [key_value(_ATTRIBUTES, "dashlight.event.seq", value=1 << 7 * size >> 7)[: -max(size, 1)] for size in range(10)]
"""What stands before a number, by the bytes that it takes."""
_OWN_COST_BYTES = len("dashlight.event.id" + "dashlight.event.seq" + "dashlight.event.epoch") + 3 * 8 + _ID_LENGTH
_TRUNCATED = key_value(_ATTRIBUTES, "dashlight.event.truncated", value=True)


class LogEncoder:
    """Writes events as log records, and the requests that carry them."""

    content_type = envelope.CONTENT_TYPE
    speaks_otlp = True

    def __init__(self, resource: Mapping[str, object], scope_name: str, scope_version: str, *, epoch: int) -> None:
        self.envelope = envelope.Envelope(resource, scope_name, scope_version)
        self._epoch = epoch
        self._epoch_attribute = key_value(_ATTRIBUTES, "dashlight.event.epoch", value=epoch)

    def event(self, event: Event, *, observed_at: float) -> bytes:
        """One log record, ready for `request`.

        Structured data stands in the attributes, the body is for people: so the conventions want it. What was cut
        to size is marked with `dashlight.event.truncated`.

        Raises:
            TypeError: an attribute that has no plain form.
        """
        budget = Budget()
        own = self._own_attributes(event, budget)
        attributes = usual_attributes(_ATTRIBUTES, event.attributes, budget)
        if attributes is None:
            attributes = _attributes(event.attributes, budget)
        body = plain_text(event.body, Budget()).encode()
        size = varint(len(body))
        return envelope.framed(
            b"".join(
                (
                    _TIMES.pack(b"\x09", round(event.at * 1e6) * 1000, b"\x59", round(observed_at * 1e6) * 1000),
                    _SEVERITIES[event.severity],
                    *((b"\x2a", varint(1 + len(size) + len(body)), b"\x0a", size, body) if body else ()),
                    own,
                    attributes,
                    _TRUNCATED if budget.cut else b"",
                    _FLAGS[event.trace_flags & 0xFF] if event.trace_id else b"",
                    b"\x4a\x10" + event.trace_id.to_bytes(16, "big") if event.trace_id else b"",
                    b"\x52\x08" + event.span_id.to_bytes(8, "big") if event.span_id else b"",
                    _event_name(event.name),
                )
            )
        )

    def _own_attributes(self, event: Event, budget: Budget) -> bytes:
        if event.seq is None or len(event.id) != _ID_LENGTH or not event.id.isascii():
            return _attributes(own_attributes(event, epoch=self._epoch), budget)
        budget.left_bytes -= _OWN_COST_BYTES
        seq = varint(event.seq)
        return b"".join((_ID, event.id.encode(), _SEQ[len(seq)], seq, self._epoch_attribute))

    def request(self, events: Sequence[bytes]) -> bytes:
        """The ExportLogsServiceRequest that carries *events*."""
        return self.envelope.around(events)

    def rejected_count(self, answer: bytes) -> int:
        """Events that the collector says it did not take."""
        return envelope.rejected_count(answer)


def _attributes(described: Mapping[str, object], budget: Budget) -> bytes:
    return b"".join([attribute(_ATTRIBUTES, name, value=value, budget=budget) for name, value in described.items()])


@lru_cache(maxsize=16)
def _event_name(name: str) -> bytes:
    return length_delimited(12, name.encode())
