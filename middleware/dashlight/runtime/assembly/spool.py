"""Where spans and events wait that cannot be delivered, as the settings say."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dashlight.clock import Clock, SystemClock
from dashlight.deliver.transport.egress import egress_of
from dashlight.deliver.transport.endpoints import event_endpoint, trace_endpoint
from dashlight.errors import SettingsError
from dashlight.settings import CollectorFormat, Settings
from dashlight.version import __version__

if TYPE_CHECKING:
    from dashlight.deliver.delivery import EventFormat
    from dashlight.deliver.spool.spool import Spool
    from dashlight.workers.rendezvous import Meeting

SPOOL = "spool"
"""The directory of the spool below that of an application."""


def spool_of(settings: Settings, meeting: Meeting | None, clock: Clock) -> Spool | None:
    """The spool of this process; None without DASHLIGHT_STATE_DIR, where that cannot be used, or with DASHLIGHT_SPOOL=0.

    Raises:
        MissingExtraError: it is to be encrypted, and cryptography is not installed.
    """
    if meeting is None or not meeting.is_lasting or not settings.spool:
        return None
    return _spool(settings, meeting.path / SPOOL, clock)


def _spool(settings: Settings, root: Path, clock: Clock) -> Spool:
    from dashlight.deliver.spool.sealed import SpoolKey
    from dashlight.deliver.spool.spool import Spool

    return Spool(
        root,
        clock=clock,
        budget_bytes=settings.spool,
        fsync=settings.spool_fsync,
        seal=SpoolKey(settings.spool_key) if settings.spool_key else None,
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a spool by hand."""

    delivered_count: int
    left_count: int
    """Still there; nothing is lost."""
    lost_count: int
    """Refused by the collector for good, or damaged."""


def send_spool(environ: Mapping[str, str], root: Path, *, timeout_seconds: float, clock: Clock | None = None) -> Sent:
    """Delivers what dead processes left in the spool at *root*, as an app with this environment would.

    Waits as a collector asks, and no longer than *timeout_seconds*.

    Raises:
        SettingsError: a setting that cannot be read, or no collector.
        MissingExtraError: there is a key, and cryptography is not installed.
    """
    from dashlight.deliver.destination import Destination
    from dashlight.deliver.encoding.cloudevents import CloudEventEncoder
    from dashlight.deliver.encoding.logs import LogEncoder
    from dashlight.deliver.encoding.ndjson import NdjsonEncoder
    from dashlight.deliver.encoding.traces import SpanEncoder
    from dashlight.deliver.outbox import Outbox
    from dashlight.deliver.spool.backlog import Backlog
    from dashlight.deliver.transport.http import HttpSender

    settings = Settings.from_env(environ)
    clock = clock or SystemClock()
    egress = egress_of(environ, authorities=settings.ca, proxy=settings.proxy)
    event_formats: dict[CollectorFormat, Callable[[], EventFormat]] = {
        "otlp": lambda: LogEncoder({}, "dashlight", __version__, epoch=0),
        "ndjson": lambda: NdjsonEncoder({}, epoch=0),
        "cloudevents": lambda: CloudEventEncoder({}, epoch=0),
    }
    events_to = event_endpoint(
        environ, url=settings.collector, event_format=settings.collector_format, headers=settings.collector_headers
    )
    found = {
        "events": (events_to, event_formats[settings.collector_format]()),
        "spans": (trace_endpoint(environ), SpanEncoder({}, "dashlight", __version__)),
    }
    if not any(endpoint for endpoint, _ in found.values()):
        raise SettingsError("DASHLIGHT_COLLECTOR", "", "the URL of a collector, or OTEL_EXPORTER_OTLP_ENDPOINT")
    spool = _spool(settings, root, clock)
    destinations = [
        Destination(
            f"{signal} for {endpoint.shown}",
            form,
            outbox=(outbox := Outbox()),
            connect=partial(HttpSender, replace(endpoint, egress=egress)),
            clock=clock,
            jitter=random.random,
            new_key=lambda: str(uuid.uuid4()),
            backlog=Backlog(spool, signal=signal, content_type=form.content_type, account=outbox),
        )
        for signal, (endpoint, form) in found.items()
        if endpoint is not None
    ]
    spool.look()
    end_at = clock.monotonic() + timeout_seconds
    for destination in destinations:
        while (counts := destination.outbox.counts()).spooled + counts.pending and destination.due_at() < end_at:
            time.sleep(max(destination.due_at() - clock.monotonic(), 0.0))
            destination.step()
        destination.shelve(is_ending=True)
        destination.close()
    spool.close()
    for destination in destinations:
        destination.outbox.abandon()
    all_counts = [destination.outbox.counts() for destination in destinations]
    return Sent(
        sum(counts.delivered for counts in all_counts),
        sum(counts.spooled for counts in all_counts),
        sum(counts.rejected + sum(counts.dropped.values()) for counts in all_counts),
    )
