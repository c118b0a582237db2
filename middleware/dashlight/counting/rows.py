"""Rows of one model counted against one reference: over its bins, in pairs, along directions, and the last as they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.anomalies import Anomalies, Marks
from dashlight.counting.exemplars import ExemplarCollector, ExemplarPane, batch_trace_ids
from dashlight.counting.joint import JointCounter, JointPane
from dashlight.counting.parts.sampling import RowSampler
from dashlight.counting.parts.segments import SegmentCounter
from dashlight.counting.policy import Policy
from dashlight.counting.repetition import LEAST_ROWS, Parted, parted, repetition_filter, stretch_panes
from dashlight.counting.scored.binned import Binned
from dashlight.counting.selection import watched_of
from dashlight.decode.cells.known_columns import as_known, as_sent, known_columns, never_texts
from dashlight.judge.directions.bets import Direction
from dashlight.privacy.names import is_tellable
from dashlight.records import Exchange, Prediction, Role, Table
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, Reference, columns_of
from dashlight.window.facets.facets import Matrix, expanded, faceted
from dashlight.window.facets.label_counts import completed
from dashlight.window.joint_codes import joint_codes
from dashlight.window.layout import BINS
from dashlight.window.panes import merge
from dashlight.window.parts.sampled_rows import SampledRows, joined_sampled
from dashlight.window.parts.segments import Segmentation, SegmentPane
from dashlight.window.payloads.clusters import Clusters
from dashlight.window.payloads.repetition import RepetitionPane, merged_repetition
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.recent.pane import RecentPane, merged_recent
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
    repetition: RepetitionPane | None = None
    """None where rows repeat by nature. What it says was left out is in none of the above, ..."""
    repeated: NDArray[np.int64] | None = None
    """... but here, with the rows by which those of one key exceed what they are worth, shape (columns, BINS); None where
    nothing was left out."""
    sampled: SampledRows | None = None
    """Some of the rows, side by side, those of failed and refused exchanges among them."""

    @property
    def row_count(self) -> int:
        """All rows, those that were left out too."""
        return int(self.counts[:1].sum()) + (0 if self.repeated is None else int(self.repeated[:1].sum()))


class RowCounter:
    """Counts the rows of predictions over the bins of *reference*."""

    def __init__(self, reference: Reference, policy: Policy, segmentation: Segmentation | None = None) -> None:
        """*policy* is that of the comparison that takes the panes, *segmentation* that of *reference*; None: no segments."""
        self.reference = reference
        has_segments = segmentation is not None and segmentation.columns
        self._segments = SegmentCounter(reference, segmentation) if segmentation is not None and has_segments else None
        self.closed_segments: SegmentPane | None = None
        """What was counted by segment in the pane that was closed last."""
        watched = watched_of(reference, policy)
        self._sides: list[_Side] = []
        begin = 0
        for role in _ROLES:
            columns = columns_of(reference, role)
            if columns:
                self._sides.append(_Side(role, columns, slice(begin, begin + len(columns)), watched.columns))
            begin += len(columns)
        self._counts = np.zeros((begin, BINS), np.int64)
        self._joint = JointCounter(reference, watched)
        self._left_out: frozenset[tuple[Role, str]] = frozenset((each.role, each.name) for each in reference.left_out)
        self._recent = RecentCollector(
            [each for each in watched.kept_as_they_came if each.kind != "vector"],
            known={*self._left_out, *((each.role, each.name) for each in reference.columns)},
        )
        self._exemplars = ExemplarCollector(begin)
        self._sampler = RowSampler(reference)
        self._unknown: tuple[str, ...] = ()
        self._repetition = repetition_filter(reference, watched.hidden, pane_seconds=policy.pane_seconds)
        self._clusters = Clusters(reference.largest_cluster)
        self._minute_panes, self._longest_panes = stretch_panes(policy.pane_seconds)
        self._stretch_panes = 0
        self._repeated: NDArray[np.int64] | None = None

    def add(
        self,
        prediction: Prediction,
        trace_ids: NDArray[np.void],
        keys: Sequence[int] | None = None,
        marks: Marks | None = None,
        binned: list[Binned] | None = None,
        *,
        exchanges: Sequence[Exchange] = (),
    ) -> Prediction:
        """Counts the rows of *prediction*; *trace_ids* holds 16 bytes for each of the *exchanges* of its batch.

        What is anomalous in an exchange is added to *marks*, also of rows that do not count. *keys* says of each row of features by what it hangs together with others; None where nobody knows. The bins of the rows that
        count are added to *binned*, where it can be told which rows they are.

        Returns:
            The rows that count: without those that say again what was just said, and as many as the keys are worth.
        """
        rows: NDArray[np.intp] | None = None
        if self._repetition is not None:
            found = self._repetition.part(prediction, self._codes_of, trace_ids)
            prediction, rows = self._taken(found, marks), found.rows
            if found.repeated is not None and rows is None:
                binned = None
            if keys is not None and rows is not None:
                places: list[int] = rows.tolist()
                keys = [keys[place] for place in places]
        if keys is not None:
            chosen = self._clusters.chosen(keys)
            if not chosen.all():
                rows = np.flatnonzero(chosen) if rows is None else rows[chosen]
                prediction = self._taken(parted(prediction, "feature", ~chosen), marks)
        codes: dict[Role, NDArray[np.uint8]] = {}
        of_exchange: dict[Role, NDArray[np.intp]] = {}
        for side in self._sides:
            table = side.table_of(prediction)
            if not table.rows:
                continue
            known = as_known(table, side.known)
            whole, matrices = side.expanded(known)
            held = side.binner.codes(whole)
            counts = side.binner.count(held)
            self._counts[side.columns] += counts
            if self._repetition is not None and side.role == self._repetition.role:
                self._repetition.observe(counts)
            if marks is not None:
                side.anomalies.mark(held, table.exchange, marks)
            self._exemplars.keep(side.binner, held, trace_ids[table.exchange], columns=side.columns)
            self._recent.add(side.role, whole if known is table else as_sent(whole, table, side.never_texts))
            codes[side.role], of_exchange[side.role] = held, table.exchange
            self._joint.observe(matrices)
            _, names = side.binner.unknown(whole)
            unknown = tuple(name for name in names if (side.role, name) not in self._left_out and is_tellable(name))
            self._unknown = unknown or self._unknown
        if codes:
            if binned is not None:
                binned.append(Binned(self.reference, codes, rows))
            self._sampler.add(codes, of_exchange, exchanges, trace_ids)
            if self._segments is not None:
                self._segments.add(codes, of_exchange, exchanges)
            self._joint.add(joint_codes(codes, {side.role: len(side.binner.columns) for side in self._sides}))
        return prediction

    def add_failed(
        self, prediction: Prediction, exchanges: Sequence[Exchange], outcomes: NDArray[np.uint8]
    ) -> Sequence[int]:
        """Takes rows of *exchanges* that failed or were refused, as *outcomes* say: they count by segment, and may be drawn.

        Returns:
            The places of the exchanges whose rows have a feature of the reference.
        """
        table = prediction.features
        features = next((side for side in self._sides if side.role == "feature"), None)
        if features is None or not table.rows or features.names.isdisjoint(table.number_names + table.cell_names):
            return ()
        codes: dict[Role, NDArray[np.uint8]] = {"feature": self._codes_of("feature", table)}
        of_exchange: dict[Role, NDArray[np.intp]] = {"feature": table.exchange}
        self._sampler.add(codes, of_exchange, exchanges, batch_trace_ids(exchanges), outcomes)
        if self._segments is not None:
            self._segments.add_failed(codes["feature"], table.exchange, outcomes)
        places: list[int] = table.exchange.tolist()
        return places

    def _taken(self, found: Parted, marks: Marks | None) -> Prediction:
        """The rows that count; the others are counted for the totals."""
        if found.repeated is not None:
            self._leave_out(found.repeated, marks)
        return found.fresh

    def _leave_out(self, prediction: Prediction, marks: Marks | None) -> None:
        if self._repeated is None:
            self._repeated = np.zeros_like(self._counts)
        for side in self._sides:
            table = side.table_of(prediction)
            if table.rows:
                whole, _ = side.expanded(as_known(table, side.known))
                held = side.binner.codes(whole)
                self._repeated[side.columns] += side.binner.count(held)
                if marks is not None:
                    side.anomalies.mark(held, table.exchange, marks)

    def _codes_of(self, role: Role, table: Table) -> NDArray[np.uint8]:
        side = next(side for side in self._sides if side.role == role)
        return side.binner.codes(side.expanded(as_known(table, side.known))[0])

    def follow(self, directions: Mapping[str, Direction]) -> None:
        """Bet along *directions* from now on: those that the judge learned, by name."""
        self._joint.follow(directions)

    def know(self, repeated: Sequence[int]) -> None:
        """From now on leave out the payloads of these hashes: they come too often on the machine."""
        if self._repetition is not None:
            self._repetition.know(repeated)

    def close(self) -> RowPane | None:
        """Ends the pane and begins an empty one; None where no row came. Where all failed, it has sampled rows alone."""
        self._stretch_panes += 1
        is_long = self._stretch_panes >= self._minute_panes and self._clusters.rows >= LEAST_ROWS
        if is_long or self._stretch_panes >= self._longest_panes:
            self._clusters.turn()
            self._stretch_panes = 0
        sampled = self._sampler.close()
        self.closed_segments = None if self._segments is None else self._segments.close()
        if not self._counts.any() and self._repeated is None and sampled is None:
            if self._repetition is not None:
                self._repetition.close()
            return None
        exemplars = self._exemplars.close()
        closed = RowPane(
            reference=self.reference.version,
            counts=self._counts,
            joint=self._joint.close(),
            recent=self._recent.close(),
            exemplars=() if exemplars is None else (exemplars,),
            unknown=self._unknown,
            repetition=None if self._repetition is None else self._repetition.close(),
            repeated=self._repeated,
            sampled=sampled,
        )
        self._counts, self._unknown, self._repeated = np.zeros_like(self._counts), (), None
        return closed


def merged_rows(panes: Sequence[RowPane]) -> RowPane:
    """Panes, at least one, that several processes counted against one reference; ValueError where they do not fit."""
    first = panes[0]
    if len(panes) == 1:
        return first
    joint = first.joint
    for pane in panes[1:]:
        joint = joint + pane.joint
    repetition = [pane.repetition for pane in panes if pane.repetition is not None]
    repeated = [pane.repeated for pane in panes if pane.repeated is not None]
    recent = [pane.recent for pane in panes if pane.recent is not None]
    sampled = [pane.sampled for pane in panes if pane.sampled is not None]
    return RowPane(
        reference=first.reference,
        counts=merge(*(pane.counts for pane in panes)),
        joint=joint,
        recent=merged_recent(recent) if recent else None,
        exemplars=tuple(each for pane in panes for each in pane.exemplars)[-MOST_EXEMPLARS:],
        unknown=next((pane.unknown for pane in reversed(panes) if pane.unknown), ()),
        repetition=merged_repetition(repetition) if repetition else None,
        repeated=merge(*repeated) if repeated else None,
        sampled=joined_sampled(sampled) if sampled else None,
    )


class _Side:
    """The features of the reference, or its outputs."""

    def __init__(
        self, role: Role, columns: tuple[ColumnReference, ...], places: slice, watched: Sequence[ColumnReference]
    ) -> None:
        self.role: Role = role
        self.columns = places
        """Their places among all columns."""
        self.binner = Binner(columns)
        self.anomalies = Anomalies(columns, {column.name for column in watched if column.role == role})
        self.known = known_columns(columns)
        self.never_texts = never_texts(columns)
        self.names = frozenset(column.name for column in columns if not column.of)
        self.kinds, self.widths = faceted(columns)

    def table_of(self, prediction: Prediction) -> Table:
        """The rows of this side; of outputs without the columns that no row has."""
        if self.role == "feature":
            return prediction.features
        return without_nulls(prediction.outputs, self.names) if prediction.outputs.rows else prediction.outputs

    def expanded(self, table: Table) -> tuple[Table, Mapping[str, Matrix]]:
        """*table*, read by what is known, with the facets of its texts and lists, and these as matrices."""
        return expanded(completed(table, self.names), self.kinds, widths=self.widths)
