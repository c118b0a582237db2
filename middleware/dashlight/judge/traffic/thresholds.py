"""How the quantities of one endpoint stand against the operator's rules, pane by pane. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from dashlight.judge.alerts import alert_key
from dashlight.judge.traffic.rules import LATENCIES, RATES, Rule
from dashlight.judge.words import number, percent, printable, span
from dashlight.records import Alert, AlertState, Role, Score

KINDS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Quantities:
    """What was measured at one endpoint over the window on which rules are judged."""

    exchange_count: int
    failures: Mapping[str, int]
    """Exchanges that failed, by kind: `http_500`, `raised_ValueError`, ..."""
    latency_seconds: Mapping[str, float]
    """Time to the last byte at `p50`, `p90`, `p95`, `p99`; empty where there was no exchange."""
    first_byte_seconds: Mapping[str, float]
    """Likewise, to the first byte."""
    throughput: float
    """Exchanges a second."""
    in_flight: int
    """Exchanges that have begun and not ended."""
    undecodable_count: int
    """Of the exchanges that were analysed, those that no protocol could decode."""
    analysed_count: int
    missing: Sequence[Score] = ()
    """Scores `missing_rate` of the columns."""


class _Reading(NamedTuple):
    """What a rule reads; a value of None says that there is nothing to tell."""

    value: float | None
    rows: int
    words: str
    column: str | None = None
    role: Role | None = None


@dataclass(slots=True)
class _Standing:
    state: AlertState
    since_at: float
    """When the threshold was crossed."""
    began_at: float
    """When the state began."""
    recovered_at: float | None = None


class ThresholdJudge:
    """Holds the rules against the quantities of one endpoint; remembers only what is pending or firing."""

    def __init__(self, rules: Sequence[Rule], *, model: str = "", version: str = "", endpoint: str = "") -> None:
        self.rules = tuple(rules)
        self._labels = model, version, endpoint
        self._standings: dict[tuple[Rule, Role | None, str | None], _Standing] = {}

    def update(self, measured: Quantities, at: float) -> list[Alert]:
        """Take what was *measured* up to the moment *at*: the alerts that are pending, firing, or were until now."""
        reports: list[Alert] = []
        silent = dict.fromkeys(self._standings)
        for rule in self.rules:
            for reading in _readings(rule, measured):
                key = rule, reading.role, reading.column
                silent.pop(key, None)
                reports.extend(self._judged(rule, reading, at))
        for rule, role, column in silent:
            reports.extend(self._judged(rule, _reading(rule, None, 0, "", of=(column, role)), at))
        return reports

    def forget_columns(self, asked: Collection[tuple[str | None, str | None]], at: float) -> list[Alert]:
        """Ends what is pending or firing of columns outside *asked*, (role, name): nobody sends them any more."""
        gone = [key for key in self._standings if key[2] is not None and key[1:] not in asked]
        reports: list[Alert] = []
        for rule, role, column in gone:
            reading = _reading(rule, None, 0, "", of=(column, role))
            known = self._standings.pop((rule, role, column))
            reports.append(self._alert(rule, reading, replace(known, state="resolved", began_at=at)))
        return reports

    def _judged(self, rule: Rule, reading: _Reading, at: float) -> Iterator[Alert]:
        key = rule, reading.role, reading.column
        before = self._standings.pop(key, None)
        after = _next(rule, before, reading.value, at)
        if after is None:
            return
        if after.state in {"pending", "firing"}:
            self._standings[key] = after
        yield self._alert(rule, reading, after)

    def _alert(self, rule: Rule, reading: _Reading, standing: _Standing) -> Alert:
        model, version, endpoint = self._labels
        parts = [model, endpoint, rule.text, *(part for part in (reading.role, reading.column) if part)]
        return Alert(
            key=alert_key("threshold", *parts),
            source="threshold",
            model=model,
            version=version,
            endpoint=endpoint,
            column=reading.column,
            role=reading.role,
            state=standing.state,
            summary=reading.words,
            at=standing.began_at,
            since_at=standing.since_at,
            rows=reading.rows,
            score=reading.value or 0.0,
        )


def _next(rule: Rule, standing: _Standing | None, value: float | None, at: float) -> _Standing | None:
    """How a rule stands after one more *value*: None where it was inactive and stays so."""
    if standing is None:
        if value is None or not rule.crossed(value):
            return None
        return _Standing("pending" if rule.hold_seconds else "firing", at, at)
    if value is None:
        # Nothing was seen, so nothing speaks for or against.
        return standing
    if standing.state == "pending":
        if not rule.crossed(value):
            return _Standing("inactive", standing.since_at, at)
        if at - standing.since_at >= rule.hold_seconds:
            return _Standing("firing", standing.since_at, at)
        return standing
    if not rule.recovered(value):
        return _Standing("firing", standing.since_at, standing.began_at)
    recovered_at = at if standing.recovered_at is None else standing.recovered_at
    if at - recovered_at >= rule.hold_seconds:
        return _Standing("resolved", standing.since_at, at)
    return _Standing("firing", standing.since_at, standing.began_at, recovered_at)


def _readings(rule: Rule, measured: Quantities) -> Iterator[_Reading]:
    """What *rule* reads: one value, or one for each column that it is about."""
    if rule.quantity == "missing_rate":
        for score in measured.missing:
            name = score.column or ""
            if fnmatchcase(name, rule.pattern):
                words = f"{percent(score.value)} of {printable(name)} missing in {score.rows} rows"
                yield _reading(rule, score.value, score.rows, words, of=(score.column, score.role))
    elif rule.quantity == "error_rate":
        yield _failure_reading(rule, measured)
    elif rule.quantity == "undecodable_rate":
        rows = measured.analysed_count
        value = measured.undecodable_count / rows if rows else None
        yield _reading(rule, value, rows, f"{percent(value or 0.0)} of {rows} exchanges undecodable")
    elif rule.quantity in LATENCIES:
        kind, quantile = rule.quantity.rsplit("_", 1)
        rows = measured.exchange_count
        name = "latency" if kind == "latency" else "time to first byte"
        value = (measured.latency_seconds if kind == "latency" else measured.first_byte_seconds).get(quantile)
        yield _reading(rule, value, rows, f"{name} {quantile} {span(value or 0.0)} over {rows} exchanges")
    elif rule.quantity == "throughput":
        words = f"throughput {_written(rule, measured.throughput)}"
        yield _reading(rule, measured.throughput, measured.exchange_count, words)
    else:
        words = f"{measured.in_flight} exchanges in flight"
        yield _reading(rule, float(measured.in_flight), measured.exchange_count, words)


def _failure_reading(rule: Rule, measured: Quantities) -> _Reading:
    exchanges = measured.exchange_count
    kinds = {kind: count for kind, count in measured.failures.items() if count and fnmatchcase(kind, rule.pattern)}
    value = sum(kinds.values()) / exchanges if exchanges else None
    most = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:KINDS_NAMED]
    named = ", ".join(f"{printable(kind)} x {count}" for kind, count in most)
    words = f"error rate {percent(value or 0.0)} of {exchanges} exchanges"
    return _reading(rule, value, exchanges, words, detail=f": {named}" if named else "")


def _reading(
    rule: Rule,
    value: float | None,
    rows: int,
    words: str,
    *,
    detail: str = "",
    of: tuple[str | None, Role | None] = (None, None),
) -> _Reading:
    found = words if value is not None else f"{rule.quantity}: nothing to judge by"
    return _Reading(value, rows, f"{found} (limit {_written(rule, rule.threshold)}){detail}", *of)


def _written(rule: Rule, value: float) -> str:
    """*value* in the unit of the rule's quantity."""
    if rule.quantity in RATES:
        return percent(value)
    if rule.quantity in LATENCIES:
        return span(value)
    return f"{number(value)} /s" if rule.quantity == "throughput" else number(value)
