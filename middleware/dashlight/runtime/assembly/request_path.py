"""The part of a Monitor that the request path needs, made while the server starts; the rest is made behind it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dashlight.capture.capture import Capture
from dashlight.capture.headers import KEPT_HEADERS
from dashlight.capture.inbox import Inbox
from dashlight.capture.plugins import propagation_from
from dashlight.capture.spans import Spans
from dashlight.capture.tee import Tee
from dashlight.capture.trace_parent import sampler_from
from dashlight.clock import SystemClock
from dashlight.deliver.encoding.span_limits import span_limits
from dashlight.errors import SettingsError
from dashlight.runtime.assembly.analysis import analysis
from dashlight.runtime.assembly.memory import memory_shares
from dashlight.runtime.assembly.requested import requested, told_unknown
from dashlight.runtime.label_queue import LabelQueue
from dashlight.runtime.log_handler import speak_up, withdraw
from dashlight.runtime.monitor import Monitor
from dashlight.runtime.monitor_plan import MonitorPlan
from dashlight.serving.door import Answers
from dashlight.settings import Settings
from dashlight.version import __version__

if TYPE_CHECKING:  # it loads when it starts
    from dashlight.deliver.delivery import Connect

logger = logging.getLogger(__name__)


def assemble(
    environ: Mapping[str, str],
    app: object,
    *,
    application: str = "",
    service: str = "",
    connect: Connect | None = None,
) -> Monitor | None:
    """The Monitor that *environ* asks for, started; None where DASHLIGHT_ENABLED is false.

    Only what the request path needs is made here. The rest is made on the analysis thread, which loads numpy and
    reads the reference while the app goes on. *application* names what the process serves, where its command line does
    not tell, and *service* is its `service.name`, where OpenTelemetry's variables say none. *connect* stands for the way to a collector: that of a
    `dashlight.testing.MemoryExporter`, say; None: over HTTP.

    Raises:
        SettingsError: settings, DASHLIGHT_* or OTEL_*, that cannot be read.
    """
    read, _ = Settings.read(environ)
    if not read.enabled:
        return None
    speak_up()
    try:
        asked = requested(environ)
    except SettingsError:
        for sentence in () if read.strict else told_unknown(environ):  # where it is strict they are among the mistakes
            logger.warning("%s", sentence)
        raise
    settings = asked.settings
    for sentence in asked.unusual:
        logger.warning("%s", sentence)
    for sentence in asked.unspoken:
        logger.error("nothing is exported there: %s", sentence)
    propagation = propagation_from(environ)
    spans = Spans(
        settings.spans,
        exported=asked.spans_to is not None,
        sampler=sampler_from(environ),
        version=__version__,
        propagation=propagation,
        limits=span_limits(environ)[0],
    )
    spans.look_around(app)
    shares = memory_shares(settings)
    capture = Capture(
        inbox=Inbox(limit_bytes=shares.inbox_bytes, limit_beside_bytes=shares.inbox_bytes),
        spans=spans,
        max_body=settings.max_body,
        prediction_id_header=asked.prediction_id_header,
        header_names=KEPT_HEADERS | propagation.header_names,
        response_header_names=KEPT_HEADERS | asked.signal_headers,
        keeps_client_address=settings.client_address,
        model_attributes=_model_attributes(settings),
    )
    clock = SystemClock()
    answers = Answers(settings.path) if settings.metrics or settings.labels else None
    labels = LabelQueue(is_on=settings.labels)

    def look_around() -> None:
        spans.look_around(app)
        withdraw()

    plan = MonitorPlan(
        excluded=asked.excluded,
        cpu_share=settings.cpu,
        shutdown_seconds=settings.shutdown_timeout,
        prepare=lambda: analysis(
            settings,
            environ,
            spans_to=asked.spans_to,
            events_to=asked.events_to,
            metrics_to=asked.metrics_to,
            alerts_to=asked.routes,
            heartbeats=asked.heartbeats,
            answers=answers,
            labels=labels,
            clock=clock,
            application=application,
            service=service,
            connect=connect,
            captured=capture.captured,
            signals=capture.signals,
            to_seal=capture,
        ),
        look_around=look_around,
        answers=answers,
        labels=labels,
        tee=_tee_of(settings),
    )
    monitor = Monitor(capture, plan, clock)
    monitor.start()
    return monitor


def _model_attributes(settings: Settings) -> dict[str, str]:
    named = {"dashlight.model.name": settings.model, "dashlight.model.version": settings.model_version}
    return {name: value for name, value in named.items() if value}


def _tee_of(settings: Settings) -> type[Tee]:
    """What stands around each request: one of its own where ids are sealed, so that nobody else pays for it."""
    if not settings.secret:
        return Tee
    from dashlight.capture.sealing_tee import SealingTee

    return SealingTee
