"""Scores as they are shown: rounded to what they are good for, bounded, and without what JSON cannot say."""

from __future__ import annotations

from math import isfinite
from typing import Final

from dashlight.page.shape import ShownValue
from dashlight.records import Score

_DIGITS: Final = 5
_LONGEST_SENTENCE: Final = 1000


def rounded(value: float | None) -> float | None:
    """*value* to five significant digits; None where it is no finite number."""
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")


def value_of(score: Score | None) -> ShownValue | None:
    """*score* with its interval; None where it is no finite number."""
    if score is None or not isfinite(score.value):
        return None
    low, high, reference = rounded(score.low), rounded(score.high), rounded(score.reference)
    return ShownValue(rounded(score.value), low, high, score.rows, reference)


def sentence(text: str) -> str:
    """*text*, of which some came from outside, on one line that is not too long."""
    plain = "".join(each if each.isprintable() else "?" for each in text[: _LONGEST_SENTENCE + 1])
    return plain if len(plain) <= _LONGEST_SENTENCE else f"{plain[: _LONGEST_SENTENCE - 3]}..."
