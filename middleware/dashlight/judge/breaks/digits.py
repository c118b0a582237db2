"""How many significant digits numbers need. Pure.

Many sources write so many significant digits, not so many decimals: what grows then needs fewer decimals, and is
neither rounded nor in another unit.
"""

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.breaks.sight import Floats, Sight

MOST_DIGITS = 16
"""A float holds hardly more."""
_NEARLY_ALL = 0.98


def significant_digits(numbers: Floats) -> NDArray[np.int64]:
    """Of each of *numbers*, none of them 0, the significant digits that it needs, 1 to MOST_DIGITS."""
    sizes = np.abs(numbers)
    with np.errstate(all="ignore"):
        leading = sizes / 10.0 ** np.floor(np.log10(sizes))
    needed = np.full(len(sizes), MOST_DIGITS)
    for digits in range(MOST_DIGITS - 1, 0, -1):
        scaled = leading * 10.0 ** (digits - 1)
        needed[np.abs(scaled - np.rint(scaled)) <= scaled * 4e-15] = digits
    return needed


def digits_before(sight: Sight) -> int:
    """The significant digits that nearly all values of the reference need no more than."""
    return int(np.quantile(significant_digits(known_values(sight)), _NEARLY_ALL))


def longer_share(sight: Sight, distinct: Floats) -> float:
    """Share of the *distinct* values, none of them 0, with more significant digits than those of the reference."""
    return float((significant_digits(distinct) > digits_before(sight)).mean())


def known_values(sight: Sight) -> Floats:
    """Some values of the reference other than 0; 1 where there is none."""
    quantiles = np.array(sight.profile.quantiles)
    return quantiles[quantiles != 0] if quantiles.any() else np.ones(1)
