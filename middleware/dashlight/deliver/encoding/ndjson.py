"""Events -> lines of JSON."""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from dashlight.deliver.encoding.events import SEVERITY_TEXTS, Event, own_attributes
from dashlight.deliver.encoding.identifiers import span_id_text, trace_id_text
from dashlight.deliver.encoding.plain import Budget, Plain, is_usual, plain, plain_text


class NdjsonEncoder:
    """Writes events as lines of JSON (application/x-ndjson), each complete in itself."""

    content_type = "application/x-ndjson"
    speaks_otlp = False

    def __init__(self, resource: Mapping[str, object], *, epoch: int) -> None:
        self._resource = json_value(plain(resource, Budget()))
        self._epoch = epoch

    def event(self, event: Event, *, observed_at: float) -> bytes:
        """One line: name, id, at, observed_at, severity, severity_text, body, trace_id, span_id, attributes, resource, truncated.

        What JSON cannot say stands as strings, see `json_value`.

        Raises:
            TypeError: an attribute that has no plain form.
        """
        budget = Budget()
        described = {**own_attributes(event, epoch=self._epoch), **event.attributes}
        line = {
            "name": event.name,
            "id": event.id,
            "at": event.at,
            "observed_at": observed_at,
            "severity": event.severity,
            "severity_text": SEVERITY_TEXTS[event.severity],
            "body": plain_text(event.body, Budget()),
            "trace_id": trace_id_text(event.trace_id),
            "span_id": span_id_text(event.span_id),
            "attributes": {plain_text(name, budget): _plain_json(each, budget) for name, each in described.items()},
            "resource": self._resource,
            "truncated": budget.cut,
        }
        return msgspec.json.encode(line) + b"\n"

    def request(self, events: Sequence[bytes]) -> bytes:
        """The lines one after the other."""
        return b"".join(events)

    def rejected_count(self, _answer: bytes) -> int:
        """0: this format has no way to say so."""
        return 0


def _plain_json(value: object, budget: Budget) -> Plain:
    """As `json_value` of `plain`, in one go for objects as nearly all are: of short texts and finite fractions."""
    kind = type(value)
    if kind is dict:
        named = cast("dict[str, Plain]", value)
        if is_usual(named, budget):
            return named
    return json_value(plain(value, budget))


def json_value(value: Plain) -> Plain:
    """*value* with what JSON cannot say as strings: `NaN`, `Infinity`, `-Infinity`, and base64 for bytes."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [json_value(each) for each in value]
    if isinstance(value, dict):
        return {key: json_value(each) for key, each in value.items()}
    return value
