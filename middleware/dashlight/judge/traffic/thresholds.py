"""How the quantities of one endpoint stand against the operator's rules, pane by pane. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias

from dashlight.judge.alerts import AlertWriter, Phase
from dashlight.judge.evidence.hysteresis import Hysteresis, HysteresisState
from dashlight.judge.traffic.rules import LATENCIES, RATES, UNDECODABLE_FLOOR, Rule
from dashlight.judge.traffic.words import in_words
from dashlight.judge.words import number, percent, printable, span
from dashlight.records import Alert, Role, Score
from dashlight.window.fitting import moment, refuse

KINDS_NAMED = 3
TracesOf: TypeAlias = Callable[[Rule, Role | None, str | None, float], tuple[str, ...]]
"""Trace ids of exchanges after a moment that show what an alert of a rule is about, and of a column where it is of one."""


def no_traces(_rule: Rule, _role: Role | None, _column: str | None, _since_at: float) -> tuple[str, ...]:
    """Of rules about no exchange in particular."""
    return ()


@dataclass(frozen=True, slots=True)
class Quantities:
    """What was measured at one endpoint over the window on which rules are judged."""

    exchange_count: int
    failures: Mapping[str, int]
    """Exchanges that failed, by kind: `http_500`, `exception:ValueError`, ..."""
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
    refusals: Mapping[str, int] = field(default_factory=dict[str, int])
    """Exchanges that were refused, by kind: `http_422 age missing`, ...; one may be of several."""
    refused_count: int = 0
    unanswered: int = 0
    """Requests that wait in processes in which no answer came."""
    was_readable: bool = True
    """Whether most of what came could be decoded once."""


class _Reading(NamedTuple):
    """What a rule reads; a value of None says that there is nothing to tell."""

    value: float | None
    rows: int
    words: str
    column: str | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class CrossingState:
    """What is remembered of a rule that is crossed."""

    rule: str
    """Its text."""
    role: Role | None
    column: str | None
    """Of which it is crossed; None where the rule is about no column."""
    phase: Phase
    recovered_at: float | None
    """Since when it has been well inside again; None where it is not."""
    hysteresis: HysteresisState


class _Crossing:
    """A rule that is crossed, or was until now."""

    def __init__(self, at: float) -> None:
        self.phase = Phase("inactive", at, at)
        self._recovered_at: float | None = None
        self._hysteresis = Hysteresis()

    def state(self, rule: Rule, role: Role | None, column: str | None) -> CrossingState:
        """What is remembered, of *rule* and the column that it is crossed by."""
        return CrossingState(rule.text, role, column, self.phase, self._recovered_at, self._hysteresis.state)

    def restore(self, state: CrossingState) -> None:
        """Go on from *state*; ValueError where no values lead to it."""
        self._hysteresis.restore(state.hysteresis)
        self.phase = state.phase
        is_other = self.phase.state not in {"pending", "firing"} or self.phase.state != self._hysteresis.alert_state
        refuse(f"a crossed rule that is {self.phase.state}", where=is_other)
        moment("beginning of a state", self.phase.at)
        moment("beginning of a crossing", self.phase.since_at)
        self._recovered_at = state.recovered_at
        if self._recovered_at is not None:
            moment("beginning of a recovery", self._recovered_at)

    def step(self, rule: Rule, value: float | None, at: float) -> Phase:
        """How *rule* stands after one more *value*; None, where nothing was seen, speaks neither for nor against."""
        if value is None:
            return self.phase
        if not rule.recovered(value):
            self._recovered_at = None
        elif self._recovered_at is None:
            self._recovered_at = at
        state = self._hysteresis.step(
            at,
            is_evident=rule.crossed(value),
            fires=lambda: at - self.phase.since_at >= rule.hold_seconds,
            gone_for=lambda: self._gone_for(rule, at),
        )
        if state != self.phase.state:
            self.phase = Phase(state, at, self.phase.since_at)
        return self.phase

    def _gone_for(self, rule: Rule, at: float) -> float | None:
        recovered_for = -1.0 if self._recovered_at is None else at - self._recovered_at
        return recovered_for if recovered_for >= rule.hold_seconds else None


class ThresholdJudge:
    """Holds the rules against the quantities of one endpoint; remembers only what is pending or firing."""

    def __init__(self, rules: Sequence[Rule], *, model: str = "", version: str = "", endpoint: str = "") -> None:
        self.rules = tuple(rules)
        self._writer = AlertWriter("threshold", model=model, version=version, endpoint=endpoint)
        self._crossings: dict[tuple[Rule, Role | None, str | None], _Crossing] = {}

    @property
    def state(self) -> tuple[CrossingState, ...]:
        """What outlives the process: the rules that are crossed, by column."""
        return tuple(crossing.state(*key) for key, crossing in self._crossings.items())

    def restore(self, state: tuple[CrossingState, ...]) -> None:
        """Go on from *state*, of a judge with the same rules; ValueError where no values lead to it."""
        rules = {rule.text: rule for rule in self.rules}
        for crossing in state:
            rule = rules.get(crossing.rule)
            if rule is None:
                raise ValueError(f"no rule {crossing.rule!r}")
            by_column = rule.quantity == "missing_rate"
            names_none = crossing.column is None and crossing.role is None
            refuse(f"{rule.text} of no column, or of one", where=by_column == names_none)
            key = rule, crossing.role, crossing.column
            self._crossings[key] = _Crossing(crossing.phase.at)
            self._crossings[key].restore(crossing)

    def update(self, measured: Quantities, at: float, traces: TracesOf = no_traces) -> list[Alert]:
        """Take what was *measured* up to the moment *at*: the alerts that are pending, firing, or were until now.

        Those in force carry *traces* of what crossed the rule.
        """
        reports: list[Alert] = []
        silent = dict.fromkeys(self._crossings)
        for rule in self.rules:
            for reading in _readings(rule, measured):
                key = rule, reading.role, reading.column
                silent.pop(key, None)
                reports.extend(self._judged(rule, reading, at, traces))
        for rule, role, column in silent:
            reports.extend(self._judged(rule, _reading(rule, None, 0, "", of=(column, role)), at, traces))
        return reports

    def forget_columns(self, asked: Collection[tuple[str | None, str | None]], at: float) -> list[Alert]:
        """Ends what is pending or firing of columns outside *asked*, (role, name): nobody sends them any more."""
        gone = [key for key in self._crossings if key[2] is not None and key[1:] not in asked]
        reports: list[Alert] = []
        for rule, role, column in gone:
            reading = _reading(rule, None, 0, "", of=(column, role))
            crossing = self._crossings.pop((rule, role, column))
            reports.append(self._alert(rule, reading, Phase("resolved", at, crossing.phase.since_at)))
        return reports

    def _judged(self, rule: Rule, reading: _Reading, at: float, traces: TracesOf) -> Iterator[Alert]:
        key = rule, reading.role, reading.column
        crossing = self._crossings.pop(key, None)
        if crossing is None:
            if reading.value is None or not rule.crossed(reading.value):
                return
            crossing = _Crossing(at)
        phase = crossing.step(rule, reading.value, at)
        if phase.state in {"pending", "firing"}:
            self._crossings[key] = crossing
            yield replace(self._alert(rule, reading, phase), exemplars=traces(*key, phase.since_at))
        else:
            yield self._alert(rule, reading, phase)

    def _alert(self, rule: Rule, reading: _Reading, phase: Phase) -> Alert:
        return self._writer.write(
            *(rule.text, *(part for part in (reading.role, reading.column) if part)),
            phase=phase,
            summary=reading.words,
            rows=reading.rows,
            score=reading.value or 0.0,
            column=reading.column,
            role=reading.role,
        )


def _readings(rule: Rule, measured: Quantities) -> Iterator[_Reading]:
    """What *rule* reads: one value, or one for each column that it is about."""
    if rule.quantity == "missing_rate":
        for score in measured.missing:
            name = score.column or ""
            if fnmatchcase(name, rule.pattern):
                words = f"{percent(score.value)} of {printable(name)} missing in {score.rows} rows"
                yield _reading(rule, score.value, score.rows, words, of=(score.column, score.role))
    elif rule.quantity == "failure_rate":
        yield _failure_reading(rule, measured, "error rate", measured.failures, most=measured.exchange_count)
    elif rule.quantity == "refusal_rate":
        yield _failure_reading(rule, measured, "refusal rate", measured.refusals, most=measured.refused_count)
    elif rule.quantity == "undecodable_rate":
        rows = measured.analysed_count
        is_judged = measured.was_readable or rule.text != UNDECODABLE_FLOOR
        value = measured.undecodable_count / rows if is_judged and rows >= max(rule.least_exchanges, 1) else None
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
    elif rule.quantity == "unanswered":
        words = f"{measured.unanswered} requests wait where none was answered"
        yield _reading(rule, float(measured.unanswered), measured.unanswered, words)
    else:
        words = f"{measured.in_flight} exchanges in flight"
        yield _reading(rule, float(measured.in_flight), measured.exchange_count, words)


def _failure_reading(rule: Rule, measured: Quantities, name: str, counts: Mapping[str, int], *, most: int) -> _Reading:
    """The share of exchanges counted by kind, of *most* at most: one may be of several kinds."""
    exchanges = measured.exchange_count
    kinds = {kind: count for kind, count in counts.items() if count and fnmatchcase(kind, rule.pattern)}
    occurred = min(sum(kinds.values()), most)
    value = occurred / exchanges if exchanges >= max(rule.least_exchanges, 1) else None
    named_first = sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))[:KINDS_NAMED]
    named = ", ".join(f"{in_words(kind)} x {count}" for kind, count in named_first)
    words = f"{name} {percent(value or 0.0)} of {exchanges} exchanges"
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
