"""Figures -> metric families of prometheus-client -> text. The only file that loads prometheus-client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import cast

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics

from dashlight.metrics.figures import Figure, Figures, HistogramFigure
from dashlight.metrics.prometheus_names import FamilyKind, FamilyName, NamedInstrument, family_names, label_names


def plain_text(figures: Figures) -> bytes:
    """*figures* in Prometheus' own text format."""
    return generate_latest(_registry(figures, began_at=None))


def openmetrics_text(figures: Figures) -> bytes:
    """*figures* in OpenMetrics, with the moment at which counters began."""
    write = cast("Callable[[CollectorRegistry], bytes]", openmetrics.generate_latest)  # pyright: ignore[reportUnknownMemberType]
    return write(_registry(figures, began_at=figures.started_at))


@dataclass(frozen=True, slots=True)
class _Collector:
    """What a registry asks for families."""

    families: Callable[[], Iterator[Metric]]

    def collect(self) -> Iterator[Metric]:
        """The families, made anew."""
        return self.families()


def _registry(figures: Figures, *, began_at: float | None) -> CollectorRegistry:
    """A registry of its own: that of the app, and what is in it, is the app's."""
    registry = CollectorRegistry()
    registry.register(_Collector(partial(_families, figures, began_at)))
    return registry


def _families(figures: Figures, began_at: float | None) -> Iterator[Metric]:
    numbers: dict[NamedInstrument, list[Figure]] = {}
    for each in figures.figures:
        kind: FamilyKind = "counter" if each.kind == "counter" else "gauge"
        numbers.setdefault(NamedInstrument(each.name, kind, each.unit), []).append(each)
    histograms: dict[NamedInstrument, list[HistogramFigure]] = {}
    for histogram in figures.histograms:
        histograms.setdefault(NamedInstrument(histogram.name, "histogram", histogram.unit), []).append(histogram)
    names = family_names([*numbers, *histograms])
    for instrument, members in numbers.items():
        if instrument.kind == "counter":
            yield _counters(names[instrument], members, began_at)
        else:
            yield _gauges(names[instrument], members)
    for instrument, distributions in histograms.items():
        yield _histograms(names[instrument], distributions)


def _counters(named: FamilyName, members: Sequence[Figure], began_at: float | None) -> Metric:
    keys, labels = _labels(members)
    made = CounterMetricFamily(named.name, members[0].description, labels=labels, unit=named.unit)
    for each in members:
        made.add_metric(_values(each, keys), each.value, created=began_at)
    return made


def _gauges(named: FamilyName, members: Sequence[Figure]) -> Metric:
    keys, labels = _labels(members)
    made = GaugeMetricFamily(named.name, members[0].description, labels=labels, unit=named.unit)
    for each in members:
        made.add_metric(_values(each, keys), each.value)
    return made


def _histograms(named: FamilyName, members: Sequence[HistogramFigure]) -> Metric:
    keys, labels = _labels(members)
    made = HistogramMetricFamily(named.name, members[0].description, labels=labels, unit=named.unit)
    for each in members:
        # Upper bound, and how many lie below it.
        bounds = [*map(repr, each.bounds), "+Inf"]
        made.add_metric(_values(each, keys), list(zip(bounds, accumulate(each.counts), strict=True)), each.sum)
    return made


def _labels(members: Sequence[Figure | HistogramFigure]) -> tuple[list[str], list[str]]:
    """All keys of attributes among *members*, and the label for each."""
    keys = list(dict.fromkeys(key for each in members for key in each.attributes))
    labels = label_names(keys, reserved={"le"})
    return keys, [labels[key] for key in keys]


def _values(each: Figure | HistogramFigure, keys: Sequence[str]) -> list[str]:
    """The values of labels; an empty one is no label to Prometheus. UTF-8 cannot say lone surrogates."""
    return [each.attributes.get(key, "").encode(errors="replace").decode() for key in keys]
