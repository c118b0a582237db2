"""A numeric column that was rounded, or is no longer. Pure."""

import numpy as np

from dashlight.judge.breaks.digits import known_values, longer_share, significant_digits
from dashlight.judge.breaks.sight import Finding, Floats, Sight, nats, upper_share
from dashlight.judge.words import percent
from dashlight.window.profile import PRECISIONS, precisions_of

NEARLY_ALL = 0.98
MOST_BEFORE = 0.7
ROUNDEST_BEFORE = 0.9
"""A block of 100 rows of the reference as round as this: then so are the recent rows by nature."""
MORE_SHARE = 0.3
FEWEST_DISTINCT = 4
SINGLE_DIGITS = 7
"""Significant ones, of 32 bits."""

_WORDS = {-3: "thousands", -2: "hundreds", -1: "tens", 0: "whole numbers", 1: "1 decimal"}


def rounded(sight: Sight) -> Finding | None:
    """Whether the numbers need clearly fewer decimals than those of the reference, or more.

    How many a value needs is as good as independent between distinct values, also where the values hang together in
    time: each distinct one counts once.
    """
    numbers = sight.numbers[sight.numbers != 0]
    before = sight.profile.precisions
    distinct = np.unique(numbers)
    if len(distinct) < FEWEST_DISTINCT or not before or len(numbers) < 0.5 * sight.rows:
        return None
    shares, of_distinct = _shares(numbers), _shares(distinct)
    # One value that became frequent is no rounding.
    return _fewer(sight, np.minimum(shares, of_distinct), len(distinct)) or _more(sight, shares, distinct)


def _shares(numbers: Floats) -> Floats:
    """Share of *numbers* that need no more than each of PRECISIONS."""
    return np.asarray(np.cumsum(np.bincount(precisions_of(numbers), minlength=len(PRECISIONS))) / len(numbers))


def _fewer(sight: Sight, shares: Floats, distinct: int) -> Finding | None:
    place = int(np.argmax(shares >= sight.nearly_all("rounding", NEARLY_ALL)))
    if _are_single(sight.numbers, PRECISIONS[place]):
        return None
    share = float(shares[place])
    before = max(sight.profile.precisions[place], _as_short_before(sight, PRECISIONS[place]))
    if before > MOST_BEFORE or sight.profile.roundest[place] > ROUNDEST_BEFORE:
        return None
    to = _words(PRECISIONS[place])
    what = f"{sight.name} is rounded to {to} in {percent(share)} of rows ({percent(before)} in the reference)"
    certainty = max(nats(share, upper_share(before, _reference_rows(sight)), distinct), sight.nats(share, before))
    return Finding("rounding", what + _look(sight), f"{sight.name} of at most {to}", before, share, certainty)


def _more(sight: Sight, shares: Floats, distinct: Floats) -> Finding | None:
    finest = int(np.argmax(np.array(sight.profile.precisions) >= 0.999))
    before, share = 1 - sight.profile.precisions[finest], 1 - float(shares[finest])
    least = sight.least("rounding", MORE_SHARE)
    if share < least or longer_share(sight, distinct) < least:
        return None
    if _are_single(np.array(sight.profile.quantiles), PRECISIONS[finest]):
        return None
    at_most = _words(PRECISIONS[finest])
    what = (
        f"{sight.name} has more digits than {at_most} in {percent(share)} of rows ({percent(before)} in the reference)"
    )
    certainty = nats(share, upper_share(max(before, 0.0), _reference_rows(sight)), len(distinct))
    return Finding(
        "rounding", what + _look(sight), f"{sight.name} of more than {at_most}", max(before, 0.0), share, certainty
    )


def _are_single(numbers: Floats, decimals: int) -> bool:
    """Whether *numbers* of so many *decimals* have the digits of single precision: that is a format, nobody rounded them."""
    sizes = np.abs(numbers[numbers != 0])
    return bool(len(sizes)) and float(np.floor(np.log10(np.median(sizes)))) + 1 + decimals >= SINGLE_DIGITS


def _as_short_before(sight: Sight, decimals: int) -> float:
    """Share of the recent values that were as short before, by significant digits: what is larger needs fewer decimals."""
    before = np.sort(significant_digits(known_values(sight)))
    numbers = sight.numbers[sight.numbers != 0]
    allowed = np.floor(np.log10(np.abs(numbers))) + 1 + decimals
    return float((np.searchsorted(before, allowed, "right") / len(before)).mean())


def _reference_rows(sight: Sight) -> float:
    return max(sight.profile.rows * (1 - sight.profile.repeat_share) / 2, 1.0)


def _look(sight: Sight) -> str:
    return f"; look at what rounds or formats {sight.name}"


def _words(decimals: int) -> str:
    return _WORDS.get(decimals, f"{decimals} decimals")
