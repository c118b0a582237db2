"""One model and version at one endpoint, as one process counts it: against its references, or kept to be learned from."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.anomalies import Marks
from dashlight.counting.kept_rows import KeptRows, LearningRoom, bounded_rows, outputs_of
from dashlight.counting.matching import Matching, fits
from dashlight.counting.memory import counter_bytes, reference_bytes, segment_bytes
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.rows import RowCounter, RowPane, merged_rows
from dashlight.counting.scored.binned import Binned
from dashlight.decode.signals import SIGNALS
from dashlight.judge.columns.segmentation import segmentation_of, segments_missed
from dashlight.judge.directions.bets import Direction
from dashlight.judge.words import printable
from dashlight.records import Exchange, Prediction
from dashlight.window.columns import Reference, columns_of
from dashlight.window.parts.segments import SegmentPane, merged_segments
from dashlight.window.payloads.clusters import ClusterColumn
from dashlight.window.payloads.hashing import payload_key
from dashlight.window.reference.learning import Learning

logger = logging.getLogger(__name__)

MOST_BYTES = 32 << 20
"""Of rows to learn from that wait for the judge, of all processes together: it wants no more either."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelPane:
    """What was counted of one model in one pane."""

    compared: tuple[RowPane, ...] = ()
    """One for each reference."""
    rows: tuple[KeptRows, ...] = ()
    """Rows to learn a reference from, of each process that knew of none."""
    matched: str = ""
    """Under which names its columns were found in the reference, in a sentence for people; once for each reference."""
    left_out_rows: int = 0
    """Rows that were neither counted nor kept, for there was no memory for the model."""
    segments: SegmentPane | None = None
    """Against the first reference; None where nobody named segments."""

    @property
    def row_count(self) -> int:
        """Rows in it; of those beside a reference that lacks the outputs each counts once."""
        counted = sum(each.row_count for each in self.compared[:1])
        return max(counted, sum(kept.row_count for kept in self.rows))


@dataclass(frozen=True, slots=True)
class ModelBrief:
    """What the judge wants to be counted of one model."""

    references: tuple[str, ...]
    """Versions of those that it compares with."""
    directions: Mapping[str, Mapping[str, Direction]] = field(default_factory=dict[str, Mapping[str, Direction]])
    """By the version of the reference and the name."""
    repeated: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """Hashes of payloads that come too often on the machine, by the version of the reference."""


