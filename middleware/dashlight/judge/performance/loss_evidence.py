"""Evidence that losses rose beyond a bound: a sum of betting e-processes, one begun at every batch. Pure.

A bet on size s stakes lambda on every row of a bin: its wealth is multiplied by 1 + lambda (loss - m), where m is the
largest mean loss that is tolerated there. Stakes and bounds follow from the scores of a batch, not from its labels. Let p
be the true mean losses, w = n lambda the stakes of a batch by bin; its factor has a mean of at most
exp(sum w (p - m)) <= 1 as long as sum w (p - mean) <= z |w * error| + tolerance sum w, which is what

    m = mean + z w error**2 / |w * error| + tolerance

grants with LEVEL's probability over the draw of the reference, for the mix of scores at hand. Bets on one bin alone have
the bound of that bin, at LEVEL over all bins. The bets are mixed with fixed weights; each is a Shiryaev-Roberts sum

    R <- factor (1 + R),

so that sum(weights R) - batches is a supermartingale where nothing became worse: the mean number of batches to a false alarm
is at least the threshold, whenever one looks, for any sizes of batches and any past; and evidence of today begins today,
however long it was quiet. Rows that hang together: logarithms are divided by phi (loss_variation), which is a correction
and no proof.

Sources: Shin, Ramdas and Rinaldo (2023), "E-detectors", arXiv 2203.03532; Waudby-Smith and Ramdas (2024), JRSS B 86,
1-27, for bets on bounded means; Podkopaev and Ramdas (2022), arXiv 2110.06177, for the risk and its tolerance.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from scipy.special import ndtri

from dashlight.judge.evidence.cusum import CAP_NATS
from dashlight.judge.performance.loss_variation import LossVariation, LossVariationState
from dashlight.judge.performance.losses import GRID, LossStrata, sums_of
from dashlight.labels.rows import Floats
from dashlight.window.fitting import MOST_COUNT, fitted

TOLERANCE = 0.01
"""Of loss, on top of the bound of the reference."""
LEVEL = 0.05
"""By which the reference may be luckier than its bound says."""
SIZES = (0.06, 0.12, 0.25, 0.5, 1.0)
"""How far beyond its bound each bet says that a mean lies, in standard deviations of a row."""
SINGLE_WEIGHT = 0.3
"""Part of all bets on one bin alone."""
HIGHEST_BOUND = 0.98
"""Beyond which there is no room left to become worse."""
MOST_STAKED = 0.95
"""Of the wealth, on one row."""
MIX_ROWS = 5_000.0
"""Rows after which one weighs 1/e in the mix of scores."""
MOVED_NATS = 1.0
"""By so much the threshold may have moved since evidence was kept."""
FEW_BATCHES = 20.0
"""As long as there were fewer, no single one brings more than half of the evidence that it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class LossEvidenceState:
    """What LossEvidence remembers."""

    sums: Floats
    """Logarithm of R, shape (sizes, 1 + bins): over all bins, and in each alone."""
    mix: Floats
    """Rows by bin, of which older ones weigh less, shape (bins,)."""
    variation: LossVariationState


