"""How far counts of a window are from those of the reference: PSI, JS, KS, W1, rates, each with its uncertainty. Pure.

All take the reference first and accept any leading dimensions; the last one holds the bins.
"""

import numpy as np
from scipy.special import rel_entr

from dashlight.judge.evidence.intervals import Counts, Estimate, Floats, Z
from dashlight.window.layout import ABOVE, BELOW, STRUCTURAL_BINS

_NO_WIDTH = 1e-9
"""Part of the range: a narrower middle half of the values is one value."""
_KOLMOGOROV = 1.358
"""95 % quantile of Kolmogorov's distribution."""


def psi(reference: Counts, current: Counts) -> Estimate:
    """Population stability index, less what sampling alone would make of it, at least 0.

    psi = sum (q - p) ln(q / p) - (K - 1) (1/n + 1/R) over the K bins that hold a row of either, with half a row added
    to each. Its error: the delta method's, and sqrt(2 (K - 1)) (1/n + 1/R) where there is no difference.

    Source of the expectation: Yurdakul (2018), "Statistical Properties of Population Stability Index".
    """
    p, q, bins, noise = _shares(reference, current)
    ratio = np.log(q / p)
    slopes = -ratio + 1 - q / p, ratio + 1 - p / q
    return _corrected(psi_of_shares(p, q), bins - 1, noise, _variance(slopes, (p, q), (reference, current)))


def js(reference: Counts, current: Counts) -> Estimate:
    """Jensen-Shannon distance, 0 to 1 (to base 2), less what sampling alone would make of it.

    It is the root of (sum p ln(p/m) + sum q ln(q/m)) / (2 ln 2), m = (p + q) / 2; the sum is 1/8 of the PSI where the
    difference is small, and so is its expectation where there is none.
    """
    p, q, bins, noise = _shares(reference, current)
    middle = (p + q) / 2
    slopes = np.log(p / middle) / 2, np.log(q / middle) / 2
    plain = js_of_shares(p, q) ** 2 * np.log(2)
    square = _corrected(plain, bins - 1, noise / 8, _variance(slopes, (p, q), (reference, current)))
    value, low, high = (np.minimum(np.sqrt(part / np.log(2)), 1.0) for part in square)
    return Estimate(value, low, high)


def psi_of_shares(reference: Floats, current: Floats) -> Floats:
    """Population stability index as the textbook has it: sum (q - p) ln(q / p), no share of either being 0."""
    return np.asarray(((current - reference) * np.log(current / reference)).sum(-1))


def js_of_shares(reference: Floats, current: Floats) -> Floats:
    """Jensen-Shannon distance to base 2, 0 to 1, as SciPy has it; shares may be 0."""
    middle = (reference + current) / 2
    divergence = (rel_entr(reference, middle) + rel_entr(current, middle)).sum(-1) / 2
    return np.asarray(np.sqrt(np.maximum(divergence, 0.0) / np.log(2)))


def ks(reference: Counts, current: Counts) -> Estimate:
    """Largest distance of the distribution functions of numeric columns, seen at the borders of the bins.

    Rows without a value do not count. The bounds are D +- 1.358 sqrt(1/n + 1/R): wide, but right whatever the truth.
    """
    p, q = _cumulative(reference), _cumulative(current)
    largest = np.abs(q - p).max(-1)
    noise = 1 / np.maximum(_ordered(reference).sum(-1), 1) + 1 / np.maximum(_ordered(current).sum(-1), 1)
    spread = _KOLMOGOROV * np.sqrt(noise)
    return Estimate(largest, np.maximum(largest - spread, 0.0), np.minimum(largest + spread, 1.0))


