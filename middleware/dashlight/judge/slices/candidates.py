"""The slice that tells best which rows of one half hurt, of one column, of two, or of a third within those."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.column_pairs import AtomRows, pair_scores
from dashlight.judge.slices.conditions import Atoms, atoms_of, finest_choices, widened
from dashlight.judge.slices.gain import MOST_PRIOR_ROWS, Counted, gain, prior_rows
from dashlight.judge.slices.halves import Half
from dashlight.judge.slices.rows import Bins
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS
from dashlight.window.reference.steps import Steps

MOST_COLUMNS_PAIRED = 100
"""Those of which one condition alone tells most; of an AND of two conditions each tells something by itself."""
MOST_PAIRS = 100
"""Pairs of columns whose conditions are all tried, by their best window of atoms."""
MOST_REFINED = 4
"""Pairs of conditions whose borders are moved bin by bin."""
SIMPLER_BY = 2.0
"""In nats: so much more has to be told by one condition more than what choosing it costs."""
_MOST_MOVES = 8
"""Of the borders of one condition while the other stands, by turns."""

Conditions: TypeAlias = tuple[tuple[int, Bins], ...]
"""(place of a column, bins of it), one a column."""


@dataclass(frozen=True, slots=True)
class SliceCandidate:
    """A slice that may be the one."""

    conditions: Conditions
    worth: float
    """Its gain less the logarithm of how many slices of as many conditions there are: what is left if it was found by chance
    is about 0, so that one more condition has to tell as much as it costs to choose it."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a search."""

    best: SliceCandidate | None
    """None: no slice rose more than the rest."""
    others: tuple[Conditions, ...]
    """Of slices that tell much as well, the best one of each pair of columns."""
    slices: float
    """How many were, in effect, compared."""
    columns: int
    """Of which conditions were made."""
    columns_paired: int


