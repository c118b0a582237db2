"""Which waves of the day and of the week a column follows, and how much it moves besides.

A harmonic is kept by its evidence: each has a prior variance of its own, which is found by maximising the likelihood
of what the blocks show (automatic relevance determination, MacKay 1992, Neural Computation 4, 415-447). The noise is
that of quarters of days, which repeat: what differs from one day to the next is no season. Shares are whitened by
their square roots, so that sums over the bins are Pearson's chi-square.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference, Season, Variation, is_numeric
from dashlight.window.events import EVENTS, OTHER_EVENTS, functionals
from dashlight.window.layout import BINS, BLOCK_ROWS, UNSEEN
from dashlight.window.reference.block_variation import FEWEST_OCCURRENCES
from dashlight.window.reference.seasons.waves import HOURS, waves_at

Floats = NDArray[np.float64]

LEVEL = 1e-4
"""Chance that a column without a season is given one."""
KEPT_LEVEL = 0.005
"""Chance at which a harmonic that explains nothing may stay beside one that does."""
FEWEST_QUARTERS = 12
"""A noise that fewer quarters of days show is off by more than 40 %."""

_ROUNDS, _STEPS = 4, 12
"""Of estimating the noise, and of estimating the variance of each harmonic given the noise."""
_FIRST_PRIOR = 0.1
_LEAST_GAIN, _LEAST_PRIOR = 0.02, 1e-9
"""Harmonics below these are dropped."""
_COMMON_ROWS = 50
"""A bin with fewer rows says more of chance than of seasons."""
_DOUBT = 2.0
"""Times the variance of what was kept: harmonics too weak to be kept may be about as wrong together. Without it, a
reference of four days gave false alarms where the second harmonic of a wave had been left out."""
_MEASURABLE_VARIANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class BlockSums:
    """Sums over blocks of rows; c are the counts of one, w the sums of waves over its rows, n its rows."""

    blocks: int
    counts: Floats
    """Sum of c c'/n, shape (columns, BINS, BINS)."""
    waves_counts: Floats
    """Sum of w c'/n, shape (waves, columns, BINS); the first wave is one everywhere."""
    waves: Floats
    """Sum of w w'/n, shape (waves, waves)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """What shares of one column are measured in."""

    place: int
    """Of the column in the sums."""
    white: Floats
    """Shape (BINS,): 1/sqrt(share); 0 for bins too rare to tell of a season."""
    freedom: int
    """Degrees of freedom of the bins that count."""


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """A fitted curve of the shares of one column."""

    harmonics: NDArray[np.int64]
    members: NDArray[np.int64]
    """Which waves of the sums belong to it: the constant one, then a cosine and a sine for each harmonic."""
    waves: Floats
    """Shape (members, BINS)."""
    inverse: Floats
    """Shape (members, members): covariance of the waves for a bin whose rows have variance 1."""
    noise: float
    """Rows that hang together as one, over quarters of days."""
    gains: Floats
    """Shape (harmonics,): part of each harmonic that is known from the rows, 0 to 1; 1/(1 - gain) is its F."""


def fitted_seasons(
    columns: Sequence[ColumnReference], harmonics: NDArray[np.int64], scales: Sequence[BlockSums], quarters: BlockSums
) -> list[Season | None]:
    """The season of each of the counted *columns*, of the given *harmonics*; None where none is significant.

    *scales* are the sums over blocks of each length of layout.BLOCK_ROWS, *quarters* those over quarters of days.
    """
    if quarters.blocks < FEWEST_QUARTERS:
        return [None] * len(columns)
    return [_season(column, place, harmonics, scales, quarters) for place, column in enumerate(columns)]


def _season(
    column: ColumnReference,
    place: int,
    harmonics: NDArray[np.int64],
    scales: Sequence[BlockSums],
    quarters: BlockSums,
) -> Season | None:
    common = column.counts >= _COMMON_ROWS
    curve = _curve(place, harmonics, common, scales[0], quarters) if common.sum() > 1 else None
    if curve is None:
        return None
    shares = reference_shares([column])
    scores = functionals(shares, is_numeric([column]))[0]
    variance = _row_covariance(place, curve, scales[0])
    events = EVENTS + np.outer(np.arange(BINS) == UNSEEN, OTHER_EVENTS) * bool(column.known)
    held = column.counts @ events
    measurable = np.minimum(held, column.rows - held) >= FEWEST_OCCURRENCES
    variation = tuple(
        Variation(
            block_rows=rows,
            blocks=scale.blocks,
            events=_as_filed(np.where(measurable, _ratios(place, curve, scale, events.T, variance), np.nan)),
            functionals=_as_filed(_ratios(place, curve, scale, scores, variance)),
        )
        for scale, rows in zip(scales, BLOCK_ROWS, strict=True)
    )
    return Season(curve.harmonics, _as_filed(curve.waves), _hour_rows(curve, column.rows), variation)


def _curve(
    place: int, harmonics: NDArray[np.int64], common: NDArray[np.bool_], blocks: BlockSums, quarters: BlockSums
) -> _Curve | None:
    """The curve of one column, whose bins *common* tell of it; None where no harmonic is significant."""
    mean = blocks.waves_counts[0, place] / blocks.waves[0, 0]
    white = np.where(common & (mean > 0), 1 / np.sqrt(np.maximum(mean, 1e-12)), 0.0)
    scale = _Scale(place, white, int(common.sum()) - 1)
    curve, prior = _posterior(place, harmonics[:0], np.zeros(0), blocks, 1.0), np.zeros(0)
    noise = np.nan
    for _ in range(_ROUNDS):
        # What the curve does not explain yet counts as noise: the noise falls from round to round.
        before, noise = noise, _noise(scale, curve, quarters)
        if noise == before:  # nor would any round from now on find another curve
            break
        curve, prior = _relevant(scale, harmonics, blocks, noise)
    independent = _independent(scale, curve, quarters)
    chance = fdtrc(2 * independent, (quarters.blocks - 1) * independent, 1 / np.maximum(1 - curve.gains, 1e-9))
    if not (chance * len(harmonics) < LEVEL).any():
        return None
    kept = chance < KEPT_LEVEL
    return _posterior(place, curve.harmonics[kept], prior[kept], blocks, curve.noise)


def _relevant(scale: _Scale, harmonics: NDArray[np.int64], blocks: BlockSums, noise: float) -> tuple[_Curve, Floats]:
    """The curve of those *harmonics* that explain more than *noise*, and their prior variances."""
    prior = np.full(len(harmonics), _FIRST_PRIOR)
    curve = _posterior(scale.place, harmonics, prior, blocks, noise)
    for _ in range(_STEPS):
        power = ((curve.waves[1:] * scale.white) ** 2).sum(1).reshape(-1, 2).mean(1)
        prior = power / (scale.freedom * np.maximum(curve.gains, 1e-9))
        known = (curve.gains > _LEAST_GAIN) & (prior > _LEAST_PRIOR)
        harmonics, prior = harmonics[known], prior[known]
        curve = _posterior(scale.place, harmonics, prior, blocks, noise)
    return curve, prior


def _posterior(place: int, harmonics: NDArray[np.int64], prior: Floats, blocks: BlockSums, noise: float) -> _Curve:
    """The likeliest curve of these *harmonics*, each with its *prior* variance; the mean shares are free."""
    pairs = np.stack([2 * harmonics - 1, 2 * harmonics], axis=1).ravel()
    members = np.concatenate([[0], pairs]).astype(np.int64)
    precisions = blocks.waves[np.ix_(members, members)]
    precisions[np.diag_indices(len(members))] += np.concatenate([[0.0], np.repeat(noise / prior, 2)])
    inverse = np.asarray(np.linalg.inv(precisions), np.float64)
    gains = 1 - (noise * np.diag(inverse)[1:]).reshape(-1, 2).mean(1) / prior
    return _Curve(harmonics, members, inverse @ blocks.waves_counts[members, place], inverse, noise, gains)


def _noise(scale: _Scale, curve: _Curve, quarters: BlockSums) -> float:
    """How many times more than chance the shares of quarters of days vary around *curve*, at least once."""
    left = np.diag(_residual(scale.place, curve, quarters)) @ scale.white**2
    return max(float(left) / (scale.freedom * _free_blocks(curve, quarters)), 1.0)


def _independent(scale: _Scale, curve: _Curve, quarters: BlockSums) -> float:
    """Degrees of freedom of the noise in one block, at least 1: (tr C)^2 / tr C^2, after Satterthwaite (1946).

    Independent rows scatter over all bins alike; rows that hang together move whole tails at once. What tr C^2 of so
    few blocks exceeds its mean by, (tr C)^2 / blocks, is taken off.
    """
    covariance = scale.white[:, np.newaxis] * _residual(scale.place, curve, quarters) * scale.white
    whole = float(np.trace(covariance)) ** 2
    squares = float((covariance**2).sum()) - whole / quarters.blocks
    return float(np.clip(whole / max(squares, 1e-300), 1.0, scale.freedom))


def _residual(place: int, curve: _Curve, sums: BlockSums) -> Floats:
    """Sum over blocks of r r'/n, shape (BINS, BINS), r = counts less those that *curve* expects."""
    cross = curve.waves.T @ sums.waves_counts[curve.members, place]
    expected = curve.waves.T @ sums.waves[np.ix_(curve.members, curve.members)] @ curve.waves
    return np.asarray(sums.counts[place] - cross - cross.T + expected)