def w1(reference: Counts, current: Counts, borders: Floats) -> Estimate:
    """Wasserstein distance of numeric columns, in interquartile ranges of the reference (in ranges, where that is 0).

    Values are taken to lie evenly in their bin, and those out of the reference's range at its end: where many are, the
    distance is larger than this. *borders*, shape (..., VALUE_BINS + 1), go from the least to the largest value of the
    reference, which is repeated where there are fewer bins. A constant column is at 0.
    """
    before, after = _cumulative(reference)[..., :-1], _cumulative(current)[..., :-1]
    borders = borders / 4  # in what unit does not matter, and the difference of the largest numbers is no number
    widths = np.diff(borders, axis=-1)
    scale = _scale(before, borders)[..., np.newaxis]
    moved = after - before
    weights = np.zeros_like(moved)
    weights[..., :-1] += widths / 2
    weights[..., 1:] += widths / 2
    weights = np.divide(weights, scale, out=np.zeros_like(weights), where=scale > 0)
    value = np.divide(_area(moved, widths), scale[..., 0], out=np.zeros(scale.shape[:-1]), where=scale[..., 0] > 0)
    # Every row adds, for each border above it, the border's weight with the sign of the difference there.
    signed = weights * np.sign(moved)
    slope = np.concatenate([np.cumsum(signed[..., ::-1], axis=-1)[..., ::-1], np.zeros((*value.shape, 1))], axis=-1)
    variance, noise = np.zeros_like(value), np.zeros_like(value)
    for counts in (reference, current):
        ordered = _ordered(counts)
        rows = np.maximum(ordered.sum(-1), 1)
        shares = ordered / rows[..., np.newaxis]
        variance += ((shares * slope**2).sum(-1) - (shares * slope).sum(-1) ** 2) / rows
        noise += 1 / rows
    chance = (weights * np.sqrt(2 / np.pi * before * (1 - before) * noise[..., np.newaxis])).sum(-1)
    spread = Z * np.sqrt(variance)
    return Estimate(value, np.maximum(value - chance - spread, 0.0), value + spread)


def _shares(reference: Counts, current: Counts) -> tuple[Floats, Floats, Floats, Floats]:
    """Shares p and q with half a row added to each of the K bins in use (1 elsewhere), K, and 1/n + 1/R."""
    used = (reference + current) > 0
    bins = np.maximum(used.sum(-1), 1).astype(np.float64)
    rows = [np.asarray(counts.sum(-1), np.float64) for counts in (reference, current)]
    p, q = (
        np.where(used, (counts + 0.5) / (total + bins / 2)[..., np.newaxis], 1.0)
        for counts, total in zip((reference, current), rows, strict=True)
    )
    return p, q, bins, 1 / np.maximum(rows[0], 1) + 1 / np.maximum(rows[1], 1)


def _variance(slopes: tuple[Floats, Floats], shares: tuple[Floats, Floats], counts: tuple[Counts, Counts]) -> Floats:
    """Variance of a function of both shares with these *slopes*, by the delta method."""
    total = np.zeros(shares[0].shape[:-1])
    for slope, share, rows in zip(slopes, shares, counts, strict=True):
        spread = (share * slope**2).sum(-1) - (share * slope).sum(-1) ** 2
        total += np.maximum(spread, 0.0) / np.maximum(rows.sum(-1), 1)
    return total


def _corrected(plain: Floats, freedom: Floats, noise: Floats, variance: Floats) -> Estimate:
    """*plain* less its expectation without a difference, which is *noise* times chi-squared with *freedom* degrees."""
    value = plain - freedom * noise
    spread = Z * np.sqrt(variance + 2 * freedom * noise**2)
    return Estimate(np.maximum(value, 0.0), np.maximum(value - spread, 0.0), np.maximum(value + spread, 0.0))


def _ordered(counts: Counts) -> Counts:
    """Rows with a value in the order of the values: below the range, the value bins, above it."""
    below, above = counts[..., BELOW : BELOW + 1], counts[..., ABOVE : ABOVE + 1]
    return np.concatenate([below, counts[..., STRUCTURAL_BINS:], above], axis=-1)


def _cumulative(counts: Counts) -> Floats:
    """Distribution function at the VALUE_BINS + 1 borders of the bins, and last 1."""
    ordered = _ordered(counts)
    return np.asarray(np.cumsum(ordered, axis=-1) / np.maximum(ordered.sum(-1, keepdims=True), 1))


def _scale(before: Floats, borders: Floats) -> Floats:
    """Interquartile range of the reference, or its range where that is 0."""
    flat = before.reshape(-1, before.shape[-1]), borders.reshape(-1, borders.shape[-1])
    quartiles = np.array([np.interp([0.25, 0.75], *pair) for pair in zip(*flat, strict=True)]).reshape(-1, 2)
    between = (quartiles[:, 1] - quartiles[:, 0]).reshape(before.shape[:-1])
    whole = borders[..., -1] - borders[..., 0]
    # Next to a value with a bin of its own an edge lies one step beyond it, which is no width.
    return np.where(between > _NO_WIDTH * whole, between, whole)


def _area(moved: Floats, widths: Floats) -> Floats:
    """Area between two distribution functions whose difference at the borders is *moved* and linear between them."""
    left, right = np.abs(moved[..., :-1]), np.abs(moved[..., 1:])
    both = left + right
    crossing = moved[..., :-1] * moved[..., 1:] < 0
    mean = np.where(crossing, np.divide(left**2 + right**2, both, out=np.zeros_like(both), where=both > 0), both) / 2
    return np.asarray((mean * widths).sum(-1))
