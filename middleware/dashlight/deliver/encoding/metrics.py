"""Figures -> OTLP metrics as bytes."""

import struct
from collections.abc import Mapping, Sequence

from dashlight.deliver.encoding import envelope
from dashlight.deliver.encoding.plain import Budget
from dashlight.deliver.encoding.protobuf import attribute, fixed64_field, length_delimited, varint_field
from dashlight.metrics.figures import Figure, FigureKind, Figures, HistogramFigure

_GAUGE, _SUM, _HISTOGRAM = 5, 7, 9
_NUMBER_ATTRIBUTES, _HISTOGRAM_ATTRIBUTES = 7, 9
_CUMULATIVE = varint_field(2, number=2)
_MONOTONIC = varint_field(3, number=1)
# The field of a Metric by kind, and the fields beside the points in it.
_FRAMES: Mapping[FigureKind, tuple[int, bytes]] = {
    "counter": (_SUM, _CUMULATIVE + _MONOTONIC),
    "updowncounter": (_SUM, _CUMULATIVE),
    "gauge": (_GAUGE, b""),
}
_DOUBLE_TAG, _SUM_TAG, _INT_TAG = b"\x21", b"\x29", b"\x31"
_DOUBLE, _INT = struct.Struct("<d").pack, struct.Struct("<q").pack


class MetricEncoder:
    """Writes figures as OTLP metrics, and the requests that carry them.

    Counters and histograms are cumulative since `Figures.started_at`. A counter whose value is an int is sent as one.
    """

    content_type = envelope.CONTENT_TYPE
    speaks_otlp = True

    def __init__(self, resource: Mapping[str, object], scope_name: str, scope_version: str) -> None:
        self._envelope = envelope.Envelope(resource, scope_name, scope_version)

    def metrics(self, figures: Figures) -> bytes:
        """All of *figures*, ready for `request`."""
        attributes = _Attributes()
        moments = fixed64_field(2, number=_nanoseconds(figures.started_at)) + _made(figures)
        points: dict[tuple[bytes, int, bytes], list[bytes]] = {}
        for each in figures.figures:
            points.setdefault((_described(each), *_FRAMES[each.kind]), []).append(
                _number(each, figures, moments, attributes)
            )
        for histogram in figures.histograms:
            frame = _described(histogram), _HISTOGRAM, _CUMULATIVE
            points.setdefault(frame, []).append(_distribution(histogram, moments, attributes))
        written = [
            envelope.framed(described + length_delimited(kind, b"".join(members) + manner))
            for (described, kind, manner), members in points.items()
        ]
        return b"".join(written)

    def request(self, entries: Sequence[bytes]) -> bytes:
        """The ExportMetricsServiceRequest that carries what `metrics` has written."""
        return self._envelope.around(entries)

    def rejected_count(self, answer: bytes) -> int:
        """Points that the collector says it did not take."""
        return envelope.rejected_count(answer)


def _described(each: Figure | HistogramFigure) -> bytes:
    """Name, description and unit of a Metric."""
    texts = enumerate((each.name, each.description, each.unit), start=1)
    return b"".join(length_delimited(field, text.encode()) for field, text in texts if text)


def _number(each: Figure, figures: Figures, moments: bytes, attributes: "_Attributes") -> bytes:
    """A NumberDataPoint; that of a gauge has no start."""
    if each.kind == "gauge":
        value = _DOUBLE_TAG + _DOUBLE(each.value)
        moments = _made(figures)
    elif isinstance(each.value, int) and -(2**63) <= each.value < 2**63:
        value = _INT_TAG + _INT(each.value)
    else:
        value = _DOUBLE_TAG + _DOUBLE(each.value)
    return length_delimited(1, moments + value + attributes.written(_NUMBER_ATTRIBUTES, each.attributes))


def _distribution(each: HistogramFigure, moments: bytes, attributes: "_Attributes") -> bytes:
    """A HistogramDataPoint."""
    counts = struct.pack(f"<{len(each.counts)}Q", *each.counts)
    bounds = struct.pack(f"<{len(each.bounds)}d", *each.bounds)
    return length_delimited(
        1,
        moments
        + fixed64_field(4, number=sum(each.counts))
        + _SUM_TAG
        + _DOUBLE(each.sum)
        + length_delimited(6, counts)
        + length_delimited(7, bounds)
        + attributes.written(_HISTOGRAM_ATTRIBUTES, each.attributes),
    )


class _Attributes:
    """Writes attributes: each pair once, since most figures have most of theirs in common."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, str, str], bytes] = {}

    def written(self, field: int, values: Mapping[str, str]) -> bytes:
        return b"".join([self._pair((field, key, value)) for key, value in values.items()])

    def _pair(self, pair: tuple[int, str, str]) -> bytes:
        found = self._pairs.get(pair)
        if found is None:
            field, key, value = pair
            found = self._pairs[pair] = attribute(field, key, value=value, budget=Budget())
        return found


def _made(figures: Figures) -> bytes:
    return fixed64_field(3, number=_nanoseconds(figures.at))


def _nanoseconds(at: float) -> int:
    # A double of today's size tells quarters of a microsecond apart, and no nanoseconds.
    return round(at * 1e6) * 1000
