"""Rows of one model against one reference: binned, counted pane by pane, judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.drift import DriftJudge
from dashlight.judge.quality import scores
from dashlight.records import Alert, Prediction, Role, Score
from dashlight.window.bins import Binner
from dashlight.window.layout import BINS
from dashlight.window.panes import Panes
from dashlight.window.reference import ColumnReference, Reference, columns_of, stacked_counts

_ROLES: tuple[Role, Role] = ("feature", "output")
_PLANES = 8
"""Slices of which an exemplar is kept for each bin, the last that fell into it."""
_MOST_EXEMPLARS = 5
_GROWN_BINS = 5
"""Bins looked at for exemplars: those that grew the most."""
_TRACE_ID = np.dtype("V16")
_NO_TRACE = np.zeros((), _TRACE_ID)


class Comparison:
    """Counts the rows of predictions over the bins of *reference*, and judges every pane that held any."""

    def __init__(
        self,
        reference: Reference,
        *,
        endpoint: str,
        model: str,
        version: str,
        panes_between_false_alarms: float,
        tolerance: float,
        share: float,
    ) -> None:
        """*share* is the part of the budget of false alarms that this comparison may use."""
        self.reference = reference
        self.columns = columns_in_order(reference)
        self._judge = DriftJudge(
            self.columns,
            panes=panes_between_false_alarms,
            tolerance=tolerance,
            share=share,
            model=model,
            version=version,
            endpoint=endpoint,
        )
        self._parts: list[tuple[Role, slice, Binner]] = []
        begin = 0
        for role in _ROLES:
            columns = columns_of(reference, role)
            if columns:
                self._parts.append((role, slice(begin, begin + len(columns)), Binner(columns)))
            begin += len(columns)
        self._places = {(column.role, column.name): place for place, column in enumerate(self.columns)}
        self._reference_counts = stacked_counts(self.columns)
        self._panes = Panes(len(self.columns))
        self._exemplars = np.zeros((_PLANES, len(self.columns), BINS), _TRACE_ID)
        # The pane of each plane, so that an exemplar of an alert is from after the change.
        self._pane_of_plane = [-1] * _PLANES
        self._slices = 0
        self.too_short = tuple(column.name for column in self._judge.too_short)
        """Columns whose reference is too short for their own variation: slow to alarm."""
        self.unknown_columns: tuple[str, ...] = ()
        """Names, of the last batch that had any, that the reference does not know; some of them."""

    def add(self, prediction: Prediction, trace_ids: NDArray[np.void]) -> None:
        """Counts the rows of *prediction*; *trace_ids* holds 16 bytes for each exchange of its batch."""
        exemplars = self._next_plane()
        for role, part, binner in self._parts:
            table = prediction.features if role == "feature" else prediction.outputs
            codes = binner.codes(table)
            self._panes.current[part] += binner.count(codes)
            binner.keep_last(codes, trace_ids[table.exchange], exemplars[part])
            unknown_count, names = binner.unknown(table)
            if unknown_count:
                self.unknown_columns = names

    def close_pane(self, at: float) -> list[Alert]:
        """Ends the pane and judges it; the alerts whose state changed. A pane without rows does not count."""
        if not self._panes.current.any():
            return []
        counts = self._panes.close(at)
        return [self._shown(alert) for alert in self._judge.update(counts, at, self._window)]

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*; none before the first has ended."""
        return scores(self.columns, self._reference_counts, self._panes.window(panes).counts)

    def _window(self, panes: int) -> tuple[NDArray[np.int64], int]:
        window = self._panes.window(panes)
        return window.counts, window.panes

    def _next_plane(self) -> NDArray[np.void]:
        """The plane of the slice that comes, free of what an earlier pane left there; shape (columns, BINS)."""
        place = self._slices % _PLANES
        self._slices += 1
        plane: NDArray[np.void] = self._exemplars[place]
        if self._pane_of_plane[place] != self._panes.closed:
            self._pane_of_plane[place] = self._panes.closed
            plane[:] = _NO_TRACE
        return plane

    def _shown(self, alert: Alert) -> Alert:
        """*alert* with exemplars: exchanges since the change with values in the bins that grew the most since."""
        if alert.state not in {"pending", "firing"} or alert.column is None or alert.role is None:
            return alert
        column = self._places[alert.role, alert.column]
        # Where the change is as old as the first pane, that pane is the moment since which it is told.
        since = self._panes.window(max(self._panes.since(alert.since_at).panes, 1))
        current, reference = since.counts[column], self._reference_counts[column]
        growth = current / max(current.sum(), 1) - reference / max(reference.sum(), 1)
        grown = [bin_ for bin_ in np.argsort(-growth)[:_GROWN_BINS].tolist() if growth[bin_] > 0]
        return replace(alert, exemplars=self._trace_ids(column, grown, since_pane=self._panes.closed - since.panes))

    def _trace_ids(self, column: int, bins: list[int], *, since_pane: int) -> tuple[str, ...]:
        """Trace ids of exchanges with a value in one of *bins*, newest slice first."""
        found: dict[str, None] = {}
        for back in range(1, _PLANES + 1):
            plane = (self._slices - back) % _PLANES
            if self._pane_of_plane[plane] >= since_pane:
                exemplars = self._exemplars[plane, column, bins]
                found.update(dict.fromkeys(bytes(each).hex() for each in exemplars[exemplars != _NO_TRACE]))
        return tuple(found)[:_MOST_EXEMPLARS]


def columns_in_order(reference: Reference) -> tuple[ColumnReference, ...]:
    """Columns of *reference*, features before outputs."""
    return tuple(column for role in _ROLES for column in columns_of(reference, role))
