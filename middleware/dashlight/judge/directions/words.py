"""A learned direction in words: which columns carry it, how far each, which way. Pure."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.words import percent, printable

Floats: TypeAlias = NDArray[np.float64]

NAMES_SHOWN = 5
ENDED = "rows are back where the reference has them"
CARRIED = 0.9
"""The columns that carry a direction are the fewest that make up so much of the shift."""


def direction_summary(name: str, names: Sequence[str], shift: Floats, effect: float) -> str:
    """What moved: the vector column *name*, or of joint rows (an empty *name*) the columns *names*.

    *shift*, shape (dims,), is how far each went, in deviations; *effect* is how far the rows are from the reference
    along it.
    """
    size = f"{effect:.2f} standard deviations along one direction"
    if name or not names:
        return f"{printable(name) if name else 'the rows'} moved as a whole: {size}"
    parts = shift**2 / max(float((shift**2).sum()), 1e-300)
    order = np.argsort(-parts, kind="stable")
    carriers = int(np.searchsorted(np.cumsum(parts[order]), CARRIED)) + 1
    first: list[int] = order[: min(carriers, NAMES_SHOWN)].tolist()
    shown = [
        f"{printable(names[at])} {'up' if shift[at] > 0 else 'down'} ({percent(float(parts[at]))})" for at in first
    ]
    more = f" and {carriers - NAMES_SHOWN} more" if carriers > NAMES_SHOWN else ""
    moved = "one column moved" if carriers == 1 else f"{carriers} columns moved a little together"
    return f"{moved}: {', '.join(shown)}{more}; {size}"
