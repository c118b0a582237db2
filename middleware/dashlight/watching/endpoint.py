"""One endpoint under watch, as all processes counted it: its traffic, and one watch for each model it serves."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dashlight.counting.endpoint import EndpointBrief, EndpointPane, ModelKey
from dashlight.counting.machine import OTHER_ENDPOINTS
from dashlight.counting.model import ModelPane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.errors import traced
from dashlight.judge.alert_budget import TRAFFIC, Places, segments_part, share_of_place
from dashlight.judge.traffic.floor import READABLE_PANES, is_readable
from dashlight.judge.traffic.rules import Rule, rules_of_endpoint
from dashlight.judge.traffic.scores import quantities_of, traffic_scores, worst_missing
from dashlight.judge.traffic.thresholds import Quantities
from dashlight.judge.words import printable
from dashlight.records import Alert, Role, Score, WatchState
from dashlight.watching.limits import Limits
from dashlight.watching.memory import WatchRoom
from dashlight.watching.model import ModelWatch
from dashlight.watching.models import MADE_ROOM, WatchedModels
from dashlight.watching.state import EndpointState
from dashlight.watching.traffic import TrafficWatch
from dashlight.window.columns import Reference
from dashlight.window.fitting import within
from dashlight.window.outcome_panes import panes_covered
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts
from dashlight.window.trace_ids import MOST_EACH

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The scores of a moment: of an endpoint where *model* is empty, else of one model."""

    model: str
    version: str
    scores: Sequence[Score]
    state: WatchState | None = None
    """Of the model; None of the endpoint itself."""
    is_unasked: bool = False
    """Whether it is of a model, perhaps without a name, that is known by its labels alone and so has no state."""


