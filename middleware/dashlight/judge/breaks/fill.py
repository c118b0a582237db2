"""A default that fills a column: 0, -1, 999, an empty text, or one value that all missing ones were given. Pure."""

from collections import Counter

import numpy as np

from dashlight.judge.breaks.sight import Finding, Sight, distance, nats, upper_share
from dashlight.judge.words import percent, printable
from dashlight.privacy.hashing import is_number
from dashlight.window.disclosure import value_words
from dashlight.window.profile import spelling
from dashlight.window.recent.stand_ins import FILLS, WORD_FILLS
from dashlight.window.recent.values import ROWS_OF_EXCHANGE
from dashlight.window.values import number_text

LEAST_SHARE = 0.3
MOST_BEFORE = 0.05
NEARLY_ALL = 0.95
GROWTH = 10.0
_LAST_PART, _FEWEST_LAST = 4, 16
"""Where one part of so many, the last, is nothing but a value that is no usual default, the column is stuck at it."""
_SMALL_FILLS = {"9", "99", "-9", "-99"}
"""Codes for what is missing that are values like any other where the column reaches so far."""
_MIDDLE = 0.03
"""Part of the spread to which a fill is the mean or the median of the reference."""
_APART, _FEW_NEAR = 0.1, 0.02
"""Part of the spread within which other values count as near a fill, and the share of them that may."""
_EVEN = 0.25
"""What is left of the column must still look like the reference, to this distance: else the column moved as a whole."""


def filled(sight: Sight) -> Finding | None:
    """The value that fills much of the column and hardly occurred in the reference, where there is one."""
    for text, share in _frequent(sight):
        before = sight.reference_share(text)
        if before <= MOST_BEFORE and share >= sight.least("fill", GROWTH) * before and _is_fill(sight, text, share):
            return _told(sight, text, share, before)
    return None


def _frequent(sight: Sight) -> list[tuple[str, float]]:
    """The values that LEAST_SHARE of all rows have, as a category is written, and their shares."""
    least = sight.least("fill", LEAST_SHARE) * sight.rows
    if sight.column.kind != "numeric":
        counted = Counter(text for text in sight.texts.tolist() if text is not None).most_common(3)
        return [(text, count / sight.rows) for text, count in counted if count >= least]
    values, counts = np.unique(sight.ordered, return_counts=True)
    often = np.flatnonzero(counts >= least)
    return [(str(number_text(float(values[place]))), int(counts[place]) / sight.rows) for place in often]


def _told(sight: Sight, text: str, share: float, before: float) -> Finding:
    # What stands for a missing value is nobody's.
    is_stand_in = text in FILLS or spelling(text) in WORD_FILLS
    shown = printable(text if is_stand_in else value_words(sight.column, text)) if text else "empty"
    what = f"{sight.name} is {shown} in {percent(share)} of rows ({percent(before)} in the reference): a default fill"
    look = f"; look at where {sight.name} comes from and what stands in for a missing value"
    certainty = max(sight.nats(share, before), _nats_of_foreign(sight, text, share))
    return Finding("fill", what + look, f"{sight.name} = {shown}", before, share, certainty)


def _nats_of_foreign(sight: Sight, text: str, share: float) -> float:
    """Certainty where the value lies beyond all that the reference held: each time that it comes and goes counts once."""
    column = sight.column
    if column.kind != "numeric" or text not in FILLS or column.low <= float(text) <= column.high:
        return 0.0
    is_it = sight.numbers == float(text)
    comings = int(np.count_nonzero(is_it[1:] & ~is_it[:-1]))
    return nats(share, upper_share(0.0, column.rows / ROWS_OF_EXCHANGE), min(comings, sight.exchanges))


def _is_fill(sight: Sight, text: str, share: float) -> bool:
    column = sight.column
    if column.kind != "numeric":
        return (
            spelling(text) in WORD_FILLS
            and _is_odd_word(sight, text)
            and (text not in column.categories or share >= NEARLY_ALL)
        )
    value = float(text)
    if text not in FILLS:
        # Whoever fills in what is missing takes the mean or the median; where all of the last rows are one, it is stuck.
        return (
            not sight.profile.values
            and _is_middle(sight, value)
            and not _is_stuck(sight, value)
            and _is_rest_alike(sight, value)
        )
    is_beyond = not column.low <= value <= column.high
    if share >= NEARLY_ALL:
        return True
    if sight.profile.values and (len(sight.profile.values) <= 3 or text in _SMALL_FILLS) and not is_beyond:
        return False  # of few values any may become frequent
    return _is_rest_alike(sight, value) or (is_beyond and _is_apart(sight, value))


def _is_odd_word(sight: Sight, text: str) -> bool:
    """Whether *text* is no code among codes: where all categories are numbers, one more number is a category."""
    return text not in FILLS or text.startswith("-") or not all(map(is_number, sight.column.categories))


def _is_middle(sight: Sight, value: float) -> bool:
    quantiles = np.array(sight.profile.quantiles)
    near = _MIDDLE * float(np.quantile(quantiles, 0.9) - np.quantile(quantiles, 0.1))
    return bool(min(abs(value - quantiles.mean()), abs(value - np.median(quantiles))) <= near)


def _is_rest_alike(sight: Sight, value: float) -> bool:
    rest = np.sort(sight.numbers[sight.numbers != value])
    return len(rest) > 0 and distance(rest, np.array(sight.profile.quantiles)) <= _EVEN + 1 / np.sqrt(len(rest))


def _is_apart(sight: Sight, value: float) -> bool:
    """Whether no other value comes near: what shrinks to 0 also comes close to it."""
    quantiles = np.array(sight.profile.quantiles)
    rest = sight.numbers[sight.numbers != value]
    near = _APART * max(float(np.quantile(quantiles, 0.9) - np.quantile(quantiles, 0.1)), abs(value))
    return float((np.abs(rest - value) <= near).mean()) <= _FEW_NEAR if len(rest) else True


def _is_stuck(sight: Sight, value: float) -> bool:
    last = sight.numbers[-max(len(sight.numbers) // _LAST_PART, _FEWEST_LAST) :]
    return bool((last == value).all())
