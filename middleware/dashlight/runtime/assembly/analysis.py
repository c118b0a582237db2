"""The part of a Monitor behind the inbox, made on the analysis thread: it loads numpy and reads the reference."""

from __future__ import annotations

import logging
import os
import random
import sys
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dashlight.capture.inbox import Captured
from dashlight.capture.signals import Signals
from dashlight.clock import Clock
from dashlight.deliver.transport.endpoints import Endpoint, metric_interval_seconds
from dashlight.errors import DashlightError
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.assembly.app_sampler import samples_by_ratio
from dashlight.runtime.assembly.heartbeats import NO_HEARTBEATS, PlannedHeartbeat, heartbeats_of
from dashlight.runtime.assembly.memory import NarrowsReferences, memory_shares
from dashlight.runtime.assembly.resource_detectors import detected_attributes
from dashlight.runtime.event_sampler import EventSampler
from dashlight.runtime.label_queue import LabelQueue
from dashlight.serving.door import Answers
from dashlight.settings import Settings
from dashlight.version import __version__

if TYPE_CHECKING:
    from dashlight.capture.capture import Capture
    from dashlight.deliver.alerting.collector import CollectorRoute
    from dashlight.deliver.alerting.route import Route
    from dashlight.deliver.delivery import Connect, EventFormat
    from dashlight.deliver.transport.answer import Send
    from dashlight.runtime.assembly.alert_routes import PlannedRoutes

logger = logging.getLogger("dashlight")


