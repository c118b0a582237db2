"""Which rows of traffic say again what was just said: they are counted, and are no evidence.

A client that sends one payload thirty times (a retry storm, a load test, a probe) is one row said thirty times. A payload
counts as often as can be likely: of n rows in the last minute, n p + 3 sqrt(n p) + 1 times, where p is the largest of

- its share of the rows of the reference, and
- the share that it would have by chance: the product of the shares of its bins, each in its column, among the rows that
  were no repeats, the rarest of them left out. Where a column is stuck at one value, rows are alike and no repeats. Of one
  other bin, that with the most values in it, the part counts that one exact value makes of it.

What comes more often is left out of all that is judged. Where most rows of the reference have a twin (a few booleans,
eight possible rows) rows are alike by nature, and none is left out.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Prediction, Role, Table
from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference, Reference, columns_of
from dashlight.window.facets.facets import FACETED
from dashlight.window.layout import TYPE_ERROR
from dashlight.window.payload_reference import PayloadReference
from dashlight.window.payloads.hashing import PayloadHasher
from dashlight.window.payloads.heavy_hitters import HeavyHitters
from dashlight.window.payloads.repetition import (
    MINUTE_SECONDS,
    MOST_TOLD,
    RepeatedPayload,
    RepetitionPane,
    sum_of_alike,
)
from dashlight.window.tables import NO_EXCHANGE, taken

LEAST_ALONE = 0.5
"""Part of the reference's rows that are like no other, from which on a row that comes again is a repeat."""
LIKELY_DEVIATIONS = 3.0
LEAST_ROWS = 300
"""Where a minute brings fewer, as many rows are looked back on, ..."""
LONGEST_SECONDS = 3600.0
"""... for an hour at most."""
MOST_COUNTED = 512
"""Payloads counted at once: one of which more than a 512th of the rows come is never missed."""
_PRIOR_ROWS = 50.0
"""The shares of values begin as those of the reference, worth so many rows."""
_SMALLEST = 1e-12
_MOST_HELD = 64
"""Payloads that are told apart within a pane."""

Codes = NDArray[np.uint8]
CodesOf = Callable[[Role, Table], Codes]
"""The bins of rows in the columns of their role, shape (columns, rows)."""


@dataclass(frozen=True, slots=True, eq=False)
class Parted:
    """Rows of a batch: those that count, and those that repeat them."""

    fresh: Prediction
    repeated: Prediction | None
    """None where nothing is repeated, which is the usual case."""
    rows: NDArray[np.intp] | None = None
    """Places of the features that count; None: all."""


