"""What the environment asks for, read and checked as a whole before anything is made of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dashlight.deliver.encoding.span_limits import span_limits
from dashlight.deliver.transport.egress import Egress, egress_of
from dashlight.deliver.transport.endpoints import Endpoint, event_endpoint, metric_endpoint, trace_endpoint
from dashlight.deliver.transport.urls import checked_url
from dashlight.errors import SettingsError
from dashlight.judge.traffic.rules import limits_of
from dashlight.runtime.assembly.alert_routes import PlannedRoutes, planned_routes
from dashlight.runtime.assembly.heartbeats import PlannedHeartbeat, planned_heartbeats
from dashlight.runtime.assembly.sealing import check_sealing
from dashlight.settings import Settings, unknown_variables, variable_of

Read = TypeVar("Read")

_DEFAULTS = Settings()
_ROUTES = (
    ("alertmanager", "alertmanager_headers"),
    ("webhook", "webhook_headers", "webhook_format"),
    ("webhook_template",),
    ("pagerduty",),
    ("on_alert",),
)
"""Settings of each kind of route for alerts."""

_NEEDED = (
    ("collector_headers", "collector", "go nowhere"),
    ("alertmanager_headers", "alertmanager", "go nowhere"),
    ("webhook_headers", "webhook", "go nowhere"),
    ("webhook_template", "webhook", "is for nobody"),
    ("spool_key", "state_dir", "encrypts nothing"),
    ("secret", "labels", "seals ids, and no label may come for them"),
)
"""Settings that do nothing without another."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OF_THE_ANSWER = frozenset({"connection", "content-encoding", "content-length", "content-type", "date", "location", "server", "set-cookie", "trailer", "transfer-encoding", "upgrade"})  # fmt: skip
"""Headers of a response that mean something else already."""
# Those of the instrumentations around us are obeyed as well.
_EXCLUDING_VARIABLES = ("OTEL_PYTHON_EXCLUDED_URLS", "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS")


@dataclass(frozen=True, slots=True)
class Requested:
    """Everything that was asked for, ready to be made."""

    settings: Settings
    spans_to: Endpoint | None
    metrics_to: Endpoint | None
    events_to: Endpoint | None
    """Events and alerts."""
    routes: PlannedRoutes | None
    """What else alerts go to."""
    heartbeats: Mapping[str, PlannedHeartbeat]
    """By name."""
    excluded: re.Pattern[str] | None
    """Paths whose requests are not watched."""
    prediction_id_header: bytes
    """In lower case; empty for none."""
    signal_headers: frozenset[bytes]
    """Response headers that hold business numbers, in lower case."""
    unspoken: tuple[str, ...]
    """What OpenTelemetry's variables ask for and we cannot do."""
    unusual: tuple[str, ...]
    """What is no mistake and may not be meant."""

    @property
    def destinations(self) -> list[tuple[str, Endpoint]]:
        """Where something goes, by what goes there."""
        named = (("events and alerts", self.events_to), ("spans", self.spans_to), ("metrics", self.metrics_to))
        told = [(kind, endpoint) for kind, endpoint in named if endpoint is not None]
        if self.routes is not None:
            for by_name in (self.routes.alertmanagers, self.routes.webhooks, self.routes.pagerduty):
                told += by_name.items()
        return [*told, *((name, each.endpoint) for name, each in self.heartbeats.items())]


def requested(environ: Mapping[str, str]) -> Requested:
    """What *environ* asks for.

    Raises:
        SettingsError: all mistakes in settings, DASHLIGHT_* or OTEL_*, that leave nothing to be guessed.
    """
    settings, mistakes = Settings.read(environ)
    reading = _Reading(mistakes)
    reading.egress = reading.tried(lambda: egress_of(environ, authorities=settings.ca, proxy=settings.proxy), Egress())
    events = lambda: event_endpoint(  # noqa: E731 - one of three
        environ,
        url=settings.collector,
        event_format=settings.collector_format,
        headers=settings.collector_headers,
    )
    limits_mistakes = span_limits(environ)[1]
    routes = reading.routes(settings, environ)
    found = Requested(
        settings=settings,
        spans_to=reading.spoken(lambda: trace_endpoint(environ) if settings.spans in {"auto", "own"} else None),
        metrics_to=reading.spoken(lambda: metric_endpoint(environ)),
        events_to=reading.spoken(events),
        routes=routes,
        heartbeats=reading.heartbeats(settings, {} if routes is None else routes.alertmanagers),
        excluded=reading.excluded(settings, environ),
        prediction_id_header=reading.tried(lambda: _header(settings.prediction_id_header), b""),
        signal_headers=frozenset(
            where.partition(":")[2].strip().lower().encode("ascii")
            for where in settings.signals.values()
            if where.startswith("header:")
        ),
        unspoken=tuple(dict.fromkeys(reading.unspoken)),
        unusual=(*_unusual(settings, environ), *reading.unusual, *map(str, limits_mistakes)),
    )
    mistakes = [*reading.mistakes, *_mistakes(settings, environ)]
    if mistakes:
        raise SettingsError.of(mistakes)
    return found


