"""The limits of a span: how many attributes, and how long their texts."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import cast

from dashlight.types import SpanLimits

_VARIABLES = (
    ("attributes", ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")),
    ("events", ("OTEL_SPAN_EVENT_COUNT_LIMIT",)),
    ("links", ("OTEL_SPAN_LINK_COUNT_LIMIT",)),
    ("event_attributes", ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")),
    ("link_attributes", ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT")),
    ("value_length", ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")),
)
_NO_LIMIT = {"", "none", "null"}


def span_limits(environ: Mapping[str, str]) -> tuple[SpanLimits, tuple[str, ...]]:
    """The limits that OpenTelemetry's variables set, and a sentence on each that cannot be read: its default stands."""
    mistakes: dict[str, None] = {}
    found: dict[str, int] = {}
    for name, variables in _VARIABLES:
        for variable in variables:
            text = environ.get(variable, "").strip()
            if text.isascii() and text.isdecimal():
                found[name] = int(text)
                break
            if text.lower() not in _NO_LIMIT:
                mistakes[f"{variable}={text!r}: expected a whole number; the default is used"] = None
    return SpanLimits(**found), tuple(mistakes)


def within(values: Mapping[str, object], count: int, length: int | None) -> tuple[Mapping[str, object], int]:
    """The first *count* of *values*, texts among them cut to *length* characters, and how many were left out."""
    dropped_count = max(0, len(values) - count)
    if dropped_count:
        values = dict(islice(values.items(), count))
    if length is not None:
        values = {name: _cut(value, length) for name, value in values.items()}
    return values, dropped_count


def _cut(value: object, length: int) -> object:
    if isinstance(value, str):
        return value[:length]
    if isinstance(value, list | tuple):
        members = cast("Sequence[object]", value)
        return [each[:length] if isinstance(each, str) else each for each in members]
    return value