class ModelCounter:
    """Counts the rows of one model against the references that fit it; without one it keeps them to be learned from."""

    def __init__(self, key: tuple[str, str, str], policy: Policy, references: References, room: LearningRoom) -> None:
        """*key* is the endpoint, the model and its version; all models of the process share *room*."""
        self._key = key
        self._policy = policy
        self._references = references
        self._room = room
        self._counters: dict[str, RowCounter] = {}
        self._kept: Learning | None = None
        self._is_decided = False
        self._given = "" if references.given is None else references.given.version
        self._brief: ModelBrief | None = None
        self._matching = Matching()
        self._told: tuple[str, ...] = ()
        """What is to be told with the next pane: the judge's to say, once for all processes."""
        self._wanted_bytes = 0
        """What the reference would have taken for which there was no memory."""
        self._left_out_rows = 0
        self._cluster: ClusterColumn | None = None

    def add(
        self,
        prediction: Prediction,
        trace_ids: NDArray[np.void],
        marks: Marks | None = None,
        binned: list[Binned] | None = None,
        exchanges: Sequence[Exchange] = (),
    ) -> None:
        """Counts the rows of *prediction*, or keeps them; *trace_ids* holds 16 bytes for each of the *exchanges* of its batch.

        What is anomalous in an exchange is added to *marks*, the bins of its rows to *binned*.
        """
        prediction, keys = self._keyed(prediction)
        prediction = self._named(prediction)
        if not self._counters and not self._wanted_bytes:
            self._decide(prediction)
        if self._wanted_bytes and not self._counters:
            self._left_out_rows += max(prediction.features.rows, prediction.outputs.rows)
            return
        if not self._counters and self._kept is None:
            self._room.uncompared_rows += max(prediction.features.rows, prediction.outputs.rows)
        for counter in self._counters.values():
            # What says again what was just said is no evidence for the next one either, nor anything to learn.
            prediction, keys = counter.add(prediction, trace_ids, keys, marks, binned, exchanges=exchanges), None
            binned = None  # of what the next one gets nobody knows which rows it is
        if self._kept is not None and not self._kept.is_full:
            rows = outputs_of(prediction) if self._counters else prediction
            # Empty objects hold nothing to learn.
            if rows.has_columns:
                self._keep(rows, self._kept)

    def add_failed(
        self, prediction: Prediction, exchanges: Sequence[Exchange], outcomes: NDArray[np.uint8]
    ) -> Collection[int]:
        """Takes what *exchanges* of a batch asked that failed or were refused, as *outcomes* say: no rows of the model.

        Returns:
            The places of those whose rows are in the columns of a reference: of the others nobody knows where they belong.
        """
        given = self._references.given
        features = self._keyed(prediction)[0]
        if given is not None:
            features = self._matching.of(given, features).renamed(features)
        counters = self._counters.values()
        return {place for each in counters for place in each.add_failed(features, exchanges, outcomes)}

    @property
    def column_names(self) -> frozenset[str]:
        """Of the references that are counted against."""
        return frozenset(column.name for each in self._counters.values() for column in each.reference.columns)

    def close(self) -> ModelPane | None:
        """Ends the pane and begins an empty one; None where there is nothing to tell."""
        counters = self._counters.values()
        compared = tuple(pane for counter in counters if (pane := counter.close()) is not None)
        segments = next((each.closed_segments for each in counters if each.closed_segments is not None), None)
        rows: tuple[KeptRows, ...] = ()
        if self._kept is not None and self._kept.rows:
            rows = KeptRows.parts_of(self._kept.chunk, self._references.hash_key)
            self._kept = Learning(self._policy.reference_rows)
        self._look_at_given()
        left_out_rows, self._left_out_rows = self._left_out_rows, 0
        self._room.left_out_rows += left_out_rows
        if self._wanted_bytes and self._room.models.left_bytes >= self._wanted_bytes:
            self._wanted_bytes, self._is_decided = 0, False
            self._take_up(() if self._brief is None else self._brief.references)
        if not (compared or rows or left_out_rows):
            return None
        matched, self._told = "; ".join(self._told), ()
        return ModelPane(compared, rows, matched, left_out_rows, segments)

    def give_back(self) -> None:
        """Gives back the memory that it has: it is counted no longer."""
        for version in self._counters:
            self._room.models.give_back((*self._key, version))

    def follow(self, brief: ModelBrief) -> None:
        """Counts what the judge wants from now on."""
        if self._brief is None or brief.references != self._brief.references:
            if brief.references != tuple(self._counters):
                self._take_up(brief.references)
            self._brief = brief
        for version, directions in brief.directions.items():
            if version in self._counters:
                self._counters[version].follow(directions)
        for version, counter in self._counters.items():
            counter.know(brief.repeated.get(version, ()))

    def _keyed(self, prediction: Prediction) -> tuple[Prediction, Sequence[int] | None]:
        """*prediction* without the column by which rows hang together, and its hashes; None where it is not there."""
        given = self._references.given
        if given is None or not given.cluster:
            return prediction, None
        if self._cluster is None or self._cluster.name != given.cluster:
            key = self._references.hash_key
            number = payload_key(given.version) if key is None else key.number(given.version)
            self._cluster = ClusterColumn(given.cluster, number)
        return self._cluster.parted(prediction)

    def _named(self, prediction: Prediction) -> Prediction:
        """*prediction* under the names of the operator's reference, as far as they can be told."""
        given = self._references.given
        if given is None:
            return prediction
        found = self._matching.of(given, prediction)
        self._tell(self._matching.warning(found))
        return found.renamed(prediction)

    def _tell(self, sentence: str) -> None:
        self._told += (sentence,) if sentence else ()

    def _keep(self, rows: Prediction, kept: Learning) -> None:
        """Keeps *rows* to be learned from, as far as there is room; what is left out comes in a later pane."""
        room, before = self._room, kept.rows
        if not room.is_full:
            room.take(kept.add(rows, most_bytes=room.left_bytes))
        room.leave_out(max(rows.features.rows, rows.outputs.rows) - (kept.rows - before))

    def _look_at_given(self) -> None:
        """Decides anew where the operator has given another reference."""
        given = self._references.given
        if given is not None and given.version != self._given:
            self._given = given.version
            self._matching, self._told = Matching(), ()
            self._take_up(())

    def _decide(self, prediction: Prediction) -> None:
        """Compare with a reference, or keep rows for one.

        The first rows may come of a probe with an empty body: a file that fits later ones ends the keeping.
        """
        given = self._references.given
        if given is not None and fits(given, prediction):
            self._count_against(given)
            if columns_of(given, "output"):
                self._kept = None
                return
            beside = self._references.learned.load(*self._key, given.version)
            if beside is not None:
                self._count_against(beside)
            self._kept = Learning(self._policy.reference_rows) if beside is None else None
        elif not self._is_decided:
            learned = self._references.learned.load(*self._key)
            if learned is not None:
                self._count_against(learned)
            else:
                self._kept = Learning(self._policy.reference_rows)
        self._is_decided = True

    def _take_up(self, versions: Sequence[str]) -> None:
        """Count against the references of these *versions*, or decide anew where there is none."""
        held, self._counters = self._counters, {}
        for version in held.keys() - set(versions):
            self._room.models.give_back((*self._key, version))
        self._wanted_bytes = 0
        if not versions:
            self._kept, self._is_decided = None, False
            return
        self._is_decided = True
        found = self._references.found(*self._key)
        for version in versions:
            if version in held:
                self._counters[version] = held[version]
            elif version in found:
                self._count_against(found[version])
            else:
                name = " ".join(printable(part) for part in self._key if part)
                logger.warning("%s: this process knows nothing of the reference %s that is in force", name, version)
        # A file is completed by outputs that are learned; what was learned without any is all that there was.
        given = self._references.given
        is_incomplete = given is not None and list(versions) == [given.version] and not columns_of(given, "output")
        self._kept = (self._kept or Learning(self._policy.reference_rows)) if is_incomplete else None

    def _count_against(self, reference: Reference) -> None:
        is_given = reference is self._references.given
        key = (*self._key, reference.version)
        size_bytes = counter_bytes(reference) + (0 if is_given else reference_bytes(reference))
        if not self._room.models.take(key, size_bytes):
            self._wanted_bytes = size_bytes
            return
        # Business numbers have none, nor have outputs that were learned beside a file.
        has_segments = self._key[0] != SIGNALS and columns_of(reference, "feature")
        segmentation = segmentation_of(reference, self._policy.segments if has_segments else ())
        self._tell(segments_missed(segmentation))
        size_bytes += segment_bytes(segmentation, reference)
        if segmentation.columns and not self._room.models.take(key, size_bytes):
            self._tell("DASHLIGHT_SEGMENTS: no memory to count segments (DASHLIGHT_MEMORY)")
            segmentation = segmentation_of(reference, ())
        self._counters[reference.version] = RowCounter(reference, self._policy, segmentation)


def merged_models(panes: Sequence[ModelPane]) -> ModelPane:
    """What several processes counted of one model, as if one had."""
    if len(panes) == 1:
        return panes[0]
    by_version: dict[str, list[RowPane]] = {}
    for pane in panes:
        for rows in pane.compared:
            by_version.setdefault(rows.reference, []).append(rows)
    segments = [pane.segments for pane in panes if pane.segments is not None]
    return ModelPane(
        compared=tuple(merged_rows(alike) for alike in by_version.values()),
        rows=bounded_rows((each for pane in panes for each in pane.rows), MOST_BYTES),
        matched=next((pane.matched for pane in panes if pane.matched), ""),
        left_out_rows=sum(pane.left_out_rows for pane in panes),
        segments=merged_segments(segments) if segments else None,
    )
