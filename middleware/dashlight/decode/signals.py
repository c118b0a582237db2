"""Business numbers of exchanges: in a header of the response, or in a field of its JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, cast

import msgspec

from dashlight.records import Exchange, Prediction
from dashlight.window.tables import Column, table_of_columns

SIGNALS: Final = "signals"
"""What stands for the endpoint of all signals; no path is called that."""


@dataclass(frozen=True, slots=True)
class SignalSource:
    """Where the values of a signal are found in an exchange."""

    name: str
    header: bytes = b""
    """Of the response, in lower case; empty where it is a field."""
    path: tuple[str, ...] = ()
    """Keys that lead to it in the JSON of the response; of a list the number, from 0."""


def source_of(name: str, where: str) -> SignalSource:
    """The source that *where* tells of, `header:x-revenue` or `field:order.total`; ValueError where it tells of none."""
    kind, _, place = where.partition(":")
    if kind == "header" and place.strip() and place.isascii():
        return SignalSource(name, header=place.strip().lower().encode("ascii"))
    if kind == "field" and all(place.split(".")):
        return SignalSource(name, path=tuple(place.split(".")))
    raise ValueError(where)


def read_signals(exchanges: Sequence[Exchange], sources: Sequence[SignalSource]) -> Iterator[tuple[str, object]]:
    """Name and value of each signal that is there; what is no value of a signal comes as None. Failed exchanges have none."""
    are_fields = any(source.path for source in sources)
    for exchange in exchanges:
        if exchange.outcome != "ok" or not 200 <= exchange.status < 300:
            continue
        headers = dict(exchange.response_headers)
        body = _json_of(exchange, headers) if are_fields else None
        for source in sources:
            if source.header:
                if source.header in headers:
                    yield source.name, _value_of_text(headers[source.header])
                continue
            value = _reached(body, source.path)
            if value is not None:
                yield source.name, value if isinstance(value, bool | int | float | str) else None


def prediction_of(name: str, values: Column) -> Prediction:
    """The *values* of a signal as rows of a model of its own, so that the pace of one is nothing to another."""
    nothing = table_of_columns({})
    return Prediction(SIGNALS, name, "", SIGNALS, table_of_columns({name: values}), nothing)


def _json_of(exchange: Exchange, headers: Mapping[bytes, bytes]) -> object:
    if exchange.response_truncated or b"json" not in headers.get(b"content-type", b"").lower():
        return None
    try:
        return msgspec.json.decode(exchange.response_body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _reached(value: object, path: Sequence[str]) -> object:
    for key in path:
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(key)
        elif isinstance(value, list):
            items = cast("list[object]", value)
            value = items[int(key)] if key.isdecimal() and len(key) < 10 and int(key) < len(items) else None
        else:
            return None
    return value


def _value_of_text(text: bytes) -> object:
    """A number where it is one, a truth where it is one, else a category; None where it is nothing of these."""
    try:
        said = text.decode("ascii").strip()
    except UnicodeDecodeError:
        return None
    if said.lower() in {"true", "false"}:
        return said.lower() == "true"
    try:
        number = float(said)
    except ValueError:
        return said
    return number if isfinite(number) else None
