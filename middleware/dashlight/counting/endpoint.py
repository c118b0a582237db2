"""One endpoint, as one process counts it: what is exact for all its exchanges, and the rows of each model it serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.admission import Admission
from dashlight.counting.agents import agents_of, are_excluded, without_rows_of
from dashlight.counting.anomalies import Marks
from dashlight.counting.exchanges.generations import Generations
from dashlight.counting.exchanges.kinds import ModelKey as ModelKey  # noqa: PLC0414
from dashlight.counting.exchanges.kinds import answers_of, failure_kind, model_of_failed, refusal_kinds
from dashlight.counting.exchanges.slowness import Slowness
from dashlight.counting.exchanges.traces import EndpointTraces, quantities_of
from dashlight.counting.exemplars import batch_trace_ids
from dashlight.counting.kept_rows import LearningRoom
from dashlight.counting.memory import MOST_MODELS
from dashlight.counting.model import ModelBrief, ModelCounter, ModelPane, merged_models
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.scored.binned import Binned
from dashlight.counting.versions.counter import VersionCounter
from dashlight.counting.versions.counts import NOT_DECODED, VersionCounts, merged_versions
from dashlight.judge.traffic.events import Slow
from dashlight.metrics.generations import GenerationKey, GenerationTimes, merge_generations
from dashlight.records import Exchange, GenerationFacts, Outcome, Prediction
from dashlight.window.outcomes import NOT_FAILURES, OutcomeCounter, OutcomeCounts, merge_outcomes
from dashlight.window.trace_ids import MOST_EACH, MOST_NAMES, Trace

NO_REFUSALS: Mapping[int, Sequence[str]] = {}
MOST_LEFT_OUT = 32
"""Models of an endpoint without memory of which is told how much they are asked."""


@dataclass(frozen=True, slots=True, eq=False)
class EndpointPane:
    """What was counted at one endpoint in one pane."""

    outcomes: OutcomeCounts
    models: Mapping[ModelKey, ModelPane]
    traces: Mapping[str, tuple[Trace, ...]]
    """Exchanges that show something, by what they show."""
    unwatched_rows: int = 0
    """Of models beyond MOST_MODELS."""
    unplaced: int = 0
    """Exchanges that failed or were refused and are in no segment and no sample: nobody knows what they asked, or which model."""
    generations: Mapping[GenerationKey, GenerationTimes] = field(default_factory=dict[GenerationKey, GenerationTimes])
    """How long language models took."""
    versions: Mapping[ModelKey, VersionCounts] = field(default_factory=dict[ModelKey, VersionCounts])
    """What became of the exchanges, by model and version; of an endpoint that stands for several, nothing."""

    @property
    def was_asked(self) -> bool:
        """Whether there was an exchange, or a row of one: a process tells of every endpoint that it knows."""
        return bool(self.outcomes.exchanges or self.outcomes.rows or self.outcomes.analysed or self.models)

    @property
    def has_predictions(self) -> bool:
        """Whether there was a row of a model, watched or not."""
        return bool(self.models or self.unwatched_rows)


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
    refused: frozenset[ModelKey] = frozenset()
    """Models that there is no memory for: of them rows alone are counted, so that it shows how much they are asked."""


class EndpointCounter:
    """Counts the exchanges of one endpoint in one process."""

    def __init__(
        self, name: str, policy: Policy, references: References, room: LearningRoom, *, most_models: int = MOST_MODELS
    ) -> None:
        """All models of the process share *room*; where *most_models* is 0 it stands for several endpoints."""
        self._name = name
        self._policy = policy
        self._references = references
        self._room = room
        self._agents = agents_of(policy.excluded_agents)
        self._outcomes = OutcomeCounter()
        self._models: dict[ModelKey, ModelCounter] = {}
        self._admission: Admission[ModelKey] = Admission(most_models)
        self._versions = VersionCounter(model=policy.model, version=policy.model_version)
        self._slowness = Slowness(pane_seconds=policy.pane_seconds)
        self._traces = EndpointTraces(policy.rules)
        self._unwatched_rows = self._unplaced = 0
        self._left_out: Counter[ModelKey] = Counter()
        """Rows of models that the judge has no memory for."""
        self._is_one = most_models > 0
        self._generations = Generations(is_one=self._is_one)
        self._brief = EndpointBrief()

    @property
    def has_models(self) -> bool:
        """Whether it has counted rows of a model, by which it has earned its place."""
        return bool(self._models)

    def add(
        self,
        prediction: Prediction,
        exchanges: Sequence[Exchange],
        marks: Marks | None = None,
        binned: list[Binned] | None = None,
    ) -> None:
        """Counts the rows of a prediction; *exchanges* is the batch that it was decoded from.

        What is anomalous in an exchange is added to *marks*, one for each of them, the bins of its rows to *binned*.
        """
        self._outcomes.add_rows(prediction.features.rows)
        if not prediction.has_columns:
            return
        excluded = are_excluded(exchanges, self._agents)
        if excluded.any():
            rows, prediction = prediction.features.rows, without_rows_of(prediction, excluded)
            self._outcomes.add_excluded_rows(rows - prediction.features.rows)
            if not prediction.has_columns:
                return
        key = (prediction.model, prediction.version)
        if key in self._brief.refused:
            self._left_out[key] += max(prediction.features.rows, prediction.outputs.rows)
            return
        gone = self._admission.admit(key)
        if gone is None:
            self._unwatched_rows += prediction.features.rows
            return
        for each in gone:
            self._models.pop(each).give_back()
        model = self._models.get(key)
        if model is None:
            model = ModelCounter((self._name, *key), self._policy, self._references, self._room)
            self._models[key] = model
            if key in self._brief.models:
                model.follow(self._brief.models[key])
        model.add(prediction, batch_trace_ids(exchanges), marks, binned, exchanges)

    def add_failed(self, prediction: Prediction, exchanges: Sequence[Exchange], outcomes: NDArray[np.uint8]) -> None:
        """Takes what *exchanges* of a batch asked that failed or were refused, as *outcomes* say: no rows of a model."""
        prediction = without_rows_of(prediction, are_excluded(exchanges, self._agents))
        said, unsaid = (prediction.model, prediction.version), (self._policy.model, self._policy.model_version)
        key = model_of_failed(said, self._models, unsaid)
        placed = () if key is None else self._models[key].add_failed(prediction, exchanges, outcomes)
        self._unplaced += len(set(prediction.features.exchange.tolist()) - set(placed))

    def add_unread(self) -> None:
        """Counts an exchange that failed or was refused, of which nobody knows what it asked."""
        self._unplaced += 1

    def add_analysed(self, count: int, *, undecodable: Sequence[str], exchanges: Sequence[Exchange] = ()) -> None:
        """Counts exchanges that were analysed.

        *undecodable* has the reason of each that no protocol could read, *exchanges* those themselves, to show them.
        """
        self._outcomes.add_analysed(count, undecodable)
        self._traces.keep_undecodable(exchanges)

    def add_generation(self, facts: GenerationFacts, exchange: Exchange, failure: str) -> None:
        """Counts how long the language model took that *exchange* asked; *failure* is the kind that its answer confesses."""
        self._generations.add(facts, exchange, failure)

    def count(
        self,
        exchanges: Sequence[Exchange],
        failures: Mapping[int, str],
        refusals: Mapping[int, Sequence[str]] = NO_REFUSALS,
        decoded: Mapping[int, ModelKey] = NOT_DECODED,
        asked: Mapping[int, ModelKey] = NOT_DECODED,
    ) -> Sequence[int]:
        """Counts every exchange: outcome, failure, latency, sizes; the places of those that were slow for this endpoint.

        *failures* has those found inside answers, *refusals* what refused ones were refused for, *decoded* the model and
        version of those that were decoded, *asked* what others asked by their requests, all by id.
        """
        times = quantities_of(exchanges)
        self._outcomes.add(
            [exchange.outcome for exchange in exchanges],
            duration_seconds=times[0],
            first_byte_seconds=times[1],
            request_bytes=times[2],
            response_bytes=times[3],
        )
        failed = [(kind, each) for each in exchanges if (kind := failure_kind(each, inside=failures.get(each.id, "")))]
        if failed:
            self._outcomes.add_failures([kind for kind, _ in failed])
            self._generations.add_failed(failed, failures)
        refused = [
            (kind, each) for each in exchanges if each.outcome == "refused" for kind in refusal_kinds(each, refusals)
        ]
        if refused:
            self._outcomes.add_refusals([kind for kind, _ in refused])
        self._outcomes.add_answers(answers_of(exchanges))
        self._traces.keep(exchanges, times, failed)
        self._traces.keep_refused(refused)
        if self._is_one:
            its = {each.id for kind, each in failed if kind not in NOT_FAILURES}
            self._versions.add(exchanges, times[0], decoded=decoded, asked=asked, failed=its)
        # Of several endpoints together nobody knows what is usual.
        slow: list[int] = self._slowness.slow(times[0], self._outcomes.durations).tolist() if self._is_one else []
        return slow

    def follow(self, brief: EndpointBrief) -> None:
        """Counts what the judge wants from now on."""
        self._brief = brief
        self._traces.follow(known_kinds=brief.known_kinds, known_refusals=brief.known_refusals, slow=brief.slow)
        for key in brief.refused & self._models.keys():
            self._admission.forget(key)
            self._models.pop(key).give_back()
        for key, model in self._models.items():
            if key in brief.models:
                model.follow(brief.models[key])

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """Exchanges of the pane that fills, by outcome."""
        return self._outcomes.outcomes

    @property
    def column_names(self) -> frozenset[str]:
        """Of all columns of the references that are counted against here."""
        return frozenset(name for model in self._models.values() for name in model.column_names)

    def give_back(self) -> None:
        """Gives back the memory of its models: nobody asks here any more."""
        for model in self._models.values():
            model.give_back()

    def close(self, at: float) -> EndpointPane:
        """Ends the pane at *at* and begins an empty one."""
        left_out = {key: ModelPane(left_out_rows=rows) for key, rows in self._left_out.most_common(MOST_LEFT_OUT)}
        self._unwatched_rows += self._left_out.total() - sum(pane.left_out_rows for pane in left_out.values())
        self._room.left_out_rows += self._left_out.total()
        self._left_out.clear()
        models = {key: pane for key, model in self._models.items() if (pane := model.close()) is not None}
        outcomes = self._outcomes.close(at)
        self._slowness.close(outcomes.durations)
        closed = EndpointPane(
            outcomes=outcomes,
            models=left_out | models,
            traces=self._traces.take(),
            unwatched_rows=self._unwatched_rows,
            unplaced=self._unplaced,
            generations=self._generations.take(),
            versions=self._versions.close(at),
        )
        self._unwatched_rows = self._unplaced = 0
        self._admission.close(at)
        return closed


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
        unplaced=sum(pane.unplaced for pane in panes),
        generations=merge_generations([pane.generations for pane in panes]),
        versions=merged_versions([pane.versions for pane in panes]),
    )
