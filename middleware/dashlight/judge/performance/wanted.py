"""How many more labels would decide whether a model is good enough, and of which predictions they would help most. Pure."""

from dataclasses import dataclass
from math import ceil, inf, isfinite

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.measure import Measure
from dashlight.labels.rows import Floats, ScoredRows
from dashlight.window.performance.classified import CORRECT, PREDICTED
from dashlight.window.performance.counts import PerformanceCounts
from dashlight.window.performance.strata import STRATA, strata_of

MOST_LABELS = 1_000_000
"""More than so many decide nothing that anybody waits for."""


@dataclass(frozen=True, slots=True, eq=False)
class WantedLabels:
    """Predictions whose labels would help most, the most helpful first."""

    places: NDArray[np.intp]
    """Shape (wanted,): their places among the unlabelled rows."""
    strata: NDArray[np.intp]
    """Shape (wanted,): their tenth of the score; NO_SCORE where they have none."""


def labels_until_decided(measure: Measure, limit: float) -> int | None:
    """How many more labels until the interval of *measure* lies on one side of *limit*, if its value stays; 0: it does.

    An interval of n rows narrows with the root of n, and its end towards the limit is *side* from the value:

        n + more = n (side / |value - limit|)^2

    None where it is more than MOST_LABELS, or the interval is open.
    """
    gap = measure.value - limit
    side = measure.value - measure.low if gap > 0 else measure.high - measure.value
    return _more(measure.rows, side, abs(gap))


def labels_until_narrow(measure: Measure, margin: float) -> int | None:
    """How many more labels until the interval of *measure* is no wider than *margin* to both sides; as above."""
    return _more(measure.rows, max(measure.value - measure.low, measure.high - measure.value), margin)


def labels_until_evident(nats: float, threshold: float, labels: int) -> int | None:
    """How many more labels until the log of an e-process reaches *threshold*, if it grows on as it did over *labels*.

        more = (threshold - nats) labels / nats

    None where it does not grow, or it is more than MOST_LABELS.
    """
    if nats >= threshold:
        return 0
    if nats <= 0 or not labels:
        return None
    return _told((threshold - nats) * labels / nats)


def wanted_labels(
    unlabelled: ScoredRows, counts: PerformanceCounts | None, predictions: NDArray[np.int64], most: int
) -> WantedLabels:
    """At most *most* rows of *unlabelled* whose labels narrow the interval of the loss of all *predictions* most.

    *predictions*, shape (STRATA,), is how many there are by tenth of the score; *counts* what is labelled among them. The
    variance of the weighted estimate (`weighting`) is the sum over tenths s of (N_s / N)^2 var_s / n_s, so that one more
    label takes away

        (N_s / N)^2 var_s (1 / (n_s + 1/2) - 1 / (n_s + 3/2)),   var_s = p (1 - p),  p = (wrong + 1) / (n_s + 2)

    and the next is taken where this is most, until *most* are. Within a tenth the newest come first. Of a number, which has
    no such tenths, they are the newest. Source: Neyman (1934), JRSS 97, 558-625, one label at a time.
    """
    is_class = counts is None or counts.classified is not None
    strata = strata_of(unlabelled.scores) if is_class else np.full(unlabelled.row_count, STRATA - 1)
    wrong, labelled = _losses(counts)
    newest = np.argsort(-unlabelled.predicted_at, kind="stable")
    queues = [newest[strata[newest] == each] for each in range(STRATA)]
    sizes = np.maximum(predictions, labelled + np.bincount(strata, minlength=STRATA)).astype(np.float64)
    chance = (wrong + 1) / (labelled + 2)
    weight = (sizes / max(float(sizes.sum()), 1.0)) ** 2 * chance * (1 - chance)
    taken = np.zeros(STRATA, np.intp)
    room = np.array([len(queue) for queue in queues])
    chosen: list[int] = []
    for _ in range(min(most, unlabelled.row_count)):
        n = labelled + taken
        gain = np.where(taken < room, weight * (1 / (n + 0.5) - 1 / (n + 1.5)), -inf)
        best = int(gain.argmax())
        chosen.append(int(queues[best][taken[best]]))
        taken[best] += 1
    places = np.array(chosen, np.intp)
    return WantedLabels(places, strata[places])


def _losses(counts: PerformanceCounts | None) -> tuple[Floats, Floats]:
    """Wrong and labelled rows by tenth of the score."""
    if counts is None or counts.classified is None:
        return np.zeros(STRATA), np.zeros(STRATA)
    tallies = counts.classified.tallies
    labelled = tallies[:, PREDICTED].astype(np.float64)
    return labelled - tallies[:, CORRECT], labelled


def _more(rows: int, side: float, gap: float) -> int | None:
    if side <= gap:
        return 0
    return _told(rows * (side / gap) ** 2 - rows) if gap > 0 else None


def _told(more: float) -> int | None:
    # What is whole but for rounding is whole.
    return ceil(round(more, 6)) if isfinite(more) and more <= MOST_LABELS else None
