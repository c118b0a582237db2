"""Whether values lie where a conversion puts those of the reference, digit by digit: the proof that a drift lacks. Pure.

A reference of 2 decimals, times 2.54, lies on a grid of steps of 0.0254, also where it is rounded to 2 decimals again:
of all such numbers it holds two in five. What grew 2.54 times by itself holds them all.
"""

import numpy as np

from dashlight.judge.breaks.conversions import Conversion
from dashlight.judge.breaks.digits import digits_before, longer_share
from dashlight.judge.breaks.sight import Floats, Sight, nats
from dashlight.window.profile import PRECISIONS, precisions_of

_ALL_BEFORE, _NEARLY_ALL = 0.999, 0.98
"""Shares of the reference, and of the recent values, that need no more than so many decimals."""
_ON_GRID = 0.9
_MOST_LUCK = 0.8
"""Where a number lies on the grid with this chance anyway, it says nothing."""
_LONGER = 0.3
"""Where so many values have more significant digits than those of the reference, it was not written by these."""
_EXACT = 1e-9
"""Of a value: what is left of one that was not rounded."""


def decimals_before(sight: Sight) -> int | None:
    """The decimals that the reference needs; None where it needs all that there are."""
    return _decimals(np.array(sight.profile.precisions), _ALL_BEFORE)


def nats_on_grid(sight: Sight, values: Floats, conversion: Conversion) -> float | None:
    """Certainty that *values* are those of the reference through *conversion*; None where their digits cannot tell.

    How a value ends is as good as independent between distinct ones: each counts once.
    """
    before = decimals_before(sight)
    distinct = np.unique(values[values != 0])
    if before is None or conversion.curve is not None or not len(distinct):
        return None
    places = precisions_of(distinct)
    shares = np.cumsum(np.bincount(places, minlength=len(PRECISIONS))) / len(distinct)
    now = _decimals(shares, _NEARLY_ALL)
    step = 10.0**-before
    old = np.rint((distinct - conversion.offset) / conversion.factor / step) * step
    off = np.abs(conversion.factor * old + conversion.offset - distinct)
    natural = _natural_steps(sight, distinct, None if now is None else max(now, before))
    for decimals in {now, None if now is None else max(now, before)}:
        slack = (0.0 if decimals is None else 0.5 * 10.0**-decimals) + _EXACT * np.abs(distinct)
        share = float((off <= slack).mean())
        if share < _ON_GRID:
            if decimals == now:
                return 0.0
            continue
        chances = np.maximum(2 * slack, natural) / (abs(conversion.factor) * step)
        luck = float(np.minimum(chances, 1.0).mean())
        if luck <= _MOST_LUCK:
            return nats(share, max(luck, 1e-3), len(distinct))
    return None


def _natural_steps(sight: Sight, distinct: Floats, decimals: int | None) -> Floats:
    """The steps in which each of *distinct* would be written without any conversion, of so many *decimals* or of all."""
    steps = np.full(len(distinct), 0.0 if decimals is None else 10.0**-decimals)
    if longer_share(sight, distinct) >= _LONGER:
        return steps
    return np.asarray(np.maximum(steps, 10.0 ** (np.floor(np.log10(np.abs(distinct))) + 1 - digits_before(sight))))


def _decimals(shares: Floats, enough: float) -> int | None:
    reached = np.flatnonzero(shares >= enough)
    place = int(reached[0]) if len(reached) else len(PRECISIONS) - 1
    return PRECISIONS[place] if place < len(PRECISIONS) - 1 else None
