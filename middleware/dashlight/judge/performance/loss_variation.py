"""How much more the losses of batches vary than those of independent rows would. Pure.

With r the deviation of a batch's loss from the mean of those before it, in standard deviations of n independent rows, r**2
has the mean phi. It is phi = 1 + (n - 1) rho where all rows of a batch share a part of their luck, and does not depend on n
where only a few hang together: the larger of the two counts. Deviations count where they are surely not chance. Until
enough batches came it is assumed that the risk varies by USUAL from one batch to the next.

Source: Donner and Klar (2000), Design and Analysis of Cluster Randomization Trials: 1 + (n - 1) rho.
"""

from dataclasses import dataclass

from dashlight.window.fitting import MOST_COUNT, within

USUAL = 0.02
"""Standard deviation of the risk from batch to batch, of which nothing is known yet."""
USUAL_BATCHES = 8.0
"""So many batches the assumption is worth."""
MEMORY = 336.0
"""Batches after which one weighs 1/e: two weeks of hours."""
SURELY = 2.5
"""Standard errors by which deviations must exceed those of chance."""


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
        return max(1.0 + pairs * shared, 1.0 + mean if is_sure else 1.0)

    def add(self, *, rows: float, excess: float, variance: float) -> None:
        """Take a batch of *rows* that lost so much more than expected; *variance* is that of the sum of its losses."""
        seen, kept = self._seen, 1 - 1 / MEMORY
        if seen.rows:
            spread = variance * (1 + rows / seen.rows)
            squared = (excess - rows * seen.excess / seen.rows) ** 2 / spread
            deviations, pairs, batches = squared - 1, rows - 1, 1.0
        else:
            deviations = pairs = batches = 0.0
        self._seen = LossVariationState(
            batches=seen.batches * kept + batches,
            rows=seen.rows * kept + rows,
            excess=seen.excess * kept + excess,
            deviations=seen.deviations * kept + deviations,
            pairs=seen.pairs * kept + pairs,
        )
