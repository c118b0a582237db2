"""One model and version at one endpoint: its reference, given or being learned, and its comparisons."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from dashlight.comparison import Comparison
from dashlight.judge.words import printable
from dashlight.records import Alert, Prediction, Score, Table
from dashlight.store.learned import LearnedReferences
from dashlight.window.learning import Learning
from dashlight.window.reference import Reference, columns_of

logger = logging.getLogger(__name__)

_LEARNED_SHARE = 0.2
"""Part of the budget kept for outputs that a reference file does not hold and that are learned beside it."""
_NAMES_TOLD = 10
_SEED = 0
"""The same rows give the same reference."""


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


class ModelWatch:
    """Compares the rows of one model with its reference.

    Without a reference file it learns from the first rows. A file that holds no outputs is completed: the outputs
    are learned from the first rows, the features are compared with the file from the start.
    """

    def __init__(self, endpoint: str, model: str, version: str, *, place: int, plan: ModelPlan) -> None:
        """*place* counts the models of a process from 1: the k-th has the share 1/(k(k+1)) of the budget, 1 in all."""
        self._key = (endpoint, model, version)
        self._plan = plan
        self._file = None if plan.reference is None else _without(plan.ignored, plan.reference)
        self._share = 1.0 / (place * (place + 1))
        self._comparisons: list[Comparison] = []
        self._learning: Learning | None = None
        self._told_unknown = False

    def add(self, prediction: Prediction, trace_ids: NDArray[np.void]) -> None:
        """Counts the rows of *prediction*, or learns from them."""
        if not self._comparisons:
            self._decide(prediction)
        for comparison in self._comparisons:
            comparison.add(prediction, trace_ids)
        if self._learning is not None and not self._learning.is_full:
            self._learn(self._learning, prediction)

    def close_pane(self, at: float) -> Iterator[Alert]:
        """Ends the pane; the alerts whose state changed."""
        for comparison in self._comparisons:
            yield from comparison.close_pane(at)
            if comparison.unknown_columns and not self._told_unknown:
                self._told_unknown = True
                logger.info("%s: not in the reference: %s", self._named(), _listed(comparison.unknown_columns))
        # Learned between two panes, so that no pane is half learned from and half judged.
        if self._learning is not None and self._learning.is_full:
            self._finish_learning(self._learning, at)

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*; while a reference is being learned, how far that is."""
        found = [score for comparison in self._comparisons for score in comparison.scores(panes)]
        learning = self._learning
        if learning is not None and (learning.rows or not self._comparisons):
            share = min(1.0, learning.rows / learning.rows_wanted)
            found.append(Score(None, None, "reference_learned", share, share, share, learning.rows))
        return found

    def _decide(self, prediction: Prediction) -> None:
        """Compare with a reference, or begin to learn one.

        The first rows may come of a probe with an empty body: a file that fits later ones ends the learning.
        """
        file = self._file
        if file is not None and _fits(file, prediction):
            self._use_file(file)
        elif self._learning is None:
            if file is not None:
                logger.warning(
                    "%s: these are not the columns of the reference file; a reference is learned from the first rows",
                    self._named(),
                )
            learned = self._learned()
            if learned is not None:
                self._compare(learned, self._share)
                return
            self._learning = Learning(self._plan.reference_rows)
            logger.info("%s: learning a reference from the first %d rows", self._named(), self._plan.reference_rows)

    def _use_file(self, file: Reference) -> None:
        self._learning = None
        if columns_of(file, "output"):
            self._compare(file, self._share)
            return
        self._compare(file, self._share * (1 - _LEARNED_SHARE))
        learned = self._learned(file.version)
        if learned is not None:
            self._compare(learned, self._share * _LEARNED_SHARE)
            return
        self._learning = Learning(self._plan.reference_rows)
        logger.info("%s: the reference holds no outputs; they are learned from the first rows", self._named())

    def _learned(self, *beside: str) -> Reference | None:
        found = self._plan.learned.load(*self._key, *beside)
        return None if found is None else _without(self._plan.ignored, found)

    def _learn(self, learning: Learning, prediction: Prediction) -> None:
        learnt = _outputs_of(prediction) if self._comparisons else prediction
        # Rows of empty objects have no columns to learn.
        if _names(learnt.features) or _names(learnt.outputs):
            learning.add(learnt)

    def _finish_learning(self, learning: Learning, at: float) -> None:
        self._learning = None
        file = self._file
        # What completes a file is kept for that file alone: another may come with another model.
        completed = (file.version,) if file is not None and self._comparisons else ()
        reference = learning.reference(rng=np.random.default_rng(_SEED), created_at=at, model=self._key[1])
        self._compare(reference, self._share * _LEARNED_SHARE if completed else self._share)
        self._plan.learned.save(reference, *self._key, *completed)
        logger.info("%s: learned a reference from %d rows", self._named(), reference.rows)

    def _compare(self, reference: Reference, share: float) -> None:
        endpoint, model, version = self._key
        plan = self._plan
        comparison = Comparison(
            reference,
            endpoint=endpoint,
            model=model,
            version=version,
            panes_between_false_alarms=plan.panes_between_false_alarms,
            tolerance=plan.tolerance,
            share=share,
        )
        self._comparisons.append(comparison)
        if comparison.too_short:
            logger.info(
                "%s: the reference is too short for the variation of %s, which will be slow to alarm",
                self._named(),
                _listed(comparison.too_short),
            )

    def _named(self) -> str:
        return " ".join(printable(part) for part in self._key if part)


def _without(ignored: Sequence[str], reference: Reference) -> Reference:
    """*reference* without the columns that the globs *ignored* name."""
    kept = tuple(column for column in reference.columns if not any(fnmatchcase(column.name, each) for each in ignored))
    return replace(reference, columns=kept)


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


def _listed(names: Sequence[str]) -> str:
    """*names*, which come from outside, as they may stand in a log; the first ten."""
    more = ["..."] if len(names) > _NAMES_TOLD else []
    return ", ".join([*map(printable, names[:_NAMES_TOLD]), *more])
