"""Figures -> the MeterProvider that the app has configured, where it has one."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, NoOpMeterProvider, Observation

from dashlight.metrics.figures import Figure, FigureKind, Figures, HistogramFigure

_logger = logging.getLogger(__name__)

_Callback: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]


@dataclass(frozen=True, slots=True)
class _Series:
    """What is observed of one instrument."""

    kind: FigureKind
    unit: str
    description: str
    observations: list[Observation]


class MeterReport:
    """Reports figures to the MeterProvider of the process: whenever that collects, it is given the latest ones.

    A provider may be configured later than Dashlight, and figures of new names may appear: `look_around` takes care of
    both. In a forked child nothing is reported; it makes a report of its own.
    """

    def __init__(self, latest: Callable[[], Figures | None], *, version: str) -> None:
        """*latest* is called on the threads of the provider; None: somebody else reports."""
        self._latest = latest
        self._version = version
        self._provider: MeterProvider | None = None
        self._meter: Meter | None = None
        self._created: set[str] = set()
        self._process_id = os.getpid()
        self._seen: tuple[Figures | None, Mapping[str, _Series]] = (None, {})

    def look_around(self) -> bool:
        """Creates instruments for what is new; whether there is a provider that reports.

        Called from the analysis thread whenever there are new figures: microseconds where there is nothing to do.
        """
        provider = configured_provider()
        if provider is None:
            return False
        if provider is not self._provider:
            self._provider, self._created = provider, set()
            self._meter = provider.get_meter("dashlight", self._version)
        if self._meter is not None:
            for name, series in self._current().items():
                if name not in self._created:
                    self._created.add(name)
                    _create(self._meter, name, series, partial(self._observe, name))
        return True

    def _observe(self, name: str, _options: CallbackOptions) -> Iterable[Observation]:
        series = self._current().get(name)
        return series.observations if series is not None else ()

    def _current(self) -> Mapping[str, _Series]:
        """The latest figures by instrument: worked out once, for all instruments of a collection."""
        if os.getpid() != self._process_id:
            return {}
        latest = self._latest()
        if latest is None:
            return {}
        figures, by_name = self._seen
        if figures is not latest:
            by_name = _by_name(latest)
            self._seen = latest, by_name
        return by_name


def configured_provider() -> MeterProvider | None:
    """The MeterProvider that the app has configured; None where there is none or it does nothing."""
    provider = metrics.get_meter_provider()
    # The class of the stand-in has no public name, unlike that for tracers.
    if isinstance(provider, NoOpMeterProvider) or type(provider).__name__ == "_ProxyMeterProvider":
        return None
    return provider


def _by_name(figures: Figures) -> dict[str, _Series]:
    found: dict[str, _Series] = {}
    for figure in (*figures.figures, *(part for each in figures.histograms for part in _parts(each))):
        series = found.get(figure.name)
        if series is None:
            series = found[figure.name] = _Series(figure.kind, figure.unit, figure.description, [])
        series.observations.append(Observation(figure.value, figure.attributes))
    return found


def _parts(each: HistogramFigure) -> Iterator[Figure]:
    """A histogram in counters, since none can be observed: count, sum, and counts up to each bound as Prometheus has them.

    Recording every value anew in a histogram of the provider's would cost each request what a counter of ours does not.
    """
    described = each.description
    yield Figure(
        f"{each.name}.count", "counter", "{request}", f"{described}: requests", sum(each.counts), each.attributes
    )
    yield Figure(f"{each.name}.sum", "counter", each.unit, f"{described}: sum", each.sum, each.attributes)
    for bound, count in zip([*map(repr, each.bounds), "+Inf"], accumulate(each.counts), strict=True):
        attributes = {**each.attributes, "le": bound}
        text = f"{described}: requests within the bound le, in {each.unit}"
        yield Figure(f"{each.name}.bucket", "counter", "{request}", text, count, attributes)


def _create(meter: Meter, name: str, series: _Series, callback: _Callback) -> None:
    create = {
        "counter": meter.create_observable_counter,
        "updowncounter": meter.create_observable_up_down_counter,
        "gauge": meter.create_observable_gauge,
    }[series.kind]
    try:
        create(name, [callback], series.unit, series.description)
    except Exception:
        # A provider of the app's own make may refuse what it likes; that costs this one instrument.
        _logger.exception("the app's MeterProvider refused the instrument %s", name)
