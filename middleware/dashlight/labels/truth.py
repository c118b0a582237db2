"""What a label says, as a number: the place of a class, a number, a grade, the place of an item in a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dashlight.labels.ids import item_of
from dashlight.labels.label import LabelValue
from dashlight.labels.rows import NO_CLASS, Task
from dashlight.privacy.hashing import HashKey

MOST_CHARACTERS = 1024
"""Of a class or an item."""
_NEGATIVE, _POSITIVE = frozenset({"0", "false"}), frozenset({"1", "true"})
_TRUTH_VALUES = frozenset({"true", "false"})


def truth_of(
    value: LabelValue, task: Task, classes: Sequence[str], items: Sequence[int] | None, key: HashKey
) -> float | None:
    """What stands for *value* in `LabelledRows.labels`; None where it is no label of such a prediction.

    Of many classes a class that nothing was ever predicted as is a label: NO_CLASS. But not a number or a truth value
    where all classes are words, nor a word where all are numbers: the label is of something else, or spells classes
    otherwise, and would count as wrong in every row. *items* are those of one ranking.
    """
    if isinstance(value, float | int) and not isinstance(value, bool) and not math.isfinite(value):
        return None
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return None
    if task in ("regression", "text"):
        return _number(value, is_grade=task == "text")
    if task == "ranking":
        return _place(value, () if items is None else items, key)
    spelled = spelling_of(value)
    place = _place_of(spelled, classes)
    if place is not None:
        return float(place)
    if task == "multiclass":
        return float(NO_CLASS) if spelled and _is_of_their_kind(spelled, classes) else None
    place = place_of_two(spelled)
    return None if place is None else float(place)


def place_of_two(spelled: str) -> int | None:
    """Which of two classes is meant, whatever they are called: the positive one by `true` or `1`, the other by `false` or `0`."""
    spelled = _whole(spelled)
    if spelled.lower() in _POSITIVE:
        return 1
    return 0 if spelled.lower() in _NEGATIVE else None


def spelling_of(value: LabelValue) -> str:
    """How a class or an item is written: 1.0 as `1`, true as `true`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.strip()
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _place_of(spelled: str, classes: Sequence[str]) -> int | None:
    """Where *spelled* is among *classes*: as it stands, else as the same whole number or truth value; None where it is not."""
    if spelled in classes:
        return classes.index(spelled)
    meant = _meant(spelled)
    return next((place for place, name in enumerate(classes) if _meant(name) == meant), None) if meant else None


def _meant(spelled: str) -> str:
    return spelled.lower() if spelled.lower() in _TRUTH_VALUES else _whole(spelled)


def _whole(spelled: str) -> str:
    """`1` for `1.0` and `1.00`, as tables write whole numbers in a column where one is missing; others as they are."""
    digits, point, zeros = spelled.partition(".")
    is_whole = point and zeros and not zeros.strip("0") and digits.isascii() and digits.removeprefix("-").isdecimal()
    return digits if is_whole else spelled


def _is_of_their_kind(spelled: str, classes: Sequence[str]) -> bool:
    """Whether *spelled* is a number, a truth value or a word as one of *classes* is; all are where there are none."""
    return not any(classes) or any(_kind_of(name) == _kind_of(spelled) for name in classes if name)


def _kind_of(spelled: str) -> str:
    if spelled.lower() in _TRUTH_VALUES:
        return "truth value"
    return "word" if _number_in(spelled) is None else "number"


def _number(value: LabelValue, *, is_grade: bool) -> float | None:
    if isinstance(value, bool):
        return float(value) if is_grade else None  # a thumb up or down is a grade
    return _number_in(value) if isinstance(value, str) else float(value)


def _number_in(text: str) -> float | None:
    """The number that *text* spells, in ASCII and without underscores, which float() would pass over; None: none."""
    if not text.isascii() or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _place(value: LabelValue, items: Sequence[int], key: HashKey) -> float | None:
    """Place, from 1, of the item that was chosen; 0 where it is none of *items*, or nothing was chosen."""
    if isinstance(value, bool):
        return None if value else 0.0
    item = spelling_of(value)
    if not item:
        return 0.0
    for spelled in dict.fromkeys((item, _whole(item))):
        (found,) = np.nonzero(np.asarray(items, np.uint64) == np.uint64(item_of(spelled, key)))
        if len(found):
            return float(found[0] + 1)
    return 0.0
