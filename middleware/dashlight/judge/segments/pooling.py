"""What is usual in a segment, drawn towards what is usual in all others, as far as segments are alike. Pure.

A segment has few rows in a reference, and what these few may be wrong by is what its alarms must wait for. Where segments
hardly differ the others' rows say the same, so that K rows of theirs are added to its n, bin by bin: the mean of a Dirichlet
distribution around the others' shares after the segment's own rows. K is the least of four numbers:

    by all segments     n / (R - 1), R the mean of z**2 over segments, for whichever event or functional differs most
    by the segment      n w / (1 - w), w = MOST_MOVED / (largest z of this segment)
    at most             MOST_ADDED n
    by memory           so many that phi / (n + K) >= 1 / (n (1 + MOST_ADDED)) + (phi - 1) / n

z is the difference between a segment and all others, in standard errors. The second keeps an odd segment among alike ones, or
one that is odd in few bins, near its own rows: nothing that is bet on moves by more than MOST_MOVED of their standard errors. The last
is for what all segments have in common in time, which more of them do not tell better. A segment that by itself varies
more than the whole is left as it is.

Sources: Efron and Morris (1972), JASA 67, 130-139, for limited translation; Paule and Mandel (1982), J. Res. NBS 87, 377-385,
for R, which is taken as large as in one of ten draws.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from dashlight.judge.natural_variation import NaturalVariation
from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference, is_numeric, stacked_counts, unseen_is_other
from dashlight.window.events import event_counts, functionals

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

MOST_ADDED = 0.5
"""Rows of other segments for each row of its own."""
MOST_MOVED = 1.0
"""Standard errors of its own rows by which a segment is moved at most."""
_FEWER = 0.9
"""R is so much larger that the mean of z**2 would be smaller in one of ten draws only."""


def rows_added(columns: Sequence[ColumnReference], others: Counts, memory: float) -> Floats:
    """How many rows of *others* each of one column's segments is worth adding, shape (segments,).

    *columns* are the references of this one column within segments, *others*, shape (segments, BINS), all rows that are not.
    *memory*: so many rows in a row are worth one.
    """
    rows = np.array([column.rows for column in columns], np.float64)
    apart = _errors_apart(columns, others)
    count = len(columns)
    mean = np.square(apart).mean(axis=0).max(initial=0.0)
    wide = mean * (count - 1) / float(chdtri(count - 1, _FEWER)) if count > 1 else np.inf
    by_all = rows.mean() / max(wide - 1, 1e-9)
    weight = np.minimum(MOST_MOVED / np.maximum(np.abs(apart).max(axis=1, initial=0.0), 1e-9), 0.5)
    by_segment = rows * weight / (1 - weight)
    by_memory = rows * (memory / (1 / (1 + MOST_ADDED) + memory - 1) - 1)
    least: Floats = np.minimum(np.minimum(by_all, by_segment), np.minimum(by_memory, others.sum(axis=1)))
    return least


def with_rows_added(column: ColumnReference, others: Counts, added: float) -> ColumnReference:
    """*column* and so many rows as *others*, shape (BINS,), are; no set of neighbouring bins is rounded by more than one."""
    total = int(others.sum())
    if not total:
        return column
    more = np.diff(np.floor(others.cumsum() * (added / total)), prepend=0.0).astype(np.int64)
    rows = column.rows + int(more.sum())
    single = int(np.ceil(column.single_block_rows * rows / max(column.rows, 1)))
    return replace(column, counts=column.counts + more, rows=rows, single_block_rows=single)


def memory_of(variation: NaturalVariation) -> Floats:
    """Of each column the longest memory of anything that is bet on, shape (columns,)."""
    longest: Floats = np.maximum(variation.phi.max(axis=1), variation.functional_phi.max(axis=1))
    return longest


def _errors_apart(columns: Sequence[ColumnReference], others: Counts) -> Floats:
    """The z of each segment in every event and functional, shape (segments, events and functionals)."""
    own, rows = stacked_counts(columns).astype(np.float64), np.array([[column.rows] for column in columns], np.float64)
    rest = others.astype(np.float64)
    beside = np.maximum(rest.sum(axis=1, keepdims=True), 1.0)
    unseen = unseen_is_other(columns)
    held, before = event_counts(own, unseen), event_counts(rest, unseen)
    both = (held + before) / (rows + beside)
    size = 1 / rows + 1 / beside
    spread = np.sqrt(np.maximum(both * (1 - both), 0.5 / (rows + beside)) * size)
    events = (held / rows - before / beside) / spread
    everything = [
        replace(column, counts=column.counts + more, rows=column.rows + int(more.sum()))
        for column, more in zip(columns, others, strict=True)
    ]
    shares = reference_shares(everything)
    scores = functionals(shares, is_numeric(columns))
    means = np.einsum("sk,sfk->sf", own / rows - rest / beside, scores)
    centres = np.einsum("sk,sfk->sf", shares, scores)
    variances = np.einsum("sk,sfk->sf", shares, scores**2) - centres**2
    return np.concatenate([events, means / np.sqrt(np.maximum(variances, 1e-12) * size)], axis=1)
