"""One model and version at one endpoint: its reference, given or being learned, and its comparisons."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.comparison import Comparison, Watching
from dashlight.judge.words import listed, printable
from dashlight.learner import Learner
from dashlight.records import Alert, Prediction, Score, Table, WatchState
from dashlight.store.learned import LearnedReferences
from dashlight.window.reference import Reference, columns_of

logger = logging.getLogger(__name__)

_LEARNED_SHARE = 0.2
"""Part of the budget kept for outputs that a reference file does not hold and that are learned beside it."""


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """How every model is watched."""

    reference: Reference | None
    reference_rows: int
    panes_between_false_alarms: float
    tolerance: float
    learned: LearnedReferences
    ignored: Sequence[str] = ()
    """Globs of columns that are not looked at, also where the reference holds them."""
    importance: Mapping[str, float] = field(default_factory=dict[str, float])
    """Columns with so many times the budget of others; 0 leaves one out."""


class ModelWatch:
    """Compares the rows of one model with its reference.

    Without a reference file it learns from the first rows. A file that holds no outputs is completed: the outputs
    are learned from the first rows, the features are compared with the file from the start.
    """

    def __init__(self, endpoint: str, model: str, version: str, *, place: int, plan: ModelPlan) -> None:
        """*place* counts the models of a process from 1: the k-th has the share 1/(k(k+1)) of the budget, 1 in all."""
        self._key = (endpoint, model, version)
        self._plan = plan
        self._file = plan.reference
        self._share = 1.0 / (place * (place + 1))
        self._comparisons: list[Comparison] = []
        self._learner: Learner | None = None
        self._told_unknown = False

    def add(self, prediction: Prediction, trace_ids: NDArray[np.void]) -> None:
        """Counts the rows of *prediction*, or learns from them."""
        if not self._comparisons:
            self._decide(prediction)
        for comparison in self._comparisons:
            comparison.add(prediction, trace_ids)
        if self._learner is not None:
            self._learner.add(_outputs_of(prediction) if self._comparisons else prediction)

    def close_pane(self, at: float) -> Iterator[Alert]:
        """Ends the pane; the alerts whose state changed."""
        for comparison in self._comparisons:
            yield from comparison.close_pane(at)
            if comparison.unknown_columns and not self._told_unknown:
                self._told_unknown = True
                logger.info("%s: not in the reference: %s", self._named(), listed(comparison.unknown_columns))
        # Learned between two panes, so that no pane is half learned from and half judged.
        if self._learner is not None:
            self._finish_learning(self._learner, at)
        elif self._plan.learned.is_other(*self._learned_key()):
            logger.info("%s: the learned reference was replaced", self._named())
            yield from self._begin_anew(at)

    def replace_file(self, reference: Reference, at: float) -> Iterator[Alert]:
        """Compares with *reference* from now on: the file was replaced. Gives the alerts that end with the old one."""
        self._file = reference
        yield from self._begin_anew(at)

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*; while a reference is being learned, how far that is."""
        found = [score for comparison in self._comparisons for score in comparison.scores(panes)]
        learner = self._learner
        if learner is not None and (learner.rows or not self._comparisons):
            found += learner.progress()
        return found

    @property
    def state(self) -> WatchState:
        """Whether the model is watched, or why it is not yet."""
        if not self._comparisons:
            return "learning"
        return "watching" if all(each.has_enough_rows for each in self._comparisons) else "not_enough_data"

    def _decide(self, prediction: Prediction) -> None:
        """Compare with a reference, or begin to learn one.

        The first rows may come of a probe with an empty body: a file that fits later ones ends the learning.
        """
        file = self._file
        if file is not None and _fits(file, prediction):
            self._use_file(file)
        elif self._learner is None:
            if file is not None:
                logger.warning(
                    "%s: these are not the columns of the reference file; a reference is learned from the first rows",
                    self._named(),
                )
            learned = self._learned()
            if learned is not None:
                self._compare(learned, self._share)
                return
            self._learn()

    def _use_file(self, file: Reference) -> None:
        self._learner = None
        if columns_of(file, "output"):
            self._compare(file, self._share)
            return
        self._compare(file, self._share * (1 - _LEARNED_SHARE))
        learned = self._learned(file.version)
        if learned is not None:
            self._compare(learned, self._share * _LEARNED_SHARE)
            return
        logger.info("%s: the reference holds no outputs; they are learned from the first rows", self._named())
        self._learn()

    def _learned_key(self) -> tuple[str, ...]:
        """Under which the learned reference is kept; what completes a file, for that file alone."""
        completes = self._file is not None and self._comparisons and self._comparisons[0].reference.source == "file"
        return (*self._key, self._file.version) if self._file is not None and completes else self._key

    def _learned(self, *beside: str) -> Reference | None:
        return self._plan.learned.load(*self._key, *beside)

    def _learn(self) -> None:
        self._learner = Learner(self._named(), self._plan.reference_rows, tolerance=self._plan.tolerance)

    def _finish_learning(self, learner: Learner, at: float) -> None:
        try:
            reference = learner.reference(at, model=self._key[1])
        except Exception:
            # Counted and told by whoever closes the pane. The same rows would fail again, pane after pane.
            self._learn()
            raise
        if reference is None:
            return
        self._learner = None
        # Workers that compare with one reference say one thing.
        kept = self._plan.learned.keep(reference, *self._learned_key())
        share = self._share * _LEARNED_SHARE if self._comparisons else self._share
        self._compare(kept, share)
        logger.info("%s: learned a reference from %d rows", self._named(), kept.rows)

    def _begin_anew(self, at: float) -> Iterator[Alert]:
        ended, self._comparisons, self._learner = self._comparisons, [], None
        for comparison in ended:
            yield from comparison.withdraw(at)

    def _compare(self, reference: Reference, share: float) -> None:
        endpoint, model, version = self._key
        plan = self._plan
        watching = Watching(
            panes_between_false_alarms=plan.panes_between_false_alarms,
            tolerance=plan.tolerance,
            share=share,
            importance=plan.importance,
            ignored=plan.ignored,
        )
        comparison = Comparison(reference, watching, endpoint=endpoint, model=model, version=version)
        self._comparisons.append(comparison)
        if comparison.too_short:
            logger.info(
                "%s: the reference is too short for the variation of %s, which will be slow to alarm",
                self._named(),
                listed(comparison.too_short),
            )

    def _named(self) -> str:
        return " ".join(printable(part) for part in self._key if part)


def _outputs_of(prediction: Prediction) -> Prediction:
    """*prediction* without its features."""
    nothing = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
    return replace(prediction, features=nothing)


def _fits(reference: Reference, prediction: Prediction) -> bool:
    """Whether *prediction* has half of the features of *reference*; of the outputs, where that holds no others.

    Half, because another endpoint may share a column with the model, and a client may leave some out.
    """
    features = columns_of(reference, "feature")
    known = {column.name for column in features or reference.columns}
    found = known.intersection(_names(prediction.features if features else prediction.outputs))
    return 2 * len(found) >= len(known)


def _names(table: Table) -> tuple[str, ...]:
    return (*table.number_names, *table.cell_names)
