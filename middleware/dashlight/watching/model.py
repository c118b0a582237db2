"""One model and version at one endpoint: its reference, given or being learned, and its comparisons."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from itertools import chain

from dashlight.counting.matching import match
from dashlight.counting.model import ModelBrief, ModelPane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.rows import RowPane
from dashlight.counting.selection import unknown_weights
from dashlight.judge.alert_budget import share_of_place
from dashlight.judge.words import listed, printable
from dashlight.records import Alert, Role, Score, WatchState
from dashlight.watching.completion import completed_share, is_incomplete, version_of
from dashlight.watching.learner import Learner, LearnerState
from dashlight.watching.memory import WatchRoom, unbounded_room
from dashlight.watching.refused_panes import RefusedPanes
from dashlight.watching.rows import REPLACED, Comparison
from dashlight.watching.segments.model import ModelSegments
from dashlight.watching.state import ComparisonState, ModelState
from dashlight.window.columns import Reference, columns_of
from dashlight.window.reference.steps import Steps, finished

logger = logging.getLogger(__name__)

UNLIKE_FILE = "these are not the columns of the reference file; a reference is learned from the first rows."


class ModelWatch:
    """Compares the rows of one model, counted by one process or several, with its reference.

    Without a reference file it learns from the first rows. A file that holds no outputs is completed: the outputs
    are learned from the first rows, the features are compared with the file from the start.
    """

    def __init__(
        self,
        key: tuple[str, str, str],
        policy: Policy,
        references: References,
        *,
        place: int,
        room: WatchRoom | None = None,
    ) -> None:
        """*key* is the endpoint, the model and its version.

        *place* is the model's among those of the machine, from 1, by which it has its share of the budget. *room* has its
        memory, where that is bounded: whatever begins a comparison raises NoRoomError where there is none.
        """
        self._room = room or unbounded_room()
        self._key = key
        self._policy = policy
        self._learned, self._file = references.learned, references.given
        self.place = place  # given back when the model is let go
        self._share = share_of_place(place)
        self._comparisons: dict[str, Comparison] = {}
        self._learner: Learner | None = None
        self.segments = ModelSegments(key, policy, self._room, share=self._share)  # of the first reference
        self._is_matching_told, self._refused = False, RefusedPanes()

    @property
    def state(self) -> ModelState:
        """What outlives the process, beside `comparison_states` and `learner_state`."""
        return ModelState(
            place=self.place,
            file=version_of(self._file),
            compared=tuple(self._comparisons),
            is_learning=self._learner is not None,
            is_matching_told=self._is_matching_told,
            refused=self._refused.counts,
        )

    @property
    def comparisons(self) -> Collection[Comparison]:
        """Those in force."""
        return self._comparisons.values()

    @property
    def comparison_states(self) -> Mapping[str, ComparisonState]:
        """What outlives the process of each comparison, by the version of the reference."""
        return {version: comparison.state for version, comparison in self._comparisons.items()}

    @property
    def learner_state(self) -> LearnerState | None:
        """What was collected to learn from; None where nothing is being learned."""
        return None if self._learner is None else self._learner.state

    def restore(self, state: ModelState) -> Steps[bool]:
        """In steps: goes on from *state*; what it compares with and learns from begins anew until that is restored as well.

        False where the reference is another one by now, or gone: then nothing is compared or learned yet.
        """
        self._is_matching_told = state.is_matching_told
        self._refused.restore(state.refused)
        if state.file != version_of(self._file):
            return False
        for version in state.compared:
            is_file = self._file is not None and version == self._file.version
            reference = self._file if is_file else self._learned.load(*self._learned_key())
            if reference is None or reference.version != version:
                logger.info("%s: the learned reference is gone or was replaced", self._named())
                self._comparisons.clear()
                self._room.give_back(self._key)
                return False
            yield from self._compare(reference)
        if state.is_learning:
            self._learn()
        return True

    def restore_comparison(self, version: str, state: ComparisonState) -> None:
        """Goes on from *state* with the comparison with that reference; ValueError, and as new, where it does not fit."""
        fresh = self._comparisons.get(version)
        if fresh is None:  # the reference is another one by now
            return
        try:
            fresh.restore(state)
        except ValueError:
            finished(self._compare(fresh.reference))
            raise

    def restore_learner(self, state: LearnerState) -> None:
        """Goes on learning from what *state* holds; ValueError, and as new, where it does not fit."""
        if self._learner is None:
            return
        try:
            self._learner.restore(state)
        except ValueError:
            self._learn()
            raise

    @property
    def brief(self) -> ModelBrief:
        """What is to be counted of the model from now on."""
        directions = {version: each.directions for version, each in self._comparisons.items()}
        repeated = {version: each.repeated for version, each in self._comparisons.items() if each.repeated}
        return ModelBrief(tuple(self._comparisons), directions, repeated)

    def close_pane(self, pane: ModelPane | None, at: float, told: Collection[str] = ()) -> Iterator[Alert | None]:
        """Judges the *pane* that ended *at*, None where no row came; the alerts whose state changed.

        None comes between two of them where something else may be done before it goes on. *told* are quantities of the
        endpoint's traffic with an alert in force.
        """
        counted = (yield from self._taken(pane)) if pane is not None else {}
        for version, comparison in self._comparisons.items():
            yield from (yield from comparison.close_pane_in_steps(counted.get(version), at))
            for sentence in comparison.news():
                logger.info("%s: %s", self._named(), sentence)
        if pane is not None:
            has_rows = next(iter(self._comparisons), "") in counted
            yield from (yield from self.segments.close_pane(pane.segments, at, has_rows=has_rows, told=told))
        # Learned between two panes, so that no pane is half learned from and half judged.
        if self._learner is not None:
            yield from self._finish_learning(self._learner, at)
        elif self._learned.is_other(*self._learned_key()):
            logger.info("%s: the learned reference was replaced", self._named())
            yield from self._begin_anew(at)

    def replace_file(self, reference: Reference, at: float) -> Iterator[Alert]:
        """Compares with *reference* from now on: the file was replaced. Gives the alerts that end with the old one."""
        self._file = reference
        self._is_matching_told = False
        yield from self._begin_anew(at)

    def withdraw(self, at: float, reason: str) -> Iterator[Alert]:
        """The alerts in force, ended because for this *reason* nothing will be compared any more."""
        return chain(*(each.withdraw(at, reason) for each in self.comparisons), self.segments.end(at, reason))

    @property
    def in_force(self) -> Iterator[str]:
        """Keys of the alerts that are pending or firing."""
        return chain(*(each.in_force for each in self._comparisons.values()), self.segments.in_force)

    @property
    def reference(self) -> Reference | None:
        """What it is compared with first, or may be; None while it learns one of its own."""
        return next((each.reference for each in self._comparisons.values()), None if self._learner else self._file)

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*; while a reference is being learned, how far that is."""
        scores = [score for each in self._comparisons.values() for score in each.scores(panes)]
        learner = self._learner
        if learner is not None and (learner.rows or not self._comparisons):
            scores += learner.progress()
        return scores + self._refused.scores()

    def traces_of_missing(self, role: Role, column: str, since_at: float) -> Iterator[str]:
        """Trace ids of exchanges after *since_at* without a value in *column*."""
        return chain.from_iterable(each.traces_of_missing(role, column, since_at) for each in self.comparisons)

    @property
    def watch_state(self) -> WatchState:
        """Whether the model is watched, or why it is not yet."""
        if not self._comparisons:
            return "learning"
        return "watching" if all(each.has_enough_rows for each in self._comparisons.values()) else "not_enough_data"

    def _taken(self, pane: ModelPane) -> Steps[dict[str, RowPane]]:
        """What *pane* counted against the references in force; rows without one are learned from where that is wanted."""
        counted: dict[str, RowPane] = {}
        if pane.matched and not self._is_matching_told:
            self._is_matching_told = True
            logger.warning("%s: %s", self._named(), pane.matched)
        for rows in pane.compared:
            version, refuse = rows.reference, partial(self._refused.refuse, self._named(), rows.reference)
            if not (version in self._comparisons or (yield from self._begin_with(version))):
                refuse(f"compares with the reference {version}, which is not the one in force")
            elif not self._comparisons[version].fits(rows):
                refuse(f"counted other columns or pairs than the reference {version} has")
            else:
                counted[version] = rows
        if pane.rows and self._learner is None and not self._comparisons:
            if self._file is not None:
                features = pane.rows[0].chunk(self._learned.hash_key).get("feature")
                lacking = "" if features is None else match(self._file, features).lacking()
                logger.warning("%s: %s %s", self._named(), UNLIKE_FILE, lacking)
            self._learn()
        for learned_from in pane.rows:
            if self._learner is not None:
                self._learner.take(learned_from)
        return counted

    def _begin_with(self, version: str) -> Steps[bool]:
        """Compare with the reference of this *version* as well, if it is to be found and there is room for it."""
        if not self._comparisons:
            if self._file is not None and version == self._file.version:
                yield from self._use_file(self._file)
                return True
            learned = self._learned.load(*self._key)
        else:
            key = (*self._key, version_of(self._file))
            learned = self._learned.load(*key) if is_incomplete(self._file, self._comparisons) else None
        if learned is None or learned.version != version:
            return False
        self._learner = None
        yield from self._compare(learned)
        return True

    def _use_file(self, file: Reference) -> Steps[None]:
        self._learner = None
        yield from self._compare(file)
        if not columns_of(file, "output") and self._learned.load(*self._key, file.version) is None:
            logger.info("%s: the reference holds no outputs; they are learned from the first rows", self._named())
            self._learn()

    def _learned_key(self) -> tuple[str, ...]:
        """Under which the learned reference is kept; what completes a file, for that file alone."""
        completes = self._file is not None and self._file.version in self._comparisons
        return (*self._key, self._file.version) if self._file is not None and completes else self._key

    def _learn(self) -> None:
        named, policy, places = self._named(), self._policy, self._room.learning
        kept, rows, tolerance = (*policy.features, *policy.prediction), policy.reference_rows, policy.tolerance
        key = self._learned.hash_key
        self._learner = Learner(named, rows, tolerance=tolerance, keep=kept, places=places, key=key)

    def _finish_learning(self, learner: Learner, at: float) -> Steps[None]:
        try:
            reference = yield from learner.reference(at, model=self._key[1])
        except Exception:
            # Counted and told by whoever closes the pane. The same rows would fail again, pane after pane.
            self._learn()
            raise
        if reference is None:
            return
        self._learner = None
        # Machines that compare with one reference say one thing.
        in_use = self._learned.keep(reference, *self._learned_key())
        yield from self._compare(in_use)
        logger.info("%s: learned a reference from %d rows", self._named(), in_use.rows)
        if self._file is None and (unknown := unknown_weights(in_use, self._policy)):
            logger.warning("%s: DASHLIGHT_IMPORTANCE names no columns: %s", self._named(), listed(unknown))

    def _begin_anew(self, at: float) -> Iterator[Alert]:
        ended, self._comparisons, self._learner = self._comparisons, {}, None
        yield from self.segments.end(at, REPLACED)
        self._room.give_back(self._key)
        for comparison in ended.values():
            yield from comparison.withdraw(at)

    def _compare(self, reference: Reference) -> Steps[None]:
        self._room.take(self._key, reference, is_own=reference is not self._file)
        share = self._share * completed_share(reference, self._file, self._comparisons)
        named = dict(zip(("endpoint", "model", "version"), self._key, strict=True))
        comparison = Comparison(reference, self._policy, share=share, in_steps=True, **named)
        yield from comparison.set_up()
        self._comparisons[reference.version] = comparison
        if reference.version == next(iter(self._comparisons)):
            yield from self.segments.begin(comparison, share)
        if short := comparison.too_short:
            told = "%s: the reference is too short for the variation of %s, which will be slow to alarm"
            logger.info(told, self._named(), listed(short))

    def _named(self) -> str:
        return " ".join(printable(part) for part in self._key if part)
