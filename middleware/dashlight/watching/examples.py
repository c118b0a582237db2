"""Alerts on columns as they are shown: under the names of the user's columns, with example exchanges."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.exemplars import Exemplars
from dashlight.records import Alert, Role
from dashlight.watching.slices.risen import risen_bins
from dashlight.window.columns import ColumnReference, stacked_counts
from dashlight.window.layout import BINS, NULL
from dashlight.window.panes import Panes


class Examples:
    """Exchanges with values in each bin of each of the *columns*, kept beside the *panes* in which these were counted."""

    def __init__(self, columns: Sequence[ColumnReference], panes: Panes) -> None:
        self.kept = Exemplars(len(columns))
        """All of them."""
        self._columns = tuple(columns)
        self._places = {(column.role, column.name): place for place, column in enumerate(columns)}
        self._reference_counts = stacked_counts(columns)
        self._panes = panes

    def of_missing(self, role: Role, column: str, since_at: float) -> tuple[str, ...]:
        """Trace ids of exchanges after *since_at* without a value in *column*; none where it is not of these."""
        place = self._places.get((role, column))
        if place is None:
            return ()
        missing = np.zeros(BINS, np.int64)
        missing[NULL] = 1
        panes = max(self._panes.since(since_at).panes, 1)
        return self.kept.of(
            place, current=missing, reference=np.zeros_like(missing), since_pane=self._panes.closed - panes
        )

    def rose(self, place: int, since_at: float) -> NDArray[np.bool_]:
        """Shape (256,): which codes are in the bins of the column at *place* that rose since then, against the reference."""
        current = self._panes.window(max(self._panes.since(since_at).panes, 1)).counts[place]
        is_numeric = self._columns[place].kind == "numeric"
        return risen_bins(self._reference_counts[place], current, is_numeric=is_numeric)

    def shown(self, alert: Alert) -> Alert:
        """*alert* of its column, with exchanges since the change that have values in the bins that grew the most.

        A facet is a thing of ours; its column is the user's. The summary names the facet.
        """
        if alert.column is None or alert.role is None:
            return alert
        place = self._places[alert.role, alert.column]
        alert = replace(alert, column=self._columns[place].of or alert.column)
        if alert.state not in {"pending", "firing"}:
            return alert
        # Where the change is as old as the first pane, that pane is the moment since which it is told.
        since = self._panes.window(max(self._panes.since(alert.since_at).panes, 1))
        exemplars = self.kept.of(
            place,
            current=since.counts[place],
            reference=self._reference_counts[place],
            since_pane=self._panes.closed - since.panes,
        )
        return replace(alert, exemplars=exemplars)
