"""How often an endpoint is asked at each hour of the week, and for how long it is not: learned for ever. Pure.

Hours are told apart as far as their rhythm may differ wherever on earth the clients are: from Monday noon to Friday ten
o'clock (UTC) it is a working day everywhere, and an hour of one such day stands for the same hour of the others. Every
other hour of the week stands for itself alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within

Floats = NDArray[np.float64]

HOUR_SECONDS = 3600.0
HOURS_A_WEEK = 168
CLASSES = 24 + HOURS_A_WEEK
"""The hours of a working day, and each hour of the week that stands for itself."""
_FIRST_WORKING, _LAST_WORKING = 12, 4 * 24 + 10
_EPOCH_HOUR = 72
"""The epoch was a Thursday: so many hours after Monday began."""
BLOCKS_AN_HOUR = (6, 1)
"""Over ten minutes and over whole hours it is seen by how much the rate itself varies."""
_WHOLE = 0.9
"""Part of its panes that a block must hold to count."""
MEMORY_HOURS = 64.0
"""Hours of one class after which the older half counts half: traffic grows and fades."""
FEWEST_EXCHANGES = 20
"""Below so many in a class its own bursts cannot be measured."""
CERTAIN = 2.0
"""Standard errors added to what the rate was measured to vary by."""
_FEWEST_PANES = 1e-6
PRIOR_VARIANCE = 0.25
"""Squared relative variation of the rate assumed where one day was seen; after n days a part 1/n of it."""


def class_of_hour(at: float) -> int:
    """The class of the hour of the week in which the moment *at* lies."""
    hour = int(at // HOUR_SECONDS + _EPOCH_HOUR) % HOURS_A_WEEK
    return hour % 24 if _FIRST_WORKING <= hour < _LAST_WORKING else 24 + hour


class OpenBlock(NamedTuple):
    """The block of one length that goes on."""

    number: int
    """Counted from the epoch in blocks of its length; -1 where none has begun."""
    panes: int
    exchanges: int


@dataclass(frozen=True, slots=True, eq=False)
class ArrivalHistoryState:
    """What outlives the process of an ArrivalHistory, as it holds it."""

    panes: Floats
    """Shape (CLASSES,), as are the next three."""
    longest: Floats
    exchanges: Floats
    squares: Floats
    """Sums of the squared exchanges of a pane."""
    blocks: Floats
    """Shape (len(BLOCKS_AN_HOUR), 3, CLASSES): how many, the sums of their exchanges and of the squares."""
    open_blocks: tuple[OpenBlock, ...]
    """Of each length."""


class ArrivalHistory:
    """Exchanges a pane and the longest pause, by class of hour."""

    def __init__(self, pane_seconds: float) -> None:
        self._pane_seconds = pane_seconds
        self.panes = np.zeros(CLASSES)
        """Panes seen, shape (CLASSES,)."""
        self.longest = np.zeros(CLASSES)
        """Empty panes on end, the most that were seen within one hour of the class."""
        self._sum, self._squares = np.zeros(CLASSES), np.zeros(CLASSES)
        self._blocks = np.zeros((len(BLOCKS_AN_HOUR), 3, CLASSES))
        self._open = [OpenBlock(-1, 0, 0) for _ in BLOCKS_AN_HOUR]

    @property
    def state(self) -> ArrivalHistoryState:
        """What outlives the process: the arrays themselves."""
        return ArrivalHistoryState(self.panes, self.longest, self._sum, self._squares, self._blocks, tuple(self._open))

    def restore(self, state: ArrivalHistoryState) -> None:
        """Go on from *state*; ValueError where no panes lead to it."""
        self.panes = fitted("panes of an hour", state.panes, like=self.panes, least=0, most=MOST_COUNT)
        # By halving they never become so few; what is divided by them would run away.
        refuse("hardly a pane of an hour", where=((self.panes > 0) & (self.panes < _FEWEST_PANES)).any())
        self.longest = fitted("empty panes", state.longest, like=self.longest, least=0, most=MOST_COUNT)
        self._sum = fitted("exchanges", state.exchanges, like=self._sum, least=0)
        within("exchanges of all hours", float(self._sum.sum()))
        most = float(MOST_COUNT) ** 2
        self._squares = fitted("squared exchanges", state.squares, like=self._squares, least=0, most=most)
        self._blocks = fitted("blocks of hours", state.blocks, like=self._blocks, least=0, most=most)
        within("open blocks", len(state.open_blocks), len(self._open), len(self._open))
        for block in state.open_blocks:
            within("number of a block", block.number, -MOST_COUNT)
            within("panes of a block", block.panes)
            within("exchanges of a block", block.exchanges)
        self._open = list(state.open_blocks)

    @property
    def rates(self) -> Floats:
        """Exchanges a pane, shape (CLASSES,); 0 where nothing was seen."""
        return np.asarray(self._sum / np.maximum(self.panes, 1.0))

    @property
    def exchanges(self) -> Floats:
        """Exchanges seen, shape (CLASSES,)."""
        return self._sum

    @property
    def bursts(self) -> Floats:
        """Exchanges that come together and count as one arrival, at least 1, shape (CLASSES,): an upper bound."""
        freedom = np.maximum(self.panes - 1, 0.0)
        spread = np.maximum(self._squares - self._sum * self.rates, 0.0)
        error = np.sqrt(2 / np.maximum(freedom, 1.0) + 1 / np.maximum(self._sum, 1.0))
        own = spread / np.maximum(freedom * self.rates, 1e-9) * (1 + error)
        pooled = spread.sum() / max(float((freedom * self.rates).sum()), 1e-9)
        few = self._sum < FEWEST_EXCHANGES
        return np.asarray(np.maximum(np.where(few, np.maximum(own, pooled), own), 1.0))

    @property
    def variance(self) -> float:
        """Squared relative variation of the rate from block to block of the same class: an upper bound."""
        found = 0.0
        for count, total, squares in self._blocks:
            freedom = np.maximum(count - 1, 0.0)
            mean = total / np.maximum(count, 1.0)
            weight = freedom * mean**2
            if weight.sum() > 0:
                excess = squares - total * mean - freedom * self.bursts * mean
                effective = float(weight.sum() ** 2 / (weight**2 / np.maximum(freedom, 1.0)).sum())
                found = max(found, float(excess.sum() / weight.sum()) * (1 + CERTAIN * (2 / effective) ** 0.5))
        days = float(self.panes.sum()) * self._pane_seconds / 86400.0
        return found + PRIOR_VARIANCE / max(days, 1.0)

    @property
    def known_share(self) -> float:
        """Part of the hours of the week of which a whole hour was seen, 0 to 1."""
        starts = [class_of_hour(hour * HOUR_SECONDS) for hour in range(HOURS_A_WEEK)]
        return float((self.panes[starts] * self._pane_seconds >= _WHOLE * HOUR_SECONDS).mean())

    def add(self, exchanges: int, at: float, *, empty_panes: NDArray[np.int64], longest: NDArray[np.int64]) -> None:
        """Learn a pane with *exchanges* whose middle was *at*, and the pause before it.

        Of each class, shape (CLASSES,): *empty_panes* are to be counted, *longest* is how long such a pause may be.
        """
        self.panes += empty_panes
        self.longest = np.maximum(self.longest, longest)
        place = class_of_hour(at)
        self.panes[place] += 1
        self._sum[place] += exchanges
        self._squares[place] += float(exchanges) ** 2
        full = self.panes * self._pane_seconds > MEMORY_HOURS * HOUR_SECONDS
        if full.any():
            for sums in (self.panes, self._sum, self._squares):
                sums[full] /= 2
            self._blocks[:, :, full] /= 2

    def add_empty_blocks(self, panes: int, first_at: float) -> None:
        """Learn that *panes* were empty, the middle of the first at *first_at*; of more than a week, the last."""
        most = int(HOURS_A_WEEK * HOUR_SECONDS / self._pane_seconds)
        for pane in range(max(panes - most, 0), panes):
            self.add_to_blocks(0, first_at + pane * self._pane_seconds)

    def add_to_blocks(self, exchanges: int, at: float) -> None:
        """Learn how the rate varies from a pane, empty or not, whose middle was *at*."""
        for length, blocks_an_hour in enumerate(BLOCKS_AN_HOUR):
            seconds = HOUR_SECONDS / blocks_an_hour
            number = int(at // seconds)
            block, panes, total = self._open[length]
            if number == block:
                self._open[length] = OpenBlock(block, panes + 1, total + exchanges)
                continue
            if panes * self._pane_seconds >= _WHOLE * seconds:
                self._blocks[length, :, class_of_hour(block * seconds)] += 1, total, float(total) ** 2
            self._open[length] = OpenBlock(number, 1, exchanges)
