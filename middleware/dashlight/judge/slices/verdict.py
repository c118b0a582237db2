"""What is said of a slice, or of there being none: from the half that was not searched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.candidates import Conditions, Searched
from dashlight.judge.slices.exact_test import rose, rose_more
from dashlight.judge.slices.figures import Mean, detectable_lift, explained, mean_of
from dashlight.judge.slices.halves import Half
from dashlight.judge.slices.rows import BinWords
from dashlight.judge.slices.words import condition_name, everywhere_words, found_words, looked_at_words, none_words
from dashlight.records import Slice, SliceCondition
from dashlight.window.columns import ColumnReference

MOST_OF_IT = 0.5
"""Part of the excess that a slice has to explain, by the upper end of its interval; and the rest, to have risen everywhere."""
MOST_LEFT_OUT = 0.5
"""Of the rows, where it is asked whether what is left has risen."""
REST_P = 0.01
"""Of the exact test by which it is said that the rest rose as well."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceVerdict:
    """What the half that was not searched says of what came of the search."""

    searching: Half
    confirming: Half
    searched: Searched
    columns: Sequence[ColumnReference]
    words: BinWords

    def p_of(self, conditions: Conditions, within: Conditions = ()) -> float:
        """Of the slice against the rest, or against the rest of the slice *within*."""
        half = self.confirming
        for condition in within:
            half = half.within(*condition)
        part = half
        for condition in conditions:
            part = part.within(*condition)
        return rose_more(part.whole, half.whole)

    def found(self, conditions: Conditions, p: float) -> Slice | None:
        """The slice with its figures; None where it surely explains less than most of the excess, or all others rose as well."""
        half = self.confirming
        here, here_usual = _masks(half, conditions)
        now, rest = mean_of(half.now.hurt[here]), mean_of(half.now.hurt[~here])
        usual, rest_usual = mean_of(half.usual.hurt[here_usual]), mean_of(half.usual.hurt[~here_usual])
        others, others_usual = half.hurts[~here], half.usual_hurts[~here_usual]
        has_rest_risen = _rose(others, others_usual)
        if has_rest_risen and _became_alike(now, usual, rest, rest_usual):
            return None
        share = float(here.mean())
        found = replace(self._blank(), state="found", share=share, rate=now.value, usual_rate=usual.value, p=p)
        found = replace(found, rest_rate=rest.value, rest_usual_rate=rest_usual.value)
        if len(half.usual_hurts) and usual.rows and rest_usual.rows:
            part = explained(now, usual, rest, rest_usual)
            if part.high < MOST_OF_IT:
                return None
            found = replace(found, explained=part.value, explained_low=part.low, explained_high=part.high)
        told = [(place, bins, self.words(place, bins)) for place, bins in conditions]
        summary = found_words(
            [condition_name(self.columns[place], bins, words) for place, bins, words in told],
            found,
            rest_rose=has_rest_risen,
            rest_fell=_rose(others_usual, others),
        )
        named = [SliceCondition(self.columns[place].name, self.columns[place].role, words) for place, _, words in told]
        return replace(found, conditions=tuple(named), summary=summary)

    def without(self) -> Slice:
        """No slice was confirmed: it is everywhere where those that told much leave rows that show most of the excess."""
        half, best = self.confirming, self.searched.best
        here, here_usual = _masks(half, None)
        for conditions in (*((best.conditions,) if best else ()), *self.searched.others):
            now, usual = _masks(half, conditions)
            if (here | now).mean() <= MOST_LEFT_OUT:
                here, here_usual = here | now, here_usual | usual
        rest, rest_usual = mean_of(half.now.hurt[~here]), mean_of(half.usual.hurt[~here_usual])
        none = replace(self._blank(), rest_rate=rest.value, rest_usual_rate=rest_usual.value)
        if rest.rows and rest_usual.rows and _rose(half.hurts[~here], half.usual_hurts[~here_usual]):
            excess = float(half.now.hurt.mean() - half.usual.hurt.mean())
            if rest.value - rest_usual.value >= MOST_OF_IT * excess:
                return replace(none, state="everywhere", summary=everywhere_words(none))
        before = half.usual_hurts if len(half.usual_hurts) else half.hurts
        looked_at = looked_at_words(self.searched.columns_paired, self.searched.columns)
        return replace(none, summary=none_words(none, float(before.mean()), looked_at))

    def _blank(self) -> Slice:
        rows = len(self.searching.hurts) + len(self.confirming.hurts)
        lift = detectable_lift(self.searching, self.confirming, self.searched.slices)
        return Slice("none", rows=rows, detectable_lift=lift)


def _masks(half: Half, conditions: Conditions | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows of now and of before in the slice; none are in None."""
    now = np.full(len(half.hurts), conditions is not None)
    usual = np.full(len(half.usual_hurts), conditions is not None)
    for place, bins in conditions or ():
        now &= half.now.within(place, bins)
        usual &= half.usual.within(place, bins)
    return now, usual


def _became_alike(now: Mean, usual: Mean, rest: Mean, rest_usual: Mean) -> bool:
    """Whether a rest that rose did so half as much as the slice, or most of what sets the slice apart is that it was better before."""
    slice_rise, rest_rise = now.value - usual.value, rest.value - rest_usual.value
    surely_below = rest_rise + 1.96 * float(np.sqrt(rest.variance + rest_usual.variance))
    return surely_below >= MOST_OF_IT * slice_rise or now.value - rest.value < MOST_OF_IT * (slice_rise - rest_rise)


def _rose(now: NDArray[np.bool_], before: NDArray[np.bool_]) -> bool:
    return len(before) > 0 and rose(float(now.sum()), len(now), float(before.sum()), len(before)) <= REST_P