class RepetitionFilter:
    """Parts the rows of one model into those that say something and those that say it again."""

    def __init__(
        self, reference: Reference, payloads: PayloadReference, hidden: Collection[str], *, pane_seconds: float
    ) -> None:
        """*payloads* are those of *reference*; what its *hidden* columns say makes no payload another."""
        columns = columns_of(reference, payloads.role)
        self.role: Role = payloads.role
        """Of the rows that make a payload."""
        self._reference_counts = dict(zip(payloads.hashes.tolist(), payloads.counts.tolist(), strict=True))
        self._unlisted, self._reference_rows = payloads.unlisted_count, max(payloads.rows, 1)
        self._names = frozenset(column.name for column in columns if not column.of) - frozenset(hidden)
        self._hasher = PayloadHasher(self._names, payloads.key)
        # What is left of a text or a list to count says that it is there, which is nothing.
        self._telling = np.array([column.kind not in FACETED or bool(column.of) for column in columns], np.bool_)
        self._exact = np.array([_exact_part(column) for column in columns])
        self._prior = _PRIOR_ROWS * reference_shares(columns)
        self._minute_panes, self._longest_panes = stretch_panes(pane_seconds)
        self._known: Collection[int] = frozenset()
        """Repeated on the whole machine, as the judge says: here they need not be seen twice."""
        self._now, self._before = _Stretch(self._prior), _Stretch(self._prior)
        self._pane_rows, self._pane_exchanges, self._pane_left_out = 0, 0, 0
        self._told: dict[int, RepeatedPayload] = {}

    def part(self, prediction: Prediction, codes_of: CodesOf, trace_ids: NDArray[np.void]) -> Parted:
        """Take the rows of *prediction*; *trace_ids* holds 16 bytes for each exchange of its batch."""
        table = prediction.features if self.role == "feature" else prediction.outputs
        self._pane_rows += table.rows
        self._pane_exchanges += _exchanges(table)
        if not table.rows or self._names.isdisjoint(table.number_names + table.cell_names):
            return Parted(prediction, None)
        hashes: list[int] = self._hasher.hashes(table).tolist()
        seen = self._now.seen
        seen.add(hashes)
        now, before, known = seen.counts, self._before.seen.counts, self._known
        often = {each for each in hashes if now.get(each, 0) > 1 or each in before or each in known}
        return (
            self._parted_often(prediction, table, (hashes, often), codes_of, trace_ids)
            if often
            else Parted(prediction, None)
        )

    def _parted_often(
        self,
        prediction: Prediction,
        table: Table,
        found: tuple[list[int], set[int]],
        codes_of: CodesOf,
        trace_ids: NDArray[np.void],
    ) -> Parted:
        """What part of the rows of *table* says again what was said; *found* are its hashes, and those that came before."""
        hashes, often = found
        rows_of: dict[int, list[int]] = {}
        for row, each in enumerate(hashes):
            if each in often:
                rows_of.setdefault(each, []).append(row)
        codes = codes_of(self.role, taken(table, np.array([rows[0] for rows in rows_of.values()], np.intp)))
        repeated = np.zeros(table.rows, np.bool_)
        for (each, rows), chance in zip(rows_of.items(), self._chance(codes).tolist(), strict=True):
            over = rows[self._quota(each, len(rows), chance) :]
            if not over:
                continue
            repeated[over] = True
            self._now.left_out.add([each], len(over))
            trace = trace_ids[table.exchange[over[-1]]].tobytes()
            self._tell(RepeatedPayload(each, len(rows), len(over), (trace.hex(),) if any(trace) else ()))
            self._pane_left_out += len(over)
        return parted(prediction, self.role, repeated) if repeated.any() else Parted(prediction, None)

    def observe(self, counts: NDArray[np.int64]) -> None:
        """Note the bins, shape (columns of the role, BINS), of rows that count."""
        self._now.counts += counts

    def know(self, hashes: Collection[int]) -> None:
        """From now on none of the payloads of these *hashes* counts: another process counts it."""
        self._known = frozenset(hashes)

    def close(self) -> RepetitionPane:
        """End the pane and begin an empty one."""
        told = sorted(self._told.values(), key=lambda each: -each.left_out)[:MOST_TOLD]
        closed = RepetitionPane(self._pane_rows, self._pane_exchanges, self._pane_left_out, tuple(told))
        self._pane_rows, self._pane_exchanges, self._pane_left_out, self._told = 0, 0, 0, {}
        now = self._now
        now.panes += 1
        is_long = now.panes >= self._minute_panes and now.seen.total >= LEAST_ROWS
        if is_long or now.panes >= self._longest_panes:
            self._now, self._before = _Stretch(self._prior), now
        return closed

    def _quota(self, payload: int, rows: int, chance: float) -> int:
        """How many of so many *rows* with one *payload* count, the last that came."""
        stretches = (self._now, self._before)
        came = sum(each.seen.counts.get(payload, 0) - each.left_out.counts.get(payload, 0) for each in stretches)
        share = max(self._reference_counts.get(payload, self._unlisted) / self._reference_rows, chance)
        likely = share * sum(each.seen.total for each in stretches)
        own = 0 if payload in self._known else 1
        allowed = int(likely + LIKELY_DEVIATIONS * sqrt(likely) + own)
        return min(max(allowed - max(came - rows, 0), 0), rows)

    def _chance(self, codes: Codes) -> NDArray[np.float64]:
        """The share that rows with these bins would have by chance, shape (rows,)."""
        counts = self._now.counts + self._before.counts + self._prior
        shares = counts / counts.sum(1, keepdims=True)
        of_bins = np.take_along_axis(shares, codes.astype(np.intp), axis=1)
        has_value = codes > TYPE_ERROR
        tells = has_value & self._telling[:, np.newaxis]
        logs = np.log(np.where(tells, np.maximum(of_bins, _SMALLEST), 1.0))
        rarest: NDArray[np.intp] = logs.argmin(0)
        every = np.arange(len(rarest))
        exact = np.where(has_value, self._exact[:, np.newaxis], 1.0)
        exact[rarest, every] = 1.0
        return np.asarray(np.exp(logs.sum(0) - logs[rarest, every]) * exact.min(0, initial=1.0))

    def _tell(self, found: RepeatedPayload) -> None:
        told = self._told.get(found.hash)
        if told is not None:
            self._told[found.hash] = sum_of_alike([told, found])
        elif len(self._told) < _MOST_HELD:
            self._told[found.hash] = found


