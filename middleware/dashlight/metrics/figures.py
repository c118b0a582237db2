"""The values that metrics show at a moment, and their bytes: what one worker writes and every worker of a machine can show.

Only data: what is counted stands in `totals`, what is measured in `gauges`, what a name means in `instruments`.
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal, TypeAlias

import msgspec

from dashlight.errors import StateError

FigureKind: TypeAlias = Literal["counter", "gauge", "updowncounter"]

_MAGIC = b"DLfg"
_LAYOUT = 1
"""Number of the layout of the bytes; figures of another one are refused, not guessed at."""
_HEADER = struct.Struct("<4sHI")
"""Magic, layout, checksum of the msgpack that follows."""


class Figure(msgspec.Struct, frozen=True, array_like=True):
    """One number of one instrument under one set of attributes."""

    name: str
    """As OpenTelemetry has it, with dots."""
    kind: FigureKind
    """`updowncounter`: a number that may fall, and that makes sense when it is added up over machines."""
    unit: str
    """Of UCUM: `s`, `By`, `{request}`; empty for a share."""
    description: str
    value: int | float
    attributes: dict[str, str]


class HistogramFigure(msgspec.Struct, frozen=True, array_like=True):
    """A distribution since `Figures.started_at`, in bins with upper bounds."""

    name: str
    unit: str
    description: str
    bounds: tuple[float, ...]
    """Upper ends of all bins but the last, which has none; ascending."""
    counts: tuple[int, ...]
    """One for each bin, so one more than bounds."""
    sum: float
    attributes: dict[str, str]


class Figures(msgspec.Struct, frozen=True, array_like=True):
    """All that is shown at the moment *at*; counters and histograms count from *started_at*."""

    at: float
    started_at: float
    figures: tuple[Figure, ...]
    histograms: tuple[HistogramFigure, ...]


def encode(figures: Figures) -> bytes:
    """*figures* as bytes for another process of the same machine: a header, and msgpack."""
    body = _ENCODER.encode(figures)
    return _HEADER.pack(_MAGIC, _LAYOUT, zlib.crc32(body)) + body


def decode(content: bytes | bytearray) -> Figures:
    """The figures that *content* holds.

    Raises:
        StateError: of kind `other_version` where they have another layout, else of kind `corrupt`.
    """
    if len(content) < _HEADER.size:
        raise StateError("corrupt", f"these are no figures: {len(content)} bytes")
    magic, layout, checksum = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        raise StateError("corrupt", "these are no figures")
    if layout != _LAYOUT:
        raise StateError("other_version", f"figures of layout {layout}: expected {_LAYOUT}")
    body = memoryview(content)[_HEADER.size :]
    if zlib.crc32(body) != checksum:
        raise StateError("corrupt", "these are no figures: they do not match their checksum")
    try:
        figures = _DECODER.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: texts that are no UTF-8
        raise StateError("corrupt", f"these are no figures: {error}") from None
    if any(len(each.counts) != len(each.bounds) + 1 for each in figures.histograms):
        raise StateError("corrupt", "these are no figures: a histogram without a count for each bin")
    return figures


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Figures)
