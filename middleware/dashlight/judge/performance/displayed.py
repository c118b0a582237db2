"""Which figures may be shown of labels that are late and not of all: weighted, not at all, or of positives alone. Pure."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.measure import Measure
from dashlight.judge.performance.measures import LEVEL, measures
from dashlight.judge.performance.weighting import is_biased, missing_words, weighted_measures
from dashlight.judge.words import number
from dashlight.window.performance.classified import HITS, SCORE, SCORED, is_of_two
from dashlight.window.performance.counts import PerformanceCounts

LEAST_POSITIVES = 30
"""Labels, of which all are positive, from which on it may be no chance."""
LEAST_EXPECTED_NEGATIVES = 10.0
"""That the scores of these rows let expect: chance alone lets all be missing with exp(-10)."""


@dataclass(frozen=True, slots=True)
class DisplayedPerformance:
    """Figures that may be shown, and what has to be said beside them."""

    measures: tuple[Measure, ...]
    is_weighted: bool
    """Whether they are of all predictions, as far as their scores say, and not of those with labels alone."""
    words: tuple[str, ...]
    """What has to be said beside them; empty where nothing has."""


def displayed(
    counts: PerformanceCounts,
    predictions: NDArray[np.int64],
    *,
    settled: PerformanceCounts | None = None,
    reference: PerformanceCounts | None = None,
    level: float = LEVEL,
) -> DisplayedPerformance:
    """The figures of *counts*, labelled rows of some time, where *predictions*, shape (STRATA,), were made in it by score.

    *settled* are counts of predictions that are older than labels take: where only positive labels come, recall is told of
    those, and the others where silence was taken for negative labels there (DASHLIGHT_POSITIVE_WITHIN). Where who gets a label
    depends on the score, figures are weighted, and those that cannot be (averages over classes) left out; where tenths of the
    score hold predictions and no labels, there is no figure but a sentence.
    """
    if is_only_positive(counts):
        shown, words = _of_positives(counts, settled, reference, level)
        return DisplayedPerformance(shown, is_weighted=False, words=words)
    plain = measures(counts, level, reference=reference)
    if counts.classified is None:
        return DisplayedPerformance(plain, is_weighted=False, words=())
    weighted = weighted_measures(counts.classified, predictions, level)
    missing = missing_words(weighted)
    if not weighted.is_comparable:
        return DisplayedPerformance((), is_weighted=False, words=(missing,))
    if not missing and not is_biased(counts.classified, predictions):
        return DisplayedPerformance(plain, is_weighted=False, words=())
    usual = {each.name: each.reference for each in plain}
    shown = tuple(replace(each, reference=usual.get(each.name)) for each in weighted.measures)
    why = "who gets a label depends on the score: figures are weighted to stand for all predictions"
    return DisplayedPerformance(shown, is_weighted=True, words=(why, missing) if missing else (why,))


def is_only_positive(counts: PerformanceCounts) -> bool:
    """Whether all labels that somebody told are positive, and it is no chance: as with clicks, and with chargebacks.

    It is none where silence is taken for negative labels, or where the scores, or without them the predictions, let expect
    others among these rows: nobody says of a payment that it was good.
    """
    classified = counts.classified
    if classified is None or not is_of_two(counts.task, counts.classes):
        return False
    confusion, tallies = classified.confusion.sum(axis=0), classified.tallies.sum(axis=0)
    told, scored = counts.rows - counts.implied, int(tallies[SCORED])
    if max(int(confusion[1].sum()), int(tallies[HITS])) < told:
        return False
    if counts.implied:
        return True
    expected = float(scored - classified.sums[:, SCORE].sum()) if scored else float(confusion[1, 0])
    return told >= LEAST_POSITIVES and expected >= LEAST_EXPECTED_NEGATIVES


def _of_positives(
    counts: PerformanceCounts, settled: PerformanceCounts | None, reference: PerformanceCounts | None, level: float
) -> tuple[tuple[Measure, ...], tuple[str, ...]]:
    told = counts.rows - counts.implied
    why = f"all {number(told)} labels that were told are positive: they seem to come for positives alone"
    if settled is None or not settled.rows:
        return (), (why, "no prediction is old enough for its silence to mean something")
    found = measures(settled, level, reference=reference)
    if settled.implied:
        return found, (why, "figures are of predictions so old that silence was taken for a negative label")
    recall = tuple(each for each in found if each.name == "recall")
    return recall, (why, "all but recall needs DASHLIGHT_POSITIVE_WITHIN, after which silence is a negative label")
