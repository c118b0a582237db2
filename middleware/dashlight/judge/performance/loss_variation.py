"""How much more the losses of batches vary than those of independent rows would. Pure.

With r the deviation of a batch's loss from the mean of those before it, in standard deviations of n independent rows, r**2
has the mean phi. It is phi = 1 + (n - 1) rho where all rows of a batch share a part of their luck, and does not depend on n
where only a few hang together: the larger of the two counts. Deviations count where they are surely not chance. Until
enough batches came it is assumed that the risk varies by USUAL from one batch to the next.

What lasts longer than a batch shows between blocks of BLOCK batches, as half the squared difference of two that follow one
another, so that a change for good counts once.

One deviation counts at most LARGEST times what is usual so far: for it may be the very change that is looked for.

Source: Donner and Klar (2000), Design and Analysis of Cluster Randomization Trials: 1 + (n - 1) rho.
"""

from dataclasses import dataclass, replace
from math import isnan

from dashlight.window.fitting import MOST_COUNT, within

USUAL = 0.015
"""Standard deviation of the risk from batch to batch, of which nothing is known yet."""
USUAL_BATCHES = 8.0
"""So many batches the assumption is worth."""
MEMORY = 336.0
"""Batches after which one weighs 1/e: two weeks of hours."""
SURELY = 2.5
"""Standard errors by which deviations must exceed those of chance."""
BLOCK = 24
"""Batches: a day of hours."""
LARGEST = 4.0


@dataclass(frozen=True, slots=True)
class SlowVariationState:
    """What is remembered of blocks of batches."""

    batches: int
    """Of the open block; its rows, their excess over what was expected, and the variance of that."""
    rows: float
    excess: float
    variance: float
    last_mean: float
    """Of the block before; NaN where there is none. Its variance."""
    last_variance: float
    blocks: float
    """Differences, of which older ones weigh less, and the sum of what they exceed those of chance by."""
    deviations: float


_NOTHING = SlowVariationState(0, 0.0, 0.0, 0.0, float("nan"), 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class LossVariationState:
    """What a LossVariation remembers: sums over batches, of which older ones weigh less."""

    batches: float
    rows: float
    excess: float
    """Of losses over what was expected, so that it can be taken off."""
    deviations: float
    """Of r**2 - 1."""
    pairs: float
    """Of n - 1."""
    slow: SlowVariationState = _NOTHING


class LossVariation:
    """The variation between batches, as far as it is known before the next one."""

    def __init__(self) -> None:
        self._seen = LossVariationState(0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def state(self) -> LossVariationState:
        """What is remembered."""
        return self._seen

    def restore(self, state: LossVariationState) -> None:
        """Go on from *state*; ValueError where no batches lead to it."""
        within("batches", state.batches, 0, MEMORY + 2)
        within("rows of batches", state.rows)
        within("excess of losses", state.excess, -state.rows, state.rows)
        within("deviations", state.deviations, -state.batches, float(MOST_COUNT))
        within("pairs of rows", state.pairs, 0, state.rows)
        slow = state.slow
        within("batches of a block", slow.batches, 0, BLOCK - 1)
        within("rows of a block", slow.rows)
        within("excess of a block", slow.excess, -slow.rows, slow.rows)
        within("variance of a block", slow.variance, 0, slow.rows)
        within("the mean of a block", 0.0 if isnan(slow.last_mean) else slow.last_mean, -1, 1)
        within("the variance of a mean", slow.last_variance, 0, 1)
        within("blocks", slow.blocks, 0, MEMORY + 2)
        within("deviations of blocks", slow.deviations, -slow.blocks, float(MOST_COUNT))
        self._seen = state

    @property
    def batches(self) -> float:
        """How many batches it rests on."""
        return self._seen.batches

    def phi(self, rows: float, variance: float) -> float:
        """So many rows of a batch of *rows* are worth one, at least 1; *variance* is that of the loss of one row."""
        seen, pairs = self._seen, max(rows - 1, 0.0)
        usual = USUAL_BATCHES * pairs * USUAL**2 / variance
        chance = (2 / max(seen.batches, 1e-9)) ** 0.5
        mean = seen.deviations / max(seen.batches, 1e-9)
        is_sure = mean > SURELY * chance
        found = seen.deviations if is_sure else 0.0
        shared = (usual + found) / max(USUAL_BATCHES * pairs + seen.pairs, 1.0)
        return max(1.0 + pairs * shared, 1.0 + mean if is_sure else 1.0, self._slow_phi())

    def _slow_phi(self) -> float:
        slow = self._seen.slow
        blocks = max(slow.blocks, 1e-9)
        mean = slow.deviations / blocks
        return 1.0 + mean if mean > SURELY * (2 / blocks) ** 0.5 else 1.0

    def add(self, *, rows: float, excess: float, variance: float) -> None:
        """Take a batch of *rows* that lost so much more than expected; *variance* is that of the sum of its losses."""
        seen, kept = self._seen, 1 - 1 / MEMORY
        if seen.rows:
            spread = variance * (1 + rows / seen.rows)
            squared = (excess - rows * seen.excess / seen.rows) ** 2 / spread
            usual = self.phi(rows, variance / rows)
            deviations, pairs, batches = min(squared, LARGEST * usual) - 1, rows - 1, 1.0
        else:
            deviations = pairs = batches = 0.0
        self._seen = LossVariationState(
            batches=seen.batches * kept + batches,
            rows=seen.rows * kept + rows,
            excess=seen.excess * kept + excess,
            deviations=seen.deviations * kept + deviations,
            pairs=seen.pairs * kept + pairs,
            slow=self._added(SlowVariationState(1, rows, excess, variance, 0.0, 0.0, 0.0, 0.0)),
        )

    def _added(self, batch: SlowVariationState) -> SlowVariationState:
        """What is known of blocks, with one more *batch*."""
        slow = self._seen.slow
        batches, rows = slow.batches + 1, slow.rows + batch.rows
        excess, variance = slow.excess + batch.excess, slow.variance + batch.variance
        if batches < BLOCK:
            return replace(slow, batches=batches, rows=rows, excess=excess, variance=variance)
        mean, spread = excess / rows, variance / rows**2
        closed = replace(_NOTHING, last_mean=mean, last_variance=spread)
        if isnan(slow.last_mean):
            return closed
        kept = 1 - 1 / MEMORY
        squared = (mean - slow.last_mean) ** 2 / (spread + slow.last_variance)
        counted = min(squared, LARGEST * self._slow_phi()) - 1
        return replace(closed, blocks=slow.blocks * kept + 1, deviations=slow.deviations * kept + counted)
