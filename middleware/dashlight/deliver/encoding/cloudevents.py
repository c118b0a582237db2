"""Events -> batches of CloudEvents 1.0 in JSON.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4-json-batch-format
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from dashlight.deliver.encoding.events import SEVERITY_TEXTS, Event, own_attributes
from dashlight.deliver.encoding.identifiers import span_id_text, trace_id_text
from dashlight.deliver.encoding.ndjson import json_value
from dashlight.deliver.encoding.plain import Budget, plain, plain_text


class CloudEventEncoder:
    """Writes events as CloudEvents, and batches of them (application/cloudevents-batch+json)."""

    content_type = "application/cloudevents-batch+json"
    speaks_otlp = False

    def __init__(self, resource: Mapping[str, object], *, epoch: int) -> None:
        self._resource = json_value(plain(resource, Budget()))
        self._source = source_of(resource)
        self._epoch = epoch

    def event(self, event: Event, *, observed_at: float) -> bytes:
        """One CloudEvent: `io.dashlight.prediction.v1` say, with the id of the event, and its trace as `traceparent`.

        Its `data` has what a line of NDJSON has: observed_at, severity, severity_text, body, attributes, resource, truncated.

        Raises:
            TypeError: an attribute that has no plain form.
        """
        budget = Budget()
        described = {**own_attributes(event, epoch=self._epoch), **event.attributes}
        written: dict[str, object] = {
            "specversion": "1.0",
            "id": event.id,
            "source": self._source,
            "type": f"io.{event.name}.v1",
            "time": timestamp(event.at),
            "datacontenttype": "application/json",
            "data": {
                "observed_at": observed_at,
                "severity": event.severity,
                "severity_text": SEVERITY_TEXTS[event.severity],
                "body": plain_text(event.body, Budget()),
                "attributes": {
                    plain_text(name, budget): json_value(plain(each, budget)) for name, each in described.items()
                },
                "resource": self._resource,
                "truncated": budget.cut,
            },
        }
        if event.trace_id and event.span_id:
            flags = f"{event.trace_flags & 0xFF:02x}"
            written["traceparent"] = f"00-{trace_id_text(event.trace_id)}-{span_id_text(event.span_id)}-{flags}"
        return msgspec.json.encode(written)

    def request(self, events: Sequence[bytes]) -> bytes:
        """The array of *events*."""
        return b"[" + b",".join(events) + b"]"

    def rejected_count(self, _answer: bytes) -> int:
        """0: this format has no way to say so."""
        return 0


def source_of(resource: Mapping[str, object]) -> str:
    """Who speaks, as a URI reference: by service and instance, of which an event's id is unique."""
    names = (str(resource.get(name, "")) for name in ("service.namespace", "service.name", "service.instance.id"))
    return "/" + "/".join(quote(plain_text(name, Budget()), safe="") for name in ("dashlight", *names) if name)


def timestamp(at: float) -> str:
    """The moment *at*, seconds since the epoch, as RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
