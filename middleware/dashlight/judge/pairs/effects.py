"""How much the agreement of pairs of columns changed, less what follows from each column's own change. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence import effects
from dashlight.judge.evidence.fading import FadingRows, FadingRowsState
from dashlight.judge.evidence.null import Floats
from dashlight.judge.pairs.dependence import Margin, agreement, correlations
from dashlight.window.columns import PairReference, Tally
from dashlight.window.fitting import fitted, refuse
from dashlight.window.pairs import PairCounts, pairs_of

Places = NDArray[np.intp]

SPANS: Floats = 100.0 * 2.5 ** np.arange(8, dtype=np.float64)
"""Rows after which each scale has forgotten all but 1/e: 100 to 61,000."""


_ROUNDED = 1.05
"""Factor by which sums in single precision may have drifted from those in double: a scale adds up 61,000 panes."""


@dataclass(frozen=True, slots=True, eq=False)
class PairScalesState:
    """What PairScales remember, see PairCounts; each pane's counts weigh as its rows do."""

    agreeing: Tally
    """Shape (scales, pairs)."""
    informative: Tally
    """Shape (scales, pairs)."""
    sides: Tally
    """Shape (scales, 2, paired)."""
    fading: FadingRowsState


class PairScales:
    """Counts of recent panes on several scales: on each, older rows weigh less (see `evidence.fading`)."""

    def __init__(self, paired: int) -> None:
        pairs, scales = len(pairs_of(paired)[0]), len(SPANS)
        self.agreeing = np.zeros((scales, pairs), np.float32)
        self.informative = np.zeros((scales, pairs), np.float32)
        self.sides = np.zeros((scales, 2, paired), np.float32)
        self.fading = FadingRows(SPANS)

    @property
    def state(self) -> PairScalesState:
        """What is remembered: the arrays themselves."""
        return PairScalesState(self.agreeing, self.informative, self.sides, self.fading.state)

    def restore(self, state: PairScalesState) -> None:
        """Go on from *state*; ValueError where it is of other pairs, or counts more than there were rows."""
        self.fading.restore(state.fading)
        self.agreeing = fitted("pairs that agree", state.agreeing, like=self.agreeing, least=0)
        self.informative = fitted("pairs", state.informative, like=self.informative, least=0)
        self.sides = fitted("rows on a side", state.sides, like=self.sides, least=0)
        most = _ROUNDED * self.fading.weight[:, np.newaxis]
        for counts in (self.agreeing, self.informative, self.sides.reshape(len(SPANS), -1)):
            refuse("more pairs, or rows on a side, than rows", where=(counts > most).any())

    def add(self, counts: PairCounts) -> None:
        """Take the counts of a pane."""
        factor = self.fading.add(counts.rows).astype(np.float32)[:, np.newaxis]
        self.agreeing *= factor
        self.agreeing += counts.agreeing
        self.informative *= factor
        self.informative += counts.informative
        self.sides *= factor[:, :, np.newaxis]
        self.sides += counts.sides

    @property
    def margin(self) -> Margin:
        """The shares of low and high rows of every column, shape (scales, paired)."""
        rows = np.maximum(self.fading.weight, 1.0)[:, np.newaxis]
        return Margin(self.sides[:, 0] / rows, self.sides[:, 1] / rows)

    def between(self, least: float, since: float) -> Places:
        """Places of the scales that remember at least *least* rows, and little from before the last *since* rows.

        A scale remembers about twice its span; after so many rows it has forgotten 86 % of what was before.
        """
        remembered = 2 * SPANS
        return np.flatnonzero((remembered >= np.minimum(least, remembered[-1])) & (remembered <= since))


@dataclass(frozen=True, slots=True, eq=False)
class PairEffects:
    """The agreement of some pairs on every scale, and how far it is from what is expected."""

    reference: Floats
    """Shape (pairs,): the share of agreement in the reference."""
    current: Floats
    """Shape (scales, pairs): the share of agreement now."""
    expected: Floats
    """The share that the reference's dependence gives with the columns' own distributions of now."""
    sizes: Floats
    """Cohen's h from expected to current."""
    errors: Floats
    """Standard errors of *sizes*: sqrt(phi (1/n + 1/R))."""


class PairMeasure:
    """Measures the effects of pairs against their reference."""

    def __init__(self, reference: PairReference, margin: Margin) -> None:
        """*margin* is that of the paired columns in the reference, shape (paired,)."""
        first, second = pairs_of(len(reference.names))
        self._first, self._second = first.astype(np.uint8), second.astype(np.uint8)  # of at most 100 columns
        self._reference = reference
        self._margin = margin
        self._correlations = np.full(len(first), np.nan, np.float32)
        """NaN until it is asked for; the same number whatever other pairs are asked for with it."""

    def columns(self, pairs: Places) -> tuple[Places, Places]:
        """Places of the first and the second column of *pairs* among the paired columns."""
        return self._first[pairs].astype(np.intp), self._second[pairs].astype(np.intp)

    def effects(self, scales: PairScales, pairs: Places) -> PairEffects:
        """The effects of *pairs* on every scale."""
        first, second = self.columns(pairs)
        reference = self._reference
        shares, phi = reference.shares[pairs].astype(np.float64), reference.phi[pairs].astype(np.float64)
        trials = np.maximum(reference.trials[pairs].astype(np.float64), 1e-9)
        informative = np.maximum(scales.informative[:, pairs], 1e-9).astype(np.float64)
        current = np.clip(scales.agreeing[:, pairs] / informative, 0.0, 1.0)
        correlation = self._correlated(pairs)
        usual = agreement(correlation, self._margin.of(first), self._margin.of(second))
        now = scales.margin
        explained = agreement(np.broadcast_to(correlation, current.shape), now.of(first), now.of(second))
        # The difference to what the same formula says of the reference: exactly its share where no column moved.
        expected = np.clip(shares + explained - usual, 0.0, 1.0)
        sizes = 2 * (np.arcsin(np.sqrt(current)) - np.arcsin(np.sqrt(expected)))
        worth = informative * scales.fading.worth[:, np.newaxis]
        errors = np.sqrt(phi * (1 / worth + 1 / trials))
        return PairEffects(shares, current, expected, sizes, errors)

    def _correlated(self, pairs: Places) -> Floats:
        new = pairs[np.isnan(self._correlations[pairs])]
        if len(new):
            first, second = self.columns(new)
            shares = self._reference.shares[new].astype(np.float64)
            self._correlations[new] = correlations(shares, self._margin.of(first), self._margin.of(second))
        return self._correlations[pairs].astype(np.float64)


def is_real(measured: PairEffects) -> NDArray[np.bool_]:
    """Which effects are surely there, shape (scales, pairs)."""
    return effects.is_real(np.abs(measured.sizes), measured.errors)


def beyond(measured: PairEffects, gate: float) -> NDArray[np.bool_]:
    """Which effects are likely beyond the *gate*, in Cohen's h, shape (scales, pairs)."""
    return effects.is_beyond(np.abs(measured.sizes), measured.errors, gate)


def back_inside(measured: PairEffects, peaks: Floats, gate: float) -> NDArray[np.bool_]:
    """Which effects are gone, shape (scales, pairs), of pairs that were as far as *peaks*, 0 where they never fired.

    What fired must surely be gone by now; nothing else may surely be beyond the gate.
    """
    gone = effects.is_gone(measured.sizes * np.sign(peaks), measured.errors, gate, np.abs(peaks))
    unproven = ~(is_real(measured) & beyond(measured, gate))
    return np.where(peaks != 0, gone, True) & unproven
