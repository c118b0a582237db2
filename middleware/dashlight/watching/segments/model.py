"""The segments of one model, as long as there is memory for them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

from dashlight.counting.policy import Policy
from dashlight.counting.selection import watched_of
from dashlight.decode.signals import SIGNALS
from dashlight.judge.alert_budget import SEGMENTS, TRAFFIC
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.segments.references import LEAST_ROWS, rows_within
from dashlight.judge.words import listed, printable
from dashlight.records import Alert, Score
from dashlight.watching.joint import Labels
from dashlight.watching.memory import WatchRoom
from dashlight.watching.refused_panes import RefusedPanes
from dashlight.watching.rows import Comparison
from dashlight.watching.segments.state import SegmentsState
from dashlight.watching.segments.watch import PAIR_BYTES, SEGMENT_BYTES, SegmentWatch
from dashlight.watching.state import WatchedModel
from dashlight.window.parts.segments import Segmentation, SegmentPane
from dashlight.window.reference.steps import Steps, finished

logger = logging.getLogger(__name__)

GAVE_WAY = "segments gave way to what needs the memory more; DASHLIGHT_MEMORY says how much there is"


class ModelSegments:
    """Watches the segments of one model against the first of its references."""

    def __init__(self, key: WatchedModel, policy: Policy, room: WatchRoom, *, share: float) -> None:
        """*key* is the endpoint, the model and its version. *share* is the model's part of any budget of a machine."""
        self._key, self._policy, self._room, self._share = key, policy, room, share
        self._watch: SegmentWatch | None = None
        self._made: tuple[Comparison, float] | None = None
        self._refused = RefusedPanes()

    @property
    def states(self) -> Iterator[tuple[str, SegmentsState]]:
        """What outlives the process, with the version of the reference; nothing where nothing is watched."""
        if self._made is not None and self._watch is not None:
            yield self._made[0].reference.version, self._watch.state

    def restore(self, version: str, state: SegmentsState) -> None:
        """Goes on from *state*; ValueError, and as new, where it does not fit. Of other segments they begin anew."""
        if self._watch is None or self._made is None or self._made[0].reference.version != version:
            return
        if not self._watch.is_of(state):
            logger.info("%s: the segments are others now: they begin anew", self._named())
            return
        try:
            self._watch.restore(state)
        except ValueError:
            finished(self.begin(*self._made))
            raise

    def begin(self, comparison: Comparison, share: float) -> Steps[None]:
        """In steps: watches the segments beside *comparison*, which has this *share* of the budget of columns."""
        self._watch, self._made = None, None
        policy, reference = self._policy, comparison.reference
        if not policy.segments or self._key[0] == SIGNALS:
            return
        segmentation = segmentation_of(reference, policy.segments)
        if not segmentation.count:
            return
        watched = watched_of(reference, policy)
        column_count = self._fitting(comparison, segmentation, len(watched.columns))
        if column_count is None:
            logger.warning(
                "%s: there is no memory for segments; DASHLIGHT_MEMORY says how much there is", self._named()
            )
            return
        self._tell(comparison, segmentation, column_count, len(watched.columns))
        endpoint, model, version = self._key
        watch = SegmentWatch(
            comparison,
            segmentation,
            watched.columns[:column_count],
            policy,
            Labels(endpoint=endpoint, model=model, version=version),
            drift_share=share * watched.parts.segments,
            traffic_share=self._share * TRAFFIC * SEGMENTS,
        )
        yield from watch.set_up()
        self._watch, self._made = watch, (comparison, share)

    def close_pane(
        self, pane: SegmentPane | None, at: float, *, has_rows: bool, told: Collection[str]
    ) -> Steps[list[Alert]]:
        """In steps: judges the *pane* that ended *at*; see `SegmentWatch.close_pane`."""
        if self._watch is None:
            return []
        if not self._room.has_segments(self._key):
            logger.warning("%s: %s", self._named(), GAVE_WAY)
            return self.end(at, GAVE_WAY)
        if pane is None:
            return []
        if not self._watch.fits(pane):
            self._refused.refuse(self._named(), "segments", "counted other segments")
            return []
        return (yield from self._watch.close_pane(pane, at, has_rows=has_rows, told=told))

    def end(self, at: float, reason: str) -> list[Alert]:
        """Watches no segments any more; the alerts in force, ended for this *reason*."""
        watch, self._watch, self._made = self._watch, None, None
        self._room.give_back_segments(self._key)
        return [] if watch is None else watch.withdraw(at, reason)

    @property
    def in_force(self) -> Iterator[str]:
        """Keys of the alerts that are pending or firing."""
        if self._watch is not None:
            yield from self._watch.in_force

    def scores(self, panes: int) -> list[Score]:
        """The scores of the last *panes*, each of a segment."""
        return ([] if self._watch is None else self._watch.scores(panes)) + self._refused.scores()

    def _fitting(self, comparison: Comparison, segmentation: Segmentation, columns: int) -> int | None:
        """How many of so many *columns* can be judged within each segment; None where there is no memory for anything."""
        reference = comparison.reference
        judged = int((rows_within(reference, segmentation) >= LEAST_ROWS).sum())
        left_bytes = self._room.segments_bytes - SEGMENT_BYTES * segmentation.count
        if left_bytes < 0:
            return None
        fitting = min(columns, left_bytes // (PAIR_BYTES * judged)) if judged else 0
        size_bytes = SEGMENT_BYTES * segmentation.count + PAIR_BYTES * judged * fitting
        return fitting if self._room.take_segments(self._key, size_bytes) else None

    def _tell(self, comparison: Comparison, segmentation: Segmentation, judged: int, columns: int) -> None:
        """What is not judged of segments, and why."""
        reference, named = comparison.reference, self._named()
        if reference.sample is None:
            logger.warning(
                "%s: the reference has no sample of rows: drift is not judged by segment; build it anew", named
            )
            return
        rows = rows_within(reference, segmentation)
        # Of `other` the reference often has none at all, which is no news.
        few = [name for name, count in zip(segmentation.names, rows.tolist(), strict=True) if 0 < count < LEAST_ROWS]
        if few:
            told = "%s: fewer than %d rows of the reference's sample are in %s: no drift is judged there"
            logger.info(told, named, LEAST_ROWS, listed(few))
        if judged < columns and (rows >= LEAST_ROWS).any():
            told = "%s: within segments there is memory for %d of %d columns; DASHLIGHT_MEMORY says how much there is"
            logger.warning(told, named, judged, columns)

    def _named(self) -> str:
        return " ".join(printable(part) for part in self._key if part)
