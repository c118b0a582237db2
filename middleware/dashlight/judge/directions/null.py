"""Scores along a direction where nothing drifts: their mean, its standard error, and how they vary in time. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import DirectionReference
from dashlight.window.layout import BLOCK_ROWS

Floats: TypeAlias = NDArray[np.float64]
SingleFloats: TypeAlias = NDArray[np.float32]

CLIP = 3.0
"""Deviations at which a row's score is clipped, so that no single row decides."""
FEWEST_BLOCKS = 12
"""A variance of fewer block means is off by more than 40 %: the length counts as not measured."""
FEWEST_SHORTEST = 4
"""Blocks of the shortest length that still say something, there being no shorter ones."""
INDEPENDENT_DIMENSIONS = 6
"""What is true of the middle one of the dimensions is known as well as from so many independent ones, at most."""
SIGNIFICANT = 3.5
"""Standard errors beyond 1 at which rows are taken to hang together."""
SAFETY = 2.0
"""Standard errors that are added to what was measured."""
LEVELS_OFF = 1.25
"""Growth from one length to the next, beyond its error, from which memory has not come to its end."""
SLOW = 0.6
"""Growth by row between the longer lengths, as part of that between the shorter ones, from which it is a season's."""
_FLOOR = 1e-3
"""Of the squared weights: the least variance of a score, for directions in which the reference never moved."""


@dataclass(frozen=True, slots=True, eq=False)
class Along:
    """The scores of rows without drift along directions of unit deviation; all of shape (directions,) but *units*."""

    units: Floats
    """Shape (directions, dims): weights of a row's deviations whose score has standard deviation 1."""
    mean: Floats
    """Of the clipped score."""
    variance: Floats
    """Squared standard error of *mean*, rows that hang together taken into account."""
    phi: Floats
    """So many rows are worth one independent row, at least 1; an upper bound."""
    tau: Floats
    """Standard deviation of the slow movement."""
    is_measured: NDArray[np.bool_]
    """False where rows hang together and the reference is too short to tell for how long."""


