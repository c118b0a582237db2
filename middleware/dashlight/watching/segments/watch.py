"""All segments of one model against one reference: drift of their columns, failures, refusals and latency."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from dashlight.counting.policy import Policy
from dashlight.judge.segments.drift import SegmentDrift
from dashlight.judge.segments.references import LEAST_ROWS, rows_within, segment_references
from dashlight.judge.segments.traffic import SegmentTraffic
from dashlight.records import Alert, Score
from dashlight.watching.joint import Labels
from dashlight.watching.rows import Comparison
from dashlight.watching.segments.state import SegmentsState
from dashlight.window.columns import ColumnReference
from dashlight.window.fitting import refuse
from dashlight.window.layout import BINS
from dashlight.window.parts.segments import Segmentation, SegmentPane
from dashlight.window.reference.steps import Steps

logger = logging.getLogger(__name__)

PAIR_BYTES, SEGMENT_BYTES = 60_000, 700_000
"""Of a column within a segment, and of a segment's traffic."""


class SegmentWatch:
    """Judges what was counted by segment, beside the comparison of all rows."""

    def __init__(
        self,
        comparison: Comparison,
        segmentation: Segmentation,
        columns: Sequence[ColumnReference],
        policy: Policy,
        labels: Labels,
        *,
        drift_share: float,
        traffic_share: float,
    ) -> None:
        """*columns* are those that are judged within segments. The shares are parts of the budget of false alarms.

        It is of no use before `set_up` is done.
        """
        self._comparison, self._segmentation, self._columns = comparison, segmentation, tuple(columns)
        self._policy, self._labels, self._drift_share = policy, labels, drift_share
        self._names = segmentation.names
        self._reference_rows = rows_within(comparison.reference, segmentation)
        self._drift: SegmentDrift | None = None
        self._traffic = SegmentTraffic(
            segmentation,
            rows=policy.reference_rows,
            panes=policy.panes_between_false_alarms,
            tolerance=policy.tolerance,
            share=traffic_share,
            **labels,
        )

    def set_up(self) -> Steps[None]:
        """Make what takes long, one segment, or some columns, at a time."""
        if self._comparison.reference.sample is None or not self._columns:
            return
        policy = self._policy
        references = yield from segment_references(self._comparison.reference, self._segmentation, self._columns)
        if not references.columns:
            return
        drift = SegmentDrift(
            references,
            self._names,
            panes=policy.panes_between_false_alarms,
            tolerance=policy.tolerance,
            share=self._drift_share,
            importance=self._comparison.importance,
            **self._labels,
        )
        yield from drift.set_up()
        self._drift = drift

    @property
    def state(self) -> SegmentsState:
        """What outlives the process: all but what follows from the reference and the policy."""
        return SegmentsState(
            names=self._names,
            judged=tuple(column.name for column in self._columns),
            drift=None if self._drift is None else self._drift.state,
            traffic=self._traffic.state,
        )

    def is_of(self, state: SegmentsState) -> bool:
        """Whether *state* is of these segments, and of the same columns within them."""
        return state.names == self._names and state.judged == tuple(column.name for column in self._columns)

    def restore(self, state: SegmentsState) -> None:
        """Goes on from *state*, of the same segments; ValueError where it does not fit. Throw it away then."""
        refuse("drift of segments that are not judged", where=(state.drift is None) != (self._drift is None))
        self._traffic.restore(state.traffic)
        if self._drift is not None and state.drift is not None:
            self._drift.restore(state.drift)

    def fits(self, pane: SegmentPane) -> bool:
        """Whether *pane* is of these segments."""
        shape = (len(self._names), len(self._comparison.columns), BINS)
        return pane.reference == self._comparison.reference.version and pane.rows.shape == shape

    def close_pane(self, pane: SegmentPane, at: float, *, has_rows: bool, told: Collection[str]) -> Steps[list[Alert]]:
        """In steps: judges the *pane* that ended *at*, after all rows were; the alerts whose state changed.

        *has_rows*: the comparison of all rows closed a pane as well. *told* are quantities of the endpoint's traffic with
        an alert in force.
        """
        alerts = yield from self._traffic.update(pane, at, told=told)
        yield
        if self._drift is not None and has_rows:
            comparison = self._comparison
            came = comparison.came.astype(np.int64)
            in_force = comparison.in_force
            alerts += yield from self._drift.update(pane.rows, at, comparison.window, told=in_force, came=came)
        return alerts

    @property
    def in_force(self) -> Iterator[str]:
        """Keys of the alerts that are pending or firing."""
        yield from self._traffic.in_force
        if self._drift is not None:
            yield from self._drift.in_force

    def withdraw(self, at: float, reason: str) -> list[Alert]:
        """The alerts in force, ended for this *reason*."""
        drift = [] if self._drift is None else self._drift.withdraw(at, reason)
        return self._traffic.withdraw(at, reason) + drift

    def scores(self, panes: int) -> list[Score]:
        """Of each segment what came in the last *panes*, what moved most, and from how many rows its reference was counted.

        `is_judged` is 0 where these are too few, or where there is no memory, for drift to be judged.
        """
        rows = int(self._comparison.window(panes)[0].sum(axis=1).max(initial=0))
        found = self._traffic.scores(panes, all_rows=rows)
        for name, count in zip(self._names, self._reference_rows.tolist(), strict=True):
            judged = float(self._drift is not None and count >= LEAST_ROWS)
            found.append(Score(None, None, "is_judged", judged, judged, judged, count, segment=name))
        return found + ([] if self._drift is None else self._drift.scores(panes))