def _free_blocks(curve: _Curve, sums: BlockSums) -> float:
    """Blocks less the parameters of *curve* that blocks of this length can tell apart."""
    fitted = float((curve.inverse * sums.waves[np.ix_(curve.members, curve.members)]).sum())
    return max(sums.blocks - fitted, sums.blocks / 2, 1.0)


def _row_covariance(place: int, curve: _Curve, blocks: BlockSums) -> Floats:
    """Mean covariance of the bins of one row around *curve*, shape (BINS, BINS)."""
    rows = blocks.waves[0, 0]
    squares = curve.waves.T @ blocks.waves[np.ix_(curve.members, curve.members)] @ curve.waves / rows
    return np.asarray(np.diag(blocks.waves_counts[0, place] / rows) - squares)


def _ratios(place: int, curve: _Curve, sums: BlockSums, scores: Floats, row_covariance: Floats) -> Floats:
    """For each of *scores*, shape (statistics, BINS), what window.reference.Variation holds; NaN where unmeasurable."""
    ratios = np.full(len(scores), np.nan)
    if sums.blocks > 1:
        left = np.einsum("sk,kl,sl->s", scores, _residual(place, curve, sums), scores) / _free_blocks(curve, sums)
        variance = np.einsum("sk,kl,sl->s", scores, row_covariance, scores)
        np.divide(left, variance, out=ratios, where=(variance > _MEASURABLE_VARIANCE) & (left > 0))
    return ratios


def _hour_rows(curve: _Curve, rows: int) -> Floats:
    """Rows that would show the shares of each hour of the week as precisely as the curve does, shape (HOURS,)."""
    at = waves_at(np.arange(HOURS, dtype=np.float64) * 3600 + 1800, curve.harmonics)
    variance = _DOUBT * np.einsum("hm,mn,hn->h", at, curve.inverse, at)
    return _as_filed(np.clip(1 / np.maximum(variance, 1e-300), 1.0, max(rows, 1)))


def _as_filed(numbers: Floats) -> Floats:
    """*numbers* rounded as a file keeps them, so that a reference and its file say the same."""
    return numbers.astype(np.float32).astype(np.float64)
