"""Counts the rows of a reference that is being built: column by column, pair by pair, and as whole rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role, Table
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, DirectionReference, PairReference, Reference
from dashlight.window.facets.facets import FACETED, Matrix, expanded, faceted
from dashlight.window.joint_codes import joint_codes
from dashlight.window.layout import BINS, BLOCK_ROWS, UNSEEN
from dashlight.window.normal_scores import joint_places, normal_scores, scored
from dashlight.window.payloads.payload_meter import PayloadMeter
from dashlight.window.profile import ProfileMeter
from dashlight.window.reference.block_variation import VariationMeter
from dashlight.window.reference.categories import counts_row
from dashlight.window.reference.chunks import Chunks
from dashlight.window.reference.directions import RowsMeter
from dashlight.window.reference.items import Items
from dashlight.window.reference.pairs_meter import ConcordanceMeter
from dashlight.window.reference.row_sample import RowSample
from dashlight.window.reference.seasons.meter import SlotMeter
from dashlight.window.reference.steps import Steps

_ROWS_AT_ONCE = 6400
"""Whole blocks of rows, and few enough that the counts of a step stay small."""
_WITHOUT_PROFILE = FACETED - {"text"}
"""Kinds of columns whose values are no single ones: what is left of them to count says nothing but that they are there."""
_SETTLING_BYTES = 32 * 2**20
"""Bins kept until the counts are known by which rows are scored; of longer references the first part tells."""


class RoleTally:
    """Counts the rows of one role."""

    def __init__(
        self,
        layout: tuple[ColumnReference, ...],
        *,
        ordered: bool,
        timed: bool,
        rng: np.random.Generator,
        columns_alone: bool = False,
    ) -> None:
        """*layout* are the columns, laid out and not counted; *timed* says that the moments of the rows are known.

        *columns_alone*: no profiles are made.
        """
        self._layout = layout
        self._binner = Binner(layout)
        self._variation = VariationMeter(layout) if ordered else None
        self._slots = SlotMeter(layout) if timed and layout else None
        self._profile = ProfileMeter(
            []
            if columns_alone
            else [column for column in layout if not column.of and column.kind not in _WITHOUT_PROFILE]
        )
        self._rows_meters: dict[str, RowsMeter] = {}
        self._counts = np.zeros((len(layout), BINS), np.int64)
        # Of columns with more categories than bins: which have one was chosen by the other half of the rows.
        self._chosen = np.array([bool(column.known) for column in layout], np.bool_)
        self._unbiased_counts = np.zeros_like(self._counts)
        self._ordered, self._rng = ordered, rng
        self._rows = 0

    def add(
        self, table: Table, matrices: Mapping[str, Matrix], *, moments: NDArray[np.float64] | None
    ) -> NDArray[np.uint8]:
        """Take the next rows, with their texts and vectors as *matrices*; their bins, shape (columns, rows)."""
        codes = self._binner.codes(table)
        if self._chosen.any():
            counted = counts_row(np.arange(self._rows, self._rows + table.rows))
            self._unbiased_counts += self._binner.count(codes[:, counted])
        self._rows += table.rows
        self._profile.add(table)
        for start in range(0, table.rows, _ROWS_AT_ONCE):
            part = codes[:, start : start + _ROWS_AT_ONCE]
            self._counts += self._binner.count(part)
            if self._variation is not None:
                self._variation.add(part)
            if self._slots is not None and moments is not None:
                self._slots.add(part, moments[start : start + _ROWS_AT_ONCE])
        for name, matrix in matrices.items():
            meter = self._rows_meters.get(name)
            if meter is None:
                meter = RowsMeter(matrix.shape[1], rng=self._rng, name=name, ordered=self._ordered)
                self._rows_meters[name] = meter
            meter.add(matrix)
        return codes

    def columns(self) -> Steps[list[ColumnReference]]:
        """The columns, counted."""
        counted = [self._counted(column, place) for place, column in enumerate(self._layout)]
        yield
        if self._variation is not None:
            told = zip(counted, self._variation.variations(counted), self._variation.runs(), strict=True)
            counted = [replace(column, variation=parts, runs=runs) for column, parts, runs in told]
        if self._slots is not None:
            seasons = self._slots.seasons(counted)
            counted = [replace(column, season=season) for column, season in zip(counted, seasons, strict=True)]
        yield
        profiles = self._profile.profiles()
        return [replace(column, profile=profiles.get((column.role, column.name))) for column in counted]

    def directions(self) -> list[DirectionReference]:
        """The rows of each text and vector column, where there were enough."""
        found = [meter.reference() for meter in self._rows_meters.values()]
        return [reference for reference in found if reference is not None]

    def _counted(self, column: ColumnReference, place: int) -> ColumnReference:
        counts, single = self._counts[place], column.single_block_rows
        if column.kind == "categorical":  # categories too rare to be remembered are as good as new ones
            single += int(counts[UNSEEN])
        unbiased = self._unbiased_counts[place]
        if not self._chosen[place] or unbiased.sum() < BLOCK_ROWS[0]:
            return replace(column, rows=self._rows, counts=counts, single_block_rows=single)
        rows = int(unbiased.sum())
        return replace(column, rows=rows, counts=unbiased, single_block_rows=round(single * rows / self._rows))


class JointTally:
    """Counts the rows of features and outputs side by side."""

    def __init__(self, layout: Sequence[ColumnReference], *, ordered: bool, rng: np.random.Generator) -> None:
        """*layout* are the columns of all roles, features first."""
        self._layout = tuple(layout)
        self._pairs = ConcordanceMeter(layout, ordered=ordered)
        self._places = joint_places(layout)
        self._sample = RowSample(len(self._layout), rng=rng)
        self._rows = RowsMeter(len(self._places), rng=rng, ordered=ordered) if len(self._places) > 1 else None
        self._waiting: list[NDArray[np.uint8]] = []
        self._waiting_bytes = 0
        self._scores: NDArray[np.float32] | None = None

    def add(self, joined: NDArray[np.uint8]) -> None:
        """Take the bins of the next rows, as `joint_codes` gives them."""
        self._pairs.add(joined)
        self._sample.add(joined)
        if self._rows is None:
            return
        placed = joined[self._places]
        if self._scores is not None:
            self._rows.add(scored(self._scores, placed))
            return
        self._waiting.append(placed)
        self._waiting_bytes += placed.nbytes
        if self._waiting_bytes > _SETTLING_BYTES:
            self._settle(self._counted_so_far())

    @property
    def sample(self) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """The bins of rows drawn from them, and which they are, as of `RowSample`."""
        return self._sample.sample()

    def references(
        self, counted: Sequence[ColumnReference]
    ) -> Steps[tuple[PairReference | None, DirectionReference | None]]:
        """What pairs and whole rows are compared with; *counted* are the columns with their final counts."""
        pairs = yield from self._pairs.reference_steps()
        if self._rows is None:
            return pairs, None
        yield
        if self._scores is None:
            places: list[int] = self._places.tolist()
            self._settle([counted[place] for place in places])
            yield
        return pairs, self._rows.reference()

    def _settle(self, counted: Sequence[ColumnReference]) -> None:
        """Score all rows from now on, and those that waited, by the counts of these columns."""
        self._scores = normal_scores(counted)
        if self._rows is not None:
            for placed in self._waiting:
                self._rows.add(scored(self._scores, placed))
        self._waiting.clear()

    def _counted_so_far(self) -> list[ColumnReference]:
        held = np.concatenate(self._waiting, axis=1)
        places: list[int] = self._places.tolist()
        return [
            replace(self._layout[place], rows=held.shape[1], counts=np.bincount(held[row], minlength=BINS))
            for row, place in enumerate(places)
        ]


def counted(
    chunks: Chunks,
    layouts: Mapping[Role, tuple[ColumnReference, ...]],
    items: Items,
    payloads: PayloadMeter,
    moments: NDArray[np.float64] | None,
    *,
    ordered: bool,
    rng: np.random.Generator,
    columns_alone: bool,
) -> Steps[tuple[Reference, NDArray[np.intp]]]:
    """The reference of the rows that *chunks* gives, counted over the bins of *layouts*, in steps; which rows its sample has."""
    seen = {role: faceted(layout) for role, layout in layouts.items()}
    repeated = {role: {name: each.repeated for name, each in held.items()} for role, held in items.items()}
    tallies = {
        role: RoleTally(layout, ordered=ordered, timed=moments is not None, rng=rng, columns_alone=columns_alone)
        for role, layout in layouts.items()
    }
    together = [column for layout in layouts.values() for column in layout]
    joint = None if columns_alone else JointTally(together, ordered=ordered, rng=rng)
    sizes: dict[Role, int] = {role: len(layout) for role, layout in layouts.items()}
    begun = 0
    for chunk in chunks():
        rows = max((table.rows for table in chunk.values()), default=0)
        codes: dict[Role, NDArray[np.uint8]] = {}
        for role, table in chunk.items():
            kinds, widths = seen[role]
            whole, matrices = expanded(table, kinds, widths={**widths, **repeated[role]}, embedded=not columns_alone)
            held = None if moments is None else moments[begun : begun + table.rows]
            codes[role] = tallies[role].add(whole, matrices, moments=held)
            yield
        if joint is not None:
            joint.add(joint_codes(codes, sizes))
            yield
            if payloads.role in chunk:
                payloads.add(chunk[payloads.role])
        begun += rows
    columns: tuple[ColumnReference, ...] = ()
    for tally in tallies.values():
        columns += tuple((yield from tally.columns()))
    if joint is None:
        return Reference(columns, "file", ordered, "", 0.0, ""), np.zeros(0, np.intp)
    pairs, rows_reference = yield from joint.references(columns)
    directions = [rows_reference] if rows_reference is not None else []
    yield
    directions += [direction for tally in tallies.values() for direction in tally.directions()]
    made = Reference(columns, "file", ordered, "", 0.0, "", pairs, tuple(directions))
    sample, sampled = joint.sample
    return replace(made, payloads=payloads.reference(), sample=sample), sampled
