"""One endpoint under watch: what is exact for all its exchanges, and one watch for each model it serves."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.rules import Rule
from dashlight.judge.thresholds import Quantities, ThresholdJudge
from dashlight.judge.traffic import quantities_of, traffic_scores
from dashlight.model_watch import ModelPlan, ModelWatch
from dashlight.records import Alert, Exchange, Prediction, Score
from dashlight.window.outcomes import OutcomeCounts, Outcomes

MOST_MODELS = 8
"""Models and versions of an endpoint with statistics of their own; further ones are counted and not judged."""
_PANES_REMEMBERED = 512
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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The scores of a moment: of an endpoint where *model* is empty, else of one model."""

    model: str
    version: str
    scores: Sequence[Score]


class WatchedEndpoint:
    """Counts, windows and judges of one endpoint."""

    def __init__(self, name: str, *, places: Iterator[int], plan: EndpointPlan, most_models: int = MOST_MODELS) -> None:
        """*places* numbers the models of the process from 1: the budget of false alarms is split by it."""
        self.name = name
        self._places = places
        self._plan = plan
        self._most_models = most_models
        self._outcomes = Outcomes()
        self._analysed = self._unread = 0
        # Exchanges analysed and exchanges that no protocol could read, pane by pane.
        self._readable: deque[tuple[int, int]] = deque(maxlen=_PANES_REMEMBERED)
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

    def add_analysed(self, count: int, *, undecodable: Sequence[str]) -> None:
        """Counts exchanges that were analysed; *undecodable* has the reason of each that no protocol could read."""
        self.undecodable.update(undecodable)
        self._analysed += count
        self._unread += len(undecodable)

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
        kinds = [kind for each in exchanges if (kind := failure_kind(each) or failures.get(each.id, ""))]
        if kinds:
            self._outcomes.add_failures(kinds)

    def close_pane(self, at: float) -> Iterator[Alert]:
        """Ends the pane; the alerts whose state changed."""
        self._outcomes.close(at)
        self._readable.append((self._analysed, self._unread))
        self._analysed = self._unread = 0
        for model in self._models.values():
            yield from model.close_pane(at)
        for seconds, judge in self._thresholds:
            seconds_seen = seconds * _WINDOW_OF_A_RULE
            asked = {rule.quantity for rule in judge.rules}
            missing = self._missing(seconds_seen) if "missing_rate" in asked else ()
            yield from judge.update(self._measured(self._window(seconds_seen), missing=missing), at)

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
        if own:
            yield Snapshot("", "", own)
        for (name, version), watch in self._models.items():
            scores = watch.scores(self._panes(self._plan.window_seconds))
            if scores:
                yield Snapshot(name, version, scores)

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
        recent = [self._readable[-back] for back in range(1, min(counts.panes, len(self._readable)) + 1)]
        return quantities_of(
            counts,
            pane_seconds=self._plan.pane_seconds,
            in_flight=in_flight_count,
            undecodable_count=sum(unread for _, unread in recent),
            analysed_count=sum(analysed for analysed, _ in recent),
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