class WatchedEndpoint:
    """Windows and judges of one endpoint."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        references: References,
        *,
        place: int,
        places: Places,
        since_at: float | None = None,
        room: WatchRoom | None = None,
    ) -> None:
        """*place* is the endpoint's among those of the machine, from 1, by which it has its share of the budget.

        Its models get theirs from *places*, and memory from *room*, where that is bounded. *since_at* is when the machine's last pane ended; None where this judge has seen none.
        """
        self.name = name
        self._ended_at = since_at
        self._places = places
        self._policy = policy
        self.place = place
        """Given back when the endpoint is let go."""
        part = TRAFFIC * (1 - segments_part(policy.segments))
        self._traffic = TrafficWatch(name, policy, share=part * share_of_place(place))
        self.mistakes: Counter[str] = Counter()
        """Mistakes of ours while a pane was judged, by the part and the type of the error; they cost that part alone."""
        self.undecodable: Counter[str] = Counter()
        """Exchanges that no protocol could read, by reason, since the start."""
        self._models = WatchedModels(name, policy, references, places=places, room=room)
        self._limits = Limits(rules_of_endpoint(policy.rules, pane_seconds=policy.pane_seconds), endpoint=name)
        self._was_readable = False
        """Whether most of what came could be decoded once."""

    @property
    def models(self) -> dict[ModelKey, ModelWatch]:
        """Those under watch."""
        return self._models.watches

    @property
    def unwatched_rows(self) -> int:
        """Rows of models that came while others had all places, or all memory: counted, not judged."""
        return self._models.unwatched_rows

    @property
    def state(self) -> EndpointState:
        """What outlives the process, beside what its models compare with and learn from."""
        traffic = self._traffic
        return EndpointState(
            models={key: model.state for key, model in self.models.items()},
            admission=self._models.admission.state,
            outcomes=traffic.outcomes.state,
            course=traffic.course.state,
            silence=traffic.silence.state,
            limits=self._limits.state,
            traces=traffic.traces.state,
            told_unsteady=traffic.told_unsteady,
            told_excluded=traffic.told_excluded,
            mistakes=self.mistakes,
            undecodable=self.undecodable,
            unwatched_rows=self.unwatched_rows,
            was_readable=self._was_readable,
        )

    def restore(self, state: EndpointState) -> Iterator[ModelKey | None]:
        """Goes on from *state*, in steps, after each of which comes None; the models whose reference is another one by now or is gone, which begin anew.

        Raises:
            ValueError: *state* does not fit the policy.
        """
        self._traffic.restore(state)
        self._limits.restore(state.limits)
        for counter, counts in ((self.mistakes, state.mistakes), (self.undecodable, state.undecodable)):
            counter.update({name: within("count", count) for name, count in counts.items()})
        self._was_readable = state.was_readable
        yield from self._models.restore(state)

    @property
    def brief(self) -> EndpointBrief:
        """What is to be counted at the endpoint from now on."""
        judge = self._traffic.course.judge
        return EndpointBrief(
            known_kinds=None if judge is None else judge.events.known_kinds,
            slow=() if judge is None else judge.events.slow,
            known_refusals=None if judge is None else judge.events.known_refusals,
            models={key: model.brief for key, model in self.models.items()},
            refused=self._models.refused,
        )

    def close_pane(self, pane: EndpointPane | None, at: float) -> Iterator[Alert | None]:
        """Judges the *pane* that ended *at*, None: no exchange; the alerts that changed. A mistake costs its part alone.

        None comes between two alerts where something else may be done before it goes on.
        """
        models: Mapping[ModelKey, ModelPane] = {}
        outcomes, closed_count = OutcomeCounter().close(at), 0
        if pane is not None:
            outcomes, closed_count = pane.outcomes, pane.outcomes.panes
            outcomes = replace(outcomes, panes=1, first_ended_at=at, last_ended_at=at)
            models = pane.models
            self._traffic.traces.add_all(pane.traces)
            self._models.unwatched_rows += pane.unwatched_rows
        before = set(self.models)
        yield from self._tried("models", partial(self._models.admit, models, at))
        passed = 1.0 if self._ended_at is None else (at - self._ended_at) / self._policy.pane_seconds
        self._ended_at = at
        # The judges count panes; by the time that passed is measured how many exchanges came a second.
        self._traffic.outcomes.take(replace(outcomes, panes=panes_covered(passed, closed_count)), at)
        if outcomes.undecodable and not self.undecodable:
            told = printable(self.name), sum(outcomes.undecodable.values()), outcomes.analysed
            reason = printable(next(iter(outcomes.undecodable)))
            logger.warning("%s: %d of %d exchanges could not be decoded (%s); this is told once", *told, reason)
        self.undecodable.update(outcomes.undecodable)
        self._was_readable = self._was_readable or is_readable(self._traffic.outcomes.window(READABLE_PANES))
        if self.name == OTHER_ENDPOINTS:  # counted alone: scanners and probes must not alarm anybody
            return
        yield from self._tried("traffic", partial(self._traffic.judge, outcomes, at))
        yield from self._tried("silence", partial(self._traffic.silence.update, outcomes.exchanges, at))
        in_force = self._traffic.in_force
        for key in list(self.models):
            yield from self._tried("model", partial(self._models.judge, key, models.get(key), at, in_force))
            yield None
        if before - self.models.keys():
            yield from self._tried("threshold", partial(self._forget_columns, at))
        for limit in self._limits.parts(self._over, at, self._traces_of_rule):
            yield from self._tried("threshold", limit)

    def replace_reference(self, reference: Reference, at: float) -> Iterator[Alert]:
        """Compares with *reference* from now on; the alerts that end with the one before."""
        yield from self._models.replace_reference(reference, at)

    def give_back(self) -> None:
        """Gives back its place in the budget and those of its models: nobody asks here any more."""
        self._places.give_back_endpoint(self.place)
        self._models.give_back()

    def make_room(self, key: ModelKey, at: float) -> Iterator[Alert]:
        """Watches the model of *key* no longer, for one that is asked much more; the alerts that end with that."""
        yield from self._models.let_go(key, at, MADE_ROOM)
        yield from self._forget_columns(at)

    def _forget_columns(self, at: float) -> Iterator[Alert]:
        """The alerts of limits that end because no model has their column any more."""
        asked = {(score.role, score.column) for score in self._missing(self._policy.window_seconds)}
        yield from self._limits.forget_columns(asked, at)

    def _tried(self, name: str, part: Callable[[], Iterable[Alert | None]]) -> Iterator[Alert | None]:
        """The alerts of one part, as far as it came; a mistake of ours is counted, and told once."""
        try:
            yield from part()
        except Exception as mistake:
            kind = f"{name} {type(mistake).__name__}"
            self.mistakes[kind] += 1
            if self.mistakes[kind] == 1:
                told = printable(self.name), name, traced(mistake)
                logger.error("%s: a pane could not be judged: %s: %s", *told)  # noqa: TRY400 - no message

    def _traces_of_rule(self, rule: Rule, role: Role | None, column: str | None, since_at: float) -> tuple[str, ...]:
        """Trace ids of exchanges that crossed *rule*, whose window reaches back from where it was crossed."""
        since_at -= max(rule.hold_seconds, self._policy.pane_seconds)
        if role is None or column is None:
            return self._traffic.traces_of_rule(rule, since_at)
        found = [trace for watch in self.models.values() for trace in watch.traces_of_missing(role, column, since_at)]
        return tuple(dict.fromkeys(found))[:MOST_EACH]

    def _over(self, seconds: float, least_exchanges: int, asked: Collection[str]) -> Quantities:
        """What was measured in the last *seconds*, and before until there were *least_exchanges*.

        Where so many are asked for, a pane without any says nothing of them.
        """
        missing = self._missing(seconds) if "missing_rate" in asked else ()
        counts = self._traffic.outcomes.window(1)
        if not least_exchanges or counts.exchanges:
            counts = self._traffic.outcomes.with_exchanges(self._panes(seconds), least_exchanges)
        return self._measured(counts, missing=missing)

    def snapshots(self, *, in_flight_count: int, dropped_count: int, rate: float) -> Iterator[Snapshot]:
        """The scores of the window, first the endpoint's own, then each model's."""
        counts = self._window(self._policy.window_seconds)
        own = traffic_scores(
            counts,
            self._measured(counts, in_flight_count=in_flight_count),
            analysed_rate=rate,
            dropped_count=dropped_count,
            unwatched_rows=self.unwatched_rows,
            undecodable=self.undecodable,
        )
        own += self._traffic.scores() if own else []
        own += [
            Score(None, None, f"mistake_count[{kind}]", count, count, count, counts.exchanges)
            for kind, count in self.mistakes.items()
        ]
        if own:
            yield Snapshot("", "", own)
        panes = self._panes(self._policy.window_seconds)
        for (name, version), watch in self.models.items():
            if scores := watch.scores(panes):
                yield Snapshot(name, version, [*scores, *watch.segments.scores(panes)], watch.watch_state)

    def _panes(self, seconds: float) -> int:
        return max(1, round(seconds / self._policy.pane_seconds))

    def _window(self, seconds: float) -> OutcomeCounts:
        return self._traffic.outcomes.window(self._panes(seconds))

    def _missing(self, seconds: float) -> list[Score]:
        panes = self._panes(seconds)
        return worst_missing(score for watch in self.models.values() for score in watch.scores(panes))

    def _measured(
        self, counts: OutcomeCounts, *, in_flight_count: int = 0, missing: Sequence[Score] = ()
    ) -> Quantities:
        return quantities_of(
            counts,
            pane_seconds=self._policy.pane_seconds,
            in_flight=in_flight_count,
            undecodable_count=sum(counts.undecodable.values()),
            analysed_count=counts.analysed,
            was_readable=self._was_readable,
            missing=missing,
        )
