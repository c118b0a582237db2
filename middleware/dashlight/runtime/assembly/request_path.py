"""The part of a Monitor that the request path needs, made while the server starts; the rest is made behind it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dashlight.capture.capture import Capture
from dashlight.capture.headers import KEPT_HEADERS
from dashlight.capture.inbox import Inbox
from dashlight.capture.plugins import propagation_from
from dashlight.capture.spans import Spans
from dashlight.capture.trace_parent import sampler_from
from dashlight.clock import SystemClock
from dashlight.deliver.encoding.span_limits import span_limits
from dashlight.deliver.transport.endpoints import Endpoint, event_endpoint, metric_endpoint, trace_endpoint
from dashlight.errors import SettingsError
from dashlight.runtime.assembly.analysis import analysis
from dashlight.runtime.assembly.memory import memory_shares
from dashlight.runtime.monitor import Monitor, MonitorPlan
from dashlight.serving.door import Answers
from dashlight.settings import Settings, unknown_variables
from dashlight.version import __version__

if TYPE_CHECKING:  # it loads when it starts
    from dashlight.deliver.delivery import Connect

logger = logging.getLogger(__name__)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Those of the instrumentations around us are obeyed as well.
_EXCLUDING_VARIABLES = ("OTEL_PYTHON_EXCLUDED_URLS", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS")


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
        SettingsError: a setting, DASHLIGHT_* or OTEL_*, that cannot be read.
    """
    settings = Settings.from_env(environ)
    if not settings.enabled:
        return None
    for name, near in unknown_variables(environ).items():
        logger.warning("%s is not a setting%s", name, f"; did you mean {near}?" if near else "")
    spans_to, metrics_to, events_to = _spoken(
        lambda: trace_endpoint(environ) if settings.spans in {"auto", "own"} else None,
        lambda: metric_endpoint(environ),
        lambda: event_endpoint(
            environ,
            url=settings.collector,
            event_format=settings.collector_format,
            headers=settings.collector_headers,
        ),
    )
    propagation = propagation_from(environ)
    limits, mistakes = span_limits(environ)
    for mistake in mistakes:
        logger.warning("%s", mistake)
    spans = Spans(
        settings.spans,
        exported=spans_to is not None,
        sampler=sampler_from(environ),
        version=__version__,
        propagation=propagation,
        limits=limits,
    )
    spans.look_around(app)
    shares = memory_shares(settings)
    capture = Capture(
        inbox=Inbox(limit_bytes=shares.inbox_bytes, limit_beside_bytes=shares.inbox_bytes),
        spans=spans,
        max_body=settings.max_body,
        prediction_id_header=_header(settings.prediction_id_header),
        header_names=KEPT_HEADERS | propagation.header_names,
        keeps_client_address=settings.client_address,
        model_attributes=_model_attributes(settings),
    )
    clock = SystemClock()
    answers = Answers(settings.path) if settings.metrics else None
    plan = MonitorPlan(
        excluded=_excluded(settings, environ),
        cpu_share=settings.cpu,
        shutdown_seconds=settings.shutdown_timeout,
        prepare=lambda: analysis(
            settings,
            environ,
            spans_to=spans_to,
            events_to=events_to,
            metrics_to=metrics_to,
            answers=answers,
            clock=clock,
            application=application,
            service=service,
            connect=connect,
        ),
        look_around=lambda: spans.look_around(app),
        answers=answers,
    )
    monitor = Monitor(capture, plan, clock)
    monitor.start()
    return monitor


def _spoken(*endpoints: Callable[[], Endpoint | None]) -> list[Endpoint | None]:
    """The endpoints; None, with one clear error, where OpenTelemetry's variables say what we cannot do.

    They may be meant for the app's own SDK, which can: no reason to leave the model unwatched.
    """
    found: list[Endpoint | None] = []
    told: dict[str, None] = {}
    for endpoint in endpoints:
        try:
            found.append(endpoint())
        except SettingsError as mistake:
            if not mistake.variable.startswith("OTEL_"):
                raise
            found.append(None)
            told[str(mistake)] = None
    for message in told:
        logger.error("nothing is exported there: %s", message)
    return found


def _header(name: str) -> bytes:
    if name and not _HEADER_NAME.fullmatch(name):
        raise SettingsError("DASHLIGHT_PREDICTION_ID_HEADER", name, "the name of a header, such as x-prediction-id")
    return name.lower().encode("ascii")


def _model_attributes(settings: Settings) -> dict[str, str]:
    named = {"dashlight.model.name": settings.model, "dashlight.model.version": settings.model_version}
    return {name: value for name, value in named.items() if value}


def _excluded(settings: Settings, environ: Mapping[str, str]) -> re.Pattern[str] | None:
    excluded: re.Pattern[str] | None = None
    for each in settings.excluded_urls:
        excluded = _also(excluded, "DASHLIGHT_EXCLUDED_URLS", each)
    for variable in _EXCLUDING_VARIABLES:
        for each in filter(None, map(str.strip, environ.get(variable, "").split(","))):
            try:
                excluded = _also(excluded, variable, each)
            except SettingsError as mistake:
                logger.warning("it excludes nothing: %s", mistake)
    return excluded


def _also(excluded: re.Pattern[str] | None, variable: str, pattern: str) -> re.Pattern[str]:
    try:
        alone = re.compile(f"(?:{pattern})")
        return alone if excluded is None else re.compile(f"{excluded.pattern}|{alone.pattern}")
    except re.error as error:
        raise SettingsError(variable, pattern, f"a regular expression ({error})") from None
