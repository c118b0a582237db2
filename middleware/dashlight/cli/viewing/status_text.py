"""A view of an app, told in a terminal: what is wrong first, then everything else in a few tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TextIO

from dashlight.cli.progress import print_table
from dashlight.cli.viewing.source import is_stale
from dashlight.cli.viewing.versions_text import DECISIONS
from dashlight.judge.words import number, percent, printable, span
from dashlight.page.shape import (
    Light,
    LightState,
    ShownAlert,
    ShownEndpoint,
    ShownMeasure,
    ShownModel,
    ShownSegment,
    ShownStatus,
    ShownValue,
)
from dashlight.page.values import sentence
from dashlight.page.versions import ShownVersions

MOST_LISTED: Final = 10
"""Of what hurts or moved; all of it is in the JSON."""
_MOST_MEASURES: Final = 6
_COLOURS: Final[dict[LightState, str]] = {"red": "31;1", "amber": "33;1", "green": "32", "grey": "90"}
_STATES: Final = {"learning": "learning", "not_enough_data": "not enough data", "watching": "watching"}
_MOVED: Final = 0.02
"""PSI that is listed as moved, by its lower bound; it alarms nobody."""


def print_status(status: ShownStatus, versions: ShownVersions, out: TextIO, *, now: float) -> None:
    """Writes *status* and *versions* as a person reads it at the moment *now*."""
    print(_headline(status, now, is_terminal=out.isatty()), file=out)
    for alert in status.alerts:
        for line in _alert(alert, now, is_terminal=out.isatty()):
            print(line, file=out)
    if status.alert_count > len(status.alerts):
        print(f"and {status.alert_count - len(status.alerts)} alerts more", file=out)
    _table(
        "ENDPOINTS", ("endpoint", "exchanges", "a second", "failed", "refused", "p50", "p99"), _endpoints(status), out
    )
    head = ("endpoint", "model", "version", "state", "rows", "inputs", "predictions", "data", "performance")
    _table("MODELS", head, _models(status), out)
    _table("PERFORMANCE", ("model", "figure", "by labels", "reference", "estimated", "labels"), _measures(status), out)
    _table("MOVED", ("model", "column", "PSI", "missing", "usually"), _moved(status), out)
    of_segments = ("model", "segment", "", "rows", "share", "failed", "refused", "p99", "performance", "moved")
    _table("SEGMENTS", of_segments, _segments(status), out)
    _print_left_out(status, out)
    of_versions = ("model", "endpoint", "stable", "candidate", "share", "by", "is")
    _table("VERSIONS", of_versions, _versions(versions), out)
    _table("LIGHTS THAT ARE NOT GREEN", ("of", "light", "", "why"), _lights(status), out)


def _headline(status: ShownStatus, now: float, *, is_terminal: bool) -> str:
    firing = sum(alert.state == "firing" for alert in status.alerts)
    pending = len(status.alerts) - firing
    alerts = f"{firing} firing, {pending} pending" if status.alerts else "no alert is in force"
    analysed = "" if status.analysed_rate >= 1 else f", {percent(status.analysed_rate)} of exchanges analysed"
    workers = f"{status.workers} worker{'' if status.workers == 1 else 's'}"
    told = (
        f"{_light(status.state, status.state.upper(), is_terminal=is_terminal)}  {alerts}; as of {_moment(status.at)}"
    )
    age = now - status.at
    if is_stale(age, status.pane_seconds):
        return (
            f"{told}: nothing has been judged for {span(round(abs(age)))}: the app ended, or hangs, or a clock is wrong"
        )
    return f"{told}, {span(max(round(age), 1))} ago; {workers}{analysed}"


def _alert(alert: ShownAlert, now: float, *, is_terminal: bool) -> Iterator[str]:
    whom = [printable(each) for each in (alert.endpoint, alert.model, alert.version, alert.segment) if each]
    state: LightState = "red" if alert.state == "firing" else "amber"
    since = f"since {_moment(alert.since_at)} ({span(max(round(now - alert.since_at), 1))})"
    yield f"\n{_light(state, alert.state, is_terminal=is_terminal)}  {' '.join(whom) or 'this machine'}, {since}"
    yield f"    {sentence(alert.summary)}"
    # Most alerts say it in their sentence; the search may have ended after that was said.
    if alert.slice is not None and alert.slice.summary not in alert.summary:
        yield f"    {sentence(alert.slice.summary.removeprefix('; '))}"
    if alert.exemplars:
        yield f"    traces: {' '.join(map(printable, alert.exemplars[:3]))}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], out: TextIO) -> None:
    if rows:
        print(f"\n{title}", file=out)
        print_table(head, rows, out)


def _endpoints(status: ShownStatus) -> list[tuple[str, ...]]:
    return [
        (
            printable(each.route),
            f"{each.exchanges:,}",
            "" if each.throughput is None else number(each.throughput),
            _share(each.failure_rate),
            _share(each.refusal_rate),
            _seconds(each.latency_p50_seconds),
            _seconds(each.latency_p99_seconds),
        )
        for each in status.endpoints
    ]


def _models(status: ShownStatus) -> list[tuple[str, ...]]:
    return [
        (
            printable(endpoint.route),
            printable(model.name),
            printable(model.version) if model.version else "",
            _STATES.get(model.state or "", "by labels alone"),
            f"{model.rows:,}",
            *(light.state for light in model.lights),
        )
        for endpoint, model in _all_models(status)
    ]


def _measures(status: ShownStatus) -> list[tuple[str, ...]]:
    return [
        (
            printable(model.name),
            printable(measure.name),
            _interval(measure.realised),
            _number(None if measure.realised is None else measure.realised.reference),
            _interval(measure.estimated),
            "" if measure.realised is None else f"{measure.realised.rows:,}",
        )
        for _, model in _all_models(status)
        for measure in model.performance[:_MOST_MEASURES]
    ]


def _moved(status: ShownStatus) -> list[tuple[str, ...]]:
    return [
        (
            printable(model.name),
            printable(column.name),
            _interval(column.psi),
            _share(column.missing_rate),
            _share_of(None if column.missing_rate is None else column.missing_rate.reference),
        )
        for _, model in _all_models(status)
        for column in model.columns[:MOST_LISTED]
        if column.is_in_force or (column.psi is not None and (column.psi.low or 0.0) >= _MOVED)
    ]


def _segments(status: ShownStatus) -> list[tuple[str, ...]]:
    return [
        (
            printable(model.name),
            printable(each.name),
            "alert" if each.is_in_force else "fails more" if _fails_more(each, endpoint) else "",
            f"{each.rows:,}",
            _share_of(each.share),
            _share(each.failure_rate),
            _share(each.refusal_rate),
            _seconds(each.latency_p99_seconds),
            _measure(each.performance),
            "" if not each.moved else f"{printable(each.moved)} {_interval(each.psi)}",
        )
        for endpoint, model in _all_models(status)
        for each in sorted(model.segments, key=lambda each: not _hurts(each, endpoint))[:MOST_LISTED]
    ]


def _print_left_out(status: ShownStatus, out: TextIO) -> None:
    """How many segments the table leaves out; what hurts comes first in it."""
    left_out = sum(max(model.segment_count - MOST_LISTED, 0) for _, model in _all_models(status))
    if left_out:
        print(f"and {left_out:,} segments more, in --json", file=out)


def _hurts(segment: ShownSegment, endpoint: ShownEndpoint) -> bool:
    return segment.is_in_force or _fails_more(segment, endpoint)


def _fails_more(segment: ShownSegment, endpoint: ShownEndpoint) -> bool:
    """Whether it fails more than the endpoint as a whole for sure."""
    own, whole = segment.failure_rate, endpoint.failure_rate
    return own is not None and whole is not None and (own.low or 0.0) > (whole.high or 0.0)


def _measure(performance: Sequence[ShownMeasure]) -> str:
    """The first figure, by labels where there are any: `accuracy 0.9 (0.88 to 0.92)`, `accuracy 0.9 (...), estimated`."""
    for each in performance[:1]:
        if realised := _interval(each.realised):
            return f"{printable(each.name)} {realised}"
        if estimated := _interval(each.estimated):
            return f"{printable(each.name)} {estimated}, estimated"
    return ""


def _versions(versions: ShownVersions) -> list[tuple[str, ...]]:
    return [
        (
            printable(each.model),
            printable(each.endpoint),
            printable(each.stable),
            printable(each.candidate),
            _share_of(each.shares.get(each.candidate)),
            printable(each.figure),
            DECISIONS[each.decision],
        )
        for each in versions.comparisons
    ]


def _lights(status: ShownStatus) -> list[tuple[str, ...]]:
    named: list[tuple[str, Light]] = [("machine", light) for light in status.lights]
    for endpoint in status.endpoints:
        named += [(printable(endpoint.route), light) for light in endpoint.lights]
        named += [(printable(model.name), light) for model in endpoint.models for light in model.lights]
    return [
        (of, light.name, light.state, sentence(light.words)) for of, light in named if light.state in {"amber", "grey"}
    ]


def _all_models(status: ShownStatus) -> Iterator[tuple[ShownEndpoint, ShownModel]]:
    return ((endpoint, model) for endpoint in status.endpoints for model in endpoint.models)


def _light(state: LightState, word: str, *, is_terminal: bool) -> str:
    return f"\x1b[{_COLOURS[state]}m{word}\x1b[0m" if is_terminal else word


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _share(value: ShownValue | None) -> str:
    return "" if value is None else _share_of(value.value)


def _share_of(share: float | None) -> str:
    return "" if share is None else percent(share)


def _seconds(value: ShownValue | None) -> str:
    return "" if value is None or value.value is None else span(value.value)


def _number(value: float | None) -> str:
    return "" if value is None else number(value)


def _interval(value: ShownValue | None) -> str:
    """As `0.9 (0.88 to 0.92)`."""
    if value is None or value.value is None:
        return ""
    is_bounded = value.low is not None and value.high is not None and value.low < value.high
    return (
        f"{number(value.value)} ({_number(value.low)} to {_number(value.high)})" if is_bounded else number(value.value)
    )
