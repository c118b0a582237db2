"""Drift of the columns within each segment: all pairs of both under one judge. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key, check_alert, ended
from dashlight.judge.columns.divergence import psi
from dashlight.judge.columns.judge import DriftJudge, DriftJudgeState
from dashlight.judge.columns.scores import scores
from dashlight.judge.evidence.windows import Counts, Window
from dashlight.judge.segments.others import (
    have_moved,
    held_by,
    is_clearly_more,
    others_in_words,
    shares_in,
)
from dashlight.judge.segments.references import SegmentReferences
from dashlight.records import Alert, Score
from dashlight.window.columns import stacked_counts
from dashlight.window.events import event_matrices
from dashlight.window.fitting import refuse
from dashlight.window.panes import Panes, PanesState
from dashlight.window.reference.steps import Steps

MOST_SCORED = 3
"""Columns of a segment whose scores are shown: those that moved most."""
_SHOWN = frozenset({"psi", "js", "missing_rate"})


@dataclass(frozen=True, slots=True, eq=False)
class SegmentDriftState:
    """What a SegmentDrift remembers between panes."""

    panes: PanesState
    judge: DriftJudgeState
    in_force: tuple[Alert, ...]
    untold: tuple[str, ...]
    """Keys of alerts that are no news beside those of all rows."""


class SegmentDrift:
    """Watches the columns of each segment of one model, pane by pane."""

    def __init__(
        self,
        references: SegmentReferences,
        names: tuple[str, ...],
        *,
        panes: float,
        tolerance: float,
        share: float,
        importance: Mapping[str, float],
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """*names* are those of all segments; the rest as for DriftJudge. It is of no use before `set_up` is done."""
        self._references, self._names = references, names
        self._gate = float(np.sqrt(tolerance))
        columns = references.columns
        numbers: list[int] = references.segments.tolist()
        named = {column.name for column in columns} | {column.of for column in columns}
        self._judge = DriftJudge(
            columns,
            panes=panes,
            tolerance=tolerance,
            importance={name: weight for name, weight in importance.items() if name in named},
            share=share,
            model=model,
            version=version,
            endpoint=endpoint,
            segments=[names[number] for number in numbers],
            others=self._others,
            in_steps=True,
        )
        self._panes = Panes(len(columns))
        self._counts = stacked_counts(columns)
        self._whole_keys = [alert_key("drift", model, endpoint, column.role, column.name) for column in columns]
        self._place_of = {
            alert_key("drift", model, endpoint, column.role, column.name, names[number]): place
            for place, (column, number) in enumerate(zip(columns, numbers, strict=True))
        }
        self._in_force: dict[str, Alert] = {}
        self._untold: set[str] = set()
        """Until it is over, or moved clearly further: that of all rows, which is known of more rows, may be over first."""
        self._whole: Window = _nothing
        self._clearly_more: dict[int, bool] = {}
        """Of what was described in this pane, by place: whether it is news beside an alert of all rows."""

    def set_up(self) -> Steps[None]:
        """Make what takes long, some columns at a time."""
        yield from self._judge.set_up()

    @property
    def state(self) -> SegmentDriftState:
        """What is remembered: the arrays themselves, to be written before the next pane changes them."""
        return SegmentDriftState(
            self._panes.state, self._judge.state, tuple(self._in_force.values()), tuple(self._untold)
        )

    def restore(self, state: SegmentDriftState) -> None:
        """Go on from *state*; ValueError where it does not fit these segments. Throw it away then."""
        self._panes.restore(state.panes)
        self._judge.restore(state.judge)
        for alert in state.in_force:
            check_alert(alert)
            if alert.key not in self._place_of:
                raise ValueError("an alert of another segment")
            self._in_force[alert.key] = alert
        refuse("an alert of another segment", where=not self._place_of.keys() >= set(state.untold))
        self._untold.update(state.untold)

    def update(
        self, rows: NDArray[np.integer], at: float, whole: Window, *, told: Collection[str], came: Counts
    ) -> Steps[list[Alert]]:
        """In steps: takes the *rows* of the pane that ended *at*, shape (segments, columns of the reference, BINS).

        *whole* are the windows of all rows. *told* are the keys of the alerts on these that are in force; beside one of
        them a segment is no news unless it moved clearly further. *came*, shape (columns of the reference,), is 1 for the
        columns that ever came. The alerts whose state changed.
        """
        references = self._references
        if not references.columns:
            return []
        counts = rows[references.segments, references.places].astype(np.int64)
        counts *= came[references.places, np.newaxis]
        self._panes.add(counts)
        self._whole = whole
        self._clearly_more.clear()
        judged = yield from self._judge.update_in_steps(self._panes.close(at), at, self._window)
        return [alert for alert in judged if self._is_news(alert, told)]

    @property
    def in_force(self) -> Collection[str]:
        """Keys of the alerts that are pending or firing."""
        return self._in_force.keys()

    def withdraw(self, at: float, reason: str) -> list[Alert]:
        """The alerts in force, ended for this *reason*."""
        withdrawn = [ended(alert, at, reason) for alert in self._in_force.values()]
        self._in_force.clear()
        self._untold.clear()
        return withdrawn

    def scores(self, panes: int) -> list[Score]:
        """Of each segment those of the MOST_SCORED columns that moved most in the last *panes*."""
        references, window = self._references, self._panes.window(panes).counts
        if not references.columns:
            return []
        moved = psi(self._counts, window).value
        rank = np.lexsort((-moved, references.segments))
        first = np.searchsorted(references.segments, references.segments)
        places = np.sort(rank[np.arange(len(rank)) - first < MOST_SCORED])
        found: list[Score] = []
        for number in np.unique(references.segments).tolist():
            of_segment = places[references.segments[places] == number]
            at: list[int] = of_segment.tolist()
            columns = [references.columns[place] for place in at]
            found += (
                replace(each, segment=self._names[number])
                for each in scores(columns, self._counts[of_segment], window[of_segment])
                if each.statistic in _SHOWN
            )
        return found

    def _is_news(self, alert: Alert, told: Collection[str]) -> bool:
        """Whether *alert* is to be told; remembers that it is in force."""
        if alert.state not in {"pending", "firing"}:
            self._untold.discard(alert.key)
            return self._in_force.pop(alert.key, None) is not None
        place = self._place_of[alert.key]
        is_told = self._whole_keys[place] in told or alert.key in self._untold
        if alert.key not in self._in_force and is_told and not self._clearly_more.get(place, False):
            self._untold.add(alert.key)
            return False
        self._untold.discard(alert.key)
        self._in_force[alert.key] = alert
        return True

    def _others(self, place: int, event: int, current: Counts, panes: int) -> str:
        """How all other rows do, of the same column, event and panes."""
        references, null = self._references, self._judge.null
        bins = event_matrices(null.unseen_is_other[place : place + 1])[0, :, event].astype(np.int64)
        all_rows = self._whole(panes)[0][references.places[place]]
        before, after = references.others[place], np.maximum(all_rows - current, 0)
        others = shares_in(held_by(before, bins), held_by(after, bins))
        moved = have_moved(
            others,
            (int(before.sum()), int(after.sum())),
            phi=float(null.variation.phi[place, event]),
            gate=self._gate * float(null.event_parts[place, event]),
        )
        # By all bins: a column may move through those of one event.
        distances = np.sqrt(psi(np.stack([self._counts[place], before]), np.stack([current, after])).value)
        if not np.isnan(others.distance):  # there are others
            self._clearly_more[place] = is_clearly_more(*distances.tolist())
        return others_in_words(others, moved=moved)

    def _window(self, panes: int) -> tuple[Counts, int]:
        return (window := self._panes.window(panes)).counts, window.panes


def _nothing(panes: int) -> tuple[Counts, int]:
    raise ValueError(f"no pane was judged, {panes} are asked for")
