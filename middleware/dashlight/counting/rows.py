"""Rows of one model counted against one reference: over its bins, in pairs, along directions, and the last as they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.exemplars import ExemplarCollector, ExemplarPane
from dashlight.counting.joint import JointCounter, JointPane
from dashlight.counting.policy import Policy
from dashlight.counting.selection import watched_of
from dashlight.decode.cells.known_columns import as_known, known_columns
from dashlight.judge.directions.bets import Direction
from dashlight.records import Prediction, Role
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, Reference, columns_of
from dashlight.window.facets.facets import expanded, faceted
from dashlight.window.facets.label_counts import completed
from dashlight.window.joint_codes import joint_codes
from dashlight.window.layout import BINS
from dashlight.window.panes import merge
from dashlight.window.recent_collector import RecentCollector
from dashlight.window.recent_pane import RecentPane, merged_recent
from dashlight.window.tables import without_nulls

_ROLES: tuple[Role, Role] = ("feature", "output")
MOST_EXEMPLARS = 8
"""Panes of exemplars kept where several are merged: of each the judge needs the last in every bin."""


@dataclass(frozen=True, slots=True, eq=False)
class RowPane:
    """What was counted against one reference in one pane; panes of several processes merge."""

    reference: str
    """Version of the reference, which has to be the same for panes to merge."""
    counts: NDArray[np.int64]
    """Shape (columns, BINS)."""
    joint: JointPane
    recent: RecentPane | None
    exemplars: tuple[ExemplarPane, ...]
    unknown: tuple[str, ...]
    """Names, of the last batch that had any, that the reference does not know; some of them."""


class RowCounter:
    """Counts the rows of predictions over the bins of *reference*."""

    def __init__(self, reference: Reference, policy: Policy) -> None:
        """*policy* is that of the comparison that takes the panes."""
        self.reference = reference
        watched = watched_of(reference, policy)
        self._sides: list[_Side] = []
        begin = 0
        for role in _ROLES:
            columns = columns_of(reference, role)
            if columns:
                self._sides.append(_Side(role, columns, slice(begin, begin + len(columns))))
            begin += len(columns)
        self._counts = np.zeros((begin, BINS), np.int64)
        self._joint = JointCounter(reference, watched)
        self._left_out: frozenset[tuple[Role, str]] = frozenset((each.role, each.name) for each in reference.left_out)
        self._recent = RecentCollector(
            [each for each in watched.kept_as_they_came if each.kind != "vector"],
            known={*self._left_out, *((each.role, each.name) for each in reference.columns)},
        )
        self._exemplars = ExemplarCollector(begin)
        self._unknown: tuple[str, ...] = ()

    def add(self, prediction: Prediction, trace_ids: NDArray[np.void]) -> None:
        """Counts the rows of *prediction*; *trace_ids* holds 16 bytes for each exchange of its batch."""
        codes: dict[Role, NDArray[np.uint8]] = {}
        for side in self._sides:
            table = prediction.features if side.role == "feature" else prediction.outputs
            if not table.rows:
                continue
            if side.role == "output":
                table = without_nulls(table, side.names)
            table = as_known(table, side.known)
            whole, matrices = expanded(completed(table, side.names), side.kinds, widths=side.widths)
            held = side.binner.codes(whole)
            self._counts[side.columns] += side.binner.count(held)
            self._exemplars.keep(side.binner, held, trace_ids[table.exchange], columns=side.columns)
            self._recent.add(side.role, whole)
            codes[side.role] = held
            self._joint.observe(matrices)
            _, names = side.binner.unknown(whole)
            unknown = tuple(name for name in names if (side.role, name) not in self._left_out)
            self._unknown = unknown or self._unknown
        if codes:
            self._joint.add(joint_codes(codes, {side.role: len(side.binner.columns) for side in self._sides}))

    def follow(self, directions: Mapping[str, Direction]) -> None:
        """Bet along *directions* from now on: those that the judge learned, by name."""
        self._joint.follow(directions)

    def close(self) -> RowPane | None:
        """Ends the pane and begins an empty one; None where no row came."""
        if not self._counts.any():
            return None
        exemplars = self._exemplars.close()
        closed = RowPane(
            reference=self.reference.version,
            counts=self._counts,
            joint=self._joint.close(),
            recent=self._recent.close(),
            exemplars=() if exemplars is None else (exemplars,),
            unknown=self._unknown,
        )
        self._counts, self._unknown = np.zeros_like(self._counts), ()
        return closed


def merged_rows(panes: Sequence[RowPane]) -> RowPane:
    """Panes, at least one, that several processes counted against one reference; ValueError where they do not fit."""
    first = panes[0]
    if len(panes) == 1:
        return first
    joint = first.joint
    for pane in panes[1:]:
        joint = joint + pane.joint
    recent = [pane.recent for pane in panes if pane.recent is not None]
    return RowPane(
        reference=first.reference,
        counts=merge(*(pane.counts for pane in panes)),
        joint=joint,
        recent=merged_recent(recent) if recent else None,
        exemplars=tuple(each for pane in panes for each in pane.exemplars)[-MOST_EXEMPLARS:],
        unknown=next((pane.unknown for pane in reversed(panes) if pane.unknown), ()),
    )


class _Side:
    """The features of the reference, or its outputs."""

    def __init__(self, role: Role, columns: tuple[ColumnReference, ...], places: slice) -> None:
        self.role: Role = role
        self.columns = places
        """Their places among all columns."""
        self.binner = Binner(columns)
        self.known = known_columns(columns)
        self.names = frozenset(column.name for column in columns if not column.of)
        self.kinds, self.widths = faceted(columns)