class LossEvidence:
    """Bets that losses by bin are larger than the usual ones of some strata."""

    def __init__(
        self, strata: LossStrata, *, batches: float, tolerance: float = TOLERANCE, level: float = LEVEL
    ) -> None:
        """*batches* is the mean number of batches between false alarms; *level* by which the reference may be luckier."""
        self._strata, self._tolerance = strata, tolerance
        bins = len(strata.means)
        self._threshold = log(max(batches, 1.0))
        single = SINGLE_WEIGHT if bins > 1 else 0.0
        parts = np.r_[1.0 - single, np.full(bins, single / bins)] / len(SIZES)
        with np.errstate(divide="ignore"):
            self._weights = np.log(parts)
        self._sums = np.full((len(SIZES), 1 + bins), -np.inf)
        self._mix = np.zeros(bins)
        self.variation = LossVariation()
        """Of the batches so far."""
        self._deviate = float(ndtri(1 - level))
        self._single_deviate = float(ndtri(1 - level / bins))

    @property
    def state(self) -> LossEvidenceState:
        """What is remembered: the arrays themselves."""
        return LossEvidenceState(self._sums, self._mix, self.variation.state)

    def restore(self, state: LossEvidenceState) -> None:
        """Go on from *state*, of evidence on the same strata; ValueError where no batches lead to it."""
        # Evidence is capped by a threshold that may be a little another by now: a share of the budget moved.
        most = self._most()
        sums = fitted("evidence", state.sums, like=self._sums, least=-np.inf, most=float(most.max()) + MOVED_NATS)
        self._sums = np.minimum(sums, most)
        self._mix = fitted("mix of scores", state.mix, like=self._mix, least=0, most=MOST_COUNT)
        self.variation.restore(state.variation)

    @property
    def margin(self) -> float:
        """Nats over the threshold; at 0 or more there is evidence enough."""
        return float(np.logaddexp.reduce(self._weights + self._sums, axis=None)) - self._threshold

    @property
    def threshold(self) -> float:
        """Nats that it takes."""
        return self._threshold

    def reset(self) -> None:
        """Forget all evidence; what is known of the mix and of the variation stays."""
        self._sums[:] = -np.inf

    def allowance(self, mix: Floats, variances: Floats) -> Floats:
        """By how much the mean of each bin may be above the reference's, for a *mix* of scores, the tolerance apart."""
        errors, deviate = self._strata.errors, self._deviate
        stakes = mix / np.sqrt(variances)
        norm = float(np.sqrt(np.square(stakes * errors).sum()))
        share = stakes * errors**2 / norm if norm > 0 else errors
        return np.asarray(deviate * share + deviate**2 / (3 * max(float(self._strata.rows.sum()), 1.0)))

    def update(self, counted: Floats, *, learns: bool = True) -> float:
        """Take a batch, as `losses.tally` counts it, shape (bins, PARTS). Returns the margin after it.

        *learns*: whether the batch tells how much batches vary; one of a time in which losses rose does not.
        """
        rows, losses, expected = np.moveaxis(sums_of(counted), -1, 0)
        total = float(rows.sum())
        if total <= 0:
            return self.margin
        self._mix = self._mix * np.exp(-total / MIX_ROWS) + rows
        strata = self._strata
        means = np.clip(np.where(rows > 0, expected / np.maximum(rows, 1e-12), strata.means), 0.0, 1.0)
        shared = self.allowance(self._mix, strata.variances)
        deviate = self._single_deviate
        single = deviate * strata.errors + deviate**2 / (3 * np.maximum(strata.rows, 1.0))
        variance = float((rows * strata.variances).sum())
        phi = self.variation.phi(total, variance / total)
        by_bin = self._gains(counted[:, :-1], means + shared + self._tolerance)
        alone = self._gains(counted[:, :-1], means + single + self._tolerance)
        gains = np.column_stack([by_bin.sum(1), alone]) / phi
        if self.variation.batches < FEW_BATCHES:
            gains = np.minimum(gains, self._threshold / 2)
        self._sums = np.minimum(gains + np.logaddexp(0.0, self._sums), self._most())
        if learns:
            self.variation.add(rows=total, excess=float((losses - expected).sum()), variance=variance)
        return self.margin

    def labels_needed(self, rise: float) -> float:
        """Labels that a *rise* of the loss takes, about, once it is there, with the mix of scores so far; inf: never."""
        strata, mix = self._strata, self._mix if self._mix.any() else self._strata.rows
        mix = mix / mix.sum()
        bound = np.minimum(strata.means + self.allowance(mix, strata.variances) + self._tolerance, HIGHEST_BOUND)
        risen = np.minimum(strata.means + rise, 1.0)
        variances = strata.variances + np.maximum(risen - strata.means, 0.0) ** 2
        gain = float((mix * (risen - bound) / np.sqrt(variances)).sum())
        if gain <= 0:
            return float("inf")
        return (self._threshold - float(self._weights[0])) * 2 / gain**2

    def _gains(self, at_points: Floats, bounds: Floats) -> Floats:
        """What each size wins in each bin, in nats, shape (sizes, bins)."""
        deviations = np.sqrt(self._strata.variances * np.maximum(_spread(bounds) / _spread(self._strata.means), 1.0))
        stakes = np.minimum(np.array(SIZES)[:, np.newaxis] / deviations, MOST_STAKED / np.maximum(bounds, 1e-9))
        stakes = np.where(bounds < HIGHEST_BOUND, stakes, 0.0)
        held = at_points.any(axis=0)  # of losses that are 0 or 1 the two ends
        gains = np.log1p(stakes[..., np.newaxis] * (GRID[held] - bounds[:, np.newaxis]))
        return np.asarray((gains * at_points[:, held]).sum(-1))

    def _most(self) -> Floats:
        """Where R is capped: what it takes, and a little more, so that it does not outgrow all numbers."""
        weights = np.where(np.isfinite(self._weights), self._weights, 0.0)
        return np.asarray(self._threshold + CAP_NATS - weights)


def _spread(means: Floats) -> Floats:
    return np.maximum(means * (1 - means), 1e-6)
