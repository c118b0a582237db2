"""One endpoint under watch: what is exact for all its exchanges, and one watch for each model it serves."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.rules import Rule
from dashlight.judge.silence import SilenceJudge
from dashlight.judge.thresholds import Quantities, ThresholdJudge
from dashlight.judge.traffic import quantities_of, traffic_scores
from dashlight.judge.traffic_course import TrafficCourse
from dashlight.judge.traffic_events import QUANTILES, Quantity
from dashlight.judge.traffic_watch import Recent
from dashlight.judge.words import printable
from dashlight.model_watch import ModelPlan, ModelWatch
from dashlight.records import Alert, Exchange, Prediction, Score, WatchState
from dashlight.window.exemplars import MOST_EACH, TraceIds
from dashlight.window.outcomes import NOT_FAILURES, OutcomeCounts, Outcomes
from dashlight.window.reference import Reference

logger = logging.getLogger(__name__)

MOST_MODELS = 8
"""Models and versions of an endpoint with statistics of their own; further ones are counted and not judged."""
TRAFFIC_SHARE = 0.15
"""Part of the budget of false alarms that the traffic of all endpoints uses."""
_SILENCE_PART = 0.25
"""Of an endpoint's traffic: for its falling silent."""
_WINDOW_OF_A_RULE = 0.9
"""Part of a rule's time that its window covers: what has passed must have left the window before the time is over."""


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """How every endpoint is watched."""

    pane_seconds: float
    window_seconds: float
    rules: tuple[Rule, ...]
    """Those about one endpoint: any but `in_flight`, which is a quantity of the process."""
    models: ModelPlan
    panes_between_false_alarms: float = 259_200.0
    """Of everything that is watched; traffic uses TRAFFIC_SHARE of that budget."""
    reference_rows: int = 5000
    """Exchanges from which is learned what the traffic is like."""
    tolerance: float = 0.02


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The scores of a moment: of an endpoint where *model* is empty, else of one model."""

    model: str
    version: str
    scores: Sequence[Score]
    state: WatchState | None = None
    """Of the model; None of the endpoint itself."""


class WatchedEndpoint:
    """Counts, windows and judges of one endpoint."""

    def __init__(
        self,
        name: str,
        *,
        places: Iterator[int],
        plan: EndpointPlan,
        most_models: int = MOST_MODELS,
        traffic_places: Iterator[int] | None = None,
    ) -> None:
        """*places* numbers the models of the process from 1, *traffic_places* the endpoints whose traffic is judged.

        The budget of false alarms is split by them: the k-th has the share 1/(k(k+1)). Without *traffic_places* this
        is the only endpoint.
        """
        self.name = name
        self._places = places
        self._plan = plan
        self._most_models = most_models
        self._outcomes = Outcomes()
        place = next(traffic_places) if traffic_places is not None else 1
        share = TRAFFIC_SHARE / (place * (place + 1))
        budget = plan.panes_between_false_alarms
        self._course = TrafficCourse(
            rows=plan.reference_rows,
            panes=budget,
            share=share * (1 - _SILENCE_PART),
            tolerance=plan.tolerance,
            endpoint=name,
        )
        self._silence = SilenceJudge(
            pane_seconds=plan.pane_seconds, panes=budget, share=share * _SILENCE_PART, endpoint=name
        )
        self._told_unsteady = False
        self._traces = TraceIds()
        self.mistakes: Counter[str] = Counter()
        """Mistakes of ours while a pane was judged, by the part and the type of the error; they cost that part alone."""
        self.undecodable: Counter[str] = Counter()
        """Exchanges that no protocol could read, by reason, since the start."""
        self._models: dict[tuple[str, str], ModelWatch] = {}
        self.unwatched_rows = 0
        """Rows of models beyond *most_models*: counted, not judged."""
        # Each rule is held against a window of its own time, so that one bad pane is not five bad minutes.
        held_for = sorted({rule.hold_seconds for rule in plan.rules})
        self._thresholds = [
            (seconds, ThresholdJudge([rule for rule in plan.rules if rule.hold_seconds == seconds], endpoint=name))
            for seconds in held_for
        ]

    def add(self, prediction: Prediction, exchanges: Sequence[Exchange]) -> None:
        """Counts the rows of a prediction; *exchanges* is the batch that it was decoded from."""
        self._outcomes.add_rows(prediction.features.rows)
        key = (prediction.model, prediction.version)
        watch = self._models.get(key)
        if watch is None:
            if len(self._models) >= self._most_models:
                self.unwatched_rows += prediction.features.rows
                return
            watch = self._models[key] = ModelWatch(self.name, *key, place=next(self._places), plan=self._plan.models)
        watch.add(prediction, _trace_ids(exchanges))

    def add_analysed(self, count: int, *, undecodable: Sequence[str], exchanges: Sequence[Exchange] = ()) -> None:
        """Counts exchanges that were analysed.

        *undecodable* has the reason of each that no protocol could read, *exchanges* those themselves, to show them.
        """
        self.undecodable.update(undecodable)
        self._outcomes.add_analysed(count, undecodable)
        for exchange in exchanges[-MOST_EACH:]:
            self._traces.keep("undecodable_rate", exchange.trace_id, started_at=exchange.started_at)

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        """Counts every exchange: outcome, failure, latency, sizes. *failures* has those found inside answers, by id."""
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
        self._keep_traces(exchanges, times, failed)

    def close_pane(self, at: float) -> Iterator[Alert]:
        """Ends the pane; the alerts whose state changed. A mistake in one part costs that part alone."""
        pane = self._outcomes.close(at)
        parts: list[tuple[str, Callable[[], Iterable[Alert]]]] = [
            ("traffic", partial(self._judge_traffic, pane, at)),
            ("silence", partial(self._silence.update, pane.exchanges, at)),
            *(("model", partial(model.close_pane, at)) for model in self._models.values()),
            *(("threshold", partial(self._hold_against, *rules, at)) for rules in self._thresholds),
        ]
        for name, part in parts:
            yield from self._tried(name, part)

    def replace_reference(self, reference: Reference, at: float) -> Iterator[Alert]:
        """Compares with *reference* from now on; the alerts that end with the one before."""
        self._plan = replace(self._plan, models=replace(self._plan.models, reference=reference))
        for model in self._models.values():
            yield from model.replace_file(reference, at)

    def _tried(self, name: str, part: Callable[[], Iterable[Alert]]) -> Iterator[Alert]:
        """The alerts of one part, as far as it came; a mistake of ours is counted, and told once."""
        try:
            yield from part()
        except Exception as mistake:
            kind = f"{name} {type(mistake).__name__}"
            self.mistakes[kind] += 1
            if self.mistakes[kind] == 1:
                logger.exception("%s: a pane could not be judged: %s", printable(self.name), name)

    def _judge_traffic(self, pane: OutcomeCounts, at: float) -> Iterator[Alert]:
        course = self._course
        was_learning = course.judge is None
        yield from course.update(pane, at, Recent(self._outcomes.since, self._traces_of))
        name = printable(self.name)
        if course.was_unsteady and not self._told_unsteady:
            self._told_unsteady = True
            logger.warning("%s: the traffic changed while it was being learned; learning goes on", name)
        if was_learning and course.judge is not None:
            exchanges = course.judge.reference.total.exchanges
            logger.info("%s: learned from %d exchanges what the traffic is like", name, exchanges)

    def _keep_traces(
        self, exchanges: Sequence[Exchange], times: NDArray[np.float64], failed: Sequence[tuple[str, Exchange]]
    ) -> None:
        """Remembers the last exchanges that failed or were slow; *times* as `_quantities` has them."""
        judge = self._course.judge
        for kind, exchange in failed:
            if kind in NOT_FAILURES:
                continue
            names = ["error_rate", f"error_kind {kind}"]
            if judge is not None and kind not in judge.events.known_kinds:
                names.append("new_failure")
            for name in names:
                self._traces.keep(name, exchange.trace_id, started_at=exchange.started_at)
        for slow in judge.events.slow if judge is not None else ():
            taken = times[0 if slow.quantity == "latency" else 1]
            for place in np.flatnonzero(taken > slow.seconds)[-MOST_EACH:]:
                name, exchange = f"{slow.quantity} {slow.quantile}", exchanges[int(place)]
                self._traces.keep(name, exchange.trace_id, started_at=exchange.started_at)

    def _traces_of(self, quantity: Quantity, since_at: float) -> tuple[str, ...]:
        """Trace ids of exchanges that show what an alert is about, of the slow ones the slowest first."""
        names = [f"{quantity.name} {quantile}" for quantile in reversed(QUANTILES)]
        names += [f"{quantity.name} {quantity.kind}" if quantity.kind else quantity.name]
        return self._traces.since(since_at - self._plan.pane_seconds, *names)

    def _hold_against(self, seconds: float, judge: ThresholdJudge, at: float) -> Iterable[Alert]:
        seconds_seen = seconds * _WINDOW_OF_A_RULE
        asked = {rule.quantity for rule in judge.rules}
        missing = self._missing(seconds_seen) if "missing_rate" in asked else ()
        return judge.update(self._measured(self._window(seconds_seen), missing=missing), at)

    def snapshots(self, *, in_flight_count: int, dropped_count: int, rate: float) -> Iterator[Snapshot]:
        """The scores of the window, first the endpoint's own, then each model's."""
        counts = self._window(self._plan.window_seconds)
        own = traffic_scores(
            counts,
            self._measured(counts, in_flight_count=in_flight_count),
            analysed_rate=rate,
            dropped_count=dropped_count,
            unwatched_rows=self.unwatched_rows,
            undecodable=self.undecodable,
        )
        own += [*self._course.scores(), *self._silence.scores()] if own else []
        own += [
            Score(None, None, f"mistake_count[{kind}]", count, count, count, counts.exchanges)
            for kind, count in self.mistakes.items()
        ]
        if own:
            yield Snapshot("", "", own)
        for (name, version), watch in self._models.items():
            scores = watch.scores(self._panes(self._plan.window_seconds))
            if scores:
                yield Snapshot(name, version, scores, watch.state)

    def _panes(self, seconds: float) -> int:
        return max(1, round(seconds / self._plan.pane_seconds))

    def _window(self, seconds: float) -> OutcomeCounts:
        return self._outcomes.window(self._panes(seconds))

    def _missing(self, seconds: float) -> list[Score]:
        """How much is missing of each column; of models that share a column, the one that lacks the most of it."""
        worst: dict[tuple[str | None, str | None], Score] = {}
        for watch in self._models.values():
            for score in watch.scores(self._panes(seconds)):
                if score.statistic == "missing_rate":
                    key = score.role, score.column
                    worst[key] = max(worst.get(key, score), score, key=lambda each: each.value)
        return list(worst.values())

    def _measured(
        self, counts: OutcomeCounts, *, in_flight_count: int = 0, missing: Sequence[Score] = ()
    ) -> Quantities:
        return quantities_of(
            counts,
            pane_seconds=self._plan.pane_seconds,
            in_flight=in_flight_count,
            undecodable_count=sum(counts.undecodable.values()),
            analysed_count=counts.analysed,
            missing=missing,
        )


def failure_kind(exchange: Exchange) -> str:
    """In what way an exchange failed: `exception:ValueError`, `http_503`, `client_disconnect`, `cancelled`; else empty."""
    if exchange.outcome == "ok":
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
