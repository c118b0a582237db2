"""How much the reference moved between blocks of one length, and whether that is more than chance. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference, Variation
from dashlight.window.layout import BLOCK_ROWS

Floats = NDArray[np.float64]

FEWEST_BLOCKS = 12
"""A variance of fewer blocks is off by more than 40 %: the length counts as not measured."""
FEWEST_SHORTEST = 4
"""Blocks of the shortest length that still say something, there being no shorter one to extrapolate from."""


BEYOND_LONGEST, ENOUGH_LONGEST = 4, 24
"""Where a reference holds fewer of the longest blocks, a memory that surely grows on in them may be four times as long."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockScale:
    """Blocks of one length of which the reference holds enough."""

    rows: int
    blocks: int
    ratios: Floats
    """Of every statistic, and last of the middle one of them."""
    errors: Floats
    """Relative standard errors of *ratios*: sqrt(2 / (blocks - 1)), and less for the middle one."""
    mean: float
    mean_error: float
    depends: bool
    """Whether the rows of the column hang together over so many rows."""


def measured_parts(column: ColumnReference) -> list[Variation]:
    """The variation between blocks of the lengths of which *column* holds enough, the shortest first."""
    shortest = BLOCK_ROWS[0]
    return [
        part
        for part in column.variation
        if part.blocks >= (FEWEST_SHORTEST if part.block_rows == shortest else FEWEST_BLOCKS)
    ]


def scales_of(parts: Sequence[Variation], ratios: Sequence[Floats], independent: int) -> list[BlockScale]:
    """The lengths at which any of *ratios* was measured, which overlap as much as so many *independent* ones."""
    both = zip(parts, map(_moving, ratios), strict=True)
    return [_scale(part, ratio, independent) for part, ratio in both if np.isfinite(ratio).any()]


def _scale(part: Variation, ratios: Floats, independent: int) -> BlockScale:
    error = float(np.sqrt(2 / (part.blocks - 1)))
    pooled = error / float(np.sqrt(independent))
    middle = np.nanmedian(ratios)
    if part.blocks < FEWEST_BLOCKS:  # a single one is guesswork
        ratios = np.maximum(ratios, middle)
    families = [_moving(part.events), _moving(part.functionals)]
    means = [float(np.nanmean(family)) for family in families if np.isfinite(family).any()]
    return BlockScale(
        rows=part.block_rows,
        blocks=part.blocks,
        ratios=np.append(ratios, middle),
        errors=np.append(np.full(len(ratios), error), pooled),
        mean=float(np.nanmean(ratios)),
        mean_error=pooled,
        depends=max(means) > float(most_by_chance(pooled)),
    )


def most_by_chance(errors: Floats | float) -> Floats:
    """Ratio that independent rows exceed once in 4,000 times, where its relative standard error is so large.

    Variances have a long upper tail, all the more of few blocks. Source: Wilson and Hilferty (1931), PNAS 17, 684-688.
    """
    return np.asarray((1 - np.square(errors) / 9 + 3.5 * np.asarray(errors) / 3) ** 3)


def horizon(scale: BlockScale) -> int:
    """Rows of the blocks up to which a memory that was still growing in blocks of this *scale* may go on to grow."""
    if scale.rows < BLOCK_ROWS[-1]:
        return BLOCK_ROWS[-1]
    return scale.rows * (BEYOND_LONGEST if scale.blocks < ENOUGH_LONGEST else 1)


def growth_beyond(scales: Sequence[BlockScale]) -> tuple[float, float]:
    """By how much the ratios of blocks as long as the horizon exceed the last that were measured, and its relative error.

    The mean over the statistics grows as rows ** gamma between the two longest lengths that are measured (or from
    single rows, whose ratio is 1), at most linearly, and goes on so.
    """
    last = scales[-1]
    rows, mean, mean_error = 1, 1.0, 0.0
    if len(scales) > 1:
        rows, mean, mean_error = scales[-2].rows, scales[-2].mean, scales[-2].mean_error
    span, stretch = np.log(last.rows / rows), np.log(horizon(last) / last.rows)
    gamma = np.clip(np.log(last.mean / mean) / span, 0.0, 1.0)
    return float(np.exp(gamma * stretch)), float(np.hypot(last.mean_error, mean_error) / span * stretch)


def _moving(ratios: Floats) -> Floats:
    """*ratios* without those of statistics that never moved at all: nothing is known of them."""
    return np.where(ratios > 0, ratios, np.nan)
