"""The list of instruments: for each name its kind, unit and description, as OpenTelemetry defines them.

A constant table, and how to make a figure of an entry. The values come from `totals` and `gauges`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2s

from dashlight.metrics.figures import Figure, FigureKind

REQUEST_DURATION = "dashlight.request.duration"
TIME_TO_FIRST_BYTE = "dashlight.request.time_to_first_byte"
NOTHING: Mapping[str, str] = {}
LONGEST_TEXT = 120
"""Maximum number of characters of an attribute's value."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Kind, unit and description, which all figures of one name share."""

    kind: FigureKind
    unit: str
    description: str


def figure(name: str, value: float, attributes: Mapping[str, str] = NOTHING) -> Figure:
    """A figure of the instrument *name*."""
    known = INSTRUMENTS[name]
    return Figure(name, known.kind, known.unit, known.description, value, dict(attributes))


def label(text: str) -> str:
    """*text*, which came from outside, as an attribute's value: printable, at most LONGEST_TEXT characters.

    A changed text is marked with a hash of the original, so that two texts never become one.
    """
    if text.isprintable() and len(text) <= LONGEST_TEXT:
        return text
    plain = "".join(character if character.isprintable() else "?" for character in text[:LONGEST_TEXT])
    digest = blake2s(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{plain[: LONGEST_TEXT - 9]}~{digest}"


INSTRUMENTS: Mapping[str, Instrument] = {
    "dashlight.requests": Instrument("counter", "{request}", "Requests, by outcome"),
    "dashlight.responses": Instrument("counter", "{request}", "Requests, by method and status of the response"),
    "dashlight.errors": Instrument("counter", "{request}", "Requests that failed, by type of error"),
    "dashlight.request.io": Instrument("counter", "By", "Bytes of request bodies, accurate to 12 %"),
    "dashlight.response.io": Instrument("counter", "By", "Bytes of response bodies, accurate to 12 %"),
    "dashlight.rows": Instrument("counter", "{row}", "Rows in the requests that were analysed"),
    "dashlight.rows.excluded": Instrument(
        "counter", "{row}", "Rows of excluded agents, such as probes: counted, not judged"
    ),
    "dashlight.analysed": Instrument("counter", "{request}", "Requests that were analysed"),
    "dashlight.undecodable": Instrument(
        "counter", "{request}", "Analysed requests that could not be decoded, by reason"
    ),
    "dashlight.captured": Instrument(
        "counter", "{item}", "Items that were to be delivered: exchanges for events, and what else is sent"
    ),
    "dashlight.recovered": Instrument("counter", "{item}", "Items found in a spool older than these counters"),
    "dashlight.sampled_out": Instrument("counter", "{item}", "Exchanges that were not drawn to be sent as events"),
    "dashlight.pending": Instrument(
        "updowncounter", "{item}", "Items that are neither delivered nor lost yet, by state"
    ),
    "dashlight.dropped": Instrument("counter", "{item}", "Items lost before they were counted or delivered"),
    "dashlight.delivered": Instrument("counter", "{item}", "Items that the collector accepted"),
    "dashlight.labels": Instrument("counter", "{label}", "Labels that came, by what became of them"),
    "dashlight.mistakes": Instrument(
        "counter", "{mistake}", "Internal errors of Dashlight, which did not affect the app"
    ),
    "dashlight.alert.fired": Instrument("counter", "{alert}", "Alerts that started to fire"),
    "dashlight.alert.in_force": Instrument("updowncounter", "{alert}", "Alerts that are pending or firing now"),
    "dashlight.alert.owed": Instrument(
        "updowncounter", "{alert}", "Messages about alerts that a route has not answered for yet"
    ),
    "dashlight.workers": Instrument("updowncounter", "{worker}", "Worker processes that these figures cover"),
    "dashlight.in_flight": Instrument("updowncounter", "{request}", "Requests that are being served now"),
    "dashlight.analysed_rate": Instrument(
        "gauge", "", "Share of requests that is analysed now, 0 to 1; below 1 the CPU budget is used up"
    ),
    "dashlight.figures.made_at": Instrument("gauge", "s", "Time at which these figures were made, since the epoch"),
    "dashlight.metrics.skipped": Instrument(
        "updowncounter", "{series}", "Series left out of these figures because of the limit"
    ),
    "dashlight.model.state": Instrument(
        "updowncounter", "{model}", "1 for the state that a model is in: learning, not_enough_data or watching"
    ),
    "dashlight.model.rows": Instrument("gauge", "{row}", "Rows of a model in the window of its scores"),
    "dashlight.model.score": Instrument("gauge", "", "Scores of a model as a whole"),
    "dashlight.model.score.bound": Instrument(
        "gauge", "", "Interval of 95 % of a score of a model, low and high, and its value in the reference"
    ),
    "dashlight.endpoint.score": Instrument("gauge", "", "Scores of an endpoint other than rates of its requests"),
    "dashlight.segment.rows": Instrument("gauge", "{row}", "Rows of a segment in the window"),
    "dashlight.segment.failures": Instrument("gauge", "{request}", "Requests of a segment that failed in the window"),
    "dashlight.segment.refusals": Instrument(
        "gauge", "{request}", "Requests of a segment that were refused in the window"
    ),
    "dashlight.segment.failure_rate": Instrument("gauge", "", "Share of a segment's requests that failed, 0 to 1"),
    "dashlight.segment.refusal_rate": Instrument(
        "gauge", "", "Share of a segment's requests that were refused, 0 to 1"
    ),
    "dashlight.segment.score": Instrument("gauge", "", "Other scores of a segment, such as its performance"),
    "dashlight.column.drift": Instrument("gauge", "", "Distance of a column's window from its reference"),
    "dashlight.column.missing_rate": Instrument("gauge", "", "Share of a column's values that are missing, 0 to 1"),
    "dashlight.column.type_error_rate": Instrument("gauge", "", "Share of a column's values with a wrong type, 0 to 1"),
    "dashlight.column.out_of_range_rate": Instrument(
        "gauge", "", "Share of a numeric column's values outside the range of the reference, 0 to 1"
    ),
    "dashlight.column.unseen_rate": Instrument(
        "gauge", "", "Share of a column's values that the reference does not contain, 0 to 1"
    ),
    "dashlight.column.score": Instrument("gauge", "", "Other scores of a column"),
}
"""Instruments of one number each; the histograms are below."""

HISTOGRAMS: Mapping[str, tuple[str, str]] = {
    REQUEST_DURATION: ("s", "Time to the last byte of the response"),
    TIME_TO_FIRST_BYTE: ("s", "Time to the first byte of the response body"),
}
"""Unit and description of each histogram."""
