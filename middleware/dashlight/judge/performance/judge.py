"""Agreement with labels, judged like any column: whether a prediction was right, how far it was off. Pure.

Columns of this kind are binned, counted and compared like features are, under the part of the budget that is kept for
performance; but only what became worse is news.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key
from dashlight.records import Alert
from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import STRUCTURAL_BINS
from dashlight.window.normal_scores import normal_scores

Counts: TypeAlias = NDArray[np.int64]
Window: TypeAlias = Callable[[int], tuple[Counts, int]]


class ColumnsJudge(Protocol):
    """Judges columns pane by pane, as DriftJudge does."""

    @property
    def columns(self) -> Sequence[ColumnReference]:
        """Those that it judges, in the order of their counts."""
        ...

    def update(self, counts: Counts, at: float, window: Window) -> list[Alert]:
        """Take the counts of the pane that ended *at*; the alerts whose state changed or that were renewed."""
        ...


class PerformanceJudge:
    """Watches columns such as `correct` (boolean: true is good) and `absolute_error` (numeric: less is good)."""

    def __init__(self, judge: ColumnsJudge) -> None:
        """*judge* watches the columns under the part of the budget that is kept for performance.

        Raises:
            ValueError: a column that is neither boolean nor numeric: nobody knows which way is worse.
        """
        columns = judge.columns
        unclear = [column.name for column in columns if column.kind not in {"boolean", "numeric"}]
        if unclear:
            raise ValueError(f"neither boolean nor numeric: {', '.join(unclear)}")
        self._judge = judge
        self._worse = _badness(columns)
        self._usual = (reference_shares(columns) * self._worse).sum(1)
        self._place = {column.name: place for place, column in enumerate(columns)}
        self._told: set[str] = set()

    def update(self, counts: Counts, at: float, window: Window) -> list[Alert]:
        """Take the counts of the pane that ended *at*; the alerts whose state changed.

        One that fires because things became better is left out, and so is its end.
        """
        return [_named(alert) for alert in self._judge.update(counts, at, window) if self._is_news(alert, window)]

    def _is_news(self, alert: Alert, window: Window) -> bool:
        if alert.state in {"resolved", "inactive"}:
            was_told = alert.key in self._told
            self._told.discard(alert.key)
            return was_told
        place = self._place[alert.column or ""]
        counts = _counts_of(alert.rows, place, window)
        if (counts * self._worse[place]).sum() / max(counts.sum(), 1) <= self._usual[place]:
            return False
        self._told.add(alert.key)
        return True


def _named(alert: Alert) -> Alert:
    key = alert_key("performance", alert.model, alert.endpoint, alert.column or "")
    return replace(alert, source="performance", key=key)


def _badness(columns: Sequence[ColumnReference]) -> NDArray[np.float64]:
    """How bad a row of every bin is, shape (columns, BINS): of numbers their normal score, of truths whether false."""
    badness = normal_scores(columns).astype(np.float64)
    for column, held in zip(columns, badness, strict=True):
        if column.kind == "boolean":
            for place, category in enumerate(column.categories):
                held[STRUCTURAL_BINS + place] = float(category == "false")
    return badness


def _counts_of(rows: int, place: int, window: Window) -> Counts:
    """The counts of the column at *place* in the shortest of the windows that hold as many *rows* as an alert tells."""
    wanted = 1
    counts, panes = window(wanted)
    while counts[place].sum() < rows:
        wanted *= 2
        counts, covered = window(wanted)
        if covered <= panes:
            break
        panes = covered
    held: Counts = counts[place]
    return held
