"""What a reference says of every column within each segment: counted from its sample of rows. Pure.

As far as segments are alike, what is usual in one is drawn towards what is usual in all others: see `pooling`.

Of the variation in time that is natural, a segment is given what the whole column has in blocks of as many rows. A segment is
a stream of fewer rows a second: what all segments share moves less from one block of its rows to the next, or, if it is
slow, as much; what comes in runs, such as the rows of one client, comes so in the segment too. What moves in one segment alone
hardly shows in the whole, so blocks of the segment's own rows are measured as well, and count where they surely vary more.

A season is left in: how the hour moves a segment is not what it does to the whole. It counts as slow movement, which makes
such columns slower to alarm.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.block_scales import FEWEST_SHORTEST, most_by_chance
from dashlight.judge.natural_variation import INDEPENDENT_STATISTICS, Movements, natural_variation
from dashlight.judge.run_lengths import run_memory
from dashlight.judge.segments.pooling import memory_of, rows_added, with_rows_added
from dashlight.records import Role
from dashlight.window.columns import ColumnReference, Reference, Runs, Variation
from dashlight.window.layout import BINS, STRUCTURAL_BINS, UNSEEN
from dashlight.window.parts.segments import Segmentation
from dashlight.window.reference.block_variation import VariationMeter
from dashlight.window.reference.steps import Steps

Codes = NDArray[np.uint8]
Counts = NDArray[np.int64]

LEAST_ROWS = 200
"""Rows of the sample in a segment without which it is not judged. Half the bins then hold three rows or fewer, and a shift of
less than a half of all rows would hardly ever be told from an error of the reference; six rows each is what bins are laid out for."""
LONGER_RUNS = 1.5
"""So many times as long the runs of a segment must be to count instead of those of the whole."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentReferences:
    """References of columns within segments: one for each pair that is judged, segment by segment.

    Of a segment with fewer than LEAST_ROWS rows of the sample there are none.
    """

    columns: tuple[ColumnReference, ...]
    segments: NDArray[np.intp]
    """Shape (pairs,): number of the segment of each."""
    places: NDArray[np.intp]
    """Shape (pairs,): place of its column among those of the reference."""
    others: Counts
    """Shape (pairs, BINS): rows of the sample that are in all other segments, or in none."""


def segment_references(
    reference: Reference, segmentation: Segmentation, watched: Sequence[ColumnReference]
) -> Steps[SegmentReferences]:
    """In steps: what the sample of *reference*, which must have one, says of the columns *watched* within each segment.

    The rows that `pooling` adds are among those of its columns, not taken off *others*.

    A column is no news within its own segments. Raises ValueError where there is no sample.
    """
    sample = reference.sample
    if sample is None:
        raise ValueError("a reference without a sample of rows")
    wanted = {(column.role, column.name) for column in watched}
    codes = _codes(reference, sample, segmentation)
    whole = counted(sample)
    made = _Made()
    for number, among, place in _numbered(segmentation):
        own = segmentation.columns[place].name
        inside = sample[:, codes[place] == among]
        if inside.shape[1] < LEAST_ROWS:
            continue
        places = [
            at
            for at, column in enumerate(reference.columns)
            if (column.role, column.name) in wanted and not _is_of(column, own)
        ]
        made.add((number, place), places, references_within(reference, places, inside[places], whole[places]))
        counts = whole - counted(inside)
        made.others.extend(counts[places])
        yield
    yield from made.draw_together(reference)
    return made.references()


def references_within(
    reference: Reference, places: Sequence[int], inside: Codes, whole: Counts
) -> tuple[ColumnReference, ...]:
    """The columns at *places* as the rows *inside* a segment have them; *whole*: counts of all rows of the sample."""
    columns = [reference.columns[place] for place in places]
    counts = counted(inside)
    held = [_counted_as(*each) for each in zip(columns, counts, whole, strict=True)]
    if not (reference.ordered and any(column.variation for column in columns)):
        return tuple(replace(column, variation=(), runs=None) for column in held)
    meter = VariationMeter(columns)
    meter.add(inside)
    measured = zip(held, meter.variations(held), meter.runs(), strict=True)
    return tuple(
        replace(column, variation=_varying(column, own), runs=_running(column.runs, runs))
        for column, own, runs in measured
    )


def rows_within(reference: Reference, segmentation: Segmentation) -> NDArray[np.int64]:
    """Rows of the sample of *reference* in each segment, shape (segments,); zeros where it has none."""
    sample, rows = reference.sample, np.zeros(segmentation.count, np.int64)
    if sample is None:
        return rows
    codes = _codes(reference, sample, segmentation)
    for number, among, place in _numbered(segmentation):
        rows[number] = np.count_nonzero(codes[place] == among)
    return rows


def counted(codes: Codes) -> Counts:
    """Counts of rows of bins, shape (columns, rows), as (columns, BINS)."""
    columns = len(codes)
    flat = codes.astype(np.intp) + (np.arange(columns) * BINS)[:, np.newaxis]
    return np.bincount(flat.ravel(), minlength=columns * BINS).reshape(columns, BINS).astype(np.int64)


def _codes(reference: Reference, sample: Codes, segmentation: Segmentation) -> Codes:
    features = [place for place, column in enumerate(reference.columns) if column.role == "feature"]
    return segmentation.codes(sample[features])


