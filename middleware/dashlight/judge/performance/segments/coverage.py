"""Which predictions of a segment got labels, and what these say of all of them. Pure.

Who gets a label may depend on the score and on the segment: within a tenth of the score of one segment it is taken for chance.
So figures of a segment stand for all its predictions, by weights of 1 / P(label | tenth of the score, segment); where tenths
hold predictions and no labels, they cannot be compared, and are not told. Predictions are counted in the uniform sample of the
window that the store of labels gives.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.performance.displayed import displayed
from dashlight.judge.performance.measure import Measure
from dashlight.labels.rows import LabelledRows, ScoredRows
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance.counts import counted
from dashlight.window.performance.strata import STRATA, strata_of


def predictions_by_segment(
    parts: Sequence[ScoredRows], segmentation: Segmentation, *, total: int | None
) -> NDArray[np.int64]:
    """Predictions of each segment by tenth of the score, shape (segments, STRATA).

    *parts* are a uniform sample of *total* predictions, all with segments of *segmentation*; None: they are all there are.
    """
    found = np.zeros((segmentation.count, STRATA), np.int64)
    for part in parts:
        strata = strata_of(part.scores)
        for column, codes in zip(segmentation.columns, () if part.segments is None else part.segments, strict=False):
            here = codes < len(column.values)
            np.add.at(found, (column.first + codes[here].astype(np.intp), strata[here]), 1)
    sampled = sum(part.row_count for part in parts)
    return found if total is None or total <= sampled else np.rint(found * (total / max(sampled, 1))).astype(np.int64)


def figures_of_all(rows: LabelledRows, predictions: NDArray[np.int64]) -> Iterator[Measure]:
    """The coverage of the *predictions* of a segment, shape (STRATA,), and what their labelled *rows*, at least one, say of all.

    `label_coverage`, then measures under their names, or `not_comparable`, 1, where the labels say nothing of the others.
    """
    labelled, total = rows.row_count, max(int(predictions.sum()), rows.row_count)
    value, low, high = map(float, wilson_interval(np.int64(labelled), np.int64(total)))  # type: ignore[arg-type]
    yield Measure("label_coverage", value, min(low, value), max(high, value), total)
    shown = displayed(counted(replace(rows, segments=None)), predictions)
    yield from shown.measures
    if not shown.measures:
        yield Measure("not_comparable", 1.0, 1.0, 1.0, labelled)