class _Stretch:
    """What came in a minute, or in as long as it took to bring LEAST_ROWS."""

    def __init__(self, prior: NDArray[np.float64]) -> None:
        self.seen = HeavyHitters(MOST_COUNTED)
        self.left_out = HeavyHitters(MOST_COUNTED)
        self.counts = np.zeros(prior.shape, np.int64)
        """Of the rows that count, by column and bin."""
        self.panes = 0


def stretch_panes(pane_seconds: float) -> tuple[int, int]:
    """Panes of the shortest and of the longest stretch that is looked back on."""
    minute = max(round(MINUTE_SECONDS / pane_seconds), 1)
    return minute, max(round(LONGEST_SECONDS / pane_seconds), minute)


def repetition_filter(
    reference: Reference, hidden: Collection[str] = (), *, pane_seconds: float
) -> RepetitionFilter | None:
    """What parts rows that are compared with *reference*; None where its rows repeat by nature, or nobody looked."""
    payloads = reference.payloads
    if payloads is None or payloads.alone_share < LEAST_ALONE:
        return None
    return RepetitionFilter(reference, payloads, hidden, pane_seconds=pane_seconds)


def _exact_part(column: ColumnReference) -> float:
    """Part of the pairs of rows with one bin in *column* that have one value: what repeats at once, of what the bins do."""
    if column.kind in FACETED and not column.of:
        return 1 / max(column.rows, 1)  # free texts and lists: few of them would be categories
    if column.profile is None or not column.rows:
        return 1.0
    shares = column.counts / column.rows
    return float(min(max(column.profile.repeat_share, 1 / column.rows) / float((shares**2).sum()), 1.0))


def _exchanges(table: Table) -> int:
    """How many exchanges brought the rows of *table*; rows of one stand together."""
    if not table.rows or table.exchange[0] == NO_EXCHANGE:
        return 0
    return 1 + int(np.count_nonzero(np.diff(table.exchange)))


def parted(prediction: Prediction, role: Role, left_out: NDArray[np.bool_]) -> Parted:
    """The rows that are not *left_out*, and those that are, which is said of the rows of *role*."""
    features, outputs = prediction.features, prediction.outputs
    own, other = (features, outputs) if role == "feature" else (outputs, features)
    beside = left_out
    if other.rows != own.rows:  # one ranking answers many rows: it is left out where all of them are
        fresh = np.unique(own.exchange[~left_out])
        beside = np.isin(other.exchange, own.exchange) & ~np.isin(other.exchange, fresh)
    masks = (left_out, beside) if role == "feature" else (beside, left_out)

    def at(*places: NDArray[np.intp]) -> Prediction:
        return replace(prediction, features=taken(features, places[0]), outputs=taken(outputs, places[1]))

    places = [np.flatnonzero(~mask) for mask in masks]
    return Parted(at(*places), at(*map(np.flatnonzero, masks)), places[0])
