"""From settings to a running Monitor: the only place where the environment becomes objects."""

from __future__ import annotations

import logging
import re
import sys
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dashlight import __version__
from dashlight.capture.inbox import Inbox
from dashlight.capture.spans import Spans
from dashlight.capture.tee import Capture
from dashlight.capture.trace_parent import is_w3c_alone, sampler_from
from dashlight.clock import Clock, SystemClock
from dashlight.deliver.endpoints import Endpoint, event_endpoint, trace_endpoint
from dashlight.errors import SettingsError
from dashlight.monitor import Analysis, Monitor, Plan
from dashlight.sampling import EventSampler
from dashlight.settings import Settings, unknown_variables

if TYPE_CHECKING:  # numpy loads on the analysis thread
    from dashlight.deliver.delivery import Connect

logger = logging.getLogger(__name__)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Those of the instrumentations around us are obeyed as well.
_EXCLUDING_VARIABLES = ("OTEL_PYTHON_EXCLUDED_URLS", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS")


def assemble(environ: Mapping[str, str], app: object, *, connect: Connect | None = None) -> Monitor | None:
    """The Monitor that *environ* asks for, started; None where DASHLIGHT_ENABLED is false.

    Only what the request path needs is made here. The rest is made on the analysis thread, which loads numpy and
    reads the reference while the host goes on. *connect* stands for the way to a collector: that of a
    `dashlight.testing.MemoryExporter`, say; None: over HTTP.

    Raises:
        SettingsError: a setting, DASHLIGHT_* or OTEL_*, that cannot be read.
    """
    settings = Settings.from_env(environ)
    if not settings.enabled:
        return None
    for name, near in unknown_variables(environ).items():
        logger.warning("%s is not a setting%s", name, f"; did you mean {near}?" if near else "")
    spans_to, events_to = _spoken(
        lambda: trace_endpoint(environ) if settings.spans in {"auto", "own"} else None,
        lambda: event_endpoint(
            environ,
            url=settings.collector,
            event_format=settings.collector_format,
            headers=settings.collector_headers,
        ),
    )
    spans = Spans(
        settings.spans,
        exported=spans_to is not None,
        sampler=sampler_from(environ),
        w3c_alone=is_w3c_alone(environ),
        version=__version__,
    )
    spans.look_around(app)
    capture = Capture(
        inbox=Inbox(),
        spans=spans,
        max_body=settings.max_body,
        prediction_id_header=_header(settings.prediction_id_header),
        model_attributes=_model_attributes(settings),
    )
    clock = SystemClock()
    plan = Plan(
        excluded=_excluded(settings, environ),
        cpu_share=settings.cpu,
        shutdown_seconds=settings.shutdown_timeout,
        prepare=lambda: analysis(
            settings, environ, spans_to=spans_to, events_to=events_to, clock=clock, connect=connect
        ),
        look_around=lambda: spans.look_around(app),
    )
    monitor = Monitor(capture, plan, clock)
    monitor.start()
    return monitor


def analysis(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    spans_to: Endpoint | None,
    events_to: Endpoint | None,
    clock: Clock,
    connect: Connect | None = None,
) -> Analysis:
    """Everything behind the inbox; called on the analysis thread.

    Raises:
        SettingsError: thresholds that cannot be read.
        ReferenceDataError: a reference file that cannot be used.
    """
    from opentelemetry.sdk.version import __version__ as sdk_version

    from dashlight.decode.batch import Decoder
    from dashlight.deliver.delivery import Delivery
    from dashlight.deliver.genai import speaks_genai
    from dashlight.deliver.logs import LogEncoder
    from dashlight.deliver.ndjson import NdjsonEncoder
    from dashlight.deliver.resource import resource_attributes
    from dashlight.deliver.span_attributes import known_methods
    from dashlight.deliver.traces import SpanEncoder
    from dashlight.endpoint import EndpointPlan
    from dashlight.judge.rules import parse_rules
    from dashlight.model_watch import ModelPlan
    from dashlight.pipeline import Pipeline
    from dashlight.publisher import Publishing
    from dashlight.store.learned import LearnedReferences
    from dashlight.store.reference_file import ReferenceFile

    # What may be refused comes first, before a thread is started.
    rules = parse_rules(settings.thresholds)
    reference_file = ReferenceFile(Path(settings.reference)) if settings.reference else None
    reference = reference_file.read() if reference_file is not None else None
    resource = resource_attributes(
        environ, instance_id=str(uuid.uuid4()), sdk_version=sdk_version, executable=Path(sys.executable).name
    )
    epoch = int(clock.now() * 1000)
    encoder = SpanEncoder(resource, "dashlight", __version__, known_methods=known_methods(environ))
    event_format = (
        LogEncoder(resource, "dashlight", __version__, epoch=epoch)
        if settings.collector_format == "otlp"
        else NdjsonEncoder(resource, epoch=epoch)
    )
    delivery = (Delivery if connect is None else partial(Delivery, connect=connect))(
        spans=(spans_to, encoder) if spans_to is not None else None,
        events=(events_to, event_format) if events_to is not None else None,
        clock=clock,
    )
    delivery.start()
    return Pipeline(
        decoder=Decoder(
            model=settings.model,
            version=settings.model_version,
            features=settings.features,
            prediction=settings.prediction,
            ignore=settings.ignore,
        ),
        spans=encoder,
        delivery=delivery,
        publishing=Publishing(
            sampler=EventSampler(settings.sample_rate),
            payloads=settings.payloads == "features",
            redacted=settings.redact,
            ignored=settings.ignore,
            trace_url=settings.trace_url,
            model=settings.model,
            model_version=settings.model_version,
            features=settings.features,
            prediction=settings.prediction,
            genai=speaks_genai(environ),
        ),
        endpoints=EndpointPlan(
            pane_seconds=settings.pane,
            window_seconds=settings.window,
            rules=rules,
            panes_between_false_alarms=settings.false_alarms / settings.pane,
            reference_rows=settings.reference_rows,
            tolerance=settings.tolerance,
            models=ModelPlan(
                reference=reference,
                reference_rows=settings.reference_rows,
                panes_between_false_alarms=settings.false_alarms / settings.pane,
                tolerance=settings.tolerance,
                importance=settings.importance,
                ignored=settings.ignore,
                learned=LearnedReferences(Path(settings.state_dir) if settings.state_dir else None),
            ),
        ),
        clock=clock,
        reference_file=reference_file,
    )


def _spoken(*endpoints: Callable[[], Endpoint | None]) -> list[Endpoint | None]:
    """The endpoints; None, with one clear error, where OpenTelemetry's variables want a protocol that we do not speak.

    They may be meant for the host's own SDK, which speaks it: no reason to leave the model unwatched.
    """
    found: list[Endpoint | None] = []
    told: dict[str, None] = {}
    for endpoint in endpoints:
        try:
            found.append(endpoint())
        except SettingsError as mistake:
            if not mistake.variable.endswith(("_PROTOCOL", "_EXPORTER")):
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
    patterns = [("DASHLIGHT_EXCLUDED_URLS", each) for each in settings.excluded_urls]
    for variable in _EXCLUDING_VARIABLES:
        patterns += [(variable, each.strip()) for each in environ.get(variable, "").split(",") if each.strip()]
    excluded: re.Pattern[str] | None = None
    for variable, each in patterns:
        try:
            excluded = re.compile(f"{excluded.pattern}|(?:{each})" if excluded is not None else f"(?:{each})")
        except re.error as error:
            raise SettingsError(variable, each, f"a regular expression ({error})") from None
    return excluded
