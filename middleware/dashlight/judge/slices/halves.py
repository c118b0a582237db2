"""The sample in two halves, one to search and one to confirm, with yes or no for each row."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.gain import Counted
from dashlight.judge.slices.rows import Bins, HurtRows
from dashlight.window.layout import BINS

USUAL_SEARCHED, MOST_USUAL_SEARCHED = 0.2, 4_000
"""Share of the rows of before that are searched, and the most of them; all others confirm, which takes them the more."""
LOSS_QUANTILES = (0.5, 0.75, 0.9, 0.95)
"""Of the usual losses: a loss above one of them hurts, above the one by which the searched half tells the two best apart."""
_LOSS_QUANTILE_UNKNOWN = 0.8
"""Of the losses themselves, where nobody knows what is usual."""
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """Rows of now and of before, none of which is in the other half."""

    now: HurtRows
    usual: HurtRows
    """Without rows where nobody knows."""
    hurts: NDArray[np.bool_]
    """Of *now*."""
    usual_hurts: NDArray[np.bool_]

    @property
    def whole(self) -> Counted:
        """All rows of it."""
        numbers = (len(self.hurts), self.hurts.sum(), len(self.usual_hurts), self.usual_hurts.sum())
        return Counted(*(np.asarray(number, np.float64) for number in numbers))

    def within(self, place: int, bins: Bins) -> "Half":
        """The rows that have one of *bins* in the column at *place*."""
        now, usual = self.now.within(place, bins), self.usual.within(place, bins)
        return Half(self.now.where(now), self.usual.where(usual), self.hurts[now], self.usual_hurts[usual])

    def by_bin(self, place: int) -> Counted:
        """Rows in each bin of the column at *place*, shape (BINS,)."""
        now, usual = self.now.codes[place], self.usual.codes[place]
        coded = (now, now[self.hurts], usual, usual[self.usual_hurts])
        return Counted(*(np.bincount(codes, minlength=256)[:BINS].astype(np.float64) for codes in coded))


def halves_of(now: HurtRows, usual: HurtRows | None) -> tuple[Half, Half]:
    """The half to search and the half to confirm.

    A row is in the first where the fraction of its place times the golden ratio is below 1/2 (of before: below
    USUAL_SEARCHED): a rhythm of the traffic that the order of rows still shows, two routes by turns, is in both.
    """
    before = HurtRows(now.codes[:, :0], now.hurt[:0]) if usual is None else usual
    in_first = _is_first(now.row_count, 0.5)
    searched, confirming = now.where(in_first), now.where(~in_first)
    in_first = _is_first(before.row_count, min(USUAL_SEARCHED, MOST_USUAL_SEARCHED / max(before.row_count, 1)))
    usual_searched, usual_confirming = before.where(in_first), before.where(~in_first)
    level = _level(searched.hurt, usual_searched.hurt)
    return _half(searched, usual_searched, level), _half(confirming, usual_confirming, level)


def _half(now: HurtRows, usual: HurtRows, level: float) -> Half:
    return Half(now, usual, now.hurt > level, usual.hurt > level)


def _is_first(rows: int, share: float) -> NDArray[np.bool_]:
    first: NDArray[np.bool_] = (np.arange(rows) * _GOLDEN) % 1.0 < share
    return first


def _level(now: NDArray[np.float64], usual: NDArray[np.float64]) -> float:
    """Above what a row hurts."""
    if not ((now > 0) & (now < 1)).any() and not ((usual > 0) & (usual < 1)).any():
        return 0.5
    if not len(usual):
        return float(np.quantile(now, _LOSS_QUANTILE_UNKNOWN))
    levels = np.quantile(usual, LOSS_QUANTILES)
    shares = (now[:, np.newaxis] > levels).mean(0)
    usual_shares = (usual[:, np.newaxis] > levels).mean(0)
    spread = np.sqrt(np.maximum(usual_shares * (1 - usual_shares), 1 / len(usual)))
    return float(levels[int(np.argmax((shares - usual_shares) / spread))])
