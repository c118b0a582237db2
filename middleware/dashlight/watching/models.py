"""The models of one endpoint under watch: which have a place, in the budget of false alarms and in memory."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping

from dashlight.counting.admission import Admission
from dashlight.counting.endpoint import ModelKey
from dashlight.counting.memory import most_models_of
from dashlight.counting.model import ModelPane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.decode.signals import SIGNALS
from dashlight.judge.alert_budget import Places
from dashlight.judge.words import printable
from dashlight.records import Alert
from dashlight.watching.memory import NoRoomError, WatchRoom, unbounded_room
from dashlight.watching.model import ModelWatch
from dashlight.watching.state import EndpointState
from dashlight.window.columns import Reference
from dashlight.window.fitting import within

logger = logging.getLogger(__name__)

UNASKED = "the model is no longer asked"
NO_MEMORY = "there is no memory for it; models that are asked more have it: DASHLIGHT_MEMORY says how much there is"
MADE_ROOM = "it made room for a model that is asked much more; DASHLIGHT_MEMORY says how much there is"


class WatchedModels:
    """The watches of so many models, of those that there is memory for."""

    def __init__(
        self, endpoint: str, policy: Policy, references: References, *, places: Places, room: WatchRoom | None
    ) -> None:
        """Models get their share of the budget from *places*, and memory from *room*, where that is bounded."""
        self._endpoint = endpoint
        self._policy = policy
        self._references = references
        self._places = places
        self._room = room or unbounded_room()
        self.watches: dict[ModelKey, ModelWatch] = {}
        """Those under watch."""
        self.admission: Admission[ModelKey] = Admission(most_models_of(endpoint))
        self.unwatched_rows = 0
        """Rows of models that came while MOST_MODELS others were asked, or had no memory: counted, not judged."""

    def restore(self, state: EndpointState) -> Iterator[ModelKey | None]:
        """Goes on from *state*, in steps, after each of which comes None; the models that begin anew, or find no memory."""
        if state.admission.keys != state.models.keys():
            raise ValueError("models without a place, or places without a model")
        self.admission.restore(state.admission)
        self.unwatched_rows = within("rows", state.unwatched_rows)
        for key, model in state.models.items():
            self.watches[key] = self._watched(key, model.place)
            try:
                is_over = yield from self.watches[key].restore(model)
            except NoRoomError:
                self._withdraw(key)
                is_over = False
            if not is_over:
                yield key

    @property
    def refused(self) -> frozenset[ModelKey]:
        """Those that there is no memory for."""
        return frozenset((model, version) for route, model, version in self._room.refused if route == self._endpoint)

    def replace_reference(self, reference: Reference, at: float) -> Iterator[Alert]:
        """Compares with *reference* from now on; the alerts that end with the one before."""
        if self._endpoint == SIGNALS:
            return
        self._references = References(self._references.learned, reference)
        for watch in self.watches.values():
            yield from watch.replace_file(reference, at)

    def admit(self, panes: Mapping[ModelKey, ModelPane], at: float) -> Iterator[Alert]:
        """Watches the models of which there are *panes*, where there is room, and ends the alerts of those that go."""
        for key in self.admission.gone():
            yield from self.let_go(key, at, UNASKED)
        for key, pane in panes.items():
            name, rows = (self._endpoint, *key), pane.row_count + pane.left_out_rows
            is_counted = pane.row_count > 0 or key in self.watches
            if not is_counted:
                # Some process has no memory for it: it waits until it is asked more than others.
                self._room.refuse(name)
            self._room.asked(name, rows)
            may_come = is_counted and not self._room.is_refused(name)
            gone = self.admission.admit(key, asked=panes) if may_come else None
            self.unwatched_rows += rows if gone is None else pane.left_out_rows
            for each in gone or ():
                yield from self.let_go(each, at, UNASKED)
            if gone is not None and key not in self.watches:
                self.watches[key] = self._watched(key, self._places.next_model())
        self.admission.close(at)

    def judge(
        self, key: ModelKey, pane: ModelPane | None, at: float, told: Collection[str] = ()
    ) -> Iterator[Alert | None]:
        """Judges the *pane* of one of them, None: no row; the alerts that changed, and those that end where there is no memory.

        *told* are quantities of the endpoint's traffic with an alert in force.
        """
        try:
            yield from self.watches[key].close_pane(pane, at, told)
        except NoRoomError:
            self.unwatched_rows += 0 if pane is None else pane.row_count
            yield from self.let_go(key, at, NO_MEMORY)

    def let_go(self, key: ModelKey, at: float, why: str) -> Iterator[Alert]:
        """Watches the model no longer; the alerts that end with that."""
        watch = self._withdraw(key)
        name = (self._endpoint, *key)
        if why == MADE_ROOM:
            self._room.refuse(name)
        elif why == UNASKED:
            self._room.give_back(name)
        told = " ".join(map(printable, filter(None, name)))
        is_news = why != UNASKED and self._room.tell()
        logger.log(logging.WARNING if is_news else logging.INFO, "%s: no longer watched: %s", told, why)
        # An alert is of a model whatever its version: another one may still hold it.
        of_others = {alert_key for other in self.watches.values() for alert_key in other.in_force}
        yield from (alert for alert in watch.withdraw(at, why) if alert.key not in of_others)

    def give_back(self) -> None:
        """Gives back all places: nobody asks here any more."""
        for watch in self.watches.values():
            self._places.give_back_model(watch.place)
        self._room.give_back((self._endpoint,))

    def _watched(self, key: ModelKey, place: int) -> ModelWatch:
        return ModelWatch((self._endpoint, *key), self._policy, self._references, place=place, room=self._room)

    def _withdraw(self, key: ModelKey) -> ModelWatch:
        self.admission.forget(key)
        watch = self.watches.pop(key)
        self._places.give_back_model(watch.place)
        return watch