def analysis(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    spans_to: Endpoint | None,
    events_to: Endpoint | None,
    metrics_to: Endpoint | None = None,
    alerts_to: PlannedRoutes | None = None,
    heartbeats: Mapping[str, PlannedHeartbeat] = NO_HEARTBEATS,
    answers: Answers | None = None,
    labels: LabelQueue | None = None,
    clock: Clock,
    application: str = "",
    service: str = "",
    connect: Connect | None = None,
    captured: Callable[[], Captured] | None = None,
    signals: Signals | None = None,
    to_seal: Capture | None = None,
) -> Analysis:
    """Everything behind the inbox; called on the analysis thread. *captured* says what the request path has seen.

    *signals* is where the app tells business numbers. *to_seal* seals ids as soon as it can, where DASHLIGHT_SECRET asks.

    Raises:
        SettingsError: thresholds that cannot be read; with DASHLIGHT_STRICT, a column that the reference does not have.
        ReferenceDataError: a reference file that cannot be used.
        MissingExtraError: the spool is to be encrypted, or ids are to be sealed, and cryptography is not installed.
    """
    from opentelemetry.sdk.version import __version__ as sdk_version

    from dashlight.counting.machine import MachineCounter
    from dashlight.counting.references import References
    from dashlight.decode.batch import Decoder
    from dashlight.decode.signals import source_of
    from dashlight.deliver.alerting.collector import CollectorRoute
    from dashlight.deliver.alerting.courier import Couriers
    from dashlight.deliver.alerting.document import AlertContext
    from dashlight.deliver.alerting.owed import LOG, Owed
    from dashlight.deliver.delivery import Delivery
    from dashlight.deliver.encoding.cloudevents import CloudEventEncoder
    from dashlight.deliver.encoding.logs import LogEncoder
    from dashlight.deliver.encoding.metrics import MetricEncoder
    from dashlight.deliver.encoding.ndjson import NdjsonEncoder
    from dashlight.deliver.encoding.resource import resource_attributes
    from dashlight.deliver.encoding.span_attributes import known_methods
    from dashlight.deliver.encoding.span_limits import span_limits
    from dashlight.deliver.encoding.traces import SpanEncoder
    from dashlight.judge.traffic.rules import DEFAULT_TEXT, is_floor
    from dashlight.metrics.genai import speaks_genai
    from dashlight.metrics.report import MetricReport
    from dashlight.runtime.assembly.keeping import labelling_of
    from dashlight.runtime.assembly.labels import label_store_of
    from dashlight.runtime.assembly.machine import instance_of, meeting_of, served_of
    from dashlight.runtime.assembly.names import check_names
    from dashlight.runtime.assembly.own_measures import own_measures
    from dashlight.runtime.assembly.policy import policy_of
    from dashlight.runtime.assembly.sealing import sealing_of
    from dashlight.runtime.assembly.served import open_answers, shows_of
    from dashlight.runtime.assembly.spool import spool_of
    from dashlight.runtime.assembly.start_line import Start, start_line
    from dashlight.runtime.pipeline import Pipeline
    from dashlight.runtime.publisher import Publishing
    from dashlight.runtime.signals import SignalIntake
    from dashlight.store.hash_key import hash_key_of
    from dashlight.store.learned import LearnedReferences
    from dashlight.store.reference_file import ReferenceFile
    from dashlight.store.tries import CommandTries
    from dashlight.workers.labels import LabelReader
    from dashlight.workers.member import Sharing
    from dashlight.workers.operator import Operator

    shares, narrows = memory_shares(settings), NarrowsReferences(settings)
    # What may be refused comes first, before a thread is started.
    policy = policy_of(settings, shares)
    if not any(map(is_floor, policy.rules)):
        logger.warning("DASHLIGHT_THRESHOLDS=none: the default limits are off (%s)", DEFAULT_TEXT)
    process = f"{os.getpid()}.{uuid.uuid4().hex[:8]}"
    meeting = meeting_of(settings, environ, application)
    hash_key = hash_key_of(settings.hash_key, None if meeting is None else meeting.path)
    reference_file = (
        ReferenceFile(Path(settings.reference), hash_key, shown=settings.show, fit=narrows)
        if settings.reference
        else None
    )
    try:
        reference = reference_file.read() if reference_file is not None else None
        if reference is not None:
            check_names(reference, policy, columns=settings.columns, is_strict=settings.strict)
    except DashlightError:
        if meeting is not None:
            meeting.leave()
        raise
    label_store = label_store_of(settings, meeting, hash_key, clock, application=application)
    spool = spool_of(settings, meeting, clock)
    learned = LearnedReferences(None if meeting is None else meeting.path, hash_key, shown=settings.show, fit=narrows)
    references = References(learned, file=reference_file)
    given = None if labels is None else labels.given
    labelling = None if label_store is None else labelling_of(settings, label_store, references, hash_key, given)
    resource = resource_attributes(
        environ,
        instance_id=str(uuid.uuid4()),
        sdk_version=sdk_version,
        executable=Path(sys.executable).name,
        detected=detected_attributes(environ),
        service=service,
    )
    # Metrics are those of the machine, whichever of its processes sends them.
    machine = {**resource, "service.instance.id": process if meeting is None else instance_of(meeting)}
    epoch = int(clock.now() * 1000)
    encoder = SpanEncoder(
        resource, "dashlight", __version__, known_methods=known_methods(environ), limits=span_limits(environ)[0]
    )
    event_formats: dict[str, Callable[[], EventFormat]] = {
        "otlp": lambda: LogEncoder(resource, "dashlight", __version__, epoch=epoch),
        "ndjson": lambda: NdjsonEncoder(resource, epoch=epoch),
        "cloudevents": lambda: CloudEventEncoder(resource, epoch=epoch),
    }
    event_format = event_formats[settings.collector_format]()
    directory = None if meeting is None else meeting.path
    operator = Operator(directory, settings.false_alarms)
    routes: list[Route] = [] if events_to is None else [_collector(events_to, event_format, settings, connect, clock)]
    if alerts_to is not None:
        routes += alerts_to.routes(
            AlertContext(str(resource["service.name"]), str(machine["service.instance.id"]), settings.trace_url),
            clock=clock,
            connect=connect or _over_http,
            tries=CommandTries(None if directory is None else directory / "on_alert.json"),
            is_quiet=operator.is_quiet,
        )
    owed = Owed([LOG, *(route.name for route in routes)])
    sharing = Sharing(
        policy,
        References(learned, reference),
        meeting=meeting,
        process=process,
        clock=clock,
        owed=owed,
        operator=operator,
        labels=None if label_store is None else LabelReader(label_store, policy, own_measures()),
    )
    delivery = (Delivery if connect is None else partial(Delivery, connect=connect))(
        spans=(spans_to, encoder) if spans_to is not None else None,
        events=(events_to, event_format) if events_to is not None else None,
        metrics=(metrics_to, MetricEncoder(machine, "dashlight", __version__)) if metrics_to is not None else None,
        spool=spool,
        clock=clock,
        outbox_bytes=shares.outbox_bytes,
        aside_bytes=shares.aside_bytes,
    )
    delivery.start()
    if labels is not None and labelling is not None:
        labels.open(labelling.take)
    if answers is not None:
        token_file = None if meeting is None else meeting.path / "token"
        take = None if labelling is None else labelling.take
        open_answers(
            answers,
            settings,
            figures=sharing.figures.read,
            view=sharing.view.read,
            take=take,
            token_file=token_file,
            clock=clock,
        )
    if meeting is None or meeting.is_first:
        start = Start(
            settings=settings,
            served=served_of(environ, application),
            reference=reference,
            learned_count=learned.count,
            events_to=events_to,
            spans_to=spans_to,
            metrics_to=metrics_to,
            routes=[route.name for route in routes if not isinstance(route, CollectorRoute)],
            heartbeats=[each.endpoint.shown for each in heartbeats.values()],
            directory=directory,
            is_lasting=meeting is not None and meeting.is_lasting,
        )
        logger.info("%s", start_line(start))
    decoder = Decoder(
        model=settings.model,
        version=settings.model_version,
        features=settings.features,
        prediction=settings.prediction,
        ignore=settings.ignore,
        columns=settings.columns,
        cluster=_old_name("" if reference is None else reference.cluster, settings.columns),
        entity=settings.entity if settings.labels else "",
    )
    if to_seal is not None:
        to_seal.seal = sealing_of(settings, decoder, references, hash_key, label_store)
    counter = MachineCounter(process, policy, references)
    return Pipeline(
        decoder=decoder,
        spans=encoder,
        delivery=delivery,
        publishing=Publishing(
            sampler=EventSampler(settings.sample_rate, by_ratio=samples_by_ratio(environ)),
            payloads=settings.payloads == "features",
            redacted=settings.redact,
            hash_key=hash_key if hash_key.is_given else None,
            genai=speaks_genai(environ),
        ),
        counter=counter,
        sharing=sharing,
        policy=policy,
        shows=shows_of(settings, meeting),
        report=MetricReport(
            lambda: sharing.own_figures,
            version=__version__,
            send=delivery.send_metrics if metrics_to is not None else None,
            interval_seconds=metric_interval_seconds(environ),
        ),
        clock=clock,
        reference_file=reference_file,
        heartbeats=heartbeats_of(
            heartbeats,
            AlertContext(str(resource["service.name"]), str(machine["service.instance.id"])),
            clock=clock,
            pane_seconds=settings.pane,
            connect=connect or _over_http,
        ),
        couriers=Couriers(routes, owed, clock=clock),
        shutdown_seconds=settings.shutdown_timeout,
        captured=captured,
        signals=SignalIntake(signals or Signals(), [source_of(*each) for each in settings.signals.items()], counter),
        labelling=labelling,
    )


def _collector(
    to: Endpoint, form: EventFormat, settings: Settings, connect: Connect | None, clock: Clock
) -> CollectorRoute:
    from dashlight.deliver.alerting.collector import CollectorRoute

    return CollectorRoute(
        form,
        shown=to.shown,
        connect=partial(connect or _over_http, to),
        clock=clock,
        jitter=random.random,
        trace_url=settings.trace_url,
    )


def _old_name(name: str, columns: Mapping[str, str]) -> str:
    """What traffic calls the column that *columns*, old names to new, call *name*."""
    return next((old for old, new in columns.items() if new == name), name)


def _over_http(endpoint: Endpoint) -> Send:
    # Loads httpcore, on the thread of the route and not before there is something to send.
    from dashlight.deliver.transport.http import HttpSender

    return HttpSender(endpoint)