class DirectionNull:
    """The reference of whole rows, ready to be asked about any direction."""

    def __init__(self, reference: DirectionReference, *, phi: Floats | None, tau: Floats | None) -> None:
        """*phi* and *tau*, shape (dims,), are natural variation of the dimensions that was measured elsewhere.

        A direction has at least as much as the dimensions that it consists of.
        """
        dims = reference.dims
        self._phi = np.ones(dims) if phi is None else np.maximum(phi, 1.0)
        self._tau = np.zeros(dims) if tau is None else tau
        self._covariance = reference.covariance
        self._mean, self._mean_rows = reference.mean.astype(np.float64), reference.mean_rows
        self._rows = reference.rows.astype(np.float32)
        means = [part.astype(np.float32) for part in reference.block_means] if reference.ordered else []
        least = [FEWEST_SHORTEST, *[FEWEST_BLOCKS] * (len(BLOCK_ROWS) - 1)]
        self._lengths = [rows for rows, part, few in zip(BLOCK_ROWS, means, least, strict=False) if len(part) >= few]
        centred = [part - part.mean(0) for part in means[: len(self._lengths)]]
        self._blocks = np.concatenate(centred) if self._lengths else self._rows[:0]
        counts = np.array([len(part) for part in centred], np.float64)
        self._starts = np.cumsum([0, *counts[:-1]]).astype(np.intp)[: len(counts)]
        self._scale = np.array(self._lengths) / (counts - 1)
        self._errors = np.sqrt(2 / (counts - 1))
        self._pooled_errors = self._errors / np.sqrt(min(INDEPENDENT_DIMENSIONS, dims))
        self._pooled = self._pooled_ratios()
        self._depends = self._pooled > 1 + SIGNIFICANT * self._pooled_errors
        # A ratio of few blocks is guesswork: where rows hang together it is at least the middle one.
        is_guess = counts < FEWEST_BLOCKS
        self._least = np.where(self._depends & is_guess, self._pooled, 0.0)[:, np.newaxis]
        self.memory_rows = float(self._pooled[-1]) if self._depends.any() else 1.0
        """About so many rows are worth one, in the middle one of the dimensions."""
        self.too_short = self._has_no_end()
        """Whether rows hang together for longer than the reference can show, in the middle one of the dimensions."""

    def along(self, weights: Floats) -> Along:
        """Scores along *weights*, shape (directions, dims), none of them zero throughout; their size does not matter."""
        # One row of huge numbers makes weights whose squares no float holds; powers of two leave every digit as it is.
        weights = np.ldexp(weights, -np.frexp(np.abs(weights).max(1, keepdims=True))[1])
        single = weights.astype(np.float32)
        raw = ((single @ self._covariance) * single).sum(1).astype(np.float64)
        deviations = np.sqrt(np.maximum(raw, 0.0) + _FLOOR * (weights * weights).sum(1))
        units = weights / deviations[:, np.newaxis]
        scores = self._rows @ units.T.astype(np.float32)
        beyond = np.minimum(np.maximum(scores, -CLIP), CLIP)  # np.clip takes three times as long
        beyond -= scores
        clipped = beyond.sum(0, dtype=np.float64) / len(scores)
        doubt = (beyond * beyond).sum(0, dtype=np.float64) / len(scores) ** 2
        phi, tau, is_measured = self._movement(units, raw / deviations**2)
        return Along(
            units=units,
            mean=np.clip(units @ self._mean + clipped, -CLIP, CLIP),
            variance=phi * np.minimum(1 / self._mean_rows + doubt, 1.0),
            phi=phi,
            tau=tau,
            is_measured=is_measured,
        )

    def _movement(self, units: Floats, variances: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """phi, tau and whether they could be measured."""
        shares = units**2 * self._covariance.diagonal()
        phi = np.maximum((shares @ self._phi) / np.maximum(shares.sum(1), 1e-12), 1.0)
        tau = np.abs(units) @ self._tau
        is_measured = np.full(len(units), not self.too_short)
        if not self._lengths:
            return phi, tau, is_measured
        projected = self._blocks @ units.T.astype(np.float32)
        squares = np.add.reduceat(projected * projected, self._starts).astype(np.float64)
        ratios = squares * self._scale[:, np.newaxis] / np.maximum(variances, 1e-6)
        errors = self._errors[:, np.newaxis]
        significant = (ratios > 1 + SIGNIFICANT * errors) | self._depends[:, np.newaxis]
        upper = np.maximum(ratios, self._least) * (1 + SAFETY * errors)
        excess = np.where(significant, upper - 1, 0.0)
        slow = np.zeros(len(units))
        if len(self._lengths) == len(BLOCK_ROWS):
            slow = _slow(excess)
        elif len(self._lengths) == 1:  # nothing tells whether it goes on
            is_measured &= ~significant[0]
        lengths = np.array(self._lengths, np.float64)[:, np.newaxis]
        return (
            np.maximum(phi, 1 + np.maximum(excess - slow * lengths, 0.0).max(0)),
            np.maximum(tau, np.sqrt(slow)),
            is_measured,
        )

    def _pooled_ratios(self) -> Floats:
        """Variance of block means times their rows, by that of a row: of the middle one of the dimensions that move."""
        variances = self._covariance.diagonal().astype(np.float64)
        moving = variances > 1e-6
        if not self._lengths or not moving.any():
            return np.ones(len(self._lengths))
        squares = np.add.reduceat(self._blocks * self._blocks, self._starts).astype(np.float64)
        return np.asarray(np.median(squares[:, moving] / variances[moving], axis=1) * self._scale)

    def _has_no_end(self) -> bool:
        if not self._lengths or not self._depends[-1] or len(self._lengths) == len(BLOCK_ROWS):
            return False
        if len(self._lengths) == 1:
            return True
        doubt = float(np.hypot(*self._pooled_errors[-2:]))
        return bool(self._pooled[-1] > self._pooled[-2] * (LEVELS_OFF + SAFETY * doubt))


def _slow(excess: Floats) -> Floats:
    """Squared tau of each direction: growth of *excess*, shape (lengths, directions), that does not level off."""
    first, second, third = excess
    short, middle, long = BLOCK_ROWS
    early, late = (second - first) / (middle - short), (third - second) / (long - middle)
    return np.asarray(np.where(late > np.maximum(SLOW * early, 0.0), np.maximum(late, 0.0), 0.0))