class _Made:
    """The pairs so far."""

    def __init__(self) -> None:
        self.columns: list[ColumnReference] = []
        self.segments: list[int] = []
        self.parts: list[int] = []
        """Of each the place of the column whose segment it is of."""
        self.places: list[int] = []
        self.others: list[Counts] = []

    def add(self, segment: tuple[int, int], places: Sequence[int], columns: Sequence[ColumnReference]) -> None:
        """*segment*: its number, and the place of its column."""
        self.columns += columns
        self.segments += [segment[0]] * len(columns)
        self.parts += [segment[1]] * len(columns)
        self.places += places

    def draw_together(self, reference: Reference) -> Steps[None]:
        """In steps: adds to each the rows of other segments that it is worth; see `pooling`."""
        if not self.columns:
            return
        movements = Movements()
        yield from movements.measured(reference.columns)
        memory = memory_of(natural_variation(reference.columns, movements))
        for part, place in sorted(set(zip(self.parts, self.places, strict=True))):
            whole = reference.columns[place]
            alike = [at for at, which in enumerate(zip(self.parts, self.places, strict=True)) if which == (part, place)]
            columns, others = [self.columns[at] for at in alike], np.stack([self.others[at] for at in alike])
            added = rows_added(columns, others, float(memory[place]))
            for at, column, beside, rows in zip(alike, columns, others, added.tolist(), strict=True):
                if _varies_as(column, whole):
                    self.columns[at] = with_rows_added(column, beside, rows)
            yield

    def references(self) -> SegmentReferences:
        return SegmentReferences(
            columns=tuple(self.columns),
            segments=np.array(self.segments, np.intp),
            places=np.array(self.places, np.intp),
            others=np.array(self.others, np.int64).reshape(-1, BINS),
        )


def _numbered(segmentation: Segmentation) -> Iterator[tuple[int, int, int]]:
    """Of each segment its number, that among those of its column, and the place of the column among those with segments."""
    for place, column in enumerate(segmentation.columns):
        for among in range(len(column.values)):
            yield column.first + among, among, place


def _is_of(column: ColumnReference, name: str) -> bool:
    """Whether *column* is the feature of this *name*, or measured of it."""
    role: Role = "feature"
    return column.role == role and name in {column.name, column.of}


def _counted_as(column: ColumnReference, counts: Counts, whole: Counts) -> ColumnReference:
    """*column* with the *counts* of a segment; *whole* are those of all rows of the sample.

    What other segments have is not impossible in this one: a value of which it has none counts once. New categories are as
    frequent as in the whole, or more by as much as rare ones are.
    """
    possible = (column.counts > 0) & (counts == 0)
    possible[:STRUCTURAL_BINS] = False
    counts = counts + possible
    rows = int(counts.sum())
    part = rows / max(column.rows, 1)
    if column.known:
        rare, usual = counts[-1] + counts[UNSEEN], max(int(whole[-1] + whole[UNSEEN]), 1)
        part *= max(1.0, rare / rows / (usual / max(int(whole.sum()), 1)))
    single = min(int(np.ceil(column.single_block_rows * part)), rows)
    return replace(column, counts=counts, rows=rows, single_block_rows=single, season=None)


def _varying(column: ColumnReference, own: Sequence[Variation]) -> tuple[Variation, ...]:
    """The variation of the whole *column*, or more where blocks of the segment's *own* rows surely vary more."""
    measured = {part.block_rows: part for part in own if part.blocks >= FEWEST_SHORTEST}
    return tuple(
        part if part.block_rows not in measured else _more(part, measured[part.block_rows]) for part in column.variation
    )


def _varies_as(column: ColumnReference, whole: ColumnReference) -> bool:
    """Whether no more is known of how *column* varies in a segment than of the *whole*."""
    return column.runs is whole.runs and all(a is b for a, b in zip(column.variation, whole.variation, strict=False))


def _more(whole: Variation, own: Variation) -> Variation:
    error = float(np.sqrt(2 / (own.blocks - 1)))
    families = [(whole.events, own.events), (whole.functionals, own.functionals)]
    ratios = [_beyond(*family) for family in families]
    known = np.concatenate(ratios)
    known = known[np.isfinite(known)]
    pooled = float(known.mean()) if len(known) else 0.0
    together = pooled > float(most_by_chance(error / np.sqrt(INDEPENDENT_STATISTICS)))
    limit = 1.0 if together else float(most_by_chance(error))
    if not (known > limit).any():
        return whole
    events, functionals = (
        np.where(np.nan_to_num(ratio) > limit, mine * (1 + error), theirs)
        for ratio, (theirs, mine) in zip(ratios, families, strict=True)
    )
    return replace(whole, events=events, functionals=functionals)


def _beyond(whole: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many times as much the segment's *own* rows vary as is expected; NaN where that was not measured."""
    return np.asarray(own / np.maximum(np.nan_to_num(whole, nan=1.0), 1.0))


def _running(whole: Runs | None, own: Runs | None) -> Runs | None:
    """The runs of the *whole* column, or the segment's *own* where they are clearly longer: elsewhere others come between."""
    if whole is None or own is None:
        return whole
    memories = np.stack([run_memory(whole, 0.0), run_memory(own, 1.0)])
    both = memories[:, np.isfinite(memories).all(axis=0)]
    if not both.size:
        return whole
    expected, seen = both.mean(axis=1)
    return own if seen > LONGER_RUNS * expected else whole
