"""Doubles for tests: a clock that stands still, and a collector in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashlight.collector.received import Item, Signal, items_of_cloud_events, items_of_lines, items_of_protobuf
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint

_SIGNALS: Mapping[str, Signal] = {"traces": "traces", "metrics": "metrics"}
"""By the last part of the URL; whatever else comes is logs."""


@dataclass(slots=True)
class FakeClock:
    """A clock that moves only when told to."""

    at: float = 1_700_000_000.0
    """Seconds since the epoch."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.at

    def monotonic(self) -> float:
        """The same reading, as a clock that never goes back."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Moves on by *seconds*."""
        self.at += seconds


@dataclass(slots=True)
class MemoryExporter:
    """A collector in memory, which takes everything.

    Hand its `connect` to `dashlight.runtime.assembly.assemble` or to a Delivery and flush: what would have gone to any collector
    can then be looked at. Items are dictionaries with `kind`, `name`, `attributes` and the rest of an event or span.
    """

    bodies: list[bytes] = field(default_factory=list[bytes])
    """Every request as it was sent."""
    items: list[Item] = field(default_factory=list[Item])
    """What the requests held, events and spans, in order of arrival."""

    def connect(self, endpoint: Endpoint) -> MemoryConnection:
        """The way to *endpoint*, which ends here."""
        return MemoryConnection(self, endpoint.url)

    def events(self, name: str = "") -> list[Item]:
        """The events of one *name*, such as `dashlight.alert`, or all."""
        return [item for item in self.items if item["kind"] == "event" and item["name"].startswith(name)]

    @property
    def spans(self) -> list[Item]:
        """The spans."""
        return [item for item in self.items if item["kind"] == "span"]

    @property
    def metrics(self) -> list[Item]:
        """The metrics."""
        return [item for item in self.items if item["kind"] == "metric"]


@dataclass(frozen=True, slots=True)
class MemoryConnection:
    """Keeps in *exporter* what is sent to *url*."""

    exporter: MemoryExporter
    url: str

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:  # noqa: ARG002 - as a Send is called
        """Takes a request: lines of JSON, CloudEvents, or OTLP in protobuf: traces or metrics where the URL says so, else logs."""
        self.exporter.bodies.append(body)
        if content_type == "application/x-ndjson":
            self.exporter.items += items_of_lines(body)
        elif content_type == "application/cloudevents-batch+json":
            self.exporter.items += items_of_cloud_events(body)
        else:
            self.exporter.items += items_of_protobuf(_SIGNALS.get(self.url.rpartition("/")[2], "logs"), body)
        return CollectorAnswer(200)

    def close(self) -> None:
        """Nothing to close."""