def told_unknown(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable of *environ* that looks like a setting and is none."""
    return [
        f"{name} is not a setting{f'; did you mean {near}?' if near else ''}"
        for name, near in unknown_variables(environ).items()
    ]


@dataclass
class _Reading:
    """Goes on after a mistake, so that the others are found too."""

    mistakes: list[SettingsError]
    egress: Egress = field(default_factory=Egress)
    unspoken: list[str] = field(default_factory=list[str])
    unusual: list[str] = field(default_factory=list[str])

    def tried(self, read: Callable[[], Read], default: Read) -> Read:
        try:
            return read()
        except SettingsError as mistake:
            self.mistakes.append(mistake)
            return default

    def spoken(self, read: Callable[[], Endpoint | None]) -> Endpoint | None:
        """The endpoint; None where OpenTelemetry's variables say what we cannot do.

        They may be meant for the app's own SDK, which can: no reason to leave the model unwatched.
        """
        try:
            named = read()
            return named and replace(named, egress=self.egress)
        except SettingsError as mistake:
            if mistake.variable.startswith("OTEL_"):
                self.unspoken.append(str(mistake))
            else:
                self.mistakes.append(mistake)
            return None

    def routes(self, settings: Settings, environ: Mapping[str, str]) -> PlannedRoutes | None:
        known = len(self.mistakes)
        planned = self.tried(lambda: planned_routes(settings, environ, egress=self.egress), None)
        if planned is None:
            # One kind at a time, for there may be a mistake in more than one.
            del self.mistakes[known:]
            for kind in _ROUTES:
                others = {name: getattr(_DEFAULTS, name) for each in _ROUTES if each != kind for name in each}
                alone = replace(settings, **others)
                self.tried(lambda alone=alone: planned_routes(alone, environ, egress=self.egress), None)  # type: ignore[misc]
        return planned

    def heartbeats(self, settings: Settings, alertmanagers: Mapping[str, Endpoint]) -> Mapping[str, PlannedHeartbeat]:
        nowhere: Mapping[str, PlannedHeartbeat] = {}
        return self.tried(
            lambda: planned_heartbeats(settings, alertmanagers=alertmanagers, egress=self.egress), nowhere
        )

    def excluded(self, settings: Settings, environ: Mapping[str, str]) -> re.Pattern[str] | None:
        patterns: list[str] = []
        for each in settings.excluded_urls:
            self.tried(lambda each=each: patterns.append(_pattern("DASHLIGHT_EXCLUDED_URLS", each)), None)  # type: ignore[misc]
        for variable in _EXCLUDING_VARIABLES:
            for each in filter(None, map(str.strip, environ.get(variable, "").split(","))):
                try:
                    patterns.append(_pattern(variable, each))
                except SettingsError as mistake:
                    self.unusual.append(f"it excludes nothing: {mistake}")
        return re.compile("|".join(patterns)) if patterns else None


def _pattern(variable: str, pattern: str) -> str:
    try:
        return re.compile(f"(?:{pattern})").pattern
    except (re.error, RecursionError, OverflowError) as error:
        raise SettingsError(variable, pattern, f"a regular expression ({error})") from None


def _header(name: str) -> bytes:
    if name and not _HEADER_NAME.fullmatch(name):
        raise SettingsError("DASHLIGHT_PREDICTION_ID_HEADER", name, "the name of a header, such as x-prediction-id")
    if name.lower() in _OF_THE_ANSWER:
        raise SettingsError("DASHLIGHT_PREDICTION_ID_HEADER", name, "a header that means nothing else")
    return name.lower().encode("ascii")


def _mistakes(settings: Settings, environ: Mapping[str, str]) -> list[SettingsError]:
    """Where settings that could be read cannot be meant."""
    reading = _Reading([])
    reading.tried(lambda: len(limits_of(settings.thresholds, pane_seconds=settings.pane)), 0)
    reading.tried(lambda: check_sealing(settings), None)
    if settings.trace_url:
        link = settings.trace_url.replace("{trace_id}", "0" * 32)
        reading.tried(lambda: checked_url(link, variable="DASHLIGHT_TRACE_URL"), "")
    if settings.false_alarms < settings.pane:
        found = environ.get("DASHLIGHT_FALSE_ALARMS", "1/30d")
        reading.mistakes.append(SettingsError("DASHLIGHT_FALSE_ALARMS", found, "at most one a pane (DASHLIGHT_PANE)"))
    return reading.mistakes


def _unusual(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    told = told_unknown(environ)
    told += [
        f"{variable_of(name)} {is_idle}: {variable_of(needed)} is not set"
        for name, needed, is_idle in _NEEDED
        if getattr(settings, name) and not getattr(settings, needed)
    ]
    if settings.window < settings.pane:
        told.append("DASHLIGHT_WINDOW is shorter than DASHLIGHT_PANE: scores cover a pane")
    return told
