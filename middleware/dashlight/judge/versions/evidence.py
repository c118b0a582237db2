"""What has been shown of a difference so far, at every level at once, and what that decides."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from math import inf, log
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Decision: TypeAlias = Literal["worse", "no_worse", "undecided"]
"""`worse`: the candidate loses more than is allowed; `no_worse`: it does not; `undecided`: too few rows to say."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class SequentialEvidence:
    """How sure it is that a difference lies above, or below, each of a row of values: valid at every look.

    It is the log of one over the smallest level at which that is shown, 0 where nothing is: log 20 = 3.0 is 5 %.
    """

    differences: tuple[float, ...]
    """Ascending."""
    above: tuple[float, ...]
    """That the difference is larger than each of them; falls from left to right, is finite and not below 0."""
    below: tuple[float, ...]
    """That it is smaller than each; rises."""

    def low(self, level: float = LEVEL) -> float:
        """The largest value that the difference is known to exceed at *level* (0 to 1), -inf where there is none."""
        return max(
            (x for x, sure in zip(self.differences, self.above, strict=True) if sure >= -log(level)), default=-inf
        )

    def high(self, level: float = LEVEL) -> float:
        """The smallest value that it is known to stay below, inf where there is none."""
        return min(
            (x for x, sure in zip(self.differences, self.below, strict=True) if sure >= -log(level)), default=inf
        )

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Two-sided: the difference lies in it at 1 - *level*, at all looks together."""
        return self.low(level / 2), self.high(level / 2)

    def decision(self, loss: float, level: float = LEVEL, *, higher_is_worse: bool = True) -> Decision:
        """Whether the candidate is worse by more than *loss*, wrongly so with a chance of at most *level*, ever.

        Between two values of the row the careful one counts. Where both was shown at some time, the difference has
        changed: then `worse` stands.
        """
        needed = -log(level)
        row = self.differences
        if higher_is_worse:
            at, to = bisect_left(row, loss - _ROUNDING), bisect_right(row, loss + _ROUNDING) - 1
            worse = at < len(row) and self.above[at] >= needed
            no_worse = to >= 0 and self.below[to] >= needed
        else:
            at, to = bisect_right(row, -loss + _ROUNDING) - 1, bisect_left(row, -loss - _ROUNDING)
            worse = at >= 0 and self.below[at] >= needed
            no_worse = to < len(row) and self.above[to] >= needed
        return "worse" if worse else "no_worse" if no_worse else "undecided"


_ROUNDING = 1e-9
"""0.1 + 0.2 is 0.3 here."""
_MOST = 1e9


def shown(
    differences: NDArray[np.float64], above: NDArray[np.float64], below: NDArray[np.float64]
) -> SequentialEvidence:
    """Evidence from what was shown of each value by itself, in no order; all of shape (values,), logs.

    What is above a value is above every smaller one: of what was shown on the way the weakest counts.
    """
    above = np.minimum.accumulate(np.clip(above, 0.0, _MOST))
    below = np.minimum.accumulate(np.clip(below, 0.0, _MOST)[::-1])[::-1]
    return SequentialEvidence(tuple(differences.tolist()), tuple(above.tolist()), tuple(below.tolist()))
