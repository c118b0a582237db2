"""What the process that judges reads from the store of labels, a little at a time."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from dashlight.counting.policy import Policy
from dashlight.errors import traced
from dashlight.judge.implied_negatives import ImpliedNegatives
from dashlight.labels.news import LabelNews, ScoredWindow
from dashlight.labels.rows import LabelledRows, ModelKey
from dashlight.labels.store import LabelStore, WaitingCounts
from dashlight.metrics.losses import SignalFate
from dashlight.records import Score
from dashlight.watching.performance.models import Performances
from dashlight.window.performance.hours import hours_of
from dashlight.window.performance.own_measures import OwnMeasures
from dashlight.window.reference.steps import Steps
from dashlight.workers.implied_labels import imply_negatives

logger = logging.getLogger("dashlight")

MOST_ROWS = 200_000
"""Read for one pane: what is more comes with the next. A pane of ten seconds has 50,000 where 5,000 labels come a second."""
ROWS_A_STEP = 4096
MOST_SCORED = 20_000
"""Predictions that one estimate is made of."""
_COVERAGE_SECONDS = 300.0
"""How often it is looked how many predictions have labels, where the window is not shorter."""
_LONGEST_ESTIMATE_SECONDS = 3600.0
"""An estimate is made of each window, and at least so often."""

Read = TypeVar("Read")


class LabelReader:
    """Reads what has met since the cursor of the watch, which counts it in the same checkpoint: each row once."""

    def __init__(self, store: LabelStore, policy: Policy, own: OwnMeasures | None = None) -> None:
        """*own* are metrics of somebody's own, None where there are none."""
        self._own = own
        self._store, self._policy = store, policy
        self._day_seconds = hours_of(policy.window_seconds, policy.label_window_seconds).day_seconds
        self._covered_at = float("-inf")
        self._estimated: dict[ModelKey, tuple[float, float]] = {}
        """When something was estimated last, and up to which day."""
        self._mistakes: Counter[str] = Counter()

    @property
    def troubles(self) -> Mapping[SignalFate, int]:
        """How often reading failed, since the start: nothing is lost by that, it comes later."""
        return {SignalFate("labels", "mistake", kind): count for kind, count in self._mistakes.items()}

    def read(self, performances: Performances, models: Collection[ModelKey], at: float) -> Steps[LabelNews]:
        """In steps: what is news to *performances*, and at times how many predictions of *models* wait, and which.

        First silence becomes a label where *performances* say that it is one.
        """
        for model, rule in performances.implied.items():
            yield from self._imply(model, rule, performances.read_at)
        cursor = performances.cursor
        rows: list[LabelledRows] = []
        row_count = 0
        while row_count < MOST_ROWS:
            met = self._tried(partial(self._store.met, cursor, most_rows=ROWS_A_STEP))
            if met is None:
                break
            cursor = met.cursor
            rows += met.rows
            row_count += sum(each.row_count for each in met.rows)
            yield
            if met.is_all:
                break
        models = sorted({*models, *(each.model for each in rows)})
        return LabelNews(
            cursor,
            rows,
            waiting=(yield from self._waiting(models, at)),
            windows=(yield from self._windows(models, at)),
            own=(yield from self._own_figures(performances, at)),
        )

    def _imply(self, model: ModelKey, rule: ImpliedNegatives, until_at: float) -> Steps[None]:
        taken: int | None = ROWS_A_STEP
        while taken is not None and taken >= ROWS_A_STEP:
            imply = partial(imply_negatives, self._store, model, rule, until_at=until_at, most_rows=ROWS_A_STEP)
            taken = self._tried(imply)
            yield

    def _waiting(self, models: Collection[ModelKey], at: float) -> Steps[dict[ModelKey, WaitingCounts]]:
        found: dict[ModelKey, WaitingCounts] = {}
        if 0 <= at - self._covered_at < min(self._policy.window_seconds, _COVERAGE_SECONDS):
            return found
        self._covered_at = at
        for model in models:
            counts = self._tried(partial(self._store.waiting, model, since_at=at - self._policy.label_window_seconds))
            if counts is not None:
                found[model] = counts
            yield
        return found

    def _windows(self, models: Collection[ModelKey], at: float) -> Steps[list[ScoredWindow]]:
        """The last window of each model every so often, and the day before once it is over."""
        found: list[ScoredWindow] = []
        seconds, day_seconds = self._policy.window_seconds, self._day_seconds
        day_at = at // day_seconds * day_seconds
        due = dict.fromkeys(models, (float("-inf"), day_at)) | self._estimated
        for model in models:
            window_at, day_before_at = due[model]
            if not 0 <= at - window_at < min(seconds, _LONGEST_ESTIMATE_SECONDS):
                window_at = at
                found += yield from self._window(model, at - seconds, at, is_day=False)
            if day_before_at < day_at:
                day_before_at = day_at
                found += yield from self._window(model, day_at - day_seconds, day_at, is_day=True)
            due[model] = window_at, day_before_at
        self._estimated = {model: due[model] for model in models}
        return found

    def _own_figures(self, performances: Performances, at: float) -> Steps[dict[ModelKey, list[Score]]]:
        """Of the rows that the panes before brought: no row is news to anybody before it is counted."""
        found: dict[ModelKey, list[Score]] = {}
        if self._own is None:
            return found
        for key, watch in performances.watches.items():
            figures = self._own.figures(" ".join(key), watch.newest, at)
            found[key] = [
                Score(None, None, each.name, each.value, each.value, each.value, each.rows) for each in figures
            ]
            yield
        for sentence in self._own.news():
            logger.warning("%s", sentence)
        return found

    def _window(self, model: ModelKey, since_at: float, until_at: float, *, is_day: bool) -> Steps[list[ScoredWindow]]:
        scored = partial(self._store.scored, model, since_at=since_at, until_at=until_at, most_rows=MOST_SCORED)
        rows = self._tried(scored)
        yield
        return [ScoredWindow(model, since_at, until_at, rows, is_day)] if rows else []

    def _tried(self, read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except Exception as error:  # a disk, or another machine: what has met comes with a later pane
            kind = type(error).__name__
            self._mistakes[kind] += 1
            if self._mistakes[kind] == 1:
                logger.error("labels could not be read: %s", traced(error))  # noqa: TRY400 - no message
            return None
