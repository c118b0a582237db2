"""Common practice, written here: PSI, and KS with chi-square, on a sliding window against the reference.

Each is given every kindness that keeps its nature: few bins, categories too rare for the test lumped together, windows
judged only when full, and for both a variant whose threshold is set to one false alarm a month on independent rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from benchmarks.detection_outcome import Alarms
from benchmarks.detection_streams import Column, Columns, Floats, Stream
from numpy.typing import NDArray
from scipy.special import kolmogorov
from scipy.stats import chi2

WINDOW = 1_000
"""Rows of the sliding window."""
PANES_A_MONTH = 259_200
"""Evaluations in thirty days, one every ten seconds."""
PSI_BINS = 10
LEAST_SHARE = 1e-4
"""What an empty bin counts as in a PSI, so that its logarithm exists."""
LEAST_EXPECTED = 5
"""Rows that a cell of a chi-square test must expect, the usual rule."""

Counts = NDArray[np.int64]


def window_alarms(stream: Stream, *, pane_rows: int) -> dict[str, Alarms]:
    """Alarms of every method of this file, by its name."""
    names = list(stream.reference)
    columns = len(names)
    scores, thresholds = psi(stream.reference, stream.current, pane_rows=pane_rows)
    p_values = distribution_tests(stream.reference, stream.current, pane_rows=pane_rows)
    return {
        "PSI > 0.1": scores > 0.1,
        "PSI > 0.2": scores > 0.2,
        "PSI at 1/month": scores > thresholds,
        "KS p < 0.05": p_values < 0.05,
        "KS Bonferroni": p_values < 0.05 / columns,
        "KS at 1/month": p_values < monthly_level(columns),
    }


def monthly_level(columns: int) -> float:
    """Level of each test at which so many, at every evaluation, are wrong once a month if they were independent."""
    return 1 / (columns * PANES_A_MONTH)


def psi(reference: Columns, current: Columns, *, pane_rows: int) -> tuple[Floats, Floats]:
    """PSI of the last WINDOW rows after every pane, shape (panes, columns), NaN before the window is full.

    And the threshold of each column, shape (columns,), for one false alarm a month:
    (1/n + 1/R) chi2_{K-1}, n = WINDOW, R reference rows, K occupied bins.

    Source: Yurdakul and Naranjo (2020), Journal of Risk Model Validation 14(4).
    """
    scores, thresholds = [], []
    for name, known in reference.items():
        binned = psi_bins(known, current[name])
        window = windows(binned[1], pane_rows)
        scores.append(psi_of_counts(binned[0], window))
        free = max(int(np.count_nonzero(binned[0])) - 1, 1)
        scale = 1 / WINDOW + 1 / binned[0].sum()
        thresholds.append(scale * float(chi2.isf(monthly_level(len(reference)), free)))
    return np.array(scores).T, np.array(thresholds)


def psi_bins(known: Column, values: Column) -> tuple[Counts, NDArray[np.intp]]:
    """Counts of the reference in each bin, and the bin of every current value; the last bin is null.

    A numeric column has deciles, a categorical one its nine most frequent categories and the others together.
    """
    if isinstance(known, list):
        words, counts = np.unique(np.array([word for word in known if word is not None]), return_counts=True)
        frequent = [str(word) for word in words[np.argsort(-counts, kind="stable")][: PSI_BINS - 1]]
        places: dict[str | None, int] = {word: place for place, word in enumerate(frequent)} | {None: PSI_BINS}

        def binned(column: Column) -> NDArray[np.intp]:
            return np.array([places.get(word, PSI_BINS - 1) for word in column], np.intp)
    else:
        edges = np.unique(np.nanquantile(known, np.arange(1, PSI_BINS) / PSI_BINS))

        def binned(column: Column) -> NDArray[np.intp]:
            numbers = np.asarray(column, np.float64)
            # Ties at an edge belong below it, so that a value with most of the mass has a bin to itself.
            return np.where(np.isnan(numbers), PSI_BINS, np.searchsorted(edges, numbers, side="left"))

    return np.bincount(binned(known), minlength=PSI_BINS + 1), binned(values)


def windows(bins: NDArray[np.intp], pane_rows: int, cells: int = PSI_BINS + 1) -> Counts:
    """Counts of the last WINDOW rows after every pane, shape (panes, cells); of fewer rows before there are so many."""
    if WINDOW % pane_rows:
        raise ValueError(f"a window of {WINDOW} rows is no whole number of panes of {pane_rows}")
    panes = len(bins) // pane_rows
    sums = np.zeros((panes + 1, cells), np.int64)
    for pane in range(panes):
        sums[pane + 1] = np.bincount(bins[pane * pane_rows : (pane + 1) * pane_rows], minlength=cells)
    sums = sums.cumsum(axis=0)
    begin = np.maximum(np.arange(1, panes + 1) - WINDOW // pane_rows, 0)
    return np.asarray(sums[1:] - sums[begin])


def psi_of_counts(reference: Counts, window: Counts) -> Floats:
    """PSI of windows, shape (..., cells), against *reference*, shape (cells,); NaN where a window is not full."""
    expected = np.maximum(reference / reference.sum(), LEAST_SHARE)
    rows = window.sum(axis=-1, keepdims=True)
    found = np.maximum(window / np.maximum(rows, 1), LEAST_SHARE)
    scores = ((found - expected) * np.log(found / expected)).sum(axis=-1)
    return np.where(rows[..., 0] >= WINDOW, scores, np.nan)


def distribution_tests(reference: Columns, current: Columns, *, pane_rows: int) -> Floats:
    """p-values of the last WINDOW rows after every pane, shape (panes, columns), NaN before the window is full.

    Two-sample Kolmogorov-Smirnov of the numbers that are not missing, chi-square of the words.
    """
    tests: list[Floats] = []
    for name, known in reference.items():
        values = current[name]
        if isinstance(known, list):
            tests.append(_chi_square(known, values, pane_rows))
        else:
            tests.append(_kolmogorov_smirnov(known, np.asarray(values, np.float64), pane_rows))
    return np.array(tests).T


def _kolmogorov_smirnov(known: Floats, values: Floats, pane_rows: int) -> Floats:
    known = np.sort(known[~np.isnan(known)])
    panes, kept = len(values) // pane_rows, WINDOW // pane_rows
    p_values = np.full(panes, np.nan)
    for pane in range(kept - 1, panes):
        window = values[(pane + 1) * pane_rows - WINDOW : (pane + 1) * pane_rows]
        window = np.sort(window[~np.isnan(window)])
        if not len(window):
            continue
        steps = np.arange(len(window) + 1) / len(window)
        # The distance is largest just before or at a value of the window; of equal values the outer steps count.
        before = np.searchsorted(known, window, side="left") / len(known)
        at = np.searchsorted(known, window, side="right") / len(known)
        first, last = (np.searchsorted(window, window, side=side) for side in ("left", "right"))
        distance = max(np.abs(before - steps[first]).max(), np.abs(at - steps[last]).max())
        p_values[pane] = kolmogorov(distance * np.sqrt(len(window) * len(known) / (len(window) + len(known))))
    return p_values


def _chi_square(known: list[str | None], values: Column, pane_rows: int) -> Floats:
    """Of the table of reference and window, by category; those of which too few are expected count together."""
    words, counts = np.unique(np.array([str(word) for word in known]), return_counts=True)
    window = min(WINDOW, len(values))
    # Expected in the smaller row of the table, under one common distribution.
    smaller = min(window, len(known)) / len(known)
    own = [str(word) for word, count in zip(words, counts, strict=True) if count * smaller >= LEAST_EXPECTED]
    places = {word: place for place, word in enumerate(own)}
    cells = len(own) + 1
    reference = np.bincount([places.get(str(word), len(own)) for word in known], minlength=cells)
    found = windows(np.array([places.get(str(word), len(own)) for word in values], np.intp), pane_rows, cells)
    rows, total = found.sum(axis=1, keepdims=True), reference.sum()
    pooled = (found + reference) / (rows + total)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = (found - rows * pooled) ** 2 / (rows * pooled) + (reference - total * pooled) ** 2 / (total * pooled)
    statistic = np.where(pooled > 0, each, 0.0).sum(axis=1)
    free = np.maximum((pooled > 0).sum(axis=1) - 1, 1)
    return np.where(rows[:, 0] >= WINDOW, chi2.sf(statistic, free), np.nan)


METHODS: Mapping[str, str] = {
    "PSI > 0.1": "PSI of the last 1,000 rows over 10 bins",
    "PSI > 0.2": "likewise",
    "PSI at 1/month": "its threshold from the chi-square tail, for one false alarm a month on independent rows",
    "KS p < 0.05": "Kolmogorov-Smirnov, chi-square for categories, last 1,000 rows",
    "KS Bonferroni": "at 0.05 divided by the columns",
    "KS at 1/month": "at the level of one false alarm a month on independent evaluations",
}
