"""The performance of all models of a machine whose labels come, each counted from the same reading of the store."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from dashlight.counting.admission import Admission
from dashlight.counting.machine import MachinePane
from dashlight.counting.policy import Policy
from dashlight.errors import traced
from dashlight.judge.alert_budget import PERFORMANCE, Places, PlacesState, share_of_place
from dashlight.judge.implied_negatives import ImpliedNegatives
from dashlight.judge.words import printable
from dashlight.labels.label import JOINED_LATER
from dashlight.labels.news import LabelNews
from dashlight.labels.rows import ModelKey
from dashlight.metrics.losses import SignalFate
from dashlight.records import Alert, Score
from dashlight.watching.endpoint import Snapshot
from dashlight.watching.performance.model import PerformanceWatch
from dashlight.watching.performance.state import PerformancesState, PerformanceState
from dashlight.window.columns import Reference
from dashlight.window.fitting import moment, refuse, within
from dashlight.window.reference.steps import Steps

logger = logging.getLogger(__name__)

MOST_MODELS = 32
"""Models and versions, at all endpoints, whose performance is kept."""
UNWATCHED = SignalFate("labels", "dropped", "too_many_models")
"""Labels of models beyond these."""
NO_PREDICTIONS: Mapping[ModelKey, int] = {}
_MEASURED_SECONDS = 3600.0
_MEMORY_PART = 4
"""Of what judging may take, a quarter is for counts of performance."""
_NO_MEMORY = "there is no memory for it; DASHLIGHT_MEMORY says how much there is"
_GONE = "labels of the model come no longer"

ReferenceOf = Callable[[ModelKey], Reference | None]


class Performances:
    """One watch a model, of those whose labels came last; that of an endpoint asked no longer goes on while labels come."""

    def __init__(self, policy: Policy, reference_of: ReferenceOf) -> None:
        """*reference_of* tells what a model is compared with, None where that is not known."""
        self._policy, self._reference_of = policy, reference_of
        self.watches: dict[ModelKey, PerformanceWatch] = {}
        self.cursor = 0
        """Up to where the store is counted."""
        self.read_at = 0.0
        """When the last pane ended: up to then all is counted."""
        self._admission: Admission[ModelKey] = Admission(MOST_MODELS)
        self._places = Places()
        self._place_of: dict[ModelKey, int] = {}
        self._unwatched_count = 0
        self._measured_at = float("-inf")
        self._mistakes: Counter[str] = Counter()
        self._told: set[str] = set()
        """Kinds of mistakes that were told, and whether there are too many models."""

    @property
    def state(self) -> PerformancesState | None:
        """What outlives the process, beside `model_states`; None where nothing was ever read."""
        if not self.cursor:
            return None
        return PerformancesState(
            self.cursor, self.read_at, self._admission.state, self._place_of, self._unwatched_count
        )

    @property
    def model_states(self) -> Mapping[ModelKey, PerformanceState]:
        """Of each model."""
        return {key: watch.state for key, watch in self.watches.items()}

    def restore(self, state: PerformancesState | None) -> None:
        """Goes on from *state* with models that begin anew until each is restored; ValueError where it does not fit."""
        if state is None:
            return
        refuse("models without a place, or places without a model", where=state.admission.keys != state.places.keys())
        self.cursor = within("place in a store", state.cursor)
        self.read_at = moment("when labels were read", state.read_at)
        self._admission.restore(state.admission)
        self._places.restore(PlacesState(tuple(state.places.values()), ()))
        self._unwatched_count = within("labels", state.unwatched_count)
        for key, place in state.places.items():
            self._begin(key, place)

    def restore_model(self, key: ModelKey, state: PerformanceState) -> None:
        """Goes on from *state* with one model; ValueError, and as new, where it does not fit."""
        if key not in self.watches:
            return
        try:
            self.watches[key].restore(state)
        except ValueError:
            self._begin(key, self._place_of[key])
            raise

    def close_pane(
        self, news: LabelNews, at: float, *, predictions: Mapping[ModelKey, int] = NO_PREDICTIONS, unknown: int = 0
    ) -> Iterator[Alert | None]:
        """Counts the *news* and judges them; the alerts that changed. None comes where a break is welcome.

        *predictions* were made in the pane, by model, and *unknown* labels came that belong to no prediction.
        """
        self.cursor, self.read_at = news.cursor, at
        for key in self._admission.gone():
            yield from self._let_go(key, at)
        asked = {*(rows.model for rows in news.rows), *(window.model for window in news.windows)}
        for key in asked:
            for gone in self._admitted(key, asked):
                yield from self._let_go(gone, at)
        for rows in news.rows:
            watch = self.watches.get(rows.model)
            if watch is None:
                self._unwatched_count += rows.row_count
                continue
            yield from self._tried(rows.model, partial(watch.take, rows, at))
            yield None
        self._admission.close(at)
        yield from self._make_room(at)
        for window in news.windows:
            if window.model in self.watches:
                yield from self._tried(window.model, partial(self.watches[window.model].estimate, window))
        for key, watch in self.watches.items():
            watch.know(news.waiting.get(key), news.own.get(key))
            counts = {"predictions": predictions.get(key, 0), "unknown": unknown if len(self.watches) == 1 else 0}
            yield from self._tried(key, partial(watch.close_pane, at, **counts))
            yield from self._tried(key, partial(self._tell, key, at))

    def take_losses(self) -> Mapping[SignalFate, int]:
        """What was lost since this was last asked."""
        lost = Counter({SignalFate("labels", "mistake", kind): count for kind, count in self._mistakes.items()})
        lost[UNWATCHED] = self._unwatched_count
        self._mistakes.clear()
        self._unwatched_count = 0
        return +lost

    def replace_reference(self, at: float) -> Iterator[Alert]:
        """Compares with what is the reference by now; the alerts that end with the one before."""
        for key, watch in self.watches.items():
            yield from watch.compare_with(self._reference_of(key), at)

    @property
    def implied(self) -> Mapping[ModelKey, ImpliedNegatives]:
        """What says whose silence is a label, by model, where anybody's is."""
        return {key: watch.implied for key, watch in self.watches.items() if watch.implied is not None}

    @property
    def in_force(self) -> set[str]:
        """Keys of the alerts that are pending or firing."""
        return {key for watch in self.watches.values() for key in watch.in_force}

    def scores(self, key: ModelKey) -> list[Score]:
        """The measures of a model; empty where no label of it came."""
        return self.watches[key].scores(self.read_at) if key in self.watches else []

    def beside(self, snapshots: Iterable[tuple[str, Snapshot]]) -> Iterator[tuple[str, Snapshot]]:
        """*snapshots*, by endpoint, with the measures of their models, and those of models that are asked no longer."""
        told: set[ModelKey] = set()
        for route, snapshot in snapshots:
            if snapshot.state is None:  # of the endpoint, beside that of a model without a name
                yield route, snapshot
                continue
            key = (route, snapshot.model, snapshot.version)
            told.add(key)
            yield route, replace(snapshot, scores=[*snapshot.scores, *self.scores(key)])
        for key in self.watches.keys() - told:
            yield key[0], Snapshot(*key[1:], self.scores(key), is_unasked=True)

    def _make_room(self, at: float) -> Iterator[Alert]:
        """Lets go, once an hour, of segments, then of models, whose labels came least recently while there is no memory for all."""
        if 0 <= at - self._measured_at < _MEASURED_SECONDS:
            return
        self._measured_at = at
        by_age = [key for key, _, _ in self._admission.state.seen]
        most_bytes = self._policy.judging_bytes // _MEMORY_PART
        for key in by_age:
            if self._bytes() <= most_bytes:
                return
            if key in self.watches and self.watches[key].parts.segments_bytes:
                logger.warning("%s: its segments are no longer kept: %s", _named(key), _NO_MEMORY)
                yield from self.watches[key].forget_segments(at, _NO_MEMORY)
        while len(by_age) > 1 and self._bytes() > most_bytes:
            key = by_age.pop(0)
            logger.warning("%s: its performance is no longer kept: %s", _named(key), _NO_MEMORY)
            yield from self._let_go(key, at, _NO_MEMORY)

    def _bytes(self) -> int:
        return sum(watch.size_bytes for watch in self.watches.values())

    def _admitted(self, key: ModelKey, asked: Collection[ModelKey]) -> tuple[ModelKey, ...]:
        gone = self._admission.admit(key, asked=asked)
        if gone is None:
            if UNWATCHED.reason not in self._told:
                self._told.add(UNWATCHED.reason)
                logger.warning("labels of more than %d models: those of further ones are counted alone", MOST_MODELS)
            return ()
        if key not in self.watches:
            self._begin(key, self._places.next_model())
        return gone

    def _begin(self, key: ModelKey, place: int) -> None:
        share = PERFORMANCE * share_of_place(place)
        self._place_of[key] = place
        self.watches[key] = PerformanceWatch(key, self._policy, self._reference_of(key), share=share)

    def _let_go(self, key: ModelKey, at: float, why: str = _GONE) -> Iterator[Alert]:
        self._admission.forget(key)
        self._places.give_back_model(self._place_of.pop(key))
        yield from self.watches.pop(key).withdraw(at, why)

    def _tell(self, key: ModelKey, at: float) -> Iterator[None]:
        for sentence in self.watches[key].news(at):
            logger.info("%s: %s", _named(key), sentence)
        yield

    def _tried(self, key: ModelKey, part: Callable[[], Iterator[Alert | None] | Steps[None]]) -> Iterator[Alert | None]:
        """The alerts of one part, as far as it came; a mistake of ours costs that part, is counted, and told once."""
        try:
            yield from part()
        except Exception as mistake:
            kind = type(mistake).__name__
            if kind not in self._told:
                self._told.add(kind)
                told = "%s: labels could not be judged: %s"
                logger.error(told, _named(key), traced(mistake))  # noqa: TRY400 - no message
            self._mistakes[kind] += 1


def predictions_of(pane: MachinePane) -> Mapping[ModelKey, int]:
    """Rows that were counted in *pane*, by model."""
    return {
        (route, *key): model.row_count for route, each in pane.endpoints.items() for key, model in each.models.items()
    }


def unknown_in(pane: MachinePane) -> int:
    """Labels of *pane* that belong to no prediction so far, less those of before that have found theirs in it."""
    of_labels = [(fate.reason, count) for fate, count in pane.counts.items() if fate.signal == "labels"]
    came = sum(count for reason, count in of_labels if reason == "unknown")
    return came - sum(count for reason, count in of_labels if reason.startswith(JOINED_LATER))


def _named(key: ModelKey) -> str:
    return " ".join(printable(each) for each in key if each)
