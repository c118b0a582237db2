"""One endpoint, as one process counts it: what is exact for all its exchanges, and the rows of each model it serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.admission import Admission
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.model import ModelBrief, ModelCounter, ModelPane, merged_models
from dashlight.counting.policy import Policy
from dashlight.counting.probes import is_probe
from dashlight.counting.references import References
from dashlight.judge.traffic.events import Slow
from dashlight.judge.traffic.rules import LATENCIES, Rule
from dashlight.records import Exchange, Prediction
from dashlight.window.outcomes import NOT_FAILURES, OutcomeCounter, OutcomeCounts, merge_outcomes
from dashlight.window.trace_ids import MOST_EACH, MOST_NAMES, Trace, TraceIds

ModelKey = tuple[str, str]
"""Model and version."""

NO_REFUSALS: Mapping[int, str] = {}
_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
"""Those of RFC 9110 and RFC 5789, which OpenTelemetry knows; another one is `_OTHER`."""
MOST_MODELS = 8
"""Models and versions of an endpoint with statistics of their own; further ones are counted and not judged."""


@dataclass(frozen=True, slots=True, eq=False)
class EndpointPane:
    """What was counted at one endpoint in one pane."""

    outcomes: OutcomeCounts
    models: Mapping[ModelKey, ModelPane]
    traces: Mapping[str, tuple[Trace, ...]]
    """Exchanges that show something, by what they show."""
    unwatched_rows: int = 0
    """Of models beyond MOST_MODELS."""

    @property
    def was_asked(self) -> bool:
        """Whether there was an exchange, or a row of one: a process tells of every endpoint that it knows."""
        return bool(self.outcomes.exchanges or self.outcomes.rows or self.outcomes.analysed or self.models)


@dataclass(frozen=True, slots=True)
class EndpointBrief:
    """What the judge of an endpoint wants to be shown."""

    known_kinds: frozenset[str] | None = None
    """Kinds of failure that are nothing new; None while that is being learned."""
    slow: tuple[Slow, ...] = ()
    """What counts as slow."""
    models: Mapping[ModelKey, ModelBrief] = field(default_factory=dict[ModelKey, ModelBrief])
    known_refusals: frozenset[str] | None = None
    """Kinds of refusal that are nothing new; None while that is being learned."""


class EndpointCounter:
    """Counts the exchanges of one endpoint in one process."""

    def __init__(
        self, name: str, policy: Policy, references: References, room: LearningRoom, *, most_models: int = MOST_MODELS
    ) -> None:
        """All models of the process share *room*."""
        self._name = name
        self._policy = policy
        self._references = references
        self._room = room
        self._outcomes = OutcomeCounter()
        self._models: dict[ModelKey, ModelCounter] = {}
        self._admission: Admission[ModelKey] = Admission(most_models)
        self._traces = TraceIds()
        self._slow_rules = tuple(rule for rule in policy.rules if rule.quantity in LATENCIES and rule.is_upper)
        self._unwatched_rows = 0
        self._brief = EndpointBrief()

    def add(self, prediction: Prediction, exchanges: Sequence[Exchange]) -> None:
        """Counts the rows of a prediction; *exchanges* is the batch that it was decoded from."""
        self._outcomes.add_rows(prediction.features.rows)
        key = (prediction.model, prediction.version)
        gone = self._admission.admit(key)
        if gone is None:
            self._unwatched_rows += prediction.features.rows
            return
        for each in gone:
            del self._models[each]
        model = self._models.get(key)
        if model is None:
            model = ModelCounter((self._name, *key), self._policy, self._references, self._room)
            self._models[key] = model
            if key in self._brief.models:
                model.follow(self._brief.models[key])
        model.add(prediction, _trace_ids(exchanges))

    def add_analysed(self, count: int, *, undecodable: Sequence[str], exchanges: Sequence[Exchange] = ()) -> None:
        """Counts exchanges that were analysed.

        *undecodable* has the reason of each that no protocol could read, *exchanges* those themselves, to show them.
        """
        self._outcomes.add_analysed(count, undecodable)
        for exchange in exchanges[-MOST_EACH:]:
            self._traces.keep("undecodable_rate", exchange.trace_id, started_at=exchange.started_at)

    def count(
        self, exchanges: Sequence[Exchange], failures: Mapping[int, str], refusals: Mapping[int, str] = NO_REFUSALS
    ) -> None:
        """Counts every exchange: outcome, failure, latency, sizes.

        *failures* has those found inside answers, *refusals* what refused ones were refused for, by id.
        """
        times = np.array([_quantities(exchange) for exchange in exchanges], np.float64).T
        self._outcomes.add(
            [exchange.outcome for exchange in exchanges],
            duration_seconds=times[0],
            first_byte_seconds=times[1],
            request_bytes=times[2],
            response_bytes=times[3],
        )
        failed = [(kind, each) for each in exchanges if (kind := failure_kind(each) or failures.get(each.id, ""))]
        if failed:
            self._outcomes.add_failures([kind for kind, _ in failed])
        refused = [(refusal_kind(each, refusals), each) for each in exchanges if each.outcome == "refused"]
        if refused:
            self._outcomes.add_refusals([kind for kind, _ in refused])
        self._outcomes.add_answers(answers_of(exchanges))
        self._outcomes.add_probes(
            sum(map(is_probe, exchanges)),
            failed=sum(kind not in NOT_FAILURES and is_probe(each) for kind, each in failed),
            refused=sum(is_probe(each) for _, each in refused),
        )
        self._keep_traces(exchanges, times, failed)
        for kind, exchange in refused[-MOST_EACH:]:
            for name in ("refusal_rate", f"refusal_kind {kind}", *self._new_refusal(kind)):
                self._traces.keep(name, exchange.trace_id, started_at=exchange.started_at)

    def _new_refusal(self, kind: str) -> tuple[str, ...]:
        known = self._brief.known_refusals
        return () if known is None or kind in known else ("new_refusal",)

    def follow(self, brief: EndpointBrief) -> None:
        """Counts what the judge wants from now on."""
        self._brief = brief
        for key, model in self._models.items():
            if key in brief.models:
                model.follow(brief.models[key])

    def close(self, at: float) -> EndpointPane:
        """Ends the pane at *at* and begins an empty one."""
        closed = EndpointPane(
            outcomes=self._outcomes.close(at),
            models={key: pane for key, model in self._models.items() if (pane := model.close()) is not None},
            traces=self._traces.take(),
            unwatched_rows=self._unwatched_rows,
        )
        self._unwatched_rows = 0
        self._admission.close(at)
        return closed

    def _keep_traces(
        self, exchanges: Sequence[Exchange], times: NDArray[np.float64], failed: Sequence[tuple[str, Exchange]]
    ) -> None:
        """Remembers the last exchanges that failed or were slow; *times* as `_quantities` has them."""
        known = self._brief.known_kinds
        for kind, exchange in failed:
            if kind in NOT_FAILURES:
                continue
            names = ["error_rate", f"error_kind {kind}"]
            if known is not None and kind not in known:
                names.append("new_failure")
            for name in names:
                self._traces.keep(name, exchange.trace_id, started_at=exchange.started_at)
        for slow in self._brief.slow:
            taken = times[0 if slow.quantity == "latency" else 1]
            for place in np.flatnonzero(taken > slow.seconds)[-MOST_EACH:]:
                name, exchange = f"{slow.quantity} {slow.quantile}", exchanges[int(place)]
                self._traces.keep(name, exchange.trace_id, started_at=exchange.started_at)
        for rule in self._slow_rules:
            taken = times[0 if rule.quantity.startswith("latency") else 1]
            for place in np.flatnonzero(taken > rule.threshold)[-MOST_EACH:]:
                exchange = exchanges[int(place)]
                self._traces.keep(trace_name(rule), exchange.trace_id, started_at=exchange.started_at)


def merged_endpoints(panes: Sequence[EndpointPane]) -> EndpointPane:
    """What several processes counted at one endpoint, as if one had."""
    if len(panes) == 1:
        return panes[0]
    models: dict[ModelKey, list[ModelPane]] = {}
    traces: dict[str, list[Trace]] = {}
    for pane in panes:
        for key, model in pane.models.items():
            models.setdefault(key, []).append(model)
        for name, kept in pane.traces.items():
            traces.setdefault(name, []).extend(kept)
    return EndpointPane(
        outcomes=merge_outcomes([pane.outcomes for pane in panes]),
        models={key: merged_models(alike) for key, alike in models.items()},
        traces={name: tuple(sorted(kept)[-MOST_EACH:]) for name, kept in list(traces.items())[:MOST_NAMES]},
        unwatched_rows=sum(pane.unwatched_rows for pane in panes),
    )


def trace_name(rule: Rule) -> str:
    """Under which name, or names as a shell has them, traces are kept of what crosses *rule*."""
    if rule.quantity in {"failure_rate", "refusal_rate"}:
        quantity = "error" if rule.quantity == "failure_rate" else "refusal"
        return f"{quantity}_rate" if rule.pattern == "*" else f"{quantity}_kind {rule.pattern}"
    return rule.quantity if rule.quantity == "undecodable_rate" else f"over {rule.quantity} {rule.threshold!r}"


def answers_of(exchanges: Sequence[Exchange]) -> Counter[str]:
    """How many of *exchanges* had the same method, status and outcome, as OutcomeCounts.answers has them."""
    found: Counter[str] = Counter()
    for (method, status, outcome), count in Counter(
        (each.method, each.status, each.outcome) for each in exchanges
    ).items():
        found[f"{method if method in _METHODS else '_OTHER'} {status} {outcome}"] += count
    return found


def refusal_kind(exchange: Exchange, reasons: Mapping[int, str]) -> str:
    """In what way an exchange was refused: `http_422`, and for what where *reasons*, by id, know it."""
    reason = reasons.get(exchange.id, "")
    return f"http_{exchange.status} {reason}" if reason else f"http_{exchange.status}"


def failure_kind(exchange: Exchange) -> str:
    """In what way an exchange failed: `exception:ValueError`, `http_503`, `client_disconnect`, `cancelled`; else empty."""
    if exchange.outcome in {"ok", "refused"}:
        return ""
    if exchange.outcome != "error":
        return exchange.outcome
    return f"exception:{exchange.error}" if exchange.error else f"http_{exchange.status}"


def _quantities(exchange: Exchange) -> tuple[float, float, int, int]:
    first_byte = exchange.first_byte_seconds
    return (
        exchange.duration_seconds,
        first_byte if first_byte is not None else np.nan,
        exchange.request_bytes,
        exchange.response_bytes,
    )


def _trace_ids(exchanges: Sequence[Exchange]) -> NDArray[np.void]:
    """Trace ids of a batch, 16 bytes each."""
    return np.frombuffer(b"".join([exchange.trace_id.to_bytes(16, "big") for exchange in exchanges]), "V16")
