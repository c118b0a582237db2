"""The conditions on one column that a slice is made of: sets of its bins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.rows import Bins
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR, UNSEEN

VALUE_ATOMS = 8
"""Groups of neighbouring bins of about equal mass into which the values of a numeric column are merged for pairs of columns."""
CATEGORY_ATOMS = 9
"""Categories that are looked at by themselves in pairs of columns, the most frequent; the others are one."""
LEAST_SHARE = 0.01
"""Of the rows that a bin holds, from which on it is looked at by itself in pairs of columns."""
NO_ATOM = 255
SECOND_END_COST = 2.0
"""In nats: `at least 10` is preferred to `10 to 21` until this much is gained by the second border."""
ORDERED_BINS: Bins = (BELOW, *range(STRUCTURAL_BINS, BINS), ABOVE)
"""The bins of a numeric column by value."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Sets of parts of one column: conditions that are tried."""

    sets: NDArray[np.float32]
    """Shape (conditions, parts): 1 where the condition holds the part."""
    parts: tuple[Bins, ...]
    costs: NDArray[np.float64]
    """Shape (conditions,): by so much more the gain of one has to be than that of a simpler one."""

    def bins(self, place: int) -> Bins:
        """Those of the condition at *place*."""
        return tuple(sorted(bin_ for part in np.flatnonzero(self.sets[place]) for bin_ in self.parts[part]))


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """The parts of one column of which conditions on two columns are put together."""

    of_bin: NDArray[np.uint8]
    """Shape (256,): the atom that holds the code; NO_ATOM: none."""
    count: int
    ordered: int
    """So many of them, the first, are in the order of their values."""
    choices: Choices
    """Neighbouring ones together, the others by themselves and all others than each."""


def atoms_of(column: ColumnReference, shares: NDArray[np.float64]) -> Atoms:
    """The atoms of *column*, whose bins hold *shares* of the rows, shape (BINS,): of these rows, hurt or not."""
    parts, ordered = _ordered_parts(shares) if column.kind == "numeric" else _category_parts(shares)
    of_bin = np.full(256, NO_ATOM, np.uint8)
    for place, bins in enumerate(parts):
        of_bin[list(bins)] = place
    return Atoms(of_bin, len(parts), ordered, _choices(parts, ordered))


def finest_choices(column: ColumnReference, held: NDArray[np.bool_]) -> Choices:
    """Conditions made of single bins of *column*, of which *held* says which ones hold rows, shape (BINS,).

    Parts are all bins, in their order.
    """
    is_ordered = column.kind == "numeric"
    first = [bin_ for bin_ in ORDERED_BINS if held[bin_]] if is_ordered else []
    others = [bin_ for bin_ in ((NULL, TYPE_ERROR) if is_ordered else range(BINS)) if held[bin_]]
    choices = _choices([(bin_,) for bin_ in first + others], len(first))
    by_bin = np.zeros((len(choices.sets), BINS), np.float32)
    by_bin[:, first + others] = choices.sets
    return Choices(by_bin, tuple((bin_,) for bin_ in range(BINS)), choices.costs)


def widened(column: ColumnReference, bins: Bins, held: NDArray[np.bool_]) -> Bins:
    """*bins* with those that hold no rows but belong to them: of `not UA` all others, of `at least 1,400` those beyond."""
    filled = np.flatnonzero(held)
    if column.kind != "numeric":
        lacked = np.setdiff1d(filled, bins)
        is_complement = len(lacked) == 1 and len(bins) > 1
        return tuple(np.delete(np.arange(BINS), lacked).tolist()) if is_complement else bins
    places = [place for place, bin_ in enumerate(ORDERED_BINS) if bin_ in bins]
    if not places:
        return bins
    first, last = places[0], places[-1]
    ordered = [place for place, bin_ in enumerate(ORDERED_BINS) if held[bin_]]
    if first <= ordered[0]:
        first = 0
    if last >= ordered[-1]:
        last = len(ORDERED_BINS) - 1
    others = [bin_ for bin_ in bins if bin_ in {NULL, TYPE_ERROR}]
    return tuple(sorted([*others, *ORDERED_BINS[first : last + 1]]))


def _ordered_parts(shares: NDArray[np.float64]) -> tuple[list[Bins], int]:
    ordered = shares[list(ORDERED_BINS)]
    middles = np.cumsum(ordered) - ordered / 2
    groups = np.minimum((middles * VALUE_ATOMS / max(ordered.sum(), 1e-9)).astype(int), VALUE_ATOMS - 1) + 1
    within = np.flatnonzero(ordered[1:-1]) + 1
    if len(within):  # out of the reference's range: by itself, or with the values next to it
        groups[0] = 0 if ordered[0] >= LEAST_SHARE else groups[within[0]]
        groups[-1] = VALUE_ATOMS + 1 if ordered[-1] >= LEAST_SHARE else groups[within[-1]]
    parts: list[Bins] = []
    for group in range(VALUE_ATOMS + 2):
        bins = tuple(bin_ for bin_, of_group in zip(ORDERED_BINS, groups, strict=True) if of_group == group)
        if shares[list(bins)].sum() > 0:
            parts.append(bins)
    return [*parts, *((bin_,) for bin_ in (NULL, TYPE_ERROR) if shares[bin_] >= LEAST_SHARE)], len(parts)


def _category_parts(shares: NDArray[np.float64]) -> tuple[list[Bins], int]:
    structural: list[Bins] = [(bin_,) for bin_ in (NULL, TYPE_ERROR, UNSEEN) if shares[bin_] >= LEAST_SHARE]
    values = STRUCTURAL_BINS + np.argsort(-shares[STRUCTURAL_BINS:], kind="stable")
    frequent = [int(bin_) for bin_ in values[:CATEGORY_ATOMS] if shares[bin_] >= LEAST_SHARE]
    rare = tuple(sorted(int(bin_) for bin_ in values if bin_ not in frequent and shares[bin_] > 0))
    return [*((bin_,) for bin_ in frequent), *([rare] if rare else []), *structural], 0


def _choices(parts: Sequence[Bins], ordered: int) -> Choices:
    """Neighbours of the first *ordered* parts, each of the others, and all but each of these."""
    count = len(parts)
    first, last = np.triu_indices(ordered)
    places = np.arange(count)
    ranges = (first[:, np.newaxis] <= places) & (places <= last[:, np.newaxis])
    costs = np.where((first > 0) & (last < ordered - 1), SECOND_END_COST, 0.0)
    singles = np.eye(count, dtype=np.bool_)[ordered:]
    # Of two each is all others than the other.
    sets = np.concatenate([ranges, singles, *([~singles] if count > 2 else [])])
    costs = np.concatenate([costs, np.zeros(len(sets) - len(costs))])
    chosen = ~sets.all(1)  # all of a column is no condition
    return Choices(sets[chosen].astype(np.float32), tuple(parts), costs[chosen])