class Search:
    """Looks for slices in one half."""

    def __init__(self, half: Half, columns: Sequence[ColumnReference], places: Sequence[int]) -> None:
        """*places*: of the *columns* of which conditions are made."""
        self._half, self._columns, self._places = half, columns, places
        self._whole = half.whole
        self._prior = MOST_PRIOR_ROWS
        self._single_count, self._pair_count = 1.0, 1.0

    def best(self) -> Steps[Searched]:
        """The best slice of one or two columns."""
        singles: dict[int, SliceCandidate] = {}
        gains: dict[int, float] = {}
        for place in self._places:
            self._prior = min(self._prior, prior_rows(self._half.by_bin(place), self._whole))
            yield
        for place in self._places:
            bins, found = self._best_condition(self._half, place)
            gains[place] = found
            if found > 0:
                singles[place] = SliceCandidate(((place, bins),), found)
            yield
        paired = sorted(sorted(self._places, key=lambda place: -gains[place])[:MOST_COLUMNS_PAIRED])
        found_pairs = yield from self._best_pairs(paired)
        alone = [SliceCandidate(each.conditions, each.worth - self._cost(1)) for each in singles.values()]
        best = max([*alone, *found_pairs], key=lambda each: each.worth, default=None)
        others = tuple(each.conditions for each in found_pairs)
        return Searched(best, others, self._single_count + self._pair_count, len(self._places), len(paired))

    def third(self, parent: SliceCandidate) -> Steps[SliceCandidate | None]:
        """The best slice of three conditions within *parent*; None where no third one tells as much as it costs."""
        inside = self._half
        for place, bins in parent.conditions:
            inside = inside.within(place, bins)
        best: SliceCandidate | None = None
        for place in self._places:
            if place not in {condition[0] for condition in parent.conditions}:
                bins, found = self._best_condition(inside, place)
                child = SliceCandidate((*parent.conditions, (place, bins)), found - self._cost(3))
                if found > 0 and child.worth > (parent if best is None else best).worth:
                    best = child
                yield
        return best

    def _best_condition(self, inside: Half, place: int) -> tuple[Bins, float]:
        """The best condition on the column at *place* for the rows *inside*: its bins, and its gain less its own cost."""
        counts = inside.by_bin(place)
        held = counts.rows > 0
        choices = finest_choices(self._columns[place], held)
        if not len(choices.sets):
            return (), 0.0
        gains = _gains(choices.sets, counts, self._whole, self._prior) - choices.costs
        best = int(np.argmax(gains))
        bins = widened(self._columns[place], choices.bins(best), self._held(place))
        return bins, float(gains[best])

    def _cost(self, conditions: int) -> float:
        """Of choosing a slice of so many conditions among all of them."""
        counts = (self._single_count, self._pair_count, self._single_count * self._pair_count)
        return log(counts[conditions - 1]) + SIMPLER_BY * (conditions - 1)

    def _held(self, place: int) -> NDArray[np.bool_]:
        return np.bincount(self._half.now.codes[place], minlength=256)[:BINS] > 0

    def _best_pairs(self, places: Sequence[int]) -> Steps[list[SliceCandidate]]:
        atoms: list[Atoms] = []
        for place in places:
            atoms.append(atoms_of(self._columns[place], self._shares(place)))
            yield
        tried = np.array([len(each.choices.sets) for each in atoms], np.float64)
        self._single_count = max(float(tried.sum()), 1.0)
        self._pair_count = max((float(tried.sum()) ** 2 - float((tried**2).sum())) / 2, 1.0)
        parted = [(place, each) for place, each in zip(places, atoms, strict=True) if len(each.choices.sets)]
        if len(parted) < 2:
            return []
        places, atoms = [place for place, _ in parted], [each for _, each in parted]
        rows = AtomRows(self._half, places, atoms)
        yield
        scores = yield from pair_scores(rows, self._whole, self._prior)
        found: list[tuple[float, Conditions]] = []
        for flat in np.argsort(-scores, axis=None, kind="stable")[:MOST_PAIRS]:
            one, other = divmod(int(flat), len(places))
            if scores[one, other] <= 0:
                break
            found.append(self._best_of_pair(rows, places, one, other))
            yield
        found.sort(key=lambda each: -each[0])
        refined: list[SliceCandidate] = []
        for gained, conditions in found[:MOST_REFINED]:
            if gained > 0:
                refined.append((yield from self._refined(conditions, gained)))
        return refined

    def _shares(self, place: int) -> NDArray[np.float64]:
        """Of the bins of the column at *place*, half by the rows of now and half by those of before."""
        sides = (self._half.now.codes[place], self._half.usual.codes[place])
        counts = [np.bincount(codes, minlength=256)[:BINS] / len(codes) for codes in sides if len(codes)]
        shares: NDArray[np.float64] = np.mean(counts, axis=0)
        return shares

    def _best_of_pair(self, rows: AtomRows, places: Sequence[int], one: int, other: int) -> tuple[float, Conditions]:
        own, others = rows.atoms[one].choices, rows.atoms[other].choices
        counted = rows.counted(one, slice(other, other + 1))
        cells = Counted(*(array[0, : own.sets.shape[1], : others.sets.shape[1]] for array in counted.arrays))
        gains = gain(Counted(*(own.sets @ array @ others.sets.T for array in cells.arrays)), self._whole, self._prior)
        gains -= own.costs[:, np.newaxis] + others.costs
        best = divmod(int(np.argmax(gains)), gains.shape[1])
        return float(gains[best]), ((places[one], own.bins(best[0])), (places[other], others.bins(best[1])))

    def _refined(self, conditions: Conditions, gained: float) -> Steps[SliceCandidate]:
        one, other = conditions
        for move in range(_MOST_MOVES):
            bins, found = self._best_condition(self._half.within(*other), one[0])
            has_moved = found > gained
            one, other = other, (one[0], bins) if has_moved else one
            gained = max(found, gained)
            yield
            if move and not has_moved:
                break
        pair = (one, other) if one[0] < other[0] else (other, one)
        return SliceCandidate(pair, gained - self._cost(2))


def _gains(sets: NDArray[np.float32], counts: Counted, whole: Counted, prior: float) -> NDArray[np.float64]:
    held = sets.astype(np.float64) @ np.stack(counts.arrays, axis=1)
    return gain(Counted(*held.T), whole, prior)
