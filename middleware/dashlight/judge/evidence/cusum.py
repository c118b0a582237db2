"""Evidence added up: a CUSUM of what bets win, for any number of bets. Pure.

The wealth of a bet grows by a factor whose mean is at most 1 where nothing changed. Its logarithm, less the threshold, is
its margin. The margin never falls below the floor, which is less the threshold: a bet begins anew whenever it has lost all.

Source: Page (1954), Biometrika 41, 100-115; with bets for likelihood ratios, Shin, Ramdas and Rinaldo (2023),
"E-detectors", arXiv 2203.03532.
"""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import fitted, within

CAP_NATS = 6.0
"""Evidence beyond the threshold that is remembered, so that it is soon gone when the drift is."""
LEAST_FLOOR = -1e6
"""Of a bet that is one: the thresholds of others are beyond all evidence."""
AGE_LIMIT = 30_000
"""Panes after which an age is no longer counted exactly; twice as many fit into 16 bits."""

Nats = TypeVar("Nats", bound=np.floating)
Places: TypeAlias = NDArray[np.intp] | list[int] | slice | int


@dataclass(frozen=True, slots=True, eq=False)
class CusumState:
    """What a Cusum remembers at the end of a pane; banks of bets that rest on one remember nothing else."""

    margins: NDArray[np.floating]
    """See `Cusum.margins`; CAP_NATS at most."""
    age: NDArray[np.uint16]
    settled: int
    """Calls of `settle` since ages were last limited."""


class Cusum(Generic[Nats]):
    """Margins of several bets on each of many things, and for how many panes each bet has had evidence."""

    def __init__(self, floor: NDArray[Nats], *, bets: int) -> None:
        """Set up *bets* bets on each thing. *floor* has one value for each thing: minus the threshold of its bets, in nats."""
        self.margins = np.repeat(floor[np.newaxis], bets, axis=0)
        """Shape (bets, *floor.shape), in nats over the threshold."""
        self.age = np.zeros(self.margins.shape, np.uint16)
        """Panes since the evidence of each bet last was zero."""
        self._settled = 0
        self.floor = floor
        """Margin without any evidence, one value for each thing."""
        self._cap = np.full_like(floor, CAP_NATS)  # an array: faster than a number
        self._alive = np.empty(self.margins.shape, np.bool_)

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return sum(array.nbytes for array in (self.margins, self.age, self.floor, self._cap, self._alive))

    @property
    def state(self) -> CusumState:
        """What is remembered: the arrays themselves. Read it once the pane is settled and capped."""
        return CusumState(self.margins, self.age, self._settled)

    def restore(self, state: CusumState) -> None:
        """Go on from *state*; ValueError where it is of other bets or things, or out of range."""
        margins = fitted("margins", state.margins, like=self.margins, least=-np.inf, most=CAP_NATS)
        self._settled = within("settled panes", state.settled, 0, AGE_LIMIT - 1)
        self.age = fitted("ages", state.age, like=self.age, most=AGE_LIMIT + self._settled)
        # With another release of NumPy, or on another processor, a floor may differ in its last digit.
        self.margins = np.maximum(margins, self.floor)

    def add(self, gain: NDArray[Nats], bets: slice = slice(None)) -> None:
        """Add what these *bets* win, to be settled when the pane is complete."""
        self.margins[bets] += gain

    def limit(self, most: NDArray[Nats], places: NDArray[np.intp], bets: slice) -> None:
        """Let the margins of these *bets* on the things at *places* not be above *most*, before the pane is settled."""
        held = self.margins[bets]
        held[:, places] = np.minimum(held[:, places], most)

    def settle(self, bets: slice = slice(None)) -> None:
        """Close the pane for these *bets*; for each of them once a pane."""
        margins, age, alive = self.margins[bets], self.age[bets], self._alive[bets]
        np.maximum(margins, self.floor, out=margins)
        np.greater(margins, self.floor, out=alive)
        age += 1
        age *= alive
        self._settled += 1
        if self._settled == AGE_LIMIT:  # beyond 65535 an age would begin again at 0
            np.minimum(self.age, AGE_LIMIT, out=self.age)
            self._settled = 0

    def cap(self, places: slice | int = slice(None)) -> NDArray[Nats]:
        """Limit the margins of the bets on the things at *places* to CAP_NATS, and return them."""
        margins = self.margins[:, places]
        np.minimum(margins, self._cap[places], out=margins)
        return margins

    def prove(self, bets: slice, thing: int, part: int, panes: int) -> bool:
        """Let these *bets* on the *part* of a *thing* have all evidence, for so many *panes*; False where nothing is at stake."""
        if self.floor[thing, part] < LEAST_FLOOR:
            return False
        self.margins[bets, thing, part] = CAP_NATS
        self.age[bets, thing, part] = min(panes, AGE_LIMIT)
        return True

    def leading_age(self, places: Places = slice(None)) -> int:
        """Panes since the evidence of the leading bet on the things at *places* last was zero, at least 1."""
        margins = self.margins[:, places]
        # Of several at the cap the youngest knows best.
        return max(int(self.age[:, places][margins >= margins.max()].min()), 1)

    def reset(self, places: Places = slice(None)) -> None:
        """Forget all evidence of the things at *places*."""
        self.margins[:, places] = self.floor[places]
        self.age[:, places] = 0
